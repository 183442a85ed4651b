/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local: the REST API's side of an exchange. Owns the pool of API threads, its
 * queue, and the jobs. A job is freed by its gate thread when its last message
 * arrives there, so neither side can pull it from under the other.
 */
#include "gate/local.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/base.h"
#include "core/head.h"
#include "core/limits.h"
#include "gate/reply.h"
#include "gate/gate_private.h"
#include "gate/local_private.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

#define BLOCK_SIZE (64 * KIB)	/* answer bytes that travel to the gate thread at once */

enum block_kind { BLOCK_HEAD = 1, BLOCK_DATA = 2, BLOCK_END = 4 };

/* A piece of answer on its way. */
struct block {
	struct message		 message;	/* first */
	STAILQ_ENTRY(block)	 link;		/* while the client is slow */
	struct local_job	*job;
	unsigned		 kind;		/* of enum block_kind, several may be set */
	size_t			 len;
	char			 data[];
};

struct local_job {
	struct local_task	 task;		/* in the pool's queue */
	struct local_pool	*pool;
	struct gate_thread	*thread;
	struct settings		*settings;
	struct local_request	 request;
	char			*text;		/* what request's slices point into */
	char			*body;
	/* gate thread only */
	struct exchange		*x;		/* NULL: cancelled */
	STAILQ_HEAD(, block)	 waiting;
	/* pool thread only */
	struct local_thread	*runs_on;
	unsigned		 status;
	char			*type, *headers;
	bool			 head_posted;
	struct buf		 out;
	/* both */
	pthread_mutex_t		 lock;
	pthread_cond_t		 room;
	size_t			 unsent;
	bool			 gone;
};

/* A pool thread and what it writes with. */
struct local_thread {
	pthread_t		 id;
	struct local_pool	*pool;
	unsigned		 number;	/* of its journal series */
	struct journal_writer	*writer;	/* NULL: it has written nothing yet */
	struct uuid7		 uuid;
};

struct local_pool {
	pthread_mutex_t		 lock;
	pthread_cond_t		 work;
	STAILQ_HEAD(, local_task) queue;
	unsigned		 waiting;
	bool			 stopping;
	local_handler		*handler;
	void			*arg;
	struct journal		*journal;
	struct local_thread	*threads;
	unsigned		 nthreads;
};

static void	block_deliver(struct gate_thread *, struct message *);

/* ---- pool threads ---- */

/* Sends what has collected. False: nobody wants it any more. */
static bool
job_post(struct local_job *job, unsigned kind)
{
	struct block *b;
	bool gone;

	if (!job->head_posted)
		kind |= BLOCK_HEAD;
	job->head_posted = true;
	b = xcalloc(1, sizeof(*b) + job->out.len);
	b->message.deliver = block_deliver;
	b->job = job;
	b->kind = kind;
	b->len = job->out.len;
	if (b->len > 0)
		memcpy(b->data, job->out.ptr, b->len);
	buf_clear(&job->out);
	pthread_mutex_lock(&job->lock);
	job->unsent += b->len;
	pthread_mutex_unlock(&job->lock);
	thread_post(job->thread, &b->message);
	if (kind & BLOCK_END)
		return false;	/* the job may be gone by now */
	pthread_mutex_lock(&job->lock);
	while (job->unsent > LIMIT_LOCAL_BLOCKS && !job->gone)
		pthread_cond_wait(&job->room, &job->lock);
	gone = job->gone;
	pthread_mutex_unlock(&job->lock);
	return !gone;
}

void
local_head(struct local_job *job, unsigned status, const char *content_type, const char *headers)
{
	job->status = status;
	job->type = content_type ? xstrdup(content_type) : NULL;
	job->headers = headers ? xstrdup(headers) : NULL;
}

bool
local_write(struct local_job *job, const void *ptr, size_t len)
{
	struct slice s = slice_make(ptr, len);
	size_t n;

	while (s.len > 0) {
		n = BLOCK_SIZE - job->out.len;
		if (n > s.len)
			n = s.len;
		buf_append(&job->out, s.ptr, n);
		s = slice_from(s, n);
		if (job->out.len == BLOCK_SIZE && !job_post(job, BLOCK_DATA))
			return false;
	}
	return true;
}

struct journal_writer *
local_writer(struct local_job *job, struct uuid7 **uuid, char *err, size_t errlen)
{
	struct local_thread *t = job->runs_on;

	if (t->writer == NULL) {
		t->writer = journal_writer_open(job->pool->journal, t->number, err, errlen);
		random_bytes(t->uuid.random, sizeof(t->uuid.random));
	}
	*uuid = &t->uuid;
	return t->writer;
}

