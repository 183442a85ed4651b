/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: what a list of spans is asked for, and its SQL. Filters name span
 * fields; the whole filter language of the API comes on top of this.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

struct store_rows;

enum query_op { QUERY_EQ, QUERY_NOT, QUERY_LT, QUERY_LTE, QUERY_GT, QUERY_GTE, QUERY_CONTAINS, QUERY_IN, QUERY_ISNULL };

struct query_filter {
	int		 field;		/* enum span_field, a row column; or SPAN_F_metadata */
	struct slice	 key;		/* of SPAN_F_metadata: which one */
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
	int		 sort;		/* enum span_field; -1: timestamp. SPAN_F_id: order of arrival */
	bool		 ascending;	/* default: descending */
	uint64_t	 offset, limit;	/* limit 0: all */
};

/* One value to be bound in place of a `?`. */
struct query_bind {
	enum { BIND_INT, BIND_REAL, BIND_TEXT, BIND_BLOB } type;
	int64_t		 i;
	double		 r;
	struct slice	 s;		/* lives as long as the query */
	uint8_t		 id[16];	/* BIND_BLOB */
};
struct query_sql {
	struct buf	 text;		/* " WHERE ..." or nothing, without a final NUL */
	struct query_bind *binds;
	size_t		 nbinds;
};

/* May lists be filtered and sorted by this field? */
bool	query_field_ok(int field);

/*
 * The WHERE clause of the query over tables span `s` and span_edit `e`. False:
 * err holds a line for people that names the field and the value that does
 * not fit it. query_sql_free either way.
 */
bool	query_where(const struct query *, struct query_sql *, char *err, size_t errlen);
void	query_sql_free(struct query_sql *);
/* Appends the expression that a field is sorted by. */
void	query_column(int field, struct buf *);

#endif
