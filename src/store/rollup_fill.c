/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup_fill: the rollups made from the spans by SQL, in one go: for a store
 * that had none, and when days begin at another hour. Made apart from what put
 * does row by row, so `verify` compares with it. The functions of that SQL:
 *
 *   rollup_day(µs), rollup_month(day)   a time's day, the first of its month
 *   hist_of(µs), hist_sum(histogram)    one value's histogram, the sum of some
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "store/db.h"
#include "store/hist.h"

#define SQL_LIMIT (64 * 1024)

static void
sql_day(sqlite3_context *context, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int64(context, rollup_day(sqlite3_user_data(context), sqlite3_value_int64(v[0])));
}

static void
sql_month(sqlite3_context *context, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int64(context, rollup_month(sqlite3_value_int64(v[0])));
}

static void
sql_hist_of(sqlite3_context *context, int n, sqlite3_value **v)
{
	char bytes[HIST_ONE];

	(void)n;
	if (sqlite3_value_type(v[0]) != SQLITE_NULL)
		sqlite3_result_blob(context, bytes, (int)hist_one(sqlite3_value_int64(v[0]), bytes), SQLITE_TRANSIENT);
}

/* Most sums are of one histogram: that goes through as it is. */
struct hist_sum {
	struct buf	 one;
	struct hist	*sum;		/* once there are two */
};

static void
sql_hist_step(sqlite3_context *context, int n, sqlite3_value **v)
{
	struct slice bytes = slice_make(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]));
	struct hist_sum *s = sqlite3_aggregate_context(context, sizeof(*s));

	(void)n;
	if (!s)
		sqlite3_result_error_nomem(context);
	if (!s || bytes.len == 0)
		return;
	if (s->one.len == 0 && !s->sum) {
		buf_init(&s->one, HIST_LIMIT);
		buf_slice(&s->one, bytes);
		return;
	}
	if (!s->sum) {
		s->sum = xcalloc(1, sizeof(*s->sum));
		(void)hist_add(s->sum, buf_view(&s->one), 1);
	}
	(void)hist_add(s->sum, bytes, 1);
}

static void
sql_hist_final(sqlite3_context *context)
{
	struct hist_sum none = { .sum = NULL }, *s = sqlite3_aggregate_context(context, 0);

	s = s ? s : &none;
	if (s->sum) {
		buf_clear(&s->one);
		hist_write(s->sum, &s->one);
	}
	sqlite3_result_blob(context, s->one.len ? s->one.ptr : "", (int)s->one.len, SQLITE_TRANSIENT);
	buf_free(&s->one);
	free(s->sum);
}

int
rollup_functions(struct store *store)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
	int rc;

	rc = sqlite3_create_function(store->db, "rollup_day", 1, SQLITE_UTF8, store, sql_day, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "rollup_month", 1, flags, NULL, sql_month, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "hist_of", 1, flags, NULL, sql_hist_of, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "hist_sum", 1, flags, NULL, NULL, sql_hist_step, sql_hist_final);
	return rc;
}

/* What each sum is the sum of, for a row of table span; c: what it counts as. */
static const char *const parts[ROLLUP_SUMS] = {
	[ROLLUP_requests] = "c & 1",
	[ROLLUP_errors] = "(c & 1) * (status IS 'error')",
	[ROLLUP_prompt_tokens] = "(c >> 1) * coalesce(prompt_tokens, 0)",
	[ROLLUP_completion_tokens] = "(c >> 1) * coalesce(completion_tokens, 0)",
	[ROLLUP_total_tokens] = "(c >> 1) * coalesce(total_request_tokens, 0)",
	[ROLLUP_cached_tokens] = "(c >> 1) * coalesce(prompt_cache_hit_tokens, 0)",
	[ROLLUP_cache_creation_tokens] = "(c >> 1) * coalesce(prompt_cache_creation_tokens, 0)",
	[ROLLUP_reasoning_tokens] = "(c >> 1) * coalesce(reasoning_tokens, 0)",
	[ROLLUP_cost_pico] = "(c >> 1) * coalesce(cost_pico, 0)",
	[ROLLUP_unpriced] = "(c >> 1) * (cost_pico IS NULL AND NOT (status IS 'error'"
	    " AND coalesce(prompt_tokens, 0) = 0 AND coalesce(completion_tokens, 0) = 0))",
	[ROLLUP_latency_us] = "(c & 1) * coalesce(latency_us, 0)",
	[ROLLUP_latency_count] = "(c & 1) * (latency_us IS NOT NULL)",
	[ROLLUP_ttft_us] = "(c & 1) * coalesce(ttft_us, 0)",
	[ROLLUP_ttft_count] = "(c & 1) * (ttft_us IS NOT NULL)",
};

