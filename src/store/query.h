/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: what a list of spans is asked for, and its SQL. Filters name span
 * fields; the whole filter language of the API comes on top of this.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

struct store_rows;

enum query_op { QUERY_EQ, QUERY_NOT, QUERY_LT, QUERY_LTE, QUERY_GT, QUERY_GTE, QUERY_CONTAINS, QUERY_IN, QUERY_ISNULL };

struct query_filter {
	int		 field;		/* enum span_field, a row column */
	enum query_op	 op;
	struct slice	*values;	/* texts, as given */
	size_t		 nvalues;
};

struct query {
	struct slice	 tenant;	/* SLICE_NONE: any */
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;	/* timestamp, from <= t < to */
	struct query_filter *filters;
	size_t		 nfilters;
	int		 sort;		/* enum span_field; timestamp by default (-1) */
	bool		 ascending;	/* default: descending */
	uint64_t	 offset, limit;	/* limit 0: all */
};

#endif
