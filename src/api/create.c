/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create: checks what was sent, puts it into the journal, and answers: at once
 * where the sender does not wait (respan_api_controls.block false), else when it
 * is stored and can be read. Of a batch the good ones are stored and the bad
 * ones named.
 */
#include "api/create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/body.h"
#include "api/writing.h"
#include "base/base.h"
#include "core/limits.h"
#include "span/build.h"
#include "span/given.h"
#include "store/store.h"

#define BATCH_SPANS 5000		/* of one batch */
#define ANSWER_ROOM (16 * MIB)
#define ERRORS_SHOWN 100

/* A batch being taken. */
struct taking {
	struct writing	 w;
	struct slice	 method, key;	/* log_method; Idempotency-Key */
	bool		 trace;		/* spans must name their trace */
	size_t		 good, bad;
	struct buf	 results, errors;
	struct buf	 traces;	/* their ids as JSON, each with a line end */
	bool		 full;		/* the journal has no more room */
	struct buf	 inflated;	/* the body, where it came compressed */
};

/* Waits, unless the body says not to. */
static bool
blocks(struct jvalue span)
{
	struct jvalue controls = jget(span, SLICE("respan_api_controls"));

	if (controls.kind != JOBJECT)
		controls = jget(span, SLICE("keywordsai_api_controls"));
	return jget(controls, SLICE("block")).kind != JFALSE;
}

static void
id_text(const uint8_t id[16], char text[33])
{
	hex_encode(id, 16, text);
}

/* The id under which it is stored: another one where it was there already. */
static void
id_find(const struct local_request *request, uint8_t id[16])
{
	struct store *store;
	char err[200];

	store = store_sqlite.open(request->config->data_dir, false, err, sizeof(err));
	if (store == NULL)
		return;
	(void)store_sqlite.first_id(store, id);
	store_sqlite.close(store);
}

/* What the span comes to, built here as the sink does. */
static struct build *
preview(struct writing *w, struct slice json, const uint8_t id[16], struct buf *payload)
{
	struct build_options options = w->request->config->spans;
	struct record record = { .type = RECORD_SPAN };
	struct build *build;

	record_put_u64(payload, TAG_WALL, w->wall_us);
	if (w->request->key) {
		record_put(payload, TAG_ENVIRONMENT, slice_str(w->request->key->environment));
		record_put_u64(payload, TAG_ENVIRONMENT_FREE, w->request->key->environment_free);
	}
	record_put(payload, TAG_BYTES, json);
	options.row_only = true;
	build = payload->failed ? NULL : build_new(&options);
	if (build == NULL)
		return NULL;
	memcpy(record.id, id, 16);
	record.payload = buf_view(payload);
	build_feed(build, &record);
	(void)build_finish(build);
	return build;
}

