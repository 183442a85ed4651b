/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: see metrics.h. One SELECT over what the rollups have of the window
 * and what rows have of the rest, each cell or row with its tick and its part.
 * Called by the API; only reads.
 */
#include "store/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"

#define MINUTE_US INT64_C(60000000)
#define DAY_US (1440 * MINUTE_US)
#define MONDAY 3			/* 1970-01-01 was a Thursday */

/* A dimension in table rollup (NULL: it is not told apart there) and in span. */
static const struct { const char *rollup, *span; } parts[METRICS_BYS] = {
	[METRICS_BY_NOTHING] = { "''", "''" },
	[METRICS_BY_MODEL] = { "model", "coalesce(model, '')" },
	[METRICS_BY_PROVIDER] = { "provider", "coalesce(provider_id, '')" },
	[METRICS_BY_CUSTOMER] = { "customer", "coalesce(customer_identifier, '')" },
	[METRICS_BY_KEY] = { "key_id", "coalesce(key_id, '')" },
	[METRICS_BY_ENVIRONMENT] = { "environment", "coalesce(environment, '')" },
	[METRICS_BY_DEPLOYMENT] = { "iif(provider = '', '', provider || '/') || model",
	    "coalesce(nullif(provider_id, '') || '/', '') || coalesce(model, '')" },
	[METRICS_BY_PROMPT] = { NULL, "coalesce(prompt_name, prompt_id, '')" },
	[METRICS_BY_STATUS] = { NULL, "coalesce(status, '')" },
	[METRICS_BY_LOG_TYPE] = { NULL, "coalesce(lower(log_type), '')" },
};

struct metrics {
	sqlite3_stmt	*st;
	struct metrics_row row;
};

struct select {
	struct buf	 sql;
	struct bind { struct slice text; int64_t number; } *binds;	/* ptr NULL: the number */
	size_t		 nbinds;
	unsigned	 sources;	/* SELECTs so far */
};

static int64_t
floor_to(int64_t v, int64_t step)
{
	int64_t rest = v % step;

	return v - (rest < 0 ? rest + step : rest);
}

int64_t
metrics_start(enum metrics_tick tick, int offset, int64_t us)
{
	int64_t shift = offset * MINUTE_US, local = us + shift;

	switch (tick) {
	case METRICS_MINUTE:
		return floor_to(local, MINUTE_US) - shift;
	case METRICS_HOUR:
		return floor_to(local, 60 * MINUTE_US) - shift;
	case METRICS_DAY:
		return floor_to(local, DAY_US) - shift;
	case METRICS_WEEK:
		return floor_to(local + MONDAY * DAY_US, 7 * DAY_US) - MONDAY * DAY_US - shift;
	case METRICS_MONTH:
		return rollup_month(floor_to(local, DAY_US) / DAY_US) * DAY_US - shift;
	default:
		return us;
	}
}

int64_t
metrics_after(enum metrics_tick tick, int offset, int64_t start)
{
	static const int64_t steps[METRICS_TICKS] = { [METRICS_MINUTE] = MINUTE_US, [METRICS_HOUR] = 60 * MINUTE_US,
	    [METRICS_DAY] = DAY_US, [METRICS_WEEK] = 7 * DAY_US };

	return tick == METRICS_MONTH ? metrics_start(tick, offset, start + 31 * DAY_US) : start + steps[tick];
}

static void
bind_number(struct select *s, int64_t number)
{
	s->binds = xrealloc(s->binds, (s->nbinds + 1) * sizeof(*s->binds));
	s->binds[s->nbinds++] = (struct bind){ SLICE_NONE, number };
}

static void
bind_text(struct select *s, struct slice text)
{
	bind_number(s, 0);
	s->binds[s->nbinds - 1].text = text.ptr ? text : SLICE("");
}

/* SQL: the start of the tick that `at` (µs) is in. */
static void
add_tick(struct select *s, const struct metrics_query *q, const char *at)
{
	if (q->tick == METRICS_WHOLE)
		buf_str(&s->sql, "0");
	else
		buf_printf(&s->sql, "metrics_start(%d, %d, %s)", (int)q->tick, q->offset, at);
}

static void
add_who(struct select *s, const struct metrics_query *q, bool rows)
{
	if (q->tenant.ptr) {
		buf_str(&s->sql, " AND tenant = ?");
		bind_text(s, q->tenant);
	}
	for (size_t i = 0; i < q->nfilters; i++) {
		const struct metrics_filter *f = &q->filters[i];

		buf_printf(&s->sql, " AND %s %sIN (", rows ? parts[f->by].span : parts[f->by].rollup, f->not ? "NOT " : "");
		for (size_t k = 0; k < f->nvalues; k++) {
			buf_str(&s->sql, k ? ",?" : "?");
			bind_text(s, f->values[k]);
		}
		buf_str(&s->sql, ")");
	}
}

