/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat.c: POST /v1/chat/completions: the request's fields, and answers that
 * are one document. Streams are in chat_stream.c.
 */
#include "span/chat.h"

#include "span/error.h"
#include "span/json.h"

static void
chat_request(struct build *b, struct jvalue body)
{
	enum { MESSAGES, TOOLS, FUNCTIONS, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[MESSAGES] = SLICE("messages"), [TOOLS] = SLICE("tools"),
		[FUNCTIONS] = SLICE("functions"),
	};
	struct jvalue v[MEMBERS];
	struct span *s = &b->span;

	json_pick(body, names, v, MEMBERS);
	s->input = s->prompt_messages = v[MESSAGES].text;
	s->tools = v[TOOLS].kind != JNONE ? v[TOOLS].text : v[FUNCTIONS].text;
}

/* Does the content's list hold thinking, which has a member of its own? */
static bool
content_thinks(struct jvalue content)
{
	struct jmember part;
	struct jiter it;

	if (content.kind != JARRAY)
		return false;
	jiter_init(&it, content);
	while (jiter_next(&it, &part))
		if (jstring_is(jget(part.value, SLICE("type")), SLICE("thinking")))
			return true;
	return false;
}

/* The message of a choice as it came. One in the completions' shape, or with
 * thinking inside its content, is put together like a stream's. */
static struct slice
choice_message(struct build *b, struct jvalue choice)
{
	struct jvalue message = jget(choice, SLICE("message"));
	struct chat_choice made;
	struct buf text;

	if (message.kind != JOBJECT && jget(choice, SLICE("text")).kind != JSTRING)
		return SLICE_NONE;
	if (message.kind == JOBJECT && !content_thinks(jget(message, SLICE("content"))))
		return message.text;
	chat_choice_init(&made);
	if (message.kind == JOBJECT)
		chat_choice_add(b, &made, message);
	else
		chat_choice_text(&made, jget(choice, SLICE("text")));
	buf_init(&text, LIMIT_EXPANDED);
	chat_choice_message(&made, &text);
	chat_choice_free(&made);
	return arena_take(&b->arena, &text);
}

/* One choice of a document: its message joins the list, its error counts. */
static void
plain_choice(struct build *b, struct jvalue choice, bool first, struct buf *messages)
{
	struct jvalue error = jget(choice, SLICE("error")), message;
	struct slice text = choice_message(b, choice);
	struct span *s = &b->span;

	if (error.kind == JOBJECT)
		error_of(b, choice);
	buf_byte(messages, first ? '[' : ',');
	buf_slice(messages, text.ptr ? text : SLICE("null"));
	if (!first)
		return;
	s->output = s->completion_message = text;
	s->finish_reason = build_text(b, jget(choice, SLICE("finish_reason")));
	message = jget(choice, SLICE("message"));
	if (json_truthy(jget(message, SLICE("tool_calls"))))
		s->tool_calls = jget(message, SLICE("tool_calls")).text;
}

static void
chat_plain(struct build *b, struct jvalue body)
{
	enum { ID, MODEL, CHOICES, USAGE, TIER, ERROR, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [MODEL] = SLICE("model"), [CHOICES] = SLICE("choices"),
		[USAGE] = SLICE("usage"), [TIER] = SLICE("service_tier"), [ERROR] = SLICE("error"),
	};
	struct jvalue v[MEMBERS];
	struct jmember choice;
	struct buf messages;
	struct jiter it;
	bool first = true;

	json_pick(body, names, v, MEMBERS);
	if (json_truthy(v[ERROR]) || body.kind == JARRAY ||
	    jstring_is(jget(body, SLICE("object")), SLICE("error")))
		error_of(b, body);
	build_model(b, v[MODEL]);
	b->span.response_id = build_text(b, v[ID]);
	build_tier(b, v[TIER]);
	build_usage(b, v[USAGE], false);
	if (v[CHOICES].kind != JARRAY)
		return;
	buf_init(&messages, LIMIT_EXPANDED);
	jiter_init(&it, v[CHOICES]);
	while (jiter_next(&it, &choice)) {
		plain_choice(b, choice.value, first, &messages);
		first = false;
	}
	buf_str(&messages, first ? "[]" : "]");
	if (b->options.row_only)
		buf_free(&messages);
	else
		b->span.completion_messages = build_take(b, &messages);
}

const struct family_ops family_chat = {
	.estimates = ESTIMATE_PROMPT | ESTIMATE_COMPLETION,
	.json_only = true,
	.stream_ends = true,
	.request = chat_request,
	.plain = chat_plain,
	.event = chat_event,
	.finish = chat_finish,
	.free = chat_free,
};
