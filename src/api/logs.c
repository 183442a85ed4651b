/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs: lists spans, reads one and exports any number, over HTTP. Each request
 * opens the store for itself, reads, and closes it: API threads share nothing.
 */
#include "api/logs.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/create.h"
#include "api/export.h"
#include "api/params.h"
#include "api/reading.h"
#include "api/row.h"
#include "base/base.h"
#include "core/limits.h"

#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */

/* Hands a block over when it is full; false: the client left, or there is no memory. */
static bool
hand_over(struct reading *r)
{
	if (r->out.failed)
		return false;
	if (r->out.len >= BLOCK) {
		full_rest(r->full);	/* the client may take its time */
		if (!api_flush(r->job, &r->out))
			return false;
	}
	if (r->out.cap > 4 * MIB)
		buf_free(&r->out);
	return true;
}

/* Does the list ask for more than its rows hold? */
static bool
needs_full(const struct listing *l)
{
	for (int i = 0; i < SPAN_FIELDS; i++)
		if (l->fields[i] && row_needs_full(i))
			return true;
	return !l->have_fields;
}

/* The rows of the page, as they come from the store. */
static void
put_rows(struct reading *r, const struct listing *l, struct store_rows *rows, const struct span *first)
{
	bool full = needs_full(l);
	const struct span *span = first;
	const char *comma = "";
	struct row_writer w;

	row_writer_init(&w, r->store);
	w.full = l->full;
	w.fields = l->have_fields ? l->fields : NULL;
	do {
		buf_str(&r->out, comma);
		full_hold(r->full);
		row_json(&w, full ? full_span(r->full, span) : span, &r->out);
		comma = ",";
	} while (hand_over(r) && store_sqlite.next(rows, &span) == STORE_ROW);
	full_rest(r->full);
	row_writer_free(&w);
}

static void
put_list(struct reading *r, const struct listing *l)
{
	/* As far as the next page, so that `next` is always known. */
	uint64_t most = l->query.offset + l->page_size > LIMIT_COUNTED_ROWS ? l->query.offset + l->page_size :
	    LIMIT_COUNTED_ROWS, count = 0;
	struct store_rows *rows = NULL;
	const struct span *first = NULL;
	bool more;
	int rc;

	rc = store_sqlite.count_upto(r->store, &l->query, most + 1, &count);
	if (rc == STORE_OK)
		rc = store_sqlite.select(r->store, &l->query, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &first);
	if (rc < 0) {
		reading_failed(r, rc);
		store_sqlite.done(rows);
		return;
	}
	local_head(r->job, 200, API_JSON, NULL);
	more = count == most + 1 && (l->query.nfilters > 0 || l->query.sample > 0);
	reading_list_head(r, l, count, more);
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
		reading_limits(&r, &l->query);
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
	struct row_writer w;

	row_writer_init(&w, r->store);
	w.full = w.one = true;
	row_json(&w, full_span(r->full, row), &r->out);
	row_writer_free(&w);
	local_head(r->job, 200, API_JSON, NULL);
	(void)api_flush(r->job, &r->out);
}

void
logs_get(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	reading_one(job, request, slice_from(request->path, sizeof("/request-logs/") - 1), logs_answer_one);
}

/* include_fields of the URL, in its order: the columns of an export. */
static bool
export_read(struct export *x, int *fields, const struct listing *l, struct slice query, char *err, size_t errlen)
{
	struct slice bad = SLICE_NONE;
	struct param p;
	struct buf arena;
	bool good = true;

	if (l->format.len > 0 && !export_format_by_name(l->format, &x->format)) {
		snprintf(err, errlen, "format: there are csv, json and jsonl");
		return false;
	}
	buf_init(&arena, 2 * LIMIT_HEAD);
	(void)params_room(query, &arena);
	while (good && params_next(&query, &p, &arena))
		if (slice_eq(p.name, SLICE("include_fields")))
			good = export_fields(x, fields, p.value, &bad);
	if (!good)
		snprintf(err, errlen, "include_fields: there is no field '%.*s'", bad.len > 60 ? 60 : (int)bad.len, bad.ptr);
	buf_free(&arena);
	return good;
}

static void
put_export(struct reading *r, struct export *x, const struct query *q)
{
	static const char *const types[] = { [EXPORT_JSONL] = "application/x-ndjson", [EXPORT_JSON] = API_JSON,
	    [EXPORT_CSV] = "text/csv; charset=utf-8" }, *const heads[] = {
	    [EXPORT_JSONL] = "content-disposition: attachment; filename=\"spans.jsonl\"\r\n",
	    [EXPORT_JSON] = "content-disposition: attachment; filename=\"spans.json\"\r\n",
	    [EXPORT_CSV] = "content-disposition: attachment; filename=\"spans.csv\"\r\n" };
	bool full = export_needs_full(x), going = true;
	struct store_rows *rows = NULL;
	const struct span *span;
	int rc;

	rc = store_sqlite.select(r->store, q, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &span);
	if (rc < 0) {
		reading_failed(r, rc);
		store_sqlite.done(rows);
		return;
	}
	local_head(r->job, 200, types[x->format], heads[x->format]);
	export_start(x, &r->out);
	for (; going && rc == STORE_ROW; rc = going ? store_sqlite.next(rows, &span) : STORE_OK) {
		full_hold(r->full);
		export_row(x, full ? full_span(r->full, span) : span, &r->out);
		going = hand_over(r);
	}
	full_rest(r->full);
	if (rc == STORE_OK)	/* else it ends without its end, so that nobody takes it for whole */
		export_end(x, &r->out);
	(void)api_flush(r->job, &r->out);
	store_sqlite.done(rows);
}

void
logs_export(struct local_job *job, const struct local_request *request, void *arg)
{
	struct export x = { .format = EXPORT_JSONL };
	struct listing *l = xmalloc(sizeof(*l));
	int fields[SPAN_FIELDS];
	struct reading r;
	char err[120];

	(void)arg;
	if (!listing_read(l, request->query, request->body, 0, reading_environment(request, SLICE_NONE, false)))
		api_error(job, 400, NULL, "%s", l->error);
	else if (!export_read(&x, fields, l, request->query, err, sizeof(err)))
		api_error(job, 400, NULL, "%s", err);
	else if (reading_open(&r, job, request)) {
		reading_limits(&r, &l->query);
		l->query.offset = l->query.limit = l->query.patience_us = 0;
		if (l->query.sort < 0)
			l->query.ascending = true;
		put_export(&r, &x, &l->query);
		reading_close(&r);
	}
	listing_free(l);
	free(l);
}
