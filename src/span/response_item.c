/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response_item.c: puts one item of a streamed response together from its
 * deltas, for streams that broke off. Called by response_stream.c.
 */
#include <stdlib.h>

#include "span/json.h"
#include "span/response.h"

/* What is known of texts that come in deltas; others become a member of the
 * item, by the name of their events. */
static const struct delta_kind {
	struct slice	stem;		/* response.STEM.delta */
	enum response_place place;
	struct slice	part_type;	/* of an element of a list */
	struct slice	member;		/* that holds the text, also in response.STEM.done */
	struct slice	item_type;
	unsigned	slot;		/* of response_part.texts */
} kinds[] = {
#define CONTENT(stem, type, member, item, slot) \
	{ SLICE(stem), PLACE_CONTENT, SLICE(type), SLICE(member), SLICE(item), slot }
	CONTENT("output_text", "output_text", "text", "message", 0),
	CONTENT("refusal", "refusal", "refusal", "message", 0),
	CONTENT("reasoning_text", "reasoning_text", "text", "reasoning", 0),
	CONTENT("audio", "output_audio", "data", "message", 0),
	CONTENT("audio.transcript", "output_audio", "transcript", "message", 1),
#undef CONTENT
	{ SLICE("reasoning_summary_text"), PLACE_SUMMARY, SLICE("summary_text"), SLICE("text"), SLICE("reasoning"), 0 },
#define ITEM(stem, member, item) { SLICE(stem), PLACE_ITEM, { NULL, 0 }, SLICE(member), SLICE(item), 0 }
	ITEM("function_call_arguments", "arguments", "function_call"),
	ITEM("custom_tool_call_input", "input", "custom_tool_call"),
	ITEM("mcp_call_arguments", "arguments", "mcp_call"),
	ITEM("mcp_call.arguments", "arguments", "mcp_call"),
	ITEM("code_interpreter_call_code", "code", "code_interpreter_call"),
	ITEM("code_interpreter_call.code", "code", "code_interpreter_call"),
#undef ITEM
};

/* The lists, and the members of events that tell the place in them. */
static const struct slice list_names[] = {
	[PLACE_CONTENT] = SLICE("content"), [PLACE_SUMMARY] = SLICE("summary"),
};
static const struct slice index_names[] = {
	[PLACE_CONTENT] = SLICE("content_index"), [PLACE_SUMMARY] = SLICE("summary_index"),
};

static void
part_free(struct response_part *p)
{
	buf_free(&p->texts[0].text);
	buf_free(&p->texts[1].text);
	buf_free(&p->annotations);
	buf_free(&p->logprobs);
	buf_free(&p->whole);
}

static void
parts_free(struct response_item *item)
{
	while (item->n > 0)
		part_free(&item->parts[--item->n]);
	free(item->parts);
	item->parts = NULL;
	item->cap = item->recent = 0;
}

void
response_item_free(struct response_item *item)
{
	parts_free(item);
	buf_free(&item->text);
}

static const struct delta_kind *
kind_of(struct slice stem)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (slice_eq(kinds[i].stem, stem))
			return &kinds[i];
	return NULL;
}

static struct response_part *
part_new(struct build *b, struct response_item *item)
{
	size_t cap = item->cap ? item->cap * 2 : 2;
	struct response_part *list = item->parts;

	if (item->n == RESPONSE_PARTS) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (item->n == item->cap) {
		list = realloc(list, cap * sizeof(*list));
		if (list == NULL) {
			b->arena.failed = true;
			return NULL;
		}
		item->parts = list;
		item->cap = cap;
	}
	item->recent = item->n;
	list = &list[item->n++];
	*list = (struct response_part){ .index = 0 };
	buf_init(&list->texts[0].text, LIMIT_EXPANDED);
	buf_init(&list->texts[1].text, LIMIT_EXPANDED);
	buf_init(&list->annotations, LIMIT_EXPANDED);
	buf_init(&list->logprobs, LIMIT_EXPANDED);
	buf_init(&list->whole, LIMIT_EVENT);
	return list;
}

/* name: of the member, for PLACE_ITEM. */
static bool
part_is(const struct response_part *p, enum response_place place, int64_t index, struct slice name)
{
	return p->place == place && p->index == index &&
	    (place != PLACE_ITEM || slice_eq(p->texts[0].name, name));
}

