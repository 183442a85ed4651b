/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn: bytes between a socket and its owner. Owns the fd, the TLS object and
 * the output chain. Called by the loop and by the sides; knows no HTTP.
 */
#include "gate/conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "gate/thread.h"

#define FLUSH_VECTORS 64		/* chunks of one writev */
#define PROBE_IDLE 60			/* s before the first keep-alive probe */
#define PROBE_INTERVAL 15
#define PROBE_COUNT 4

static void	conn_on_read(evutil_socket_t, short, void *);
static void	conn_on_write(evutil_socket_t, short, void *);

void
conn_init(struct conn *c, struct gate_thread *t, const struct conn_ops *ops)
{
	c->thread = t;
	c->ops = ops;
	c->fd = -1;
	TAILQ_INSERT_TAIL(&t->conns, c, all);
}

/* Which events the read side waits for now: none, bytes, or only the peer's
 * leaving. */
static void
conn_watch(struct conn *c)
{
	short what = c->paused ? EV_CLOSED : EV_READ;

	event_del(&c->read);
	event_assign(&c->read, c->thread->base, c->fd, what | EV_PERSIST, conn_on_read, c);
	event_add(&c->read, NULL);
}

void
conn_attach(struct conn *c, int fd)
{
	assert(c->fd < 0);
	c->fd = fd;
	event_assign(&c->read, c->thread->base, fd, EV_READ | EV_PERSIST, conn_on_read, c);
	event_assign(&c->write, c->thread->base, fd, EV_WRITE, conn_on_write, c);
	c->registered = true;
	event_add(&c->read, NULL);
}

void
conn_socket_options(int fd)
{
	static const struct { int level, name, value; } options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, PROBE_IDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL, PROBE_INTERVAL },
		{ IPPROTO_TCP, TCP_KEEPCNT, PROBE_COUNT },
	};
	size_t i;

	/* A unix socket knows none of these, and needs none. */
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

static void
conn_mark_dirty(struct conn *c)
{
	if (c->dirty || c->dead)
		return;
	c->dirty = true;
	c->dirty_round = c->thread->round;
	TAILQ_INSERT_TAIL(&c->thread->dirty, c, link);
}

/* The newest TLS error as words. */
static const char *
conn_tls_error(SSL *ssl)
{
	unsigned long e = ERR_peek_last_error();
	long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	const char *text = e != 0 ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	if (verify != X509_V_OK)
		return X509_verify_cert_error_string(verify);
	return text != NULL ? text : "TLS failed";
}

static void
conn_handshake(struct conn *c)
{
	int r, e;

	ERR_clear_error();
	r = SSL_do_handshake(c->ssl);
	if (r == 1) {
		c->handshaking = false;
		c->ops->ready(c);
		if (!c->dead && c->out.len > 0)
			conn_mark_dirty(c);
		return;
	}
	e = SSL_get_error(c->ssl, r);
	if (e == SSL_ERROR_WANT_WRITE)
		event_add(&c->write, NULL);
	else if (e == SSL_ERROR_SYSCALL && errno != 0)
		c->ops->error(c, strerror(errno));
	else if (e == SSL_ERROR_SYSCALL)
		c->ops->error(c, "the peer closed the connection in the TLS handshake");
	else if (e != SSL_ERROR_WANT_READ)
		c->ops->error(c, conn_tls_error(c->ssl));
}

void
conn_tls(struct conn *c, SSL *ssl)
{
	c->ssl = ssl;
	c->handshaking = true;
	SSL_set_fd(ssl, c->fd);
	SSL_set_connect_state(ssl);
	conn_handshake(c);
}

/* Reads what TLS has, at most the scratch full: bytes, 0 for none yet, -1 after
 * the owner was told of the end. */
static ssize_t
conn_read_tls(struct conn *c)
{
	size_t got = 0, n;
	int e;

	ERR_clear_error();
	while (got < SCRATCH_SIZE &&
	    SSL_read_ex(c->ssl, c->thread->scratch + got, SCRATCH_SIZE - got, &n))
		got += n;
	if (got > 0) {
		/* What TLS has taken in already raises no event of the socket:
		 * more bytes, the peer's close_notify, an error. */
		if (got == SCRATCH_SIZE || SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ)
			event_active(&c->read, EV_READ, 0);
		return (ssize_t)got;
	}
	e = SSL_get_error(c->ssl, 0);
	if (e == SSL_ERROR_WANT_READ)
		return 0;
	if (e == SSL_ERROR_WANT_WRITE) {
		event_add(&c->write, NULL);
		return 0;
	}
	if (e == SSL_ERROR_ZERO_RETURN)
		c->ops->eof(c, true);
	else if (e == SSL_ERROR_SYSCALL && errno != 0)
		c->ops->error(c, strerror(errno));
	else if (e == SSL_ERROR_SSL &&
	    ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		c->ops->error(c, conn_tls_error(NULL));
	else
		c->ops->eof(c, false);
	return -1;
}

static ssize_t
conn_read_plain(struct conn *c)
{
	ssize_t n = read(c->fd, c->thread->scratch, SCRATCH_SIZE);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0)
		c->ops->eof(c, true);
	else
		c->ops->error(c, strerror(errno));
	return -1;
}

