/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: one series from front to back, while it is written or afterwards.
 * Called by the sink, recovery and the command line; never writes, never locks.
 *
 * A record that is not whole is either on its way or damaged. It is damaged if
 * something stands behind it: a well record at the place where it ends, or
 * another segment that has been begun; else it is nothing yet. (Searching for
 * well records inside what is damaged would find those that clients put into
 * their bodies.) What a segment holds from a former life bears another salt, so
 * it is no whole record.
 *
 * A segment can be deleted, and its file be put to a new use, while it is read:
 * what is found no more, or is not well any more, is passed over if the segment
 * is no longer there under its name.
 */
#include "journal/reader.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "journal/reader_state.h"
#include "journal/segment.h"
#include "journal/series.h"

#define READER_AHEAD (16 * KIB)	/* first read behind a stop: little is new, the rest may be of old */

struct reader *
reader_open(const char *dir, const char *series, uint64_t from, char *err, size_t errlen)
{
	struct reader *r;
	struct stat st;
	char *path;

	path = series_path(dir, series);
	if (stat(path, &st) < 0) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		free(path);
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->path = path;
	r->number = position_segment(from);
	r->offset = position_offset(from);
	r->ahead = READER_AHEAD;
	window_init(&r->tail);
	window_init(&r->back);
	return r;
}

void
reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	window_free(&r->tail);
	window_free(&r->back);
	free(r->path);
	free(r);
}

/* The least segment number from `from` on, 0: none. */
static uint32_t
reader_least(const struct reader *r, uint32_t from)
{
	uint32_t *list, found = 0;
	size_t n, i;

	if (segment_list(r->path, &list, &n) < 0)
		return 0;
	for (i = 0; i < n && found == 0; i++)
		if (list[i] >= from)
			found = list[i];
	free(list);
	return found;
}

/* Has the segment that is being read been deleted? */
static bool
reader_lost(const struct reader *r)
{
	return r->tail.fd >= 0 && segment_size(r->path, r->number) < 0;
}

/* The segment behind this one if it has been begun; 0: none. It may be a later
 * one if those up to there have been deleted while this one was read. *end: the
 * length of this one, 0: that of its file. */
static uint32_t
reader_successor(const struct reader *r, uint32_t *end)
{
	*end = 0;
	if (segment_begun(r->path, r->number + 1, end))
		return r->number + 1;
	return reader_lost(r) ? reader_least(r, r->number + 2) : 0;
}

static void
reader_leave(struct reader *r, uint32_t number)
{
	window_close(&r->tail);
	r->number = number;
	r->offset = 0;
}

/* What a segment that cannot be opened means: READER_NONE or an error. */
static int
reader_cannot_enter(struct reader *r, int result)
{
	uint32_t next, end;

	switch (result) {
	case SEGMENT_E_VERSION:
		return READER_E_VERSION;
	case SEGMENT_EMPTY:
		return reader_successor(r, &end) == 0 ? READER_NONE : READER_E_CORRUPT;
	case SEGMENT_E_IO:
		if (errno != ENOENT)
			return READER_E_IO;
		if ((next = reader_least(r, r->number)) == 0)
			return READER_NONE;
		if (next != r->number)
			reader_leave(r, next);
		return READER_RECORD;
	default:
		return READER_E_CORRUPT;
	}
}

/* Opens the segment in which the position is: READER_RECORD when it is open. */
static int
reader_enter(struct reader *r)
{
	int result, tries;

	for (tries = 0; r->tail.fd < 0; tries++) {
		if (r->number == 0 && (r->number = reader_least(r, 1)) == 0)
			return READER_NONE;
		result = window_open(&r->tail, r->path, r->number);
		if (result == SEGMENT_OK)
			break;
		result = reader_cannot_enter(r, result);
		if (result != READER_RECORD)
			return result;
		if (tries > 1)
			return READER_NONE;
	}
	if (r->offset < SEGMENT_HEAD)
		r->offset = SEGMENT_HEAD;
	return READER_RECORD;
}

/* Reads ahead by more each time that all of it was of use. */
static int
reader_at(struct reader *r, struct record *rec, size_t *used, size_t *have)
{
	uint64_t start = r->tail.start;
	int result = window_record(&r->tail, r->offset, 0, r->ahead, rec, used, have);

	if (result != RECORD_OK)
		r->ahead = READER_AHEAD;
	else if (r->tail.start != start && r->ahead < WINDOW_BYTES)
		r->ahead *= 2;
	return result;
}

