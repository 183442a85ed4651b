/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider: one exchange's request to a provider and the answer from it. Owns
 * the connection while the exchange lasts, then gives it to the pool. Moves
 * bytes and tells times; never looks into a body.
 */
#include "gate/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "gate/dial.h"
#include "gate/down.h"
#include "gate/forward.h"
#include "gate/tape.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

#define COPY_BODY (8 * KIB)	/* a smaller body is copied behind its head: one chunk, one write */

static const struct conn_ops upstream_ops;

static void	provider_connect(struct exchange *, const char *why_again);

static struct upstream *
upstream_new(struct exchange *x)
{
	struct upstream *u = xcalloc(1, sizeof(*u));

	conn_init(&u->conn, x->thread, &upstream_ops);
	u->settings = settings_ref(x->settings);
	u->provider = x->provider;
	buf_init(&u->in, LIMIT_HEAD + SCRATCH_SIZE);
	buf_init(&u->early, LIMIT_OUT_HIGH);	/* more than a client's connection keeps */
	ledger_add(LEDGER_UPSTREAMS, 1);
	return u;
}

static void
upstream_free(struct conn *c)
{
	struct upstream *u = (struct upstream *)c;

	settings_unref(u->settings);
	buf_free(&u->in);
	buf_free(&u->early);
	free(u);
}

void
upstream_close(struct upstream *u)
{
	if (u->conn.dead)
		return;
	if (u->dial != NULL)
		dial_cancel(u->dial);
	u->dial = NULL;
	pool_remove(u);
	conn_close(&u->conn, false);
	ledger_add(LEDGER_UPSTREAMS, -1);
}

/* Lets go of the exchange. */
static struct exchange *
upstream_leave(struct upstream *u)
{
	struct exchange *x = u->x;

	u->x = NULL;
	if (x != NULL)
		x->up = NULL;
	return x;
}

static void
upstream_fail(struct upstream *u, enum reason why, const char *detail)
{
	struct exchange *x = upstream_leave(u);
	char words[200];

	snprintf(words, sizeof(words), "%s", detail ? detail : "");
	upstream_close(u);
	if (x == NULL)
		return;
	x->why = why;
	x->detail = detail ? words : NULL;
	exchange_step(x, EVENT_UP_FAILED);
}

/* The connection ended before the answer's head. One that had been idle may
 * have been closed under our request: then, and only then, it is sent again. */
static void
upstream_lost(struct upstream *u, const char *detail)
{
	struct exchange *x = u->x;

	if (!u->reused || u->answered || x->retried) {
		upstream_fail(u, REASON_UPSTREAM_RESET, detail);
		return;
	}
	upstream_leave(u);
	upstream_close(u);
	x->retried = true;
	provider_connect(x, "the pooled connection had been closed by the provider");
}

/* Puts the request into the connection's chain. */
static void
upstream_send(struct upstream *u)
{
	struct exchange *x = u->x;
	uint64_t len = x->uploading ? x->upload_len :
	    edits_length(&x->rewrite.edits, x->body_len);
	struct buf *text = &x->thread->text;
	struct edit_iter it;
	struct slice piece;

	buf_clear(text);
	forward_request(x, len, text);
	conn_copy(&u->conn, buf_view(text));
	u->sending = true;
	conn_copy(&u->conn, buf_view(&u->early));
	buf_free(&u->early);
	edit_iter_init(&it, &x->rewrite.edits, slice_make(x->body, x->body_len));
	while (edit_iter_next(&it, &piece)) {
		if (piece.len <= COPY_BODY)
			conn_copy(&u->conn, piece);
		else
			conn_lend(&u->conn, piece);
	}
	conn_deadline(&u->conn, u->provider->config->first_byte_timeout_us);
}

static void
upstream_ready(struct conn *c)
{
	struct upstream *u = (struct upstream *)c;

	if (c->ssl != NULL)
		u->x->t_tls = c->thread->now;
	upstream_send(u);
}

static void
upstream_dialled(void *arg, const struct dial_result *r)
{
	struct upstream *u = arg;
	SSL *ssl;

	u->dial = NULL;
	u->x->t_resolved = r->t_resolved;
	u->x->t_connected = r->t_connected;
	if (r->fd < 0) {
		upstream_fail(u, r->resolve_failed ? REASON_RESOLVE_FAILED : REASON_CONNECT_FAILED,
		    r->error);
		return;
	}
	conn_attach(&u->conn, r->fd);
	if (u->provider->tls == NULL) {
		upstream_ready(&u->conn);
		return;
	}
	if ((ssl = provider_tls(u->provider)) == NULL)
		upstream_fail(u, REASON_TLS_FAILED, "out of memory");
	else
		conn_tls(&u->conn, ssl);
}

