/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users: lists customers and shows one, over HTTP. What they asked and spent
 * comes from the store's rollups, what people set of them is an EDIT beside those:
 * budgets too, which nothing is held to yet.
 */
#include "api/users.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/filters.h"
#include "api/params.h"
#include "api/reading.h"
#include "api/writing.h"
#include "base/base.h"
#include "core/limits.h"
#include "store/period.h"
#include "store/value.h"

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 1000
#define FILTERS 32
#define VALUES 1000
#define TOP_MODELS 5
#define DAY_US (INT64_C(86400) * 1000000)

struct users {
	struct customers_query query;
	struct customers_filter filters[FILTERS];
	struct slice	 values[VALUES];
	size_t		 nvalues;
	uint64_t	 page, page_size;
	bool		 all_envs;
	struct buf	 arena;		/* decoded texts */
	char		 error[300];	/* why it is refused, for people */
};

static bool
refuse(struct users *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool
refuse(struct users *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->error, sizeof(u->error), fmt, ap);
	va_end(ap);
	return false;
}

/* The names that clients have for what customers are sorted and filtered by. */
static int
field_by_name(struct slice name)
{
	static const struct { const char *name; enum customers_field field; } names[] = {
		{ "customer_identifier", CUSTOMERS_CUSTOMER }, { "environment", CUSTOMERS_ENVIRONMENT },
		{ "email", CUSTOMERS_EMAIL }, { "name", CUSTOMERS_NAME },
		{ "number_of_requests", CUSTOMERS_REQUESTS }, { "total_requests", CUSTOMERS_REQUESTS },
		{ "total_tokens", CUSTOMERS_TOKENS }, { "tokens", CUSTOMERS_TOKENS },
		{ "total_cost", CUSTOMERS_COST }, { "cost", CUSTOMERS_COST },
		{ "average_latency", CUSTOMERS_LATENCY }, { "average_ttft", CUSTOMERS_TTFT },
		{ "first_seen", CUSTOMERS_FIRST_SEEN }, { "last_active_timeframe", CUSTOMERS_LAST_SEEN },
		{ "last_seen", CUSTOMERS_LAST_SEEN }, { "active_days", CUSTOMERS_ACTIVE_DAYS },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq(slice_str(names[i].name), name))
			return names[i].field;
	return -1;
}

static int
shown(struct slice s)
{
	return (int)value_cut(s, 60).len;
}

static bool
set_number(struct users *u, const char *name, struct slice value, uint64_t *out)
{
	int64_t v;

	if (!value_int(value, &v) || v < 1 || v > INT32_MAX)
		return refuse(u, "%s: '%.*s' is not a number from 1 on", name, shown(value), value.ptr);
	*out = (uint64_t)v;
	return true;
}

static bool
set_sort(struct users *u, struct slice value)
{
	bool down = value.len > 0 && *value.ptr == '-';
	int field = field_by_name(down ? slice_from(value, 1) : value);

	if (value.len == 0)
		return true;
	if (field < 0)
		return refuse(u, "sort_by: customers cannot be sorted by '%.*s'", shown(value), value.ptr);
	u->query.sort = (enum customers_field)field;
	u->query.ascending = !down;
	return true;
}

static struct customers_filter *
add_filter(struct users *u, struct slice name, enum query_op op)
{
	int field = field_by_name(name);
	struct customers_filter *f = &u->filters[u->query.nfilters];

	if (field < 0 || u->query.nfilters == FILTERS) {
		(void)(field < 0 ? refuse(u, "filters: customers cannot be filtered by '%.*s'", shown(name), name.ptr) :
		    refuse(u, "more than %d filters", FILTERS));
		return NULL;
	}
	u->query.nfilters++;
	u->query.filters = u->filters;
	*f = (struct customers_filter){ .field = (enum customers_field)field, .op = op, .values = &u->values[u->nvalues] };
	return f;
}

static bool
add_value(struct users *u, struct customers_filter *f, struct slice value)
{
	if (u->nvalues == VALUES)
		return refuse(u, "more than %d filter values", VALUES);
	u->values[u->nvalues++] = value;
	f->nvalues++;
	return true;
}

