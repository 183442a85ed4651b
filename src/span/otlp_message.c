/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_message.c: messages of all dialects in the form that chat has: role,
 * content, tool_calls. What a dialect wraps is unwrapped (OpenInference),
 * parts are sorted by what they are (GenAI conventions), flat tool calls get
 * their function (Traceloop). Members that nobody here knows stay.
 */
#include "core/limits.h"
#include "span/otlp_inner.h"

/* A message as it is put together. */
struct message {
	struct arena	*arena;
	struct slice	 role;
	struct buf	 parts;		/* of its content, as list elements */
	struct buf	 reasoning;	/* its characters */
	struct buf	 calls;		/* of tools, as list elements */
	struct buf	 answers;	/* of tools, which are messages of their own */
	struct jvalue	 text;		/* the only part, a text */
	size_t		 nparts;
};

static void
add_comma(struct buf *list)
{
	if (list->len > 0)
		buf_byte(list, ',');
}

/* The first of the members that is there. */
static struct jvalue
first_of(struct jvalue object, const char *const *names)
{
	struct jvalue v = { .kind = JNONE };

	for (; *names && otlp_absent(v); names++)
		v = jget(object, slice_str(*names));
	return v;
}
#define FIRST(object, ...) first_of(object, (const char *const[]){ __VA_ARGS__, NULL })

/* A value as JSON text in a string, as arguments of tools are. */
static void
put_as_text(struct jvalue v, struct buf *out)
{
	if (v.kind == JSTRING)
		buf_slice(out, v.text);
	else
		buf_json_string(out, otlp_absent(v) ? SLICE("") : v.text);
}

static void
put_call(struct message *m, struct jvalue call)
{
	struct jvalue inner = jget(call, SLICE("tool_call")), function, id;

	if (inner.kind == JOBJECT)
		call = inner;
	function = jget(call, SLICE("function"));
	if (function.kind != JOBJECT)
		function = call;
	id = FIRST(call, "id", "tool_call_id", "toolCallId");
	add_comma(&m->calls);
	buf_byte(&m->calls, '{');
	if (!otlp_absent(id)) {
		buf_str(&m->calls, "\"id\":");
		put_as_text(id, &m->calls);
		buf_byte(&m->calls, ',');
	}
	buf_str(&m->calls, "\"type\":\"function\",\"function\":{\"name\":");
	put_as_text(FIRST(function, "name", "tool_name", "toolName"), &m->calls);
	buf_str(&m->calls, ",\"arguments\":");
	put_as_text(FIRST(function, "arguments", "args", "input"), &m->calls);
	buf_str(&m->calls, "}}");
}

static void
put_calls(struct message *m, struct jvalue calls)
{
	struct jmember each;
	struct jiter it;

	calls = otlp_parse_nested(m->arena, calls);
	if (calls.kind == JOBJECT)
		put_call(m, calls);
	if (calls.kind != JARRAY)
		return;
	jiter_init(&it, calls);
	while (jiter_next(&it, &each))
		put_call(m, otlp_parse_nested(m->arena, each.value));
}

static void
put_text_part(struct message *m, struct jvalue text)
{
	m->text = text;
	m->nparts++;
	add_comma(&m->parts);
	buf_str(&m->parts, "{\"type\":\"text\",\"text\":");
	put_as_text(text, &m->parts);
	buf_byte(&m->parts, '}');
}

