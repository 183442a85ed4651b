/* SPDX-License-Identifier: Apache-2.0 */
/* tick: see tick.h. */
#include "store/tick.h"

#include <stdlib.h>

#include "base/base.h"
#include "store/db.h"

#define HELD 64			/* spans of one commit are of a few ticks */
#define SUMS 10

struct held {
	int64_t		 tick, sums[SUMS];
	struct slice	 tenant, environment;	/* in text */
	char		*text;
};

struct ticks {
	struct held	 list[HELD];
	size_t		 n;
};

/* Rounded down, also before 1970. */
static int64_t
tick_of(int64_t us)
{
	return us / STORE_TICK_US - (us % STORE_TICK_US < 0);
}

static struct held *
find(struct ticks *ticks, const struct rollup_row *row, int64_t tick)
{
	struct held *h;

	for (size_t i = ticks->n; i-- > 0;) {
		h = &ticks->list[i];
		if (h->tick == tick && slice_eq(h->tenant, row->tenant) && slice_eq(h->environment, row->environment))
			return h;
	}
	if (ticks->n == HELD)
		return NULL;
	h = &ticks->list[ticks->n++];
	*h = (struct held){ .tick = tick, .text = xmalloc(row->tenant.len + row->environment.len + 1) };
	if (row->tenant.len > 0)
		memcpy(h->text, row->tenant.ptr, row->tenant.len);
	if (row->environment.len > 0)
		memcpy(h->text + row->tenant.len, row->environment.ptr, row->environment.len);
	h->tenant = slice_make(h->text, row->tenant.len);
	h->environment = slice_make(h->text + row->tenant.len, row->environment.len);
	return h;
}

static int64_t
known(struct span_int v)
{
	return v.set ? v.v : 0;
}

/* In the order of the table's columns. */
static void
sums_of(const struct rollup_row *row, int64_t sums[SUMS])
{
	int64_t request = (row->counts & ROLLUP_REQUEST) != 0, tokens = (row->counts & ROLLUP_TOKENS) != 0;

	sums[0] = 1;
	sums[1] = request;
	sums[2] = tokens * known(row->prompt);
	sums[3] = tokens * known(row->completion);
	sums[4] = tokens * known(row->total);
	sums[5] = tokens * known(row->cost);
	sums[6] = request * known(row->latency);
	sums[7] = request * row->latency.set;
	sums[8] = request * known(row->ttft);
	sums[9] = request * row->ttft.set;
}

int
tick_add(struct store *store, const struct rollup_row *row, int sign)
{
	int64_t tick = tick_of(row->timestamp), sums[SUMS];
	struct held *h;
	int rc;

	if (!store->ticks)
		store->ticks = xcalloc(1, sizeof(*store->ticks));
	h = find(store->ticks, row, tick);
	if (!h) {
		rc = tick_write(store);
		if (rc != STORE_OK)
			return rc;
		h = find(store->ticks, row, tick);
	}
	sums_of(row, sums);
	/* The rollups have made sure that nothing of a day overflows. */
	for (int i = 0; i < SUMS; i++)
		h->sums[i] = (int64_t)((uint64_t)h->sums[i] + (uint64_t)sums[i] * (uint64_t)(int64_t)sign);
	return STORE_OK;
}

static int
bind_keys(sqlite3_stmt *st, const struct held *h)
{
	sqlite3_bind_int64(st, 1, h->tick);
	sqlite3_bind_text(st, 2, h->tenant.ptr, (int)h->tenant.len, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, h->environment.ptr, (int)h->environment.len, SQLITE_STATIC);
	return 4;
}

static int
write_one(struct store *store, const struct held *h)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_TICK);
	int at, rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	at = bind_keys(st, h);
	for (int i = 0; i < SUMS; i++)
		sqlite3_bind_int64(st, at + i, h->sums[i]);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE && h->sums[0] < 0) {	/* is anything left? */
		st = store_statement(store, STATEMENT_TICK_GONE);
		if (!st)
			return store_code(sqlite3_errcode(store->db));
		bind_keys(st, h);
		rc = sqlite3_step(st);
		sqlite3_reset(st);
	}
	return store_code(rc);
}

/* What is written is part of the transaction and held no longer. */
int
tick_write(struct store *store)
{
	struct ticks *ticks = store->ticks;
	int rc = STORE_OK;

	while (ticks && ticks->n > 0 && rc == STORE_OK) {
		rc = write_one(store, &ticks->list[ticks->n - 1]);
		if (rc == STORE_OK)
			free(ticks->list[--ticks->n].text);
	}
	return rc;
}

void
tick_forget(struct store *store)
{
	while (store->ticks && store->ticks->n > 0)
		free(store->ticks->list[--store->ticks->n].text);
}

void
tick_free(struct store *store)
{
	tick_forget(store);
	free(store->ticks);
	store->ticks = NULL;
}
