/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread: the loop of a gate thread and the order of things at the end of each
 * turn. Owns the loop and everything that its connections share.
 */
#include "gate/thread.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "gate/conn.h"
#include "gate/down.h"
#include "gate/exchange.h"
#include "gate/pool.h"
#include "ledger/ledger.h"

#define LONG_TURN_US 5000
#define SETTLE_ROUNDS 16	/* flushes that one turn may cause in a row before others get their turn */

uint64_t
thread_clock(struct gate_thread *t)
{
	t->now = clock_mono_us();
	if (t->turn == 0)
		t->turn = t->now;
	return t->now;
}

/* A turn is over. It should never have waited, which a longest one tells. */
static void
thread_turned(struct gate_thread *t)
{
	uint64_t took;

	if (t->turn == 0)
		return;
	took = clock_mono_us() - t->turn;
	t->turn = 0;
	if (took > LONG_TURN_US)
		ledger_add(LEDGER_LONG_TURNS, 1);
	if (took > t->longest_turn) {
		t->longest_turn = took;
		ledger_raise(LEDGER_LONGEST_TURN, (int64_t)took);
	}
}

void
thread_post(struct gate_thread *t, struct message *m)
{
	static const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&t->lock);
	first = STAILQ_EMPTY(&t->inbox);
	STAILQ_INSERT_TAIL(&t->inbox, m, link);
	pthread_mutex_unlock(&t->lock);
	if (first && write(t->wake_fd, &one, sizeof(one)) < 0)
		bug("eventfd");
}

static void
thread_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct gate_thread *t = arg;
	struct message_list list = STAILQ_HEAD_INITIALIZER(list);
	struct message *m;
	uint64_t n;

	(void)what;
	thread_clock(t);
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&t->lock);
	STAILQ_CONCAT(&list, &t->inbox);
	pthread_mutex_unlock(&t->lock);
	while ((m = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, link);
		m->deliver(t, m);
	}
}

/* All deadlines are looked at a few times a second: one timer for everything. */
static void
thread_on_janitor(evutil_socket_t fd, short what, void *arg)
{
	struct gate_thread *t = arg;
	struct conn *c, *next;

	(void)fd;
	(void)what;
	thread_clock(t);
	for (c = TAILQ_FIRST(&t->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (c->deadline == 0 || c->deadline > t->now)
			continue;
		c->deadline = 0;
		c->ops->timeout(c);
		/* The owner may have closed the next one as well. */
		if (next != NULL && next->dead)
			next = TAILQ_FIRST(&t->conns);
	}
	down_feed_starved(t);
}

/* Sockets that have something to send, in rounds: sending may end an exchange
 * and begin the next one of that client. The journal goes first, always. */
static void
thread_settle(struct gate_thread *t)
{
	struct conn *c;
	int i;

	for (i = 0; i < SETTLE_ROUNDS; i++) {
		journal_flush(t->writer);
		if (TAILQ_EMPTY(&t->dirty) && TAILQ_EMPTY(&t->ready))
			return;
		/* What gets dirty from here on waits for the next round: its
		 * records are not in the journal yet. */
		t->round++;
		while ((c = TAILQ_FIRST(&t->dirty)) != NULL && c->dirty_round != t->round) {
			TAILQ_REMOVE(&t->dirty, c, link);
			c->dirty = false;
			conn_flush(c);
		}
		down_next_heads(t);
	}
	/* The rest waits for the next turn, which shall come at once. */
	event_active(&t->wake, 0, 0);
}

static void
thread_reap(struct gate_thread *t)
{
	struct conn *c;

	exchange_reap(t);
	while ((c = TAILQ_FIRST(&t->dead)) != NULL) {
		TAILQ_REMOVE(&t->dead, c, link);
		c->ops->free(c);
	}
}

/* The janitor sleeps while there is nothing that could time out. */
static void
thread_arm_janitor(struct gate_thread *t)
{
	static const struct timeval tick = { 0, JANITOR_MS * 1000 };
	bool wanted = !TAILQ_EMPTY(&t->conns);

	if (wanted == t->janitor_armed)
		return;
	t->janitor_armed = wanted;
	if (wanted)
		event_add(&t->janitor, &tick);
	else
		event_del(&t->janitor);
}

static bool
thread_done(const struct gate_thread *t)
{
	return t->stopping && atomic_load(&t->exchanges) == 0 && TAILQ_EMPTY(&t->dirty);
}

static void *
thread_main(void *arg)
{
	struct gate_thread *t = arg;
	char name[16];

	snprintf(name, sizeof(name), "gate-%u", t->index);
	thread_name(name);
	while (!thread_done(t)) {
		thread_arm_janitor(t);
		event_base_loop(t->base, EVLOOP_ONCE);
		thread_settle(t);
		thread_reap(t);
		thread_turned(t);
	}
	pool_close_all(t);
	down_close_all(t);
	thread_reap(t);
	journal_flush(t->writer);
	journal_writer_close(t->writer);
	return NULL;
}

static struct event_base *
thread_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	/* One thread uses it; exact timers would cost a system call a turn, and
	 * its clock is not asked: ours is read once an event. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL)
		bug("no event base");
	return base;
}

bool
thread_start(struct gate_thread *t, struct gate *g, unsigned index,
    struct settings *settings, struct journal *journal, char *err, size_t errlen)
{
	t->gate = g;
	t->index = index;
	t->writer = journal_writer_open(journal, index, err, errlen);
	if (t->writer == NULL)
		return false;
	t->base = thread_base();
	t->settings = settings_ref(settings);
	t->pools = pools_new(settings);
	random_bytes(t->uuid.random, sizeof(t->uuid.random));
	TAILQ_INIT(&t->conns);
	TAILQ_INIT(&t->dirty);
	TAILQ_INIT(&t->dead);
	TAILQ_INIT(&t->ready);
	TAILQ_INIT(&t->starved);
	STAILQ_INIT(&t->inbox);
	t->scratch = xmalloc(SCRATCH_SIZE);
	t->head = xmalloc(sizeof(*t->head));
	buf_init(&t->fields, LIMIT_RECORD);
	buf_init(&t->text, LIMIT_RECORD);
	buf_init(&t->url, 2 * LIMIT_HEAD);
	pthread_mutex_init(&t->lock, NULL);
	t->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->wake_fd < 0)
		bug("eventfd");
	event_assign(&t->wake, t->base, t->wake_fd, EV_READ | EV_PERSIST, thread_on_wake, t);
	event_add(&t->wake, NULL);
	event_assign(&t->janitor, t->base, -1, EV_PERSIST, thread_on_janitor, t);
	thread_clock(t);
	if (pthread_create(&t->id, NULL, thread_main, t) != 0)
		bug("pthread_create");
	t->started = true;
	return true;
}

void
thread_join(struct gate_thread *t)
{
	if (!t->started)
		return;
	pthread_join(t->id, NULL);
	event_del(&t->wake);
	event_del(&t->janitor);
	event_base_free(t->base);
	close(t->wake_fd);
	pools_free(t->pools);
	settings_unref(t->settings);
	chunk_pool_free(&t->chunks);
	buf_free(&t->fields);
	buf_free(&t->text);
	buf_free(&t->url);
	free(t->scratch);
	free(t->head);
	pthread_mutex_destroy(&t->lock);
}
