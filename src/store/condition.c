/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition: what an operator asks of a column, by the column's type. What does
 * not fit is refused with the field's, the operator's and the value's name.
 */
#include "store/condition.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"
#include "store/match.h"
#include "store/value.h"

static const struct {
	const char	*name;
	const char	*sign;		/* of comparisons */
	int		 match;		/* enum match_mode, or -1 */
} ops[QUERY_OPS] = {
	[QUERY_EQ] = { "=", NULL, -1 }, [QUERY_NOT] = { "not", NULL, -1 }, [QUERY_LT] = { "lt", "<", -1 },
	[QUERY_LTE] = { "lte", "<=", -1 }, [QUERY_GT] = { "gt", ">", -1 }, [QUERY_GTE] = { "gte", ">=", -1 },
	[QUERY_CONTAINS] = { "contains", NULL, MATCH_CONTAINS }, [QUERY_IN] = { "in", NULL, -1 },
	[QUERY_ISNULL] = { "isnull", NULL, -1 }, [QUERY_IEXACT] = { "iexact", NULL, MATCH_IEXACT },
	[QUERY_ICONTAINS] = { "icontains", NULL, MATCH_ICONTAINS }, [QUERY_STARTS] = { "startswith", NULL, MATCH_STARTS },
	[QUERY_ENDS] = { "endswith", NULL, MATCH_ENDS }, [QUERY_REGEX] = { "regex", NULL, MATCH_REGEX },
	[QUERY_ILIKE] = { "ilike", NULL, MATCH_ILIKE }, [QUERY_WORDS] = { "full_text_search", NULL, MATCH_ICONTAINS },
	[QUERY_EMPTY] = { "empty", NULL, -1 }, [QUERY_HAS_KEY] = { "mapContainsKey", NULL, -1 },
};

const char *
query_op_name(enum query_op op)
{
	return ops[op].name;
}

static struct query_bind *
add_bind(struct query_sql *sql)
{
	sql->binds = xrealloc(sql->binds, (sql->nbinds + 1) * sizeof(*sql->binds));
	sql->binds[sql->nbinds] = (struct query_bind){ .type = BIND_INT };
	return &sql->binds[sql->nbinds++];
}

void
condition_bind_int(struct query_sql *sql, int64_t v)
{
	add_bind(sql)->i = v;
}

void
condition_bind_text(struct query_sql *sql, struct slice text)
{
	struct query_bind *b = add_bind(sql);

	b->type = BIND_TEXT;
	b->s = text;
}

void
condition_bind_copy(struct query_sql *sql, struct slice text)
{
	struct query_bind *b = add_bind(sql);

	b->type = BIND_TEXT;
	b->own = xstrndup(text.ptr, text.len);
	b->s = slice_make(b->own, text.len);
}

static void
bind_real(struct query_sql *sql, double v)
{
	struct query_bind *b = add_bind(sql);

	b->type = BIND_REAL;
	b->r = v;
}

static const char *
field_name(int field)
{
	static const char *const names[] = { "failed", "is_root_span", "cache_hit", "has_tool_calls", "organization_id",
	    "scores", "evaluator_id", "cache_key" };

	if (field >= SPAN_FIELDS && field < QUERY_FIELDS)
		return names[field - SPAN_FIELDS];
	return field >= 0 && field < SPAN_FIELDS ? span_fields[field].name : "(none)";
}

static bool
is_id(int field)
{
	return field == SPAN_F_id || field == SPAN_F_unique_id;
}

