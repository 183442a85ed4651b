/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces: lists traces, sums them up, and prints one with the tree of its spans.
 * Called on pool threads. What a list says of a trace stands in table trace;
 * input, output and metadata are those of its root, read with it.
 */
#include "api/traces.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/ask.h"
#include "api/print.h"
#include "api/reading.h"
#include "api/trace.h"
#include "api/writing.h"
#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"

#define HOUR_US INT64_C(3600000000)
#define PAGE_SIZE 50
#define COUNT_MOST 100000		/* counted exactly up to here */
#define DELETE_MOST 1000
#define DELETE_FULL 1			/* the journal has no room; not a store_result */
#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */

/* A request, and what it comes to. */
struct asked {
	struct ask	 ask;
	struct traces_filter filters[ASK_CONDITIONS + 1];
	struct traces_query query;
};

static const struct { const char *name; enum traces_field field; } names[] = {
	{ "timestamp", TRACES_ENDED }, { "end_time", TRACES_ENDED }, { "start_time", TRACES_STARTED },
	{ "duration", TRACES_DURATION }, { "latency", TRACES_DURATION }, { "total_cost", TRACES_COST },
	{ "cost", TRACES_COST },
	{ "total_tokens", TRACES_TOKENS }, { "total_prompt_tokens", TRACES_PROMPT },
	{ "total_completion_tokens", TRACES_COMPLETION }, { "span_count", TRACES_SPANS },
	{ "llm_call_count", TRACES_LLM_CALLS }, { "error_count", TRACES_ERRORS },
	{ "trace_unique_id", TRACES_ID }, { "id", TRACES_ID }, { "customer_identifier", TRACES_CUSTOMER },
	{ "environment", TRACES_ENVIRONMENT }, { "workflow_name", TRACES_WORKFLOW },
	{ "span_workflow_name", TRACES_WORKFLOW }, { "name", TRACES_NAME }, { "model", TRACES_MODEL },
};

static int
field_by_name(struct slice name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq(slice_str(names[i].name), name))
			return (int)names[i].field;
	return -1;
}

static bool
take_condition(struct asked *a, const struct ask_condition *c)
{
	bool metadata = slice_starts(c->name, SLICE("metadata__"));
	int field = metadata ? TRACES_METADATA : field_by_name(c->name);
	struct slice key = metadata ? slice_from(c->name, 10) : SLICE_NONE;

	if (field < 0 && c->url) {	/* a name that is none is a metadata key */
		field = TRACES_METADATA;
		key = c->name;
	}
	if (field < 0)
		return ask_refuse(&a->ask, "filters: traces cannot be filtered by '%.*s'", ASK_SHOWN(c->name));
	a->filters[a->query.nfilters++] = (struct traces_filter){ .field = (enum traces_field)field, .key = key, .op = c->op,
	    .values = c->values, .nvalues = c->nvalues };
	return true;
}

/* window: an hour where none is given, as in lists. */
static bool
read_request(struct asked *a, const struct local_request *request, bool window)
{
	struct ask *ask = &a->ask;
	struct traces_query *q = &a->query;
	int sort = TRACES_ENDED;

	*q = (struct traces_query){ .tenant = reading_tenant(request), .filters = a->filters };
	if (!ask_read(ask, request->query, request->body, PAGE_SIZE, NULL))
		return false;
	if (ask->sort.len > 0)
		sort = field_by_name(ask->sort);
	if (sort < 0)
		return ask_refuse(ask, "sort_by: traces cannot be sorted by '%.*s'", ASK_SHOWN(ask->sort));
	q->sort = (enum traces_field)sort;
	q->ascending = ask->ascending;
	q->have_from = ask->have_from || window;
	q->have_to = ask->have_to;
	q->to_us = ask->to_us;
	q->from_us = ask->have_from ? ask->from_us : (ask->have_to ? ask->to_us : (int64_t)clock_wall_us()) - HOUR_US;
	q->limit = ask->page_size;
	q->offset = (ask->page - 1) * ask->page_size;
	for (size_t i = 0; i < ask->nconditions; i++)
		if (!take_condition(a, &ask->conditions[i]))
			return false;
	if (ask->environment.len > 0)
		a->filters[q->nfilters++] = (struct traces_filter){ .field = TRACES_ENVIRONMENT, .values = &ask->environment,
		    .nvalues = 1 };
	return true;
}

