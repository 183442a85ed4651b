/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: all records of one exchange, found from its last one backwards.
 * Called by the sink for every span, so what was just read forwards is taken
 * from there, and long chains are read in stretches as long as they are dense.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "journal/reader_state.h"
#include "journal/segment.h"

#define CHAIN_FIRST (16 * KIB)
#define CHAIN_NEAR (8 * KIB)	/* links closer than this pay for reading a whole stretch */
#define CHAIN_LONG (2 * MIB)	/* from here on the rest is measured before memory is taken for it */
#define CHAIN_AHEAD (4 * KIB)	/* a common record; longer ones are read in a second go */

/* Records gathered from the last to the first: they stand at the end. */
struct gather {
	char	*bytes;
	size_t	 cap, start;
	bool	 measured;	/* there is room for all */
};

static void
gather_grow(struct gather *g, size_t cap)
{
	size_t held = g->cap - g->start;
	char *p = xmalloc(cap);

	if (held > 0)
		memcpy(p + cap - held, g->bytes + g->start, held);
	free(g->bytes);
	g->bytes = p;
	g->cap = cap;
	g->start = cap - held;
}

static void
gather_room(struct gather *g, size_t len)
{
	size_t cap = g->cap ? g->cap : CHAIN_FIRST, held = g->cap - g->start;

	while (cap - held < len)
		cap *= 2;
	if (cap > g->cap)
		gather_grow(g, cap);
}

/* Opens the segment of a link. */
static int
chain_enter(struct reader *r, uint32_t number)
{
	if (r->back.fd >= 0 && r->back.number == number)
		return READER_RECORD;
	switch (window_open(&r->back, r->path, number)) {
	case SEGMENT_OK:
		return READER_RECORD;
	case SEGMENT_E_VERSION:
		return READER_E_VERSION;
	case SEGMENT_E_IO:
		return errno == ENOENT ? READER_E_CORRUPT : READER_E_IO;
	default:
		return READER_E_CORRUPT;
	}
}

/* Reads one link; gap: how far it is from the one read before. */
static int
chain_link(struct reader *r, uint64_t position, uint64_t gap, struct record *rec, size_t *used)
{
	uint32_t number = position_segment(position);
	uint64_t offset = position_offset(position);
	size_t before = gap <= CHAIN_NEAR ? WINDOW_BYTES - CHAIN_AHEAD : 0, have;
	int result;

	if (r->tail.fd >= 0 && r->tail.number == number && window_peek(&r->tail, offset, rec, used))
		return READER_RECORD;
	result = chain_enter(r, number);
	if (result != READER_RECORD)
		return result;
	result = window_record(&r->back, offset, before, CHAIN_AHEAD, rec, used, &have);
	if (result == WINDOW_E_IO)
		return READER_E_IO;
	return result == RECORD_OK ? READER_RECORD : READER_E_CORRUPT;
}

int
chain_record(struct reader *r, uint64_t position, struct record *rec)
{
	size_t used;

	return chain_link(r, position, UINT64_MAX, rec, &used);
}

/* How many bytes the records from this one back to the first have. */
static size_t
chain_measure(struct reader *r, uint64_t position)
{
	uint64_t gap = UINT64_MAX;
	size_t sum = 0, used;
	struct record rec;

	while (position != 0 && sum <= LIMIT_CHAIN &&
	    chain_link(r, position, gap, &rec, &used) == READER_RECORD && rec.prev < position) {
		sum += used;
		gap = position - rec.prev;
		position = rec.prev;
	}
	return sum;
}

/* Puts a record before those that are there. A long chain is held in memory of
 * just its size. Measuring moves the window that the record's bytes lie in, so
 * that it comes last. */
static void
gather_before(struct reader *r, struct gather *g, const struct record *rec, size_t used)
{
	size_t held = g->cap - g->start;
	uint64_t prev = rec->prev;

	if (used > g->start)
		gather_room(g, used);
	g->start -= used;
	memcpy(g->bytes + g->start, rec->payload.ptr - RECORD_HEAD, used);
	if (!g->measured && held + used > CHAIN_LONG) {
		g->measured = true;
		gather_grow(g, held + used + chain_measure(r, prev));
	}
}

/* Walks back; what stopped it is the result, READER_RECORD if it came to the
 * first record or met the limit. */
static int
chain_gather(struct reader *r, uint64_t position, struct gather *g)
{
	uint64_t gap = 0, prev;
	struct record rec;
	uint8_t id[16];
	size_t used;
	int result;

	do {
		result = chain_link(r, position, gap, &rec, &used);
		if (result != READER_RECORD)
			return result;
		if (g->cap == 0)
			memcpy(id, rec.id, 16);
		if (memcmp(id, rec.id, 16) != 0 || rec.prev >= position)
			return READER_E_CORRUPT;
		if (g->cap - g->start + used > LIMIT_CHAIN)
			return READER_RECORD;
		prev = rec.prev;
		gather_before(r, g, &rec, used);
		gap = position - prev;
		position = prev;
	} while (position != 0);
	return READER_RECORD;
}

int
chain_read(struct reader *r, uint64_t position, struct chain *c)
{
	struct gather g = { 0 };
	size_t len;
	int result;

	*c = (struct chain){ 0 };
	result = chain_gather(r, position, &g);
	len = g.cap - g.start;
	if (len == 0)
		return result;
	memmove(g.bytes, g.bytes + g.start, len);
	result = chain_parse(slice_make(g.bytes, len), c);
	c->bytes = g.bytes;
	return result;
}

void
chain_free(struct chain *c)
{
	free(c->records);
	free(c->bytes);
	*c = (struct chain){ 0 };
}

/* A chain begins with BEGIN, one of a SPAN or EDIT with what has no prev. */
static bool
chain_complete(const struct chain *c)
{
	const struct record *first = &c->records[0], *last = &c->records[c->count - 1];

	if (first->prev != 0)
		return false;
	return first->type == RECORD_BEGIN || last->type == RECORD_SPAN || last->type == RECORD_EDIT;
}

int
chain_parse(struct slice bytes, struct chain *c)
{
	size_t cap = 8, used;

	*c = (struct chain){ .size = bytes.len };
	c->records = xmalloc(cap * sizeof(*c->records));
	while (bytes.len > 0) {
		if (c->count == cap)
			c->records = xrealloc(c->records, (cap *= 2) * sizeof(*c->records));
		if (record_read(&c->records[c->count], bytes.ptr, bytes.len, &used) != RECORD_OK)
			break;
		c->count++;
		bytes = slice_from(bytes, used);
	}
	if (c->count == 0)
		return READER_E_CORRUPT;
	c->complete = bytes.len == 0 && chain_complete(c);
	return READER_RECORD;
}
