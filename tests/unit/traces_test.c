/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces in the store: their rows are what their spans come to, whatever comes
 * and goes in whatever order; and lists of them against a count by hand.
 */
#include "store/db.h"
#include "store_test.h"

#define SPANS 3000
#define TRACES 40

static const struct store_ops *ops = &store_sqlite;
static char err[300];
static bool there[SPANS];

static uint32_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* What number n's span is follows from n alone. */
static struct span
span_of(unsigned n, char names[4][16])
{
	static const char *const types[] = { "chat", "CHAT", "workflow", "tool", "generation" };
	struct span span = test_span(n);
	unsigned x = n * 2654435761u >> 7;

	snprintf(names[0], 16, "trace-%u", x % TRACES);
	snprintf(names[1], 16, "s%u", n);
	snprintf(names[2], 16, "s%u", x % SPANS);
	snprintf(names[3], 16, "c%u", x / 7 % 3);
	if (x % 13)
		span.trace_unique_id = x % 29 ? slice_str(names[0]) : SLICE("");
	span.span_unique_id = slice_str(names[1]);
	span.span_parent_id = x % 3 == 0 ? SLICE_NONE : x % 3 == 1 ? slice_str(names[2]) : slice_str(names[0]);
	span.span_name = x % 5 ? slice_str(names[1]) : SLICE_NONE;
	span.start_time = (span_TIME){ x % 4 != 0, span.timestamp.v - (int64_t)(x % 9000000) + 1000000 };
	span.customer_identifier = x % 3 ? slice_str(names[3]) : SLICE_NONE;
	span.environment = x % 2 ? SLICE("prod") : SLICE("test");
	span.tenant = x % 11 ? SLICE("default") : SLICE("other");
	span.log_type = slice_str(types[x % 5]);
	span.status = x % 6 ? SLICE("success") : SLICE("error");
	span.billable = (span_BOOL){ true, x % 17 != 0 };
	span.prompt_tokens = (span_INT){ x % 4 != 1, x % 1000 };
	span.completion_tokens = (span_INT){ x % 4 != 2, x % 100 };
	span.total_request_tokens = (span_INT){ true, x % 1000 + x % 100 };
	span.cost = (span_COST){ x % 4 != 3, x };
	return span;
}

static bool
tables_agree(struct store *store)
{
	uint64_t cells;
	struct buf out;
	bool same;

	buf_init(&out, 1 << 20);
	same = ops->begin(store) == STORE_OK && ops->check_rollups(store, &out, &cells) == STORE_OK && out.len == 0;
	ops->rollback(store);
	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	buf_free(&out);
	return same;
}

/* Some spans come and some go in one transaction, which may not last. */
static bool
churn(struct store *store, unsigned steps, bool lasts)
{
	bool good = ops->begin(store) == STORE_OK, was[SPANS];
	char names[4][16];

	memcpy(was, there, sizeof(there));
	for (unsigned i = 0; i < steps && good; i++) {
		unsigned n = next_random() % SPANS;
		struct span span = span_of(n, names);

		if (there[n] && next_random() % 3 == 0)
			good = ops->remove(store, span.id16) == STORE_OK && !(there[n] = false);
		else
			good = ops->put(store, &span, SLICE("records")) == STORE_OK && (there[n] = true);
	}
	if (good && lasts)
		return ops->commit(store) == STORE_OK;
	ops->rollback(store);
	memcpy(there, was, sizeof(there));
	return good;
}

static void
test_kept(struct store *store)
{
	bool good = true;

	for (int i = 0; i < 60 && good; i++)
		good = churn(store, 1 + next_random() % 200, i % 5 != 4) && (i % 6 || tables_agree(store));
	ok(good && tables_agree(store));
	ok(ops->expire(store, BASE_US + 500 * INT64_C(1000000), 0, 10000) > 0);
	for (int i = 0; i < 500; i++)
		there[i] = false;
	ok(tables_agree(store));
	ok(store_exec(store, "UPDATE trace SET errors = errors + 1 WHERE tenant = 'other'") == STORE_OK);
	ok(!tables_agree(store));
	ok(store_exec(store, "UPDATE trace SET errors = errors - 1 WHERE tenant = 'other'") == STORE_OK);
	ok(tables_agree(store));
}

