/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: the program of one request: a table of what each event means in
 * each state, and the small functions in it. Owns the exchange; drives both
 * sides; never touches a socket.
 */
#include "gate/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "core/head.h"
#include "core/limits.h"
#include "core/multipart.h"
#include "gate/breakdown.h"
#include "gate/down.h"
#include "gate/forward.h"
#include "gate/gate_private.h"
#include "gate/local_private.h"
#include "gate/provider.h"
#include "gate/refuse.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

const char *
exchange_id_text(const struct exchange *x, char *out)
{
	hex_encode(x->id, sizeof(x->id), out);
	return out;
}

struct slice
exchange_field(const struct exchange *x, struct slice name)
{
	size_t i;

	for (i = 0; i < x->head->nfields; i++)
		if (slice_caseeq(x->head->fields[i].name, name))
			return x->head->fields[i].value;
	return SLICE_NONE;
}

static bool	exchange_must_hide(struct exchange *, const struct http1_head *);
static void	exchange_up_head(struct exchange *);
static bool	exchange_may_upload(const struct exchange *);
static void	exchange_upload_begin(struct exchange *, uint64_t len);

/* ---- beginning and end ---- */

/* s at the same place in a copy of the text that it points into. */
static struct slice
slice_moved(struct slice s, const char *from, const char *to)
{
	return s.ptr == NULL ? s : slice_make(to + (s.ptr - from), s.len);
}

/* The head as it must outlive the read buffer: fields and text in one
 * allocation. All slices of a parsed head lie in its bytes. */
static struct request_head *
head_copy(const struct http1_head *h)
{
	const char *from = h->method.ptr;
	const struct http1_field *f, *last = h->nfields ? &h->fields[h->nfields - 1] : NULL;
	const char *end = last ? last->value.ptr + last->value.len : h->target.ptr + h->target.len;
	size_t table = sizeof(struct request_head) + h->nfields * sizeof(*f), i;
	struct request_head *copy = xmalloc(table + (size_t)(end - from));
	char *to = (char *)copy + table;

	memcpy(to, from, (size_t)(end - from));
	copy->method = slice_moved(h->method, from, to);
	copy->target = slice_moved(h->target, from, to);
	copy->path = slice_moved(h->path, from, to);
	copy->query = slice_moved(h->query, from, to);
	copy->host = slice_moved(h->host, from, to);
	copy->minor = h->minor;
	copy->keep_alive = h->keep_alive;
	copy->nominates = h->nominates;
	copy->flags = 0;
	copy->nfields = h->nfields;
	copy->fields = (struct http1_field *)(copy + 1);
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		copy->fields[i] = (struct http1_field){ slice_moved(f->name, from, to),
		    slice_moved(f->value, from, to), f->flags };
		copy->flags |= f->flags;
	}
	return copy;
}

static void
exchange_drop_body(struct exchange *x)
{
	struct gate_thread *t = x->thread;

	if (x->body == NULL)
		return;
	free(x->body);
	free(x->kept);
	x->body = x->kept = NULL;
	t->body_bytes -= x->body_len;
	ledger_add(LEDGER_BODY_BYTES, -(int64_t)x->body_len);
	x->body_len = 0;
	down_feed_starved(t);
}

static void
exchange_free(struct exchange *x)
{
	exchange_drop_body(x);
	rewrite_free(&x->rewrite);
	if (x->hide_made)
		hide_free(&x->hide);
	buf_free(&x->held);
	breakdown_free(x);
	tape_free(&x->tape);
	settings_unref(x->settings);
	free(x->kept);
	free(x->head);
	free(x->model);
	free(x);
}

void
exchange_reap(struct gate_thread *t)
{
	struct exchange *x;

	while ((x = t->dead_exchanges) != NULL) {
		t->dead_exchanges = x->next_dead;
		exchange_free(x);
	}
}

void
exchange_release(struct exchange *x)
{
	assert(x->state == EXCHANGE_DONE);
	if (atomic_fetch_sub(&x->thread->exchanges, 1) == 1 && x->thread->draining)
		gate_thread_empty(x->thread->gate);
	x->down = NULL;
	x->next_dead = x->thread->dead_exchanges;
	x->thread->dead_exchanges = x;
}

