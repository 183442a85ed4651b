/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: makes the tables of a new store and upgrades an older one, step by
 * step, under PRAGMA user_version. A newer one is refused. Called by
 * sqlite.c's open; readers only check the version.
 *
 *   span       one narrow row for each span; NULL is unknown
 *   span_meta  metadata, one row for each key, for filters
 *   span_edit  what people changed afterwards, apart from what was built
 *   body       the exchange's journal records (or a span as JSON), zstd
 *   same       of spans that came with an Idempotency-Key, the key
 *   alias      ids under which such a span came again
 *   pending    changes of spans that are not there yet
 *   bill       how a span's cost came about
 *   charge     of responses that can be read again and again, the span that is
 *              billed; goes with that span
 *   cursor     up to where each journal series is stored, and its counts
 *   meta       counters of the store itself
 *   score      what evaluators and people said of a span, one row for each
 *              evaluator and scorer; value: the number, or true as 1
 *   customer_edit  what people set of customers: email, name, and all of it as
 *              JSON; gone: when it was deleted, µs
 *   span_tick  rows and sums by ten minutes, tenant and environment: tick.h
 *   rollup, rollup_model, rollup_customer, customer    sums: rollup.h
 *   trace      what the spans of each trace come to: traces.h
 *   trace_public  traces that anybody may read; environment: only its spans of that one
 *   span_text  which words a span has, where that is wanted: search.h
 */
#include "store/db.h"
#include "store/twin.h"

#include <stdio.h>

#include "base/log.h"
#include "core/limits.h"

#define COLUMN(symbol, name) { name, SPAN_F_##symbol },
const struct store_column_info store_columns[STORE_COLUMNS] = {
#include "store/columns.tbl.h"
};
#undef COLUMN

#define COLUMN(symbol, name) ", s." name
const char store_row_sql[] =
    "s.n, s.id, s.rev, s.tenant, s.family, e.note, e.positive_feedback, e.is_pinned, e.blurred, "
    "e.custom_identifier, e.metadata"
#include "store/columns.tbl.h"
    ;
#undef COLUMN

/* The row's number is found by the response's id, and goes by its own. */
#define SCHEMA_CHARGE \
	"CREATE TABLE charge(tenant TEXT NOT NULL, response_id TEXT NOT NULL, span INTEGER NOT NULL," \
	" PRIMARY KEY(tenant, response_id)) WITHOUT ROWID;" \
	"CREATE INDEX charge_span ON charge(span);"

#define SCHEMA_BILL "CREATE TABLE bill(span INTEGER PRIMARY KEY, details TEXT NOT NULL);"

#define SCHEMA_GIVEN \
	"CREATE TABLE IF NOT EXISTS same(tenant TEXT NOT NULL, key TEXT NOT NULL, span INTEGER NOT NULL," \
	" PRIMARY KEY(tenant, key)) WITHOUT ROWID;" \
	"CREATE INDEX IF NOT EXISTS same_span ON same(span);" \
	"CREATE TABLE IF NOT EXISTS alias(id BLOB PRIMARY KEY, first BLOB NOT NULL) WITHOUT ROWID;" \
	"CREATE INDEX IF NOT EXISTS alias_first ON alias(first);" \
	"CREATE TABLE IF NOT EXISTS pending(n INTEGER PRIMARY KEY, target BLOB NOT NULL, edit TEXT NOT NULL);" \
	"CREATE INDEX IF NOT EXISTS pending_target ON pending(target);"

#define SCHEMA_SCORE \
	"CREATE TABLE score(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, span INTEGER NOT NULL," \
	" evaluator_id TEXT NOT NULL, scorer TEXT NOT NULL DEFAULT '', evaluator_slug TEXT, evaluator_name TEXT," \
	" kind TEXT, value REAL, text TEXT, json TEXT, is_passed INTEGER, cost_pico INTEGER, environment TEXT," \
	" created INTEGER NOT NULL, updated INTEGER, details TEXT, UNIQUE(span, evaluator_id, scorer));" \
	"CREATE INDEX score_evaluator ON score(evaluator_id, span);"

#define SCHEMA_CUSTOMER_EDIT \
	"CREATE TABLE customer_edit(tenant TEXT NOT NULL, environment TEXT NOT NULL, customer TEXT NOT NULL," \
	" email TEXT, name TEXT, details TEXT, gone INTEGER, PRIMARY KEY(tenant, environment, customer)) WITHOUT ROWID;"

#define SCHEMA_EDIT_INDEX \
	"CREATE INDEX edit_custom ON span_edit(custom_identifier) WHERE custom_identifier IS NOT NULL;"

/* Threads are listed from this index alone. */
#define SCHEMA_THREAD \
	"CREATE INDEX span_thread ON span(thread_identifier, environment, timestamp, tenant)" \
	" WHERE thread_identifier IS NOT NULL;"

/* The tick of a row, rounded down also before 1970; and what a row counts as. */
#define TICK(row) \
	"(" row "timestamp - (" row "timestamp % 600000000 + 600000000) % 600000000) / 600000000"
