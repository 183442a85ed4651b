/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summary: see summary.h. Whole ticks or days come from the sums that are kept
 * beside the rows, where the filters allow; the ends of the window, and all of
 * it under other filters, are added up row by row.
 */
#include "store/summary.h"

#include <stdio.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"

#define SUMS 10
#define DAY_US (INT64_C(86400) * 1000000)
#define COUNTS "coalesce(s.counts, CASE WHEN s.billable IS 0 THEN 0 ELSE 3 END)"

/* In the order of struct summary. */
static const char sum_rows[] =
    "SELECT count(*), sum(c & 1), sum((c >> 1) * coalesce(prompt_tokens, 0)),"
    " sum((c >> 1) * coalesce(completion_tokens, 0)), sum((c >> 1) * coalesce(total_request_tokens, 0)),"
    " sum((c >> 1) * coalesce(cost_pico, 0)), sum((c & 1) * coalesce(latency_us, 0)),"
    " sum((c & 1) * (latency_us IS NOT NULL)), sum((c & 1) * coalesce(ttft_us, 0)),"
    " sum((c & 1) * (ttft_us IS NOT NULL)) FROM (SELECT " COUNTS " AS c, s.prompt_tokens, s.completion_tokens,"
    " s.total_request_tokens, s.cost_pico, s.latency_us, s.ttft_us";
static const char sum_ticks[] =
    "SELECT sum(rows), sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),"
    " sum(cost_pico), sum(latency_us), sum(latency_count), sum(ttft_us), sum(ttft_count)"
    " FROM span_tick WHERE tick >= ? AND tick < ?";
static const char sum_days[] =
    "SELECT 0, sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),"
    " sum(cost_pico), sum(latency_us), sum(latency_count), sum(ttft_us), sum(ttft_count)"
    " FROM rollup WHERE expired = 0 AND day >= ? AND day < ?";

/* Steps a statement that gives one row of sums, adds it up and ends it. */
static int
take_sums(sqlite3_stmt *st, struct summary *s)
{
	int64_t *const sums[SUMS] = { &s->rows, &s->requests, &s->prompt_tokens, &s->completion_tokens, &s->total_tokens,
	    &s->cost_pico, &s->latency_us, &s->latency_count, &s->ttft_us, &s->ttft_count };
	int rc = sqlite3_step(st);

	for (int i = 0; i < SUMS && rc == SQLITE_ROW; i++)
		if (__builtin_add_overflow(*sums[i], sqlite3_column_int64(st, i), sums[i]))
			*sums[i] = INT64_MAX;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

/* The rows of a query from `from` on and before `to`. */
static int
add_rows(struct store *store, const struct query *q, int64_t from, int64_t to, struct summary *s)
{
	struct query part = *q;
	struct query_sql where;
	sqlite3_stmt *st = NULL;
	struct buf sql;
	char err[300];
	int rc;

	if (from > INT64_MIN && (!q->have_from || q->from_us < from)) {
		part.have_from = true;
		part.from_us = from;
	}
	if (to < INT64_MAX && (!q->have_to || q->to_us > to)) {
		part.have_to = true;
		part.to_us = to;
	}
	if (part.have_from && part.have_to && part.from_us >= part.to_us)
		return STORE_OK;
	if (!query_where(&part, store, true, &where, err, sizeof(err))) {
		query_sql_free(&where);
		return STORE_E_ROW;
	}
	buf_init(&sql, 2 * LIMIT_QUERY_SQL);
	buf_printf(&sql, "%s%s", sum_rows, rows_from_sql);
	buf_slice(&sql, buf_view(&where.text));
	buf_byte(&sql, ')');
	rc = rows_prepare(store, &sql, &st);
	if (rc == SQLITE_OK) {
		rows_bind(st, &where, 1);
		rc = take_sums(st, s);
	} else
		rc = store_code(rc);
	query_sql_free(&where);
	return rc;
}

/* The columns of table rollup that may be asked for; NULL: it knows nothing of the field. */
static const char *
rollup_column(int field)
{
	switch (field) {
	case SPAN_F_model:
		return "model";
	case SPAN_F_provider_id:
		return "provider";
	case SPAN_F_organization_key_id:
		return "key_id";
	default:
		return NULL;
	}
}

/* Are the filters such that the rollups by day can answer? They are joined by AND. */
static bool
rollup_knows(const struct query_filter *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((i > 0 && f[i].either) || f[i].negate)
			return false;
		if (f[i].members ? !rollup_knows(f[i].members, f[i].nmembers) :
		    !rollup_column(f[i].field) || (f[i].op != QUERY_EQ && f[i].op != QUERY_IN) || f[i].nvalues == 0)
			return false;
	}
	return true;
}

