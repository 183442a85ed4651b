/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: the one thread that tails the journal, builds spans and commits them
 * with its cursors. It keeps no state but the cursors. When the store cannot
 * take, it waits and tries again; nothing is skipped.
 */
#ifndef STORE_SINK_H
#define STORE_SINK_H

#include "journal/journal.h"

struct sink;
struct config;

/* Starts the thread ("sink"). The store is opened by it, and opened again
 * until it works, so a store that is down at start delays spans only. */
struct sink	*sink_start(struct journal *, struct config *);
/* Lets it work up what is in the journal until deadline (clock_mono_us), then
 * stops it. True: nothing was left. */
bool		 sink_stop(struct sink *, uint64_t deadline_us);

#endif
