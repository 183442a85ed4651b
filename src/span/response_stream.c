/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response_stream.c: the events of a streamed response: which item they are of,
 * the response object that some of them carry, and the document that they add
 * up to. Called by the family's table; items are response_item.c's business.
 */
#include <stdlib.h>

#include "span/json.h"
#include "span/response.h"

struct response_stream *
response_state(const struct build *b)
{
	return b->family_state;
}

static struct response_stream *
state_made(struct build *b)
{
	bool made = build_state(b, sizeof(struct response_stream));
	struct response_stream *rs = b->family_state;

	if (made)
		buf_init(&rs->object, LIMIT_EVENT);
	return rs;
}

void
response_free(struct build *b)
{
	struct response_stream *rs = b->family_state;
	size_t i;

	if (rs == NULL)
		return;
	for (i = 0; i < rs->n; i++)
		response_item_free(&rs->items[i]);
	buf_free(&rs->object);
	free(rs->items);
	free(rs);
	b->family_state = NULL;
}

static bool
items_grow(struct response_stream *rs, size_t n)
{
	size_t cap = rs->cap ? rs->cap : 4;
	struct response_item *list;

	while (cap < n)
		cap *= 2;
	if (cap > rs->cap) {
		list = realloc(rs->items, cap * sizeof(*list));
		if (list == NULL)
			return false;
		rs->items = list;
		rs->cap = cap;
	}
	for (; rs->n < n; rs->n++) {
		rs->items[rs->n] = (struct response_item){ .n = 0 };
		buf_init(&rs->items[rs->n].text, LIMIT_EVENT);
	}
	return true;
}

/* The item of that index. Where none is told: a new one if the event adds one,
 * else the last one. NULL: too many, or no memory. */
static struct response_item *
item_of(struct build *b, struct response_stream *rs, struct jvalue index, bool added)
{
	int64_t at;

	if (index.kind != JNUMBER || !jint(index, &at) || at < 0)
		at = (int64_t)(added ? rs->n : rs->recent);
	if (at >= RESPONSE_ITEMS) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (!items_grow(rs, (size_t)at + 1)) {
		b->arena.failed = true;
		return NULL;
	}
	rs->recent = (size_t)at;
	return &rs->items[at];
}

/* After these nothing more is to come. The last two are in no specification. */
static bool
event_is_last(struct slice stem)
{
	static const struct slice last[] = {
		SLICE("completed"), SLICE("incomplete"), SLICE("failed"), SLICE("cancelled"), SLICE("done"),
	};
	size_t i;

	for (i = 0; i < sizeof(last) / sizeof(*last); i++)
		if (slice_eq(stem, last[i]))
			return true;
	return false;
}

static void
object_keep(struct response_stream *rs, struct jvalue object, struct slice stem)
{
	if (rs->ended)
		return;
	rs->ended = event_is_last(stem);
	if (object.kind != JOBJECT)
		return;
	buf_clear(&rs->object);
	buf_slice(&rs->object, object.text);
}

/* Takes a suffix off: false when it is another. */
static bool
stem_less(struct slice *stem, struct slice suffix)
{
	if (!slice_ends(*stem, suffix))
		return false;
	stem->len -= suffix.len;
	return true;
}

/* An event of an item; stem: its type without "response.". */
static void
item_event(struct build *b, struct response_stream *rs, struct slice stem, struct jvalue index,
    struct jvalue event)
{
	bool delta = stem_less(&stem, SLICE(".delta"));
	bool done = !delta && stem_less(&stem, SLICE(".done"));
	bool added = !delta && !done && stem_less(&stem, SLICE(".added"));
	struct response_item *item;

	if (!delta && !done && !added)
		return;
	item = item_of(b, rs, index, added && slice_eq(stem, SLICE("output_item")));
	if (item == NULL || item->done)
		return;
	if (delta)
		response_item_delta(b, item, stem, event);
	else if (done)
		response_item_done(b, item, stem, event);
	else
		response_item_added(b, item, stem, event);
}

bool
response_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { TYPE, RESPONSE, INDEX, DELTA, IMAGE, CODE, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TYPE] = SLICE("type"), [RESPONSE] = SLICE("response"),
		[INDEX] = SLICE("output_index"), [DELTA] = SLICE("delta"),
		[IMAGE] = SLICE("partial_image_b64"), [CODE] = SLICE("code"),
	};
	static const struct slice prefix = SLICE("response.");
	struct response_stream *rs = state_made(b);
	struct jvalue v[MEMBERS];
	struct slice type;

	if (rs == NULL)
		return false;
	json_pick(json, names, v, MEMBERS);
	type = v[TYPE].kind == JSTRING ? json_inner(v[TYPE]) : e->type;
	if (slice_eq(type, SLICE("error")))
		/* one without a message: it is noted already where it has one */
		build_error(b, jempty(v[CODE]) ? SLICE("the stream told an error") : build_scalar(b, v[CODE]));
	if (!slice_starts(type, prefix))
		return false;
	type = slice_from(type, prefix.len);
	object_keep(rs, v[RESPONSE], type);
	if (!rs->ended)
		item_event(b, rs, type, v[INDEX], json);
	return (slice_ends(type, SLICE(".delta")) && v[DELTA].kind == JSTRING && !jempty(v[DELTA])) ||
	    (v[IMAGE].kind == JSTRING && !jempty(v[IMAGE]));
}

/* "output":[…], the items in their order. */
static void
output_json(struct build *b, struct response_stream *rs, struct buf *out)
{
	bool first = true;
	struct buf one;
	size_t i;

	buf_init(&one, LIMIT_EXPANDED);
	buf_str(out, "\"output\":[");
	for (i = 0; i < rs->n; i++) {
		buf_clear(&one);
		if (!response_item_json(b, &rs->items[i], &one))
			continue;
		buf_str(out, first ? "" : ",");
		buf_slice(out, buf_view(&one));
		out->failed |= one.failed;
		first = false;
	}
	buf_byte(out, ']');
	buf_free(&one);
}

/* The object's members as they stand, its output replaced by the items: once,
 * however often it is there. */
static void
document_json(struct build *b, struct response_stream *rs, struct jvalue object, struct buf *out)
{
	bool placed = false;
	struct jmember m;
	struct jiter it;

	buf_byte(out, '{');
	jiter_init(&it, object);
	while (jiter_next(&it, &m)) {
		if (jkey_is(&m, SLICE("output"))) {
			if (!placed) {
				buf_str(out, out->len > 1 ? "," : "");
				output_json(b, rs, out);
			}
			placed = true;
			continue;
		}
		buf_str(out, out->len > 1 ? "," : "");
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		buf_slice(out, m.value.text);
	}
	if (!placed) {
		buf_str(out, out->len > 1 ? "," : "");
		output_json(b, rs, out);
	}
	buf_byte(out, '}');
}

struct jvalue
response_document(struct build *b, struct response_stream *rs, struct jvalue object)
{
	static const struct slice unknown =
	    SLICE("{\"id\":null,\"object\":\"response\",\"status\":\"in_progress\",\"output\":[],\"usage\":null}");
	struct buf text;

	if (rs->n == 0 || !jempty(jget(object, SLICE("output"))))
		return object;
	if (object.kind != JOBJECT)
		object = build_json(b, unknown);
	buf_init(&text, LIMIT_EXPANDED);
	document_json(b, rs, object, &text);
	return build_json(b, arena_take(&b->arena, &text));
}
