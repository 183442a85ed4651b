/* SPDX-License-Identifier: Apache-2.0 */
/*
 * customers_long [SPANS [DIR]]: a store of a million spans of 10,000 customers,
 * made straight into it: are their sums right to the last digit, and does a
 * page of all customers come within 50 ms? What comes whole is told beside it.
 * For `make check-long`.
 */
#include <time.h>

#include "store_test.h"

#define CUSTOMERS 10000
#define DAYS 90
#define DAY_US (INT64_C(86400) * 1000000)
#define FIRST_DAY (BASE_US / DAY_US)
#define BATCH 200
#define LIMIT_MS 50

static const struct store_ops *ops = &store_sqlite;
static int64_t cost[CUSTOMERS], requests[CUSTOMERS];

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* The same numbers each time. */
static uint32_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static int
put_one(struct store *store, unsigned n, unsigned total)
{
	static const char *const models[] = { "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "o3", "text-embedding-3-small" };
	unsigned customer = next_random() % CUSTOMERS;
	struct span span = test_span(n);
	char name[24];

	snprintf(name, sizeof(name), "customer-%05u", customer);
	span.customer_identifier = slice_str(name);
	span.environment = SLICE("prod");
	span.model = slice_str(models[next_random() % 5]);
	span.provider_id = SLICE("openai");
	span.billable = (span_BOOL){ true, true };
	span.timestamp.v = BASE_US + (int64_t)n * (DAYS * DAY_US / total);
	span.prompt_tokens = (span_INT){ true, next_random() % 5000 };
	span.completion_tokens = (span_INT){ true, next_random() % 1000 };
	span.total_request_tokens = (span_INT){ true, span.prompt_tokens.v + span.completion_tokens.v };
	span.cost = (span_COST){ true, span.prompt_tokens.v * 2500000 + span.completion_tokens.v * 10000001 };
	span.latency = (span_SECS){ true, 200000 + next_random() % 20000000 };
	span.time_to_first_token = (span_SECS){ n % 2 == 0, 100000 + next_random() % 2000000 };
	cost[customer] += span.cost.v;
	requests[customer]++;
	return ops->put(store, &span, SLICE_NONE);
}

static bool
fill_store(struct store *store, unsigned total)
{
	bool good = true;

	for (unsigned n = 0; n < total && good; n++) {
		if (n % BATCH == 0)
			good = ops->begin(store) == STORE_OK;
		good = good && put_one(store, n, total) == STORE_OK;
		if (n % BATCH == BATCH - 1 || n == total - 1)
			good = good && ops->commit(store) == STORE_OK;
	}
	return good;
}

/* The list of all; how many rows, and whether the sums of all time are right. */
static unsigned
list(struct store *store, const struct customers_query *q, bool *exact)
{
	struct customers *rows;
	const struct customers_row *row;
	unsigned n = 0, who;
	int rc = ops->customers(store, q, &rows);

	*exact = true;
	while (rc >= 0 && (rc = ops->customers_next(rows, &row)) == STORE_ROW) {
		who = (unsigned)strtoul(row->customer.ptr + 9, NULL, 10) % CUSTOMERS;
		*exact = *exact && row->sums[ROLLUP_cost_pico] == cost[who] && row->sums[ROLLUP_requests] == requests[who];
		n++;
	}
	ops->customers_done(rows);
	return rc == STORE_OK ? n : 0;
}

static void
measure(struct store *store, const char *what, struct customers_query *q, bool whole, bool bar)
{
	double best = 1e9, t;
	bool exact = false;
	unsigned n = 0;

	q->tenant = SLICE("default");
	q->sort = CUSTOMERS_COST;
	for (int i = 0; i < 5; i++) {
		t = now_ms();
		n = list(store, q, &exact);
		t = now_ms() - t;
		best = t < best ? t : best;
	}
	printf("# %-28s %6u rows in %7.1f ms\n", what, n, best);
	ok(n > 0 && (!whole || (exact && n == CUSTOMERS)));
	if (bar)
		ok(best < LIMIT_MS);
}

static void
measure_all(struct store *store)
{
	int64_t month = rollup_month(FIRST_DAY + 45);
	struct customers_query q = { .limit = 0 };

	measure(store, "all time, all", &q, true, false);
	q.limit = 50;
	measure(store, "all time, the first 50", &q, false, true);
	q = (struct customers_query){ .have_from = true, .have_to = true, .from_day = month,
	    .to_day = rollup_month(month + 31) };
	measure(store, "a whole month, all", &q, false, false);
	q.limit = 50;
	measure(store, "a whole month, the first 50", &q, false, true);
	q.to_day = month + 3;
	q.limit = 0;
	measure(store, "three days, all", &q, false, false);
	q.limit = 50;
	measure(store, "three days, the first 50", &q, false, true);
	q.to_day = month + 7;
	measure(store, "seven days, the first 50", &q, false, false);
	q.limit = 1000;
	measure(store, "seven days, the first 1000", &q, false, false);
	q.limit = 50;
	q.from_day = month - 3;
	q.to_day = month + 35;
	measure(store, "a month and a week, 50", &q, false, false);
}

int
main(int argc, char **argv)
{
	unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
	char err[300];
	struct store *store, *reader;
	struct buf lines;
	uint64_t cells = 0;
	double t;

	if (argc > 3)		/* of a store that is there: figures alone */
		total = 0;
	if (argc > 2)
		snprintf(test_dir, sizeof(test_dir), "%s", argv[2]);
	else
		test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	t = now_ms();
	ok(store && fill_store(store, total));
	t = now_ms() - t;
	printf("# %u spans put in %.1f s, %.1f us each; %.0f MiB\n", total, t / 1e3, t * 1e3 / total,
	    (double)ops->size(store) / 1048576);
	ops->close(store);
	reader = ops->open(test_dir, false, err, sizeof(err));
	ok(reader != NULL);
	measure_all(reader);
	buf_init(&lines, 1 << 20);
	t = now_ms();
	ok(ops->check_rollups(reader, &lines, &cells) == STORE_OK && lines.len == 0);
	printf("# %llu cells counted anew in %.1f s: %s\n", (unsigned long long)cells, (now_ms() - t) / 1e3,
	    lines.len ? lines.ptr : "equal");
	buf_free(&lines);
	ops->close(reader);
	if (argc <= 2)
		test_dir_remove();
	return done();
}
