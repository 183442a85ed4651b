/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: see checkpoint.h. A pass brings in what was committed when it
 * began, on a connection of its own; while it works the log grows. One that
 * fails is tried again with the next commit, or is left to the writer.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/base.h"
#include "store/checkpoint.h"

#define PARTS 4		/* of the limit: so much is new in the log before the next pass */
#define PATIENCE 2	/* times the limit: then the writer does it, however much is left */

struct checkpointer {
	char		*path;
	pthread_t	 thread;
	bool		 started;
	pthread_mutex_t	 lock;
	pthread_cond_t	 changed;
	bool		 asked, stopping;	/* under lock */
	atomic_int	 done;			/* pages of the log that are in the file */
	int		 before;		/* the writer's: how long the log was at the last commit, */
	int		 asked_at;		/* and when a pass was last asked for */
};

/* A connection knows of the log once it has read something. */
static sqlite3 *
log_open(const char *path)
{
	static const char sql[] = "PRAGMA synchronous = NORMAL; SELECT 1 FROM sqlite_schema LIMIT 1";
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return db;
	sqlite3_close_v2(db);
	return NULL;
}

/* One pass. */
static void
work(struct checkpointer *c, sqlite3 **db)
{
	int pages = 0, done = 0;

	if (!*db)
		*db = log_open(c->path);
	if (*db && sqlite3_wal_checkpoint_v2(*db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done) == SQLITE_OK && done > 0)
		atomic_store(&c->done, done);
}

static void *
checkpointer_run(void *arg)
{
	struct checkpointer *c = arg;
	sqlite3 *db = NULL;

	thread_background("checkpoint");
	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->asked && !c->stopping)
			pthread_cond_wait(&c->changed, &c->lock);
		if (c->stopping)
			break;
		c->asked = false;
		pthread_mutex_unlock(&c->lock);
		work(c, &db);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	sqlite3_close_v2(db);
	return NULL;
}

struct checkpointer *
checkpointer_new(const char *path)
{
	struct checkpointer *c = xcalloc(1, sizeof(*c));

	c->path = xstrdup(path);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return c;
}

void
checkpointer_free(struct checkpointer *c)
{
	if (!c)
		return;
	if (c->started) {
		pthread_mutex_lock(&c->lock);
		c->stopping = true;
		pthread_cond_signal(&c->changed);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c->path);
	free(c);
}

static void
ask(struct checkpointer *c)
{
	if (!c->started)
		c->started = pthread_create(&c->thread, NULL, checkpointer_run, c) == 0;
	pthread_mutex_lock(&c->lock);
	c->asked = true;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

bool
checkpointer_told(struct checkpointer *c, int pages, int limit)
{
	int left;

	if (pages < c->before) {	/* it is written from its start again */
		c->asked_at = 0;
		atomic_store(&c->done, 0);
	}
	c->before = pages;
	left = pages - atomic_load(&c->done);
	if (pages >= limit && (left <= limit / PARTS || pages / PATIENCE >= limit))
		return true;
	if (pages - c->asked_at >= limit / PARTS) {
		c->asked_at = pages;
		ask(c);
	}
	return !c->started && pages >= limit;
}
