/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c: a chain of malloc'ed blocks under one ceiling. Called by the parts
 * of the builder only.
 */
#include "span/arena.h"

#include <stdlib.h>

#include "core/limits.h"

#define BLOCK (16 * KIB)

struct arena_block {
	struct arena_block	*next;
	char			*taken;	/* memory of a buf, else what follows */
	_Alignas(max_align_t) char bytes[];
};

void
arena_free(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		free(b->taken);
		free(b);
	}
	*a = (struct arena){ .blocks = NULL };
}

/* A new block; a large one goes behind the first, which keeps its room. */
static struct arena_block *
arena_block(struct arena *a, size_t size, bool behind)
{
	struct arena_block *b;

	if (size > LIMIT_BUILD - a->total ||
	    (b = malloc(sizeof(*b) + size)) == NULL) {
		a->failed = true;
		return NULL;
	}
	a->total += size;
	b->taken = NULL;
	if (behind && a->blocks != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
		return b;
	}
	b->next = a->blocks;
	a->blocks = b;
	a->used = 0;
	a->size = size;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->blocks;

	if (n > LIMIT_BUILD) {
		a->failed = true;
		return NULL;
	}
	n = (n + align - 1) / align * align;
	if (n > BLOCK / 4) {
		b = arena_block(a, n, true);
		if (b != NULL && b == a->blocks)
			a->used = n;
		return b ? b->bytes : NULL;
	}
	if (b == NULL || n > a->size - a->used) {
		b = arena_block(a, BLOCK, false);
		if (b == NULL)
			return NULL;
	}
	a->used += n;
	return b->bytes + a->used - n;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *p;

	if (s.ptr == NULL || (p = arena_alloc(a, s.len ? s.len : 1)) == NULL)
		return SLICE_NONE;
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	return slice_make(p, s.len);
}

struct slice
arena_take(struct arena *a, struct buf *b)
{
	struct arena_block *block;
	size_t len = b->len;

	if (b->failed || (block = arena_block(a, 0, true)) == NULL) {
		a->failed = true;
		buf_free(b);
		return SLICE_NONE;
	}
	block->taken = buf_take(b, &len);
	return slice_make(block->taken ? block->taken : "", len);
}
