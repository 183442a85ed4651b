/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.c: the event stream parser of the span builder. Lines are read where
 * they lie; only one that was cut by the end of the fed bytes is copied. A CR
 * ends its line once the next byte (or the end) shows whether an LF belongs to
 * it, so the events do not depend on how the bytes were cut.
 */
#include "core/sse.h"

#include "core/bytes.h"

/* Bits of state. */
enum {
	SSE_CR = 1,		/* the last byte was a CR, its line still waits */
	SSE_DATA = 2,		/* the event has a data line */
	SSE_OVER = 4,		/* the event is over the limit */
	SSE_FINISH = 8,		/* no more bytes come */
	SSE_BEGUN = 16,		/* the first line was read */
};

void
sse_init(struct sse *s, size_t limit)
{
	*s = (struct sse){ .pos = NULL };
	buf_init(&s->text, limit);
	buf_init(&s->type, limit);
	buf_init(&s->line, limit);
}

void
sse_free(struct sse *s)
{
	buf_free(&s->text);
	buf_free(&s->type);
	buf_free(&s->line);
}

void
sse_feed(struct sse *s, struct slice bytes)
{
	if (bytes.ptr == NULL)
		bytes = SLICE("");
	s->pos = bytes.ptr;
	s->end = bytes.ptr + bytes.len;
}

void
sse_finish(struct sse *s)
{
	sse_feed(s, SLICE_NONE);
	s->state |= SSE_FINISH;
}

/* Moves over n fed bytes. */
static void
sse_advance(struct sse *s, size_t n)
{
	s->pos += n;
	s->offset += n;
}

/* Keeps what there is of a line that is not yet ended. */
static void
line_keep(struct sse *s, struct slice part)
{
	if (!buf_slice(&s->line, part))
		s->state |= SSE_OVER;
}

/* The line that waits for the byte after its CR is now whole. */
static bool
line_after_cr(struct sse *s, struct slice *line)
{
	if (s->pos == s->end && !(s->state & SSE_FINISH))
		return false;
	if (s->pos < s->end && *s->pos == '\n')
		sse_advance(s, 1);
	s->state &= ~SSE_CR;
	*line = buf_view(&s->line);
	return true;
}

/* Takes the next whole line, without its end. False: there is none yet. */
static bool
line_take(struct sse *s, struct slice *line)
{
	const char *eol;

	if (s->state & SSE_CR)
		return line_after_cr(s, line);
	if (s->pos == s->end)
		return false;
	eol = bytes_line_end(s->pos, s->end);
	*line = slice_make(s->pos, (size_t)(eol - s->pos));
	sse_advance(s, line->len);
	if (s->line.len > 0 || eol == s->end || (*eol == '\r' && eol + 1 == s->end)) {
		line_keep(s, *line);
		*line = buf_view(&s->line);
	}
	if (eol == s->end)
		return false;
	sse_advance(s, 1);
	if (*eol == '\n')
		return true;
	if (s->pos == s->end) {
		s->state |= SSE_CR;
		return false;
	}
	if (*s->pos == '\n')
		sse_advance(s, 1);
	return true;
}

static void
event_clear(struct sse *s)
{
	buf_clear(&s->text);
	buf_clear(&s->type);
	s->given = false;
}

/* What the event is made of so far, to *ev; 0 if it is none. */
static int
event_end(struct sse *s, struct sse_event *ev)
{
	int result = 0;

	*ev = (struct sse_event){ SLICE_NONE, SLICE_NONE, s->start, s->offset };
	if (s->state & SSE_OVER)
		result = -1;
	else if (s->state & SSE_DATA) {
		result = 1;
		ev->data = s->text.len > 0 ? buf_view(&s->text) : SLICE("");
		if (s->type.len > 0)
			ev->type = buf_view(&s->type);
	}
	s->start = s->offset;
	s->state &= ~(SSE_OVER | SSE_DATA);
	s->given = result != 0;
	if (!s->given)
		event_clear(s);
	return result;
}

/* Splits a line at its colon; the one blank after it belongs to neither. */
static struct slice
field_split(struct slice line, struct slice *value)
{
	const char *colon = memchr(line.ptr, ':', line.len);

	*value = SLICE("");
	if (colon == NULL)
		return line;
	*value = slice_from(line, (size_t)(colon - line.ptr) + 1);
	if (value->len > 0 && *value->ptr == ' ')
		*value = slice_from(*value, 1);
	return slice_make(line.ptr, (size_t)(colon - line.ptr));
}

static void
field_read(struct sse *s, struct slice line)
{
	struct slice name, value;

	name = field_split(line, &value);
	if (slice_eq(name, SLICE("data"))) {
		if (s->state & SSE_DATA)
			buf_byte(&s->text, '\n');
		buf_slice(&s->text, value);
		s->state |= SSE_DATA;
	} else if (slice_eq(name, SLICE("event"))) {
		buf_clear(&s->type);
		buf_slice(&s->type, value);
	}
	if (s->text.failed || s->type.failed)
		s->state |= SSE_OVER;
}

/* Reads one line; the result is sse_next's, 0: go on. */
static int
line_read(struct sse *s, struct slice line, struct sse_event *ev)
{
	static const struct slice bom = { "\xef\xbb\xbf", 3 };

	if (line.len > s->line.limit)
		s->state |= SSE_OVER;
	if (!(s->state & SSE_BEGUN) && slice_starts(line, bom))
		line = slice_from(line, bom.len);
	s->state |= SSE_BEGUN;
	if (line.len == 0 && !s->line.failed)
		return event_end(s, ev);
	if (!(s->state & SSE_OVER))
		field_read(s, line);
	return 0;
}

/* The end of the stream: the last line, then the event without blank line. */
static int
last_event(struct sse *s, struct sse_event *ev)
{
	if (s->line.len > 0)
		(void)line_read(s, buf_view(&s->line), ev);
	buf_clear(&s->line);
	return event_end(s, ev);
}

int
sse_next(struct sse *s, struct sse_event *ev)
{
	struct slice line;
	int result = 0;

	if (s->given)
		event_clear(s);
	while (result == 0 && line_take(s, &line)) {
		result = line_read(s, line, ev);
		buf_clear(&s->line);
	}
	if (result == 0 && (s->state & SSE_FINISH))
		result = last_event(s, ev);
	return result;
}
