/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expire: retention. Takes out the oldest rows with all that hangs on them, in
 * steps that are short enough to stand between two batches of the sink: by a
 * clock, as a row may be one KB or a hundred MB. That of bodies alone is
 * blur.c's.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "store/audio.h"
#include "store/db.h"

#define VACUUM_PAGES 2000		/* given back in one step: 8 MiB */
#define VACUUM_FEW 128			/* in one step of those that are measured */
#define EXAMINED 2000			/* rows looked at for one batch: pinned ones are passed over */
#define BATCH_FIRST 32			/* rows of a batch, until it is known how long they take */
#define BATCH_MOST 512
#define BATCH_US 5000			/* what a batch should take */
#define STEP_US 20000			/* of a step: then the sink has its turn */

static int64_t
pragma(struct store *store, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t v = 0;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

/* Bytes of the pages in use, those of the log that are not in the file yet too. */
static uint64_t
used_bytes(struct store *store)
{
	int64_t pages = pragma(store, "PRAGMA page_count") - pragma(store, "PRAGMA freelist_count");

	return (uint64_t)(pages * pragma(store, "PRAGMA page_size"));
}

uint64_t
store_size(struct store *store)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[4096];
	struct stat st;
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, suffixes[i]);
		if (stat(path, &st) == 0)
			sum += (uint64_t)st.st_blocks * 512;
	}
	return sum;
}

void
store_id_limit(int64_t before_us, uint8_t id[6])
{
	uint64_t ms = before_us < 0 ? 0 : (uint64_t)before_us / 1000;	/* an id holds 48 bits */

	for (int i = 0; i < 6; i++)
		id[i] = ms >> 48 ? 0xff : (uint8_t)(ms >> (40 - 8 * i));
}

/* Takes the number down as one that goes. */
static int
choose_row(struct store *store, int64_t n)
{
	char sql[80];

	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO temp.gone VALUES(%lld)", (long long)n);
	return store_exec(store, sql);
}

/*
 * Collects what goes into a table of this connection, from the oldest row that
 * was not looked at in this pass on. Both the span's own time and its arrival
 * (the id's first six bytes) must be past the limit. *ended: the pass is over.
 */
static int
choose(struct store *store, int64_t before_us, unsigned steps, bool *ended)
{
	static const char sql[] =
	    "SELECT s.n, s.timestamp, s.id < ?2 AND (SELECT is_pinned FROM span_edit WHERE span = s.n) IS NOT 1"
	    " FROM span s WHERE s.timestamp < ?1 AND (s.timestamp, s.n) > (?3, ?4) ORDER BY s.timestamp, s.n LIMIT ?5";
	sqlite3_stmt *st = NULL;
	unsigned looked = 0, taken = 0;
	uint8_t id[6];
	int rc;

	store_id_limit(before_us, id);
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, before_us);
		sqlite3_bind_blob(st, 2, id, sizeof(id), SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, store->expire_pass ? store->expire_time : INT64_MIN);
		sqlite3_bind_int64(st, 4, store->expire_pass ? store->expire_n : INT64_MIN);
		sqlite3_bind_int64(st, 5, EXAMINED);
	}
	while (rc == SQLITE_OK && taken < steps && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		looked++;
		store->expire_n = sqlite3_column_int64(st, 0);
		store->expire_time = sqlite3_column_int64(st, 1);
		rc = SQLITE_OK;
		if (sqlite3_column_int(st, 2)) {
			taken++;
			rc = choose_row(store, store->expire_n) == STORE_OK ? SQLITE_OK : sqlite3_errcode(store->db);
		}
	}
	sqlite3_finalize(st);
	*ended = looked < EXAMINED && taken < steps;
	store->expire_pass = !*ended;
	return store_code(rc);
}

