/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: what was asked and spent in a window, parted by time and by one
 * dimension. Whole days come from the rollups (what is past retention counts
 * too), the rest from rows: the ends of the window, ticks finer than a day or
 * of another time zone's days, and what rollups do not tell apart.
 */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "store/hist.h"
#include "store/rollup.h"

enum metrics_by { METRICS_BY_NOTHING, METRICS_BY_MODEL, METRICS_BY_PROVIDER, METRICS_BY_CUSTOMER, METRICS_BY_KEY,
    METRICS_BY_ENVIRONMENT, METRICS_BY_DEPLOYMENT, METRICS_BY_PROMPT, METRICS_BY_STATUS, METRICS_BY_LOG_TYPE,
    METRICS_BYS };

enum metrics_tick { METRICS_WHOLE, METRICS_MINUTE, METRICS_HOUR, METRICS_DAY, METRICS_WEEK, METRICS_MONTH,
    METRICS_TICKS };

/* One of the values, or none of them. */
struct metrics_filter {
	enum metrics_by	 by;
	bool		 not;
	struct slice	*values;
	size_t		 nvalues;
};

struct metrics_query {
	struct slice	 tenant;		/* SLICE_NONE: any */
	int64_t		 from_us, to_us;	/* timestamp, from <= t < to */
	enum metrics_tick tick;
	int		 offset;		/* minutes that days begin before UTC's */
	enum metrics_by	 by;
	const struct metrics_filter *filters;
	size_t		 nfilters;
	int		 sort;			/* enum rollup_sum, the most first; -1: by time, then part */
	uint64_t	 limit;			/* 0: all */
};

struct metrics_row {
	int64_t		 start;			/* of the tick, µs; of the whole: from_us */
	struct slice	 part;			/* of the dimension; empty: unknown */
	int64_t		 sums[ROLLUP_SUMS];
	struct slice	 latency, ttft;		/* histograms, for hist_add */
};

struct metrics;

/* STORE_ROW for each, STORE_OK at the end; a row lives until the next call.
 * Without ticks and parts there is one row, if anything was counted. */
int	metrics_select(struct store *, const struct metrics_query *, struct metrics **);
int	metrics_next(struct metrics *, const struct metrics_row **);
void	metrics_done(struct metrics *);
/* The start of the tick that a time is in. */
int64_t	metrics_start(enum metrics_tick, int offset, int64_t us);
/* The start of the one after it. */
int64_t	metrics_after(enum metrics_tick, int offset, int64_t start);

#endif
