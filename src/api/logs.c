/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs: lists spans and reads one, over HTTP. Each request opens the store for
 * itself, reads, and closes it: API threads share nothing.
 */
#include "api/logs.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/params.h"
#include "base/base.h"
#include "core/limits.h"
#include "store/full.h"
#include "store/store.h"
#include "store/value.h"

#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */
#define ROW_LIMIT (256 * MIB)		/* one span as JSON, every body in it */

/* What a request reads with. */
struct reading {
	struct local_job *job;
	const struct local_request *request;
	struct store	*store;
	struct full	*full;
	struct buf	 out;
	struct buf	 text;		/* input and output as strings */
};

/* Opens the store, or answers why it cannot be read. */
static bool
reading_open(struct reading *r, struct local_job *job, const struct local_request *request)
{
	char err[300];

	*r = (struct reading){ .job = job, .request = request };
	buf_init(&r->out, ROW_LIMIT);
	buf_init(&r->text, ROW_LIMIT);
	r->store = store_sqlite.open(request->config->data_dir, false, err, sizeof(err));
	if (!r->store) {
		api_error(job, 503, "retry-after: 1\r\n", "the store cannot be read now: %s", err);
		return false;
	}
	r->full = full_new(&store_sqlite, r->store, &request->config->spans);
	return true;
}

static void
reading_close(struct reading *r)
{
	full_free(r->full);
	store_sqlite.close(r->store);
	buf_free(&r->out);
	buf_free(&r->text);
}

static void
store_failed(struct reading *r)
{
	api_error(r->job, 503, "retry-after: 1\r\n", "the store cannot be read now: %s",
	    store_sqlite.error(r->store));
}

/* Whose rows the key may see. */
static struct slice
tenant_of(const struct local_request *request)
{
	return request->key ? slice_str(request->key->tenant) : SLICE_NONE;
}

/* Clients of this API take `input` and `output` as strings: what is no string
 * is its JSON text in one. */
static struct slice
as_string(struct reading *r, struct slice json)
{
	size_t start = r->text.len;

	if (!json.ptr || json.len == 0 || *json.ptr == '"' || !buf_json_string(&r->text, json))
		return json;
	return slice_make(r->text.ptr + start, r->text.len - start);
}

/* Appends a span as a row of the API: our fields and the names that its
 * clients read besides. */
static void
put_row(struct reading *r, const struct span *span, bool full)
{
	struct span row = *span;

	buf_clear(&r->text);
	/* Escaping may make six of a byte; room first, so that nothing moves. */
	if (buf_reserve(&r->text, (row.input.len + row.output.len) * 6 + 8)) {
		row.input = as_string(r, row.input);
		row.output = as_string(r, row.output);
	}
	if (!full)
		row.full_request = row.full_response = SLICE_NONE;
	span_json(&row, true, &r->out);
	r->out.len--;	/* its closing brace */
	buf_printf(&r->out, ",\"full_unique_id\":\"%.*s\",\"failed\":%s,\"has_tool_calls\":%s}",
	    (int)row.id.len, row.id.ptr, slice_eq(row.status, SLICE("error")) ? "true" : "false",
	    row.tool_calls.len > 2 ? "true" : "false");
	if (r->text.cap > 4 * MIB)
		buf_free(&r->text);
}

/* "next" or "previous": this URL with another page. */
static void
put_link(struct reading *r, const char *name, bool there, uint64_t page)
{
	struct slice target = r->request->target, path, query = SLICE("");
	const char *mark = target.ptr ? memchr(target.ptr, '?', target.len) : NULL, *and = "";
	struct buf url, arena;
	struct param p;

	buf_printf(&r->out, "\"%s\":", name);
	if (!there) {
		buf_str(&r->out, "null");
		return;
	}
	path = slice_make(target.ptr, mark ? (size_t)(mark - target.ptr) : target.len);
	if (mark)
		query = slice_from(target, path.len + 1);
	buf_init(&url, 2 * LIMIT_HEAD);
	buf_init(&arena, 2 * LIMIT_HEAD);
	if (path.len > 0 && *path.ptr == '/')
		buf_printf(&url, "http://%.*s", (int)r->request->host.len, r->request->host.ptr);
	buf_slice(&url, path);
	buf_str(&url, "?");
	(void)params_room(query, &arena);
	while (params_next(&query, &p, &arena)) {
		if (slice_eq(p.name, SLICE("page")))
			continue;
		buf_str(&url, and);
		buf_slice(&url, p.text);
		and = "&";
	}
	buf_printf(&url, "%spage=%llu", and, (unsigned long long)page);
	buf_json_string(&r->out, buf_view(&url));
	buf_free(&url);
	buf_free(&arena);
}

