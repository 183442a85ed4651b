/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: takes traces by OTLP/HTTP. The body is undone (compression), checked as
 * a whole, and each span of it goes into the journal as the create API's do;
 * then it is acknowledged, without waiting for the store. Spans that cannot be
 * taken are told as OTLP tells them: partial success. Answers, also those of
 * errors, are in the request's encoding.
 */
#include "api/otlp.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/body.h"
#include "api/writing.h"
#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"
#include "span/given.h"
#include "span/otlp.h"
#include "span/otlp.pb-c.h"
#include "store/value.h"

#define PROTOBUF "application/x-protobuf"
#define NAMED 5			/* refused spans that the message tells of */
#define TOGETHER 32		/* spans that are written at once */

/* Codes of google.rpc.Status. */
enum { INVALID_ARGUMENT = 3, RESOURCE_EXHAUSTED = 8, UNAVAILABLE = 14 };

/* A request being taken. */
struct taking {
	struct local_job *job;
	const struct local_request *request;
	bool		 protobuf;
	struct buf	 inflated;	/* its body, where that came compressed */
	struct writing	 w;
	size_t		 good, bad;
	char		 why[1000];	/* those that are bad */
	size_t		 whylen;
	bool		 full;		/* the journal has no more room */
};

static void
answer_message(struct local_job *job, unsigned status, const char *headers, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = xmalloc(len + 1);

	(void)protobuf_c_message_pack(message, bytes);
	local_head(job, status, PROTOBUF, headers);
	(void)local_write(job, bytes, len);
	free(bytes);
}

static void
answer_json(struct local_job *job, unsigned status, const char *headers, const char *before, const char *text,
    const char *after)
{
	struct buf out;

	buf_init(&out, 16 * KIB);
	buf_str(&out, before);
	buf_json_string(&out, slice_str(text));
	buf_str(&out, after);
	local_head(job, status, API_JSON, headers);
	(void)api_flush(job, &out);
	buf_free(&out);
}

/* google.rpc.Status. */
static void __attribute__((format(printf, 5, 6)))
refuse(struct taking *t, unsigned status, int code, const char *headers, const char *fmt, ...)
{
	Otlp__RpcStatus message = OTLP__RPC_STATUS__INIT;
	char text[1200], before[60];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (status >= 500)
		log_warn("api: traces by OTLP: %u: %s", status, text);
	if (t->protobuf) {
		message.code = code;
		message.message = text;
		answer_message(t->job, status, headers, &message.base);
		return;
	}
	snprintf(before, sizeof(before), "{\"code\":%d,\"message\":", code);
	answer_json(t->job, status, headers, before, text, "}");
}

/* ExportTraceServiceResponse; all good: an empty one of protobuf, which is what SDKs expect. */
static void
answer_taken(struct taking *t)
{
	Otlp__TracesResponse response = OTLP__TRACES_RESPONSE__INIT;
	Otlp__PartialSuccess partial = OTLP__PARTIAL_SUCCESS__INIT;
	char before[80];

	if (!t->protobuf) {
		snprintf(before, sizeof(before), "{\"partialSuccess\":{\"rejectedSpans\":%zu,\"errorMessage\":", t->bad);
		answer_json(t->job, 200, NULL, before, t->why, "}}");
		return;
	}
	partial.rejected_spans = (int64_t)t->bad;
	partial.error_message = t->why;
	if (t->bad > 0)
		response.partial_success = &partial;
	answer_message(t->job, 200, NULL, &response.base);
}

/* Is the media type this one, whatever its parameters? */
static bool
is_type(struct slice value, const char *type)
{
	const char *semicolon = value.len ? memchr(value.ptr, ';', value.len) : NULL;

	if (semicolon)
		value.len = (size_t)(semicolon - value.ptr);
	return slice_caseeq(slice_trim(value), slice_str(type));
}

/* False: it has answered that the type is none of ours. */
static bool
type_read(struct taking *t)
{
	struct slice type = t->request->content_type;

	t->protobuf = is_type(type, PROTOBUF) || is_type(type, "application/protobuf");
	if (t->protobuf || is_type(type, API_JSON))
		return true;
	refuse(t, 415, INVALID_ARGUMENT, NULL, "the content type must be application/json or " PROTOBUF);
	return false;
}

