/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters: see filters.h. Called by listing.c and by the command line; touches
 * no store. What cannot be done is said by name.
 */
#include "api/filters.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/value.h"

struct filters_block {
	struct filters_block *next;
	max_align_t	 bytes[];
};

static bool
refuse(struct filters *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool
refuse(struct filters *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->error, sizeof(f->error), fmt, ap);
	va_end(ap);
	return false;
}

static int
shown(struct slice s)
{
	return (int)value_cut(s, 60).len;
}

bool
filters_init(struct filters *f, size_t room)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->text, room + 1);
	/* All of it at once: slices into it must not move. */
	return buf_reserve(&f->text, room + 1) != NULL;
}

void
filters_free(struct filters *f)
{
	struct filters_block *b;

	while ((b = f->blocks)) {
		f->blocks = b->next;
		free(b);
	}
	free(f->list);
	f->list = NULL;
	buf_free(&f->text);
}

/* Zeroed memory that lives as long as the filters. */
static void *
take(struct filters *f, size_t n, size_t size)
{
	struct filters_block *b = xcalloc(1, sizeof(*b) + (n ? n : 1) * size);

	b->next = f->blocks;
	f->blocks = b;
	return b->bytes;
}

/* A place on the top level. */
static struct query_filter *
append(struct filters *f)
{
	f->list = xrealloc(f->list, (f->n + 1) * sizeof(*f->list));
	f->list[f->n] = (struct query_filter){ .op = QUERY_EQ };
	return &f->list[f->n++];
}

static struct slice
after(struct slice name, struct slice prefix)
{
	return slice_starts(name, prefix) ? slice_from(name, prefix.len) : SLICE_NONE;
}

int
filters_field(struct slice name, struct slice *key)
{
	static const struct { const char *name; int field; } others[] = {
		{ "all_tokens", SPAN_F_total_request_tokens }, { "total_tokens", SPAN_F_total_request_tokens },
		{ "ttft", SPAN_F_time_to_first_token }, { "generation_time", SPAN_F_latency },
		{ "full_unique_id", SPAN_F_id }, { "log_id", SPAN_F_id }, { "end_time", SPAN_F_timestamp },
		{ "failed", QUERY_FAILED }, { "is_root_span", QUERY_IS_ROOT }, { "cache_hit", QUERY_CACHE_HIT },
		{ "cache_bit", QUERY_CACHE_HIT }, { "cache_key", QUERY_NOTHING },
		{ "has_tool_calls", QUERY_HAS_TOOL_CALLS }, { "organization_id", QUERY_TENANT },
		{ "unique_organization_id", QUERY_TENANT }, { "organization", QUERY_TENANT },
		{ "organization_key_name", SPAN_F_organization_key_id },
		{ "organization_key__name", SPAN_F_organization_key_id }, { "deployment_name", SPAN_F_model },
		{ "foundation_model", SPAN_F_model }, { "messages", SPAN_F_prompt_messages },
		{ "session_identifier", SPAN_F_thread_identifier }, { "evaluator_id", QUERY_EVALUATOR },
	};
	struct slice plain = SLICE_NONE;

	*key = after(name, SLICE("metadata__"));
	if (key->ptr)
		return SPAN_F_metadata;
	*key = after(name, SLICE("scores__"));
	if (key->ptr)
		return QUERY_SCORE;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_eq(slice_str(others[i].name), name))
			return others[i].field;
	plain = name;
	return span_field_by_name(plain);
}

bool
filters_operator(struct slice name, enum query_op *op, bool *negate)
{
	static const struct { const char *name; enum query_op op; bool negate; } names[] = {
		{ "", QUERY_EQ, false }, { "=", QUERY_EQ, false }, { "==", QUERY_EQ, false }, { "eq", QUERY_EQ, false },
		{ "equals", QUERY_EQ, false }, { "exact", QUERY_EQ, false }, { "iexact", QUERY_IEXACT, false },
		{ "lt", QUERY_LT, false }, { "lte", QUERY_LTE, false }, { "gt", QUERY_GT, false },
		{ "gte", QUERY_GTE, false }, { "<", QUERY_LT, false }, { "<=", QUERY_LTE, false },
		{ ">", QUERY_GT, false }, { ">=", QUERY_GTE, false }, { "contains", QUERY_CONTAINS, false },
		{ "icontains", QUERY_ICONTAINS, false }, { "startswith", QUERY_STARTS, false },
		{ "endswith", QUERY_ENDS, false }, { "in", QUERY_IN, false }, { "isnull", QUERY_ISNULL, false },
		{ "not", QUERY_NOT, false }, { "!=", QUERY_NOT, false }, { "regex", QUERY_REGEX, false },
		{ "ilike", QUERY_ILIKE, false }, { "trigram_word_similar", QUERY_ICONTAINS, false },
		{ "full_text_search", QUERY_WORDS, false }, { "empty", QUERY_EMPTY, false },
		{ "notempty", QUERY_EMPTY, true }, { "not_empty", QUERY_EMPTY, true }, { "not_in", QUERY_IN, true },
		{ "not_contains", QUERY_CONTAINS, true }, { "not_startswith", QUERY_STARTS, true },
		{ "not_endswith", QUERY_ENDS, true },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_caseeq(slice_str(names[i].name), name)) {
			*op = names[i].op;
			*negate = names[i].negate;
			return true;
		}
	return false;
}