static void
rollup_where(const struct query_filter *f, size_t n, struct buf *sql)
{
	for (size_t i = 0; i < n; i++) {
		if (f[i].members) {
			rollup_where(f[i].members, f[i].nmembers, sql);
			continue;
		}
		buf_printf(sql, " AND %s IN (", rollup_column(f[i].field));
		for (size_t v = 0; v < f[i].nvalues; v++)
			buf_str(sql, v ? ",?" : "?");
		buf_byte(sql, ')');
	}
}

static int
bind_slice(sqlite3_stmt *st, int at, struct slice s)
{
	sqlite3_bind_text(st, at, s.ptr ? s.ptr : "", (int)s.len, SQLITE_STATIC);
	return at + 1;
}

static int
rollup_bind(sqlite3_stmt *st, const struct query_filter *f, size_t n, int at)
{
	for (size_t i = 0; i < n; i++) {
		if (f[i].members)
			at = rollup_bind(st, f[i].members, f[i].nmembers, at);
		for (size_t v = 0; v < f[i].nvalues && !f[i].members; v++)
			at = bind_slice(st, at, f[i].values[v]);
	}
	return at;
}

/* Kept sums, from <= unit < to. */
static int
add_kept(struct store *store, const struct query *q, const char *text, int64_t from, int64_t to, struct summary *s)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int at = 3, rc;

	buf_init(&sql, LIMIT_QUERY_SQL);
	buf_str(&sql, text);
	buf_str(&sql, q->tenant.ptr ? " AND tenant = ?" : "");
	buf_str(&sql, q->environment.ptr ? " AND environment = ?" : "");
	rollup_where(q->filters, q->nfilters, &sql);
	rc = rows_prepare(store, &sql, &st);
	if (rc != SQLITE_OK)
		return store_code(rc);
	sqlite3_bind_int64(st, 1, from);
	sqlite3_bind_int64(st, 2, to);
	at = q->tenant.ptr ? bind_slice(st, at, q->tenant) : at;
	at = q->environment.ptr ? bind_slice(st, at, q->environment) : at;
	rollup_bind(st, q->filters, q->nfilters, at);
	return take_sums(st, s);
}

/* Sums of units of time (shifted by offset_us) in the middle, rows at the ends. */
static int
add_units(struct store *store, const struct query *q, const char *text, int64_t unit_us, int64_t offset_us,
    struct summary *s)
{
	int64_t first = INT64_MIN / unit_us + 1, last = INT64_MAX / unit_us - 1, us;
	int rc = STORE_OK;

	if (q->have_from && !__builtin_add_overflow(q->from_us, offset_us, &us))
		first = us / unit_us + (us % unit_us > 0);
	if (q->have_to && !__builtin_add_overflow(q->to_us, offset_us, &us))
		last = us / unit_us - (us % unit_us < 0);
	if (first >= last)
		return add_rows(store, q, INT64_MIN, INT64_MAX, s);
	if (q->have_from)
		rc = add_rows(store, q, INT64_MIN, first * unit_us - offset_us, s);
	if (rc == STORE_OK)
		rc = add_kept(store, q, text, first, last, s);
	if (rc == STORE_OK && q->have_to)
		rc = add_rows(store, q, last * unit_us - offset_us, INT64_MAX, s);
	return rc;
}

