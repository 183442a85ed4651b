/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count: how many rows a list has, and where a page far down in it begins.
 * Lists by time, tenant and environment alone are counted by span_tick, whole
 * ticks at a time; of others the rows are counted, up to a limit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"

#define HURRY_STEPS 20000	/* of SQLite's machine between two looks at the clock: a millisecond */

static int
is_late(void *arg)
{
	const struct store *store = arg;

	return store->deadline_us > 0 && clock_mono_us() > store->deadline_us;
}

void
rows_hurry(struct store *store, const struct query *q)
{
	store->deadline_us = q->patience_us ? clock_mono_us() + q->patience_us : 0;
	sqlite3_progress_handler(store->db, q->patience_us ? HURRY_STEPS : 0, is_late, store);
}

/* Rounded down. */
static int64_t
tick_of(int64_t us)
{
	return us / STORE_TICK_US - (us % STORE_TICK_US < 0);
}

/* Can ticks count it? */
static bool
is_plain(const struct query *q)
{
	return q->nfilters == 0 && q->sample == 0;
}

static void
who_sql(const struct query *q, struct buf *sql)
{
	buf_str(sql, q->tenant.ptr ? " AND tenant = ?" : "");
	buf_str(sql, q->environment.ptr ? " AND environment = ?" : "");
}

static int
bind_who(sqlite3_stmt *st, const struct query *q, int at)
{
	if (q->tenant.ptr)
		sqlite3_bind_text(st, at++, q->tenant.ptr, (int)q->tenant.len, SQLITE_STATIC);
	if (q->environment.ptr)
		sqlite3_bind_text(st, at++, q->environment.ptr, (int)q->environment.len, SQLITE_STATIC);
	return at;
}

/* Counts the rows of a query, at most `most`. */
static int
count_rows(struct store *store, const struct query *q, uint64_t most, uint64_t *out)
{
	struct query_sql where;
	sqlite3_stmt *st = NULL;
	struct buf sql;
	char err[300];
	int rc = STORE_E_ROW;

	if (query_where(q, store, true, &where, err, sizeof(err))) {
		buf_init(&sql, 2 * LIMIT_QUERY_SQL);
		buf_printf(&sql, "SELECT count(*) FROM (SELECT 1%s", rows_from_sql);
		buf_slice(&sql, buf_view(&where.text));
		buf_str(&sql, " LIMIT ?)");
		rc = rows_prepare(store, &sql, &st);
		if (rc == SQLITE_OK) {
			sqlite3_bind_int64(st, rows_bind(st, &where, 1), most > INT64_MAX ? -1 : (int64_t)most);
			rc = sqlite3_step(st);
			if (rc == SQLITE_ROW)
				*out = (uint64_t)sqlite3_column_int64(st, 0);
		}
		sqlite3_finalize(st);
		rc = rc == SQLITE_ROW ? STORE_OK : store_code(rc);
	}
	query_sql_free(&where);
	return rc;
}

/* The same of a part of its window. */
static int
count_part(struct store *store, const struct query *q, int64_t from, int64_t to, uint64_t *sum)
{
	struct query part = *q;
	uint64_t n = 0;
	int rc;

	part.have_from = part.have_to = true;
	part.from_us = q->have_from && q->from_us > from ? q->from_us : from;
	part.to_us = q->have_to && q->to_us < to ? q->to_us : to;
	if (part.from_us >= part.to_us)
		return STORE_OK;
	rc = count_rows(store, &part, UINT64_MAX, &n);
	*sum += n;
	return rc;
}

/* The rows of whole ticks, from <= tick < to. */
static int
count_ticks(struct store *store, const struct query *q, int64_t from, int64_t to, uint64_t *sum)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc;

	buf_init(&sql, KIB);
	buf_str(&sql, "SELECT coalesce(sum(rows), 0) FROM span_tick WHERE tick >= ? AND tick < ?");
	who_sql(q, &sql);
	rc = rows_prepare(store, &sql, &st);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, from);
		sqlite3_bind_int64(st, 2, to);
		bind_who(st, q, 3);
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			*sum += (uint64_t)sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

