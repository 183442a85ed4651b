/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat_merge.c: puts the deltas of one choice together, with all that providers
 * do to them: tool calls without index, with an index used twice, whole in one
 * delta; content as a list of parts; reasoning under three names.
 */
#include <stdlib.h>

#include "span/chat.h"
#include "span/json.h"

static const struct slice array_names[CHAT_ARRAYS] = {
	[CHAT_ANNOTATIONS] = SLICE("annotations"),
	[CHAT_REASONING_DETAILS] = SLICE("reasoning_details"),
	[CHAT_IMAGES] = SLICE("images"),
	[CHAT_CONTENT_PARTS] = SLICE("content_parts"),
	[CHAT_LOGPROBS_CONTENT] = SLICE("content"),
	[CHAT_LOGPROBS_REFUSAL] = SLICE("refusal"),
};

void
chat_choice_init(struct chat_choice *c)
{
	size_t i;

	*c = (struct chat_choice){ .index = 0 };
	buf_init(&c->content, LIMIT_EXPANDED);
	buf_init(&c->reasoning, LIMIT_EXPANDED);
	buf_init(&c->refusal, LIMIT_EXPANDED);
	buf_init(&c->blocks, LIMIT_EXPANDED);
	buf_init(&c->call_name, LIMIT_EXPANDED);
	buf_init(&c->call_arguments, LIMIT_EXPANDED);
	buf_init(&c->transcript, LIMIT_EXPANDED);
	buf_init(&c->sound, LIMIT_EXPANDED);
	for (i = 0; i < CHAT_ARRAYS; i++)
		buf_init(&c->arrays[i], LIMIT_EXPANDED);
}

void
chat_choice_free(struct chat_choice *c)
{
	size_t i;

	buf_free(&c->content);
	buf_free(&c->reasoning);
	buf_free(&c->refusal);
	buf_free(&c->blocks);
	buf_free(&c->call_name);
	buf_free(&c->call_arguments);
	buf_free(&c->transcript);
	buf_free(&c->sound);
	rest_free(&c->message_rest);
	rest_free(&c->audio_rest);
	rest_free(&c->rest);
	for (i = 0; i < CHAT_ARRAYS; i++)
		buf_free(&c->arrays[i]);
	for (i = 0; i < c->ncalls; i++) {
		rest_free(&c->calls[i].rest);
		buf_free(&c->calls[i].name);
		buf_free(&c->calls[i].arguments);
	}
	free(c->calls);
}

/* A piece of a thinking block; a signature closes the block. */
static void
thinking_add(struct chat_choice *c, struct slice text, struct slice signature)
{
	if (text.len == 0 && signature.len == 0)
		return;
	if (!c->block_open) {
		buf_str(&c->blocks, c->blocks.len ? "," : "");
		buf_str(&c->blocks, "{\"type\":\"thinking\",\"thinking\":\"");
		c->block_open = true;
	}
	buf_slice(&c->blocks, text);
	if (signature.len == 0)
		return;
	buf_str(&c->blocks, "\",\"signature\":\"");
	buf_slice(&c->blocks, signature);
	buf_str(&c->blocks, "\"}");
	c->block_open = false;
}

static void
thinking_close(struct chat_choice *c)
{
	if (c->block_open)
		buf_str(&c->blocks, "\"}");
	c->block_open = false;
}

/* delta.thinking_blocks, as gateways in front of Anthropic send them. */
static void
thinking_blocks(struct chat_choice *c, struct jvalue list)
{
	struct jvalue thinking;
	struct jmember m;
	struct jiter it;

	if (list.kind != JARRAY)
		return;
	jiter_init(&it, list);
	while (jiter_next(&it, &m)) {
		thinking = jget(m.value, SLICE("thinking"));
		if (thinking.kind == JSTRING) {
			thinking_add(c, json_inner(thinking),
			    json_inner(jget(m.value, SLICE("signature"))));
			continue;
		}
		if (m.value.kind != JOBJECT)
			continue;
		thinking_close(c);
		buf_str(&c->blocks, c->blocks.len ? "," : "");
		buf_slice(&c->blocks, m.value.text);
	}
}