static int
any_scores(struct store *store, bool *any)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, "SELECT 1 FROM score LIMIT 1", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*any = rc == SQLITE_ROW;
	sqlite3_finalize(st);
	return store_code(rc) < 0 ? store_code(rc) : STORE_OK;
}

static void
put_text(struct buf *out, const char *name, sqlite3_stmt *st, int column)
{
	buf_printf(out, ",\"%s\":", name);
	if (sqlite3_column_type(st, column) == SQLITE_NULL)
		buf_str(out, "null");
	else
		buf_json_string(out, slice_make(sqlite3_column_text(st, column), (size_t)sqlite3_column_bytes(st, column)));
}

static void
put_number(struct buf *out, const char *name, sqlite3_stmt *st, int column)
{
	buf_printf(out, ",\"%s\":", name);
	if (sqlite3_column_type(st, column) == SQLITE_NULL)
		buf_str(out, "null");
	else
		span_number_text(sqlite3_column_double(st, column), out);
}

/* "ID": {"evaluator_id": "ID", ... */
static void
put_evaluator(struct buf *out, sqlite3_stmt *st)
{
	struct slice id = slice_make(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));

	buf_str(out, out->len > 1 ? "," : "");
	buf_json_string(out, id);
	buf_str(out, ":{\"evaluator_id\":");
	buf_json_string(out, id);
	put_text(out, "evaluator_slug", st, 1);
	put_text(out, "evaluator_name", st, 2);
}

/* What was said of the spans of a query, by evaluator. */
static int
sum_scores(struct store *store, const struct query *q, struct buf *out)
{
	struct query_sql where;
	sqlite3_stmt *st = NULL;
	struct buf sql;
	char err[300];
	bool boolean;
	int rc = STORE_E_ROW;

	if (query_where(q, store, true, &where, err, sizeof(err))) {
		buf_init(&sql, 2 * LIMIT_QUERY_SQL);
		buf_str(&sql, "SELECT k.evaluator_id, max(k.evaluator_slug), max(k.evaluator_name), min(k.kind IS 'boolean'),"
		    " avg(k.value), sum(k.value IS 1), sum(k.value IS 0) FROM score k CROSS JOIN span s ON s.n = k.span"
		    " LEFT JOIN span_edit e ON e.span = s.n");
		buf_slice(&sql, buf_view(&where.text));
		buf_str(&sql, " GROUP BY k.evaluator_id ORDER BY k.evaluator_id LIMIT 1000");
		rc = rows_prepare(store, &sql, &st);
		if (rc == SQLITE_OK)
			rows_bind(st, &where, 1);
		while (rc == SQLITE_OK || rc == SQLITE_ROW) {
			rc = sqlite3_step(st);
			if (rc != SQLITE_ROW)
				break;
			boolean = sqlite3_column_int(st, 3) != 0;
			put_evaluator(out, st);
			buf_printf(out, ",\"score_value_type\":\"%s\"", boolean ? "boolean" : "numerical");
			put_number(out, "avg_score", st, 4);
			if (boolean)
				buf_printf(out, ",\"true_count\":%lld,\"false_count\":%lld}",
				    (long long)sqlite3_column_int64(st, 5), (long long)sqlite3_column_int64(st, 6));
			else
				buf_str(out, ",\"true_count\":null,\"false_count\":null}");
		}
		sqlite3_finalize(st);
		rc = store_code(rc);
	}
	query_sql_free(&where);
	return rc;
}

