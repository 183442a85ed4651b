/* SPDX-License-Identifier: Apache-2.0 */
/*
 * times.c: from the records' offsets to the span's times. The clock starts
 * with the first byte of the request; latency and first token count from its
 * last byte, as the client sees them.
 */
#include "span/inner.h"

int64_t
time_get(struct slice payload, enum record_tag tag)
{
	uint64_t v = record_get_u64(payload, tag, UINT64_MAX);

	return v > (uint64_t)TIME_MAX ? TIME_NONE : (int64_t)v;
}

int64_t
time_since(int64_t a, int64_t b)
{
	if (a == TIME_NONE || b == TIME_NONE)
		return TIME_NONE;
	return a > b ? a - b : 0;
}

static void
secs_set(struct span_int *field, int64_t us)
{
	if (us != TIME_NONE)
		*field = (struct span_int){ true, us };
}

static void
breakdown_add(struct buf *out, const char *name, int64_t us)
{
	if (us == TIME_NONE)
		return;
	buf_byte(out, out->len ? ',' : '{');
	buf_printf(out, "\"%s\":", name);
	time_secs_text(us, out);
}

/* The steps of the last attempt. A failed one has its steps in END. */
static void
breakdown_build(struct build *b, const struct attempt *a, int64_t t_last)
{
	struct slice steps = a->has_head ? a->head : b->end;
	int64_t sent = time_get(a->send, TAG_T);
	int64_t resolved = time_get(steps, TAG_T_RESOLVED);
	int64_t connected = time_get(steps, TAG_T_CONNECTED);
	int64_t tls = time_get(steps, TAG_T_TLS);
	int64_t written = time_get(steps, TAG_T_SENT);
	int64_t head = a->has_head ? time_get(a->head, TAG_T) : TIME_NONE;
	int64_t ready = tls != TIME_NONE ? tls : connected != TIME_NONE ? connected : sent;
	struct buf out;

	buf_init(&out, 1024);
	breakdown_add(&out, "resolve", time_since(resolved, sent));
	breakdown_add(&out, "connect", time_since(connected,
	    resolved != TIME_NONE ? resolved : sent));
	breakdown_add(&out, "tls", time_since(tls, connected));
	breakdown_add(&out, "send", time_since(written, ready));
	breakdown_add(&out, "first_byte", time_since(head,
	    written != TIME_NONE ? written : sent));
	if (a->has_head)
		breakdown_add(&out, "receive", time_since(t_last, head));
	if (out.len > 0)
		buf_byte(&out, '}');
	b->span.breakdown = build_take(b, &out);
}

/* Tokens over the time in which they came; two decimals more than anyone can
 * measure. */
void
times_speed(struct build *b)
{
	struct span *s = &b->span;
	int64_t tokens = s->completion_tokens.v, us = s->latency.v;

	if (!s->completion_tokens.set || !s->latency.set || tokens < 2 || tokens > TIME_MAX)
		return;
	if (b->timed) {
		if (!s->time_to_first_token.set)
			return;
		us -= s->time_to_first_token.v;
	}
	if (us < 1000)
		return;
	s->tokens_per_second = (struct span_num){ true,
	    (double)(int64_t)((double)tokens * 1e9 / (double)us + 0.5) / 1000 };
}

static void
inter_token_set(struct build *b)
{
	int64_t held = time_get(b->end, TAG_HELD);
	struct buf out;

	if (b->told[DIRECTION_ANSWER].ptr != NULL)
		return;
	buf_init(&out, 1024);
	gaps_json(&b->gaps, held != TIME_NONE ? held : b->answer.held, &out);
	b->span.inter_token = build_take(b, &out);
}

/* When the answer's last byte came from the provider, as END or else the last
 * record of it tells; of no answer, the end. */
static int64_t
time_last(const struct build *b)
{
	int64_t t = TIME_NONE;

	if (b->last != NULL) {
		t = time_get(b->end, TAG_T_LAST);
		if (t == TIME_NONE)
			t = b->answer.t_last;
		if (t == TIME_NONE)
			t = time_get(b->last->head, TAG_T);
	}
	return t != TIME_NONE ? t : time_get(b->end, TAG_T);
}

void
times_finish(struct build *b)
{
	int64_t wall = time_get(b->begin, TAG_WALL), read = time_get(b->begin, TAG_T_READ);
	int64_t last = time_last(b);
	struct span *s = &b->span;

	if (read == TIME_NONE)
		read = time_get(b->end, TAG_T_READ);
	secs_set(&s->start_time, wall);
	if (wall != TIME_NONE)
		secs_set(&s->timestamp, wall + (last != TIME_NONE ? last : 0));
	secs_set(&s->latency, time_since(last, read));
	if (b->timed)
		secs_set(&s->time_to_first_token, time_since(b->t_content, read));
	secs_set(&s->overhead, time_get(b->end, TAG_OVERHEAD));
	if (b->nattempts > 0) {
		secs_set(&s->routing_time,
		    time_since(time_get(b->attempts[0].send, TAG_T), read));
		breakdown_build(b, &b->attempts[b->nattempts - 1], last);
	}
	if (b->stream)
		inter_token_set(b);
	times_speed(b);
}
