/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: the records of a turn on their way into one writev. Heads, fields and
 * small tails are copied into one growable buffer; larger tails stay where
 * they are until the batch is written or kept.
 */
#ifndef JOURNAL_BATCH_H
#define JOURNAL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"
#include "journal/journal.h"

#define BATCH_TAILS 255		/* borrowed tails: 2n+1 pieces stay under IOV_MAX */
#define BATCH_COPY JOURNAL_COPIES /* a tail up to this is copied: cheaper than a piece of its own */

struct batch_tail {
	size_t		after;		/* how much of data goes out before it */
	struct slice	bytes;
};

struct batch {
	char		*data;
	size_t		 len, cap;
	struct batch_tail *tails;	/* BATCH_TAILS of them */
	size_t		 ntails;
	uint64_t	 bytes;		/* data and tails */
};

void	batch_init(struct batch *);
void	batch_free(struct batch *);
void	batch_grow(struct batch *, size_t n);

/* Makes room for n more copied bytes and counts them in: where to write them. */
static inline char *
batch_room(struct batch *b, size_t n)
{
	char *p;

	if (n > b->cap - b->len)
		batch_grow(b, n);
	p = b->data + b->len;
	b->len += n;
	b->bytes += n;
	return p;
}

/* Puts a borrowed tail behind what is there; ntails is below BATCH_TAILS. */
void	batch_borrow(struct batch *, struct slice);
/* Writes it at *offset, which moves on by what was written. 0: all is out and
 * the batch is empty. An errno: what is left was copied and stays. */
int	batch_write(struct batch *, int fd, uint64_t *offset);

#endif