/* Strings decoded, everything else as written; null is SLICE_NONE. */
static struct slice
scalar(struct filters *f, struct jvalue v)
{
	return v.kind == JNULL || v.kind == JNONE ? SLICE_NONE : jscalar(v, &f->text);
}

/* Sets q's field, of which the name is a client's. */
static bool
set_field(struct filters *f, struct query_filter *q, struct slice name)
{
	q->field = filters_field(name, &q->key);
	if (q->field < 0)
		return refuse(f, "filters: spans cannot be filtered by '%.*s'", shown(name), name.ptr ? name.ptr : "");
	if (q->field == QUERY_SCORE && q->key.len == 0)
		return refuse(f, "filters: scores__ is followed by the id of an evaluator");
	if (++f->conditions > LIMIT_FILTERS)
		return refuse(f, "more than %d filters", LIMIT_FILTERS);
	return true;
}

static bool
set_operator(struct filters *f, struct query_filter *q, struct slice name)
{
	if (filters_operator(name.ptr ? name : SLICE(""), &q->op, &q->negate))
		return true;
	return refuse(f, "filters: the operator '%.*s' is not understood (these are: \"\", iexact, lt, lte, gt, gte, contains,"
	    " icontains, startswith, endswith, in, isnull, not, regex, ilike, full_text_search, empty, not_empty)",
	    shown(name), name.ptr);
}

/* Reads AND or OR; *said: it was there. */
static bool
read_connector(struct filters *f, struct jvalue v, bool *either, bool *said)
{
	struct slice text = scalar(f, v);

	if (text.len == 0)
		return true;
	*said = true;
	*either = slice_caseeq(text, SLICE("OR"));
	return *either || slice_caseeq(text, SLICE("AND")) ||
	    refuse(f, "filters: the connector '%.*s' is neither AND nor OR", shown(text), text.ptr);
}

static bool
read_value(struct filters *f, struct slice *to, struct jvalue v)
{
	if (v.kind == JOBJECT || v.kind == JARRAY)
		return refuse(f, "filters: a value is a text, a number, true, false, null, or a list of these");
	if (++f->values > LIMIT_FILTER_VALUES)
		return refuse(f, "more than %d filter values", LIMIT_FILTER_VALUES);
	*to = scalar(f, v);
	return true;
}

static size_t
count_members(struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	size_t n = 0;

	jiter_init(&it, v);
	while (jiter_next(&it, &m))
		n++;
	return n;
}

static bool
read_values(struct filters *f, struct query_filter *q, struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	size_t n = v.kind == JARRAY ? count_members(v) : v.kind == JNONE ? 0 : 1;

	if (f->values + n > LIMIT_FILTER_VALUES)
		return refuse(f, "more than %d filter values", LIMIT_FILTER_VALUES);
	q->values = take(f, n, sizeof(*q->values));
	if (v.kind != JARRAY) {
		q->nvalues = n;
		return n == 0 || read_value(f, &q->values[0], v);
	}
	jiter_init(&it, v);
	while (jiter_next(&it, &m))
		if (!read_value(f, &q->values[q->nvalues++], m.value))
			return false;
	return true;
}

