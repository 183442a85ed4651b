/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces_list: lists of traces, sums over them, and the spans of one, read from
 * the store. Called by the API; only reads. Every value is bound.
 */
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/traces.h"
#include "store/value.h"

enum value_type { TEXT, NUMBER, MONEY, SECONDS, TIME };

static const struct {
	const char	*sql;
	enum value_type	 type;
} fields[TRACES_FIELDS] = {
	[TRACES_ID] = { "t.trace", TEXT }, [TRACES_NAME] = { "t.name", TEXT },
	[TRACES_WORKFLOW] = { "t.workflow", TEXT }, [TRACES_CUSTOMER] = { "t.customer", TEXT },
	[TRACES_ENVIRONMENT] = { "t.environment", TEXT }, [TRACES_MODEL] = { "t.model", TEXT },
	[TRACES_ENDED] = { "t.ended", TIME }, [TRACES_STARTED] = { "t.started", TIME },
	[TRACES_DURATION] = { "t.ended - t.started", SECONDS }, [TRACES_SPANS] = { "t.spans", NUMBER },
	[TRACES_LLM_CALLS] = { "t.llm_calls", NUMBER }, [TRACES_ERRORS] = { "t.errors", NUMBER },
	[TRACES_PROMPT] = { "t.prompt", NUMBER }, [TRACES_COMPLETION] = { "t.completion", NUMBER },
	[TRACES_TOKENS] = { "t.total", NUMBER }, [TRACES_COST] = { "t.cost", MONEY },
	[TRACES_METADATA] = { "m.value", TEXT },
};

enum { AT_TENANT, AT_TRACE, AT_ENVIRONMENT, AT_CUSTOMER, AT_WORKFLOW, AT_MODEL, AT_NAME, AT_STARTED, AT_ENDED, AT_SPANS,
    AT_LLM_CALLS, AT_ERRORS, AT_PROMPT, AT_COMPLETION, AT_TOTAL, AT_COST, AT_ROOT,
    AT_PUBLIC };
static const char row_sql[] =
    "SELECT t.tenant, t.trace, t.environment, t.customer, t.workflow, t.model, t.name, t.started,"
    " t.ended, t.spans, t.llm_calls, t.errors, t.prompt, t.completion, t.total, t.cost, t.root,"
    " EXISTS (SELECT 1 FROM trace_public p WHERE p.trace = t.trace AND p.tenant = t.tenant) FROM"
    " (SELECT t.trace, t.tenant FROM trace t";	/* the page is found by the index alone, where that is enough */

struct traces {
	struct store	*store;
	sqlite3_stmt	*st;
	struct traces_row row;
};

/* A text with its values, in order. */
struct select {
	struct buf	 sql;
	struct query_bind *binds;
	size_t		 nbinds;
};

static struct query_bind *
add_bind(struct select *s)
{
	s->binds = xrealloc(s->binds, (s->nbinds + 1) * sizeof(*s->binds));
	s->binds[s->nbinds] = (struct query_bind){ .type = BIND_INT };
	return &s->binds[s->nbinds++];
}

static void
add_text(struct select *s, struct slice text)
{
	struct query_bind *b = add_bind(s);

	b->type = BIND_TEXT;
	b->s = text;
}

static bool
add_value(struct select *s, const struct traces_filter *f, struct slice value)
{
	struct query_bind *b = add_bind(s);
	int64_t whole;

	switch (fields[f->field].type) {
	case TEXT:
		b->type = BIND_TEXT;
		b->s = value;
		return true;
	case NUMBER:
		if (value_int(value, &whole)) {
			b->i = whole;
			return true;
		}
		b->type = BIND_REAL;
		return value_num(value, &b->r);
	case MONEY:
		return value_decimal(value, 12, &b->i);
	case SECONDS:
		return value_decimal(value, 6, &b->i);
	case TIME:
		return value_time(value, &b->i);
	}
	return false;
}

/* Any of the values: the column stands between `before` and `after`, which
 * holds the value's `?`. */
static bool
add_any(struct select *s, const struct traces_filter *f, const char *before, const char *after)
{
	if (fields[f->field].type != TEXT || f->nvalues == 0)
		return false;
	for (size_t i = 0; i < f->nvalues; i++) {
		buf_str(&s->sql, i ? " OR " : "(");
		buf_str(&s->sql, before);
		buf_str(&s->sql, fields[f->field].sql);
		buf_str(&s->sql, after);
		add_text(s, f->values[i]);
	}
	return buf_str(&s->sql, ")");
}

