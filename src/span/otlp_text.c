/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_text.c: what was asked and answered: which of the many attributes and
 * events of the dialects hold it, as input, output and tools.
 */
#include "core/limits.h"
#include "span/otlp_inner.h"

static const struct jvalue none = { .kind = JNONE };

/* One of the attributes, as the JSON that it is or holds. */
static struct jvalue
take_any(struct otlp *o, const char *const *names)
{
	struct jvalue v = none;

	for (; *names && otlp_absent(v); names++)
		v = otlp_take(&o->attrs, *names);
	return v;
}

static struct jvalue
list_done(struct otlp *o, struct buf *list)
{
	struct jvalue v = none;

	if (list->len > 0) {
		buf_byte(list, ']');
		(void)jscan_check(arena_take(&o->arena, list), &v, NULL);
	} else
		buf_free(list);
	return v;
}

/* The list begins with its bracket once there is something in it. */
static void
add_message(struct otlp *o, struct jvalue message, const char *role, struct buf *list)
{
	struct buf one;

	buf_init(&one, OTLP_SPAN_TEXT);
	otlp_message(o, message, role, &one);
	if (one.len > 0) {
		buf_byte(list, list->len ? ',' : '[');
		buf_slice(list, buf_view(&one));
	}
	list->failed |= one.failed;
	buf_free(&one);
}

static void
add_messages(struct otlp *o, struct jvalue messages, const char *role, struct buf *list)
{
	struct jmember m;
	struct jiter it;

	messages = otlp_parse_nested(&o->arena, messages);
	if (messages.kind != JARRAY) {
		if (!otlp_absent(messages))
			add_message(o, messages, role, list);
		return;
	}
	jiter_init(&it, messages);
	while (jiter_next(&it, &m))
		add_message(o, m.value, role, list);
}

/* Why it ended, where only the message says so. */
static void
note_finish(struct otlp *o, struct jvalue message)
{
	struct jvalue reason = jget(message, SLICE("finish_reason"));

	if (reason.kind == JSTRING && reason.text.len > 2)
		otlp_put(o, "finish_reason", reason);
}

static void
note_finishes(struct otlp *o, struct jvalue messages)
{
	struct jmember m;
	struct jiter it;

	jiter_init(&it, messages);
	if (messages.kind == JARRAY && jiter_next(&it, &m))
		note_finish(o, otlp_parse_nested(&o->arena, m.value));
}

/* The message that an event is: its body in one attribute, or its attributes. */
static struct jvalue
event_message(struct otlp *o, struct jvalue event, bool choice)
{
	struct otlp_attrs attrs;
	struct jvalue v, body;
	struct buf text;

	otlp_attrs_read(&o->arena, jget(event, SLICE("attributes")), &attrs);
	v = otlp_parse_nested(&o->arena, otlp_take(&attrs, "gen_ai.event.content"));
	if (v.kind != JOBJECT) {
		buf_init(&text, OTLP_SPAN_TEXT);
		otlp_attrs_json(&attrs, &text);
		v = none;
		(void)jscan_check(arena_take(&o->arena, &text), &v, NULL);
	}
	body = otlp_parse_nested(&o->arena, jget(v, SLICE("message")));
	if (choice)
		note_finish(o, v);
	if (body.kind == JSTRING)	/* the text itself */
		return body;
	return body.kind == JOBJECT ? body : v;
}

/* Messages that are events of the span (conventions up to 1.36). */
static void
add_events(struct otlp *o, bool answers, struct buf *list)
{
	static const struct { struct slice name; const char *role; bool answer; } names[] = {
		{ SLICE("gen_ai.system.message"), "system", false }, { SLICE("gen_ai.user.message"), "user", false },
		{ SLICE("gen_ai.assistant.message"), "assistant", false }, { SLICE("gen_ai.tool.message"), "tool", false },
		{ SLICE("gen_ai.choice"), "assistant", true },
	};
	struct jvalue events = o->v[OTLP_EVENTS];
	struct jmember m;
	struct jiter it;

	jiter_init(&it, events);
	while (events.kind == JARRAY && jiter_next(&it, &m))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (names[i].answer == answers && jstring_is(jget(m.value, SLICE("name")), names[i].name))
				add_message(o, event_message(o, m.value, answers), names[i].role, list);
}

/* System instructions stand before the messages; they are a list of parts, or a text. */
static void
add_system(struct otlp *o, struct buf *list)
{
	struct jvalue system = otlp_parse_nested(&o->arena, otlp_take(&o->attrs, "gen_ai.system_instructions"));
	struct jvalue message = system;
	struct buf text;

	if (otlp_absent(system))
		return;
	if (system.kind == JARRAY) {
		buf_init(&text, OTLP_SPAN_TEXT);
		buf_str(&text, "{\"role\":\"system\",\"parts\":");
		buf_slice(&text, system.text);
		buf_byte(&text, '}');
		(void)jscan_check(arena_take(&o->arena, &text), &message, NULL);
	}
	add_message(o, message, "system", list);
}

