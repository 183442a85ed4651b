/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_util: a scratch directory, made-up exchanges, and the books of a
 * journal directory, for the journal's unit tests.
 */
#ifndef JOURNAL_UTIL_H
#define JOURNAL_UTIL_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "journal/journal.h"
#include "journal/reader.h"
#include "journal/tally.h"

/* fast: in memory where there is such a place, for tests that sync thousands
 * of times. */
static inline void
scratch_make(char *dir, size_t len, bool fast)
{
	const char *tmp = getenv("TMPDIR");

	if (fast && access("/dev/shm", W_OK | X_OK) == 0)
		tmp = "/dev/shm";
	(void)snprintf(dir, len, "%s/journal_test.XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static inline void
scratch_remove(const char *dir)
{
	(void)nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* An id like a UUIDv7: a counter in front, scattered bits behind. */
static inline void
id_make(uint8_t id[16], uint64_t n)
{
	uint64_t h = (n + 1) * 0x9e3779b97f4a7c15u;

	h ^= h >> 29;
	memcpy(id, &n, 8);
	memcpy(id + 8, &h, 8);
}

/* One exchange as a test drives it. */
struct made {
	uint8_t		id[16];
	uint64_t	last, t, offset;
};

static inline void
made_begin(struct journal_writer *w, struct made *x, uint64_t n, struct slice body)
{
	struct buf b;

	*x = (struct made){ 0 };
	id_make(x->id, n);
	buf_init(&b, 4096);
	record_put_u64(&b, TAG_T, 0);
	record_put(&b, TAG_METHOD, SLICE("POST"));
	record_put_head(&b, TAG_BYTES, body.len);
	x->last = journal_begin(w, x->id, buf_view(&b), body);
	buf_free(&b);
}

static inline uint64_t
made_part(struct journal_writer *w, struct made *x, struct slice bytes)
{
	uint64_t position;
	struct buf b;

	buf_init(&b, 4096);
	record_put_u64(&b, TAG_T, x->t += 1000);
	record_put_u64(&b, TAG_DIRECTION, DIRECTION_ANSWER);
	record_put_u64(&b, TAG_OFFSET, x->offset);
	record_put_head(&b, TAG_BYTES, bytes.len);
	position = journal_add(w, RECORD_PART, x->id, x->last, buf_view(&b), bytes);
	if (position != 0)
		x->last = position;
	x->offset += bytes.len;
	buf_free(&b);
	return position;
}

static inline void
made_end(struct journal_writer *w, struct made *x)
{
	struct buf b;

	buf_init(&b, 4096);
	record_put_u64(&b, TAG_T, x->t);
	record_put_u64(&b, TAG_REASON, REASON_COMPLETE);
	record_put_u64(&b, TAG_ANSWER_LENGTH, x->offset);
	x->last = journal_end(w, x->id, x->last, buf_view(&b));
	buf_free(&b);
}

/* What a journal directory holds. */
struct books {
	uint64_t	records, begun, ended, interrupted, open;
	uint64_t	orphans;	/* ENDs without a BEGIN, or a second END */
	uint64_t	corrupt, broken_chains, errors;
};

static inline void
books_record(struct books *k, struct tally *t, struct reader *r, const struct record *rec,
    uint64_t at)
{
	struct chain c;

	k->records++;
	if (rec->type == RECORD_END) {
		if (opens_find(&t->opens, rec->id) == NULL)
			k->orphans++;
		if (record_get_u64(rec->payload, TAG_REASON, 0) == REASON_INTERRUPTED)
			k->interrupted++;
		k->ended++;
	}
	k->begun += rec->type == RECORD_BEGIN;
	tally_apply(t, rec, at);
	if (rec->type != RECORD_END)
		return;
	if (chain_read(r, at, &c) != READER_RECORD || !c.complete)
		k->broken_chains++;
	chain_free(&c);
}

static inline void
books_series(struct books *k, const char *dir, const char *series)
{
	struct tally t = { 0 };
	struct record rec;
	struct reader *r;
	uint64_t at;
	char err[256];
	int result;

	r = reader_open(dir, series, 0, err, sizeof(err));
	if (r == NULL) {
		k->errors++;
		return;
	}
	while ((result = reader_next(r, &rec, &at)) != READER_NONE) {
		if (result == READER_RECORD) {
			books_record(k, &t, r, &rec, at);
		} else if (result == READER_E_CORRUPT) {
			k->corrupt++;
			reader_skip(r);
		} else {
			k->errors++;
			break;
		}
	}
	k->open += t.opens.count;
	tally_free(&t);
	reader_close(r);
}

static inline struct books
books_read(const char *dir)
{
	struct books k = { 0 };
	char **list = series_list(dir);
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		books_series(&k, dir, list[i]);
	series_free(list);
	return k;
}

#endif
