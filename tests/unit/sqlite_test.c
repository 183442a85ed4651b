/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store through its vtable: rows in, rows out, and what goes wrong. */
#include <sqlite3.h>
#include <sys/stat.h>

#include "store/full.h"
#include "store_test.h"

static const struct store_ops *ops = &store_sqlite;
static char err[300];

static struct store *
open_store(bool write)
{
	struct store *store = ops->open(test_dir, write, err, sizeof(err));

	if (!store)
		printf("# %s\n", err);
	return store;
}

/* Puts spans [from, to) in one transaction. */
static bool
put_range(struct store *store, unsigned from, unsigned to)
{
	bool good = ops->begin(store) == STORE_OK;

	for (unsigned n = from; n < to; n++) {
		struct span span = test_span(n);

		good = good && ops->put(store, &span, SLICE("records")) == STORE_OK;
	}
	return good && ops->commit(store) == STORE_OK;
}

/* Counts the rows of a query and checks that times go one way. */
static int
walk(struct store *store, const struct query *q)
{
	struct store_rows *rows;
	const struct span *span;
	int64_t last = 0;
	int n = 0, rc;

	if (ops->select(store, q, &rows) != STORE_OK)
		return -1;
	while ((rc = ops->next(rows, &span)) == STORE_ROW) {
		if (n++ > 0 && q->sort < 0 &&
		    (q->ascending ? span->timestamp.v < last : span->timestamp.v > last))
			rc = -100;
		last = span->timestamp.v;
	}
	ops->done(rows);
	return rc == STORE_OK ? n : rc;
}

static void
test_round_trip(struct store *store)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct span in = test_span(1);
	const struct span *out;
	struct store_rows *rows;
	char *bytes;
	size_t len;
	bool json;

	in.customer_identifier = SLICE("kunde \xc3\xa9");
	in.cost = (span_COST){ true, 123456789012 };
	in.tokens_per_second = (span_NUM){ true, 12.5 };
	in.stream = (span_BOOL){ true, false };
	in.prompt_tokens = (span_INT){ true, 0 };
	in.note = SLICE("look at this");
	in.error_message = SLICE("");
	in.metadata = SLICE("{\"a\":\"x\\u0041\",\"b\":7,\"c\":null,\"\\u0064\":\"\"}");
	ok(ops->begin(store) == STORE_OK);
	ok(ops->put(store, &in, SLICE("the records")) == STORE_OK);
	ok(ops->put(store, &in, SLICE("once more")) == STORE_OK);	/* the same id changes nothing */
	ok(ops->commit(store) == STORE_OK);
	ok(ops->select(store, &q, &rows) == STORE_OK);
	ok(ops->next(rows, &out) == STORE_ROW);
	ok(memcmp(out->id16, in.id16, 16) == 0 && out->id.len == 32);
	ok(slice_eq(out->customer_identifier, in.customer_identifier));
	ok(out->cost.set && out->cost.v == 123456789012);
	ok(out->tokens_per_second.set && out->tokens_per_second.v > 12.4);
	ok(out->stream.set && !out->stream.v);
	ok(out->prompt_tokens.set && out->prompt_tokens.v == 0);
	ok(!out->completion_tokens.set && !out->provider_id.ptr);	/* unknown stays null */
	ok(slice_eq(out->note, in.note));
	ok(out->error_message.ptr && out->error_message.len == 0);
	ok(slice_eq(out->tenant, SLICE("default")) && slice_eq(out->family, SLICE("chat")));
	ok(ops->next(rows, &out) == STORE_OK);
	ops->done(rows);
	ok(ops->chain(store, in.id16, &bytes, &len, &json, NULL) == STORE_OK);
	ok(!json && len == 11 && memcmp(bytes, "the records", 11) == 0);
	free(bytes);
	in.id16[0] ^= 1;
	ok(ops->chain(store, in.id16, &bytes, &len, &json, NULL) == STORE_NOT_FOUND);
}

