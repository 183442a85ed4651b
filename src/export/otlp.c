/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: the kind of sink that speaks OTLP over HTTP, as protobuf or JSON: any
 * OpenTelemetry collector or backend, or another spangate. Spans stand one after
 * the other in the request's body while it is made; at its end those of one
 * environment are put into one resource.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "export/kind.h"
#include "span/otlp.pb-c.h"
#include "span/otlp_out.h"
#include "span/proto.h"
#include "span/proto_write.h"
#include "store/store.h"

/* Where a span stands in the body, and whose it is. */
struct placed {
	size_t		 at, len, environment;
};

struct batch {
	struct placed	*list;
	size_t		 n, room;
	char		**environments;
	size_t		 nenvironments;
};

static void
options_set(const struct sink_config *c, struct otlp_out_options *o)
{
	*o = (struct otlp_out_options){
		.next = c->generation == SINK_GENAI_NEXT, .service = slice_str(c->service_name),
		.version = SLICE(PACKAGE_VERSION), .digest = config_digest,
	};
}

static void
begin(struct export_request *r)
{
	/* settings of OpenTelemetry's own exporters come in both forms */
	r->path = slice_ends(slice_str(r->config->url), SLICE("/v1/traces")) ? "" : "/v1/traces";
	r->content_type = r->config->encoding == SINK_JSON ? "application/json" : "application/x-protobuf";
	r->own = xcalloc(1, sizeof(struct batch));
}

static size_t
environment_find(struct batch *b, struct slice name)
{
	size_t i;

	for (i = 0; i < b->nenvironments; i++)
		if (slice_eq(slice_str(b->environments[i]), name))
			return i;
	b->environments = xrealloc(b->environments, (i + 1) * sizeof(*b->environments));
	b->environments[i] = xstrndup(name.ptr ? name.ptr : "", name.len);
	b->nenvironments++;
	return i;
}

static void
texts_drop(struct span *s, bool whole_only)
{
	s->full_request = s->full_response = SLICE_NONE;
	for (int i = 0; i < SPAN_FIELDS && !whole_only; i++)
		if (store_body_field(i))
			*(struct slice *)((char *)s + span_fields[i].offset) = SLICE_NONE;
}

/* What is too large goes without the whole request and answer, then without texts. */
static bool
add(struct export_request *r, const struct export_item *item)
{
	struct batch *b = r->own;
	struct otlp_out_options options;
	struct span span = *item->span;
	struct buf one;
	bool good = false;

	options_set(r->config, &options);
	if (r->config->bodies != SINK_BODIES_FULL)
		texts_drop(&span, r->config->bodies != SINK_BODIES_NONE);
	buf_init(&one, LIMIT_SPAN);
	for (int i = 0; i < 3 && !good; i++) {
		if (i > 0)
			texts_drop(&span, i == 1);
		buf_free(&one);
		buf_init(&one, LIMIT_SPAN);
		otlp_out_span(&span, &options, item->doubled, item->scores, &one);
		good = !one.failed && jscan_check(buf_view(&one), NULL, NULL) == JSCAN_END;
	}
	if (good) {
		if (b->n == b->room) {
			b->room = b->room ? b->room * 2 : 64;
			b->list = xrealloc(b->list, b->room * sizeof(*b->list));
		}
		b->list[b->n++] = (struct placed){ r->body.len, one.len, environment_find(b, span.environment) };
		buf_slice(&r->body, buf_view(&one));
	}
	buf_free(&one);
	return good;
}

/* The whole request as JSON. */
static void
document_put(const struct export_request *r, struct buf *out)
{
	const struct batch *b = r->own;
	struct otlp_out_options options;
	bool first;

	options_set(r->config, &options);
	buf_str(out, "{\"resourceSpans\":[");
	for (size_t e = 0; e < b->nenvironments; e++) {
		buf_str(out, e > 0 ? "," : "");
		otlp_out_open(&options, slice_str(b->environments[e]), out);
		first = true;
		for (size_t i = 0; i < b->n; i++) {
			if (b->list[i].environment != e)
				continue;
			buf_str(out, first ? "" : ",\n");
			buf_append(out, r->body.ptr + b->list[i].at, b->list[i].len);
			first = false;
		}
		otlp_out_close(&options, out);
	}
	buf_str(out, "]}");
}