/* A member of the URL, or one of the body beside `filters`. */
static bool
take_member(struct users *u, struct slice name, struct slice value, bool url)
{
	static const struct slice ignored[] = { SLICE("fetch_filters"), SLICE("operator"), SLICE("is_test") };
	struct customers_filter *f;

	if (slice_eq(name, SLICE("page")))
		return set_number(u, "page", value, &u->page);
	if (slice_eq(name, SLICE("page_size")))
		return set_number(u, "page_size", value, &u->page_size);
	if (slice_eq(name, SLICE("sort_by")))
		return set_sort(u, value);
	if (slice_eq(name, SLICE("environment"))) {
		u->query.environment = value.len ? value : SLICE_NONE;
		return true;
	}
	if (slice_eq(name, SLICE("all_envs")))
		(void)value_bool(value, &u->all_envs);
	else if (url) {
		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
			if (slice_eq(ignored[i], name))
				return true;
		f = add_filter(u, name, QUERY_EQ);
		return f && add_value(u, f, value);
	}
	return true;
}

static bool
read_url(struct users *u, struct slice query)
{
	struct param p;

	if (!params_room(query, &u->arena))
		return refuse(u, "the query is too long");
	while (params_next(&query, &p, &u->arena))
		if (!take_member(u, p.name, p.value, true))
			return false;
	return true;
}

/* Strings decoded, everything else as written. */
static struct slice
scalar(struct users *u, struct jvalue v)
{
	return jscalar(v, &u->arena);
}

/* {"operator": op, "value": v or list}, or a bare value. */
static bool
take_condition(struct users *u, struct slice name, struct jvalue condition)
{
	bool object = condition.kind == JOBJECT;
	struct jvalue value = object ? jget(condition, SLICE("value")) : condition;
	struct slice text = object ? scalar(u, jget(condition, SLICE("operator"))) : SLICE("");
	struct customers_filter *f;
	enum query_op op;
	struct jiter it;
	struct jmember m;
	bool negate;

	if (!filters_operator(text.ptr ? text : SLICE(""), &op, &negate) || op >= QUERY_ISNULL || negate)
		return refuse(u, "filters: the operator '%.*s' is not understood here", shown(text), text.ptr);
	f = add_filter(u, name, op);
	if (!f)
		return false;
	if (value.kind != JARRAY)
		return add_value(u, f, scalar(u, value));
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		if (!add_value(u, f, scalar(u, m.value)))
			return false;
	return true;
}

static bool
read_filters(struct users *u, struct jvalue filters)
{
	struct jiter it, conditions;
	struct jmember m, item;
	struct slice name;

	if (filters.kind != JSTRING && jempty(filters))
		return true;
	if (filters.kind != JOBJECT)
		return refuse(u, "filters: an object of field to {\"operator\", \"value\"} is expected");
	jiter_init(&it, filters);
	while (jiter_next(&it, &m)) {
		name = scalar(u, (struct jvalue){ JSTRING, m.key_text });
		if (m.value.kind != JARRAY) {
			if (!take_condition(u, name, m.value))
				return false;
			continue;
		}
		jiter_init(&conditions, m.value);
		while (jiter_next(&conditions, &item))
			if (!take_condition(u, name, item.value))
				return false;
	}
	return true;
}

static bool
read_body(struct users *u, struct slice body)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;
	struct slice name;

	if (slice_trim(body).len == 0)
		return true;
	if (jscan_check(body, &value, NULL) != JSCAN_END || value.kind != JOBJECT)
		return refuse(u, "Invalid request format: the body is not a JSON object");
	jiter_init(&it, value);
	while (jiter_next(&it, &m)) {
		name = scalar(u, (struct jvalue){ JSTRING, m.key_text });
		if (slice_eq(name, SLICE("filters")) ? !read_filters(u, m.value) :
		    m.value.kind != JNULL && !take_member(u, name, scalar(u, m.value), false))
			return false;
	}
	return true;
}

/* The URL wins over the body. */
static bool
read_request(struct users *u, const struct local_request *request)
{
	memset(u, 0, sizeof(*u));
	buf_init(&u->arena, LIMIT_API_BODY + LIMIT_HEAD * 2);
	u->query.tenant = reading_tenant(request);
	u->query.sort = CUSTOMERS_FIRST_SEEN;
	u->page = 1;
	u->page_size = PAGE_SIZE;
	/* All of it at once: slices into the arena must not move. */
	if (!buf_reserve(&u->arena, request->query.len + request->body.len + request->path.len + 2))
		return refuse(u, "the request is too large");
	if (!read_body(u, request->body) || !read_url(u, request->query))
		return false;
	u->query.environment = reading_environment(request, u->query.environment, u->all_envs);
	u->page_size = u->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : u->page_size;
	u->query.limit = u->page_size;
	u->query.offset = (u->page - 1) * u->page_size;
	return true;
}

