/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper: the thread that does for the writers what might wait: makes segments
 * and reserves their room, syncs, closes and deletes; tells /readyz when
 * something is wrong. It looks around once a second and when it is woken.
 * Never touches a writer's own members, only what is handed over.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "journal/private.h"
#include "journal/reader_state.h"
#include "journal/segment.h"
#include "ledger/ledger.h"

#define HELPER_INTERVAL_US 1000000u	/* looks for room, and for what to sync */

/* Makes a segment of the wanted size or, where room is scarce, of a smaller
 * one; -1: there is none even for the least. */
static int
helper_create(struct journal *j, struct journal_writer *w, uint64_t *bytes)
{
	bool reserved;
	int fd;

	for (; *bytes >= LIMIT_SEGMENT_LEAST; *bytes /= 2) {
		if (!journal_claim(j, *bytes))
			continue;
		fd = segment_create(w->path, w->made + 1, *bytes, &reserved);
		if (fd >= 0) {
			atomic_store(&j->disk_full, false);
			return fd;
		}
		journal_unclaim(j, *bytes);
		if (errno != ENOSPC && errno != EDQUOT) {
			log_error("journal: %s: cannot make a segment: %s", w->path, strerror(errno));
			break;
		}
		atomic_store(&j->disk_full, true);
	}
	return -1;
}

/* Makes a segment of a spare one as it is; -1: there is none. */
static int
helper_reuse(struct journal *j, struct journal_writer *w, uint64_t *bytes)
{
	uint64_t had;
	int fd;

	while ((fd = spares_take(&j->spares, w->path, w->made + 1, &had)) < 0 && had > 0)
		journal_unclaim(j, had);
	if (fd >= 0)
		*bytes = had;
	return fd;
}

/* Segments double as they are made: where a few small ones go round they stay
 * small. */
static int
helper_make(struct journal *j, struct journal_writer *w, uint64_t *bytes)
{
	int fd = helper_reuse(j, w, bytes);

	if (fd >= 0 || (fd = helper_create(j, w, bytes)) < 0)
		return fd;
	if (w->next_bytes < j->segment_bytes)
		w->next_bytes = w->next_bytes * 2 < j->segment_bytes ? w->next_bytes * 2 : j->segment_bytes;
	return fd;
}

void
helper_prepare(struct journal *j, struct journal_writer *w)
{
	uint64_t bytes = w->next_bytes;
	int fd;

	if (atomic_load_explicit(&w->next_state, memory_order_acquire) != NEXT_WANTED)
		return;
	fd = helper_make(j, w, &bytes);
	if (fd < 0) {
		j->scarce = true;
		return;
	}
	w->made++;
	w->next = (struct handed){ .fd = fd, .number = w->made, .reserved = bytes };
	if (w->sync_fd < 0)
		w->sync_fd = fd;
	else
		w->next_fd = fd;
	atomic_store_explicit(&w->next_state, NEXT_READY, memory_order_release);
}

void
helper_retire(struct journal *j, const struct journal_writer *w, const struct handed *h)
{
	if (h->size == 0)
		(void)segment_delete(w->path, h->number);
	else if (j->sync_us > 0 && fdatasync(h->fd) < 0)
		log_error("journal: %s/%08u.seg: sync: %s", w->path, h->number, strerror(errno));
	segment_trim(h->fd, h->size);
	(void)close(h->fd);
	if (h->size < h->reserved)
		journal_unclaim(j, h->reserved - h->size);
	else
		atomic_fetch_add(&j->total, h->size - h->reserved);
}

/* Takes back the segment that a writer has done with; it is closed later, as
 * syncing it takes long and the writer may want another. */
static void
helper_collect(struct journal_writer *w)
{
	if (!atomic_load_explicit(&w->retired_full, memory_order_acquire))
		return;
	w->closing = w->retired;
	w->sync_fd = w->next_fd;
	atomic_store_explicit(&w->retired_full, false, memory_order_release);
}

static void
helper_sync(struct journal_writer *w)
{
	uint64_t written = atomic_load_explicit(&w->written, memory_order_acquire);

	if (written == w->synced || w->sync_fd < 0)
		return;
	if (fdatasync(w->sync_fd) < 0)
		log_error("journal: %s: sync: %s", w->path, strerror(errno));
	w->synced = written;
}

