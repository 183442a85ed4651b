/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters: the filter language of the Respan API, as a body's JSON, as members
 * of a URL, or as the command line's tests, turned into the store's conditions.
 */
#ifndef API_FILTERS_H
#define API_FILTERS_H

#include "core/jscan.h"
#include "store/query.h"

struct filters {
	struct query_filter *list;	/* all have to hold; valid until the next is added */
	size_t		 n;
	size_t		 conditions, values;	/* so far, against their limits */
	struct filters_block *blocks;	/* what the list points to */
	struct buf	 text;		/* decoded texts */
	char		 error[300];	/* why it is refused, for people */
};

/* room: bytes of JSON that will be read. False: no memory. filters_free either way. */
bool	filters_init(struct filters *, size_t room);
void	filters_free(struct filters *);

/* Adds "filters" of a body: an object of fields, a bundle, or a list of
 * either. either: what does not say is joined by OR. False: error. */
bool	filters_json(struct filters *, struct jvalue, bool either);
/* Adds one condition on a field; the slices must live on. op and connector may
 * be SLICE_NONE. False: error. */
bool	filters_add(struct filters *, struct slice name, struct slice op, struct slice connector,
	    const struct slice *values, size_t nvalues);

/* Puts what was added after the first n into a bundle of its own. */
void	filters_bundle(struct filters *, size_t n);

/* The field of a name as clients call it (-1: there is none), and the key of
 * metadata__KEY and scores__KEY. */
int	filters_field(struct slice name, struct slice *key);
/* The operator by its name; false: there is none. */
bool	filters_operator(struct slice name, enum query_op *, bool *negate);
/* Will the store take them? False: error. */
bool	filters_check(struct filters *);
/* Appends what can be filtered, and how: `filters_data`. */
void	filters_data(struct buf *);

#endif