static void
test_filters(struct store *store)
{
	struct slice value = SLICE("xA"), seven = SLICE("7"), empty = SLICE("");
	struct query_filter f = { .field = SPAN_F_metadata, .key = SLICE("a"), .op = QUERY_EQ,
	    .values = &value, .nvalues = 1 };
	struct query q = { .tenant = SLICE("default"), .sort = -1, .filters = &f, .nfilters = 1 };
	uint64_t n;

	ok(walk(store, &q) == 1);
	f.key = SLICE("b");
	ok(walk(store, &q) == 0);
	f.values = &seven;
	ok(walk(store, &q) == 1);
	f.op = QUERY_NOT;
	ok(walk(store, &q) == 0);
	f = (struct query_filter){ .field = SPAN_F_metadata, .key = SLICE("d"), .op = QUERY_EQ,
	    .values = &empty, .nvalues = 1 };
	ok(walk(store, &q) == 1);
	f.key = SLICE("c");
	f.op = QUERY_ISNULL;
	f.nvalues = 0;
	ok(walk(store, &q) == 1);
	q.tenant = SLICE("other");
	ok(walk(store, &q) == 0);
	q.tenant = SLICE_NONE;
	f.field = SPAN_F_input;		/* in bodies alone, of which there is none */
	ok(walk(store, &q) == 1 && ops->count(store, &q, &n) == STORE_OK && n == 1);
	f.field = QUERY_FIELDS;
	ok(walk(store, &q) == -1);
	ok(ops->count(store, &q, &n) == STORE_E_ROW);
}

/* Lists longer than a page, in both directions and by another column. */
static void
test_paging(struct store *store)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct query_filter f = { .field = SPAN_F_latency, .op = QUERY_GTE, .nvalues = 1 };
	struct slice second = SLICE("1.5");
	uint64_t n = 0;

	ok(put_range(store, 2, 2001));
	ok(walk(store, &q) == 2000);
	q.ascending = true;
	ok(walk(store, &q) == 2000);
	q.limit = 300;
	ok(walk(store, &q) == 300);
	q.offset = 1900;
	ok(walk(store, &q) == 100);
	q.sort = SPAN_F_latency;
	ok(walk(store, &q) == 100);
	q.offset = 0;
	q.limit = 0;
	ok(walk(store, &q) == 2000);
	q.sort = SPAN_F_input;
	ok(walk(store, &q) == -1);
	q.sort = -1;
	q.have_from = q.have_to = true;
	q.from_us = BASE_US + 100 * INT64_C(1000000);
	q.to_us = q.from_us + 600 * INT64_C(1000000);
	ok(walk(store, &q) == 600);
	ok(ops->count(store, &q, &n) == STORE_OK && n == 600);
	q.have_from = q.have_to = false;
	f.values = &second;
	q.filters = &f;
	q.nfilters = 1;
	ok(walk(store, &q) == 501);	/* 1.5 s and more */
}

/* Bodies that may not be kept: the span itself, less everything that people wrote. */
static void
test_without_body(struct store *store)
{
	struct span in = test_span(5000), out;
	struct buf text;
	char *bytes = NULL;
	size_t len = 0;
	bool json = false;

	in.input = SLICE("[{\"role\":\"user\",\"content\":\"canary\"}]");
	in.full_request = SLICE("{\"canary\":1}");
	in.variables = SLICE("{\"canary\":1}");
	in.warnings = SLICE("{\"x\":\"y\"}");
	in.start_time = (span_TIME){ true, BASE_US + 17 };
	in.cost = (span_COST){ true, 5 };
	in.span_name = SLICE("tab\there");
	ok(ops->begin(store) == STORE_OK && ops->put(store, &in, SLICE_NONE) == STORE_OK);
	ok(ops->commit(store) == STORE_OK);
	ok(ops->chain(store, in.id16, &bytes, &len, &json, NULL) == STORE_OK && json);
	ok(memmem(bytes, len, "canary", 6) == NULL);
	buf_init(&text, 1 << 20);
	ok(full_parse(slice_make(bytes, len), &out, &text));
	ok(slice_eq(out.warnings, in.warnings) && !out.input.ptr);
	ok(out.start_time.set && out.start_time.v == BASE_US + 17);
	ok(!out.cost.set);	/* the row and table bill have it */
	ok(out.latency.set && out.latency.v == in.latency.v);
	ok(slice_eq(out.span_name, in.span_name));
	ok(!full_parse(SLICE("[1]"), &out, &text) && !full_parse(SLICE("{"), &out, &text));
	buf_free(&text);
	free(bytes);
}

