/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold: compares names without regard to case, eight bytes at a time. For the
 * names of our own tables, which are letters, digits and dashes in lower case:
 * each of these has bit 0x20 set already, and the bytes that this bit could
 * turn into a digit or a dash are control bytes, which no checked head holds.
 */
#ifndef CORE_FOLD_H
#define CORE_FOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/slice.h"

static inline uint64_t
fold_word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w | 0x2020202020202020u;
}

/* Are the n bytes at p the n bytes of our name? */
static inline bool
fold_eq(const char *p, const char *name, size_t n)
{
	size_t i;

	if (n < 8) {
		for (i = 0; i < n; i++)
			if ((p[i] | 0x20) != name[i])
				return false;
		return true;
	}
	for (i = 0; i + 8 < n; i += 8)
		if (fold_word(p + i) != fold_word(name + i))
			return false;
	return fold_word(p + n - 8) == fold_word(name + n - 8);
}

/* Is s our name? */
static inline bool
fold_is(struct slice s, struct slice name)
{
	return s.len == name.len && fold_eq(s.ptr, name.ptr, name.len);
}

#endif
