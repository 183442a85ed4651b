/* SPDX-License-Identifier: Apache-2.0 */
/* tree: see tree.h. Called by the API for one trace; without recursion, so that depth costs no stack. */
#include "span/tree.h"

#include <stdlib.h>

/* Open addressing over the nodes' ids. */
struct index {
	uint32_t	*slots, mask;
};

static uint32_t
hash_of(struct slice s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The slot of an id: that of the first node that has it, else an empty one. */
static uint32_t *
slot_of(const struct index *index, const struct tree_node *nodes, struct slice id)
{
	uint32_t i = hash_of(id), *slot;

	for (;; i++) {
		slot = &index->slots[i & index->mask];
		if (*slot == TREE_NONE || slice_eq(nodes[*slot].id, id))
			return slot;
	}
}

static bool
index_make(struct index *index, const struct tree_node *nodes, uint32_t n)
{
	uint64_t size = 16;
	uint32_t *slot;

	while (size < (uint64_t)n * 2)
		size *= 2;
	index->mask = (uint32_t)(size - 1);
	index->slots = malloc(size * sizeof(*index->slots));
	if (!index->slots)
		return false;
	memset(index->slots, 0xff, size * sizeof(*index->slots));
	for (uint32_t i = 0; i < n; i++) {
		if (nodes[i].id.len == 0)
			continue;
		slot = slot_of(index, nodes, nodes[i].id);
		if (*slot == TREE_NONE)
			*slot = i;
	}
	return true;
}

/* Cuts rings open: walks up from each node, `seen` says in which walk a node
 * was met. A node of an earlier walk leads to a root. */
static void
cut_rings(struct tree_node *nodes, uint32_t n, uint32_t *seen)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i, first;

		while (at != TREE_NONE && seen[at] == 0) {
			seen[at] = i + 1;
			at = nodes[at].up;
		}
		if (at == TREE_NONE || seen[at] != i + 1)
			continue;
		first = at;
		for (uint32_t ring = nodes[at].up; ring != at; ring = nodes[ring].up)
			first = ring < first ? ring : first;
		nodes[first].up = TREE_NONE;
	}
}

static void
link_down(struct tree *tree)
{
	uint32_t last = TREE_NONE;

	for (uint32_t i = 0; i < tree->n; i++) {
		struct tree_node *node = &tree->nodes[i], *up;

		if (node->up == TREE_NONE) {
			*(last == TREE_NONE ? &tree->root : &tree->nodes[last].next) = i;
			last = i;
			continue;
		}
		up = &tree->nodes[node->up];
		*(up->last == TREE_NONE ? &up->down : &tree->nodes[up->last].next) = i;
		up->last = i;
	}
}

uint32_t
tree_next(const struct tree *tree, uint32_t at)
{
	const struct tree_node *nodes = tree->nodes;

	if (nodes[at].down != TREE_NONE)
		return nodes[at].down;
	while (at != TREE_NONE && nodes[at].next == TREE_NONE)
		at = nodes[at].up;
	return at == TREE_NONE ? TREE_NONE : nodes[at].next;
}

bool
tree_build(struct tree *tree, struct tree_node *nodes, uint32_t n)
{
	uint32_t *seen = calloc((size_t)n + 1, sizeof(*seen));
	struct index index = { NULL, 0 };

	*tree = (struct tree){ nodes, n, TREE_NONE };
	if (!seen || !index_make(&index, nodes, n)) {
		free(seen);
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct tree_node *node = &nodes[i];

		node->down = node->next = node->last = node->up = TREE_NONE;
		node->depth = 0;
		if (node->parent.len > 0)
			node->up = *slot_of(&index, nodes, node->parent);
		if (node->up == i || slice_eq(node->parent, node->id))
			node->up = TREE_NONE;
	}
	if (!tree_paths(nodes, n)) {
		free(seen);
		free(index.slots);
		return false;
	}
	cut_rings(nodes, n, seen);
	link_down(tree);
	for (uint32_t at = tree->root; at != TREE_NONE; at = tree_next(tree, at))
		nodes[at].depth = nodes[at].up == TREE_NONE ? 0 : nodes[nodes[at].up].depth + 1;
	free(seen);
	free(index.slots);
	return true;
}
