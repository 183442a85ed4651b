/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: owns the listening sockets and the accepting thread. The one place
 * that meets EMFILE. SO_REUSEPORT on every gate thread was measured to load one
 * of them with up to twice its share; so one thread chooses.
 */
#include "gate/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "gate/conn.h"
#include "gate/down.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

#define BACKLOG 1024
#define ACCEPT_BATCH 64		/* clients taken in one go of one listener */
#define PAUSE_MS 100		/* how long accepting rests when descriptors are out */

struct listener {
	struct acceptor	*acceptor;
	int		 fd;
	struct event	 event;
	bool		 loopback, is_unix;
	char		*address;
	char		*unix_path;	/* to be unlinked */
};

struct acceptor {
	struct listener		*listeners;
	size_t			 nlisteners;
	struct gate_thread	*threads;
	unsigned		 nthreads;
	unsigned		 max_connections;
	struct event_base	*base;
	struct event		 wake, rest;
	int			 wake_fd;
	pthread_t		 id;
	bool			 started, paused;
	atomic_bool		 stopping;
};

/* A client on its way to a gate thread. */
struct handover {
	struct message	 message;	/* first */
	int		 fd;
	bool		 loopback;
	char		 peer[64];
};

static void
handover_deliver(struct gate_thread *t, struct message *m)
{
	struct handover *h = (struct handover *)m;

	down_new(t, h->fd, h->loopback, h->peer);
	free(h);
}

/* Fewest open exchanges, then fewest connections. */
static struct gate_thread *
acceptor_choose(struct acceptor *a)
{
	struct gate_thread *best = &a->threads[0], *t;
	unsigned i, x, best_x = atomic_load(&best->exchanges);

	for (i = 1; i < a->nthreads; i++) {
		t = &a->threads[i];
		x = atomic_load(&t->exchanges);
		if (x < best_x || (x == best_x &&
		    atomic_load(&t->clients) < atomic_load(&best->clients))) {
			best = t;
			best_x = x;
		}
	}
	return best;
}

static void
peer_text(const struct sockaddr_storage *ss, char *out, size_t len)
{
	char addr[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, addr, sizeof(addr));
		snprintf(out, len, "%s:%u", addr, ntohs(v4->sin_port));
	} else if (ss->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, addr, sizeof(addr));
		snprintf(out, len, "[%s]:%u", addr, ntohs(v6->sin6_port));
	} else
		snprintf(out, len, "unix");
}

static void
acceptor_hand_over(struct listener *l, int fd, const struct sockaddr_storage *ss)
{
	struct gate_thread *t = acceptor_choose(l->acceptor);
	struct handover *h = xcalloc(1, sizeof(*h));

	if (!l->is_unix)
		conn_socket_options(fd);
	h->message.deliver = handover_deliver;
	h->fd = fd;
	h->loopback = l->loopback && !l->is_unix;
	peer_text(ss, h->peer, sizeof(h->peer));
	atomic_fetch_add(&t->clients, 1);
	ledger_add(LEDGER_CLIENTS, 1);
	thread_post(t, &h->message);
}

static void
acceptor_pause(struct acceptor *a, const char *why)
{
	static const struct timeval rest = { 0, PAUSE_MS * 1000 };
	size_t i;

	if (a->paused)
		return;
	a->paused = true;
	ledger_add(LEDGER_ACCEPT_PAUSES, 1);
	log_warn("accepting pauses: %s", why);
	for (i = 0; i < a->nlisteners; i++)
		event_del(&a->listeners[i].event);
	event_add(&a->rest, &rest);
}

/* True while there are as many clients as may be. */
static bool
acceptor_full(struct acceptor *a)
{
	unsigned n = 0, i;

	for (i = 0; i < a->nthreads; i++)
		n += atomic_load(&a->threads[i].clients);
	return n >= a->max_connections;
}

static void
acceptor_on_rest(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval rest = { 0, PAUSE_MS * 1000 };
	struct acceptor *a = arg;
	size_t i;

	(void)fd;
	(void)what;
	if (acceptor_full(a)) {
		event_add(&a->rest, &rest);
		return;
	}
	a->paused = false;
	for (i = 0; i < a->nlisteners; i++)
		event_add(&a->listeners[i].event, NULL);
}

static void
listener_on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int i, fd;

	(void)what;
	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (acceptor_full(l->acceptor)) {
			acceptor_pause(l->acceptor, "as many clients as limits.max_connections allows");
			return;
		}
		len = sizeof(ss);
		fd = accept4(lfd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			acceptor_hand_over(l, fd, &ss);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			acceptor_pause(l->acceptor, strerror(errno));
			return;
		} else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void
acceptor_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) > 0 && atomic_load(&a->stopping))
		event_base_loopbreak(a->base);
}