bool
condition_refuse(struct condition_writer *w, const struct query_filter *f, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(w->err, w->errlen, "filter %s%s%.*s: ", field_name(f->field), f->key.ptr ? "__" : "",
	    f->key.ptr ? (int)value_cut(f->key, 60).len : 0, f->key.ptr ? f->key.ptr : "");
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < w->errlen)
		vsnprintf(w->err + n, w->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static const char *
kind_of(const struct query_filter *f, enum span_type type)
{
	static const char *const kinds[] = {
		[SPAN_TEXT] = "a text", [SPAN_JSON] = "a text", [SPAN_INT] = "a whole number",
		[SPAN_NUM] = "a number", [SPAN_BOOL] = "true or false", [SPAN_TIME] = "a time (ISO 8601)",
		[SPAN_SECS] = "seconds", [SPAN_COST] = "an amount in USD",
	};

	return is_id(f->field) ? "an id of 32 hex digits" : kinds[type];
}

static bool
refuse_value(struct condition_writer *w, const struct query_filter *f, struct slice value, const char *kind)
{
	if (!value.ptr)
		return condition_refuse(w, f, "null is not %s (isnull asks for it)", kind);
	return condition_refuse(w, f, "'%.*s' is not %s", (int)value_cut(value, 100).len, value.ptr, kind);
}

bool
condition_flag(struct condition_writer *w, const struct query_filter *f, bool *flag)
{
	*flag = true;
	if (f->nvalues > 0 && f->values[0].len > 0 && !value_bool(f->values[0], flag))
		return refuse_value(w, f, f->values[0], "true or false");
	return true;
}

/* The start of an id, as the least or the greatest id that begins with it. */
static bool
bind_id(struct slice value, enum query_op op, uint8_t out[16])
{
	char text[33];
	bool low = op == QUERY_GTE || op == QUERY_LT;

	if (op == QUERY_EQ || op == QUERY_IN || value.len >= 32)
		return value_id(value, out);
	memset(text, low ? '0' : 'f', 32);
	memcpy(text, value.ptr, value.len);
	return value_id(slice_make(text, 32), out);
}

/* The value as its column holds it. */
static bool
bind_value(struct query_bind *b, const struct query_filter *f, struct slice value, enum span_type type)
{
	bool flag = false;

	if (is_id(f->field)) {
		b->type = BIND_BLOB;
		return value.ptr && bind_id(value, f->op, b->id);
	}
	switch (type) {
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

/* Types of spans that have had more than one name: each finds all of them. */
static size_t
type_names(struct slice value, struct slice names[3])
{
	static const char *const groups[][3] = {
		{ "text", "completion", NULL }, { "workflow", "trace", NULL }, { "task", "step", NULL },
		{ "generation", "llm", "model" },
	};

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (int i = 0; i < 3 && groups[g][i]; i++)
			if (slice_caseeq(value, slice_str(groups[g][i]))) {
				size_t n = 0;

				for (; n < 3 && groups[g][n]; n++)
					names[n] = slice_str(groups[g][n]);
				return n;
			}
	names[0] = value;
	return 1;
}

/* A score is a number, true or false, or a text in a column of its own. */
static bool
write_score(struct query_sql *sql, struct slice value)
{
	bool flag;
	double d;

	if (value_num(value, &d) || value_bool(value, &flag)) {
		buf_str(&sql->text, "c.value = ?");
		bind_real(sql, value_num(value, &d) ? d : flag ? 1 : 0);
	} else {
		buf_str(&sql->text, "c.text = ?");
		condition_bind_text(sql, value);
	}
	return true;
}

/* A text of unknown kind is also equal to the same number written otherwise. */
static void
write_same_number(struct query_sql *sql, struct slice column, struct slice value)
{
	double d;

	if (!value_num(value, &d))
		return;
	buf_printf(&sql->text, " OR span_num(%.*s) = ?", (int)column.len, column.ptr);
	bind_real(sql, d);
}

/* One value after `column IN (`. */
static bool
write_in(struct condition_writer *w, const struct query_filter *f, struct slice value, enum span_type type)
{
	struct slice names[3];
	size_t n = 1;

	names[0] = value;
	if (f->field == SPAN_F_log_type)
		n = type_names(value, names);
	for (size_t i = 0; i < n; i++) {
		buf_str(&w->sql->text, i ? ",?" : "?");
		if (!bind_value(add_bind(w->sql), f, names[i], type))
			return refuse_value(w, f, value, kind_of(f, type));
	}
	return true;
}

static bool
write_equal(struct condition_writer *w, const struct query_filter *f, struct slice column, enum span_type type)
{
	struct query_sql *sql = w->sql;
	bool text = type == SPAN_TEXT || type == SPAN_JSON, null = false, any = false;

	if (f->field == QUERY_SCORE) {
		for (size_t i = 0; i < f->nvalues; i++)
			if (buf_str(&sql->text, i ? " OR " : "") && !write_score(sql, f->values[i]))
				return false;
		return f->nvalues > 0 || buf_str(&sql->text, "0");
	}
	for (size_t i = 0; i < f->nvalues; i++) {
		if (!f->values[i].ptr || (text && f->values[i].len == 0)) {
			null = true;
			continue;
		}
		if (!any)
			buf_printf(&sql->text, "%.*s%s IN (", (int)column.len, column.ptr,
			    f->field == SPAN_F_log_type ? " COLLATE NOCASE" : "");
		buf_str(&sql->text, any ? "," : "");
		any = true;
		if (!write_in(w, f, f->values[i], type))
			return false;
	}
	buf_str(&sql->text, any ? ")" : "0");
	if (null)
		buf_printf(&sql->text, " OR %.*s IS NULL", (int)column.len, column.ptr);
	if (null && text)
		buf_printf(&sql->text, " OR %.*s = ''", (int)column.len, column.ptr);
	for (size_t i = 0; i < f->nvalues && type == SPAN_JSON; i++)
		write_same_number(sql, column, f->values[i]);
	return true;
}

/* Greater and less; of a text of unknown kind, by number where the value is one. */
static bool
write_compare(struct condition_writer *w, const struct query_filter *f, struct slice column, struct slice value,
    enum span_type type)
{
	bool number = false;
	double d;

	if (type == SPAN_JSON)
		number = value_num(value, &d);
	buf_printf(&w->sql->text, number ? "span_num(%.*s) %s ?" : "%.*s %s ?", (int)column.len, column.ptr,
	    ops[f->op].sign);
	if (number)
		bind_real(w->sql, d);
	else if (!value.ptr || !bind_value(add_bind(w->sql), f, value, type))
		return refuse_value(w, f, value, kind_of(f, type));
	return true;
}

/* One look-up of one text. */
static bool
write_match(struct condition_writer *w, const struct query_filter *f, struct slice column, struct slice value)
{
	char err[200];
	struct match *m = match_new((enum match_mode)ops[f->op].match, value, err, sizeof(err));

	if (!m)
		return condition_refuse(w, f, "'%.*s' cannot be looked for: %s", (int)value_cut(value, 60).len,
		    value.ptr ? value.ptr : "", err);
	match_free(m);
	buf_printf(&w->sql->text, "span_match(%d, ?, %.*s)", ops[f->op].match, (int)column.len, column.ptr);
	condition_bind_text(w->sql, value);
	return true;
}

/* All words of the value. */
static bool
write_words(struct condition_writer *w, const struct query_filter *f, struct slice column, struct slice value)
{
	const char *and = "(";

	while (value.len > 0) {
		struct slice word = value;
		size_t n = 0;

		while (n < value.len && !strchr(" \t\r\n", value.ptr[n]))
			n++;
		word.len = n;
		value = slice_from(value, n < value.len ? n + 1 : n);
		if (n == 0)
			continue;
		buf_str(&w->sql->text, and);
		and = " AND ";
		if (!write_match(w, f, column, word))
			return false;
	}
	if (*and == '(')
		buf_printf(&w->sql->text, "(%.*s IS NOT NULL", (int)column.len, column.ptr);
	return buf_str(&w->sql->text, ")");
}

/* The column as a text to look into; false: it is none. */
static bool
as_text(const struct query_filter *f, struct slice column, enum span_type type, struct buf *out)
{
	if (is_id(f->field))
		return buf_printf(out, "lower(hex(%.*s))", (int)column.len, column.ptr);
	if (f->field == QUERY_SCORE)
		return buf_str(out, "c.text");
	if (type == SPAN_INT)
		return buf_printf(out, "CAST(%.*s AS TEXT)", (int)column.len, column.ptr);
	return (type == SPAN_TEXT || type == SPAN_JSON) && buf_slice(out, column);
}

/* An operator that looks into a text, of one value. */
static bool
write_text(struct condition_writer *w, const struct query_filter *f, struct slice column, struct slice value,
    enum span_type type)
{
	struct buf text;
	bool good;

	buf_init(&text, column.len + 40);
	if (!as_text(f, column, type, &text))
		good = condition_refuse(w, f, "the operator %s is for texts, and this is %s", ops[f->op].name,
		    kind_of(f, type));
	else if (f->op == QUERY_WORDS)
		good = write_words(w, f, buf_view(&text), value);
	else
		good = write_match(w, f, buf_view(&text), value);
	buf_free(&text);
	return good;
}

static bool
write_null(struct condition_writer *w, const struct query_filter *f, struct slice column, enum span_type type)
{
	struct buf *sql = &w->sql->text;
	bool yes;

	if (!condition_flag(w, f, &yes))
		return false;
	if (f->op == QUERY_EMPTY && (type == SPAN_TEXT || type == SPAN_JSON) && !is_id(f->field)) {
		buf_printf(sql, "%scoalesce(%.*s, '') IN (''%s)", yes ? "" : "NOT ", (int)column.len, column.ptr,
		    type == SPAN_JSON ? ", '[]', '{}', 'null'" : "");
		return true;
	}
	return buf_printf(sql, "%.*s IS %sNULL", (int)column.len, column.ptr, yes ? "" : "NOT ");
}

bool
condition_write(struct condition_writer *w, const struct query_filter *f, struct slice column, enum span_type type)
{
	buf_byte(&w->sql->text, '(');
	if (f->op == QUERY_ISNULL || f->op == QUERY_EMPTY) {
		if (!write_null(w, f, column, type))
			return false;
	} else if (f->op == QUERY_EQ || f->op == QUERY_IN) {
		if (f->nvalues == 0 && f->op == QUERY_EQ)
			return condition_refuse(w, f, "no value is given");
		if (!write_equal(w, f, column, type))
			return false;
	} else if (f->nvalues == 0)
		return condition_refuse(w, f, "no value is given");
	else
		for (size_t i = 0; i < f->nvalues; i++) {
			buf_str(&w->sql->text, i ? " OR " : "");
			if (!(ops[f->op].sign ? write_compare(w, f, column, f->values[i], type) :
			    write_text(w, f, column, f->values[i], type)))
				return false;
		}
	return buf_byte(&w->sql->text, ')');
}
