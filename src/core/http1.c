/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1: the strict reader of HTTP/1.1 heads, for the client side and the
 * provider side of the gate. It allocates nothing and keeps nothing but what
 * the caller hands in; bodies are read by http1_body.c.
 *
 * A head is read in two passes. head_scan looks once at every byte, finds the
 * blank line and refuses control bytes; it goes on where it stopped. Only a
 * whole head is taken apart, by code that may rely on that: each CR has its
 * LF, each LF its CR, and no other control byte but TAB is left. So the
 * outcome cannot depend on how the bytes were cut.
 */
#include "core/http1.h"

#include <stddef.h>

#include "core/bytes.h"
#include "core/fold.h"
#include "core/head.h"
#include "core/http1_class.h"

/* What the fields say of framing and connection, gathered as they come. */
struct noted {
	struct slice	host;
	struct slice	coding;
	uint64_t	length;
	unsigned	hosts, codings, lengths;	/* how many there were */
	bool		bad_length;
	bool		close, keep_alive;		/* named by Connection */
	bool		upgrade_named, upgrade_field;
};

/* Offset of the first control byte other than TAB at or after i, or len. */
static inline size_t
control_find(const char *p, size_t i, size_t len)
{
#ifdef __SSE2__
	const __m128i top = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
	const __m128i tab = _mm_set1_epi8('\t');
	__m128i v, bad;
	int mask;

	for (; len - i >= 16; i += 16) {
		v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		bad = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, top), v),
		    _mm_cmpeq_epi8(v, del));
		mask = _mm_movemask_epi8(_mm_andnot_si128(
		    _mm_cmpeq_epi8(v, tab), bad));
		if (mask != 0)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	while (i < len && class_is_text(p[i]))
		i++;
	return i;
}

/*
 * Looks for the blank line of a head whose first line starts at `start`.
 * HTTP1_DONE: *scan is behind it. Anything but text and CRLF is an error.
 */
static int
head_scan(const char *p, size_t start, size_t len, size_t *scan)
{
	size_t limit = len < LIMIT_HEAD ? len : LIMIT_HEAD;
	size_t i = *scan < start ? start : *scan;

	while ((i = control_find(p, i, limit)) < limit) {
		if (p[i] != '\r')
			return HTTP1_E_SYNTAX;
		if (i + 1 == limit)
			break;
		if (p[i + 1] != '\n')
			return HTTP1_E_SYNTAX;
		if (i == start || p[i - 1] == '\n') {
			*scan = i + 2;
			return HTTP1_DONE;
		}
		i += 2;
	}
	*scan = i;
	return len < LIMIT_HEAD ? HTTP1_MORE : HTTP1_E_HEAD_SIZE;
}

/* Pulls the next element of a comma list, blanks off, empty ones too. False
 * when there is none left. */
static bool
list_next(struct slice *list, struct slice *item)
{
	const char *comma;

	if (list->ptr == NULL)
		return false;
	comma = memchr(list->ptr, ',', list->len);
	if (comma == NULL) {
		*item = slice_trim(*list);
		*list = SLICE_NONE;
		return true;
	}
	*item = slice_trim(slice_make(list->ptr, (size_t)(comma - list->ptr)));
	*list = slice_from(*list, (size_t)(comma + 1 - list->ptr));
	return true;
}

