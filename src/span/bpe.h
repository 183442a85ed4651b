/* SPDX-License-Identifier: Apache-2.0 */
/* bpe: how many tokens the bytes of one piece of text merge into. */
#ifndef SPAN_BPE_H
#define SPAN_BPE_H

#include "span/ranks.h"

/* Longer pieces are cut, so that what is worked on stays in the processor's
 * cache: a token more or less at each cut. A multiple of the lengths of
 * characters, so that runs of one are cut between them. */
#define BPE_PIECE (96 * 1024)

struct bpe_long;

/* Scratch memory, kept from piece to piece. All zero is none. */
struct bpe {
	struct bpe_long	*longs;
};

void	bpe_free(struct bpe *);
/* Tokens of the piece by merging neighbours of the lowest rank, leftmost first.
 * -1: no memory. */
int64_t	bpe_count(struct bpe *, const struct ranks *, struct slice piece);

#endif
