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

/* A decorated span: its name, type, path and times; or a child by its id. */
struct decorated {
	const char	*id, *parent, *name, *type, *path;
	int64_t		 start, end;
};

/* The walk as text, by ids of one letter. */
static bool
paths_are(const struct decorated *spans, uint32_t n, const char *want)
{
	struct tree_node nodes[16] = { { .up = 0 } };
	uint32_t depth = 0;
	char got[100] = "";
	struct tree tree;
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++)
		nodes[i] = (struct tree_node){ .id = slice_str(spans[i].id), .parent = slice_str(spans[i].parent),
		    .name = slice_str(spans[i].name), .type = slice_str(spans[i].type), .path = slice_str(spans[i].path),
		    .start = spans[i].start, .end = spans[i].end };
	if (!tree_build(&tree, nodes, n))
		return false;
	for (uint32_t at = tree.root; at != TREE_NONE; at = tree_next(&tree, at)) {
		for (; depth > nodes[at].depth; depth--)
			got[len++] = ')';
		for (; depth < nodes[at].depth; depth++)
			got[len++] = '(';
		got[len++] = *spans[at].id;
	}
	for (; depth > 0; depth--)
		got[len++] = ')';
	if (strcmp(got, want) != 0)
		printf("# %s, not %s\n", got, want);
	return strcmp(got, want) == 0;
}
#define PATHS(want, ...) paths_are((const struct decorated[]){ __VA_ARGS__ }, \
	sizeof((const struct decorated[]){ __VA_ARGS__ }) / sizeof(struct decorated), want)

/* Spans that were sent without their parents. */
static void
test_paths(void)
{
	ok(PATHS("w(t(lc))", { "w", "", "wf.workflow", "workflow", "wf", 0, 100 },
	    { "t", "", "tk.task", "task", "wf", 10, 90 }, { "l", "", "tl.tool", "tool", "wf.tk", 20, 30 },
	    { "c", "t", "openai.chat", "chat", "wf.tk", 30, 40 }));
	/* the workflow has not come yet, or all began together */
	ok(PATHS("t(l)", { "t", "", "tk.task", "task", "wf", 10, 90 }, { "l", "", "tl.tool", "tool", "wf.tk", 20, 30 }));
	ok(PATHS("w(t(l))", { "l", "", "tl.tool", "tool", "wf.tk", 5, 5 }, { "t", "", "tk.task", "task", "wf", 5, 6 },
	    { "w", "", "wf.workflow", "workflow", "wf", 5, 7 }));
	/* the root of newer SDKs has no path; a task may be one, or repeat the name */
	ok(PATHS("t(l)", { "t", "", "tk.task", "task", "", 0, 9 }, { "l", "", "tl.tool", "tool", "tk", 1, 2 }));
	ok(PATHS("w(t(l))", { "w", "", "a.workflow", "workflow", "a", 0, 9 }, { "t", "", "a.task", "task", "a", 1, 8 },
	    { "l", "", "l.tool", "tool", "a.a", 2, 3 }));
	/* a task that runs twice has its own children, those of the innermost that was open */
	ok(PATHS("w(s(a)t(b))", { "w", "", "w.workflow", "workflow", "w", 0, 99 }, { "s", "", "t.task", "task", "w", 1, 40 },
	    { "a", "", "a.tool", "tool", "w.t", 2, 3 }, { "t", "", "t.task", "task", "w", 50, 90 },
	    { "b", "", "a.tool", "tool", "w.t", 60, 61 }));
	ok(PATHS("w(s(a))", { "w", "", "w.workflow", "workflow", "w", 0, 99 }, { "s", "", "t.task", "task", "w", 1, 2 },
	    { "a", "", "a.tool", "tool", "w.t", 5, 6 }));	/* none is open any more */
	/* an agent in a task keeps its path; one in a workflow has its own name */
	ok(PATHS("w(t(a(l)))", { "w", "", "w.workflow", "workflow", "w", 0, 99 }, { "t", "", "t.task", "task", "w", 1, 90 },
	    { "a", "", "a.agent", "agent", "w.t", 2, 80 }, { "l", "", "l.tool", "tool", "w.t", 3, 4 }));
	ok(PATHS("w(a(l))", { "w", "", "w.workflow", "workflow", "w", 0, 99 }, { "a", "", "a.agent", "agent", "a", 2, 80 },
	    { "l", "", "l.tool", "tool", "a", 3, 4 }));
	/* nobody has the path */
	ok(PATHS("ab", { "a", "", "a.task", "task", "x.y", 0, 9 }, { "b", "", "b.task", "task", "x", 1, 2 }));
	ok(PATHS("ab", { "a", "", "a.workflow", "workflow", "a", 0, 9 }, { "b", "", "b.workflow", "workflow", "b", 0, 9 }));
}

/* Many of one path, none of which holds the others: time does not grow with their square. */
static void
test_many_paths(void)
{
	enum { MANY = 50000 };
	struct tree_node *nodes = calloc(MANY, sizeof(*nodes));
	struct tree tree;

	for (uint32_t i = 0; i < MANY; i++)
		nodes[i] = (struct tree_node){ .name = SLICE("w"), .type = i & 1 ? SLICE("workflow") : SLICE("task"),
		    .path = SLICE("w"), .start = i, .end = i };
	ok(tree_build(&tree, nodes, MANY));
	free(nodes);
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
	static const char *const paths[] = { "a", "b", "", "a.b", "a.a" };
	bool good = true;
	struct tree tree;

	for (uint32_t i = 0; i < MOST; i++)
		snprintf(names[i], sizeof(names[i]), "s%u", i);
	for (int round = 0; round < 20000 && good; round++) {
		uint32_t n = 1 + next_random() % (round % 10 ? 12 : MOST), spread = 1 + next_random() % (n + 3);

		for (uint32_t i = 0; i < n; i++) {
			nodes[i].id = next_random() % 20 ? slice_str(names[next_random() % n]) : SLICE_NONE;
			nodes[i].parent = next_random() % 8 ? slice_str(names[next_random() % spread % MOST]) : SLICE("");
			nodes[i].path = slice_str(paths[next_random() % 5]);
			nodes[i].name = slice_str(paths[next_random() % 3]);
			nodes[i].type = next_random() % 2 ? SLICE("task") : SLICE("workflow");
			nodes[i].start = next_random() % 10;
			nodes[i].end = nodes[i].start + next_random() % 5;
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
	test_paths();
	test_many_paths();
	test_random();
	test_deep();
	return done();
}
