/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup_fill: the rollups made from the spans by SQL, in one go: for a store
 * that had none, and when days begin at another hour. Made apart from what put
 * does row by row, so `verify` compares with it. The functions of that SQL:
 *
 *   rollup_day(µs), rollup_month(day)   a time's day, the first of its month
 *   hist_of(µs), hist_sum(histogram)    one value's histogram, the sum of some
 *   metrics_start(tick, minutes, µs)    as in metrics.h
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "store/db.h"
#include "store/hist.h"
#include "store/metrics.h"

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
sql_start(sqlite3_context *context, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int64(context, metrics_start((enum metrics_tick)sqlite3_value_int(v[0]),
	    sqlite3_value_int(v[1]), sqlite3_value_int64(v[2])));
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
		rc = sqlite3_create_function(store->db, "metrics_start", 3, flags, NULL, sql_start, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "hist_of", 1, flags, NULL, sql_hist_of, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "hist_sum", 1, flags, NULL, NULL, sql_hist_step, sql_hist_final);
	return rc;
}

const char *const rollup_parts[ROLLUP_SUMS] = {
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

#define CELL_KEYS "day, tenant, environment, customer, model, provider, key_id"
#define MODEL_KEYS "day, tenant, environment, model, provider, key_id, expired"
#define PERIOD_KEYS "grain, start, tenant, environment, customer"
#define TICK_KEYS "tick, tenant, environment"
#define CUSTOMER_KEYS "tenant, environment, customer"

/* Appends the columns of sums and histograms. */
static void
columns_sql(struct buf *sql)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", %s", rollup_sums[i]);
	buf_str(sql, ", latency_hist, ttft_hist");
}

/* SELECT: the cells of the rows that are there: CELL_KEYS, sums. */
static void
cells_sql(struct buf *sql)
{
	buf_str(sql, "SELECT rollup_day(timestamp) AS day, tenant, coalesce(environment, '') AS environment,"
	    " coalesce(customer_identifier, '') AS customer, coalesce(model, '') AS model,"
	    " coalesce(provider_id, '') AS provider, coalesce(key_id, '') AS key_id");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", sum(%s) AS %s", rollup_parts[i], rollup_sums[i]);
	buf_str(sql, ", hist_sum(CASE WHEN c & 1 THEN hist_of(latency_us) END),"
	    " hist_sum(CASE WHEN c & 1 THEN hist_of(ttft_us) END)"
	    " FROM (SELECT *, coalesce(counts, CASE WHEN billable IS 0 THEN 0 ELSE 3 END) AS c FROM span)"
	    " GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING ");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, "%ssum(%s) <> 0", i ? " OR " : "", rollup_parts[i]);
}

/* Appends the sums over cells. */
static void
sums_sql(struct buf *sql)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", sum(%s)", rollup_sums[i]);
	buf_str(sql, ", hist_sum(latency_hist), hist_sum(ttft_hist)");
}

/* SELECT: the cells without their customers: MODEL_KEYS, sums. */
static void
models_sql(struct buf *sql)
{
	buf_str(sql, "SELECT " MODEL_KEYS);
	sums_sql(sql);
	buf_str(sql, " FROM rollup GROUP BY 1, 2, 3, 4, 5, 6, 7");
}

/* SELECT: days or months of customers, from the cells: PERIOD_KEYS, sums. */
static void
periods_sql(struct buf *sql, bool months)
{
	buf_printf(sql, "SELECT '%s' AS grain, %s AS start, tenant, environment, customer", months ? "month" : "day",
	    months ? "rollup_month(day)" : "day");
	sums_sql(sql);
	buf_str(sql, " FROM rollup GROUP BY 2, 3, 4, 5");
}

/* SELECT: customers, from the cells: CUSTOMER_KEYS, sums, and the days on which
 * they asked. */
