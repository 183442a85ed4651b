/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollups: that they are the sums over the spans after whatever happened to
 * these. What put, expire and remove did cell by cell is compared with a count
 * of the rows by SQL of this test's own.
 */
#include <sqlite3.h>

#include "store_test.h"

#define DAY_S 86400u

static const struct store_ops *ops = &store_sqlite;

/* A number that SQL gives, of the file as it is on disk; -1: none. */
static int64_t
number(const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t v = -1;
	char path[100];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	else
		printf("# %s: %s\n", sql, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static void
exec(const char *sql)
{
	char path[100];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

static struct store *
open_store(void)
{
	char err[300];
	struct store *store = ops->open(test_dir, true, err, sizeof(err));

	if (!store)
		printf("# %s\n", err);
	ok(store != NULL);
	return store;
}

/* One of 7 customers on one of 40 days, with one of 3 models. */
static struct span
make_span(unsigned n)
{
	static const char *const customers[] = { "a", "b", "c", "d", "e", "f", NULL };
	static const char *const models[] = { "gpt-4o", "claude", NULL };
	struct span span = test_span(n * 7919 % (40 * DAY_S));

	memcpy(span.id16 + 12, &n, sizeof(n));
	span.customer_identifier = slice_str(customers[n % 7]);
	span.model = slice_str(models[n % 3]);
	span.environment = n % 11 ? SLICE("prod") : SLICE("test");
	span.billable = (span_BOOL){ true, n % 13 != 0 };
	span.prompt_tokens = (span_INT){ true, n };
	span.completion_tokens = (span_INT){ n % 5 != 0, 2 * n };
	span.total_request_tokens = (span_INT){ true, 3 * n };
	span.cost = (span_COST){ n % 4 != 0, 1000003 * (int64_t)n };
	span.time_to_first_token = (span_SECS){ n % 2 == 0, 500 * n };
	if (n % 17 == 0)
		span.status = SLICE("error");
	return span;
}

/* The sums of all three tables beside those over the rows. */
static bool
sums_equal(void)
{
	static const char *const sums[][2] = {
		{ "requests", "count(*)" }, { "errors", "sum(status = 'error')" },
		{ "prompt_tokens", "sum(prompt_tokens)" }, { "completion_tokens", "sum(completion_tokens)" },
		{ "total_tokens", "sum(total_request_tokens)" }, { "cost_pico", "sum(cost_pico)" },
		{ "unpriced", "sum(cost_pico IS NULL)" }, { "latency_us", "sum(latency_us)" },
		{ "latency_count", "count(latency_us)" }, { "ttft_us", "sum(ttft_us)" }, { "ttft_count", "count(ttft_us)" },
	};
	bool good = true;
	char sql[200];

	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		snprintf(sql, sizeof(sql), "SELECT coalesce(%s, 0) FROM span WHERE billable", sums[i][1]);
		int64_t want = number(sql);

		snprintf(sql, sizeof(sql), "SELECT coalesce(sum(%s), 0) FROM rollup WHERE expired = 0", sums[i][0]);
		if (number(sql) != want) {
			printf("# %s: %lld in cells, %lld in rows\n", sums[i][0], (long long)number(sql), (long long)want);
			good = false;
		}
	}
	return good;
}

/* What the store itself says of its rollups: so many lines of what differs. */
static bool
check(int lines)
{
	char err[300];
	struct store *reader = ops->open(test_dir, false, err, sizeof(err));
	struct buf out;
	uint64_t cells;
	int n = 0;
	bool good;

	buf_init(&out, 1 << 16);
	good = reader && ops->check_rollups(reader, &out, &cells) == STORE_OK &&
	    cells == (uint64_t)number("SELECT count(*) FROM rollup");
	for (size_t i = 0; i < out.len; i++)
		n += out.ptr[i] == '\n';
	if (n != lines)
		printf("# %d lines: %.*s\n", n, (int)out.len, out.ptr);
	buf_free(&out);
	ops->close(reader);
	return good && n == lines;
}

/* Days, months and customers are the sums of the cells, past ones included. */
static bool
tables_agree(void)
{
	static const char *const sums[] = { "requests", "cost_pico", "completion_tokens", "latency_us", "unpriced" };
	static const char *const froms[] = { "rollup_customer WHERE grain = 'day'",
	    "rollup_customer WHERE grain = 'month'", "customer" };
	bool good = true;
	char sql[300];

	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++)
		for (size_t k = 0; k < 3; k++) {
			snprintf(sql, sizeof(sql), "SELECT count(*) FROM (SELECT tenant, environment, customer, sum(%s)"
			    " FROM rollup GROUP BY 1, 2, 3 EXCEPT SELECT tenant, environment, customer, sum(%s) FROM %s"
			    " GROUP BY 1, 2, 3)", sums[i], sums[i], froms[k]);
			good = good && number(sql) == 0;
		}
	return good && check(0) && number("SELECT count(*) FROM (SELECT tenant, environment, customer,"
	    " count(DISTINCT day) FROM rollup GROUP BY 1, 2, 3"
	    " EXCEPT SELECT tenant, environment, customer, active_days FROM customer)") == 0 &&
	    number("SELECT count(*) FROM rollup_customer WHERE grain = 'month' AND strftime('%d', start * 86400, 'unixepoch')"
	    " <> '01'") == 0;
}

static bool
put_range(struct store *store, unsigned from, unsigned to, bool commit)
{
	bool good = ops->begin(store) == STORE_OK;

	for (unsigned n = from; n < to; n++) {
		struct span span = make_span(n);

		good = good && ops->put(store, &span, SLICE("x")) == STORE_OK;
	}
	if (commit)
		return good && ops->commit(store) == STORE_OK;
	ops->rollback(store);
	return good;
}

static void
test_put(struct store *store)
{
	ok(put_range(store, 1, 700, true));
	ok(put_range(store, 700, 900, false));		/* as if it had never been */
	ok(put_range(store, 650, 1400, true));		/* some for the second time */
	ok(number("SELECT count(*) FROM span") == 1399);
	ok(sums_equal());
	ok(tables_agree());
	ok(number("SELECT count(*) FROM customer") == 14);
	ok(number("SELECT first_seen FROM customer WHERE customer = 'b' AND environment = 'prod'") ==
	    number("SELECT min(timestamp) FROM span WHERE customer_identifier = 'b' AND environment = 'prod' AND billable"));
	ok(number("SELECT last_seen FROM customer WHERE customer = 'b' AND environment = 'prod'") ==
	    number("SELECT max(timestamp) FROM span WHERE customer_identifier = 'b' AND environment = 'prod' AND billable"));
}

/* The rows of a list: how many, and their sums. */
static unsigned
list(struct store *store, const struct customers_query *q, int64_t *requests, int64_t *cost)
{
	const struct customers_row *row;
	struct customers *rows;
	struct hist hist;
	unsigned n = 0;
	int rc = ops->customers(store, q, &rows);
	bool hists = true;

	*requests = *cost = 0;
	while (rc >= 0 && (rc = ops->customers_next(rows, &row)) == STORE_ROW) {
		memset(&hist, 0, sizeof(hist));
		hists = hists && hist_add(&hist, row->latency, 1) &&
		    (int64_t)hist_count(&hist) == row->sums[ROLLUP_latency_count];
		*requests += row->sums[ROLLUP_requests];
		*cost += row->sums[ROLLUP_cost_pico];
		n++;
	}
	ops->customers_done(rows);
	return rc == STORE_OK && hists ? n : 0;
}

/* A list of these days says what the spans say, with all its rows and page by page. */
static bool
window_is_right(struct store *store, int64_t from, int64_t to)
{
	struct customers_query q = { .tenant = SLICE("default"), .nameless = true, .have_from = true, .have_to = true,
	    .from_day = from, .to_day = to, .sort = CUSTOMERS_COST };
	int64_t requests, cost, page_requests, page_cost, all = 0;
	uint64_t count = 0;
	unsigned n, rows;
	char sql[300];

	rows = list(store, &q, &requests, &cost);
	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(cost_pico), 0) FROM span WHERE billable AND"
	    " timestamp >= %lld * 86400000000 AND timestamp < %lld * 86400000000", (long long)from, (long long)to);
	if (cost != number(sql) || ops->customers_count(store, &q, &count) != STORE_OK || count != rows)
		return false;
	for (q.limit = 3; q.offset < count; q.offset += 3) {
		n = list(store, &q, &page_requests, &page_cost);
		all += page_cost;
		if (n != (count - q.offset > 3 ? 3 : count - q.offset))
			return false;
	}
	return all == cost;
}

