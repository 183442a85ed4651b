/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_request.c: walks a request's resources, scopes and spans, of JSON and of
 * protobuf in the same way. Called by the API's handler.
 */
#include <stdio.h>

#include "core/limits.h"
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

/* Is the member absent, or a list? With `objects`: whose elements are objects. */
static bool
is_list(struct jvalue object, const char *name, bool objects)
{
	struct jvalue list = jget(object, slice_str(name));
	struct jmember m;
	struct jiter it;

	if (list.kind == JNONE || list.kind == JNULL)
		return true;
	if (list.kind != JARRAY)
		return false;
	jiter_init(&it, list);
	while (objects && jiter_next(&it, &m))
		if (m.value.kind != JOBJECT)
			return false;
	return true;
}

/* Are the lists lists? What is in a span is looked at span by span. */
static bool
shape_check(struct jvalue body, char *err, size_t errlen)
{
	struct jmember resource, scope;
	struct jiter resources, scopes;

	if (body.kind != JOBJECT)
		return refuse(err, errlen, "the body must be an object with resourceSpans");
	if (!is_list(body, "resourceSpans", true))
		return refuse(err, errlen, "resourceSpans must be a list of objects");
	jiter_init(&resources, jget(body, SLICE("resourceSpans")));
	while (jiter_next(&resources, &resource)) {
		if (!is_list(resource.value, "scopeSpans", true))
			return refuse(err, errlen, "scopeSpans must be a list of objects");
		jiter_init(&scopes, jget(resource.value, SLICE("scopeSpans")));
		while (jiter_next(&scopes, &scope))
			if (!is_list(scope.value, "spans", false))
				return refuse(err, errlen, "spans must be a list");
	}
	return true;
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
	if (!shape_check(value, err, errlen))
		return false;
	jiter_init(&r->resources, jget(value, SLICE("resourceSpans")));
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
	struct slice message;
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
	r->now.resource = jget(m.value, SLICE("resource"));
	jiter_init(&r->scopes, jget(m.value, SLICE("scopeSpans")));
	return true;
}

static bool
next_scope(struct otlp_request *r)
{
	struct slice message;
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
	r->now.scope = jget(m.value, SLICE("scope"));
	jiter_init(&r->spans, jget(m.value, SLICE("spans")));
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