static bool
add_list(struct select *s, const struct traces_filter *f, bool not)
{
	const char *column = fields[f->field].sql;

	buf_printf(&s->sql, not ? "(%s IS NULL OR %s NOT IN (" : "(%s IS NOT NULL AND %s IN (", column, column);
	for (size_t i = 0; i < f->nvalues; i++) {
		buf_str(&s->sql, i ? ",?" : "?");
		if (!add_value(s, f, f->values[i]))
			return false;
	}
	return buf_str(&s->sql, "))");
}

static bool
add_order(struct select *s, const struct traces_filter *f, const char *op)
{
	buf_printf(&s->sql, "%s %s ?", fields[f->field].sql, op);
	return f->nvalues == 1 && add_value(s, f, f->values[0]);
}

static bool
add_end(struct select *s, const struct traces_filter *f)
{
	if (fields[f->field].type != TEXT || f->nvalues != 1)
		return false;
	buf_printf(&s->sql, "substr(%s, -length(?)) = ?", fields[f->field].sql);
	add_text(s, f->values[0]);
	add_text(s, f->values[0]);
	return true;
}

static bool
add_null(struct select *s, const struct traces_filter *f)
{
	bool yes = true;

	if (f->nvalues > 0 && !value_bool(f->values[0], &yes))
		return false;
	buf_printf(&s->sql, "%s IS %sNULL", fields[f->field].sql, yes ? "" : "NOT ");
	return true;
}

static bool
add_condition(struct select *s, const struct traces_filter *f)
{
	switch (f->op) {
	case TRACES_EQ:
		return add_list(s, f, false);
	case TRACES_NOT:
		return add_list(s, f, true);
	case TRACES_IEQ:
		return add_any(s, f, "lower(", ") = lower(?)");
	case TRACES_LT:
		return add_order(s, f, "<");
	case TRACES_LTE:
		return add_order(s, f, "<=");
	case TRACES_GT:
		return add_order(s, f, ">");
	case TRACES_GTE:
		return add_order(s, f, ">=");
	case TRACES_CONTAINS:
		return add_any(s, f, "0 < instr(", ", ?)");
	case TRACES_ICONTAINS:
		return add_any(s, f, "0 < instr(lower(", "), lower(?))");
	case TRACES_STARTS:
		return add_any(s, f, "1 = instr(", ", ?)");
	case TRACES_ENDS:
		return add_end(s, f);
	case TRACES_ISNULL:
		return add_null(s, f);
	}
	return false;
}

/* One key of the root's metadata. */
static bool
add_metadata(struct select *s, const struct traces_filter *f)
{
	struct traces_filter inner = *f;
	bool yes = true, absent = f->op == TRACES_NOT;

	if (f->op == TRACES_ISNULL) {
		if (f->nvalues > 0 && !value_bool(f->values[0], &yes))
			return false;
		absent = yes;
	}
	buf_printf(&s->sql, "%sEXISTS (SELECT 1 FROM span_meta m WHERE m.span = t.root AND m.key = ?", absent ? "NOT " : "");
	add_text(s, f->key);
	if (f->op != TRACES_ISNULL) {
		inner.op = f->op == TRACES_NOT ? TRACES_EQ : f->op;
		buf_str(&s->sql, " AND ");
		if (!add_condition(s, &inner))
			return false;
	}
	return buf_str(&s->sql, ")");
}

static bool
add_where(struct select *s, const struct traces_query *q)
{
	bool good = true;

	buf_str(&s->sql, " WHERE 1");
	if (q->have_from) {
		buf_str(&s->sql, " AND t.ended >= ?");
		add_bind(s)->i = q->from_us;
	}
	if (q->have_to) {
		buf_str(&s->sql, " AND t.ended < ?");
		add_bind(s)->i = q->to_us;
	}
	if (q->tenant.ptr) {
		buf_str(&s->sql, " AND t.tenant = ?");
		add_text(s, q->tenant);
	}
	for (size_t i = 0; i < q->nfilters && good; i++) {
		buf_str(&s->sql, " AND ");
		good = q->filters[i].field == TRACES_METADATA ? add_metadata(s, &q->filters[i]) :
		    add_condition(s, &q->filters[i]);
	}
	return good && !s->sql.failed;
}