/* The AI SDK's calls of tools, with the text that it has beside them. */
static struct jvalue
ai_answer(struct otlp *o, struct buf *list)
{
	struct jvalue calls = otlp_parse_nested(&o->arena, otlp_take(&o->attrs, "ai.response.toolCalls"));
	struct jvalue text, message = none;
	struct buf out;

	if (calls.kind != JARRAY || !o->model_call)
		return none;
	text = otlp_take(&o->attrs, "ai.response.text");
	buf_init(&out, OTLP_SPAN_TEXT);
	buf_str(&out, "{\"content\":");
	buf_slice(&out, text.kind == JSTRING ? text.text : SLICE("null"));
	buf_str(&out, ",\"tool_calls\":");
	buf_slice(&out, calls.text);
	buf_byte(&out, '}');
	(void)jscan_check(arena_take(&o->arena, &out), &message, NULL);
	add_message(o, message, "assistant", list);
	return message;
}

/* The messages of one side, of whichever dialect; JNONE: there are none. */
static struct jvalue
messages_of(struct otlp *o, bool answers)
{
	static const char *const lists[2][6] = {
		{ "gen_ai.input.messages", "gen_ai.prompt", "ai.prompt.messages", "pydantic_ai.all_messages",
		    "llm.input_messages", NULL },
		{ "gen_ai.output.messages", "gen_ai.completion", "llm.output_messages", NULL },
	};
	static const char *const nests[2][5] = {
		{ "gen_ai.prompt.", "llm.input_messages.", "gen_ai.input.messages.", NULL },
		{ "gen_ai.completion.", "llm.output_messages.", "gen_ai.output.messages.", NULL },
	};
	const char *role = answers ? "assistant" : "user";
	struct jvalue v;
	struct buf list;

	buf_init(&list, OTLP_SPAN_TEXT);
	v = otlp_parse_nested(&o->arena, take_any(o, lists[answers]));
	for (const char *const *nest = nests[answers]; *nest && otlp_absent(v); nest++)
		v = otlp_nest(&o->arena, &o->attrs, *nest);
	if (!answers && v.kind != JNONE)
		add_system(o, &list);
	add_messages(o, v, role, &list);
	if (answers)
		note_finishes(o, v);
	if (answers && otlp_absent(v))
		v = ai_answer(o, &list);
	if (otlp_absent(v))
		add_events(o, answers, &list);
	return list_done(o, &list);
}

static struct jvalue
first_element(struct jvalue list, bool *alone)
{
	struct jmember first = { .value = { JNONE, SLICE_NONE } }, next;
	struct jiter it;

	jiter_init(&it, list);
	if (list.kind != JARRAY || !jiter_next(&it, &first))
		return none;
	*alone = !jiter_next(&it, &next);
	return first.value;
}

/* A member of each element of a list (or of what it wraps), by itself where there is one. */
static struct jvalue
each_of(struct otlp *o, struct jvalue list, const char *wrap, const char *name)
{
	struct jvalue v, only = none;
	struct jmember m;
	struct jiter it;
	struct buf out;
	size_t n = 0;

	buf_init(&out, OTLP_SPAN_TEXT);
	jiter_init(&it, list);
	while (list.kind == JARRAY && jiter_next(&it, &m)) {
		v = jget(wrap ? jget(m.value, slice_str(wrap)) : m.value, slice_str(name));
		if (otlp_absent(v))
			continue;
		only = otlp_parse_nested(&o->arena, v);
		buf_byte(&out, n++ ? ',' : '[');
		buf_slice(&out, only.text);
	}
	v = list_done(o, &out);
	return n == 1 ? only : v;
}

/* What messages say, where they are no conversation but texts: one by itself. */
static struct jvalue
texts_of(struct otlp *o, struct jvalue messages)
{
	struct jvalue v = each_of(o, messages, NULL, "content");

	return v.kind == JNONE ? messages : v;
}

static void
messages_put(struct otlp *o)
{
	struct jvalue input = messages_of(o, false), output = messages_of(o, true);
	bool completion = o->type && strcmp(o->type, "completion") == 0, alone = true;
	bool embedding = o->type && strcmp(o->type, "embedding") == 0;

	if (completion || embedding)
		input = texts_of(o, input);
	otlp_put(o, "input", input);
	if (otlp_is_set(o, "output") && o->model_call)	/* it may say which tools, where the output does not */
		otlp_put(o, "tool_calls", jget(first_element(output, &alone), SLICE("tool_calls")));
	if (completion)
		output = texts_of(o, output);
	otlp_put(o, "output", output.kind == JARRAY ? first_element(output, &alone) : output);
	if (!alone && o->model_call)
		otlp_put(o, "completion_messages", output);
}