/* "name": value, */
static void
put_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, "\"%s\":", name);
	if (text.len > 0)
		buf_json_string(out, text);
	else
		buf_str(out, "null");
	buf_str(out, ",");
}

static void
put_int(struct buf *out, const char *name, int64_t v)
{
	buf_printf(out, "\"%s\":%lld,", name, (long long)v);
}

static void
put_cost(struct buf *out, const char *name, int64_t pico)
{
	buf_printf(out, "\"%s\":", name);
	span_cost_text(pico, out);
	buf_str(out, ",");
}

static void
put_average(struct buf *out, const char *name, int64_t us, int64_t count)
{
	struct span span = { .latency = { count > 0, count > 0 ? us / count : 0 } };

	buf_printf(out, "\"%s\":", name);
	span_value_json(&span, SPAN_F_latency, out);
	buf_str(out, ",");
}

static void
put_time(struct buf *out, const char *name, int64_t us)
{
	buf_printf(out, "\"%s\":\"", name);
	span_time_text(us, out);
	buf_str(out, "\",");
}

/* Calendar months from the first to the last day that the customer was seen on. */
static int64_t
months(const struct customers_row *row)
{
	int64_t first = rollup_month(row->first_seen / DAY_US), last = rollup_month(row->last_seen / DAY_US), n = 1;

	/* A month has 30.44 days on average; from one first to another no rounding errs. */
	if (last > first)
		n += ((last - first) * 12 + 183) / 365;
	return n;
}

/* What people set; null where they did not. */
static void
put_set(struct buf *out, const struct customers_row *row, const char *name)
{
	struct jvalue details, v = { .kind = JNONE };

	if (row->details.len > 0 && jscan_check(row->details, &details, NULL) == JSCAN_END)
		v = jget(details, slice_str(name));
	buf_printf(out, "\"%s\":", name);
	buf_slice(out, v.kind == JNONE ? SLICE("null") : v.text);
	buf_byte(out, ',');
}

/* The members that a list and one customer have. */
static void
put_customer(struct buf *out, const struct customers_row *row)
{
	struct buf id;

	buf_init(&id, 4 * LIMIT_ROW_TEXT);
	buf_slice(&id, row->customer);
	buf_slice(&id, row->environment);
	buf_slice(&id, row->tenant);
	put_text(out, "id", buf_view(&id));
	buf_free(&id);
	put_text(out, "customer_identifier", row->customer);
	put_text(out, "unique_organization_id", row->tenant);
	put_text(out, "environment", row->environment);
	put_text(out, "name", row->name);
	put_text(out, "email", row->email);
	put_time(out, "first_seen", row->first_seen);
	put_time(out, "last_active_timeframe", row->last_seen);
	put_int(out, "active_days", row->active_days);
	put_int(out, "number_of_requests", row->sums[ROLLUP_requests]);
	put_int(out, "total_requests", row->sums[ROLLUP_requests]);
	put_int(out, "total_errors", row->sums[ROLLUP_errors]);
	put_int(out, "total_tokens", row->sums[ROLLUP_total_tokens]);
	put_int(out, "tokens", row->sums[ROLLUP_total_tokens]);
	put_int(out, "total_prompt_tokens", row->sums[ROLLUP_prompt_tokens]);
	put_int(out, "total_completion_tokens", row->sums[ROLLUP_completion_tokens]);
	put_cost(out, "total_cost", row->sums[ROLLUP_cost_pico]);
	put_cost(out, "cost", row->sums[ROLLUP_cost_pico]);
	put_int(out, "unpriced", row->sums[ROLLUP_unpriced]);
	put_average(out, "average_latency", row->sums[ROLLUP_latency_us], row->sums[ROLLUP_latency_count]);
	put_average(out, "average_ttft", row->sums[ROLLUP_ttft_us], row->sums[ROLLUP_ttft_count]);
	put_cost(out, "average_monthly_cost", row->sums[ROLLUP_cost_pico] / months(row));
	put_set(out, row, "period_budget");
	put_set(out, row, "budget_duration");
	put_set(out, row, "total_budget");
	out->len--;	/* its comma */
}

