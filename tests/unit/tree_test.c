/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of spans: what is a root, rings, twins, and that each span is in exactly
 * one place, whatever the parents say. */
#include <stdio.h>
#include <stdlib.h>

#include "span/tree.h"
#include "tap.h"

/* The walk as text: "a(b(c))d". Ids and parents are letters; '.' is none. */
static bool
tree_is(const char *ids, const char *parents, const char *want)
{
	struct tree_node nodes[64] = { { .up = 0 } };
	uint32_t n = (uint32_t)strlen(ids), depth = 0;
	char got[300] = "";
	struct tree tree;
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		nodes[i].id = ids[i] == '.' ? SLICE_NONE : slice_make(ids + i, 1);
		nodes[i].parent = parents[i] == '.' ? SLICE_NONE : slice_make(parents + i, 1);
	}
	if (!tree_build(&tree, nodes, n))
		return false;
	for (uint32_t at = tree.root; at != TREE_NONE; at = tree_next(&tree, at)) {
		for (; depth > nodes[at].depth; depth--)
			got[len++] = ')';
		for (; depth < nodes[at].depth; depth++)
			got[len++] = '(';
		got[len++] = ids[at];
	}
	for (; depth > 0; depth--)
		got[len++] = ')';
	if (strcmp(got, want) != 0)
		printf("# %s %s: %s, not %s\n", ids, parents, got, want);
	return strcmp(got, want) == 0;
}

static void
test_shapes(void)
{
	ok(tree_is("", "", ""));
	ok(tree_is("a", ".", "a"));
	ok(tree_is("abcd", ".abb", "a(b(cd))"));
	ok(tree_is("cba", "ba.", "a(b(c))"));		/* children before parents */
	ok(tree_is("abc", ".xa", "a(c)b"));		/* an orphan is a root */
	ok(tree_is("ab", "ab", "ab"));			/* self-parents */
	ok(tree_is("ta", ".t", "t(a)"));		/* the root has the trace's id */
	ok(tree_is("ab", "ba", "a(b)"));		/* a ring */
	ok(tree_is("xabcy", "cbcac", "a(c(xby))"));
	ok(tree_is("aab", ".xa", "a(b)a"));		/* twins */
	ok(tree_is("..a", "a..", ".a(.)"));		/* spans without an id */
}

static uint32_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Every node once, after its parent, children in order; depths agree. */
static bool
walk_is_whole(const struct tree *tree, uint32_t *seen)
{
	uint32_t count = 0;

	memset(seen, 0, tree->n * sizeof(*seen));
	for (uint32_t at = tree->root; at != TREE_NONE; at = tree_next(tree, at)) {
		const struct tree_node *node = &tree->nodes[at];

		if (seen[at]++ || ++count > tree->n)
			return false;
		if (node->up == TREE_NONE ? node->depth != 0 :
		    !seen[node->up] || node->depth != tree->nodes[node->up].depth + 1)
			return false;
		if (node->next != TREE_NONE && (node->next <= at || tree->nodes[node->next].up != node->up))
			return false;
	}
	return count == tree->n;
}

static void
test_random(void)
{
	enum { MOST = 300 };
	static struct tree_node nodes[MOST];
	static uint32_t seen[MOST];
	static char names[MOST][8];
	bool good = true;
	struct tree tree;

	for (uint32_t i = 0; i < MOST; i++)
		snprintf(names[i], sizeof(names[i]), "s%u", i);
	for (int round = 0; round < 20000 && good; round++) {
		uint32_t n = 1 + next_random() % (round % 10 ? 12 : MOST), spread = 1 + next_random() % (n + 3);

		for (uint32_t i = 0; i < n; i++) {
			nodes[i].id = next_random() % 20 ? slice_str(names[next_random() % n]) : SLICE_NONE;
			nodes[i].parent = next_random() % 8 ? slice_str(names[next_random() % spread % MOST]) : SLICE("");
		}
		good = tree_build(&tree, nodes, n) && walk_is_whole(&tree, seen);
	}
	ok(good);
}

/* A chain as deep as it gets, its end first, and a ring of all. */
static void
test_deep(void)
{
	enum { DEEP = 100000 };
	struct tree_node *nodes = calloc(DEEP, sizeof(*nodes));
	uint32_t *seen = calloc(DEEP, sizeof(*seen));
	char (*names)[8] = calloc(DEEP, sizeof(*names));
	struct tree tree;

	for (uint32_t i = 0; i < DEEP; i++) {
		snprintf(names[i], sizeof(names[i]), "%u", i);
		nodes[i].id = slice_str(names[i]);
	}
	for (uint32_t i = 0; i + 1 < DEEP; i++)
		nodes[i].parent = slice_str(names[i + 1]);
	ok(tree_build(&tree, nodes, DEEP) && tree.root == DEEP - 1 && nodes[0].depth == DEEP - 1);
	nodes[DEEP - 1].parent = slice_str(names[0]);
	ok(tree_build(&tree, nodes, DEEP) && tree.root == 0 && nodes[1].depth == DEEP - 1);
	ok(walk_is_whole(&tree, seen));
	free(nodes);
	free(seen);
	free(names);
}

int
main(void)
{
	test_shapes();
	test_random();
	test_deep();
	return done();
}