/* Files of audio go with their rows. */
static int
remove_audio(struct store *store)
{
	sqlite3_stmt *st = NULL;
	char path[AUDIO_PATH];
	int rc;

	snprintf(path, sizeof(path), "%s/audio", store->data_dir);
	if (access(path, F_OK) != 0)
		return STORE_OK;
	rc = sqlite3_prepare_v2(store->db, "SELECT id FROM span WHERE n IN (SELECT n FROM temp.gone)", -1, &st, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16)
			audio_remove(store->data_dir, sqlite3_column_blob(st, 0));
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

/* So do their words. */
static int
remove_words(struct store *store)
{
	sqlite3_stmt *st = NULL;
	int rc, gone = STORE_OK;

	rc = sqlite3_prepare_v2(store->db, "SELECT n, id FROM span WHERE n IN (SELECT n FROM temp.gone)", -1, &st, NULL);
	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && gone == STORE_OK) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 1) == 16)
			gone = search_remove(store, sqlite3_column_int64(st, 0), sqlite3_column_blob(st, 1));
	}
	sqlite3_finalize(st);
	return gone == STORE_OK ? store_code(rc) : gone;
}

/* What the rows counted goes on counting, as of the past. */
static int
move_rollups(struct store *store)
{
	struct rollup_row live, past;
	sqlite3_stmt *st = NULL;
	char sql[1024];
	int rc, moved = STORE_OK;

	snprintf(sql, sizeof(sql), "SELECT %s FROM span s WHERE s.n IN (SELECT n FROM temp.gone)", rollup_row_sql);
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && moved == STORE_OK) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		rollup_of_statement(&live, st);
		past = live;
		past.expired = true;
		moved = rollup_change(store, &live, &past);
	}
	sqlite3_finalize(st);
	return moved == STORE_OK ? store_code(rc) : moved;
}

static int
make_gone(struct store *store)
{
	return store_exec(store, "CREATE TEMP TABLE IF NOT EXISTS gone(n INTEGER PRIMARY KEY);"
	    "DELETE FROM temp.gone");
}

/* The chosen rows with all that hangs on them; how many: sqlite3_changes. */
static int
remove_chosen(struct store *store)
{
	static const char sql[] =
	    "DELETE FROM span_meta WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM span_edit WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM body WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM charge WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM bill WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM same WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM alias WHERE first IN (SELECT id FROM span WHERE n IN (SELECT n FROM temp.gone));"
	    "DELETE FROM score WHERE span IN (SELECT n FROM temp.gone);"
	    "DELETE FROM span WHERE n IN (SELECT n FROM temp.gone)";
	int rc = remove_audio(store);

	if (rc == STORE_OK)
		rc = remove_words(store);
	if (rc == STORE_OK)
		rc = traces_touch_gone(store);
	return rc == STORE_OK ? store_exec(store, sql) : rc;
}

/* Removes at most `steps` rows that are older than before_us; how many. *ended:
 * there are no more. */
static int
remove_rows(struct store *store, int64_t before_us, unsigned steps, bool *ended)
{
	int rc, n = 0;

	rc = make_gone(store);
	if (rc == STORE_OK)
		rc = store_sqlite.begin(store);
	if (rc == STORE_OK)
		rc = choose(store, before_us, steps, ended);
	if (rc == STORE_OK)
		rc = move_rollups(store);
	if (rc == STORE_OK)
		rc = remove_chosen(store);
	if (rc == STORE_OK) {
		n = sqlite3_changes(store->db);
		store->numbers[NUMBER_EXPIRED] += n;
		rc = store_sqlite.commit(store);
	}
	if (rc != STORE_OK) {
		store->expire_pass = false;
		store_sqlite.rollback(store);
	}
	return rc == STORE_OK ? n : rc;
}

static int
find_by(struct store *store, enum store_statement which, const uint8_t id[16], int64_t *n)
{
	sqlite3_stmt *st = store_statement(store, which);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	*n = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
}

int
store_find(struct store *store, const uint8_t id[16], int64_t *n)
{
	int rc = find_by(store, STATEMENT_FIND, id, n);

	return rc == STORE_NOT_FOUND ? find_by(store, STATEMENT_ALIAS_FIND, id, n) : rc;
}