/* SELECT: the cells of the rows that are there, columns as table rollup has them. */
static void
cells_sql(struct buf *sql)
{
	buf_str(sql, "SELECT tenant, rollup_day(timestamp) AS day, coalesce(environment, '') AS environment,"
	    " coalesce(customer_identifier, '') AS customer, coalesce(model, '') AS model,"
	    " coalesce(provider_id, '') AS provider, coalesce(key_id, '') AS key_id, 0");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", sum(%s) AS %s", parts[i], rollup_sums[i]);
	buf_str(sql, ", hist_sum(CASE WHEN c & 1 THEN hist_of(latency_us) END),"
	    " hist_sum(CASE WHEN c & 1 THEN hist_of(ttft_us) END)"
	    " FROM (SELECT *, coalesce(counts, CASE WHEN billable IS 0 THEN 0 ELSE 3 END) AS c FROM span)"
	    " GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING ");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, "%ssum(%s) <> 0", i ? " OR " : "", parts[i]);
}

/* Appends the sums over cells. */
static void
sums_sql(struct buf *sql)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", sum(%s)", rollup_sums[i]);
	buf_str(sql, ", hist_sum(latency_hist), hist_sum(ttft_hist)");
}

/* SELECT: days or months of customers, from the cells. */
static void
periods_sql(struct buf *sql, bool months)
{
	buf_printf(sql, "SELECT '%s', %s, tenant, environment, customer", months ? "month" : "day",
	    months ? "rollup_month(day)" : "day");
	sums_sql(sql);
	buf_str(sql, " FROM rollup GROUP BY 2, 3, 4, 5");
}

/* SELECT: customers, from the cells, but for what else is known of them. */
static void
customers_sql(struct buf *sql, bool days)
{
	buf_str(sql, "SELECT tenant, environment, customer");
	sums_sql(sql);
	buf_printf(sql, "%s FROM rollup GROUP BY 1, 2, 3", days ? ", count(DISTINCT day) AS days" : "");
}

/* Runs a finished text and frees it. */
static int
run_sql(struct store *store, struct buf *sql)
{
	int rc;

	buf_append(sql, "", 1);
	rc = sql->failed ? STORE_BUSY : store_exec(store, sql->ptr);
	buf_free(sql);
	return rc;
}

/* What is known of customers besides, into a table of this connection: from the
 * spans, the latest that says so. */
static const char known_of_spans[] =
    "INSERT INTO temp.known SELECT tenant, coalesce(environment, ''), coalesce(customer_identifier, ''),"
    " '', '', min(timestamp), max(timestamp) FROM span GROUP BY 1, 2, 3;"
    "UPDATE temp.known AS k SET email = x.text FROM (SELECT tenant, coalesce(environment, '') AS environment,"
    " coalesce(customer_identifier, '') AS customer, customer_email AS text, max(timestamp) FROM span"
    " WHERE customer_email <> '' GROUP BY 1, 2, 3) AS x WHERE k.tenant = x.tenant"
    " AND k.environment = x.environment AND k.customer = x.customer;"
    "UPDATE temp.known AS k SET name = x.text FROM (SELECT tenant, coalesce(environment, '') AS environment,"
    " coalesce(customer_identifier, '') AS customer, customer_name AS text, max(timestamp) FROM span"
    " WHERE customer_name <> '' GROUP BY 1, 2, 3) AS x WHERE k.tenant = x.tenant"
    " AND k.environment = x.environment AND k.customer = x.customer;";

static const char known_of_customers[] =
    "INSERT INTO temp.known SELECT tenant, environment, customer, email, name, first_seen, last_seen FROM customer;";

