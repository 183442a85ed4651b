/* SPDX-License-Identifier: Apache-2.0 */
/* condition: one comparison as SQL; for query.c. */
#ifndef STORE_CONDITION_H
#define STORE_CONDITION_H

#include "store/query.h"

struct condition_writer {
	struct query_sql *sql;
	const struct query *query;
	struct store	*store;		/* NULL: the clause is only tried */
	bool		 whole;		/* see query_where */
	int64_t		 indexed;	/* search_from of it, 0: words are looked for in the texts */
	unsigned	 depth;		/* of groups */
	char		*err;
	size_t		 errlen;
};

void	condition_bind_int(struct query_sql *, int64_t);
void	condition_bind_text(struct query_sql *, struct slice);
/* The same of a copy of its own. */
void	condition_bind_copy(struct query_sql *, struct slice);

/* Sets err to "filter NAME: " and the text; returns false. */
bool	condition_refuse(struct condition_writer *, const struct query_filter *, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The value of an operator that takes true (also: no value) or false. */
bool	condition_flag(struct condition_writer *, const struct query_filter *, bool *);
/* Appends what the filter asks of this expression, in brackets; its op is none
 * of QUERY_NOT and QUERY_HAS_KEY, and `negate` is the caller's. */
bool	condition_write(struct condition_writer *, const struct query_filter *, struct slice column, enum span_type);

#endif
