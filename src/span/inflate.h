/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate: undoes content codings (RFC 9110 8.4.1) piece by piece: gzip, br and
 * zstd with any number of members, streams or frames one after another, deflate
 * with zlib's head or raw, identity, and several of them stacked. Padding
 * behind the last member is passed over. The memory is that of the codings'
 * windows, at most 16 MiB each, and what comes out.
 */
#ifndef SPAN_INFLATE_H
#define SPAN_INFLATE_H

#include "core/buf.h"

#define INFLATE_STAGES 4	/* stacked codings; a longer list is no honest answer */

enum inflate_result {
	INFLATE_OK = 0,
	INFLATE_E_CODING = -1,	/* a coding that is not known */
	INFLATE_E_MEMORY = -2,
	INFLATE_E_DATA = -3,	/* damaged */
	INFLATE_E_LIMIT = -4,	/* the output buf met its limit */
};

struct inflate_stage;

struct inflate {
	struct inflate_stage	*stages[INFLATE_STAGES];
	size_t			 n;	/* 0: identity */
};

/* codings: the value of Content-Encoding, or SLICE_NONE. INFLATE_OK, E_CODING
 * or E_MEMORY; to be freed in any case. */
int	inflate_init(struct inflate *, struct slice codings);
void	inflate_free(struct inflate *);
/* Appends what comes out of these bytes. After an error what came before it is
 * in `out`, and no more may be fed. (Damaged br and zstd: but for what the last
 * KiB or block gave.) */
int	inflate_feed(struct inflate *, struct slice in, struct buf *out);
/* Has every coding come to its end, and stands in none of its members? */
bool	inflate_complete(const struct inflate *);

#endif