/* A decimal number of at least one digit and at most 2^63 - 1. */
static bool
length_read(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;
	unsigned digit;

	for (i = 0; i < s.len; i++) {
		digit = (unsigned)(unsigned char)s.ptr[i] - '0';
		if (digit > 9 || v > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return s.len > 0;
}

static void
note_length(struct noted *n, struct slice value)
{
	struct slice item;
	uint64_t v = 0;

	while (list_next(&value, &item)) {
		if (!length_read(item, &v) || (n->lengths > 0 && v != n->length))
			n->bad_length = true;
		n->length = v;
		n->lengths++;
	}
}

static void
note_connection(struct noted *n, struct http1_head *h, struct slice value)
{
	struct slice item;

	if (fold_is(value, SLICE("keep-alive"))) {	/* most of them */
		n->keep_alive = true;
		return;
	}
	while (list_next(&value, &item)) {
		if (fold_is(item, SLICE("close")))
			n->close = true;
		else if (fold_is(item, SLICE("keep-alive")))
			n->keep_alive = true;
		else if (item.len > 0)
			h->nominates = true;
		if (fold_is(item, SLICE("upgrade")))
			n->upgrade_named = true;
	}
}

static void
note_expect(struct http1_head *h, struct slice value)
{
	if (!fold_is(value, SLICE("100-continue")))
		h->expect_other = true;
	else if (h->minor > 0)	/* RFC 9110 10.1.1: not from HTTP/1.0 */
		h->expect_continue = true;
}

/* Keeps what a field means to the framing or the connection. */
static inline void
note_field(struct noted *n, struct http1_head *h, const struct http1_field *f)
{
	switch (f->name.len) {
	case 4:
		if (fold_is(f->name, SLICE("host"))) {
			n->host = f->value;
			n->hosts++;
		}
		break;
	case 6:
		if (fold_is(f->name, SLICE("expect")))
			note_expect(h, f->value);
		break;
	case 7:
		if (fold_is(f->name, SLICE("upgrade")))
			n->upgrade_field = true;
		break;
	case 10:
		if (fold_is(f->name, SLICE("connection")))
			note_connection(n, h, f->value);
		break;
	case 14:
		if (fold_is(f->name, SLICE("content-length")))
			note_length(n, f->value);
		break;
	case 17:
		if (fold_is(f->name, SLICE("transfer-encoding"))) {
			n->coding = f->value;
			n->codings++;
		}
		break;
	}
}

/* The end of the token at p, in a head that was scanned. Sixteen bytes at a
 * time while they are letters, digits and dashes, as most names are. */
static inline const char *
token_end(const char *p, const char *end)
{
#ifdef __SSE2__
	__m128i v, letter, digit, dash;
	unsigned other;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)(const void *)p);
		letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)),
		    _mm_set1_epi8('a'));
		letter = _mm_cmpeq_epi8(letter,
		    _mm_min_epu8(letter, _mm_set1_epi8('z' - 'a')));
		digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
		digit = _mm_cmpeq_epi8(digit,
		    _mm_min_epu8(digit, _mm_set1_epi8(9)));
		dash = _mm_cmpeq_epi8(v, _mm_set1_epi8('-'));
		other = (unsigned)_mm_movemask_epi8(_mm_or_si128(dash,
		    _mm_or_si128(letter, digit))) ^ 0xffff;
		if (other != 0) {
			p += __builtin_ctz(other);
			break;
		}
	}
#else
	(void)end;
#endif
	while (class_is(*p, CLASS_TOKEN))
		p++;
	return p;
}

/*
 * Reads the field line at p: where the next one starts, NULL if it is none.
 * A folded line starts with a blank, so it has no name and is refused too.
 * Blanks before the colon are an attack in a request, but must be taken off
 * a response (RFC 9112 5.1).
 */
static inline const char *
field_read(struct http1_field *f, const char *p, const char *end, bool request)
{
	const char *name = p, *cr, *stop;

	p = token_end(p, end);
	f->name = slice_make(name, (size_t)(p - name));
	while (!request && (*p == ' ' || *p == '\t'))
		p++;
	if (*p != ':' || f->name.len == 0)
		return NULL;
	stop = cr = bytes_line_end(++p, end);
	while (*p == ' ' || *p == '\t')
		p++;
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	f->value = slice_make(p, (size_t)(stop - p));
	return cr + 2;
}

