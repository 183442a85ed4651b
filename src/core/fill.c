/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill.c: {{name}} in the texts of a request, filled in from its own
 * `variables`. Called by rewrite.c when the edits are made. It goes only into
 * texts that are a prompt (by the table of places below): never into names,
 * calls of tools, URLs or schemas. What it does not know stays as it is.
 *
 * A string goes in as it stands between its quotes, a number or boolean as it
 * is written: these are pieces of the body. Objects and lists go in as their
 * text without blanks, escaped. null is as good as absent.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "core/rewrite_mark.h"

struct variable {
	struct slice	name;		/* its characters */
	size_t		index;		/* of equal names the last one counts */
	struct jvalue	value;
	size_t		at, len;	/* of an object or list: its text, once it is made */
};

struct fill {
	struct rewrite	*rw;
	struct variable	*list;		/* by name, then index */
	size_t		 count, cap;
	char		*names;		/* those that are no piece of the body */
	struct edits	 edits;		/* replacements are set last */
	const struct variable **used;	/* by edit */
	size_t		 room;		/* of both */
	bool		 full;		/* more places or variables than may be */
};

/* What to look for in a member: a text or a list of texts; a text or a list of
 * objects with `text`; a text or a list of objects whose `content` is that. */
enum shape { TEXTS, CONTENT, MESSAGES };

static const struct {
	enum family	family;
	struct slice	member;
	enum shape	shape;
} places[] = {
	{ FAMILY_CHAT, SLICE("messages"), MESSAGES },
	{ FAMILY_COMPLETION, SLICE("prompt"), TEXTS },
	{ FAMILY_RESPONSE, SLICE("instructions"), MESSAGES },
	{ FAMILY_RESPONSE, SLICE("input"), MESSAGES },
	{ FAMILY_MESSAGES, SLICE("system"), CONTENT },
	{ FAMILY_MESSAGES, SLICE("messages"), MESSAGES },
};

/* ---- the variables ---- */

/* The request's variables, JNONE where it has none or a member of that name is
 * the provider's. Without a mark that could hold some nothing is looked at. */
static struct jvalue
variables_find(const struct rewrite *rw)
{
	const struct jvalue none = { JNONE, SLICE_NONE };
	const struct rewrite_mark *m;
	struct own_member own;
	struct own_iter it;
	bool maybe = false;
	size_t i;

	for (i = 0; i < rw->count; i++) {
		m = &rw->marks[i];
		if (strcmp(m->own->name, "variables") == 0) {
			if (!rewrite_mark_is_cut(rw, m))
				return none;
			maybe = true;
		}
		maybe |= (m->own->flags & MEMBER_NEST) != 0;
	}
	if (!maybe)
		return none;
	own_iter_init(&it, (struct jvalue){ JOBJECT, rw->object }, none);
	while (own_iter_next(&it, &own))
		if (strcmp(own.name, "variables") == 0)
			return own.value;
	return none;
}

