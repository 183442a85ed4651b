/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_path.c: parents by entity paths, as Traceloop's decorators write them.
 * Some SDKs send every decorated span without its parent. Its path is that of
 * what it stands in: "wf" of a task in workflow wf, "wf.tk" of what is in task tk
 * there. So a task's or tool's own path is its path and its name; workflows and
 * agents do not lengthen it, and where they stand in nothing it is their name.
 * Of several that have the path it is the innermost that was open when the span
 * began. Called by tree.c.
 */
#include <stdlib.h>

#include "span/tree.h"

#define LOOKED_AT 200		/* spans that one is compared with: traces are made by people, but not all */

/* What has children by path, in the order of hash and start. */
struct place {
	uint32_t	 hash, node;
	int64_t		 start;
};

struct places {
	const struct tree_node *nodes;
	struct place	*list;
	size_t		 n;
};

/* Does it keep the path that it stands in? */
static bool
is_whole(const struct tree_node *node)
{
	return slice_caseeq(node->type, SLICE("workflow")) || slice_caseeq(node->type, SLICE("agent"));
}

/* Its name less the ".task" that SDKs put behind it. */
static struct slice
own_name(const struct tree_node *node)
{
	struct slice name = node->name;
	size_t n = node->type.len + 1;

	if (name.len > n && n > 1 && name.ptr[name.len - n] == '.' &&
	    slice_caseeq(slice_from(name, name.len - n + 1), node->type))
		name.len -= n;
	return name;
}

static uint32_t
hash_add(uint32_t h, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 16777619u;
	return h;
}

/* Is `path` the path below the node? */
static bool
is_below(const struct tree_node *node, struct slice path)
{
	struct slice name = own_name(node);

	if (is_whole(node))
		return slice_eq(node->path.len ? node->path : name, path);
	if (node->path.len == 0)
		return slice_eq(name, path);
	return path.len == node->path.len + 1 + name.len && slice_starts(path, node->path) &&
	    path.ptr[node->path.len] == '.' && slice_ends(path, name);
}

static uint32_t
hash_below(const struct tree_node *node)
{
	uint32_t h = hash_add(2166136261u, node->path);

	if (is_whole(node) && node->path.len > 0)
		return h;
	if (node->path.len > 0)
		h = hash_add(h, SLICE("."));
	return hash_add(h, own_name(node));
}

static int
place_order(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* Behind the last place of that hash that began by then. */
static size_t
places_upto(const struct places *p, uint32_t hash, int64_t start)
{
	const struct place want = { .hash = hash, .start = start, .node = UINT32_MAX };
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (place_order(&p->list[middle], &want) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The innermost one that has the path and was open then; of those that began
 * together the one that ended first. Where none was open: the last that began. */
static uint32_t
find_path(const struct places *p, const struct tree_node *node, struct slice path)
{
	uint32_t hash = hash_add(2166136261u, path), best = TREE_NONE, last = TREE_NONE;
	size_t end = places_upto(p, hash, node->start), least = end > LOOKED_AT ? end - LOOKED_AT : 0;

	for (size_t i = end; i-- > least && p->list[i].hash == hash;) {
		const struct tree_node *up = &p->nodes[p->list[i].node];

		if (up == node || !is_below(up, path))
			continue;
		if (best != TREE_NONE && up->start < p->nodes[best].start)
			break;
		last = last == TREE_NONE ? p->list[i].node : last;
		/* of two that began and ended together neither is in the other */
		if (up->end < node->end || (up->start == node->start && up->end == node->end && is_whole(node)))
			continue;
		if (best == TREE_NONE || up->end < p->nodes[best].end)
			best = p->list[i].node;
	}
	return best != TREE_NONE ? best : last;
}

/* A workflow or agent in another one, without a task between, has its own name
 * as its path: then time alone tells. */
static uint32_t
find_around(const struct places *p, const struct tree_node *node)
{
	uint32_t best = TREE_NONE, looked = 0;

	for (size_t i = 0; i < p->n && looked < LOOKED_AT; i++) {
		const struct tree_node *up = &p->nodes[p->list[i].node];

		looked += is_whole(up);
		if (!is_whole(up) || up->start > node->start || up->end < node->end ||
		    (up->start == node->start && up->end == node->end))
			continue;
		if (best == TREE_NONE || up->start > p->nodes[best].start ||
		    (up->start == p->nodes[best].start && up->end < p->nodes[best].end))
			best = p->list[i].node;
	}
	return best;
}

/* May others stand below it by their paths? */
static bool
is_place(const struct tree_node *node)
{
	return node->name.len > 0 && (node->path.len > 0 || is_whole(node) || slice_caseeq(node->type, SLICE("task")) ||
	    slice_caseeq(node->type, SLICE("tool")));
}

bool
tree_paths(struct tree_node *nodes, uint32_t n)
{
	struct places p = { .nodes = nodes };
	uint32_t without = 0;

	for (uint32_t i = 0; i < n; i++)
		without += nodes[i].parent.len == 0 && nodes[i].path.len > 0;
	if (without < 1 || n < 2)
		return true;
	p.list = malloc((size_t)n * sizeof(*p.list));
	if (!p.list)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (is_place(&nodes[i]))
			p.list[p.n++] = (struct place){ hash_below(&nodes[i]), i, nodes[i].start };
	if (p.n > 0)
		qsort(p.list, p.n, sizeof(*p.list), place_order);
	for (uint32_t i = 0; i < n; i++) {
		struct tree_node *node = &nodes[i];

		if (node->parent.len > 0 || node->path.len == 0)
			continue;
		if (is_whole(node) && slice_eq(node->path, own_name(node)))
			node->up = find_around(&p, node);
		else
			node->up = find_path(&p, node, node->path);
	}
	free(p.list);
	return true;
}
