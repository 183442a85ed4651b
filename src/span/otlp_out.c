/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out.c: one span as OTLP/JSON, its members in the order of protobuf's fields: ids,
 * name, kind, times, attributes, events, links, status; and the resource and scope
 * around spans. Called by the kind of sink that speaks OTLP.
 */
#include "span/otlp_out.h"

#include <stdio.h>

#include "core/limits.h"
#include "core/when.h"
#include "span/genai.h"
#include "span/otlp_out_inner.h"

#define SCHEMA "https://opentelemetry.io/schemas/1.41.0"
#define SCHEMA_NEXT "https://opentelemetry.io/schemas/gen-ai/1.42.0"

enum kind { TEXT, INT, BOOL, NUM, SECS, COST, JNUM, JINT, JTEXT, JWORDS };

static const struct {
	enum span_field	 field;
	enum kind	 kind;
	struct slice	 name;
	const char	*next;	/* NULL: the same */
} table[] = {
#define OUT(field, kind, name, next) { SPAN_F_##field, kind, { name, sizeof(name) - 1 }, next },
#include "span/otlp_out.tbl.h"
#undef OUT
};

/* Ids as they came, where others stand in their place. */
struct ids {
	struct slice	 trace, span, parent;
};

void
otlp_out_begin(struct otlp_out *o, struct slice key)
{
	buf_str(o->out, o->any ? ",{\"key\":" : "{\"key\":");
	buf_json_string(o->out, key);
	buf_str(o->out, ",\"value\":{");
	o->any = true;
}

void
otlp_out_end(struct otlp_out *o)
{
	buf_str(o->out, "}}");
}

void
otlp_out_text(struct otlp_out *o, const char *key, struct slice text)
{
	if (text.len == 0)
		return;
	otlp_out_begin(o, slice_str(key));
	buf_str(o->out, "\"stringValue\":");
	buf_json_string(o->out, text);
	otlp_out_end(o);
}

/* µs as nanoseconds, within what 64 bits hold: until the year 2262. */
static void
time_put(struct otlp_out *o, const char *name, int64_t us)
{
	us = us < 0 ? 0 : us > INT64_MAX / 1000 ? INT64_MAX / 1000 : us;
	buf_printf(o->out, "\"%s\":\"%lld\"", name, (long long)us * 1000);
}

static void
int_value(struct otlp_out *o, int64_t v)
{
	buf_printf(o->out, "\"intValue\":\"%lld\"", (long long)v);
}

static void
words_value(struct otlp_out *o, struct jvalue v)
{
	struct jmember m;
	struct jiter it;
	bool first = true;

	buf_str(o->out, "\"arrayValue\":{\"values\":[");
	if (v.kind == JSTRING)
		buf_printf(o->out, "{\"stringValue\":%.*s}", (int)v.text.len, v.text.ptr);
	for (jiter_init(&it, v); v.kind == JARRAY && jiter_next(&it, &m);) {
		if (m.value.kind != JSTRING)
			continue;
		buf_str(o->out, first ? "{\"stringValue\":" : ",{\"stringValue\":");
		buf_slice(o->out, m.value.text);
		buf_byte(o->out, '}');
		first = false;
	}
	buf_str(o->out, "]}");
}

/* A field that holds JSON; what is not of its kind is a text. */
static void
json_value(struct otlp_out *o, enum kind kind, struct slice json)
{
	struct jvalue v = { .kind = JNONE };
	int64_t whole;
	double number;

	(void)jscan_check(json, &v, NULL);
	if (kind == JINT && v.kind == JNUMBER && jint(v, &whole))
		int_value(o, whole);
	else if ((kind == JNUM || kind == JINT) && v.kind == JNUMBER && jnumber(v, &number)) {
		buf_str(o->out, "\"doubleValue\":");
		buf_slice(o->out, v.text);
	} else if (kind == JWORDS && (v.kind == JARRAY || v.kind == JSTRING))
		words_value(o, v);
	else {
		buf_str(o->out, "\"stringValue\":");
		if (v.kind == JSTRING)
			buf_slice(o->out, v.text);
		else
			buf_json_string(o->out, json);
	}
}