static void
customers_sql(struct buf *sql)
{
	buf_str(sql, "SELECT tenant, environment, customer");
	sums_sql(sql);
	buf_str(sql, ", count(DISTINCT day) AS days FROM rollup GROUP BY 1, 2, 3");
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
	    "DELETE FROM rollup_model;"
	    "INSERT INTO rollup(" CELL_KEYS);
	columns_sql(&sql);
	buf_str(&sql, ", expired) SELECT *, 0 FROM (");
	cells_sql(&sql);
	buf_str(&sql, "); INSERT INTO rollup_model(" MODEL_KEYS);
	columns_sql(&sql);
	buf_str(&sql, ") ");
	models_sql(&sql);
	buf_str(&sql, "; INSERT INTO rollup_customer ");
	periods_sql(&sql, false);
	buf_str(&sql, "; INSERT INTO rollup_customer ");
	periods_sql(&sql, true);
	buf_str(&sql, "; INSERT INTO customer SELECT r.tenant, r.environment, r.customer");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&sql, ", r.\"sum(%s)\"", rollup_sums[i]);
	buf_str(&sql, ", r.\"hist_sum(latency_hist)\", r.\"hist_sum(ttft_hist)\", coalesce(k.email, ''),"
	    " coalesce(k.name, ''), coalesce(k.first_seen, 0), coalesce(k.last_seen, 0), r.days FROM (");
	customers_sql(&sql);
	buf_str(&sql, ") AS r LEFT JOIN temp.known AS k USING(tenant, environment, customer); DROP TABLE temp.known;");
	return store_exec_buf(store, &sql);
}

int
rollup_fill(struct store *store)
{
	return fill(store, known_of_spans);
}

/* Two SELECTs of the same columns, keys first and in their order. */
struct comparison {
	const char	*what;
	int		 keys;
	int		 values;	/* columns behind them; 0: sums and histograms */
	sqlite3_stmt	*counted, *kept;
	int		 rc_counted, rc_kept;
	unsigned	 differences;
};

/* One column of both: less than, equal or greater than 0. */
static int
compare_column(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int64_t x, y;
	int n, m, order;

	if (sqlite3_column_type(a, i) == SQLITE_INTEGER && sqlite3_column_type(b, i) == SQLITE_INTEGER) {
		x = sqlite3_column_int64(a, i);
		y = sqlite3_column_int64(b, i);
		return (x > y) - (x < y);
	}
	n = sqlite3_column_bytes(a, i);
	m = sqlite3_column_bytes(b, i);
	order = n && m ? memcmp(sqlite3_column_blob(a, i), sqlite3_column_blob(b, i), (size_t)(n < m ? n : m)) : 0;
	return order ? order : (n > m) - (n < m);
}

static int
compare_columns(const struct comparison *c, int from, int to)
{
	int order = 0;

	for (int i = from; i < to && order == 0; i++)
		order = compare_column(c->counted, c->kept, i);
	return order;
}

/* A row of one side that the other has not, or not so. */
static void
put_difference(struct comparison *c, sqlite3_stmt *st, const char *side, struct buf *out)
{
	if (c->differences++ >= ROLLUP_DIFFERENCES)
		return;
	buf_printf(out, "%s, %s:", c->what, side);
	for (int i = 0; i < c->keys + (c->values ? c->values : ROLLUP_SUMS); i++)
		buf_printf(out, " %s=%s", sqlite3_column_name(st, i), (const char *)sqlite3_column_text(st, i));
	buf_str(out, "\n");
}

/* Steps through both at once, as both come in the order of their keys. */
static int
merge(struct comparison *c, struct buf *out)
{
	int order;

	c->rc_counted = sqlite3_step(c->counted);
	c->rc_kept = sqlite3_step(c->kept);
	while (c->rc_counted == SQLITE_ROW || c->rc_kept == SQLITE_ROW) {
		order = c->rc_kept != SQLITE_ROW ? -1 : c->rc_counted != SQLITE_ROW ? 1 : compare_columns(c, 0, c->keys);
		if (order < 0 || (order == 0 && compare_columns(c, c->keys,
		    c->keys + (c->values ? c->values : ROLLUP_SUMS + 2)) != 0))
			put_difference(c, c->counted, "counted", out);
		if (order > 0)
			put_difference(c, c->kept, "kept", out);
		if (order <= 0)
			c->rc_counted = sqlite3_step(c->counted);
		if (order >= 0)
			c->rc_kept = sqlite3_step(c->kept);
		if ((c->rc_counted != SQLITE_ROW && c->rc_counted != SQLITE_DONE) ||
		    (c->rc_kept != SQLITE_ROW && c->rc_kept != SQLITE_DONE))
			break;
	}
	return c->rc_counted != SQLITE_DONE ? c->rc_counted : c->rc_kept;
}

