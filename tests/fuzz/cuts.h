/* SPDX-License-Identifier: Apache-2.0 */
/* cuts: a stream cut in pieces, each in memory of its own that is gone (of
 * single bytes: overwritten) when the next one comes, so a parser that keeps a
 * pointer too long is caught. */
#ifndef CUTS_H
#define CUTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/slice.h"

struct cuts {
	struct slice	rest;
	uint64_t	seed;	/* 0: whole, 1: byte by byte, else at random */
	char		*piece;
};

static inline void
cuts_init(struct cuts *c, struct slice stream, uint64_t seed)
{
	*c = (struct cuts){ stream, seed, NULL };
}

/* False at the end; frees the last piece. */
static inline bool
cuts_next(struct cuts *c, struct slice *piece)
{
	size_t n = c->rest.len;

	if (n == 0 || c->seed != 1) {
		free(c->piece);
		c->piece = NULL;
	}
	if (n == 0)
		return false;
	if (c->seed == 1)
		n = 1;
	else if (c->seed != 0) {
		c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
		n = 1 + (c->seed >> 33) % (c->seed >> 60 & 1 ? 100 : 7);
		if (n > c->rest.len)
			n = c->rest.len;
	}
	if (c->piece == NULL)
		c->piece = malloc(n);
	if (c->piece == NULL)
		abort();
	memcpy(c->piece, c->rest.ptr, n);
	*piece = slice_make(c->piece, n);
	c->rest = slice_from(c->rest, n);
	return true;
}

#endif
