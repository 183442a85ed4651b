/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given_text.c: what was asked and answered of a span that was given: input and
 * output, and the older names for them, each from the other where only one was
 * sent. Called by given.c.
 */
#include "span/inner.h"
#include "span/json.h"

/* A value, or the JSON that a string holds. */
static struct jvalue
parsed(struct build *b, struct jvalue v)
{
	struct jvalue inner;

	if (v.kind != JSTRING)
		return v;
	inner = build_json(b, build_text(b, v));
	return inner.kind == JOBJECT || inner.kind == JARRAY ? inner : v;
}

static bool
is_null(struct jvalue v)
{
	return v.kind == JNONE || v.kind == JNULL;
}

static struct jvalue
member(struct jvalue request, const char *name, const char *other)
{
	struct jvalue v = jget(request, slice_str(name));

	return is_null(v) && other != NULL ? jget(request, slice_str(other)) : v;
}

/* {"role": role, "content": text} */
static struct slice
message_of(struct build *b, const char *role, struct slice text)
{
	struct buf out;

	buf_init(&out, LIMIT_EXPANDED);
	buf_printf(&out, "{\"role\":\"%s\",\"content\":", role);
	buf_slice(&out, text);
	buf_byte(&out, '}');
	return build_take(b, &out);
}

/* A list of messages; elements that are JSON in a string as what they hold,
 * other strings as a user's words. */
static struct slice
messages_of(struct build *b, struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	struct buf out;

	v = parsed(b, v);
	if (is_null(v))
		return SLICE_NONE;
	buf_init(&out, LIMIT_EXPANDED);
	buf_byte(&out, '[');
	if (v.kind != JARRAY)
		buf_slice(&out, v.kind == JSTRING ? message_of(b, "user", v.text) : v.text);
	jiter_init(&it, v);
	while (v.kind == JARRAY && jiter_next(&it, &m)) {
		struct jvalue each = parsed(b, m.value);

		buf_str(&out, out.len > 1 ? "," : "");
		buf_slice(&out, each.kind == JSTRING ? message_of(b, "user", each.text) : each.text);
	}
	buf_byte(&out, ']');
	return build_take(b, &out);
}

/* Does its type say that messages go in and one comes out? */
static bool
is_chat(const struct build *b)
{
	return b->family == FAMILY_CHAT || b->family == FAMILY_COMPLETION || b->family == FAMILY_RESPONSE;
}

static void
input_set(struct build *b, struct jvalue request)
{
	struct jvalue input = given_get(b, SLICE("input")), messages = given_get(b, SLICE("prompt_messages"));
	struct span *s = &b->span;

	if (is_null(messages))
		messages = given_get(b, SLICE("messages"));
	if (is_null(messages))
		messages = member(request, "messages", NULL);
	if (is_null(input))
		input = is_null(messages) ? member(request, "input", "prompt") : messages;
	s->input = is_null(input) ? SLICE_NONE : input.text;
	if (!is_null(messages))
		s->prompt_messages = messages_of(b, messages);
	else if (is_chat(b) && parsed(b, input).kind != JOBJECT)
		s->prompt_messages = messages_of(b, input);
}

/* The message of a whole answer as providers send it. */
static struct jvalue
answer_message(struct jvalue response)
{
	struct jvalue choices = jget(response, SLICE("choices")), message;
	struct jmember first;
	struct jiter it;

	if (choices.kind != JARRAY)
		return (struct jvalue){ .kind = JNONE };
	jiter_init(&it, choices);
	if (!jiter_next(&it, &first))
		return (struct jvalue){ .kind = JNONE };
	message = jget(first.value, SLICE("message"));
	return is_null(message) ? jget(first.value, SLICE("text")) : message;
}

static void
output_set(struct build *b, struct jvalue response)
{
	struct jvalue output = given_get(b, SLICE("output")), message = given_get(b, SLICE("completion_message"));
	struct jvalue several = given_get(b, SLICE("completion_messages")), shown;
	struct span *s = &b->span;

	if (is_null(output))
		output = is_null(message) ? answer_message(response) : message;
	s->output = is_null(output) ? SLICE_NONE : output.text;
	shown = parsed(b, is_null(message) && is_chat(b) ? output : message);
	if (shown.kind == JOBJECT)
		s->completion_message = shown.text;
	else if (shown.kind == JSTRING)
		s->completion_message = message_of(b, "assistant", shown.text);
	if (several.kind == JARRAY)
		s->completion_messages = several.text;
}

static void
tools_set(struct build *b, struct jvalue request, struct jvalue response)
{
	struct jvalue tools = parsed(b, given_get(b, SLICE("tools"))), calls = parsed(b, given_get(b, SLICE("tool_calls")));
	struct span *s = &b->span;

	if (is_null(tools))
		tools = jget(request, SLICE("tools"));
	if (is_null(calls))
		calls = jget(build_json(b, s->completion_message), SLICE("tool_calls"));
	if (is_null(calls))
		calls = jget(answer_message(response), SLICE("tool_calls"));
	if (is_null(calls))
		calls = jget(request, SLICE("tool_calls"));
	s->tools = is_null(tools) ? SLICE_NONE : tools.text;
	s->tool_calls = is_null(calls) ? SLICE_NONE : calls.text;
}

void
given_texts(struct build *b)
{
	struct jvalue request = parsed(b, given_get(b, SLICE("full_request")));
	struct jvalue response = parsed(b, given_get(b, SLICE("full_response")));

	input_set(b, request);
	output_set(b, response);
	tools_set(b, request, response);
	b->span.full_request = is_null(request) ? SLICE_NONE : request.text;
	b->span.full_response = is_null(response) ? SLICE_NONE : response.text;
}
