/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp.c: one span: its ids, name, times, status, events and links; the rest is
 * its attributes' (otlp_table.c, otlp_text.c). Called by the API's handler.
 */
#include "span/otlp.h"

#include <stdio.h>

#include "core/limits.h"
#include "span/json.h"
#include "span/otlp_inner.h"
#include "span/span.h"
#include "span/vendor.h"

static bool
refuse(struct given_error *e, const char *member, const char *text)
{
	snprintf(e->member, sizeof(e->member), "%s", member);
	snprintf(e->text, sizeof(e->text), "%s", text);
	return false;
}

bool
otlp_is_set(const struct otlp *o, const char *name)
{
	for (size_t i = 0; i < o->nset; i++)
		if (strcmp(o->set[i], name) == 0)
			return true;
	return false;
}

bool
otlp_member(struct otlp *o, const char *name)
{
	if (otlp_is_set(o, name) || o->nset == OTLP_SET)
		return false;
	buf_printf(o->out, "%s\"%s\":", o->nset ? "," : "", name);
	o->set[o->nset++] = name;
	return true;
}

void
otlp_put(struct otlp *o, const char *name, struct jvalue v)
{
	if (!otlp_absent(v) && otlp_member(o, name))
		buf_slice(o->out, v.text);
}

/* An id of n bytes as lower hex. 1: it is one, 0: none is told, -1: it is malformed. */
static int
id_read(struct jvalue v, size_t n, char text[33])
{
	struct slice s = jstring_plain(v);
	bool any = false;

	if (otlp_absent(v) || (v.kind == JSTRING && s.len == 0 && v.text.len == 2))
		return 0;
	if (s.len != 2 * n)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return -1;
		any |= c != '0';
		text[i] = c;
	}
	text[s.len] = '\0';
	return any ? 1 : 0;
}

static bool
ids_put(struct otlp *o, struct given_error *e)
{
	char trace[33], span[33], parent[33];
	int rc;

	if (id_read(o->v[OTLP_TRACE], 16, trace) != 1)
		return refuse(e, "traceId", "must be 32 hex digits, not all of them 0");
	if (id_read(o->v[OTLP_ID], 8, span) != 1)
		return refuse(e, "spanId", "must be 16 hex digits, not all of them 0");
	rc = id_read(o->v[OTLP_PARENT], 8, parent);
	if (rc < 0)
		return refuse(e, "parentSpanId", "must be 16 hex digits, or empty");
	if (otlp_member(o, "trace_unique_id"))
		buf_printf(o->out, "\"%s\"", trace);
	if (otlp_member(o, "span_unique_id"))
		buf_printf(o->out, "\"%s\"", span);
	if (rc == 1 && otlp_member(o, "span_parent_id"))
		buf_printf(o->out, "\"%s\"", parent);
	return true;
}

/* Nanoseconds since 1970, as number or string; 0 where none are told. False: it is no time. */
static bool
time_read(struct jvalue v, int64_t *ns)
{
	struct slice s = v.kind == JSTRING ? jstring_plain(v) : v.text;
	uint64_t t = 0;

	*ns = 0;
	if (otlp_absent(v))
		return true;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(t, 10, &t) ||
		    __builtin_add_overflow(t, (uint64_t)(s.ptr[i] - '0'), &t))
			return false;
	}
	*ns = (int64_t)t;
	return s.len > 0 && (v.kind == JSTRING || v.kind == JNUMBER) && t <= INT64_MAX;
}

static void
time_put(struct otlp *o, const char *name, int64_t ns)
{
	if (ns == 0 || !otlp_member(o, name))
		return;
	buf_byte(o->out, '"');
	span_time_text(ns / 1000, o->out);
	buf_byte(o->out, '"');
}

static bool
times_put(struct otlp *o, struct given_error *e)
{
	if (!time_read(o->v[OTLP_START], &o->start_ns))
		return refuse(e, "startTimeUnixNano", "must be nanoseconds since 1970");
	if (!time_read(o->v[OTLP_END], &o->end_ns))
		return refuse(e, "endTimeUnixNano", "must be nanoseconds since 1970");
	time_put(o, "start_time", o->start_ns);
	time_put(o, "timestamp", o->end_ns);
	return true;
}