/* The rows of the page into r->out; how many, or a store_result. */
static int
put_rows(struct reading *r, const struct users *u)
{
	const struct customers_row *row;
	struct customers *rows = NULL;
	int rc, n = 0;

	rc = store_sqlite.customers(r->store, &u->query, &rows);
	while (rc >= 0 && (rc = store_sqlite.customers_next(rows, &row)) == STORE_ROW) {
		buf_str(&r->out, n++ ? ",{" : "{");
		put_customer(&r->out, row);
		buf_str(&r->out, "}");
	}
	store_sqlite.customers_done(rows);
	return rc < 0 ? rc : n;
}

/* A value of a filter is no number, or the store has failed. */
static void
answer_failed(struct reading *r, int rc)
{
	if (rc == STORE_E_ROW)
		api_error(r->job, 400, NULL, "filters: a value does not fit its field");
	else
		reading_failed(r, rc);
}

static void
answer_list(struct reading *r, const struct users *u)
{
	uint64_t count = 0;
	int rc;

	/* One snapshot: what is counted is what is listed. */
	rc = store_sqlite.begin(r->store);
	if (rc == STORE_OK)
		rc = store_sqlite.customers_count(r->store, &u->query, &count);
	if (rc == STORE_OK) {
		buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)count);
		reading_link(r, "next", u->query.offset + u->page_size < count, u->page + 1);
		buf_str(&r->out, ",");
		reading_link(r, "previous", u->page > 1, u->page - 1);
		buf_str(&r->out, ",\"current_filters\":{},\"results\":[");
		rc = put_rows(r, u);
	}
	store_sqlite.rollback(r->store);
	if (rc < 0) {
		answer_failed(r, rc);
		return;
	}
	buf_str(&r->out, "]}");
	local_head(r->job, 200, API_JSON, NULL);
	(void)api_flush(r->job, &r->out);
}

void
users_list(struct local_job *job, const struct local_request *request, void *arg)
{
	struct users *u = xmalloc(sizeof(*u));
	struct reading r;

	(void)arg;
	if (!read_request(u, request))
		api_error(job, 400, NULL, "%s", u->error);
	else if (reading_open(&r, job, request)) {
		answer_list(&r, u);
		reading_close(&r);
	}
	buf_free(&u->arena);
	free(u);
}

/* The last segment of the path with its escapes undone. */
static struct slice
path_customer(struct users *u, struct slice path)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	struct slice text = slice_from(path, (size_t)(slash - path.ptr) + 1);
	size_t start = u->arena.len;
	char c;

	for (; text.len > 0; text = slice_from(text, 1)) {
		c = *text.ptr;
		if (c == '%' && text.len > 2 && hex_decode(slice_make(text.ptr + 1, 2), &c, 1) == 0)
			text = slice_from(text, 2);
		buf_byte(&u->arena, c);
	}
	return slice_make(u->arena.ptr + start, u->arena.len - start);
}

/* The models that the customer spent most on. */
static int
put_models(struct reading *r, const struct customers_row *of)
{
	struct customers_query q = { .tenant = of->tenant, .environment = of->environment, .customer = of->customer,
	    .by = CUSTOMERS_BY_MODEL, .sort = CUSTOMERS_COST, .limit = TOP_MODELS };
	const struct customers_row *row;
	struct customers *rows = NULL;
	const char *comma = "";
	int rc;

	buf_str(&r->out, ",\"top_models\":[");
	rc = store_sqlite.customers(r->store, &q, &rows);
	while (rc >= 0 && (rc = store_sqlite.customers_next(rows, &row)) == STORE_ROW) {
		buf_printf(&r->out, "%s{", comma);
		put_text(&r->out, "model", row->part);
		put_int(&r->out, "total_requests", row->sums[ROLLUP_requests]);
		put_int(&r->out, "total_tokens", row->sums[ROLLUP_total_tokens]);
		put_cost(&r->out, "total_cost", row->sums[ROLLUP_cost_pico]);
		r->out.len--;	/* its comma */
		buf_str(&r->out, "}");
		comma = ",";
	}
	store_sqlite.customers_done(rows);
	buf_str(&r->out, "]");
	return rc;
}

