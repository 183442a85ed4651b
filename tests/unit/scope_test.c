/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope: a reader that is bound to a tenant or an environment finds nothing
 * else, whatever it asks; and no table that says whose its rows are is left out.
 */
#include <sqlite3.h>

#include "store/db.h"
#include "store_test.h"

#define EACH 10

static const struct store_ops *ops = &store_sqlite;
static const char *const tenants[] = { "default", "o'ther\"" };
static const char *const environments[] = { "prod", "test", "te'st" };

static unsigned
number_of(unsigned tenant, unsigned environment, unsigned n)
{
	return (tenant * 3 + environment) * EACH + n;
}

static void
fill(struct store *store)
{
	struct span span;

	ok(ops->begin(store) == STORE_OK);
	for (unsigned t = 0; t < 2; t++)
		for (unsigned e = 0; e < 3; e++)
			for (unsigned n = 0; n < EACH; n++) {
				span = test_span(number_of(t, e, n));
				span.tenant = slice_str(tenants[t]);
				span.environment = slice_str(environments[e]);
				span.customer_identifier = SLICE("c");
				span.trace_unique_id = SLICE("t");
				span.billable = (span_BOOL){ true, true };
				span.cost_details = SLICE("{}");
				if (ops->put(store, &span, SLICE("chain")) != STORE_OK)
					ok(false);
			}
	ok(ops->commit(store) == STORE_OK);
}

/* Rows of a list; -1: it failed. */
static int
rows_of(struct store *store, struct slice tenant, struct query_filter *f)
{
	struct query q = { .tenant = tenant, .filters = f, .nfilters = f != NULL, .sort = -1 };
	struct store_rows *rows;
	const struct span *row;
	uint64_t count = 0;
	int n = 0, rc = ops->select(store, &q, &rows);

	while (rc >= 0 && (rc = ops->next(rows, &row)) == STORE_ROW)
		n++;
	ops->done(rows);
	return rc == STORE_OK && ops->count(store, &q, &count) == STORE_OK && (int)count == n ? n : -1;
}

static int64_t
requests_of(struct store *store, enum customers_by by)
{
	struct customers_query q = { .by = by, .sort = CUSTOMERS_COST };
	const struct customers_row *row;
	struct customers *rows = NULL;
	int64_t n = 0;
	int rc = ops->customers(store, &q, &rows);

	while (rc >= 0 && (rc = ops->customers_next(rows, &row)) == STORE_ROW)
		n += row->sums[ROLLUP_requests];
	ops->customers_done(rows);
	return rc == STORE_OK ? n : -1;
}

/* Of every table with a tenant: does any row show that is not to be seen? */
static int
strangers(struct store *store, const char *tenant, const char *environment)
{
	static const char tables[] = "SELECT m.name, max(p.name = 'environment') FROM main.sqlite_schema m,"
	    " pragma_table_info(m.name, 'main') p WHERE m.type = 'table' GROUP BY 1 HAVING max(p.name = 'tenant')";
	sqlite3_stmt *st = NULL, *rows;
	int found = 0, n = 0;
	char *sql;

	sqlite3_prepare_v2(store->db, tables, -1, &st, NULL);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		bool part = environment && sqlite3_column_int(st, 1);

		sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\" WHERE tenant <> %Q%s%Q", sqlite3_column_text(st, 0), tenant,
		    part ? " OR environment <> " : " OR '' <> ", part ? environment : "");
		if (sqlite3_prepare_v2(store->db, sql, -1, &rows, NULL) != SQLITE_OK || sqlite3_step(rows) != SQLITE_ROW)
			found = -1000;
		else
			found += sqlite3_column_int(rows, 0);
		sqlite3_finalize(rows);
		sqlite3_free(sql);
	}
	sqlite3_finalize(st);
	return n >= 5 ? found : -1;
}

static void
test_scope(unsigned tenant, int environment)
{
	struct slice names[] = { SLICE("prod"), SLICE("test"), SLICE("te'st") };
	struct query_filter any = { .field = SPAN_F_environment, .op = QUERY_IN, .values = names, .nvalues = 3 };
	struct slice bound = environment < 0 ? SLICE_NONE : slice_str(environments[environment]);
	int want = environment < 0 ? 3 * EACH : EACH;
	char err[300], *bytes;
	struct span span;
	struct store *store = ops->open(test_dir, false, err, sizeof(err));
	size_t len;
	bool json;

	ok(store && ops->scope(store, slice_str(tenants[tenant]), bound) == STORE_OK);
	ok(rows_of(store, SLICE_NONE, NULL) == want);
	ok(rows_of(store, slice_str(tenants[tenant]), &any) == want);
	ok(rows_of(store, slice_str(tenants[!tenant]), NULL) == 0);
	ok(requests_of(store, CUSTOMERS_BY_NOTHING) == want && requests_of(store, CUSTOMERS_BY_MODEL) == want);
	ok(strangers(store, tenants[tenant], environment < 0 ? NULL : environments[environment]) == 0);
	for (unsigned t = 0; t < 2; t++)
		for (unsigned e = 0; e < 3; e++) {
			bool seen = t == tenant && (environment < 0 || (unsigned)environment == e);
			int rc;

			span = test_span(number_of(t, e, 3));
			rc = ops->chain(store, span.id16, &bytes, &len, &json, NULL);
			if (rc == STORE_OK)
				free(bytes);
			if ((rc == STORE_OK) != seen)
				ok(false);
		}
	ops->close(store);
}

int
main(void)
{
	struct store *store;
	char err[300];

	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL);
	fill(store);
	ok(rows_of(store, SLICE_NONE, NULL) == 6 * EACH && strangers(store, "default", NULL) > 0);
	for (unsigned t = 0; t < 2; t++)
		for (int e = -1; e < 3; e++)
			test_scope(t, e);
	ops->close(store);
	test_dir_remove();
	return done();
}