/* The part of that place, made if it is new. NULL: too many, or no memory. */
static struct response_part *
part_of(struct build *b, struct response_item *item, enum response_place place, struct jvalue event,
    struct slice name)
{
	struct response_part *p;
	int64_t index = 0;
	size_t i;

	if (place != PLACE_ITEM && !jint(jget(event, index_names[place]), &index))
		index = 0;
	if (item->recent < item->n && part_is(&item->parts[item->recent], place, index, name))
		return &item->parts[item->recent];
	for (i = 0; i < item->n; i++)
		if (part_is(&item->parts[i], place, index, name)) {
			item->recent = i;
			return &item->parts[i];
		}
	p = part_new(b, item);
	if (p == NULL)
		return NULL;
	p->place = place;
	p->index = index;
	if (place == PLACE_ITEM)
		p->texts[0].name = arena_copy(&b->arena, name);
	return p;
}

/* The item by what an event says of it, for one that was never added. */
static void
item_meet(struct build *b, struct response_item *item, struct jvalue event, struct slice type)
{
	struct jvalue id;

	if (item->text.len > 0 || item->type.ptr != NULL)
		return;
	id = jget(event, SLICE("item_id"));
	item->type = type;
	if (id.kind == JSTRING)
		item->id = arena_copy(&b->arena, id.text);
}

/* The text that events of that kind are joined to. */
static struct response_part *
text_of(struct build *b, struct response_item *item, const struct delta_kind *kind, struct jvalue event)
{
	struct response_part *p = part_of(b, item, kind->place, event, kind->member);

	if (p == NULL)
		return NULL;
	item_meet(b, item, event, kind->item_type);
	p->texts[kind->slot].name = kind->member;
	p->type = kind->part_type;
	return p;
}

void
response_item_delta(struct build *b, struct response_item *item, struct slice stem, struct jvalue event)
{
	const struct delta_kind *kind = kind_of(stem);
	struct jvalue delta = jget(event, SLICE("delta"));
	struct response_part *p;

	if (delta.kind != JSTRING)
		return;
	if (kind == NULL) {
		p = part_of(b, item, PLACE_ITEM, event, stem);
		item_meet(b, item, event, SLICE("unknown"));
	} else
		p = text_of(b, item, kind, event);
	if (p == NULL)
		return;
	buf_slice(&p->texts[kind ? kind->slot : 0].text, json_inner(delta));
	json_list_add(&p->logprobs, json_elements(jget(event, SLICE("logprobs"))));
}

/* A whole part of a list. */
static void
part_done(struct build *b, struct response_item *item, enum response_place place, struct jvalue event)
{
	struct jvalue part = jget(event, SLICE("part"));
	struct response_part *p;

	if (part.kind != JOBJECT || (p = part_of(b, item, place, event, SLICE_NONE)) == NULL)
		return;
	item_meet(b, item, event, place == PLACE_SUMMARY ? SLICE("reasoning") : SLICE("message"));
	buf_clear(&p->whole);
	buf_slice(&p->whole, part.text);
}

static void
item_set(struct response_item *item, struct jvalue whole, bool done)
{
	if (whole.kind != JOBJECT)
		return;
	buf_clear(&item->text);
	buf_slice(&item->text, whole.text);
	item->done = done;
	if (done)
		parts_free(item);
}

void
response_item_done(struct build *b, struct response_item *item, struct slice stem, struct jvalue event)
{
	const struct delta_kind *kind = kind_of(stem);
	struct response_part *p;
	struct jvalue text;

	if (slice_eq(stem, SLICE("output_item")))
		item_set(item, jget(event, SLICE("item")), true);
	else if (slice_eq(stem, SLICE("content_part")))
		part_done(b, item, PLACE_CONTENT, event);
	else if (slice_eq(stem, SLICE("reasoning_summary_part")))
		part_done(b, item, PLACE_SUMMARY, event);
	if (kind == NULL)
		return;
	text = jget(event, kind->member);
	if (text.kind != JSTRING || (p = text_of(b, item, kind, event)) == NULL)
		return;
	buf_clear(&p->texts[kind->slot].text);
	buf_slice(&p->texts[kind->slot].text, json_inner(text));
}