static struct jvalue
string_of(struct jvalue v)
{
	return v.kind == JSTRING && v.text.len > 2 ? v : (struct jvalue){ JNONE, SLICE_NONE };
}

/* Unset, ok or error; also by its name. */
static int
code_of(struct jvalue status)
{
	struct jvalue code = jget(status, SLICE("code"));
	int64_t i = 0;

	if (jstring_is(code, SLICE("STATUS_CODE_ERROR")))
		return 2;
	if (jstring_is(code, SLICE("STATUS_CODE_OK")))
		return 1;
	return jint(code, &i) && i > 0 && i < 3 ? (int)i : 0;
}

/* The status that HTTP had, told in one of these; 0: in none. */
static int64_t
http_status(struct otlp *o)
{
	static const char *const names[] = { "status_code", "http.response.status_code", "http.status_code", "error.type" };
	int64_t i;

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		struct otlp_attr *a = otlp_attr_find(&o->attrs, names[k]);
		struct jvalue v = a ? otlp_parse(&o->arena, a->value) : (struct jvalue){ JNONE, SLICE_NONE };

		if (v.kind == JNUMBER && jint(v, &i) && i >= 100 && i <= 599)
			return i;
	}
	return 0;
}

static void
status_put(struct otlp *o)
{
	struct jvalue status = o->v[OTLP_STATUS], message = string_of(jget(status, SLICE("message")));
	int code = code_of(status);
	int64_t http = http_status(o);

	o->failed = code == 2 || (code == 0 && http >= 400);
	if (!o->failed)
		http = http >= 400 ? 0 : http;
	else if (http < 400)
		http = 500;
	if (otlp_member(o, "status"))
		buf_str(o->out, o->failed ? "\"error\"" : "\"success\"");
	if (otlp_member(o, "status_code"))
		buf_u64(o->out, http ? (uint64_t)http : 200);
	if (!o->failed)
		return;
	if (otlp_absent(message) && o->exception.ptr && otlp_member(o, "error_message"))
		buf_slice(o->out, o->exception);
	otlp_put(o, "error_message", message);
	if (!otlp_is_set(o, "error_message"))
		otlp_put(o, "error_message", string_of(otlp_take(&o->attrs, "error.message")));
	if (!otlp_is_set(o, "error_message"))
		otlp_put(o, "error_message", string_of(otlp_take(&o->attrs, "error.type")));
}

static bool
named_one_of(struct jvalue name, const char *const *names)
{
	for (; *names; names++)
		if (jstring_is(name, slice_str(*names)))
			return true;
	return false;
}

/* What an event says of the span as a whole. False: it is to be shown as an event. */
static bool
event_read(struct otlp *o, struct jvalue event)
{
	static const char *const pieces[] = { "llm.content.completion.chunk", "gen_ai.content.completion.chunk",
	    "First Token Stream Event", "ai.stream.firstChunk", NULL };
	/* messages, which otlp_text.c reads where nothing else tells them */
	static const char *const messages[] = { "gen_ai.system.message", "gen_ai.user.message",
	    "gen_ai.assistant.message", "gen_ai.tool.message", "gen_ai.choice", NULL };
	static const char *const attributes[] = { "gen_ai.client.inference.operation.details",
	    "gen_ai.content.prompt", "gen_ai.content.completion", NULL };
	struct jvalue name = jget(event, SLICE("name"));
	struct otlp_attrs attrs;
	int64_t ns;

	if (named_one_of(name, pieces)) {
		if (time_read(jget(event, SLICE("timeUnixNano")), &ns) && ns > 0 && (o->first_ns == 0 || ns < o->first_ns))
			o->first_ns = ns;
		return true;
	}
	if (named_one_of(name, messages))
		return true;
	otlp_attrs_read(&o->arena, jget(event, SLICE("attributes")), &attrs);
	if (named_one_of(name, attributes) && o->merged++ < OTLP_MERGED) {
		otlp_attrs_add(&o->arena, &o->attrs, &attrs);
		return true;
	}
	if (jstring_is(name, SLICE("exception"))) {
		struct jvalue message = string_of(otlp_take(&attrs, "exception.message"));

		if (otlp_absent(message))
			message = string_of(otlp_take(&attrs, "exception.type"));
		o->exception = message.text;
	}
	return false;
}