/* Prepares the text, binds its values, frees both. */
static int
prepare(struct store *store, struct select *s, bool good, sqlite3_stmt **st)
{
	int rc = SQLITE_RANGE;

	*st = NULL;
	if (good && !s->sql.failed)
		rc = sqlite3_prepare_v2(store->db, s->sql.ptr, (int)s->sql.len, st, NULL);
	for (size_t i = 0; i < s->nbinds && rc == SQLITE_OK; i++) {
		const struct query_bind *b = &s->binds[i];
		int at = (int)i + 1;

		if (b->type == BIND_TEXT)
			rc = sqlite3_bind_text(*st, at, b->s.ptr ? b->s.ptr : "", (int)b->s.len, SQLITE_TRANSIENT);
		else if (b->type == BIND_REAL)
			rc = sqlite3_bind_double(*st, at, b->r);
		else
			rc = sqlite3_bind_int64(*st, at, b->i);
	}
	buf_free(&s->sql);
	free(s->binds);
	return store_code(rc);
}

static void
add_order_by(struct select *s, const struct traces_query *q)
{
	const char *down = q->ascending ? "" : " DESC";

	buf_printf(&s->sql, " ORDER BY %s%s, t.tenant%s, t.trace%s", fields[q->sort].sql, down, down, down);
}

int
traces_select(struct store *store, const struct traces_query *q, struct traces **out)
{
	struct select s = { .binds = NULL };
	struct traces *traces;
	sqlite3_stmt *st;
	bool good;
	int rc;

	*out = NULL;
	buf_init(&s.sql, LIMIT_QUERY_SQL);
	buf_str(&s.sql, row_sql);
	good = add_where(&s, q) && q->sort != TRACES_METADATA;
	add_order_by(&s, q);
	buf_str(&s.sql, " LIMIT ? OFFSET ?) k CROSS JOIN trace t USING(trace, tenant)");
	add_bind(&s)->i = q->limit ? (int64_t)q->limit : -1;
	add_bind(&s)->i = (int64_t)q->offset;
	add_order_by(&s, q);
	rc = prepare(store, &s, good, &st);
	if (rc != STORE_OK) {
		sqlite3_finalize(st);
		return rc;
	}
	traces = xcalloc(1, sizeof(*traces));
	traces->store = store;
	traces->st = st;
	*out = traces;
	return STORE_OK;
}

static struct slice
column_text(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	return p ? slice_make(p, (size_t)sqlite3_column_bytes(st, i)) : SLICE_NONE;
}

int
traces_next(struct traces *traces, const struct traces_row **out)
{
	sqlite3_stmt *st = traces->st;
	int rc = sqlite3_step(st);

	if (rc != SQLITE_ROW)
		return store_code(rc);
	traces->row = (struct traces_row){
		.tenant = column_text(st, AT_TENANT), .trace = column_text(st, AT_TRACE),
		.environment = column_text(st, AT_ENVIRONMENT), .customer = column_text(st, AT_CUSTOMER),
		.workflow = column_text(st, AT_WORKFLOW), .model = column_text(st, AT_MODEL),
		.name = column_text(st, AT_NAME), .started = sqlite3_column_int64(st, AT_STARTED),
		.ended = sqlite3_column_int64(st, AT_ENDED), .spans = sqlite3_column_int64(st, AT_SPANS),
		.llm_calls = sqlite3_column_int64(st, AT_LLM_CALLS), .errors = sqlite3_column_int64(st, AT_ERRORS),
		.prompt = sqlite3_column_int64(st, AT_PROMPT), .completion = sqlite3_column_int64(st, AT_COMPLETION),
		.total = sqlite3_column_int64(st, AT_TOTAL), .cost = sqlite3_column_int64(st, AT_COST),
		.root = sqlite3_column_int64(st, AT_ROOT),
		.public = sqlite3_column_int(st, AT_PUBLIC),
	};
	*out = &traces->row;
	return STORE_ROW;
}

void
traces_done(struct traces *traces)
{
	if (!traces)
		return;
	sqlite3_finalize(traces->st);
	free(traces);
}