/* Is it asked for parts or values of any of these dimensions? */
static bool
tells(const struct metrics_query *q, unsigned dimensions)
{
	bool does = (dimensions >> q->by & 1) != 0;

	for (size_t i = 0; i < q->nfilters; i++)
		does = does || (dimensions >> q->filters[i].by & 1) != 0;
	return does;
}

/* Where cells of days stand, and which column is their day. */
enum cells { ALL_CELLS, WITHOUT_CUSTOMERS, CUSTOMER_DAYS, CUSTOMER_MONTHS };
static const struct { const char *table, *day, *where; } cell_tables[] = {
	[ALL_CELLS] = { "rollup", "day", "" },
	[WITHOUT_CUSTOMERS] = { "rollup_model", "day", "" },
	[CUSTOMER_DAYS] = { "rollup_customer", "start", "grain = 'day' AND " },
	[CUSTOMER_MONTHS] = { "rollup_customer", "start", "grain = 'month' AND " },
};

/* SELECT: cells of days. */
static void
add_cells(struct select *s, const struct store *store, const struct metrics_query *q, enum cells cells, int64_t from,
    int64_t to)
{
	const char *day = cell_tables[cells].day;
	char at[80];

	snprintf(at, sizeof(at), "(%s * %lld - %lld)", day, (long long)DAY_US,
	    (long long)(store->numbers[NUMBER_DAY_OFFSET] * MINUTE_US));
	buf_str(&s->sql, s->sources++ ? " UNION ALL SELECT " : "SELECT ");
	add_tick(s, q, at);
	buf_printf(&s->sql, " AS tick, %s AS part", parts[q->by].rollup);
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&s->sql, ", %s", rollup_sums[i]);
	buf_printf(&s->sql, ", latency_hist, ttft_hist FROM %s WHERE %s%s >= ? AND %s < ?", cell_tables[cells].table,
	    cell_tables[cells].where, day, day);
	bind_number(s, from);
	bind_number(s, to);
	add_who(s, q, false);
}

/* Days of customers: whole months of them, where there are and that is enough. */
static void
add_customers(struct select *s, const struct store *store, const struct metrics_query *q, int64_t from, int64_t to)
{
	int64_t first = rollup_month(from), last = rollup_month(to);

	if (first < from)
		first = rollup_month(first + 31);
	if (first >= last || (q->tick != METRICS_WHOLE && q->tick != METRICS_MONTH)) {
		add_cells(s, store, q, CUSTOMER_DAYS, from, to);
		return;
	}
	add_cells(s, store, q, CUSTOMER_MONTHS, first, last);
	if (from < first)
		add_cells(s, store, q, CUSTOMER_DAYS, from, first);
	if (last < to)
		add_cells(s, store, q, CUSTOMER_DAYS, last, to);
}

/* Whole days from the table that has the fewest cells for that. */
static void
add_days(struct select *s, const struct store *store, const struct metrics_query *q, int64_t from, int64_t to)
{
	static const unsigned customers = 1u << METRICS_BY_CUSTOMER;
	static const unsigned models = 1u << METRICS_BY_MODEL | 1u << METRICS_BY_PROVIDER | 1u << METRICS_BY_KEY |
	    1u << METRICS_BY_DEPLOYMENT;

	if (!tells(q, customers))
		add_cells(s, store, q, WITHOUT_CUSTOMERS, from, to);
	else if (tells(q, models))
		add_cells(s, store, q, ALL_CELLS, from, to);
	else
		add_customers(s, store, q, from, to);
}

/* SELECT: rows of a time, each as a cell of its own. */
static void
add_rows(struct select *s, const struct metrics_query *q, int64_t from, int64_t to)
{
	buf_str(&s->sql, s->sources++ ? " UNION ALL SELECT " : "SELECT ");
	add_tick(s, q, "timestamp");
	buf_printf(&s->sql, " AS tick, %s AS part", parts[q->by].span);
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&s->sql, ", %s AS %s", rollup_parts[i], rollup_sums[i]);
	buf_str(&s->sql, ", CASE WHEN c & 1 THEN hist_of(latency_us) END AS latency_hist,"
	    " CASE WHEN c & 1 THEN hist_of(ttft_us) END AS ttft_hist"
	    " FROM (SELECT *, coalesce(counts, CASE WHEN billable IS 0 THEN 0 ELSE 3 END) AS c FROM span"
	    " WHERE timestamp >= ? AND timestamp < ?) WHERE c <> 0");
	bind_number(s, from);
	bind_number(s, to);
	add_who(s, q, true);
}

