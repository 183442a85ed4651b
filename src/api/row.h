/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row: a span as a JSON object of the API: our fields and the names that its
 * clients read besides. `input` and `output` are texts: JSON in a string.
 */
#ifndef API_ROW_H
#define API_ROW_H

#include "store/store.h"

struct row_writer {
	struct store	*store;		/* for scores; NULL: none */
	const bool	*fields;	/* of SPAN_FIELDS: those that are not columns of a row and are asked for; NULL: all */
	bool		 full;		/* full_request and full_response too */
	bool		 one;		/* what only a single span has: limit_info */
	struct buf	 text;		/* scratch; row_writer_init */
};

void	row_writer_init(struct row_writer *, struct store *);
void	row_writer_free(struct row_writer *);
/* Does that field need more of a span than its row? */
bool	row_needs_full(int field);
void	row_json(struct row_writer *, const struct span *, struct buf *out);

#endif
