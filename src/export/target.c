/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: see target.h. A look at the store gives a list of rows; they are read,
 * put into a request by the sink's kind and sent; what the answer says of them
 * is written down before the place moves on. A target that does not take is
 * tried again and again, with pauses; nothing is skipped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "export/target_int.h"

#define IDLE_US 1000000		/* how often it looks when nothing was told */
#define GATHER_US 200000	/* between the starts of two looks, so that few requests have many spans */

bool
target_ending(const struct target *t)
{
	return atomic_load(&t->deadline) != UINT64_MAX;
}

bool
target_over(const struct target *t)
{
	return clock_mono_us() >= atomic_load(&t->deadline);
}

/* Says what is wrong with it, once, and when it is well again. */
void
target_problem(struct target *t, const char *text)
{
	bool before = t->troubled;

	t->troubled = text != NULL;
	ledger_sink_problem(t->ledger, text);
	snprintf(t->state.problem, sizeof(t->state.problem), "%s", text ? text : "");
	if (text && !before)
		log_error("sink %s: %s (spans wait in the store)", t->id, text);
	else if (!text && before)
		log_info("sink %s: takes spans again", t->id);
}

bool
target_save(struct target *t)
{
	char text[200];

	if (state_write(t->dir, &t->state)) {
		news_needed(t->follower, t->state.place.rev);	/* not before: a crash goes back to what is written */
		t->saved_us = clock_mono_us();
		t->unsaved = false;
		return true;
	}
	snprintf(text, sizeof(text), "how far it has come cannot be written: %s", strerror(errno));
	target_problem(t, text);
	return false;
}

static void
settings_use(struct target *t, struct config *c)
{
	config_unref(t->config);
	t->config = c;
	t->sink = config_sink(c, slice_str(t->id));
	if (t->sink == NULL)
		bug("the settings have no sink %s", t->id);
	t->kind = export_kinds[t->sink->kind];
	t->part = 0;
	t->limit = SIZE_MAX;
	full_free(t->full);
	t->full = NULL;
}

static void
kind_close(struct target *t)
{
	if (t->state_of != NULL && t->state_of->close != NULL)
		t->state_of->close(t->request.state);
	t->state_of = NULL;
	t->request.state = NULL;
}

/* The state of the kind that the settings say. */
static void
kind_open(struct target *t)
{
	if (t->state_of == t->kind)
		return;
	kind_close(t);
	t->state_of = t->kind;
	if (t->kind->open != NULL)
		t->request.state = t->kind->open(t->dir);
}

static bool
store_open(struct target *t)
{
	char err[300];

	if (t->store == NULL)
		t->store = store_sqlite.open(t->data_dir, false, err, sizeof(err));
	if (t->store == NULL) {
		target_problem(t, err);
		return false;
	}
	if (t->full == NULL)
		t->full = full_new(&store_sqlite, t->store, &t->config->spans);
	return true;
}

static void
store_close(struct target *t)
{
	full_free(t->full);
	t->full = NULL;
	if (t->store != NULL)
		store_sqlite.close(t->store);
	t->store = NULL;
}

void
target_store_failed(struct target *t)
{
	char text[200];

	snprintf(text, sizeof(text), "the store cannot be read: %s", store_sqlite.error(t->store));
	target_problem(t, text);
	store_close(t);
}

/* Where it begins, if this is its first time. False: that cannot be found yet. */
static bool
place_find(struct target *t)
{
	if (t->placed)
		return true;
	if (store_sqlite.news_from(t->store, t->sink->from_start, &t->state.place) != STORE_OK) {
		target_store_failed(t);
		return false;
	}
	t->placed = target_save(t);
	return t->placed;
}

/* Looks what is new. */
static bool
look(struct target *t)
{
	t->news = (struct store_news){ .list = t->list, .room = LIMIT_SINK_LOOK };
	if (store_sqlite.news(t->store, &t->state.place, &t->news) != STORE_OK) {
		target_store_failed(t);
		return false;
	}
	if (t->news.back)
		log_warn("sink %s: the store is older than what was sent: it goes on from the store's end", t->id);
	t->state.place = t->news.start;
	t->request.look++;
	return true;
}

/* How far behind it is. */
void
target_lag(struct target *t)
{
	uint64_t now = clock_wall_us() / 1000;
	struct store_news news = { .room = 0 };

	if (t->store == NULL || store_sqlite.news(t->store, &t->state.place, &news) != STORE_OK)
		return;
	ledger_sink_lag(t->ledger, news.ahead, news.ahead > 0 && t->oldest_ms > 0 && now > t->oldest_ms ?
	    (now - t->oldest_ms) * 1000 : 0);
}

