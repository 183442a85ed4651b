/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces: see traces.h; the writer's side. Called by put, by rollup_take and
 * rollup_give (whatever changes a row calls those), by expire, by the commit
 * and the rollback of sqlite.c, and by schema.c. What a span adds to its trace
 * stands once, in `part_sql`: for one span that comes, for traces that are made
 * anew, for a store that had none, and for `verify`.
 */
#include "store/traces.h"

#include <stdio.h>

#include "core/limits.h"
#include "store/db.h"

/* Is each span a call of a model that answers in words? */
#define LLM "lower(s.log_type) IN ('chat', 'completion', 'text', 'response', 'generation')"
/* Are its tokens and cost its own to count? As rollup_row_sql. */
#define BILLED "coalesce(s.counts, CASE WHEN s.billable IS 0 THEN 0 ELSE 3 END) >> 1"
#define STARTED "min(coalesce(s.start_time, s.timestamp), s.timestamp)"
#define RANK "CASE WHEN coalesce(s.span_parent_id, '') = '' THEN lower(s.log_type) IS NOT 'workflow'" \
	" WHEN s.span_parent_id = s.trace_unique_id THEN 2 ELSE 3 END"
#define IN_TRACE "s.trace_unique_id IS NOT NULL AND s.trace_unique_id <> ''"

const char traces_schema_sql[] =
    "CREATE TABLE trace(tenant TEXT NOT NULL, trace TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " spans INTEGER NOT NULL, llm_calls INTEGER NOT NULL, errors INTEGER NOT NULL, prompt INTEGER NOT NULL,"
    " completion INTEGER NOT NULL, total INTEGER NOT NULL, cost INTEGER NOT NULL, environment TEXT, customer TEXT,"
    " workflow TEXT, model TEXT, root_rank INTEGER NOT NULL, root_started INTEGER NOT NULL, root INTEGER NOT NULL,"
    " name TEXT, PRIMARY KEY(trace, tenant)) WITHOUT ROWID;"
    "CREATE INDEX trace_time ON trace(ended, tenant);";

/* The columns after the two of the key: what of one span, and how those of
 * several come together; NULL: it is the root's. */
static const struct {
	const char	*name, *of_span, *sum;
} columns[] = {
	{ "started", STARTED, "min" },
	{ "ended", "s.timestamp", "max" },
	{ "spans", "1", "sum" },
	{ "llm_calls", "coalesce(" LLM " AND s.counts IS NOT 0, 0)", "sum" },
	{ "errors", "s.status IS 'error'", "sum" },
	{ "prompt", "(" BILLED ") * coalesce(s.prompt_tokens, 0)", "sum" },
	{ "completion", "(" BILLED ") * coalesce(s.completion_tokens, 0)", "sum" },
	{ "total", "(" BILLED ") * coalesce(s.total_request_tokens, 0)", "sum" },
	{ "cost", "(" BILLED ") * coalesce(s.cost_pico, 0)", "sum" },
	{ "environment", "nullif(s.environment, '')", "least" },
	{ "customer", "nullif(s.customer_identifier, '')", "least" },
	{ "workflow", "nullif(s.span_workflow_name, '')", "least" },
	{ "model", "nullif(s.model, '')", "least" },
	{ "root_rank", RANK, NULL },
	{ "root_started", STARTED, NULL },
	{ "root", "s.n", NULL },
	{ "name", "nullif(s.span_name, '')", NULL },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* INSERT of what one span is to its trace, or adds to it; ?1 is the span. */
static void
add_sql(struct buf *sql)
{
	static const char before[] = "(excluded.root_rank, excluded.root_started, excluded.root) <"
	    " (root_rank, root_started, root)";

	buf_str(sql, "INSERT INTO trace SELECT s.tenant, s.trace_unique_id");
	for (size_t i = 0; i < COLUMNS; i++)
		buf_printf(sql, ", %s", columns[i].of_span);
	buf_str(sql, " FROM span s WHERE s.n = ?1 AND " IN_TRACE " ON CONFLICT(trace, tenant) DO UPDATE SET ");
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *c = columns[i].name, *sum = columns[i].sum;

		buf_str(sql, i ? ", " : "");
		if (!sum)
			buf_printf(sql, "%s = CASE WHEN %s THEN excluded.%s ELSE %s END", c, before, c, c);
		else if (strcmp(sum, "sum") == 0)
			buf_printf(sql, "%s = %s + excluded.%s", c, c, c);
		else if (strcmp(sum, "least") == 0)
			buf_printf(sql, "%s = coalesce(min(%s, excluded.%s), %s, excluded.%s)", c, c, c, c, c);
		else
			buf_printf(sql, "%s = %s(%s, excluded.%s)", c, sum, c, c);
	}
}

