/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces_long [SPANS [DIR]]: a store of a million spans in 200,000 traces, made
 * straight into it with words to search: how long a page of traces, figures and
 * searches take. Then what the index of words costs beside the rest, over
 * stores with and without it. For `make check-long`.
 */
#include <sys/stat.h>
#include <time.h>

#include "chat_chain.h"
#include "store/db.h"
#include "store_test.h"

#define CUSTOMERS 10000
#define DAYS 90
#define DAY_US (INT64_C(86400) * 1000000)
#define BATCH 200
#define EACH 5				/* spans of a trace */
#define COMPARED 20000			/* spans of the stores that are compared */

static const struct store_ops *ops = &store_sqlite;
static const struct build_options options = { .row_only = true };
static char err[300];

static double
clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
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

/* Words as they are frequent in prose: the k-th with a share of 1/k. */
static void
prose(char *out, size_t size, unsigned words)
{
	size_t len = 0;

	for (unsigned i = 0; i < words && len + 12 < size; i++) {
		double share = (double)next_random() / 4294967296.0;
		unsigned word = 1;

		for (double scale = share * 16; scale > 1; scale -= 1)
			word = word * 2 + next_random() % 2;
		len += (size_t)snprintf(out + len, size - len, "%sw%x", i ? " " : "", word);
	}
}

static int
put_one(struct store *store, unsigned n, unsigned total, struct slice chain, struct slice input, struct slice output)
{
	static const char *const models[] = { "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "o3", "text-embedding-3-small" };
	struct span span = test_span(n);
	char customer[24], trace[40], id[24], parent[24];

	snprintf(customer, sizeof(customer), "customer-%05u", next_random() % CUSTOMERS);
	snprintf(trace, sizeof(trace), "%08x%024x", n / EACH * 2654435761u, n / EACH);
	snprintf(id, sizeof(id), "%016x", n);
	snprintf(parent, sizeof(parent), "%016x", n - 1);
	span.customer_identifier = slice_str(customer);
	span.environment = SLICE("prod");
	span.model = slice_str(models[next_random() % 5]);
	span.provider_id = SLICE("openai");
	span.trace_unique_id = slice_str(trace);
	span.span_unique_id = slice_str(id);
	span.span_parent_id = n % EACH ? slice_str(parent) : SLICE_NONE;
	span.span_name = SLICE("openai.chat");
	span.billable = (span_BOOL){ true, true };
	span.timestamp.v = BASE_US + (int64_t)n * (DAYS * DAY_US / total);
	span.start_time = (span_TIME){ true, span.timestamp.v - 1000000 };
	span.prompt_tokens = (span_INT){ true, next_random() % 5000 };
	span.completion_tokens = (span_INT){ true, next_random() % 1000 };
	span.total_request_tokens = (span_INT){ true, span.prompt_tokens.v + span.completion_tokens.v };
	span.cost = (span_COST){ true, span.prompt_tokens.v * 2500000 + span.completion_tokens.v * 10000001 };
	span.latency = (span_SECS){ true, 200000 + next_random() % 20000000 };
	span.time_to_first_token = (span_SECS){ n % 2 == 0, 100000 + next_random() % 2000000 };
	span.input = input;
	span.output = output;
	return ops->put(store, &span, chain);
}

static bool
fill_store(struct store *store, unsigned total)
{
	char asked[600], said[300], input[700], output[400];
	bool good = true;

	for (unsigned n = 0; n < total && good; n++) {
		prose(asked, sizeof(asked), 40);
		prose(said, sizeof(said), 20);
		snprintf(input, sizeof(input), "[{\"role\":\"user\",\"content\":\"%s%s\"}]", asked, n == total / 2 ? " needle" : "");
		snprintf(output, sizeof(output), "{\"role\":\"assistant\",\"content\":\"%s\"}", said);
		if (n % BATCH == 0)
			good = ops->begin(store) == STORE_OK;
		good = good && put_one(store, n, total, slice_str(input), slice_str(input), slice_str(output)) == STORE_OK;
		if (n % BATCH == BATCH - 1 || n == total - 1)
			good = good && ops->commit(store) == STORE_OK;
	}
	return good;
}

/* The best of five, as other work disturbs. */
#define MEASURE(what, limit, call) do { \
	double best = 1e9, t; \
	long rows = 0; \
	for (int i = 0; i < 5; i++) { \
		t = clock_ms(CLOCK_MONOTONIC); \
		rows = (long)(call); \
		t = clock_ms(CLOCK_MONOTONIC) - t; \
		best = t < best ? t : best; \
	} \
	printf("# %-44s %8ld in %7.1f ms\n", what, rows, best); \
	ok(rows >= 0 && ((limit) == 0 || best < (limit))); \
} while (0)

