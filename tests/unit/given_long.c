/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given_long [SPANS [CUSTOMERS [DIR [FROM]]]]: spans of 2 KB as they come by batch,
 * built and put into a store one transaction after the other, as the sink does:
 * what each step costs of a core, by hundred thousand rows. For `make
 * check-long`; the rollups are counted anew at the end.
 */
#include <time.h>

#include "core/record.h"
#include "span/build.h"
#include "span/given.h"
#include "store_test.h"

#define BATCH 2000
#define STEP 100000
#define SPAN_BYTES 2048
#define CHAIN_ROOM 8192

enum step { CHECK, BUILD, PUT, COMMIT, STEPS };

static const struct store_ops *ops = &store_sqlite;
static double spent[STEPS];

/* Time of this thread, so that what else runs here is not counted. */
static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
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

/* Some words, no two spans' alike. */
static void
put_words(struct buf *out, size_t bytes)
{
	static const char *const words[] = { "time", "of the", "model", "answer", "with", "gateway", "a", "latency",
	    "customer", "is", "and", "token", "in", "which", "stream", "request" };
	size_t end = out->len + bytes;

	while (out->len < end)
		buf_printf(out, "%s%s%u", words[next_random() % 16], next_random() % 3 ? " " : ", ", next_random() % 100);
}

static void
make_span(struct buf *out, unsigned n, unsigned customers)
{
	static const char *const models[] = { "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "o3", "gpt-4.1" };
	unsigned in = next_random() % 5000, of = next_random() % 1000;

	buf_clear(out);
	buf_printf(out, "{\"model\":\"%s\",\"log_type\":\"chat\",\"customer_identifier\":\"customer-%05u\","
	    "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u},\"latency\":%u.%03u,"
	    "\"time_to_first_token\":0.%03u,\"cost\":0.00%04u,\"metadata\":{\"feature\":\"chat%u\",\"version\":\"2.1\"},"
	    "\"thread_identifier\":\"thread-%u\",\"custom_identifier\":\"custom-%u\",\"stream\":true,"
	    "\"input\":[{\"role\":\"user\",\"content\":\"", models[next_random() % 5], next_random() % customers, in, of,
	    in + of, next_random() % 20, next_random() % 1000, next_random() % 1000, next_random() % 10000,
	    next_random() % 8, n / 5, n);
	put_words(out, SPAN_BYTES / 2);
	buf_str(out, "\"}],\"output\":{\"role\":\"assistant\",\"content\":\"");
	if (out->len < SPAN_BYTES - 4)
		put_words(out, SPAN_BYTES - 4 - out->len);
	buf_str(out, "\"}}");
}

/* The journal's record, as the API writes it. */
static void
make_chain(struct buf *out, struct slice json, const uint8_t id[16], int64_t wall_us)
{
	struct buf fields;

	buf_clear(out);
	buf_init(&fields, CHAIN_ROOM);
	record_put_u64(&fields, TAG_WALL, (uint64_t)wall_us);
	record_put(&fields, TAG_TENANT, SLICE("default"));
	record_put(&fields, TAG_LOG_METHOD, SLICE("batch"));
	record_put_u64(&fields, TAG_OFFSET, 0);
	record_put(&fields, TAG_BYTES, json);
	record_head(buf_reserve(out, RECORD_HEAD), RECORD_SPAN, 0, id, 0, buf_view(&fields), SLICE_NONE);
	out->len += RECORD_HEAD;
	buf_slice(out, buf_view(&fields));
	buf_free(&fields);
}

static bool
put_one(struct store *store, unsigned n, unsigned customers)
{
	const struct build_options options = { .user_as_customer = true, .row_only = true };
	struct span like = test_span(n);
	struct record record = { .type = RECORD_SPAN };
	struct given_error e;
	struct buf json, chain;
	struct build *build;
	struct jvalue v;
	double t[4];
	bool good;

	buf_init(&json, CHAIN_ROOM);
	buf_init(&chain, CHAIN_ROOM);
	make_span(&json, n, customers);
	make_chain(&chain, buf_view(&json), like.id16, BASE_US + n * INT64_C(1000));
	memcpy(record.id, like.id16, 16);
	record.payload = slice_from(buf_view(&chain), RECORD_HEAD);
	t[0] = now_us();
	good = jscan_check(buf_view(&json), &v, NULL) == JSCAN_END && given_check(v, false, &e);
	t[1] = now_us();
	build = build_new(&options);
	build_feed(build, &record);
	(void)build_finish(build);
	t[2] = now_us();
	good = good && ops->put(store, build_finish(build), buf_view(&chain)) == STORE_OK;
	t[3] = now_us();
	build_free(build);
	spent[BUILD] += now_us() - t[3];
	for (int i = CHECK; i <= PUT; i++)
		spent[i] += t[i + 1] - t[i];
	buf_free(&json);
	buf_free(&chain);
	return good;
}

static void
print_step(unsigned n, struct store *store)
{
	double all = 0;

	for (int i = 0; i < STEPS; i++)
		all += spent[i];
	printf("# to %8u: check %.1f, build %.1f, put %.1f, commit %.1f: %.1f us each; %.0f MiB\n", n, spent[CHECK] / STEP,
	    spent[BUILD] / STEP, spent[PUT] / STEP, spent[COMMIT] / STEP, all / STEP,
	    (double)ops->size(store) / 1048576);
	fflush(stdout);
	memset(spent, 0, sizeof(spent));
}

static bool
fill(struct store *store, unsigned from, unsigned total, unsigned customers)
{
	bool good = true;
	double t;

	for (unsigned n = from; n < total && good; n++) {
		if (n % BATCH == 0)
			good = ops->begin(store) == STORE_OK;
		good = good && put_one(store, n, customers);
		t = now_us();
		if (n % BATCH == BATCH - 1 || n == total - 1)
			good = good && ops->commit(store) == STORE_OK;
		spent[COMMIT] += now_us() - t;
		if (n % STEP == STEP - 1)
			print_step(n + 1, store);
	}
	return good;
}

int
main(int argc, char **argv)
{
	unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1200000;
	unsigned customers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000;
	unsigned from = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;	/* what DIR holds already */
	struct store *store;
	struct buf lines;
	uint64_t cells = 0;
	char err[300];

	if (argc > 3)
		snprintf(test_dir, sizeof(test_dir), "%s", argv[3]);
	else
		test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store && fill(store, from, total, customers));
	ops->close(store);
	store = ops->open(test_dir, false, err, sizeof(err));
	buf_init(&lines, 1 << 20);
	ok(store && ops->check_rollups(store, &lines, &cells) == STORE_OK && lines.len == 0);
	printf("# %llu cells: %s\n", (unsigned long long)cells, lines.len ? lines.ptr : "equal");
	buf_free(&lines);
	ops->close(store);
	if (argc <= 3)
		test_dir_remove();
	return done();
}
