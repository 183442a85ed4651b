/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: a list request as a query. Called by the API's handlers; reads no
 * clock and touches no store. What cannot be done is said by name.
 */
#include "api/listing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/params.h"
#include "base/base.h"
#include "core/limits.h"
#include "store/value.h"

#define HOUR_US INT64_C(3600000000)
#define PAGE_SIZE 100
#define PAGE_SIZE_MAX 1000

/* A filter of the URL: ?name=value, or name[value]=, name[operator]=, name[connector]=. */
struct quick {
	struct slice	 name, op, connector;
	struct slice	*values;
	size_t		 nvalues;
};

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

static int
shown(struct slice s)
{
	return (int)value_cut(s, 60).len;
}

static bool
set_window(struct listing *l, struct slice value, bool from)
{
	int64_t *us = from ? &l->query.from_us : &l->query.to_us;

	if (value.len > 0 && !value_time(value, us))
		return refuse(l, "%s: '%.*s' is not an ISO 8601 time", from ? "start_time" : "end_time", shown(value),
		    value.ptr);
	if (value.len > 0)
		*(from ? &l->query.have_from : &l->query.have_to) = true;
	return true;
}

static bool
set_number(struct listing *l, const char *name, struct slice value, uint64_t *out)
{
	int64_t v;

	if (!value_int(value, &v) || v < 1 || v > INT32_MAX)
		return refuse(l, "%s: '%.*s' is not a number from 1 on", name, shown(value), value.ptr);
	*out = (uint64_t)v;
	return true;
}

bool
listing_sort(struct query *q, struct slice name)
{
	if (name.len == 0)
		return true;
	q->ascending = *name.ptr != '-';
	if (!q->ascending)
		name = slice_from(name, 1);
	q->sort = filters_field(name, &q->sort_key);
	/* Ids come in the order of time; who sorts by them wants the newest first. */
	if (q->sort == SPAN_F_id || q->sort == SPAN_F_unique_id)
		q->sort = SPAN_F_timestamp;
	return q->sort >= 0 && query_sort_ok(q->sort) &&
	    (q->sort_key.len > 0 || (q->sort != QUERY_SCORE && q->sort != SPAN_F_metadata));
}

static bool
set_sort(struct listing *l, struct slice value)
{
	return listing_sort(&l->query, value) ||
	    refuse(l, "sort_by: spans cannot be sorted by '%.*s'", shown(value), value.ptr);
}

/* Names with commas between; those that are no field are passed over, as what
 * is not a field of its own comes in every row. */
static bool
set_fields(struct listing *l, struct slice value)
{
	while (value.len > 0) {
		const char *comma = memchr(value.ptr, ',', value.len);
		struct slice name = slice_make(value.ptr, comma ? (size_t)(comma - value.ptr) : value.len), key;
		int field;

		value = slice_from(value, name.len + (comma != NULL));
		field = filters_field(slice_trim(name), &key);
		if (field == QUERY_HAS_TOOL_CALLS)
			field = SPAN_F_tool_calls;
		if (field >= 0 && field < SPAN_FIELDS)
			l->fields[field] = true;
		l->have_fields = true;
	}
	l->full = l->fields[SPAN_F_full_request] || l->fields[SPAN_F_full_response];
	return true;
}

static bool
set_flag(struct listing *l, const char *name, struct slice value, bool *flag)
{
	return value.len == 0 || value_bool(value, flag) || refuse(l, "%s is true or false", name);
}

static bool
set_test(struct listing *l, struct slice value)
{
	bool test = false;

	if (!set_flag(l, "is_test", value, &test))
		return false;
	if (value.len > 0) {	/* stronger than `environment` and all_envs */
		l->query.environment = test ? SLICE("test") : SLICE("prod");
		l->test_given = true;
	}
	return true;
}

/* sample=p: so many percent of all ids, always the same ones. */
static bool
set_sample(struct listing *l, struct slice value)
{
	double p;

	if (!value_num(value, &p) || p <= 0 || p > 100)
		return refuse(l, "sample: '%.*s' is not a percentage over 0 and up to 100", shown(value), value.ptr);
	l->query.sample = p * 10000 < 1 ? 1 : (unsigned)(p * 10000);
	return true;
}

