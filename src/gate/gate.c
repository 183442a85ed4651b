/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: starts and stops the parts of the hot path in their order. Owns the
 * threads, the acceptor, the resolver and the API pool. Called by main only.
 */
#include "gate/gate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "base/log.h"
#include "gate/conn.h"
#include "gate/down.h"
#include "gate/gate_private.h"
#include "gate/listener.h"
#include "gate/local_private.h"
#include "gate/pool.h"
#include "gate/provider.h"
#include "gate/resolver.h"
#include "gate/thread.h"

struct gate {
	struct acceptor		*acceptor;
	struct gate_thread	*threads;
	unsigned		 nthreads;
	struct resolver		*resolver;
	struct local_pool	*pool;
	pthread_mutex_t		 lock;		/* of hurry */
	pthread_cond_t		 change;	/* of hurry, and of a thread's last exchange; monotonic clock */
	bool			 hurry;
};

struct resolver *
gate_resolver(const struct gate *g)
{
	return g->resolver;
}

struct local_pool *
gate_local_pool(const struct gate *g)
{
	return g->pool;
}

const char *
gate_address(const struct gate *g, size_t n)
{
	return acceptor_address(g->acceptor, n);
}

static bool
gate_start_threads(struct gate *g, struct settings *s, struct journal *journal,
    char *err, size_t errlen)
{
	unsigned i;

	g->threads = xcalloc(s->config->threads, sizeof(*g->threads));
	for (i = 0; i < s->config->threads; i++) {
		if (!thread_start(&g->threads[i], g, i, s, journal, err, errlen))
			return false;
		g->nthreads++;
	}
	return acceptor_start(g->acceptor, g->threads, g->nthreads, s->config->max_connections);
}

struct gate *
gate_start(struct config *config, struct journal *journal, local_handler *api, void *arg,
    char *err, size_t errlen)
{
	struct settings *s = settings_new(config, err, errlen);
	pthread_condattr_t monotonic;
	struct gate *g;

	if (s == NULL)
		return NULL;
	g = xcalloc(1, sizeof(*g));
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&g->change, &monotonic);
	pthread_condattr_destroy(&monotonic);
	g->acceptor = acceptor_new(config, err, errlen);
	if (g->acceptor != NULL) {
		g->resolver = resolver_start();
		g->pool = local_pool_start(config->api_threads, journal, config->threads, api, arg);
		if (gate_start_threads(g, s, journal, err, errlen)) {
			settings_unref(s);
			return g;
		}
		gate_drain(g, 0);
	}
	settings_unref(s);
	gate_free(g);
	return NULL;
}

/* ---- what main tells the threads ---- */

struct order {
	struct message	 message;	/* first */
	struct settings	*settings;
	struct keyring	*ring;
};

static void
gate_order(struct gate *g, struct settings *s,
    void (*deliver)(struct gate_thread *, struct message *))
{
	struct order *o;
	unsigned i;

	for (i = 0; i < g->nthreads; i++) {
		o = xcalloc(1, sizeof(*o));
		o->message.deliver = deliver;
		o->settings = s ? settings_ref(s) : NULL;
		thread_post(&g->threads[i], &o->message);
	}
}

static void
order_reload(struct gate_thread *t, struct message *m)
{
	struct order *o = (struct order *)m;

	pool_close_all(t);
	pools_free(t->pools);
	settings_unref(t->settings);
	t->settings = o->settings;
	t->pools = pools_new(t->settings);
	free(o);
}

bool
gate_reload(struct gate *g, struct config *config, char *err, size_t errlen)
{
	struct settings *s = settings_new(config, err, errlen);

	if (s == NULL)
		return false;
	gate_order(g, s, order_reload);
	settings_unref(s);
	return true;
}

/* Providers and their connections stay as they are. */
static void
order_rekey(struct gate_thread *t, struct message *m)
{
	struct order *o = (struct order *)m;
	struct settings *s = settings_with_ring(t->settings, o->ring);

	settings_unref(t->settings);
	t->settings = s;
	keyring_unref(o->ring);
	free(o);
}

void
gate_rekey(struct gate *g, struct keyring *ring)
{
	struct order *o;

	for (unsigned i = 0; i < g->nthreads; i++) {
		o = xcalloc(1, sizeof(*o));
		o->message.deliver = order_rekey;
		o->ring = keyring_ref(ring);
		thread_post(&g->threads[i], &o->message);
	}
}

/* Idle clients go; the others after their answer. */
static void
order_drain(struct gate_thread *t, struct message *m)
{
	t->draining = true;
	down_close_idle(t);
	pool_close_all(t);
	/* The last exchange may have gone before anybody was to be told. */
	if (atomic_load(&t->exchanges) == 0)
		gate_thread_empty(t->gate);
	free(m);
}

/* An exchange that is still under way on this thread; NULL: none. */
static struct exchange *
thread_open_exchange(struct gate_thread *t)
{
	struct exchange *x;
	struct conn *c;

	TAILQ_FOREACH(c, &t->conns, all) {
		x = down_exchange(c);
		if (x == NULL)
			x = upstream_exchange(c);
		if (x != NULL && x->state != EXCHANGE_DONE)
			return x;
	}
	return NULL;
}

/* No more waiting: what is open ends as interrupted. */
static void
order_cut(struct gate_thread *t, struct message *m)
{
	struct exchange *x;

	t->draining = true;
	while ((x = thread_open_exchange(t)) != NULL)
		exchange_end(x, REASON_INTERRUPTED, NULL);
	free(m);
}

/* The last order: the thread ends with this turn. */
static void
order_stop(struct gate_thread *t, struct message *m)
{
	order_cut(t, m);
	down_close_all(t);
	t->stopping = true;
}

static unsigned
gate_open(const struct gate *g)
{
	unsigned i, n = 0;

	for (i = 0; i < g->nthreads; i++)
		n += atomic_load(&g->threads[i].exchanges);
	return n;
}

/* Waits until all exchanges have ended, the deadline, or a hurry. */
static void
gate_wait(struct gate *g, uint64_t deadline)
{
	struct timespec until = { (time_t)(deadline / 1000000), (long)(deadline % 1000000) * 1000 };
	int r = 0;

	pthread_mutex_lock(&g->lock);
	while (!g->hurry && gate_open(g) > 0 && r == 0)
		r = pthread_cond_timedwait(&g->change, &g->lock, &until);
	pthread_mutex_unlock(&g->lock);
}

void
gate_thread_empty(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	pthread_cond_signal(&g->change);
	pthread_mutex_unlock(&g->lock);
}

void
gate_hurry(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->hurry = true;
	pthread_cond_signal(&g->change);
	pthread_mutex_unlock(&g->lock);
}

void
gate_drain(struct gate *g, uint64_t deadline_us)
{
	unsigned i;

	acceptor_stop(g->acceptor);
	gate_order(g, NULL, order_drain);
	gate_wait(g, deadline_us);
	if (gate_open(g) > 0)
		log_warn("%u requests are cut short by the stop", gate_open(g));
	gate_order(g, NULL, order_cut);
	local_pool_stop(g->pool);
	gate_order(g, NULL, order_stop);
	for (i = 0; i < g->nthreads; i++)
		thread_join(&g->threads[i]);
	local_pool_free(g->pool);
	g->pool = NULL;
	resolver_stop(g->resolver);
	g->resolver = NULL;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	acceptor_free(g->acceptor);
	free(g->threads);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->change);
	free(g);
}
