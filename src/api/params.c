/* SPDX-License-Identifier: Apache-2.0 */
/* params: pulls application/x-www-form-urlencoded members apart. Pure. */
#include "api/params.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends s decoded; a % that is no escape stays as it is. */
static struct slice
decode(struct slice s, struct buf *arena)
{
	size_t start = arena->len;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i] == '+' ? ' ' : s.ptr[i];

		if (c == '%' && i + 2 < s.len && hex_digit(s.ptr[i + 1]) >= 0 && hex_digit(s.ptr[i + 2]) >= 0) {
			c = (char)(hex_digit(s.ptr[i + 1]) << 4 | hex_digit(s.ptr[i + 2]));
			i += 2;
		}
		buf_byte(arena, c);
	}
	return slice_make(arena->ptr + start, arena->len - start);
}

bool
params_room(struct slice query, struct buf *arena)
{
	return buf_reserve(arena, query.len + 1) != NULL;
}

bool
params_next(struct slice *query, struct param *p, struct buf *arena)
{
	const char *and, *equals;

	while (query->len > 0 && *query->ptr == '&')
		*query = slice_from(*query, 1);
	if (query->len == 0)
		return false;
	and = memchr(query->ptr, '&', query->len);
	p->text = slice_make(query->ptr, and ? (size_t)(and - query->ptr) : query->len);
	*query = slice_from(*query, p->text.len);
	equals = memchr(p->text.ptr, '=', p->text.len);
	p->name = decode(slice_make(p->text.ptr, equals ? (size_t)(equals - p->text.ptr) : p->text.len), arena);
	p->value = equals ? decode(slice_from(p->text, (size_t)(equals - p->text.ptr) + 1), arena) : SLICE("");
	return true;
}