/* Sums over the spans of one trace, by hand. */
static struct traces_row
sum_up(const char *trace, const char *tenant)
{
	struct traces_row row = { .spans = 0 };
	int64_t start;
	char names[4][16];

	for (unsigned n = 0; n < SPANS; n++) {
		struct span s = span_of(n, names);

		if (!there[n] || !slice_eq(s.trace_unique_id, slice_str(trace)) || !slice_eq(s.tenant, slice_str(tenant)))
			continue;
		start = s.start_time.set && s.start_time.v < s.timestamp.v ? s.start_time.v : s.timestamp.v;
		row.started = row.spans == 0 || start < row.started ? start : row.started;
		row.ended = row.spans == 0 || s.timestamp.v > row.ended ? s.timestamp.v : row.ended;
		row.spans++;
		row.errors += slice_eq(s.status, SLICE("error"));
		row.llm_calls += s.billable.v && (slice_caseeq(s.log_type, SLICE("chat")) ||
		    slice_eq(s.log_type, SLICE("generation")));
		row.prompt += s.billable.v && s.prompt_tokens.set ? s.prompt_tokens.v : 0;
		row.cost += s.billable.v && s.cost.set ? s.cost.v : 0;
	}
	return row;
}

/* Rows of a query that are right; -1 when one is not. */
static int
walk(struct store *store, const struct traces_query *q)
{
	const struct traces_row *row;
	struct traces *traces;
	char trace[40], tenant[40];
	int n = 0, rc = traces_select(store, q, &traces);
	int64_t last = q->ascending ? INT64_MIN : INT64_MAX;

	while (rc >= 0 && (rc = traces_next(traces, &row)) == STORE_ROW) {
		struct traces_row want;

		snprintf(trace, sizeof(trace), "%.*s", (int)row->trace.len, row->trace.ptr);
		snprintf(tenant, sizeof(tenant), "%.*s", (int)row->tenant.len, row->tenant.ptr);
		want = sum_up(trace, tenant);
		if (want.spans != row->spans || want.started != row->started || want.ended != row->ended ||
		    want.errors != row->errors || want.llm_calls != row->llm_calls || want.prompt != row->prompt ||
		    want.cost != row->cost)
			rc = -1;
		if (q->sort == TRACES_ENDED && (q->ascending ? row->ended < last : row->ended > last))
			rc = -1;
		last = row->ended;
		n++;
	}
	traces_done(traces);
	return rc == STORE_OK ? n : rc < 0 ? rc : -1;
}

static int
count(struct store *store, const struct traces_query *q)
{
	uint64_t n = 0;
	int rc = traces_count(store, q, 1000, &n);

	return rc == STORE_OK ? (int)n : rc;
}

static void
test_lists(struct store *store)
{
	struct slice values[2] = { SLICE("trace-7"), SLICE("trace-8") };
	struct traces_filter f = { .field = TRACES_ID, .op = TRACES_EQ, .values = values, .nvalues = 2 };
	struct traces_query q = { .tenant = SLICE("default"), .sort = TRACES_ENDED };
	struct traces_sums sums;
	uint64_t n;

	ok(walk(store, &q) == TRACES && count(store, &q) == TRACES);
	ok(traces_count(store, &q, 10, &n) == STORE_OK && n == 11);
	q.ascending = true;
	q.limit = 7;
	q.offset = 36;
	ok(walk(store, &q) == TRACES - 36);
	q = (struct traces_query){ .tenant = SLICE_NONE, .sort = TRACES_COST };
	ok(walk(store, &q) > TRACES && walk(store, &q) == count(store, &q));
	q = (struct traces_query){ .tenant = SLICE("default"), .sort = TRACES_ENDED, .filters = &f, .nfilters = 1 };
	ok(walk(store, &q) == 2 && traces_sum(store, &q, &sums) == STORE_OK && sums.traces == 2 && sums.spans > 20);
	f.op = TRACES_NOT;
	ok(walk(store, &q) == TRACES - 2);
	f.op = TRACES_STARTS;
	f.nvalues = 1;
	values[0] = SLICE("trace-1");
	ok(walk(store, &q) == 11);
	f.op = TRACES_ENDS;
	values[0] = SLICE("9");
	ok(walk(store, &q) == 4);
	f.op = TRACES_ICONTAINS;
	values[0] = SLICE("ACE-3");
	ok(walk(store, &q) == 11);
	f.op = TRACES_CONTAINS;
	ok(walk(store, &q) == 0);
	f = (struct traces_filter){ .field = TRACES_SPANS, .op = TRACES_GT, .values = values, .nvalues = 1 };
	values[0] = SLICE("0");
	ok(walk(store, &q) == TRACES);
	values[0] = SLICE("1e9");
	ok(walk(store, &q) == 0);
	values[0] = SLICE("many");
	ok(walk(store, &q) == STORE_E_ROW && count(store, &q) == STORE_E_ROW);
	f.op = TRACES_ICONTAINS;
	ok(walk(store, &q) == STORE_E_ROW);
	f = (struct traces_filter){ .field = TRACES_CUSTOMER, .op = TRACES_ISNULL };
	ok(walk(store, &q) >= 0);
	q.nfilters = 0;
	q.have_from = q.have_to = true;
	q.from_us = q.to_us = BASE_US;
	ok(walk(store, &q) == 0);
	ok(traces_sum(store, &q, &sums) == STORE_OK && sums.traces == 0 && sums.cost == 0);
}

