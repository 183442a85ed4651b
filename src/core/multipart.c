/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart.c: finds the delimiters and reads the heads of parts. Called on the
 * gate to find members of ours in a form, and by the span builder to read it.
 *
 * A delimiter is CR LF "--" boundary; CR stands in it at its beginning alone, so
 * that a match that fails can begin anew only at the byte that broke it.
 */
#include "core/multipart.h"

#include "core/fold.h"

enum {
	STATE_PREAMBLE,		/* before the first delimiter */
	STATE_AFTER,		/* behind a delimiter: CR LF, "--", or no delimiter after all */
	STATE_DASH,		/* behind its first dash */
	STATE_LINE,		/* to the end of the delimiter's line */
	STATE_HEAD,
	STATE_BODY,
	STATE_RETURN,		/* bytes that only looked like a delimiter go to the body */
	STATE_RETURN_DASH,
	STATE_END,
	STATE_FAILED_HEAD, STATE_FAILED_PARTS,
};

/* ---- header values ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes one parameter of a header value: `; name=value` with the value a token
 * or quoted. *value is as it stands between the quotes. False: none is left. */
static bool
param_next(struct slice *s, struct slice *name, struct slice *value, bool *quoted)
{
	const char *p = s->ptr, *end = s->ptr + s->len, *from;

	while (p < end && (*p == ';' || is_blank(*p)))
		p++;
	for (from = p; p < end && *p != '=' && *p != ';'; p++)
		;
	*name = slice_trim(slice_make(from, (size_t)(p - from)));
	*value = SLICE_NONE;
	*quoted = false;
	if (p < end && *p == '=') {
		p++;
		while (p < end && is_blank(*p))
			p++;
		*quoted = p < end && *p == '"';
		p += *quoted;
		for (from = p; p < end && (*quoted ? *p != '"' : *p != ';'); p++)
			if (*quoted && *p == '\\' && p + 1 < end)
				p++;
		*value = slice_make(from, (size_t)(p - from));
		if (!*quoted)
			*value = slice_trim(*value);
		p += *quoted && p < end;
		while (p < end && *p != ';')
			p++;
	}
	s->len = (size_t)(end - p);
	s->ptr = p;
	return name->len > 0;
}