int
store_summary(struct store *store, const struct query *q, struct summary *s)
{
	int64_t day_offset = store->numbers[NUMBER_DAY_OFFSET] * INT64_C(60000000);
	bool scores = false;
	int rc;

	memset(s, 0, sizeof(*s));
	buf_init(&s->scores, 4 * MIB);
	rows_hurry(store, q);
	if (q->nfilters == 0 && q->sample == 0)
		rc = add_units(store, q, sum_ticks, STORE_TICK_US, 0, s);
	else if (q->sample == 0 && rollup_knows(q->filters, q->nfilters))
		rc = add_units(store, q, sum_days, DAY_US, day_offset, s);
	else
		rc = add_rows(store, q, INT64_MIN, INT64_MAX, s);
	if (rc == STORE_OK)
		rc = any_scores(store, &scores);
	buf_byte(&s->scores, '{');
	if (rc == STORE_OK && scores)
		rc = sum_scores(store, q, &s->scores);
	buf_byte(&s->scores, '}');
	return rc;
}

/* From one of threads: the rest of a SELECT. */
static int
prepare_threads(struct store *store, const struct query_sql *where, const char *before, const char *after,
    sqlite3_stmt **st)
{
	struct buf sql;

	buf_init(&sql, 2 * LIMIT_QUERY_SQL);
	buf_printf(&sql, "%s%s", before, rows_from_sql);
	buf_slice(&sql, buf_view(&where->text));
	buf_printf(&sql, "%s s.thread_identifier IS NOT NULL AND s.thread_identifier <> ''"
	    " GROUP BY s.thread_identifier, s.environment%s", where->text.len ? " AND" : " WHERE", after);
	return rows_prepare(store, &sql, st);
}

static int
count_threads(struct store *store, const struct query_sql *where, uint64_t *count)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare_threads(store, where, "SELECT count(*) FROM (SELECT 1", ")", &st);

	if (rc == SQLITE_OK) {
		rows_bind(st, where, 1);
		rc = sqlite3_step(st);
		*count = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

static int
list_threads(struct store *store, const struct query *q, const struct query_sql *where, thread_taker *take, void *arg)
{
	struct thread_row row;
	sqlite3_stmt *st = NULL;
	int rc, at;

	rc = prepare_threads(store, where, "SELECT s.thread_identifier, coalesce(s.environment, ''), count(*),"
	    " min(s.timestamp), max(s.timestamp)", " ORDER BY max(s.timestamp) DESC, s.thread_identifier, s.environment"
	    " LIMIT ? OFFSET ?", &st);
	if (rc == SQLITE_OK) {
		at = rows_bind(st, where, 1);
		sqlite3_bind_int64(st, at, q->limit ? (int64_t)q->limit : -1);
		sqlite3_bind_int64(st, at + 1, (int64_t)q->offset);
	}
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		row = (struct thread_row){
			.thread = slice_make(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0)),
			.environment = slice_make(sqlite3_column_text(st, 1), (size_t)sqlite3_column_bytes(st, 1)),
			.spans = sqlite3_column_int64(st, 2), .first_us = sqlite3_column_int64(st, 3),
			.last_us = sqlite3_column_int64(st, 4),
		};
		take(arg, &row);
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

int
store_threads(struct store *store, const struct query *q, thread_taker *take, void *arg, uint64_t *count)
{
	struct query_sql where;
	char err[300];
	int rc = STORE_E_ROW;

	rows_hurry(store, q);
	if (query_where(q, store, true, &where, err, sizeof(err))) {
		rc = count_threads(store, &where, count);
		if (rc == STORE_OK)
			rc = list_threads(store, q, &where, take, arg);
	}
	query_sql_free(&where);
	return rc;
}

/* Of an evaluator that scored more than once the newest counts. */
int
store_scores(struct store *store, const uint8_t id[16], struct buf *out)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_SCORES);
	struct buf list;
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	buf_init(&list, 4 * MIB);
	buf_byte(&list, '{');
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		put_evaluator(&list, st);
		put_number(&list, "score_value", st, 3);
		put_text(&list, "string_value", st, 4);
		put_text(&list, "type", st, 5);
		buf_byte(&list, '}');
	}
	sqlite3_reset(st);
	buf_byte(&list, '}');
	buf_slice(out, buf_view(&list));
	buf_free(&list);
	return store_code(rc);
}
