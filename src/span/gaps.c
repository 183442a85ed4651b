/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gaps.c: inter-token times. Called by the builder for each event that carries
 * content; what the client held up is not the provider's and is taken off.
 */
#include "span/gaps.h"

#include <stdlib.h>

#include "core/limits.h"
#include "span/times.h"

#define LIMIT_GAPS (16 * MIB)	/* four million gaps; an event of 64 MiB of stream has 16 bytes and more */

void
gaps_init(struct gaps *g)
{
	*g = (struct gaps){ .begun = false };
	buf_init(&g->list, LIMIT_GAPS);
}

void
gaps_free(struct gaps *g)
{
	buf_free(&g->list);
}

void
gaps_event(struct gaps *g, int64_t t, int64_t held)
{
	int64_t gap = (t - g->last) - (held - g->held);
	uint32_t us = gap < 0 ? 0 : gap > UINT32_MAX ? UINT32_MAX : (uint32_t)gap;

	if (g->begun)
		buf_append(&g->list, &us, sizeof(us));
	g->begun = true;
	g->last = t;
	g->held = held;
}

static int
gap_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the smallest gap that at least `percent` of all do not pass. */
static void
gap_json(const uint32_t *list, size_t n, unsigned percent, struct buf *out)
{
	size_t rank = (n * percent + 99) / 100;

	time_secs_text(list[rank ? rank - 1 : 0], out);
}

bool
gaps_json(struct gaps *g, int64_t held, struct buf *out)
{
	uint32_t *list = (uint32_t *)(void *)g->list.ptr;
	size_t n = g->list.len / sizeof(*list);

	if (n == 0)
		return false;
	qsort(list, n, sizeof(*list), gap_compare);
	buf_str(out, "{\"p50\":");
	gap_json(list, n, 50, out);
	buf_str(out, ",\"p99\":");
	gap_json(list, n, 99, out);
	buf_str(out, ",\"max\":");
	gap_json(list, n, 100, out);
	buf_str(out, ",\"held\":");
	time_secs_text(held, out);
	return buf_byte(out, '}');
}