struct slice
multipart_boundary(struct slice type)
{
	static const struct slice kind = SLICE("multipart/form-data");
	struct slice name, value;
	bool quoted;

	if (type.len < kind.len || !slice_caseeq(slice_make(type.ptr, kind.len), kind))
		return SLICE_NONE;
	type = slice_from(type, kind.len);
	while (param_next(&type, &name, &value, &quoted))
		if (slice_caseeq(name, SLICE("boundary")))
			return value.len > 0 && value.len <= LIMIT_BOUNDARY ? value : SLICE_NONE;
	return SLICE_NONE;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that %XX at p stands for, -1 if it is none. */
static int
percent_byte(const char *p, const char *end)
{
	int a, b;

	if (end - p < 3 || *p != '%')
		return -1;
	a = hex_digit(p[1]);
	b = hex_digit(p[2]);
	return a < 0 || b < 0 ? -1 : a * 16 + b;
}

/* Undoes what clients do to names: a backslash before a quote or backslash, and
 * of percent forms those of quote, CR and LF (HTML), or all of them (RFC 5987). */
static struct slice
value_decode(struct slice s, bool all, char **to)
{
	const char *p = s.ptr, *end = s.ptr + s.len;
	char *start = *to;
	int byte;

	for (; p < end; p++) {
		byte = percent_byte(p, end);
		if (byte >= 0 && (all || byte == '"' || byte == '\r' || byte == '\n')) {
			*(*to)++ = (char)byte;
			p += 2;
		} else {
			if (*p == '\\' && !all && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
				p++;
			*(*to)++ = *p;
		}
	}
	return slice_make(start, (size_t)(*to - start));
}

/* filename*=UTF-8''percent: what stands behind the second quote. */
static struct slice
extended_value(struct slice s)
{
	const char *a = memchr(s.ptr, '\'', s.len);
	const char *b = a ? memchr(a + 1, '\'', (size_t)(s.ptr + s.len - a - 1)) : NULL;

	return b ? slice_from(s, (size_t)(b + 1 - s.ptr)) : s;
}

static void
disposition_read(struct slice value, struct multipart_item *item, char **to)
{
	struct slice name, v;
	bool quoted, extended = false;
	const char *semi = memchr(value.ptr, ';', value.len);

	value = semi ? slice_from(value, (size_t)(semi - value.ptr)) : SLICE("");
	while (param_next(&value, &name, &v, &quoted)) {
		if (v.ptr == NULL)
			continue;
		if (slice_caseeq(name, SLICE("name")))
			item->name = value_decode(v, false, to);
		else if (slice_caseeq(name, SLICE("filename")) && !extended)
			item->filename = value_decode(v, false, to);
		else if (slice_caseeq(name, SLICE("filename*"))) {
			item->filename = value_decode(extended_value(v), true, to);
			extended = true;
		}
	}
}

/* Reads the head that has been gathered. */
static void
head_read(struct multipart *m, struct multipart_item *item)
{
	struct slice head = slice_make(m->head, m->nhead), line, name;
	const char *lf, *colon;
	char *to = m->text;

	while (head.len > 0) {
		lf = memchr(head.ptr, '\n', head.len);
		line = slice_make(head.ptr, lf ? (size_t)(lf - head.ptr) : head.len);
		head = slice_from(head, line.len + (lf != NULL));
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
		if (colon == NULL)
			continue;
		name = slice_trim(slice_make(line.ptr, (size_t)(colon - line.ptr)));
		line = slice_trim(slice_from(line, (size_t)(colon + 1 - line.ptr)));
		if (line.len == 0)
			continue;
		/* what is decoded is never longer than the head */
		if (slice_caseeq(name, SLICE("content-disposition")) && item->name.ptr == NULL)
			disposition_read(line, item, &to);
		else if (slice_caseeq(name, SLICE("content-type")))
			item->type = line;
	}
}

/* ---- the parser ---- */

void
multipart_init(struct multipart *m, struct slice boundary)
{
	m->ndelimiter = 4 + boundary.len;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
	m->in = SLICE_NONE;
	m->at = 0;
	m->state = STATE_PREAMBLE;
	m->matched = 2;		/* a form begins at the start of a line */
	m->parts = 0;
	m->start = m->from = m->next = 0;
	m->opened = false;
	m->nhead = 0;
}

void
multipart_feed(struct multipart *m, struct slice s)
{
	m->in = s;
}

static void
consume(struct multipart *m, size_t n)
{
	m->in = slice_from(m->in, n);
	m->at += n;
}

/* Looks for the delimiter. True: *bytes are some of what stands before it (or
 * would have been part of it), not empty. Else either the input is used up, or
 * the delimiter has come and the state is AFTER. */
static bool
find_delimiter(struct multipart *m, struct slice *bytes)
{
	const char *cr;
	size_t n;

	while (m->in.len > 0) {
		if (m->matched == 0) {
			cr = memchr(m->in.ptr, '\r', m->in.len);
			n = cr ? (size_t)(cr - m->in.ptr) : m->in.len;
			if (n > 0) {
				*bytes = slice_make(m->in.ptr, n);
				consume(m, n);
				return true;
			}
		}
		if (*m->in.ptr == m->delimiter[m->matched]) {
			m->matched++;
			consume(m, 1);
			if (m->matched < m->ndelimiter)
				continue;
			m->next = m->at - (m->ndelimiter - 2);
			m->state = STATE_AFTER;
			return false;
		}
		/* the byte that broke the match is looked at again */
		*bytes = slice_make(m->delimiter, m->matched);
		m->matched = 0;
		return true;
	}
	return false;
}

/* Behind the delimiter's text. */
static void
after_delimiter(struct multipart *m)
{
	char c = *m->in.ptr;

	if (m->state == STATE_DASH) {
		m->state = c == '-' ? STATE_END : STATE_RETURN;
		return;
	}
	m->dash = c == '-';
	if (m->dash) {
		m->state = STATE_DASH;
		consume(m, 1);
	} else
		m->state = is_blank(c) || c == '\r' || c == '\n' ? STATE_LINE : STATE_RETURN;
}

/* Is the head, as far as it has come, at its empty line? */
static bool
head_ends(const struct multipart *m)
{
	const char *h = m->head;
	size_t n = m->nhead;

	return (n == 1 && h[0] == '\n') || (n == 2 && h[0] == '\r' && h[1] == '\n') ||
	    (n >= 2 && h[n - 1] == '\n' && h[n - 2] == '\n') ||
	    (n >= 3 && h[n - 1] == '\n' && h[n - 2] == '\r' && h[n - 3] == '\n');
}

/* True: the head is whole. */
static bool
head_gather(struct multipart *m)
{
	while (m->in.len > 0) {
		if (m->nhead == sizeof(m->head)) {
			m->state = STATE_FAILED_HEAD;
			return false;
		}
		m->head[m->nhead++] = *m->in.ptr;
		consume(m, 1);
		if (m->head[m->nhead - 1] == '\n' && head_ends(m))
			return true;
	}
	return false;
}

static int
part_begin(struct multipart *m, struct multipart_item *item)
{
	if (m->parts++ == LIMIT_PARTS) {
		m->state = STATE_FAILED_PARTS;
		return MULTIPART_E_PARTS;
	}
	head_read(m, item);
	item->start = m->start = m->next;
	item->from = m->from = m->at;
	m->opened = true;
	m->matched = 0;
	m->state = STATE_BODY;
	m->nhead = 0;
	return MULTIPART_PART;
}

static int
part_end(struct multipart *m, struct multipart_item *item)
{
	m->opened = false;
	item->start = m->start;
	item->end = m->next;
	item->from = m->from;
	item->to = m->next - 2;	/* less the delimiter's line end */
	return MULTIPART_PART_END;
}

/* The delimiter was none: its bytes are the body's, or the preamble's. */
static bool
return_bytes(struct multipart *m, struct slice *bytes)
{
	*bytes = slice_make(m->delimiter, m->ndelimiter);
	if (m->state == STATE_RETURN_DASH)
		*bytes = SLICE("-");
	m->matched = 0;
	m->state = m->state == STATE_RETURN && m->dash ? STATE_RETURN_DASH :
	    m->opened ? STATE_BODY : STATE_PREAMBLE;
	return m->opened;
}

int
multipart_next(struct multipart *m, struct multipart_item *item)
{
	*item = (struct multipart_item){ .start = m->start };
	for (;;) {
		switch (m->state) {
		case STATE_END:
			return m->opened ? part_end(m, item) : MULTIPART_END;
		case STATE_FAILED_HEAD:
			return MULTIPART_E_HEAD;
		case STATE_FAILED_PARTS:
			return MULTIPART_E_PARTS;
		case STATE_RETURN:
		case STATE_RETURN_DASH:
			if (return_bytes(m, &item->bytes))
				return MULTIPART_BYTES;
			continue;
		}
		if (m->in.len == 0)
			return MULTIPART_MORE;
		switch (m->state) {
		case STATE_PREAMBLE:
			(void)find_delimiter(m, &item->bytes);
			break;
		case STATE_BODY:
			if (find_delimiter(m, &item->bytes))
				return MULTIPART_BYTES;
			break;
		case STATE_AFTER:
		case STATE_DASH:
			after_delimiter(m);
			break;
		case STATE_LINE:
			if (m->opened)
				return part_end(m, item);
			if (*m->in.ptr == '\n')
				m->state = STATE_HEAD;
			consume(m, 1);
			break;
		case STATE_HEAD:
			if (head_gather(m))
				return part_begin(m, item);
			break;
		}
	}
}
