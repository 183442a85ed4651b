/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: a list request as a query. Called by the API's handlers; reads no
 * clock and touches no store. What cannot be done is said by name.
 */
#include "api/listing.h"

#include <stdarg.h>
#include <stdio.h>

#include "api/params.h"
#include "core/limits.h"
#include "span/span.h"
#include "store/value.h"

#define HOUR_US INT64_C(3600000000)
#define PAGE_SIZE 100
#define PAGE_SIZE_MAX 1000

static bool
refuse(struct listing *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool
refuse(struct listing *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->error, sizeof(l->error), fmt, ap);
	va_end(ap);
	return false;
}

/* Names by which clients call our fields. */
static int
field_by_name(struct slice name)
{
	static const struct { struct slice name; int field; } others[] = {
		{ { "all_tokens", 10 }, SPAN_F_total_request_tokens },
		{ { "total_tokens", 12 }, SPAN_F_total_request_tokens },
		{ { "ttft", 4 }, SPAN_F_time_to_first_token },
		{ { "full_unique_id", 14 }, SPAN_F_id },
		{ { "failed", 6 }, SPAN_F_status },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_eq(others[i].name, name))
			return others[i].field;
	return span_field_by_name(name);
}

static struct slice
metadata_key(struct slice name)
{
	return slice_starts(name, SLICE("metadata__")) ? slice_from(name, 10) : SLICE_NONE;
}

/* A new filter; its values come by add_value. */
static struct query_filter *
add_filter(struct listing *l, int field, struct slice key, enum query_op op)
{
	struct query_filter *f;

	if (l->query.nfilters == LISTING_FILTERS)
		return NULL;
	f = &l->filters[l->query.nfilters++];
	*f = (struct query_filter){ .field = field, .key = key, .op = op, .values = &l->values[l->nvalues] };
	l->query.filters = l->filters;
	return f;
}

static bool
add_value(struct listing *l, struct query_filter *f, struct slice value)
{
	if (l->nvalues == LISTING_VALUES)
		return refuse(l, "more than %d filter values", LISTING_VALUES);
	l->values[l->nvalues++] = value;
	f->nvalues++;
	return true;
}

/* `failed` is a status by another name. */
static struct slice
failed_value(struct slice value)
{
	bool yes;

	return !value_bool(value, &yes) ? value : yes ? SLICE("error") : SLICE("success");
}

static bool
set_window(struct listing *l, struct slice value, bool from)
{
	int64_t *us = from ? &l->query.from_us : &l->query.to_us;

	if (value.len > 0 && !value_time(value, us))
		return refuse(l, "%s: '%.*s' is not an ISO 8601 time", from ? "start_time" : "end_time",
		    (int)value_cut(value, 60).len, value.ptr);
	if (value.len > 0)
		*(from ? &l->query.have_from : &l->query.have_to) = true;
	return true;
}

static bool
set_number(struct listing *l, const char *name, struct slice value, uint64_t *out)
{
	int64_t v;

	if (!value_int(value, &v) || v < 1 || v > INT32_MAX)
		return refuse(l, "%s: '%.*s' is not a number from 1 on", name, (int)value_cut(value, 60).len, value.ptr);
	*out = (uint64_t)v;
	return true;
}

static bool
set_sort(struct listing *l, struct slice value)
{
	struct slice name = value;

	if (value.len == 0)
		return true;
	l->query.ascending = *value.ptr != '-';
	if (!l->query.ascending)
		name = slice_from(value, 1);
	l->query.sort = field_by_name(name);
	if (l->query.sort < 0 || !query_field_ok(l->query.sort))
		return refuse(l, "sort_by: spans cannot be sorted by '%.*s'", (int)value_cut(name, 60).len, name.ptr);
	return true;
}

static void
set_fields(struct listing *l, struct slice value)
{
	l->full = memmem(value.ptr, value.len, "full_request", 12) || memmem(value.ptr, value.len, "full_response", 13);
}

static bool
set_test(struct listing *l, struct slice value)
{
	bool test;

	if (!value_bool(value, &test))
		return refuse(l, "is_test is true or false");
	l->tested = true;
	l->environment = test ? SLICE("test") : SLICE("prod");
	return true;
}