static void
finish(struct export_request *r)
{
	struct batch *b = r->own;
	struct jvalue v;
	struct buf whole;

	buf_init(&whole, 2 * LIMIT_SINK_BODY);
	document_put(r, &whole);
	buf_clear(&r->body);
	if (r->config->encoding == SINK_JSON)
		buf_slice(&r->body, buf_view(&whole));
	else if (jscan_check(buf_view(&whole), &v, NULL) != JSCAN_END ||
	    !proto_write(&otlp__traces_request__descriptor, v, &r->body))
		bug("spans that were made do not fit OTLP");
	buf_free(&whole);
	for (size_t i = 0; i < b->nenvironments; i++)
		free(b->environments[i]);
	free(b->environments);
	free(b->list);
	free(b);
	r->own = NULL;
}

/* The answer as JSON; JNONE: it is not OTLP's. */
static struct jvalue
answer_read(const struct export_request *r, const struct export_answer *a, const ProtobufCMessageDescriptor *type,
    struct buf *text)
{
	struct jvalue v = { .kind = JNONE };

	if (r->config->encoding == SINK_JSON)
		buf_slice(text, a->body);
	else if (proto_check(type, a->body, NULL) == PROTO_OK)
		proto_json(type, a->body, text);
	if (jscan_check(buf_view(text), &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		v.kind = JNONE;
	return v;
}

static void
text_set(struct export_verdict *v, const char *before, struct jvalue message)
{
	struct buf text;

	buf_init(&text, 64 * KIB);
	buf_str(&text, before);
	jstring(message, &text);
	snprintf(v->text, sizeof(v->text), "%.*s", (int)text.len, text.ptr ? text.ptr : "");
	buf_free(&text);
}

/* OTLP counts what it did not take, and does not name it; nor may it be sent
 * again. All of them are dead letters; of some it can only be told. */
static void
rejected(const struct export_request *r, struct jvalue partial, struct export_verdict *v)
{
	struct jvalue count = jget(partial, SLICE("rejectedSpans")), message = jget(partial, SLICE("errorMessage"));
	unsigned long long n = 0;
	char before[80];

	if (count.kind == JSTRING)
		n = strtoull(count.text.ptr + 1, NULL, 10);
	else if (count.kind == JNUMBER)
		n = strtoull(count.text.ptr, NULL, 10);
	if (n == 0 && jempty(message))
		return;
	snprintf(before, sizeof(before), "%llu of %zu spans were rejected: ", n, r->items);
	text_set(v, before, message);
	for (size_t i = 0; n >= r->items && i < r->items; i++)
		export_refuse(v, i, slice_str(v->text));
}

static void
judge(const struct export_request *r, const struct export_answer *a, struct export_verdict *v)
{
	bool taken = v->outcome == EXPORT_TAKEN;
	struct jvalue answer;
	char before[40];
	struct buf text;

	buf_init(&text, 4 * LIMIT_SINK_ANSWER);
	answer = answer_read(r, a, taken ? &otlp__traces_response__descriptor : &otlp__rpc_status__descriptor, &text);
	if (taken)
		rejected(r, jget(answer, SLICE("partialSuccess")), v);
	else if (!jempty(jget(answer, SLICE("message")))) {
		snprintf(before, sizeof(before), "HTTP %u: ", a->status);
		text_set(v, before, jget(answer, SLICE("message")));
	}
	buf_free(&text);
}

const struct export_kind export_otlp = {
	.name = "otlp", .begin = begin, .add = add, .finish = finish, .judge = judge,
};
