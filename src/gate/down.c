/* SPDX-License-Identifier: Apache-2.0 */
/*
 * down: reads requests from a client one at a time, hands their bodies to the
 * exchange, and ends connections so that the client gets the last bytes. Owns
 * its conn; knows no provider.
 */
#include "gate/down.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "core/limits.h"
#include "gate/exchange.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

#define STARVE_US 5000000	/* how long a body waits for memory: then 503, and the others go on */
#define LINGER_US 2000000	/* how long a client may go on sending after our last byte */
#define LINGER_BYTES (4 * MIB)	/* and how much of it is read */
#define PIPELINE_BYTES (64 * KIB) /* of later requests read ahead */

static const struct conn_ops down_ops;

static void	down_feed(struct down *, char *, size_t);

static const struct config *
down_config(const struct down *d)
{
	return d->conn.thread->settings->config;
}

void
down_new(struct gate_thread *t, int fd, bool loopback, const char *peer)
{
	struct down *d = xcalloc(1, sizeof(*d));

	conn_init(&d->conn, t, &down_ops);
	buf_init(&d->in, LIMIT_HEAD + SCRATCH_SIZE + PIPELINE_BYTES);
	d->loopback = loopback;
	snprintf(d->peer, sizeof(d->peer), "%s", peer);
	conn_attach(&d->conn, fd);
	conn_deadline(&d->conn, down_config(d)->keepalive_timeout_us);
}

const char *
down_peer(const struct down *d)
{
	return d != NULL ? d->peer : "";
}

static void
down_unlist(struct down *d)
{
	struct gate_thread *t = d->conn.thread;

	if (d->ready)
		TAILQ_REMOVE(&t->ready, d, link);
	if (d->starved)
		TAILQ_REMOVE(&t->starved, d, link);
	d->ready = d->starved = false;
}

/* Ends the connection; an exchange on it hears that the client has gone. */
static void
down_close(struct down *d, bool abort)
{
	struct exchange *x = d->x;

	if (d->conn.dead)
		return;
	down_unlist(d);
	d->x = NULL;
	if (x != NULL && x->state == EXCHANGE_DONE)
		exchange_release(x);
	else if (x != NULL)
		exchange_step(x, EVENT_DOWN_GONE);
	conn_close(&d->conn, abort);
	atomic_fetch_sub(&d->conn.thread->clients, 1);
	ledger_add(LEDGER_CLIENTS, -1);
}

static void
down_free(struct conn *c)
{
	struct down *d = (struct down *)c;

	buf_free(&d->in);
	free(d);
}

void
down_write(struct down *d, struct slice s)
{
	if (s.len == 0)
		return;
	if (d->conn.deadline == 0)
		conn_deadline(&d->conn, down_config(d)->write_timeout_us);
	conn_copy(&d->conn, s);
}

void
down_write_chunk(struct down *d, struct slice s)
{
	if (d->conn.deadline == 0)
		conn_deadline(&d->conn, down_config(d)->write_timeout_us);
	conn_chunk(&d->conn, s);
}

