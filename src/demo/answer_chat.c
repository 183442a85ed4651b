/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_chat: chat completions and text completions, whole or as a stream,
 * with reasoning where an effort is asked for and a call of the first tool
 * where there are some. Called by pretend.c.
 */
#include <config.h>

#include "demo/answer.h"

#define ROLE_PAUSE_MS 50	/* before the chunk with the role, which is no token */

/* What the answer consists of. */
struct chat {
	struct slice	 text, reasoning;	/* SLICE_NONE: none */
	const char	*tool;			/* name; NULL: no call */
	const char	*finish;
};

#define TOOL_ARGUMENTS "{\"pretend\": true, \"note\": \"made up by the demo\"}"

static const char *
chat_tool(const struct ask *a)
{
	json_t		*messages = json_object_get(a->body, "messages");
	json_t		*last = json_array_get(messages, json_array_size(messages) - 1);
	json_t		*tool = json_array_get(json_object_get(a->body, "tools"), 0);
	const char	*role = json_string_value(json_object_get(last, "role"));

	if (role != NULL && slice_eq(slice_str(role), SLICE("tool")))
		return NULL;
	return json_string_value(json_object_get(json_object_get(tool, "function"), "name"));
}

static struct chat
chat_make(const struct ask *a)
{
	struct chat	c = { .tool = chat_tool(a), .finish = "stop" };

	if (answer_member(a, "reasoning_effort") != NULL)
		c.reasoning = slice_str(answer_text(TEXT_REASONING));
	if (c.tool != NULL)
		c.finish = "tool_calls";
	else
		c.text = slice_str(answer_text(TEXT_CHAT));
	return c;
}

static json_t *
usage_make(const struct ask *a, const struct chat *c)
{
	json_int_t	reasoning = answer_words(c->reasoning);
	json_int_t	out = reasoning + answer_words(c->text) + (c->tool != NULL ? answer_words(SLICE(TOOL_ARGUMENTS)) : 0);

	return json_pack("{s:I, s:I, s:I, s:{s:i, s:i}, s:{s:I, s:i}}", "prompt_tokens", (json_int_t)a->prompt_tokens,
	    "completion_tokens", out, "total_tokens", (json_int_t)a->prompt_tokens + out,
	    "prompt_tokens_details", "cached_tokens", 0, "audio_tokens", 0,
	    "completion_tokens_details", "reasoning_tokens", reasoning, "audio_tokens", 0);
}

static json_t *
text_or_null(struct slice s)
{
	return s.ptr != NULL ? json_stringn(s.ptr, s.len) : json_null();
}

static json_t *
chat_message(const struct ask *a, const struct chat *c)
{
	json_t	*m = json_pack("{s:s, s:o, s:n}", "role", "assistant", "content", text_or_null(c->text), "refusal");

	if (c->reasoning.ptr != NULL)
		json_object_set_new(m, "reasoning_content", text_or_null(c->reasoning));
	if (c->tool != NULL)
		json_object_set_new(m, "tool_calls", json_pack("[{s:o, s:s, s:{s:s, s:s}}]", "id", answer_id(a, "call_"),
		    "type", "function", "function", "name", c->tool, "arguments", TOOL_ARGUMENTS));
	return m;
}

static void
chat_whole(struct ask *a, const struct chat *c)
{
	play_json(a->play, HTTP_OK, json_pack("{s:o, s:s, s:I, s:s, s:[{s:i, s:o, s:n, s:s}], s:o, s:s, s:s}",
	    "id", answer_id(a, "chatcmpl-"), "object", "chat.completion", "created", (json_int_t)a->created,
	    "model", a->model, "choices", "index", 0, "message", chat_message(a, c), "logprobs",
	    "finish_reason", c->finish, "usage", usage_make(a, c), "service_tier", "default",
	    "system_fingerprint", "fp_pretend"));
}

/* Usage comes in a stream only when it is asked for; then every chunk has the member. */
static bool
wants_usage(const struct ask *a)
{
	return json_is_true(json_object_get(json_object_get(a->body, "stream_options"), "include_usage"));
}

