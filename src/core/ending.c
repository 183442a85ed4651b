/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending.c: finds the end of an answer while it goes by. Called by the gate
 * with what is on its way to a client who asked for a breakdown. It never
 * judges the rest of the answer: whether that is good JSON is known only when
 * all of it has come, and asked elsewhere.
 *
 * An event waits while it has only fields beside data and the beginning of
 * `data: [DONE]`, so that what is added never gets between an event's lines.
 */
#include "core/ending.h"

#include "core/bytes.h"
#include "core/limits.h"

enum {
	FRESH,		/* a line may begin, no event is open */
	COMMENT,	/* in a comment between events */
	FIELD,		/* in a line that is held, no data yet */
	FIELDS,		/* behind such a line */
	DATA,		/* in the line that may be the one */
	OPEN,		/* in a line of an event that passes */
	OPENED,		/* behind such a line */
	DONE,
};

/* The line without its blanks. */
static const char pattern[] = "data:[DONE]";
#define PATTERN_BLANKS 5	/* blanks may stand here */

#define NOWHERE SIZE_MAX

void
ending_init(struct ending *e, enum ending_kind kind)
{
	*e = (struct ending){ .kind = kind, .state = FRESH };
	buf_init(&e->held, 2 * LIMIT_HELD_END);
}

void
ending_free(struct ending *e)
{
	buf_free(&e->held);
}

/* The last bracket with nothing but blanks behind it: where it waits from. */
static size_t
json_keep(struct ending *e, struct slice s)
{
	size_t n = s.len;

	while (n > 0 && (s.ptr[n - 1] == ' ' || s.ptr[n - 1] == '\t' || bytes_ends_line(s.ptr[n - 1])))
		n--;
	if (n == 0)
		return e->held.len > 0 ? 0 : NOWHERE;
	e->release = true;
	return s.ptr[n - 1] == '}' ? n - 1 : NOWHERE;
}

/* The state behind a line's first byte, where no data has come yet. */
static int
line_begin(struct ending *e, char c)
{
	e->at = 1;
	if (c == 'd')
		return DATA;
	if (e->state == FIELDS)
		return FIELD;
	if (c == ':')
		return COMMENT;
	return c == 'e' || c == 'i' || c == 'r' ? FIELD : OPEN;
}

static int
data_byte(struct ending *e, char c)
{
	if (e->at == PATTERN_BLANKS && c == ' ')
		return DATA;
	if (c != pattern[e->at])
		return bytes_ends_line(c) ? OPENED : OPEN;
	e->at++;
	return pattern[e->at] == '\0' ? DONE : DATA;
}

static int
next_state(struct ending *e, char c)
{
	bool eol = bytes_ends_line(c);

	switch (e->state) {
	case FRESH:
	case FIELDS:
		return eol ? FRESH : line_begin(e, c);
	case COMMENT:
		return eol ? FRESH : COMMENT;
	case FIELD:
		return eol ? FIELDS : FIELD;
	case DATA:
		return data_byte(e, c);
	case OPEN:
		return eol ? OPENED : OPEN;
	case OPENED:
		return eol ? FRESH : OPEN;
	default:
		return DONE;
	}
}

static bool
state_holds(int state)
{
	return state == FIELD || state == FIELDS || state == DATA || state == DONE;
}

/* More fields than may wait: the event passes. */
static void
event_limit(struct ending *e)
{
	if (e->state == DONE || ++e->count <= LIMIT_HELD_END)
		return;
	e->state = e->state == FIELDS ? OPENED : OPEN;
}

/* Takes one byte; *keep: where what waits begins. */
static void
event_byte(struct ending *e, char c, size_t i, size_t *keep)
{
	bool held = state_holds(e->state), lf = e->cr && c == '\n';

	e->cr = c == '\r';
	/* the second byte of a line end stays with the first */
	if (!lf)
		e->state = next_state(e, c);
	if (state_holds(e->state) && !held) {
		*keep = i;
		e->count = 0;
	}
	if (state_holds(e->state))
		event_limit(e);
	if (!state_holds(e->state) && held) {
		*keep = NOWHERE;
		e->release = true;
	}
}

static size_t
events_keep(struct ending *e, struct slice s)
{
	size_t keep = e->held.len > 0 ? 0 : NOWHERE, i;

	for (i = 0; i < s.len && e->state != DONE; i++) {
		if (e->state == OPEN) {
			i = (size_t)(bytes_line_end(s.ptr + i, s.ptr + s.len) - s.ptr);
			e->cr = false;
			if (i == s.len)
				break;
		}
		event_byte(e, s.ptr[i], i, &keep);
	}
	e->done = e->state == DONE;
	return keep;
}

void
ending_feed(struct ending *e, struct slice bytes)
{
	size_t keep, waits;

	e->step = 0;
	e->release = false;
	keep = e->full ? NOWHERE : e->kind == ENDING_JSON ? json_keep(e, bytes) : events_keep(e, bytes);
	if (keep == NOWHERE)
		keep = bytes.len;
	waits = bytes.len - keep;
	if ((e->release ? 0 : e->held.len) + waits > LIMIT_HELD_END ||
	    (waits > 0 && buf_reserve(&e->held, waits) == NULL)) {
		/* a JSON text may still go on, and end later */
		e->full = e->kind == ENDING_EVENTS || e->held.failed;
		e->held.failed = false;
		e->release = true;
		keep = bytes.len;
	}
	e->pass = slice_make(bytes.ptr, keep);
	e->rest = slice_from(bytes, keep);
}

bool
ending_next(struct ending *e, struct slice *piece)
{
	if (e->step == 0) {
		e->step = 1;
		*piece = buf_view(&e->held);
		if (e->release && piece->len > 0)
			return true;
	}
	if (e->step == 1) {
		e->step = 2;
		if (e->release)
			buf_clear(&e->held);
		*piece = e->pass;
		if (piece->len > 0)
			return true;
	}
	if (e->step == 2)
		buf_slice(&e->held, e->rest);
	e->step = 3;
	return false;
}

const char *
ending_gap(const struct ending *e)
{
	/* behind a CR, LF would be of the same line end */
	bool cr = e->cr;

	switch (e->state) {
	case FRESH:
		return cr ? "\n" : "";
	case COMMENT:
		return "\n";
	case FIELDS:
	case OPENED:
		return cr ? "\n\n" : "\n";
	default:
		return "\n\n";
	}
}
