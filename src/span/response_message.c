/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response_message.c: the items of a response as one message in chat's form,
 * for those who read spans and know no other. Called by response.c.
 */
#include "span/json.h"
#include "span/response.h"

/* Insides of JSON strings; calls: elements with commas between. */
struct message {
	struct buf	content, refusal, reasoning, calls;
	bool		has_content;
};

/* The text's inside; a structure is a text of its own JSON. */
static void
text_add(struct buf *out, struct jvalue v)
{
	if (v.kind == JSTRING)
		buf_slice(out, json_inner(v));
	else if (v.kind == JOBJECT || v.kind == JARRAY)
		json_escape(v.text, out);
}

static void
string_json(struct jvalue v, struct buf *out)
{
	buf_byte(out, '"');
	text_add(out, v);
	buf_byte(out, '"');
}

static void
content_add(struct message *m, struct jvalue text)
{
	if (text.kind != JSTRING)
		return;
	buf_slice(&m->content, json_inner(text));
	m->has_content = true;
}

/* One part of a message: text, what was said, a refusal. */
static void
message_part(struct message *m, struct jvalue part)
{
	struct jvalue type = jget(part, SLICE("type"));

	if (jstring_is(type, SLICE("refusal")))
		text_add(&m->refusal, jget(part, SLICE("refusal")));
	else if (jstring_is(type, SLICE("output_audio")))
		content_add(m, jget(part, SLICE("transcript")));
	else
		content_add(m, jget(part, SLICE("text")));
}

static void
message_parts(struct message *m, struct jvalue content)
{
	struct jmember part;
	struct jiter it;

	if (content.kind == JSTRING)
		content_add(m, content);
	if (content.kind != JARRAY)
		return;
	jiter_init(&it, content);
	while (jiter_next(&it, &part))
		message_part(m, part.value);
}

/* Parts of summaries are paragraphs. */
static void
reasoning_add(struct message *m, struct jvalue list)
{
	struct jmember part;
	struct jvalue text;
	struct jiter it;

	if (list.kind != JARRAY)
		return;
	jiter_init(&it, list);
	while (jiter_next(&it, &part)) {
		text = jget(part.value, SLICE("text"));
		if (jempty(text))
			continue;
		buf_str(&m->reasoning, m->reasoning.len ? "\\n\\n" : "");
		text_add(&m->reasoning, text);
	}
}

static void
call_add(struct message *m, struct jvalue item, bool custom)
{
	enum { ID, CALL_ID, NAME, ARGUMENTS, INPUT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [CALL_ID] = SLICE("call_id"), [NAME] = SLICE("name"),
		[ARGUMENTS] = SLICE("arguments"), [INPUT] = SLICE("input"),
	};
	struct jvalue v[MEMBERS];

	json_pick(item, names, v, MEMBERS);
	buf_str(&m->calls, m->calls.len ? ",{\"id\":" : "{\"id\":");
	string_json(v[CALL_ID].kind == JSTRING ? v[CALL_ID] : v[ID], &m->calls);
	buf_str(&m->calls, custom ? ",\"type\":\"custom\",\"custom\":{\"name\":" :
	    ",\"type\":\"function\",\"function\":{\"name\":");
	string_json(v[NAME], &m->calls);
	buf_str(&m->calls, custom ? ",\"input\":" : ",\"arguments\":");
	string_json(v[custom ? INPUT : ARGUMENTS], &m->calls);
	buf_str(&m->calls, "}}");
}

static void
item_add(struct message *m, struct jvalue item)
{
	struct jvalue type = jget(item, SLICE("type")), role = jget(item, SLICE("role"));

	/* a compacted conversation holds its user's messages too */
	if (role.kind != JNONE && !jstring_is(role, SLICE("assistant")))
		return;
	if (jstring_is(type, SLICE("message")))
		message_parts(m, jget(item, SLICE("content")));
	else if (jstring_is(type, SLICE("function_call")))
		call_add(m, item, false);
	else if (jstring_is(type, SLICE("custom_tool_call")))
		call_add(m, item, true);
	else if (jstring_is(type, SLICE("reasoning"))) {
		reasoning_add(m, jget(item, SLICE("summary")));
		reasoning_add(m, jget(item, SLICE("content")));
	}
}

/* Appends ,"name":"text" unless it is empty. */
static void
member_json(const char *name, const struct buf *text, struct buf *out)
{
	if (text->len == 0)
		return;
	buf_printf(out, ",\"%s\":\"", name);
	buf_slice(out, buf_view(text));
	buf_byte(out, '"');
}

static void
message_json(const struct message *m, struct slice calls, struct buf *out)
{
	buf_str(out, "{\"role\":\"assistant\",\"content\":");
	buf_str(out, m->has_content ? "\"" : "null");
	buf_slice(out, buf_view(&m->content));
	buf_str(out, m->has_content ? "\"" : "");
	member_json("refusal", &m->refusal, out);
	member_json("reasoning_content", &m->reasoning, out);
	if (calls.ptr != NULL) {
		buf_str(out, ",\"tool_calls\":");
		buf_slice(out, calls);
	}
	buf_byte(out, '}');
}

/* The calls as a list, SLICE_NONE without one. */
static struct slice
calls_list(struct build *b, const struct message *m)
{
	struct buf list;

	if (m->calls.len == 0)
		return SLICE_NONE;
	buf_init(&list, LIMIT_EXPANDED);
	buf_byte(&list, '[');
	buf_slice(&list, buf_view(&m->calls));
	buf_byte(&list, ']');
	list.failed |= m->calls.failed;
	return build_take(b, &list);
}

void
response_message(struct build *b, struct jvalue output)
{
	struct message m = { .has_content = false };
	struct jmember item;
	struct buf text;
	struct jiter it;

	if (output.kind != JARRAY || jempty(output))
		return;
	buf_init(&m.content, LIMIT_EXPANDED);
	buf_init(&m.refusal, LIMIT_EXPANDED);
	buf_init(&m.reasoning, LIMIT_EXPANDED);
	buf_init(&m.calls, LIMIT_EXPANDED);
	buf_init(&text, LIMIT_EXPANDED);
	jiter_init(&it, output);
	while (jiter_next(&it, &item))
		item_add(&m, item.value);
	b->span.tool_calls = calls_list(b, &m);
	message_json(&m, b->span.tool_calls, &text);
	text.failed |= m.content.failed || m.refusal.failed || m.reasoning.failed;
	b->span.completion_message = build_take(b, &text);
	buf_free(&m.content);
	buf_free(&m.refusal);
	buf_free(&m.reasoning);
	buf_free(&m.calls);
}