/* {"operator_function": "mapContainsKey", ...}: a key of metadata. */
static bool
read_function(struct filters *f, struct query_filter *q, struct jvalue condition)
{
	struct slice name = scalar(f, jget(condition, SLICE("operator_function")));
	struct jvalue args = jget(condition, SLICE("operator_args"));

	if (!slice_eq(name, SLICE("mapContainsKey")))
		return refuse(f, "filters: the operator_function '%.*s' is not understood (there is mapContainsKey)",
		    shown(name), name.ptr);
	if (q->field != SPAN_F_metadata || q->key.ptr)
		return refuse(f, "filters: mapContainsKey is for metadata");
	q->negate = q->op == QUERY_NOT || q->negate;
	q->op = QUERY_HAS_KEY;
	return read_values(f, q, jempty(args) ? jget(condition, SLICE("value")) : args);
}

/* One condition on a field: {"operator", "value", "connector"} or a bare value. */
static bool
read_condition(struct filters *f, struct query_filter *q, struct slice name, struct jvalue v, bool *said)
{
	if (!set_field(f, q, name))
		return false;
	if (v.kind != JOBJECT)
		return read_values(f, q, v);
	if (jget(v, SLICE("operator")).kind == JNONE && jget(v, SLICE("value")).kind == JNONE &&
	    jget(v, SLICE("operator_function")).kind == JNONE)
		return refuse(f, "filters: %.*s: {\"operator\", \"value\"} is expected", shown(name), name.ptr);
	if (!set_operator(f, q, scalar(f, jget(v, SLICE("operator")))) ||
	    !read_connector(f, jget(v, SLICE("connector")), &q->either, said))
		return false;
	if (!jempty(jget(v, SLICE("operator_function"))))
		return read_function(f, q, v);
	return read_values(f, q, jget(v, SLICE("value")));
}

static bool
read_group(struct filters *, struct query_filter *, struct slice name, struct jvalue, bool either, unsigned depth);

/* The field that an element of a list names itself. */
static struct jvalue
named_field(struct jvalue v)
{
	static const struct slice names[] = { SLICE("field"), SLICE("name"), SLICE("metric"), SLICE("key") };
	struct jvalue found = { .kind = JNONE };

	if (jget(v, SLICE("operator")).kind == JNONE && jget(v, SLICE("value")).kind == JNONE)
		return found;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && found.kind != JSTRING; i++)
		found = jget(v, names[i]);
	return found;
}

/* What stands in a group: a bundle, the conditions of a field, one of them, or,
 * in a list (no name), an object of fields or a condition that names its own. */
static bool
read_member(struct filters *f, struct query_filter *q, struct slice name, struct jvalue v, unsigned depth, bool *said)
{
	struct jiter it;
	struct jmember m;
	bool either = false, inner = false;

	if (v.kind == JOBJECT && jget(v, SLICE("filter_params")).kind != JNONE)
		return read_connector(f, jget(v, SLICE("connector")), &either, &inner) &&
		    read_group(f, q, SLICE_NONE, jget(v, SLICE("filter_params")), either, depth + 1);
	if (!name.ptr && v.kind == JOBJECT) {
		struct jvalue field = named_field(v);

		return field.kind == JSTRING ? read_condition(f, q, scalar(f, field), v, said) :
		    read_group(f, q, SLICE_NONE, v, false, depth + 1);
	}
	if (!name.ptr)
		return refuse(f, "filters: a list holds objects");
	jiter_init(&it, v);
	if (v.kind == JARRAY && jiter_next(&it, &m) && m.value.kind == JOBJECT)
		return read_group(f, q, name, v, false, depth + 1);
	return read_condition(f, q, name, v, said);
}

/*
 * A group: an object of members, or a list of conditions, all on field `name`
 * where there is one. either: they are joined by OR unless they say otherwise.
 * A first one that says OR means the second.
 */
static bool
read_group(struct filters *f, struct query_filter *q, struct slice name, struct jvalue v, bool either, unsigned depth)
{
	bool said = false, first_said = false;
	struct jiter it;
	struct jmember m;
	size_t n = count_members(v), i = 0;

	if (depth > LIMIT_FILTER_DEPTH)
		return refuse(f, "filters: bundles go deeper than %d", LIMIT_FILTER_DEPTH);
	if (v.kind != JOBJECT && v.kind != JARRAY)
		return refuse(f, "filters: an object of field to {\"operator\", \"value\"} is expected");
	if (n > LIMIT_FILTERS)
		return refuse(f, "more than %d filters", LIMIT_FILTERS);
	q->members = take(f, n, sizeof(*q->members));
	q->nmembers = n;
	jiter_init(&it, v);
	for (; jiter_next(&it, &m); i++) {
		struct query_filter *member = &q->members[i];
		struct slice key = v.kind == JOBJECT ? scalar(f, (struct jvalue){ JSTRING, m.key_text }) : name;

		said = false;
		member->either = either;
		if (!read_member(f, member, key, m.value, depth, &said))
			return false;
		if (i == 0)
			first_said = said && member->either;
		else if (i == 1 && first_said && !said)
			member->either = true;
	}
	return true;
}

