/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tape: an exchange's records. Knows the record fields and the rules of what
 * is kept; the journal knows how. Nothing here waits or fails: what has no
 * room is counted in LOST.
 */
#include "gate/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "core/head.h"
#include "core/record.h"
#include "gate/breakdown.h"
#include "gate/down.h"
#include "gate/exchange.h"
#include "gate/thread.h"

#define SECRET_MIN 8		/* bytes: shorter strings would blank ordinary text */
#define SECRET_MAX 512
#define BEGIN_BODY (512 * KIB)	/* of the body in BEGIN itself, and in each PART after it */

void
tape_secret(struct tape *tp, struct slice s)
{
	if (s.len < SECRET_MIN || s.len > SECRET_MAX || tp->nsecrets == TAPE_SECRETS)
		return;
	tp->secrets[tp->nsecrets++] = xstrndup(s.ptr, s.len);
}

/* Overwrites each of the exchange's credentials in text. */
static void
tape_blank(const struct tape *tp, char *text, size_t len)
{
	size_t i, n;
	char *p;

	for (i = 0; i < tp->nsecrets; i++) {
		n = strlen(tp->secrets[i]);
		for (p = text; (p = memmem(p, len - (size_t)(p - text), tp->secrets[i], n)) != NULL;
		    p += n)
			memset(p, '*', n);
	}
}

static uint64_t
tape_offset(const struct exchange *x, uint64_t t)
{
	return t > x->t0 ? t - x->t0 : 0;
}

/* The fields of a record being made. */
static struct buf *
tape_fields(struct exchange *x)
{
	struct buf *b = &x->thread->fields;

	buf_clear(b);
	return b;
}

static void
tape_put_time(struct exchange *x, enum record_tag tag, uint64_t t)
{
	if (t != 0)
		record_put_u64(&x->thread->fields, tag, tape_offset(x, t));
}

static void
tape_put_text(struct exchange *x, enum record_tag tag, const char *text)
{
	if (text != NULL)
		record_put(&x->thread->fields, tag, slice_str(text));
}

/* Appends a record of these fields with its lent tail. */
static void
tape_add(struct exchange *x, enum record_type type, struct slice fields, struct slice tail,
    size_t weight)
{
	uint64_t at = journal_add(x->thread->writer, type, x->id, x->tape.position, fields, tail);

	breakdown_record(x, type, fields, tail);
	if (at != 0)
		x->tape.position = at;
	else
		x->tape.lost += weight;
}

/* A PART. `stays`: the bytes are there until the journal has been flushed; else
 * they are copied, where the journal would not do so by itself. */
static void
tape_put_part(struct exchange *x, enum record_direction direction, uint64_t offset,
    struct slice bytes, bool stays)
{
	uint64_t held = x->held_us - x->tape.held_before;
	char fields[RECORD_PART_FIELDS];
	struct buf *b;

	stays = stays || bytes.len <= JOURNAL_COPIES;
	if (stays && direction == DIRECTION_ANSWER && x->attempt == 1 && held == 0) {
		/* An event of a stream: as cheap as can be. */
		record_put_part(fields, tape_offset(x, x->thread->now), offset, bytes.len);
		tape_add(x, RECORD_PART, slice_make(fields, sizeof(fields)), bytes, bytes.len);
		return;
	}
	b = tape_fields(x);
	record_put_u64(b, TAG_T, tape_offset(x, x->thread->now));
	record_put_u64(b, TAG_OFFSET, offset);
	if (direction == DIRECTION_REQUEST)
		record_put_u64(b, TAG_DIRECTION, direction);
	else if (x->attempt > 1)
		record_put_u64(b, TAG_ATTEMPT, x->attempt);
	if (direction == DIRECTION_ANSWER && held > 0)
		record_put_u64(b, TAG_HELD, held);
	if (direction == DIRECTION_ANSWER)
		x->tape.held_before = x->held_us;
	record_put_head(b, TAG_BYTES, bytes.len);
	if (!stays)
		buf_slice(b, bytes);
	tape_add(x, RECORD_PART, buf_view(b), stays ? bytes : SLICE_NONE, bytes.len);
}

/* The request body as the journal may have it. */
static const char *
tape_body(const struct exchange *x)
{
	return x->kept != NULL ? x->kept : x->body;
}

