/* SPDX-License-Identifier: Apache-2.0 */
/* pool: one thread's idle provider connections, a list for each provider. */
#ifndef GATE_POOL_H
#define GATE_POOL_H

#include <stddef.h>
#include <sys/queue.h>

struct gate_thread;
struct provider;
struct settings;
struct upstream;

TAILQ_HEAD(upstream_list, upstream);

struct pool {
	struct upstream_list	 idle;		/* newest first */
	size_t			 count;
};

struct pool	*pools_new(const struct settings *);
void		 pools_free(struct pool *);

/* The newest idle connection to the provider, taken out; NULL: none. */
struct upstream	*pool_take(struct gate_thread *, struct provider *);
/* Keeps it, or closes it where there are enough or the settings are old. */
void		 pool_put(struct upstream *);
/* It closes: out of its list. */
void		 pool_remove(struct upstream *);
/* Closes all idle ones. */
void		 pool_close_all(struct gate_thread *);

#endif
