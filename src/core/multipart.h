/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart: a pull parser of multipart/form-data bodies (RFC 7578, RFC 2046
 * 5.1). Part bodies pass through as lent pieces, however large: nothing of them
 * is stored. Fed whole or in any pieces it gives the same parts and bytes.
 */
#ifndef CORE_MULTIPART_H
#define CORE_MULTIPART_H

#include "core/limits.h"
#include "core/slice.h"

enum multipart_result {
	MULTIPART_MORE = 0,	/* feed more; when there is none, the form broke off */
	MULTIPART_PART,		/* a part begins: name, filename, type, start */
	MULTIPART_BYTES,	/* bytes of its body, never empty */
	MULTIPART_PART_END,	/* end */
	MULTIPART_END,		/* the closing delimiter; what follows is no part of it */
	MULTIPART_E_HEAD = -1,	/* a part's head is over LIMIT_PART_HEAD */
	MULTIPART_E_PARTS = -2,	/* over LIMIT_PARTS parts */
};

struct multipart_item {
	struct slice	name, filename, type;	/* decoded; SLICE_NONE where absent */
	struct slice	bytes;
	uint64_t	start;	/* offset in the body of the delimiter line that opens the part */
	uint64_t	end;	/* of the one that ends it: the part is [start, end) */
	uint64_t	from, to;	/* offsets of its body, [from, to); to with PART_END */
};

struct multipart {
	char		delimiter[4 + LIMIT_BOUNDARY];	/* CR LF -- boundary */
	size_t		ndelimiter;
	struct slice	in;		/* fed, not yet looked at; borrowed */
	uint64_t	at;		/* offset in the body of its first byte */
	int		state;
	size_t		matched;	/* bytes of the delimiter that came last, still held back */
	unsigned	parts;
	uint64_t	start, from, next;	/* of this part, its body, and the delimiter just seen */
	bool		opened;		/* a part has begun and not ended */
	bool		dash;		/* one dash came behind the delimiter */
	size_t		nhead;
	char		head[LIMIT_PART_HEAD];
	char		text[LIMIT_PART_HEAD];	/* decoded name and filename */
};

/* The boundary of a Content-Type's value; SLICE_NONE: it is no
 * multipart/form-data with one. */
struct slice multipart_boundary(struct slice content_type);

/* boundary: 1 to LIMIT_BOUNDARY bytes. */
void	multipart_init(struct multipart *, struct slice boundary);
/* The next bytes; lent until multipart_next says MULTIPART_MORE. */
void	multipart_feed(struct multipart *, struct slice);
/* The next item. Its slices live until the next call. After an error or
 * MULTIPART_END, the same again. */
int	multipart_next(struct multipart *, struct multipart_item *);

#endif
