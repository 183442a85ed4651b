/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite.c: one scan of a request body notes the gateway's own members; then
 * the edits are made from the notes. Called by the exchange before anything
 * goes upstream. Never touches a byte that is not a member to be cut or part
 * of stream_options.
 *
 * Members that are cut side by side make one edit: with the comma and blanks
 * up to the next member, or, at the object's end, from the end of the last
 * member that stays.
 */
#include "core/rewrite.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/rewrite_mark.h"

/* Each mark may become an edit, and asking for usage takes one more. */
#define MARKS_MAX (LIMIT_EDITS - 1)

#define ASK_MEMBER "\"include_usage\":true"

/* The object being walked: what its next mark needs to know. */
struct walk {
	size_t	index;		/* of the member */
	size_t	before;
	size_t	open;		/* mark + 1 whose next is still to come; 0: none */
	bool	inside;
};

struct rewrite_mark *
rewrite_mark_new(struct rewrite *rw)
{
	size_t cap = rw->cap ? rw->cap * 2 : 8;
	struct rewrite_mark *p;

	rw->full |= rw->count == MARKS_MAX;
	if (rw->full)
		return NULL;
	if (rw->count == rw->cap) {
		p = realloc(rw->marks, cap * sizeof(*p));
		if (p == NULL)
			return NULL;
		rw->marks = p;
		rw->cap = cap;
	}
	return &rw->marks[rw->count++];
}

/* Goes over one member; own is NULL where it is not one to be marked. */
static bool
walk_member(struct rewrite *rw, struct walk *w, const struct jmember *m, const struct member *own)
{
	size_t start = (size_t)(m->key_text.ptr - rw->body.ptr);
	size_t end = (size_t)(m->value.text.ptr - rw->body.ptr) + m->value.text.len;
	struct rewrite_mark *mark = NULL;

	if (w->open != 0)
		rw->marks[w->open - 1].next = start;
	w->open = 0;
	if (own != NULL && (mark = rewrite_mark_new(rw)) == NULL && !rw->full)
		return false;
	if (own != NULL && !rw->full) {
		*mark = (struct rewrite_mark){
			.own = own, .value = m->value, .start = start, .end = end,
			.before = w->before, .index = w->index, .inside = w->inside,
		};
		w->open = rw->count;
	}
	w->index++;
	w->before = end;
	return true;
}

/* Anthropic clients send our params inside metadata, which goes on without. */
static bool
walk_metadata(struct rewrite *rw, struct jvalue metadata)
{
	const struct member *own;
	struct walk w = { .inside = true };
	struct jmember m;
	struct jiter it;

	jiter_init(&it, metadata);
	while (metadata.kind == JOBJECT && jiter_next(&it, &m)) {
		own = member_of(&m);
		if (own != NULL && (!(own->flags & MEMBER_NEST) ||
		    strcmp(own->name, "extra_body") == 0))
			own = NULL;
		if (!walk_member(rw, &w, &m, own))
			return false;
	}
	return true;
}

/* The members that say what kind of request it is; the last of each counts. */
static void
note_request(struct rewrite *rw, struct slice name, struct jvalue v)
{
	if (slice_eq(name, SLICE("model")))
		rw->model = v;
	else if (slice_eq(name, SLICE("stream")))
		rw->stream = v.kind == JTRUE;
	else if (slice_eq(name, SLICE("store")))
		rw->store = v.kind == JTRUE;
	else if (slice_eq(name, SLICE("stream_options")))
		rw->stream_options = v;
}

static bool
scan_member(struct rewrite *rw, struct walk *w, const struct jmember *m)
{
	char scratch[MEMBER_NAME_MAX];
	struct slice name = jkey_plain(m, scratch, sizeof(scratch));
	const struct member *own = member_find(name);

	if (own == NULL)
		note_request(rw, name, m->value);
	if (!walk_member(rw, w, m, own))
		return false;
	return own == NULL || rw->family != FAMILY_MESSAGES ||
	    strcmp(own->name, "metadata") != 0 || walk_metadata(rw, m->value);
}

int
rewrite_scan(struct rewrite *rw, struct slice body, enum family family)
{
	struct walk w = { .index = 0 };
	struct jmember m;
	struct jscan s;
	int r;

	*rw = (struct rewrite){ .body = body, .family = family };
	jscan_init(&s, body);
	while ((r = jscan_next(&s, &m)) == JSCAN_ITEM)
		if (!scan_member(rw, &w, &m)) {
			rewrite_free(rw);
			return -1;
		}
	rw->is_object = r == JSCAN_END && s.kind == JOBJECT;
	rw->last_end = w.before;
	if (rw->is_object) {
		rw->object.ptr = memchr(body.ptr, '{', body.len);
		rw->object.len = (size_t)(body.ptr + s.close + 1 - rw->object.ptr);
		rw->usage_asked = jget(rw->stream_options, SLICE("include_usage")).kind == JTRUE;
	} else {
		rw->stream = false;
		rw->model = (struct jvalue){ JNONE, SLICE_NONE };
	}
	return 0;
}