/* Which of the conditions holds a value that its field cannot have. */
static void
answer_failed(struct reading *r, const struct asked *a, int rc)
{
	struct traces_query one = { .sort = TRACES_ENDED, .nfilters = 1 };
	uint64_t n;

	if (rc != STORE_E_ROW) {
		reading_failed(r, rc);
		return;
	}
	for (size_t i = 0; i < a->ask.nconditions; i++) {
		one.filters = a->query.filters + i;
		if (store_sqlite.traces_count(r->store, &one, 1, &n) != STORE_E_ROW)
			continue;
		api_error(r->job, 400, NULL, "filters: %.*s: the operator or a value does not fit",
		    ASK_SHOWN(a->ask.conditions[i].name));
		return;
	}
	api_error(r->job, 400, NULL, "Invalid parameters or filters");
}

/* Rows of a page, each with its texts behind it. */
struct page {
	struct traces_row **rows;
	int64_t		*roots;
	size_t		 n;
};

static void
page_free(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		free(page->rows[i]);
	free(page->rows);
	free(page->roots);
}

static int
page_read(struct reading *r, const struct traces_query *q, struct page *page)
{
	const struct traces_row *row;
	struct traces *traces = NULL;
	size_t cap = 0;
	int rc;

	*page = (struct page){ .n = 0 };
	rc = store_sqlite.traces(r->store, q, &traces);
	while (rc >= 0 && (rc = store_sqlite.traces_next(traces, &row)) == STORE_ROW) {
		if (page->n == cap) {
			cap = cap ? cap * 2 : 64;
			page->rows = xrealloc(page->rows, cap * sizeof(*page->rows));
			page->roots = xrealloc(page->roots, cap * sizeof(*page->roots));
		}
		page->rows[page->n] = trace_copy(row);
		page->roots[page->n++] = row->root;
	}
	store_sqlite.traces_done(traces);
	return rc;
}

static bool
is_root_of(const struct span *span, const struct traces_row *row)
{
	return slice_eq(span->trace_unique_id, row->trace) && slice_eq(span->tenant, row->tenant);
}

/* The rows with what their roots say; a root may have gone meanwhile. */
static void
put_page(struct reading *r, const struct page *page)
{
	struct store_rows *rows = NULL;
	const struct span *span = NULL;
	int rc;

	rc = store_sqlite.select_numbers(r->store, page->roots, page->n, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &span);
	for (size_t i = 0; i < page->n; i++) {
		bool here = rc == STORE_ROW && is_root_of(span, page->rows[i]);

		buf_str(&r->out, i ? ",{" : "{");
		trace_print(&r->out, page->rows[i], here ? full_span(r->full, span) : NULL);
		r->out.ptr[r->out.len - 1] = '}';	/* in place of the last comma */
		if (r->out.len >= BLOCK && !api_flush(r->job, &r->out))
			break;
		if (here)
			rc = store_sqlite.next(rows, &span);
	}
	store_sqlite.done(rows);
}

static void
answer_list(struct reading *r, const struct asked *a)
{
	const struct traces_query *q = &a->query;
	uint64_t count = 0;
	struct page page = { .n = 0 };
	bool more;
	int rc;

	/* One snapshot: what is counted is what is listed. */
	rc = store_sqlite.begin(r->store);
	if (rc == STORE_OK)
		rc = store_sqlite.traces_count(r->store, q, COUNT_MOST, &count);
	if (rc == STORE_OK)
		rc = page_read(r, q, &page);
	store_sqlite.rollback(r->store);
	if (rc < 0) {
		page_free(&page);
		answer_failed(r, a, rc);
		return;
	}
	more = q->offset + page.n < count || (count > COUNT_MOST && page.n == q->limit);
	local_head(r->job, 200, API_JSON, NULL);
	buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)count);
	if (count > COUNT_MOST)
		buf_str(&r->out, "\"count_is_lower_bound\":true,");
	reading_link(r, "next", more && page.n > 0, a->ask.page + 1);
	buf_str(&r->out, ",");
	reading_link(r, "previous", a->ask.page > 1, a->ask.page - 1);
	buf_str(&r->out, ",\"current_filters\":{},\"results\":[");
	put_page(r, &page);
	buf_str(&r->out, "]}");
	(void)api_flush(r->job, &r->out);
	page_free(&page);
}

/* Reads the request, opens the store and has it answered. */
static void
run(struct local_job *job, const struct local_request *request, bool window,
    void answer(struct reading *, const struct asked *))
{
	struct asked *a = xmalloc(sizeof(*a));
	struct reading r;

	if (!read_request(a, request, window))
		api_error(job, 400, NULL, "%s", a->ask.error);
	else if (reading_open(&r, job, request)) {
		answer(&r, a);
		reading_close(&r);
	}
	ask_free(&a->ask);
	free(a);
}

void
traces_list(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	run(job, request, true, answer_list);
}