/* Scheme, host and path of the target, for the span. */
static void
provider_tape_send(struct exchange *x, bool reused, const char *why_again)
{
	const struct provider_config *p = x->provider->config;
	struct buf *url = &x->thread->url;

	buf_clear(url);
	buf_str(url, p->tls ? "https://" : "http://");
	buf_str(url, p->host_header);
	route_target(&x->route, p, SLICE_NONE, url);
	tape_send(x, buf_view(url), reused, why_again);
}

/* One attempt begins: on a fresh connection when it is the second. */
static void
provider_connect(struct exchange *x, const char *why_again)
{
	bool fresh = why_again != NULL || x->uploading;	/* an upload cannot be sent again */
	struct upstream *u = fresh ? NULL : pool_take(x->thread, x->provider);
	bool reused = u != NULL;

	x->attempt++;
	x->t_start = x->thread->now;
	x->t_resolved = x->t_connected = x->t_tls = x->t_sent = 0;
	provider_tape_send(x, reused, why_again);
	if (u == NULL)
		u = upstream_new(x);
	u->x = x;
	x->up = u;
	u->reused = reused;
	u->sending = u->answered = u->in_body = false;
	u->scan = 0;
	if (reused) {
		upstream_send(u);
		return;
	}
	conn_deadline(&u->conn, u->provider->config->connect_timeout_us);
	u->dial = dial_start(x->thread, u->provider->config, upstream_dialled, u);
}

static void
provider_start(struct exchange *x)
{
	provider_connect(x, x->attempt > 0 ? "the request was changed" : NULL);
}

/* The answer is complete: back to the pool, or closed. */
static void
upstream_done(struct upstream *u, bool clean)
{
	struct exchange *x = upstream_leave(u);

	if (u->keep && clean && u->conn.out.len == 0 && !u->conn.eof_seen &&
	    x->uploaded == x->upload_len) {
		if (u->conn.paused)
			conn_resume(&u->conn);
		pool_put(u);
	} else
		upstream_close(u);
	exchange_step(x, EVENT_UP_END);
}

/* Body bytes: the payload is drawn together where it lies, then told at once. */
static void
upstream_body(struct upstream *u, char *ptr, size_t len)
{
	struct exchange *x = u->x;
	char *payload = ptr;
	size_t at = 0, out = 0, used;
	struct slice data;
	int r;

	do {
		r = http1_body_next(&u->body, ptr + at, len - at, &used, &data);
		if (out == 0 && data.len > 0)
			payload = ptr + (data.ptr - ptr);
		else if (data.len > 0)
			memmove(payload + out, data.ptr, data.len);
		out += data.len;
		at += used;
	} while (r == HTTP1_MORE && at < len);
	x->t_last = x->thread->now;
	if (out > 0) {
		x->in = slice_make(payload, out);
		exchange_step(x, EVENT_UP_DATA);
		if (u->x != x)
			return;
	}
	if (r < 0)
		upstream_fail(u, REASON_UPSTREAM_PROTOCOL, http1_error_text(r));
	else if (r == HTTP1_DONE)
		upstream_done(u, at == len);
	else if (!u->conn.paused)
		conn_deadline(&u->conn, u->provider->config->idle_timeout_us);
}

/* The answer's head: 1xx are passed over, 101 was not asked for. */
static void
upstream_head(struct upstream *u, char *ptr, size_t len)
{
	struct exchange *x = u->x;
	struct http1_head *h = x->thread->head;
	size_t used;
	int r;

	for (;;) {
		r = http1_response(h, ptr, len, x->head_method, &u->scan, &used);
		if (r != HTTP1_DONE)
			break;
		ptr += used;
		len -= used;
		u->scan = 0;
		if (h->status == 101) {
			upstream_fail(u, REASON_UPSTREAM_PROTOCOL, "it switched protocols unasked");
			return;
		}
		if (h->status >= 200)
			break;
	}
	if (r == HTTP1_DONE) {
		u->in_body = true;
		u->keep = h->keep_alive;
		http1_body_init(&u->body, h->framing, h->length);
		x->answer = h;
		x->t_last = x->thread->now;
		exchange_step(x, EVENT_UP_HEAD);
		if (u->x == x)
			upstream_body(u, ptr, len);
	} else if (r < 0)
		upstream_fail(u, REASON_UPSTREAM_PROTOCOL, http1_error_text(r));
	else if (ptr != u->in.ptr || len != u->in.len) {
		/* The rest is kept until more comes: it may lie in `in` itself. */
		if (u->in.ptr != NULL && ptr >= u->in.ptr && ptr < u->in.ptr + u->in.cap) {
			memmove(u->in.ptr, ptr, len);
			u->in.len = len;
		} else
			buf_append(&u->in, ptr, len);
	}
}

