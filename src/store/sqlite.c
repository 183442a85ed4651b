/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite: the store in one SQLite file, DATA_DIR/spans.db. Owns the connection
 * and its transactions; what is done inside them stands in put.c, rows.c and
 * expire.c. The sink holds the one writing handle; readers come and go, also
 * from other processes, and never write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/full.h"

#define WRITE_WAIT_MS 250		/* then the sink says so and tries again */
#define READ_WAIT_MS 5000

static const char *const number_names[NUMBERS] = {
	[NUMBER_REV] = "rev", [NUMBER_EXPIRED] = "expired", [NUMBER_DUPLICATES] = "duplicates",
	[NUMBER_PAST] = "past", [NUMBER_PAST_DROPPED] = "past_dropped",
	[NUMBER_REMOVED] = "removed", [NUMBER_DAY_OFFSET] = "day_offset",
	[NUMBER_REPRICE_AT] = "reprice_at", [NUMBER_GIVEN] = "given",
	[NUMBER_GIVEN_UNTIL] = "given_until",
};

#define COLUMN(symbol, name) ", " name
static const char span_columns[] =
#include "store/columns.tbl.h"
    ;
#undef COLUMN
#define COLUMN(symbol, name) ",?"
static const char span_marks[] =
#include "store/columns.tbl.h"
    ;
#undef COLUMN

static const char *const statement_sql[STATEMENTS] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_OTHERS] = "PRAGMA data_version",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_SPAN] = NULL,	/* put together from the table of columns */
	[STATEMENT_META] = "INSERT OR REPLACE INTO span_meta VALUES(?,?,?)",
	[STATEMENT_BODY] = "INSERT OR REPLACE INTO body VALUES(?,?,?,?)",
	[STATEMENT_EDIT] = "INSERT OR REPLACE INTO span_edit(span, note, positive_feedback, is_pinned)"
	    " VALUES(?,?,?,?)",
	[STATEMENT_CURSOR] = "INSERT OR REPLACE INTO cursor VALUES(?,?,?,?,?,?)",
	[STATEMENT_NUMBER] = "INSERT OR REPLACE INTO meta VALUES(?,?)",
	[STATEMENT_CHAIN] = "SELECT b.kind, b.size, b.data, c.details FROM span s JOIN body b ON b.span = s.n"
	    " LEFT JOIN bill c ON c.span = s.n WHERE s.id = ?",
	[STATEMENT_CHARGED] = "SELECT 1 FROM charge WHERE tenant = ? AND response_id = ?",
	[STATEMENT_CHARGE] = "INSERT INTO charge VALUES(?,?,?)",
	[STATEMENT_ROLLUP_ROW] = NULL,	/* as is this one */
	[STATEMENT_BILL] = "INSERT OR REPLACE INTO bill VALUES(?,?)",
	[STATEMENT_REPRICE] = "UPDATE span SET cost_pico = ?2, cost_source = ?3, rev = ?4 WHERE n = ?1",
	[STATEMENT_SAME_KEY] = "SELECT s.n, s.id FROM same m JOIN span s ON s.n = m.span WHERE m.tenant = ?1 AND m.key = ?2",
	[STATEMENT_SAME_SPAN] = "SELECT n, id FROM span WHERE trace_unique_id = ?2 AND span_unique_id = ?3"
	    " AND tenant = ?1 AND environment IS ?4 AND log_method <> 'inference'",
	[STATEMENT_SAME_NOTE] = "INSERT OR REPLACE INTO same VALUES(?,?,?)",
	[STATEMENT_ALIAS] = "INSERT OR REPLACE INTO alias VALUES(?,?)",
	[STATEMENT_ALIAS_FIND] = "SELECT s.n FROM alias a JOIN span s ON s.id = a.first WHERE a.id = ?",
	[STATEMENT_ALIAS_FIRST] = "SELECT first FROM alias WHERE id = ?",
	[STATEMENT_PENDING] = "INSERT INTO pending(target, edit) VALUES(?,?)",
	[STATEMENT_PENDING_FIND] = "SELECT n, edit FROM pending WHERE target = ? ORDER BY n LIMIT 1",
	[STATEMENT_PENDING_DONE] = "DELETE FROM pending WHERE n = ?",
	[STATEMENT_TICK] = "INSERT INTO span_tick VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(tick, tenant, environment) DO UPDATE SET rows = rows + excluded.rows,"
	    " requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
	    " completion_tokens = completion_tokens + excluded.completion_tokens,"
	    " total_tokens = total_tokens + excluded.total_tokens, cost_pico = cost_pico + excluded.cost_pico,"
	    " latency_us = latency_us + excluded.latency_us, latency_count = latency_count + excluded.latency_count,"
	    " ttft_us = ttft_us + excluded.ttft_us, ttft_count = ttft_count + excluded.ttft_count",
	[STATEMENT_TICK_GONE] = "DELETE FROM span_tick WHERE tick = ? AND tenant = ? AND environment = ? AND rows <= 0",
	[STATEMENT_SCORES] = "SELECT evaluator_id, evaluator_slug, evaluator_name, value, text, kind,"
	    " max(coalesce(updated, created)) FROM score WHERE span = (SELECT n FROM span WHERE id = ?)"
	    " GROUP BY evaluator_id ORDER BY evaluator_id",
	[STATEMENT_CUSTOMER_DETAILS] = "SELECT details FROM customer_edit"
	    " WHERE tenant = ?1 AND environment = ?2 AND customer = ?3 AND details IS NOT NULL",
	[STATEMENT_CHANGE] = "INSERT OR REPLACE INTO change VALUES(?,?)",
	[STATEMENT_FIND] = "SELECT n FROM span WHERE id = ?",
};