static int
name_compare(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

static int
variable_compare(const void *a, const void *b)
{
	const struct variable *v = a, *w = b;
	int order = name_compare(v->name, w->name);

	return order ? order : v->index < w->index ? -1 : 1;
}

/* How many there are, and the room that their names take at most. */
static size_t
variables_count(struct jvalue variables, size_t *room)
{
	struct jmember m;
	struct jiter it;
	size_t n = 0;

	*room = 0;
	jiter_init(&it, variables);
	while (jiter_next(&it, &m) && n++ < LIMIT_VARIABLES)
		if (!m.key_plain && m.key.len <= 6 * LIMIT_VARIABLE_NAME)
			*room += m.key.len;
	return n;
}

/* Takes the variables in, sorted. -1: memory. */
static int
variables_take(struct fill *f, struct jvalue variables)
{
	struct jmember m;
	struct jiter it;
	struct slice name;
	size_t room, used = 0, n = variables_count(variables, &room), i = 0;

	f->full = n > LIMIT_VARIABLES;
	if (n == 0 || f->full)
		return 0;
	f->list = calloc(n, sizeof(*f->list));
	f->names = malloc(room + 1);
	if (f->list == NULL || f->names == NULL)
		return -1;
	jiter_init(&it, variables);
	for (; jiter_next(&it, &m); i++) {
		name = jkey_plain(&m, f->names + used, room - used);
		if (name.ptr == NULL || name.len > LIMIT_VARIABLE_NAME)
			continue;
		if (name.ptr == f->names + used)
			used += name.len;
		f->list[f->count++] = (struct variable){ .name = name, .index = i, .value = m.value };
	}
	qsort(f->list, f->count, sizeof(*f->list), variable_compare);
	return 0;
}

/* The last variable of that name; NULL: there is none, or it is null. A name
 * that could not be read, as it is too long, is none. */
static const struct variable *
variable_find(const struct fill *f, struct slice name)
{
	size_t low = 0, high = f->count, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (name_compare(f->list[mid].name, name) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (name.ptr == NULL || low == 0 || name_compare(f->list[low - 1].name, name) != 0 ||
	    f->list[low - 1].value.kind == JNULL)
		return NULL;
	return &f->list[low - 1];
}

/* ---- the places ---- */

/* One more edit. False: memory, or there are too many. */
static bool
fill_add(struct fill *f, struct slice whole, const struct variable *v)
{
	size_t n = f->edits.count, cap = f->cap ? 2 * f->cap : 16;
	struct edit *list;
	const struct variable **used;

	f->full |= n == f->room;
	if (f->full)
		return false;
	if (n == f->cap) {
		list = realloc(f->edits.list, cap * sizeof(*list));
		if (list == NULL)
			return false;
		f->edits.list = list;
		used = realloc(f->used, cap * sizeof(*used));
		if (used == NULL)
			return false;
		f->used = used;
		f->cap = cap;
	}
	f->edits.list[n] = (struct edit){ (uint64_t)(whole.ptr - f->rw->body.ptr), whole.len, SLICE_NONE };
	f->used[n] = v;
	f->edits.count++;
	return true;
}

/* The next two opening braces; NULL: there are none. */
static const char *
braces_find(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '{', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && p[1] == '{')
			return p;
		p++;
	}
	return NULL;
}

/* Takes text up to and with the next place off the front of *s. Between the
 * braces there is no other brace. */
static bool
place_next(struct slice *s, struct slice *whole, struct slice *name)
{
	const char *p, *q, *end = s->ptr + s->len;

	while (s->len > 4 && (p = braces_find(s->ptr, end)) != NULL) {
		for (q = p + 2; q < end && *q != '{' && *q != '}'; q++)
			;
		if (end - q >= 2 && q[0] == '}' && q[1] == '}') {
			*whole = slice_make(p, (size_t)(q + 2 - p));
			*name = slice_trim(slice_make(p + 2, (size_t)(q - p - 2)));
			*s = slice_make(q + 2, (size_t)(end - q - 2));
			return true;
		}
		if (q == p + 2)
			q = p + 1;
		*s = slice_make(q, (size_t)(end - q));
	}
	return false;
}

static bool
fill_text(struct fill *f, struct jvalue v)
{
	char scratch[LIMIT_VARIABLE_NAME];
	const struct variable *found;
	struct slice rest, whole;
	struct jmember name = { .key_plain = false };

	if (v.kind != JSTRING)
		return true;
	rest = slice_make(v.text.ptr + 1, v.text.len - 2);
	while (place_next(&rest, &whole, &name.key)) {
		found = variable_find(f, jkey_plain(&name, scratch, sizeof(scratch)));
		if (found != NULL && !fill_add(f, whole, found))
			return false;
	}
	return true;
}

/* v itself if it is a text. Of a list each element, or in each the member of
 * that name. */
static bool
fill_each(struct fill *f, struct jvalue v, struct slice name,
    bool (*one)(struct fill *, struct jvalue))
{
	struct jmember element, m;
	struct jiter it, inner;

	if (v.kind == JSTRING)
		return fill_text(f, v);
	if (v.kind != JARRAY)
		return true;
	jiter_init(&it, v);
	while (jiter_next(&it, &element)) {
		if (name.len == 0 && !one(f, element.value))
			return false;
		if (name.len == 0 || element.value.kind != JOBJECT)
			continue;
		jiter_init(&inner, element.value);
		while (jiter_next(&inner, &m))
			if (jkey_is(&m, name) && !one(f, m.value))
				return false;
	}
	return true;
}