static void
test_windows(struct store *store)
{
	int64_t first = BASE_US / (DAY_S * INT64_C(1000000));		/* 14 November */

	ok(window_is_right(store, first, first + 1));
	ok(window_is_right(store, first + 3, first + 9));
	ok(window_is_right(store, first - 100, first + 100));
	ok(window_is_right(store, first + 5, first + 30));		/* into December */
	ok(window_is_right(store, rollup_month(first), rollup_month(first + 31)));
	ok(window_is_right(store, rollup_month(first + 31), first + 25));
	ok(window_is_right(store, first + 100, first + 200));		/* nothing is there */
	ok(window_is_right(store, first + 9, first + 3));
}

static void
test_lists(struct store *store)
{
	static const enum customers_by parts[] = { CUSTOMERS_BY_DAY, CUSTOMERS_BY_MONTH, CUSTOMERS_BY_MODEL,
	    CUSTOMERS_BY_PROVIDER, CUSTOMERS_BY_KEY };
	struct slice names[] = { SLICE("a"), SLICE("b") }, limit = SLICE("0.00001"), bad = SLICE("much");
	struct customers_filter f = { .field = CUSTOMERS_CUSTOMER, .op = QUERY_IN, .values = names, .nvalues = 2 };
	struct customers_query q = { .sort = CUSTOMERS_CUSTOMER, .ascending = true };
	const struct customers_row *row;
	struct customers *rows;
	int64_t requests, cost, all_requests, all_cost;

	ok(list(store, &q, &requests, &cost) == 12);
	q.nameless = true;
	ok(list(store, &q, &all_requests, &all_cost) == 14 && all_requests > requests);
	ok(all_cost == number("SELECT sum(cost_pico) FROM span WHERE billable"));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		q.by = parts[i];
		ok(list(store, &q, &requests, &cost) >= 14 && requests == all_requests && cost == all_cost);
	}
	q.by = CUSTOMERS_BY_NOTHING;
	q.environment = SLICE("test");
	ok(list(store, &q, &requests, &cost) == 7);
	q.filters = &f;
	q.nfilters = 1;
	ok(list(store, &q, &requests, &cost) == 2);
	f.op = QUERY_NOT;
	ok(list(store, &q, &requests, &cost) == 5);
	f = (struct customers_filter){ .field = CUSTOMERS_COST, .op = QUERY_GT, .values = &limit, .nvalues = 1 };
	ok(list(store, &q, &requests, &cost) == 7);
	f.op = QUERY_LTE;
	ok(list(store, &q, &requests, &cost) == 0);
	f.values = &bad;
	ok(ops->customers(store, &q, &rows) == STORE_E_ROW);
	ops->customers_done(rows);
	q = (struct customers_query){ .sort = CUSTOMERS_REQUESTS, .limit = 1, .have_from = true, .from_day = 0 };
	ok(ops->customers(store, &q, &rows) == STORE_OK && ops->customers_next(rows, &row) == STORE_ROW);
	ok(row->sums[ROLLUP_requests] == number("SELECT max(requests) FROM customer WHERE customer <> ''"));
	ok(row->first_seen > 0 && row->active_days > 5 && row->day == 0);
	ops->customers_done(rows);
}

