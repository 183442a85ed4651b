/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.c: puts the parts of a form into a tree by their names and prints it.
 * Called by the builder for requests. Values are strings, but where a name is
 * known to be a number, a switch or JSON.
 */
#include "span/form.h"

#include <stdlib.h>

#include "core/members.h"
#include "core/rewrite.h"
#include "span/json.h"

/* An object's member or a list's element. Links are indices; 0 is none, as the
 * root is nobody's child. */
struct form_node {
	struct slice	key;		/* of a member, characters */
	struct slice	value;		/* JSON; SLICE_NONE: it has children */
	size_t		parent, next, first, last;
	bool		list;		/* its children are elements */
};

#define NODES_MAX (LIMIT_PARTS * (LIMIT_FORM_DEPTH + 1) + 1)

/* Fields that are not text to who reads them. */
enum form_kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH, KIND_JSON };

static const struct { struct slice name; enum form_kind kind; } kinds[] = {
	{ SLICE("temperature"), KIND_NUMBER }, { SLICE("n"), KIND_NUMBER },
	{ SLICE("speed"), KIND_NUMBER }, { SLICE("top_p"), KIND_NUMBER },
	{ SLICE("seed"), KIND_NUMBER }, { SLICE("partial_images"), KIND_NUMBER },
	{ SLICE("output_compression"), KIND_NUMBER }, { SLICE("max_tokens"), KIND_NUMBER },
	{ SLICE("prompt_unit_price"), KIND_NUMBER }, { SLICE("completion_unit_price"), KIND_NUMBER },
	{ SLICE("stream"), KIND_SWITCH }, { SLICE("disable_log"), KIND_SWITCH },
	{ SLICE("disable_fallback"), KIND_SWITCH }, { SLICE("is_custom_prompt"), KIND_SWITCH },
	{ SLICE("positive_feedback"), KIND_SWITCH }, { SLICE("is_pinned"), KIND_SWITCH },
	{ SLICE("metadata"), KIND_JSON }, { SLICE("properties"), KIND_JSON },
	{ SLICE("variables"), KIND_JSON }, { SLICE("customer_params"), KIND_JSON },
	{ SLICE("respan_params"), KIND_JSON }, { SLICE("keywordsai_params"), KIND_JSON },
	{ SLICE("extra_body"), KIND_JSON }, { SLICE("chunking_strategy"), KIND_JSON },
};

static enum form_kind
kind_of(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (slice_eq(kinds[i].name, name))
			return kinds[i].kind;
	return KIND_TEXT;
}

void
form_init(struct form *f, struct slice boundary, struct arena *arena)
{
	multipart_init(&f->multipart, boundary);
	f->arena = arena;
	f->nodes = NULL;
	f->n = f->cap = f->target = f->texts = 0;
	f->is_file = f->in_file = f->cut = f->failed = false;
	buf_init(&f->value, LIMIT_FORM_TEXT);
}

void
form_free(struct form *f)
{
	buf_free(&f->value);
	free(f->nodes);
	f->nodes = NULL;
}

void
form_feed(struct form *f, struct slice s)
{
	multipart_feed(&f->multipart, s);
}

/* ---- the tree ---- */

/* A new last child. 0: no memory, or too many. */
static size_t
node_add(struct form *f, size_t parent, struct slice key)
{
	size_t cap = f->cap ? f->cap * 2 : 16, i;
	struct form_node *list;

	if (f->n == NODES_MAX)
		return 0;
	if (f->n == f->cap) {
		list = realloc(f->nodes, cap * sizeof(*list));
		if (list == NULL)
			return 0;
		f->nodes = list;
		f->cap = cap;
	}
	i = f->n++;
	f->nodes[i] = (struct form_node){ .key = key, .parent = parent };
	if (i == 0)
		return 0;
	if (f->nodes[parent].last != 0)
		f->nodes[f->nodes[parent].last].next = i;
	else
		f->nodes[parent].first = i;
	f->nodes[parent].last = i;
	return i;
}

static size_t
node_child(const struct form *f, size_t parent, struct slice key)
{
	size_t i;

	for (i = f->nodes[parent].first; i != 0; i = f->nodes[i].next)
		if (slice_eq(f->nodes[i].key, key))
			return i;
	return 0;
}