static bool
set_connector(struct listing *l, struct slice value)
{
	l->either = slice_caseeq(value, SLICE("OR"));
	return l->either || value.len == 0 || slice_caseeq(value, SLICE("AND")) ||
	    refuse(l, "operator: '%.*s' is neither AND nor OR", shown(value), value.ptr);
}

/* A member that is no filter. 1: taken, 0: not one of them, -1: refused. */
static int
take_paging(struct listing *l, struct slice name, struct slice value)
{
	bool good;

	if (slice_eq(name, SLICE("page")))
		good = set_number(l, "page", value, &l->page);
	else if (slice_eq(name, SLICE("page_size")))
		good = set_number(l, "page_size", value, &l->page_size);
	else if (slice_eq(name, SLICE("sort_by")))
		good = set_sort(l, value);
	else if (slice_eq(name, SLICE("start_time")))
		good = set_window(l, value, true);
	else if (slice_eq(name, SLICE("end_time")))
		good = set_window(l, value, false);
	else if (slice_eq(name, SLICE("include_fields")))
		good = set_fields(l, value);
	else if (slice_eq(name, SLICE("all_envs")))
		good = set_flag(l, "all_envs", value, &l->all_envs);
	else if (slice_eq(name, SLICE("is_test")))
		good = set_test(l, value);
	else if (slice_eq(name, SLICE("fetch_filters")))
		good = set_flag(l, "fetch_filters", value, &l->fetch_filters);
	else if (slice_eq(name, SLICE("sample")))
		good = set_sample(l, value);
	else if (slice_eq(name, SLICE("operator")))
		good = set_connector(l, value);
	else if (slice_eq(name, SLICE("format"))) {
		l->format = value;
		good = true;
	} else if (slice_eq(name, SLICE("environment"))) {
		if (value.len > 0 && !l->test_given)
			l->query.environment = value;
		good = true;
	} else
		return 0;
	return good ? 1 : -1;
}

/* The filter of that name, a new one where there is none yet. */
static struct quick *
quick_of(struct listing *l, struct slice name)
{
	for (size_t i = 0; i < l->nquick; i++)
		if (slice_eq(l->quick[i].name, name))
			return &l->quick[i];
	if (l->nquick == LIMIT_FILTERS)
		return NULL;
	l->quick = xrealloc(l->quick, (l->nquick + 1) * sizeof(*l->quick));
	l->quick[l->nquick] = (struct quick){ .name = name };
	return &l->quick[l->nquick++];
}

/* ?field=value, or one part of a filter: field[operator]=op. */
static bool
take_quick(struct listing *l, struct slice name, struct slice value)
{
	const char *bracket = memchr(name.ptr, '[', name.len);
	struct slice part = SLICE("[value]");
	struct quick *q;

	if (bracket && bracket > name.ptr) {
		part = slice_from(name, (size_t)(bracket - name.ptr));
		name.len -= part.len;
	}
	if (name.len == 0)
		return true;
	q = quick_of(l, name);
	if (!q)
		return refuse(l, "more than %d filters", LIMIT_FILTERS);
	if (slice_eq(part, SLICE("[operator]")))
		q->op = value;
	else if (slice_eq(part, SLICE("[connector]")))
		q->connector = value;
	else if (!slice_eq(part, SLICE("[value]")) && !slice_eq(part, SLICE("[value][]")) && !slice_eq(part, SLICE("[]")))
		return refuse(l, "%.*s%.*s: there are [value], [operator] and [connector]", shown(name), name.ptr, shown(part),
		    part.ptr);
	else if (q->nvalues == LIMIT_FILTER_VALUES)
		return refuse(l, "more than %d filter values", LIMIT_FILTER_VALUES);
	else {
		q->values = xrealloc(q->values, (q->nvalues + 1) * sizeof(*q->values));
		q->values[q->nvalues++] = value;
	}
	return true;
}

/* A name that is no field is a key of the metadata. */
static bool
add_quick(struct listing *l, const struct quick *q)
{
	struct slice key, name = q->name;
	size_t start = l->arena.len;

	if (filters_field(name, &key) < 0) {
		buf_str(&l->arena, "metadata__");
		buf_slice(&l->arena, name);
		name = slice_make(l->arena.ptr + start, l->arena.len - start);
	}
	if (filters_add(&l->filters, name, q->op, q->connector, q->values, q->nvalues))
		return true;
	return refuse(l, "%s", l->filters.error);
}