static void
job_run(struct local_task *task)
{
	struct local_job *job = task->arg;

	job->runs_on = task->thread;
	job->pool->handler(job, &job->request, job->pool->arg);
	job_post(job, BLOCK_DATA | BLOCK_END);
}

static void *
pool_main(void *arg)
{
	struct local_thread *self = arg;
	struct local_pool *p = self->pool;
	struct local_task *task;

	thread_background("api");
	for (;;) {
		pthread_mutex_lock(&p->lock);
		while (STAILQ_EMPTY(&p->queue) && !p->stopping)
			pthread_cond_wait(&p->work, &p->lock);
		task = STAILQ_FIRST(&p->queue);
		if (task == NULL) {
			pthread_mutex_unlock(&p->lock);
			if (self->writer != NULL)
				journal_writer_close(self->writer);
			return NULL;
		}
		STAILQ_REMOVE_HEAD(&p->queue, link);
		p->waiting--;
		pthread_mutex_unlock(&p->lock);
		task->thread = self;
		task->run(task);
	}
}

struct local_pool *
local_pool_start(unsigned threads, struct journal *journal, unsigned first_writer, local_handler *handler,
    void *arg)
{
	struct local_pool *p = xcalloc(1, sizeof(*p));
	unsigned i;

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	STAILQ_INIT(&p->queue);
	p->handler = handler;
	p->arg = arg;
	p->nthreads = threads;
	p->threads = xcalloc(threads, sizeof(*p->threads));
	p->journal = journal;
	for (i = 0; i < threads; i++) {
		p->threads[i].pool = p;
		p->threads[i].number = first_writer + i;
		if (pthread_create(&p->threads[i].id, NULL, pool_main, &p->threads[i]) != 0)
			abort();
	}
	return p;
}

bool
local_pool_run(struct local_pool *p, struct local_task *task)
{
	bool taken;

	pthread_mutex_lock(&p->lock);
	taken = p->waiting < LIMIT_LOCAL_JOBS && !p->stopping;
	if (taken) {
		p->waiting++;
		STAILQ_INSERT_TAIL(&p->queue, task, link);
	}
	pthread_mutex_unlock(&p->lock);
	if (taken)
		pthread_cond_signal(&p->work);
	return taken;
}

void
local_pool_stop(struct local_pool *p)
{
	unsigned i;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i].id, NULL);
}

void
local_pool_free(struct local_pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	free(p->threads);
	free(p);
}

/* ---- gate threads ---- */

static void
job_free(struct local_job *job)
{
	job->thread->body_bytes -= job->request.body.len;
	ledger_add(LEDGER_BODY_BYTES, -(int64_t)job->request.body.len);
	settings_unref(job->settings);
	pthread_mutex_destroy(&job->lock);
	pthread_cond_destroy(&job->room);
	buf_free(&job->out);
	free(job->type);
	free(job->headers);
	free(job->text);
	free(job->body);
	free(job);
}

/* The job's head as if a provider had sent it. */
static void
job_answer_head(struct local_job *job, const struct block *b)
{
	struct exchange *x = job->x;
	struct http1_head *h = x->thread->head;
	struct slice lines = slice_str(job->headers);

	h->status = job->status;
	h->reason = slice_str(reply_phrase(job->status));
	h->nfields = 0;
	if (job->type != NULL)
		h->fields[h->nfields++] = (struct http1_field){
		    .name = SLICE("content-type"), .value = slice_str(job->type) };
	while (lines.len > 0 && h->nfields < LIMIT_FIELDS &&
	    head_line_next(&lines, &h->fields[h->nfields])) {
		/* of a head that was read here before, it may have been one to be dropped */
		h->fields[h->nfields].flags = head_flags(h->fields[h->nfields].name);
		h->nfields++;
	}
	h->framing = b->kind & BLOCK_END ? HTTP1_SIZED : HTTP1_CHUNKED;
	h->length = b->len;
	if (x->head_method || job->status == 204)
		h->framing = HTTP1_NO_BODY;
	x->answer = h;
	x->t_last = x->thread->now;
	exchange_step(x, EVENT_UP_HEAD);
}

static void
job_room(struct local_job *job, size_t n)
{
	pthread_mutex_lock(&job->lock);
	job->unsent -= n;
	pthread_cond_signal(&job->room);
	pthread_mutex_unlock(&job->lock);
}

/* Tells the exchange what a block says; frees the block, and with the last one
 * the job. */
