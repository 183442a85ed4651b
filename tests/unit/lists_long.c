/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists_long [SPANS [DIR [KEEP]]]: lists, the summary, threads and exports of a
 * store of a million spans, made straight into it; each figure against what is
 * promised, in time of the processor. DIR: where; KEEP: it is there already. For `make check-long`.
 */
#include <limits.h>
#include <malloc.h>
#include <time.h>

#include "api/export.h"
#include "api/filters.h"
#include "api/listing.h"
#include "api/row.h"
#include "core/limits.h"
#include "store/full.h"
#include "store_test.h"

#define CUSTOMERS 10000
#define DAYS 90
#define DAY_US (INT64_C(86400) * 1000000)
#define BATCH 200
#define PAGE 100

static const struct store_ops *ops = &store_sqlite;
static unsigned total = 1000000;
static struct store *store;
static struct full *full;

/* Of this process alone, so that a busy machine makes no difference. */
static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
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

static int64_t
time_of(unsigned n)
{
	return BASE_US + (int64_t)n * (DAYS * DAY_US / total);
}

static int
put_one(unsigned n)
{
	static const char *const models[] = { "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "o3", "text-embedding-3-small" };
	struct span span = test_span(n);
	char customer[24], thread[24], trace[40], custom[24], meta[80];

	snprintf(customer, sizeof(customer), "customer-%05u", next_random() % CUSTOMERS);
	snprintf(thread, sizeof(thread), "thread-%u", n / 8);
	snprintf(trace, sizeof(trace), "%032x", n / 5);
	snprintf(custom, sizeof(custom), "custom-%u", n);
	snprintf(meta, sizeof(meta), "{\"team\":\"team-%u\",\"plan\":\"pro\"}", n % 50);
	span.customer_identifier = slice_str(customer);
	span.thread_identifier = n % 4 ? SLICE_NONE : slice_str(thread);
	span.trace_unique_id = slice_str(trace);
	span.custom_identifier = slice_str(custom);
	span.metadata = slice_str(meta);
	span.environment = SLICE("prod");
	span.model = slice_str(models[next_random() % 5]);
	span.provider_id = SLICE("openai");
	span.billable = (span_BOOL){ true, true };
	span.timestamp.v = time_of(n);
	span.start_time = (span_TIME){ true, span.timestamp.v - 1000000 };
	span.prompt_tokens = (span_INT){ true, next_random() % 5000 };
	span.completion_tokens = (span_INT){ true, next_random() % 1000 };
	span.total_request_tokens = (span_INT){ true, span.prompt_tokens.v + span.completion_tokens.v };
	span.cost = (span_COST){ true, span.prompt_tokens.v * 2500000 + span.completion_tokens.v * 10000001 };
	span.latency = (span_SECS){ true, 200000 + next_random() % 20000000 };
	span.time_to_first_token = (span_SECS){ n % 2 == 0, 100000 + next_random() % 2000000 };
	span.status = n % 50 ? SLICE("success") : SLICE("error");
	return ops->put(store, &span, SLICE_NONE);
}

static bool
fill(void)
{
	bool good = true;

	for (unsigned n = 0; n < total && good; n++) {
		if (n % BATCH == 0)
			good = ops->begin(store) == STORE_OK;
		good = good && put_one(n) == STORE_OK;
		if (n % BATCH == BATCH - 1 || n == total - 1)
			good = good && ops->commit(store) == STORE_OK;
	}
	return good;
}

/* One page as the API gives it: its count, and its rows as JSON. */
static unsigned
one_page(struct listing *l, struct buf *out, uint64_t *count)
{
	struct row_writer w;
	struct store_rows *rows;
	const struct span *span;
	unsigned n = 0;

	if (ops->count_upto(store, &l->query, LIMIT_COUNTED_ROWS + 1, count) != STORE_OK ||
	    ops->select(store, &l->query, &rows) != STORE_OK)
		return 0;
	row_writer_init(&w, store);
	buf_clear(out);
	for (; ops->next(rows, &span) == STORE_ROW; n++)
		row_json(&w, full_span(full, span), out);
	row_writer_free(&w);
	ops->done(rows);
	return n;
}

/* url: the list's parameters; most: the bar in ms, 0 none. */
static void
measure(const char *what, const char *url, double most)
{
	struct listing *l = malloc(sizeof(*l));
	double best = 1e9, t;
	uint64_t count = 0;
	unsigned n = 0;
	struct buf out;

	buf_init(&out, 256 * MIB);
	if (!ok(listing_read(l, slice_str(url), SLICE_NONE, BASE_US + DAYS * DAY_US, SLICE_NONE)))
		printf("# %s\n", l->error);
	for (int i = 0; i < 3; i++) {
		t = now_ms();
		n = one_page(l, &out, &count);
		t = now_ms() - t;
		best = t < best ? t : best;
	}
	printf("# %-44s %4u of %7llu rows in %7.1f ms\n", what, n, (unsigned long long)count, best);
	ok(n > 0 && (most <= 0 || best < most));
	buf_free(&out);
	listing_free(l);
	free(l);
}

#define ALL "start_time=2020-01-01&"
#define ONE_DAY "start_time=2023-12-14T22:13:20Z&end_time=2023-12-15T22:13:20Z&"

static void
measure_lists(void)
{
	char url[300];

	measure("all, the newest 100", ALL, 50);
	snprintf(url, sizeof(url), ALL "page=%u", total / PAGE / 2);
	measure("all, the page in the middle", url, 50);
	snprintf(url, sizeof(url), ALL "page=%u", total / PAGE);
	measure("all, the last page", url, 50);
	snprintf(url, sizeof(url), ALL "sort_by=timestamp&environment=prod&page=%u", total / PAGE * 9 / 10);
	measure("all of prod, upwards, page at nine tenths", url, 50);
	measure("all by id, downwards", ALL "sort_by=-id&page=5000", 50);
	measure("one customer", ALL "customer_identifier=customer-00042", 50);
	snprintf(url, sizeof(url), ALL "custom_identifier=custom-%u", total / 3);
	measure("one custom identifier", url, 50);
	snprintf(url, sizeof(url), ALL "thread_identifier=thread-%u", total / 16);
	measure("one thread", url, 50);
	snprintf(url, sizeof(url), ALL "trace_unique_id=%032x", total / 10);
	measure("one trace", url, 50);
	measure("a day, by cost", ONE_DAY "sort_by=-cost", 500);
	measure("a day, one model", ONE_DAY "model=o3", 500);
	measure("a day, a metadata key", ONE_DAY "team=team-7", 500);
	measure("a day, cost over", ONE_DAY "cost[operator]=gt&cost[value]=0.015", 500);
	measure("a day, a regular expression", ONE_DAY "model[operator]=regex&model[value]=^gpt.*mini$", 500);
	measure("a day, name contains, any case", ONE_DAY
	    "customer_identifier[operator]=icontains&customer_identifier[value]=R-0004", 500);
	measure("a day, errors by latency, page 2", ONE_DAY "failed=true&sort_by=-latency&page=2", 500);
	measure("a day, in bodies (temperature is null)", ONE_DAY "temperature[operator]=isnull&temperature[value]=true", 0);
	measure("all, one model (no index)", ALL "model=o3", 0);
	measure("all, by cost (no index)", ALL "sort_by=-cost", 0);
}

static void
measure_summary(const char *what, const char *url, double most)
{
	struct listing *l = malloc(sizeof(*l));
	struct summary s = { .requests = 0 };
	double best = 1e9, t;
	int rc = 0;

	ok(listing_read(l, slice_str(url), SLICE_NONE, BASE_US + DAYS * DAY_US, SLICE_NONE));
	for (int i = 0; i < 3; i++) {
		t = now_ms();
		rc = ops->summary(store, &l->query, &s);
		t = now_ms() - t;
		best = t < best ? t : best;
		buf_free(&s.scores);
	}
	printf("# %-44s %12lld requests in %7.1f ms\n", what, (long long)s.requests, best);
	ok(rc == STORE_OK && s.requests > 0 && (most <= 0 || best < most));
	listing_free(l);
	free(l);
}

static void
count_thread(void *arg, const struct thread_row *row)
{
	*(int64_t *)arg += row->spans;
}

static void
measure_threads(void)
{
	struct query q = { .tenant = SLICE("default"), .sort = -1, .limit = PAGE };
	int64_t spans = 0;
	uint64_t count = 0;
	double t = now_ms();

	ok(ops->threads(store, &q, count_thread, &spans, &count) == STORE_OK && count > 0);
	printf("# %-44s %12llu threads in %7.1f ms\n", "threads, the newest 100", (unsigned long long)count, now_ms() - t);
}

/* From here on memory_most counts. */
static void
memory_reset(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");

	malloc_trim(0);
	if (f) {
		fputs("5", f);
		fclose(f);
	}
}

/* MiB that were resident at most. */
static long
memory_most(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	long kib = LONG_MAX;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "VmHWM: %ld", &kib);
	if (f)
		fclose(f);
	return kib / 1024;
}