/* Waits, but not beyond what changes matters. */
void
target_pause(struct target *t, uint64_t us)
{
	uint64_t until = clock_mono_us() + us, step;
	struct timespec ts;

	while (!target_ending(t) && clock_mono_us() < until) {
		step = clock_mono_us() + IDLE_US;
		step = step < until ? step : until;
		ts = (struct timespec){ .tv_sec = (time_t)(step / 1000000), .tv_nsec = (long)(step % 1000000) * 1000 };
		pthread_mutex_lock(&t->lock);
		if (t->next == NULL && !target_ending(t))
			pthread_cond_timedwait(&t->changed, &t->lock, &ts);
		if (t->next != NULL)
			until = 0;
		pthread_mutex_unlock(&t->lock);
		target_lag(t);
	}
}

/* Takes new settings, if there are any. */
static void
settings_take(struct target *t)
{
	struct config *c;

	pthread_mutex_lock(&t->lock);
	c = t->next;
	t->next = NULL;
	pthread_mutex_unlock(&t->lock);
	if (c != NULL)
		settings_use(t, c);
}

/* Sends what the list holds. False: it did not come to its end. */
static bool
list_work(struct target *t)
{
	memset(t->fate, FATE_SENT, sizeof(t->fate));
	for (t->at = 0; t->at < t->news.count;) {
		settings_take(t);
		kind_open(t);
		if (target_over(t) || (target_ending(t) && t->failures > 0) || !store_open(t) || !deliver(t))
			return false;
	}
	return true;
}

/* What is new. *more: the list was full. */
static bool
news_work(struct target *t, bool *more)
{
	*more = false;
	if (!place_find(t) || !look(t))
		return false;
	target_lag(t);
	if (t->news.gone > 0) {
		log_warn("sink %s: %llu spans were removed from the store before they were sent", t->id,
		    (unsigned long long)t->news.gone);
		t->state.gone += t->news.gone;
		ledger_sink_spans(t->ledger, LEDGER_SINK_GONE, t->news.gone);
	}
	if (!list_work(t))
		return false;
	t->state.place = t->news.place;
	news_needed(t->follower, t->state.place.rev);
	if (t->failures == 0)
		target_problem(t, NULL);
	*more = t->news.count >= LIMIT_SINK_LOOK / 2;
	return true;
}

static bool
is_among(const struct dead_letter *d, void *arg)
{
	const struct resend *what = arg;

	for (size_t i = 0; i < what->n; i++)
		if (memcmp(what->ids[i], d->id, 16) == 0)
			return true;
	return false;
}

/* The list of what is asked for from *from on; ids that the store has not any
 * more are put aside into `gone`. */
static bool
resend_list(struct target *t, size_t *from, struct resend *gone)
{
	t->news = (struct store_news){ .list = t->list, .room = LIMIT_SINK_LOOK };
	for (; *from < t->resend.n && t->news.count < LIMIT_SINK_LOOK; ++*from) {
		const uint8_t *id = t->resend.ids[*from];
		int rc = store_sqlite.news_of(t->store, id, &t->list[t->news.count]);

		if (rc == STORE_OK)
			t->news.count++;
		else if (rc == STORE_NOT_FOUND)
			memcpy(gone->ids[gone->n++], id, 16);
		else {
			target_store_failed(t);
			return false;
		}
	}
	return true;
}

/* All dead letters, where no ids were named. */
static void
resend_expand(struct target *t)
{
	struct resend *r = &t->resend;

	if (!r->all)
		return;
	r->ids = xmalloc((t->dead.n + 1) * sizeof(*r->ids));
	for (r->n = 0; r->n < t->dead.n; r->n++)
		memcpy(r->ids[r->n], t->dead.list[r->n].id, 16);
}

static bool
resend_all(struct target *t, struct resend *gone)
{
	size_t from = 0;

	while (from < t->resend.n)
		if (!resend_list(t, &from, gone) || !list_work(t))
			return false;
	return gone->n == 0 || dead_remove(&t->dead, is_among, gone) >= 0;
}

/* Sends dead letters again or drops them, if somebody asked for it. False: it did not come to
 * its end and is done anew. */
