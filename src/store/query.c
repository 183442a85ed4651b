/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: what a list is asked for as a WHERE clause with its values. Every
 * value is bound, never printed into the SQL. Called by rows.c, and by the API
 * and the command line to tell people early what is wrong with a filter.
 */
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "span/span.h"
#include "store/db.h"
#include "store/value.h"

/* Fields that stand elsewhere than in a column of their own name. */
static const struct {
	int		 field;
	const char	*column;
} query_others[] = {
	{ SPAN_F_id, "s.id" },
	{ SPAN_F_unique_id, "s.id" },
	{ SPAN_F_is_pinned, "e.is_pinned" },
	{ SPAN_F_positive_feedback, "e.positive_feedback" },
	{ SPAN_F_note, "e.note" },
	{ SPAN_F_blurred, "e.blurred" },
};

static const char *const op_names[] = {
	[QUERY_EQ] = "=", [QUERY_LT] = "<", [QUERY_LTE] = "<=", [QUERY_GT] = ">", [QUERY_GTE] = ">=",
};

static bool
is_id(int field)
{
	return field == SPAN_F_id || field == SPAN_F_unique_id;
}

void
query_column(int field, struct buf *out)
{
	for (int i = 0; i < STORE_COLUMNS; i++)
		if (store_columns[i].field == field)
			buf_printf(out, "s.%s", store_columns[i].name);
	for (size_t i = 0; i < sizeof(query_others) / sizeof(query_others[0]); i++)
		if (query_others[i].field == field)
			buf_str(out, query_others[i].column);
}

bool
query_field_ok(int field)
{
	for (int i = 0; i < STORE_COLUMNS; i++)
		if (store_columns[i].field == field)
			return true;
	for (size_t i = 0; i < sizeof(query_others) / sizeof(query_others[0]); i++)
		if (query_others[i].field == field)
			return true;
	return false;
}

/* The start of an id, as the least or the greatest id that begins with it. */
static bool
bind_id(struct slice value, enum query_op op, uint8_t out[16])
{
	char text[33];
	bool low = op == QUERY_GTE || op == QUERY_LT;

	if (op == QUERY_EQ || op == QUERY_NOT || op == QUERY_IN || value.len >= 32)
		return value_id(value, out);
	memset(text, low ? '0' : 'f', 32);
	memcpy(text, value.ptr, value.len);
	return value_id(slice_make(text, 32), out);
}

/* The value of a filter as its field's column holds it. */
static bool
bind_value(struct query_bind *b, const struct query_filter *f, struct slice value)
{
	bool flag = false;

	if (is_id(f->field)) {
		b->type = BIND_BLOB;
		return bind_id(value, f->op, b->id);
	}
	b->type = BIND_INT;
	switch (f->op == QUERY_CONTAINS ? SPAN_TEXT : span_fields[f->field].type) {
	case SPAN_INT:
		return value_int(value, &b->i);
	case SPAN_BOOL:
		if (!value_bool(value, &flag))
			return false;
		b->i = flag;
		return true;
	case SPAN_TIME:
		return value_time(value, &b->i);
	case SPAN_SECS:
		return value_decimal(value, 6, &b->i);
	case SPAN_COST:
		return value_decimal(value, 12, &b->i);
	case SPAN_NUM:
		b->type = BIND_REAL;
		return value_num(value, &b->r);
	case SPAN_TEXT:
	case SPAN_JSON:
		break;
	}
	b->type = BIND_TEXT;
	b->s = value;
	return true;
}

static struct query_bind *
add_bind(struct query_sql *sql)
{
	sql->binds = xrealloc(sql->binds, (sql->nbinds + 1) * sizeof(*sql->binds));
	sql->binds[sql->nbinds] = (struct query_bind){ .type = BIND_INT };
	return &sql->binds[sql->nbinds++];
}

static void
add_text(struct query_sql *sql, struct slice text)
{
	struct query_bind *b = add_bind(sql);

	b->type = BIND_TEXT;
	b->s = text;
}

static void
add_int(struct query_sql *sql, const char *condition, int64_t value)
{
	buf_printf(&sql->text, "%s%s", sql->text.len ? " AND " : " WHERE ", condition);
	add_bind(sql)->i = value;
}

/* An older API calls chats and completions `text`: either name finds both. */
static bool
is_text_type(const struct query_filter *f, struct slice value)
{
	return f->field == SPAN_F_log_type && (f->op == QUERY_EQ || f->op == QUERY_IN) &&
	    (slice_caseeq(value, SLICE("text")) || slice_caseeq(value, SLICE("completion")));
}

static bool
add_values(struct query_sql *sql, const struct query_filter *f)
{
	for (size_t i = 0; i < f->nvalues; i++) {
		buf_str(&sql->text, i ? ",?" : "?");
		if (!bind_value(add_bind(sql), f, f->values[i]))
			return false;
		if (is_text_type(f, f->values[i])) {
			buf_str(&sql->text, ",?,?");
			add_text(sql, SLICE("text"));
			add_text(sql, SLICE("completion"));
		}
	}
	return true;
}