/* The rows of the page, as they come from the store. */
static void
put_rows(struct reading *r, const struct listing *l, struct store_rows *rows, const struct span *first)
{
	const struct span *span = first;
	const char *comma = "";

	do {
		buf_str(&r->out, comma);
		put_row(r, full_span(r->full, span), l->full);
		comma = ",";
		if (r->out.failed || (r->out.len >= BLOCK && !api_flush(r->job, &r->out)))
			return;
		if (r->out.cap > 4 * MIB)
			buf_free(&r->out);
	} while (store_sqlite.next(rows, &span) == STORE_ROW);
}

static void
put_list(struct reading *r, const struct listing *l)
{
	struct store_rows *rows = NULL;
	const struct span *first = NULL;
	uint64_t count = 0;
	int rc;

	rc = store_sqlite.count(r->store, &l->query, &count);
	if (rc == STORE_OK)
		rc = store_sqlite.select(r->store, &l->query, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &first);
	if (rc < 0) {
		store_failed(r);
		store_sqlite.done(rows);
		return;
	}
	local_head(r->job, 200, API_JSON, NULL);
	buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)count);
	put_link(r, "next", rc == STORE_ROW && l->query.offset + l->page_size < count, l->page + 1);
	buf_str(&r->out, ",");
	put_link(r, "previous", l->page > 1, l->page - 1);
	buf_str(&r->out, ",\"current_filters\":{},\"results\":[");
	if (rc == STORE_ROW)
		put_rows(r, l, rows, first);
	buf_str(&r->out, "]}");
	(void)api_flush(r->job, &r->out);
	store_sqlite.done(rows);
}

void
logs_list(struct local_job *job, const struct local_request *request, void *arg)
{
	struct listing *l = xmalloc(sizeof(*l));
	struct reading r;

	(void)arg;
	if (!listing_read(l, request->query, request->body, (int64_t)clock_wall_us()))
		api_error(job, 400, NULL, "%s", l->error);
	else if (reading_open(&r, job, request)) {
		l->query.tenant = tenant_of(request);
		put_list(&r, l);
		reading_close(&r);
	}
	listing_free(l);
	free(l);
}

void
logs_create_or_list(struct local_job *job, const struct local_request *request, void *arg)
{
	if (listing_is_list(request->body))
		logs_list(job, request, arg);
	else
		api_error(job, 501, NULL,
		    "Create a span (POST /request-logs): this version of spangate does not do that yet");
}

/* The span of an id as a whole. */
static void
put_one(struct reading *r, struct slice id)
{
	struct query_filter f = { .field = SPAN_F_id, .op = QUERY_EQ, .values = &id, .nvalues = 1 };
	struct query q = { .tenant = tenant_of(r->request), .filters = &f, .nfilters = 1, .sort = -1, .limit = 1 };
	struct store_rows *rows;
	const struct span *span;
	int rc;

	if (store_sqlite.select(r->store, &q, &rows) != STORE_OK) {
		store_failed(r);
		return;
	}
	rc = store_sqlite.next(rows, &span);
	if (rc == STORE_ROW) {
		put_row(r, full_span(r->full, span), true);
		local_head(r->job, 200, API_JSON, NULL);
		(void)api_flush(r->job, &r->out);
	} else if (rc == STORE_OK)
		api_error(r->job, 404, NULL, "Log not found");
	else
		store_failed(r);
	store_sqlite.done(rows);
}

void
logs_get(struct local_job *job, const struct local_request *request, void *arg)
{
	struct slice id = slice_from(request->path, sizeof("/request-logs/") - 1);
	uint8_t bytes[16];
	struct reading r;

	(void)arg;
	if (!value_id(id, bytes))
		api_error(job, 404, NULL, "Log not found");
	else if (reading_open(&r, job, request)) {
		put_one(&r, id);
		reading_close(&r);
	}
}
