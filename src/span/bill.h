/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill: what was used, and what it cost by the price tables: disjoint units,
 * each times its rate. Exact: units are whole numbers (seconds in µs), rates
 * 10^-15 USD, each line is rounded once, half up, to 10^-12 USD.
 */
#ifndef SPAN_BILL_H
#define SPAN_BILL_H

#include "core/jscan.h"
#include "span/prices.h"
#include "span/usage.h"
#include "span/warn.h"

struct arena;

#define USE_SAYS 8	/* members of the usage that multipliers may go by */

/* What a request used. Slices live as long as what they were read from. */
struct use {
	struct price_query query;
	struct slice	service_tier;	/* the answer's, else the request's; SLICE_NONE: none */
	int64_t		prompt;		/* all prompt tokens, for tiers */
	bool		has_tokens;	/* they are known */
	int64_t		units[RATE_KINDS];	/* disjoint; seconds in µs */
	struct slice	image_size;	/* "1024x1024", "hd/1024x1792", or SLICE_NONE */
	struct { struct slice name, value; } says[USE_SAYS];	/* texts in the usage: speed, inference_geo */
	size_t		nsays;
};

/* Sets has_tokens, prompt and units from a usage; the query stays. Counts that
 * cannot be (more cached than there is) are cut to what there is. output:
 * what output tokens are where the usage does not tell. */
void	use_read(struct use *, const struct usage *, enum usage_output output);
/* Takes the texts of a usage object that multipliers may go by. */
void	use_says(struct use *, struct jvalue usage);

struct bill_line {
	enum rate_kind	kind;
	int64_t		units;
	int64_t		femto;		/* RATE_NONE: none is known */
	int64_t		pico;		/* 10^-12 USD; PICO_NONE: no rate is known, or more than can be kept */
};
#define PICO_NONE (-1)

/* The outcome. Slices are of the tables and of the use. */
struct bill {
	bool		known;		/* else the cost is null, warnings say why */
	int64_t		pico;		/* the cost in 10^-12 USD */
	bool		found;		/* an entry was: */
	struct price_found at;
	enum service_tier tier;		/* at which it was billed */
	int64_t		bound;		/* of the long-prompt tier that held, 0: none */
	struct bill_line lines[RATE_KINDS];
	size_t		nlines;
	const struct multiplier *multipliers[USE_SAYS];
	size_t		nmultipliers;
	bool		warned[WARN_COUNT];
};

/* By the tables; prices may hold none. */
void	bill_make(const struct prices *, const struct use *, struct bill *);
/* What a bill by the tables is called in cost_source: table, user_table, unknown. */
struct slice bill_source(const struct prices *, const struct bill *);
/* By unit prices, in 10^-15 USD a token, RATE_NONE for a side that has none and
 * is billed by the tables. */
void	bill_unit_prices(const struct prices *, const struct use *, int64_t prompt, int64_t completion,
	    struct bill *);

/*
 * Appends cost_details: what was asked, by which entry of which table, lines,
 * the sum. It holds all of the use, so that it can be priced again.
 * source: cost_source; cost: what the span says, unset: null.
 */
void	bill_print(const struct bill *, const struct use *, struct slice source, struct span_int cost,
	    struct buf *out);
/* Reads the use back out of cost_details; texts go into the arena. False: it
 * holds none. */
bool	bill_reread(struct slice details, struct arena *, struct use *);

#endif