static bool
add_isnull(struct query_sql *sql, const struct query_filter *f, struct slice column)
{
	bool yes = true;

	if (f->nvalues > 0 && !value_bool(f->values[0], &yes))
		return false;
	buf_slice(&sql->text, column);
	buf_str(&sql->text, yes ? " IS NULL" : " IS NOT NULL");
	return true;
}

/* The condition on one column; more than one value is one of them (or none of
 * them for `not`). */
static bool
add_condition(struct query_sql *sql, const struct query_filter *f, struct slice column)
{
	if (f->op == QUERY_ISNULL)
		return add_isnull(sql, f, column);
	if (f->nvalues == 0 && f->op != QUERY_IN)
		return false;
	if (f->op == QUERY_CONTAINS) {
		buf_printf(&sql->text, "instr(%.*s, ?) > 0", (int)column.len, column.ptr);
		return bind_value(add_bind(sql), f, f->values[0]);
	}
	if (f->op == QUERY_NOT)
		buf_printf(&sql->text, "(%.*s IS NULL OR %.*s NOT IN (", (int)column.len, column.ptr,
		    (int)column.len, column.ptr);
	else if (f->op == QUERY_IN || f->op == QUERY_EQ)
		buf_printf(&sql->text, "(%.*s IN (", (int)column.len, column.ptr);
	else {
		buf_printf(&sql->text, "%.*s %s ?", (int)column.len, column.ptr, op_names[f->op]);
		return bind_value(add_bind(sql), f, f->values[0]);
	}
	if (!add_values(sql, f))
		return false;
	return buf_str(&sql->text, "))");
}

/* A condition on one key of the metadata. */
static bool
add_metadata(struct query_sql *sql, const struct query_filter *f)
{
	struct query_filter inner = *f;
	bool yes = true, absent = f->op == QUERY_NOT;

	if (f->op == QUERY_ISNULL) {
		if (f->nvalues > 0 && !value_bool(f->values[0], &yes))
			return false;
		absent = yes;
	}
	buf_printf(&sql->text, "%s (SELECT 1 FROM span_meta m WHERE m.span = s.n AND m.key = ?",
	    absent ? "NOT EXISTS" : "EXISTS");
	add_text(sql, f->key);
	if (f->op != QUERY_ISNULL) {
		if (f->op == QUERY_NOT)
			inner.op = QUERY_EQ;
		buf_str(&sql->text, " AND ");
		if (!add_condition(sql, &inner, SLICE("m.value")))
			return false;
	}
	return buf_str(&sql->text, ")");
}

static bool
add_filter(struct query_sql *sql, const struct query_filter *f)
{
	char name[64];
	struct buf column;
	bool good;

	buf_str(&sql->text, sql->text.len ? " AND " : " WHERE ");
	if (f->field == SPAN_F_metadata && f->key.ptr)
		return add_metadata(sql, f);
	buf_init(&column, sizeof(name));
	query_column(f->field, &column);
	good = column.len > 0 && add_condition(sql, f, buf_view(&column));
	buf_free(&column);
	return good;
}

static void
filter_error(const struct query_filter *f, char *err, size_t errlen)
{
	static const char *const expected[] = {
		[SPAN_TEXT] = "a text", [SPAN_JSON] = "a text", [SPAN_INT] = "a whole number",
		[SPAN_NUM] = "a number", [SPAN_BOOL] = "true or false", [SPAN_TIME] = "a time (ISO 8601)",
		[SPAN_SECS] = "seconds", [SPAN_COST] = "an amount in USD",
	};
	struct slice value = f->nvalues ? value_cut(f->values[0], 100) : SLICE("");
	const char *name = span_fields[f->field].name;

	if (f->field != SPAN_F_metadata && !query_field_ok(f->field))
		snprintf(err, errlen, "lists cannot be filtered by %s", name);
	else if (f->nvalues == 0)
		snprintf(err, errlen, "filter %s: no value is given", name);
	else
		snprintf(err, errlen, "filter %s: '%.*s' is not %s", name, (int)value.len, value.ptr,
		    f->op == QUERY_ISNULL ? "true or false" : is_id(f->field) ? "an id of 32 hex digits" :
		    expected[span_fields[f->field].type]);
}

bool
query_where(const struct query *q, struct query_sql *sql, char *err, size_t errlen)
{
	buf_init(&sql->text, LIMIT_QUERY_SQL);
	sql->binds = NULL;
	sql->nbinds = 0;
	if (q->have_from)
		add_int(sql, "s.timestamp >= ?", q->from_us);
	if (q->have_to)
		add_int(sql, "s.timestamp < ?", q->to_us);
	if (q->tenant.ptr) {
		buf_str(&sql->text, sql->text.len ? " AND s.tenant = ?" : " WHERE s.tenant = ?");
		add_text(sql, q->tenant);
	}
	for (size_t i = 0; i < q->nfilters; i++)
		if (!add_filter(sql, &q->filters[i])) {
			filter_error(&q->filters[i], err, errlen);
			return false;
		}
	if (sql->text.failed)
		snprintf(err, errlen, "the filters are too many or too long");
	return !sql->text.failed;
}

void
query_sql_free(struct query_sql *sql)
{
	buf_free(&sql->text);
	free(sql->binds);
	sql->binds = NULL;
}
