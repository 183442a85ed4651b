/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same: spans that were sent more than once, and changes that came before their
 * span. Of spans of one environment that name the same span of the same trace,
 * or came with the same Idempotency-Key, there is one row: the last one's content under the
 * first one's id and number, with what people had changed of it. Called by
 * put.c.
 */
#include "core/limits.h"
#include "store/db.h"
#include "store/value.h"

/* The row that says it is the same; *n 0: there is none. id: its own. */
static int
find_by(struct store *store, enum store_statement which, struct slice tenant, struct slice a, struct slice b,
    struct slice environment, int64_t *n, uint8_t id[16])
{
	sqlite3_stmt *st = store_statement(store, which);
	int rc;

	*n = 0;
	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_text(st, 1, tenant.ptr, (int)tenant.len, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, a.ptr, (int)a.len, SQLITE_STATIC);
	if (b.ptr) {
		sqlite3_bind_text(st, 3, b.ptr, (int)b.len, SQLITE_STATIC);
		sqlite3_bind_text(st, 4, environment.ptr, (int)environment.len, SQLITE_STATIC);
	}
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 1) == 16) {
		*n = sqlite3_column_int64(st, 0);
		memcpy(id, sqlite3_column_blob(st, 1), 16);
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_DONE : rc;
}

int
same_find(struct store *store, const struct span *span, struct slice tenant, int64_t *n, uint8_t id[16])
{
	*n = 0;
	if (!span->same_id.ptr)
		return SQLITE_DONE;
	if (*span->same_id.ptr == 'i')
		return find_by(store, STATEMENT_SAME_KEY, tenant, span->same_id, SLICE_NONE, SLICE_NONE, n, id);
	return find_by(store, STATEMENT_SAME_SPAN, tenant, span->trace_unique_id, span->span_unique_id,
	    value_cut(span->environment, LIMIT_ROW_TEXT), n, id);
}

int
same_note(struct store *store, const struct span *span, struct slice tenant, int64_t n)
{
	sqlite3_stmt *st;
	int rc;

	if (!span->same_id.ptr || *span->same_id.ptr != 'i')
		return SQLITE_DONE;
	st = store_statement(store, STATEMENT_SAME_NOTE);
	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_text(st, 1, tenant.ptr, (int)tenant.len, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, span->same_id.ptr, (int)span->same_id.len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* Runs a statement of one or two ids. */
static int
run_ids(struct store *store, enum store_statement which, const uint8_t a[16], const uint8_t *b)
{
	sqlite3_stmt *st = store_statement(store, which);
	int rc;

	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_blob(st, 1, a, 16, SQLITE_STATIC);
	if (b)
		sqlite3_bind_blob(st, 2, b, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

int
same_alias(struct store *store, const uint8_t id[16], const uint8_t first[16])
{
	return memcmp(id, first, 16) == 0 ? SQLITE_DONE : run_ids(store, STATEMENT_ALIAS, id, first);
}