/* Reads the field lines from p to the blank line before `end`. */
static int
fields_read(struct http1_head *h, struct noted *n, const char *p,
    const char *end, bool request)
{
	struct http1_field *f = h->fields;

	while (*p != '\r') {
		if (f == h->fields + LIMIT_FIELDS)
			return HTTP1_E_HEAD_SIZE;
		if ((p = field_read(f, p, end, request)) == NULL)
			return HTTP1_E_SYNTAX;
		f->flags = head_flags(f->name);
		note_field(n, h, f++);
	}
	h->nfields = (size_t)(f - h->fields);
	return HTTP1_DONE;
}

/* "HTTP/1.0" or "HTTP/1.1" in the len bytes at p, exactly. */
static int
version_read(struct http1_head *h, const char *p, size_t len)
{
	if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' ||
	    !class_is_digit(p[5]) || !class_is_digit(p[7]))
		return HTTP1_E_SYNTAX;
	if (p[5] != '1' || p[7] > '1')
		return HTTP1_E_VERSION;
	h->minor = (unsigned)(p[7] - '0');
	return HTTP1_DONE;
}

/* The port behind a host, with its colon: "" or ":" or ":1" to ":65535". */
static bool
port_is_good(struct slice s)
{
	unsigned v = 0;
	size_t i;

	if (s.len == 0)
		return true;
	if (s.ptr[0] != ':' || s.len > 6)
		return false;
	for (i = 1; i < s.len; i++) {
		if (!class_is_digit(s.ptr[i]))
			return false;
		v = v * 10 + (unsigned)(s.ptr[i] - '0');
	}
	return v <= 65535;
}

/*
 * Is it a host with an optional port: a name, an IPv4 address or something
 * in brackets. Narrower than RFC 3986: no user, no sub-delims, never empty.
 */
static bool
host_is_good(struct slice s)
{
	size_t i = 0;

	if (s.len > 0 && s.ptr[0] == '[') {
		for (i = 1; i < s.len && (class_is(s.ptr[i], CLASS_HEX) ||
		    s.ptr[i] == ':' || s.ptr[i] == '.'); i++)
			;
		if (i == 1 || i == s.len || s.ptr[i] != ']')
			return false;
		i++;
	} else {
		while (i < s.len && class_is(s.ptr[i], CLASS_HOST))
			i++;
	}
	return i > 0 && port_is_good(slice_from(s, i));
}

/* Splits "/path?query". */
static void
path_split(struct http1_head *h, struct slice s)
{
	const char *q = memchr(s.ptr, '?', s.len);

	if (q == NULL) {
		h->path = s;
		return;
	}
	h->path = slice_make(s.ptr, (size_t)(q - s.ptr));
	h->query = slice_from(s, h->path.len + 1);
}

/* "http://host/path?query" without its scheme. Sets host, as it counts more
 * than the Host field (RFC 9112 3.2.2). */
static int
absolute_read(struct http1_head *h, struct slice s)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] != '/' && s.ptr[i] != '?')
		i++;
	h->host = slice_make(s.ptr, i);
	if (!host_is_good(h->host))
		return HTTP1_E_TARGET;
	path_split(h, slice_from(s, i));
	if (h->path.len == 0)	/* RFC 9112 3.2.4 */
		h->path = slice_eq(h->method, SLICE("OPTIONS")) &&
		    h->query.ptr == NULL ? SLICE("*") : SLICE("/");
	return HTTP1_DONE;
}

static int
target_read(struct http1_head *h)
{
	struct slice t = h->target;

	if (slice_eq(h->method, SLICE("CONNECT"))) {
		h->path = t;
		return host_is_good(t) && memchr(t.ptr, ':', t.len) != NULL &&
		    class_is_digit(t.ptr[t.len - 1]) ?
		    HTTP1_DONE : HTTP1_E_TARGET;
	}
	if (t.ptr[0] == '/') {
		path_split(h, t);
		return HTTP1_DONE;
	}
	if (t.len > 7 && slice_caseeq(slice_make(t.ptr, 7), SLICE("http://")))
		return absolute_read(h, slice_from(t, 7));
	if (t.len > 8 && slice_caseeq(slice_make(t.ptr, 8), SLICE("https://")))
		return absolute_read(h, slice_from(t, 8));
	if (slice_eq(t, SLICE("*")) && slice_eq(h->method, SLICE("OPTIONS"))) {
		h->path = t;
		return HTTP1_DONE;
	}
	return HTTP1_E_TARGET;
}