int
store_code(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return STORE_OK;
	case SQLITE_ROW:
		return STORE_ROW;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
		return STORE_E_ROW;
	case SQLITE_INTERRUPT:
		return STORE_E_SLOW;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return STORE_E_CORRUPT;
	default:
		return STORE_BUSY;
	}
}

int
store_exec(struct store *store, const char *sql)
{
	return store_code(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

int
store_exec_buf(struct store *store, struct buf *sql)
{
	int rc;

	buf_append(sql, "", 1);
	rc = sql->failed ? STORE_BUSY : store_exec(store, sql->ptr);
	buf_free(sql);
	return rc;
}

sqlite3_stmt *
store_statement(struct store *store, enum store_statement which)
{
	char sql[2048];
	const char *text = statement_sql[which];

	if (store->statements[which]) {
		sqlite3_reset(store->statements[which]);
		return store->statements[which];
	}
	if (which == STATEMENT_SPAN)
		snprintf(sql, sizeof(sql), "INSERT INTO span(id, rev, tenant, family, counts%s) VALUES(?,?,?,?,?%s)"
		    " ON CONFLICT(id) DO NOTHING", span_columns, span_marks);
	if (which == STATEMENT_ROLLUP_ROW)
		snprintf(sql, sizeof(sql), "SELECT %s FROM span s WHERE s.n = ?", rollup_row_sql);
	text = text ? text : sql;
	sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL);
	return store->statements[which];
}

static int
run(struct store *store, enum store_statement which)
{
	sqlite3_stmt *st = store_statement(store, which);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

static void
sqlite_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	rollup_free(store);
	search_free(store);
	full_free(store->full);
	checkpointer_free(store->checkpointer);	/* the last one to close brings the whole log in */
	sqlite3_close_v2(store->db);
	ZSTD_freeCCtx(store->cctx);
	ZSTD_freeDCtx(store->dctx);
	buf_free(&store->data);
	buf_free(&store->json);
	buf_free(&store->text);
	free(store->data_dir);
	free(store->path);
	free(store);
}

/* The file must be there with mode 0600 before SQLite makes its company, which
 * takes its mode from it. */
static bool
make_file(const char *data_dir, const char *path)
{
	int fd;

	if (access(path, F_OK) == 0)
		return true;
	if (mkdir(data_dir, 0700) != 0 && errno != EEXIST)
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* SQLite's log and its index were made with the mode that the file had then:
 * where that was read-only, they would keep out whoever writes now. */
static void
company_mend(const struct store *store)
{
	static const char *const suffixes[] = { "-wal", "-shm" };
	char *path;

	if (access(store->path, W_OK) != 0)
		return;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		path = xasprintf("%s%s", store->path, suffixes[i]);
		if (access(path, F_OK) == 0 && access(path, W_OK) != 0)
			(void)chmod(path, 0600);
		free(path);
	}
}

/* A log that fills the file system cannot be worked off, as the file has to grow for it. */
void
store_checkpoints(struct store *store)
{
	uint64_t pages = CHECKPOINT_PAGES, room;
	struct statvfs fs;

	if (statvfs(store->path, &fs) == 0) {
		room = (uint64_t)fs.f_bavail * fs.f_frsize / CHECKPOINT_SHARE / PAGE_BYTES;
		pages = room < pages ? room : pages;
	}
	store->checkpoint_pages = pages < CHECKPOINT_FEW ? CHECKPOINT_FEW : (int)pages;
}

/* Told of each commit, and how long the log is then. Where room is short the writer works it off at once. */
static int
on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;
	int limit = store->checkpoint_pages;

	if (limit < CHECKPOINT_PAGES ? pages >= limit : checkpointer_told(store->checkpointer, pages, limit))
		(void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static int
open_write(struct store *store)
{
	int rc;

	company_mend(store);
	rc = sqlite3_open_v2(store->path, &store->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_busy_timeout(store->db, WRITE_WAIT_MS);
	store_checkpoints(store);
	store->checkpointer = checkpointer_new(store->path);
	sqlite3_wal_hook(store->db, on_commit, store);
	return sqlite3_exec(store->db, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -64000;"
	    "PRAGMA journal_size_limit = 134217728; PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

/* Reads one page, so that what is wrong with the file shows here. */
static int
probe(struct store *store)
{
	return sqlite3_exec(store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
}

/* Where nothing may be written beside the file (a read-only directory) SQLite
 * cannot share the log; with no log there is nothing to share. */
static int
open_immutable(struct store *store)
{
	struct stat st;
	char *wal = xasprintf("%s-wal", store->path), *uri;
	int rc = SQLITE_CANTOPEN;

	if (stat(wal, &st) != 0 || st.st_size == 0) {
		sqlite3_close_v2(store->db);
		store->db = NULL;
		uri = sqlite3_mprintf("file:%s?immutable=1", store->path);
		rc = sqlite3_open_v2(uri, &store->db,
		    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
		sqlite3_free(uri);
		if (rc == SQLITE_OK)
			rc = probe(store);
	}
	free(wal);
	return rc;
}

static int
open_read(struct store *store)
{
	int rc;

	rc = sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(store->db, READ_WAIT_MS);
		rc = probe(store);
	}
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY)
		rc = open_immutable(store);
	return rc;
}

/* The numbers of table meta. */
static int
load_numbers(struct store *store)
{
	sqlite3_stmt *st;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE key = ?", -1, &st, NULL);
	for (int i = 0; i < NUMBERS && rc == SQLITE_OK; i++) {
		sqlite3_bind_text(st, 1, number_names[i], -1, SQLITE_STATIC);
		rc = sqlite3_step(st);
		store->numbers[i] = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
		if (rc == SQLITE_ROW || rc == SQLITE_DONE)
			rc = SQLITE_OK;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	memcpy(store->committed, store->numbers, sizeof(store->committed));
	return store_code(rc);
}

/* Why the file cannot be had, in words: errno is of the last call. */
static void
open_error(const struct store *store, char *err, size_t errlen)
{
	if (!store->write && errno == ENOENT)
		snprintf(err, errlen, "there is no store yet: %s (has the gateway run with this data_dir?)",
		    store->path);
	else
		snprintf(err, errlen, "%s: %s", store->path, strerror(errno));
}

/* Has somebody deleted or replaced the file? What was written would vanish. */
static bool
is_moved(struct store *store)
{
	struct stat st;

	if (stat(store->path, &st) != 0)
		return true;
	if (store->inode == 0) {
		store->device = st.st_dev;
		store->inode = st.st_ino;
	}
	return store->device != st.st_dev || store->inode != st.st_ino;
}

static struct store *
sqlite_open(const char *data_dir, bool write, char *err, size_t errlen)
{
	struct store *store = xcalloc(1, sizeof(*store));
	int rc;

	store->data_dir = xstrdup(data_dir);
	store->path = xasprintf("%s/%s", data_dir, STORE_FILE);
	store->write = write;
	store->touched = true;		/* a former process may not have synced */
	buf_init(&store->data, LIMIT_ROW_BODY);
	buf_init(&store->json, LIMIT_ROW_JSON);
	buf_init(&store->text, LIMIT_ROW_JSON);
	if (write ? !make_file(data_dir, store->path) : access(store->path, R_OK) != 0) {
		open_error(store, err, errlen);
		sqlite_close(store);
		return NULL;
	}
	rc = write ? open_write(store) : open_read(store);
	if (rc == SQLITE_OK)
		rc = rollup_functions(store);
	if (rc == SQLITE_OK)
		rc = store_functions(store);
	if (rc != SQLITE_OK)
		snprintf(err, errlen, "%s: %s", store->path, store->db ? sqlite3_errmsg(store->db) : "no memory");
	if (rc != SQLITE_OK || schema_open(store, err, errlen) != STORE_OK || load_numbers(store) != STORE_OK) {
		sqlite_close(store);
		return NULL;
	}
	if (write && news_open(store) != STORE_OK) {
		snprintf(err, errlen, "%s: %s", store->path, sqlite3_errmsg(store->db));
		sqlite_close(store);
		return NULL;
	}
	if (write)
		store->cctx = ZSTD_createCCtx();
	(void)is_moved(store);
	return store;
}

int
store_check(const char *data_dir, char *err, size_t errlen)
{
	struct store store = { .path = xasprintf("%s/%s", data_dir, STORE_FILE) };
	int rc = STORE_OK;

	/* An empty one is there from the start, so that readers find it. What
	 * hinders that hinders the sink as well, which says so and tries again. */
	if (access(store.path, F_OK) != 0 && errno == ENOENT)
		sqlite_close(sqlite_open(data_dir, true, err, errlen));
	if (access(store.path, R_OK) == 0 && open_read(&store) == SQLITE_OK &&
	    schema_newer(&store, err, errlen))
		rc = STORE_E_VERSION;
	sqlite3_close_v2(store.db);
	free(store.path);
	return rc;
}

/* What is kept in memory of the tables holds until another connection writes. */
static int
others_wrote(struct store *store)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_OTHERS);
	int64_t version = 0;
	int rc;

	rc = st ? sqlite3_step(st) : sqlite3_errcode(store->db);
	if (rc == SQLITE_ROW)
		version = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (version != store->data_version)
		rollup_forget(store);
	store->data_version = version;
	return store_code(rc) == STORE_ROW ? STORE_OK : STORE_BUSY;
}

static int
sqlite_begin(struct store *store)
{
	int rc;

	if (!store->write)
		return store_exec(store, "BEGIN");
	rc = run(store, STATEMENT_BEGIN);
	return rc == STORE_OK ? others_wrote(store) : rc;
}

static bool
is_error(int code)
{
	return code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
}

static void
sqlite_rollback(struct store *store)
{
	bool full = (sqlite3_errcode(store->db) & 0xff) == SQLITE_FULL;

	if (is_error(sqlite3_errcode(store->db)))
		snprintf(store->trouble, sizeof(store->trouble), "%s", sqlite3_errmsg(store->db));
	memcpy(store->numbers, store->committed, sizeof(store->numbers));
	rollup_forget(store);
	traces_forget(store);
	if (!sqlite3_get_autocommit(store->db))
		(void)run(store, STATEMENT_ROLLBACK);
	if (full) {	/* there may be room once the log is written again from its start */
		(void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		store_checkpoints(store);
	}
}

static int
put_number(struct store *store, enum store_number which)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_NUMBER);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_text(st, 1, number_names[which], -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, store->numbers[which]);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

static int
sqlite_commit(struct store *store)
{
	int rc = rollup_write(store);

	if (rc == STORE_OK)
		rc = traces_write(store);
	for (int i = 0; i < NUMBERS && rc == STORE_OK; i++)
		if (store->numbers[i] != store->committed[i])
			rc = put_number(store, i);
	if (rc == STORE_OK)
		rc = run(store, STATEMENT_COMMIT);
	if (rc == STORE_OK) {
		memcpy(store->committed, store->numbers, sizeof(store->committed));
		rollup_rest(store);
		traces_forget(store);
		store->touched = true;
	}
	return rc;
}

/*
 * Commits leave the log in the page cache (synchronous = NORMAL): the journal
 * still has everything. Before the journal lets go, one commit with FULL syncs
 * the whole log file, and so all commits before it.
 */
static int
sqlite_sync(struct store *store)
{
	int rc;

	if (is_moved(store)) {
		snprintf(store->trouble, sizeof(store->trouble), "%s was deleted or replaced", store->path);
		return STORE_BUSY;
	}
	if (!store->touched)
		return STORE_OK;
	rc = store_exec(store, "PRAGMA synchronous = FULL");
	if (rc == STORE_OK)
		rc = sqlite_begin(store);
	if (rc == STORE_OK)
		rc = put_number(store, NUMBER_REV);
	if (rc == STORE_OK)
		rc = run(store, STATEMENT_COMMIT);
	if (rc != STORE_OK)
		sqlite_rollback(store);
	(void)store_exec(store, "PRAGMA synchronous = NORMAL");
	if (rc == STORE_OK)
		store->touched = false;
	return rc;
}

static int
sqlite_cursor(struct store *store, const struct store_cursor *c)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_CURSOR);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_text(st, 1, c->series, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (int64_t)c->position);
	sqlite3_bind_int64(st, 3, (int64_t)c->stored);
	sqlite3_bind_int64(st, 4, (int64_t)c->dropped);
	sqlite3_bind_int64(st, 5, (int64_t)c->begun);
	sqlite3_bind_int(st, 6, c->finished);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

static void
read_cursor(sqlite3_stmt *st, struct store_cursor *c)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->series, sizeof(c->series), "%s", (const char *)sqlite3_column_text(st, 0));
	c->position = (uint64_t)sqlite3_column_int64(st, 1);
	c->stored = (uint64_t)sqlite3_column_int64(st, 2);
	c->dropped = (uint64_t)sqlite3_column_int64(st, 3);
	c->begun = (uint64_t)sqlite3_column_int64(st, 4);
	c->finished = sqlite3_column_int(st, 5) != 0;
}

static int
sqlite_cursors(struct store *store, struct store_cursor **list, size_t *n)
{
	sqlite3_stmt *st;
	int rc;

	*list = NULL;
	*n = 0;
	rc = sqlite3_prepare_v2(store->db, "SELECT * FROM cursor ORDER BY series", -1, &st, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
			*list = xrealloc(*list, (*n + 1) * sizeof(**list));
			read_cursor(st, &(*list)[(*n)++]);
		}
	sqlite3_finalize(st);
	return store_code(rc);
}

static int
sqlite_forget(struct store *store, const char *series)
{
	struct store_cursor *list;
	size_t n;
	char *sql;
	int rc;

	rc = sqlite_cursors(store, &list, &n);
	for (size_t i = 0; i < n && rc == STORE_OK; i++)
		if (strcmp(list[i].series, series) == 0) {
			store->numbers[NUMBER_PAST] += (int64_t)list[i].stored;
			store->numbers[NUMBER_PAST_DROPPED] += (int64_t)list[i].dropped;
			sql = sqlite3_mprintf("DELETE FROM cursor WHERE series = %Q", series);
			rc = store_exec(store, sql);
			sqlite3_free(sql);
		}
	free(list);
	return rc;
}

static char *
decompress(struct store *store, struct slice data, size_t size)
{
	char *out = xmalloc(size + 1);
	size_t n;

	if (!store->dctx)
		store->dctx = ZSTD_createDCtx();
	n = ZSTD_decompressDCtx(store->dctx, out, size, data.ptr, data.len);
	if (n != size) {
		free(out);
		return NULL;
	}
	return out;
}

static int
sqlite_chain(struct store *store, const uint8_t id[16], char **bytes, size_t *len, bool *json, struct buf *bill)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_CHAIN);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*json = sqlite3_column_int(st, 0) == BODY_JSON || sqlite3_column_int(st, 0) == BODY_BLURRED;
		*len = (size_t)sqlite3_column_int64(st, 1);
		*bytes = decompress(store, slice_make(sqlite3_column_blob(st, 2),
		    (size_t)sqlite3_column_bytes(st, 2)), *len);
		if (bill)
			buf_append(bill, sqlite3_column_text(st, 3), (size_t)sqlite3_column_bytes(st, 3));
		rc = *bytes ? STORE_OK : STORE_E_CORRUPT;
	} else
		rc = rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
	sqlite3_reset(st);
	return rc;
}