/* A member that is no filter. 1: taken, 0: not one of them, -1: refused. */
static int
take_paging(struct listing *l, struct slice name, struct slice value)
{
	if (slice_eq(name, SLICE("page")))
		return set_number(l, "page", value, &l->page) ? 1 : -1;
	if (slice_eq(name, SLICE("page_size")))
		return set_number(l, "page_size", value, &l->page_size) ? 1 : -1;
	if (slice_eq(name, SLICE("sort_by")))
		return set_sort(l, value) ? 1 : -1;
	if (slice_eq(name, SLICE("start_time")))
		return set_window(l, value, true) ? 1 : -1;
	if (slice_eq(name, SLICE("end_time")))
		return set_window(l, value, false) ? 1 : -1;
	if (slice_eq(name, SLICE("include_fields")))
		set_fields(l, value);
	else if (slice_eq(name, SLICE("environment")))
		l->environment = l->tested ? l->environment : value;
	else if (slice_eq(name, SLICE("all_envs")))
		(void)value_bool(value, &l->all_envs);
	else if (slice_eq(name, SLICE("is_test")))
		return set_test(l, value) ? 1 : -1;
	else if (!slice_eq(name, SLICE("fetch_filters")) && !slice_eq(name, SLICE("operator")))
		return 0;
	return 1;
}

/* ?field=value: exactly that; a name that is no field is a metadata key. */
static bool
take_quick(struct listing *l, struct slice name, struct slice value)
{
	int field = field_by_name(name);
	struct slice key = metadata_key(name);
	struct query_filter *f;

	if (memchr(name.ptr, '[', name.len))
		return refuse(l, "%.*s: filters with an operator go into the body, as "
		    "{\"filters\":{\"field\":{\"operator\":\"gt\",\"value\":[1]}}}", (int)value_cut(name, 60).len, name.ptr);
	if (key.ptr || field < 0 || !query_field_ok(field)) {
		field = SPAN_F_metadata;
		key = key.ptr ? key : name;
	}
	f = add_filter(l, field, key, QUERY_EQ);
	if (!f)
		return refuse(l, "more than %d filters", LISTING_FILTERS);
	return add_value(l, f, slice_eq(name, SLICE("failed")) ? failed_value(value) : value);
}

static bool
read_url(struct listing *l, struct slice query)
{
	struct param p;

	if (!params_room(query, &l->arena))
		return refuse(l, "the query is too long");
	while (params_next(&query, &p, &l->arena)) {
		int rc = take_paging(l, p.name, p.value);

		if (rc < 0 || (rc == 0 && !take_quick(l, p.name, p.value)))
			return false;
	}
	return true;
}

/* Strings decoded, everything else as written. */
static struct slice
scalar(struct listing *l, struct jvalue v)
{
	struct slice plain = jstring_plain(v);
	size_t start = l->arena.len;

	if (v.kind != JSTRING)
		return v.text;
	if (plain.ptr || !jstring(v, &l->arena))
		return plain;
	return slice_make(l->arena.ptr + start, l->arena.len - start);
}

bool
listing_operator(struct slice name, enum query_op *op)
{
	static const struct { const char *name; enum query_op op; } names[] = {
		{ "", QUERY_EQ }, { "=", QUERY_EQ }, { "==", QUERY_EQ }, { "eq", QUERY_EQ }, { "equals", QUERY_EQ },
		{ "not", QUERY_NOT }, { "lt", QUERY_LT }, { "lte", QUERY_LTE }, { "gt", QUERY_GT },
		{ "gte", QUERY_GTE }, { "contains", QUERY_CONTAINS }, { "in", QUERY_IN }, { "isnull", QUERY_ISNULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_caseeq(slice_str(names[i].name), name)) {
			*op = names[i].op;
			return true;
		}
	return false;
}

static bool
take_values(struct listing *l, struct query_filter *f, struct jvalue value, bool failed)
{
	struct jiter it;
	struct jmember m;

	if (value.kind != JARRAY)
		return value.kind == JNONE ||
		    add_value(l, f, failed ? failed_value(scalar(l, value)) : scalar(l, value));
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		if (!add_value(l, f, failed ? failed_value(scalar(l, m.value)) : scalar(l, m.value)))
			return false;
	return true;
}

/* One {"operator": op, "value": v} of a field, or a bare value. */
static bool
take_condition(struct listing *l, struct slice name, struct jvalue condition)
{
	struct slice key = metadata_key(name), op_text;
	int field = key.ptr ? SPAN_F_metadata : field_by_name(name);
	bool object = condition.kind == JOBJECT;
	enum query_op op = QUERY_EQ;
	struct query_filter *f;

	op_text = object ? scalar(l, jget(condition, SLICE("operator"))) : SLICE("");
	if (field < 0 || (!key.ptr && !query_field_ok(field)))
		return refuse(l, "filters: spans cannot be filtered by '%.*s'", (int)value_cut(name, 60).len, name.ptr);
	if (object && !jempty(jget(condition, SLICE("connector"))) &&
	    !jstring_is(jget(condition, SLICE("connector")), SLICE("AND")))
		return refuse(l, "filters: only the connector AND is understood");
	if (!listing_operator(op_text.ptr ? op_text : SLICE(""), &op))
		return refuse(l, "filters: the operator '%.*s' is not understood (these are: \"\", not, lt, lte, gt, gte, "
		    "contains, in, isnull)", (int)value_cut(op_text, 60).len, op_text.ptr);
	f = add_filter(l, field, key, op);
	if (!f)
		return refuse(l, "more than %d filters", LISTING_FILTERS);
	return take_values(l, f, object ? jget(condition, SLICE("value")) : condition,
	    slice_eq(name, SLICE("failed")));
}

/* The conditions of one field: one, or a list of objects. */
static bool
take_filter(struct listing *l, const struct jmember *m)
{
	struct slice name = scalar(l, (struct jvalue){ JSTRING, m->key_text });
	struct jiter it;
	struct jmember item;

	if (m->value.kind != JARRAY)
		return take_condition(l, name, m->value);
	jiter_init(&it, m->value);
	while (jiter_next(&it, &item))
		if (!take_condition(l, name, item.value))
			return false;
	return true;
}

static bool
read_filters(struct listing *l, struct jvalue filters)
{
	struct jiter it;
	struct jmember m;

	if (filters.kind == JNONE || filters.kind == JNULL || jempty(filters))
		return true;
	if (filters.kind != JOBJECT)
		return refuse(l, "filters: an object of field to {\"operator\", \"value\"} is expected");
	jiter_init(&it, filters);
	while (jiter_next(&it, &m))
		if (!take_filter(l, &m))
			return false;
	return true;
}

static bool
read_body(struct listing *l, struct slice body)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;

	if (slice_trim(body).len == 0)
		return true;
	if (jscan_check(body, &value, NULL) != JSCAN_END || value.kind != JOBJECT)
		return refuse(l, "Invalid request format: the body is not a JSON object");
	jiter_init(&it, value);
	while (jiter_next(&it, &m)) {
		struct slice name = scalar(l, (struct jvalue){ JSTRING, m.key_text });

		if (slice_eq(name, SLICE("filters")) ? !read_filters(l, m.value) :
		    m.value.kind != JNULL && take_paging(l, name, scalar(l, m.value)) < 0)
			return false;
	}
	return true;
}