/* metadata goes on where the API has it for its own use. */
static bool
metadata_stays(const struct rewrite *rw)
{
	switch (rw->family) {
	case FAMILY_CHAT:
		return rw->store;
	case FAMILY_RESPONSE:
	case FAMILY_MESSAGES:
	case FAMILY_OTHER:
		return true;
	default:
		return false;
	}
}

bool
rewrite_mark_is_cut(const struct rewrite *rw, const struct rewrite_mark *m)
{
	if (!(m->own->flags & MEMBER_RULE))
		return true;
	if (strcmp(m->own->name, "metadata") == 0)
		return !metadata_stays(rw);
	/* Calls of prompts stored at a provider name no model: there the
	 * variables are the provider's. */
	if (strcmp(m->own->name, "variables") == 0)
		return rw->model.kind != JNONE || rw->form_model.len > 0 || rw->family == FAMILY_CHAT;
	return rw->family == FAMILY_CHAT &&
	    jget(m->value, SLICE("prompt_id")).kind != JNONE;
}

/* The edit that takes out the members from first to last of one object. */
static struct edit
cut_run(const struct rewrite_mark *first, const struct rewrite_mark *last)
{
	size_t from = first->start, to = last->end;

	if (last->next != 0)
		to = last->next;
	else if (first->index > 0)
		from = first->before;
	return (struct edit){ from, to - from, SLICE_NONE };
}

/* One edit for each run of marks that are cut. */
static void
cut_marks(struct rewrite *rw)
{
	const struct rewrite_mark *first = NULL, *last = NULL, *m;
	size_t i;

	for (i = 0; i < rw->count; i++) {
		m = &rw->marks[i];
		if (!rewrite_mark_is_cut(rw, m))
			continue;
		if (first != NULL && m->start != last->next) {
			rw->edits.list[rw->edits.count++] = cut_run(first, last);
			first = NULL;
		}
		if (first == NULL)
			first = m;
		last = m;
	}
	if (first != NULL)
		rw->edits.list[rw->edits.count++] = cut_run(first, last);
}

/* Puts e in its place; there is room for it. */
static void
edits_insert(struct edits *list, struct edit e)
{
	size_t i = list->count++;

	for (; i > 0 && list->list[i - 1].offset > e.offset; i--)
		list->list[i] = list->list[i - 1];
	list->list[i] = e;
}

/* stream_options as the last member, behind the last one that stays. */
static void
ask_by_member(struct rewrite *rw)
{
	static const struct slice member = SLICE(",\"stream_options\":{" ASK_MEMBER "}");
	struct edit *last = &rw->edits.list[rw->edits.count];

	if (rw->edits.count > 0 && last[-1].offset + last[-1].length == rw->last_end)
		last[-1].replacement = member;
	else {
		*last = (struct edit){ rw->last_end, 0, member };
		rw->edits.count++;
	}
	rw->usage_added = true;
}

static void
ask_by_edit(struct rewrite *rw, const char *at, size_t length, struct slice replacement)
{
	edits_insert(&rw->edits,
	    (struct edit){ (size_t)(at - rw->body.ptr), length, replacement });
	rw->usage_added = true;
}

/* Inside stream_options; one that no provider would take stays as it is. */
static void
ask_by_option(struct rewrite *rw, struct jvalue options)
{
	struct jvalue asked = jget(options, SLICE("include_usage"));

	if (options.kind == JNULL)
		ask_by_edit(rw, options.text.ptr, options.text.len, SLICE("{" ASK_MEMBER "}"));
	else if (options.kind != JOBJECT)
		return;
	else if (asked.kind == JNONE)
		ask_by_edit(rw, options.text.ptr + 1, 0,
		    jempty(options) ? SLICE(ASK_MEMBER) : SLICE(ASK_MEMBER ","));
	else if (asked.kind == JFALSE || asked.kind == JNULL)
		ask_by_edit(rw, asked.text.ptr, asked.text.len, SLICE("true"));
}

/* Does an answer come that will hold no usage? */
static bool
usage_is_missing(const struct rewrite *rw)
{
	return rw->is_object && rw->stream && !rw->usage_asked &&
	    (rw->family == FAMILY_CHAT || rw->family == FAMILY_COMPLETION);
}

static void
ask_for_usage(struct rewrite *rw)
{
	if (rw->stream_options.kind == JNONE)
		ask_by_member(rw);
	else
		ask_by_option(rw, rw->stream_options);
}

