/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: what a list is asked for as a WHERE clause with its values. Every
 * value is bound, never printed into the SQL. Called by rows.c and its like,
 * and by the API and the command line to tell people early what is wrong with
 * a filter. How one column is compared stands in condition.c.
 */
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/condition.h"
#include "store/db.h"

#define BODY_SQL "span_body(s.id, s.usage_source, %d)"

/* Fields that stand elsewhere than in a column of their own name. */
static const struct {
	int		 field;
	const char	*sql;
} others[] = {
	{ SPAN_F_id, "s.id" },
	{ SPAN_F_unique_id, "s.id" },
	{ SPAN_F_is_pinned, "e.is_pinned" },
	{ SPAN_F_positive_feedback, "e.positive_feedback" },
	{ SPAN_F_note, "e.note" },
	{ SPAN_F_blurred, "e.blurred" },
	{ QUERY_FAILED, "(s.status IS 'error')" },
	{ QUERY_IS_ROOT, "(coalesce(s.span_parent_id, '') = '' OR s.span_parent_id IS s.trace_unique_id)" },
	{ QUERY_CACHE_HIT, "(coalesce(s.prompt_cache_hit_tokens, 0) > 0)" },
	{ QUERY_TENANT, "s.tenant" },
	{ QUERY_NOTHING, "NULL" },
};

/* The field's expression; false: it has to be put together from the body. */
static bool
column(int field, struct buf *out)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].field == field)
			return buf_str(out, others[i].sql);
	if (field == SPAN_F_custom_identifier)	/* it can be edited; empty: taken away */
		return buf_str(out, "iif(e.custom_identifier = '', NULL, coalesce(e.custom_identifier, s.custom_identifier))");
	for (int i = 0; i < STORE_COLUMNS; i++)
		if (store_columns[i].field == field)
			return buf_printf(out, "s.%s", store_columns[i].name);
	return false;
}

static bool
is_child(const struct query_filter *f)
{
	return f->field == QUERY_SCORE || f->field == QUERY_EVALUATOR ||
	    (f->field == SPAN_F_metadata && (f->key.ptr || f->op == QUERY_HAS_KEY));
}

/* Is it a condition that the index of words knows? */
static bool
is_words(const struct query_filter *f)
{
	return !f->members && f->op == QUERY_WORDS && (f->field == SPAN_F_input || f->field == SPAN_F_output);
}

static bool
has_words(const struct query_filter *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_words(&f[i]) || has_words(f[i].members, f[i].nmembers))
			return true;
	return false;
}

/* Does it look into bodies? Such conditions are asked last. w NULL: whatever the store has. */
static bool
is_dear(const struct condition_writer *w, const struct query_filter *f)
{
	char text[200];
	struct buf out;
	bool cheap;

	for (size_t i = 0; i < f->nmembers; i++)
		if (is_dear(w, &f->members[i]))
			return true;
	if (f->members || is_child(f) || (w && w->indexed == 1 && is_words(f)))
		return false;
	buf_init(&out, sizeof(text));
	cheap = column(f->field, &out);
	buf_free(&out);
	return !cheap;
}

enum span_type
query_type(int field)
{
	switch (field) {
	case QUERY_FAILED:
	case QUERY_IS_ROOT:
	case QUERY_CACHE_HIT:
	case QUERY_HAS_TOOL_CALLS:
		return SPAN_BOOL;
	case QUERY_TENANT:
	case QUERY_EVALUATOR:
	case QUERY_NOTHING:
		return SPAN_TEXT;
	case QUERY_SCORE:
		return SPAN_NUM;
	default:
		return span_fields[field].type;
	}
}

bool
query_sort_ok(int field)
{
	struct query_filter f = { .field = field };

	return field == QUERY_SCORE || field == SPAN_F_metadata || (field >= 0 && field < QUERY_FIELDS && !is_dear(NULL, &f) &&
	    field != QUERY_EVALUATOR && field != QUERY_HAS_TOOL_CALLS);
}