/* What cannot be stored leaves nothing behind: a body too large, a sum too large. */
static void
test_bad(struct store *store)
{
	struct span span = make_span(2000), big = make_span(2001), more = make_span(2002);

	big.customer_identifier = more.customer_identifier = SLICE("rich");
	big.model = SLICE("dear");
	big.timestamp = more.timestamp;
	big.environment = more.environment;
	big.billable.v = more.billable.v = true;
	big.cost = more.cost = (span_COST){ true, INT64_MAX - 5 };
	ok(ops->begin(store) == STORE_OK);
	ok(ops->put(store, &span, slice_make("x", (size_t)1 << 31)) == STORE_E_ROW);
	ok(ops->put(store, &big, SLICE("x")) == STORE_OK);
	ok(ops->put(store, &more, SLICE("x")) == STORE_E_ROW);
	more.cost.v = 5;
	ok(ops->put(store, &more, SLICE("x")) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(number("SELECT cost_pico FROM customer WHERE customer = 'rich'") == INT64_MAX);
	ok(number("SELECT requests FROM customer WHERE customer = 'rich'") == 2);
	ok(ops->begin(store) == STORE_OK && ops->remove(store, big.id16) == STORE_OK);
	ok(ops->remove(store, more.id16) == STORE_OK && ops->remove(store, more.id16) == STORE_NOT_FOUND);
	ok(ops->commit(store) == STORE_OK);
	ok(number("SELECT count(*) FROM customer WHERE customer = 'rich'") == 0);	/* nothing is left of it */
	ok(number("SELECT count(*) FROM rollup_customer WHERE customer = 'rich'") == 0);
	ok(number("SELECT count(*) FROM rollup WHERE customer = 'rich'") == 0);
	ok(sums_equal());
}

static void
test_remove(struct store *store)
{
	struct store_totals before, after;
	unsigned gone = 0;

	ok(ops->totals(store, &before) == STORE_OK);
	ok(ops->begin(store) == STORE_OK);
	for (unsigned n = 3; n < 1400; n += 3, gone++) {
		struct span span = make_span(n);

		if (ops->remove(store, span.id16) != STORE_OK)
			break;
	}
	ok(gone == 466 && ops->commit(store) == STORE_OK);
	ok(sums_equal());
	ok(tables_agree());
	ok(ops->totals(store, &after) == STORE_OK);
	ok(after.rows == before.rows - gone && after.removed == before.removed + gone);
	ok(number("SELECT count(*) FROM body WHERE span NOT IN (SELECT n FROM span)") == 0);
	ok(number("SELECT count(*) FROM rollup WHERE requests = 0") == 0);
	ok(ops->begin(store) == STORE_OK);
	for (unsigned n = 1; n < 1400; n++) {
		struct span span = make_span(n);

		(void)ops->remove(store, span.id16);
	}
	ops->rollback(store);
	ok(sums_equal());
}

/* What is past retention goes on counting, apart in the cells. */
static void
test_expire(struct store *store)
{
	int64_t requests = number("SELECT sum(requests) FROM customer");
	int64_t cost = number("SELECT sum(cost_pico) FROM customer"), rows = number("SELECT count(*) FROM span");
	int64_t day = number("SELECT min(start) FROM rollup_customer WHERE grain = 'day'");
	int n;

	while ((n = ops->expire(store, BASE_US + 20ll * DAY_S * 1000000, 0, 100)) > 0)
		;
	ok(n == 0 && number("SELECT count(*) FROM span") < rows);
	ok(sums_equal());
	ok(tables_agree());
	ok(number("SELECT sum(requests) FROM customer") == requests);
	ok(number("SELECT sum(requests) FROM rollup") == requests && number("SELECT sum(cost_pico) FROM rollup") == cost);
	ok(number("SELECT min(day) FROM rollup") == day && number("SELECT max(expired) FROM rollup WHERE day < 19695") == 1);
}

/* A fetched answer: no request, but its tokens; the request that it belongs to
 * has none yet. */
static void
test_counts(struct store *store)
{
	struct span ask = make_span(3001), fetch = make_span(3002), again = make_span(3003);

	ask.customer_identifier = fetch.customer_identifier = again.customer_identifier = SLICE("later");
	ask.billable = fetch.billable = again.billable = (span_BOOL){ true, true };
	ask.uncounted = SPAN_NO_TOKENS;
	ask.prompt_tokens = ask.completion_tokens = ask.cost = (span_INT){ false, 0 };
	fetch.uncounted = again.uncounted = SPAN_NO_REQUEST;
	fetch.charge_id = again.charge_id = SLICE("resp_9");
	ok(ops->begin(store) == STORE_OK && ops->put(store, &ask, SLICE("x")) == STORE_OK);
	ok(ops->put(store, &fetch, SLICE("x")) == STORE_OK && ops->put(store, &again, SLICE("x")) == STORE_OK);
	ok(ops->commit(store) == STORE_OK);
	ok(number("SELECT sum(requests) FROM customer WHERE customer = 'later'") == 1);
	ok(number("SELECT sum(prompt_tokens) FROM customer WHERE customer = 'later'") == 3002);
	ok(number("SELECT sum(unpriced) FROM customer WHERE customer = 'later'") == 0);
	ok(number("SELECT sum(latency_count) FROM customer WHERE customer = 'later'") == 1);
	ok(ops->begin(store) == STORE_OK && ops->remove(store, ask.id16) == STORE_OK);
	ok(ops->remove(store, again.id16) == STORE_OK && ops->remove(store, fetch.id16) == STORE_OK);
	ok(ops->commit(store) == STORE_OK);
	ok(number("SELECT count(*) FROM customer WHERE customer = 'later'") == 0);
}

static void
test_identity(struct store *store)
{
	struct span first = make_span(4001), second = make_span(4002);

	first.customer_identifier = second.customer_identifier = SLICE("named");
	first.environment = second.environment = SLICE("prod");
	first.billable.v = second.billable.v = true;
	first.customer_email = SLICE("new@example.com");
	first.customer_name = SLICE("Neu");
	second.customer_email = SLICE("old@example.com");
	second.timestamp.v = first.timestamp.v - 3 * DAY_S * INT64_C(1000000);
	ok(ops->begin(store) == STORE_OK && ops->put(store, &first, SLICE("x")) == STORE_OK);
	ok(ops->put(store, &second, SLICE("x")) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(number("SELECT count(*) FROM customer WHERE customer = 'named' AND email = 'new@example.com' AND name = 'Neu'"
	    " AND active_days = 2 AND last_seen - first_seen = 3 * 86400 * 1000000") == 1);
}

/* Another hour at which days begin: all of it counted anew, and back again. */
static void
test_offset(struct store *store)
{
	int64_t cells = number("SELECT count(*) FROM rollup"), cost = number("SELECT sum(cost_pico) FROM rollup");
	int64_t days = number("SELECT sum(day * requests) FROM rollup WHERE expired = 0");

	ok(ops->day_offset(store, 0) == STORE_OK);
	ok(ops->day_offset(store, 330) == STORE_OK);
	ok(number("SELECT value FROM meta WHERE key = 'day_offset'") == 330);
	ok(sums_equal() && tables_agree());
	ok(number("SELECT sum(day * requests) FROM rollup WHERE expired = 0") > days);
	ok(number("SELECT sum(cost_pico) FROM rollup") == cost);
	ok(number("SELECT count(*) FROM customer WHERE customer = 'named' AND name = 'Neu'") == 1);
	ok(put_range(store, 5000, 5100, true) && sums_equal() && tables_agree());
	ok(ops->begin(store) == STORE_OK);
	for (unsigned n = 5000; n < 5100; n++) {
		struct span span = make_span(n);

		(void)ops->remove(store, span.id16);
	}
	ok(ops->commit(store) == STORE_OK);
	ok(ops->day_offset(store, 0) == STORE_OK && sums_equal() && tables_agree());
	ok(number("SELECT count(*) FROM rollup") == cells);
	ok(number("SELECT sum(day * requests) FROM rollup WHERE expired = 0") == days);
}

/* A store as version 2 made it: the rollups come with the upgrade, those of
 * rows whose counts nobody wrote down too. */
static void
test_migration(void)
{
	int64_t rows = number("SELECT count(*) FROM span"), seen;
	struct store *store;

	seen = number("SELECT min(timestamp) FROM span WHERE customer_identifier = 'c' AND environment = 'prod'");
	exec(VERSION_3_UNDONE "DELETE FROM meta WHERE key = 'day_offset'; PRAGMA user_version = 2");
	store = open_store();
	ok(number("PRAGMA user_version") == 5 && number("SELECT count(*) FROM span") == rows);
	ok(sums_equal());
	ok(tables_agree());
	ok(number("SELECT count(*) FROM customer WHERE customer = 'named' AND name = 'Neu'") == 1);
	ok(number("SELECT first_seen FROM customer WHERE customer = 'c' AND environment = 'prod'") <= seen);
	ok(put_range(store, 6000, 6100, true) && sums_equal() && tables_agree());
	ops->close(store);
}

/* As version 3 made it: traces counted calls that are none. */
static void
test_migration_3(void)
{
	int64_t calls = number("SELECT sum(llm_calls) FROM trace");
	struct store *store;

	exec("UPDATE trace SET llm_calls = llm_calls + 1;" VERSION_4_UNDONE "PRAGMA user_version = 3");
	store = open_store();
	ok(number("PRAGMA user_version") == 5 && number("SELECT sum(llm_calls) FROM trace") == calls);
	ok(sums_equal() && tables_agree());
	ok(put_range(store, 7000, 7100, true) && sums_equal() && tables_agree());
	ops->close(store);
}

/* What is wrong is seen: a sum, a cell too much, a histogram, a customer. */
static void
test_check(void)
{
	int64_t day = number("SELECT max(day) FROM rollup");
	char sql[300];

	ok(check(0));
	snprintf(sql, sizeof(sql), "UPDATE rollup SET cost_pico = cost_pico + 1 WHERE (day, customer, model) ="
	    " (SELECT day, customer, model FROM rollup WHERE day = %lld LIMIT 1)", (long long)day);
	exec(sql);
	ok(check(1 + 1 + 3));	/* the cell; its day without the customer; its customer, day and month */
	snprintf(sql, sizeof(sql), "UPDATE rollup SET cost_pico = cost_pico - 1 WHERE (day, customer, model) ="
	    " (SELECT day, customer, model FROM rollup WHERE day = %lld LIMIT 1)", (long long)day);
	exec(sql);
	ok(check(0));
	exec("UPDATE customer SET latency_hist = x'0101' WHERE customer = 'named'");
	ok(check(1));
	exec("DELETE FROM customer WHERE customer = 'named'");
	ok(check(1));
}

int
main(void)
{
	struct store *store;

	test_dir_make();
	store = open_store();
	test_put(store);
	test_windows(store);
	test_lists(store);
	test_bad(store);
	test_remove(store);
	test_expire(store);
	test_counts(store);
	test_identity(store);
	test_offset(store);
	ops->close(store);
	test_migration();
	test_migration_3();
	test_check();
	test_dir_remove();
	return done();
}
