/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: the directory as a whole: opening and recovering it, its writers
 * coming and going, how much it holds, and word to and from the sink. Called
 * by main, by the threads that write when they start and end, and by the sink.
 */
#include <config.h>

#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "journal/private.h"
#include "journal/reader.h"
#include "journal/segment.h"
#include "ledger/ledger.h"

#define SPARES_A_WRITER 2	/* full-grown ones */

/* Counts n more bytes in, unless that passes the limit. */
static bool
journal_claim_below(struct journal *j, uint64_t n, uint64_t limit)
{
	uint64_t total = atomic_load_explicit(&j->total, memory_order_relaxed);

	do {
		if (n > limit || total > limit - n)
			return false;
	} while (!atomic_compare_exchange_weak(&j->total, &total, total + n));
	return true;
}

bool
journal_claim(struct journal *j, uint64_t n)
{
	return journal_claim_below(j, n, j->max_bytes);
}

/* The last quarter is for new segments: only by going on in another can a
 * writer let go of one that has been read. */
bool
journal_claim_extension(struct journal *j, uint64_t n)
{
	return journal_claim_below(j, n, j->max_bytes - j->max_bytes / 4);
}

void
journal_unclaim(struct journal *j, uint64_t n)
{
	atomic_fetch_sub(&j->total, n);
}

static bool
make_directory(const char *dir, char *err, size_t errlen)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		(void)snprintf(err, errlen, "%s: %s", dir, strerror(errno));
		return false;
	}
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || access(dir, R_OK | W_OK | X_OK) < 0) {
		(void)snprintf(err, errlen, "%s: not a directory that can be written", dir);
		return false;
	}
	return true;
}

/* Leaves a series for the helper, with its lock. */
static void
journal_recover_later(struct journal *j, const char *series, int lock)
{
	struct unrecovered *u = xcalloc(1, sizeof(*u));

	(void)snprintf(u->series, sizeof(u->series), "%s", series);
	u->lock = lock;
	u->next = j->unrecovered;
	j->unrecovered = u;
}

/* Recovers one series, unless it has a writer. False: it is of a newer
 * version, the one reason not to start. */
static bool
journal_recover_series(struct journal *j, const char *series, char *err, size_t errlen)
{
	char *path = series_path(j->dir, series);
	int lock = series_lock(path);
	enum recovery_result result = RECOVERY_DONE;

	if (lock >= 0)
		result = recovery_series(j->dir, series, err, errlen);
	else if (errno != EAGAIN)
		log_warn("journal: %s/lock: %s", path, strerror(errno));
	if (result == RECOVERY_LATER) {
		log_warn("journal: %s; trying again later", err);
		journal_recover_later(j, series, lock);
	} else if (lock >= 0)
		(void)close(lock);
	atomic_fetch_add(&j->total, segment_total(path));
	free(path);
	return result != RECOVERY_E_VERSION;
}

static bool
journal_recover(struct journal *j, char *err, size_t errlen)
{
	char **list;
	bool good = true;
	size_t i;

	series_remove_rests(j->dir);
	spares_remove_rests(j->dir);
	list = series_list(j->dir);
	if (list == NULL) {
		(void)snprintf(err, errlen, "%s: %s", j->dir, strerror(errno));
		return false;
	}
	for (i = 0; list[i] != NULL && good; i++)
		good = journal_recover_series(j, list[i], err, errlen);
	series_free(list);
	return good;
}

static struct timespec
deadline(uint64_t us)
{
	uint64_t until = clock_mono_us() + us;

	return (struct timespec){ .tv_sec = (time_t)(until / 1000000), .tv_nsec = (long)(until % 1000000) * 1000 };
}

/* The entry of that series, made if it is not there. */
static struct release *
release_of(struct release **list, const char *series)
{
	struct release *rel;

	for (rel = *list; rel != NULL; rel = rel->next)
		if (strcmp(rel->series, series) == 0)
			return rel;
	rel = xcalloc(1, sizeof(*rel));
	(void)snprintf(rel->series, sizeof(rel->series), "%s", series);
	rel->next = *list;
	*list = rel;
	return rel;
}

static void
releases_free(struct release *rel)
{
	struct release *next;

	for (; rel != NULL; rel = next) {
		next = rel->next;
		free(rel);
	}
}

