/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.c: POST /v1/messages, Anthropic's API: requests, answers that are
 * one document, and the message in the words of chat that a span shows. Streams
 * are in messages_stream.c. It changes no text: what stands in a block stands
 * in the span.
 */
#include "span/messages.h"

#include "span/error.h"
#include "span/json.h"

/* The message as it is collected from the blocks. */
struct message {
	struct buf	text, thinking;		/* insides of JSON strings */
	struct buf	thoughts, calls;	/* elements of lists */
	bool		has_text;
	bool		has_more;		/* something that chat has no word for */
};

/* [system as a message] + messages; without a system the messages as they are. */
static struct slice
prompt_json(struct build *b, struct jvalue system, struct jvalue messages)
{
	struct slice rest = messages.kind == JARRAY ? json_elements(messages) : messages.text;
	struct buf out;

	if (system.kind == JNONE || system.kind == JNULL)
		return messages.text;
	buf_init(&out, LIMIT_EXPANDED + 64);
	buf_str(&out, "[{\"role\":\"system\",\"content\":");
	buf_slice(&out, system.text);
	buf_str(&out, rest.len ? "}," : "}");
	buf_slice(&out, rest);
	buf_byte(&out, ']');
	return build_take(b, &out);
}

static void
messages_request(struct build *b, struct jvalue body)
{
	enum { SYSTEM, MESSAGES, TOOLS, STOP, CONFIG, FORMAT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[SYSTEM] = SLICE("system"), [MESSAGES] = SLICE("messages"),
		[TOOLS] = SLICE("tools"), [STOP] = SLICE("stop_sequences"),
		[CONFIG] = SLICE("output_config"), [FORMAT] = SLICE("output_format"),
	};
	struct jvalue v[MEMBERS], format;
	struct span *s = &b->span;

	json_pick(body, names, v, MEMBERS);
	s->input = s->prompt_messages = prompt_json(b, v[SYSTEM], v[MESSAGES]);
	s->tools = v[TOOLS].text;
	if (v[STOP].kind == JARRAY)
		s->stop = v[STOP].text;
	/* chat's names for what is said here in one object */
	format = jget(v[CONFIG], SLICE("format"));
	if (s->response_format.ptr == NULL)
		s->response_format = format.kind == JOBJECT ? format.text : v[FORMAT].text;
	if (s->reasoning_effort.ptr == NULL)
		s->reasoning_effort = jget(v[CONFIG], SLICE("effort")).text;
}

/* A tool's input as the text of arguments, whose white space says nothing: a
 * stream has what the model wrote, a document what its printer made of it. */
static void
arguments_json(struct buf *out, struct jvalue input)
{
	struct buf compact;

	/* input that was no JSON is a text already */
	if (input.kind == JSTRING)
		buf_slice(out, json_inner(input));
	if (input.kind == JSTRING || input.kind == JNONE)
		return;
	buf_init(&compact, LIMIT_EXPANDED);
	json_respace(input.text, "", &compact);
	json_escape(buf_view(&compact), out);
	out->failed |= compact.failed;
	buf_free(&compact);
}

static void
call_add(struct buf *calls, struct jvalue id, struct jvalue name, struct jvalue input)
{
	buf_str(calls, calls->len ? ",{\"id\":" : "{\"id\":");
	buf_slice(calls, id.kind == JSTRING ? id.text : SLICE("null"));
	buf_str(calls, ",\"type\":\"function\",\"function\":{\"name\":");
	buf_slice(calls, name.kind == JSTRING ? name.text : SLICE("null"));
	buf_str(calls, ",\"arguments\":\"");
	arguments_json(calls, input);
	buf_str(calls, "\"}}");
}