static int
sqlite_first_id(struct store *store, uint8_t id[16])
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_ALIAS_FIRST);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16)
		memcpy(id, sqlite3_column_blob(st, 0), 16);
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

static int
sqlite_totals(struct store *store, struct store_totals *t)
{
	struct query all = { .tenant = SLICE_NONE, .sort = -1 };
	int rc = load_numbers(store);

	memset(t, 0, sizeof(*t));
	t->past = (uint64_t)store->numbers[NUMBER_PAST];
	t->past_dropped = (uint64_t)store->numbers[NUMBER_PAST_DROPPED];
	t->expired = (uint64_t)store->numbers[NUMBER_EXPIRED];
	t->duplicates = (uint64_t)store->numbers[NUMBER_DUPLICATES];
	t->removed = (uint64_t)store->numbers[NUMBER_REMOVED];
	t->given = (uint64_t)store->numbers[NUMBER_GIVEN];
	return rc == STORE_OK ? store_count(store, &all, &t->rows) : rc;
}

static const char *
sqlite_error(struct store *store)
{
	if (is_error(sqlite3_errcode(store->db)))
		return sqlite3_errmsg(store->db);
	return *store->trouble ? store->trouble : "unknown error";
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.put = store_put,
	.billed = store_billed,
	.cursor = sqlite_cursor,
	.forget = sqlite_forget,
	.commit = sqlite_commit,
	.sync = sqlite_sync,
	.rollback = sqlite_rollback,
	.expire = store_expire,
	.retain = store_retain,
	.remove = store_remove,
	.day_offset = rollup_set_offset,
	.search = search_keep,
	.check_rollups = rollup_check,
	.size = store_size,
	.error = sqlite_error,
	.scope = store_scope,
	.cursors = sqlite_cursors,
	.select = store_select,
	.select_numbers = store_select_numbers,
	.next = store_next,
	.done = store_done,
	.count = store_count,
	.count_upto = store_count_upto,
	.summary = store_summary,
	.threads = store_threads,
	.scores = store_scores,
	.scores_list = score_list,
	.chain = sqlite_chain,
	.first_id = sqlite_first_id,
	.edit = store_edit,
	.customers = customers_select,
	.customers_next = customers_next,
	.customers_done = customers_done,
	.customers_count = customers_count, .customer_details = customers_details,
	.traces = traces_select,
	.traces_next = traces_next,
	.traces_done = traces_done,
	.traces_count = traces_count,
	.traces_sum = traces_sum,
	.traces_spans = traces_spans,
	.trace_public = public_find,
	.metrics = metrics_select,
	.metrics_next = metrics_next,
	.metrics_done = metrics_done,
	.totals = sqlite_totals,
	.follow = news_follow,
	.news = news_look,
	.news_from = news_begin,
	.news_of = news_of,
	.row_number = store_row_number,
};