/* Reads "method target version" and moves *p behind the line. */
static int
request_line_read(struct http1_head *h, const char **p)
{
	const char *s = *p, *start = s;
	int r;

	while (class_is(*s, CLASS_TOKEN))
		s++;
	if (*s != ' ' || s == start)
		return HTTP1_E_SYNTAX;
	h->method = slice_make(start, (size_t)(s - start));
	start = ++s;
	while (class_is(*s, CLASS_TARGET))
		s++;
	if (s == start || *s == '\r' || *s == '\t')
		return HTTP1_E_SYNTAX;
	if (*s != ' ')
		return HTTP1_E_TARGET;
	h->target = slice_make(start, (size_t)(s - start));
	start = ++s;
	while (*s != '\r')
		s++;
	*p = s + 2;
	r = version_read(h, start, (size_t)(s - start));
	return r == HTTP1_DONE ? target_read(h) : r;
}

/* Reads "version status reason" up to the CR at `end`. */
static int
status_line_read(struct http1_head *h, const char *p, const char *end)
{
	int r;

	if (end - p < 9 || p[8] != ' ')
		return HTTP1_E_SYNTAX;
	if ((r = version_read(h, p, 8)) != HTTP1_DONE)
		return r;
	p += 9;
	if (end - p < 3 || p[0] < '1' || p[0] > '5' || !class_is_digit(p[1]) ||
	    !class_is_digit(p[2]) || (end - p > 3 && p[3] != ' '))
		return HTTP1_E_STATUS;
	h->status = (unsigned)((p[0] - '0') * 100 + (p[1] - '0') * 10 +
	    (p[2] - '0'));
	p += end - p > 3 ? 4 : 3;	/* many leave the reason out, and its blank */
	h->reason = slice_make(p, (size_t)(end - p));
	return HTTP1_DONE;
}

/* Framing of a message by its fields alone (RFC 9112 6.3), and keep_alive. */
static int
framing_set(struct http1_head *h, const struct noted *n)
{
	h->keep_alive = !n->close && (h->minor > 0 || n->keep_alive);
	if (n->bad_length || (n->codings > 0 && n->lengths > 0))
		return HTTP1_E_LENGTH;
	if (n->codings > 0) {
		if (n->codings > 1 || !fold_is(n->coding, SLICE("chunked")))
			return HTTP1_E_CODING;
		if (h->minor == 0)
			return HTTP1_E_LENGTH;
		h->framing = HTTP1_CHUNKED;
	} else if (n->lengths > 0) {
		h->framing = HTTP1_SIZED;
		h->length = n->length;
	}
	return HTTP1_DONE;
}

/* Host rules of RFC 9112 3.2. */
static int
host_set(struct http1_head *h, const struct noted *n)
{
	if (n->hosts > 1 || (n->hosts == 0 && h->minor > 0))
		return HTTP1_E_HOST;
	if (n->hosts == 1 && !host_is_good(n->host))
		return HTTP1_E_HOST;
	if (h->host.ptr == NULL)
		h->host = n->host;
	return HTTP1_DONE;
}

static void
head_clear(struct http1_head *h)
{
	memset(h, 0, offsetof(struct http1_head, fields));
}

