/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of windows: from whole days of the rollups and the rows around them
 * they are what rows alone give, wherever the window and the days begin; and
 * where ticks begin and end.
 */
#include "store/db.h"
#include "store_test.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define DAYS 80
#define SPANS 4000

static const struct store_ops *ops = &store_sqlite;
static char err[300];

static uint32_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static bool
fill(struct store *store)
{
	static const char *const models[] = { "m0", "m1", "m2" };
	bool good = ops->begin(store) == STORE_OK;
	char who[16];

	for (unsigned n = 0; n < SPANS && good; n++) {
		struct span span = test_span(n);
		unsigned x = next_random();

		snprintf(who, sizeof(who), "c%u", x % 5);
		span.timestamp.v = BASE_US + (int64_t)n * (DAYS * DAY_US / SPANS);
		span.customer_identifier = x % 7 ? slice_str(who) : SLICE_NONE;
		span.model = slice_str(models[x / 5 % 3]);
		span.provider_id = x % 2 ? SLICE("openai") : SLICE("anthropic");
		span.environment = x % 3 ? SLICE("prod") : SLICE("test");
		span.status = x % 11 ? SLICE("success") : SLICE("error");
		span.billable = (span_BOOL){ true, x % 13 != 0 };
		span.prompt_tokens = (span_INT){ true, x % 1000 };
		span.total_request_tokens = (span_INT){ true, x % 1000 };
		span.cost = (span_COST){ x % 5 != 0, x };
		span.latency = (span_SECS){ true, x % 1000000 };
		span.time_to_first_token = (span_SECS){ x % 2 == 0, x % 100000 };
		good = ops->put(store, &span, SLICE_NONE) == STORE_OK;
	}
	return good && ops->commit(store) == STORE_OK;
}

/* The answer as text, one line a row; parts of `status`, which only rows tell
 * apart, are added up. */
static void
answer(struct store *store, const struct metrics_query *q, struct buf *out)
{
	const struct metrics_row *row;
	struct metrics *m = NULL;
	int rc = ops->metrics(store, q, &m);

	while (rc >= 0 && (rc = ops->metrics_next(m, &row)) == STORE_ROW) {
		buf_printf(out, "%lld %.*s", (long long)row->start, (int)row->part.len, row->part.ptr ? row->part.ptr : "");
		for (int i = 0; i < ROLLUP_SUMS; i++)
			buf_printf(out, " %lld", (long long)row->sums[i]);
		for (size_t i = 0; i < row->latency.len; i++)
			buf_printf(out, " %02x", (unsigned char)row->latency.ptr[i]);
		buf_str(out, "\n");
	}
	if (rc != STORE_OK)
		buf_printf(out, "failed: %d\n", rc);
	ops->metrics_done(m);
}

/* A filter that lets all through, which rollups cannot answer, forces rows. */
static bool
ways_agree(struct store *store, const struct metrics_query *q)
{
	struct slice none = SLICE("no such status");
	struct metrics_filter filters[3] = { { .by = METRICS_BY_STATUS, .not = true, .values = &none, .nvalues = 1 } };
	struct metrics_query rows = *q;
	struct buf a, b;
	bool same;

	buf_init(&a, 1 << 24);
	buf_init(&b, 1 << 24);
	for (size_t i = 0; i < q->nfilters; i++)
		filters[i + 1] = q->filters[i];
	rows.filters = filters;
	rows.nfilters = q->nfilters + 1;
	answer(store, q, &a);
	answer(store, &rows, &b);
	same = slice_eq(buf_view(&a), buf_view(&b)) && !a.failed && !memmem(a.ptr ? a.ptr : "", a.len, "failed", 6);
	if (!same)
		printf("# %lld to %lld, tick %d, by %d:\n# %.*s# %.*s", (long long)q->from_us, (long long)q->to_us, (int)q->tick,
		    (int)q->by, (int)(a.len > 600 ? 600 : a.len), a.ptr, (int)(b.len > 600 ? 600 : b.len), b.ptr);
	buf_free(&a);
	buf_free(&b);
	return same;
}

