/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown.c: holds an answer's end, has the breakdown made, puts it in. Owns
 * the copy of the records, what is held, the timer and the job. Called by the
 * exchange and its tape on a gate thread, which never waits: the job answers by
 * a message. A job whose exchange has gone on without it is freed when its
 * message arrives, so neither side can pull it from under the other.
 */
#include "gate/breakdown.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/ending.h"
#include "core/limits.h"
#include "gate/exchange.h"
#include "gate/gate_private.h"
#include "gate/local_private.h"
#include "gate/thread.h"
#include "ledger/ledger.h"
#include "span/breakdown.h"

struct breakdown_job {
	struct message	 message;	/* first */
	struct local_task task;
	struct gate_thread *thread;
	struct settings	*settings;
	struct buf	 records;	/* goes on counting as body bytes until the job is freed */
	bool		 events;
	struct buf	 out;
	enum breakdown_result result;
	atomic_bool	 late;		/* nobody waits any more: do not begin */
	struct exchange	*x;		/* gate thread only; NULL: it has gone on without */
};

struct breakdown {
	struct buf	 records;
	struct ending	 ending;
	struct breakdown_job *job;	/* under way, or done and not yet added */
	bool		 over;		/* nothing is copied, held or waited for any more */
	bool		 made;		/* the job has answered */
	bool		 timing;
	struct event	 timer;
};

/* ---- the job ---- */

static void
records_free(struct gate_thread *t, struct buf *records)
{
	t->body_bytes -= records->len;
	ledger_add(LEDGER_BODY_BYTES, -(int64_t)records->len);
	buf_free(records);
}

static void
job_free(struct breakdown_job *job)
{
	records_free(job->thread, &job->records);
	buf_free(&job->out);
	settings_unref(job->settings);
	free(job);
}

static void
job_deliver(struct gate_thread *t, struct message *m)
{
	struct breakdown_job *job = (struct breakdown_job *)m;

	(void)t;
	if (job->x == NULL) {
		job_free(job);
		return;
	}
	job->x->breakdown->made = true;
	exchange_step(job->x, EVENT_BREAKDOWN);
}

/* On an API thread. */
static void
job_run(struct local_task *task)
{
	struct breakdown_job *job = task->arg;

	if (!atomic_load(&job->late))
		job->result = breakdown_make(buf_view(&job->records), &job->settings->config->spans,
		    job->events, &job->out);
	thread_post(job->thread, &job->message);
}

/* Lets go of the job, which may be running. */
static void
job_leave(struct breakdown *b)
{
	struct breakdown_job *job = b->job;

	b->job = NULL;
	if (job == NULL)
		return;
	job->x = NULL;
	atomic_store(&job->late, true);
	if (b->made)
		job_free(job);
}

/* It took too long: the answer's end goes out without. */
static void
breakdown_late(evutil_socket_t fd, short what, void *arg)
{
	struct exchange *x = arg;

	(void)fd;
	(void)what;
	thread_clock(x->thread);
	job_leave(x->breakdown);
	exchange_step(x, EVENT_BREAKDOWN);
}

static void
timer_start(struct exchange *x)
{
	static const struct timeval patience = { LIMIT_BREAKDOWN_US / 1000000, LIMIT_BREAKDOWN_US % 1000000 };
	struct breakdown *b = x->breakdown;

	event_assign(&b->timer, x->thread->base, -1, 0, breakdown_late, x);
	event_add(&b->timer, &patience);
	b->timing = true;
}

/* The answer is there: the job begins. */
static void
breakdown_start(struct exchange *x)
{
	struct breakdown *b = x->breakdown;
	struct breakdown_job *job;

	tape_copy_end(x);
	if (b->over)	/* END was too much */
		return;
	job = b->job = xcalloc(1, sizeof(*job));
	job->message.deliver = job_deliver;
	job->task = (struct local_task){ .run = job_run, .arg = job };
	job->thread = x->thread;
	job->settings = settings_ref(x->settings);
	job->records = b->records;
	buf_init(&b->records, LIMIT_BREAKDOWN);
	job->events = b->ending.kind == ENDING_EVENTS;
	job->result = BREAKDOWN_FAILED;
	job->x = x;
	buf_init(&job->out, LIMIT_BREAKDOWN_TEXT);
	if (local_pool_run(gate_local_pool(x->thread->gate), &job->task)) {
		timer_start(x);
		return;
	}
	b->made = true;		/* it never ran: nobody else knows of it */
	breakdown_leave(x, "breakdown_too_slow");
}

/* ---- the exchange ---- */

void
breakdown_ask(struct exchange *x)
{
	struct jvalue header = { JNONE, SLICE_NONE };
	struct buf *text = &x->thread->text;
	struct breakdown *b;

	if (!family_has_breakdown(x->family) || x->uploading)
		return;
	buf_clear(text);
	if (tape_params(x, text))
		jscan_check(buf_view(text), &header, NULL);
	if (!rewrite_switch(&x->rewrite, header, "request_breakdown"))
		return;
	b = x->breakdown = xcalloc(1, sizeof(*b));
	buf_init(&b->records, LIMIT_BREAKDOWN);
}

bool
breakdown_wanted(const struct exchange *x)
{
	return x->breakdown != NULL && !x->breakdown->over;
}