/* What was spent in the budget's period so far; null where nobody set one. */
static int
put_period(struct reading *r, const struct customers_row *of)
{
	struct customers_query q = { .tenant = of->tenant, .environment = of->environment, .customer = of->customer,
	    .have_from = true, .have_to = true, .sort = CUSTOMERS_CUSTOMER, .limit = 1 };
	static const char *const members[] = { "period_budget", "budget_duration", "period_start" };
	const struct customers_row *row;
	struct customers *rows = NULL;
	struct jvalue details;
	bool set = false;
	int64_t today;
	int rc;

	if (of->details.len == 0 || jscan_check(of->details, &details, NULL) != JSCAN_END)
		details = (struct jvalue){ .kind = JNONE };
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		set |= !jempty(jget(details, slice_str(members[i])));
	if (!set) {
		buf_str(&r->out, "\"total_period_usage\":null");
		return STORE_OK;
	}
	today = period_day((int64_t)clock_wall_us(), r->request->config->store.day_offset);
	period_of(details, today, &q.from_day, &q.to_day);
	rc = store_sqlite.customers(r->store, &q, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.customers_next(rows, &row);
	if (rc >= 0) {
		put_cost(&r->out, "total_period_usage", rc == STORE_ROW ? row->sums[ROLLUP_cost_pico] : 0);
		r->out.len--;	/* its comma */
	}
	store_sqlite.customers_done(rows);
	return rc;
}

/* The one customer: what lists say, what only this says, and its models. */
static int
put_one(struct reading *r, const struct customers_row *row)
{
	int rc;

	buf_str(&r->out, "{");
	put_customer(&r->out, row);
	buf_str(&r->out, ",");
	put_text(&r->out, "organization_name", row->tenant);
	put_cost(&r->out, "total_usage", row->sums[ROLLUP_cost_pico]);
	put_time(&r->out, "created_at", row->first_seen);
	put_time(&r->out, "last_active", row->last_seen);
	put_time(&r->out, "updated_at", row->last_seen);
	put_set(&r->out, row, "period_start");
	put_set(&r->out, row, "period_end");
	put_set(&r->out, row, "markup_percentage");
	put_set(&r->out, row, "metadata");
	rc = put_period(r, row);
	return rc < 0 ? rc : put_models(r, row);
}

static void
answer_one(struct reading *r, const struct users *u)
{
	const struct customers_row *row;
	struct customers *rows = NULL;
	int rc, found;

	rc = store_sqlite.customers(r->store, &u->query, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.customers_next(rows, &row);
	found = rc;
	if (rc == STORE_ROW)
		rc = put_one(r, row);
	store_sqlite.customers_done(rows);
	if (rc < 0)
		answer_failed(r, rc);
	else if (found != STORE_ROW)
		api_error(r->job, 404, NULL, "Customer not found");
	else {
		buf_str(&r->out, "}");
		local_head(r->job, 200, API_JSON, NULL);
		(void)api_flush(r->job, &r->out);
	}
}

/* Reads who is asked for: of the environment that is named, else of that in
 * which it was last seen. False: it was answered. */
static bool
open_one(struct users *u, struct reading *r, struct local_job *job, const struct local_request *request)
{
	struct local_request url = *request;

	url.body = slice_eq(request->method, SLICE("GET")) ? request->body : SLICE("");
	if (!read_request(u, &url)) {
		api_error(job, 400, NULL, "%s", u->error);
		return false;
	}
	if (!reading_open(r, job, request))
		return false;
	u->query.customer = path_customer(u, request->path);
	u->query.sort = CUSTOMERS_LAST_SEEN;
	u->query.ascending = false;
	u->query.limit = 1;
	u->query.offset = 0;
	return true;
}

void
users_get(struct local_job *job, const struct local_request *request, void *arg)
{
	struct users *u = xmalloc(sizeof(*u));
	struct reading r;

	(void)arg;
	if (open_one(u, &r, job, request)) {
		answer_one(&r, u);
		reading_close(&r);
	}
	buf_free(&u->arena);
	free(u);
}

/* What can be set of a customer; null takes it away. */
static const struct { const char *name; enum jkind kind; const char *must; } settable[] = {
	{ "email", JSTRING, "must be a string" }, { "name", JSTRING, "must be a string" },
	{ "metadata", JOBJECT, "must be an object" }, { "period_budget", JNUMBER, "must be a number from 0 on" },
	{ "total_budget", JNUMBER, "must be a number from 0 on" },
	{ "markup_percentage", JNUMBER, "must be a number from 0 on" },
	{ "budget_duration", JSTRING, "must be a string" },
	{ "period_start", JSTRING, "must be a time as in RFC 3339" },
	{ "period_end", JSTRING, "must be a time as in RFC 3339" },
};

static bool
set_fits(size_t i, struct jvalue v)
{
	struct slice time = jstring_plain(v);
	double number;
	int64_t us;

	if (v.kind == JNONE || v.kind == JNULL)
		return true;
	if (v.kind != settable[i].kind || v.text.len > LIMIT_RECORD / 8)
		return false;
	if (v.kind == JNUMBER)
		return jnumber(v, &number) && number >= 0 && number < 1e15;
	return strstr(settable[i].must, "time") == NULL || (time.ptr && value_time(time, &us));
}

/* "details": what was set before and what the body says. False: it was answered. */
static bool
put_changes(struct reading *r, const struct customers_row *row, struct buf *edit)
{
	struct jvalue body, details = { .kind = JNONE }, v;
	const char *comma = "";

	if (jscan_check(r->request->body, &body, NULL) != JSCAN_END || body.kind != JOBJECT) {
		api_error(r->job, 400, NULL, "Invalid request format: the body is not a JSON object");
		return false;
	}
	if (row->details.len > 0)
		(void)jscan_check(row->details, &details, NULL);
	buf_str(edit, ",\"details\":{");
	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++) {
		v = jget(body, slice_str(settable[i].name));
		if (!set_fits(i, v)) {
			api_error(r->job, 400, NULL, "%s: %s", settable[i].name, settable[i].must);
			return false;
		}
		if (v.kind == JNONE)
			v = jget(details, slice_str(settable[i].name));
		if (v.kind == JNONE || v.kind == JNULL)
			continue;
		buf_printf(edit, "%s\"%s\":", comma, settable[i].name);
		buf_slice(edit, v.text);
		comma = ",";
	}
	return buf_str(edit, "}");
}

/* The EDIT of the customer. False: it was answered, also that there is none. */
static bool
make_edit(struct reading *r, const struct users *u, struct buf *edit)
{
	const struct customers_row *row;
	struct customers *rows = NULL;
	bool good = false;
	int rc;

	rc = store_sqlite.customers(r->store, &u->query, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.customers_next(rows, &row);
	if (rc == STORE_ROW) {
		buf_str(edit, "{\"customer\":{\"tenant\":");
		buf_json_string(edit, row->tenant);
		buf_str(edit, ",\"environment\":");
		buf_json_string(edit, row->environment);
		buf_str(edit, ",\"customer\":");
		buf_json_string(edit, row->customer);
		good = true;
		if (slice_eq(r->request->method, SLICE("DELETE")))
			buf_printf(edit, ",\"gone\":%llu", (unsigned long long)clock_wall_us());
		else
			good = put_changes(r, row, edit);
		buf_str(edit, "}}");
	} else if (rc == STORE_OK)
		api_error(r->job, 404, NULL, "Customer not found");
	else
		answer_failed(r, rc);
	store_sqlite.customers_done(rows);
	return good;
}

/* PATCH and DELETE. */
void
users_change(struct local_job *job, const struct local_request *request, void *arg)
{
	static const uint8_t nobody[16];	/* an EDIT of no span */
	struct users *u = xmalloc(sizeof(*u));
	struct reading r;
	struct writing w;
	struct buf edit;

	(void)arg;
	buf_init(&edit, LIMIT_RECORD);
	if (open_one(u, &r, job, request)) {
		if (make_edit(&r, u, &edit) && writing_open(&w, job, request)) {
			if (edit.failed || edit.len > LIMIT_RECORD - 8 * KIB)
				api_error(job, 400, NULL, "metadata: is too large");
			else if (!writing_edit(&w, nobody, buf_view(&edit)))
				writing_full(&w);
			else if (writing_flush(&w)) {
				if (!writing_await(&w))
					api_say(job, 202, "the change is kept until the store takes it");
				else if (slice_eq(request->method, SLICE("DELETE")))
					local_head(job, 204, NULL, NULL);
				else
					answer_one(&r, u);
			}
		}
		reading_close(&r);
	}
	buf_free(&edit);
	buf_free(&u->arena);
	free(u);
}
