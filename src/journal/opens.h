/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opens: the open exchanges of a series by id, a table with open addressing.
 * Grows by doubling and never shrinks, so in the steady state it allocates
 * nothing. Its size is bounded by the connections that the gate takes.
 */
#ifndef JOURNAL_OPENS_H
#define JOURNAL_OPENS_H

#include <stddef.h>
#include <stdint.h>

struct open_exchange {
	uint8_t		id[16];
	uint64_t	first;		/* position of its BEGIN; 0: an empty slot */
	uint64_t	last;		/* position of its last record */
};

struct opens {
	struct open_exchange *slots;
	size_t		 count;
	size_t		 cap;		/* a power of two, 0 at first */
};

void	opens_free(struct opens *);
void	opens_clear(struct opens *);
/* NULL: not there. Dies at the next opens_add or opens_remove. */
struct open_exchange *opens_find(const struct opens *, const uint8_t id[16]);
/* Finds or adds. first may not be 0. */
void	opens_add(struct opens *, const uint8_t id[16], uint64_t first, uint64_t last);
void	opens_remove(struct opens *, struct open_exchange *);
/* Least `first` of all, 0 without any. */
uint64_t opens_oldest(const struct opens *);

#endif
