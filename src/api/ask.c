/* SPDX-License-Identifier: Apache-2.0 */
/* ask: see ask.h. Called by the handlers of traces and metrics; reads no clock and touches no store. */
#include "api/ask.h"

#include <stdarg.h>
#include <stdio.h>

#include "api/params.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "store/value.h"

#define PAGE_SIZE_MAX 1000

bool
ask_refuse(struct ask *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	return false;
}

struct slice
ask_other(const struct ask *a, const char *name)
{
	for (size_t i = 0; i < a->nothers; i++)
		if (slice_eq(a->others[i].name, slice_str(name)))
			return a->others[i].value;
	return SLICE_NONE;
}

static bool
set_number(struct ask *a, struct slice name, struct slice value, uint64_t *out)
{
	int64_t v;

	if (!value_int(value, &v) || v < 1 || v > INT32_MAX)
		return ask_refuse(a, "%.*s: '%.*s' is not a number from 1 on", ASK_SHOWN(name), ASK_SHOWN(value));
	*out = (uint64_t)v;
	return true;
}

static bool
set_time(struct ask *a, struct slice name, struct slice value, bool *have, int64_t *out)
{
	if (value.len == 0)
		return true;
	if (!value_time(value, out))
		return ask_refuse(a, "%.*s: '%.*s' is not an ISO 8601 time", ASK_SHOWN(name), ASK_SHOWN(value));
	*have = true;
	return true;
}

static bool
set_other(struct ask *a, struct slice name, struct slice value)
{
	for (size_t i = 0; i < a->nothers; i++)
		if (slice_eq(a->others[i].name, name)) {
			a->others[i].value = value;
			return true;
		}
	if (a->nothers == ASK_OTHERS)
		return ask_refuse(a, "too many members");
	a->others[a->nothers].name = name;
	a->others[a->nothers++].value = value;
	return true;
}

static bool
is_known(const struct ask *a, struct slice name)
{
	for (size_t i = 0; a->known && a->known[i]; i++)
		if (slice_eq(slice_str(a->known[i]), name))
			return true;
	return false;
}

/* A member that is no condition. 1: taken, 0: not one of them, -1: refused. */
static int
take_member(struct ask *a, struct slice name, struct slice value)
{
	static const struct slice ignored[] = { SLICE("fetch_filters"), SLICE("operator"), SLICE("include_fields") };

	if (is_known(a, name))
		return set_other(a, name, value) ? 1 : -1;
	if (slice_eq(name, SLICE("page")))
		return set_number(a, name, value, &a->page) ? 1 : -1;
	if (slice_eq(name, SLICE("page_size")))
		return set_number(a, name, value, &a->page_size) ? 1 : -1;
	if (slice_eq(name, SLICE("start_time")))
		return set_time(a, name, value, &a->have_from, &a->from_us) ? 1 : -1;
	if (slice_eq(name, SLICE("end_time")))
		return set_time(a, name, value, &a->have_to, &a->to_us) ? 1 : -1;
	if (slice_eq(name, SLICE("sort_by"))) {
		a->ascending = value.len > 0 && *value.ptr != '-';
		a->sort = value.len > 0 && !a->ascending ? slice_from(value, 1) : value;
	} else if (slice_eq(name, SLICE("environment")))
		a->environment = value;
	else if (slice_eq(name, SLICE("all_envs")))
		(void)value_bool(value, &a->all_envs);
	else if (slice_eq(name, SLICE("is_test")))
		a->is_test = value;
	else {
		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
			if (slice_eq(ignored[i], name))
				return 1;
		return 0;
	}
	return 1;
}

static struct ask_condition *
add_condition(struct ask *a, struct slice name, bool url)
{
	struct ask_condition *c = &a->conditions[a->nconditions];

	if (a->nconditions == ASK_CONDITIONS) {
		(void)ask_refuse(a, "more than %d filters", ASK_CONDITIONS);
		return NULL;
	}
	a->nconditions++;
	*c = (struct ask_condition){ .name = name, .values = &a->values[a->nvalues], .url = url };
	return c;
}