/* The request body behind what BEGIN holds: the first part and the last. */
static void
tape_put_request(struct exchange *x, size_t from)
{
	size_t len = x->body_len, n;

	while (from < len) {
		if (from >= LIMIT_KEEP_FIRST && len - from > LIMIT_KEEP_LAST)
			from = len - LIMIT_KEEP_LAST;
		n = len - from < BEGIN_BODY ? len - from : BEGIN_BODY;
		if (from < LIMIT_KEEP_FIRST && from + n > LIMIT_KEEP_FIRST)
			n = LIMIT_KEEP_FIRST - from;
		tape_put_part(x, DIRECTION_REQUEST, from, slice_make(tape_body(x) + from, n), true);
		from += n;
	}
}

bool
tape_params(const struct exchange *x, struct buf *out)
{
	static const struct slice names[] = {
		SLICE("x-data-respan-params"), SLICE("x-data-keywordsai-params"),
	};
	struct slice v;
	size_t i;

	for (i = 0; i < 2 && x->head->flags & HEAD_PARAMS; i++) {
		v = exchange_field(x, names[i]);
		if (v.ptr != NULL && rewrite_header_params(v, out))
			return true;
	}
	return false;
}

/* The kept header fields, and the parameters that came in a header. */
static void
tape_put_head_fields(struct exchange *x)
{
	struct buf *b = &x->thread->fields, *text = &x->thread->text;
	struct slice v;
	size_t i;

	buf_clear(text);
	for (i = 0; i < x->head->nfields; i++)
		if (x->head->fields[i].flags & HEAD_KEEP)
			head_keep_field(&x->head->fields[i], text);
	record_put(b, TAG_HEADERS, buf_view(text));
	if (!(x->head->flags & HEAD_PARAMS))
		return;
	buf_clear(text);
	if (tape_params(x, text))
		record_put(b, TAG_PARAMS, buf_view(text));
	v = exchange_field(x, SLICE("x-respan-customer-identifier"));
	if (v.ptr != NULL)
		record_put(b, TAG_CUSTOMER, v);
}

void
tape_begin(struct exchange *x)
{
	struct buf *b = tape_fields(x), *text = &x->thread->text;
	const struct key_config *key = x->auth.key;
	size_t first = x->body_len < BEGIN_BODY ? x->body_len : BEGIN_BODY;

	record_put_u64(b, TAG_WALL, x->wall - (x->wall_mono - x->t0));
	record_put_u64(b, TAG_T, tape_offset(x, x->thread->now));
	tape_put_time(x, TAG_T_READ, x->t_read);
	tape_put_text(x, TAG_PEER, down_peer(x->down));
	tape_put_text(x, TAG_TENANT, key ? key->tenant : "default");
	if (key != NULL) {
		tape_put_text(x, TAG_KEY_ID, key->id);
		tape_put_text(x, TAG_ENVIRONMENT, key->environment);
		record_put_u64(b, TAG_ENVIRONMENT_FREE, key->environment_free);
	}
	tape_put_text(x, TAG_FAMILY, family_name(x->family));
	tape_put_text(x, TAG_PROVIDER, x->provider ? x->provider->config->id : NULL);
	record_put(b, TAG_METHOD, x->head->method);
	buf_clear(text);
	head_mask_target(x->head->target, text);
	record_put(b, TAG_TARGET, buf_view(text));
	tape_put_head_fields(x);
	if (x->rewrite.usage_added)
		record_put_u64(b, TAG_USAGE_HIDDEN, 1);
	if (!x->settings->config->log_bodies)
		record_put_u64(b, TAG_LOG_BODIES, 0);
	tape_put_text(x, TAG_NOTES, x->rewrite.note);
	record_put_u64(b, TAG_BODY_LENGTH, x->uploading ? x->upload_len : x->body_len);
	record_put_head(b, TAG_BYTES, first);
	x->tape.position = journal_begin(x->thread->writer, x->id, buf_view(b),
	    slice_make(tape_body(x), first));
	x->tape.on = x->tape.position != 0;
	if (x->tape.on) {
		breakdown_record(x, RECORD_BEGIN, buf_view(b), slice_make(tape_body(x), first));
		tape_put_request(x, first);
	} else
		breakdown_leave(x, NULL);	/* no records, no span */
}

void
tape_send(struct exchange *x, struct slice url, bool reused, const char *detail)
{
	struct buf *b, *text = &x->thread->text;

	if (!x->tape.on)
		return;
	b = tape_fields(x);
	record_put_u64(b, TAG_T, tape_offset(x, x->thread->now));
	record_put_u64(b, TAG_ATTEMPT, x->attempt);
	tape_put_text(x, TAG_PROVIDER, x->provider->config->id);
	record_put(b, TAG_URL, url);
	record_put_u64(b, TAG_REUSED, reused);
	tape_put_text(x, TAG_DETAIL, detail);
	buf_clear(text);
	edits_encode(&x->rewrite.edits, x->rewrite.body, text);
	record_put(b, TAG_EDITS, buf_view(text));
	tape_add(x, RECORD_SEND, buf_view(b), SLICE_NONE, 0);
}

