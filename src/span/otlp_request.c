/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_request.c: walks a request's resources, scopes and spans, of JSON and of
 * protobuf in the same way. Called by the API's handler.
 */
#include <stdio.h>

#include "core/limits.h"
#include "span/json.h"
#include "span/otlp.h"
#include "span/otlp.pb-c.h"

/* Field numbers of otlp.proto. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2 };

static bool
refuse(char *err, size_t errlen, const char *text)
{
	snprintf(err, errlen, "%s", text);
	return false;
}

static bool
is_absent(struct jvalue v)
{
	return v.kind == JNONE || v.kind == JNULL;
}

/* A list whose elements are objects, each of which `each` finds good; or none. */
static bool
list_check(struct jvalue list, bool each(struct jvalue))
{
	struct jmember m;
	struct jiter it;

	if (list.kind != JARRAY)
		return is_absent(list);
	jiter_init(&it, list);
	while (jiter_next(&it, &m))
		if (m.value.kind != JOBJECT || !each(m.value))
			return false;
	return true;
}

static bool
scope_check(struct jvalue scope)
{
	struct jvalue spans = jget(scope, SLICE("spans"));

	return spans.kind == JARRAY || is_absent(spans);
}

static bool
resource_check(struct jvalue resource)
{
	return list_check(jget(resource, SLICE("scopeSpans")), scope_check);
}

static bool
json_init(struct otlp_request *r, struct slice body, char *err, size_t errlen)
{
	struct jvalue value;
	size_t at = 0;
	int rc = jscan_check(body, &value, &at);

	if (rc != JSCAN_END) {
		snprintf(err, errlen, rc == JSCAN_E_UTF8 ? "the body is not UTF-8 at byte %zu" : rc == JSCAN_E_DEPTH ?
		    "the body is nested too deeply at byte %zu" : "the body is not valid JSON at byte %zu", at);
		return false;
	}
	if (value.kind != JOBJECT)
		return refuse(err, errlen, "the body must be an object with resourceSpans");
	value = jget(value, SLICE("resourceSpans"));
	/* what is in a span is looked at span by span */
	if (!list_check(value, resource_check))
		return refuse(err, errlen, "resourceSpans must be a list of objects whose scopeSpans are a list of objects"
		    " whose spans are a list");
	jiter_init(&r->resources, value);
	return true;
}

static bool
proto_init(struct otlp_request *r, struct slice body, char *err, size_t errlen)
{
	size_t at = 0;
	int rc = proto_check(&otlp__traces_request__descriptor, body, &at);

	if (rc != PROTO_OK) {
		snprintf(err, errlen, rc == PROTO_E_DEPTH ? "the body is nested too deeply at byte %zu" :
		    "the body is no ExportTraceServiceRequest: malformed at byte %zu", at);
		return false;
	}
	proto_iter_init(&r->proto_resources, body, RESOURCE_SPANS);
	return true;
}

bool
otlp_request_init(struct otlp_request *r, struct slice body, bool protobuf, char *err, size_t errlen)
{
	*r = (struct otlp_request){ .protobuf = protobuf };
	buf_init(&r->resource_text, OTLP_SPAN_TEXT);
	buf_init(&r->scope_text, OTLP_SPAN_TEXT);
	buf_init(&r->span_text, OTLP_SPAN_TEXT);
	return protobuf ? proto_init(r, body, err, errlen) : json_init(r, body, err, errlen);
}

void
otlp_request_free(struct otlp_request *r)
{
	buf_free(&r->resource_text);
	buf_free(&r->scope_text);
	buf_free(&r->span_text);
}

/* The message as JSON. Two ways to say the same check it twice, but what one
 * wrote the other can read. */
static struct jvalue
as_json(const ProtobufCMessageDescriptor *type, struct slice message, struct buf *text)
{
	struct jvalue v = { .kind = JNONE };

	buf_clear(text);
	proto_json(type, message, text);
	if (text->failed || jscan_check(buf_view(text), &v, NULL) != JSCAN_END)
		return (struct jvalue){ .kind = JNONE };
	return v;
}

/* The member of a message that is there once, as JSON. */
static struct jvalue
member_json(struct slice message, uint32_t id, const ProtobufCMessageDescriptor *type, struct buf *text)
{
	struct slice found = SLICE_NONE, each;
	struct proto_iter it;

	proto_iter_init(&it, message, id);
	while (proto_iter_next(&it, &each))
		found = each;
	return found.ptr ? as_json(type, found, text) : (struct jvalue){ .kind = JNONE };
}

static bool
next_resource(struct otlp_request *r)
{
	static const struct slice resource_names[] = { SLICE("resource"), SLICE("scopeSpans") };
	struct slice message;
	struct jvalue v[2];
	struct jmember m;

	if (r->protobuf) {
		if (!proto_iter_next(&r->proto_resources, &message))
			return false;
		r->now.resource = member_json(message, RESOURCE, &otlp__resource__descriptor, &r->resource_text);
		proto_iter_init(&r->proto_scopes, message, SCOPE_SPANS);
		return true;
	}
	if (!jiter_next(&r->resources, &m))
		return false;
	json_pick(m.value, resource_names, v, 2);
	r->now.resource = v[0];
	jiter_init(&r->scopes, v[1]);
	return true;
}

static bool
next_scope(struct otlp_request *r)
{
	static const struct slice scope_names[] = { SLICE("scope"), SLICE("spans") };
	struct slice message;
	struct jvalue v[2];
	struct jmember m;

	if (r->protobuf) {
		if (!proto_iter_next(&r->proto_scopes, &message))
			return false;
		r->now.scope = member_json(message, SCOPE, &otlp__scope__descriptor, &r->scope_text);
		proto_iter_init(&r->proto_spans, message, SPANS);
		return true;
	}
	if (!jiter_next(&r->scopes, &m))
		return false;
	json_pick(m.value, scope_names, v, 2);
	r->now.scope = v[0];
	jiter_init(&r->spans, v[1]);
	return true;
}

static bool
next_span(struct otlp_request *r)
{
	struct slice message;
	struct jmember m;

	if (r->protobuf) {
		if (!proto_iter_next(&r->proto_spans, &message))
			return false;
		r->now.span = as_json(&otlp__span__descriptor, message, &r->span_text);
		return true;
	}
	if (!jiter_next(&r->spans, &m))
		return false;
	r->now.span = m.value;
	return true;
}

const struct otlp_span *
otlp_request_next(struct otlp_request *r)
{
	for (;;) {
		if (r->in_scope && next_span(r))
			return &r->now;
		r->in_scope = r->in_resource && next_scope(r);
		if (r->in_scope)
			continue;
		r->in_resource = next_resource(r);
		if (!r->in_resource)
			return NULL;
	}
}
