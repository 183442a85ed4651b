/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jvalue: what JSON values say: characters of strings, members by name,
 * numbers. The second half of jscan.h; every value comes from a scan that
 * found it good, so nothing is checked here. Never allocates, but into a
 * caller's buf.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/jscan.h"
#include "core/utf8.h"

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t
hex4(const char *p)
{
	uint32_t v = 0;
	int i;

	for (i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(is_digit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

/* The code point of the \u at *p, which moves behind it, and behind the second
 * half of a pair. A surrogate alone is U+FFFD. */
static uint32_t
unicode_take(const char **p, const char *end)
{
	uint32_t c = hex4(*p + 2), low;

	*p += 6;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0xfffd;
	low = hex4(*p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* The characters of the escape at *p, as UTF-8 in out; how many bytes. */
static size_t
escape_take(const char **p, const char *end, char out[4])
{
	char c = (*p)[1];

	if (c == 'u')
		return utf8_put(out, unicode_take(p, end));
	*p += 2;
	switch (c) {
	case 'b':
		out[0] = '\b';
		break;
	case 'f':
		out[0] = '\f';
		break;
	case 'n':
		out[0] = '\n';
		break;
	case 'r':
		out[0] = '\r';
		break;
	case 't':
		out[0] = '\t';
		break;
	default:
		out[0] = c;
	}
	return 1;
}

/* Are the characters of a string (raw: between its quotes) those of s? */
static bool
raw_is(struct slice raw, struct slice s)
{
	const char *p = raw.ptr, *end = raw.ptr + raw.len;
	char out[4];
	size_t n;

	/* no escape is shorter than what it stands for */
	if (raw.len < s.len)
		return false;
	if (raw.len == 0 || memchr(raw.ptr, '\\', raw.len) == NULL)
		return slice_eq(raw, s);
	while (p < end) {
		if (*p != '\\') {
			out[0] = *p++;
			n = 1;
		} else
			n = escape_take(&p, end, out);
		if (s.len < n || memcmp(s.ptr, out, n) != 0)
			return false;
		s = slice_from(s, n);
	}
	return s.len == 0;
}

static struct slice
string_raw(struct jvalue v)
{
	return slice_make(v.text.ptr + 1, v.text.len - 2);
}

bool
jkey_is(const struct jmember *m, struct slice name)
{
	if (m->key_plain)
		return slice_eq(m->key, name);
	return m->key.ptr != NULL && raw_is(m->key, name);
}

struct slice
jkey_plain(const struct jmember *m, char *scratch, size_t room)
{
	const char *p = m->key.ptr, *end = p + m->key.len;
	char out[4];
	size_t len = 0, n;

	if (m->key_plain || m->key.len == 0)
		return m->key;
	while (p < end) {
		if (*p != '\\') {
			out[0] = *p++;
			n = 1;
		} else
			n = escape_take(&p, end, out);
		if (n > room - len)
			return SLICE_NONE;
		memcpy(scratch + len, out, n);
		len += n;
	}
	return slice_make(scratch, len);
}

struct jvalue
jget(struct jvalue obj, struct slice name)
{
	struct jvalue found = { JNONE, SLICE_NONE };
	struct jmember m;
	struct jiter it;

	if (obj.kind != JOBJECT)
		return found;
	jiter_init(&it, obj);
	while (jiter_next(&it, &m))
		if (jkey_is(&m, name))
			found = m.value;
	return found;
}

bool
jstring(struct jvalue v, struct buf *out)
{
	const char *p, *end, *escape;
	char text[4];
	size_t n;

	if (v.kind != JSTRING)
		return false;
	p = v.text.ptr + 1;
	end = v.text.ptr + v.text.len - 1;
	while (p < end && (escape = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		buf_append(out, p, (size_t)(escape - p));
		p = escape;
		n = escape_take(&p, end, text);
		buf_append(out, text, n);
	}
	return buf_append(out, p, (size_t)(end - p));
}

struct slice
jstring_plain(struct jvalue v)
{
	struct slice raw;

	if (v.kind != JSTRING)
		return SLICE_NONE;
	raw = string_raw(v);
	return memchr(raw.ptr, '\\', raw.len) == NULL ? raw : SLICE_NONE;
}

struct slice
jscalar(struct jvalue v, struct buf *text)
{
	struct slice plain = jstring_plain(v);
	size_t start = text->len;

	if (v.kind != JSTRING)
		return v.text;
	if (plain.ptr || !jstring(v, text))
		return plain;
	return slice_make(text->ptr + start, text->len - start);
}

bool
jstring_is(struct jvalue v, struct slice s)
{
	return v.kind == JSTRING && raw_is(string_raw(v), s);
}

bool
jempty(struct jvalue v)
{
	size_t i = 1;

	switch (v.kind) {
	case JNONE:
	case JNULL:
		return true;
	case JSTRING:
		return v.text.len == 2;
	case JOBJECT:
	case JARRAY:
		while (strchr(" \t\r\n", v.text.ptr[i]) != NULL)
			i++;
		return i == v.text.len - 1;
	default:
		return false;
	}
}

/* A number's parts: ±digits × 10^exponent. */
struct decimal {
	const char	*digits, *end;	/* of the mantissa; one '.' may stand in it */
	int64_t		 exponent;	/* of the mantissa read without its '.' */
	bool		 negative;
};

/* Exponents beyond any body's digits need no more places. */
#define EXPONENT_MAX INT64_C(1000000000000)

static int64_t
exponent_read(const char *p, const char *end)
{
	bool negative = *p == '-';
	int64_t e = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
		if (e < EXPONENT_MAX)
			e = e * 10 + (*p - '0');
	return negative ? -e : e;
}

static struct decimal
decimal_read(struct slice text)
{
	struct decimal d = { .negative = *text.ptr == '-' };
	const char *p = text.ptr + d.negative, *end = text.ptr + text.len;
	const char *point = NULL;

	d.digits = p;
	for (; p < end && (is_digit(*p) || *p == '.'); p++)
		if (*p == '.')
			point = p;
	d.end = p;
	if (p < end)
		d.exponent = exponent_read(p + 1, end);
	if (point != NULL)
		d.exponent -= d.end - point - 1;
	return d;
}

/* v × 10^n, false if that is more than 64 bits. */
static bool
scale(uint64_t *v, int64_t n)
{
	for (; n > 0 && *v != 0; n--)
		if (__builtin_mul_overflow(*v, 10, v))
			return false;
	return true;
}

bool
jint(struct jvalue v, int64_t *out)
{
	struct decimal d;
	int64_t zeros = 0;	/* seen since the last other digit */
	uint64_t n = 0;
	const char *p;

	if (v.kind != JNUMBER)
		return false;
	d = decimal_read(v.text);
	for (p = d.digits; p < d.end; p++) {
		if (*p == '.')
			continue;
		zeros++;
		if (*p == '0')
			continue;
		if (!scale(&n, zeros) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
		zeros = 0;
	}
	if (n != 0 && (zeros + d.exponent < 0 || !scale(&n, zeros + d.exponent)))
		return false;
	if (n > (uint64_t)INT64_MAX + d.negative)
		return false;
	*out = (int64_t)(d.negative ? -n : n);
	return true;
}

/* More significant digits than the rounding of any double depends on. */
#define DOUBLE_DIGITS 800

/* The first DOUBLE_DIGITS significant digits; how many. What lies below counts
 * only as being there. */
static size_t
decimal_digits(struct decimal *d, char *text)
{
	const char *p;
	size_t n = 0;

	for (p = d->digits; p < d->end; p++) {
		if (*p == '.' || (*p == '0' && n == 0))
			continue;
		if (n < DOUBLE_DIGITS) {
			text[n++] = *p;
			continue;
		}
		d->exponent++;
		if (*p != '0' && text[n - 1] == '0')
			text[n - 1] = '1';
	}
	if (n == 0)
		text[n++] = '0';
	return n;
}

/* strtod gets no decimal point, so no locale has a say. */
bool
jnumber(struct jvalue v, double *out)
{
	char text[DOUBLE_DIGITS + 32];
	struct decimal d;
	size_t n;

	if (v.kind != JNUMBER)
		return false;
	d = decimal_read(v.text);
	n = decimal_digits(&d, text);
	snprintf(text + n, sizeof(text) - n, "e%" PRId64, d.exponent);
	*out = strtod(text, NULL);
	if (d.negative)
		*out = -*out;
	return isfinite(*out);
}

bool
jbool(struct jvalue v, bool *out)
{
	if (v.kind != JTRUE && v.kind != JFALSE)
		return false;
	*out = v.kind == JTRUE;
	return true;
}