static void
measure_export(const char *what, enum export_format format, const char *names, double least)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1, .ascending = true };
	struct export x = { .format = format };
	int fields[SPAN_FIELDS];
	struct slice bad;
	struct store_rows *rows;
	const struct span *span;
	double t, rate;
	long memory;
	struct buf out;
	bool whole;

	buf_init(&out, 64 * MIB);
	ok(export_fields(&x, fields, slice_str(names), &bad) && ops->select(store, &q, &rows) == STORE_OK);
	whole = export_needs_full(&x);
	memory_reset();
	t = now_ms();
	export_start(&x, &out);
	while (x.rows < total && ops->next(rows, &span) == STORE_ROW) {
		full_hold(full);
		export_row(&x, whole ? full_span(full, span) : span, &out);
		if (out.len > 64 * KIB) {
			full_rest(full);
			buf_clear(&out);
		}
	}
	full_rest(full);
	export_end(&x, &out);
	rate = (double)x.rows / (now_ms() - t) * 1e3;
	ops->done(rows);
	memory = memory_most();
	printf("# %-44s %12llu rows, %.0f a second; %ld MiB at most\n", what, (unsigned long long)x.rows, rate, memory);
	ok(x.rows == total && rate >= least && memory < 64);
	buf_free(&out);
}