static long
list_traces(struct store *store, const struct traces_query *q)
{
	const struct traces_row *row;
	struct traces *traces = NULL;
	long n = 0;
	int rc = ops->traces(store, q, &traces);

	while (rc >= 0 && (rc = ops->traces_next(traces, &row)) == STORE_ROW)
		n++;
	ops->traces_done(traces);
	return rc == STORE_OK ? n : -1;
}

static long
count_traces(struct store *store, const struct traces_query *q)
{
	uint64_t n;

	return ops->traces_count(store, q, 100000, &n) == STORE_OK ? (long)n : -1;
}

static void
measure_traces(struct store *store)
{
	struct slice value = SLICE("customer-00077");
	struct traces_filter f = { .field = TRACES_CUSTOMER, .values = &value, .nvalues = 1 };
	struct traces_query q = { .tenant = SLICE("default"), .sort = TRACES_ENDED, .limit = 50 };
	struct traces_sums sums;

	MEASURE("traces: the first page", 50, list_traces(store, &q));
	MEASURE("traces: count of all", 100, count_traces(store, &q));
	q.offset = 190000;
	MEASURE("traces: page 3,800", 50, list_traces(store, &q));
	q.offset = 0;
	q.sort = TRACES_COST;
	MEASURE("traces: all by cost, the first page", 500, list_traces(store, &q));
	MEASURE("traces: sums over all", 500, ops->traces_sum(store, &q, &sums) == STORE_OK ? (long)sums.traces : -1);
	q.filters = &f;
	q.nfilters = 1;
	MEASURE("traces: of one customer, all of time", 500, list_traces(store, &q));
	q.have_from = q.have_to = true;
	q.from_us = BASE_US + 40 * DAY_US;
	q.to_us = q.from_us + DAY_US;
	MEASURE("traces: of one customer, a day", 50, list_traces(store, &q));
}

static long
figures(struct store *store, const struct metrics_query *q)
{
	const struct metrics_row *row;
	struct metrics *m = NULL;
	long n = 0;
	int rc = ops->metrics(store, q, &m);

	while (rc >= 0 && (rc = ops->metrics_next(m, &row)) == STORE_ROW)
		n++;
	ops->metrics_done(m);
	return rc == STORE_OK ? n : -1;
}

static void
measure_metrics(struct store *store)
{
	struct metrics_query q = { .tenant = SLICE("default"), .from_us = 0, .to_us = BASE_US + 100 * DAY_US, .sort = -1 };

	MEASURE("metrics: all of time", 300, figures(store, &q));
	q.tick = METRICS_DAY;
	MEASURE("metrics: all of time by day", 300, figures(store, &q));
	q.by = METRICS_BY_MODEL;
	MEASURE("metrics: all of time by day and model", 300, figures(store, &q));
	q.tick = METRICS_WHOLE;
	q.sort = ROLLUP_requests;
	q.limit = 10;
	MEASURE("metrics: the first models", 300, figures(store, &q));
	q.by = METRICS_BY_CUSTOMER;
	MEASURE("metrics: the first customers, all of time", 0, figures(store, &q));
	q.by = METRICS_BY_STATUS;
	MEASURE("metrics: by status, from rows, all of time", 0, figures(store, &q));
	q.from_us = BASE_US + 40 * DAY_US;
	q.to_us = q.from_us + DAY_US;
	MEASURE("metrics: by status, from rows, a day", 300, figures(store, &q));
	q.by = METRICS_BY_NOTHING;
	q.tick = METRICS_HOUR;
	q.sort = -1;
	q.limit = 0;
	MEASURE("metrics: a day by hour", 300, figures(store, &q));
	q.to_us = q.from_us + 30 * DAY_US + 7;
	q.from_us += 5;
	q.tick = METRICS_WHOLE;
	MEASURE("metrics: a month that begins within a day", 300, figures(store, &q));
}

static long
search(struct store *store, const char *text, bool count)
{
	struct search_query q = { .text = slice_str(text), .tenant = SLICE("default"), .limit = 100 };
	uint64_t many;
	int64_t *ids;
	size_t n;
	int rc;

	if (count)
		return search_count(store, &q, 100000, &many) == STORE_OK ? (long)many : -1;
	rc = search_ids(store, &q, &ids, &n);
	free(ids);
	return rc == STORE_OK ? (long)n : -1;
}

static void
measure_search(struct store *store)
{
	MEASURE("search: a word of one span", 50, search(store, "needle", false));
	MEASURE("search: a word of most, the first page", 50, search(store, "w1", false));
	MEASURE("search: a word of most, counted to 100,000", 500, search(store, "w1", true));
	MEASURE("search: two words", 500, search(store, "w1 w1f3", false));
	MEASURE("search: two words, counted", 500, search(store, "w1 w1f3", true));
}

enum { FIRST, COUNT, ALL };