void
down_continue(struct down *d)
{
	conn_copy(&d->conn, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

void
down_hold(struct down *d, bool hold)
{
	if (d->state != DOWN_BODY || d->conn.paused == hold)
		return;
	if (hold)
		conn_pause(&d->conn);
	else
		conn_resume(&d->conn);
	conn_deadline(&d->conn, hold ? 0 : down_config(d)->body_timeout_us);
}

/* No more answers here: FIN after the last byte, then reading on for a while,
 * as a close with unread bytes would take our last ones back (RST). */
static void
down_linger(struct down *d)
{
	d->state = DOWN_LINGER;
	d->thrown = 0;
	conn_resume(&d->conn);
	conn_deadline(&d->conn, LINGER_US);
	if (d->conn.out.len == 0)
		conn_shutdown(&d->conn);
}

/* The next request may come, or has already. */
static void
down_next(struct down *d)
{
	struct gate_thread *t = d->conn.thread;

	d->state = DOWN_IDLE;
	d->scan = 0;
	conn_resume(&d->conn);
	conn_deadline(&d->conn, down_config(d)->keepalive_timeout_us);
	if (d->in.len > 0 && !d->ready) {
		d->ready = true;
		TAILQ_INSERT_TAIL(&t->ready, d, link);
	} else
		buf_free(&d->in);
}

/* The exchange is over and everything is out. */
static void
down_settle(struct down *d)
{
	struct exchange *x = d->x;

	d->ending = false;
	d->x = NULL;
	if (x != NULL)
		exchange_release(x);
	if (d->finish == FINISH_CUT || d->finish == FINISH_RESET)
		down_close(d, d->finish == FINISH_RESET);
	else if (d->keep && !d->conn.thread->draining)
		down_next(d);
	else
		down_linger(d);
}

void
down_finish(struct down *d, enum finish how)
{
	d->keep = how == FINISH_KEEP && d->state == DOWN_ANSWER;
	d->finish = how;
	d->ending = true;
	down_unlist(d);
	if (d->conn.out.len == 0)
		conn_deadline(&d->conn, 0);
	else if (d->conn.deadline == 0)
		conn_deadline(&d->conn, down_config(d)->write_timeout_us);
	/* Through the end of the turn, also when nothing is left to send. */
	conn_touch(&d->conn);
}

void
down_refuse(struct down *d, enum reply_format format, struct reply_error e, bool body_follows)
{
	struct buf *text = &d->conn.thread->text;
	bool keep = d->keep && !body_follows;

	buf_clear(text);
	reply_error(text, format, &e, NULL, keep);
	down_write(d, buf_view(text));
	d->state = body_follows ? DOWN_BODY : DOWN_ANSWER;
	down_finish(d, keep ? FINISH_KEEP : FINISH_CLOSE);
}

void
down_text(struct down *d, const struct http1_head *h, unsigned status, const char *content_type,
    struct slice body)
{
	struct buf text;

	buf_init(&text, 64 * MIB);
	d->keep = h->keep_alive && h->framing == HTTP1_NO_BODY;
	reply_text(&text, status, content_type, body, d->keep,
	    !slice_eq(h->method, SLICE("HEAD")));
	down_write(d, buf_view(&text));
	buf_free(&text);
	d->state = DOWN_ANSWER;
	down_finish(d, d->keep ? FINISH_KEEP : FINISH_CLOSE);
}

static void
down_bad_head(struct down *d, int error)
{
	struct reply_error e = {
		.status = http1_error_status(error), .type = "invalid_request_error",
		.code = "bad_http", .message = http1_error_text(error), .should_retry = -1,
	};

	d->keep = false;
	down_refuse(d, REPLY_OPENAI, e, true);
}

/* A whole head: the exchange begins, and what follows is its body. */
static void
down_head(struct down *d, const struct http1_head *h)
{
	d->scan = 0;
	d->keep = h->keep_alive;
	d->state = DOWN_BODY;
	http1_body_init(&d->body, h->framing, h->length);
	conn_deadline(&d->conn, down_config(d)->body_timeout_us);
	exchange_new(d, h, d->t_first);
}

/* Body bytes, payload by payload. Gives how many were taken. */
static size_t
down_body(struct down *d, char *ptr, size_t len)
{
	struct slice data;
	size_t at = 0, used;
	int r;

	do {
		r = http1_body_next(&d->body, ptr + at, len - at, &used, &data);
		at += used;
		if (data.len > 0) {
			d->x->in = data;
			exchange_step(d->x, EVENT_BODY);
		}
	} while (r == HTTP1_MORE && at < len && d->state == DOWN_BODY && !d->ending);
	if (d->state != DOWN_BODY || d->ending || d->conn.dead)
		return at;
	if (r == HTTP1_DONE) {
		d->state = DOWN_ANSWER;
		conn_deadline(&d->conn, 0);
		exchange_step(d->x, EVENT_BODY_END);
	} else if (r < 0) {
		exchange_end(d->x, REASON_BODY_MALFORMED, http1_error_text(r));
	} else if (!d->conn.paused)
		conn_deadline(&d->conn, down_config(d)->body_timeout_us);
	return at;
}

/* A head, or the part of one: gives how many bytes were taken. */
static size_t
down_try_head(struct down *d, const char *ptr, size_t len)
{
	struct http1_head *h = d->conn.thread->head;
	size_t used = 0;
	int r;

	if (d->state == DOWN_IDLE) {
		d->state = DOWN_HEAD;
		d->t_first = d->conn.thread->now;
		conn_deadline(&d->conn, down_config(d)->head_timeout_us);
	}
	r = http1_request(h, ptr, len, &d->scan, &used);
	if (r == HTTP1_DONE)
		down_head(d, h);
	else if (r < 0) {
		down_bad_head(d, r);
		used = len;
	}
	return used;
}

/* Keeps a partial head, or the beginning of the next request. */
static void
down_keep(struct down *d, const char *ptr, size_t len)
{
	if (len == 0 || d->state == DOWN_LINGER || (d->ending && !d->keep))
		return;
	buf_append(&d->in, ptr, len);
	if (d->state == DOWN_ANSWER && d->in.len > PIPELINE_BYTES)
		conn_pause(&d->conn);
}

/* Bytes in order, by what the connection waits for. They do not lie in d->in. */
static void
down_feed(struct down *d, char *ptr, size_t len)
{
	size_t n;

	while (!d->conn.dead) {
		if (d->state == DOWN_BODY && !d->ending) {
			n = down_body(d, ptr, len);
			if (d->state == DOWN_BODY && !d->ending)
				return;
		} else if ((d->state == DOWN_IDLE || d->state == DOWN_HEAD) && len > 0) {
			n = down_try_head(d, ptr, len);
			if (n == 0)
				break;
		} else
			break;
		ptr += n;
		len -= n;
	}
	if (!d->conn.dead)
		down_keep(d, ptr, len);
}

/* Feeds what has been kept, together with what it was kept for. */
static void
down_feed_kept(struct down *d)
{
	size_t len;
	char *own = buf_take(&d->in, &len);

	down_feed(d, own, len);
	free(own);
}

static void
down_data(struct conn *c, char *ptr, size_t len)
{
	struct down *d = (struct down *)c;

	if (d->state == DOWN_LINGER || (d->ending && !d->keep)) {
		d->thrown += len;
		if (d->thrown > LINGER_BYTES)
			down_close(d, false);
		return;
	}
	if (d->in.len == 0) {
		down_feed(d, ptr, len);
		return;
	}
	if (!buf_append(&d->in, ptr, len)) {
		down_close(d, true);
		return;
	}
	if (d->state != DOWN_ANSWER)
		down_feed_kept(d);
	else if (d->in.len > PIPELINE_BYTES)
		conn_pause(c);
}

void
down_next_heads(struct gate_thread *t)
{
	struct down *d;

	while ((d = TAILQ_FIRST(&t->ready)) != NULL) {
		down_unlist(d);
		down_feed_kept(d);
	}
}

/* Bodies are read only while there is memory for them. */
static bool
down_wants(struct conn *c)
{
	struct down *d = (struct down *)c;
	struct gate_thread *t = c->thread;

	if (d->state != DOWN_BODY || d->ending ||
	    t->body_bytes < t->settings->config->thread_bodies)
		return true;
	d->starved = true;
	TAILQ_INSERT_TAIL(&t->starved, d, link);
	if (down_config(d)->body_timeout_us > STARVE_US)
		conn_deadline(c, STARVE_US);
	return false;
}

void
down_feed_starved(struct gate_thread *t)
{
	struct down *d;

	while (t->body_bytes < t->settings->config->thread_bodies &&
	    (d = TAILQ_FIRST(&t->starved)) != NULL) {
		down_unlist(d);
		conn_deadline(&d->conn, down_config(d)->body_timeout_us);
		conn_resume(&d->conn);
	}
}

static void
down_eof(struct conn *c, bool clean)
{
	(void)clean;
	down_close((struct down *)c, false);
}

static void
down_error(struct conn *c, const char *what)
{
	(void)what;
	down_close((struct down *)c, true);
}

static void
down_drained(struct conn *c)
{
	struct down *d = (struct down *)c;

	if (d->x != NULL && d->x->t_head_out == 0 && d->x->head_sent)
		d->x->t_head_out = thread_clock(c->thread);
	if (d->state == DOWN_LINGER) {
		if (c->out.len == 0)
			conn_shutdown(c);
		return;
	}
	if (d->state == DOWN_ANSWER || d->ending)
		conn_deadline(c, c->out.len > 0 ? down_config(d)->write_timeout_us : 0);
	if (d->ending && c->out.len == 0)
		down_settle(d);
	else if (d->x != NULL && c->out.len < LIMIT_OUT_LOW)
		exchange_step(d->x, EVENT_DOWN_ROOM);
}

static void
down_timeout(struct conn *c)
{
	struct down *d = (struct down *)c;
	struct reply_error e = {
		.status = 408, .type = "invalid_request_error", .code = "request_timeout",
		.message = "the request's head did not arrive in time", .should_retry = -1,
	};

	if (d->state == DOWN_HEAD) {
		d->keep = false;
		down_refuse(d, REPLY_OPENAI, e, true);
	} else if (d->state == DOWN_BODY && d->x != NULL && !d->ending)
		exchange_step(d->x, EVENT_DOWN_TIMEOUT);
	else {
		/* It does not read: what is unsent will never be. */
		if (d->x != NULL)
			exchange_step(d->x, EVENT_DOWN_TIMEOUT);
		down_close(d, d->state == DOWN_ANSWER);
	}
}

static const struct conn_ops down_ops = {
	.wants = down_wants,
	.data = down_data,
	.eof = down_eof,
	.error = down_error,
	.drained = down_drained,
	.timeout = down_timeout,
	.free = down_free,
};

static bool
conn_is_down(const struct conn *c)
{
	return c->ops == &down_ops;
}

struct exchange *
down_exchange(struct conn *c)
{
	return conn_is_down(c) ? ((struct down *)c)->x : NULL;
}

/* When draining: clients between requests go at once. */
void
down_close_idle(struct gate_thread *t)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&t->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (conn_is_down(c) && ((struct down *)c)->state == DOWN_IDLE &&
		    ((struct down *)c)->in.len == 0)
			down_close((struct down *)c, false);
	}
}

void
down_close_all(struct gate_thread *t)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&t->conns)) != NULL) {
		if (conn_is_down(c))
			down_close((struct down *)c, false);
		else
			conn_close(c, false);
	}
}