/* OpenInference's texts of completions, embeddings, documents. */
static void
others_put(struct otlp *o)
{
	struct jvalue v = otlp_nest(&o->arena, &o->attrs, "embedding.embeddings.");

	otlp_put(o, "input", each_of(o, v, "embedding", "text"));
	otlp_put(o, "output", each_of(o, v, "embedding", "vector"));
	v = otlp_nest(&o->arena, &o->attrs, "llm.prompts.");
	otlp_put(o, "input", each_of(o, v, "prompt", "text"));
	v = otlp_nest(&o->arena, &o->attrs, "llm.choices.");
	otlp_put(o, "output", each_of(o, v, "completion", "text"));
	otlp_put(o, "output", otlp_nest(&o->arena, &o->attrs, "retrieval.documents."));
	otlp_put(o, "input", otlp_nest(&o->arena, &o->attrs, "reranker.input_documents."));
	otlp_put(o, "output", otlp_nest(&o->arena, &o->attrs, "reranker.output_documents."));
}

/* A text attribute, as JSON where that is what it holds. */
static void
text_put(struct otlp *o, const char *member, const char *const *names)
{
	struct otlp_attr *a;

	for (; *names && !otlp_is_set(o, member); names++) {
		a = otlp_attr_find(&o->attrs, *names);
		if (a == NULL)
			continue;
		a->used = true;
		otlp_put(o, member, otlp_parse(&o->arena, a->value));
	}
}

/* OpenInference's values of a call are the whole request and answer. */
static void
values_put(struct otlp *o)
{
	static const struct { const char *value, *type, *member, *whole; } sides[] = {
		{ "input.value", "input.mime_type", "input", "full_request" },
		{ "output.value", "output.mime_type", "output", "full_response" },
	};

	for (size_t i = 0; i < 2; i++) {
		struct otlp_attr *a = otlp_attr_find(&o->attrs, sides[i].value);
		struct jvalue v = a ? otlp_parse_nested(&o->arena, a->value) : none;

		(void)otlp_take(&o->attrs, sides[i].type);
		if (a == NULL)
			continue;
		a->used = true;
		if (v.kind == JOBJECT && o->model_call && otlp_is_set(o, sides[i].member))
			otlp_put(o, sides[i].whole, v);
		else
			otlp_put(o, sides[i].member, v);
		if (i == 1 && o->model_call && jget(v, SLICE("id")).kind == JSTRING)
			otlp_put(o, "response_id", jget(v, SLICE("id")));
	}
}

/* A tool as chat has it, from one that is flat, in a function, or a schema as text. */
static void
add_tool(struct otlp *o, struct jvalue tool, struct buf *list)
{
	struct jvalue wrapped = jget(jget(tool, SLICE("tool")), SLICE("json_schema")), parameters;

	if (wrapped.kind != JNONE)
		tool = wrapped;
	tool = otlp_parse_nested(&o->arena, tool);
	if (tool.kind != JOBJECT)
		return;
	buf_byte(list, list->len ? ',' : '[');
	if (jget(tool, SLICE("function")).kind == JOBJECT || jget(tool, SLICE("name")).kind != JSTRING) {
		buf_slice(list, tool.text);
		return;
	}
	buf_str(list, "{\"type\":\"function\",\"function\":{\"name\":");
	buf_slice(list, jget(tool, SLICE("name")).text);
	if (jget(tool, SLICE("description")).kind == JSTRING) {
		buf_str(list, ",\"description\":");
		buf_slice(list, jget(tool, SLICE("description")).text);
	}
	parameters = jget(tool, SLICE("parameters"));
	if (otlp_absent(parameters))
		parameters = jget(tool, SLICE("inputSchema"));
	if (otlp_absent(parameters))
		parameters = jget(tool, SLICE("input_schema"));
	if (!otlp_absent(parameters)) {
		buf_str(list, ",\"parameters\":");
		buf_slice(list, otlp_parse_nested(&o->arena, parameters).text);
	}
	buf_str(list, "}}");
}

static void
tools_put(struct otlp *o)
{
	static const char *const lists[] = { "tools", "gen_ai.tool.definitions", "respan.span.tools", "ai.prompt.tools",
	    "gen_ai.request.tools", NULL };
	struct jvalue v = otlp_parse_nested(&o->arena, take_any(o, lists));
	struct jmember m;
	struct jiter it;
	struct buf list;

	if (otlp_absent(v))
		v = otlp_nest(&o->arena, &o->attrs, "llm.request.functions.");
	if (otlp_absent(v))
		v = otlp_nest(&o->arena, &o->attrs, "llm.tools.");
	buf_init(&list, OTLP_SPAN_TEXT);
	jiter_init(&it, v);
	while (v.kind == JARRAY && jiter_next(&it, &m))
		add_tool(o, m.value, &list);
	otlp_put(o, "tools", list_done(o, &list));
}

