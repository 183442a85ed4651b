/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tick: rows and sums by ten minutes, tenant and environment (table span_tick),
 * of rows that are there; for counts, deep pages and summaries. Called by
 * rollup.c for every change of a row: what a transaction adds is held in memory
 * and written before its commit.
 */
#ifndef STORE_TICK_H
#define STORE_TICK_H

#include "store/rollup.h"

struct ticks;

/* sign: 1 it comes, -1 it goes. Writes when there is too much to hold. */
int	tick_add(struct store *, const struct rollup_row *, int sign);
/* At commit; may be repeated. */
int	tick_write(struct store *);
/* It is committed, or rolled back. */
void	tick_forget(struct store *);
void	tick_free(struct store *);

#endif
