/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that lives as long as one build: decoded bodies, texts put
 * together. Nothing in it is given back one by one. When memory runs out or
 * the ceiling is met, `failed` stays set and what was asked for is null.
 */
#ifndef SPAN_ARENA_H
#define SPAN_ARENA_H

#include "core/buf.h"

struct arena_block;

struct arena {
	struct arena_block	*blocks;
	size_t			 used, size;	/* of the first block */
	size_t			 total;		/* bytes of all blocks */
	bool			 failed;
};

void	 arena_free(struct arena *);
/* n bytes, aligned for any object; NULL: out of memory. */
void	*arena_alloc(struct arena *, size_t n);
/* A copy; SLICE_NONE of SLICE_NONE, or when memory is out. */
struct slice arena_copy(struct arena *, struct slice);
/* Takes the buf's memory over and empties the buf: its content, not null
 * though it be empty; SLICE_NONE if the buf had failed. */
struct slice arena_take(struct arena *, struct buf *);

#endif