/* The table of what hangs on a span, and its column that is compared. */
static const char *
child_table(const struct condition_writer *w, const struct query_filter *f)
{
	if (f->field == SPAN_F_metadata) {
		buf_str(&w->sql->text, "SELECT 1 FROM span_meta m WHERE m.span = s.n");
		if (f->op != QUERY_HAS_KEY) {
			buf_str(&w->sql->text, " AND m.key = ?");
			condition_bind_text(w->sql, f->key);
		}
		return f->op == QUERY_HAS_KEY ? "m.key" : "m.value";
	}
	buf_str(&w->sql->text, "SELECT 1 FROM score c WHERE c.span = s.n");
	if (f->field == QUERY_EVALUATOR)
		return "c.evaluator_id";
	buf_str(&w->sql->text, " AND (c.evaluator_id = ? OR c.evaluator_slug = ?)");
	condition_bind_text(w->sql, f->key);
	condition_bind_text(w->sql, f->key);
	return "c.value";
}

static bool
has_empty(const struct query_filter *f)
{
	for (size_t i = 0; i < f->nvalues; i++)
		if (f->values[i].len == 0)
			return true;
	return false;
}

/* A condition on one of what hangs on the span: metadata keys, scores. */
static bool
write_child(struct condition_writer *w, const struct query_filter *f)
{
	struct query_filter inner = *f;
	struct buf *sql = &w->sql->text;
	bool empty = false, absent = f->negate, good = true;
	const char *name;

	if (f->op == QUERY_ISNULL || f->op == QUERY_EMPTY) {
		if (!condition_flag(w, f, &empty))
			return false;
		absent = absent != empty;
	} else if (f->op == QUERY_EQ || f->op == QUERY_NOT || f->op == QUERY_IN) {
		absent = absent != (f->op == QUERY_NOT);
		inner.op = QUERY_EQ;
		empty = has_empty(f);
	} else if (f->op == QUERY_HAS_KEY)
		inner.op = QUERY_IN;
	buf_str(sql, absent ? "NOT (" : "(");
	if (empty && inner.op == QUERY_EQ) {	/* absent is as good as empty */
		buf_str(sql, "NOT EXISTS (");
		(void)child_table(w, f);
		buf_str(sql, ") OR ");
	}
	buf_str(sql, "EXISTS (");
	name = child_table(w, f);
	if (f->op == QUERY_EMPTY)
		buf_printf(sql, " AND %s <> ''", name);
	else if (f->op != QUERY_ISNULL) {
		buf_str(sql, " AND ");
		good = condition_write(w, &inner, slice_str(name),
		    f->field == SPAN_F_metadata && f->op != QUERY_HAS_KEY ? SPAN_JSON : query_type(f->field == SPAN_F_metadata ?
		    SPAN_F_id : f->field));
	}
	buf_str(sql, "))");
	return good;
}

/* Rows of custom identifiers are found by their two indexes first. */
static bool
write_custom_hint(struct condition_writer *w, const struct query_filter *f)
{
	if (f->field != SPAN_F_custom_identifier || f->negate || f->nvalues == 0 || has_empty(f) ||
	    (f->op != QUERY_EQ && f->op != QUERY_IN))
		return true;
	buf_str(&w->sql->text, "s.n IN (SELECT n FROM span WHERE ");
	if (!condition_write(w, f, SLICE("custom_identifier"), SPAN_TEXT))
		return false;
	buf_str(&w->sql->text, " UNION ALL SELECT span FROM span_edit WHERE ");
	if (!condition_write(w, f, SLICE("custom_identifier"), SPAN_TEXT))
		return false;
	return buf_str(&w->sql->text, ") AND ");
}

/* What the values ask of the index: one of them has to be met. False: some have no words, or too many. */
static bool
words_match(const struct query_filter *f, struct buf *match)
{
	enum search_in in = f->field == SPAN_F_input ? SEARCH_INPUT : SEARCH_OUTPUT;

	for (size_t i = 0; i < f->nvalues; i++) {
		buf_str(match, i ? " OR (" : "(");
		if (!search_match(f->values[i], in, match))
			return false;
		buf_str(match, ")");
	}
	return f->nvalues > 0 && !match->failed;
}

