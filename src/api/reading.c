/* SPDX-License-Identifier: Apache-2.0 */
/* reading: see reading.h. Called by the handlers, on pool threads. */
#include "api/reading.h"

#include <stdio.h>

#include "api/answer.h"
#include "api/params.h"
#include "base/base.h"
#include "core/limits.h"
#include "store/value.h"

#define FILTERS_SHOWN (64 * KIB)	/* of what a list was asked by, in its answer */
#define ROW_LIMIT (256 * MIB)		/* one span as JSON, every body in it */

/* The store, as far as the key sees it. NULL: err. */
static struct store *
store_of(const struct local_request *request, char *err, size_t errlen)
{
	struct store *store = store_sqlite.open(request->config->data_dir, false, err, errlen);

	if (store && request->key &&
	    store_sqlite.scope(store, reading_tenant(request), reading_bound(request)) != STORE_OK) {
		snprintf(err, errlen, "%s", store_sqlite.error(store));
		store_sqlite.close(store);
		return NULL;
	}
	return store;
}

bool
reading_open(struct reading *r, struct local_job *job, const struct local_request *request)
{
	char err[300];

	*r = (struct reading){ .job = job, .request = request };
	buf_init(&r->out, ROW_LIMIT);
	buf_init(&r->text, ROW_LIMIT);
	r->store = store_of(request, err, sizeof(err));
	if (!r->store) {
		api_error(job, 503, "retry-after: 1\r\n", "the store cannot be read now: %s", err);
		return false;
	}
	r->full = full_new(&store_sqlite, r->store, &request->config->spans);
	return true;
}

void
reading_close(struct reading *r)
{
	full_free(r->full);
	store_sqlite.close(r->store);
	buf_free(&r->out);
	buf_free(&r->text);
}

void
reading_failed(struct reading *r, int rc)
{
	if (rc == STORE_E_SLOW) {
		api_error(r->job, 400, NULL, "the list took longer than %u s: a smaller window (start_time, end_time) or"
		    " filters by id, customer, thread or trace make it shorter", LIMIT_QUERY_US / 1000000);
		return;
	}
	api_error(r->job, 503, "retry-after: 1\r\n", "the store cannot be read now: %s",
	    store_sqlite.error(r->store));
}

struct slice
reading_tenant(const struct local_request *request)
{
	return request->key ? slice_str(request->key->tenant) : SLICE_NONE;
}

bool
reading_exists(const struct local_request *request, uint8_t id[16])
{
	struct query_filter f = { .field = SPAN_F_id, .op = QUERY_EQ, .nvalues = 1 };
	struct query q = { .tenant = reading_tenant(request), .filters = &f, .nfilters = 1, .sort = -1, .limit = 1 };
	char err[300], hex[33];
	struct slice text;
	struct store *store = store_of(request, err, sizeof(err));
	uint64_t n = 0;

	if (!store)
		return false;
	(void)store_sqlite.first_id(store, id);
	hex_encode(id, 16, hex);
	text = slice_make(hex, 32);
	f.values = &text;
	if (store_sqlite.count(store, &q, &n) != STORE_OK)
		n = 0;
	store_sqlite.close(store);
	return n > 0;
}

struct slice
reading_bound(const struct local_request *request)
{
	const struct key_config *key = request->key;

	if (!key || key->environment_free || strcmp(key->environment, "prod") == 0)
		return SLICE_NONE;
	return slice_str(key->environment);
}

struct slice
reading_environment(const struct local_request *request, struct slice asked, bool all)
{
	if (all)
		return SLICE_NONE;
	if (asked.len > 0)
		return asked;
	return request->key ? slice_str(request->key->environment) : SLICE_NONE;
}

void
reading_limits(struct reading *r, struct query *q)
{
	q->tenant = reading_tenant(r->request);
	q->patience_us = LIMIT_QUERY_US;
}

void
reading_list_head(struct reading *r, const struct listing *l, uint64_t count, bool lower_bound)
{
	buf_printf(&r->out, "{\"count\":%llu,%s", (unsigned long long)count,
	    lower_bound ? "\"count_is_lower_bound\":true," : "");
	reading_link(r, "next", l->query.offset + l->page_size < count, l->page + 1);
	buf_byte(&r->out, ',');
	reading_link(r, "previous", l->page > 1, l->page - 1);
	buf_str(&r->out, ",\"current_filters\":");
	buf_slice(&r->out, l->given.len > 0 && l->given.len <= FILTERS_SHOWN ? l->given : SLICE("{}"));
	if (l->fetch_filters) {
		buf_str(&r->out, ",\"filters_data\":");
		filters_data(&r->out);
	}
	buf_str(&r->out, ",\"results\":[");
}

void
reading_one(struct local_job *job, const struct local_request *request, struct slice id,
    reading_answer *answer)
{
	struct query_filter f = { .field = SPAN_F_id, .op = QUERY_EQ, .values = &id, .nvalues = 1 };
	struct query q = { .tenant = reading_tenant(request), .filters = &f, .nfilters = 1,
	    .sort = -1, .limit = 1 };
	struct store_rows *rows = NULL;
	const struct span *span;
	uint8_t bytes[16];
	struct reading r;
	char hex[33];
	int rc;

	if (!value_id(id, bytes)) {
		api_error(job, 404, NULL, "Log not found");
		return;
	}
	if (!reading_open(&r, job, request))
		return;
	(void)store_sqlite.first_id(r.store, bytes);
	hex_encode(bytes, 16, hex);
	id = slice_make(hex, 32);
	rc = store_sqlite.select(r.store, &q, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &span);
	if (rc == STORE_ROW)
		answer(&r, span);
	else if (rc == STORE_OK)
		api_error(job, 404, NULL, "Log not found");
	else
		reading_failed(&r, rc);
	store_sqlite.done(rows);
	reading_close(&r);
}

void
reading_link(struct reading *r, const char *name, bool there, uint64_t page)
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
