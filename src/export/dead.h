/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead: the dead letters of a sink: spans that its target refused, by their ids,
 * with the reason. The spans themselves stay where they are, in the store, and
 * are subject to its retention. A file of JSON lines, DATA/export/NAME/dead:
 * appended to, and written anew where letters are taken out. The sink's thread
 * changes it while the gateway runs, else the command line.
 */
#ifndef EXPORT_DEAD_H
#define EXPORT_DEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

struct dead_letter {
	uint8_t		 id[16];
	int64_t		 time_us;	/* when it was refused last */
	unsigned	 status;	/* of HTTP then; 0: it could not be put into words */
	unsigned	 tries;		/* how often it was */
	char		 text[160];	/* why */
};

struct dead {
	char		*dir;
	struct dead_letter *list;	/* oldest first */
	size_t		 n, room;
};

/* Adds what stands in the file's text; lines that are no letters are passed over. */
void	dead_parse(struct dead *, struct slice text);
/* Reads what is there; lines that cannot be read (a torn last one) are passed
 * over. False, with errno: the file cannot be read. dead_close either way. */
bool	dead_open(struct dead *, const char *dir);
void	dead_close(struct dead *);
/* Is there room for so many more? */
bool	dead_room(const struct dead *, size_t n);
/* Adds one, or notes that it was refused again; on disk when it returns. False:
 * errno says why, and nothing has changed. */
bool	dead_add(struct dead *, const struct dead_letter *);
/* NULL: there is none of that id. */
const struct dead_letter *dead_find(const struct dead *, const uint8_t id[16]);
/* Takes those for which `gone` says so out of it; how many, -1 with errno: the
 * file cannot be written, and nothing has changed. */
int	dead_remove(struct dead *, bool (*gone)(const struct dead_letter *, void *), void *arg);

#endif
