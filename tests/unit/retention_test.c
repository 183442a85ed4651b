/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention_test: steps of retention by a clock: pinned rows stay, bodies go
 * before rows, and a step is over when its time is.
 *
 * retention_test SPANS [DIR]: the same with so many spans, with figures; with a
 * directory only makes them there, for `make check-long`.
 */
#include <sqlite3.h>
#include <time.h>

#include "span/build.h"
#include "store/full.h"
#include "store_test.h"

#define BATCH 200
#define STEP_MS 50		/* no step may take longer: of its thread's time, as others may stop it meanwhile */
#define PINNED 100		/* one of so many */
#define ALL INT64_MAX

static const struct store_ops *ops = &store_sqlite;
static char body[2048];

static double
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double
now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static int
put_one(struct store *store, unsigned n)
{
	struct span span = test_span(n);
	uint32_t state = n;
	char meta[60];

	snprintf(meta, sizeof(meta), "{\"team\":\"t%u\",\"odd\":\"\\u00e9\\\"\"}", n % 10);
	span.metadata = slice_str(meta);
	span.environment = SLICE("prod");
	span.prompt_tokens = (span_INT){ true, 7 };
	span.is_pinned = (span_BOOL){ n % PINNED == 0, true };
	for (size_t i = 0; i < 600; i++)	/* some of it compresses, some does not */
		body[i] = (char)(state = state * 1103515245u + 12345u, state >> 16);
	return ops->put(store, &span, slice_make(body, sizeof(body)));
}

static bool
fill_store(struct store *store, unsigned total)
{
	bool good = true;

	for (unsigned n = 0; n < total && good; n++) {
		if (n % BATCH == 0)
			good = ops->begin(store) == STORE_OK;
		good = good && put_one(store, n) == STORE_OK;
		if (n % BATCH == BATCH - 1 || n == total - 1)
			good = good && ops->commit(store) == STORE_OK;
	}
	return good;
}

static int64_t
number(const char *sql)
{
	char path[100];
	sqlite3 *db;
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

/* Steps until nothing is left to do; the longest by its thread's time. */
static double
steps(struct store *store, const char *what, struct store_retention r)
{
	static const struct build_options options;
	double longest = 0, wall = 0, start = now_ms(), t, cpu;
	unsigned n = 0, late = 0;
	bool more = true;

	r.options = &options;
	while (more) {
		t = now_ms();
		cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID);
		if (ops->retain(store, &r, &more) != STORE_OK)
			return -1;
		t = now_ms() - t;
		cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
		n++;
		late += t > STEP_MS;
		longest = cpu > longest ? cpu : longest;
		wall = t > wall ? t : wall;
	}
	printf("# %s: %u steps in %.1f s, the longest %.1f ms (%.1f of its own), %u over %d ms; %.1f MiB on disk\n",
	    what, n, (now_ms() - start) / 1e3, wall, longest, late, STEP_MS, (double)ops->size(store) / 1048576);
	return longest;
}

/* The span of number n as readers see it. */
static void
read_span(struct store *store, unsigned n, struct full **full, const struct span **span)
{
	static const struct build_options options;
	struct span want = test_span(n);
	struct slice id = slice_str("");
	struct query_filter f = { .field = SPAN_F_id, .op = QUERY_EQ, .values = &id, .nvalues = 1 };
	struct query q = { .filters = &f, .nfilters = 1, .sort = -1, .limit = 1 };
	struct store_rows *rows = NULL;
	const struct span *row;
	static struct span copy;
	char hex[33];

	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", want.id16[i]);
	id = slice_str(hex);
	*full = full_new(ops, store, &options);
	*span = NULL;
	if (ops->select(store, &q, &rows) == STORE_OK && ops->next(rows, &row) == STORE_ROW) {
		copy = *full_span(*full, row);
		*span = &copy;
	}
	ok(*span != NULL);
	ok(*span && copy.prompt_tokens.v == 7 && slice_eq(copy.model, SLICE("gpt-4o")));
	ops->done(rows);
}

