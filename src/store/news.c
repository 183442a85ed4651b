/* SPDX-License-Identifier: Apache-2.0 */
/*
 * news: see news.h. A row's number may be taken anew once the last row was
 * removed, so a look first goes down from its place over rows that are newer
 * than the last look. The writer's functions run inside its transactions; the
 * followers' on handles of their own.
 */
#include "store/news.h"

#include <pthread.h>
#include <time.h>

#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"
#include "store/db.h"

#define PRUNE 20000		/* changes that are forgotten at once: some 10 ms */
#define DOUBLED "EXISTS(SELECT 1 FROM span o WHERE o.trace_unique_id = s.trace_unique_id" \
	" AND o.span_unique_id = s.span_unique_id AND o.n < s.n)"

static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t	 told;
static pthread_once_t	 once = PTHREAD_ONCE_INIT;
static uint64_t		 tellings;
static struct { bool used; int64_t rev; } followers[LIMIT_SINKS];

static void
board_make(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&told, &attr);
	pthread_condattr_destroy(&attr);
}

void
news_tell(void)
{
	pthread_once(&once, board_make);
	pthread_mutex_lock(&lock);
	tellings++;
	pthread_cond_broadcast(&told);
	pthread_mutex_unlock(&lock);
}

uint64_t
news_wait(uint64_t heard, uint64_t until_us)
{
	struct timespec ts = { .tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (long)(until_us % 1000000) * 1000 };

	pthread_once(&once, board_make);
	pthread_mutex_lock(&lock);
	while (tellings == heard && pthread_cond_timedwait(&told, &lock, &ts) == 0)
		;
	heard = tellings;
	pthread_mutex_unlock(&lock);
	return heard;
}

int
news_join(void)
{
	int follower = -1;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < (int)LIMIT_SINKS && follower < 0; i++)
		if (!followers[i].used)
			follower = i;
	if (follower >= 0) {
		followers[follower].used = true;
		followers[follower].rev = 0;
	}
	pthread_mutex_unlock(&lock);
	return follower;
}

void
news_leave(int follower)
{
	pthread_mutex_lock(&lock);
	if (follower >= 0)
		followers[follower].used = false;
	pthread_mutex_unlock(&lock);
}

void
news_needed(int follower, int64_t rev)
{
	pthread_mutex_lock(&lock);
	if (follower >= 0)
		followers[follower].rev = rev;
	pthread_mutex_unlock(&lock);
}

int64_t
news_needless(void)
{
	int64_t rev = INT64_MAX;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < (int)LIMIT_SINKS; i++)
		if (followers[i].used && followers[i].rev < rev)
			rev = followers[i].rev;
	pthread_mutex_unlock(&lock);
	return rev == INT64_MAX ? 0 : rev;
}

/* One number that a statement gives; *out stays where it gives none or null. */
static int
number_of(struct store *store, const char *sql, int64_t a, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		if (sqlite3_bind_parameter_count(st) > 0)
			sqlite3_bind_int64(st, 1, a);
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
			*out = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? STORE_OK : store_code(rc);
}

static int
table_there(struct store *store, bool *there)
{
	int64_t n = 0;
	int rc = number_of(store, "SELECT 1 FROM sqlite_schema WHERE name = 'change'", 0, &n);

	*there = n != 0;
	return rc;
}

int
news_open(struct store *store)
{
	int rc = table_there(store, &store->followed);

	store->changes = 0;
	if (rc == STORE_OK && store->followed)
		rc = number_of(store, "SELECT count(*) FROM change", 0, &store->changes);
	return rc;
}

int
news_changed(struct store *store, int64_t n)
{
	sqlite3_stmt *st;
	int rc;

	if (!store->followed)
		return STORE_OK;
	st = store_statement(store, STATEMENT_CHANGE);
	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, store->numbers[NUMBER_REV]);
	sqlite3_bind_int64(st, 2, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	store->changes++;
	return store_code(rc);
}