static bool
helper_writes(const struct journal *j, const char *series)
{
	const struct journal_writer *w;

	for (w = j->writers; w != NULL; w = w->next_writer)
		if (strcmp(w->series, series) == 0)
			return true;
	return false;
}

/* Keeps a segment to be written again, if it is of some size and there is room
 * enough beside it. */
static bool
helper_spare(struct journal *j, const char *path, uint32_t number, uint64_t size)
{
	uint64_t first = j->segment_bytes < LIMIT_SEGMENT_FIRST ? j->segment_bytes : LIMIT_SEGMENT_FIRST;

	return size > first / 2 && size <= 2 * j->segment_bytes &&
	    j->spares.bytes + size <= j->spares_most && atomic_load(&j->total) <= j->max_bytes / 2 &&
	    spares_keep(&j->spares, j->dir, path, number);
}

/* The first segment of a series of which this process has not let go yet. What
 * a release covers has been retired, but it may not have been trimmed. */
static uint32_t
helper_held_from(const struct journal *j, const char *series)
{
	const struct journal_writer *w;

	for (w = j->writers; w != NULL; w = w->next_writer)
		if (strcmp(w->series, series) == 0 &&
		    atomic_load_explicit(&w->retired_full, memory_order_acquire))
			return w->retired.number;
	return UINT32_MAX;
}

/* Deletes the segments below `until`, or puts them by. */
static void
helper_delete(struct journal *j, const char *path, const uint32_t *list, size_t n, uint32_t until)
{
	int64_t size;
	size_t i;

	for (i = 0; i < n && list[i] < until; i++) {
		size = segment_size(path, list[i]);
		if (size >= 0 && !helper_spare(j, path, list[i], (uint64_t)size) &&
		    segment_delete(path, list[i]))
			journal_unclaim(j, (uint64_t)size);
	}
}

/* Removes a series as a whole. */
static bool
helper_remove(struct journal *j, const char *path)
{
	uint64_t bytes = segment_total(path);

	if (!series_remove(path)) {
		log_error("journal: %s cannot be removed: %s", path, strerror(errno));
		return false;
	}
	journal_unclaim(j, bytes);
	return true;
}

/* Has the sink come to the end of a series that nobody writes? */
static bool
helper_series_done(const char *path, uint64_t position, const uint32_t *list, size_t n)
{
	uint32_t last;

	if (n == 0)
		return true;
	last = list[n - 1];
	return position_segment(position) > last || (position_segment(position) == last &&
	    (int64_t)position_offset(position) >= segment_size(path, last));
}

/*
 * Deletes what the sink is done with: the segments before the oldest BEGIN of
 * what is open at its position. While room is scarce that is looked up at each
 * new position, else once for each segment, as it means reading up to there.
 * True: the series is gone.
 */
static bool
helper_release(struct journal *j, struct release *rel, uint64_t position)
{
	char *path = series_path(j->dir, rel->series);
	bool live = helper_writes(j, rel->series) || series_locked(path), gone = false;
	bool look = position_segment(position) != position_segment(rel->done) || rel->again ||
	    j->scarce;
	uint32_t *list, until, held;
	size_t n;

	if ((live && !look) || segment_list(path, &list, &n) < 0) {
		free(path);
		return false;
	}
	rel->again = false;
	if (!live && helper_series_done(path, position, list, n))
		gone = helper_remove(j, path);
	else if (look && n > 0 && list[0] < position_segment(position)) {
		until = series_needed_from(j->dir, rel->series, position);
		held = helper_held_from(j, rel->series);
		rel->again = held < until;
		helper_delete(j, path, list, n, rel->again ? held : until);
	}
	if (look)
		rel->done = position;
	free(list);
	free(path);
	return gone;
}

/* Works off what the sink has released since the last round. */
static void
helper_releases(struct journal *j)
{
	struct release *rel, **link;
	uint64_t position;
	bool fresh, gone;

	pthread_mutex_lock(&j->release_lock);
	for (link = &j->releases; (rel = *link) != NULL; ) {
		fresh = rel->fresh || rel->again || (j->scarce && rel->position != rel->done);
		rel->fresh = false;
		position = rel->position;
		pthread_mutex_unlock(&j->release_lock);
		gone = fresh && helper_release(j, rel, position);
		pthread_mutex_lock(&j->release_lock);
		if (gone) {
			/* New ones were put in front: find it again. */
			for (link = &j->releases; *link != rel; link = &(*link)->next)
				;
			*link = rel->next;
			free(rel);
		} else
			link = &rel->next;
	}
	pthread_mutex_unlock(&j->release_lock);
}