/* {"type":"thinking","thinking": text or [{"text"}]}. */
static void
part_thinking(struct chat_choice *c, struct jvalue thinking, struct buf *reasoning)
{
	struct slice text;
	struct jmember m;
	struct jiter it;

	if (thinking.kind == JSTRING) {
		buf_slice(reasoning, json_inner(thinking));
		thinking_add(c, json_inner(thinking), SLICE_NONE);
		return;
	}
	if (thinking.kind != JARRAY)
		return;
	jiter_init(&it, thinking);
	while (jiter_next(&it, &m)) {
		text = json_inner(jget(m.value, SLICE("text")));
		buf_slice(reasoning, text);
		thinking_add(c, text, SLICE_NONE);
	}
}

/* One part of a content that is a list; thinking goes to *reasoning. */
static void
content_part(struct chat_choice *c, struct jvalue part, struct buf *reasoning)
{
	struct jvalue text = part;

	if (part.kind == JOBJECT) {
		if (jstring_is(jget(part, SLICE("type")), SLICE("thinking"))) {
			part_thinking(c, jget(part, SLICE("thinking")), reasoning);
			return;
		}
		text = jget(part, SLICE("text"));
		if (text.kind != JSTRING)
			json_list_add(&c->arrays[CHAT_CONTENT_PARTS], part.text);
	}
	if (text.kind != JSTRING)
		return;
	buf_slice(&c->content, json_inner(text));
	c->has_content = true;
}

/* True: content or thinking came. */
static bool
content_add(struct chat_choice *c, struct jvalue content, struct buf *reasoning)
{
	size_t before = c->content.len + reasoning->len;
	struct jmember m;
	struct jiter it;

	if (content.kind == JSTRING || content.kind == JOBJECT)
		content_part(c, content, reasoning);
	else if (content.kind == JARRAY) {
		jiter_init(&it, content);
		while (jiter_next(&it, &m))
			content_part(c, m.value, reasoning);
	}
	return c->content.len + reasoning->len > before;
}

/* Of several names the first that holds text; else what the content's parts
 * held. */
static bool
reasoning_add(struct chat_choice *c, const struct jvalue *names, size_t n, struct buf *parts)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].kind == JSTRING && !jempty(names[i])) {
			buf_slice(&c->reasoning, json_inner(names[i]));
			return true;
		}
	buf_slice(&c->reasoning, buf_view(parts));
	return parts->len > 0;
}

static struct chat_call *
call_new(struct build *b, struct chat_choice *c, int64_t key)
{
	size_t cap = c->cap_calls ? c->cap_calls * 2 : 4;
	struct chat_call *list;

	if (c->ncalls == CHAT_CALLS) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (c->ncalls == c->cap_calls) {
		list = realloc(c->calls, cap * sizeof(*list));
		if (list == NULL) {
			b->arena.failed = true;
			return NULL;
		}
		c->calls = list;
		c->cap_calls = cap;
	}
	list = &c->calls[c->ncalls++];
	*list = (struct chat_call){ .key = key };
	buf_init(&list->name, LIMIT_EXPANDED);
	buf_init(&list->arguments, LIMIT_EXPANDED);
	return list;
}

/* No index: a new id or a name opens a call, anything else goes on with the
 * last one. */
static struct chat_call *
call_unnumbered(struct chat_choice *c, struct slice id, bool named)
{
	struct chat_call *last = c->ncalls ? &c->calls[c->ncalls - 1] : NULL;
	size_t i;

	if (last != NULL && !named && (id.len == 0 || slice_eq(id, last->id)))
		return last;
	for (i = c->ncalls; id.len > 0 && i > 0; i--)
		if (slice_eq(c->calls[i - 1].id, id))
			return &c->calls[i - 1];
	return NULL;
}

/* The newest call of that index. Another id with a name is another call,
 * which uses the index once more. */
