/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: what a list of spans is asked for, and its SQL: a tree of conditions
 * on fields of spans. Whatever asks for spans by filters makes one of these:
 * the API and the command line by api/filters.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"
#include "span/span.h"

struct store_rows;

/* Of several values one has to fit (with QUERY_NOT: none). Null fits no
 * operator but EQ and IN with a value of SLICE_NONE or, for texts, an empty one:
 * an empty text and an absent one are the same. */
enum query_op { QUERY_EQ, QUERY_NOT, QUERY_LT, QUERY_LTE, QUERY_GT, QUERY_GTE, QUERY_CONTAINS, QUERY_IN, QUERY_ISNULL,
    QUERY_IEXACT, QUERY_ICONTAINS, QUERY_STARTS, QUERY_ENDS, QUERY_REGEX, QUERY_ILIKE,
    QUERY_WORDS,	/* all its words occur, in any case */
    QUERY_EMPTY,	/* null, "", [] or {} */
    QUERY_HAS_KEY,	/* SPAN_F_metadata without a key: it has one of these */
    QUERY_OPS };

/* What lists are filtered by besides the fields of a span. */
enum query_field {
	QUERY_FAILED = SPAN_FIELDS,	/* its status is error */
	QUERY_IS_ROOT,			/* no parent, or the trace itself */
	QUERY_CACHE_HIT,		/* some of the prompt came from a cache */
	QUERY_HAS_TOOL_CALLS,
	QUERY_TENANT,
	QUERY_SCORE,			/* key: the evaluator's id or slug */
	QUERY_EVALUATOR,		/* ids of those that scored the span */
	QUERY_NOTHING,			/* what no span has: null */
	QUERY_FIELDS
};

struct query_filter {
	int		 field;		/* enum span_field or query_field */
	struct slice	 key;		/* of SPAN_F_metadata and QUERY_SCORE: which one */
	enum query_op	 op;
	bool		 negate;
	bool		 either;	/* joined by OR, not AND, to what stands before it */
	struct slice	*values;	/* texts, as given */
	size_t		 nvalues;
	struct query_filter *members;	/* instead of a field: a group of these */
	size_t		 nmembers;
};

struct query {
	struct slice	 tenant;	/* SLICE_NONE: any */
	struct slice	 environment;	/* SLICE_NONE: any */
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;	/* timestamp, from <= t < to */
	struct query_filter *filters;	/* joined from left to right */
	size_t		 nfilters;
	unsigned	 sample;	/* of a million ids, always the same ones; 0: all */
	int		 sort;		/* a field; -1: timestamp. SPAN_F_id: order of arrival */
	struct slice	 sort_key;	/* of QUERY_SCORE and SPAN_F_metadata */
	bool		 ascending;	/* default: descending */
	uint64_t	 offset, limit;	/* limit 0: all */
	uint64_t	 patience_us;	/* no step takes longer; 0: as long as it takes */
};

/* One value to be bound in place of a `?`. */
struct query_bind {
	enum { BIND_INT, BIND_REAL, BIND_TEXT, BIND_BLOB } type;
	int64_t		 i;
	double		 r;
	struct slice	 s;		/* lives as long as the query */
	char		*own;		/* what s is in, where nothing else has it */
	uint8_t		 id[16];	/* BIND_BLOB */
};
struct query_sql {
	struct buf	 text;		/* without a final NUL */
	struct query_bind *binds;
	size_t		 nbinds;
	bool		 dear;		/* each row is looked up in the index of words */
};

/* The operator's own name, for people. */
const char *query_op_name(enum query_op);
/* How it is compared; a metadata value is a SPAN_JSON. */
enum span_type query_type(int field);

/* May lists be sorted by this field? SPAN_F_metadata and QUERY_SCORE by a key. */
bool	query_sort_ok(int field);

struct store;

/*
 * The WHERE clause of the query over tables span `s` and span_edit `e`, or
 * nothing, for that store at this moment; NULL: to see whether it is good.
 * whole: all its rows are read in one go, as for a count, not page by page.
 * False: err holds a line for people that names the field and what does not
 * fit it. query_sql_free either way.
 */
bool	query_where(const struct query *, struct store *, bool whole, struct query_sql *, char *err,
	    size_t errlen);
/* Appends the expression that the query is sorted by. */
void	query_order(const struct query *, struct query_sql *);
void	query_sql_free(struct query_sql *);

#endif
