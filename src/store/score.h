/* SPDX-License-Identifier: Apache-2.0 */
/*
 * score: what evaluators and people said of spans, in table score: one row for
 * each span, evaluator and scorer. Changed by EDITs of the span (edit.c), listed here.
 */
#ifndef STORE_SCORE_H
#define STORE_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"
#include "store/traces.h"

enum score_field { SCORE_ID, SCORE_LOG, SCORE_EVALUATOR, SCORE_SLUG, SCORE_NAME, SCORE_SCORER, SCORE_ENVIRONMENT,
    SCORE_KIND, SCORE_VALUE, SCORE_TEXT, SCORE_FIELDS };

struct score_filter {
	enum score_field field;
	enum traces_op	 op;		/* EQ, NOT: one, none of the values; else numbers, one of SCORE_VALUE */
	const struct slice *values;
	size_t		 nvalues;
};

struct score_query {
	const uint8_t	*id, *log;	/* 16 bytes; NULL: any */
	struct slice	 environment;	/* of the span; SLICE_NONE: any */
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;	/* created, from <= t < to */
	const struct score_filter *filters;
	size_t		 nfilters;
	uint64_t	 offset, limit;
};

struct score_row {
	uint8_t		 id[16], log[16];
	struct slice	 evaluator_id, evaluator_slug, evaluator_name, scorer, environment;	/* ptr NULL: unknown */
	struct slice	 details;	/* the other members, a JSON object */
	int64_t		 created, updated;
};
typedef void score_taker(void *arg, const struct score_row *);

/* Those that a query finds, the newest first. STORE_E_ROW: a value is no number. */
int	score_list(struct store *, const struct score_query *, score_taker *, void *arg);

#endif
