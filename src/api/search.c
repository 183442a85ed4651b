/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search: lists the spans that hold all words of a text, those that arrived
 * last first, in the shape of the other lists. Called on pool threads.
 */
#include "api/search.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/ask.h"
#include "api/row.h"
#include "api/reading.h"
#include "base/base.h"
#include "core/limits.h"
#include "store/search.h"

#define PAGE_SIZE 100
#define COUNT_MOST 100000		/* counted exactly up to here */
#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */

static bool
read_request(struct ask *ask, const struct local_request *request, struct search_query *q)
{
	static const char *const known[] = { "q", "query", "in", NULL };
	struct slice in;

	if (!ask_read(ask, request->query, request->body, PAGE_SIZE, known))
		return false;
	in = ask_other(ask, "in");
	*q = (struct search_query){ .text = ask_other(ask, "q"), .tenant = reading_tenant(request),
	    .have_from = ask->have_from, .have_to = ask->have_to, .from_us = ask->from_us, .to_us = ask->to_us,
	    .offset = (ask->page - 1) * ask->page_size, .limit = ask->page_size };
	if (!q->text.ptr)
		q->text = ask_other(ask, "query");
	if (ask->environment.len > 0)
		q->environment = ask->environment;
	q->in = slice_eq(in, SLICE("input")) ? SEARCH_INPUT : slice_eq(in, SLICE("output")) ? SEARCH_OUTPUT : SEARCH_BOTH;
	if (in.len > 0 && q->in == SEARCH_BOTH && !slice_eq(in, SLICE("both")))
		return ask_refuse(ask, "in: '%.*s' is not input, output or both", ASK_SHOWN(in));
	if (ask->nconditions > 0)
		return ask_refuse(ask, "%.*s: a search takes q, in, environment, a window and paging; lists take more, with the"
		    " operator full_text_search", ASK_SHOWN(ask->conditions[0].name));
	return true;
}

static void
answer_failed(struct reading *r, int rc)
{
	if (rc == STORE_E_ROW)
		api_error(r->job, 400, NULL, "q: some words are expected, at most %d", LIMIT_SEARCH_ASKED);
	else if (rc == STORE_NOT_FOUND)
		api_error(r->job, 400, NULL, "spans cannot be searched here: the setting store.search is off, or this SQLite has"
		    " no FTS5");
	else
		reading_failed(r, rc);
}

static void
put_rows(struct reading *r, const int64_t *numbers, size_t n)
{
	struct store_rows *rows = NULL;
	const struct span *span;
	const char *comma = "";
	struct row_writer w;
	int rc;

	row_writer_init(&w, r->store);
	rc = store_sqlite.select_numbers(r->store, numbers, n, &rows);
	while (rc >= 0 && (rc = store_sqlite.next(rows, &span)) == STORE_ROW) {
		buf_str(&r->out, comma);
		row_json(&w, full_span(r->full, span), &r->out);
		comma = ",";
		if (r->out.failed || (r->out.len >= BLOCK && !api_flush(r->job, &r->out)))
			break;
	}
	store_sqlite.done(rows);
	row_writer_free(&w);
}

static void
answer(struct reading *r, const struct ask *ask, const struct search_query *q)
{
	int64_t *numbers = NULL;
	uint64_t count = 0;
	size_t n = 0;
	bool more;
	int rc;

	rc = store_sqlite.begin(r->store);
	if (rc == STORE_OK)
		rc = search_count(r->store, q, COUNT_MOST, &count);
	if (rc == STORE_OK)
		rc = search_ids(r->store, q, &numbers, &n);
	store_sqlite.rollback(r->store);
	if (rc < 0) {
		answer_failed(r, rc);
		free(numbers);
		return;
	}
	more = q->offset + n < count || (count > COUNT_MOST && n == q->limit);
	local_head(r->job, 200, API_JSON, NULL);
	buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)count);
	if (count > COUNT_MOST)
		buf_str(&r->out, "\"count_is_lower_bound\":true,");
	reading_link(r, "next", more && n > 0, ask->page + 1);
	buf_str(&r->out, ",");
	reading_link(r, "previous", ask->page > 1, ask->page - 1);
	buf_str(&r->out, ",\"current_filters\":{},\"results\":[");
	put_rows(r, numbers, n);
	buf_str(&r->out, "]}");
	(void)api_flush(r->job, &r->out);
	free(numbers);
}

void
search_spans(struct local_job *job, const struct local_request *request, void *arg)
{
	struct ask *ask = xmalloc(sizeof(*ask));
	struct search_query q;
	struct reading r;

	(void)arg;
	if (!read_request(ask, request, &q))
		api_error(job, 400, NULL, "%s", ask->error);
	else if (reading_open(&r, job, request)) {
		answer(&r, ask, &q);
		reading_close(&r);
	}
	ask_free(ask);
	free(ask);
}
