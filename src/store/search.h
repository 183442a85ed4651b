/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search: which spans hold some words in their input or output. An index of
 * words (span/words.h) without the texts: FTS5 table span_text, whose rowid is
 * the span's n. A row is in it from its put to its removal, where the store's
 * writer was told to keep the index (setting store.search); what was stored
 * before (rows below search_from) is not found. Spans whose bodies are not kept are not in it.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

struct store;
struct span;

enum search_in { SEARCH_BOTH, SEARCH_INPUT, SEARCH_OUTPUT };

#define SEARCH_FEW 10000		/* rows that are sooner listed than each asked for */

/*
 * Appends what is to be bound: every word of the text must occur (in any order,
 * in any case; one that ends in * begins so). False: the text has no words, or
 * more than LIMIT_SEARCH_ASKED; nothing was appended.
 */
bool	search_match(struct slice text, enum search_in, struct buf *match);
/* Has this store an index? */
bool	search_ready(struct store *);
/* The number from which on all rows that hold the words are in the index, 1 where
 * these are all that are there; 0: there is no index. */
int64_t	search_from(struct store *);
/* Are there more than SEARCH_FEW of a text that search_match appended? */
bool	search_many(struct store *, struct slice match);

struct search_query {
	struct slice	 text;
	enum search_in	 in;
	struct slice	 tenant, environment;	/* SLICE_NONE: any */
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;	/* timestamp, from <= t < to */
	uint64_t	 offset, limit;		/* limit 0: all */
};

/*
 * The numbers (n) of the spans found, those that arrived last first; malloc'ed,
 * the caller frees. STORE_NOT_FOUND: the store has no index. STORE_E_ROW: no
 * words are asked for, or too many.
 */
int	search_ids(struct store *, const struct search_query *, int64_t **numbers, size_t *n);
/* How many there are without its limit, at most `most` + 1 are counted. */
int	search_count(struct store *, const struct search_query *, uint64_t most, uint64_t *count);

/* The writer: keeps the index from now on (with the settings that its spans are
 * built with), or no longer (NULL). STORE_OK too where this SQLite has no FTS5: search_ready tells. */
struct build_options;
int	search_keep(struct store *, const struct build_options *);
/* Row n comes with these texts; goes. Inside a transaction. */
int	search_put(struct store *, int64_t n, const struct span *);
int	search_remove(struct store *, int64_t n, const uint8_t id[16]);
void	search_free(struct store *);

#endif