/* Values of a condition stand together: it must be the last one. */
static bool
add_value(struct ask *a, struct ask_condition *c, struct slice value)
{
	if (a->nvalues == ASK_VALUES)
		return ask_refuse(a, "more than %d filter values", ASK_VALUES);
	a->values[a->nvalues++] = value;
	c->nvalues++;
	return true;
}

static bool
set_operator(struct ask *a, struct ask_condition *c, struct slice name)
{
	static const struct { const char *name; enum traces_op op; } names[] = {
		{ "", TRACES_EQ }, { "=", TRACES_EQ }, { "==", TRACES_EQ }, { "eq", TRACES_EQ }, { "equals", TRACES_EQ },
		{ "in", TRACES_EQ }, { "not", TRACES_NOT }, { "!=", TRACES_NOT }, { "iexact", TRACES_IEQ },
		{ "lt", TRACES_LT }, { "lte", TRACES_LTE }, { "gt", TRACES_GT }, { "gte", TRACES_GTE },
		{ "<", TRACES_LT }, { "<=", TRACES_LTE }, { ">", TRACES_GT }, { ">=", TRACES_GTE },
		{ "contains", TRACES_CONTAINS }, { "icontains", TRACES_ICONTAINS }, { "ilike", TRACES_ICONTAINS },
		{ "startswith", TRACES_STARTS }, { "endswith", TRACES_ENDS }, { "isnull", TRACES_ISNULL },
		{ "empty", TRACES_ISNULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_caseeq(slice_str(names[i].name), name)) {
			c->op = names[i].op;
			return true;
		}
	return ask_refuse(a, "filters: the operator '%.*s' of %.*s is not understood here", ASK_SHOWN(name),
	    ASK_SHOWN(c->name));
}

/* Strings decoded, everything else as written. */
static struct slice
scalar(struct ask *a, struct jvalue v)
{
	return jscalar(v, &a->arena);
}

/* {"operator", "value"} of a name, or a bare value or list of values. */
static bool
take_condition(struct ask *a, struct slice name, struct jvalue condition)
{
	struct jvalue value = condition, connector;
	struct ask_condition *c = add_condition(a, name, false);
	struct slice op = SLICE("");
	struct jiter it;
	struct jmember m;

	if (!c)
		return false;
	if (condition.kind == JOBJECT) {
		value = jget(condition, SLICE("value"));
		op = scalar(a, jget(condition, SLICE("operator")));
		connector = jget(condition, SLICE("connector"));
		if (!jempty(connector) && !slice_caseeq(scalar(a, connector), SLICE("AND")))
			return ask_refuse(a, "filters: only the connector AND is understood here");
	}
	if (!set_operator(a, c, op.ptr ? op : SLICE("")))
		return false;
	if (value.kind != JARRAY)
		return value.kind == JNONE || value.kind == JNULL || add_value(a, c, scalar(a, value));
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		if (!add_value(a, c, scalar(a, m.value)))
			return false;
	return true;
}

/* All conditions of one name: a list of objects is one condition each. */
static bool
take_name(struct ask *a, struct slice name, struct jvalue value)
{
	struct jiter it;
	struct jmember m;
	bool objects = false;

	if (value.kind == JARRAY) {
		jiter_init(&it, value);
		objects = jiter_next(&it, &m) && m.value.kind == JOBJECT;
	}
	if (!objects)
		return take_condition(a, name, value);
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		if (!take_condition(a, name, m.value))
			return false;
	return true;
}

/* One of a list of filters: it says its name. */
static bool
take_named(struct ask *a, struct jvalue item)
{
	static const char *const names[] = { "field", "name", "metric", "column" };
	struct jvalue name = { JNONE, SLICE_NONE };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && name.kind != JSTRING; i++)
		if (item.kind == JOBJECT)
			name = jget(item, slice_str(names[i]));
	if (name.kind != JSTRING)
		return ask_refuse(a, "filters: in a list, {\"field\", \"operator\", \"value\"} is expected");
	return take_condition(a, scalar(a, name), item);
}

