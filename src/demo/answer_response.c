/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_response: the Responses API, whole or as its grammar of events, with
 * a reasoning item where reasoning is asked for; a model called
 * pretend-failing... fails with HTTP 200, as responses do. Called by pretend.c.
 */
#include <config.h>

#include "demo/answer.h"

#define CREATED_PAUSE_MS 45

struct response {
	struct ask	*ask;
	bool		 reasoning;
	json_int_t	 sequence;	/* of the next event */
	size_t		 tokens;	/* played so far */
};

static json_t *
usage_make(const struct response *r)
{
	json_int_t	in = r->ask->prompt_tokens;
	json_int_t	reasoning = r->reasoning ? answer_words(slice_str(answer_text(TEXT_REASONING))) : 0;
	json_int_t	out = reasoning + answer_words(slice_str(answer_text(TEXT_RESPONSE)));

	return json_pack("{s:I, s:{s:i}, s:I, s:{s:I}, s:I}", "input_tokens", in, "input_tokens_details",
	    "cached_tokens", 0, "output_tokens", out, "output_tokens_details", "reasoning_tokens", reasoning,
	    "total_tokens", in + out);
}

static json_t *
summary_part(const char *text)
{
	return json_pack("{s:s, s:s}", "type", "summary_text", "text", text);
}

static json_t *
reasoning_item(const struct response *r, const char *text)
{
	return json_pack("{s:o, s:s, s:o}", "id", answer_id(r->ask, "rs_"), "type", "reasoning",
	    "summary", text != NULL ? json_pack("[o]", summary_part(text)) : json_array());
}

static json_t *
text_part(const char *text)
{
	return json_pack("{s:s, s:s, s:[]}", "type", "output_text", "text", text, "annotations");
}

/* text NULL: it has only begun. */
static json_t *
message_item(const struct response *r, const char *text)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:o}", "id", answer_id(r->ask, "msg_"), "type", "message",
	    "status", text != NULL ? "completed" : "in_progress", "role", "assistant",
	    "content", text != NULL ? json_pack("[o]", text_part(text)) : json_array());
}

static json_t *
output_make(const struct response *r)
{
	json_t	*output = json_array();

	if (r->reasoning)
		json_array_append_new(output, reasoning_item(r, answer_text(TEXT_REASONING)));
	json_array_append_new(output, message_item(r, answer_text(TEXT_RESPONSE)));
	return output;
}

/* The response object with that status: completed, failed or in_progress. */
static json_t *
response_make(const struct response *r, const char *status)
{
	bool	done = slice_eq(slice_str(status), SLICE("completed"));
	bool	failed = slice_eq(slice_str(status), SLICE("failed"));
	json_t	*error = failed ? json_pack("{s:s, s:s}", "code", "server_error", "message",
	    answer_text(TEXT_FAILED)) : json_null();

	return json_pack("{s:o, s:s, s:I, s:s, s:o, s:n, s:s?, s:s, s:o, s:o, s:{}, s:b, s:b}",
	    "id", answer_id(r->ask, "resp_"), "object", "response", "created_at", (json_int_t)r->ask->created,
	    "status", status, "error", error, "incomplete_details",
	    "instructions", answer_member(r->ask, "instructions"), "model", r->ask->model,
	    "output", done ? output_make(r) : json_array(), "usage", done ? usage_make(r) : json_null(),
	    "metadata", "parallel_tool_calls", true, "store", true);
}

/* An event with these members besides type and sequence_number; members is taken. */
static void
event_play(struct response *r, unsigned pause_ms, const char *type, json_t *members)
{
	json_t	*event = json_pack("{s:s, s:I}", "type", type, "sequence_number", r->sequence++);

	json_object_update(event, members);
	json_decref(members);
	play_event(r->ask->play, pause_ms, type, event);
}

