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
	MULTIPART_PART,		/* a part begins: name, filename, type, start, from */
	MULTIPART_BYTES,	/* bytes of its body, never empty */
	MULTIPART_PART_END,	/* end, to */
	MULTIPART_END,		/* the closing delimiter; what follows is no part of it */
	MULTIPART_E_HEAD = -1,	/* a part's head is over LIMIT_PART_HEAD */
	MULTIPART_E_PARTS = -2,	/* over LIMIT_PARTS parts */
};

struct multipart_item {
	struct slice	name, filename, type;	/* decoded; SLICE_NONE where absent */
	struct slice	bytes;
	uint64_t	start;		/* offset in the body of the delimiter line that opens the part */
	uint64_t	end;		/* of the one that ends it: the part is [start, end) */
	uint64_t	from, to;	/* the part's own body is [from, to) */
};

#define MULTIPART_PADDING 64	/* blanks behind a delimiter: nobody sends any */

struct multipart {
	struct slice	in;		/* fed, not yet looked at; borrowed */
	uint64_t	at;		/* offset in the body of its first byte */
	int		state;
	char		text[4 + LIMIT_BOUNDARY + MULTIPART_PADDING]; /* CR LF -- boundary, its line's rest */
	size_t		ndelimiter;	/* bytes of the delimiter in text */
	size_t		ntext;		/* with the rest of the line so far */
	size_t		matched;	/* bytes of the delimiter that came last, still held back */
	size_t		lent;		/* of these, how many are the end of the line before the body */
	unsigned	parts;
	bool		opened;		/* a part has begun and not ended */
	uint64_t	start, from;	/* of this part and its body */
	uint64_t	next, to;	/* the delimiter just seen, and the end of the body before it */
	size_t		nhead;
	char		head[LIMIT_PART_HEAD];
};

/* The boundary of a Content-Type's value, a slice of it; SLICE_NONE: it is no
 * multipart/form-data with a boundary of 1 to LIMIT_BOUNDARY visible characters. */
struct slice multipart_boundary(struct slice content_type);
/* What stands before the first bracket of a field's name: metadata[feature] is
 * a value of metadata. */
struct slice multipart_base(struct slice name);

/* boundary: as multipart_boundary gives it; copied. */
void	multipart_init(struct multipart *, struct slice boundary);
/* The next bytes; lent until multipart_next says MULTIPART_MORE. */
void	multipart_feed(struct multipart *, struct slice);
/* The next item. Its slices live until the next call. After an error or
 * MULTIPART_END, the same again. Of a form that broke off inside a part, its
 * bytes but for those that may have begun a delimiter have been given. */
int	multipart_next(struct multipart *, struct multipart_item *);

#endif
