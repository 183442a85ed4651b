/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window: a stretch of one segment file in memory, read with pread. (Not
 * mapped: a file that is cut while it is read would be a SIGBUS.)
 */
#ifndef JOURNAL_WINDOW_H
#define JOURNAL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"

#define WINDOW_BYTES (256 * KIB)	/* one read: 25 µs of copying */

struct window {
	int		 fd;		/* -1: none is open */
	uint32_t	 number;
	uint32_t	 salt;		/* records with another are none */
	char		*data;
	size_t		 cap;
	uint64_t	 start;		/* offset of data in the file */
	size_t		 len;
};

void	window_init(struct window *);
void	window_free(struct window *);
/* Opens a segment, its head checked: enum segment_result, E_IO with errno. */
int	window_open(struct window *, const char *series_path, uint32_t number);
void	window_close(struct window *);

/*
 * The record at offset: enum record_result, or WINDOW_E_IO with errno. What is
 * not whole or not well in memory is read anew: `before` bytes ahead of the
 * offset and at least `ahead` behind it. *have: how many bytes the file has at
 * the offset, as far as they were read.
 */
#define WINDOW_E_IO (-16)
int	window_record(struct window *, uint64_t offset, size_t before, size_t ahead,
	    struct record *, size_t *used, size_t *have);
/* The same from what is in memory, without reading: whether it is there. */
bool	window_peek(const struct window *, uint64_t offset, struct record *, size_t *used);

#endif
