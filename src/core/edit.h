/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit: a sorted list of {offset, length, replacement} over a body, the one
 * way in which the gateway changes a request. Entries do not overlap.
 */
#ifndef CORE_EDIT_H
#define CORE_EDIT_H

#include "core/buf.h"

struct edit {
	uint64_t	offset;
	uint64_t	length;		/* bytes taken out, may be 0 */
	struct slice	replacement;	/* put in their place, may be empty; borrowed */
};

struct edits {
	struct edit	*list;
	size_t		 count;
};

/* Length of a body of len bytes after the edits. */
uint64_t edits_length(const struct edits *, uint64_t len);

/* Pulls the edited body as pieces, none of them empty: false at the end. */
struct edit_iter {
	const struct edits *edits;
	struct slice	 body;
	size_t		 next;		/* entry */
	uint64_t	 at;		/* offset in body */
	bool		 in_edit;
};
void	edit_iter_init(struct edit_iter *, const struct edits *, struct slice body);
bool	edit_iter_next(struct edit_iter *, struct slice *piece);

/* The bytes for a SEND record, and back. A replacement that is a piece of the
 * body itself is written as its place there. decode allocates out->list (free()
 * it); replacements point into `bytes` or `body`. 0, or -1: malformed, out of
 * order, overlapping, over LIMIT_EDITS, or of a longer body. */
void	edits_encode(const struct edits *, struct slice body, struct buf *);
int	edits_decode(struct slice bytes, struct slice body, struct edits *out);

#endif
