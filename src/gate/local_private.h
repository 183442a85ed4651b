/* SPDX-License-Identifier: Apache-2.0 */
/* local_private: the pool of API threads, as the gate sees it. */
#ifndef GATE_LOCAL_PRIVATE_H
#define GATE_LOCAL_PRIVATE_H

#include <sys/queue.h>

#include "gate/exchange.h"
#include "gate/local.h"

extern const struct up_ops local_ops;

struct local_pool;
struct journal;

/* Something for a pool thread to do; lives until `run` has returned or freed it. */
struct local_task {
	STAILQ_ENTRY(local_task) link;
	void	(*run)(struct local_task *);
	struct local_thread *thread;	/* that runs it */
	void	*arg;
};

/* first_writer: number of the first thread's journal series. */
struct local_pool	*local_pool_start(unsigned threads, struct journal *, unsigned first_writer,
			    local_handler *, void *arg);
/* Queues it. False: LIMIT_LOCAL_JOBS wait already, or the pool is ending. */
bool			 local_pool_run(struct local_pool *, struct local_task *);
/* Takes no more jobs and ends the threads after those that it has. */
void			 local_pool_stop(struct local_pool *);
/* After local_pool_stop, and when no gate thread is left. */
void			 local_pool_free(struct local_pool *);

#endif