static size_t
node_child_or_new(struct form *f, size_t parent, struct slice key)
{
	size_t i = node_child(f, parent, key);

	return i ? i : node_add(f, parent, arena_copy(f->arena, key));
}

/* Takes the next name off `a[b][c]`: first what stands before the brackets. A
 * bracket that does not close, or comes too deep, is part of a name. */
static struct slice
segment_next(struct slice *name, bool first, unsigned depth)
{
	struct slice all = *name;
	const char *p, *end = all.ptr + all.len;

	*name = SLICE("");
	if (first) {
		p = all.len > 1 ? memchr(all.ptr + 1, '[', all.len - 1) : NULL;
		if (p == NULL || end[-1] != ']')
			return all;
		*name = slice_make(p, (size_t)(end - p));
		return slice_make(all.ptr, (size_t)(p - all.ptr));
	}
	p = memchr(all.ptr, ']', all.len);
	if (depth == LIMIT_FORM_DEPTH || all.ptr[0] != '[' || p == NULL ||
	    (p + 1 < end && p[1] != '['))
		return all;
	*name = slice_from(all, (size_t)(p + 1 - all.ptr));
	return slice_make(all.ptr + 1, (size_t)(p - all.ptr) - 1);
}

/* The element that a name goes into behind []: the last one, unless it holds
 * that name already or is no object. */
static size_t
element_for(struct form *f, size_t list, struct slice rest)
{
	size_t last = f->nodes[list].last;
	struct slice key;

	if (f->nodes[list].first != 0 && !f->nodes[list].list)
		return node_child_or_new(f, list, SLICE(""));	/* a[b] and a[]: an object stays one */
	f->nodes[list].list = true;
	if (rest.len == 0 || last == 0 || f->nodes[last].value.ptr != NULL)
		return node_add(f, list, SLICE_NONE);
	key = segment_next(&rest, false, 0);
	if (key.len > 0 && node_child(f, last, key) != 0)
		return node_add(f, list, SLICE_NONE);
	return last;
}

/* The node for a part's name, made. A name that came before and has a value
 * becomes a list of both. 0: no memory. */
static size_t
node_for(struct form *f, struct slice name)
{
	struct slice key = segment_next(&name, true, 0), value;
	size_t i = node_child_or_new(f, 0, key), old;
	unsigned depth = 1;

	while (i != 0 && name.len > 0) {
		if (f->nodes[i].value.ptr != NULL)
			f->nodes[i].value = SLICE_NONE;	/* a=1 and a[b]=2: the latter */
		key = segment_next(&name, false, depth++);
		i = key.len == 0 ? element_for(f, i, name) : node_child_or_new(f, i, key);
	}
	if (i == 0 || (f->nodes[i].value.ptr == NULL && f->nodes[i].first == 0))
		return i;
	value = f->nodes[i].value;
	if (value.ptr != NULL) {
		f->nodes[i].value = SLICE_NONE;
		f->nodes[i].list = true;
		old = node_add(f, i, SLICE_NONE);
		if (old == 0)
			return 0;
		f->nodes[old].value = value;
	}
	return f->nodes[i].list ? node_add(f, i, SLICE_NONE) : i;
}

/* ---- parts ---- */

/* Is the part a file to be handed out? */
static bool
part_is_file(const struct multipart_item *m)
{
	return m->filename.ptr != NULL &&
	    (m->name.ptr == NULL || member_find(multipart_base(m->name)) == NULL);
}

/* False: no memory. */
static bool
part_begin(struct form *f, const struct multipart_item *m, struct form_item *item)
{
	if (f->n == 0)
		(void)node_add(f, 0, SLICE_NONE);	/* the root */
	if (f->n == 0)
		return false;
	f->target = m->name.len > 0 ? node_for(f, m->name) : 0;
	if (m->name.len > 0 && f->target == 0)
		return false;
	buf_clear(&f->value);
	f->is_file = f->in_file = part_is_file(m);
	if (f->is_file) {
		item->filename = arena_copy(f->arena, m->filename);
		item->type = arena_copy(f->arena, m->type);
	}
	return true;
}

/* Is text a JSON value of that kind? */
static bool
text_is(struct slice text, enum form_kind kind)
{
	struct jvalue v;

	if (kind == KIND_TEXT || jscan_check(text, &v, NULL) != JSCAN_END)
		return false;
	switch (kind) {
	case KIND_NUMBER:
		return v.kind == JNUMBER;
	case KIND_SWITCH:
		return v.kind == JTRUE || v.kind == JFALSE;
	default:
		return v.kind == JOBJECT || v.kind == JARRAY;
	}
}

