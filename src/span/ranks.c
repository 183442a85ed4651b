/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranks.c: holds the packed tables and finds tokens in them. Called by bpe.c.
 * RANKS_DIR is the source tree's data/, of compile time: the tables become
 * part of the object.
 */
#include "span/ranks.h"

#include <stdlib.h>

#define TABLE(name) \
	__asm__(".pushsection .rodata\n\t.balign 16\n\t.globl spangate_" #name "\n" \
	    "spangate_" #name ":\n\t.incbin \"" RANKS_DIR "/" #name ".bpe\"\n" \
	    "\t.globl spangate_" #name "_end\nspangate_" #name "_end:\n\t.byte 0\n\t.popsection\n"); \
	extern const char spangate_##name[], spangate_##name##_end[]; \
	struct slice \
	ranks_##name(void) \
	{ \
		return slice_make(spangate_##name, (size_t)(spangate_##name##_end - spangate_##name)); \
	}

TABLE(o200k_base)
TABLE(cl100k_base)

#define HEAD 16
static const char magic[8] = { 'S', 'G', 'B', 'P', 'E', 0, 0, 1 };

static uint32_t
load_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* FNV-1a, its upper bits folded in. */
static uint32_t
hash_of(const unsigned char *p, size_t len)
{
	uint32_t h = 2166136261u;

	while (len-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h ^ h >> 15;
}

static bool
index_fill(struct ranks *r, size_t size)
{
	uint32_t i, slot, at = 0;

	for (i = 0; i < r->count; i++) {
		if (at >= size || at + 1 + r->tokens[at] > size)
			return false;
		r->offset[i] = at + 1;
		at += 1u + r->tokens[at];
		slot = hash_of(r->tokens + r->offset[i], r->tokens[r->offset[i] - 1]) & r->mask;
		while (r->slots[slot] != 0)
			slot = (slot + 1) & r->mask;
		r->slots[slot] = i + 1;
	}
	return at == size;
}

bool
ranks_open(struct ranks *r, struct slice table)
{
	size_t size;

	*r = (struct ranks){ .count = 0 };
	if (table.len < HEAD || memcmp(table.ptr, magic, sizeof(magic)) != 0)
		return false;
	r->count = load_u32(table.ptr + 8);
	size = load_u32(table.ptr + 12);
	if (size > table.len - HEAD || r->count > size)
		return false;
	r->tokens = (const unsigned char *)table.ptr + HEAD;
	for (r->mask = 1024; r->mask < 2 * r->count; r->mask *= 2)
		;
	r->slots = calloc(r->mask--, sizeof(*r->slots));
	r->offset = malloc((r->count + 1) * sizeof(*r->offset));
	if (r->slots != NULL && r->offset != NULL && index_fill(r, size))
		return true;
	ranks_close(r);
	return false;
}

void
ranks_close(struct ranks *r)
{
	free(r->slots);
	free(r->offset);
	r->slots = r->offset = NULL;
	r->count = 0;
}

uint32_t
ranks_find(const struct ranks *r, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes, *token;
	uint32_t slot, i;

	if (len == 0 || len > RANK_BYTES)
		return RANK_NONE;
	slot = hash_of(p, len) & r->mask;
	while ((i = r->slots[slot]) != 0) {
		token = r->tokens + r->offset[i - 1];
		if (token[-1] == len && memcmp(token, p, len) == 0)
			return i - 1;
		slot = (slot + 1) & r->mask;
	}
	return RANK_NONE;
}