/* A row that cannot be stored leaves the transaction and the other rows alone. */
static void
test_bad_row(struct store *store)
{
	struct span good = test_span(6000), bad = test_span(6001);
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	uint64_t before, after;

	ops->count(store, &q, &before);
	ok(ops->begin(store) == STORE_OK);
	ok(ops->put(store, &good, SLICE("x")) == STORE_OK);
	bad.metadata = SLICE("{\"k\":\"v\"}");
	ok(ops->put(store, &bad, slice_make("x", (size_t)1 << 31)) == STORE_E_ROW);
	bad = test_span(6002);
	ok(ops->put(store, &bad, SLICE("x")) == STORE_OK);
	ok(ops->commit(store) == STORE_OK);
	ok(ops->count(store, &q, &after) == STORE_OK && after == before + 2);
}

static void
test_cursors(struct store *store)
{
	struct store_cursor c = { .series = "1700000000000-01", .position = UINT64_C(3) << 32 | 77,
	    .stored = 10, .dropped = 1 }, *list;
	struct store_totals totals;
	size_t n;

	ok(ops->begin(store) == STORE_OK && ops->cursor(store, &c) == STORE_OK);
	c.series[15] = '2';
	ok(ops->cursor(store, &c) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(ops->begin(store) == STORE_OK);
	c.position = 5;
	ok(ops->cursor(store, &c) == STORE_OK);
	ops->rollback(store);
	ok(ops->cursors(store, &list, &n) == STORE_OK && n == 2);
	ok(strcmp(list[1].series, "1700000000000-02") == 0 && list[1].position == (UINT64_C(3) << 32 | 77));
	ok(list[0].stored == 10 && list[0].dropped == 1 && !list[0].finished);
	free(list);
	ok(ops->begin(store) == STORE_OK && ops->forget(store, c.series) == STORE_OK);
	ok(ops->commit(store) == STORE_OK && ops->sync(store) == STORE_OK);
	ok(ops->cursors(store, &list, &n) == STORE_OK && n == 1);
	free(list);
	ok(ops->totals(store, &totals) == STORE_OK);
	ok(totals.past == 10 && totals.past_dropped == 1 && totals.duplicates == 1);
}

/* A reader sees what is committed, while the writer is at work. */
static void
test_reader(struct store *store)
{
	struct store *reader = open_store(false);
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct span span = test_span(7000);
	uint64_t before = 0, during = 0, after = 0;

	ok(reader != NULL);
	ok(ops->count(reader, &q, &before) == STORE_OK);
	ok(ops->begin(store) == STORE_OK && ops->put(store, &span, SLICE("x")) == STORE_OK);
	ok(ops->count(reader, &q, &during) == STORE_OK && during == before);
	ok(ops->commit(store) == STORE_OK);
	ok(ops->count(reader, &q, &after) == STORE_OK && after == before + 1);
	ok(ops->begin(reader) != STORE_OK || ops->put(reader, &span, SLICE("x")) != STORE_OK);
	ops->close(reader);
}

/* Another process holds the lock: busy, and well again afterwards. */
static void
test_locked(struct store *store)
{
	char path[100];
	sqlite3 *other;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(sqlite3_open(path, &other) == SQLITE_OK);
	ok(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	ok(ops->begin(store) == STORE_BUSY);
	ops->rollback(store);
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	ok(put_range(store, 8000, 8001));
	sqlite3_close(other);
}

static void
test_expire(struct store *store)
{
	struct span pinned = test_span(20), old = test_span(21), late = test_span(30000);
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct store_totals before, after;
	int n, sum = 0;

	pinned.id16[15] = old.id16[15] = 0xee;	/* other ids than the rows of that time */
	pinned.is_pinned = (span_BOOL){ true, true };
	late.timestamp = old.timestamp;		/* sent long after it happened: counts from its arrival */
	ok(ops->begin(store) == STORE_OK && ops->put(store, &pinned, SLICE("x")) == STORE_OK);
	ok(ops->put(store, &old, SLICE("x")) == STORE_OK && ops->put(store, &late, SLICE("x")) == STORE_OK);
	ok(ops->commit(store) == STORE_OK && ops->totals(store, &before) == STORE_OK);
	while ((n = ops->expire(store, BASE_US + 1000 * INT64_C(1000000), 0, 300)) > 0) {
		sum += n;
		ok(n <= 300);
	}
	ok(n == 0 && sum == 1000);	/* 1 to 999 and `old` */
	ok(ops->totals(store, &after) == STORE_OK);
	ok(after.expired == before.expired + 1000 && after.rows == before.rows - 1000);
	q.have_to = true;
	q.to_us = BASE_US + 1000 * INT64_C(1000000);
	ok(walk(store, &q) == 2);
	ok(ops->size(store) > 0);
	while ((n = ops->expire(store, INT64_MIN, 1, 500)) > 0)	/* far too large: all goes, but for the pin */
		;
	ok(n == 0 && walk(store, &(struct query){ .sort = -1 }) == 1);
}

/* Puts span n of that response and tenant; what its row says of billable: 1, 0, -1: nothing. */
static int
put_charge(struct store *store, unsigned n, const char *tenant, const char *response, int *billed)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1, .have_from = true };
	struct span span = test_span(n);
	const struct span *row;
	struct store_rows *rows;
	int billable = -1;

	span.tenant = slice_str(tenant);
	span.charge_id = slice_str(response);
	span.billable = (span_BOOL){ true, true };
	q.from_us = span.timestamp.v;
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK);
	*billed = ops->billed(store);
	ok(ops->select(store, &q, &rows) == STORE_OK);
	if (ops->next(rows, &row) == STORE_ROW && row->billable.set)
		billable = row->billable.v;
	ops->done(rows);
	return billable;
}