/* The name that says what kind of value a node holds: its own at the top and in
 * objects of further members of ours; a list's for its elements. */
static struct slice
node_name(const struct form *f, size_t i)
{
	const struct member *own;
	size_t up = f->nodes[i].parent;

	if (f->nodes[up].list) {
		i = up;
		up = f->nodes[i].parent;
	}
	for (; up != 0; up = f->nodes[up].parent) {
		own = member_find(f->nodes[up].key);
		if (own == NULL || !(own->flags & MEMBER_NEST))
			return SLICE("");
	}
	return f->nodes[i].key;
}

/* The field's value as JSON. */
static struct slice
field_value(struct form *f, struct slice text)
{
	struct buf out;

	if (text_is(text, kind_of(node_name(f, f->target))))
		return arena_copy(f->arena, json_trim(text));
	buf_init(&out, 6 * LIMIT_FORM_TEXT + 2);
	buf_json_string(&out, text);
	return arena_take(f->arena, &out);
}

static void
field_end(struct form *f)
{
	struct slice text = f->value.len > 0 ? buf_view(&f->value) : SLICE("");

	if (f->target == 0)
		return;
	if (f->value.failed || text.len > LIMIT_FORM_TEXT - f->texts) {
		f->cut = true;
		f->nodes[f->target].value = SLICE("null");
		return;
	}
	f->texts += text.len;
	f->nodes[f->target].value = field_value(f, text);
}

void
form_file(struct form *f, struct slice value)
{
	if (f->is_file && f->target != 0)
		f->nodes[f->target].value = value;
}

static int
part_end(struct form *f)
{
	if (!f->is_file) {
		field_end(f);
		return FORM_MORE;
	}
	f->in_file = false;
	return FORM_FILE_END;
}

/* What an item of the parser means; FORM_MORE: nothing to who reads the form. */
static int
item_read(struct form *f, int r, const struct multipart_item *m, struct form_item *item)
{
	switch (r) {
	case MULTIPART_PART:
		f->failed = !part_begin(f, m, item);
		return f->failed ? FORM_E : f->is_file ? FORM_FILE : FORM_MORE;
	case MULTIPART_BYTES:
		if (f->is_file)
			item->bytes = m->bytes;
		else
			buf_slice(&f->value, m->bytes);
		return f->is_file ? FORM_BYTES : FORM_MORE;
	case MULTIPART_PART_END:
		return part_end(f);
	case MULTIPART_END:
		return FORM_END;
	default:
		return FORM_E;
	}
}

int
form_next(struct form *f, struct form_item *item)
{
	struct multipart_item m;
	int r, result = FORM_MORE;

	*item = (struct form_item){ .bytes = SLICE_NONE };
	if (f->failed)
		return FORM_E;
	while (result == FORM_MORE && (r = multipart_next(&f->multipart, &m)) != MULTIPART_MORE)
		result = item_read(f, r, &m, item);
	return result;
}

/* ---- printing ---- */

static void
node_open(const struct form *f, size_t i, struct buf *out)
{
	const struct form_node *node = &f->nodes[i], *parent = &f->nodes[node->parent];

	if (parent->first != i)
		buf_byte(out, ',');
	if (!parent->list) {
		buf_json_string(out, node->key);
		buf_byte(out, ':');
	}
	if (node->value.ptr != NULL)
		buf_slice(out, node->value);
	else if (node->first == 0)
		buf_str(out, node->list ? "[]" : "null");
	else
		buf_byte(out, node->list ? '[' : '{');
}

void
form_json(const struct form *f, struct buf *out)
{
	size_t i = f->n ? f->nodes[0].first : 0;

	buf_byte(out, '{');
	while (i != 0) {
		node_open(f, i, out);
		if (f->nodes[i].value.ptr == NULL && f->nodes[i].first != 0) {
			i = f->nodes[i].first;
			continue;
		}
		while (i != 0 && f->nodes[i].next == 0) {
			i = f->nodes[i].parent;
			if (i != 0)
				buf_byte(out, f->nodes[i].list ? ']' : '}');
		}
		i = i ? f->nodes[i].next : 0;
	}
	buf_byte(out, '}');
}
