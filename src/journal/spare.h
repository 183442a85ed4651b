/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spare: segment files that are done with, kept to be written again: writing
 * over pages that the page cache holds costs a fraction of filling new ones.
 * They lie in the journal's directory under names that are no series'.
 */
#ifndef JOURNAL_SPARE_H
#define JOURNAL_SPARE_H

#include <stdbool.h>
#include <stdint.h>

struct spare {
	struct spare	*next;
	char		*path;
	int		 fd;
	uint64_t	 bytes;		/* length of the file */
};

struct spares {
	struct spare	*first;
	uint64_t	 bytes;		/* of all */
};

/* Takes a segment out of its series and keeps it. False: it stays where it is. */
bool	spares_keep(struct spares *, const char *dir, const char *series_path, uint32_t number);
/* Takes a spare out of the stock and makes it the series' segment of that
 * number: its descriptor. -1: the stock is empty, *bytes 0, or this one is
 * gone. */
int	spares_take(struct spares *, const char *series_path, uint32_t number, uint64_t *bytes);
void	spares_free(struct spares *);
/* Removes what an earlier start has left. */
void	spares_remove_rests(const char *dir);

#endif
