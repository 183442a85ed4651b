/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail: which series there are, how far each is read, and what the journal may
 * let go of. Used by the sink thread alone; it never writes to the journal.
 */
#include "store/tail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "ledger/ledger.h"

void
tails_init(struct tails *tails, const char *journal_dir)
{
	*tails = (struct tails){ .dir = journal_dir };
}

void
tails_free(struct tails *tails)
{
	for (size_t i = 0; i < tails->count; i++)
		reader_close(tails->list[i].reader);
	free(tails->list);
	tails->list = NULL;
	tails->count = 0;
}

static struct tail *
tails_find(struct tails *tails, const char *series)
{
	for (size_t i = 0; i < tails->count; i++)
		if (strcmp(tails->list[i].cursor.series, series) == 0)
			return &tails->list[i];
	return NULL;
}

static void
tails_add(struct tails *tails, const struct store_cursor *cursor)
{
	tails->list = xrealloc(tails->list, (tails->count + 1) * sizeof(*tails->list));
	tails->list[tails->count++] = (struct tail){ .cursor = *cursor, .committed = *cursor };
}

int
tails_load(struct tails *tails, const struct store_ops *ops, struct store *store)
{
	struct store_cursor *list;
	size_t n;
	int rc;

	tails_free(tails);
	rc = ops->cursors(store, &list, &n);
	for (size_t i = 0; i < n; i++)
		tails_add(tails, &list[i]);
	free(list);
	return rc;
}

static bool
in_list(char **names, const char *series)
{
	for (; *names; names++)
		if (strcmp(*names, series) == 0)
			return true;
	return false;
}

static void
tails_drop(struct tails *tails, size_t i)
{
	reader_close(tails->list[i].reader);
	memmove(&tails->list[i], &tails->list[i + 1], (tails->count - i - 1) * sizeof(*tails->list));
	tails->count--;
}

static int
forget_one(const struct store_ops *ops, struct store *store, const char *series)
{
	int rc = ops->begin(store);

	if (rc == STORE_OK)
		rc = ops->forget(store, series);
	if (rc == STORE_OK)
		rc = ops->commit(store);
	if (rc != STORE_OK)
		ops->rollback(store);
	return rc;
}

/* Takes out series whose directory is gone: the journal deletes one when its
 * writer has closed it and all of it is behind the cursor, which may be before
 * its end was noticed here. */
static int
forget_gone(struct tails *tails, const struct store_ops *ops, struct store *store, char **names)
{
	int rc = STORE_OK;

	for (size_t i = tails->count; i-- > 0 && rc == STORE_OK;) {
		struct tail *t = &tails->list[i];

		if (in_list(names, t->committed.series))
			continue;
		rc = forget_one(ops, store, t->committed.series);
		if (rc == STORE_OK)
			tails_drop(tails, i);
	}
	return rc;
}

int
tails_scan(struct tails *tails, const struct store_ops *ops, struct store *store)
{
	char **names = series_list(tails->dir);
	struct store_cursor fresh = { .position = 0 };
	int rc;

	if (!names) {
		log_warn("%s: %s", tails->dir, strerror(errno));
		return STORE_OK;
	}
	for (char **name = names; *name; name++) {
		if (tails_find(tails, *name))
			continue;
		snprintf(fresh.series, sizeof(fresh.series), "%s", *name);
		tails_add(tails, &fresh);
	}
	rc = forget_gone(tails, ops, store, names);
	series_free(names);
	return rc;
}

void
tails_commit(struct tails *tails)
{
	for (size_t i = 0; i < tails->count; i++)
		tails->list[i].committed = tails->list[i].cursor;
}

void
tails_rollback(struct tails *tails)
{
	for (size_t i = 0; i < tails->count; i++) {
		struct tail *t = &tails->list[i];

		if (!tail_moved(t))
			continue;
		t->cursor = t->committed;
		reader_close(t->reader);
		t->reader = NULL;
	}
}

bool
tail_moved(const struct tail *t)
{
	return t->cursor.position != t->committed.position || t->cursor.finished != t->committed.finished;
}