bool
filters_json(struct filters *f, struct jvalue v, bool either)
{
	struct query_filter group = { .op = QUERY_EQ };
	bool said = false, good;

	if (v.kind == JNONE || jempty(v))
		return true;
	if (v.kind == JOBJECT && jget(v, SLICE("filter_params")).kind != JNONE)
		good = read_member(f, &group, SLICE_NONE, v, 0, &said);
	else
		good = read_group(f, &group, SLICE_NONE, v, either, 0);
	if (good)
		*append(f) = group;
	return good;
}

bool
filters_add(struct filters *f, struct slice name, struct slice op, struct slice connector, const struct slice *values,
    size_t nvalues)
{
	struct query_filter *q = append(f);

	if (f->values + nvalues > LIMIT_FILTER_VALUES)
		return refuse(f, "more than %d filter values", LIMIT_FILTER_VALUES);
	f->values += nvalues;
	q->either = slice_caseeq(connector, SLICE("OR"));
	if (connector.len > 0 && !q->either && !slice_caseeq(connector, SLICE("AND")))
		return refuse(f, "filters: the connector '%.*s' is neither AND nor OR", shown(connector), connector.ptr);
	if (!set_field(f, q, name) || !set_operator(f, q, op))
		return false;
	q->values = take(f, nvalues, sizeof(*values));
	q->nvalues = nvalues;
	if (nvalues > 0)
		memcpy(q->values, values, nvalues * sizeof(*values));
	return true;
}

void
filters_bundle(struct filters *f, size_t n)
{
	struct query_filter group = { .op = QUERY_EQ, .nmembers = f->n - n };

	if (group.nmembers == 0)
		return;
	group.members = take(f, group.nmembers, sizeof(group));
	memcpy(group.members, f->list + n, group.nmembers * sizeof(group));
	if (group.nmembers > 1 && group.members[0].either)
		group.members[1].either = true;
	f->n = n;
	*append(f) = group;
}

bool
filters_check(struct filters *f)
{
	struct query q = { .tenant = SLICE_NONE, .filters = f->list, .nfilters = f->n, .sort = -1 };
	struct query_sql sql;
	bool good = query_where(&q, NULL, false, &sql, f->error, sizeof(f->error));

	query_sql_free(&sql);
	return good;
}

static void
put_choices(struct buf *out, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		buf_printf(out, "%s{\"name\":\"%s\",\"value\":\"%s\"}", i ? "," : "", *names[i] ? names[i] : "equals", names[i]);
	}
}

void
filters_data(struct buf *out)
{
	static const char *const texts[] = { "", "not", "in", "iexact", "contains", "icontains", "startswith", "endswith",
	    "regex", "isnull", NULL }, *const numbers[] = { "", "not", "in", "lt", "lte", "gt", "gte", "isnull", NULL },
	    *const flags[] = { "", "not", "isnull", NULL }, *const states[] = { "success", "error", NULL },
	    *const none[] = { NULL };
	const char *comma = "";

	buf_byte(out, '{');
	for (int i = 0; i < SPAN_FIELDS; i++) {
		enum span_type type = span_fields[i].type;
		bool text = type == SPAN_TEXT || type == SPAN_JSON;

		if (!query_sort_ok(i) && i != SPAN_F_input && i != SPAN_F_output)
			continue;
		buf_printf(out, "%s\"%s\":{\"display_name\":\"%s\",\"metric\":\"%s\",\"operator_choices\":[", comma,
		    span_fields[i].name, span_fields[i].name, span_fields[i].name);
		put_choices(out, type == SPAN_BOOL ? flags : text ? texts : numbers);
		buf_str(out, "],\"value_choices\":[");
		put_choices(out, i == SPAN_F_status ? states : none);
		buf_printf(out, "],\"value_field_type\":\"%s\",\"hidden\":false}", type == SPAN_BOOL ? "boolean" :
		    type == SPAN_TIME ? "datetime" : text ? "text" : "number");
		comma = ",";
	}
	buf_byte(out, '}');
}
