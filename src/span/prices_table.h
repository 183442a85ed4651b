/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_table: how a price table is made and laid out; for the readers of
 * files (prices_read.c and its like) and prices.c, and for nobody else.
 */
#ifndef SPAN_PRICES_TABLE_H
#define SPAN_PRICES_TABLE_H

#include "core/jscan.h"
#include "span/arena.h"
#include "span/prices.h"

#define PRICE_NAMES 4096	/* names of one entry */
#define PRICE_SETS 64		/* tiers and service tiers of one */
#define PRICE_RATES 256		/* rates of one set */
#define PRICE_MULTIPLIERS 32
#define PRICE_ENTRIES 200000	/* of one table */
#define RATE_TOKEN_MAX 1000000000000000	/* a dollar a token: beyond, it is a mistake */
#define RATE_OTHER_MAX 5000000000000000000	/* 5,000 dollars an image, second or call */

/* A name of an entry, in a chain of those that hash alike. */
struct price_key {
	uint32_t	entry, next;	/* next: index + 1, 0: last */
	struct slice	name;
};

struct price_table {
	struct arena	 arena;
	struct slice	 name;
	uint32_t	 id;		/* CRC-32C of the file */
	struct price	*list;
	size_t		 n, cap;
	struct price_key *keys;
	size_t		 nkeys;
	uint32_t	*heads;		/* index + 1 of the first key */
	size_t		 nheads;	/* a power of two */
	uint32_t	*patterns;	/* keys that are patterns */
	size_t		 npatterns;
	struct buf	 notes;
};

/* One file being read. */
struct price_reader {
	struct price_table *table;
	struct slice	 text;		/* of the file */
	struct price_error *err;
	bool		 failed;
	bool		 lenient;	/* of a foreign file: of what stands twice the first counts */
	const char	*counted;	/* up to where lines have been counted, */
	unsigned	 line;		/* and on which that is */
	/* the entry at hand */
	struct price	 price;
	struct slice	 names[PRICE_NAMES];
	struct rate_set	 sets[PRICE_SETS];
	struct rate	 rates[PRICE_RATES];	/* of the set at hand */
	struct rate_set	 set;
	size_t		 nrates;
	struct multiplier multipliers[PRICE_MULTIPLIERS];
	struct slice	 where;		/* text that an error is about */
};

/* Notes the first error, at the line of `where`, and makes the reader fail. Always false. */
bool	price_fail(struct price_reader *, struct slice where, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The characters of a string, in the table's memory. False: no string, or empty; it is said. */
bool	price_text(struct price_reader *, struct jvalue, const char *what, struct slice *out);
/* A day "YYYY-MM-DD" as µs since 1970 UTC. False: it is none; it is said. */
bool	price_day(struct price_reader *, struct jvalue, int64_t *us);
/* Starts an entry that stands at `where`. */
void	price_begin(struct price_reader *, struct slice where);
bool	price_name(struct price_reader *, struct slice name, struct slice where);
/* Starts a set of rates; set_end gives it to the entry, if it has any. */
void	price_set_begin(struct price_reader *, enum service_tier, int64_t prompt_from);
bool	price_set_rate(struct price_reader *, enum rate_kind, int64_t femto, struct slice size, struct slice where);
/* Has the set at hand a rate of that kind? */
bool	price_set_has(const struct price_reader *, enum rate_kind);
bool	price_set_end(struct price_reader *);
bool	price_multiplier(struct price_reader *, struct slice name, int64_t micro, struct slice where);
/* Puts the entry into the table. */
bool	price_end(struct price_reader *);
/* What a reader left out: a line of the table's notes. */
void	price_note(struct price_reader *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The formats. The object is the checked file's. */
bool	prices_read_own(struct price_reader *, struct jvalue file);
bool	prices_read_litellm(struct price_reader *, struct jvalue file);
bool	prices_read_genai(struct price_reader *, struct jvalue file);

#endif