static void
status_play(struct response *r, unsigned pause_ms, const char *type, const char *status)
{
	event_play(r, pause_ms, type, json_pack("{s:o}", "response", response_make(r, status)));
}

/* delta events of that type, a word each. extra names the place: content_index or summary_index. */
static void
words_play(struct response *r, const char *type, const char *item, int output, const char *index, const char *text)
{
	struct slice	rest = slice_str(text), word;

	while (answer_word(&rest, &word))
		event_play(r, answer_pause(r->tokens++), type, json_pack("{s:o, s:i, s:i, s:s%}",
		    "item_id", answer_id(r->ask, item), "output_index", output, index, 0, "delta", word.ptr, word.len));
}

static void
item_play(struct response *r, const char *type, int output, json_t *item)
{
	event_play(r, 0, type, json_pack("{s:i, s:o}", "output_index", output, "item", item));
}

static void
reasoning_play(struct response *r)
{
	const char	*text = answer_text(TEXT_REASONING);

	item_play(r, "response.output_item.added", 0, reasoning_item(r, NULL));
	event_play(r, 0, "response.reasoning_summary_part.added", json_pack("{s:o, s:i, s:i, s:o}",
	    "item_id", answer_id(r->ask, "rs_"), "output_index", 0, "summary_index", 0, "part", summary_part("")));
	words_play(r, "response.reasoning_summary_text.delta", "rs_", 0, "summary_index", text);
	event_play(r, 0, "response.reasoning_summary_text.done", json_pack("{s:o, s:i, s:i, s:s}",
	    "item_id", answer_id(r->ask, "rs_"), "output_index", 0, "summary_index", 0, "text", text));
	event_play(r, 0, "response.reasoning_summary_part.done", json_pack("{s:o, s:i, s:i, s:o}",
	    "item_id", answer_id(r->ask, "rs_"), "output_index", 0, "summary_index", 0, "part", summary_part(text)));
	item_play(r, "response.output_item.done", 0, reasoning_item(r, text));
}

static void
message_play(struct response *r)
{
	const char	*text = answer_text(TEXT_RESPONSE);
	int		 output = r->reasoning;

	item_play(r, "response.output_item.added", output, message_item(r, NULL));
	event_play(r, 0, "response.content_part.added", json_pack("{s:o, s:i, s:i, s:o}",
	    "item_id", answer_id(r->ask, "msg_"), "output_index", output, "content_index", 0, "part", text_part("")));
	words_play(r, "response.output_text.delta", "msg_", output, "content_index", text);
	event_play(r, 0, "response.output_text.done", json_pack("{s:o, s:i, s:i, s:s}",
	    "item_id", answer_id(r->ask, "msg_"), "output_index", output, "content_index", 0, "text", text));
	event_play(r, 0, "response.content_part.done", json_pack("{s:o, s:i, s:i, s:o}",
	    "item_id", answer_id(r->ask, "msg_"), "output_index", output, "content_index", 0, "part", text_part(text)));
	item_play(r, "response.output_item.done", output, message_item(r, text));
}

static void
response_stream(struct response *r, bool fails)
{
	play_stream(r->ask->play, "text/event-stream; charset=utf-8");
	status_play(r, CREATED_PAUSE_MS, "response.created", "in_progress");
	status_play(r, 0, "response.in_progress", "in_progress");
	if (fails) {
		status_play(r, answer_pause(0), "response.failed", "failed");
		return;
	}
	if (r->reasoning)
		reasoning_play(r);
	message_play(r);
	status_play(r, 5, "response.completed", "completed");
}

void
answer_response(struct ask *a)
{
	struct response	r = { .ask = a, .reasoning = json_is_object(json_object_get(a->body, "reasoning")) };
	bool		fails = slice_starts(slice_str(a->model), SLICE("pretend-failing"));

	if (a->stream)
		response_stream(&r, fails);
	else
		play_json(a->play, HTTP_OK, response_make(&r, fails ? "failed" : "completed"));
}
