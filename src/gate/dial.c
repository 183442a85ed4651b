/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial: owns its sockets and timer until one of them is connected. Called by
 * the provider side; only for new connections, so it may allocate.
 */
#include "gate/dial.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "base/config.h"
#include "gate/conn.h"
#include "gate/gate_private.h"
#include "gate/resolver.h"
#include "gate/thread.h"

#define STAGGER_US 250000

struct attempt {
	struct dial	*dial;
	struct event	 event;
	int		 fd;		/* -1: not under way */
};

struct dial {
	struct gate_thread	*thread;
	dial_done		*done;
	void			*arg;		/* NULL: given up */
	struct addresses	 addresses;
	unsigned		 next;		/* address to try */
	unsigned		 open;		/* attempts under way */
	struct attempt		 attempts[RESOLVER_ADDRESSES];
	struct event		 timer;		/* stagger, and the first step */
	bool			 resolving;	/* the resolver will call: must live */
	bool			 resolve_failed;
	char			 error[160];
	uint64_t		 t_resolved;
};

static void	dial_try_next(struct dial *);

static void
attempt_close(struct attempt *a)
{
	if (a->fd < 0)
		return;
	event_del(&a->event);
	close(a->fd);
	a->fd = -1;
	a->dial->open--;
}

static void
dial_free(struct dial *d)
{
	unsigned i;

	for (i = 0; i < RESOLVER_ADDRESSES; i++)
		attempt_close(&d->attempts[i]);
	event_del(&d->timer);
	if (d->resolving)
		d->arg = NULL;
	else
		free(d);
}

void
dial_cancel(struct dial *d)
{
	dial_free(d);
}

static void
dial_finish(struct dial *d, int fd)
{
	struct dial_result r = {
		.fd = fd, .resolve_failed = d->resolve_failed, .error = d->error,
		.t_resolved = d->t_resolved, .t_connected = fd >= 0 ? d->thread->now : 0,
	};

	d->done(d->arg, &r);
	dial_free(d);
}

static void
attempt_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *a = arg;
	struct dial *d = a->dial;
	socklen_t len = sizeof(int);
	int e = 0;

	(void)what;
	thread_clock(d->thread);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0)
		e = errno;
	if (e == 0) {
		event_del(&a->event);
		a->fd = -1;
		d->open--;
		dial_finish(d, fd);
		return;
	}
	snprintf(d->error, sizeof(d->error), "%s", strerror(e));
	attempt_close(a);
	dial_try_next(d);
}

/* Starts the attempt for address i. False: it failed at once. */
static bool
attempt_start(struct dial *d, unsigned i)
{
	struct address *to = &d->addresses.list[i];
	struct attempt *a = &d->attempts[i];
	int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		snprintf(d->error, sizeof(d->error), "%s", strerror(errno));
		return false;
	}
	if (to->addr.ss_family != AF_UNIX)
		conn_socket_options(fd);
	if (connect(fd, (struct sockaddr *)&to->addr, to->len) < 0 && errno != EINPROGRESS) {
		snprintf(d->error, sizeof(d->error), "%s", strerror(errno));
		close(fd);
		return false;
	}
	a->fd = fd;
	d->open++;
	event_assign(&a->event, d->thread->base, fd, EV_WRITE, attempt_on_event, a);
	event_add(&a->event, NULL);
	return true;
}

/* The next address, or the end when none is left and none is under way. */
static void
dial_try_next(struct dial *d)
{
	static const struct timeval stagger = { 0, STAGGER_US };

	event_del(&d->timer);
	while (d->next < d->addresses.count)
		if (attempt_start(d, d->next++)) {
			if (d->next < d->addresses.count)
				event_add(&d->timer, &stagger);
			return;
		}
	if (d->open == 0)
		dial_finish(d, -1);
}

static void
dial_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;

	(void)fd;
	(void)what;
	thread_clock(d->thread);
	dial_try_next(d);
}

static void
dial_on_resolved(struct gate_thread *t, void *arg, const struct addresses *found, const char *error)
{
	struct dial *d = arg;

	d->resolving = false;
	if (d->arg == NULL) {
		free(d);
		return;
	}
	d->t_resolved = t->now;
	d->addresses = *found;
	if (found->count == 0) {
		d->resolve_failed = true;
		snprintf(d->error, sizeof(d->error), "%s", error);
	}
	dial_try_next(d);
}

static bool
dial_unix(struct dial *d, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&d->addresses.list[0].addr;

	un->sun_family = AF_UNIX;
	if (snprintf(un->sun_path, sizeof(un->sun_path), "%s", path) >= (int)sizeof(un->sun_path))
		return false;
	d->addresses.list[0].len = sizeof(*un);
	d->addresses.count = 1;
	return true;
}

struct dial *
dial_start(struct gate_thread *t, const struct provider_config *p, dial_done *done, void *arg)
{
	struct dial *d = xcalloc(1, sizeof(*d));
	unsigned i;

	d->thread = t;
	d->done = done;
	d->arg = arg;
	for (i = 0; i < RESOLVER_ADDRESSES; i++)
		d->attempts[i] = (struct attempt){ .dial = d, .fd = -1 };
	event_assign(&d->timer, t->base, -1, 0, dial_on_timer, d);
	if (p->unix_path != NULL)
		dial_unix(d, p->unix_path);
	else if (address_parse(p->host, p->port, &d->addresses.list[0]))
		d->addresses.count = 1;
	else if (!resolver_lookup(gate_resolver(t->gate), t, p->host, p->port, &d->addresses,
	    dial_on_resolved, d)) {
		d->resolving = true;
		return d;
	}
	d->t_resolved = t->now;
	/* The caller must have the dial before it can end. */
	event_active(&d->timer, EV_TIMEOUT, 0);
	return d;
}
