/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hide.c: the filter on the answers of streams in which we asked for usage.
 * Called by the exchange with each network read. Bytes are given back as they
 * were fed, without a copy; only an event that a read left unfinished is held.
 *
 * An event begins with a line whose first byte is that of a field of an event
 * (data, event, id), so that one byte is enough to know; all other lines pass
 * at once. It ends with its blank line, at the CR already where there is one:
 * the LF that may follow shares its fate.
 */
#include "core/hide.h"

#include "core/bytes.h"
#include "core/jscan.h"
#include "core/limits.h"

enum { MODE_BETWEEN, MODE_EVENT, MODE_LARGE };

/* Bits of state. */
enum {
	HIDE_IN_LINE = 1,	/* the line has bytes already */
	HIDE_CR = 2,		/* the last byte was a CR */
	HIDE_TAKEN = 4,		/* the last event was taken out */
	HIDE_GIVING = 8,	/* held is being handed out */
	HIDE_FINISH = 16,	/* no more bytes come */
};

/* What of an event is left out, in its bytes. */
struct gap {
	size_t	from, to;
};

void
hide_init(struct hide *h)
{
	*h = (struct hide){ .mode = MODE_BETWEEN };
	buf_init(&h->held, LIMIT_HELD_EVENT);
}

void
hide_free(struct hide *h)
{
	buf_free(&h->held);
}

void
hide_feed(struct hide *h, struct slice bytes)
{
	if (bytes.ptr == NULL)
		bytes = SLICE("");
	h->pos = h->scan = h->begin = bytes.ptr;
	h->end = bytes.ptr + bytes.len;
}

void
hide_finish(struct hide *h)
{
	hide_feed(h, SLICE_NONE);
	h->state |= HIDE_FINISH;
}

/* Takes the next line of an event, without its end; of CRLF there comes an
 * empty one as well. */
static struct slice
line_take(struct slice *event)
{
	const char *end = event->ptr + event->len;
	const char *eol = bytes_line_end(event->ptr, end);
	struct slice line = slice_make(event->ptr, (size_t)(eol - event->ptr));

	*event = slice_from(*event, line.len + (eol < end));
	return line;
}

/* The value of a data line; SLICE_NONE for another. */
static struct slice
line_data(struct slice line)
{
	if (!slice_starts(line, SLICE("data")) || (line.len > 4 && line.ptr[4] != ':'))
		return SLICE_NONE;
	return slice_from(line, line.len > 4 ? 5 : 4);
}

/* The value of the event's data line; SLICE_NONE without one or with more. */
static struct slice
event_data(struct slice event, size_t lines)
{
	struct slice value, data = SLICE_NONE;

	if (lines == 2) {
		while (event.len > 0 && bytes_ends_line(event.ptr[event.len - 1]))
			event.len--;
		return line_data(event);
	}
	while (event.len > 0) {
		value = line_data(line_take(&event));
		if (value.ptr != NULL && data.ptr != NULL)
			return SLICE_NONE;
		if (value.ptr != NULL)
			data = value;
	}
	return data;
}

/* Members that a usage-only chunk has besides choices and usage. */
static bool
is_envelope(struct slice name)
{
	switch (name.len) {
	case 2:
		return slice_eq(name, SLICE("id"));
	case 5:
		return slice_eq(name, SLICE("model"));
	case 6:
		return slice_eq(name, SLICE("object"));
	case 7:
		return slice_eq(name, SLICE("created"));
	case 11:
		return slice_eq(name, SLICE("obfuscation"));
	case 12:
		return slice_eq(name, SLICE("service_tier"));
	case 18:
		return slice_eq(name, SLICE("system_fingerprint"));
	default:
		return false;
	}
}

/* What a chunk's members say. */
struct chunk {
	struct gap	usage;		/* the member with its comma, in bytes of the data */
	enum jkind	usage_kind;	/* JNONE: absent */
	size_t		usage_before;	/* end of the member before usage; 0: none */
	bool		usage_twice, no_choices, more;
	size_t		before;		/* end of the last member read; 0: none */
};