void
exchange_new(struct down *d, const struct http1_head *h, uint64_t t0)
{
	struct gate_thread *t = d->conn.thread;
	struct settings *s = t->settings;
	struct route route = route_find(s->config, h);
	struct exchange *x;
	struct auth auth;

	if (refuse_head(d, h, &route) || refuse_stranger(d, h, &route, &auth) ||
	    refuse_place(d, h, &route))
		return;
	x = xcalloc(1, sizeof(*x));
	x->thread = t;
	x->settings = settings_ref(s);
	x->down = d;
	d->x = x;
	x->wall = clock_wall_us();
	x->wall_mono = t->now;
	x->t0 = t0;
	uuid7_next(&t->uuid, x->wall / 1000, x->id);
	x->auth = auth;
	x->route = route;
	x->head = head_copy(h);
	x->route.path.ptr = x->head->target.ptr + (route.path.ptr - h->target.ptr);
	x->has_body = h->framing != HTTP1_NO_BODY;
	x->body_most = h->framing == HTTP1_SIZED ? (size_t)h->length + 1 : SIZE_MAX;
	x->body_hint = x->body_most <= MIB ? x->body_most : 4096;
	x->head_method = slice_eq(h->method, SLICE("HEAD"));
	x->answer_keep = h->keep_alive;
	x->ops = route.kind == ROUTE_LOCAL ? &local_ops : &provider_ops;
	buf_clear(&t->text);
	route_api_path(&route, &t->text);
	x->family = family_of(h->method, buf_view(&t->text));
	atomic_fetch_add(&t->exchanges, 1);
	ledger_add(LEDGER_IN_FLIGHT, 1);
	if (h->framing == HTTP1_SIZED && h->length > exchange_body_limit(x) &&
	    !exchange_may_upload(x)) {
		exchange_end(x, REASON_BODY_TOO_LARGE, NULL);
		return;
	}
	if (h->expect_continue && h->minor == 1)
		down_continue(d);
	if (h->framing == HTTP1_SIZED && h->length > exchange_body_limit(x))
		exchange_upload_begin(x, h->length);
}

/* What the exchange was, for the counters and the log. */
static void
exchange_account(struct exchange *x, enum reason reason, const char *detail)
{
	const struct reason_info *info = reason_info(reason);
	const char *provider = x->provider ? x->provider->config->id : "";
	struct ledger_request r = {
		.family = x->family, .provider = provider, .model = slice_str(x->model),
		.status = x->status, .reason = reason,
		.latency_us = x->t_last > x->t_read ? x->t_last - x->t_read : 0,
		.overhead_us = tape_overhead(x),
	};

	ledger_add(LEDGER_IN_FLIGHT, -1);
	if (x->ops != &provider_ops)
		return;
	ledger_request(&r);
	xlog(info->is_error ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, x->id,
	    "%s %u %s %s %s %llu ms%s%s", info->name, x->status, family_name(x->family),
	    provider, x->model ? x->model : "-", (unsigned long long)r.latency_us / 1000,
	    detail ? ": " : "", detail ? detail : "");
}

/* The last of the answer towards the client. */
static void
exchange_close_answer(struct exchange *x, enum reason reason, const char *detail)
{
	struct down *d = x->down;

	if (!x->head_sent) {
		if (d != NULL)
			refuse_exchange(x, reason, detail);
		return;
	}
	if (d == NULL)
		return;
	if (reason != REASON_COMPLETE)
		down_finish(d, x->until_close ? FINISH_RESET : FINISH_CUT);
	else {
		if (x->chunked)
			down_write(d, SLICE("0\r\n\r\n"));
		down_finish(d, x->answer_keep ? FINISH_KEEP : FINISH_CLOSE);
	}
}

/* Finds the members of ours in the body. What is compressed goes through as it
 * is, and so does multipart that is no form. */
static void
exchange_rewrite(struct exchange *x)
{
	struct slice coding = exchange_field(x, SLICE("content-encoding"));
	struct slice type = exchange_field(x, SLICE("content-type"));
	struct slice body = slice_make(x->body, x->body_len), boundary = multipart_boundary(type);
	bool coded = coding.len > 0 && !slice_caseeq(coding, SLICE("identity"));
	int r;

	if (boundary.ptr != NULL && !coded)
		r = rewrite_scan_form(&x->rewrite, body, boundary, x->family);
	else {
		if (coded || (type.len >= 10 && slice_caseeq(slice_make(type.ptr, 10), SLICE("multipart/"))))
			body.len = 0;
		r = rewrite_scan(&x->rewrite, body, x->family);
	}
	if (r < 0)
		bug("out of memory");
}

/* A body that broke off goes to no provider, but to the journal: less the
 * credentials in what came of it. */