/* Notes why the span of that place cannot be taken. */
static void
reject(struct taking *t, size_t place, const struct otlp_span *from, const struct given_error *e)
{
	struct slice name = value_cut(jstring_plain(jget(from->span, SLICE("name"))), 60);
	int n;

	if (t->bad++ >= NAMED || t->whylen >= sizeof(t->why) - 1)
		return;
	n = snprintf(t->why + t->whylen, sizeof(t->why) - t->whylen, "%sspan %zu (%.*s): %s%s%s", t->whylen ? "; " : "",
	    place, (int)name.len, name.ptr ? name.ptr : "", e->member, *e->member ? " " : "", e->text);
	t->whylen += n > 0 ? (size_t)n : 0;
	if (t->whylen > sizeof(t->why) - 1)
		t->whylen = sizeof(t->why) - 1;
}

static bool
too_large(struct given_error *e)
{
	*e = (struct given_error){ .text = "a span has at most 20971520 bytes" };
	return true;
}

static void
take_one(struct taking *t, size_t place, const struct otlp_span *from, struct buf *text)
{
	struct given_error e;
	struct jvalue given;
	uint8_t id[16];

	buf_clear(text);
	if (!otlp_given(from, text, &e) || (text->len > LIMIT_SPAN && too_large(&e)) ||
	    jscan_check(buf_view(text), &given, NULL) != JSCAN_END || !given_check(given, true, &e)) {
		reject(t, place, from, &e);
		return;
	}
	if (writing_span(&t->w, given.text, SLICE_NONE, SLICE("tracing_integration"), id))
		t->good++;
	else
		t->full = true;
}

/* Their texts are lent to the journal until it is flushed, some at a time. */
static void
take_all(struct taking *t, struct otlp_request *r)
{
	const struct otlp_span *span;
	struct buf texts[TOGETHER];
	size_t lent = 0, bytes = 0;

	for (size_t i = 0; i < TOGETHER; i++)
		buf_init(&texts[i], 2 * OTLP_SPAN_TEXT);
	for (size_t place = 0; !t->full && (span = otlp_request_next(r)) != NULL; place++) {
		take_one(t, place, span, &texts[lent]);
		bytes += texts[lent].len;
		if (++lent < TOGETHER && bytes < LIMIT_BATCH)
			continue;
		journal_flush(t->w.writer);
		lent = bytes = 0;
	}
	journal_flush(t->w.writer);
	for (size_t i = 0; i < TOGETHER; i++)
		buf_free(&texts[i]);
}

static void
take(struct taking *t, struct slice body)
{
	struct otlp_request r;
	char err[300];

	if (!otlp_request_init(&r, body, t->protobuf, err, sizeof(err)))
		refuse(t, 400, INVALID_ARGUMENT, NULL, "%s", err);
	else if (!writing_begin(&t->w, t->job, t->request, err, sizeof(err)))
		refuse(t, 503, UNAVAILABLE, "retry-after: 1\r\n", "the journal cannot be written now: %s", err);
	else {
		take_all(t, &r);
		if (t->full)
			refuse(t, 429, RESOURCE_EXHAUSTED, "retry-after: 1\r\n",
			    "the journal is full until the store has taken some");
		else if (!writing_save(&t->w))
			refuse(t, 503, UNAVAILABLE, "retry-after: 1\r\n", "the journal cannot be written now");
		else if (t->bad > 0 && t->good == 0)
			refuse(t, 400, INVALID_ARGUMENT, NULL, "no span of the request can be taken: %s", t->why);
		else
			answer_taken(t);
	}
	otlp_request_free(&r);
}

void
otlp_traces(struct local_job *job, const struct local_request *request, void *arg)
{
	struct taking t = { .job = job, .request = request };
	struct body_error e;
	struct slice body;

	(void)arg;
	buf_init(&t.inflated, LIMIT_OTLP_INFLATED);
	if (type_read(&t)) {
		if (body_inflate(request, &t.inflated, &body, &e))
			take(&t, body);
		else
			refuse(&t, e.status, INVALID_ARGUMENT, e.headers, "%s", e.text);
	}
	buf_free(&t.inflated);
}