/* Bodies go, rows and what they say stay; then all rows go but for the pinned ones. */
static void
test_all(struct store *store, unsigned total, bool timed)
{
	unsigned pinned = (total + PINNED - 1) / PINNED;
	struct store_totals t;
	const struct span *span;
	struct full *full;
	uint64_t before;
	int64_t texts;
	double longest;
	char sql[200];

	longest = steps(store, "nothing is old", (struct store_retention){ .before_us = INT64_MIN,
	    .bodies_before_us = BASE_US });
	ok(longest >= 0 && number("SELECT count(*) FROM body WHERE kind = 0") == total);
	before = (uint64_t)number("PRAGMA page_count") * 4096;
	texts = number("SELECT sum(length(data)) FROM body");
	longest = steps(store, "bodies", (struct store_retention){ .before_us = INT64_MIN, .bodies_before_us = ALL });
	ok(longest >= 0 && (!timed || longest < STEP_MS));
	ok(number("SELECT count(*) FROM span") == total);
	ok(number("SELECT count(*) FROM body WHERE kind = 0") == pinned);
	ok(number("SELECT count(*) FROM span_edit WHERE blurred = 1 AND is_pinned IS NULL") == total - pinned);
	snprintf(sql, sizeof(sql), "SELECT count(DISTINCT rev) FROM span WHERE rev > %u", total);
	ok(number(sql) == total - pinned);
	ok(number("SELECT sum(length(data)) FROM body") < texts / 3);
	read_span(store, 1, &full, &span);
	ok(span->blurred.v && slice_eq(span->metadata, SLICE("{\"odd\":\"é\\\"\",\"team\":\"t1\"}")));
	full_free(full);
	read_span(store, 0, &full, &span);
	ok(!span->blurred.set && span->is_pinned.v);
	full_free(full);
	longest = steps(store, "once more", (struct store_retention){ .before_us = INT64_MIN, .bodies_before_us = ALL });
	ok(longest >= 0 && number("SELECT count(*) FROM body WHERE kind = 0") == pinned);
	longest = steps(store, "rows", (struct store_retention){ .before_us = ALL, .bodies_before_us = ALL });
	ok(longest >= 0 && (!timed || longest < STEP_MS));
	ok(ops->totals(store, &t) == STORE_OK && t.rows == pinned && t.expired == total - pinned);
	ok(number("SELECT count(*) FROM span_edit WHERE is_pinned = 1") == pinned);
	ok(number("SELECT (SELECT count(*) FROM body) - (SELECT count(*) FROM span)") == 0);
	ok(number("PRAGMA page_count") * 4096 < (int64_t)before / 10);
	ok(number("SELECT sum(requests) FROM rollup") == total);
}

/* Above a size the oldest go, whatever their age. */
static void
test_size(struct store *store)
{
	uint64_t most;

	ok(fill_store(store, 3000));	/* the ids that are there are passed over */
	most = (uint64_t)number("PRAGMA page_count") * 4096 / 2;
	ok(steps(store, "half the size", (struct store_retention){ .before_us = INT64_MIN, .bodies_before_us = INT64_MIN,
	    .max_bytes = most }) >= 0);
	ok(number("SELECT count(*) FROM span") < 2900 && number("SELECT count(*) FROM span") > 300);
}

int
main(int argc, char **argv)
{
	unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5000;
	char err[300];
	struct store *store;
	double t = now_ms();

	memset(body, 'x', sizeof(body));
	if (argc > 2)
		snprintf(test_dir, sizeof(test_dir), "%s", argv[2]);
	else
		test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store && fill_store(store, total));
	printf("# %u spans put in %.1f s; %.0f MiB\n", total, (now_ms() - t) / 1e3, (double)ops->size(store) / 1048576);
	if (argc <= 2) {
		test_all(store, total, argc > 1);
		if (argc <= 1)
			test_size(store);
	}
	ops->close(store);
	if (argc <= 2)
		test_dir_remove();
	return done();
}