static void
field_put(struct otlp_out *o, size_t i)
{
	const void *p = (const char *)o->s + span_fields[table[i].field].offset;
	const struct slice *text = p;

	if (span_is_null(o->s, table[i].field) || (table[i].kind == TEXT && text->len == 0))
		return;
	otlp_out_begin(o, o->options->next && table[i].next ? slice_str(table[i].next) : table[i].name);
	switch (table[i].kind) {
	case TEXT:
		buf_str(o->out, "\"stringValue\":");
		buf_json_string(o->out, *text);
		break;
	case INT:
		int_value(o, ((const struct span_int *)p)->v);
		break;
	case BOOL:
		buf_str(o->out, ((const struct span_bool *)p)->v ? "\"boolValue\":true" : "\"boolValue\":false");
		break;
	case NUM:
	case SECS:
	case COST:
		buf_str(o->out, "\"doubleValue\":");
		span_value_json(o->s, table[i].field, o->out);
		break;
	default:
		json_value(o, table[i].kind, *text);
	}
	otlp_out_end(o);
}

/* Input tokens hold those of the cache; a provider's or sender's count that does
 * not is less than they are. */
static void
input_tokens_put(struct otlp_out *o)
{
	const struct span *s = o->s;
	int64_t n = s->prompt_tokens.v, cached = 0;

	if (!s->prompt_tokens.set)
		return;
	cached += s->prompt_cache_hit_tokens.set ? s->prompt_cache_hit_tokens.v : 0;
	cached += s->prompt_cache_creation_tokens.set ? s->prompt_cache_creation_tokens.v : 0;
	otlp_out_begin(o, SLICE("gen_ai.usage.input_tokens"));
	int_value(o, cached > n ? n + cached : n);
	otlp_out_end(o);
}

/* All choices' where the whole answer is there. */
static void
finish_put(struct otlp_out *o)
{
	struct jvalue answer = { .kind = JNONE }, choices, reason;
	struct jmember m;
	struct jiter it;
	size_t n = 0;

	if (o->s->finish_reason.len == 0)
		return;
	otlp_out_begin(o, SLICE("gen_ai.response.finish_reasons"));
	buf_str(o->out, "\"arrayValue\":{\"values\":[");
	if (o->s->full_response.ptr != NULL)
		(void)jscan_check(o->s->full_response, &answer, NULL);
	choices = jget(answer, SLICE("choices"));
	for (jiter_init(&it, choices); choices.kind == JARRAY && jiter_next(&it, &m);) {
		reason = jget(m.value, SLICE("finish_reason"));
		if (reason.kind == JSTRING)
			buf_printf(o->out, "%s{\"stringValue\":%.*s}", n++ ? "," : "", (int)reason.text.len, reason.text.ptr);
	}
	if (n == 0) {
		buf_str(o->out, "{\"stringValue\":");
		buf_json_string(o->out, o->s->finish_reason);
		buf_byte(o->out, '}');
	}
	buf_str(o->out, "]}");
	otlp_out_end(o);
}

/* gen_ai.output.type, of what was asked for. */
static void
output_type_put(struct otlp_out *o)
{
	struct jvalue format = { .kind = JNONE }, type;
	struct slice operation = genai_operation(o->s);

	if (o->s->response_format.ptr != NULL)
		(void)jscan_check(o->s->response_format, &format, NULL);
	type = format.kind == JOBJECT ? jget(format, SLICE("type")) : format;
	if (slice_eq(operation, SLICE("speech")))
		otlp_out_text(o, "gen_ai.output.type", SLICE("speech"));
	else if (slice_eq(operation, SLICE("image")))
		otlp_out_text(o, "gen_ai.output.type", SLICE("image"));
	else if (jstring_is(type, SLICE("json_object")) || jstring_is(type, SLICE("json_schema")))
		otlp_out_text(o, "gen_ai.output.type", SLICE("json"));
	else if (jstring_is(type, SLICE("text")) || slice_eq(operation, SLICE("transcription")))
		otlp_out_text(o, "gen_ai.output.type", SLICE("text"));
}

