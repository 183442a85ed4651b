/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out_message.c: what was asked and answered, as the GenAI conventions have
 * it: messages of parts, system instructions that were apart, arguments and
 * results of tools; JSON in strings. What is no conversation goes by Traceloop's
 * names, as the conventions have none. Called by otlp_out.c.
 */
#include "span/genai.h"
#include "span/otlp_out_inner.h"

static void
member_put(struct buf *out, const char *name, struct jvalue v)
{
	if (v.kind == JNONE || v.kind == JNULL)
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_slice(out, v.text);
}

static void
comma_put(struct buf *out)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '[')
		buf_byte(out, ',');
}

static bool
is_type(struct jvalue part, const char *type)
{
	return jstring_is(jget(part, SLICE("type")), slice_str(type));
}

static void
text_put(const char *type, struct jvalue content, struct buf *out)
{
	comma_put(out);
	buf_printf(out, "{\"type\":\"%s\",\"content\":", type);
	buf_slice(out, content.text);
	buf_byte(out, '}');
}

/* A data: URL apart: its type and what is behind the comma. */
static bool
data_split(struct slice url, struct slice *mime, struct slice *data)
{
	const char *comma, *end;

	if (!slice_starts(url, SLICE("data:")) || (comma = memchr(url.ptr, ',', url.len)) == NULL)
		return false;
	*data = slice_from(url, (size_t)(comma - url.ptr) + 1);
	*mime = slice_make(url.ptr + 5, (size_t)(comma - url.ptr) - 5);
	end = memchr(mime->ptr, ';', mime->len);
	if (end == NULL || !slice_ends(*mime, SLICE(";base64")))
		return false;
	mime->len = (size_t)(end - mime->ptr);
	return true;
}

