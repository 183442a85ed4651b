/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail: the journal series that the sink reads, each with its reader and two
 * cursors: the one on disk and the one of the transaction that is open.
 */
#ifndef STORE_TAIL_H
#define STORE_TAIL_H

#include "journal/journal.h"
#include "journal/reader.h"
#include "store/store.h"

struct tail {
	struct store_cursor cursor;	/* as far as the open transaction */
	struct store_cursor committed;
	uint64_t	 released;	/* told to the journal */
	struct reader	*reader;
	bool		 dead;		/* of a newer format: left alone */
};

struct tails {
	const char	*dir;
	struct tail	*list;
	size_t		 count;
	size_t		 turn;		/* whose turn it is to be read first */
};

void	 tails_init(struct tails *, const char *journal_dir);
void	 tails_free(struct tails *);

/* The store's cursors, at its opening: series that are known start there. */
int	 tails_load(struct tails *, const struct store_ops *, struct store *);
/* Looks for new series, and has the store forget those that are finished and gone. */
int	 tails_scan(struct tails *, const struct store_ops *, struct store *);

/* What was put since the last commit is on disk, or never happened. */
void	 tails_commit(struct tails *);
void	 tails_rollback(struct tails *);
/* Is there a cursor to write? */
bool	 tail_moved(const struct tail *);

/* The next END, SPAN or EDIT of any series, at most `budget` records further. READER_RECORD,
 * READER_NONE: nothing more for now. *budget is what is left of it. */
int	 tails_next(struct tails *, struct tail **, struct record *, uint64_t *position, unsigned *budget);
/* Marks what has come to its end; true: some cursor changed. */
bool	 tails_finish(struct tails *);

uint64_t tails_lag(struct tails *);
/* Tells the journal what is on disk here. */
void	 tails_release(struct tails *, struct journal *);

#endif