/* The times of the attempt's connection, as far as they are known. */
static void
tape_put_times(struct exchange *x)
{
	tape_put_time(x, TAG_T_RESOLVED, x->t_resolved);
	tape_put_time(x, TAG_T_CONNECTED, x->t_connected);
	tape_put_time(x, TAG_T_TLS, x->t_tls);
	tape_put_time(x, TAG_T_SENT, x->t_sent);
}

void
tape_head(struct exchange *x, const struct http1_head *h)
{
	struct buf *b, *text = &x->thread->text;

	if (!x->tape.on)
		return;
	b = tape_fields(x);
	record_put_u64(b, TAG_T, tape_offset(x, x->t_head));
	record_put_u64(b, TAG_ATTEMPT, x->attempt);
	record_put_u64(b, TAG_STATUS, h->status);
	tape_put_times(x);
	buf_clear(text);
	head_keep(h, text);
	record_put(b, TAG_HEADERS, buf_view(text));
	tape_add(x, RECORD_HEAD_IN, buf_view(b), SLICE_NONE, 0);
}

/* Writes out the kept-back error text but for its last `keep` bytes, in which a
 * credential may have begun. */
static void
tape_error_flush(struct exchange *x, size_t keep)
{
	struct tape *tp = &x->tape;
	size_t n = tp->error_len > keep ? tp->error_len - keep : 0;

	if (n == 0)
		return;
	tape_blank(tp, tp->error, tp->error_len);
	tape_put_part(x, DIRECTION_ANSWER, tp->error_at, slice_make(tp->error, n), false);
	memmove(tp->error, tp->error + n, tp->error_len - n);
	tp->error_at += n;
	tp->error_len -= n;
}

/* Error answers may repeat the key that they refuse: they are kept back until
 * enough is there to see it. */
static void
tape_error(struct exchange *x, uint64_t offset, struct slice bytes)
{
	struct tape *tp = &x->tape;
	size_t n;

	if (tp->error == NULL)
		tp->error = xmalloc(LIMIT_ERROR_HELD);
	if (tp->error_len == 0)
		tp->error_at = offset;
	while (bytes.len > 0) {
		if (tp->error_len == LIMIT_ERROR_HELD)
			tape_error_flush(x, SECRET_MAX);
		n = LIMIT_ERROR_HELD - tp->error_len;
		if (n > bytes.len)
			n = bytes.len;
		memcpy(tp->error + tp->error_len, bytes.ptr, n);
		tp->error_len += n;
		bytes = slice_from(bytes, n);
	}
}

/* The end of a long answer goes round in a ring: usage stands there. */
static void
tape_ring(struct tape *tp, uint64_t offset, struct slice bytes)
{
	size_t at, n;

	if (tp->ring == NULL)
		tp->ring = xmalloc(LIMIT_KEEP_LAST);
	tp->ring_at = offset + bytes.len;
	if (bytes.len > LIMIT_KEEP_LAST) {
		offset += bytes.len - LIMIT_KEEP_LAST;
		bytes = slice_from(bytes, bytes.len - LIMIT_KEEP_LAST);
	}
	while (bytes.len > 0) {
		at = offset % LIMIT_KEEP_LAST;
		n = LIMIT_KEEP_LAST - at < bytes.len ? LIMIT_KEEP_LAST - at : bytes.len;
		memcpy(tp->ring + at, bytes.ptr, n);
		bytes = slice_from(bytes, n);
		offset += n;
	}
}

static void
tape_ring_flush(struct exchange *x, enum record_direction direction)
{
	struct tape *tp = &x->tape;
	uint64_t from, n;

	if (tp->ring == NULL || tp->ring_at == 0)
		return;
	from = tp->ring_at > LIMIT_KEEP_FIRST + LIMIT_KEEP_LAST ?
	    tp->ring_at - LIMIT_KEEP_LAST : LIMIT_KEEP_FIRST;
	while (from < tp->ring_at) {
		n = LIMIT_KEEP_LAST - from % LIMIT_KEEP_LAST;
		if (n > tp->ring_at - from)
			n = tp->ring_at - from;
		tape_put_part(x, direction, from,
		    slice_make(tp->ring + from % LIMIT_KEEP_LAST, n), false);
		from += n;
	}
	tp->ring_at = 0;
}

