/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver: a few threads that call getaddrinfo, a queue to them, a cache.
 * Owns all three; gate threads only ask and get a message back.
 */
#include "gate/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "gate/thread.h"

#define RESOLVER_THREADS 4	/* so that one dead name does not hold up the others */
#define CACHE_US (60 * 1000000ull)
#define CACHE_NAMES 256		/* names kept: providers are configured, so few */

/* A gate thread that waits for a name. */
struct waiter {
	STAILQ_ENTRY(waiter)	 link;
	struct gate_thread	*thread;
	resolver_done		*done;
	void			*arg;
};
STAILQ_HEAD(waiter_list, waiter);

struct name {
	STAILQ_ENTRY(name)	 link;		/* in the queue */
	struct name		*next;		/* in the cache */
	char			*host;
	uint16_t		 port;
	struct addresses	 addresses;	/* count 0: none known */
	uint64_t		 until;		/* fresh until then */
	bool			 queued;	/* or being looked up */
	struct waiter_list	 waiters;
};

struct resolver {
	pthread_mutex_t		 lock;
	pthread_cond_t		 work;
	STAILQ_HEAD(, name)	 queue;
	struct name		*names;
	size_t			 nnames;
	bool			 stopping;
	pthread_t		 threads[RESOLVER_THREADS];
};

/* The answer on its way to a gate thread. */
struct answer {
	struct message		 message;	/* first */
	resolver_done		*done;
	void			*arg;
	struct addresses	 addresses;
	char			 error[128];
};

bool
address_parse(const char *host, uint16_t port, struct address *a)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->addr;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		a->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		a->len = sizeof(*v6);
		return true;
	}
	return false;
}

static void
answer_deliver(struct gate_thread *t, struct message *m)
{
	struct answer *a = (struct answer *)m;

	a->done(t, a->arg, &a->addresses, a->addresses.count ? NULL : a->error);
	free(a);
}

static void
waiter_answer(struct waiter *w, const struct addresses *found, const char *error)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->message.deliver = answer_deliver;
	a->done = w->done;
	a->arg = w->arg;
	a->addresses = *found;
	snprintf(a->error, sizeof(a->error), "%s", error);
	thread_post(w->thread, &a->message);
	free(w);
}

/* The slow part, without the lock. */
static const char *
name_lookup(const char *host, uint16_t port, struct addresses *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL, *ai;
	char service[8];
	int r;

	out->count = 0;
	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &list);
	if (r != 0)
		return gai_strerror(r);
	for (ai = list; ai != NULL && out->count < RESOLVER_ADDRESSES; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(out->list[0].addr))
			continue;
		memcpy(&out->list[out->count].addr, ai->ai_addr, ai->ai_addrlen);
		out->list[out->count++].len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
	return out->count ? NULL : "the name has no address";
}

/* Takes what was found into the cache and tells those who wait. */
static void
name_found(struct resolver *r, struct name *n, const struct addresses *found, const char *error)
{
	struct waiter_list waiters = STAILQ_HEAD_INITIALIZER(waiters);
	struct addresses told;
	struct waiter *w;

	pthread_mutex_lock(&r->lock);
	n->queued = false;
	if (found->count > 0) {
		n->addresses = *found;
		n->until = clock_mono_us() + CACHE_US;
	}
	told = n->addresses;
	STAILQ_CONCAT(&waiters, &n->waiters);
	pthread_mutex_unlock(&r->lock);
	while ((w = STAILQ_FIRST(&waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiters, link);
		waiter_answer(w, &told, error ? error : "");
	}
}

static void *
resolver_main(void *arg)
{
	struct resolver *r = arg;
	struct addresses found;
	struct name *n;

	thread_name("resolver");
	for (;;) {
		pthread_mutex_lock(&r->lock);
		while (STAILQ_EMPTY(&r->queue) && !r->stopping)
			pthread_cond_wait(&r->work, &r->lock);
		if (r->stopping) {
			pthread_mutex_unlock(&r->lock);
			return NULL;
		}
		n = STAILQ_FIRST(&r->queue);
		STAILQ_REMOVE_HEAD(&r->queue, link);
		pthread_mutex_unlock(&r->lock);
		name_found(r, n, &found, name_lookup(n->host, n->port, &found));
	}
}

struct resolver *
resolver_start(void)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	int i;

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	STAILQ_INIT(&r->queue);
	for (i = 0; i < RESOLVER_THREADS; i++)
		if (pthread_create(&r->threads[i], NULL, resolver_main, r) != 0)
			abort();
	return r;
}

static void
name_free(struct name *n)
{
	struct waiter *w;

	while ((w = STAILQ_FIRST(&n->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&n->waiters, link);
		free(w);
	}
	free(n->host);
	free(n);
}

void
resolver_stop(struct resolver *r)
{
	struct name *n;
	int i;

	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->lock);
	for (i = 0; i < RESOLVER_THREADS; i++)
		pthread_join(r->threads[i], NULL);
	while ((n = r->names) != NULL) {
		r->names = n->next;
		name_free(n);
	}
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->work);
	free(r);
}

/* Under the lock: the cache's entry, made if need be; NULL when it is full of
 * names that somebody waits for. */
static struct name *
name_get(struct resolver *r, const char *host, uint16_t port)
{
	struct name **at, *n;

	for (at = &r->names; (n = *at) != NULL; at = &n->next)
		if (n->port == port && strcmp(n->host, host) == 0)
			return n;
	for (at = &r->names; r->nnames >= CACHE_NAMES && (n = *at) != NULL; ) {
		if (n->queued) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		name_free(n);
		r->nnames--;
	}
	n = xcalloc(1, sizeof(*n));
	n->host = xstrdup(host);
	n->port = port;
	STAILQ_INIT(&n->waiters);
	n->next = r->names;
	r->names = n;
	r->nnames++;
	return n;
}

bool
resolver_lookup(struct resolver *r, struct gate_thread *t, const char *host, uint16_t port,
    struct addresses *out, resolver_done *done, void *arg)
{
	bool wake = false, known;
	struct waiter *w;
	struct name *n;

	pthread_mutex_lock(&r->lock);
	n = name_get(r, host, port);
	if (n->until <= t->now && !n->queued) {
		n->queued = wake = true;
		STAILQ_INSERT_TAIL(&r->queue, n, link);
	}
	known = n->addresses.count > 0;
	if (known)
		*out = n->addresses;
	else {
		w = xcalloc(1, sizeof(*w));
		w->thread = t;
		w->done = done;
		w->arg = arg;
		STAILQ_INSERT_TAIL(&n->waiters, w, link);
	}
	pthread_mutex_unlock(&r->lock);
	if (wake)
		pthread_cond_signal(&r->work);
	return known;
}