int
store_take_out(struct store *store, int64_t n, const uint8_t id[16])
{
	static const char *const tables[] = { "span_meta WHERE span", "body WHERE span", "charge WHERE span",
	    "bill WHERE span", "span WHERE n" };
	int rc = rollup_take(store, n);
	char sql[80];

	if (rc == STORE_OK)
		rc = traces_touch(store, n);
	if (rc == STORE_OK)
		rc = search_remove(store, n, id);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == STORE_OK; i++) {
		sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM %s = %lld", tables[i], (long long)n);
		rc = store_exec(store, sql);
	}
	return rc;
}

int
store_remove(struct store *store, const uint8_t id[16])
{
	int64_t n;
	int rc;

	rc = store_find(store, id, &n);
	if (rc == STORE_OK)
		rc = make_gone(store);
	if (rc == STORE_OK)
		rc = choose_row(store, n);
	if (rc == STORE_OK)
		rc = rollup_take(store, n);
	if (rc == STORE_OK)
		rc = remove_chosen(store);
	if (rc == STORE_OK) {
		store->numbers[NUMBER_REMOVED]++;
		store->numbers[NUMBER_REV]++;
	}
	return rc;
}

int
store_expire(struct store *store, int64_t before_us, uint64_t max_bytes, unsigned steps)
{
	int64_t total = pragma(store, "PRAGMA page_count"), unused;
	bool over = max_bytes > 0 && used_bytes(store) > max_bytes;
	char sql[64];
	bool ended;
	int n;

	do	/* past those that stay */
		n = remove_rows(store, over ? INT64_MAX : before_us, steps, &ended);
	while (n == 0 && !ended);
	unused = pragma(store, "PRAGMA freelist_count");
	if (n >= 0 && (unused > total / 4 || (max_bytes > 0 && unused > 0 && store_size(store) > max_bytes))) {
		snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
		(void)store_exec(store, sql);
	}
	return n;
}

/* Batches of rows until none is left or time is up, each as large as the one
 * before it allows. *more: time was up. */
static int
retain_rows(struct store *store, const struct store_retention *r, uint64_t until, bool *more)
{
	uint64_t start, took;
	bool ended = false, over;
	int n;

	do {
		if (store->expire_batch == 0)
			store->expire_batch = BATCH_FIRST;
		start = clock_mono_us();
		over = r->max_bytes > 0 && used_bytes(store) > r->max_bytes;
		if (!over && r->before_us == INT64_MIN)
			return STORE_OK;
		n = remove_rows(store, over ? INT64_MAX : r->before_us, store->expire_batch, &ended);
		if (n < 0)
			return n;
		took = clock_mono_us() - start;
		if (took > BATCH_US)
			store->expire_batch = store->expire_batch / 2 + 1;
		else if (took < BATCH_US / 2 && store->expire_batch < BATCH_MOST)
			store->expire_batch *= 2;
	} while (!ended && clock_mono_us() < until);
	*more |= !ended;
	return STORE_OK;
}

/* Pages that are free go back to the file system, once they are many or there must be less. */
static void
retain_pages(struct store *store, const struct store_retention *r, uint64_t until, bool *more)
{
	int64_t total, unused;
	char sql[64];
	bool wanted;

	for (;;) {
		total = pragma(store, "PRAGMA page_count");
		unused = pragma(store, "PRAGMA freelist_count");
		wanted = unused > 0 && (unused > total / 4 || (r->max_bytes > 0 && store_size(store) > r->max_bytes));
		if (!wanted)
			return;
		if (clock_mono_us() >= until)
			break;
		snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_FEW);
		if (store_exec(store, sql) != STORE_OK)
			return;
	}
	*more = true;
}

int
store_retain(struct store *store, const struct store_retention *r, bool *more)
{
	uint64_t until = clock_mono_us() + STEP_US;
	int rc;

	*more = false;
	/* The log goes into the file in small parts: one commit writes each. */
	store->checkpoint_pages = CHECKPOINT_FEW;
	rc = retain_rows(store, r, until, more);
	if (rc == STORE_OK && !*more)
		rc = store_blur(store, r, until, more);
	if (rc == STORE_OK)
		retain_pages(store, r, until, more);
	store_checkpoints(store);
	return rc;
}