/* By its address, or the bytes where that holds them. */
static void
image_put(struct jvalue url, struct buf *out)
{
	struct slice mime, data;

	comma_put(out);
	if (!data_split(jstring_plain(url), &mime, &data)) {
		buf_str(out, "{\"type\":\"uri\",\"modality\":\"image\",\"uri\":");
		buf_slice(out, url.text);
		buf_byte(out, '}');
		return;
	}
	buf_str(out, "{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":");
	buf_json_string(out, mime);
	buf_str(out, ",\"content\":");
	buf_json_string(out, data);
	buf_byte(out, '}');
}

/* JSON in a string as the JSON it is, so that tools' arguments are objects. */
static void
unquoted_put(struct jvalue v, struct buf *out)
{
	struct jvalue inner;
	struct buf text;

	buf_init(&text, v.text.len + 1);
	if (v.kind == JSTRING && jstring(v, &text) && jscan_check(buf_view(&text), &inner, NULL) == JSCAN_END &&
	    inner.kind == JOBJECT)
		buf_slice(out, inner.text);
	else
		buf_slice(out, v.kind == JNONE ? SLICE("null") : v.text);
	buf_free(&text);
}

static void
call_put(struct jvalue id, struct jvalue name, struct jvalue arguments, struct buf *out)
{
	comma_put(out);
	buf_str(out, "{\"type\":\"tool_call\"");
	member_put(out, "id", id);
	buf_str(out, ",\"name\":");
	buf_slice(out, name.kind == JSTRING ? name.text : SLICE("\"\""));
	buf_str(out, ",\"arguments\":");
	unquoted_put(arguments, out);
	buf_byte(out, '}');
}

static void
answer_put(struct jvalue id, struct jvalue response, struct buf *out)
{
	comma_put(out);
	buf_str(out, "{\"type\":\"tool_call_response\"");
	member_put(out, "id", id);
	buf_str(out, ",\"response\":");
	buf_slice(out, response.kind == JNONE ? SLICE("null") : response.text);
	buf_byte(out, '}');
}

/* One part of a content; what the conventions have no form for stays as it is. */
static void
part_put(struct jvalue part, struct buf *out)
{
	struct jvalue url = jget(part, SLICE("image_url"));

	if (url.kind == JOBJECT)
		url = jget(url, SLICE("url"));
	if (part.kind == JSTRING)
		text_put("text", part, out);
	else if ((is_type(part, "text") || is_type(part, "input_text") || is_type(part, "output_text")) &&
	    jget(part, SLICE("text")).kind == JSTRING)
		text_put("text", jget(part, SLICE("text")), out);
	else if (is_type(part, "thinking") && jget(part, SLICE("thinking")).kind == JSTRING)
		text_put("reasoning", jget(part, SLICE("thinking")), out);
	else if (url.kind == JSTRING)
		image_put(url, out);
	else if (is_type(part, "tool_use"))
		call_put(jget(part, SLICE("id")), jget(part, SLICE("name")), jget(part, SLICE("input")), out);
	else if (is_type(part, "tool_result"))
		answer_put(jget(part, SLICE("tool_use_id")), jget(part, SLICE("content")), out);
	else if (jget(part, SLICE("type")).kind == JSTRING) {
		comma_put(out);
		buf_slice(out, part.text);
	} else
		text_put("text", (struct jvalue){ JSTRING, SLICE("\"\"") }, out);
}

static void
content_put(struct jvalue content, struct buf *out)
{
	struct jmember m;
	struct jiter it;

	if (content.kind == JOBJECT || (content.kind == JSTRING && content.text.len > 2))
		part_put(content, out);
	for (jiter_init(&it, content); content.kind == JARRAY && jiter_next(&it, &m);)
		part_put(m.value, out);
}

static void
calls_put(struct jvalue calls, struct buf *out)
{
	struct jvalue function;
	struct jmember m;
	struct jiter it;

	for (jiter_init(&it, calls); calls.kind == JARRAY && jiter_next(&it, &m);) {
		function = jget(m.value, SLICE("function"));
		if (function.kind != JOBJECT)
			function = m.value;
		call_put(jget(m.value, SLICE("id")), jget(function, SLICE("name")), jget(function, SLICE("arguments")), out);
	}
}

/* The list of a message's parts. */
static void
parts_put(struct jvalue message, struct buf *out)
{
	struct jvalue content = message.kind == JOBJECT ? jget(message, SLICE("content")) : message;
	struct jvalue reasoning = jget(message, SLICE("reasoning_content"));

	buf_byte(out, '[');
	if (reasoning.kind == JSTRING && reasoning.text.len > 2)
		text_put("reasoning", reasoning, out);
	if (jstring_is(jget(message, SLICE("role")), SLICE("tool")))
		answer_put(jget(message, SLICE("tool_call_id")), content, out);
	else
		content_put(content, out);
	calls_put(jget(message, SLICE("tool_calls")), out);
	buf_byte(out, ']');
}

/* finish: SLICE_NONE for what was asked. */
static void
message_put(struct jvalue message, const char *role, struct slice finish, struct buf *out)
{
	struct jvalue told = jget(message, SLICE("role"));

	comma_put(out);
	buf_str(out, "{\"role\":");
	if (told.kind == JSTRING)
		buf_slice(out, told.text);
	else
		buf_printf(out, "\"%s\"", role);
	buf_str(out, ",\"parts\":");
	parts_put(message, out);
	member_put(out, "name", jget(message, SLICE("name")));
	if (finish.ptr != NULL) {
		buf_str(out, ",\"finish_reason\":");
		buf_json_string(out, finish);
	}
	buf_byte(out, '}');
}

/* Does it look like a list of messages, or a text to be answered? */
static bool
is_conversation(struct jvalue v)
{
	struct jmember first;
	struct jiter it;

	jiter_init(&it, v);
	if (v.kind == JARRAY)
		return jiter_next(&it, &first) && (first.value.kind == JSTRING || (first.value.kind == JOBJECT &&
		    (jget(first.value, SLICE("role")).kind == JSTRING || jget(first.value, SLICE("content")).kind != JNONE)));
	return v.kind == JSTRING || (v.kind == JOBJECT && jget(v, SLICE("content")).kind != JNONE);
}

/* The list of messages of one side into o->text. */
static void
list_put(struct otlp_out *o, struct jvalue v, bool answers, bool skip_first)
{
	const char *role = answers ? "assistant" : "user";
	struct slice finish = answers ? o->s->finish_reason.len > 0 ? o->s->finish_reason : SLICE("stop") : SLICE_NONE;
	struct jmember m;
	struct jiter it;

	buf_clear(&o->text);
	buf_byte(&o->text, '[');
	if (v.kind == JARRAY)
		for (jiter_init(&it, v); jiter_next(&it, &m); skip_first = false) {
			if (!skip_first)
				message_put(m.value, role, finish, &o->text);
		}
	else
		message_put(v, role, finish, &o->text);
	buf_byte(&o->text, ']');
}

static void
text_attribute(struct otlp_out *o, const char *key)
{
	if (!o->text.failed && o->text.len > 2)
		otlp_out_text(o, key, buf_view(&o->text));
	o->out->failed |= o->text.failed;
}

/* Instructions stand apart where the API has them apart. False: there are none. */
static bool
system_put(struct otlp_out *o, struct jvalue messages)
{
	struct jmember first;
	struct jiter it;

	jiter_init(&it, messages);
	if (messages.kind != JARRAY || !slice_eq(o->s->family, SLICE("messages")) || !jiter_next(&it, &first) ||
	    !jstring_is(jget(first.value, SLICE("role")), SLICE("system")))
		return false;
	buf_clear(&o->text);
	parts_put(first.value, &o->text);
	text_attribute(o, "gen_ai.system_instructions");
	return true;
}

static struct jvalue
value_of(struct slice json)
{
	struct jvalue v = { .kind = JNONE };

	if (json.ptr == NULL || jscan_check(json, &v, NULL) != JSCAN_END)
		v.kind = JNONE;
	return v;
}

/* A value as a text: the characters of a string, else its JSON. */
static void
plain_put(struct otlp_out *o, const char *key, struct jvalue v)
{
	if (v.kind == JNONE || v.kind == JNULL)
		return;
	buf_clear(&o->text);
	if (v.kind == JSTRING)
		jstring(v, &o->text);
	else
		buf_slice(&o->text, v.text);
	o->out->failed |= o->text.failed;
	otlp_out_text(o, key, buf_view(&o->text));
}

void
otlp_out_messages(struct otlp_out *o)
{
	const struct span *s = o->s;
	struct jvalue asked = value_of(s->prompt_messages), answered = value_of(s->completion_messages);
	struct jvalue input = value_of(s->input), output = value_of(s->output);
	struct slice operation = genai_operation(s);
	bool model = slice_eq(operation, SLICE("chat")) || slice_eq(operation, SLICE("text_completion"));
	bool tool = slice_eq(operation, SLICE("execute_tool"));

	if (asked.kind != JARRAY)
		asked = input;
	if (answered.kind != JARRAY)
		answered = value_of(s->completion_message);
	if (answered.kind == JNONE || answered.kind == JNULL)
		answered = output;
	if (model && is_conversation(asked)) {
		bool apart = system_put(o, asked);

		list_put(o, asked, false, apart);
		text_attribute(o, "gen_ai.input.messages");
	} else
		plain_put(o, tool ? "gen_ai.tool.call.arguments" : "traceloop.entity.input", input);
	if (model && is_conversation(answered)) {
		list_put(o, answered, true, false);
		text_attribute(o, "gen_ai.output.messages");
	} else
		plain_put(o, tool ? "gen_ai.tool.call.result" : "traceloop.entity.output", output);
}
