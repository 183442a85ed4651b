/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: reads series of a journal directory, live or left behind. Used by
 * the sink, recovery, `spangate journal`, `verify` and `replay`. Never writes.
 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"

struct reader;		/* of one series */

/* Names of the series in a directory, sorted, NULL at the end; free with
 * series_free. NULL and errno when the directory cannot be read. */
char	**series_list(const char *dir);
void	  series_free(char **);

/* NULL: err. from: position of the next record to give, 0: the oldest. */
struct reader *reader_open(const char *dir, const char *series, uint64_t from,
	    char *err, size_t errlen);
void	 reader_close(struct reader *);

enum reader_result {
	READER_NONE = 0,	/* nothing more for now; live series may grow */
	READER_RECORD = 1,
	/* a record before the end of the data is damaged: reader_position tells where; reader_skip goes on */
	READER_E_CORRUPT = -1,
	READER_E_IO = -2,
	READER_E_VERSION = -3,	/* a newer format */
};
/* The next record in order; its payload lives until the next call. Gives its
 * own position. Moves on to the next segment by itself. */
int	 reader_next(struct reader *, struct record *, uint64_t *position);
/* Position behind the last record given: a cursor. */
uint64_t reader_position(const struct reader *);
/* After E_CORRUPT: over the damaged record if a whole one stands where it
 * ends, else on to the next segment. */
void	 reader_skip(struct reader *);
/* Bytes in the series behind the position. Of the segment that is being written
 * only what has been written counts, whatever its file's size. */
uint64_t reader_lag(struct reader *);
/* Has the series been ended: no process holds its lock and there is no more? */
bool	 reader_finished(struct reader *);

/* The chain of an exchange: from the record at `position` (usually its END)
 * back by prev, given in order. All bytes are in one allocation of the chain.
 * Damaged or missing links, and LIMIT_CHAIN, end the chain early (`complete`
 * false). READER_RECORD: there is at least that one record; else an error and
 * no chain. chain_free in any case. */
struct chain {
	struct record	*records;	/* BEGIN first */
	size_t		 count;
	bool		 complete;	/* it reaches the BEGIN; of a SPAN, its first record */
	char		*bytes;
	size_t		 size;		/* of bytes: the records back to back, as on disk */
};
int	 chain_read(struct reader *, uint64_t position, struct chain *);
void	 chain_free(struct chain *);
/* The same from bytes as stored (the store's bodies): the records point into
 * `bytes`, which stay the caller's. */
int	 chain_parse(struct slice bytes, struct chain *);

/* Counts of a series for `verify`, from the nearest CHECKPOINT to `position`
 * (UINT64_MAX: its end). 0, or -1 and err. */
struct series_count {
	uint64_t	begun, ended, open, dropped;
};
int	 series_count(const char *dir, const char *series, uint64_t position,
	    struct series_count *, char *err, size_t errlen);

#endif
