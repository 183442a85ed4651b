/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices: price tables in memory, and which of their entries is a model's. What
 * a price file means is in pricing/README.md. A table is immutable once made
 * and may be read by any number of threads.
 */
#ifndef SPAN_PRICES_H
#define SPAN_PRICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

enum rate_group { RATE_TOKENS, RATE_CHARS, RATE_SECONDS, RATE_IMAGES, RATE_CALLS, RATE_GROUPS };
enum rate_kind {
#define RATE(symbol, group, name, fallback) RATE_##symbol,
#include "span/rate.tbl.h"
#undef RATE
	RATE_KINDS
};
struct rate_info {
	struct slice	name;
	enum rate_group	group;
	enum rate_kind	fallback;
};
extern const struct rate_info rate_infos[RATE_KINDS];
struct rate_group_info {
	struct slice	member;		/* of a price file */
	int64_t		per;		/* of so many units is the rate that a file gives */
	int		places;		/* of that rate, so that it is in 10^-15 USD a unit */
	const char	*unit;
};
extern const struct rate_group_info rate_groups[RATE_GROUPS];

#define RATE_NONE (-1)

/* A rate in 10^-15 USD for one token, character, second, image or call. */
struct rate {
	int64_t		femto;
	struct slice	size;		/* of images: "1024x1792", "hd/1024x1792"; of calls: "request:high";
					 * else SLICE_NONE */
	uint8_t		kind;
};

enum service_tier { TIER_STANDARD, TIER_PRIORITY, TIER_FLEX, TIER_BATCH, TIERS };
extern const struct slice service_tier_names[TIERS];
/* TIER_STANDARD for default, auto, none and empty; TIERS for one that is not known. */
enum service_tier service_tier_named(struct slice);

/* Rates that hold for one service tier from that many prompt tokens on. */
struct rate_set {
	enum service_tier tier;
	int64_t		prompt_from;
	const struct rate *rates;
	size_t		n;
};

struct multiplier {
	struct slice	name;		/* name:value of a member of the usage */
	int64_t		micro;		/* factor * 10^6 */
};

struct price {
	struct slice	vendor;		/* as vendor.tbl.h names it, where it does; SLICE_NONE: any */
	struct slice	*names;		/* first those of `match`, then aliases */
	size_t		nnames, nmatch;
	int64_t		from, until;	/* µs; INT64_MIN, INT64_MAX: always */
	int		hour_from, hour_until;	/* minutes of the day UTC; -1: all day */
	struct rate_set	*sets;		/* standard without a bound first */
	size_t		nsets;
	struct multiplier *multipliers;
	size_t		nmultipliers;
	int64_t		min_seconds;
	struct slice	note;
	unsigned	line;		/* of the file, from 1 */
};

struct price_table;

struct price_error {
	unsigned	line;		/* from 1; 0: the file as a whole */
	long		entry;		/* from 1; 0: none */
	char		model[100];	/* the entry's first name, if it was read */
	char		text[200];
};

/* Makes a table from a file's text in our format, LiteLLM's or genai-prices',
 * told apart by what it looks like. The text may go afterwards. `name` is what
 * the table is called where the file does not say (lent no longer than the
 * call). NULL: *err is set, or memory is out (err->text says so). */
struct price_table *price_table_read(struct slice text, struct slice name, struct price_error *err);
/* The text of the table that is built in: pricing/prices.json. */
struct slice prices_builtin(void);
void	price_table_free(struct price_table *);
struct slice price_table_name(const struct price_table *);	/* "spangate 2026-11-20" */
size_t	price_table_size(const struct price_table *);
const struct price *price_table_at(const struct price_table *, size_t i);
/* How many entries and names of a foreign file were left out, and the first ones: text for people. */
struct slice price_table_notes(const struct price_table *);

/* Tables over one another, the strongest first; lends the tables. */
#define PRICES_TABLES 16
struct prices {
	const struct price_table *tables[PRICES_TABLES];
	size_t		n;
	const struct price_table *builtin;	/* which of them is ours; NULL: none */
};

/* A number that is another one for other tables or another order of them. */
uint32_t prices_id(const struct prices *);

/* Who asks for a price. */
struct price_query {
	struct slice	provider;	/* a name; SLICE_NONE: not known */
	struct slice	host;		/* its address; SLICE_NONE: not known */
	struct slice	model;		/* the answer's */
	struct slice	request_model;
	int64_t		at;		/* µs since 1970 UTC */
};
struct price_found {
	const struct price_table *table;
	const struct price *price;
	struct slice	vendor;		/* whose price it is; SLICE_NONE: anybody's */
	char		name[256];	/* by which it was found */
	size_t		name_len;
	bool		of_maker;	/* a known reseller has none of its own: it is the maker's */
	bool		of_request;	/* by the request's model */
	bool		free;		/* a variant that costs nothing: rates do not matter */
};
/* False: none is known. */
bool	prices_find(const struct prices *, const struct price_query *, struct price_found *);

/* The rate of a kind at a service tier and prompt size, its fallback's where it
 * has none; RATE_NONE: neither has. size: of images or context, may be SLICE_NONE.
 * *tier_missing is set where the price has nothing for that service tier. */
int64_t	price_rate(const struct price *, enum rate_kind, enum service_tier, int64_t prompt,
	    struct slice size, bool *tier_missing);
/* The bound of the tier for long prompts that holds, 0: none does. */
int64_t	price_bound(const struct price *, enum service_tier, int64_t prompt);
/* Has it a rate of that group in any set? */
bool	price_has(const struct price *, enum rate_group);
/* Are there rates, and all of them zero? */
bool	price_is_nothing(const struct price *);

/* Appends the entry as it would stand in a price file, on one line. */
void	price_print(const struct price *, struct buf *);

#endif