static void
put_event(struct otlp *o, struct jvalue event, bool first)
{
	struct otlp_attrs attrs;
	int64_t ns;

	otlp_attrs_read(&o->arena, jget(event, SLICE("attributes")), &attrs);
	buf_str(o->out, first ? "[{\"name\":" : ",{\"name\":");
	buf_slice(o->out, jget(event, SLICE("name")).kind == JSTRING ? jget(event, SLICE("name")).text : SLICE("\"\""));
	if (time_read(jget(event, SLICE("timeUnixNano")), &ns) && ns > 0) {
		buf_str(o->out, ",\"timestamp\":\"");
		span_time_text(ns / 1000, o->out);
		buf_byte(o->out, '"');
	}
	buf_str(o->out, ",\"attributes\":");
	otlp_attrs_json(&attrs, o->out);
	buf_byte(o->out, '}');
}

/* Reads all events, and keeps those that are not read otherwise. */
static void
events_put(struct otlp *o)
{
	struct jvalue list = o->v[OTLP_EVENTS];
	struct jmember m;
	struct jiter it;
	bool first = true;

	jiter_init(&it, list);
	while (list.kind == JARRAY && jiter_next(&it, &m)) {
		if (m.value.kind != JOBJECT || event_read(o, m.value))
			continue;
		if (first && !otlp_member(o, "span_events"))
			return;
		put_event(o, m.value, first);
		first = false;
	}
	buf_str(o->out, first ? "" : "]");
}

static void
links_put(struct otlp *o)
{
	struct jvalue list = o->v[OTLP_LINKS];
	char trace[33], span[33];
	struct otlp_attrs attrs;
	struct jmember m;
	struct jiter it;
	bool first = true;

	jiter_init(&it, list);
	while (list.kind == JARRAY && jiter_next(&it, &m)) {
		if (id_read(jget(m.value, SLICE("traceId")), 16, trace) != 1 ||
		    id_read(jget(m.value, SLICE("spanId")), 8, span) != 1)
			continue;
		if (first && !otlp_member(o, "span_links"))
			return;
		otlp_attrs_read(&o->arena, jget(m.value, SLICE("attributes")), &attrs);
		buf_printf(o->out, "%s{\"trace_id\":\"%s\",\"span_id\":\"%s\",\"attributes\":", first ? "[" : ",", trace, span);
		otlp_attrs_json(&attrs, o->out);
		buf_byte(o->out, '}');
		first = false;
	}
	buf_str(o->out, first ? "" : "]");
}

/* Who answered, under the name that it has here; else as it was told, small. */
static void
provider_put(struct otlp *o)
{
	static const char *const names[] = { "provider_id", "gen_ai.provider.name", "gen_ai.system", "llm.provider",
	    "llm.system", "ai.model.provider" };
	const struct vendor *vendor;
	struct slice s = SLICE_NONE;
	const char *dot;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && s.len == 0; i++)
		s = jstring_plain(otlp_take(&o->attrs, names[i]));
	if (s.len == 0)
		return;
	vendor = vendor_named(s);
	dot = memchr(s.ptr, '.', s.len);
	if (!vendor && dot)	/* of the AI SDK: openai.chat, anthropic.messages */
		vendor = vendor_named(slice_make(s.ptr, (size_t)(dot - s.ptr)));
	if (!otlp_member(o, "provider_id"))
		return;
	buf_byte(o->out, '"');
	if (vendor)
		buf_slice(o->out, vendor->name);
	for (size_t i = 0; !vendor && i < s.len; i++)
		buf_byte(o->out, s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] - 'A' + 'a') : s.ptr[i]);
	buf_byte(o->out, '"');
}

