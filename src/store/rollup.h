/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup: sums over spans that are kept beside them, so that no list of
 * customers reads spans:
 *
 *   rollup           by tenant, day, environment, customer, model, provider, key;
 *                    of spans that are there and, apart, of those past retention
 *   rollup_model     the same without the customer, for figures over all of them
 *   rollup_customer  by day and by month: tenant, environment, customer
 *   customer         all time, with what is known of the customer besides
 *
 * An absent text is ''. Whatever changes a row of `span` says so here, in the
 * same transaction: the cells that it concerns are read at first touch, kept in
 * memory and written back by the commit. They stay there for the next one, up to
 * a limit. A cell of which nothing is left goes.
 *
 * Errors are store_results. STORE_E_ROW: a sum would overflow; nothing of that
 * change has been taken then.
 */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include <sqlite3.h>

#include "span/span.h"

enum rollup_sum {
#define SUM(name) ROLLUP_##name,
#include "store/rollup.tbl.h"
#undef SUM
	ROLLUP_SUMS
};
extern const char *const rollup_sums[ROLLUP_SUMS];
/* SQL: what each sum is the sum of, for a row of table span; c: what it counts as. */
extern const char *const rollup_parts[ROLLUP_SUMS];

/* What a row counts as: column `counts` of table span; NULL there (a row of an
 * older version): both, or nothing where it is not billable. */
enum { ROLLUP_REQUEST = 1, ROLLUP_TOKENS = 2 };

/* The part of a span that rollups are made of. Texts belong to whoever made it. */
struct rollup_row {
	struct slice	 tenant, environment, customer, model, provider, key, email, name;
	int64_t		 timestamp;
	unsigned	 counts;
	bool		 expired, error;
	struct span_int	 prompt, completion, total, cached, cache_creation, reasoning, cost, latency, ttft;
};

struct store;
struct rollup;

/* Whether tokens and cost of a row count in figures. */
enum store_billed {
	STORE_UNBILLED = 0,
	STORE_BILLED,
	STORE_UNPRICED,		/* yes, but what it cost is not known */
};

/* What a span that is being put counts as; first: of those with its charge_id. */
unsigned rollup_counts(const struct span *, bool first);
void	rollup_of_span(struct rollup_row *, const struct span *, unsigned counts);
enum store_billed rollup_billed(const struct rollup_row *);
/* Of a SELECT of rollup_row_sql over table span `s`; lives until the statement moves. */
extern const char rollup_row_sql[];
void	rollup_of_statement(struct rollup_row *, sqlite3_stmt *);

/* A row comes (old NULL), goes (new NULL) or is another one. */
int	rollup_change(struct store *, const struct rollup_row *old, const struct rollup_row *new);
/* The same in two steps around an UPDATE: takes off what row n says, adds what it says.
 * Its trace, before and after, is made anew at commit (traces.h). */
int	rollup_take(struct store *, int64_t n);
int	rollup_give(struct store *, int64_t n);

/* At commit: writes the cells that changed; may be repeated. */
int	rollup_write(struct store *);
/* After it: keeps what may be needed again. */
void	rollup_rest(struct store *);
/* Forgets all of them: they were rolled back, or somebody else has written. */
void	rollup_forget(struct store *);
void	rollup_free(struct store *);

/* The day of a time, rounded down, counted from 1970-01-01 in the store's
 * offset; the first day of a day's month. */
int64_t	rollup_day(const struct store *, int64_t us);
int64_t	rollup_month(int64_t day);

/* rollup_fill.c: the functions of its SQL; a code of SQLite. */
extern const char rollup_schema_sql[];
int	rollup_functions(struct store *);
/* To be run before and after the transaction of a fill: it sorts all rows, which
 * are not to be held in memory. */
#define ROLLUP_BIG_TEMP "PRAGMA temp_store = FILE"
#define ROLLUP_SMALL_TEMP "PRAGMA temp_store = MEMORY"
/* The rollups of all rows that are there, for a store that had none; in the caller's transaction. */
int	rollup_fill(struct store *);
/* Counts all rows that are there (traces as well) and compares, in the caller's snapshot. Where
 * rollups differ `out` has lines that say which, at most so many of each kind. */
#define ROLLUP_DIFFERENCES 6
int	rollup_check(struct store *, struct buf *out, uint64_t *cells);
/* Days begin so many minutes before UTC's: where they did not, all rows that
 * are there are counted anew, in one transaction. Days of spans that are past
 * retention stay as they were. */
int	rollup_set_offset(struct store *, int minutes);

#endif
