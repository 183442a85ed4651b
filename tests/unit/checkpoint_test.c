/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint_test: while somebody writes, a thread brings the log into the file, and the writer only the rest of it. */
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "tap.h"

#define LIMIT 400
#define SECONDS 30

static char path[] = "/tmp/spangate-test-checkpoint-XXXXXX";
static int pages;		/* of the log, at the last commit */

static int
on_commit(void *arg, sqlite3 *db, const char *name, int n)
{
	(void)arg;
	(void)db;
	(void)name;
	pages = n;
	return SQLITE_OK;
}

static bool
run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool
commit(sqlite3 *db)
{
	return run(db, "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
	    " SELECT NULL, randomblob(3000) FROM n");
}

static long
file_size(void)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* Commits until it is the writer's turn; how many that took, -1: it never came. */
static int
until_told(sqlite3 *db, struct checkpointer *c, int limit)
{
	time_t end = time(NULL) + SECONDS;
	int n;

	for (n = 0; time(NULL) < end; n++) {
		if (!commit(db))
			return -1;
		if (checkpointer_told(c, pages, limit))
			return n;
		sched_yield();
	}
	return -1;
}

/* The writer's turn: the thread may still be at it, then it comes with a later commit. */
static bool
work_off(sqlite3 *db)
{
	time_t end = time(NULL) + SECONDS;
	int rc;

	do {
		rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		sched_yield();
	} while (rc == SQLITE_BUSY && time(NULL) < end);
	return rc == SQLITE_OK;
}

int
main(void)
{
	struct checkpointer *c;
	sqlite3 *db = NULL;
	long before;
	int n;

	close(mkstemp(path));
	ok(sqlite3_open(path, &db) == SQLITE_OK && run(db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA synchronous = OFF; CREATE TABLE t(n INTEGER PRIMARY KEY, b BLOB)"));
	sqlite3_wal_hook(db, on_commit, NULL);
	c = checkpointer_new(path);
	ok(commit(db) && !checkpointer_told(c, pages, LIMIT));
	before = file_size();
	n = until_told(db, c, LIMIT);
	ok(n > 0 && pages >= LIMIT);
	ok(file_size() > before);	/* the thread has written it, nobody else could */
	printf("# the writer's turn after %d commits, at %d pages of %d; the file had %ld KiB\n", n, pages, LIMIT,
	    file_size() / 1024);
	ok(work_off(db));
	before = pages;
	ok(commit(db) && pages < before);	/* the log begins anew */
	ok(!checkpointer_told(c, pages, LIMIT));
	ok(until_told(db, c, LIMIT) > 0);
	checkpointer_free(c);
	c = checkpointer_new("/nonexistent/store");
	ok(!checkpointer_told(c, LIMIT, LIMIT) && !checkpointer_told(c, LIMIT + 1, LIMIT));
	ok(checkpointer_told(c, 2 * LIMIT, LIMIT));	/* whose thread can do nothing */
	checkpointer_free(c);
	checkpointer_free(NULL);
	ok(sqlite3_close(db) == SQLITE_OK);
	unlink(path);
	return done();
}