static void
test_agree(struct store *store, int offset)
{
	static const enum metrics_tick ticks[] = { METRICS_WHOLE, METRICS_HOUR, METRICS_DAY, METRICS_WEEK, METRICS_MONTH };
	struct slice values[2] = { SLICE("c1"), SLICE("c2") };
	struct metrics_filter f = { .by = METRICS_BY_CUSTOMER, .values = values, .nvalues = 2 };
	bool good = true;

	for (int i = 0; i < 150 && good; i++) {
		int64_t from = BASE_US - DAY_US + (int64_t)(next_random() % (DAYS + 2)) * DAY_US;
		struct metrics_query q = { .tenant = SLICE("default"), .tick = ticks[next_random() % 5], .offset = offset,
		    .by = (enum metrics_by)(next_random() % METRICS_BY_PROMPT), .filters = &f, .nfilters = next_random() % 2,
		    .sort = next_random() % 2 ? -1 : ROLLUP_requests };

		if (i % 3 == 0)
			from = metrics_start(METRICS_DAY, offset, from);
		else
			from += next_random() % 3600000;
		f.not = next_random() % 2;
		q.from_us = from;
		q.to_us = from + (int64_t)(next_random() % DAYS) * DAY_US + (i % 2 ? next_random() % 86400 * INT64_C(1000000) : 0);
		good = ways_agree(store, &q);
	}
	ok(good);
}

static void
test_totals(struct store *store)
{
	struct metrics_query q = { .tenant = SLICE("default"), .from_us = 0, .to_us = BASE_US * 2, .sort = -1 };
	const struct metrics_row *row;
	struct metrics *m;
	int64_t requests;

	ok(ops->metrics(store, &q, &m) == STORE_OK && ops->metrics_next(m, &row) == STORE_ROW);
	requests = row->sums[ROLLUP_requests];
	ok(requests > SPANS / 2 && requests < SPANS && row->sums[ROLLUP_latency_count] == requests);
	ok(ops->metrics_next(m, &row) == STORE_OK);
	ops->metrics_done(m);
	ok(ops->expire(store, BASE_US + 4 * DAY_US, 0, SPANS) > 0);
	ok(ops->metrics(store, &q, &m) == STORE_OK && ops->metrics_next(m, &row) == STORE_ROW);
	ok(row->sums[ROLLUP_requests] == requests);	/* what is past retention counts on */
	ops->metrics_done(m);
	q.tenant = SLICE("nobody");
	ok(ops->metrics(store, &q, &m) == STORE_OK && ops->metrics_next(m, &row) == STORE_OK);
	ops->metrics_done(m);
}

/* 2023-11-14T22:13:20Z was a Tuesday. */
static void
test_ticks(void)
{
	int64_t day = BASE_US / DAY_US * DAY_US, hour = INT64_C(3600000000);

	ok(metrics_start(METRICS_DAY, 0, BASE_US) == day && metrics_after(METRICS_DAY, 0, day) == day + DAY_US);
	ok(metrics_start(METRICS_DAY, 120, BASE_US) == day + 22 * hour);
	ok(metrics_start(METRICS_WEEK, 0, BASE_US) == day - DAY_US);
	ok(metrics_start(METRICS_WEEK, 120, BASE_US) == day - DAY_US - 2 * hour);
	ok(metrics_start(METRICS_MONTH, 0, BASE_US) == day - 13 * DAY_US);
	ok(metrics_after(METRICS_MONTH, 0, day - 13 * DAY_US) == day + 17 * DAY_US);
	ok(metrics_start(METRICS_HOUR, 30, BASE_US) == day + 21 * hour + hour / 2);
	ok(metrics_start(METRICS_DAY, 0, -1) == -DAY_US && metrics_start(METRICS_MINUTE, 0, -1) == -60000000);
}

int
main(void)
{
	struct store *store;

	test_ticks();
	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL && fill(store));
	test_agree(store, 0);
	test_agree(store, 330);
	ok(ops->day_offset(store, 330) == STORE_OK);
	test_agree(store, 330);
	test_agree(store, -60);
	test_totals(store);
	ops->close(store);
	test_dir_remove();
	return done();
}