static void
journal_free(struct journal *j)
{
	struct unrecovered *u;

	releases_free(j->releases);
	releases_free(j->applied);
	while ((u = j->unrecovered) != NULL) {
		j->unrecovered = u->next;
		(void)close(u->lock);
		free(u);
	}
	(void)sem_destroy(&j->helper_wake);
	(void)sem_destroy(&j->sink_wake);
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->release_lock);
	pthread_mutex_destroy(&j->applied_lock);
	pthread_cond_destroy(&j->applied_cond);
	spares_free(&j->spares);
	free(j->dir);
	free(j);
}

/* Small where there are many threads or little room: each writer has up to two
 * segments made, and as much again must be there for what the sink is behind. */
static uint64_t
segment_bytes(const struct journal_config *c)
{
	uint64_t bytes = c->max_bytes / (4 * (c->writers ? c->writers : 1));

	if (bytes > LIMIT_SEGMENT)
		bytes = LIMIT_SEGMENT;
	return bytes < LIMIT_SEGMENT_LEAST ? LIMIT_SEGMENT_LEAST : bytes;
}

struct journal *
journal_open(const struct journal_config *c, char *err, size_t errlen)
{
	pthread_condattr_t attr;
	struct journal *j;
	int error;

	if (!make_directory(c->dir, err, errlen))
		return NULL;
	j = xcalloc(1, sizeof(*j));
	j->dir = xstrdup(c->dir);
	j->max_bytes = c->max_bytes;
	j->sync_us = c->sync_us;
	j->segment_bytes = segment_bytes(c);
	j->spares_most = SPARES_A_WRITER * j->segment_bytes * (c->writers ? c->writers : 1);
	j->start_ms = clock_wall_us() / 1000;
	j->synced_at = clock_mono_us();
	(void)sem_init(&j->helper_wake, 0, 0);
	(void)sem_init(&j->sink_wake, 0, 0);
	pthread_mutex_init(&j->lock, NULL);
	pthread_mutex_init(&j->release_lock, NULL);
	pthread_mutex_init(&j->applied_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->applied_cond, &attr);
	pthread_condattr_destroy(&attr);
	if (!journal_recover(j, err, errlen)) {
		journal_free(j);
		return NULL;
	}
	error = pthread_create(&j->helper, NULL, helper_run, j);
	if (error != 0) {
		(void)snprintf(err, errlen, "journal thread: %s", strerror(error));
		journal_free(j);
		return NULL;
	}
	return j;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->writers != NULL)
		bug("a writer of the journal is still open");
	atomic_store(&j->stop, true);
	(void)sem_post(&j->helper_wake);
	pthread_join(j->helper, NULL);
	journal_free(j);
}

const char *
journal_dir(const struct journal *j)
{
	return j->dir;
}

/* Makes the writer's directory; a name that is taken is passed over. */
static bool
writer_make_series(struct journal_writer *w, unsigned thread, char *err, size_t errlen)
{
	for (w->start_ms = w->journal->start_ms; ; w->start_ms++) {
		(void)snprintf(w->series, sizeof(w->series), "%013llu-%02u",
		    (unsigned long long)w->start_ms, thread);
		free(w->path);
		w->path = series_path(w->journal->dir, w->series);
		w->lock_fd = series_make(w->path);
		if (w->lock_fd >= 0)
			return true;
		if (errno != EEXIST && errno != ENOTEMPTY) {
			(void)snprintf(err, errlen, "%s: %s", w->path, strerror(errno));
			return false;
		}
	}
}

static void
writer_free(struct journal_writer *w)
{
	uint32_t *list;
	size_t n = 1;

	if (w->lock_fd >= 0 && segment_list(w->path, &list, &n) == 0)
		free(list);
	if (w->lock_fd >= 0)
		(void)close(w->lock_fd);
	if (n == 0)
		(void)series_remove(w->path);
	batch_free(&w->batch);
	tally_free(&w->tally);
	free(w->path);
	free(w);
}

/* Without room for a first segment it opens all the same, and drops. */
struct journal_writer *
journal_writer_open(struct journal *j, unsigned thread, char *err, size_t errlen)
{
	struct journal_writer *w = xcalloc(1, sizeof(*w));

	w->journal = j;
	random_bytes(&w->salt_seed, sizeof(w->salt_seed));
	w->fd = w->sync_fd = w->next_fd = w->lock_fd = w->closing.fd = -1;
	w->next_bytes = j->segment_bytes < LIMIT_SEGMENT_FIRST ? j->segment_bytes : LIMIT_SEGMENT_FIRST;
	batch_init(&w->batch);
	/* Under lock, or the helper might take the new series for an ended one. */
	pthread_mutex_lock(&j->lock);
	if (!writer_make_series(w, thread, err, errlen)) {
		pthread_mutex_unlock(&j->lock);
		writer_free(w);
		return NULL;
	}
	atomic_store(&w->next_state, NEXT_WANTED);
	helper_prepare(j, w);
	w->next_writer = j->writers;
	j->writers = w;
	atomic_fetch_add(&j->series_made, 1);
	pthread_mutex_unlock(&j->lock);
	return w;
}

