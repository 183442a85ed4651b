/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: where spans rest. A vtable, so that SQLite (store/sqlite.c) is one of
 * several. One writer (the sink); any number of readers, each with its own
 * handle, in its own thread or process, which never write.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "span/span.h"
#include "store/customers.h"
#include "store/metrics.h"
#include "store/news.h"
#include "store/query.h"
#include "store/score.h"
#include "store/traces.h"
#include "store/summary.h"

enum store_result {
	STORE_OK = 0,
	STORE_ROW = 1,
	STORE_BUSY = -1,	/* locked, full, read-only, I/O error: try again later */
	STORE_E_ROW = -2,	/* this row cannot be stored (constraint, too large); others can */
	STORE_E_VERSION = -3,	/* made by a newer spangate */
	STORE_E_CORRUPT = -4,
	STORE_NOT_FOUND = -5,
	STORE_E_SLOW = -6,	/* a list took longer than its query allows */
};

struct store;
struct build_options;

/* A cursor of the sink: up to where a series is in the store, and its counts
 * for `verify`. */
struct store_cursor {
	char		 series[32];
	uint64_t	 position;
	uint64_t	 stored;	/* spans stored from it */
	uint64_t	 dropped;	/* set aside: could not be built and stored even raw */
	uint64_t	 begun;		/* BEGINs of the series by its own count, once finished */
	bool		 finished;	/* the series has ended and is wholly behind */
};

/* What the store counted, for `verify`: rows = stored of all cursors + past + given -
 * expired - removed - duplicates. */
struct store_totals {
	uint64_t	 rows;
	uint64_t	 past, past_dropped;	/* stored and dropped of series that are gone */
	uint64_t	 expired;		/* removed by retention */
	uint64_t	 removed;		/* deleted one by one */
	uint64_t	 given;			/* rows of spans that came over the API */
	uint64_t	 duplicates;		/* counted as stored, but their id was there already */
};

/* How long what is kept. */
struct store_retention {
	int64_t		 before_us;	/* rows before this go; INT64_MIN: none */
	int64_t		 bodies_before_us; /* bodies go from rows before this; INT64_MIN: none */
	uint64_t	 max_bytes;	/* above this the oldest rows go; 0: no limit */
	const struct build_options *options;	/* what remains of a body is built with these */
};

struct store_ops {
	const char *name;
	/* write: make and upgrade the schema. NULL: err holds a line for people. */
	struct store *(*open)(const char *data_dir, bool write, char *err, size_t errlen);
	void	(*close)(struct store *);

	/* The writer. Everything between begin and commit is one transaction. On a
	 * reader: one snapshot until rollback. */
	int	(*begin)(struct store *);
	/* chain: the exchange's records as they stand in the journal; SLICE_NONE:
	 * its bodies are not to be kept, so the span's other fields are stored
	 * themselves. An id that is there already: nothing is changed, STORE_OK.
	 * After STORE_E_ROW the transaction goes on without the row. Of the spans
	 * with one charge_id of a tenant the first row is billable as the span says,
	 * those after it are not, and cost nothing; it is as if new again once that
	 * row has expired. Of spans with one same_id there is one row: the last one's
	 * content under the first one's id. */
	int	(*put)(struct store *, const struct span *, struct slice chain);
	/* After a put: do its row's tokens and cost count? Not where the id was there already. */
	enum store_billed (*billed)(const struct store *);
	/* A change of one span, a JSON object (edit.c), inside a transaction. One
	 * whose span is not there yet is kept for it. STORE_E_ROW: it cannot be read. */
	int	(*edit)(struct store *, const uint8_t target[16], struct slice edit);
	int	(*cursor)(struct store *, const struct store_cursor *);
	/* A series whose directory is gone: its cursor's counts move to the totals. */
	int	(*forget)(struct store *, const char *series);
	int	(*commit)(struct store *);	/* survives the process; the machine only after sync */
	/* All that was committed is on disk when it returns STORE_OK. */
	int	(*sync)(struct store *);
	void	(*rollback)(struct store *);
	/* Removes what is past retention, at most `steps` rows: how many; pinned
	 * ones stay. max_bytes 0: no limit by size. Outside a transaction. */
	int	(*expire)(struct store *, int64_t before_us, uint64_t max_bytes, unsigned steps);
	/* One step of retention by a clock: some 30 ms, but for a body that takes
	 * longer by itself. Pinned rows stay whole. *more: there is more to do.
	 * Outside a transaction. */
	int	(*retain)(struct store *, const struct store_retention *, bool *more);
	/* Deletes one span with all that hangs on it, inside a transaction. What it
	 * counted in rollups is taken off. STORE_NOT_FOUND: there is none. */
	int	(*remove)(struct store *, const uint8_t id[16]);
	/* The rollups' days begin so many minutes before UTC's. Where they did not,
	 * they are counted anew, which takes its time. Outside a transaction. */
	int	(*day_offset)(struct store *, int minutes);
	/* Keeps the index of words (search.h), which is made if it is not there, of
	 * spans that are built so; NULL: it goes. Outside a transaction. */
	int	(*search)(struct store *, const struct build_options *);
	/* A reader, in its snapshot: counts all spans anew and compares the rollups
	 * with it. `out`: a line for each that differs, the first ones; empty: all
	 * are equal. cells: how many there are. */
	int	(*check_rollups)(struct store *, struct buf *out, uint64_t *cells);
	uint64_t (*size)(struct store *);	/* bytes on disk */

