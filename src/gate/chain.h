/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: bytes waiting for a socket, as a list of chunks. Copied bytes lie in
 * chunks of one size from the thread's pool, so that a stream costs no heap
 * allocation per event and an idle one holds nothing; large bodies are lent.
 */
#ifndef GATE_CHAIN_H
#define GATE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "core/slice.h"

struct chunk;

/* One thread's free chunks. */
struct chunk_pool {
	struct chunk	*free;		/* with room for data */
	struct chunk	*bare;		/* without: they carry lent bytes */
	size_t		 nfree, nbare;
};

struct chain {
	struct chunk	*first, *last;
	size_t		 len;		/* bytes in it */
};

void	chunk_pool_free(struct chunk_pool *);

/* Appends a copy. */
void	chain_copy(struct chain *, struct chunk_pool *, struct slice);
/* Appends the copy as one chunk of the chunked coding (RFC 9112 7.1); s is not
 * empty. */
void	chain_copy_chunk(struct chain *, struct chunk_pool *, struct slice);
/* Appends bytes that the caller keeps until they are sent or the chain is
 * cleared. */
void	chain_lend(struct chain *, struct chunk_pool *, struct slice);
/* The first bytes as an iovec list of at most max entries: how many. */
int	chain_iovec(const struct chain *, struct iovec *, int max);
/* Takes n bytes off the front. */
void	chain_drop(struct chain *, struct chunk_pool *, size_t n);
void	chain_clear(struct chain *, struct chunk_pool *);

#endif
