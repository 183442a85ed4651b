/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.c: matching without recursion: after a mismatch the last star takes one
 * character more.
 */
#include "core/glob.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
one(char pattern, char c)
{
	return pattern == '#' ? c >= '0' && c <= '9' : lower(pattern) == lower(c);
}

bool
glob_match(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, taken = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			taken = t;
		} else if (p < pattern.len && one(pattern.ptr[p], text.ptr[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++taken;
		} else
			return false;
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool
glob_is_pattern(struct slice s)
{
	return s.len > 0 && (memchr(s.ptr, '*', s.len) != NULL || memchr(s.ptr, '#', s.len) != NULL);
}
