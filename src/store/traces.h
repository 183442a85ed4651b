/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces: what the store knows of traces: table `trace`, a row for each tenant
 * and trace_unique_id of which spans are there, kept in the transaction of the
 * spans, so that a list of traces reads no spans.
 *
 *   started, ended   the earliest start and the latest end of its spans, µs
 *   spans, llm_calls, errors, and sums of tokens and cost (of what is billed)
 *   root             the span (n) that stands for it: one without a parent (a workflow before
 *                    others) before one whose parent is the trace before others, the earliest
 *   environment, customer, workflow, model, name: the least of those that its
 *                    spans have (name: the root's)
 *
 * A span that comes is added; whatever else happens to spans (they go, are priced
 * again, change) makes their trace anew from its spans at commit.
 */
#ifndef STORE_TRACES_H
#define STORE_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

struct store;
struct span;

enum traces_field {
	TRACES_ID, TRACES_NAME, TRACES_WORKFLOW, TRACES_CUSTOMER, TRACES_ENVIRONMENT, TRACES_MODEL,
	TRACES_ENDED, TRACES_STARTED, TRACES_DURATION, TRACES_SPANS, TRACES_LLM_CALLS, TRACES_ERRORS,
	TRACES_PROMPT, TRACES_COMPLETION, TRACES_TOKENS, TRACES_COST, TRACES_METADATA, TRACES_FIELDS
};

enum traces_op { TRACES_EQ, TRACES_IEQ, TRACES_NOT, TRACES_LT, TRACES_LTE, TRACES_GT, TRACES_GTE, TRACES_CONTAINS,
    TRACES_ICONTAINS, TRACES_STARTS, TRACES_ENDS, TRACES_ISNULL };

struct traces_filter {
	enum traces_field field;
	struct slice	 key;		/* of TRACES_METADATA, which is the root's */
	enum traces_op	 op;		/* more than one value: one of them, of TRACES_NOT none of them */
	struct slice	*values;	/* texts as given: numbers, USD, seconds, ISO times */
	size_t		 nvalues;
};

struct traces_query {
	struct slice	 tenant;	/* SLICE_NONE: any */
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;	/* of `ended`, from <= t < to */
	struct traces_filter *filters;
	size_t		 nfilters;
	enum traces_field sort;
	bool		 ascending;
	uint64_t	 offset, limit;	/* limit 0: all */
};

struct traces_row {
	struct slice	 tenant, trace, environment, customer, workflow, model, name;	/* ptr NULL: unknown */
	int64_t		 started, ended, spans, llm_calls, errors, prompt, completion, total, cost, root;
	bool		 public;	/* anybody may read it */
};

struct traces_sums {
	int64_t		 traces, cost, prompt, completion, total, duration, spans, llm_calls, errors, failed;
};

struct traces;

/* Rows by query: STORE_ROW for each, STORE_OK at the end; a row lives until the
 * next call. STORE_E_ROW: a value does not fit its field. */
int	traces_select(struct store *, const struct traces_query *, struct traces **);
int	traces_next(struct traces *, const struct traces_row **);
void	traces_done(struct traces *);
/* How many there are without its limit, at most `most` + 1 are counted. */
int	traces_count(struct store *, const struct traces_query *, uint64_t most, uint64_t *);
/* Sums over all that it finds, whatever its limit; failed: traces with errors. */
int	traces_sum(struct store *, const struct traces_query *, struct traces_sums *);

/* One span of a trace, as far as its place needs it. */
struct traces_span {
	int64_t		 n;
	uint8_t		 id16[16];
	struct slice	 id, parent;	/* SLICE_NONE: none */
	struct slice	 path, name, type;	/* span_path, span_name, log_type */
	int64_t		 start, end;	/* µs */
};
/* The spans of a trace by their start, at most `most` of them; *texts holds
 * their ids. The caller frees *spans and *texts. STORE_NOT_FOUND: there are none. */
int	traces_spans(struct store *, struct slice tenant, struct slice trace, size_t most,
	    struct traces_span **spans, size_t *n, struct buf *texts);

/* May anybody read that trace? Then STORE_OK, and `environment` gets the one whose
 * spans alone they may, or nothing: all. STORE_NOT_FOUND: no. */
int	public_find(struct store *, struct slice tenant, struct slice trace, struct buf *environment);

/* The writer, inside a transaction: span n has come; span n, or those in
 * temp.gone, are about to change or go; makes anew what was touched (at commit). */
int	traces_add(struct store *, int64_t n, const struct span *);
int	traces_touch(struct store *, int64_t n);
int	traces_touch_gone(struct store *);
int	traces_write(struct store *);
void	traces_forget(struct store *);

extern const char traces_schema_sql[];
/* All rows from the spans that are there; in the caller's transaction. */
int	traces_fill(struct store *);
/* Lines in `out` for what differs from the spans, as rollup_check. */
int	traces_check(struct store *, struct buf *out);

#endif
