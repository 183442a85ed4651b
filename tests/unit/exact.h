/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exact: inputs for parsers in memory of exactly their size, so that the
 * address sanitizer sees a read past their end, and seeded cuts of a stream.
 */
#ifndef EXACT_H
#define EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/slice.h"

/* A copy to be freed by exact_free. */
static inline struct slice
exact_copy(struct slice s)
{
	char *p = malloc(s.len ? s.len : 1);

	if (p == NULL)
		abort();
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	return slice_make(p, s.len);
}

static inline void
exact_free(struct slice s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* xorshift64: the same cuts in every run. */
static inline uint64_t
exact_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* How many bytes of `left` to feed next. mode 0: all, 1: one, more: at random,
 * with that as the seed's start. */
static inline size_t
exact_cut(int mode, uint64_t *seed, size_t left)
{
	size_t n;

	if (mode == 0 || left == 0)
		return left;
	if (mode == 1)
		return 1;
	n = 1 + exact_random(seed) % (mode % 3 == 0 ? 5 : mode % 3 == 1 ? 40 : 300);
	return n < left ? n : left;
}

#endif