static void
chunk_member(struct chunk *c, const struct jmember *m, const char *data)
{
	char scratch[20];
	struct slice name = jkey_plain(m, scratch, sizeof(scratch));
	size_t start = (size_t)(m->key_text.ptr - data);
	size_t end = (size_t)(m->value.text.ptr - data) + m->value.text.len;

	/* usage was the member before this one: it goes with its comma */
	if (c->usage_kind != JNONE && c->usage.to == c->before)
		c->usage.to = start;
	if (slice_eq(name, SLICE("usage"))) {
		c->usage_twice |= c->usage_kind != JNONE;
		c->usage_kind = m->value.kind;
		c->usage = (struct gap){ start, end };
		c->usage_before = c->before;
	} else if (slice_eq(name, SLICE("choices")) && m->value.kind == JARRAY && jempty(m->value))
		c->no_choices = true;
	else if (!is_envelope(name))
		c->more = true;
	c->before = end;
}

/* The rest of the data from its first "usage" on, or from the first escape
 * that may be a letter of one. Empty: it names no usage. */
static struct slice
usage_find(struct slice data)
{
	const char *end = data.ptr + data.len, *p = data.ptr;
	struct slice rest;

	while ((p = bytes_pair(p, end, '"', '\\', 'u')) < end) {
		rest = slice_make(p, (size_t)(end - p));
		if (slice_starts(rest, SLICE("\"usage\"")) ||
		    slice_starts(rest, SLICE("\\u006")) || slice_starts(rest, SLICE("\\u007")))
			return rest;
		p++;
	}
	return slice_make(end, 0);
}

static bool
is_padding(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (bytes_json_special(s.ptr[i]))
			return false;
	return true;
}

/*
 * What nearly every chunk of OpenAI's looks like: the only usage is its last
 * member, or the last but the padding. Then the text need not be read: in good
 * JSON a quote that follows a comma begins a key, and what stands before the
 * last bracket stands at top level. False: it has to be read.
 */
static bool
usage_is_last(struct slice data, struct slice rest, struct gap *gap)
{
	static const struct slice null = SLICE("\"usage\":null");
	static const struct slice padding = SLICE(",\"obfuscation\":\"");
	size_t at = data.len - rest.len;

	if (at < 3 || data.ptr[at - 1] != ',' || data.ptr[at - 2] <= ' ' ||
	    !slice_starts(rest, null))
		return false;
	rest = slice_from(rest, null.len);
	if (slice_eq(rest, SLICE("}"))) {
		*gap = (struct gap){ at - 1, at + null.len };
		return true;
	}
	*gap = (struct gap){ at, at + null.len + 1 };
	if (!slice_starts(rest, padding) || !slice_ends(rest, SLICE("\"}")))
		return false;
	rest = slice_from(rest, padding.len);
	return rest.len >= 2 && is_padding(slice_make(rest.ptr, rest.len - 2));
}

/* Reads the whole data. False: usage stays as it is. */
static bool
chunk_read(struct chunk *c, struct slice data)
{
	struct jmember m;
	struct jscan s;
	int r;

	*c = (struct chunk){ .usage_kind = JNONE };
	jscan_init(&s, data);
	while ((r = jscan_next(&s, &m)) == JSCAN_ITEM)
		chunk_member(c, &m, data.ptr);
	if (c->usage.to == c->before && c->usage_before != 0)
		c->usage.from = c->usage_before;
	return r == JSCAN_END && !c->usage_twice && c->usage_kind != JNONE;
}

/* What is to be left out of a whole event; from == to: nothing. */
static struct gap
event_judge(struct hide *h, struct slice event)
{
	struct gap none = { event.len, event.len };
	struct slice data = event_data(event, h->lines), rest;
	struct chunk c;
	size_t offset;

	if (data.ptr == NULL || (rest = usage_find(data)).len == 0)
		return none;
	offset = (size_t)(data.ptr - event.ptr);
	if (!usage_is_last(data, rest, &c.usage)) {
		if (!chunk_read(&c, data))
			return none;
		if (c.usage_kind != JNULL) {
			if (!c.no_choices || c.more)
				return none;
			h->seen_usage = true;
			h->state |= HIDE_TAKEN;
			return (struct gap){ 0, event.len };
		}
	}
	return (struct gap){ offset + c.usage.from, offset + c.usage.to };
}

/* Moves over the next line and its end, or to the end of what was fed. True:
 * it was an empty line. */
static bool
line_step(struct hide *h)
{
	const char *eol;
	bool blank;

	if (h->state & HIDE_CR) {
		h->state &= ~HIDE_CR;
		if (*h->scan == '\n') {
			h->scan++;
			return false;
		}
	}
	eol = bytes_line_end(h->scan, h->end);
	blank = eol == h->scan && !(h->state & HIDE_IN_LINE);
	h->scan = eol;
	if (eol == h->end) {
		h->state |= HIDE_IN_LINE;
		return false;
	}
	h->scan++;
	h->lines++;
	h->state &= ~HIDE_IN_LINE;
	if (*eol == '\r')
		h->state |= HIDE_CR;
	return blank;
}