/* SELECT of whole traces, from all spans or from those of temp.touched. */
static void
whole_sql(struct buf *sql, bool touched)
{
	buf_str(sql, "SELECT p.tenant, p.trace");
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *sum = columns[i].sum;

		if (sum)
			buf_printf(sql, ", %s(p.%s)", strcmp(sum, "least") == 0 ? "min" : sum, columns[i].name);
		else	/* the row of the root: `first` is 1 there alone */
			buf_printf(sql, ", max(CASE WHEN p.first = 1 THEN p.%s END)", columns[i].name);
	}
	buf_str(sql, " FROM (SELECT s.tenant AS tenant, s.trace_unique_id AS trace");
	for (size_t i = 0; i < COLUMNS; i++)
		buf_printf(sql, ", %s AS %s", columns[i].of_span, columns[i].name);
	buf_str(sql, ", row_number() OVER (PARTITION BY s.trace_unique_id, s.tenant ORDER BY " RANK ", " STARTED
	    ", s.n) AS first FROM ");
	buf_str(sql, touched ? "temp.touched t CROSS JOIN span s ON s.trace_unique_id = t.trace AND s.tenant = t.tenant" :
	    "span s WHERE " IN_TRACE);
	buf_str(sql, ") AS p GROUP BY p.trace, p.tenant");
}

static int
step(struct store *store, sqlite3_stmt *st, int64_t n)
{
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

/* A statement of ours, which are longer than those of the table in sqlite.c. */
static sqlite3_stmt *
statement(struct store *store, enum store_statement which, void put(struct buf *))
{
	struct buf sql;

	if (!store->statements[which]) {
		buf_init(&sql, LIMIT_QUERY_SQL);
		put(&sql);
		if (!sql.failed)
			sqlite3_prepare_v3(store->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT,
			    &store->statements[which], NULL);
		buf_free(&sql);
	}
	return store->statements[which];
}

int
traces_add(struct store *store, int64_t n, const struct span *span)
{
	if (span->trace_unique_id.len == 0)
		return STORE_OK;
	return step(store, statement(store, STATEMENT_TRACE_ADD, add_sql), n);
}

/* The table of what was touched; a rollback may have undone it. */
static int
touch_begin(struct store *store)
{
	if (store->traces_touched)
		return STORE_OK;
	store->traces_touched = true;
	return store_exec(store, "CREATE TEMP TABLE IF NOT EXISTS touched(tenant TEXT, trace TEXT,"
	    " PRIMARY KEY(trace, tenant)) WITHOUT ROWID; DELETE FROM temp.touched");
}

static void
touch_sql(struct buf *sql)
{
	buf_str(sql, "INSERT OR IGNORE INTO temp.touched SELECT s.tenant, s.trace_unique_id FROM span s"
	    " WHERE s.n = ?1 AND " IN_TRACE);
}

int
traces_touch(struct store *store, int64_t n)
{
	int rc = touch_begin(store);

	return rc == STORE_OK ? step(store, statement(store, STATEMENT_TRACE_TOUCH, touch_sql), n) : rc;
}

int
traces_touch_gone(struct store *store)
{
	int rc = touch_begin(store);

	return rc == STORE_OK ? store_exec(store, "INSERT OR IGNORE INTO temp.touched SELECT s.tenant, s.trace_unique_id"
	    " FROM span s WHERE s.n IN (SELECT n FROM temp.gone) AND " IN_TRACE) : rc;
}

int
traces_write(struct store *store)
{
	struct buf sql;

	if (!store->traces_touched)
		return STORE_OK;
	buf_init(&sql, LIMIT_QUERY_SQL);
	buf_str(&sql, "DELETE FROM trace WHERE (trace, tenant) IN (SELECT trace, tenant FROM temp.touched);"
	    "INSERT INTO trace ");
	whole_sql(&sql, true);
	buf_str(&sql, "; DELETE FROM trace_public WHERE (trace, tenant) IN (SELECT trace, tenant FROM temp.touched)"
	    " AND NOT EXISTS (SELECT 1 FROM trace t WHERE t.trace = trace_public.trace"
	    " AND t.tenant = trace_public.tenant)");
	return store_exec_buf(store, &sql);
}

void
traces_forget(struct store *store)
{
	store->traces_touched = false;
}

int
traces_fill(struct store *store)
{
	struct buf sql;

	buf_init(&sql, LIMIT_QUERY_SQL);
	buf_str(&sql, "DELETE FROM trace; INSERT INTO trace ");
	whole_sql(&sql, false);
	return store_exec_buf(store, &sql);
}

int
traces_check(struct store *store, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc;

	buf_init(&sql, LIMIT_QUERY_SQL);
	buf_str(&sql, "WITH kept AS (SELECT * FROM trace), counted AS (");
	whole_sql(&sql, false);
	buf_printf(&sql, ") SELECT * FROM (SELECT 'counted', * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)"
	    " UNION ALL SELECT 'kept', * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)) LIMIT %d",
	    ROLLUP_DIFFERENCES);
	rc = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(store->db, sql.ptr, (int)sql.len, &st, NULL);
	buf_free(&sql);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		buf_printf(out, "trace, %s: tenant=%s trace=%s", (const char *)sqlite3_column_text(st, 0),
		    (const char *)sqlite3_column_text(st, 1), (const char *)sqlite3_column_text(st, 2));
		for (size_t i = 0; i < COLUMNS; i++) {
			const char *value = (const char *)sqlite3_column_text(st, (int)i + 3);

			buf_printf(out, " %s=%s", columns[i].name, value ? value : "");
		}
		buf_str(out, "\n");
	}
	sqlite3_finalize(st);
	return store_code(rc);
}