/* The members of an answer to a create that are taken from the span. */
static void
put_outcome(struct buf *out, const struct span *s)
{
	static const int fields[] = {
		SPAN_F_customer_identifier, SPAN_F_status, SPAN_F_status_code, SPAN_F_cost, SPAN_F_timestamp,
		SPAN_F_start_time, SPAN_F_environment, SPAN_F_latency, SPAN_F_time_to_first_token, SPAN_F_log_type,
		SPAN_F_model, SPAN_F_prompt_tokens, SPAN_F_completion_tokens, SPAN_F_total_request_tokens,
		SPAN_F_prompt_cache_creation_tokens, SPAN_F_prompt_cache_hit_tokens, SPAN_F_trace_unique_id,
		SPAN_F_span_unique_id, SPAN_F_warnings,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		buf_printf(out, ",\"%s\":", span_fields[fields[i]].name);
		span_value_json(s, fields[i], out);
	}
	buf_str(out, ",\"usage\":{\"prompt_tokens\":");
	span_value_json(s, SPAN_F_prompt_tokens, out);
	buf_str(out, ",\"completion_tokens\":");
	span_value_json(s, SPAN_F_completion_tokens, out);
	buf_str(out, ",\"total_tokens\":");
	span_value_json(s, SPAN_F_total_request_tokens, out);
	buf_str(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
	span_value_json(s, SPAN_F_prompt_cache_hit_tokens, out);
	buf_str(out, "}}");
}

static void
answer_created(struct writing *w, struct slice json, uint8_t id[16], bool stored)
{
	struct buf out, payload;
	struct build *build;
	char hex[33];

	if (stored)
		id_find(w->request, id);
	id_text(id, hex);
	buf_init(&out, ANSWER_ROOM);
	buf_init(&payload, 2 * LIMIT_SPAN);
	buf_printf(&out, "{\"message\":\"%s\",\"id\":\"%s\",\"unique_id\":\"%s\",\"organization_id\":null",
	    stored ? "log created" : "log accepted", hex, hex);
	build = preview(w, json, id, &payload);
	if (build != NULL)
		put_outcome(&out, build_finish(build));
	buf_byte(&out, '}');
	build_free(build);
	buf_free(&payload);
	local_head(w->job, 200, API_JSON, NULL);
	(void)api_flush(w->job, &out);
	buf_free(&out);
}

static void
answer_refused(struct local_job *job, const struct given_error *e)
{
	struct buf out, text;

	buf_init(&out, 16 * KIB);
	buf_init(&text, 16 * KIB);
	buf_printf(&text, "%s%s%s", e->member, *e->member ? ": " : "", e->text);
	buf_str(&out, "{\"error\":");
	buf_json_string(&out, buf_view(&text));
	buf_str(&out, ",\"detail\":");
	buf_json_string(&out, buf_view(&text));
	if (*e->member) {
		buf_byte(&out, ',');
		buf_json_string(&out, slice_str(e->member));
		buf_str(&out, ":[");
		buf_json_string(&out, slice_str(e->text));
		buf_byte(&out, ']');
	}
	buf_byte(&out, '}');
	local_head(job, 400, API_JSON, NULL);
	(void)api_flush(job, &out);
	buf_free(&out);
	buf_free(&text);
}

/* The request's JSON, which lives as long as `inflated`; false: it has answered
 * what is wrong with it. */
static bool
body_read(struct local_job *job, const struct local_request *request, struct buf *inflated, struct jvalue *v)
{
	struct body_error e;
	struct slice body;
	size_t at = 0;
	int rc;

	buf_init(inflated, LIMIT_API_BODY);
	if (!body_inflate(request, inflated, &body, &e)) {
		api_error(job, e.status, e.headers, "%s", e.text);
		return false;
	}
	rc = jscan_check(body, v, &at);
	if (rc == JSCAN_END)
		return true;
	api_error(job, 400, NULL, rc == JSCAN_E_UTF8 ? "the body is not UTF-8 at byte %zu" :
	    rc == JSCAN_E_DEPTH ? "the body is nested too deeply at byte %zu" : "the body is not valid JSON at byte %zu", at);
	return false;
}

static void
take_single(struct local_job *job, const struct local_request *request, struct jvalue span)
{
	struct given_error e;
	struct writing w;
	uint8_t id[16];

	if (span.text.len > LIMIT_SPAN) {
		api_error(job, 413, NULL, "a span has at most %u bytes", LIMIT_SPAN);
		return;
	}
	if (!given_check(span, false, &e)) {
		answer_refused(job, &e);
		return;
	}
	if (!writing_open(&w, job, request))
		return;
	if (!writing_span(&w, span.text, request->idempotency_key, SLICE("logging_api"), id))
		writing_full(&w);
	else if (writing_flush(&w))
		answer_created(&w, span.text, id, blocks(span) && writing_await(&w));
}

void
create_one(struct local_job *job, const struct local_request *request, void *arg)
{
	struct buf inflated;
	struct jvalue span;

	(void)arg;
	if (body_read(job, request, &inflated, &span))
		take_single(job, request, span);
	buf_free(&inflated);
}

static void
error_add(struct taking *t, size_t index, const char *member, const char *text)
{
	if (t->bad++ >= ERRORS_SHOWN)
		return;
	buf_printf(&t->errors, "%s{\"index\":%zu,\"member\":", t->errors.len ? "," : "", index);
	if (*member)
		buf_json_string(&t->errors, slice_str(member));
	else
		buf_str(&t->errors, "null");
	buf_str(&t->errors, ",\"message\":");
	buf_json_string(&t->errors, slice_str(text));
	buf_byte(&t->errors, '}');
}

static void
result_add(struct taking *t, const char *id, const char *status)
{
	buf_printf(&t->results, "%s{\"id\":%s%s%s,\"status\":\"%s\"}", t->results.len ? "," : "", id ? "\"" : "",
	    id ? id : "null", id ? "\"" : "", status);
}

/* The element itself, or the JSON in its string. */
static struct jvalue
element_of(struct jvalue v, struct buf *text)
{
	struct jvalue inner;

	if (v.kind != JSTRING)
		return v;
	buf_clear(text);
	if (!jstring(v, text) || jscan_check(buf_view(text), &inner, NULL) != JSCAN_END)
		return v;
	return inner;
}

static void
take_one(struct taking *t, size_t index, struct jvalue span)
{
	struct given_error e;
	char hex[33], key[400] = "";
	uint8_t id[16];

	if (span.text.len > LIMIT_SPAN) {
		error_add(t, index, "", "a span has at most 20971520 bytes");
		result_add(t, NULL, "error");
		return;
	}
	if (!given_check(span, t->trace, &e)) {
		error_add(t, index, e.member, e.text);
		result_add(t, NULL, "error");
		return;
	}
	if (t->key.len > 0)
		snprintf(key, sizeof(key), "%.*s#%zu", (int)(t->key.len < 300 ? t->key.len : 300), t->key.ptr, index);
	if (!writing_span(&t->w, span.text, slice_str(key), t->method, id)) {
		t->full = true;
		return;
	}
	t->good++;
	if (t->trace) {
		buf_slice(&t->traces, jget(span, SLICE("trace_unique_id")).text);
		buf_byte(&t->traces, '\n');
	}
	id_text(id, hex);
	result_add(t, hex, "success");
	if (journal_pending(t->w.writer) && t->good % 64 == 0)
		journal_flush(t->w.writer);
}

static void
take_all(struct taking *t, struct jvalue list)
{
	struct jiter it;
	struct jmember m;
	struct buf text;
	size_t index = 0;

	buf_init(&text, 2 * LIMIT_SPAN);
	jiter_init(&it, list);
	while (!t->full && jiter_next(&it, &m)) {
		struct jvalue span = element_of(m.value, &text);

		take_one(t, index++, span);
		if (span.text.ptr != m.value.text.ptr)
			journal_flush(t->w.writer);	/* the text was borrowed until then */
	}
	buf_free(&text);
}

/* Takes a list of spans. False: it has answered. */
static bool
taken(struct taking *t, struct local_job *job, const struct local_request *request, struct jvalue list)
{
	size_t n = 0;
	struct jiter it;
	struct jmember m;

	for (jiter_init(&it, list); n <= BATCH_SPANS && jiter_next(&it, &m);)
		n++;
	if (n > BATCH_SPANS) {
		api_error(job, 400, NULL, "a batch has at most %d spans", BATCH_SPANS);
		return false;
	}
	if (!writing_open(&t->w, job, request))
		return false;
	t->key = request->idempotency_key;
	buf_init(&t->results, ANSWER_ROOM);
	buf_init(&t->errors, ANSWER_ROOM);
	buf_init(&t->traces, ANSWER_ROOM);
	take_all(t, list);
	if (t->full)
		writing_full(&t->w);
	return !t->full && writing_flush(&t->w);
}

static void
taking_free(struct taking *t)
{
	buf_free(&t->inflated);
	buf_free(&t->results);
	buf_free(&t->errors);
	buf_free(&t->traces);
}

static int
text_order(const void *va, const void *vb)
{
	const struct slice *a = va, *b = vb;
	int order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Which traces the spans are of, each once. */
static void
put_traces(const struct taking *t, struct buf *out)
{
	struct slice *ids = xcalloc(t->good + 1, sizeof(*ids)), rest = buf_view(&t->traces);
	size_t n = 0, traces = 0;
	const char *end;
	struct buf list;

	while (n < t->good && rest.len > 0 && (end = memchr(rest.ptr, '\n', rest.len)) != NULL) {
		ids[n++] = slice_make(rest.ptr, (size_t)(end - rest.ptr));
		rest = slice_from(rest, ids[n - 1].len + 1);
	}
	if (n > 0)
		qsort(ids, n, sizeof(*ids), text_order);
	buf_init(&list, ANSWER_ROOM);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && slice_eq(ids[i], ids[i - 1]))
			continue;
		buf_str(&list, traces++ ? "," : "");
		if (*ids[i].ptr == '"')
			buf_slice(&list, ids[i]);
		else
			buf_json_string(&list, ids[i]);		/* a number */
	}
	buf_printf(out, ",\"created_traces\":%zu,\"trace_ids\":[", traces);
	buf_slice(out, buf_view(&list));
	buf_byte(out, ']');
	buf_free(&list);
	free(ids);
}