/* May days be taken whole? */
static bool
has_days(const struct store *store, const struct metrics_query *q)
{
	bool ours = store->numbers[NUMBER_DAY_OFFSET] == q->offset;

	if (!parts[q->by].rollup || (q->tick != METRICS_WHOLE && (q->tick < METRICS_DAY || !ours)))
		return false;
	for (size_t i = 0; i < q->nfilters; i++)
		if (!parts[q->filters[i].by].rollup)
			return false;
	return true;
}

/* The window as whole days and the rows around them. */
static void
add_sources(struct select *s, const struct store *store, const struct metrics_query *q)
{
	int64_t shift = store->numbers[NUMBER_DAY_OFFSET] * MINUTE_US, from, to;

	from = rollup_day(store, q->from_us);
	to = rollup_day(store, q->to_us);
	from += from * DAY_US - shift < q->from_us;
	if (!has_days(store, q) || from >= to) {
		add_rows(s, q, q->from_us, q->to_us);
		return;
	}
	add_days(s, store, q, from, to);
	if (q->from_us < from * DAY_US - shift)
		add_rows(s, q, q->from_us, from * DAY_US - shift);
	if (to * DAY_US - shift < q->to_us)
		add_rows(s, q, to * DAY_US - shift, q->to_us);
}

static int
prepare(struct store *store, struct select *s, sqlite3_stmt **st)
{
	int rc = SQLITE_NOMEM;

	if (!s->sql.failed)
		rc = sqlite3_prepare_v2(store->db, s->sql.ptr, (int)s->sql.len, st, NULL);
	for (size_t i = 0; i < s->nbinds && rc == SQLITE_OK; i++)
		rc = s->binds[i].text.ptr ? sqlite3_bind_text(*st, (int)i + 1, s->binds[i].text.ptr,
		    (int)s->binds[i].text.len, SQLITE_TRANSIENT) : sqlite3_bind_int64(*st, (int)i + 1, s->binds[i].number);
	buf_free(&s->sql);
	free(s->binds);
	return store_code(rc);
}

int
metrics_select(struct store *store, const struct metrics_query *q, struct metrics **out)
{
	struct select s = { .binds = NULL };
	sqlite3_stmt *st = NULL;
	int rc;

	*out = NULL;
	buf_init(&s.sql, LIMIT_QUERY_SQL);
	buf_str(&s.sql, "SELECT tick, part");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&s.sql, ", sum(%s) AS %s", rollup_sums[i], rollup_sums[i]);
	buf_str(&s.sql, ", hist_sum(latency_hist), hist_sum(ttft_hist) FROM (");
	add_sources(&s, store, q);
	buf_str(&s.sql, ") GROUP BY tick, part ORDER BY ");
	if (q->sort >= 0)
		buf_printf(&s.sql, "sum(%s) DESC, ", rollup_sums[q->sort]);
	buf_str(&s.sql, "tick, part LIMIT ?");
	bind_number(&s, q->limit ? (int64_t)q->limit : -1);
	rc = prepare(store, &s, &st);
	if (rc != STORE_OK) {
		sqlite3_finalize(st);
		return rc;
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->st = st;
	(*out)->row.start = q->from_us;
	return STORE_OK;
}

int
metrics_next(struct metrics *m, const struct metrics_row **out)
{
	struct metrics_row *row = &m->row;
	int rc = sqlite3_step(m->st), at = 2;

	if (rc != SQLITE_ROW)
		return store_code(rc);
	if (sqlite3_column_int64(m->st, 0) != 0)
		row->start = sqlite3_column_int64(m->st, 0);
	row->part = slice_make(sqlite3_column_text(m->st, 1), (size_t)sqlite3_column_bytes(m->st, 1));
	for (int i = 0; i < ROLLUP_SUMS; i++)
		row->sums[i] = sqlite3_column_int64(m->st, at++);
	row->latency = slice_make(sqlite3_column_blob(m->st, at), (size_t)sqlite3_column_bytes(m->st, at));
	at++;
	row->ttft = slice_make(sqlite3_column_blob(m->st, at), (size_t)sqlite3_column_bytes(m->st, at));
	*out = row;
	return STORE_ROW;
}

void
metrics_done(struct metrics *m)
{
	if (!m)
		return;
	sqlite3_finalize(m->st);
	free(m);
}