/* The numbers of the rows that match, of those that can be in the window. */
static void
write_listed(struct condition_writer *w, struct slice match, bool many)
{
	static const char window[] = "FROM main.span WHERE timestamp >= ? AND timestamp < ?)";

	buf_str(&w->sql->text, "s.n IN (SELECT rowid FROM span_text WHERE span_text MATCH ?");
	condition_bind_copy(w->sql, match);
	if (many && w->query->have_from) {
		buf_printf(&w->sql->text, " AND rowid BETWEEN (SELECT min(n) %s AND (SELECT max(n) %s", window, window);
		for (int i = 0; i < 2; i++) {
			condition_bind_int(w->sql, w->query->from_us);
			condition_bind_int(w->sql, w->query->have_to ? w->query->to_us : INT64_MAX);
		}
	}
	buf_str(&w->sql->text, ")");
}

/*
 * Words by the index. The numbers of the rows are listed first, half a
 * microsecond each; but where they are many, of which only the first are wanted,
 * each row that comes by is looked up, some 300 each. Rows from before the index
 * are looked into, as all are without one.
 */
static bool
write_words(struct condition_writer *w, const struct query_filter *f, struct slice text)
{
	struct buf match;
	bool good = true, many;

	buf_init(&match, LIMIT_QUERY_SQL);
	if (w->indexed == 0 || !is_words(f) || !words_match(f, &match)) {
		buf_free(&match);
		return condition_write(w, f, text, query_type(f->field));
	}
	many = search_many(w->store, buf_view(&match));
	buf_str(&w->sql->text, "(");
	if (!many || w->whole || (w->query->limit > 0 && w->query->have_from))
		write_listed(w, buf_view(&match), many);
	else {
		buf_str(&w->sql->text, "EXISTS (SELECT 1 FROM span_text x WHERE x.rowid = s.n AND x.span_text MATCH ?)");
		condition_bind_copy(w->sql, buf_view(&match));
		w->sql->dear = true;
	}
	buf_free(&match);
	if (w->indexed > 1) {
		buf_str(&w->sql->text, " OR (s.n < ? AND ");
		condition_bind_int(w->sql, w->indexed);
		good = condition_write(w, f, text, query_type(f->field));
		buf_str(&w->sql->text, ")");
	}
	return buf_str(&w->sql->text, ")") && good;
}

static bool
write_field(struct condition_writer *w, const struct query_filter *f)
{
	struct query_filter inner = *f;
	struct buf *sql = &w->sql->text, name;
	bool negate = f->negate != (f->op == QUERY_NOT), good;

	if (f->field < 0 || f->field >= QUERY_FIELDS)
		return condition_refuse(w, f, "there is no such field");
	if (is_child(f))
		return write_child(w, f);
	if (f->op == QUERY_HAS_KEY)
		return condition_refuse(w, f, "mapContainsKey is for metadata");
	inner.op = f->op == QUERY_NOT ? QUERY_EQ : f->op;
	buf_init(&name, 400);
	if (f->field == QUERY_HAS_TOOL_CALLS)
		buf_printf(&name, "(coalesce(" BODY_SQL ", '[]') NOT IN ('[]', 'null', ''))", SPAN_F_tool_calls);
	else if (!column(f->field, &name)) {
		buf_printf(&name, query_type(f->field) == SPAN_BOOL ? "(" BODY_SQL " = 'true')" : BODY_SQL, f->field);
	}
	buf_str(sql, negate ? "NOT coalesce(" : "(");
	good = write_custom_hint(w, &inner) && write_words(w, &inner, buf_view(&name));
	buf_str(sql, negate ? ", 0)" : ")");
	buf_free(&name);
	return good;
}

static bool
write_group(struct condition_writer *, const struct query_filter *, size_t n);

static bool
write_filter(struct condition_writer *w, const struct query_filter *f)
{
	bool good;

	if (!f->members)
		return write_field(w, f);
	if (++w->depth > LIMIT_FILTER_DEPTH + 4) {
		snprintf(w->err, w->errlen, "filters: bundles go deeper than %d", LIMIT_FILTER_DEPTH);
		return false;
	}
	buf_str(&w->sql->text, f->negate ? "NOT coalesce(" : "");
	good = write_group(w, f->members, f->nmembers);
	buf_str(&w->sql->text, f->negate ? ", 0)" : "");
	w->depth--;
	return good;
}