/* A chunk with this list of choices; choices is taken. */
static void
chunk_play(struct ask *a, const char *object, unsigned pause_ms, json_t *choices, json_t *usage)
{
	json_t	*chunk = json_pack("{s:o, s:s, s:I, s:s, s:s, s:o}", "id",
	    answer_id(a, "chatcmpl-"), "object", object, "created", (json_int_t)a->created,
	    "model", a->model, "system_fingerprint", "fp_pretend", "choices", choices);

	if (usage != NULL)
		json_object_set_new(chunk, "usage", usage);
	else if (wants_usage(a))
		json_object_set_new(chunk, "usage", json_null());
	play_event(a->play, pause_ms, NULL, chunk);
}

/* delta is taken. */
static void
delta_play(struct ask *a, unsigned pause_ms, json_t *delta, const char *finish)
{
	chunk_play(a, "chat.completion.chunk", pause_ms, json_pack("[{s:i, s:o, s:n, s:s?}]", "index", 0,
	    "delta", delta, "logprobs", "finish_reason", finish), NULL);
}

/* Word by word in the member of that name; *n counts tokens. */
static void
words_play(struct ask *a, const char *member, struct slice text, size_t *n)
{
	struct slice	word;

	while (answer_word(&text, &word))
		delta_play(a, answer_pause((*n)++), json_pack("{s:s%}", member, word.ptr, word.len), NULL);
}

static void
tool_play(struct ask *a, const char *name, size_t *n)
{
	struct slice	text = SLICE(TOOL_ARGUMENTS), word;

	delta_play(a, answer_pause((*n)++), json_pack("{s:[{s:i, s:o, s:s, s:{s:s, s:s}}]}", "tool_calls",
	    "index", 0, "id", answer_id(a, "call_"), "type", "function", "function", "name", name, "arguments", ""), NULL);
	while (answer_word(&text, &word))
		delta_play(a, answer_pause((*n)++), json_pack("{s:[{s:i, s:{s:s%}}]}", "tool_calls", "index", 0,
		    "function", "arguments", word.ptr, word.len), NULL);
}

static void
stream_end(struct ask *a, const char *object, const struct chat *c)
{
	if (wants_usage(a))
		chunk_play(a, object, 1, json_array(), usage_make(a, c));
	play_piece(a->play, 0, SLICE("data: [DONE]\n\n"));
}

static void
chat_stream(struct ask *a, const struct chat *c)
{
	size_t	n = 0;

	play_stream(a->play, "text/event-stream; charset=utf-8");
	delta_play(a, ROLE_PAUSE_MS, json_pack("{s:s, s:s, s:n}", "role", "assistant", "content", "", "refusal"), NULL);
	words_play(a, "reasoning_content", c->reasoning, &n);
	words_play(a, "content", c->text, &n);
	if (c->tool != NULL)
		tool_play(a, c->tool, &n);
	delta_play(a, 5, json_object(), c->finish);
	stream_end(a, "chat.completion.chunk", c);
}

void
answer_chat(struct ask *a)
{
	struct chat	c = chat_make(a);

	if (a->stream)
		chat_stream(a, &c);
	else
		chat_whole(a, &c);
}

static json_t *
completion_choice(struct slice text, const char *finish)
{
	return json_pack("[{s:s%, s:i, s:n, s:s?}]", "text", text.ptr, text.len, "index", 0, "logprobs",
	    "finish_reason", finish);
}

static void
completion_stream(struct ask *a, const struct chat *c)
{
	struct slice	text = c->text, word;
	size_t		n = 0;

	play_stream(a->play, "text/event-stream; charset=utf-8");
	while (answer_word(&text, &word)) {
		chunk_play(a, "text_completion", ROLE_PAUSE_MS * (n == 0) + answer_pause(n),
		    completion_choice(word, NULL), NULL);
		n++;
	}
	chunk_play(a, "text_completion", 5, completion_choice(SLICE(""), c->finish), NULL);
	stream_end(a, "text_completion", c);
}

void
answer_completion(struct ask *a)
{
	struct chat	c = { .text = slice_str(answer_text(TEXT_COMPLETION)), .finish = "stop" };

	if (a->stream)
		completion_stream(a, &c);
	else
		play_json(a->play, HTTP_OK, json_pack("{s:o, s:s, s:I, s:s, s:o, s:o}", "id", answer_id(a, "cmpl-"),
		    "object", "text_completion", "created", (json_int_t)a->created, "model", a->model,
		    "choices", completion_choice(c.text, c.finish), "usage", usage_make(a, &c)));
}