static bool
read_url(struct listing *l, struct slice query)
{
	struct param p;

	while (params_next(&query, &p, &l->arena)) {
		int rc = take_paging(l, p.name, p.value);

		if (rc < 0 || (rc == 0 && !take_quick(l, p.name, p.value)))
			return false;
	}
	return true;
}

static bool
add_all_quick(struct listing *l)
{
	size_t before = l->filters.n;

	for (size_t i = 0; i < l->nquick; i++)
		if (!add_quick(l, &l->quick[i]))
			return false;
	filters_bundle(&l->filters, before);
	return true;
}

/* A member of the body that is no text, as the URL would have it. */
static struct slice
plain(struct listing *l, struct jvalue v)
{
	return jscalar(v, &l->arena);
}

static bool
read_body(struct listing *l, struct slice body, struct jvalue *filters)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;

	filters->kind = JNONE;
	if (slice_trim(body).len == 0)
		return true;
	if (jscan_check(body, &value, NULL) != JSCAN_END || value.kind != JOBJECT)
		return refuse(l, "Invalid request format: the body is not a JSON object");
	jiter_init(&it, value);
	while (jiter_next(&it, &m)) {
		if (jkey_is(&m, SLICE("filters")))
			*filters = m.value;
		else if (m.value.kind != JNULL &&
		    take_paging(l, plain(l, (struct jvalue){ JSTRING, m.key_text }), plain(l, m.value)) < 0)
			return false;
	}
	if (filters->kind == JOBJECT || filters->kind == JARRAY)
		l->given = filters->text;
	return true;
}

/* What was not said, and limits. */
static bool
finish(struct listing *l, struct jvalue filters, int64_t now_us, struct slice own)
{
	if (!l->query.have_from && now_us > 0) {
		l->query.have_from = true;
		l->query.from_us = (l->query.have_to ? l->query.to_us : now_us) - HOUR_US;
	}
	if (l->all_envs && !l->test_given)
		l->query.environment = SLICE_NONE;
	else if (l->query.environment.len == 0)
		l->query.environment = own;
	l->page_size = l->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : l->page_size;
	l->query.limit = l->page_size;
	l->query.offset = (l->page - 1) * l->page_size;
	if (!filters_json(&l->filters, filters, l->either))
		return refuse(l, "%s", l->filters.error);
	if (!add_all_quick(l))
		return false;
	l->query.filters = l->filters.list;
	l->query.nfilters = l->filters.n;
	return filters_check(&l->filters) || refuse(l, "%s", l->filters.error);
}

bool
listing_read(struct listing *l, struct slice url_query, struct slice body, int64_t now_us, struct slice own)
{
	struct jvalue filters;

	memset(l, 0, sizeof(*l));
	buf_init(&l->arena, LIMIT_API_BODY + 4 * LIMIT_HEAD);
	l->query.sort = -1;
	l->page = 1;
	l->page_size = PAGE_SIZE;
	/* All of it at once: slices into the arena must not move. Names of the URL
	 * may come again with metadata__ in front. */
	if (!filters_init(&l->filters, body.len) ||
	    !buf_reserve(&l->arena, 2 * url_query.len + body.len + 10 * LIMIT_FILTERS + 2))
		return refuse(l, "the request is too large");
	/* The body comes first, so that the URL wins. */
	return read_body(l, body, &filters) && read_url(l, url_query) && finish(l, filters, now_us, own);
}

void
listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->nquick; i++)
		free(l->quick[i].values);
	free(l->quick);
	filters_free(&l->filters);
	buf_free(&l->arena);
}

bool
listing_is_list(struct slice body)
{
	static const struct slice names[] = {
		SLICE("filters"), SLICE("page"), SLICE("page_size"), SLICE("sort_by"), SLICE("start_time"),
		SLICE("end_time"), SLICE("environment"), SLICE("include_fields"), SLICE("is_test"), SLICE("all_envs"),
		SLICE("fetch_filters"), SLICE("operator"), SLICE("sample"),
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