static void
exchange_blank_partial(struct exchange *x)
{
	if (x->body == NULL || x->rewrite.body.ptr != NULL)
		return;
	exchange_rewrite(x);
	rewrite_blank(&x->rewrite, x->body);
}

void
exchange_end(struct exchange *x, enum reason reason, const char *detail)
{
	if (x->state == EXCHANGE_DONE)
		return;
	/* There the provider's side has ended well already. */
	if (x->state == EXCHANGE_ADD) {
		reason = REASON_COMPLETE;
		detail = NULL;
	}
	x->state = EXCHANGE_DONE;
	if (x->up != NULL)
		x->ops->cancel(x);
	if (x->t_read == 0)
		x->t_read = x->thread->now;
	/* What reached routing has a span, also when its body did not come. */
	if (!x->tape.on && x->ops == &provider_ops && x->attempt == 0) {
		exchange_blank_partial(x);
		tape_begin(x);
	}
	breakdown_leave(x, NULL);
	exchange_close_answer(x, reason, detail);
	tape_end(x, reason, detail);
	exchange_account(x, reason, detail);
	if (x->down == NULL)
		exchange_release(x);
}

/* ---- the request ---- */

uint64_t
exchange_body_limit(const struct exchange *x)
{
	if (x->route.open)
		return LIMIT_HEAD;	/* of strangers nothing is held */
	return x->route.kind == ROUTE_LOCAL ? LIMIT_API_BODY : x->settings->config->max_body;
}

static void
exchange_body(struct exchange *x)
{
	size_t need = x->body_len + x->in.len, cap = x->body_cap ? x->body_cap : x->body_hint;

	if (need > exchange_body_limit(x)) {
		exchange_end(x, REASON_BODY_TOO_LARGE, NULL);
		return;
	}
	if (need > x->body_cap) {
		while (cap < need)
			cap *= 2;
		if (cap > x->body_most)
			cap = x->body_most;
		x->body = xrealloc(x->body, cap);
		x->body_cap = cap;
	}
	memcpy(x->body + x->body_len, x->in.ptr, x->in.len);
	x->body_len = need;
	x->thread->body_bytes += x->in.len;
	ledger_add(LEDGER_BODY_BYTES, (int64_t)x->in.len);
}

/* The model's name as characters, for routing and counters. */
static void
exchange_read_model(struct exchange *x)
{
	struct slice form = x->rewrite.form_model;
	struct buf name;
	size_t len;

	buf_init(&name, 1024);
	if ((form.len > 0 ? buf_slice(&name, form) : jstring(x->rewrite.model, &name)) &&
	    buf_byte(&name, '\0'))
		x->model = buf_take(&name, &len);
	buf_free(&name);
}

/* Reads the body once: model, stream, own members. */
static void
exchange_scan(struct exchange *x)
{
	exchange_rewrite(x);
	if (x->rewrite.is_object || x->rewrite.is_form) {
		exchange_read_model(x);
		rewrite_blank(&x->rewrite, x->body);
	} else if (x->rewrite.count > 0) {
		/* It goes on untouched, but not so into the journal. */
		x->kept = xmalloc(x->body_len);
		memcpy(x->kept, x->body, x->body_len);
		rewrite_blank(&x->rewrite, x->kept);
	}
}

/* The edits. -1: they cannot be made. */
static int
exchange_edit(struct exchange *x, bool ask_usage)
{
	unsigned flags = ask_usage ? REWRITE_ASK_USAGE : 0;

	if (x->settings->config->fill_variables)
		flags |= REWRITE_FILL;
	return rewrite_finish(&x->rewrite, flags);
}

/* The provider and, for it, the edits. False: the exchange has ended. */
static bool
exchange_choose(struct exchange *x)
{
	struct config *c = x->settings->config;
	const struct provider_config *p = x->route.provider;
	struct provider *chosen;
	size_t i;

	if (p == NULL)
		p = config_route(c, x->route.api, slice_str(x->model));
	x->provider = chosen = &x->settings->providers[p->index];
	if (p->api_key == NULL && settings_closed(x->settings) && !auth_has_own(x->head->fields, x->head->nfields, &x->auth)) {
		exchange_end(x, REASON_NO_PROVIDER_KEY, NULL);
		return false;
	}
	tape_secret(&x->tape, slice_str(p->api_key));
	for (i = 0; i < x->head->nfields; i++)
		if (x->head->fields[i].flags & HEAD_SECRET)
			tape_secret(&x->tape, auth_secret(x->head->fields[i].value));
	if (exchange_edit(x, p->usage == USAGE_ASK &&
	    !atomic_load_explicit(&chosen->usage_refused, memory_order_relaxed)) < 0) {
		exchange_end(x, REASON_BODY_MALFORMED, "too many members for the gateway itself");
		return false;
	}
	x->hiding = x->hide_made = x->rewrite.usage_added;
	if (x->hiding)
		hide_init(&x->hide);
	breakdown_ask(x);
	return true;
}