/* Begins to hand out what is held, less the gap. */
static void
held_release(struct hide *h, struct gap gap)
{
	h->given = 0;
	h->from = gap.from;
	h->to = gap.to;
	h->state |= HIDE_GIVING;
}

/* Holds the bytes fed so far. Without memory for that they go on at once. */
static bool
held_add(struct hide *h)
{
	if (buf_append(&h->held, h->pos, (size_t)(h->scan - h->pos))) {
		h->pos = h->scan;
		return true;
	}
	h->held.failed = false;
	held_release(h, (struct gap){ h->held.len, h->held.len });
	return false;
}

static bool
held_next(struct hide *h, struct slice *piece)
{
	size_t start = h->given, stop = h->given < h->from ? h->from : h->held.len;

	if (start == h->from)
		start = h->to;
	h->given = stop;
	if (start < stop) {
		*piece = slice_make(h->held.ptr + start, stop - start);
		return true;
	}
	h->state &= ~HIDE_GIVING;
	buf_clear(&h->held);
	return false;
}

/* Between events: all lines pass, until one begins an event. */
static void
between_step(struct hide *h)
{
	bool taken = h->state & HIDE_TAKEN;

	h->state &= ~HIDE_TAKEN;
	if (h->state & HIDE_CR && *h->scan == '\n') {
		line_step(h);
		if (taken)
			h->pos = h->scan;
	} else if (!(h->state & HIDE_IN_LINE) && memchr("dei", *h->scan, 3) != NULL) {
		h->mode = MODE_EVENT;
		h->begin = h->scan;
		h->lines = 0;
	} else
		line_step(h);
}

/* The event ended within what was fed and began there too. */
static bool
event_end(struct hide *h, struct slice *piece)
{
	struct slice event = slice_make(h->begin, (size_t)(h->scan - h->begin));
	struct gap gap = event_judge(h, event);

	if (gap.from == gap.to)
		return false;
	*piece = slice_make(h->pos, (size_t)(h->begin + gap.from - h->pos));
	h->pos = h->begin + gap.to;
	return piece->len > 0;
}

/* Reads a line of an event. True: *piece is to be given. */
static bool
event_step(struct hide *h, struct slice *piece)
{
	bool whole = line_step(h);

	if (whole)
		h->mode = MODE_BETWEEN;
	if (h->held.len + (size_t)(h->scan - h->begin) > LIMIT_HELD_EVENT) {
		h->mode = whole ? MODE_BETWEEN : MODE_LARGE;
		if (h->held.len > 0)
			held_release(h, (struct gap){ h->held.len, h->held.len });
		return false;
	}
	if (!whole)
		return false;
	if (h->held.len == 0)
		return event_end(h, piece);
	if (held_add(h))
		held_release(h, event_judge(h, buf_view(&h->held)));
	return false;
}

/* Reads a line. True: *piece is to be given. */
static bool
step(struct hide *h, struct slice *piece)
{
	switch (h->mode) {
	case MODE_BETWEEN:
		between_step(h);
		return false;
	case MODE_EVENT:
		return event_step(h, piece);
	default:
		if (line_step(h))
			h->mode = MODE_BETWEEN;
		return false;
	}
}

/* All that was fed has been read: gives what may pass, holds the rest. */
static bool
feed_end(struct hide *h, struct slice *piece)
{
	const char *to = h->mode == MODE_EVENT ? h->begin : h->end;

	if (h->pos < to) {
		*piece = slice_make(h->pos, (size_t)(to - h->pos));
		h->pos = to;
		return true;
	}
	if (h->pos < h->end && !held_add(h))
		h->mode = MODE_LARGE;
	if (h->state & HIDE_FINISH && h->held.len > 0) {
		held_release(h, (struct gap){ h->held.len, h->held.len });
		h->mode = MODE_BETWEEN;
	}
	return false;
}

bool
hide_next(struct hide *h, struct slice *piece)
{
	do {
		if (h->state & HIDE_GIVING && held_next(h, piece))
			return true;
		while (h->scan < h->end && !(h->state & HIDE_GIVING))
			if (step(h, piece))
				return true;
		if (!(h->state & HIDE_GIVING) && feed_end(h, piece))
			return true;
	} while (h->state & HIDE_GIVING || h->pos < h->end);
	return false;
}