static void
answer_taken(struct taking *t, bool stored)
{
	struct buf out;

	buf_init(&out, 3 * ANSWER_ROOM);
	buf_printf(&out, "{\"message\":\"%zu spans %s%s\",\"success\":%s,\"status\":\"%s\",\"ingested_spans\":%zu,"
	    "\"ingested_count\":%zu,\"results\":[", t->good, stored ? "ingested" : "accepted",
	    t->bad ? ", others refused" : "", t->good || !t->bad ? "true" : "false", t->bad ? "partial" : "ok", t->good,
	    t->good);
	buf_slice(&out, buf_view(&t->results));
	buf_str(&out, "],\"errors\":[");
	buf_slice(&out, buf_view(&t->errors));
	buf_str(&out, "]");
	if (t->trace)
		put_traces(t, &out);
	if (t->bad > 0 && t->good == 0)
		buf_str(&out, ",\"error\":\"no span of the batch can be taken\",\"detail\":\"no span of the batch can be taken\"");
	buf_byte(&out, '}');
	local_head(t->w.job, t->bad > 0 && t->good == 0 ? 400 : 200, API_JSON, NULL);
	(void)api_flush(t->w.job, &out);
	buf_free(&out);
}

void
create_batch(struct local_job *job, const struct local_request *request, void *arg)
{
	struct taking t = { .method = SLICE("batch") };
	struct jvalue body, list;

	(void)arg;
	if (!body_read(job, request, &t.inflated, &body)) {
		buf_free(&t.inflated);
		return;
	}
	list = body.kind == JARRAY ? body : jget(body, SLICE("logs"));
	if (list.kind != JARRAY)
		api_error(job, 400, NULL, "logs: must be a list of spans");
	else if (taken(&t, job, request, list))
		answer_taken(&t, blocks(body) && writing_await(&t.w));
	taking_free(&t);
}

void
create_traces(struct local_job *job, const struct local_request *request, void *arg)
{
	struct taking t = { .method = SLICE("tracing_integration"), .trace = true };
	struct jvalue body, list;

	(void)arg;
	if (!body_read(job, request, &t.inflated, &body)) {
		buf_free(&t.inflated);
		return;
	}
	list = body.kind == JARRAY ? body : jget(body, SLICE("data"));
	if (list.kind != JARRAY)
		api_error(job, 400, NULL, "the body must be a list of spans, or an object with one as data");
	else if (taken(&t, job, request, list))
		answer_taken(&t, writing_await(&t.w));
	taking_free(&t);
}
