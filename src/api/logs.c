/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs: lists spans and reads one, over HTTP. Each request opens the store for
 * itself, reads, and closes it: API threads share nothing.
 */
#include "api/logs.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/create.h"
#include "api/reading.h"
#include "base/base.h"
#include "core/limits.h"

#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */

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

void
logs_put_row(struct reading *r, const struct span *span, bool full)
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

/* The rows of the page, as they come from the store. */
static void
put_rows(struct reading *r, const struct listing *l, struct store_rows *rows, const struct span *first)
{
	const struct span *span = first;
	const char *comma = "";

	do {
		buf_str(&r->out, comma);
		logs_put_row(r, full_span(r->full, span), l->full);
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
		reading_failed(r);
		store_sqlite.done(rows);
		return;
	}
	local_head(r->job, 200, API_JSON, NULL);
	buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)count);
	reading_link(r, "next", rc == STORE_ROW && l->query.offset + l->page_size < count, l->page + 1);
	buf_str(&r->out, ",");
	reading_link(r, "previous", l->page > 1, l->page - 1);
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
	if (!listing_read(l, request->query, request->body, (int64_t)clock_wall_us(),
	    reading_environment(request, SLICE_NONE, false)))
		api_error(job, 400, NULL, "%s", l->error);
	else if (reading_open(&r, job, request)) {
		l->query.tenant = reading_tenant(request);
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
		create_one(job, request, arg);
}

/* The span of an id as a whole. */
void
logs_answer_one(struct reading *r, const struct span *row)
{
	logs_put_row(r, full_span(r->full, row), true);
	local_head(r->job, 200, API_JSON, NULL);
	(void)api_flush(r->job, &r->out);
}

void
logs_get(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	reading_one(job, request, slice_from(request->path, sizeof("/request-logs/") - 1), logs_answer_one);
}