/* Forgets some of what nobody needs, and of too many the oldest. */
static int
prune(struct store *store, int64_t upto)
{
	char sql[200];
	int rc;

	if (store->changes > LIMIT_SINK_CHANGES) {
		log_warn("store: changes that a sink has not sent are forgotten: there are more than %d", LIMIT_SINK_CHANGES);
		upto = INT64_MAX;
	}
	sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM change WHERE rev <= %lld AND rev < coalesce((SELECT rev"
	    " FROM change ORDER BY rev LIMIT 1 OFFSET %d), %lld)", (long long)upto, PRUNE, INT64_MAX);
	rc = store_exec(store, sql);
	if (rc == STORE_OK)
		store->changes -= sqlite3_changes(store->db);
	return rc;
}

int
news_follow(struct store *store, bool on, int64_t upto)
{
	int64_t oldest = INT64_MAX;
	int rc = STORE_OK;

	if (on == store->followed && store->changes == 0)
		return STORE_OK;
	if (!on || !store->followed) {
		rc = store_exec(store, on ? "CREATE TABLE IF NOT EXISTS change(rev INTEGER PRIMARY KEY, span INTEGER NOT NULL)" :
		    "DROP TABLE IF EXISTS change");
		if (rc == STORE_OK)
			store->followed = on;
		store->changes = 0;
		return rc;
	}
	rc = number_of(store, "SELECT min(rev) FROM change", 0, &oldest);
	if (rc == STORE_OK && (oldest <= upto || store->changes > LIMIT_SINK_CHANGES))
		rc = prune(store, upto);
	return rc;
}

/* Goes down from the place over rows that are no older than the last look: their
 * numbers were another row's then. One that only changed is passed over. */
static int
look_back(struct store *store, struct store_place *place, bool changes)
{
	sqlite3_stmt *st = NULL;
	int64_t n = place->n;
	int rc = sqlite3_prepare_v2(store->db, changes ?
	    "SELECT n, rev, EXISTS(SELECT 1 FROM change c WHERE c.rev = s.rev) FROM span s WHERE n <= ? ORDER BY n DESC" :
	    "SELECT n, rev, 0 FROM span s WHERE n <= ? ORDER BY n DESC", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return store_code(rc);
	sqlite3_bind_int64(st, 1, place->n);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && sqlite3_column_int64(st, 1) > place->seen)
		if (!sqlite3_column_int(st, 2))
			n = sqlite3_column_int64(st, 0) - 1;
	place->n = n;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? STORE_OK : store_code(rc);
}

static void
add(struct store_news *news, sqlite3_stmt *st, bool change)
{
	news->list[news->count++] = (struct store_new){
		.n = sqlite3_column_int64(st, 0), .doubled = sqlite3_column_int(st, 1) != 0,
		.rev = change ? sqlite3_column_int64(st, 2) : 0,
	};
}

/* What changed, each row once, up to half of the room. */
static int
add_changes(struct store *store, struct store_news *news, int64_t rev)
{
	static const char sql[] = "SELECT s.n, " DOUBLED ", max(c.rev) r FROM (SELECT rev, span FROM change"
	    " WHERE rev > ?1 AND rev <= ?2 ORDER BY rev LIMIT ?3) c JOIN span s ON s.n = c.span WHERE s.n <= ?4"
	    " GROUP BY s.n ORDER BY r";
	size_t most = (news->room + 1) / 2;
	int64_t last = rev;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, "SELECT rev FROM change WHERE rev > ?1 AND rev <= ?2 ORDER BY rev"
	    " LIMIT 1 OFFSET ?3 - 1", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, news->place.rev);
		sqlite3_bind_int64(st, 2, rev);
		sqlite3_bind_int64(st, 3, (int64_t)most);
		if ((rc = sqlite3_step(st)) == SQLITE_ROW)
			last = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_code(rc);
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, news->place.rev);
		sqlite3_bind_int64(st, 2, last);
		sqlite3_bind_int64(st, 3, (int64_t)most);
		sqlite3_bind_int64(st, 4, news->place.n);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			add(news, st, true);
	}
	sqlite3_finalize(st);
	news->place.rev = last;
	return store_code(rc);
}

static int
add_rows(struct store *store, struct store_news *news)
{
	size_t before = news->count;
	int64_t from = news->place.n;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, "SELECT s.n, " DOUBLED " FROM span s WHERE s.n > ? ORDER BY s.n LIMIT ?",
	    -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, from);
		sqlite3_bind_int64(st, 2, (int64_t)(news->room - news->count));
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			add(news, st, false);
	}
	sqlite3_finalize(st);
	if (news->count > before) {
		news->place.n = news->list[news->count - 1].n;
		news->gone = (uint64_t)(news->place.n - from) - (news->count - before);
	}
	return store_code(rc);
}

/* The look itself, in one snapshot. */
static int
look(struct store *store, struct store_news *news)
{
	int64_t rev = 0, top = 0;
	bool changes = false;
	int rc = number_of(store, "SELECT value FROM meta WHERE key = 'rev'", 0, &rev);

	if (rc == STORE_OK)
		rc = number_of(store, "SELECT max(n) FROM span", 0, &top);
	if (rc == STORE_OK)
		rc = table_there(store, &changes);
	if (rc != STORE_OK)
		return rc;
	if (rev < news->place.seen) {
		news->back = true;
		news->place = (struct store_place){ .n = top < news->place.n ? top : news->place.n,
		    .rev = rev < news->place.rev ? rev : news->place.rev, .seen = rev };
	} else if (rev > news->place.seen)
		rc = look_back(store, &news->place, changes);
	news->ahead = top > news->place.n ? (uint64_t)(top - news->place.n) : 0;
	news->place.seen = rev;
	news->start = news->place;
	if (news->room == 0)
		return rc;
	if (rc == STORE_OK && changes)
		rc = add_changes(store, news, rev);
	else
		news->place.rev = rev;
	return rc == STORE_OK ? add_rows(store, news) : rc;
}

int
news_look(struct store *store, const struct store_place *from, struct store_news *news)
{
	int rc = store_exec(store, "BEGIN");

	news->count = 0;
	news->gone = news->ahead = 0;
	news->back = false;
	news->place = *from;
	if (rc != STORE_OK)
		return rc;
	rc = look(store, news);
	(void)store_exec(store, "ROLLBACK");
	return rc;
}

int
news_begin(struct store *store, bool from_start, struct store_place *place)
{
	int64_t first = 0;
	int rc = number_of(store, "SELECT value FROM meta WHERE key = 'rev'", 0, &place->seen);

	if (rc == STORE_OK)
		rc = number_of(store, "SELECT max(n) FROM span", 0, &place->n);
	if (rc == STORE_OK)
		rc = number_of(store, "SELECT min(n) FROM span", 0, &first);
	if (from_start && place->n > 0)
		place->n = first - 1;
	place->rev = place->seen;
	return rc;
}

int
news_of(struct store *store, const uint8_t id[16], struct store_new *it)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, "SELECT s.n, " DOUBLED " FROM span s WHERE s.id = ?", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			*it = (struct store_new){ .n = sqlite3_column_int64(st, 0), .doubled = sqlite3_column_int(st, 1) != 0 };
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
}