	/* What the last call that failed says, for people; lives until the next. */
	const char *(*error)(struct store *);

	/* Readers. */
	/* From now on this handle sees the rows of that tenant and, unless it is
	 * SLICE_NONE, of that environment only, whatever is asked of it. Once. */
	int	(*scope)(struct store *, struct slice tenant, struct slice environment);
	int	(*cursors)(struct store *, struct store_cursor **list, size_t *n);	/* free(*list) */
	/* Rows by query, newest first unless it says otherwise; STORE_ROW for each, STORE_OK at the end.
	 * The span lives until the next call. */
	int	(*select)(struct store *, const struct query *, struct store_rows **);
	/* The rows of these numbers, in their order; those that are gone are passed over. */
	int	(*select_numbers)(struct store *, const int64_t *numbers, size_t n, struct store_rows **);
	int	(*next)(struct store_rows *, const struct span **);
	/* The number of the row that next gave last. */
	int64_t	(*row_number)(const struct store_rows *);
	void	(*done)(struct store_rows *);
	int	(*count)(struct store *, const struct query *, uint64_t *);
	/* The same, but where rows have to be counted one by one no more than `most`. */
	int	(*count_upto)(struct store *, const struct query *, uint64_t most, uint64_t *);
	int	(*summary)(struct store *, const struct query *, struct summary *);
	int	(*threads)(struct store *, const struct query *, thread_taker *, void *arg, uint64_t *count);
	int	(*scores)(struct store *, const uint8_t id[16], struct buf *);
	/* Scores of spans, see score.h. */
	int	(*scores_list)(struct store *, const struct score_query *, score_taker *, void *arg);
	/* The stored chain of one span (malloc'ed), for the builder. Where only the
	 * span itself was kept it is its JSON, and *json is true. bill, may be NULL:
	 * gets how its cost came about (cost_details), where somebody noted it. */
	int	(*chain)(struct store *, const uint8_t id[16], char **bytes, size_t *len, bool *json, struct buf *bill);
	/* Customers by query, each with its sums: STORE_ROW for each, STORE_OK at the
	 * end; the row lives until the next call, and a snapshot stays open until
	 * customers_done. customers_count: how many rows without its limit. */
	int	(*customers)(struct store *, const struct customers_query *, struct customers **);
	int	(*customers_next)(struct customers *, const struct customers_row **);
	void	(*customers_done)(struct customers *);
	int	(*customers_count)(struct store *, const struct customers_query *, uint64_t *);
	/* Appends what people set of a customer, a JSON object. STORE_NOT_FOUND: nothing. */
	int	(*customer_details)(struct store *, struct slice tenant, struct slice environment, struct slice customer,
		    struct buf *);
	/* Puts in place of an id the one of the row that it became a part of. */
	int	(*first_id)(struct store *, uint8_t id[16]);
	/* Traces, see traces.h. */
	int	(*traces)(struct store *, const struct traces_query *, struct traces **);
	int	(*traces_next)(struct traces *, const struct traces_row **);
	void	(*traces_done)(struct traces *);
	int	(*traces_count)(struct store *, const struct traces_query *, uint64_t most, uint64_t *);
	int	(*traces_sum)(struct store *, const struct traces_query *, struct traces_sums *);
	int	(*traces_spans)(struct store *, struct slice tenant, struct slice trace, size_t most,
		    struct traces_span **, size_t *n, struct buf *texts);
	int	(*trace_public)(struct store *, struct slice tenant, struct slice trace, struct buf *environment);
	/* Figures, see metrics.h. */
	int	(*metrics)(struct store *, const struct metrics_query *, struct metrics **);
	int	(*metrics_next)(struct metrics *, const struct metrics_row **);
	void	(*metrics_done)(struct metrics *);
	int	(*totals)(struct store *, struct store_totals *);
	/* The writer, outside a transaction: from now on changes are noted for who
	 * follows the store (news.h), or no more; those up to a revision are
	 * forgotten, some at a time. */
	int	(*follow)(struct store *, bool on, int64_t upto);
	/* A reader: what is new from a place on, in one snapshot. room 0: only how much. */
	int	(*news)(struct store *, const struct store_place *, struct store_news *);
	/* The place of a new follower: the end, or before the first row. */
	int	(*news_from)(struct store *, bool from_start, struct store_place *);
	/* The row of an id as if it were new; STORE_NOT_FOUND: there is none. */
	int	(*news_of)(struct store *, const uint8_t id[16], struct store_new *);
};

extern const struct store_ops store_sqlite;

/* Does this field of a span hold what people wrote or read? */
bool	store_body_field(int field);

/* A number below a million, always the same for an id: a sample takes what is
 * below its share. */
unsigned store_sample(struct slice id);

/* Whether this program may open the store of that directory for writing:
 * STORE_E_VERSION with a line for people when a newer one made it; STORE_OK
 * also where it cannot be looked at now. Where there is none an empty one is
 * made, if that can be. For the start. */
int	store_check(const char *data_dir, char *err, size_t errlen);

#endif