static void
exchange_body_end(struct exchange *x)
{
	x->t_read = x->thread->now;
	if (x->ops == &provider_ops) {
		exchange_scan(x);
		if (!exchange_choose(x))
			return;
		tape_begin(x);
	}
	x->state = EXCHANGE_WAIT;
	x->ops->start(x);
}

/* ---- a body that goes through ---- */

/* Files may be larger than what is held. JSON may not: it is to be read. */
static bool
exchange_may_upload(const struct exchange *x)
{
	struct slice type = exchange_field(x, SLICE("content-type"));

	return x->ops == &provider_ops && type.ptr != NULL &&
	    memmem(type.ptr, type.len, "json", 4) == NULL;
}

static void
exchange_upload_begin(struct exchange *x, uint64_t len)
{
	x->uploading = true;
	x->upload_len = len;
	exchange_scan(x);
	if (!exchange_choose(x))
		return;
	tape_begin(x);
	x->state = EXCHANGE_UPLOAD;
	/* Nothing is read before the provider can take it. */
	down_hold(x->down, true);
	x->ops->start(x);
}

static void
exchange_upload(struct exchange *x)
{
	tape_upload(x, x->in);
	x->uploaded += x->in.len;
	x->ops->body(x);
}

static void
exchange_upload_end(struct exchange *x)
{
	x->t_read = x->thread->now;
	tape_uploaded(x);
	x->state = EXCHANGE_WAIT;
}

static void
exchange_upload_room(struct exchange *x)
{
	down_hold(x->down, false);
}

/* The answer came before the upload's end: what is still to come is not sent
 * on, and the client hears the answer. */
static void
exchange_upload_answered(struct exchange *x)
{
	x->t_read = x->thread->now;
	x->answer_keep = false;
	down_hold(x->down, false);
	exchange_up_head(x);
}

/* ---- the answer ---- */

void
exchange_emit(struct exchange *x, struct slice s)
{
	if (x->down == NULL || s.len == 0)
		return;
	x->sent_len += s.len;
	if (x->chunked)
		down_write_chunk(x->down, s);
	else
		down_write(x->down, s);
}

/* Bytes that the stream filter lets pass: to the client, but for an end that is
 * held. */
static void
exchange_give(struct exchange *x, struct slice s)
{
	if (x->adding)
		breakdown_data(x, s);
	else
		exchange_emit(x, s);
}

static void
exchange_emit_hidden(struct exchange *x)
{
	struct slice piece;

	while (hide_next(&x->hide, &piece))
		exchange_give(x, piece);
}

/* No further attempt: the request's memory goes, unless it is still being sent
 * (an early answer). */
static void
exchange_request_done(struct exchange *x)
{
	if (x->t_sent != 0)
		exchange_drop_body(x);
}

/* The provider has it all, and will not get it again but for a refusal of what
 * was put in. */
static void
exchange_sent(struct exchange *x)
{
	if (!x->rewrite.usage_added)
		exchange_drop_body(x);
}

/* The answer's head goes out; from here on there is no other attempt. */
static void
exchange_begin_relay(struct exchange *x, const struct http1_head *h)
{
	struct buf *text = &x->thread->text;

	x->hiding = exchange_must_hide(x, h);
	breakdown_begin(x, h);
	buf_clear(text);
	x->answer_keep = x->answer_keep && !x->thread->draining;
	forward_answer(x, h, text);
	x->head_sent = true;
	x->state = EXCHANGE_RELAY;
	if (x->down != NULL)
		down_write(x->down, buf_view(text));
	exchange_request_done(x);
}

/* Can this stream be filtered? Only a plain event stream. */
static bool
exchange_must_hide(struct exchange *x, const struct http1_head *h)
{
	struct slice type = http1_field(h, SLICE("content-type"));
	struct slice coding = http1_field(h, SLICE("content-encoding"));

	if (!x->hiding || h->status >= 300 || h->framing == HTTP1_NO_BODY)
		return false;
	if (type.len < 17 || !slice_caseeq(slice_make(type.ptr, 17), SLICE("text/event-stream")))
		return false;
	if (coding.len > 0 && !slice_caseeq(coding, SLICE("identity"))) {
		tape_note(&x->tape, "usage_not_hidden");
		return false;
	}
	return true;
}