/* Puts the one sorted list into the other, from behind; there is room. */
static void
edits_merge(struct edits *into, const struct edits *more)
{
	size_t i = into->count, j = more->count;

	into->count += more->count;
	while (j > 0)
		if (i > 0 && into->list[i - 1].offset > more->list[j - 1].offset) {
			i--;
			into->list[i + j] = into->list[i];
		} else {
			j--;
			into->list[i + j] = more->list[j];
		}
}

/* Variables into the texts, beside the edits that are there. */
static int
fill_in(struct rewrite *rw)
{
	struct edits fills = { NULL, 0 };
	struct edit *list;

	if (fill_make(rw, LIMIT_EDITS - rw->edits.count, &fills) < 0)
		return -1;
	if (fills.count > 0) {
		list = realloc(rw->edits.list, (rw->edits.count + fills.count) * sizeof(*list));
		if (list == NULL) {
			free(fills.list);
			return -1;
		}
		rw->edits.list = list;
		edits_merge(&rw->edits, &fills);
	}
	free(fills.list);
	return 0;
}

int
rewrite_finish(struct rewrite *rw, unsigned flags)
{
	bool ask_usage = (flags & REWRITE_ASK_USAGE) && usage_is_missing(rw);

	free(rw->edits.list);
	free(rw->fill_text);
	rw->edits = (struct edits){ NULL, 0 };
	rw->fill_text = NULL;
	rw->note = NULL;
	rw->usage_added = false;
	if ((!rw->is_object && !rw->is_form) || (rw->count == 0 && !ask_usage))
		return 0;
	if (rw->full)
		return -1;
	rw->edits.list = calloc(rw->count + 1, sizeof(*rw->edits.list));
	if (rw->edits.list == NULL)
		return -1;
	cut_marks(rw);
	if (ask_usage)
		ask_for_usage(rw);
	return (flags & REWRITE_FILL) && rw->is_object ? fill_in(rw) : 0;
}

/* A value of a form is text. Where it is JSON, only the secret members in it
 * go; where it ought to be and broke off, all of it. */
static void
mark_blank(const struct rewrite *rw, const struct rewrite_mark *m, char *body)
{
	struct slice text = m->value.text;
	struct jvalue v;

	if (!m->secret && jscan_check(text, &v, NULL) == JSCAN_END)
		member_blank(m->own, v, rw->body.ptr, body);
	else if (text.len > 0 && (m->secret || (m->own->flags & MEMBER_NEST && *text.ptr == '{')))
		memset(body + (text.ptr - rw->body.ptr), '*', text.len);
}

void
rewrite_blank(const struct rewrite *rw, char *body)
{
	struct jvalue v;
	size_t i;

	for (i = 0; rw->form && i < rw->count; i++)
		mark_blank(rw, &rw->marks[i], body);
	if (rw->form)
		return;
	if (rw->full && jscan_check(rw->body, &v, NULL) == JSCAN_END) {
		members_blank(v, rw->body.ptr, body);
		return;
	}
	for (i = 0; i < rw->count; i++)
		if (!rw->marks[i].inside)
			member_blank(rw->marks[i].own, rw->marks[i].value, rw->body.ptr, body);
}

void
rewrite_free(struct rewrite *rw)
{
	free(rw->marks);
	free(rw->edits.list);
	free(rw->fill_text);
	rw->fill_text = NULL;
	rw->marks = NULL;
	rw->edits = (struct edits){ NULL, 0 };
	rw->count = rw->cap = 0;
}

/* May the switch stand in that member? */
static bool
mark_may_hold(const struct rewrite_mark *m, const char *name)
{
	return !m->inside && (m->own->flags & MEMBER_NEST || strcmp(m->own->name, "metadata") == 0 ||
	    strcmp(m->own->name, name) == 0);
}

/* Only the members that may hold it, as an object: the rest of the body, which
 * is most of it, is not walked again. */
bool
rewrite_switch(const struct rewrite *rw, struct jvalue header, const char *name)
{
	struct jvalue some = { JNONE, SLICE_NONE };
	struct own_member m;
	struct own_iter it;
	struct buf text;
	bool on = false;
	size_t i;

	buf_init(&text, rw->body.len + 2);
	for (i = 0; rw->is_object && i < rw->count; i++)
		if (mark_may_hold(&rw->marks[i], name)) {
			buf_byte(&text, text.len ? ',' : '{');
			buf_append(&text, rw->body.ptr + rw->marks[i].start,
			    rw->marks[i].end - rw->marks[i].start);
		}
	if (text.len > 0 && buf_byte(&text, '}'))
		some = (struct jvalue){ JOBJECT, buf_view(&text) };
	if (some.kind != JNONE || header.kind != JNONE) {
		own_iter_init(&it, some, header);
		while (own_iter_next(&it, &m))
			if (strcmp(m.name, name) == 0)
				on = m.value.kind == JTRUE;
	}
	buf_free(&text);
	return on;
}
