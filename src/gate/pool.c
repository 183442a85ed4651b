/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: keeps connections between exchanges. An idle one has its read event
 * armed, so that a provider's closing is seen before it is used again.
 */
#include "gate/pool.h"

#include <stdlib.h>

#include "base/base.h"
#include "gate/provider.h"
#include "gate/thread.h"

#define POOL_IDLE 256			/* connections kept for a provider and thread */
#define POOL_IDLE_US (55 * 1000000ull)	/* below the 60 s after which most servers close */

struct pool *
pools_new(const struct settings *s)
{
	size_t i, n = s->config->nproviders;
	struct pool *pools = xcalloc(n ? n : 1, sizeof(*pools));

	for (i = 0; i < n; i++)
		TAILQ_INIT(&pools[i].idle);
	return pools;
}

void
pools_free(struct pool *pools)
{
	free(pools);
}

/* The list that a connection belongs to; NULL when its settings are old. */
static struct pool *
pool_of(const struct upstream *u)
{
	struct gate_thread *t = u->conn.thread;

	return u->settings->providers == t->settings->providers ? &t->pools[u->provider->config->index] : NULL;
}

struct upstream *
pool_take(struct gate_thread *t, struct provider *p)
{
	struct upstream *u = TAILQ_FIRST(&t->pools[p->config->index].idle);

	if (u == NULL || u->provider != p)
		return NULL;
	pool_remove(u);
	return u;
}

void
pool_put(struct upstream *u)
{
	struct pool *pool = pool_of(u);

	if (pool == NULL || pool->count >= POOL_IDLE || u->conn.thread->draining) {
		upstream_close(u);
		return;
	}
	u->idle = true;
	TAILQ_INSERT_HEAD(&pool->idle, u, link);
	pool->count++;
	conn_deadline(&u->conn, POOL_IDLE_US);
}

void
pool_remove(struct upstream *u)
{
	struct pool *pool = pool_of(u);

	if (!u->idle)
		return;
	u->idle = false;
	TAILQ_REMOVE(&pool->idle, u, link);
	pool->count--;
}

void
pool_close_all(struct gate_thread *t)
{
	struct upstream *u;
	size_t i;

	for (i = 0; i < t->settings->config->nproviders; i++)
		while ((u = TAILQ_FIRST(&t->pools[i].idle)) != NULL)
			upstream_close(u);
}