/* Spans of one response: the first is billed, whatever happens in between. */
static void
test_charge_once(struct store *store)
{
	int billed;

	ok(ops->begin(store) == STORE_OK);
	ok(put_charge(store, 9000, "default", "resp_1", &billed) == 1 && billed);
	ops->rollback(store);		/* as a crash would: nothing was charged */
	ok(ops->begin(store) == STORE_OK);
	ok(put_charge(store, 9001, "default", "resp_1", &billed) == 1 && billed);
	ok(put_charge(store, 9002, "default", "resp_1", &billed) == 0 && !billed);
	ok(put_charge(store, 9003, "other", "resp_1", &billed) == 1 && billed);
	ok(put_charge(store, 9004, "default", "resp_2", &billed) == 1 && billed);
	ok(put_charge(store, 9005, "default", NULL, &billed) == 1 && billed);
	ok(put_charge(store, 9006, "default", NULL, &billed) == 1 && billed);
	ok(ops->commit(store) == STORE_OK);
	ok(ops->begin(store) == STORE_OK);
	ok(put_charge(store, 9007, "default", "resp_1", &billed) == 0 && !billed);
	ops->rollback(store);
}

/* What put says of a row's bill is what its rollups count. */
static void
test_billed(struct store *store)
{
	struct span span = test_span(9100);

	ok(ops->begin(store) == STORE_OK);
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->billed(store) == STORE_UNPRICED);
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->billed(store) == STORE_UNBILLED);
	span = test_span(9101);
	span.cost = (struct span_int){ true, 0 };
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->billed(store) == STORE_BILLED);
	span = test_span(9102);
	span.status = SLICE("error");
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->billed(store) == STORE_BILLED);
	span = test_span(9103);
	span.billable = (span_BOOL){ true, false };
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->billed(store) == STORE_UNBILLED);
	ops->rollback(store);
}

/* The journal is read once more: what was charged stays so, and is not told again. */
static void
test_charge_replay(struct store *store)
{
	struct span span = test_span(9001), raw = test_span(9010), bad = test_span(9011);
	struct query_filter f = { .field = SPAN_F_billable, .op = QUERY_EQ, .nvalues = 1 };
	struct query q = { .sort = -1, .have_from = true, .filters = &f, .nfilters = 1 };
	struct slice yes = SLICE("true");
	uint64_t before, after;
	int billed;

	q.from_us = span.timestamp.v;
	f.values = &yes;
	ok(ops->count(store, &q, &before) == STORE_OK && before == 5);
	span.billable = raw.billable = bad.billable = (span_BOOL){ true, true };
	span.charge_id = SLICE("resp_1");
	ok(ops->begin(store) == STORE_OK && ops->put(store, &span, SLICE_NONE) == STORE_OK);
	ok(!ops->billed(store));
	ok(ops->count(store, &q, &after) == STORE_OK && after == before);
	/* one that could not be stored has charged nothing */
	bad.charge_id = SLICE("resp_3");
	ok(ops->put(store, &bad, slice_make("x", (size_t)1 << 31)) == STORE_E_ROW);
	ok(put_charge(store, 9012, "default", "resp_3", &billed) == 1 && billed);
	ok(ops->commit(store) == STORE_OK);
	raw.billable.v = false;
	ok(ops->begin(store) == STORE_OK && ops->put(store, &raw, SLICE("x")) == STORE_OK);
	ok(!ops->billed(store));	/* it was never a call of a model */
	ok(ops->commit(store) == STORE_OK);
}

