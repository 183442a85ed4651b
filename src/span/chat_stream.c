/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat_stream.c: the chunks of a chat stream and the document they add up to.
 * Called by the family's table; what a delta says is chat_merge.c's business.
 */
#include <stdlib.h>

#include "span/chat.h"
#include "span/json.h"

static struct chat_stream *
chat_state(struct build *b)
{
	(void)build_state(b, sizeof(struct chat_stream));
	return b->family_state;
}

void
chat_free(struct build *b)
{
	struct chat_stream *cs = b->family_state;
	size_t i;

	for (i = 0; cs != NULL && i < cs->n; i++) {
		chat_choice_free(cs->choices[i]);
		free(cs->choices[i]);
	}
	if (cs != NULL) {
		rest_free(&cs->rest);
		free(cs->choices);
	}
	free(cs);
	b->family_state = NULL;
}

/* A new choice, or NULL: too many, or out of memory. */
static struct chat_choice *
choice_new(struct build *b, struct chat_stream *cs, int64_t index)
{
	size_t cap = cs->cap ? cs->cap * 2 : 4;
	struct chat_choice **list = cs->choices, *c;

	if (cs->n == CHAT_CHOICES) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (cs->n == cs->cap) {
		list = realloc(cs->choices, cap * sizeof(*list));
		if (list == NULL)
			return NULL;
		cs->choices = list;
		cs->cap = cap;
	}
	c = malloc(sizeof(*c));
	if (c == NULL)
		return NULL;
	chat_choice_init(c);
	c->index = index;
	cs->recent = cs->n;
	return cs->choices[cs->n++] = c;
}

static struct chat_choice *
choice_of(struct build *b, struct chat_stream *cs, int64_t index)
{
	size_t i;

	if (cs->recent < cs->n && cs->choices[cs->recent]->index == index)
		return cs->choices[cs->recent];
	for (i = 0; i < cs->n; i++)
		if (cs->choices[i]->index == index) {
			cs->recent = i;
			return cs->choices[i];
		}
	return choice_new(b, cs, index);
}

/* One element of `choices`. True: it carries content. */
static bool
chunk_choice(struct build *b, struct chat_stream *cs, struct jvalue element)
{
	enum { INDEX, DELTA, MESSAGE, TEXT, FINISH, LOGPROBS, USAGE, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[INDEX] = SLICE("index"), [DELTA] = SLICE("delta"), [TEXT] = SLICE("text"),
		[FINISH] = SLICE("finish_reason"), [LOGPROBS] = SLICE("logprobs"),
		/* said elsewhere as well */
		[MESSAGE] = SLICE("message"), [USAGE] = SLICE("usage"),
	};
	struct jvalue v[MEMBERS], place = jget(element, SLICE("index"));
	struct chat_choice *c;
	int64_t index = 0;
	bool got = false;

	if (element.kind != JOBJECT)
		return false;
	if (place.kind == JNUMBER)
		jint(place, &index);
	c = choice_of(b, cs, index);
	if (c == NULL)
		return false;
	rest_pick(&c->rest, element, names, v, MEMBERS);
	chat_choice_logprobs(c, v[LOGPROBS]);
	if (json_truthy(v[DELTA]))
		got = chat_choice_add(b, c, v[DELTA]);
	else
		got = chat_choice_text(c, v[TEXT]);
	if (v[FINISH].kind == JSTRING && !jempty(v[FINISH]) &&
	    !slice_eq(json_inner(v[FINISH]), c->finish_reason))
		c->finish_reason = arena_copy(&b->arena, json_inner(v[FINISH]));
	return got;
}

/* Usage stands in the chunk, in Groq's x_groq, or in the first choice. */
static void
chunk_usage(struct build *b, struct jvalue usage, struct jvalue chunk, struct jvalue choices)
{
	struct jmember first;
	struct jiter it;

	if (usage.kind != JOBJECT)
		usage = jget(jget(chunk, SLICE("x_groq")), SLICE("usage"));
	if (usage.kind != JOBJECT && choices.kind == JARRAY) {
		jiter_init(&it, choices);
		if (jiter_next(&it, &first))
			usage = jget(first.value, SLICE("usage"));
	}
	build_usage(b, usage, false);
}

bool
chat_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { ID, OBJECT, CREATED, MODEL, CHOICES, USAGE, TIER, PAD, SHORT_PAD, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [CREATED] = SLICE("created"), [MODEL] = SLICE("model"),
		[CHOICES] = SLICE("choices"), [USAGE] = SLICE("usage"),
		[TIER] = SLICE("service_tier"), [OBJECT] = SLICE("object"),
		/* random characters that hide an event's size */
		[PAD] = SLICE("obfuscation"), [SHORT_PAD] = SLICE("p"),
	};
	struct chat_stream *cs = chat_state(b);
	struct jvalue v[MEMBERS];
	struct jmember choice;
	struct jiter it;
	bool got = false;

	(void)e;
	if (cs == NULL)
		return false;
	rest_pick(&cs->rest, json, names, v, MEMBERS);
	if (b->span.response_id.ptr == NULL && !jempty(v[ID]))
		b->span.response_id = build_text(b, v[ID]);
	/* Azure's first chunk has 0 there */
	if (cs->created.ptr == NULL && v[CREATED].kind == JNUMBER && json_truthy(v[CREATED]))
		cs->created = arena_copy(&b->arena, v[CREATED].text);
	build_model(b, v[MODEL]);
	build_tier(b, v[TIER]);
	chunk_usage(b, v[USAGE], json, v[CHOICES]);
	jiter_init(&it, v[CHOICES]);
	while (v[CHOICES].kind == JARRAY && jiter_next(&it, &choice))
		got |= chunk_choice(b, cs, choice.value);
	return got;
}