/* server.address and server.port, of the last attempt's URL. */
static void
server_put(struct otlp_out *o)
{
	struct jvalue list = { .kind = JNONE };
	struct slice url, rest;
	struct jmember m = { .value = { .kind = JNONE } };
	const char *end, *colon;
	struct jiter it;
	unsigned port = 0;

	if (o->s->attempts.ptr != NULL)
		(void)jscan_check(o->s->attempts, &list, NULL);
	for (jiter_init(&it, list); list.kind == JARRAY && jiter_next(&it, &m);)
		;
	url = jstring_plain(jget(m.value, SLICE("url")));
	if (slice_starts(url, SLICE("https://")))
		port = 443;
	else if (slice_starts(url, SLICE("http://")))
		port = 80;
	else
		return;
	rest = slice_from(url, port == 80 ? 7 : 8);
	end = memchr(rest.ptr, '/', rest.len);
	rest.len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
	colon = memrchr(rest.ptr, ':', rest.len);
	if (colon != NULL && colon[1] >= '0' && colon[1] <= '9') {
		port = 0;
		for (const char *p = colon + 1; p < rest.ptr + rest.len && *p >= '0' && *p <= '9' && port < 100000; p++)
			port = port * 10 + (unsigned)(*p - '0');
		rest.len = (size_t)(colon - rest.ptr);
	}
	otlp_out_text(o, "server.address", rest);
	otlp_out_begin(o, SLICE("server.port"));
	int_value(o, port);
	otlp_out_end(o);
}

/* Each of them as a string. */
static void
metadata_put(struct otlp_out *o)
{
	struct jvalue v;
	struct jmember m;
	struct jiter it;
	struct buf key, text;

	if (o->s->metadata.ptr == NULL || jscan_check(o->s->metadata, &v, NULL) != JSCAN_END)
		return;
	buf_init(&key, MIB);
	buf_init(&text, LIMIT_SPAN);
	for (jiter_init(&it, v); v.kind == JOBJECT && jiter_next(&it, &m);) {
		buf_clear(&key);
		buf_clear(&text);
		buf_str(&key, "respan.metadata.");
		jstring((struct jvalue){ JSTRING, m.key_text }, &key);
		if (m.value.kind == JSTRING)
			jstring(m.value, &text);
		else
			buf_slice(&text, m.value.text);
		otlp_out_begin(o, buf_view(&key));
		buf_str(o->out, "\"stringValue\":");
		buf_json_string(o->out, buf_view(&text));
		otlp_out_end(o);
	}
	buf_free(&key);
	buf_free(&text);
}

static bool
is_operation(const struct otlp_out *o, const char *name)
{
	return slice_eq(genai_operation(o->s), slice_str(name));
}

static void
attributes_put(struct otlp_out *o, const struct ids *ids)
{
	char error[GENAI_ERROR_BYTES];

	buf_str(o->out, ",\"attributes\":[");
	otlp_out_text(o, "respan.id", o->s->id);
	otlp_out_text(o, "respan.trace_unique_id", ids->trace);
	otlp_out_text(o, "respan.span_unique_id", ids->span);
	otlp_out_text(o, "respan.span_parent_id", ids->parent);
	otlp_out_text(o, "gen_ai.operation.name", genai_operation(o->s));
	otlp_out_text(o, "gen_ai.provider.name", genai_provider(o->s->provider_id));
	otlp_out_text(o, "gen_ai.request.model", genai_asked(o->s));
	otlp_out_text(o, "gen_ai.response.model", genai_answered(o->s));
	input_tokens_put(o);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		field_put(o, i);
	finish_put(o);
	output_type_put(o);
	server_put(o);
	otlp_out_text(o, "error.type", slice_str(genai_error(o->s, error)));
	if (is_operation(o, "execute_tool"))
		otlp_out_text(o, "gen_ai.tool.name", o->s->span_name);
	if (is_operation(o, "invoke_agent"))
		otlp_out_text(o, "gen_ai.agent.name", o->s->span_name);
	metadata_put(o);
	otlp_out_messages(o);
	buf_byte(o->out, ']');
}

