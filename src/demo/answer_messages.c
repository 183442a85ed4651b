/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_messages: Anthropic's messages, whole or as a stream, with a block of
 * thinking where it is asked for and a use of the first tool where there are
 * some; and the count of tokens. Called by pretend.c.
 */
#include <config.h>

#include "demo/answer.h"

#define START_PAUSE_MS 50
#define SIGNATURE "cHJldGVuZA=="	/* the word "pretend" */
#define TOOL_INPUT "{\"pretend\": true, \"note\": \"made up by the demo\"}"

struct message {
	struct ask	*ask;
	const char	*thinking;	/* NULL: none */
	const char	*tool;		/* NULL: text instead */
	size_t		 tokens;	/* played so far */
	int		 blocks;	/* played so far */
};

/* A tool's result in the last message: now comes text. */
static bool
has_result(const struct ask *a)
{
	json_t		*messages = json_object_get(a->body, "messages"), *block;
	json_t		*last = json_array_get(messages, json_array_size(messages) - 1);
	size_t		 i;

	json_array_foreach(json_object_get(last, "content"), i, block)
		if (json_object_get(block, "tool_use_id") != NULL)
			return true;
	return false;
}

static struct message
message_make(struct ask *a)
{
	struct message	m = { .ask = a };
	json_t		*tool = json_array_get(json_object_get(a->body, "tools"), 0);
	const char	*thinking = json_string_value(json_object_get(json_object_get(a->body, "thinking"), "type"));

	if (thinking != NULL && !slice_eq(slice_str(thinking), SLICE("disabled")))
		m.thinking = answer_text(TEXT_THINKING);
	if (!has_result(a))
		m.tool = json_string_value(json_object_get(tool, "name"));
	return m;
}

static json_int_t
output_tokens(const struct message *m)
{
	return answer_words(slice_str(m->thinking)) +
	    answer_words(m->tool != NULL ? SLICE(TOOL_INPUT) : slice_str(answer_text(TEXT_MESSAGE)));
}

static json_t *
usage_make(const struct message *m, json_int_t output)
{
	return json_pack("{s:I, s:i, s:i, s:I, s:s}", "input_tokens", (json_int_t)m->ask->prompt_tokens,
	    "cache_creation_input_tokens", 0, "cache_read_input_tokens", 0, "output_tokens", output,
	    "service_tier", "standard");
}

static const char *
stop_reason(const struct message *m)
{
	return m->tool != NULL ? "tool_use" : "end_turn";
}

/* content is taken; stop NULL: it has only begun. */
static json_t *
message_object(const struct message *m, json_t *content, const char *stop, json_int_t output)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s?, s:n, s:o}", "id", answer_id(m->ask, "msg_"),
	    "type", "message", "role", "assistant", "model", m->ask->model, "content", content,
	    "stop_reason", stop, "stop_sequence", "usage", usage_make(m, output));
}

static json_t *
thinking_block(const char *text, const char *signature)
{
	return json_pack("{s:s, s:s, s:s}", "type", "thinking", "thinking", text, "signature", signature);
}

static json_t *
text_block(const char *text)
{
	return json_pack("{s:s, s:s}", "type", "text", "text", text);
}

/* input is taken. */
static json_t *
tool_block(const struct message *m, json_t *input)
{
	return json_pack("{s:s, s:o, s:s, s:o}", "type", "tool_use", "id", answer_id(m->ask, "toolu_"),
	    "name", m->tool, "input", input);
}

static json_t *
content_make(const struct message *m)
{
	json_t	*content = json_array();

	if (m->thinking != NULL)
		json_array_append_new(content, thinking_block(m->thinking, SIGNATURE));
	json_array_append_new(content, m->tool != NULL ? tool_block(m, json_loads(TOOL_INPUT, 0, NULL)) :
	    text_block(answer_text(TEXT_MESSAGE)));
	return content;
}

static void
delta_play(struct message *m, unsigned pause_ms, json_t *delta)
{
	play_event(m->ask->play, pause_ms, "content_block_delta", json_pack("{s:s, s:i, s:o}",
	    "type", "content_block_delta", "index", m->blocks, "delta", delta));
}

/* One block: its start, a word in each delta of that type and member, its end. */
static void
block_play(struct message *m, json_t *start, const char *type, const char *member, const char *text)
{
	struct slice	rest = slice_str(text), word;

	play_event(m->ask->play, 0, "content_block_start", json_pack("{s:s, s:i, s:o}",
	    "type", "content_block_start", "index", m->blocks, "content_block", start));
	while (answer_word(&rest, &word))
		delta_play(m, answer_pause(m->tokens++), json_pack("{s:s, s:s%}", "type", type,
		    member, word.ptr, word.len));
	if (slice_eq(slice_str(type), SLICE("thinking_delta")))
		delta_play(m, 0, json_pack("{s:s, s:s}", "type", "signature_delta", "signature", SIGNATURE));
	play_event(m->ask->play, 0, "content_block_stop", json_pack("{s:s, s:i}",
	    "type", "content_block_stop", "index", m->blocks++));
}

static void
message_stream(struct message *m)
{
	struct play	*p = m->ask->play;

	play_stream(p, "text/event-stream; charset=utf-8");
	play_event(p, START_PAUSE_MS, "message_start", json_pack("{s:s, s:o}", "type", "message_start",
	    "message", message_object(m, json_array(), NULL, 1)));
	play_event(p, 0, "ping", json_pack("{s:s}", "type", "ping"));
	if (m->thinking != NULL)
		block_play(m, thinking_block("", ""), "thinking_delta", "thinking", m->thinking);
	if (m->tool != NULL)
		block_play(m, tool_block(m, json_object()), "input_json_delta", "partial_json", TOOL_INPUT);
	else
		block_play(m, text_block(""), "text_delta", "text", answer_text(TEXT_MESSAGE));
	play_event(p, 5, "message_delta", json_pack("{s:s, s:{s:s, s:n}, s:{s:I}}", "type", "message_delta",
	    "delta", "stop_reason", stop_reason(m), "stop_sequence", "usage", "output_tokens", output_tokens(m)));
	play_event(p, 0, "message_stop", json_pack("{s:s}", "type", "message_stop"));
}

void
answer_messages(struct ask *a)
{
	struct message	m = message_make(a);

	if (a->stream)
		message_stream(&m);
	else
		play_json(a->play, HTTP_OK, message_object(&m, content_make(&m), stop_reason(&m), output_tokens(&m)));
}

void
answer_count_tokens(struct ask *a)
{
	play_json(a->play, HTTP_OK, json_pack("{s:I}", "input_tokens", (json_int_t)a->prompt_tokens));
}