static int
choice_order(const void *a, const void *b)
{
	const struct chat_choice *x = *(struct chat_choice *const *)a;
	const struct chat_choice *y = *(struct chat_choice *const *)b;

	return (x->index > y->index) - (x->index < y->index);
}

static void
full_choice(const struct chat_choice *c, struct slice message, struct buf *out)
{
	buf_printf(out, "{\"index\":%lld,\"message\":", (long long)c->index);
	buf_slice(out, message);
	buf_str(out, ",\"finish_reason\":");
	if (c->finish_reason.ptr != NULL) {
		buf_byte(out, '"');
		buf_slice(out, c->finish_reason);
		buf_byte(out, '"');
	} else
		buf_str(out, "null");
	chat_choice_logprobs_json(c, out);
	rest_json(&c->rest, out);
	buf_byte(out, '}');
}

/* The envelope of the document that an unstreamed answer would have been. */
static void
full_head(struct build *b, const struct chat_stream *cs, struct buf *out)
{
	buf_str(out, "{\"id\":");
	if (b->span.response_id.ptr != NULL)
		buf_json_string(out, b->span.response_id);
	else
		buf_str(out, "null");
	buf_str(out, ",\"object\":\"chat.completion\",\"created\":");
	buf_slice(out, cs->created.ptr ? cs->created : SLICE("null"));
	buf_str(out, ",\"model\":");
	if (b->span.model.ptr != NULL)
		buf_json_string(out, b->span.model);
	else
		buf_str(out, "null");
	if (b->tier_told) {
		buf_str(out, ",\"service_tier\":");
		buf_json_string(out, b->span.service_tier);
	}
	rest_json(&cs->rest, out);
	buf_str(out, ",\"choices\":[");
}

/* Prints each message once; full_response and the list share the bytes. */
static void
chat_documents(struct build *b, const struct chat_stream *cs, struct slice first)
{
	struct buf full, list, one;
	struct slice message = first;
	size_t i;

	buf_init(&full, LIMIT_EXPANDED);
	buf_init(&list, LIMIT_EXPANDED);
	buf_init(&one, LIMIT_EXPANDED);
	full_head(b, cs, &full);
	for (i = 0; i < cs->n; i++) {
		if (i > 0) {
			buf_clear(&one);
			chat_choice_message(cs->choices[i], &one);
			message = one.failed ? SLICE("null") : buf_view(&one);
			buf_byte(&full, ',');
		}
		buf_byte(&list, i ? ',' : '[');
		buf_slice(&list, message);
		full_choice(cs->choices[i], message, &full);
	}
	buf_str(&full, "],\"usage\":");
	buf_slice(&full, b->has_usage ? buf_view(&b->usage_text) : SLICE("null"));
	buf_byte(&full, '}');
	buf_byte(&list, ']');
	buf_free(&one);
	b->span.full_response = build_take(b, &full);
	b->span.completion_messages = build_take(b, &list);
}

/* Did every choice that began come to an end? */
static bool
chat_ended(const struct chat_stream *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		if (cs->choices[i]->finish_reason.ptr == NULL)
			return false;
	return cs->n > 0;
}

void
chat_finish(struct build *b)
{
	struct chat_stream *cs = b->family_state;
	struct span *s = &b->span;
	struct buf message, calls, reason;

	if (cs == NULL || cs->n == 0)
		return;
	qsort(cs->choices, cs->n, sizeof(*cs->choices), choice_order);
	b->finish_seen = chat_ended(cs);
	buf_init(&message, LIMIT_EXPANDED);
	chat_choice_message(cs->choices[0], &message);
	s->output = s->completion_message = build_take(b, &message);
	if (cs->choices[0]->ncalls > 0) {
		buf_init(&calls, LIMIT_EXPANDED);
		chat_choice_calls(cs->choices[0], &calls);
		s->tool_calls = build_take(b, &calls);
	}
	if (cs->choices[0]->finish_reason.ptr != NULL) {
		buf_init(&reason, LIMIT_EXPANDED);
		buf_byte(&reason, '"');
		buf_slice(&reason, cs->choices[0]->finish_reason);
		buf_byte(&reason, '"');
		s->finish_reason = build_text(b, (struct jvalue){ JSTRING, buf_view(&reason) });
		buf_free(&reason);
	}
	/* of several choices all are counted, where no usage was told */
	if ((!b->options.row_only || (cs->n > 1 && !b->has_usage)) && !b->hidden &&
	    s->output.ptr != NULL)
		chat_documents(b, cs, s->output);
}
