/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reprice.c: one step at a time through the rows. Called by the sink between
 * its turns, and by the command line where no gateway runs or for a dry run.
 */
#include "store/reprice.h"

#include <stdlib.h>

#include "base/base.h"
#include "core/glob.h"
#include "journal/reader.h"
#include "span/arena.h"
#include "span/bill.h"
#include "span/build.h"
#include "store/db.h"
#include "store/traces.h"

/* The rows that any table may price; which of them are meant is looked at one
 * by one, so that a step has an end. */
static const char rows_sql[] =
    "SELECT s.n, s.id, s.model, s.customer_identifier, s.cost_pico, coalesce(s.cost_source, 'unknown'),"
    " coalesce(s.start_time, s.timestamp), s.prompt_tokens, s.completion_tokens,"
    " coalesce(s.usage_source, '') = 'estimated', b.details,"
    " coalesce(s.counts, CASE WHEN s.billable IS 0 THEN 0 ELSE 3 END)"
    " FROM span s LEFT JOIN bill b ON b.span = s.n WHERE s.n > ?1 ORDER BY s.n LIMIT ?2";

enum { N, ID, MODEL, CUSTOMER, COST, SOURCE, START, PROMPT, COMPLETION, ESTIMATED, DETAILS, COUNTS };

static struct slice
column_text(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_text(st, column);

	return p ? slice_make(p, (size_t)sqlite3_column_bytes(st, column)) : SLICE_NONE;
}

static struct span_int
column_int(sqlite3_stmt *st, int column)
{
	bool null = sqlite3_column_type(st, column) == SQLITE_NULL;

	return (struct span_int){ !null, null ? 0 : sqlite3_column_int64(st, column) };
}

static bool
by_tables(struct slice source)
{
	return slice_eq(source, SLICE("unknown")) || slice_eq(source, SLICE("table")) ||
	    slice_eq(source, SLICE("user_table"));
}

/* Is it one of those that are to be priced? */
static bool
is_meant(const struct reprice *what, sqlite3_stmt *st)
{
	struct slice source = column_text(st, SOURCE);
	int64_t start = sqlite3_column_int64(st, START);

	if (start < what->from_us || start >= what->to_us)
		return false;
	if (what->unknown && sqlite3_column_type(st, COST) != SQLITE_NULL)
		return false;
	if (*what->model && !glob_match(slice_str(what->model), column_text(st, MODEL)))
		return false;
	/* without a bill: of an older version, or nothing was billed, or with the fetch of its answer */
	if (sqlite3_column_type(st, DETAILS) == SQLITE_NULL && (sqlite3_column_type(st, COST) != SQLITE_NULL ||
	    !(sqlite3_column_int(st, COUNTS) & ROLLUP_TOKENS)))
		return false;
	return by_tables(source);
}

/* A bill: what the row is to say of its cost. */
struct outcome {
	struct span_int	cost;
	struct slice	source, details;
};

/* The bill that the builder makes of the stored records, for a row without one. */
static bool
bill_build(struct reprice_run *run, sqlite3_stmt *st, struct arena *arena, struct outcome *made)
{
	const struct span *span;
	const struct build_options options = { .prices = run->prices, .row_only = true };
	struct build *build = NULL;
	struct chain chain = { .count = 0 };
	char *bytes = NULL;
	size_t len = 0;
	bool json = false;

	*made = (struct outcome){ .details = SLICE_NONE };
	if (store_sqlite.chain(run->store, sqlite3_column_blob(st, ID), &bytes, &len, &json, NULL) == STORE_OK && !json &&
	    chain_parse(slice_make(bytes, len), &chain) >= 0 && (build = build_new(&options)) != NULL) {
		for (size_t i = 0; i < chain.count; i++)
			build_feed(build, &chain.records[i]);
		span = build_finish(build);
		made->cost = span->cost;
		made->source = arena_copy(arena, span->cost_source);
		made->details = arena_copy(arena, span->cost_details);
	}
	build_free(build);
	if (chain.records)
		chain_free(&chain);
	free(bytes);
	return made->details.ptr != NULL;
}

/* Who built the bill just now had no tokenizer: the counts are the row's. */
static void
use_estimated(sqlite3_stmt *st, struct use *use)
{
	struct span_int prompt = column_int(st, PROMPT), completion = column_int(st, COMPLETION);
	int64_t *units = use->units;

	if (!sqlite3_column_int(st, ESTIMATED) || !prompt.set)
		return;
	if (!use->has_tokens)
		use->prompt = units[RATE_INPUT] = prompt.v;
	use->has_tokens = true;
	if (completion.set)
		units[RATE_OUTPUT] = completion.v - units[RATE_REASONING] - units[RATE_AUDIO_OUT] -
		    units[RATE_IMAGE_OUT];
}