static void
first_token_put(struct otlp *o)
{
	int64_t us = (o->first_ns - o->start_ns) / 1000;

	if (o->first_ns < o->start_ns || o->start_ns == 0 || !o->model_call)
		return;
	if (otlp_member(o, "time_to_first_token"))
		buf_printf(o->out, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
	if (otlp_member(o, "stream"))
		buf_str(o->out, "true");
}

/* Where it ran. What tells of the process and its libraries is left out: each
 * span would hold it again, and command lines hold secrets. */
static void
resource_put(struct otlp *o)
{
	static const struct slice left_out[] = { SLICE("process."), SLICE("telemetry.") };
	struct otlp_attrs kept = { arena_alloc(&o->arena, (o->resource.n + 1) * sizeof(*kept.list)), 0 };
	struct jvalue environment = string_of(otlp_take(&o->resource, "deployment.environment.name"));

	otlp_put(o, "environment", otlp_absent(environment) ?
	    string_of(otlp_take(&o->resource, "deployment.environment")) : environment);
	for (size_t i = 0; kept.list && i < o->resource.n; i++)
		if (!slice_starts(o->resource.list[i].key, left_out[0]) &&
		    !slice_starts(o->resource.list[i].key, left_out[1]))
			kept.list[kept.n++] = o->resource.list[i];
	if (kept.n > 0 && otlp_member(o, "resource"))
		otlp_attrs_json(&kept, o->out);
}

static void
origin_put(struct otlp *o, struct jvalue scope)
{
	static const char *const kinds[] = { NULL, "internal", "server", "client", "producer", "consumer" };
	struct jvalue name = string_of(jget(scope, SLICE("name"))), version = string_of(jget(scope, SLICE("version")));
	int64_t kind = 0;

	if (jint(o->v[OTLP_KIND], &kind) && kind > 0 && kind < 6 && otlp_member(o, "span_kind"))
		buf_printf(o->out, "\"%s\"", kinds[kind]);
	otlp_put(o, "trace_state", string_of(o->v[OTLP_STATE]));
	if (otlp_absent(name) || !otlp_member(o, "scope"))
		return;
	buf_str(o->out, "{\"name\":");
	buf_slice(o->out, name.text);
	if (!otlp_absent(version)) {
		buf_str(o->out, ",\"version\":");
		buf_slice(o->out, version.text);
	}
	buf_byte(o->out, '}');
}

/* The span's members, in an order in which each finds what it asks. */
static bool
members_put(struct otlp *o, struct jvalue scope, struct given_error *e)
{
	if (!ids_put(o, e) || !times_put(o, e))
		return false;
	otlp_put(o, "span_name", string_of(o->v[OTLP_NAME]));
	events_put(o);		/* before the attributes, which some of them are */
	links_put(o);
	otlp_type(o);
	status_put(o);
	otlp_members(o);
	provider_put(o);
	otlp_texts(o);
	first_token_put(o);
	resource_put(o);
	origin_put(o, scope);
	otlp_metadata(o);
	return true;
}

bool
otlp_given(const struct otlp_span *from, struct buf *out, struct given_error *e)
{
	static const struct slice names[OTLP_MEMBERS] = {
		[OTLP_TRACE] = SLICE("traceId"), [OTLP_ID] = SLICE("spanId"), [OTLP_PARENT] = SLICE("parentSpanId"),
		[OTLP_STATE] = SLICE("traceState"), [OTLP_NAME] = SLICE("name"), [OTLP_KIND] = SLICE("kind"),
		[OTLP_START] = SLICE("startTimeUnixNano"), [OTLP_END] = SLICE("endTimeUnixNano"),
		[OTLP_ATTRIBUTES] = SLICE("attributes"), [OTLP_EVENTS] = SLICE("events"), [OTLP_LINKS] = SLICE("links"),
		[OTLP_STATUS] = SLICE("status"),
	};
	struct otlp o = { .out = out };
	bool good;

	*e = (struct given_error){ .member = "" };
	if (from->span.kind != JOBJECT)
		return refuse(e, "", "a span must be an object, of a size that can be taken");
	json_pick(from->span, names, o.v, OTLP_MEMBERS);
	otlp_attrs_read(&o.arena, o.v[OTLP_ATTRIBUTES], &o.attrs);
	otlp_attrs_read(&o.arena, jget(from->resource, SLICE("attributes")), &o.resource);
	buf_byte(out, '{');
	good = members_put(&o, from->scope, e);
	buf_byte(out, '}');
	if (good && (o.arena.failed || out->failed))
		good = refuse(e, "", "a span has at most 20971520 bytes");
	arena_free(&o.arena);
	return good;
}