void
breakdown_record(struct exchange *x, enum record_type type, struct slice fields, struct slice tail)
{
	size_t len = RECORD_HEAD + fields.len + tail.len;
	struct breakdown *b = x->breakdown;
	struct gate_thread *t = x->thread;
	char *p;

	if (b == NULL || b->over || b->job != NULL)
		return;
	if (t->body_bytes + len > x->settings->config->thread_bodies ||
	    (p = buf_reserve(&b->records, len)) == NULL) {
		breakdown_leave(x, "breakdown_too_large");
		return;
	}
	record_head(p, type, 0, x->id, 0, fields, tail);
	b->records.len += RECORD_HEAD;
	buf_slice(&b->records, fields);
	buf_slice(&b->records, tail);
	t->body_bytes += len;
	ledger_add(LEDGER_BODY_BYTES, (int64_t)len);
}

static bool
type_is(struct slice type, struct slice want)
{
	return type.len >= want.len && slice_caseeq(slice_make(type.ptr, want.len), want) &&
	    (type.len == want.len || memchr("; \t", type.ptr[want.len], 3) != NULL);
}

/* Why this answer gets none; NULL: it does, by *kind. */
static const char *
breakdown_refusal(const struct exchange *x, const struct http1_head *h, enum ending_kind *kind)
{
	struct slice type = http1_field(h, SLICE("content-type"));
	struct slice coding = http1_field(h, SLICE("content-encoding"));

	if (h->status != 200 || h->framing == HTTP1_NO_BODY)
		return "breakdown_not_here";
	if (coding.len > 0 && !slice_caseeq(coding, SLICE("identity")))
		return "breakdown_coded";
	*kind = ENDING_EVENTS;
	if (type_is(type, SLICE("text/event-stream")))
		return x->family == FAMILY_CHAT ? NULL : "breakdown_not_here";
	*kind = ENDING_JSON;
	if (!type_is(type, SLICE("application/json")))
		return "breakdown_not_json";
	/* known before: then it keeps its length */
	if (h->framing == HTTP1_SIZED && h->length > LIMIT_BREAKDOWN - x->breakdown->records.len)
		return "breakdown_too_large";
	return NULL;
}

void
breakdown_begin(struct exchange *x, const struct http1_head *h)
{
	enum ending_kind kind;
	const char *refusal;

	if (!breakdown_wanted(x))
		return;
	refusal = breakdown_refusal(x, h, &kind);
	if (refusal != NULL) {
		/* of an error nobody expects one */
		breakdown_leave(x, h->status < 300 ? refusal : NULL);
		return;
	}
	ending_init(&x->breakdown->ending, kind);
	x->adding = true;
}

void
breakdown_data(struct exchange *x, struct slice s)
{
	struct breakdown *b = x->breakdown;
	struct slice piece;

	ending_feed(&b->ending, s);
	while (ending_next(&b->ending, &piece))
		exchange_emit(x, piece);
	if (b->ending.full)
		breakdown_leave(x, "breakdown_too_large");
	else if (b->ending.done && b->job == NULL)
		/* also where the provider keeps the stream open behind [DONE] */
		breakdown_start(x);
}

bool
breakdown_end(struct exchange *x)
{
	struct breakdown *b = x->breakdown;

	if (!x->adding)
		return false;
	if (x->down == NULL)
		breakdown_leave(x, NULL);
	else if (b->ending.kind == ENDING_JSON && b->ending.held.len == 0)
		breakdown_leave(x, "breakdown_not_json");
	else if (b->job == NULL)
		breakdown_start(x);
	return x->adding;
}

/* Bytes that are no part of the provider's answer. */
static void
emit_own(struct exchange *x, struct slice s)
{
	exchange_emit(x, s);
	if (x->down != NULL)
		x->sent_len -= s.len;
}

/* Where [DONE] or a bracket is held it comes before that, else at the end. */
static void
breakdown_put(struct exchange *x, struct slice text)
{
	struct breakdown *b = x->breakdown;
	bool behind = b->ending.kind == ENDING_EVENTS && !b->ending.done;

	if (behind) {
		exchange_emit(x, buf_view(&b->ending.held));
		buf_clear(&b->ending.held);
		emit_own(x, slice_str(ending_gap(&b->ending)));
	}
	emit_own(x, text);
}

void
breakdown_add(struct exchange *x)
{
	struct breakdown *b = x->breakdown;
	const char *note = NULL;

	if (b->job == NULL)
		note = "breakdown_too_slow";
	else if (b->job->result == BREAKDOWN_MADE)
		breakdown_put(x, buf_view(&b->job->out));
	else
		note = b->job->result == BREAKDOWN_NOT_JSON ? "breakdown_not_json" : "breakdown_too_large";
	breakdown_leave(x, note);
}

void
breakdown_leave(struct exchange *x, const char *note)
{
	struct breakdown *b = x->breakdown;

	if (b == NULL || b->over)
		return;
	b->over = true;
	if (b->timing)
		event_del(&b->timer);
	job_leave(b);
	records_free(x->thread, &b->records);
	if (note != NULL)
		tape_note(&x->tape, note);
	if (x->adding) {
		exchange_emit(x, buf_view(&b->ending.held));
		ending_free(&b->ending);
		x->adding = false;
	}
}

void
breakdown_free(struct exchange *x)
{
	breakdown_leave(x, NULL);
	free(x->breakdown);
}