/* The row's bill by the tables as they are now. False: it has none. */
static bool
bill_again(struct reprice_run *run, sqlite3_stmt *st, struct arena *arena, struct outcome *out)
{
	struct slice noted = column_text(st, DETAILS);
	struct bill bill;
	struct use use;
	struct buf details;

	if (noted.ptr == NULL) {
		if (!bill_build(run, st, arena, out))
			return false;
		if (!by_tables(out->source))	/* it has a cost of its own, as it turns out */
			return true;
	}
	if (!bill_reread(noted.ptr ? noted : out->details, arena, &use))
		return false;
	use.query.at = sqlite3_column_int64(st, START);
	if (noted.ptr == NULL)
		use_estimated(st, &use);
	bill_make(run->prices, &use, &bill);
	out->cost = (struct span_int){ bill.known, bill.known ? bill.pico : 0 };
	out->source = bill_source(run->prices, &bill);
	buf_init(&details, MIB);
	bill_print(&bill, &use, out->source, out->cost, &details);
	out->details = arena_take(arena, &details);
	return out->details.ptr != NULL;
}

static int
row_update(struct store *store, int64_t n, const struct outcome *out)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_REPRICE), *bill = store_statement(store, STATEMENT_BILL);
	int rc;

	if (!st || !bill)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	if (out->cost.set)
		sqlite3_bind_int64(st, 2, out->cost.v);
	else
		sqlite3_bind_null(st, 2);
	sqlite3_bind_text(st, 3, out->source.ptr, (int)out->source.len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, store->numbers[NUMBER_REV] + 1);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	if (rc != SQLITE_DONE)
		return store_code(rc);
	store->numbers[NUMBER_REV]++;
	rc = news_changed(store, n);
	if (rc != STORE_OK)
		return rc;
	sqlite3_bind_int64(bill, 1, n);
	sqlite3_bind_text(bill, 2, out->details.ptr, (int)out->details.len, SQLITE_STATIC);
	rc = sqlite3_step(bill);
	sqlite3_reset(bill);
	return store_code(rc);
}

static int
row_change(struct store *store, int64_t n, const struct outcome *out)
{
	int rc = rollup_take(store, n);

	if (rc == STORE_OK)
		rc = traces_touch(store, n);
	if (rc == STORE_OK)
		rc = row_update(store, n, out);
	if (rc == STORE_OK)
		rc = rollup_give(store, n);
	return rc;
}

/* Prices one row again, and writes it where anything of its bill is another. */
static int
row_price(struct reprice_run *run, sqlite3_stmt *st, struct arena *arena)
{
	struct reprice_change change = {
		.model = column_text(st, MODEL), .customer = column_text(st, CUSTOMER), .before = column_int(st, COST),
	};
	struct outcome out;
	int rc = STORE_OK;

	if (!bill_again(run, st, arena, &out))
		return STORE_OK;
	run->seen++;
	change.after = out.cost;
	if (slice_eq(out.details, column_text(st, DETAILS)))
		return STORE_OK;
	if (!run->dry)
		rc = row_change(run->store, sqlite3_column_int64(st, N), &out);
	if (rc == STORE_OK) {
		run->nchanged++;
		if (run->changed)
			run->changed(run->arg, &change);
	}
	return rc;
}

int
reprice_step(struct reprice_run *run, unsigned rows, uint64_t us)
{
	uint64_t end = clock_mono_us() + us;
	sqlite3_stmt *st = NULL;
	unsigned n = 0;
	int rc;

	rc = sqlite3_prepare_v2(run->store->db, rows_sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_code(rc);
	sqlite3_bind_int64(st, 1, run->at);
	sqlite3_bind_int64(st, 2, rows);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct arena arena = { .blocks = NULL };
		int done = is_meant(run->what, st) ? row_price(run, st, &arena) : STORE_OK;

		arena_free(&arena);
		if (done != STORE_OK) {
			sqlite3_finalize(st);
			return done;
		}
		run->at = sqlite3_column_int64(st, N);
		if (++n == rows || clock_mono_us() >= end)
			break;
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_code(rc);
	return rc == SQLITE_ROW ? STORE_ROW : STORE_OK;
}
