/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread: one gate thread: an event loop, its journal writer, and what its
 * connections share. A turn of the loop is: take all events; then write the
 * journal's batch; then write to the sockets that have something; then free
 * what died. Nothing here is shared with other threads but the inbox and the
 * two atomics.
 */
#ifndef GATE_THREAD_H
#define GATE_THREAD_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/buf.h"
#include "core/http1.h"
#include "core/uuid.h"
#include "gate/chain.h"
#include "gate/settings.h"
#include "journal/journal.h"

#define SCRATCH_SIZE (64 * 1024)	/* bytes of one read */
#define JANITOR_MS 250			/* how late a timeout may be */

struct conn;
struct down;
struct exchange;
struct gate;

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(down_list, down);

/* Something that another thread hands to this one. */
struct message {
	STAILQ_ENTRY(message) link;
	void	(*deliver)(struct gate_thread *, struct message *);	/* owns the message */
};
STAILQ_HEAD(message_list, message);

struct gate_thread {
	struct gate		*gate;
	unsigned		 index;
	pthread_t		 id;
	bool			 started;
	struct event_base	*base;
	struct journal_writer	*writer;
	struct uuid7		 uuid;
	struct settings		*settings;	/* what new exchanges begin with */
	struct pool		*pools;		/* idle provider connections, one for each provider of settings */
	struct event		 janitor;
	bool			 janitor_armed;

	struct conn_list	 conns;		/* all of them */
	struct conn_list	 dirty;		/* to be flushed at the end of the turn */
	struct conn_list	 dead;		/* freed at the end of the turn */
	struct exchange		*dead_exchanges;
	struct down_list	 ready;		/* keep-alive clients whose next head may be parsed */
	struct down_list	 starved;	/* clients whose body waits for memory */

	char			*scratch;	/* SCRATCH_SIZE: what was just read */
	struct http1_head	*head;		/* what was just parsed */
	struct buf		 fields;	/* a record being made */
	struct buf		 text;		/* a head being made */
	struct buf		 url;		/* where a request goes */
	struct chunk_pool	 chunks;
	uint64_t		 body_bytes;	/* held request bodies */
	uint64_t		 now;		/* µs, when the current event was taken */
	uint64_t		 turn;		/* and when the first one of this turn was; 0: none yet */
	uint64_t		 longest_turn;
	unsigned		 round;		/* of flushing */
	bool			 draining;
	bool			 stopping;

	atomic_uint		 exchanges;	/* open ones: the acceptor's measure */
	atomic_uint		 clients;	/* client connections */
	pthread_mutex_t		 lock;		/* of inbox */
	struct message_list	 inbox;
	int			 wake_fd;	/* eventfd */
	struct event		 wake;
};

/* Makes and starts thread `index` of the gate. False: err. */
bool	thread_start(struct gate_thread *, struct gate *, unsigned index,
	    struct settings *, struct journal *, char *err, size_t errlen);
/* Waits for its end; then gives all memory back. */
void	thread_join(struct gate_thread *);
/* From any thread: hands over the message. */
void	thread_post(struct gate_thread *, struct message *);

/* The time of now, kept in t->now for what this event leads to. */
uint64_t thread_clock(struct gate_thread *);

#endif
