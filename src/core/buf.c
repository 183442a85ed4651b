/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: the one growable byte store. Called from everywhere; never grows past
 * its ceiling and never aborts: trouble is the sticky `failed`.
 */
#include "core/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

#define BUF_FIRST 256	/* bytes of the first allocation */

void
buf_init(struct buf *b, size_t limit)
{
	assert(limit > 0);
	*b = (struct buf){ .limit = limit };
}

void
buf_free(struct buf *b)
{
	size_t limit = b->limit;

	free(b->ptr);
	*b = (struct buf){ .limit = limit };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Doubles until n more fit; the last step stops at the ceiling. */
static bool
buf_grow(struct buf *b, size_t n)
{
	size_t want = b->len + n, cap = b->cap ? b->cap : BUF_FIRST;
	char *p;

	if (n > b->limit || b->len > b->limit - n)
		return false;
	while (cap < want)
		cap *= 2;
	if (cap > b->limit)
		cap = b->limit;
	p = realloc(b->ptr, cap);
	if (p == NULL)
		return false;
	b->ptr = p;
	b->cap = cap;
	return true;
}

char *
buf_reserve_slow(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->cap - b->len && !buf_grow(b, n)) {
		b->failed = true;
		return NULL;
	}
	return b->ptr + b->len;
}

bool
buf_byte(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

bool
buf_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

bool
buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	return buf_append(b, digits + n, sizeof(digits) - n);
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = buf_reserve(b, (size_t)n + 1)) == NULL) {
		b->failed = true;
		return false;
	}
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

static void
buf_json_control(struct buf *b, unsigned char c)
{
	static const char shortcut[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
		['\r'] = 'r',
	};

	if (shortcut[c] != 0) {
		buf_byte(b, '\\');
		buf_byte(b, shortcut[c]);
	} else
		buf_printf(b, "\\u%04x", c);
}

bool
buf_json_string(struct buf *b, struct slice s)
{
	size_t i = 0, start = 0, n;
	unsigned char c;

	if (s.len == 0)
		return buf_str(b, "\"\"");
	buf_byte(b, '"');
	while (i < s.len) {
		c = (unsigned char)s.ptr[i];
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		n = c < 0x80 ? 0 : utf8_length(s.ptr + i, s.len - i);
		if (n > 0 || c == 0x7f) {
			i += n ? n : 1;
			continue;
		}
		buf_append(b, s.ptr + start, i - start);
		if (c >= 0x80)
			buf_str(b, "\xef\xbf\xbd");
		else if (c < 0x20)
			buf_json_control(b, c);
		else {
			buf_byte(b, '\\');
			buf_byte(b, (char)c);
		}
		start = ++i;
	}
	buf_append(b, s.ptr + start, i - start);
	return buf_byte(b, '"');
}

char *
buf_take(struct buf *b, size_t *len)
{
	char *p = b->ptr;

	*len = b->len;
	b->ptr = NULL;
	b->len = b->cap = 0;
	b->failed = false;
	return p;
}