static int
edit(struct store *store, const char *text)
{
	static const uint8_t nobody[16];
	int rc = ops->begin(store);

	if (rc == STORE_OK)
		rc = ops->edit(store, nobody, slice_str(text));
	return rc == STORE_OK ? ops->commit(store) : rc;
}

/* "": anybody may read all of it; "-": nobody may. */
static bool
public_is(struct store *store, const char *tenant, const char *want)
{
	struct buf environment;
	bool same;
	int rc;

	buf_init(&environment, 100);
	rc = ops->trace_public(store, slice_str(tenant), SLICE("trace-7"), &environment);
	same = rc == (*want == '-' ? STORE_NOT_FOUND : STORE_OK) &&
	    (*want == '-' || slice_eq(buf_view(&environment), slice_str(want)));
	buf_free(&environment);
	return same;
}

#define MARK(more) "{\"trace_public\":{\"tenant\":\"default\",\"trace\":\"trace-7\"," more "}}"

/* Marks are of one tenant, of what their maker sees, and go with the last span. */
static void
test_public(struct store *store)
{
	char names[4][16];
	bool good;

	ok(public_is(store, "default", "-"));
	ok(edit(store, MARK("\"environment\":\"test\",\"public\":true")) == STORE_OK && public_is(store, "default", "-"));
	ok(edit(store, MARK("\"environment\":\"prod\",\"public\":true")) == STORE_OK && public_is(store, "default", "prod"));
	ok(edit(store, MARK("\"environment\":\"test\",\"public\":false")) == STORE_OK && public_is(store, "default", "prod"));
	ok(edit(store, MARK("\"public\":true")) == STORE_OK && public_is(store, "default", ""));
	ok(public_is(store, "other", "-"));
	ok(edit(store, MARK("\"environment\":\"prod\",\"public\":true")) == STORE_OK && public_is(store, "default", ""));
	ok(edit(store, MARK("\"public\":false")) == STORE_OK && public_is(store, "default", "-"));
	ok(edit(store, MARK("\"public\":true")) == STORE_OK && public_is(store, "default", ""));
	good = ops->begin(store) == STORE_OK;
	for (unsigned n = 0; n < SPANS && good; n++) {
		struct span span = span_of(n, names);

		if (!there[n] || !slice_eq(span.trace_unique_id, SLICE("trace-7")) || !slice_eq(span.tenant, SLICE("default")))
			continue;
		good = ops->remove(store, span.id16) == STORE_OK;
		there[n] = false;
	}
	ok(good && ops->commit(store) == STORE_OK && public_is(store, "default", "-"));
	ok(edit(store, MARK("\"public\":true")) == STORE_OK && public_is(store, "default", "-"));
}

static void
test_spans(struct store *store)
{
	struct traces_span *spans;
	struct buf texts;
	size_t n;
	bool good;

	buf_init(&texts, 1 << 20);
	ok(traces_spans(store, SLICE("default"), SLICE("trace-7"), 10000, &spans, &n, &texts) == STORE_OK);
	ok((int64_t)n == sum_up("trace-7", "default").spans);
	good = n > 2;
	for (size_t i = 0; i < n; i++)
		good = good && spans[i].id.len > 1 && *spans[i].id.ptr == 's' && (!spans[i].parent.ptr || spans[i].parent.len > 1);
	ok(good);
	free(spans);
	buf_clear(&texts);
	ok(traces_spans(store, SLICE_NONE, SLICE("trace-7"), 2, &spans, &n, &texts) == STORE_OK && n == 2);
	free(spans);
	ok(traces_spans(store, SLICE("nobody"), SLICE("trace-7"), 2, &spans, &n, &texts) == STORE_NOT_FOUND);
	free(spans);
	buf_free(&texts);
}

int
main(void)
{
	struct store *store;

	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL);
	test_kept(store);
	test_lists(store);
	test_spans(store);
	test_public(store);
	ok(ops->begin(store) == STORE_OK && traces_fill(store) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(tables_agree(store));
	ops->close(store);
	test_dir_remove();
	return done();
}