int
main(int argc, char **argv)
{
	struct build_options options = { .user_as_customer = true };
	char err[300];
	double t;

	if (argc > 1)
		total = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		snprintf(test_dir, sizeof(test_dir), "%s", argv[2]);
	else
		test_dir_make();
	if (argc <= 3) {
		store = ops->open(test_dir, true, err, sizeof(err));
		t = now_ms();
		ok(store && fill());
		t = now_ms() - t;
		printf("# %u spans put in %.1f s, %.1f us each; %.0f MiB\n", total, t / 1e3, t * 1e3 / total,
		    (double)ops->size(store) / 1048576);
		ops->close(store);
	}
	store = ops->open(test_dir, false, err, sizeof(err));
	ok(store != NULL);
	full = full_new(ops, store, &options);
	measure_export("export of a row's columns as CSV", EXPORT_CSV, "id,timestamp,model,status,cost,customer_identifier",
	    50000);
	measure_export("export as CSV, all its columns", EXPORT_CSV, "", 50000);
	measure_export("export as lines of JSON, whole spans", EXPORT_JSONL, "", 50000);
	measure_lists();
	measure_summary("summary of all", ALL, 300);
	measure_summary("summary of all of prod", ALL "environment=prod", 300);
	measure_summary("summary of two weeks, odd ends",
	    "start_time=2023-12-01T03:04:05Z&end_time=2023-12-15T06:07:08Z", 300);
	measure_summary("summary of a model, all", ALL "model=o3", 0);
	measure_summary("summary of a customer, all", ALL "customer_identifier=customer-00042", 300);
	measure_summary("summary of errors of a day (rows)", ONE_DAY "failed=true", 500);
	measure_threads();
	full_free(full);
	ops->close(store);
	if (argc <= 2)
		test_dir_remove();
	return done();
}