/* A whole span says of itself what its row says, not what its records say. */
static void
test_charge_shown(struct store *store)
{
	struct build_options options = { .row_only = false };
	struct query q = { .tenant = SLICE("default"), .sort = -1, .have_from = true, .ascending = true, .limit = 2 };
	struct full *full = full_new(ops, store, &options);
	bool want[] = { true, false };
	const struct span *row, *whole;
	struct store_rows *rows;

	q.from_us = test_span(9001).timestamp.v;
	ok(ops->select(store, &q, &rows) == STORE_OK);
	for (int i = 0; i < 2; i++) {
		ok(ops->next(rows, &row) == STORE_ROW);
		whole = full_span(full, row);
		ok(whole != row && whole->billable.set && whole->billable.v == want[i]);
	}
	ops->done(rows);
	full_free(full);
}

/* With the row that was billed its charge expires. */
static void
test_charge_expires(struct store *store)
{
	int billed;

	while (ops->expire(store, test_span(9002).timestamp.v, 0, 500) > 0)
		;
	ok(ops->begin(store) == STORE_OK);
	ok(put_charge(store, 40000, "default", "resp_1", &billed) == 1 && billed);
	ok(put_charge(store, 40001, "default", "resp_2", &billed) == 0 && !billed);
	ok(ops->commit(store) == STORE_OK);
}

static void
exec(const char *sql)
{
	char path[100];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(sqlite3_open(path, &db) == SQLITE_OK);
	ok(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

static void
test_versions(void)
{
	struct store *store;
	struct stat st;
	char path[100];

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	ok(store_check(test_dir, err, sizeof(err)) == STORE_OK);
	store = open_store(true);	/* a second start */
	ok(store != NULL);
	ops->close(store);
	exec("PRAGMA user_version = 99");
	ok(!open_store(true) && strstr(err, "newer spangate"));
	ok(!open_store(false) && strstr(err, "newer spangate"));
	ok(store_check(test_dir, err, sizeof(err)) == STORE_E_VERSION);
}

/* A store as version 1 made it gets what is new, and keeps its rows. */
static void
test_migration(void)
{
	struct query q = { .sort = -1 };
	const struct span *row;
	struct store_rows *rows;
	struct store *store;
	int billed;

	exec(VERSION_3_UNDONE "DROP TABLE charge; ALTER TABLE span DROP COLUMN billable; PRAGMA user_version = 1");
	ok(!open_store(false) && strstr(err, "older version"));
	store = open_store(true);
	ok(store != NULL);
	ok(ops->select(store, &q, &rows) == STORE_OK && ops->next(rows, &row) == STORE_ROW);
	ok(!row->billable.set && slice_eq(row->model, SLICE("gpt-4o")));
	ops->done(rows);
	ok(ops->begin(store) == STORE_OK);
	ok(put_charge(store, 50000, "default", "resp_1", &billed) == 1 && billed);
	ok(put_charge(store, 50001, "default", "resp_1", &billed) == 0 && !billed);
	ok(ops->commit(store) == STORE_OK);
	ops->close(store);
}

int
main(void)
{
	struct store *store;

	test_dir_make();
	ok(!open_store(false) && strstr(err, "no store yet"));
	ok(store_check(test_dir, err, sizeof(err)) == STORE_OK);
	store = open_store(true);
	ok(store != NULL);
	test_round_trip(store);
	test_filters(store);
	test_paging(store);
	test_without_body(store);
	test_bad_row(store);
	test_cursors(store);
	test_reader(store);
	test_locked(store);
	test_expire(store);
	test_charge_once(store);
	test_billed(store);
	test_charge_replay(store);
	test_charge_shown(store);
	test_charge_expires(store);
	ops->close(store);
	test_migration();
	test_versions();
	test_dir_remove();
	return done();
}
