/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reprice_job: how the command line asks a running gateway to price spans
 * again: a file in the data directory, which the sink, the store's one writer,
 * finds and works off step by step; it goes on with it after a crash. Another
 * file then says how it went.
 */
#ifndef STORE_REPRICE_JOB_H
#define STORE_REPRICE_JOB_H

#include "store/reprice.h"

/* Asks for it. tables: prices_id of those that the asker has; the gateway
 * refuses where it has others. False: errno says why; EEXIST: another one is
 * being worked off. */
bool	reprice_ask(const char *data_dir, const struct reprice *, uint32_t tables);
/* Takes the question back (who asked gives up). */
void	reprice_take_back(const char *data_dir);
/* Has it been worked off? Then *answer (200 bytes) is what to say of it, and
 * *good whether it went well; it can be asked once. */
bool	reprice_answered(const char *data_dir, char *answer, bool *good);

/* The sink's side. */
struct reprice_job {
	bool		active;
	struct reprice	what;
	struct reprice_run run;
};

/* Is there a question? Once it was taken, until it is done. prices: those in force. */
bool	reprice_job_look(struct reprice_job *, const char *data_dir, struct store *, const struct prices *);
/* A step of it in a transaction of its own, by the prices in force now. An
 * error of the store, after which it is to be looked for again. */
int	reprice_job_step(struct reprice_job *, const char *data_dir, struct store *, const struct prices *);

#endif