static bool
fill_content(struct fill *f, struct jvalue v)
{
	return fill_each(f, v, SLICE("text"), fill_text);
}

static bool
fill_member(struct fill *f, const struct jmember *m)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].family != f->rw->family || !jkey_is(m, places[i].member))
			continue;
		switch (places[i].shape) {
		case TEXTS:
			return fill_each(f, m->value, SLICE(""), fill_text);
		case CONTENT:
			return fill_content(f, m->value);
		case MESSAGES:
			return fill_each(f, m->value, SLICE("content"), fill_content);
		}
	}
	return true;
}

/* Goes over the body. False: memory, or `full`. */
static bool
fill_body(struct fill *f)
{
	struct jmember m;
	struct jiter it;

	jiter_init(&it, (struct jvalue){ JOBJECT, f->rw->object });
	while (jiter_next(&it, &m))
		if (!fill_member(f, &m))
			return false;
	return true;
}

/* ---- what goes in ---- */

static bool
is_structure(struct jvalue v)
{
	return v.kind == JOBJECT || v.kind == JARRAY;
}

/* Appends a JSON text without its blanks, as it stands within a string: no
 * control character can be in it, so only these two need an escape. */
static void
text_put(struct slice json, struct buf *out)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
			continue;
		if (c == '"' || c == '\\')
			buf_byte(out, '\\');
		buf_byte(out, c);
		if (c == '"')
			quoted = !quoted;
		else if (c == '\\') {	/* the escaped character, be it a quote */
			c = json.ptr[++i];
			if (c == '"' || c == '\\')
				buf_byte(out, '\\');
			buf_byte(out, c);
		}
	}
}

/* Makes the texts of objects and lists that are used. False: they are larger
 * than a SEND has room for. */
static bool
texts_make(struct fill *f, struct buf *out)
{
	size_t total = 0, i;

	for (i = 0; i < f->edits.count; i++) {
		struct variable *v = &f->list[f->used[i] - f->list];

		if (!is_structure(v->value))
			continue;
		if (v->len == 0) {
			v->at = out->len;
			text_put(v->value.text, out);
			v->len = out->len - v->at;
		}
		total += v->len;
		if (out->failed || total > LIMIT_FILL_TEXT)
			return false;
	}
	return true;
}

static struct slice
replacement_of(const struct variable *v, const char *texts)
{
	struct slice s = v->value.text;

	if (is_structure(v->value))
		return slice_make(texts + v->at, v->len);
	return v->value.kind == JSTRING ? slice_make(s.ptr + 1, s.len - 2) : s;
}

/* Sets the replacements. False: too large. */
static bool
replacements_set(struct fill *f)
{
	uint64_t length = f->rw->body.len;
	struct buf texts;
	size_t i, len;
	bool good;

	buf_init(&texts, LIMIT_FILL_TEXT);
	good = texts_make(f, &texts);
	for (i = 0; good && i < f->edits.count; i++) {
		struct edit *e = &f->edits.list[i];

		e->replacement = replacement_of(f->used[i], texts.ptr);
		length = length - e->length + e->replacement.len;
	}
	good = good && length <= LIMIT_FILLED;
	if (good)
		f->rw->fill_text = buf_take(&texts, &len);
	buf_free(&texts);
	return good;
}

static int
fill_run(struct fill *f, struct jvalue variables)
{
	if (variables_take(f, variables) < 0)
		return -1;
	if (f->count > 0 && !fill_body(f) && !f->full)
		return -1;
	if (f->full)
		f->rw->note = "variables_too_many\n";
	else if (f->edits.count > 0 && !replacements_set(f))
		f->rw->note = "variables_too_large\n";
	if (f->rw->note != NULL)
		f->edits.count = 0;
	return 0;
}

int
fill_make(struct rewrite *rw, size_t room, struct edits *fills)
{
	struct fill f = { .rw = rw, .room = room };
	struct jvalue variables = variables_find(rw);
	int r;

	*fills = (struct edits){ NULL, 0 };
	if (variables.kind != JOBJECT)
		return 0;
	r = fill_run(&f, variables);
	free(f.list);
	free(f.names);
	free(f.used);
	if (r == 0)
		*fills = f.edits;
	else
		free(f.edits.list);
	return r;
}