/* One row of numbers of SELECT ... FROM trace t; out[0] up to n. */
static int
read_numbers(struct store *store, const char *what, const struct traces_query *q, uint64_t most, int64_t *out, int n)
{
	struct select s = { .binds = NULL };
	sqlite3_stmt *st;
	bool good;
	int rc;

	buf_init(&s.sql, LIMIT_QUERY_SQL);
	buf_str(&s.sql, what);
	good = add_where(&s, q);
	if (most > 0) {
		buf_str(&s.sql, " LIMIT ?)");
		add_bind(&s)->i = (int64_t)most;
	}
	rc = prepare(store, &s, good, &st);
	if (rc == STORE_OK) {
		rc = sqlite3_step(st);
		for (int i = 0; i < n && rc == SQLITE_ROW; i++)
			out[i] = sqlite3_column_int64(st, i);
		rc = rc == SQLITE_ROW ? STORE_OK : store_code(rc);
	}
	sqlite3_finalize(st);
	return rc;
}

int
traces_count(struct store *store, const struct traces_query *q, uint64_t most, uint64_t *out)
{
	int64_t n = 0;
	int rc = read_numbers(store, "SELECT count(*) FROM (SELECT 1 FROM trace t", q, most + 1, &n, 1);

	*out = (uint64_t)n;
	return rc;
}

int
traces_sum(struct store *store, const struct traces_query *q, struct traces_sums *sums)
{
	int64_t v[10] = { 0 };
	int rc;

	rc = read_numbers(store, "SELECT count(*), sum(t.cost), sum(t.prompt), sum(t.completion), sum(t.total),"
	    " sum(t.ended - t.started), sum(t.spans), sum(t.llm_calls), sum(t.errors), sum(t.errors > 0) FROM trace t",
	    q, 0, v, 10);
	*sums = (struct traces_sums){ v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9] };
	return rc;
}

static struct slice
keep_text(sqlite3_stmt *st, int i, struct buf *texts, size_t *at)
{
	struct slice s = column_text(st, i);

	*at = texts->len;
	return s.ptr && buf_slice(texts, s) ? s : SLICE_NONE;
}

int
traces_spans(struct store *store, struct slice tenant, struct slice trace, size_t most, struct traces_span **spans,
    size_t *n, struct buf *texts)
{
	struct select s = { .binds = NULL };
	enum { TEXTS = 5 };
	size_t cap = 0, (*at)[TEXTS] = NULL;
	sqlite3_stmt *st;
	int rc;

	*spans = NULL;
	*n = 0;
	buf_init(&s.sql, LIMIT_QUERY_SQL);
	buf_str(&s.sql, "SELECT s.n, s.span_unique_id, s.span_parent_id, s.span_path, s.span_name, s.log_type, s.id,"
	    " coalesce(s.start_time, s.timestamp), s.timestamp FROM span s WHERE s.trace_unique_id = ?");
	add_text(&s, trace);
	if (tenant.ptr) {
		buf_str(&s.sql, " AND s.tenant = ?");
		add_text(&s, tenant);
	}
	buf_str(&s.sql, " ORDER BY coalesce(s.start_time, s.timestamp), s.n LIMIT ?");
	add_bind(&s)->i = (int64_t)most;
	rc = prepare(store, &s, true, &st);
	while (rc == STORE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 64;
			*spans = xrealloc(*spans, cap * sizeof(**spans));
			at = xrealloc(at, cap * sizeof(*at));
		}
		(*spans)[*n] = (struct traces_span){ .n = sqlite3_column_int64(st, 0),
		    .id = keep_text(st, 1, texts, &at[*n][0]), .parent = keep_text(st, 2, texts, &at[*n][1]),
		    .path = keep_text(st, 3, texts, &at[*n][2]), .name = keep_text(st, 4, texts, &at[*n][3]),
		    .type = keep_text(st, 5, texts, &at[*n][4]),
		    .start = sqlite3_column_int64(st, 7), .end = sqlite3_column_int64(st, 8) };
		if (sqlite3_column_bytes(st, 6) == 16)
			memcpy((*spans)[*n].id16, sqlite3_column_blob(st, 6), 16);
		++*n;
		rc = STORE_OK;
	}
	sqlite3_finalize(st);
	for (size_t i = 0; i < *n; i++) {	/* the texts stay where they are now */
		struct slice *kept[TEXTS] = { &(*spans)[i].id, &(*spans)[i].parent, &(*spans)[i].path, &(*spans)[i].name,
		    &(*spans)[i].type };

		for (int k = 0; k < TEXTS; k++)
			if (kept[k]->ptr)
				kept[k]->ptr = texts->ptr + at[i][k];
	}
	free(at);
	if (rc == SQLITE_DONE)
		rc = STORE_OK;
	return rc == STORE_OK && *n == 0 ? STORE_NOT_FOUND : rc;
}