/* Recovers what could not be recovered at start, one series a round. */
static void
helper_recover(struct journal *j)
{
	struct unrecovered *u = j->unrecovered;
	enum recovery_result result;
	char err[512], *path;

	if (u == NULL)
		return;
	path = series_path(j->dir, u->series);
	journal_unclaim(j, segment_total(path));
	result = recovery_series(j->dir, u->series, err, sizeof(err));
	atomic_fetch_add(&j->total, segment_total(path));
	free(path);
	if (result == RECOVERY_LATER)
		return;
	j->unrecovered = u->next;
	(void)close(u->lock);
	free(u);
	journal_news(j);
}

/* The first trouble of a writer; refusals are over once there is room. */
static int
helper_trouble(const struct journal *j, bool *refused)
{
	struct journal_writer *w;
	int error = 0;

	*refused = false;
	for (w = j->writers; w != NULL; w = w->next_writer) {
		if (error == 0)
			error = atomic_load(&w->error);
		if (!atomic_load(&w->refused))
			continue;
		if (atomic_load(&w->next_state) != NEXT_WANTED)
			atomic_store(&w->refused, false);
		else
			*refused = true;
	}
	return error;
}

/* Tells /readyz, and the log when it begins and ends. */
static void
helper_condition(struct journal *j)
{
	char text[200] = "";
	bool refused, wrong;
	int error = helper_trouble(j, &refused);

	if (error != 0)
		(void)snprintf(text, sizeof(text), "the journal cannot be written: %s", strerror(error));
	else if (j->unrecovered != NULL)
		(void)snprintf(text, sizeof(text), "a series of the journal could not be recovered yet");
	else if (refused && atomic_load(&j->disk_full))
		(void)snprintf(text, sizeof(text), "the journal's disk is full");
	else if (refused)
		(void)snprintf(text, sizeof(text), "the journal has reached its max_bytes");
	wrong = text[0] != '\0';
	if (wrong)
		ledger_condition(CONDITION_JOURNAL, text);
	if (wrong == j->condition)
		return;
	j->condition = wrong;
	if (wrong) {
		log_error("journal: %s", text);
	} else {
		ledger_condition(CONDITION_JOURNAL, NULL);
		log_info("journal: well again");
	}
}

/* One look around. */
static void
helper_round(struct journal *j)
{
	uint64_t now = clock_mono_us();
	struct journal_writer *w;
	bool sync = j->sync_us > 0 && now - j->synced_at >= j->sync_us;

	pthread_mutex_lock(&j->lock);
	helper_releases(j);
	helper_recover(j);
	j->scarce = false;
	for (w = j->writers; w != NULL; w = w->next_writer) {
		helper_collect(w);
		helper_prepare(j, w);
	}
	for (w = j->writers; w != NULL; w = w->next_writer) {
		if (w->closing.fd >= 0)
			helper_retire(j, w, &w->closing);
		w->closing.fd = -1;
		if (sync)
			helper_sync(w);
	}
	if (sync)
		j->synced_at = now;
	helper_condition(j);
	ledger_set(LEDGER_JOURNAL_BYTES, (int64_t)atomic_load(&j->total));
	pthread_mutex_unlock(&j->lock);
}

void *
helper_run(void *arg)
{
	struct journal *j = arg;
	uint64_t interval = HELPER_INTERVAL_US, until;
	struct timespec ts;

	thread_name("journal");
	if (j->sync_us > 0 && j->sync_us < interval)
		interval = j->sync_us;
	while (!atomic_load(&j->stop)) {
		helper_round(j);
		until = clock_mono_us() + interval;
		ts.tv_sec = (time_t)(until / 1000000);
		ts.tv_nsec = (long)(until % 1000000) * 1000;
		(void)sem_clockwait(&j->helper_wake, CLOCK_MONOTONIC, &ts);
	}
	helper_round(j);
	return NULL;
}