static void
block_add(struct message *m, struct jvalue block)
{
	enum { TYPE, TEXT, CITATIONS, THINKING, ID, NAME, INPUT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TYPE] = SLICE("type"), [TEXT] = SLICE("text"), [CITATIONS] = SLICE("citations"),
		[THINKING] = SLICE("thinking"), [ID] = SLICE("id"), [NAME] = SLICE("name"),
		[INPUT] = SLICE("input"),
	};
	struct jvalue v[MEMBERS];

	json_pick(block, names, v, MEMBERS);
	if (jstring_is(v[TYPE], SLICE("text"))) {
		buf_slice(&m->text, json_inner(v[TEXT]));
		m->has_text = true;
		m->has_more |= json_truthy(v[CITATIONS]);
	} else if (jstring_is(v[TYPE], SLICE("thinking"))) {
		buf_slice(&m->thinking, json_inner(v[THINKING]));
		json_list_add(&m->thoughts, block.text);
	} else if (jstring_is(v[TYPE], SLICE("redacted_thinking")))
		json_list_add(&m->thoughts, block.text);
	else if (jstring_is(v[TYPE], SLICE("tool_use")))
		call_add(&m->calls, v[ID], v[NAME], v[INPUT]);
	else
		m->has_more = true;
}

static void
blocks_add(struct message *m, struct jvalue content)
{
	struct jmember block;
	struct jiter it;

	if (content.kind == JSTRING) {
		buf_slice(&m->text, json_inner(content));
		m->has_text = true;
		return;
	}
	jiter_init(&it, content);
	while (jiter_next(&it, &block))
		block_add(m, block.value);
}

static void
message_json(const struct message *m, struct jvalue role, struct jvalue content, struct buf *out)
{
	buf_str(out, "{\"role\":");
	buf_slice(out, role.kind == JSTRING ? role.text : SLICE("\"assistant\""));
	buf_str(out, m->has_text ? ",\"content\":\"" : ",\"content\":null");
	buf_slice(out, buf_view(&m->text));
	buf_str(out, m->has_text ? "\"" : "");
	if (m->thinking.len > 0) {
		buf_str(out, ",\"reasoning_content\":\"");
		buf_slice(out, buf_view(&m->thinking));
		buf_byte(out, '"');
	}
	json_list_member("thinking_blocks", &m->thoughts, out);
	json_list_member("tool_calls", &m->calls, out);
	if (m->has_more) {
		buf_str(out, ",\"content_blocks\":");
		buf_slice(out, content.text);
	}
	buf_byte(out, '}');
}

void
messages_output(struct build *b, struct jvalue role, struct jvalue content)
{
	struct message m = { .has_text = false };
	struct buf *all[] = { &m.text, &m.thinking, &m.thoughts, &m.calls };
	struct buf out, calls;
	size_t i;

	if (content.kind != JARRAY && content.kind != JSTRING)
		return;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		buf_init(all[i], LIMIT_EXPANDED);
	blocks_add(&m, content);
	buf_init(&out, 2 * LIMIT_EXPANDED);
	message_json(&m, role, content, &out);
	b->span.output = b->span.completion_message = build_take(b, &out);
	if (m.calls.len > 0) {
		buf_init(&calls, LIMIT_EXPANDED);
		buf_byte(&calls, '[');
		buf_slice(&calls, buf_view(&m.calls));
		buf_byte(&calls, ']');
		b->span.tool_calls = build_take(b, &calls);
	}
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		b->arena.failed |= all[i]->failed;
		buf_free(all[i]);
	}
}

static void
messages_plain(struct build *b, struct jvalue body)
{
	enum { ID, TYPE, ROLE, MODEL, CONTENT, STOP, USAGE, ERROR, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [TYPE] = SLICE("type"), [ROLE] = SLICE("role"),
		[MODEL] = SLICE("model"), [CONTENT] = SLICE("content"),
		[STOP] = SLICE("stop_reason"), [USAGE] = SLICE("usage"), [ERROR] = SLICE("error"),
	};
	struct jvalue v[MEMBERS];

	json_pick(body, names, v, MEMBERS);
	if (json_truthy(v[ERROR]) || jstring_is(v[TYPE], SLICE("error")))
		error_of(b, body);
	b->span.response_id = build_text(b, v[ID]);
	build_model(b, v[MODEL]);
	b->span.finish_reason = build_text(b, v[STOP]);
	build_tier(b, jget(v[USAGE], SLICE("service_tier")));
	build_usage(b, v[USAGE], false);
	messages_output(b, v[ROLE], v[CONTENT]);
}

const struct family_ops family_messages = {
	.json_only = true,
	.stream_ends = true,
	.estimates = ESTIMATE_PROMPT | ESTIMATE_COMPLETION,
	.request = messages_request,
	.plain = messages_plain,
	.event = messages_event,
	.finish = messages_finish,
	.free = messages_free,
};
