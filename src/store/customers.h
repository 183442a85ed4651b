/* SPDX-License-Identifier: Apache-2.0 */
/*
 * customers: what each customer asked and spent, from the rollups: lists by
 * period, parted by day, month, model, provider or key, in an order. One row is
 * one customer of one environment (and one part of these).
 */
#ifndef STORE_CUSTOMERS_H
#define STORE_CUSTOMERS_H

#include "store/hist.h"
#include "store/query.h"
#include "store/rollup.h"

struct store;
struct customers;

/* What lists are sorted and filtered by. */
enum customers_field {
	CUSTOMERS_CUSTOMER, CUSTOMERS_ENVIRONMENT, CUSTOMERS_EMAIL, CUSTOMERS_NAME, CUSTOMERS_PART,
	CUSTOMERS_REQUESTS, CUSTOMERS_ERRORS, CUSTOMERS_TOKENS, CUSTOMERS_COST, CUSTOMERS_UNPRICED,
	CUSTOMERS_LATENCY, CUSTOMERS_TTFT, CUSTOMERS_FIRST_SEEN, CUSTOMERS_LAST_SEEN, CUSTOMERS_ACTIVE_DAYS,
	CUSTOMERS_FIELDS
};

enum customers_by { CUSTOMERS_BY_NOTHING, CUSTOMERS_BY_DAY, CUSTOMERS_BY_MONTH, CUSTOMERS_BY_MODEL,
    CUSTOMERS_BY_PROVIDER, CUSTOMERS_BY_KEY, CUSTOMERS_BYS };

/* A condition; more than one value: one of them. Amounts are decimal USD. */
struct customers_filter {
	enum customers_field field;
	enum query_op	 op;		/* not ISNULL */
	struct slice	*values;
	size_t		 nvalues;
};

struct customers_query {
	struct slice	 tenant, environment;	/* SLICE_NONE: any */
	struct slice	 customer;		/* that one alone; SLICE_NONE: all that have a name */
	bool		 nameless;		/* what came without a customer too, as '' */
	bool		 have_from, have_to;
	int64_t		 from_day, to_day;	/* from <= day < to, since 1970-01-01 */
	enum customers_by by;
	const struct customers_filter *filters;
	size_t		 nfilters;
	enum customers_field sort;
	bool		 ascending;
	uint64_t	 offset, limit;		/* limit 0: all */
};

struct customers_row {
	struct slice	 tenant, environment, customer, email, name;
	struct slice	 part;			/* the model, provider or key */
	int64_t		 day;			/* by day; by month: its first */
	int64_t		 sums[ROLLUP_SUMS];	/* of the period */
	struct slice	 latency, ttft;		/* histograms, for hist_add */
	int64_t		 first_seen, last_seen, active_days;	/* of all time */
	struct slice	 details;		/* what people set, a JSON object; empty: nothing */
};

/* -1: there is no field or part of that name. */
int	customers_field_by_name(struct slice);
int	customers_by_name(struct slice);

/* As members of struct store_ops. STORE_E_ROW: a filter's value does not fit its field. */
int	customers_select(struct store *, const struct customers_query *, struct customers **);
int	customers_next(struct customers *, const struct customers_row **);
void	customers_done(struct customers *);
int	customers_count(struct store *, const struct customers_query *, uint64_t *);
int	customers_details(struct store *, struct slice tenant, struct slice environment, struct slice customer,
	    struct buf *);

#endif
