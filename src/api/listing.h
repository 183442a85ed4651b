/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: what a list request asks for, from its URL and its body: paging,
 * order, window, filters. Respan's names, operators and defaults.
 */
#ifndef API_LISTING_H
#define API_LISTING_H

#include "api/filters.h"

struct listing {
	struct query	 query;		/* ready for the store */
	uint64_t	 page, page_size;
	bool		 fields[SPAN_FIELDS];	/* include_fields */
	bool		 have_fields, full;	/* full: full_request or full_response are asked for */
	bool		 fetch_filters;
	struct slice	 format;	/* of an export */
	struct slice	 given;		/* "filters" as the body has them */

	bool		 either;	/* filters of the body are joined by OR */
	bool		 all_envs, test_given;
	struct filters	 filters;
	struct quick	*quick;		/* filters of the URL */
	size_t		 nquick;
	struct buf	 arena;		/* decoded texts */
	char		 error[300];	/* why it is refused, for people */
};

/* Reads both; body: SLICE_NONE or JSON. now_us: for the default window of one
 * hour; 0: none. own: the environment where none is asked for
 * (SLICE_NONE: all). False: error. listing_free either way. */
bool	listing_read(struct listing *, struct slice url_query, struct slice body, int64_t now_us,
	    struct slice own);
void	listing_free(struct listing *);

/* Sets the order of a query: FIELD, or -FIELD for downwards. False: there is none. */
bool	listing_sort(struct query *, struct slice name);

/* Does the body hold nothing but filters and paging (an older form of list)? */
bool	listing_is_list(struct slice body);

#endif