/* A page of spans by the operator full_text_search. */
static long
filter(struct store *store, const char *words, bool day, int how)
{
	struct slice value = slice_str(words);
	struct query_filter f = { .field = SPAN_F_input, .op = QUERY_WORDS, .values = &value, .nvalues = 1 };
	struct query q = { .tenant = SLICE("default"), .filters = &f, .nfilters = 1, .sort = -1, .limit = 100,
	    .have_from = day, .from_us = BASE_US + 40 * DAY_US, .have_to = day, .to_us = BASE_US + 41 * DAY_US };
	struct store_rows *rows = NULL;
	const struct span *span;
	uint64_t many;
	long n = 0;
	int rc;

	if (how == ALL)
		q.limit = 0;
	if (how == COUNT)
		return ops->count_upto(store, &q, 100000, &many) == STORE_OK ? (long)many : -1;
	rc = ops->select(store, &q, &rows);
	while (rc >= 0 && (rc = ops->next(rows, &span)) == STORE_ROW)
		n++;
	ops->done(rows);
	return rc == STORE_OK ? n : -1;
}

static void
measure_filter(struct store *store)
{
	MEASURE("filter: a word of one span", 50, filter(store, "needle", false, FIRST));
	MEASURE("filter: a word of most, the first page", 50, filter(store, "w1", false, FIRST));
	MEASURE("filter: two words", 500, filter(store, "w1 w1f3", false, FIRST));
	MEASURE("filter: a word of most in a day, counted", 500, filter(store, "w1", true, COUNT));
	MEASURE("filter: a rare word in a day, counted", 500, filter(store, "w1f3f", true, COUNT));
	MEASURE("filter: a word of most, counted to 100,000", 0, filter(store, "w1", false, COUNT));
	MEASURE("filter: a word of most, all rows", 0, filter(store, "w1", false, ALL));
}

/* CPU µs of a put, and bytes of the file for each span. */
static void
compare_one(bool with, unsigned words, double *us, double *bytes)
{
	char asked[8000], said[8000];
	double spent = 0, t;
	struct store *store;
	struct stat st;
	char path[100];

	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL && ops->search(store, with ? &options : NULL) == STORE_OK);
	for (unsigned n = 0; n < COMPARED; n++) {
		struct ex_fed fed;
		struct buf chain;
		const struct span *span;

		prose(asked, sizeof(asked), words * 2 / 3);
		prose(said, sizeof(said), words / 3);
		buf_init(&chain, EX_ROOM);
		span = chat_chain(asked, said, &fed, &chain);
		t = clock_ms(CLOCK_THREAD_CPUTIME_ID);
		if (n % BATCH == 0)
			(void)ops->begin(store);
		(void)put_one(store, n, COMPARED, buf_view(&chain), span->input, span->output);
		if (n % BATCH == BATCH - 1)
			(void)ops->commit(store);
		spent += clock_ms(CLOCK_THREAD_CPUTIME_ID) - t;
		ex_fed_free(&fed);
		buf_free(&chain);
	}
	ok(store_exec(store, "PRAGMA wal_checkpoint(TRUNCATE)") == STORE_OK);
	ops->close(store);
	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(stat(path, &st) == 0);
	*us = spent * 1e3 / COMPARED;
	*bytes = (double)st.st_size / COMPARED;
	test_dir_remove();
}

static void
compare(unsigned words)
{
	double us[2], bytes[2];

	compare_one(false, words, &us[0], &bytes[0]);
	compare_one(true, words, &us[1], &bytes[1]);
	printf("# a span of %u words: %.0f us and %.0f bytes; with the index %.0f us (+%.0f) and %.0f bytes (+%.0f %%)\n",
	    words, us[0], bytes[0], us[1], us[1] - us[0], bytes[1], (bytes[1] / bytes[0] - 1) * 100);
	ok(bytes[1] < bytes[0] * 1.3);
}

int
main(int argc, char **argv)
{
	unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
	struct store *store;
	struct buf out;
	uint64_t cells;
	double t;

	compare(60);
	compare(200);
	compare(1000);
	test_dir_make();
	if (argc > 2)
		snprintf(test_dir, sizeof(test_dir), "%s", argv[2]);
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL && ops->search(store, &options) == STORE_OK);
	t = clock_ms(CLOCK_MONOTONIC);
	ok(fill_store(store, total));
	printf("# %u spans in %.0f s\n", total, (clock_ms(CLOCK_MONOTONIC) - t) / 1e3);
	measure_traces(store);
	measure_metrics(store);
	measure_search(store);
	measure_filter(store);
	t = clock_ms(CLOCK_MONOTONIC);
	buf_init(&out, 1 << 16);
	ok(ops->begin(store) == STORE_OK && ops->check_rollups(store, &out, &cells) == STORE_OK && out.len == 0);
	ops->rollback(store);
	buf_free(&out);
	printf("# all of it compared with the spans in %.1f s\n", (clock_ms(CLOCK_MONOTONIC) - t) / 1e3);
	ops->close(store);
	if (argc <= 2)
		test_dir_remove();
	return done();
}