unsigned
journal_series_made(const struct journal *j)
{
	return atomic_load(&j->series_made);
}

void
journal_writer_close(struct journal_writer *w)
{
	struct journal_writer **link;
	struct journal *j;

	if (w == NULL)
		return;
	j = w->journal;
	writer_finish(w);
	pthread_mutex_lock(&j->lock);
	for (link = &j->writers; *link != w; link = &(*link)->next_writer)
		;
	*link = w->next_writer;
	if (atomic_load(&w->retired_full))
		helper_retire(j, w, &w->retired);
	if (w->fd >= 0)
		helper_retire(j, w, &(struct handed){ w->fd, w->number, w->reserved, w->flushed });
	if (atomic_load(&w->next_state) == NEXT_READY)
		helper_retire(j, w, &(struct handed){ w->next.fd, w->next.number, w->next.reserved, 0 });
	writer_free(w);
	pthread_mutex_unlock(&j->lock);
	journal_news(j);
}

/* The sink says that it sleeps before it looks for news, and the writer leaves
 * news before it looks for a sleeper: one of the two sees the other. */
void
journal_news(struct journal *j)
{
	if (!atomic_load(&j->sink_news))
		atomic_store(&j->sink_news, true);
	if (atomic_load(&j->sink_sleeps) && atomic_exchange(&j->sink_sleeps, false))
		(void)sem_post(&j->sink_wake);
}

void
journal_wake(struct journal *j)
{
	pthread_mutex_lock(&j->applied_lock);
	j->hurry = true;
	pthread_cond_broadcast(&j->applied_cond);
	pthread_mutex_unlock(&j->applied_lock);
	journal_news(j);
}

void
journal_applied(struct journal *j, const char *series, uint64_t position)
{
	pthread_mutex_lock(&j->applied_lock);
	release_of(&j->applied, series)->position = position;
	if (j->awaiting > 0)
		pthread_cond_broadcast(&j->applied_cond);
	pthread_mutex_unlock(&j->applied_lock);
}

bool
journal_await(struct journal_writer *w, uint64_t position, uint64_t timeout_us)
{
	struct journal *j = w->journal;
	struct timespec until = deadline(timeout_us);
	struct release *rel;
	int rc = 0;
	bool there;

	pthread_mutex_lock(&j->applied_lock);
	rel = release_of(&j->applied, w->series);
	j->awaiting++;
	pthread_cond_broadcast(&j->applied_cond);
	while (rel->position <= position && rc == 0)
		rc = pthread_cond_timedwait(&j->applied_cond, &j->applied_lock, &until);
	there = rel->position > position;
	j->awaiting--;
	pthread_mutex_unlock(&j->applied_lock);
	return there;
}

void
journal_pause(struct journal *j, uint64_t us)
{
	struct timespec until = deadline(us);
	int rc = 0;

	pthread_mutex_lock(&j->applied_lock);
	while (j->awaiting == 0 && !j->hurry && rc == 0)
		rc = pthread_cond_timedwait(&j->applied_cond, &j->applied_lock, &until);
	j->hurry = false;
	pthread_mutex_unlock(&j->applied_lock);
}

void
journal_wait(struct journal *j, uint64_t timeout_us)
{
	struct timespec ts = deadline(timeout_us);

	while (sem_trywait(&j->sink_wake) == 0)
		;
	atomic_store(&j->sink_sleeps, true);
	if (!atomic_load(&j->sink_news))
		(void)sem_clockwait(&j->sink_wake, CLOCK_MONOTONIC, &ts);
	atomic_store(&j->sink_sleeps, false);
	atomic_store(&j->sink_news, false);
}

void
journal_release(struct journal *j, const char *series, uint64_t position)
{
	struct release *rel;

	pthread_mutex_lock(&j->release_lock);
	rel = release_of(&j->releases, series);
	rel->position = position;
	rel->fresh = true;
	pthread_mutex_unlock(&j->release_lock);
	(void)sem_post(&j->helper_wake);
}
