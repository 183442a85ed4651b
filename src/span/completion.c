/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion.c: POST /v1/completions, the API before chat: a prompt in, texts
 * out, whole or in pieces. The span's output is the first choice's text.
 */
#include <stdlib.h>

#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"
#include "span/rest.h"

#define CHOICES_MAX 1024	/* n for each of several prompts */

/* Arrays of a choice's logprobs, which come in pieces. */
enum { TOKENS, TOKEN_LOGPROBS, TOP_LOGPROBS, TEXT_OFFSET, CONTENT, ARRAYS };

static const struct slice array_names[ARRAYS] = {
	[TOKENS] = SLICE("tokens"), [TOKEN_LOGPROBS] = SLICE("token_logprobs"),
	[TOP_LOGPROBS] = SLICE("top_logprobs"), [TEXT_OFFSET] = SLICE("text_offset"),
	[CONTENT] = SLICE("content"),
};

struct completion_choice {
	int64_t		index;
	struct buf	text;		/* inside of a JSON string */
	struct slice	finish_reason;	/* JSON string, or SLICE_NONE */
	struct buf	arrays[ARRAYS];	/* elements with commas between */
	struct rest	rest;
};

struct completion {
	struct completion_choice *list;
	size_t		n, cap;
	struct rest	rest;		/* of the chunks */
};

static void
completion_request(struct build *b, struct jvalue body)
{
	b->span.input = jget(body, SLICE("prompt")).text;
}

static void
completion_free(struct build *b)
{
	struct completion *c = b->family_state;
	size_t i, k;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++) {
		buf_free(&c->list[i].text);
		rest_free(&c->list[i].rest);
		for (k = 0; k < ARRAYS; k++)
			buf_free(&c->list[i].arrays[k]);
	}
	rest_free(&c->rest);
	free(c->list);
	free(c);
	b->family_state = NULL;
}

static struct completion *
completion_state(struct build *b)
{
	(void)build_state(b, sizeof(struct completion));
	return b->family_state;
}

/* The choice of that index, made where it is new; NULL: too many, or no memory. */
static struct completion_choice *
choice_of(struct build *b, struct completion *c, int64_t index)
{
	size_t cap = c->cap ? c->cap * 2 : 4, i;
	struct completion_choice *list;

	for (i = c->n; i > 0; i--)
		if (c->list[i - 1].index == index)
			return &c->list[i - 1];
	if (c->n == CHOICES_MAX) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (c->n == c->cap) {
		list = realloc(c->list, cap * sizeof(*list));
		if (list == NULL) {
			b->arena.failed = true;
			return NULL;
		}
		c->list = list;
		c->cap = cap;
	}
	list = &c->list[c->n++];
	*list = (struct completion_choice){ .index = index };
	buf_init(&list->text, LIMIT_EXPANDED);
	for (i = 0; i < ARRAYS; i++)
		buf_init(&list->arrays[i], LIMIT_EXPANDED);
	return list;
}

static void
logprobs_add(struct completion_choice *choice, struct jvalue logprobs)
{
	size_t i;

	if (logprobs.kind != JOBJECT)
		return;
	for (i = 0; i < ARRAYS; i++)
		json_list_add(&choice->arrays[i], json_elements(jget(logprobs, array_names[i])));
}

/* The text of a choice; some servers answer here in chat's shape. */
static struct jvalue
choice_text(struct jvalue choice)
{
	struct jvalue text = jget(choice, SLICE("text"));

	if (text.kind != JSTRING)
		text = jget(jget(choice, SLICE("message")), SLICE("content"));
	if (text.kind != JSTRING)
		text = jget(jget(choice, SLICE("delta")), SLICE("content"));
	return text;
}

/* One element of `choices`. True: it carries text. */
static bool
choice_add(struct build *b, struct completion *c, struct jvalue element)
{
	enum { INDEX, TEXT, FINISH, LOGPROBS, DELTA, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[INDEX] = SLICE("index"), [TEXT] = SLICE("text"),
		[FINISH] = SLICE("finish_reason"), [LOGPROBS] = SLICE("logprobs"),
		[DELTA] = SLICE("delta"),
	};
	struct jvalue v[MEMBERS], text = choice_text(element), place = jget(element, SLICE("index"));
	struct completion_choice *choice;
	int64_t index = 0;

	if (element.kind != JOBJECT)
		return false;
	if (place.kind == JNUMBER)
		jint(place, &index);
	choice = choice_of(b, c, index);
	if (choice == NULL)
		return false;
	rest_pick(&choice->rest, element, names, v, MEMBERS);
	buf_slice(&choice->text, json_inner(text));
	logprobs_add(choice, v[LOGPROBS]);
	if (v[FINISH].kind == JSTRING && !jempty(v[FINISH]))
		choice->finish_reason = arena_copy(&b->arena, v[FINISH].text);
	return text.kind == JSTRING && !jempty(text);
}

static bool
completion_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { ID, OBJECT, MODEL, CHOICES, USAGE, TIER, PAD, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [OBJECT] = SLICE("object"), [MODEL] = SLICE("model"),
		[CHOICES] = SLICE("choices"), [USAGE] = SLICE("usage"),
		[TIER] = SLICE("service_tier"), [PAD] = SLICE("obfuscation"),
	};
	struct completion *c = completion_state(b);
	struct jvalue v[MEMBERS];
	struct jmember choice;
	struct jiter it;
	bool got = false;

	(void)e;
	if (c == NULL)
		return false;
	rest_pick(&c->rest, json, names, v, MEMBERS);
	if (b->span.response_id.ptr == NULL && !jempty(v[ID]))
		b->span.response_id = build_text(b, v[ID]);
	build_model(b, v[MODEL]);
	build_tier(b, v[TIER]);
	build_usage(b, v[USAGE], false);
	if (v[CHOICES].kind != JARRAY)
		return false;
	jiter_init(&it, v[CHOICES]);
	while (jiter_next(&it, &choice))
		got |= choice_add(b, c, choice.value);
	return got;
}