static bool
read_filters(struct ask *a, struct jvalue filters)
{
	struct jiter it;
	struct jmember m;

	if (filters.kind != JSTRING && jempty(filters))
		return true;
	if (filters.kind != JOBJECT && filters.kind != JARRAY)
		return ask_refuse(a, "filters: an object of field to {\"operator\", \"value\"} is expected");
	jiter_init(&it, filters);
	while (jiter_next(&it, &m))
		if (filters.kind == JARRAY ? !take_named(a, m.value) :
		    !take_name(a, scalar(a, (struct jvalue){ JSTRING, m.key_text }), m.value))
			return false;
	return true;
}

static bool
read_body(struct ask *a, struct slice body)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;
	struct slice name;

	if (slice_trim(body).len == 0)
		return true;
	if (jscan_check(body, &value, NULL) != JSCAN_END || value.kind != JOBJECT)
		return ask_refuse(a, "Invalid request format: the body is not a JSON object");
	jiter_init(&it, value);
	while (jiter_next(&it, &m)) {
		name = scalar(a, (struct jvalue){ JSTRING, m.key_text });
		if (slice_eq(name, SLICE("filters")) ? !read_filters(a, m.value) :
		    m.value.kind != JNULL && take_member(a, name, scalar(a, m.value)) < 0)
			return false;
	}
	return true;
}

/* NAME[part] of the URL. */
static bool
take_part(struct ask *a, struct slice name, const char *bracket, struct slice value)
{
	struct slice base = slice_make(name.ptr, (size_t)(bracket - name.ptr)), part = slice_from(name, base.len);
	struct ask_condition *c = NULL;

	for (size_t i = 0; i < a->nconditions; i++)
		if (a->conditions[i].url && slice_eq(a->conditions[i].name, base))
			c = &a->conditions[i];
	if (!c)
		c = add_condition(a, base, true);
	if (!c)
		return false;
	if (slice_eq(part, SLICE("[operator]")))
		return set_operator(a, c, value);
	if (slice_eq(part, SLICE("[connector]")))
		return slice_caseeq(value, SLICE("AND")) || value.len == 0 ||
		    ask_refuse(a, "filters: only the connector AND is understood here");
	if (!slice_eq(part, SLICE("[value]")) || c->nvalues > 0)
		return ask_refuse(a, "%.*s: NAME[operator] and one NAME[value] are expected", ASK_SHOWN(name));
	c->values = &a->values[a->nvalues];
	return add_value(a, c, value);
}

static bool
read_url(struct ask *a, struct slice query)
{
	struct ask_condition *c;
	const char *bracket;
	struct param p;
	int rc;

	if (!params_room(query, &a->arena))
		return ask_refuse(a, "the query is too long");
	while (params_next(&query, &p, &a->arena)) {
		rc = take_member(a, p.name, p.value);
		if (rc < 0)
			return false;
		if (rc > 0)
			continue;
		bracket = memchr(p.name.ptr, '[', p.name.len);
		if (bracket) {
			if (!take_part(a, p.name, bracket, p.value))
				return false;
			continue;
		}
		c = add_condition(a, p.name, true);
		if (!c || !add_value(a, c, p.value))
			return false;
	}
	return true;
}

bool
ask_read(struct ask *a, struct slice url_query, struct slice body, uint64_t page_size, const char *const *known)
{
	bool test;

	memset(a, 0, sizeof(*a));
	buf_init(&a->arena, LIMIT_API_BODY + LIMIT_HEAD * 2);
	a->known = known;
	a->page = 1;
	a->page_size = page_size;
	/* All of it at once: slices into the arena must not move. */
	if (!buf_reserve(&a->arena, url_query.len + body.len + 2))
		return ask_refuse(a, "the request is too large");
	if (!read_body(a, body) || !read_url(a, url_query))
		return false;
	if (a->is_test.len > 0 && !value_bool(a->is_test, &test))
		return ask_refuse(a, "is_test is true or false");
	if (a->is_test.len > 0)
		a->environment = test ? SLICE("test") : SLICE("prod");
	if (a->all_envs && a->is_test.len == 0)
		a->environment = SLICE("");
	a->page_size = a->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : a->page_size;
	return true;
}

void
ask_free(struct ask *a)
{
	buf_free(&a->arena);
}