/* What the first SELECT counts beside what the table keeps. */
static int
compare(struct store *store, struct comparison *c, struct slice counted, const char *keys, const char *table,
    struct buf *out)
{
	struct buf sql;
	int rc;

	buf_init(&sql, SQL_LIMIT);
	buf_printf(&sql, "SELECT * FROM (%.*s) ORDER BY %s", (int)counted.len, counted.ptr, keys);
	rc = sqlite3_prepare_v2(store->db, sql.ptr, (int)sql.len, &c->counted, NULL);
	buf_clear(&sql);
	buf_printf(&sql, "SELECT %s", keys);
	if (c->values)
		buf_str(&sql, ", rows, requests, prompt_tokens, completion_tokens, total_tokens, cost_pico, latency_us,"
		    " latency_count, ttft_us, ttft_count");
	else
		columns_sql(&sql);
	buf_printf(&sql, " FROM %s ORDER BY %s", table, keys);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(store->db, sql.ptr, (int)sql.len, &c->kept, NULL);
	if (rc == SQLITE_OK)
		rc = merge(c, out);
	sqlite3_finalize(c->counted);
	sqlite3_finalize(c->kept);
	buf_free(&sql);
	return store_code(rc);
}

int
rollup_check(struct store *store, struct buf *out, uint64_t *cells)
{
	struct comparison of_cells = { .what = "rollup", .keys = 7 }, of_days = { .what = "rollup_customer", .keys = 5 },
	    of_months = of_days, of_customers = { .what = "customer", .keys = 3 },
	    of_models = { .what = "rollup_model", .keys = 7 }, of_ticks = { .what = "span_tick", .keys = 3, .values = 10 };
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
	rc = compare(store, &of_cells, buf_view(&sql), CELL_KEYS, "rollup WHERE expired = 0", out);
	buf_clear(&sql);
	models_sql(&sql);
	if (rc == STORE_OK)
		rc = compare(store, &of_models, buf_view(&sql), MODEL_KEYS, "rollup_model", out);
	buf_clear(&sql);
	periods_sql(&sql, false);
	if (rc == STORE_OK)
		rc = compare(store, &of_days, buf_view(&sql), PERIOD_KEYS, "rollup_customer WHERE grain = 'day'", out);
	buf_clear(&sql);
	periods_sql(&sql, true);
	if (rc == STORE_OK)
		rc = compare(store, &of_months, buf_view(&sql), PERIOD_KEYS, "rollup_customer WHERE grain = 'month'", out);
	buf_clear(&sql);
	customers_sql(&sql);
	if (rc == STORE_OK)
		rc = compare(store, &of_customers, buf_view(&sql), CUSTOMER_KEYS, "customer", out);
	if (rc == STORE_OK)
		rc = traces_check(store, out);
	if (rc == STORE_OK)
		rc = compare(store, &of_ticks, slice_str(schema_ticks_sql), TICK_KEYS, "span_tick", out);
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
	(void)store_exec(store, ROLLUP_BIG_TEMP);
	rc = store_sqlite.begin(store);
	if (rc == STORE_OK) {
		rollup_forget(store);
		store->numbers[NUMBER_DAY_OFFSET] = minutes;
		rc = fill(store, known_of_customers);
	}
	if (rc == STORE_OK)
		rc = store_sqlite.commit(store);
	if (rc != STORE_OK)
		store_sqlite.rollback(store);
	(void)store_exec(store, ROLLUP_SMALL_TEMP);
	return rc;
}