static struct chat_call *
call_numbered(struct chat_choice *c, int64_t index, struct slice id, bool named)
{
	struct chat_call *call;
	size_t i;

	for (i = c->ncalls; i > 0; i--) {
		call = &c->calls[i - 1];
		if (call->key != index)
			continue;
		if (named && id.len > 0 && call->id.len > 0 && !slice_eq(id, call->id))
			return NULL;
		return call;
	}
	return NULL;
}

/* A name comes whole, whole again, or in pieces. */
static void
call_name(struct chat_call *call, struct slice name)
{
	if (name.len > 0 && !slice_eq(buf_view(&call->name), name))
		buf_slice(&call->name, name);
}

static void
call_arguments(struct buf *out, struct jvalue v)
{
	if (v.kind == JSTRING)
		buf_slice(out, json_inner(v));
	else if (v.kind == JOBJECT || v.kind == JARRAY)
		json_escape(v.text, out);
}

static void
tool_call_add(struct build *b, struct chat_choice *c, struct jvalue v)
{
	enum { INDEX, ID, TYPE, FUNCTION, CUSTOM, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[INDEX] = SLICE("index"), [ID] = SLICE("id"), [TYPE] = SLICE("type"),
		[FUNCTION] = SLICE("function"), [CUSTOM] = SLICE("custom"),
	};
	struct jvalue m[MEMBERS], what;
	struct chat_call *call;
	struct slice id, name;
	bool custom, numbered;
	int64_t key = 0;

	json_pick(v, names, m, MEMBERS);
	custom = !json_truthy(m[FUNCTION]) && m[CUSTOM].kind == JOBJECT;
	what = custom ? m[CUSTOM] : m[FUNCTION];
	id = json_inner(m[ID]);
	name = json_inner(jget(what, SLICE("name")));
	numbered = m[INDEX].kind == JNUMBER && jint(m[INDEX], &key);
	call = numbered ? call_numbered(c, key, id, name.len > 0) :
	    call_unnumbered(c, id, name.len > 0);
	if (call == NULL)
		call = call_new(b, c, numbered ? key : (int64_t)c->ncalls);
	if (call == NULL)
		return;
	rest_pick(&call->rest, v, names, m, MEMBERS);
	if (call->id.len == 0 && id.len > 0)
		call->id = arena_copy(&b->arena, id);
	if (call->type.ptr == NULL && m[TYPE].kind == JSTRING && !jempty(m[TYPE]))
		call->type = arena_copy(&b->arena, json_inner(m[TYPE]));
	call->custom |= custom;
	call_name(call, name);
	call_arguments(&call->arguments, jget(what, custom ? SLICE("input") : SLICE("arguments")));
}

static bool
tool_calls_add(struct build *b, struct chat_choice *c, struct jvalue list)
{
	struct jmember m;
	struct jiter it;
	bool got = false;

	if (list.kind != JARRAY)
		return false;
	jiter_init(&it, list);
	while (jiter_next(&it, &m))
		if (m.value.kind == JOBJECT) {
			tool_call_add(b, c, m.value);
			got = true;
		}
	return got;
}

/* True: sound or words of it came. */
static bool
audio_add(struct build *b, struct chat_choice *c, struct jvalue audio)
{
	enum { ID, TRANSCRIPT, DATA, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [TRANSCRIPT] = SLICE("transcript"), [DATA] = SLICE("data"),
	};
	struct jvalue v[MEMBERS];

	if (audio.kind != JOBJECT)
		return false;
	c->has_audio = true;
	rest_pick(&c->audio_rest, audio, names, v, MEMBERS);
	if (c->audio_id.ptr == NULL && v[ID].kind == JSTRING && !jempty(v[ID]))
		c->audio_id = arena_copy(&b->arena, json_inner(v[ID]));
	buf_slice(&c->transcript, json_inner(v[TRANSCRIPT]));
	buf_slice(&c->sound, json_inner(v[DATA]));
	return json_truthy(v[TRANSCRIPT]) || json_truthy(v[DATA]);
}