/* An address, or base64 with its type. */
static void
put_image_part(struct message *m, struct jvalue url, struct jvalue data, struct jvalue mime)
{
	struct buf text;

	m->nparts++;
	add_comma(&m->parts);
	buf_str(&m->parts, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
	if (data.kind == JSTRING) {
		buf_init(&text, OTLP_SPAN_TEXT);
		buf_str(&text, "data:");
		(void)(jstring(mime, &text) || buf_str(&text, "image/png"));
		buf_str(&text, ";base64,");
		(void)jstring(data, &text);
		buf_json_string(&m->parts, buf_view(&text));
		m->parts.failed |= text.failed;
		buf_free(&text);
	} else
		put_as_text(url, &m->parts);
	buf_str(&m->parts, "}}");
}

/* What a tool answered is a message of the role tool. */
static void
put_answer(struct message *m, struct jvalue part)
{
	struct jvalue id = FIRST(part, "id", "tool_call_id", "toolCallId"), name = FIRST(part, "name", "toolName");
	struct jvalue result = FIRST(part, "response", "result", "content", "output");

	add_comma(&m->answers);
	buf_str(&m->answers, "{\"role\":\"tool\",\"content\":");
	put_as_text(result, &m->answers);
	if (!otlp_absent(id)) {
		buf_str(&m->answers, ",\"tool_call_id\":");
		put_as_text(id, &m->answers);
	}
	if (!otlp_absent(name)) {
		buf_str(&m->answers, ",\"name\":");
		put_as_text(name, &m->answers);
	}
	buf_byte(&m->answers, '}');
}

static bool
has_type(struct jvalue part, const char *type)
{
	return jstring_is(jget(part, SLICE("type")), slice_str(type));
}

/* One part of the content, of whichever dialect. */
static void
put_part(struct message *m, struct jvalue part)
{
	struct jvalue inner = jget(part, SLICE("message_content")), image;

	if (inner.kind == JOBJECT)
		part = inner;
	image = jget(jget(part, SLICE("image")), SLICE("image"));
	if (part.kind == JSTRING)
		put_text_part(m, part);
	else if (has_type(part, "text") && !otlp_absent(FIRST(part, "content", "text")))
		put_text_part(m, FIRST(part, "content", "text"));
	else if (has_type(part, "reasoning") || has_type(part, "thinking")) {
		if (m->reasoning.len > 0)
			buf_str(&m->reasoning, "\n");
		(void)jstring(FIRST(part, "content", "thinking"), &m->reasoning);
	} else if (has_type(part, "tool_call") || has_type(part, "tool-call") || has_type(part, "tool_use"))
		put_call(m, part);
	else if (has_type(part, "tool_call_response") || has_type(part, "tool-result"))
		put_answer(m, part);
	else if (has_type(part, "image") && image.kind == JOBJECT)
		put_image_part(m, jget(image, SLICE("url")), (struct jvalue){ JNONE, SLICE_NONE },
		    (struct jvalue){ JNONE, SLICE_NONE });
	else if ((has_type(part, "blob") || has_type(part, "uri")) &&
	    jstring_is(jget(part, SLICE("modality")), SLICE("image")))
		put_image_part(m, jget(part, SLICE("uri")), jget(part, SLICE("content")), jget(part, SLICE("mime_type")));
	else {
		m->nparts++;
		m->text = (struct jvalue){ JNONE, SLICE_NONE };
		add_comma(&m->parts);
		buf_slice(&m->parts, part.text);
	}
}

static void
put_parts(struct message *m, struct jvalue list)
{
	struct jmember each;
	struct jiter it;

	jiter_init(&it, list);
	while (jiter_next(&it, &each))
		put_part(m, each.value);
}

/* Is it a list whose elements say their type? */
static bool
is_parts(struct jvalue v)
{
	struct jmember first;
	struct jiter it;

	if (v.kind != JARRAY)
		return false;
	jiter_init(&it, v);
	return jiter_next(&it, &first) && jget(first.value, SLICE("type")).kind == JSTRING;
}

/* Members that are read, and those that a message of chat does not have. */
static bool
is_read(const struct jmember *member)
{
	static const struct slice names[] = { SLICE("role"), SLICE("content"), SLICE("contents"), SLICE("parts"),
	    SLICE("tool_calls"), SLICE("finish_reason"), SLICE("index"), SLICE("reasoning_content"), SLICE("id"),
	    SLICE("event.name"), SLICE("gen_ai.system"), SLICE("gen_ai.event.content") };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (jkey_is(member, names[i]))
			return true;
	return false;
}

/* The content: a text alone as it is, parts that are only texts in pieces as a list. */
static void
put_content(struct message *m, struct jvalue content, bool listed, struct buf *list)
{
	buf_str(list, ",\"content\":");
	if (content.kind != JNONE)
		buf_slice(list, content.text);
	else if (m->nparts == 0)
		buf_str(list, "null");
	else if (m->nparts == 1 && m->text.kind != JNONE && !listed)
		put_as_text(m->text, list);
	else {
		buf_byte(list, '[');
		buf_slice(list, buf_view(&m->parts));
		buf_byte(list, ']');
	}
}

static void
put_rest(struct message *m, struct jvalue message, struct buf *list)
{
	struct jvalue id = jget(message, SLICE("id"));
	struct jmember member;
	struct jiter it;

	if (m->reasoning.len > 0) {
		buf_str(list, ",\"reasoning_content\":");
		buf_json_string(list, buf_view(&m->reasoning));
	}
	if (m->calls.len > 0) {
		buf_str(list, ",\"tool_calls\":[");
		buf_slice(list, buf_view(&m->calls));
		buf_byte(list, ']');
	}
	if (slice_eq(m->role, SLICE("tool")) && id.kind == JSTRING) {
		buf_str(list, ",\"tool_call_id\":");
		buf_slice(list, id.text);
	}
	jiter_init(&it, message);
	while (jiter_next(&it, &member)) {
		if (is_read(&member) || otlp_absent(member.value))
			continue;
		buf_byte(list, ',');
		buf_slice(list, member.key_text);
		buf_byte(list, ':');
		buf_slice(list, member.value.text);
	}
}

static void
message_init(struct message *m, struct arena *arena)
{
	*m = (struct message){ .arena = arena };
	buf_init(&m->parts, OTLP_SPAN_TEXT);
	buf_init(&m->reasoning, OTLP_SPAN_TEXT);
	buf_init(&m->calls, OTLP_SPAN_TEXT);
	buf_init(&m->answers, OTLP_SPAN_TEXT);
}

static void
message_free(struct message *m)
{
	buf_free(&m->parts);
	buf_free(&m->reasoning);
	buf_free(&m->calls);
	buf_free(&m->answers);
}

/* An object that is a message. */
static void
put_message(struct otlp *o, struct jvalue message, const char *role, struct buf *list)
{
	struct jvalue content = jget(message, SLICE("content")), parts, own = jget(message, SLICE("role"));
	struct message m;
	bool listed;

	message_init(&m, &o->arena);
	m.role = jstring_plain(own).len > 0 ? jstring_plain(own) : slice_str(role);
	(void)jstring(jget(message, SLICE("reasoning_content")), &m.reasoning);
	parts = FIRST(message, "parts", "contents");
	listed = otlp_absent(jget(message, SLICE("parts")));
	if (otlp_absent(parts))
		parts = otlp_parse_nested(&o->arena, content);
	if (parts.kind == JARRAY && (is_parts(parts) || otlp_absent(content))) {
		put_parts(&m, parts);
		content = (struct jvalue){ JNONE, SLICE_NONE };
	}
	put_calls(&m, jget(message, SLICE("tool_calls")));
	/* what only holds answers of tools is no message besides */
	if (m.answers.len == 0 || m.nparts > 0 || m.calls.len > 0) {
		add_comma(list);
		buf_str(list, "{\"role\":");
		buf_json_string(list, m.role);
		put_content(&m, content, listed, list);
		put_rest(&m, message, list);
		buf_byte(list, '}');
	}
	if (m.answers.len > 0) {
		add_comma(list);
		buf_slice(list, buf_view(&m.answers));
	}
	list->failed |= m.parts.failed || m.calls.failed || m.answers.failed;
	message_free(&m);
}

void
otlp_message(struct otlp *o, struct jvalue message, const char *role, struct buf *list)
{
	struct jvalue inner;

	message = otlp_parse_nested(&o->arena, message);
	inner = jget(message, SLICE("message"));
	if (inner.kind == JOBJECT)
		message = inner;
	if (message.kind == JOBJECT) {
		put_message(o, message, role, list);
		return;
	}
	add_comma(list);
	buf_printf(list, "{\"role\":\"%s\",\"content\":", role);
	put_as_text(message, list);
	buf_byte(list, '}');
}
