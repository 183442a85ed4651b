/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope: a reader that sees the rows of one tenant, or of one environment of
 * it, and no others. Views of the connection's own stand in front of the
 * tables, under their names, so that no SQL of this handle can forget the
 * condition. Called by the API before it reads for a key.
 */
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"

/* What the functions of the views give; lives as long as the connection. */
struct scope {
	char	*text;		/* of the tenant, or the environment */
};

static void
scope_value(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct scope *s = sqlite3_user_data(context);

	(void)n;
	(void)values;
	sqlite3_result_text(context, s->text, -1, SQLITE_STATIC);
}

static void
scope_free(void *p)
{
	struct scope *s = p;

	free(s->text);
	free(s);
}

/* SQL reads the value by a function of that name: it is never printed into SQL. */
static int
scope_function(struct store *store, const char *name, struct slice value)
{
	struct scope *s = xcalloc(1, sizeof(*s));

	s->text = xstrndup(value.ptr, value.len);
	return sqlite3_create_function_v2(store->db, name, 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC, s, scope_value,
	    NULL, NULL, scope_free);	/* which is called on failure too */
}

/* Every table that says whose its rows are, also one that is thought of later. */
static const char tables_sql[] =
    "SELECT m.name, max(p.name = 'environment') FROM main.sqlite_schema m, pragma_table_info(m.name, 'main') p"
    " WHERE m.type = 'table' GROUP BY m.name HAVING max(p.name = 'tenant')";

static int
make_views(struct store *store, bool part)
{
	struct buf sql;
	sqlite3_stmt *st;
	char *view;
	int rc;

	buf_init(&sql, 64 * KIB);
	rc = sqlite3_prepare_v2(store->db, tables_sql, -1, &st, NULL);
	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		view = sqlite3_mprintf("CREATE TEMP VIEW \"%w\" AS SELECT * FROM main.\"%w\" WHERE tenant = scope_tenant()%s;",
		    sqlite3_column_text(st, 0), sqlite3_column_text(st, 0),
		    part && sqlite3_column_int(st, 1) ? " AND environment = scope_environment()" : "");
		buf_str(&sql, view);
		sqlite3_free(view);
	}
	sqlite3_finalize(st);
	buf_append(&sql, "", 1);
	rc = sql.failed ? STORE_BUSY : store_code(rc);
	if (rc == STORE_OK)
		rc = store_exec(store, sql.ptr);
	buf_free(&sql);
	return rc;
}

int
store_scope(struct store *store, struct slice tenant, struct slice environment)
{
	int rc;

	rc = scope_function(store, "scope_tenant", tenant);
	if (rc == SQLITE_OK && environment.ptr)
		rc = scope_function(store, "scope_environment", environment);
	return rc == SQLITE_OK ? make_views(store, environment.ptr != NULL) : store_code(rc);
}