/* An id of n bytes: hex of that length (of traces also with dashes) as it is, else a hash of the text.
 * True: as it is. */
static bool
id_make(const struct otlp_out_options *options, struct slice text, size_t n, char out[33])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[32];
	size_t used = 0;
	bool any = false, dashes = n == 16 && text.len == 36;

	for (size_t i = 0; i < text.len && used <= 2 * n; i++) {
		char c = text.ptr[i];

		c = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
		if (dashes && c == '-')
			continue;
		if (used == 2 * n || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			used = 0;
			break;
		}
		any |= c != '0';
		out[used++] = c;
	}
	out[2 * n] = '\0';
	if (used == 2 * n && any)
		return true;
	options->digest(text, hash);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	return false;
}

/* The ids, and what they were where they are hashes. */
static void
ids_put(struct otlp_out *o, bool own_id, struct ids *ids)
{
	const struct span *s = o->s;
	struct slice trace = s->trace_unique_id.len > 0 ? s->trace_unique_id : s->id;
	struct slice span = s->span_unique_id.len > 0 && !own_id ? s->span_unique_id : s->id;
	struct slice parent = s->span_parent_id;
	char id[33];

	if (!id_make(o->options, trace, 16, id))
		ids->trace = trace;
	buf_printf(o->out, "\"traceId\":\"%s\"", id);
	if (!id_make(o->options, span, 8, id) && !slice_eq(span, s->id))
		ids->span = span;
	buf_printf(o->out, ",\"spanId\":\"%s\"", id);
	if (parent.len == 0 || slice_eq(parent, trace) || slice_eq(parent, span))
		return;
	if (!id_make(o->options, parent, 8, id))
		ids->parent = parent;
	buf_printf(o->out, ",\"parentSpanId\":\"%s\"", id);
}

/* The name that somebody gave it, else the conventions'. */
static void
name_put(struct otlp_out *o)
{
	struct slice model = genai_asked(o->s);

	buf_clear(&o->text);
	if (o->s->span_name.len > 0)
		buf_slice(&o->text, o->s->span_name);
	else {
		buf_slice(&o->text, genai_operation(o->s));
		if (model.len > 0) {
			buf_byte(&o->text, ' ');
			buf_slice(&o->text, model);
		}
	}
	buf_str(o->out, ",\"name\":");
	buf_json_string(o->out, buf_view(&o->text));
}

/* The member of what came with the span and is no field. */
static struct jvalue
extra_get(const struct span *s, struct slice name)
{
	struct jvalue v = { .kind = JNONE };

	if (s->extra.ptr != NULL)
		(void)jscan_check(s->extra, &v, NULL);
	return jget(v, name);
}