/* Ticks in the middle, rows at both ends. */
static int
count_plain(struct store *store, const struct query *q, uint64_t *out)
{
	int64_t first = INT64_MIN / STORE_TICK_US, last = INT64_MAX / STORE_TICK_US;
	int rc = STORE_OK;

	*out = 0;
	if (q->have_from && q->have_to && q->from_us >= q->to_us)
		return STORE_OK;
	if (q->have_from)
		first = tick_of(q->from_us) + (q->from_us % STORE_TICK_US != 0);
	if (q->have_to)
		last = tick_of(q->to_us);
	if (first > last)
		return count_part(store, q, INT64_MIN, INT64_MAX, out);
	if (q->have_from)
		rc = count_part(store, q, INT64_MIN, first * STORE_TICK_US, out);
	if (rc == STORE_OK)
		rc = count_ticks(store, q, first, last, out);
	if (rc == STORE_OK && q->have_to)
		rc = count_part(store, q, last * STORE_TICK_US, INT64_MAX, out);
	return rc;
}

int
store_count_upto(struct store *store, const struct query *q, uint64_t most, uint64_t *out)
{
	rows_hurry(store, q);
	return is_plain(q) ? count_plain(store, q, out) : count_rows(store, q, most, out);
}

int
store_count(struct store *store, const struct query *q, uint64_t *out)
{
	return store_count_upto(store, q, UINT64_MAX, out);
}

/* Passes over whole ticks in the query's order, as long as the offset is not in them. */
static int
skip_ticks(struct store *store, const struct query *q, struct rows_skip *skip, int64_t first, int64_t last)
{
	sqlite3_stmt *st = NULL;
	uint64_t n;
	struct buf sql;
	int rc;

	buf_init(&sql, KIB);
	buf_str(&sql, "SELECT tick, sum(rows) FROM span_tick WHERE tick >= ? AND tick < ?");
	who_sql(q, &sql);
	buf_printf(&sql, " GROUP BY tick ORDER BY tick%s", q->ascending ? "" : " DESC");
	rc = rows_prepare(store, &sql, &st);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, first);
		sqlite3_bind_int64(st, 2, last);
		bind_who(st, q, 3);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
			n = (uint64_t)sqlite3_column_int64(st, 1);
			if (n > skip->offset)
				break;
			skip->offset -= n;
			skip->from = true;
			skip->from_us = (sqlite3_column_int64(st, 0) + q->ascending) * STORE_TICK_US;
		}
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
rows_skip(struct store *store, const struct query *q, struct rows_skip *skip)
{
	int64_t first = INT64_MIN / STORE_TICK_US, last = INT64_MAX / STORE_TICK_US;
	uint64_t edge = 0;

	*skip = (struct rows_skip){ .offset = q->offset };
	if (q->offset == 0 || !is_plain(q))
		return SQLITE_OK;
	if (q->have_from)
		first = tick_of(q->from_us) + (q->from_us % STORE_TICK_US != 0);
	if (q->have_to)
		last = tick_of(q->to_us);
	if (first >= last)
		return SQLITE_OK;
	/* What comes before the first whole tick in the list's order. */
	if ((q->ascending ? q->have_from : q->have_to) &&
	    (q->ascending ? count_part(store, q, INT64_MIN, first * STORE_TICK_US, &edge) :
	    count_part(store, q, last * STORE_TICK_US, INT64_MAX, &edge)) != STORE_OK)
		return sqlite3_errcode(store->db);
	if (edge > q->offset)
		return SQLITE_OK;
	skip->offset -= edge;
	skip->from = true;
	skip->from_us = (q->ascending ? first : last) * STORE_TICK_US;
	if (!(q->ascending ? q->have_from : q->have_to))
		skip->from = false;
	return skip_ticks(store, q, skip, first, last);
}