static bool
resend_work(struct target *t)
{
	uint64_t sent = t->state.sent, dead = t->state.dead;
	struct resend gone = { .n = 0 };
	size_t before;
	char text[200];
	bool good;

	if (!resend_look(t->dir, &t->resend))
		return true;
	resend_expand(t);
	before = t->dead.n;
	gone.ids = xmalloc((t->resend.n + 1) * sizeof(*gone.ids));
	if (t->resend.drop)
		good = dead_remove(&t->dead, is_among, &t->resend) >= 0;
	else {
		t->resending = true;
		good = resend_all(t, &gone);
		t->resending = false;
	}
	if (good) {
		if (t->resend.drop)
			snprintf(text, sizeof(text), "%zu dropped", before - t->dead.n);
		else
			snprintf(text, sizeof(text), "%llu sent, %llu refused again, %zu not in the store any more",
			    (unsigned long long)(t->state.sent - sent), (unsigned long long)(t->state.dead - dead), gone.n);
		log_info("sink %s: dead letters: %s", t->id, text);
		ledger_sink_dead(t->ledger, t->dead.n);
		resend_answer(t->dir, text);
	}
	resend_free(&gone);
	resend_free(&t->resend);
	return good;
}

static void *
target_run(void *arg)
{
	struct target *t = arg;
	uint64_t heard = 0, start;
	char name[16];
	bool more;

	snprintf(name, sizeof(name), "to %.12s", t->id);
	thread_background(name);
	while (!target_over(t)) {
		start = clock_mono_us();
		settings_take(t);
		kind_open(t);
		heard = news_wait(heard, start);
		if (!store_open(t) || !resend_work(t) || !news_work(t, &more)) {
			if (target_ending(t))
				break;
			target_pause(t, IDLE_US);
			continue;
		}
		if (more)
			continue;
		if (target_ending(t))
			break;
		heard = news_wait(heard, clock_mono_us() + IDLE_US);
		if (!target_ending(t) && clock_mono_us() - start < GATHER_US)
			target_pause(t, GATHER_US - (clock_mono_us() - start));
	}
	if (t->unsaved)
		(void)target_save(t);
	store_close(t);
	return NULL;
}

/* What was written down of it, and whether the store is still as far. */
static void
state_load(struct target *t)
{
	struct store_news news;
	char err[300];

	t->placed = state_read(t->dir, &t->state);
	if (!t->placed && errno != ENOENT)
		log_error("sink %s: %s/state: %s: it begins anew", t->id, t->dir, strerror(errno));
	if (!dead_open(&t->dead, t->dir))
		log_error("sink %s: %s/dead: %s", t->id, t->dir, strerror(errno));
	ledger_sink_dead(t->ledger, t->dead.n);
	t->state.problem[0] = '\0';
	news_needed(t->follower, t->state.place.rev);
	t->store = store_sqlite.open(t->data_dir, false, err, sizeof(err));
	if (t->store == NULL)
		return;		/* its thread will try again, and say so */
	news = (struct store_news){ .room = 0 };
	if (place_find(t) && store_sqlite.news(t->store, &t->state.place, &news) == STORE_OK && news.back) {
		log_warn("sink %s: the store is older than what was sent: it goes on from the store's end", t->id);
		t->state.place = news.start;
		(void)target_save(t);
	}
	store_close(t);
}

struct target *
target_open(struct config *config, const char *data_dir, const char *id, const char *instance)
{
	struct target *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;

	t->id = xstrdup(id);
	t->data_dir = xstrdup(data_dir);
	t->dir = export_dir(data_dir, id);
	t->request.instance = instance;
	atomic_init(&t->deadline, UINT64_MAX);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	settings_use(t, config_ref(config));
	buf_init(&t->request.headers, 64 * KIB);
	buf_init(&t->request.body, LIMIT_SINK_BODY);
	t->post = post_new();
	t->follower = news_join();
	t->ledger = ledger_sink_open(id, t->kind->name);
	if (!directory_make(t->dir))
		log_error("sink %s: %s: %s", id, t->dir, strerror(errno));
	state_load(t);
	return t;
}

bool
target_start(struct target *t)
{
	t->running = pthread_create(&t->thread, NULL, target_run, t) == 0;
	if (!t->running)
		target_problem(t, "its thread could not be started");
	return t->running;
}

const char *
target_id(const struct target *t)
{
	return t->id;
}

void
target_reload(struct target *t, struct config *c)
{
	pthread_mutex_lock(&t->lock);
	config_unref(t->next);
	t->next = config_ref(c);
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	news_tell();
}

void
target_hurry(struct target *t, uint64_t deadline_us)
{
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->deadline, deadline_us);
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	post_hurry(t->post, deadline_us);
	news_tell();
}

void
target_free(struct target *t)
{
	if (t->running)
		pthread_join(t->thread, NULL);
	ledger_sink_close(t->ledger);
	news_leave(t->follower);
	deliver_free(t);
	kind_close(t);
	dead_close(&t->dead);
	post_free(t->post);
	store_close(t);
	config_unref(t->next);
	config_unref(t->config);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t->id);
	free(t->data_dir);
	free(t->dir);
	free(t);
}
