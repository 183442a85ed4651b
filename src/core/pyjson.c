/* SPDX-License-Identifier: Apache-2.0 */
/* pyjson: see pyjson.h. */
#include "core/pyjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/utf8.h"

#define DIGITS_MAX 300		/* of an int: Python refuses thousands */
#define MEMBERS_MAX 256		/* of an object: each is compared with those before it */

/* The character that begins at *at, which goes past it; what is no UTF-8 is U+FFFD. */
static uint32_t
take_character(struct slice s, size_t *at)
{
	const unsigned char *p = (const unsigned char *)s.ptr + *at;
	size_t n = utf8_length((const char *)p, s.len - *at);

	*at += n > 0 ? n : 1;
	switch (n) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	case 4:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	}
	return 0xfffd;
}

static void
put_character(uint32_t c, struct buf *out)
{
	static const char plain[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
	const char *found = c != 0 && c < 0x80 ? strchr(plain, (int)c) : NULL;

	if (found != NULL) {
		buf_byte(out, '\\');
		buf_byte(out, letters[found - plain]);
	} else if (c >= ' ' && c < 0x7f)
		buf_byte(out, (char)c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04x", c);
	else
		buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
}

void
pyjson_string(struct slice s, struct buf *out)
{
	buf_byte(out, '"');
	for (size_t i = 0; i < s.len && !out->failed;)
		put_character(take_character(s, &i), out);
	buf_byte(out, '"');
}

/* A string of JSON as one of Python. */
static void
put_string(struct jvalue v, struct buf *out)
{
	struct buf text;

	buf_init(&text, v.text.len + 1);
	jstring(v, &text);
	pyjson_string(buf_view(&text), out);
	buf_free(&text);
}

/* The shortest decimal that reads back as the same: fixed from 1e-4 to below 1e16, as float.__repr__ has it. */
static void
put_float(double d, struct buf *out)
{
	char text[40], digits[24];
	int precision, n = 0, point;

	for (precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	if (*text == '-')
		buf_byte(out, '-');
	for (const char *p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;	/* so many digits stand before it */
	if (point <= -4 || point > 16) {
		buf_byte(out, *digits);
		if (n > 1)
			buf_printf(out, ".%.*s", n - 1, digits + 1);
		buf_printf(out, "e%c%02d", point < 1 ? '-' : '+', abs(point - 1));
		return;
	}
	if (point <= 0)
		buf_str(out, "0.");
	for (int i = point; i < 0; i++)
		buf_byte(out, '0');
	for (int i = 0; i < n || i < point; i++) {
		if (i > 0 && i == point)
			buf_byte(out, '.');
		buf_byte(out, i < n ? digits[i] : '0');
	}
	if (n <= point)
		buf_str(out, ".0");
}

static void
put_number(struct jvalue v, struct buf *out)
{
	bool whole = true;
	double d;

	for (size_t i = 0; i < v.text.len && whole; i++)
		whole = v.text.ptr[i] != '.' && v.text.ptr[i] != 'e' && v.text.ptr[i] != 'E';
	if (whole && slice_eq(v.text, SLICE("-0")))
		buf_byte(out, '0');
	else if (whole && v.text.len <= DIGITS_MAX)
		buf_slice(out, v.text);
	else if (!whole && jnumber(v, &d) && d - d == 0)
		put_float(d, out);
	else
		pyjson_string(v.text, out);
}

static bool
same_key(const struct jmember *a, const struct jmember *b)
{
	struct buf text;
	bool same;

	if (slice_eq(a->key_text, b->key_text))
		return true;
	if (a->key_plain && b->key_plain)
		return false;
	buf_init(&text, a->key_text.len + 1);
	same = jstring((struct jvalue){ JSTRING, a->key_text }, &text) && jkey_is(b, buf_view(&text));
	buf_free(&text);
	return same;
}

/* Stands a member of that name before this one? last: the value of the last one of it. */
static bool
is_again(struct jvalue object, const struct jmember *of, struct jvalue *last)
{
	bool before = true, again = false;
	struct jmember m;
	struct jiter it;

	*last = of->value;
	for (jiter_init(&it, object); jiter_next(&it, &m);) {
		if (m.key_text.ptr == of->key_text.ptr) {
			before = false;
			continue;
		}
		if (!same_key(&m, of))
			continue;
		again |= before;
		if (!before)
			*last = m.value;
	}
	return again;
}

static size_t
members(struct jvalue object)
{
	struct jmember m;
	struct jiter it;
	size_t n = 0;

	for (jiter_init(&it, object); jiter_next(&it, &m);)
		n++;
	return n;
}

static void
put_object(struct jvalue v, struct buf *out)
{
	const char *comma = "";
	struct jvalue last;
	struct jmember m;
	struct jiter it;

	if (members(v) > MEMBERS_MAX) {
		pyjson_string(v.text, out);
		return;
	}
	buf_byte(out, '{');
	for (jiter_init(&it, v); jiter_next(&it, &m) && !out->failed;) {
		if (is_again(v, &m, &last))
			continue;
		buf_str(out, comma);
		put_string((struct jvalue){ JSTRING, m.key_text }, out);
		buf_str(out, ": ");
		pyjson(last, out);
		comma = ", ";
	}
	buf_byte(out, '}');
}

static void
put_array(struct jvalue v, struct buf *out)
{
	const char *comma = "";
	struct jmember m;
	struct jiter it;

	buf_byte(out, '[');
	for (jiter_init(&it, v); jiter_next(&it, &m) && !out->failed; comma = ", ") {
		buf_str(out, comma);
		pyjson(m.value, out);
	}
	buf_byte(out, ']');
}

/* As deep as LIMIT_JSON_DEPTH at most, which the scan has seen to. */
void
pyjson(struct jvalue v, struct buf *out)
{
	switch (v.kind) {
	case JSTRING:
		put_string(v, out);
		break;
	case JNUMBER:
		put_number(v, out);
		break;
	case JOBJECT:
		put_object(v, out);
		break;
	case JARRAY:
		put_array(v, out);
		break;
	default:
		buf_slice(out, v.kind == JNONE ? SLICE("null") : v.text);
	}
}
