/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public: which traces anybody may read, without a key (table trace_public). A
 * mark goes with the last span of its trace (traces.c), so that another trace
 * of that id begins unmarked. Called by edit.c, and by the API before it shows
 * a trace to a stranger.
 */
#include "core/jscan.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/traces.h"

/* A mark of the whole trace is not narrowed by one of an environment. */
static const char mark_sql[] =
    "INSERT INTO trace_public(trace, tenant, environment) SELECT trace, tenant, ?3 FROM trace WHERE trace = ?1"
    " AND tenant = ?2 AND (?3 IS NULL OR environment = ?3)"
    " ON CONFLICT(trace, tenant) DO UPDATE SET environment = NULL WHERE excluded.environment IS NULL";
static const char unmark_sql[] =
    "DELETE FROM trace_public WHERE trace = ?1 AND tenant = ?2 AND (?3 IS NULL OR EXISTS (SELECT 1 FROM trace"
    " WHERE trace = ?1 AND tenant = ?2 AND environment = ?3))";

int
public_edit(struct store *store, struct jvalue edit)
{
	static const char *const names[] = { "trace", "tenant", "environment" };
	bool yes = jget(edit, SLICE("public")).kind == JTRUE;
	sqlite3_stmt *st = NULL;
	struct buf text;
	int rc;

	rc = sqlite3_prepare_v2(store->db, yes ? mark_sql : unmark_sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_code(rc);
	buf_init(&text, LIMIT_RECORD);
	for (int i = 0; i < 3; i++) {
		buf_clear(&text);
		if (jstring(jget(edit, slice_str(names[i])), &text))
			sqlite3_bind_text(st, i + 1, text.ptr ? text.ptr : "", (int)text.len, SQLITE_TRANSIENT);
	}
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	buf_free(&text);
	return store_code(rc);
}

int
public_find(struct store *store, struct slice tenant, struct slice trace, struct buf *environment)
{
	sqlite3_stmt *st = NULL;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "SELECT environment FROM trace_public WHERE trace = ? AND tenant = ?", -1, &st,
	    NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(st, 1, trace.ptr ? trace.ptr : "", (int)trace.len, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, tenant.ptr ? tenant.ptr : "", (int)tenant.len, SQLITE_STATIC);
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_ROW)
		buf_append(environment, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
}