static void
kind_put(struct otlp_out *o)
{
	static const char *const kinds[] = { NULL, "internal", "server", "client", "producer", "consumer" };
	static const char *const inside[] = { "invoke_workflow", "invoke_agent", "execute_tool", "task", "span", "handoff",
	    "guardrail" };
	struct jvalue told = extra_get(o->s, SLICE("span_kind"));
	unsigned kind = 3;

	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		if (is_operation(o, inside[i]))
			kind = 1;
	for (unsigned i = 1; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (jstring_is(told, slice_str(kinds[i])))
			kind = i;
	buf_printf(o->out, ",\"kind\":%u", kind);
}

static void
times_put(struct otlp_out *o)
{
	const struct span *s = o->s;
	int64_t end = s->timestamp.set ? s->timestamp.v : s->start_time.set ? s->start_time.v : 0;
	int64_t start = s->start_time.set ? s->start_time.v : end - (s->latency.set ? s->latency.v : 0);

	if (start > end && s->latency.set)
		end = start + s->latency.v;
	buf_byte(o->out, ',');
	time_put(o, "startTimeUnixNano", start);
	buf_byte(o->out, ',');
	time_put(o, "endTimeUnixNano", end);
}

static void
status_put(struct otlp_out *o)
{
	if (!slice_eq(o->s->status, SLICE("error")))
		return;
	buf_str(o->out, ",\"status\":{");
	if (o->s->error_message.len > 0) {
		buf_str(o->out, "\"message\":");
		buf_json_string(o->out, o->s->error_message);
		buf_byte(o->out, ',');
	}
	buf_str(o->out, "\"code\":2}");
}

/* A JSON object as attributes of an event or link, values as they are. */
static void
object_put(struct otlp_out *o, struct jvalue object)
{
	struct buf key;
	struct jmember m;
	struct jiter it;

	buf_init(&key, MIB);
	o->any = false;
	buf_str(o->out, ",\"attributes\":[");
	for (jiter_init(&it, object); object.kind == JOBJECT && jiter_next(&it, &m);) {
		buf_clear(&key);
		jstring((struct jvalue){ JSTRING, m.key_text }, &key);
		otlp_out_begin(o, buf_view(&key));
		if (m.value.kind == JTRUE || m.value.kind == JFALSE)
			buf_str(o->out, m.value.kind == JTRUE ? "\"boolValue\":true" : "\"boolValue\":false");
		else
			json_value(o, m.value.kind == JNUMBER ? JINT : JTEXT, m.value.text);
		otlp_out_end(o);
	}
	buf_byte(o->out, ']');
	buf_free(&key);
}

/* An evaluation; what is JNONE or null of it is left out. */
static void
evaluation_put(struct otlp_out *o, bool first, struct slice name, struct jvalue value, struct jvalue label)
{
	double number;

	buf_str(o->out, first ? "{" : ",{");
	time_put(o, "timeUnixNano", o->s->timestamp.set ? o->s->timestamp.v : 0);
	buf_str(o->out, ",\"name\":\"gen_ai.evaluation.result\",\"attributes\":[");
	o->any = false;
	otlp_out_text(o, "gen_ai.evaluation.name", name);
	if (value.kind == JNUMBER && jnumber(value, &number)) {
		otlp_out_begin(o, SLICE("gen_ai.evaluation.score.value"));
		buf_str(o->out, "\"doubleValue\":");
		buf_slice(o->out, value.text);
		otlp_out_end(o);
	}
	if (label.kind != JNONE && label.kind != JNULL) {
		otlp_out_begin(o, SLICE("gen_ai.evaluation.score.label"));
		json_value(o, JTEXT, label.text);
		otlp_out_end(o);
	}
	buf_str(o->out, "]}");
}

/* What people and evaluators said. *first: nothing stands in the list yet. */
static void
evaluations_put(struct otlp_out *o, struct slice scores, bool *first)
{
	static const struct jvalue positive = { JSTRING, { "\"positive\"", 10 } };
	static const struct jvalue negative = { JSTRING, { "\"negative\"", 10 } }, none = { JNONE, { NULL, 0 } };
	struct jvalue v = { .kind = JNONE }, name;
	struct jmember m;
	struct jiter it;

	if (o->s->positive_feedback.set) {
		evaluation_put(o, *first, SLICE("user_feedback"), none, o->s->positive_feedback.v ? positive : negative);
		*first = false;
	}
	if (scores.ptr != NULL)
		(void)jscan_check(scores, &v, NULL);
	for (jiter_init(&it, v); v.kind == JOBJECT && jiter_next(&it, &m); *first = false) {
		buf_clear(&o->text);
		name = jget(m.value, SLICE("evaluator_name"));
		jstring(name.kind == JSTRING ? name : (struct jvalue){ JSTRING, m.key_text }, &o->text);
		evaluation_put(o, *first, buf_view(&o->text), jget(m.value, SLICE("score_value")),
		    jget(m.value, SLICE("string_value")));
	}
}

/* Those that the span came with, and evaluations. */
static void
events_put(struct otlp_out *o, struct slice scores)
{
	struct jvalue list = extra_get(o->s, SLICE("span_events")), name;
	struct jmember m;
	struct jiter it;
	bool first = true;
	int64_t us;

	buf_str(o->out, ",\"events\":[");
	for (jiter_init(&it, list); list.kind == JARRAY && jiter_next(&it, &m); first = false) {
		name = jget(m.value, SLICE("name"));
		if (!when_read(jstring_plain(jget(m.value, SLICE("timestamp"))), &us) || us <= 0)
			us = o->s->timestamp.set ? o->s->timestamp.v : 0;
		buf_str(o->out, first ? "{" : ",{");
		time_put(o, "timeUnixNano", us);
		buf_str(o->out, ",\"name\":");
		buf_slice(o->out, name.kind == JSTRING ? name.text : SLICE("\"\""));
		object_put(o, jget(m.value, SLICE("attributes")));
		buf_byte(o->out, '}');
	}
	evaluations_put(o, scores, &first);
	buf_byte(o->out, ']');
}

static void
links_put(struct otlp_out *o)
{
	struct jvalue list = extra_get(o->s, SLICE("span_links"));
	bool first = true;
	struct jmember m;
	struct jiter it;
	char id[33];

	for (jiter_init(&it, list); list.kind == JARRAY && jiter_next(&it, &m);) {
		struct slice trace = jstring_plain(jget(m.value, SLICE("trace_id")));
		struct slice span = jstring_plain(jget(m.value, SLICE("span_id")));

		if (trace.len == 0 || span.len == 0)
			continue;
		(void)id_make(o->options, trace, 16, id);
		buf_printf(o->out, "%s{\"traceId\":\"%s\"", first ? ",\"links\":[" : ",", id);
		(void)id_make(o->options, span, 8, id);
		buf_printf(o->out, ",\"spanId\":\"%s\"", id);
		object_put(o, jget(m.value, SLICE("attributes")));
		buf_byte(o->out, '}');
		first = false;
	}
	buf_str(o->out, first ? "" : "]");
}

void
otlp_out_span(const struct span *span, const struct otlp_out_options *options, bool own_id, struct slice scores,
    struct buf *out)
{
	struct otlp_out o = { .s = span, .options = options, .out = out };
	struct ids ids = { .trace = SLICE_NONE };

	buf_init(&o.text, out->limit);
	buf_byte(out, '{');
	ids_put(&o, own_id, &ids);
	name_put(&o);
	kind_put(&o);
	times_put(&o);
	attributes_put(&o, &ids);
	events_put(&o, scores);
	links_put(&o);
	status_put(&o);
	buf_byte(out, '}');
	out->failed |= o.text.failed;
	buf_free(&o.text);
}

void
otlp_out_open(const struct otlp_out_options *options, struct slice environment, struct buf *out)
{
	struct otlp_out o = { .options = options, .out = out };

	buf_str(out, "{\"resource\":{\"attributes\":[");
	otlp_out_text(&o, "service.name", options->service);
	otlp_out_text(&o, "service.version", options->version);
	otlp_out_text(&o, "deployment.environment.name", environment);
	buf_str(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"spangate\",\"version\":");
	buf_json_string(out, options->version);
	buf_str(out, "},\"spans\":[");
}

void
otlp_out_close(const struct otlp_out_options *options, struct buf *out)
{
	const char *schema = options->next ? SCHEMA_NEXT : SCHEMA;

	buf_printf(out, "],\"schemaUrl\":\"%s\"}],\"schemaUrl\":\"%s\"}", schema, schema);
}