#define COUNTS(row) "coalesce(" row "counts, CASE WHEN " row "billable IS 0 THEN 0 ELSE 3 END)"
#define TICK_SUM(row, bit, column) "(" COUNTS(row) " & " bit ") / " bit " * coalesce(" row column ", 0)"
#define TICK_COUNT(row, column) "(" COUNTS(row) " & 1) * (" row column " IS NOT NULL)"
#define TICK_ROW(row) \
	TICK(row) ", " row "tenant, coalesce(" row "environment, ''), 1, " COUNTS(row) " & 1, " \
	TICK_SUM(row, "2", "prompt_tokens") ", " TICK_SUM(row, "2", "completion_tokens") ", " \
	TICK_SUM(row, "2", "total_request_tokens") ", " TICK_SUM(row, "2", "cost_pico") ", " \
	TICK_SUM(row, "1", "latency_us") ", " TICK_COUNT(row, "latency_us") ", " \
	TICK_SUM(row, "1", "ttft_us") ", " TICK_COUNT(row, "ttft_us")
#define SCHEMA_TICK \
	"CREATE TABLE span_tick(tick INTEGER NOT NULL, tenant TEXT NOT NULL, environment TEXT NOT NULL," \
	" rows INTEGER NOT NULL, requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL," \
	" completion_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL, cost_pico INTEGER NOT NULL," \
	" latency_us INTEGER NOT NULL, latency_count INTEGER NOT NULL, ttft_us INTEGER NOT NULL," \
	" ttft_count INTEGER NOT NULL, PRIMARY KEY(tick, tenant, environment)) WITHOUT ROWID;"
#define TICKS_SELECT \
	"WITH t(tick, tenant, environment, a, b, c, d, e, f, g, h, i, j) AS (SELECT " TICK_ROW("span.") \
	" FROM span) SELECT tick, tenant, environment, sum(a), sum(b), sum(c), sum(d), sum(e), sum(f)," \
	" sum(g), sum(h), sum(i), sum(j)" \
	" FROM t GROUP BY tick, tenant, environment"
const char schema_ticks_sql[] = TICKS_SELECT;

#define SCHEMA_PUBLIC \
	"CREATE TABLE trace_public(trace TEXT NOT NULL, tenant TEXT NOT NULL, environment TEXT," \
	" PRIMARY KEY(trace, tenant)) WITHOUT ROWID;"

static const char schema_tables[] =
    "CREATE TABLE span_meta(span INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(span, key)) WITHOUT ROWID;"
    "CREATE TABLE span_edit(span INTEGER PRIMARY KEY, note TEXT, positive_feedback INTEGER,"
    " is_pinned INTEGER, blurred INTEGER, custom_identifier TEXT, metadata TEXT);"
    "CREATE TABLE body(span INTEGER PRIMARY KEY, kind INTEGER NOT NULL, size INTEGER NOT NULL,"
    " data BLOB NOT NULL);"
    "CREATE TABLE cursor(series TEXT PRIMARY KEY, position INTEGER NOT NULL, stored INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL, begun INTEGER NOT NULL, finished INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    SCHEMA_CHARGE
    SCHEMA_BILL
    SCHEMA_GIVEN
    SCHEMA_SCORE
    SCHEMA_CUSTOMER_EDIT
    SCHEMA_EDIT_INDEX
    SCHEMA_PUBLIC
    SCHEMA_TICK;

/* With the unique id six: each costs about 3 µs a row. */
static const char schema_indexes[] =
    "CREATE INDEX span_time ON span(timestamp);"
    "CREATE INDEX span_customer ON span(customer_identifier, timestamp)"
    " WHERE customer_identifier IS NOT NULL;"
    "CREATE INDEX span_trace ON span(trace_unique_id, span_unique_id) WHERE trace_unique_id IS NOT NULL;"
    SCHEMA_THREAD
    "CREATE INDEX span_custom ON span(custom_identifier) WHERE custom_identifier IS NOT NULL;";

/* migrations[v] turns version v into v + 1; a new store is made whole. */
static const char *const migrations[STORE_VERSION] = {
	[0] = NULL,	/* version 0 is an empty file */
	[1] = "ALTER TABLE span ADD COLUMN billable INTEGER;" SCHEMA_CHARGE,
	[2] = "ALTER TABLE span ADD COLUMN counts INTEGER;" SCHEMA_BILL SCHEMA_GIVEN SCHEMA_SCORE SCHEMA_EDIT_INDEX
	    SCHEMA_CUSTOMER_EDIT
	    "DROP INDEX IF EXISTS span_trace;"
	    "CREATE INDEX span_trace ON span(trace_unique_id, span_unique_id)"
	    " WHERE trace_unique_id IS NOT NULL;"
	    "DROP INDEX span_thread;" SCHEMA_THREAD SCHEMA_TICK
	    "INSERT INTO span_tick " TICKS_SELECT ";",	/* and rollups, traces */
	[3] = "ALTER TABLE span ADD COLUMN span_path TEXT; ALTER TABLE span ADD COLUMN response_id TEXT;",	/* and twins */
	[4] = SCHEMA_PUBLIC,
};