static void
conn_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	ssize_t n;

	(void)fd;
	if (c->dead)
		return;
	thread_clock(c->thread);
	if (c->handshaking) {
		conn_handshake(c);
		return;
	}
	if (!c->paused && c->ops->wants != NULL && !c->ops->wants(c))
		conn_pause(c);
	if (c->paused) {
		if (what & EV_CLOSED) {
			event_del(&c->read);
			c->ops->eof(c, true);
		}
		return;
	}
	n = c->ssl != NULL ? conn_read_tls(c) : conn_read_plain(c);
	if (n > 0)
		c->ops->data(c, c->thread->scratch, (size_t)n);
}

static void
conn_on_write(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->dead)
		return;
	thread_clock(c->thread);
	c->write_blocked = false;
	if (c->handshaking)
		conn_handshake(c);
	else
		conn_mark_dirty(c);
}

void
conn_touch(struct conn *c)
{
	conn_mark_dirty(c);
}

void
conn_copy(struct conn *c, struct slice s)
{
	if (c->dead || s.len == 0)
		return;
	chain_copy(&c->out, &c->thread->chunks, s);
	conn_mark_dirty(c);
}

void
conn_chunk(struct conn *c, struct slice s)
{
	if (c->dead || s.len == 0)
		return;
	chain_copy_chunk(&c->out, &c->thread->chunks, s);
	conn_mark_dirty(c);
}

void
conn_lend(struct conn *c, struct slice s)
{
	if (c->dead || s.len == 0)
		return;
	chain_lend(&c->out, &c->thread->chunks, s);
	conn_mark_dirty(c);
}

void
conn_pause(struct conn *c)
{
	if (c->paused || c->dead)
		return;
	c->paused = true;
	if (c->registered)
		conn_watch(c);
}

void
conn_resume(struct conn *c)
{
	if (!c->paused || c->dead)
		return;
	c->paused = false;
	if (!c->registered)
		return;
	conn_watch(c);
	/* What TLS has read already raises no event of the socket. */
	if (c->ssl != NULL)
		event_active(&c->read, EV_READ, 0);
}

void
conn_deadline(struct conn *c, uint64_t us)
{
	c->deadline = us == 0 ? 0 : c->thread->now + us;
}

/* Bytes written; 0: the socket is full; -1: it failed, errno. */
static ssize_t
conn_write_plain(struct conn *c)
{
	struct iovec iov[FLUSH_VECTORS];
	struct msghdr m = { .msg_iov = iov };
	ssize_t n;

	m.msg_iovlen = (size_t)chain_iovec(&c->out, iov, FLUSH_VECTORS);
	do
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

static ssize_t
conn_write_tls(struct conn *c)
{
	struct iovec iov = { NULL, 0 };
	size_t n;
	int e;

	chain_iovec(&c->out, &iov, 1);
	ERR_clear_error();
	if (SSL_write_ex(c->ssl, iov.iov_base, iov.iov_len, &n))
		return (ssize_t)n;
	e = SSL_get_error(c->ssl, 0);
	if (e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ)
		return 0;
	if (e != SSL_ERROR_SYSCALL || errno == 0)
		errno = EPIPE;
	return -1;
}

/* Nothing can be written any more. What the peer said before is still to be
 * read (an early answer), and then its end. */
static void
conn_write_failed(struct conn *c)
{
	const char *what = strerror(errno);

	chain_clear(&c->out, &c->thread->chunks);
	c->write_dead = true;
	if (c->paused || c->ssl != NULL)
		c->ops->error(c, what);
	else
		event_active(&c->read, EV_READ, 0);
}

void
conn_flush(struct conn *c)
{
	size_t before = c->out.len;
	ssize_t n = 1;

	if (c->fd < 0 || c->handshaking || c->write_blocked)
		return;
	if (c->write_dead)
		chain_clear(&c->out, &c->thread->chunks);
	while (c->out.len > 0 && n > 0) {
		n = c->ssl != NULL ? conn_write_tls(c) : conn_write_plain(c);
		if (n > 0)
			chain_drop(&c->out, &c->thread->chunks, (size_t)n);
	}
	if (n < 0) {
		conn_write_failed(c);
		return;
	}
	if (c->out.len > 0) {
		c->write_blocked = true;
		event_add(&c->write, NULL);
	}
	if (c->out.len < before || before == 0)
		c->ops->drained(c);
}

void
conn_shutdown(struct conn *c)
{
	if (c->fd >= 0 && !c->dead)
		(void)shutdown(c->fd, SHUT_WR);
}

void
conn_close(struct conn *c, bool abort)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	struct gate_thread *t = c->thread;

	if (c->dead)
		return;
	c->dead = true;
	if (c->registered) {
		event_del(&c->read);
		event_del(&c->write);
	}
	if (c->ssl != NULL) {
		if (!abort && !c->handshaking)
			(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	if (c->fd >= 0) {
		if (abort)
			(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(c->fd);
		c->fd = -1;
	}
	chain_clear(&c->out, &t->chunks);
	if (c->dirty)
		TAILQ_REMOVE(&t->dirty, c, link);
	c->dirty = false;
	TAILQ_REMOVE(&t->conns, c, all);
	TAILQ_INSERT_TAIL(&t->dead, c, link);
}