void
response_item_added(struct build *b, struct response_item *item, struct slice stem, struct jvalue event)
{
	struct response_part *p;

	if (slice_eq(stem, SLICE("output_item")))
		item_set(item, jget(event, SLICE("item")), false);
	if (!slice_eq(stem, SLICE("output_text.annotation")) &&
	    !slice_eq(stem, SLICE("output_text_annotation")))
		return;
	p = text_of(b, item, &kinds[0], event);
	if (p != NULL)
		json_list_add(&p->annotations, jget(event, SLICE("annotation")).text);
}

static int
part_order(const void *a, const void *b)
{
	const struct response_part *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Appends ,"name":" text " */
static void
text_json(const struct response_text *t, struct buf *out)
{
	if (t->name.ptr == NULL)
		return;
	buf_byte(out, ',');
	buf_json_string(out, t->name);
	buf_str(out, ":\"");
	buf_slice(out, buf_view(&t->text));
	buf_byte(out, '"');
}

static void
elements_json(const char *name, const struct buf *elements, struct buf *out)
{
	if (elements->len == 0)
		return;
	buf_printf(out, ",\"%s\":[", name);
	buf_slice(out, buf_view(elements));
	buf_byte(out, ']');
	out->failed |= elements->failed;
}

/* An element of a list. */
static void
part_json(const struct response_part *p, struct buf *out)
{
	if (p->whole.len > 0) {
		buf_slice(out, buf_view(&p->whole));
		return;
	}
	buf_str(out, "{\"type\":");
	buf_json_string(out, p->type);
	text_json(&p->texts[0], out);
	text_json(&p->texts[1], out);
	elements_json("annotations", &p->annotations, out);
	elements_json("logprobs", &p->logprobs, out);
	buf_byte(out, '}');
}

/* Do the parts tell this member of the item? */
static bool
parts_tell(const struct response_item *item, const struct jmember *m)
{
	const struct response_part *p;
	size_t i;

	for (i = 0; i < item->n; i++) {
		p = &item->parts[i];
		if (jkey_is(m, p->place == PLACE_ITEM ? p->texts[0].name : list_names[p->place]))
			return true;
	}
	return false;
}

/* The item's members before its parts, each behind a comma. */
static void
item_head(struct build *b, const struct response_item *item, struct buf *out)
{
	struct jvalue base = build_json(b, buf_view(&item->text));
	struct jmember m;
	struct jiter it;

	if (base.kind == JNONE) {
		buf_str(out, ",\"id\":");
		buf_slice(out, item->id.ptr ? item->id : SLICE("null"));
		buf_str(out, ",\"type\":");
		buf_json_string(out, item->type);
		buf_str(out, ",\"status\":\"in_progress\"");
		buf_str(out, slice_eq(item->type, SLICE("message")) ? ",\"role\":\"assistant\"" : "");
		return;
	}
	jiter_init(&it, base);
	while (jiter_next(&it, &m)) {
		if (parts_tell(item, &m))
			continue;
		buf_byte(out, ',');
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		buf_slice(out, m.value.text);
	}
}

bool
response_item_json(struct build *b, struct response_item *item, struct buf *out)
{
	enum response_place open = PLACE_ITEM;
	const struct response_part *p;
	size_t start = out->len, i;

	if (item->n == 0) {
		buf_slice(out, buf_view(&item->text));
		return item->text.len > 0;
	}
	qsort(item->parts, item->n, sizeof(*item->parts), part_order);
	item_head(b, item, out);
	for (i = 0; i < item->n; i++) {
		p = &item->parts[i];
		if (p->place == PLACE_ITEM) {
			text_json(&p->texts[0], out);
			continue;
		}
		if (p->place != open) {
			buf_str(out, open == PLACE_ITEM ? ",\"" : "],\"");
			buf_slice(out, list_names[p->place]);
			buf_str(out, "\":[");
		} else
			buf_byte(out, ',');
		open = p->place;
		part_json(p, out);
	}
	buf_str(out, open == PLACE_ITEM ? "}" : "]}");
	if (!out->failed)
		out->ptr[start] = '{';	/* in place of the first comma */
	return true;
}
