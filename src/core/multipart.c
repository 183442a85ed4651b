/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart.c: finds the delimiters and reads the heads of parts. Called on the
 * gate to find members of ours in a form, and by the span builder to read it.
 * Never holds a part's body.
 *
 * A delimiter is CR LF "--" boundary, then "--", or blanks and a line end; what
 * only begins so is body. CR stands in the delimiter at its beginning alone, so
 * a match that fails can begin anew only at the byte that broke it.
 */
#include "core/multipart.h"

#include "core/percent.h"

enum {
	STATE_PREAMBLE,		/* before the first delimiter */
	STATE_BODY,
	STATE_LINE,		/* behind a delimiter: the rest of its line */
	STATE_CLOSED,		/* it was the last one */
	STATE_FALSE,		/* it was none: its bytes are body */
	STATE_HEAD,
	STATE_END,
	STATE_FAILED_HEAD,
	STATE_FAILED_PARTS,
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- header values ---- */

/* Takes a value off s: between quotes as it stands, or up to a semicolon. */
static struct slice
value_take(struct slice *s)
{
	const char *end = s->ptr + s->len, *p = s->ptr, *from;
	bool quoted = p < end && *p == '"';
	struct slice value;

	p += quoted;
	for (from = p; p < end && *p != (quoted ? '"' : ';'); p++)
		if (quoted && *p == '\\' && p + 1 < end)
			p++;
	value = slice_make(from, (size_t)(p - from));
	while (p < end && *p != ';')
		p++;
	*s = slice_make(p, (size_t)(end - p));
	return quoted ? value : slice_trim(value);
}

/* Takes the next `; name=value` off s; value is SLICE_NONE without '='. False:
 * none is left. */
static bool
param_take(struct slice *s, struct slice *name, struct slice *value)
{
	size_t n = 0;

	while (s->len > 0 && (*s->ptr == ';' || is_blank(*s->ptr)))
		*s = slice_from(*s, 1);
	while (n < s->len && s->ptr[n] != '=' && s->ptr[n] != ';')
		n++;
	*name = slice_trim(slice_make(s->ptr, n));
	*value = SLICE_NONE;
	*s = slice_from(*s, n);
	if (s->len > 0 && *s->ptr == '=') {
		*s = slice_trim(slice_from(*s, 1));
		*value = value_take(s);
	}
	return name->len > 0 || s->len > 0;
}

/* Is it one that a delimiter can be made of? */
static bool
boundary_is_good(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~' || s.ptr[i] == '\\' || s.ptr[i] == '"')
			return false;
	return s.len > 0 && s.len <= LIMIT_BOUNDARY && s.ptr[s.len - 1] != ' ';
}

struct slice
multipart_boundary(struct slice type)
{
	static const struct slice kind = SLICE("multipart/form-data");
	struct slice name, value;

	type = slice_trim(type);
	if (type.len <= kind.len || !slice_caseeq(slice_make(type.ptr, kind.len), kind))
		return SLICE_NONE;
	type = slice_from(type, kind.len);
	if (*type.ptr != ';' && !is_blank(*type.ptr))
		return SLICE_NONE;
	while (param_take(&type, &name, &value))
		if (slice_caseeq(name, SLICE("boundary")))
			return boundary_is_good(value) ? value : SLICE_NONE;
	return SLICE_NONE;
}

struct slice
multipart_base(struct slice name)
{
	const char *bracket = name.len ? memchr(name.ptr, '[', name.len) : NULL;

	return bracket ? slice_make(name.ptr, (size_t)(bracket - name.ptr)) : name;
}

/* Undoes in place what clients do to a name: a backslash before a quote or
 * backslash and, of percent forms, those of quote, CR and LF as browsers write
 * them; all of them where the value is an extended one (RFC 5987). */
static struct slice
value_decode(char *p, size_t len, bool extended)
{
	const char *from = p, *end = p + len;
	char *to = p;
	int byte;

	for (; from < end; from++) {
		byte = percent_byte(from, end);
		if (byte >= 0 && (extended || byte == '"' || byte == '\r' || byte == '\n')) {
			*to++ = (char)byte;
			from += 2;
			continue;
		}
		if (!extended && *from == '\\' && end - from > 1 && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	return slice_make(p, (size_t)(to - p));
}

/* UTF-8'language'characters: what stands behind the second quote. */
static struct slice
extended_take(struct slice s)
{
	const char *a = memchr(s.ptr, '\'', s.len), *end = s.ptr + s.len;
	const char *b = a ? memchr(a + 1, '\'', (size_t)(end - a - 1)) : NULL;

	return b ? slice_from(s, (size_t)(b + 1 - s.ptr)) : s;
}

/* value is a slice of m->head. */
static void
disposition_read(struct multipart *m, struct slice value, struct multipart_item *item)
{
	bool extended = false, is_extended;
	struct slice name, v;

	(void)param_take(&value, &name, &v);	/* form-data */
	while (param_take(&value, &name, &v)) {
		is_extended = slice_caseeq(name, SLICE("filename*"));
		if (v.ptr == NULL)
			continue;
		if (is_extended)
			v = extended_take(v);
		v = value_decode(m->head + (v.ptr - m->head), v.len, is_extended);
		if (slice_caseeq(name, SLICE("name")))
			item->name = v;
		else if (is_extended || (slice_caseeq(name, SLICE("filename")) && !extended))
			item->filename = v;
		extended |= is_extended;
	}
}

static void
field_read(struct multipart *m, struct slice line, struct multipart_item *item)
{
	const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
	struct slice name, value;

	if (colon == NULL)
		return;
	name = slice_trim(slice_make(line.ptr, (size_t)(colon - line.ptr)));
	value = slice_trim(slice_from(line, (size_t)(colon + 1 - line.ptr)));
	if (slice_caseeq(name, SLICE("content-disposition")))
		disposition_read(m, value, item);
	else if (slice_caseeq(name, SLICE("content-type")) && value.len > 0)
		item->type = value;
}

/* Joins a line that goes on in the next one. */
static void
head_unfold(struct multipart *m)
{
	size_t i;

	for (i = 1; i < m->nhead; i++) {
		if (m->head[i - 1] != '\n' || !is_blank(m->head[i]))
			continue;
		m->head[i - 1] = ' ';
		if (i > 1 && m->head[i - 2] == '\r')
			m->head[i - 2] = ' ';
	}
}

static void
head_read(struct multipart *m, struct multipart_item *item)
{
	struct slice rest = slice_make(m->head, m->nhead), line;
	const char *lf;

	head_unfold(m);
	while (rest.len > 0 && (lf = memchr(rest.ptr, '\n', rest.len)) != NULL) {
		line = slice_make(rest.ptr, (size_t)(lf - rest.ptr));
		rest = slice_from(rest, line.len + 1);
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		field_read(m, line, item);
	}
}

/* ---- the parser ---- */

void
multipart_init(struct multipart *m, struct slice boundary)
{
	memcpy(m->text, "\r\n--", 4);
	memcpy(m->text + 4, boundary.ptr, boundary.len);
	m->ndelimiter = m->ntext = 4 + boundary.len;
	m->in = SLICE("");
	m->at = 0;
	m->state = STATE_PREAMBLE;
	m->matched = m->lent = 2;	/* a form begins as if behind a line */
	m->parts = 0;
	m->opened = false;
	m->start = m->from = m->next = m->to = 0;
	m->nhead = 0;
}

void
multipart_feed(struct multipart *m, struct slice s)
{
	m->in = s.ptr != NULL ? s : SLICE("");
}

static void
consume(struct multipart *m, size_t n)
{
	m->in = slice_from(m->in, n);
	m->at += n;
}

/* Bytes of the input before the first that may begin a delimiter. */
static size_t
plain_length(const struct multipart *m)
{
	size_t safe = m->in.len < m->ndelimiter ? 0 : m->in.len - m->ndelimiter + 1;
	const char *p = memmem(m->in.ptr, m->in.len, m->text, m->ndelimiter);

	if (p == NULL)
		p = memchr(m->in.ptr + safe, '\r', m->in.len - safe);
	return p != NULL ? (size_t)(p - m->in.ptr) : m->in.len;
}

/* What was held back for a delimiter is body after all. */
static void
match_break(struct multipart *m, struct slice *bytes)
{
	size_t n = m->state == STATE_FALSE ? m->ntext : m->matched;

	*bytes = slice_make(m->text + m->lent, n - m->lent);
	m->matched = m->lent = 0;
	m->ntext = m->ndelimiter;
	m->state = m->opened ? STATE_BODY : STATE_PREAMBLE;
}

/* Looks for the delimiter. *bytes: some that stand before it, maybe none. Stops
 * at each finding: some bytes, the delimiter (the state is LINE), no input. */
static void
body_scan(struct multipart *m, struct slice *bytes)
{
	size_t n = m->matched == 0 ? plain_length(m) : 0;

	if (n > 0) {
		*bytes = slice_make(m->in.ptr, n);
		consume(m, n);
		return;
	}
	while (m->in.len > 0 && m->matched < m->ndelimiter) {
		if (*m->in.ptr != m->text[m->matched]) {
			match_break(m, bytes);
			return;
		}
		m->matched++;
		consume(m, 1);
	}
	if (m->matched < m->ndelimiter)
		return;
	m->next = m->at - m->ndelimiter + 2;
	m->to = m->next - 2 + m->lent;
	m->state = STATE_LINE;
}

/* May c stand in the line behind the delimiter, with `last` before it? */
static bool
line_takes(const struct multipart *m, char last, char c)
{
	if (m->ntext == m->ndelimiter)
		return c == '-' || c == '\r' || is_blank(c);
	return m->ntext < m->ndelimiter + MULTIPART_PADDING && is_blank(last) &&
	    (c == '\r' || is_blank(c));
}

/* One byte of that line. */
static void
line_byte(struct multipart *m)
{
	char c = *m->in.ptr, last = m->text[m->ntext - 1];
	bool first = m->ntext == m->ndelimiter;

	if (c == '\n' && (first || last == '\r' || is_blank(last)))
		m->state = STATE_HEAD;
	else if (c == '-' && !first && last == '-')
		m->state = STATE_CLOSED;
	else if (line_takes(m, last, c))
		m->text[m->ntext++] = c;
	else {
		m->state = STATE_FALSE;
		return;
	}
	consume(m, 1);
}

/* Is the head, as far as it has come, at its empty line? */
static bool
head_ends(const struct multipart *m)
{
	const char *h = m->head;
	size_t n = m->nhead - 1;	/* its last byte is LF */

	if (n > 0 && h[n - 1] == '\r')
		n--;
	return n == 0 || h[n - 1] == '\n';
}

/* One byte of a head. True: the head is whole. */
static bool
head_byte(struct multipart *m)
{
	if (m->nhead == sizeof(m->head)) {
		m->state = STATE_FAILED_HEAD;
		return false;
	}
	m->head[m->nhead++] = *m->in.ptr;
	consume(m, 1);
	return m->head[m->nhead - 1] == '\n' && head_ends(m);
}

static int
part_begin(struct multipart *m, struct multipart_item *item)
{
	if (m->parts == LIMIT_PARTS) {
		m->state = STATE_FAILED_PARTS;
		return MULTIPART_E_PARTS;
	}
	m->parts++;
	head_read(m, item);
	/* the head's last line end may be the delimiter's of an empty body */
	m->matched = m->lent = m->nhead > 1 && m->head[m->nhead - 2] == '\r' ? 2 : 0;
	m->nhead = 0;
	item->start = m->start = m->next;
	item->from = m->from = m->at;
	m->opened = true;
	m->state = STATE_BODY;
	return MULTIPART_PART;
}

static int
part_end(struct multipart *m, struct multipart_item *item)
{
	m->opened = false;
	item->start = m->start;
	item->end = m->next;
	item->from = m->from;
	item->to = m->to;
	return MULTIPART_PART_END;
}

/* Behind a delimiter: the part before it ends first. */
static int
delimiter_end(struct multipart *m, struct multipart_item *item)
{
	m->matched = m->lent = 0;
	m->ntext = m->ndelimiter;
	if (m->opened)
		return part_end(m, item);
	if (m->state == STATE_CLOSED)
		m->state = STATE_END;
	return MULTIPART_MORE;
}

/* Takes one step: an item, or MULTIPART_MORE with the state or input moved. */
static int
step(struct multipart *m, struct multipart_item *item)
{
	switch (m->state) {
	case STATE_PREAMBLE:
	case STATE_BODY:
		body_scan(m, &item->bytes);
		break;
	case STATE_FALSE:
		match_break(m, &item->bytes);
		break;
	case STATE_LINE:
		line_byte(m);
		if (m->state == STATE_HEAD || m->state == STATE_CLOSED)
			return delimiter_end(m, item);
		break;
	case STATE_CLOSED:
		return delimiter_end(m, item);
	case STATE_HEAD:
		if (head_byte(m))
			return part_begin(m, item);
		break;
	}
	return m->opened && item->bytes.len > 0 ? MULTIPART_BYTES : MULTIPART_MORE;
}

int
multipart_next(struct multipart *m, struct multipart_item *item)
{
	int r;

	*item = (struct multipart_item){ .bytes = SLICE_NONE };
	for (;;) {
		if (m->state == STATE_END)
			return MULTIPART_END;
		if (m->state == STATE_FAILED_HEAD)
			return MULTIPART_E_HEAD;
		if (m->state == STATE_FAILED_PARTS)
			return MULTIPART_E_PARTS;
		if (m->in.len == 0 && m->state != STATE_FALSE && m->state != STATE_CLOSED)
			return MULTIPART_MORE;
		if ((r = step(m, item)) != MULTIPART_MORE)
			return r;
	}
}