/* "logprobs":{…} or null. */
static void
logprobs_json(const struct completion_choice *choice, struct buf *out)
{
	char before = '{';
	size_t i;

	buf_str(out, ",\"logprobs\":");
	for (i = 0; i < ARRAYS; i++) {
		if (choice->arrays[i].len == 0)
			continue;
		buf_byte(out, before);
		buf_json_string(out, array_names[i]);
		buf_str(out, ":[");
		buf_slice(out, buf_view(&choice->arrays[i]));
		buf_byte(out, ']');
		before = ',';
	}
	buf_str(out, before == ',' ? "}" : "null");
}

static void
choice_json(const struct completion_choice *choice, struct buf *out)
{
	buf_str(out, "{\"text\":\"");
	buf_slice(out, buf_view(&choice->text));
	buf_printf(out, "\",\"index\":%lld,\"finish_reason\":", (long long)choice->index);
	buf_slice(out, choice->finish_reason.ptr ? choice->finish_reason : SLICE("null"));
	logprobs_json(choice, out);
	rest_json(&choice->rest, out);
	buf_byte(out, '}');
}

/* The document that an unstreamed answer would have been. */
static void
completion_document(struct build *b, const struct completion *c)
{
	struct buf out;
	size_t i;

	buf_init(&out, LIMIT_EXPANDED);
	buf_str(&out, "{\"id\":");
	if (b->span.response_id.ptr != NULL)
		buf_json_string(&out, b->span.response_id);
	else
		buf_str(&out, "null");
	buf_str(&out, ",\"object\":\"text_completion\",\"model\":");
	if (b->span.model.ptr != NULL)
		buf_json_string(&out, b->span.model);
	else
		buf_str(&out, "null");
	rest_json(&c->rest, &out);
	buf_str(&out, ",\"choices\":[");
	for (i = 0; i < c->n; i++) {
		buf_str(&out, i ? "," : "");
		choice_json(&c->list[i], &out);
	}
	buf_str(&out, "],\"usage\":");
	buf_slice(&out, b->has_usage ? buf_view(&b->usage_text) : SLICE("null"));
	buf_byte(&out, '}');
	b->span.full_response = build_take(b, &out);
}

/* The first choice's text is the output, and the message that lists show. */
static void
output_set(struct build *b, struct slice text, struct slice finish_reason)
{
	struct buf message;

	b->span.output = text;
	b->span.finish_reason = build_text(b, build_json(b, finish_reason));
	buf_init(&message, LIMIT_EXPANDED);
	buf_str(&message, "{\"role\":\"assistant\",\"content\":");
	buf_slice(&message, text);
	buf_byte(&message, '}');
	b->span.completion_message = build_take(b, &message);
}

static int
choice_order(const void *a, const void *b)
{
	const struct completion_choice *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static void
completion_finish(struct build *b)
{
	struct completion *c = b->family_state;
	struct buf text;
	size_t i;

	if (c == NULL || c->n == 0)
		return;
	qsort(c->list, c->n, sizeof(*c->list), choice_order);
	b->finish_seen = true;
	for (i = 0; i < c->n; i++)
		b->finish_seen = b->finish_seen && c->list[i].finish_reason.ptr != NULL;
	buf_init(&text, LIMIT_EXPANDED);
	buf_byte(&text, '"');
	buf_slice(&text, buf_view(&c->list[0].text));
	buf_byte(&text, '"');
	output_set(b, build_take(b, &text), c->list[0].finish_reason);
	if (!b->options.row_only && !b->hidden)
		completion_document(b, c);
}

static void
completion_plain(struct build *b, struct jvalue body)
{
	enum { ID, MODEL, CHOICES, USAGE, TIER, ERROR, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [MODEL] = SLICE("model"), [CHOICES] = SLICE("choices"),
		[USAGE] = SLICE("usage"), [TIER] = SLICE("service_tier"), [ERROR] = SLICE("error"),
	};
	struct jvalue v[MEMBERS], text;
	struct jmember first;
	struct jiter it;

	json_pick(body, names, v, MEMBERS);
	if (json_truthy(v[ERROR]))
		error_of(b, body);
	b->span.response_id = build_text(b, v[ID]);
	build_model(b, v[MODEL]);
	build_tier(b, v[TIER]);
	build_usage(b, v[USAGE], false);
	if (v[CHOICES].kind != JARRAY)
		return;
	jiter_init(&it, v[CHOICES]);
	if (!jiter_next(&it, &first))
		return;
	text = choice_text(first.value);
	if (text.kind == JSTRING)
		output_set(b, text.text, jget(first.value, SLICE("finish_reason")).text);
}

const struct family_ops family_completion = {
	.estimates = ESTIMATE_PROMPT | ESTIMATE_COMPLETION,
	.json_only = true,
	.stream_ends = true,
	.request = completion_request,
	.plain = completion_plain,
	.event = completion_event,
	.finish = completion_finish,
	.free = completion_free,
};