static bool
function_call_add(struct chat_choice *c, struct jvalue call)
{
	if (call.kind != JOBJECT)
		return false;
	c->has_call = true;
	buf_slice(&c->call_name, json_inner(jget(call, SLICE("name"))));
	call_arguments(&c->call_arguments, jget(call, SLICE("arguments")));
	return true;
}

static void
arrays_add(struct chat_choice *c, const struct jvalue *arrays)
{
	size_t i;

	for (i = 0; i < CHAT_MESSAGE_ARRAYS; i++)
		json_list_add(&c->arrays[i], json_elements(arrays[i]));
}

void
chat_choice_logprobs(struct chat_choice *c, struct jvalue logprobs)
{
	size_t i;

	if (logprobs.kind != JOBJECT)
		return;
	for (i = CHAT_MESSAGE_ARRAYS; i < CHAT_ARRAYS; i++)
		json_list_add(&c->arrays[i], json_elements(jget(logprobs, array_names[i])));
}

bool
chat_choice_add(struct build *b, struct chat_choice *c, struct jvalue delta)
{
	enum {
		ROLE, CONTENT, REASONING_CONTENT, REASONING, REASONING_TEXT, REFUSAL,
		TOOL_CALLS, FUNCTION_CALL, AUDIO, BLOCKS, MESSAGE, PAD, ARRAYS, MEMBERS = ARRAYS + CHAT_MESSAGE_ARRAYS
	};
	static const struct slice names[MEMBERS] = {
		[ROLE] = SLICE("role"), [CONTENT] = SLICE("content"),
		[REASONING_CONTENT] = SLICE("reasoning_content"),
		[REASONING] = SLICE("reasoning"), [REASONING_TEXT] = SLICE("reasoning_text"),
		[REFUSAL] = SLICE("refusal"), [TOOL_CALLS] = SLICE("tool_calls"),
		[FUNCTION_CALL] = SLICE("function_call"), [AUDIO] = SLICE("audio"),
		[BLOCKS] = SLICE("thinking_blocks"),
		/* said elsewhere too, or nothing */
		[MESSAGE] = SLICE("message"), [PAD] = SLICE("obfuscation"),
		/* in the order of enum chat_array */
		[ARRAYS] = SLICE("annotations"), SLICE("reasoning_details"), SLICE("images"),
		SLICE("content_parts"),
	};
	struct jvalue v[MEMBERS];
	struct buf parts;
	bool got;

	rest_pick(&c->message_rest, delta, names, v, MEMBERS);
	buf_init(&parts, LIMIT_EXPANDED);
	if (c->role.ptr == NULL && v[ROLE].kind == JSTRING && !jempty(v[ROLE]))
		c->role = arena_copy(&b->arena, json_inner(v[ROLE]));
	got = content_add(c, v[CONTENT], &parts);
	got |= reasoning_add(c, &v[REASONING_CONTENT], 3, &parts);
	buf_free(&parts);
	if (v[REFUSAL].kind == JSTRING && !jempty(v[REFUSAL])) {
		buf_slice(&c->refusal, json_inner(v[REFUSAL]));
		got = true;
	}
	thinking_blocks(c, v[BLOCKS]);
	got |= tool_calls_add(b, c, v[TOOL_CALLS]);
	got |= function_call_add(c, v[FUNCTION_CALL]);
	got |= audio_add(b, c, v[AUDIO]);
	arrays_add(c, &v[ARRAYS]);
	return got;
}

bool
chat_choice_text(struct chat_choice *c, struct jvalue text)
{
	if (text.kind != JSTRING)
		return false;
	buf_slice(&c->content, json_inner(text));
	c->has_content = true;
	return !jempty(text);
}

/* "name":"…" with a comma before it. */
static void
member_text(struct buf *out, const char *name, struct slice inside)
{
	buf_str(out, ",\"");
	buf_str(out, name);
	buf_str(out, "\":\"");
	buf_slice(out, inside);
	buf_byte(out, '"');
}