static void
block_tell(struct block *b)
{
	struct local_job *job = b->job;
	bool last = b->kind & BLOCK_END;
	struct exchange *x;

	if (job->x != NULL && (b->kind & BLOCK_HEAD))
		job_answer_head(job, b);
	if (job->x != NULL && b->len > 0 && !job->x->head_method) {
		job->x->in = slice_make(b->data, b->len);
		exchange_step(job->x, EVENT_UP_DATA);
	}
	job_room(job, b->len);
	if (job->x != NULL && last) {
		x = job->x;
		job->x = NULL;
		x->up = NULL;
		x->t_last = x->thread->now;
		exchange_step(x, EVENT_UP_END);
	}
	free(b);
	if (last)
		job_free(job);
}

static void
block_deliver(struct gate_thread *t, struct message *m)
{
	struct block *b = (struct block *)m;
	struct local_job *job = b->job;

	(void)t;
	if (job->x != NULL && (job->x->up_paused || !STAILQ_EMPTY(&job->waiting)))
		STAILQ_INSERT_TAIL(&job->waiting, b, link);
	else
		block_tell(b);
}

/* Blocks that wait, as long as the client takes them. */
static void
job_tell_waiting(struct local_job *job)
{
	struct block *b;
	bool last;

	while ((b = STAILQ_FIRST(&job->waiting)) != NULL &&
	    (job->x == NULL || !job->x->up_paused)) {
		STAILQ_REMOVE_HEAD(&job->waiting, link);
		last = b->kind & BLOCK_END;
		block_tell(b);
		if (last)
			return;
	}
}

static struct slice
job_copy(struct slice s, char **to)
{
	struct slice copy = slice_make(*to, s.len);

	if (s.ptr == NULL)
		return SLICE_NONE;
	memcpy(*to, s.ptr, s.len);
	*to += s.len;
	return copy;
}

static struct local_job *
job_new(struct exchange *x)
{
	struct local_job *job = xcalloc(1, sizeof(*job));
	struct local_request *r = &job->request;
	const struct request_head *h = x->head;
	struct slice range = exchange_field(x, SLICE("range"));
	struct slice key = exchange_field(x, SLICE("idempotency-key"));
	struct slice type = exchange_field(x, SLICE("content-type"));
	struct slice encoding = exchange_field(x, SLICE("content-encoding"));
	char *to;

	job->thread = x->thread;
	job->settings = settings_ref(x->settings);
	job->x = x;
	STAILQ_INIT(&job->waiting);
	buf_init(&job->out, BLOCK_SIZE);
	pthread_mutex_init(&job->lock, NULL);
	pthread_cond_init(&job->room, NULL);
	to = job->text = xmalloc(h->method.len + x->route.path.len + 2 * h->target.len +
	    h->host.len + range.len + key.len + type.len + encoding.len + 1);
	r->method = job_copy(h->method, &to);
	r->path = job_copy(x->route.path, &to);
	r->target = job_copy(h->target, &to);
	r->query = job_copy(h->query, &to);
	r->host = job_copy(h->host, &to);
	r->range = job_copy(range, &to);
	r->idempotency_key = job_copy(key, &to);
	r->content_type = job_copy(type, &to);
	r->content_encoding = job_copy(encoding, &to);
	r->config = x->settings->config;
	r->key = x->auth.key;
	/* The body changes hands; it goes on counting until the job is freed. */
	r->body = slice_make(x->body, x->body_len);
	job->body = x->body;
	x->body = NULL;
	x->body_len = 0;
	return job;
}

static void
local_start(struct exchange *x)
{
	struct local_pool *p = gate_local_pool(x->thread->gate);
	struct local_job *job = job_new(x);

	job->pool = p;
	job->task = (struct local_task){ .run = job_run, .arg = job };
	x->up = job;
	if (local_pool_run(p, &job->task))
		return;
	x->up = NULL;
	job_free(job);
	exchange_end(x, REASON_OVERLOADED, NULL);
}

static void
local_pause(struct exchange *x)
{
	(void)x;	/* blocks wait in the job, the job waits for room */
}

static void
local_resume(struct exchange *x)
{
	job_tell_waiting(x->up);
}

static void
local_cancel(struct exchange *x)
{
	struct local_job *job = x->up;

	x->up = NULL;
	job->x = NULL;
	pthread_mutex_lock(&job->lock);
	job->gone = true;
	pthread_cond_signal(&job->room);
	pthread_mutex_unlock(&job->lock);
	job_tell_waiting(job);
}

const struct up_ops local_ops = {
	.start = local_start,
	.pause = local_pause,
	.resume = local_resume,
	.cancel = local_cancel,
};
