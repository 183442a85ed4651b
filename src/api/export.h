/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export: any number of spans as CSV, JSON or lines of JSON, one at a time, so
 * that memory does not grow with them. For the API and the command line alike.
 */
#ifndef API_EXPORT_H
#define API_EXPORT_H

#include "span/span.h"

enum export_format { EXPORT_JSONL, EXPORT_JSON, EXPORT_CSV };

struct export {
	enum export_format format;
	const int	*fields;	/* enum span_field; NULL: the format's own */
	size_t		 nfields;
	bool		 full;		/* JSON without fields: full_request and full_response too */
	uint64_t	 rows;		/* written so far */
	struct buf	 cell;		/* scratch */
};

bool	export_format_by_name(struct slice, enum export_format *);
/* Sets fields from names with commas between, into list, which has room for
 * SPAN_FIELDS. False: *bad is no field. */
bool	export_fields(struct export *, int *list, struct slice names, struct slice *bad);
/* Does it need more of a span than its row? */
bool	export_needs_full(const struct export *);

void	export_start(struct export *, struct buf *out);
void	export_row(struct export *, const struct span *, struct buf *out);
void	export_end(struct export *, struct buf *out);

/* A field as a cell: texts bare, null empty, everything else as its JSON. */
void	export_value(const struct span *, int field, struct buf *out);

#endif
