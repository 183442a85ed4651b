/* SPDX-License-Identifier: Apache-2.0 */
/* reader_state: the inside of a reader, for reader.c and chain.c. */
#ifndef JOURNAL_READER_STATE_H
#define JOURNAL_READER_STATE_H

#include "journal/reader.h"
#include "journal/window.h"

struct reader {
	char		*path;
	uint32_t	 number;	/* of the segment in which the next record is; 0: the first there is */
	uint64_t	 offset;	/* of the next record in it */
	struct window	 tail;		/* for reading on */
	size_t		 ahead;		/* how much of it is read at a time */
	struct window	 back;		/* for reading chains */
	uint32_t	 end_number;	/* of the last segment, when its end was looked for */
	uint64_t	 end;		/* offset up to which it is known to go */
};

/* One record at a position: READER_RECORD or an error. It lives until the next
 * call of anything on this reader. */
int	chain_record(struct reader *, uint64_t position, struct record *);

/* The first segment of a series that is needed by a sink at this position,
 * for what is open there. 0 when that cannot be told. */
uint32_t series_needed_from(const char *dir, const char *series, uint64_t position);

#endif
