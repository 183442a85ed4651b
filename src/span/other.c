/* SPDX-License-Identifier: Apache-2.0 */
/*
 * other.c: any API that has no file of its own. Request and answer stand in
 * the span as they are; model, usage and errors are taken where most APIs have
 * them.
 */
#include <stdlib.h>

#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"

/* The events of a stream, joined as a JSON array. */
struct other_stream {
	struct buf	events;
	bool		whole;		/* the last event held the whole response object */
};

static void
other_request(struct build *b, struct jvalue body)
{
	const struct body *request = &b->request;

	if (body.kind != JNONE)
		b->span.input = body.text;
	else if (request->text.len > 0 && !request->opaque && json_is_text(request->text))
		b->span.input = build_quoted(b, request->text);
}

static void
other_plain(struct build *b, struct jvalue body)
{
	b->span.output = body.text;
	build_model(b, jget(body, SLICE("model")));
	b->span.response_id = build_text(b, jget(body, SLICE("id")));
	build_tier(b, jget(body, SLICE("service_tier")));
	build_usage(b, jget(body, SLICE("usage")), false);
	if (json_truthy(jget(body, SLICE("error"))) ||
	    jstring_is(jget(body, SLICE("type")), SLICE("error")))
		error_of(b, body);
}

/* Text in a piece of a stream, in the shapes of the known APIs. */
static bool
piece_has_text(struct jvalue v)
{
	static const struct slice names[] = {
		SLICE("text"), SLICE("thinking"), SLICE("partial_json"), SLICE("content"),
	};
	struct jvalue found[4];
	size_t i;

	if (v.kind == JSTRING)
		return !jempty(v);
	json_pick(v, names, found, 4);
	for (i = 0; i < 4; i++)
		if (found[i].kind == JSTRING && !jempty(found[i]))
			return true;
	return false;
}

static bool
event_has_content(struct jvalue json)
{
	struct jvalue choices = jget(json, SLICE("choices"));
	struct jmember first;
	struct jiter it;

	if (piece_has_text(jget(json, SLICE("delta"))))
		return true;
	if (choices.kind != JARRAY)
		return false;
	jiter_init(&it, choices);
	return jiter_next(&it, &first) && piece_has_text(first.value);
}

/* The events after which nothing more is to come. */
static bool
event_is_last(struct jvalue type)
{
	static const struct slice last[] = {
		SLICE("message_stop"), SLICE("response.completed"), SLICE("response.incomplete"),
		SLICE("response.failed"), SLICE("transcript.text.done"), SLICE("speech.audio.done"),
		SLICE("image_generation.completed"),
	};
	size_t i;

	for (i = 0; i < sizeof(last) / sizeof(*last); i++)
		if (jstring_is(type, last[i]))
			return true;
	return false;
}

static struct other_stream *
other_state(struct build *b)
{
	bool made = build_state(b, sizeof(struct other_stream));
	struct other_stream *os = b->family_state;

	if (made)
		buf_init(&os->events, 2 * LIMIT_EXPANDED);
	return os;
}

/* The object that an event carries, or the event itself, tells of the answer. */
static void
other_object(struct build *b, struct jvalue v)
{
	build_model(b, jget(v, SLICE("model")));
	if (b->span.response_id.ptr == NULL)
		b->span.response_id = build_text(b, jget(v, SLICE("id")));
	build_tier(b, jget(v, SLICE("service_tier")));
	build_usage(b, jget(v, SLICE("usage")), true);
	if (jget(v, SLICE("error")).kind == JOBJECT)
		error_of(b, v);
}

static bool
other_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	struct jvalue response = jget(json, SLICE("response"));
	struct other_stream *os = other_state(b);

	(void)e;
	if (os == NULL)
		return false;
	other_object(b, json);
	other_object(b, response);
	other_object(b, jget(json, SLICE("message")));
	if (event_is_last(jget(json, SLICE("type"))))
		b->finish_seen = true;
	if (b->finish_seen && response.kind == JOBJECT && !os->whole) {
		/* it repeats everything that came before */
		os->whole = true;
		buf_clear(&os->events);
		buf_slice(&os->events, response.text);
	}
	if (!os->whole) {
		buf_byte(&os->events, os->events.len ? ',' : '[');
		buf_slice(&os->events, json.text);
	}
	return event_has_content(json);
}

/* A file, an image: what it is stands for it. */
static bool
other_bytes(struct build *b, struct slice piece)
{
	(void)b, (void)piece;
	return false;
}

static void
other_facts(struct build *b)
{
	struct slice *facts = &b->facts[DIRECTION_ANSWER];
	struct buf text;

	if (facts->ptr == NULL) {
		buf_init(&text, LIMIT_EVENT);
		buf_str(&text, "{\"content_type\":");
		buf_json_string(&text, b->answer.type);
		buf_printf(&text, ",\"bytes\":%llu}", (unsigned long long)b->answer.length);
		*facts = arena_take(&b->arena, &text);
	}
	b->span.output = *facts;
}

static void
other_finish(struct build *b)
{
	struct other_stream *os = b->family_state;

	if (os == NULL) {
		if (!b->stream)
			other_facts(b);
		return;
	}
	if (!os->whole)
		buf_byte(&os->events, ']');
	b->span.output = build_take(b, &os->events);
}

static void
other_free(struct build *b)
{
	struct other_stream *os = b->family_state;

	if (os != NULL)
		buf_free(&os->events);
	free(os);
	b->family_state = NULL;
}

/* A rerank tells how many searches it is billed for. */
static void
other_measure(struct build *b)
{
	struct jvalue billed = jget(jget(b->answer.json, SLICE("meta")), SLICE("billed_units"));
	struct jvalue units = jget(billed, SLICE("search_units"));

	if (!b->usage.queries.set)
		b->usage.queries.set = units.kind == JNUMBER && jint(units, &b->usage.queries.v);
}

const struct family_ops family_other = {
	.measure = other_measure,
	.request = other_request,
	.plain = other_plain,
	.bytes = other_bytes,
	.event = other_event,
	.finish = other_finish,
	.free = other_free,
};