/* A record with a bad CRC, but a well one where it ends: length, else 0. It is
 * looked at again behind that one, as both may just have been written. */
static uint32_t
reader_damaged_length(struct reader *r)
{
	struct record rec;
	size_t used, have;
	uint32_t length;

	if (reader_at(r, &rec, &used, &have) != RECORD_E_CRC)
		return 0;
	memcpy(&length, r->tail.data + (r->offset - r->tail.start), 4);
	length = le32toh(length);
	if (length > LIMIT_RECORD || window_record(&r->tail, r->offset + length, 0, READER_AHEAD, &rec,
	    &used, &have) != RECORD_OK)
		return 0;
	return reader_at(r, &rec, &used, &have) == RECORD_E_CRC ? length : 0;
}

/* No whole record stands at the position: is it the end for now, the end of
 * the segment (READER_RECORD: go on in the next one), or damage? */
static int
reader_stopped(struct reader *r)
{
	uint32_t end, next = reader_successor(r, &end);
	struct record rec;
	size_t used, have;
	int result;

	if (next == 0)
		return reader_damaged_length(r) > 0 ? READER_E_CORRUPT : READER_NONE;
	/* It may have been completed before the next one was begun. */
	result = reader_at(r, &rec, &used, &have);
	if (result == WINDOW_E_IO)
		return READER_E_IO;
	if (result == RECORD_OK)
		return READER_RECORD;
	if (have > 0 && r->offset != end && !reader_lost(r))
		return READER_E_CORRUPT;
	reader_leave(r, next);
	return READER_RECORD;
}

int
reader_next(struct reader *r, struct record *rec, uint64_t *position)
{
	size_t used, have;
	int result;

	for (;;) {
		result = reader_enter(r);
		if (result != READER_RECORD)
			return result;
		result = reader_at(r, rec, &used, &have);
		if (result == RECORD_OK)
			break;
		if (result == WINDOW_E_IO)
			return READER_E_IO;
		result = reader_stopped(r);
		if (result != READER_RECORD)
			return result;
	}
	*position = position_make(r->number, r->offset);
	r->offset += used;
	return READER_RECORD;
}

uint64_t
reader_position(const struct reader *r)
{
	return r->number == 0 ? 0 : position_make(r->number, r->offset);
}

/* Always gets on, if only to the place where a next segment may come. */
void
reader_skip(struct reader *r)
{
	uint32_t length = r->tail.fd >= 0 ? reader_damaged_length(r) : 0;

	if (length > 0)
		r->offset += length;
	else
		reader_leave(r, r->number + 1);
}

/* Where the last segment ends: what was gone through before is remembered. */
static int64_t
reader_end(struct reader *r, uint32_t number)
{
	if (r->end_number != number)
		r->end = SEGMENT_HEAD;
	if (r->number == number && r->offset > r->end)
		r->end = r->offset;
	r->end_number = number;
	r->end = segment_end(r->path, number, r->end);
	return (int64_t)r->end;
}

uint64_t
reader_lag(struct reader *r)
{
	uint64_t lag = 0;
	uint32_t *list, before;
	int64_t size;
	size_t n, i;

	if (segment_list(r->path, &list, &n) < 0)
		return 0;
	while (n > 0 && !segment_begun(r->path, list[n - 1], &before))
		n--;
	for (i = 0; i < n; i++) {
		if (list[i] < r->number)
			continue;
		size = i + 1 < n ? segment_size(r->path, list[i]) : reader_end(r, list[i]);
		if (size <= 0)
			continue;
		if (list[i] > r->number)
			lag += (uint64_t)size;
		else if ((uint64_t)size > r->offset)
			lag += (uint64_t)size - r->offset;
	}
	free(list);
	return lag;
}

/* Numbers are missing only where files were deleted by hand. */
static bool
reader_over_gap(struct reader *r)
{
	uint32_t next = reader_least(r, r->number + 1);

	if (next > 0)
		reader_leave(r, next);
	return next > 0;
}

/* The lock is looked at first: what was written before it was let go of is
 * seen by the reading after it. */
bool
reader_finished(struct reader *r)
{
	struct record rec;
	size_t used, have;
	int result;

	if (series_locked(r->path))
		return false;
	result = reader_enter(r);
	if (result == READER_RECORD) {
		if (reader_at(r, &rec, &used, &have) == RECORD_OK)
			return false;
		result = reader_stopped(r);
	}
	return result == READER_NONE && !reader_over_gap(r);
}
