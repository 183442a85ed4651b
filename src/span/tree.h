/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: the spans of one trace as trees. Pure. Whatever the parents say, each
 * span stands in exactly one place, and walking ends:
 *
 *   a root     has no parent, one that is not in the trace, or the trace's own
 *              id as its parent where no span has that id
 *   in a ring  of spans that are each other's parents the first one is a root
 *   by path    spans that some SDKs send without their parents say the path of
 *              names that they stand below; who has that path is the parent
 *
 * Of several spans with one id the first is the parent of those that name it.
 * Roots and children keep the order in which the nodes are given.
 */
#ifndef SPAN_TREE_H
#define SPAN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

#define TREE_NONE UINT32_MAX

struct tree_node {
	struct slice	 id, parent;	/* given: ids of spans; SLICE_NONE or empty: none */
	struct slice	 path, name, type;	/* given: span_path, span_name, log_type; where it has no parent */
	int64_t		 start, end;	/* given, for that: µs */
	uint32_t	 up;		/* its parent, TREE_NONE: a root */
	uint32_t	 down, next;	/* its first child; the next one of its parent (or root) */
	uint32_t	 last;		/* its last child */
	uint32_t	 depth;		/* 0: a root */
};

struct tree {
	struct tree_node *nodes;	/* the caller's */
	uint32_t	 n, root;	/* the first root; TREE_NONE where n is 0 */
};

/* Sets the links of n nodes (fewer than TREE_NONE). False: no memory. */
bool	 tree_build(struct tree *, struct tree_node *nodes, uint32_t n);
/* tree_path.c: `up` of those without a parent, by their paths. False: no memory. */
bool	 tree_paths(struct tree_node *nodes, uint32_t n);
/* Walks parents before children: the node after `at`, TREE_NONE at the end. */
uint32_t tree_next(const struct tree *, uint32_t at);

#endif