/* What was not said, and limits. */
static bool
finish(struct listing *l, int64_t now_us)
{
	struct query_sql sql;
	struct query_filter *f;
	bool good;

	if (!l->query.have_from) {
		l->query.have_from = true;
		l->query.from_us = now_us - HOUR_US;
	}
	if (l->environment.len == 0)
		l->environment = l->own;
	if (l->environment.len > 0 && (l->tested || !l->all_envs)) {
		f = add_filter(l, SPAN_F_environment, SLICE_NONE, QUERY_EQ);
		if (!f || !add_value(l, f, l->environment))
			return refuse(l, "more than %d filters", LISTING_FILTERS);
	}
	l->page_size = l->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : l->page_size;
	l->query.limit = l->page_size;
	l->query.offset = (l->page - 1) * l->page_size;
	good = query_where(&l->query, &sql, l->error, sizeof(l->error));
	query_sql_free(&sql);
	return good;
}

bool
listing_read(struct listing *l, struct slice url_query, struct slice body, int64_t now_us, struct slice own)
{
	memset(l, 0, sizeof(*l));
	l->own = own;
	buf_init(&l->arena, LIMIT_API_BODY + LIMIT_HEAD * 2);
	l->query.sort = -1;
	l->page = 1;
	l->page_size = PAGE_SIZE;
	/* All of it at once: slices into the arena must not move. The body comes
	 * first, so that the URL wins. */
	if (!buf_reserve(&l->arena, url_query.len + body.len + 2))
		return refuse(l, "the request is too large");
	return read_body(l, body) && read_url(l, url_query) && finish(l, now_us);
}

void
listing_free(struct listing *l)
{
	buf_free(&l->arena);
}

bool
listing_is_list(struct slice body)
{
	static const struct slice names[] = {
		{ "filters", 7 }, { "page", 4 }, { "page_size", 9 }, { "sort_by", 7 }, { "start_time", 10 },
		{ "end_time", 8 }, { "environment", 11 }, { "include_fields", 14 }, { "is_test", 7 },
		{ "all_envs", 8 }, { "fetch_filters", 13 }, { "operator", 8 },
	};
	struct jvalue value;
	struct jiter it;
	struct jmember m;

	if (slice_trim(body).len == 0)
		return true;
	if (jscan_check(body, &value, NULL) != JSCAN_END || value.kind != JOBJECT)
		return false;
	jiter_init(&it, value);
	while (jiter_next(&it, &m)) {
		bool known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !known; i++)
			known = jkey_is(&m, names[i]);
		if (!known)
			return false;
	}
	return true;
}