/* Parameters of the request that stand in one object. */
static void
invocation_put(struct otlp *o)
{
	static const struct { const char *name, *member; } known[] = {
		{ "temperature", "temperature" }, { "top_p", "top_p" }, { "top_k", "top_k" }, { "max_tokens", "max_tokens" },
		{ "max_completion_tokens", "max_tokens" }, { "max_output_tokens", "max_tokens" },
		{ "frequency_penalty", "frequency_penalty" }, { "presence_penalty", "presence_penalty" },
		{ "stop", "stop" }, { "stop_sequences", "stop" }, { "seed", "seed" }, { "n", "n" }, { "stream", "stream" },
		{ "response_format", "response_format" }, { "tool_choice", "tool_choice" },
		{ "parallel_tool_calls", "parallel_tool_calls" }, { "reasoning_effort", "reasoning_effort" },
		{ "dimensions", "dimensions" }, { "encoding_format", "encoding_format" },
	};
	struct otlp_attr *a = otlp_attr_find(&o->attrs, "llm.invocation_parameters");
	struct jvalue v = a ? otlp_parse_nested(&o->arena, a->value) : none;
	struct jvalue prompt = otlp_parse_nested(&o->arena, otlp_take(&o->attrs, "respan.prompt")), each;

	for (size_t i = 0; v.kind == JOBJECT && i < sizeof(known) / sizeof(*known); i++) {
		each = jget(v, slice_str(known[i].name));
		if (each.kind == JNUMBER || strstr("stop response_format tool_choice parallel_tool_calls", known[i].member) ||
		    (each.kind == JSTRING && strstr("reasoning_effort encoding_format", known[i].member)) ||
		    (strcmp(known[i].member, "stream") == 0 && (each.kind == JTRUE || each.kind == JFALSE)))
			otlp_put(o, known[i].member, each);
	}
	if (jget(prompt, SLICE("prompt_id")).kind == JSTRING)
		otlp_put(o, "prompt_id", jget(prompt, SLICE("prompt_id")));
	if (jget(prompt, SLICE("variables")).kind == JOBJECT)
		otlp_put(o, "variables", jget(prompt, SLICE("variables")));
}

/* What people wrote and read, in whichever dialect, is input and output or nothing: as metadata it would
 * stand where nobody looks for it who wants no texts to be kept. */
static void
texts_spent(struct otlp *o)
{
	static const char *const names[] = { "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages",
	    "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.tool.call.arguments",
	    "gen_ai.tool.call.result", "llm.input_messages", "llm.output_messages", "llm.prompts", "llm.choices",
	    "llm.request.functions", "llm.tools", "llm.function_call", "traceloop.entity.input", "traceloop.entity.output",
	    "ai.prompt", "ai.response.text", "ai.response.object", "ai.response.toolCalls", "ai.response.reasoning",
	    "ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.values", "ai.embedding", "ai.embeddings",
	    "pydantic_ai.all_messages", "langfuse.observation.input", "langfuse.observation.output", "mlflow.spanInputs",
	    "mlflow.spanOutputs", "embedding.embeddings", "retrieval.documents", "reranker.query",
	    "reranker.input_documents", "reranker.output_documents", "llm.prompt_template.template",
	    "traceloop.prompt.template" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		otlp_spend(&o->attrs, names[i]);
}

void
otlp_texts(struct otlp *o)
{
	static const char *const own_inputs[] = { "input", NULL }, *const own_outputs[] = { "output", NULL };
	static const char *const inputs[] = { "traceloop.entity.input", "gen_ai.tool.call.arguments", "ai.toolCall.args",
	    "ai.prompt", "ai.value", "ai.values", "langfuse.observation.input", "mlflow.spanInputs", "reranker.query", NULL };
	static const char *const outputs[] = { "traceloop.entity.output", "gen_ai.tool.call.result",
	    "ai.toolCall.result", "ai.response.text", "ai.response.object", "ai.embedding", "ai.embeddings",
	    "langfuse.observation.output", "mlflow.spanOutputs", NULL };

	(void)otlp_take(&o->attrs, "gen_ai.headers");	/* of the request, which may be credentials: dropped */
	(void)otlp_take(&o->attrs, "llm.headers");
	text_put(o, "input", own_inputs);
	text_put(o, "output", own_outputs);
	messages_put(o);
	others_put(o);
	values_put(o);
	text_put(o, "input", inputs);
	text_put(o, "output", outputs);
	tools_put(o);
	invocation_put(o);
	texts_spent(o);
}