static void
answer_summary(struct reading *r, const struct asked *a)
{
	struct traces_sums s;
	struct buf *out = &r->out;
	int rc = store_sqlite.traces_sum(r->store, &a->query, &s);

	if (rc != STORE_OK) {
		answer_failed(r, a, rc);
		return;
	}
	buf_str(out, "{");
	print_int(out, "total_count", s.traces);
	print_cost(out, "total_cost", s.cost);
	print_int(out, "total_prompt_tokens", s.prompt);
	print_int(out, "total_completion_tokens", s.completion);
	print_int(out, "total_tokens", s.total);
	print_cost(out, "average_cost", s.traces ? s.cost / s.traces : 0);
	print_mean(out, "average_prompt_tokens", s.prompt, s.traces);
	print_mean(out, "average_completion_tokens", s.completion, s.traces);
	print_mean(out, "average_tokens", s.total, s.traces);
	print_seconds(out, "total_duration", s.duration);
	print_seconds(out, "average_duration", s.traces ? s.duration / s.traces : 0);
	print_int(out, "total_span_count", s.spans);
	print_mean(out, "average_span_count", s.spans, s.traces);
	print_int(out, "total_llm_call_count", s.llm_calls);
	print_mean(out, "average_llm_call_count", s.llm_calls, s.traces);
	print_int(out, "total_error_count", s.errors);
	print_mean(out, "error_rate", s.failed, s.traces);
	out->ptr[out->len - 1] = '}';
	local_head(r->job, 200, API_JSON, NULL);
	(void)api_flush(r->job, out);
}

void
traces_summary(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	run(job, request, true, answer_summary);
}

/* Puts the deletion of every span of a trace into the journal. A trace may have
 * more spans than are read at once: those are gone before the rest is read. */
static int
delete_spans(struct reading *r, struct writing *w, const struct traces_row *row)
{
	struct traces_span *spans;
	size_t n;
	struct buf texts;
	bool room = true;
	int rc;

	buf_init(&texts, LIMIT_TRACE_SPANS * 2 * LIMIT_ROW_TEXT);
	do {
		spans = NULL;
		n = 0;
		buf_clear(&texts);
		rc = store_sqlite.traces_spans(r->store, row->tenant, row->trace, LIMIT_TRACE_SPANS, &spans, &n, &texts);
		for (size_t i = 0; i < n && room; i++)
			room = writing_edit(w, spans[i].id16, SLICE("{\"delete\":true}"));
		free(spans);
		journal_flush(w->writer);
	} while (rc == STORE_OK && room && n == LIMIT_TRACE_SPANS && writing_await(w));
	buf_free(&texts);
	return rc < 0 && rc != STORE_NOT_FOUND ? rc : room ? STORE_OK : DELETE_FULL;
}

/* Deletes what the query finds; how many traces. False: it was answered. */
static bool
delete_found(struct reading *r, const struct asked *a, const struct traces_query *q, size_t *deleted)
{
	struct writing w;
	struct page page;
	bool good = false;
	int rc;

	rc = page_read(r, q, &page);
	*deleted = page.n;
	if (rc < 0)
		answer_failed(r, a, rc);
	else if (writing_open(&w, r->job, r->request)) {
		for (size_t i = 0; i < page.n && rc == STORE_OK; i++)
			rc = delete_spans(r, &w, page.rows[i]);
		if (rc == DELETE_FULL)
			writing_full(&w);
		else if (rc < 0)
			answer_failed(r, a, rc);
		else if ((good = writing_flush(&w)))
			(void)writing_await(&w);
	}
	page_free(&page);
	return good;
}

static void
answer_delete_many(struct reading *r, const struct asked *a)
{
	struct traces_query q = a->query;
	uint64_t count;
	size_t n;
	int rc;

	if (a->ask.nconditions == 0) {
		api_error(r->job, 400, NULL, "Request body must contain a non-empty 'filters' list");
		return;
	}
	q.limit = q.offset = 0;
	rc = store_sqlite.traces_count(r->store, &q, COUNT_MOST, &count);
	if (rc != STORE_OK)
		answer_failed(r, a, rc);
	else if (count > DELETE_MOST) {
		buf_printf(&r->out, "{\"error\":\"Filter matched more than %d traces. Narrow your filters or delete in smaller"
		    " batches.\",\"matched_count\":%llu}", DELETE_MOST, (unsigned long long)count);
		local_head(r->job, 400, API_JSON, NULL);
		(void)api_flush(r->job, &r->out);
	} else if (delete_found(r, a, &q, &n)) {
		buf_printf(&r->out, "{\"deleted_count\":%zu,\"message\":\"Successfully deleted %zu traces\"}", n, n);
		local_head(r->job, 200, API_JSON, NULL);
		(void)api_flush(r->job, &r->out);
	}
}

