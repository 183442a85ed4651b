/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice: a borrowed view of bytes. It owns nothing and dies with what it
 * points into. A slice whose ptr is NULL means "not there", which differs from
 * an empty one.
 */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char	*ptr;
	size_t		 len;
};

#define SLICE_NONE ((struct slice){ NULL, 0 })
/* The slice of a string literal. */
#define SLICE(lit) ((struct slice){ "" lit, sizeof(lit) - 1 })

static inline struct slice
slice_make(const void *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

/* The slice of a C string; NULL gives SLICE_NONE. */
static inline struct slice
slice_str(const char *s)
{
	return s ? (struct slice){ s, strlen(s) } : SLICE_NONE;
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Equal but for the case of ASCII letters. */
static inline bool
slice_caseeq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 ||
	    strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	    (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool
slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && (suffix.len == 0 ||
	    memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* What is left of s after its first n bytes; n is at most s.len. */
static inline struct slice
slice_from(struct slice s, size_t n)
{
	return (struct slice){ s.ptr + n, s.len - n };
}

/* Less the blanks and tabs (not line ends) at both ends. */
static inline struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t'))
		s = slice_from(s, 1);
	while (s.len > 0 &&
	    (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

#endif
