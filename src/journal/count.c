/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count: the books of a series at a position, for `verify`: the CHECKPOINT at
 * the start of its segment and what was written from there on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/reader_state.h"
#include "journal/segment.h"
#include "journal/series.h"
#include "journal/tally.h"

/* Takes in records up to the position, and the CHECKPOINT in any case. */
static int
count_records(struct reader *r, uint64_t position, struct tally *t)
{
	struct record rec;
	uint64_t at;
	int result;

	for (;;) {
		result = reader_next(r, &rec, &at);
		if (result == READER_E_CORRUPT) {
			reader_skip(r);
			continue;
		}
		if (result != READER_RECORD)
			return result;
		if (at >= position && rec.type != RECORD_CHECKPOINT)
			return READER_NONE;
		tally_apply(t, &rec, at);
	}
}

/* The last segment that has been begun. */
static uint32_t
count_last_segment(const char *path)
{
	uint32_t *list, last = 0, before;
	size_t n;

	if (segment_list(path, &list, &n) < 0)
		return 0;
	while (n > 0 && last == 0)
		if (segment_begun(path, list[--n], &before))
			last = list[n];
	free(list);
	return last;
}

int
series_count(const char *dir, const char *series, uint64_t position,
    struct series_count *count, char *err, size_t errlen)
{
	struct tally t = { 0 };
	struct reader *r;
	int result;

	*count = (struct series_count){ 0 };
	r = reader_open(dir, series, position_make(position_segment(position), 0), err, errlen);
	if (r == NULL)
		return -1;
	if (position == UINT64_MAX)
		r->number = count_last_segment(r->path);
	result = count_records(r, position, &t);
	*count = (struct series_count){ t.begun, t.ended, t.opens.count, t.dropped };
	tally_free(&t);
	if (result < 0)
		(void)snprintf(err, errlen, "%s: %s", r->path, result == READER_E_VERSION ?
		    "made by a newer spangate" : strerror(errno));
	reader_close(r);
	return result < 0 ? -1 : 0;
}

uint32_t
series_needed_from(const char *dir, const char *series, uint64_t position)
{
	uint32_t number = position_segment(position), first = 0;
	struct tally t = { 0 };
	struct record rec;
	struct reader *r;
	uint64_t at;
	char err[256];

	r = reader_open(dir, series, position_make(number, 0), err, sizeof(err));
	if (r == NULL)
		return 0;
	if (reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_CHECKPOINT &&
	    position_segment(at) == number) {
		tally_apply(&t, &rec, at);
		if (count_records(r, position, &t) == READER_NONE)
			first = t.opens.count > 0 ? position_segment(opens_oldest(&t.opens)) : number;
	}
	tally_free(&t);
	reader_close(r);
	return first < number ? first : number;
}