/* May a refusal of stream_options be behind this answer? Then it is held back
 * until that is known, as the request may be sent again without. */
static bool
exchange_may_retry(const struct exchange *x, const struct http1_head *h)
{
	return (h->status == 400 || h->status == 422) && x->rewrite.usage_added && x->up != NULL &&
	    h->framing != HTTP1_NO_BODY;
}

static void
exchange_up_head(struct exchange *x)
{
	const struct http1_head *h = x->answer;

	x->status = h->status;
	if (x->t_head == 0)
		x->t_head = x->thread->now;
	tape_head(x, h);
	/* It was stream_options that had been wrong: do not ask again. */
	if (x->unasked && h->status < 300)
		atomic_store(&x->provider->usage_refused, true);
	if (!exchange_may_retry(x, h)) {
		exchange_begin_relay(x, h);
		return;
	}
	x->state = EXCHANGE_HOLD;
	buf_init(&x->held, LIMIT_HEAD * 2 + LIMIT_ERROR_HELD + SCRATCH_SIZE);
	x->hiding = false;
	forward_answer(x, h, &x->held);
	x->held_head = x->held.len;
}

/* What was held back goes out after all. */
static void
exchange_let_go(struct exchange *x)
{
	struct slice all = buf_view(&x->held);

	breakdown_leave(x, NULL);
	x->state = EXCHANGE_RELAY;
	x->head_sent = true;
	if (x->down != NULL)
		down_write(x->down, slice_make(all.ptr, x->held_head));
	exchange_emit(x, slice_from(all, x->held_head));
	buf_free(&x->held);
	exchange_request_done(x);
}

static void
exchange_hold_data(struct exchange *x)
{
	tape_part(x, x->in);
	x->answer_len += x->in.len;
	buf_slice(&x->held, x->in);
	if (x->held.len - x->held_head > LIMIT_ERROR_HELD)
		exchange_let_go(x);
}

/* The refusal is whole. When it names stream_options, which only we put in, the
 * request goes again without. (A server that repeats the request in its error
 * names them too: the next answer tells.) */
static void
exchange_hold_end(struct exchange *x)
{
	struct slice body = slice_from(buf_view(&x->held), x->held_head);

	if (memmem(body.ptr, body.len, "stream_options", 14) == NULL) {
		exchange_let_go(x);
		exchange_end(x, REASON_COMPLETE, NULL);
		return;
	}
	x->unasked = true;
	tape_again(x);
	buf_free(&x->held);
	if (exchange_edit(x, false) < 0)
		bug("out of memory");	/* it had fewer edits than before */
	x->status = 0;
	x->answer_len = 0;
	x->t_head = x->t_out = 0;
	x->answer_keep = x->head->keep_alive;
	x->chunked = x->until_close = false;
	x->state = EXCHANGE_WAIT;
	x->ops->start(x);
}

/* Lets the provider wait while the client has too much unread. */
static void
exchange_balance(struct exchange *x)
{
	if (x->down == NULL || x->up == NULL || x->up_paused ||
	    x->down->conn.out.len <= LIMIT_OUT_HIGH)
		return;
	x->up_paused = true;
	x->paused_at = x->thread->now;
	x->ops->pause(x);
}

static void
exchange_down_room(struct exchange *x)
{
	if (!x->up_paused)
		return;
	x->up_paused = false;
	x->held_us += x->thread->now - x->paused_at;
	if (x->up != NULL)
		x->ops->resume(x);
}

static void
exchange_up_data(struct exchange *x)
{
	tape_part(x, x->in);
	x->answer_len += x->in.len;
	if (x->hiding) {
		hide_feed(&x->hide, x->in);
		exchange_emit_hidden(x);
	} else
		exchange_give(x, x->in);
	exchange_balance(x);
}

static void
exchange_up_end(struct exchange *x)
{
	if (x->hiding) {
		hide_finish(&x->hide);
		exchange_emit_hidden(x);
	}
	if (breakdown_end(x))
		x->state = EXCHANGE_ADD;
	else
		exchange_end(x, REASON_COMPLETE, NULL);
}

