/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_yaml: libyaml's events into a small tree that keeps line and column.
 * It knows no setting; config.c walks the tree.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/base.h"
#include "base/config_int.h"
#include "base/log.h"

#define DEPTH_MAX 8		/* settings nest three deep */
#define NODES_MAX 100000	/* a file of settings has some hundred */

struct reader {
	yaml_parser_t	 parser;
	const char	*file;
	char		*err;
	size_t		 errlen;
	size_t		 nodes;
};

static bool	node_read(struct reader *, const yaml_event_t *, unsigned, struct yaml_node *);

static bool
fail(struct reader *r, const yaml_mark_t *mark, const char *what)
{
	snprintf(r->err, r->errlen, "%s:%zu:%zu: %s", r->file, mark->line + 1,
	    mark->column + 1, what);
	return false;
}

static bool
event_next(struct reader *r, yaml_event_t *event)
{
	const yaml_parser_t	*p = &r->parser;

	if (yaml_parser_parse(&r->parser, event))
		return true;
	if (p->error == YAML_READER_ERROR)
		snprintf(r->err, r->errlen, "%s: %s at byte %zu", r->file,
		    p->problem, p->problem_offset);
	else
		fail(r, &p->problem_mark, p->problem ? p->problem : "out of memory");
	return false;
}

static void
node_clear(struct yaml_node *n)
{
	size_t	i;

	for (i = 0; i < n->count; i++)
		node_clear(&n->items[i]);
	free(n->items);
	free(n->text);
}

void
yaml_tree_free(struct yaml_node *n)
{
	if (n == NULL)
		return;
	node_clear(n);
	free(n);
}

const struct yaml_node *
yaml_tree_get(const struct yaml_node *n, const char *key)
{
	size_t	i;

	for (i = 0; i + 1 < n->count; i += 2)
		if (strcmp(n->items[i].text, key) == 0)
			return &n->items[i + 1];
	return NULL;
}

static bool
text_read(struct reader *r, const yaml_event_t *e, struct yaml_node *n)
{
	const char	*text = (const char *)e->data.scalar.value;
	bool		 plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
		return fail(r, &e->start_mark, "anchors and tags are not used here");
	if (strlen(text) != e->data.scalar.length)
		return fail(r, &e->start_mark, "a text may hold no NUL");
	n->kind = YAML_TEXT;
	n->null = plain && (*text == '\0' || strcmp(text, "~") == 0 ||
	    strcmp(text, "null") == 0);
	n->text = xstrdup(text);
	return true;
}

/* A key that was just read: a text, and not there before. */
static bool
key_check(struct reader *r, const struct yaml_node *n, const yaml_mark_t *mark)
{
	const struct yaml_node	*key = &n->items[n->count - 1];
	size_t			 i;

	if (key->kind != YAML_TEXT)
		return fail(r, mark, "a member's name is expected");
	for (i = 0; i + 1 < n->count; i += 2)
		if (strcmp(n->items[i].text, key->text) == 0) {
			snprintf(r->err, r->errlen, "%s:%zu:%zu: %s: given twice, first on line %zu",
			    r->file, mark->line + 1, mark->column + 1, key->text,
			    n->items[i].line);
			return false;
		}
	return true;
}

static bool
items_read(struct reader *r, unsigned depth, struct yaml_node *n)
{
	yaml_event_t	event;
	bool		good = true;

	while (good) {
		if (!event_next(r, &event))
			return false;
		if (event.type == YAML_SEQUENCE_END_EVENT ||
		    event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		n->items = xrealloc(n->items, (n->count + 1) * sizeof(*n->items));
		memset(&n->items[n->count], 0, sizeof(*n->items));
		good = node_read(r, &event, depth + 1, &n->items[n->count++]);
		if (good && n->kind == YAML_MAPPING && n->count % 2 == 1)
			good = key_check(r, n, &event.start_mark);
		yaml_event_delete(&event);
	}
	return false;
}

/* The node that begins with this event. */
static bool
node_read(struct reader *r, const yaml_event_t *e, unsigned depth, struct yaml_node *n)
{
	n->line = e->start_mark.line + 1;
	n->column = e->start_mark.column + 1;
	if (depth > DEPTH_MAX || ++r->nodes > NODES_MAX)
		return fail(r, &e->start_mark, "too deep or too long for settings");
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return text_read(r, e, n);
	case YAML_SEQUENCE_START_EVENT:
		n->kind = YAML_LIST;
		return items_read(r, depth, n);
	case YAML_MAPPING_START_EVENT:
		n->kind = YAML_MAPPING;
		return items_read(r, depth, n);
	default:
		return fail(r, &e->start_mark, "anchors and tags are not used here");
	}
}

/* The one document of the stream into root. */
static bool
document_read(struct reader *r, struct yaml_node *root)
{
	yaml_event_t	event;
	bool		good = true, seen = false;
	int		type;

	root->kind = YAML_MAPPING;
	root->line = root->column = 1;
	do {
		if (!event_next(r, &event))
			return false;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT) {
			if (seen)
				good = fail(r, &event.start_mark, "a second document");
			seen = true;
		} else if (type != YAML_STREAM_START_EVENT &&
		    type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT)
			good = node_read(r, &event, 0, root);
		yaml_event_delete(&event);
	} while (good && type != YAML_STREAM_END_EVENT);
	if (good && root->kind == YAML_TEXT && root->null)
		root->kind = YAML_MAPPING;
	return good;
}

struct yaml_node *
yaml_tree_read(const char *file, char *err, size_t errlen)
{
	struct reader	 r = { .file = file, .err = err, .errlen = errlen };
	struct yaml_node *root;
	FILE		*f = fopen(file, "re");

	if (f == NULL) {
		snprintf(err, errlen, "%s: %s", file, strerror(errno));
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser))
		bug("out of memory");
	yaml_parser_set_input_file(&r.parser, f);
	root = xcalloc(1, sizeof(*root));
	if (!document_read(&r, root)) {
		yaml_tree_free(root);
		root = NULL;
	}
	yaml_parser_delete(&r.parser);
	fclose(f);
	return root;
}