static void
call_json(const struct chat_call *call, struct buf *out)
{
	const char *kind = call->custom ? "custom" : "function";

	buf_str(out, "{\"id\":");
	if (call->id.ptr != NULL) {
		buf_byte(out, '"');
		buf_slice(out, call->id);
		buf_byte(out, '"');
	} else
		buf_str(out, "null");
	member_text(out, "type", call->type.ptr ? call->type : slice_str(kind));
	buf_str(out, ",\"");
	buf_str(out, kind);
	buf_str(out, "\":{\"name\":\"");
	buf_slice(out, buf_view(&call->name));
	buf_byte(out, '"');
	member_text(out, call->custom ? "input" : "arguments", buf_view(&call->arguments));
	buf_byte(out, '}');
	rest_json(&call->rest, out);
	buf_byte(out, '}');
}

void
chat_choice_calls(const struct chat_choice *c, struct buf *out)
{
	size_t i;

	for (i = 0; i < c->ncalls; i++) {
		buf_byte(out, i ? ',' : '[');
		call_json(&c->calls[i], out);
	}
	buf_str(out, i ? "]" : "[]");
}

static void
audio_json(const struct chat_choice *c, struct buf *out)
{
	buf_str(out, ",\"audio\":{\"id\":");
	if (c->audio_id.ptr != NULL) {
		buf_byte(out, '"');
		buf_slice(out, c->audio_id);
		buf_byte(out, '"');
	} else
		buf_str(out, "null");
	member_text(out, "transcript", buf_view(&c->transcript));
	if (c->sound.len > 0)
		member_text(out, "data", buf_view(&c->sound));
	rest_json(&c->audio_rest, out);
	buf_byte(out, '}');
}

/* The arrays from i to n that hold something, each as ,"name":[…]. */
static void
arrays_json(const struct chat_choice *c, size_t i, size_t n, struct buf *out)
{
	for (; i < n; i++) {
		if (c->arrays[i].len == 0)
			continue;
		buf_str(out, ",\"");
		buf_slice(out, array_names[i]);
		buf_str(out, "\":[");
		buf_slice(out, buf_view(&c->arrays[i]));
		buf_byte(out, ']');
	}
}

void
chat_choice_logprobs_json(const struct chat_choice *c, struct buf *out)
{
	size_t start;

	buf_str(out, ",\"logprobs\":{");
	start = out->len;
	arrays_json(c, CHAT_MESSAGE_ARRAYS, CHAT_ARRAYS, out);
	if (out->failed)
		return;
	if (out->len == start) {
		out->len -= sizeof(",\"logprobs\":{") - 1;
		return;
	}
	memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 1);	/* the first comma */
	out->ptr[out->len - 1] = '}';
}

void
chat_choice_message(struct chat_choice *c, struct buf *out)
{
	buf_str(out, "{\"role\":\"");
	buf_slice(out, c->role.ptr ? c->role : SLICE("assistant"));
	buf_byte(out, '"');
	if (c->has_content)
		member_text(out, "content", buf_view(&c->content));
	else
		buf_str(out, ",\"content\":null");
	if (c->refusal.len > 0)
		member_text(out, "refusal", buf_view(&c->refusal));
	if (c->reasoning.len > 0)
		member_text(out, "reasoning_content", buf_view(&c->reasoning));
	thinking_close(c);
	if (c->blocks.len > 0) {
		buf_str(out, ",\"thinking_blocks\":[");
		buf_slice(out, buf_view(&c->blocks));
		buf_byte(out, ']');
	}
	if (c->ncalls > 0) {
		buf_str(out, ",\"tool_calls\":");
		chat_choice_calls(c, out);
	}
	if (c->has_call) {
		buf_str(out, ",\"function_call\":{\"name\":\"");
		buf_slice(out, buf_view(&c->call_name));
		buf_byte(out, '"');
		member_text(out, "arguments", buf_view(&c->call_arguments));
		buf_byte(out, '}');
	}
	if (c->has_audio)
		audio_json(c, out);
	arrays_json(c, 0, CHAT_MESSAGE_ARRAYS, out);
	rest_json(&c->message_rest, out);
	buf_byte(out, '}');
}