/* Makes every rollup anew, but those of spans that are gone. */
static int
fill(struct store *store, const char *known)
{
	struct buf sql;

	buf_init(&sql, SQL_LIMIT);
	buf_str(&sql, "DROP TABLE IF EXISTS temp.known;"
	    "CREATE TEMP TABLE known(tenant TEXT, environment TEXT, customer TEXT, email TEXT, name TEXT,"
	    " first_seen INTEGER, last_seen INTEGER, PRIMARY KEY(tenant, environment, customer));");
	buf_str(&sql, known);
	buf_str(&sql, "DELETE FROM rollup WHERE expired = 0; DELETE FROM rollup_customer; DELETE FROM customer;"
	    "INSERT INTO rollup(tenant, day, environment, customer, model, provider, key_id, expired");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&sql, ", %s", rollup_sums[i]);
	buf_str(&sql, ", latency_hist, ttft_hist) ");
	cells_sql(&sql);
	buf_str(&sql, "; INSERT INTO rollup_customer ");
	periods_sql(&sql, false);
	buf_str(&sql, "; INSERT INTO rollup_customer ");
	periods_sql(&sql, true);
	buf_str(&sql, "; INSERT INTO customer SELECT r.tenant, r.environment, r.customer");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&sql, ", r.\"sum(%s)\"", rollup_sums[i]);
	buf_str(&sql, ", r.\"hist_sum(latency_hist)\", r.\"hist_sum(ttft_hist)\", coalesce(k.email, ''),"
	    " coalesce(k.name, ''), coalesce(k.first_seen, 0), coalesce(k.last_seen, 0), r.days FROM (");
	customers_sql(&sql, true);
	buf_str(&sql, ") AS r LEFT JOIN temp.known AS k USING(tenant, environment, customer); DROP TABLE temp.known;");
	return run_sql(store, &sql);
}

int
rollup_fill(struct store *store)
{
	return fill(store, known_of_spans);
}

/*
 * Rows of the first SELECT that are none of the second or the other way round,
 * a line each in `out`. Both give what the table's columns are.
 */
static int
compare(struct store *store, const char *what, struct slice spans, const char *table, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int columns, rc;

	buf_init(&sql, SQL_LIMIT);
	buf_printf(&sql, "WITH kept AS (SELECT * FROM %s), counted AS (%.*s)"
	    " SELECT * FROM (SELECT 'counted', * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)"
	    " UNION ALL SELECT 'kept', * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)) LIMIT %d",
	    table, (int)spans.len, spans.ptr, ROLLUP_DIFFERENCES);
	rc = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(store->db, sql.ptr, (int)sql.len, &st, NULL);
	buf_free(&sql);
	columns = rc == SQLITE_OK ? sqlite3_column_count(st) - 2 : 0;	/* less the histograms */
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		buf_printf(out, "%s, %s:", what, (const char *)sqlite3_column_text(st, 0));
		for (int i = 1; i < columns; i++)
			buf_printf(out, " %s=%s", sqlite3_column_name(st, i), (const char *)sqlite3_column_text(st, i));
		buf_str(out, "\n");
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

/* The customers' sums as table customer has them, but for what is not a sum. */
static const char customers_kept[] = "(SELECT tenant, environment, customer"
#define SUM(name) ", " #name
#include "store/rollup.tbl.h"
#undef SUM
    ", latency_hist, ttft_hist FROM customer)";

int
rollup_check(struct store *store, struct buf *out, uint64_t *cells)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "SELECT count(*) FROM rollup", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*cells = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return store_code(rc);
	buf_init(&sql, SQL_LIMIT);
	cells_sql(&sql);
	rc = compare(store, "rollup", buf_view(&sql), "rollup WHERE expired = 0", out);
	buf_clear(&sql);
	periods_sql(&sql, false);
	buf_str(&sql, " UNION ALL ");
	periods_sql(&sql, true);
	if (rc == STORE_OK)
		rc = compare(store, "rollup_customer", buf_view(&sql), "rollup_customer", out);
	buf_clear(&sql);
	customers_sql(&sql, false);
	if (rc == STORE_OK)
		rc = compare(store, "customer", buf_view(&sql), customers_kept, out);
	buf_free(&sql);
	return rc;
}

int
rollup_set_offset(struct store *store, int minutes)
{
	int rc;

	if (store->numbers[NUMBER_DAY_OFFSET] == minutes)
		return STORE_OK;
	log_info("store: days are those of UTC %+d minutes now, they were of UTC %+d: all spans are counted anew",
	    minutes, (int)store->numbers[NUMBER_DAY_OFFSET]);
	rc = store_sqlite.begin(store);
	if (rc == STORE_OK) {
		store->numbers[NUMBER_DAY_OFFSET] = minutes;
		rc = fill(store, known_of_customers);
	}
	if (rc == STORE_OK)
		rc = store_sqlite.commit(store);
	if (rc != STORE_OK)
		store_sqlite.rollback(store);
	return rc;
}
