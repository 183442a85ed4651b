/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expire: retention. Takes out the oldest rows with all that hangs on them, in
 * steps that are short enough to stand between two batches of the sink.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "store/audio.h"
#include "store/db.h"

#define VACUUM_PAGES 2000		/* given back in one step: 8 MiB */

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

/* Collects what goes into a table of this connection. Both the span's own time
 * and its arrival (the id's first six bytes) must be past the limit. */
static int
choose(struct store *store, int64_t before_us, unsigned steps)
{
	static const char sql[] =
	    "INSERT INTO temp.gone SELECT s.n FROM span s LEFT JOIN span_edit e ON e.span = s.n"
	    " WHERE s.timestamp < ?1 AND s.id < ?2 AND e.is_pinned IS NOT 1 ORDER BY s.timestamp LIMIT ?3";
	uint64_t ms = before_us < 0 ? 0 : (uint64_t)before_us / 1000;	/* an id holds 48 bits */
	uint8_t id[6];
	sqlite3_stmt *st = NULL;
	int rc;

	for (int i = 0; i < 6; i++)
		id[i] = ms >> 48 ? 0xff : (uint8_t)(ms >> (40 - 8 * i));
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, before_us);
		sqlite3_bind_blob(st, 2, id, sizeof(id), SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, steps);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
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
	    "DELETE FROM span WHERE n IN (SELECT n FROM temp.gone)";
	int rc = remove_audio(store);

	if (rc == STORE_OK)
		rc = remove_words(store);
	if (rc == STORE_OK)
		rc = traces_touch_gone(store);
	return rc == STORE_OK ? store_exec(store, sql) : rc;
}

/* Removes at most `steps` rows that are older than before_us. */
static int
remove_rows(struct store *store, int64_t before_us, unsigned steps)
{
	int rc, n = 0;

	rc = make_gone(store);
	if (rc == STORE_OK)
		rc = store_sqlite.begin(store);
	if (rc == STORE_OK)
		rc = choose(store, before_us, steps);
	if (rc == STORE_OK)
		rc = move_rollups(store);
	if (rc == STORE_OK)
		rc = remove_chosen(store);
	if (rc == STORE_OK) {
		n = sqlite3_changes(store->db);
		store->numbers[NUMBER_EXPIRED] += n;
		rc = store_sqlite.commit(store);
	}
	if (rc != STORE_OK)
		store_sqlite.rollback(store);
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
	char sql[80];
	int64_t n;
	int rc;

	rc = store_find(store, id, &n);
	if (rc == STORE_OK)
		rc = make_gone(store);
	if (rc == STORE_OK) {
		sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO temp.gone VALUES(%lld)", (long long)n);
		rc = store_exec(store, sql);
	}
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
	int n;

	n = remove_rows(store, over ? INT64_MAX : before_us, steps);
	unused = pragma(store, "PRAGMA freelist_count");
	if (n >= 0 && (unused > total / 4 || (max_bytes > 0 && unused > 0 && store_size(store) > max_bytes))) {
		snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
		(void)store_exec(store, sql);
	}
	return n;
}
