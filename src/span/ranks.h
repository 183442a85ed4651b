/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranks: the byte-pair ranks of a tokenizer, looked up by a token's bytes. The
 * tables are read-only data of the program (data/README.md); the index over one
 * is made when it is first needed.
 */
#ifndef SPAN_RANKS_H
#define SPAN_RANKS_H

#include "core/slice.h"

#define RANK_NONE UINT32_MAX
#define RANK_BYTES 255		/* no token has more */

struct ranks {
	const unsigned char *tokens;	/* the packed table */
	uint32_t	 count;
	uint32_t	*offset;	/* of each token's bytes; [count]: end */
	uint32_t	*slots;		/* rank + 1, by hash; 0: free */
	uint32_t	 mask;
};

/* The packed tables. */
struct slice	ranks_o200k_base(void);
struct slice	ranks_cl100k_base(void);

/* Makes the index: some MB. False: no memory, or the table is broken. */
bool		ranks_open(struct ranks *, struct slice table);
void		ranks_close(struct ranks *);
/* The rank of these bytes; RANK_NONE: they are no token. */
uint32_t	ranks_find(const struct ranks *, const char *bytes, size_t len);

#endif