static void *
acceptor_main(void *arg)
{
	struct acceptor *a = arg;

	thread_name("accept");
	event_base_loop(a->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

/* The port that the kernel chose, where 0 was asked for. */
static char *
listener_address(const struct listen_config *lc, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	unsigned port = lc->port;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		port = ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port :
		    ((struct sockaddr_in *)&ss)->sin_port);
	if (strchr(lc->host, ':') != NULL)
		return xasprintf("http://[%s]:%u", lc->host, port);
	return xasprintf("http://%s:%u", lc->host, port);
}

static int
listener_bind_tcp(const struct listen_config *lc, char *err, size_t errlen)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *ai;
	char port[8];
	int fd, r, one = 1;

	snprintf(port, sizeof(port), "%u", lc->port);
	if ((r = getaddrinfo(lc->host, port, &hints, &ai)) != 0) {
		snprintf(err, errlen, "listen %s: %s", lc->text, gai_strerror(r));
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (ai->ai_family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		snprintf(err, errlen, "listen %s: %s", lc->text, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

/* A socket file that nobody listens on any more is in the way: away with it. */
static void
listener_unlink_stale(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 && errno == ECONNREFUSED)
		(void)unlink(un->sun_path);
	close(fd);
}

static int
listener_bind_unix(const struct listen_config *lc, char *err, size_t errlen)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (snprintf(un.sun_path, sizeof(un.sun_path), "%s", lc->unix_path) >=
	    (int)sizeof(un.sun_path)) {
		snprintf(err, errlen, "listen %s: the path is too long", lc->text);
		return -1;
	}
	listener_unlink_stale(&un);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, BACKLOG) < 0) {
		snprintf(err, errlen, "listen %s: %s", lc->text, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool
listener_init(struct listener *l, struct acceptor *a, const struct listen_config *lc,
    char *err, size_t errlen)
{
	l->acceptor = a;
	l->loopback = lc->loopback;
	l->is_unix = lc->unix_path != NULL;
	l->fd = l->is_unix ? listener_bind_unix(lc, err, errlen) : listener_bind_tcp(lc, err, errlen);
	if (l->fd < 0)
		return false;
	if (l->is_unix) {
		l->unix_path = xstrdup(lc->unix_path);
		l->address = xasprintf("unix:%s", lc->unix_path);
	} else
		l->address = listener_address(lc, l->fd);
	event_assign(&l->event, a->base, l->fd, EV_READ | EV_PERSIST, listener_on_accept, l);
	return true;
}

struct acceptor *
acceptor_new(const struct config *c, char *err, size_t errlen)
{
	struct acceptor *a = xcalloc(1, sizeof(*a));
	size_t i;

	a->base = event_base_new();
	a->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (a->base == NULL || a->wake_fd < 0)
		bug("acceptor");
	event_assign(&a->wake, a->base, a->wake_fd, EV_READ | EV_PERSIST, acceptor_on_wake, a);
	event_assign(&a->rest, a->base, -1, 0, acceptor_on_rest, a);
	a->listeners = xcalloc(c->nlistens, sizeof(*a->listeners));
	for (i = 0; i < c->nlistens; i++) {
		a->listeners[i].fd = -1;
		a->nlisteners++;
		if (!listener_init(&a->listeners[i], a, &c->listens[i], err, errlen)) {
			acceptor_free(a);
			return NULL;
		}
	}
	return a;
}

bool
acceptor_start(struct acceptor *a, struct gate_thread *threads, unsigned nthreads,
    unsigned max_connections)
{
	size_t i;

	a->threads = threads;
	a->nthreads = nthreads;
	a->max_connections = max_connections;
	event_add(&a->wake, NULL);
	for (i = 0; i < a->nlisteners; i++)
		event_add(&a->listeners[i].event, NULL);
	a->started = pthread_create(&a->id, NULL, acceptor_main, a) == 0;
	return a->started;
}

static void
acceptor_wake(struct acceptor *a)
{
	static const uint64_t one = 1;

	if (write(a->wake_fd, &one, sizeof(one)) < 0)
		log_warn("eventfd: %s", strerror(errno));
}

void
acceptor_stop(struct acceptor *a)
{
	size_t i;

	if (!a->started)
		return;
	atomic_store(&a->stopping, true);
	acceptor_wake(a);
	pthread_join(a->id, NULL);
	a->started = false;
	for (i = 0; i < a->nlisteners; i++) {
		event_del(&a->listeners[i].event);
		close(a->listeners[i].fd);
		a->listeners[i].fd = -1;
		if (a->listeners[i].unix_path != NULL)
			(void)unlink(a->listeners[i].unix_path);
	}
}

void
acceptor_free(struct acceptor *a)
{
	struct listener *l;
	size_t i;

	if (a == NULL)
		return;
	for (i = 0; i < a->nlisteners; i++) {
		l = &a->listeners[i];
		if (l->fd >= 0)
			close(l->fd);
		free(l->address);
		free(l->unix_path);
	}
	if (a->started || a->threads != NULL) {
		event_del(&a->wake);
		event_del(&a->rest);
	}
	event_base_free(a->base);
	close(a->wake_fd);
	free(a->listeners);
	free(a);
}

const char *
acceptor_address(const struct acceptor *a, size_t n)
{
	return n < a->nlisteners ? a->listeners[n].address : NULL;
}