/* All have to hold: in any order, the dear ones last. */
static bool
write_all(struct condition_writer *w, const struct query_filter *f, size_t n)
{
	const char *and = "(";

	for (int dear = 0; dear < 2; dear++)
		for (size_t i = 0; i < n; i++) {
			if (is_dear(w, &f[i]) != (dear == 1))
				continue;
			buf_str(&w->sql->text, and);
			and = " AND ";
			if (!write_filter(w, &f[i]))
				return false;
		}
	return buf_str(&w->sql->text, ")");
}

/* a, then b by OR, then c by AND: ((a OR b) AND c). */
static bool
write_group(struct condition_writer *w, const struct query_filter *f, size_t n)
{
	bool either = false;

	for (size_t i = 1; i < n; i++)
		either = either || f[i].either;
	if (n == 0)
		return buf_str(&w->sql->text, "1");
	if (!either)
		return write_all(w, f, n);
	for (size_t i = 0; i < n; i++)
		buf_byte(&w->sql->text, '(');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_str(&w->sql->text, f[i].either ? " OR " : " AND ");
		if (!write_filter(w, &f[i]))
			return false;
		buf_byte(&w->sql->text, ')');
	}
	return true;
}

static void
start_condition(struct query_sql *sql, const char *condition)
{
	buf_str(&sql->text, sql->text.len ? " AND " : " WHERE ");
	buf_str(&sql->text, condition);
}

bool
query_where(const struct query *q, struct store *store, bool whole, struct query_sql *sql, char *err, size_t errlen)
{
	struct condition_writer w = { .sql = sql, .query = q, .store = store, .whole = whole, .err = err, .errlen = errlen };

	buf_init(&sql->text, LIMIT_QUERY_SQL);
	sql->binds = NULL;
	sql->nbinds = 0;
	sql->dear = false;
	if (q->have_from) {
		start_condition(sql, "s.timestamp >= ?");
		condition_bind_int(sql, q->from_us);
	}
	if (q->have_to) {
		start_condition(sql, "s.timestamp < ?");
		condition_bind_int(sql, q->to_us);
	}
	if (q->tenant.ptr) {
		start_condition(sql, "s.tenant = ?");
		condition_bind_text(sql, q->tenant);
	}
	if (q->environment.ptr) {
		start_condition(sql, "coalesce(s.environment, '') = ?");
		condition_bind_text(sql, q->environment);
	}
	if (q->sample > 0) {
		start_condition(sql, "span_sample(s.id) < ?");
		condition_bind_int(sql, q->sample);
	}
	if (q->nfilters > 0) {
		start_condition(sql, "");
		w.indexed = store && has_words(q->filters, q->nfilters) ? search_from(store) : 0;
		if (!write_group(&w, q->filters, q->nfilters))
			return false;
	}
	if (sql->text.failed)
		snprintf(err, errlen, "the filters are too many or too long");
	return !sql->text.failed;
}

void
query_order(const struct query *q, struct query_sql *sql)
{
	if (q->sort == QUERY_SCORE) {
		buf_str(&sql->text, "(SELECT max(c.value) FROM score c WHERE c.span = s.n AND"
		    " (c.evaluator_id = ? OR c.evaluator_slug = ?))");
		condition_bind_text(sql, q->sort_key);
		condition_bind_text(sql, q->sort_key);
	} else if (q->sort == SPAN_F_metadata) {
		buf_str(&sql->text, "(SELECT m.value FROM span_meta m WHERE m.span = s.n AND m.key = ?)");
		condition_bind_text(sql, q->sort_key);
	} else if (q->sort < 0 || !column(q->sort, &sql->text))
		buf_str(&sql->text, "s.timestamp");
}

void
query_sql_free(struct query_sql *sql)
{
	buf_free(&sql->text);
	for (size_t i = 0; i < sql->nbinds; i++)
		free(sql->binds[i].own);
	free(sql->binds);
	sql->binds = NULL;
	sql->nbinds = 0;
}