static bool
tail_open(struct tails *tails, struct tail *t)
{
	char err[200];

	if (t->reader)
		return true;
	if (t->dead || t->cursor.finished)
		return false;
	t->reader = reader_open(tails->dir, t->cursor.series, t->cursor.position, err, sizeof(err));
	if (!t->reader)
		log_debug("journal series %s: %s", t->cursor.series, err);
	return t->reader != NULL;
}

/* What to do about a reader's error: a damaged region is left behind, once. */
static void
tail_error(struct tail *t, int rc)
{
	if (rc == READER_E_CORRUPT) {
		log_error("journal series %s is damaged at %llx: going on with the next segment",
		    t->cursor.series, (unsigned long long)reader_position(t->reader));
		ledger_dropped("journal_damaged", 1);
		reader_skip(t->reader);
		return;
	}
	log_error("journal series %s: %s", t->cursor.series,
	    rc == READER_E_VERSION ? "made by a newer spangate" : strerror(errno));
	t->dead = rc == READER_E_VERSION;
	reader_close(t->reader);
	t->reader = NULL;
}

/* Does the sink act on such a record? */
static bool
acts(enum record_type type)
{
	return type == RECORD_END || type == RECORD_SPAN || type == RECORD_EDIT;
}

/* The next such record of one series. */
static int
tail_next(struct tail *t, struct record *record, uint64_t *position, unsigned *budget)
{
	while (*budget > 0 && t->reader) {
		int rc = reader_next(t->reader, record, position);

		if (rc == READER_NONE)
			break;
		if (rc < 0) {
			tail_error(t, rc);
			continue;
		}
		--*budget;
		t->cursor.position = reader_position(t->reader);
		if (acts(record->type))
			return READER_RECORD;
	}
	return READER_NONE;
}

int
tails_next(struct tails *tails, struct tail **out, struct record *record, uint64_t *position,
    unsigned *budget)
{
	for (size_t tried = 0; tried < tails->count; tried++) {
		struct tail *t = &tails->list[tails->turn % tails->count];

		if (tail_open(tails, t) && tail_next(t, record, position, budget) == READER_RECORD) {
			*out = t;
			return READER_RECORD;
		}
		tails->turn = (tails->turn + 1) % tails->count;
	}
	return READER_NONE;
}

/* Does the series' own count of BEGINs agree with what was stored from it? */
static void
tail_balance(struct tails *tails, struct tail *t)
{
	struct series_count count = { 0 };
	char err[200];

	if (series_count(tails->dir, t->cursor.series, t->cursor.position, &count, err, sizeof(err)) < 0) {
		log_debug("journal series %s: %s", t->cursor.series, err);
		return;
	}
	t->cursor.begun = count.begun;
	if (count.begun != t->cursor.stored + t->cursor.dropped + count.open)
		log_error("journal series %s began %llu exchanges, but %llu were stored and %llu set aside",
		    t->cursor.series, (unsigned long long)count.begun,
		    (unsigned long long)t->cursor.stored, (unsigned long long)t->cursor.dropped);
}

bool
tails_finish(struct tails *tails)
{
	bool any = false;

	for (size_t i = 0; i < tails->count; i++) {
		struct tail *t = &tails->list[i];

		if (t->cursor.finished || !t->reader || !reader_finished(t->reader))
			continue;
		tail_balance(tails, t);
		t->cursor.finished = any = true;
		reader_close(t->reader);
		t->reader = NULL;
	}
	return any;
}

uint64_t
tails_lag(struct tails *tails)
{
	uint64_t lag = 0;

	for (size_t i = 0; i < tails->count; i++)
		if (tail_open(tails, &tails->list[i]))
			lag += reader_lag(tails->list[i].reader);
	return lag;
}

void
tails_release(struct tails *tails, struct journal *journal)
{
	for (size_t i = 0; i < tails->count; i++) {
		struct tail *t = &tails->list[i];

		if (t->released == t->committed.position && !t->committed.finished)
			continue;
		journal_release(journal, t->committed.series, t->committed.position);
		t->released = t->committed.position;
	}
}