int
http1_request(struct http1_head *h, const char *p, size_t len, size_t *scan,
    size_t *used)
{
	size_t start = len >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
	struct noted n = { 0 };
	const char *line;
	int r;

	if (len == 0 || (len == 1 && p[0] == '\r'))
		return HTTP1_MORE;
	/* Told at once, so that a TLS hello does not wait for a blank line. */
	if (start < len && !class_is(p[start], CLASS_TOKEN))
		return HTTP1_E_SYNTAX;
	if ((r = head_scan(p, start, len, scan)) != HTTP1_DONE)
		return r;
	head_clear(h);
	line = p + start;
	if ((r = request_line_read(h, &line)) != HTTP1_DONE ||
	    (r = fields_read(h, &n, line, p + *scan, true)) != HTTP1_DONE ||
	    (r = framing_set(h, &n)) != HTTP1_DONE)
		return r;
	if (n.lengths > 1)
		return HTTP1_E_LENGTH;
	h->upgrade = n.upgrade_field && n.upgrade_named;
	*used = *scan;
	return host_set(h, &n);
}

int
http1_response(struct http1_head *h, const char *p, size_t len,
    bool head_request, size_t *scan, size_t *used)
{
	struct noted n = { 0 };
	const char *end;
	int r;

	/* Told at once, so that another protocol does not wait for a blank line. */
	if (len > 0 && memcmp(p, "HTTP/", len < 5 ? len : 5) != 0)
		return HTTP1_E_SYNTAX;
	if ((r = head_scan(p, 0, len, scan)) != HTTP1_DONE)
		return r;
	head_clear(h);
	end = bytes_line_end(p, p + *scan);
	if ((r = status_line_read(h, p, end)) != HTTP1_DONE ||
	    (r = fields_read(h, &n, end + 2, p + *scan, false)) != HTTP1_DONE ||
	    (r = framing_set(h, &n)) != HTTP1_DONE)
		return r;
	if (head_request || h->status < 200 || h->status == 204 ||
	    h->status == 304) {
		h->framing = HTTP1_NO_BODY;
		h->length = 0;
	} else if (h->framing == HTTP1_NO_BODY) {
		h->framing = HTTP1_UNTIL_CLOSE;
		h->keep_alive = false;
	}
	*used = *scan;
	return HTTP1_DONE;
}

struct slice
http1_field(const struct http1_head *h, struct slice name)
{
	size_t i;

	for (i = 0; i < h->nfields; i++)
		if (slice_caseeq(h->fields[i].name, name))
			return h->fields[i].value;
	return SLICE_NONE;
}

bool
http1_connection_names(const struct http1_head *h, struct slice name)
{
	struct slice list, item;
	size_t i;

	for (i = 0; i < h->nfields; i++) {
		if (!slice_caseeq(h->fields[i].name, SLICE("connection")))
			continue;
		list = h->fields[i].value;
		while (list_next(&list, &item))
			if (slice_caseeq(item, name))
				return true;
	}
	return false;
}

static const struct {
	unsigned	 status;
	const char	*text;
} errors[] = {
	{ 400, "The request is not valid HTTP." },
	[-HTTP1_E_SYNTAX] = { 400, "The head is not valid HTTP/1.1." },
	[-HTTP1_E_HEAD_SIZE] = { 431, "The head is too large or has too many fields." },
	[-HTTP1_E_VERSION] = { 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here." },
	[-HTTP1_E_LENGTH] = { 400, "The length of the body is ambiguous or malformed." },
	[-HTTP1_E_CODING] = { 501, "No transfer coding other than chunked is known here." },
	[-HTTP1_E_HOST] = { 400, "The Host field is missing, repeated or malformed." },
	[-HTTP1_E_TARGET] = { 400, "The request target is malformed." },
	[-HTTP1_E_CHUNK] = { 400, "The chunked body is malformed." },
	[-HTTP1_E_STATUS] = { 502, "The status code is not valid." },
};

static size_t
error_index(int error)
{
	return error < 0 && error >= HTTP1_E_STATUS ? (size_t)-error : 0;
}

unsigned
http1_error_status(int error)
{
	return errors[error_index(error)].status;
}

const char *
http1_error_text(int error)
{
	return errors[error_index(error)].text;
}