static const char *
column_type(enum span_type type)
{
	switch (type) {
	case SPAN_TEXT:
	case SPAN_JSON:
		return "TEXT";
	case SPAN_NUM:
		return "REAL";
	default:
		return "INTEGER";
	}
}

/* The whole schema of this version. */
static void
schema_sql(struct buf *sql)
{
	buf_str(sql, "CREATE TABLE span(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
	    " rev INTEGER NOT NULL, tenant TEXT NOT NULL, family TEXT NOT NULL, counts INTEGER");
	for (int i = 0; i < STORE_COLUMNS; i++)
		buf_printf(sql, ", %s %s", store_columns[i].name,
		    column_type(span_fields[store_columns[i].field].type));
	buf_str(sql, ");");
	buf_str(sql, schema_tables);
	buf_str(sql, schema_indexes);
	buf_str(sql, rollup_schema_sql);
	buf_str(sql, traces_schema_sql);
	buf_str(sql, twin_schema_sql);
	buf_printf(sql, "PRAGMA user_version = %d;", STORE_VERSION);
}

/* Runs what brings `version` up to ours, in one transaction. */
static int
schema_upgrade(struct store *store, int version)
{
	struct buf sql;
	int rc;

	buf_init(&sql, 64 * KIB);
	if (version > 0)
		log_info("store: %s is upgraded from version %d to %d", store->path, version, STORE_VERSION);
	if (version == 0)
		schema_sql(&sql);
	for (int v = version; v > 0 && v < STORE_VERSION; v++)
		buf_printf(&sql, "%s; PRAGMA user_version = %d;", migrations[v], v + 1);
	if (version > 0 && version < 3) {
		buf_str(&sql, rollup_schema_sql);
		buf_str(&sql, traces_schema_sql);
	}
	if (version > 0 && version < 4)
		buf_str(&sql, twin_schema_sql);
	buf_append(&sql, "", 1);
	(void)store_exec(store, ROLLUP_BIG_TEMP);
	rc = sql.failed ? STORE_BUSY : store_exec(store, "BEGIN IMMEDIATE");
	if (rc == STORE_OK)
		rc = store_exec(store, sql.ptr);
	if (rc == STORE_OK && version > 0 && version < 3)
		rc = rollup_fill(store);
	if (rc == STORE_OK && version > 0 && version < 4)
		rc = traces_fill(store);
	if (rc == STORE_OK)
		rc = store_exec(store, "COMMIT");
	if (rc != STORE_OK && version > 0)	/* before the next call forgets it */
		log_error("store: the upgrade failed and will be tried again: %s", sqlite3_errmsg(store->db));
	if (rc != STORE_OK && !sqlite3_get_autocommit(store->db))
		(void)store_exec(store, "ROLLBACK");
	(void)store_exec(store, ROLLUP_SMALL_TEMP);
	buf_free(&sql);
	return rc;
}

static int
schema_version(struct store *store, int *version)
{
	sqlite3_stmt *st;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

/* auto_vacuum must be chosen before the first table; WAL stays with the file. */
static int
schema_make(struct store *store, int version)
{
	int rc = STORE_OK;

	if (version == 0)
		rc = store_exec(store, "PRAGMA auto_vacuum = INCREMENTAL");
	if (rc == STORE_OK)
		rc = store_exec(store, "PRAGMA journal_mode = WAL");
	if (rc == STORE_OK && version < STORE_VERSION)
		rc = schema_upgrade(store, version);
	return rc;
}

static void
newer(const struct store *store, int version, char *err, size_t errlen)
{
	snprintf(err, errlen, "%s was made by a newer spangate (store version %d, this one knows %d)",
	    store->path, version, STORE_VERSION);
}

bool
schema_newer(struct store *store, char *err, size_t errlen)
{
	int version = 0;

	if (schema_version(store, &version) != STORE_OK || version <= STORE_VERSION)
		return false;
	newer(store, version, err, errlen);
	return true;
}

int
schema_open(struct store *store, char *err, size_t errlen)
{
	int version = 0, rc;

	rc = schema_version(store, &version);
	if (rc == STORE_OK && version > STORE_VERSION) {
		newer(store, version, err, errlen);
		return STORE_E_VERSION;
	}
	if (rc == STORE_OK && store->write)
		rc = schema_make(store, version);
	else if (rc == STORE_OK && version < STORE_VERSION) {
		snprintf(err, errlen, "%s %s", store->path, version ?
		    "is of an older version: the gateway upgrades it at its start" : "holds no store yet");
		return STORE_E_VERSION;
	}
	if (rc != STORE_OK)
		snprintf(err, errlen, "%s: %s", store->path, sqlite3_errmsg(store->db));
	return rc;
}
