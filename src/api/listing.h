/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: what a list request asks for, from its URL and its body: paging,
 * order, window, filters. Respan's names, operators and defaults.
 */
#ifndef API_LISTING_H
#define API_LISTING_H

#include "core/jscan.h"
#include "store/query.h"

#define LISTING_FILTERS 64
#define LISTING_VALUES 1000

struct listing {
	struct query	 query;		/* ready for the store */
	uint64_t	 page, page_size;
	bool		 full;		/* full_request and full_response are asked for */

	struct query_filter filters[LISTING_FILTERS];
	struct slice	 values[LISTING_VALUES];
	size_t		 nvalues;
	struct slice	 environment, own;	/* asked for; and where none is */
	bool		 all_envs, tested;	/* is_test says more than these */
	struct buf	 arena;		/* decoded texts */
	char		 error[300];	/* why it is refused, for people */
};

/* Reads both; body: SLICE_NONE or JSON. now_us: for the default window of one
 * hour; own: the environment where none is asked for (SLICE_NONE: all). False: error. listing_free either way. */
bool	listing_read(struct listing *, struct slice url_query, struct slice body, int64_t now_us,
	    struct slice own);
void	listing_free(struct listing *);

/* The operator of a filter by its name; false: there is none. */
bool	listing_operator(struct slice name, enum query_op *);

/* Does the body hold nothing but filters and paging (an older form of list)? */
bool	listing_is_list(struct slice body);

#endif
