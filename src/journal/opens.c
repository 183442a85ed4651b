/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opens: the table itself. Called by one thread; holds no lock.
 */
#include "journal/opens.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define OPENS_FIRST 64	/* slots of the first table */

/* The last eight bytes of a UUIDv7 are random but for two bits at the top. */
static inline size_t
opens_slot(const struct opens *o, const uint8_t id[16])
{
	uint64_t h;

	memcpy(&h, id + 8, 8);
	return (size_t)((h * 0x9e3779b97f4a7c15u) >> 32) & (o->cap - 1);
}

void
opens_free(struct opens *o)
{
	free(o->slots);
	*o = (struct opens){ 0 };
}

void
opens_clear(struct opens *o)
{
	if (o->count > 0)
		memset(o->slots, 0, o->cap * sizeof(*o->slots));
	o->count = 0;
}

struct open_exchange *
opens_find(const struct opens *o, const uint8_t id[16])
{
	size_t i;

	if (o->count == 0)
		return NULL;
	for (i = opens_slot(o, id); o->slots[i].first != 0; i = (i + 1) & (o->cap - 1))
		if (memcmp(o->slots[i].id, id, 16) == 0)
			return &o->slots[i];
	return NULL;
}

/* Half of the slots at least stay empty, so runs are short. */
static void
opens_grow(struct opens *o)
{
	struct opens bigger = { .cap = o->cap ? o->cap * 2 : OPENS_FIRST };
	size_t i;

	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	for (i = 0; i < o->cap; i++)
		if (o->slots[i].first != 0)
			opens_add(&bigger, o->slots[i].id, o->slots[i].first, o->slots[i].last);
	free(o->slots);
	*o = bigger;
}

void
opens_add(struct opens *o, const uint8_t id[16], uint64_t first, uint64_t last)
{
	struct open_exchange *x = opens_find(o, id);
	size_t i;

	if (x == NULL) {
		if (2 * (o->count + 1) > o->cap)
			opens_grow(o);
		i = opens_slot(o, id);
		while (o->slots[i].first != 0)
			i = (i + 1) & (o->cap - 1);
		x = &o->slots[i];
		memcpy(x->id, id, 16);
		o->count++;
	}
	x->first = first;
	x->last = last;
}

/* Closes the gap by moving back those behind it that would not be found. */
void
opens_remove(struct opens *o, struct open_exchange *x)
{
	size_t mask = o->cap - 1, gap = (size_t)(x - o->slots), i = gap, home;

	for (;;) {
		i = (i + 1) & mask;
		if (o->slots[i].first == 0)
			break;
		home = opens_slot(o, o->slots[i].id);
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			o->slots[gap] = o->slots[i];
			gap = i;
		}
	}
	o->slots[gap].first = 0;
	o->count--;
}

uint64_t
opens_oldest(const struct opens *o)
{
	uint64_t oldest = 0;
	size_t i;

	for (i = 0; i < o->cap && o->count > 0; i++)
		if (o->slots[i].first != 0 && (oldest == 0 || o->slots[i].first < oldest))
			oldest = o->slots[i].first;
	return oldest;
}