static void
upstream_data(struct conn *c, char *ptr, size_t len)
{
	struct upstream *u = (struct upstream *)c;

	if (u->x == NULL) {
		/* An answer to nothing. */
		upstream_close(u);
		return;
	}
	if (u->in_body) {
		upstream_body(u, ptr, len);
		return;
	}
	if (!u->answered) {
		u->answered = true;
		u->x->t_head = c->thread->now;
	}
	if (u->in.len == 0) {
		upstream_head(u, ptr, len);
		return;
	}
	buf_append(&u->in, ptr, len);
	upstream_head(u, u->in.ptr, u->in.len);
	if (u->in_body || c->dead)
		buf_free(&u->in);
}

static void
upstream_eof(struct conn *c, bool clean)
{
	struct upstream *u = (struct upstream *)c;

	if (c->paused) {
		/* What was sent before is still to be read. */
		c->eof_seen = true;
		return;
	}
	if (u->x == NULL)
		upstream_close(u);
	else if (!u->in_body)
		upstream_lost(u, "it closed the connection without an answer");
	else if (clean && http1_body_may_close(&u->body)) {
		u->x->t_last = c->thread->now;
		u->keep = false;
		upstream_done(u, true);
	} else
		upstream_fail(u, REASON_UPSTREAM_CUT, clean ? "it closed the connection within the answer" :
		    "the TLS connection ended without close_notify");
}

static void
upstream_error(struct conn *c, const char *what)
{
	struct upstream *u = (struct upstream *)c;

	if (u->x == NULL)
		upstream_close(u);
	else if (c->handshaking)
		upstream_fail(u, REASON_TLS_FAILED, what);
	else if (!u->in_body)
		upstream_lost(u, what);
	else
		upstream_fail(u, REASON_UPSTREAM_CUT, what);
}

static void
upstream_drained(struct conn *c)
{
	struct upstream *u = (struct upstream *)c;

	if (u->x == NULL)
		return;
	thread_clock(c->thread);
	if (u->x->t_out == 0)
		u->x->t_out = c->thread->now;
	if (c->out.len == 0)
		u->x->t_sent = c->thread->now;
	if (!u->answered)
		conn_deadline(c, u->provider->config->first_byte_timeout_us);
	/* On a reused connection it may have to be sent again. */
	if (u->x->uploading ? c->out.len < LIMIT_OUT_LOW :
	    c->out.len == 0 && (!u->reused || u->answered))
		exchange_step(u->x, EVENT_UP_ROOM);
}

static void
upstream_timeout(struct conn *c)
{
	struct upstream *u = (struct upstream *)c;

	if (u->x == NULL)
		upstream_close(u);
	else if (c->handshaking)
		upstream_fail(u, REASON_TLS_FAILED, "the handshake was not answered in time");
	else if (u->dial != NULL)
		upstream_fail(u, REASON_CONNECT_TIMEOUT, NULL);
	else if (!u->in_body)
		upstream_fail(u, REASON_FIRST_BYTE_TIMEOUT, NULL);
	else if (!c->paused)
		upstream_fail(u, REASON_IDLE_TIMEOUT, NULL);
}

static const struct conn_ops upstream_ops = {
	.data = upstream_data,
	.eof = upstream_eof,
	.error = upstream_error,
	.ready = upstream_ready,
	.drained = upstream_drained,
	.timeout = upstream_timeout,
	.free = upstream_free,
};

struct exchange *
upstream_exchange(struct conn *c)
{
	return c->ops == &upstream_ops ? ((struct upstream *)c)->x : NULL;
}

static void
provider_body(struct exchange *x)
{
	struct upstream *u = x->up;

	if (!u->sending) {
		if (!buf_slice(&u->early, x->in))
			bug("an upload is read before the provider can take it");
		return;
	}
	conn_copy(&u->conn, x->in);
	if (u->conn.out.len > LIMIT_OUT_HIGH)
		down_hold(x->down, true);
}

static void
provider_pause(struct exchange *x)
{
	struct upstream *u = x->up;

	conn_pause(&u->conn);
	conn_deadline(&u->conn, 0);
}

static void
provider_resume(struct exchange *x)
{
	struct upstream *u = x->up;

	conn_resume(&u->conn);
	conn_deadline(&u->conn, u->provider->config->idle_timeout_us);
}

static void
provider_cancel(struct exchange *x)
{
	struct upstream *u = x->up;

	upstream_leave(u);
	upstream_close(u);
}

const struct up_ops provider_ops = {
	.start = provider_start,
	.body = provider_body,
	.pause = provider_pause,
	.resume = provider_resume,
	.cancel = provider_cancel,
};