/* The breakdown is there, or nobody waits for it any more. */
static void
exchange_breakdown(struct exchange *x)
{
	breakdown_add(x);
	if (x->state == EXCHANGE_ADD)
		exchange_end(x, REASON_COMPLETE, NULL);
}

static void
exchange_up_failed(struct exchange *x)
{
	if (x->state == EXCHANGE_HOLD)
		exchange_let_go(x);
	else if (x->hiding && x->head_sent) {
		hide_finish(&x->hide);
		exchange_emit_hidden(x);
	}
	exchange_end(x, x->why, x->detail);
}

/* ---- the client ---- */

static void
exchange_down_gone(struct exchange *x)
{
	size_t unsent = x->down->conn.out.len;

	x->sent_len -= unsent < x->sent_len ? unsent : x->sent_len;
	x->down = NULL;
	if (x->up != NULL && x->ops == &provider_ops &&
	    x->settings->config->drain_on_disconnect) {
		exchange_down_room(x);
		return;
	}
	exchange_end(x, REASON_CLIENT_DISCONNECTED, NULL);
}

static void
exchange_body_late(struct exchange *x)
{
	exchange_end(x, x->down->starved ? REASON_OVERLOADED : REASON_BODY_TIMEOUT, NULL);
}

static void
exchange_reader_stuck(struct exchange *x)
{
	exchange_end(x, REASON_CLIENT_TIMEOUT, NULL);
}

static void
exchange_ignore(struct exchange *x)
{
	(void)x;
}

typedef void exchange_handler(struct exchange *);

/* What an event means in a state; a hole is a bug. */
static exchange_handler *const exchange_table[EXCHANGE_STATES][EXCHANGE_EVENTS] = {
	[EXCHANGE_BODY] = {
		[EVENT_BODY] = exchange_body,
		[EVENT_BODY_END] = exchange_body_end,
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_body_late,
		[EVENT_DOWN_ROOM] = exchange_ignore,
	},
	[EXCHANGE_UPLOAD] = {
		[EVENT_BODY] = exchange_upload,
		[EVENT_BODY_END] = exchange_upload_end,
		[EVENT_UP_ROOM] = exchange_upload_room,
		[EVENT_UP_HEAD] = exchange_upload_answered,
		[EVENT_UP_FAILED] = exchange_up_failed,
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_body_late,
		[EVENT_DOWN_ROOM] = exchange_ignore,
	},
	[EXCHANGE_WAIT] = {
		[EVENT_UP_ROOM] = exchange_sent,
		[EVENT_UP_HEAD] = exchange_up_head,
		[EVENT_UP_FAILED] = exchange_up_failed,
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_ignore,
		[EVENT_DOWN_ROOM] = exchange_ignore,
	},
	[EXCHANGE_HOLD] = {
		[EVENT_UP_ROOM] = exchange_ignore,
		[EVENT_UP_DATA] = exchange_hold_data,
		[EVENT_UP_END] = exchange_hold_end,
		[EVENT_UP_FAILED] = exchange_up_failed,
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_ignore,
		[EVENT_DOWN_ROOM] = exchange_ignore,
	},
	[EXCHANGE_RELAY] = {
		[EVENT_BODY] = exchange_ignore,
		[EVENT_BODY_END] = exchange_ignore,
		[EVENT_UP_ROOM] = exchange_request_done,
		[EVENT_UP_DATA] = exchange_up_data,
		[EVENT_UP_END] = exchange_up_end,
		[EVENT_UP_FAILED] = exchange_up_failed,
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_reader_stuck,
		[EVENT_DOWN_ROOM] = exchange_down_room,
		[EVENT_BREAKDOWN] = exchange_breakdown,
	},
	[EXCHANGE_ADD] = {
		[EVENT_DOWN_GONE] = exchange_down_gone,
		[EVENT_DOWN_TIMEOUT] = exchange_reader_stuck,
		[EVENT_DOWN_ROOM] = exchange_down_room,
		[EVENT_BREAKDOWN] = exchange_breakdown,
	},
	[EXCHANGE_DONE] = {
		[EVENT_BODY] = exchange_ignore,
		[EVENT_BODY_END] = exchange_ignore,
		[EVENT_DOWN_TIMEOUT] = exchange_ignore,
		[EVENT_DOWN_ROOM] = exchange_ignore,
	},
};

void
exchange_step(struct exchange *x, enum exchange_event event)
{
	exchange_handler *handler = exchange_table[x->state][event];

	if (handler == NULL)
		bug("exchange: event %d in state %d", (int)event, (int)x->state);
	handler(x);
}