/* Keeps of a body that comes in pieces the first bytes at once, the last ones
 * in the ring. */
static void
tape_keep(struct exchange *x, enum record_direction direction, uint64_t offset,
    struct slice bytes)
{
	size_t n;

	if (offset < LIMIT_KEEP_FIRST) {
		n = LIMIT_KEEP_FIRST - offset < bytes.len ? LIMIT_KEEP_FIRST - offset : bytes.len;
		if (direction == DIRECTION_ANSWER && x->status >= 400 && x->tape.nsecrets > 0)
			tape_error(x, offset, slice_make(bytes.ptr, n));
		else
			tape_put_part(x, direction, offset, slice_make(bytes.ptr, n), false);
		bytes = slice_from(bytes, n);
		offset += n;
	}
	if (bytes.len > 0)
		tape_ring(&x->tape, offset, bytes);
}

void
tape_part(struct exchange *x, struct slice bytes)
{
	if (x->tape.on && !x->tape.ended)
		tape_keep(x, DIRECTION_ANSWER, x->answer_len, bytes);
}

void
tape_upload(struct exchange *x, struct slice bytes)
{
	if (x->tape.on && !x->tape.ended)
		tape_keep(x, DIRECTION_REQUEST, x->uploaded, bytes);
}

void
tape_uploaded(struct exchange *x)
{
	if (x->tape.on && !x->tape.ended)
		tape_ring_flush(x, DIRECTION_REQUEST);
}

uint64_t
tape_overhead(const struct exchange *x)
{
	uint64_t ready = x->t_tls ? x->t_tls : x->t_connected, us = 0, out;

	if (x->t_out != 0 && x->t_read != 0) {
		us = x->t_out - x->t_read;
		if (ready > x->t_start && ready - x->t_start <= us)
			us -= ready - x->t_start;
	}
	if (x->t_head != 0) {
		out = x->t_head_out ? x->t_head_out : x->thread->now;
		us += out > x->t_head ? out - x->t_head : 0;
	}
	return us;
}

void
tape_again(struct exchange *x)
{
	if (x->tape.on)
		tape_error_flush(x, 0);
}

void
tape_note(struct tape *tp, const char *code)
{
	size_t n = strlen(tp->notes);

	snprintf(tp->notes + n, sizeof(tp->notes) - n, "%s\n", code);
}

/* What END says. */
static struct buf *
tape_end_fields(struct exchange *x, enum reason reason, const char *detail)
{
	struct buf *b = tape_fields(x);

	record_put_u64(b, TAG_T, tape_offset(x, x->thread->now));
	record_put_u64(b, TAG_REASON, reason);
	tape_put_text(x, TAG_DETAIL, detail);
	tape_put_time(x, TAG_T_LAST, x->t_last);
	if (x->uploading)
		tape_put_time(x, TAG_T_READ, x->t_read);
	if (x->status == 0 || x->refused)
		tape_put_times(x);
	record_put_u64(b, TAG_ANSWER_LENGTH, x->answer_len);
	record_put_u64(b, TAG_SENT_LENGTH, x->sent_len);
	record_put_u64(b, TAG_OVERHEAD, tape_overhead(x));
	if (x->held_us > 0)
		record_put_u64(b, TAG_HELD, x->held_us);
	if (x->tape.lost > 0)
		record_put_u64(b, TAG_LOST, x->tape.lost);
	if (x->refused)
		record_put_u64(b, TAG_LOCAL_ANSWER, x->status);
	if (x->tape.notes[0] != '\0')
		tape_put_text(x, TAG_NOTES, x->tape.notes);
	return b;
}

void
tape_end(struct exchange *x, enum reason reason, const char *detail)
{
	struct buf *b;

	if (!x->tape.on || x->tape.ended)
		return;
	tape_error_flush(x, 0);
	tape_ring_flush(x, DIRECTION_ANSWER);
	x->tape.ended = true;
	b = tape_end_fields(x, reason, detail);
	x->tape.position = journal_end(x->thread->writer, x->id, x->tape.position, buf_view(b));
}

void
tape_copy_end(struct exchange *x)
{
	breakdown_record(x, RECORD_END, buf_view(tape_end_fields(x, REASON_COMPLETE, NULL)), SLICE_NONE);
}

void
tape_free(struct tape *tp)
{
	size_t i;

	for (i = 0; i < tp->nsecrets; i++) {
		explicit_bzero(tp->secrets[i], strlen(tp->secrets[i]));
		free(tp->secrets[i]);
	}
	free(tp->ring);
	free(tp->error);
}
