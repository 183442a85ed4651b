/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recovery: what a killed process left is made whole: the torn tail of the
 * last segment is cut off, and each exchange that was open gets its
 * END(interrupted) in a segment of its own, which appears at once and whole
 * (written under another name, synced, renamed). So a crash in here is
 * harmless, and recovering twice changes nothing. Called at start and, if that
 * failed, by the helper; only on series that nobody writes.
 */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "journal/private.h"
#include "journal/reader_state.h"
#include "journal/segment.h"

#define TEMPORARY "recovery.tmp"

struct recovery {
	const char	*dir, *series;
	char		*path;
	uint32_t	*segments;	/* sorted */
	size_t		 nsegments;
	struct tally	 tally;
	char		*err;
	size_t		 errlen;
};

static bool
recovery_fail(struct recovery *v, const char *what)
{
	(void)snprintf(v->err, v->errlen, "%s: %s: %s", v->path, what, strerror(errno));
	return false;
}

/* A newer segment stops everything before anything is changed. */
static bool
recovery_versions(struct recovery *v, enum recovery_result *why)
{
	struct segment_info info;
	size_t i;
	int fd, result;

	for (i = 0; i < v->nsegments; i++) {
		if ((fd = segment_open(v->path, v->segments[i])) < 0)
			return recovery_fail(v, "open");
		result = segment_check(fd, v->path, v->segments[i], &info);
		(void)close(fd);
		if (result != SEGMENT_E_VERSION)
			continue;
		(void)snprintf(v->err, v->errlen, "%s/%08u.seg: journal format %u was made by a "
		    "newer spangate; this one reads up to %u", v->path, v->segments[i], info.version,
		    JOURNAL_VERSION);
		*why = RECOVERY_E_VERSION;
		return false;
	}
	return true;
}

/* Does a segment begin as one does, with its head and a CHECKPOINT? */
static bool
recovery_well_begun(const struct recovery *v, uint32_t number)
{
	struct window w;
	struct record rec;
	size_t used, have;
	bool well;

	window_init(&w);
	well = window_open(&w, v->path, number) == SEGMENT_OK &&
	    window_record(&w, SEGMENT_HEAD, 0, WINDOW_BYTES, &rec, &used, &have) == RECORD_OK &&
	    rec.type == RECORD_CHECKPOINT;
	window_free(&w);
	return well;
}

/* Does it hold anything? Also one whose head or CHECKPOINT was damaged may: in
 * place of a damaged head the first record tells the salt. */
static bool
recovery_used(const struct recovery *v, uint32_t number)
{
	char first[RECORD_HEAD] = "";
	struct segment_info info;
	struct record rec;
	size_t used, have;
	struct window w;
	uint32_t length;
	int result;

	window_init(&w);
	if ((w.fd = segment_open(v->path, number)) < 0)
		return true;
	switch (segment_check(w.fd, v->path, number, &info)) {
	case SEGMENT_OK:
		w.salt = info.salt;
		break;
	case SEGMENT_EMPTY:
		window_free(&w);
		return false;
	default:
		(void)pread(w.fd, first, sizeof(first), SEGMENT_HEAD);
		w.salt = record_salt(first);
	}
	result = window_record(&w, SEGMENT_HEAD, 0, WINDOW_BYTES, &rec, &used, &have);
	if (result == RECORD_E_CRC) {
		memcpy(&length, w.data, sizeof(length));
		result = window_record(&w, SEGMENT_HEAD + le32toh(length), 0, WINDOW_BYTES, &rec,
		    &used, &have);
	}
	window_free(&w);
	return result == RECORD_OK || result == WINDOW_E_IO;
}

/* Segments at the end that were made ready but hold nothing whole. */
static void
recovery_drop_unused(struct recovery *v)
{
	uint32_t last;
	int64_t size;

	for (; v->nsegments > 0; v->nsegments--) {
		last = v->segments[v->nsegments - 1];
		size = segment_size(v->path, last);
		if (size > SEGMENT_HEAD && recovery_used(v, last))
			break;
		if (size > SEGMENT_HEAD)
			log_warn("journal: %s/%08u.seg: %lld bytes without a whole record are removed",
			    v->path, last, (long long)size);
		(void)segment_delete(v->path, last);
	}
}

/* Reads on from the last segment that begins well: the tally at the end. */
static bool
recovery_read(struct recovery *v, struct reader *r)
{
	size_t i = v->nsegments - 1;
	struct record rec;
	uint64_t at;
	int result;

	while (i > 0 && !recovery_well_begun(v, v->segments[i]))
		i--;
	r->number = v->segments[i];
	while ((result = reader_next(r, &rec, &at)) != READER_NONE) {
		if (result == READER_RECORD) {
			tally_apply(&v->tally, &rec, at);
			continue;
		}
		if (result != READER_E_CORRUPT)
			return recovery_fail(v, "read");
		log_warn("journal: %s/%08u.seg: damaged at %llu", v->path, r->number,
		    (unsigned long long)r->offset);
		reader_skip(r);
	}
	return true;
}

/* Cuts the last segment, where the reader stands, behind its last whole record;
 * what is reserved behind it goes as well. */