void
traces_delete_many(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	run(job, request, false, answer_delete_many);
}

static void
answer_deleted(struct reading *r, struct slice id)
{
	struct buf text;

	buf_init(&text, LIMIT_HEAD + 100);
	buf_str(&text, "Successfully deleted trace ");
	buf_slice(&text, id);
	buf_str(&r->out, "{\"message\":");
	buf_json_string(&r->out, buf_view(&text));
	buf_str(&r->out, ",\"success\":");
	buf_json_string(&r->out, buf_view(&text));
	buf_str(&r->out, "}");
	buf_free(&text);
	local_head(r->job, 200, API_JSON, NULL);
	(void)api_flush(r->job, &r->out);
}

/* The traces of the path's id: one for each tenant that has it. One that is not
 * there is as good as deleted. */
static void
answer_delete(struct reading *r, const struct asked *a)
{
	size_t n;
	struct slice id;
	struct traces_filter f = { .field = TRACES_ID, .values = &id, .nvalues = 1 };
	struct traces_query q = { .tenant = a->query.tenant, .filters = &f, .nfilters = 1, .sort = TRACES_ENDED };
	struct buf text;

	buf_init(&text, LIMIT_HEAD);
	trace_path_id(r->request->path, &text);
	id = buf_view(&text);
	if (delete_found(r, a, &q, &n))
		answer_deleted(r, id);
	buf_free(&text);
}

void
traces_delete(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	run(job, request, false, answer_delete);
}

/* Puts the mark, or that it is taken away, into the journal for each of the rows. False: it was answered. */
static bool
put_public(struct reading *r, struct writing *w, const struct page *page, bool public)
{
	static const uint8_t nobody[16];	/* an EDIT of no span */
	struct slice environment = reading_bound(r->request);
	struct buf edit;
	bool room = true;

	buf_init(&edit, LIMIT_RECORD);
	for (size_t i = 0; i < page->n && room; i++) {
		buf_clear(&edit);
		buf_str(&edit, "{\"trace_public\":{\"tenant\":");
		buf_json_string(&edit, page->rows[i]->tenant);
		buf_str(&edit, ",\"trace\":");
		buf_json_string(&edit, page->rows[i]->trace);
		if (environment.ptr) {
			buf_str(&edit, ",\"environment\":");
			buf_json_string(&edit, environment);
		}
		buf_printf(&edit, ",\"public\":%s}}", public ? "true" : "false");
		room = writing_edit(w, nobody, buf_view(&edit));
		journal_flush(w->writer);	/* the edit's text is borrowed until then */
	}
	buf_free(&edit);
	if (!room)
		writing_full(w);
	return room && writing_flush(w);
}

static void
answer_public(struct reading *r, struct slice id, bool public)
{
	struct traces_filter f = { .field = TRACES_ID, .values = &id, .nvalues = 1 };
	struct traces_query q = { .tenant = reading_tenant(r->request), .filters = &f, .nfilters = 1, .sort = TRACES_ENDED };
	struct writing w;
	struct page page;
	int rc = page_read(r, &q, &page);

	if (rc < 0)
		reading_failed(r, rc);
	else if (page.n == 0)
		api_error(r->job, 404, NULL, "Trace not found");
	else if (writing_open(&w, r->job, r->request) && put_public(r, &w, &page, public)) {
		if (!writing_await(&w))
			api_say(r->job, 202, "the change is kept until the store takes it");
		else {
			buf_str(&r->out, "{\"trace_unique_id\":");
			buf_json_string(&r->out, id);
			buf_printf(&r->out, ",\"is_public\":%s}", public ? "true" : "false");
			local_head(r->job, 200, API_JSON, NULL);
			(void)api_flush(r->job, &r->out);
		}
	}
	page_free(&page);
}

void
traces_patch(struct local_job *job, const struct local_request *request, void *arg)
{
	struct jvalue body, public;
	struct reading r;
	struct buf id;

	(void)arg;
	if (jscan_check(request->body, &body, NULL) != JSCAN_END || body.kind != JOBJECT) {
		api_error(job, 400, NULL, "Invalid request format: the body is not a JSON object");
		return;
	}
	public = jget(body, SLICE("is_public"));
	if (public.kind != JTRUE && public.kind != JFALSE) {
		api_error(job, 400, NULL, "is_public must be true or false");
		return;
	}
	buf_init(&id, LIMIT_HEAD);
	trace_path_id(request->path, &id);
	if (reading_open(&r, job, request)) {
		answer_public(&r, buf_view(&id), public.kind == JTRUE);
		reading_close(&r);
	}
	buf_free(&id);
}
