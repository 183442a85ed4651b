/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: brings what stands in the store's log into its file, in a thread of
 * its own, so that the writer does not wait for the disk. The log can be written
 * again from its start only where all of it is in the file and nobody writes:
 * the little that is left then is the writer's.
 */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include <stdbool.h>

struct checkpointer;

/* For the store of that path. Its thread starts with the first call to go on. */
struct checkpointer *checkpointer_new(const char *path);
void	checkpointer_free(struct checkpointer *);	/* NULL is taken too */
/* The writer has committed, and the log is so many pages long. limit: how long it is to get. True: it is
 * for the writer to bring in what is left, now. Never waits. */
bool	checkpointer_told(struct checkpointer *, int pages, int limit);

#endif