static bool
recovery_cut(struct recovery *v, const struct reader *r)
{
	int64_t size = segment_size(v->path, r->number);
	char name[PATH_MAX];

	if (r->tail.fd < 0)
		return true;
	if (size > (int64_t)r->offset)
		log_info("journal: %s/%08u.seg: %llu bytes behind the last whole record are cut off", v->path,
		    r->number, (unsigned long long)size - r->offset);
	(void)snprintf(name, sizeof(name), "%s/%08u.seg", v->path, r->number);
	return truncate(name, (off_t)r->offset) == 0 ? true : recovery_fail(v, "truncate");
}

/* What is known of an open exchange from its last records. */
struct interrupted {
	uint64_t	t, t_last, length;
	bool		answered;
};

/* Looks back for the last PART of the answer, at most to its head. */
static void
recovery_look_back(struct reader *r, const struct open_exchange *x, struct interrupted *out)
{
	uint64_t position = x->last;
	struct record rec;

	*out = (struct interrupted){ 0 };
	while (position != 0 && chain_record(r, position, &rec) == READER_RECORD &&
	    memcmp(rec.id, x->id, 16) == 0 && rec.prev < position) {
		if (position == x->last)
			out->t = record_get_u64(rec.payload, TAG_T, 0);
		if (rec.type == RECORD_PART &&
		    record_get_u64(rec.payload, TAG_DIRECTION, DIRECTION_ANSWER) == DIRECTION_ANSWER) {
			out->answered = true;
			out->t_last = record_get_u64(rec.payload, TAG_T, 0);
			out->length = record_get_u64(rec.payload, TAG_OFFSET, 0) +
			    record_get(rec.payload, TAG_BYTES).len;
			return;
		}
		if (rec.type == RECORD_HEAD_IN || rec.type == RECORD_SEND)
			return;
		position = rec.prev;
	}
}

/* Appends the END of an open exchange. */
static void
recovery_end(struct reader *r, const struct open_exchange *x, struct buf *out)
{
	struct interrupted in;
	struct buf fields;

	recovery_look_back(r, x, &in);
	buf_init(&fields, LIMIT_END);
	record_put_u64(&fields, TAG_T, in.t);
	record_put_u64(&fields, TAG_REASON, REASON_INTERRUPTED);
	record_put_u64(&fields, TAG_ANSWER_LENGTH, in.length);
	if (in.answered)
		record_put_u64(&fields, TAG_T_LAST, in.t_last);
	record_append(out, RECORD_END, 0, x->id, x->last, buf_view(&fields));
	buf_free(&fields);
}

/* Writes bytes to a file that appears under its name when it is on disk. */
static bool
recovery_write(struct recovery *v, uint32_t number, const struct buf *b)
{
	char from[PATH_MAX], to[PATH_MAX];
	size_t done = 0;
	ssize_t n = 0;
	int fd;

	(void)snprintf(from, sizeof(from), "%s/%s", v->path, TEMPORARY);
	(void)snprintf(to, sizeof(to), "%s/%08u.seg", v->path, number);
	fd = open(from, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return recovery_fail(v, TEMPORARY);
	while (done < b->len && (n = write(fd, b->ptr + done, b->len - done)) > 0)
		done += (size_t)n;
	if (done < b->len || fsync(fd) < 0 || rename(from, to) < 0) {
		(void)recovery_fail(v, "write");
		(void)unlink(from);
		(void)close(fd);
		return false;
	}
	(void)close(fd);
	return true;
}

/* The segment with the ENDs of what was open. */
static bool
recovery_append(struct recovery *v, struct reader *r)
{
	uint32_t number = v->segments[v->nsegments - 1] + 1;
	const struct opens *o = &v->tally.opens;
	struct buf b;
	bool well;
	size_t i;

	buf_init(&b, SEGMENT_HEAD + tally_size(&v->tally) + o->count * LIMIT_END);
	if (buf_reserve(&b, SEGMENT_HEAD) != NULL) {
		segment_head(b.ptr, v->series, number, 0, 0);
		b.len = SEGMENT_HEAD;
	}
	tally_write(&v->tally, 0, &b);
	for (i = 0; i < o->cap; i++)
		if (o->slots[i].first != 0)
			recovery_end(r, &o->slots[i], &b);
	if (b.failed)
		bug("no memory for %zu interrupted exchanges", o->count);
	well = recovery_write(v, number, &b);
	if (well)
		log_info("journal: %s: %zu exchanges were interrupted", v->series, o->count);
	buf_free(&b);
	return well;
}

static bool
recovery_run(struct recovery *v)
{
	struct reader *r;
	bool well;

	recovery_drop_unused(v);
	if (v->nsegments == 0) {
		(void)series_remove(v->path);
		return true;
	}
	r = reader_open(v->dir, v->series, 0, v->err, v->errlen);
	if (r == NULL)
		return false;
	well = recovery_read(v, r) && recovery_cut(v, r) &&
	    (v->tally.opens.count == 0 || recovery_append(v, r));
	reader_close(r);
	return well;
}

enum recovery_result
recovery_series(const char *dir, const char *series, char *err, size_t errlen)
{
	struct recovery v = { .dir = dir, .series = series, .err = err, .errlen = errlen };
	enum recovery_result result = RECOVERY_LATER;

	v.path = series_path(dir, series);
	if (segment_list(v.path, &v.segments, &v.nsegments) < 0)
		(void)recovery_fail(&v, "read");
	else if (recovery_versions(&v, &result) && recovery_run(&v))
		result = RECOVERY_DONE;
	tally_free(&v.tally);
	free(v.segments);
	free(v.path);
	return result;
}
