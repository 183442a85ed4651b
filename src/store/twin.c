/* SPDX-License-Identifier: Apache-2.0 */
/* twin: see twin.h. Called by put.c for each row that comes. */
#include "store/twin.h"

#include "core/limits.h"
#include "core/uuid.h"
#include "store/db.h"
#include "store/value.h"

#define NEAR_US 10000000
#define NEAR "10000000"		/* µs between two of one id: clocks of two machines differ */
#define LONG "3600000000"	/* µs that an application may take to read an answer */
#define EDGE "500000"		/* µs by which a like one may stand out */
#define AFTER "2000000"		/* µs that an application may go on before it ends its span */
#define LOOKED_AT "2000"	/* requests that are looked through for a like one: some ms */
#define SEVERAL 8		/* instrumentations of one call */
#define TOGETHER 64		/* of the gateway in one trace, at one time */
#define COLUMNS "n, tenant, environment, key_id, timestamp, start_time, log_method, log_type, counts," \
	" trace_unique_id, model, status, prompt_tokens, completion_tokens, usage_source"
#define IS_MODEL "lower(log_type) IN ('chat', 'completion', 'text', 'response', 'generation', 'embedding'," \
	" 'transcription', 'speech', 'reranker')"

const char twin_schema_sql[] =
    /* of the gateway's by time, which costs a third of what ids in any order do; those that are given by id. Apart, as
     * some servers have one id for all: who looks for the other kind is not to pass over its own. */
    "CREATE INDEX span_response ON span(timestamp, response_id) WHERE log_method = 'inference';"
    "CREATE INDEX span_response_given ON span(response_id, timestamp)"
    " WHERE response_id IS NOT NULL AND log_method <> 'inference';"
    "CREATE INDEX span_gateway ON span(trace_unique_id, start_time)"
    " WHERE trace_unique_id IS NOT NULL AND log_method = 'inference';"
    "CREATE INDEX span_unnamed ON span(timestamp)"
    " WHERE log_method <> 'inference' AND response_id IS NULL AND trace_unique_id IS NOT NULL AND counts = 3;";

/* ?1, ?9, ?10: the tenant, environment and key. What came by a key touches nothing of another environment. */
#define WITHIN "tenant = ?1 AND (environment IS ?9 OR (key_id IS NULL AND ?10 IS NULL))"
/* ?1 tenant, ?2 response id, ?3 start, ?4 end, ?5 completion tokens as somebody told them. */
#define BY_ID WITHIN " AND coalesce(start_time, timestamp) <= ?4 + " NEAR " AND (?5 IS NULL OR" \
	" completion_tokens IS NULL OR completion_tokens = ?5 OR usage_source IS 'estimated')" \
	" ORDER BY abs(timestamp - ?4)"
/* ?1 tenant, ?2 model, ?3 start, ?4 end, ?5 and ?6 tokens, ?7 status, ?8 whether the tokens are our estimate, as
 * of streams whose usage the instrumentation does not see: that is of the size that a provider counts, no more. */
#define AGREES(column, told) "(" column " IS " told " OR ((?8 OR usage_source IS 'estimated') AND abs(" column \
	" - " told ") <= 10 + " column " / 2))"
/* Some tell the model that was asked for, some the dated one that answered. */
#define BEGINS(text, with) "substr(lower(" text "), 1, length(" with ") + 1) = lower(" with ") || '-'"
#define LIKE WITHIN " AND (lower(model) = lower(?2) OR " BEGINS("model", "replace(?2, '-latest', '')") " OR " \
	BEGINS("?2", "replace(model, '-latest', '')") ") AND status = ?7 AND " AGREES("completion_tokens", "?5") " AND " \
	AGREES("prompt_tokens", "?6")

static const char *const sqls[] = {
	[STATEMENT_TWIN_GATEWAY - STATEMENT_TWIN_GATEWAY] =
	    "SELECT n FROM (SELECT " COLUMNS " FROM span INDEXED BY span_response"
	    " WHERE log_method = 'inference' AND response_id = ?2 AND timestamp BETWEEN ?3 - " NEAR " AND ?4 + " NEAR
	    " ORDER BY timestamp DESC LIMIT " LOOKED_AT ") WHERE " BY_ID " LIMIT 1",
	[STATEMENT_TWIN_GIVEN - STATEMENT_TWIN_GATEWAY] =
	    "SELECT n FROM (SELECT " COLUMNS " FROM span INDEXED BY span_response_given"
	    " WHERE log_method <> 'inference' AND response_id = ?2 AND timestamp BETWEEN ?3 - " NEAR " AND ?4 + " LONG
	    " ORDER BY timestamp LIMIT " LOOKED_AT ") WHERE counts > 0 AND " IS_MODEL " AND " BY_ID " LIMIT 1",
	[STATEMENT_TWIN_LIKE - STATEMENT_TWIN_GATEWAY] =
	    "SELECT n FROM (SELECT " COLUMNS " FROM span INDEXED BY span_response WHERE log_method = 'inference'"
	    " AND timestamp BETWEEN ?4 - " AFTER " AND ?4 + " EDGE " ORDER BY timestamp DESC LIMIT " LOOKED_AT ")"
	    " WHERE start_time >= ?3 - " EDGE " AND trace_unique_id IS NULL AND counts = 3 AND " LIKE
	    " ORDER BY abs(timestamp - ?4) LIMIT 1",
	[STATEMENT_TWIN_UNNAMED - STATEMENT_TWIN_GATEWAY] =
	    "SELECT n FROM span INDEXED BY span_unnamed WHERE log_method <> 'inference' AND response_id IS NULL"
	    " AND trace_unique_id IS NOT NULL AND counts = 3"
	    " AND timestamp BETWEEN ?4 - " EDGE " AND ?4 + " AFTER " AND start_time <= ?3 + " EDGE " AND " LIKE
	    " AND " IS_MODEL " ORDER BY abs(timestamp - ?4) LIMIT 1",
	[STATEMENT_TWIN_UP - STATEMENT_TWIN_GATEWAY] =
	    "SELECT n, span_parent_id, " IS_MODEL " FROM span WHERE " WITHIN " AND trace_unique_id = ?2"
	    " AND span_unique_id = ?3 AND log_method <> 'inference' LIMIT 1",
	[STATEMENT_TWIN_DOWN - STATEMENT_TWIN_GATEWAY] =
	    "SELECT span_parent_id FROM span INDEXED BY span_gateway WHERE " WITHIN " AND trace_unique_id = ?2"
	    " AND log_method = 'inference' AND start_time BETWEEN ?3 - " NEAR " AND ?4 + " NEAR
	    " AND span_parent_id IS NOT NULL LIMIT ?5",
	[STATEMENT_TWIN_UNCOUNT - STATEMENT_TWIN_GATEWAY] =
	    "UPDATE span SET counts = 0, billable = 0, cost_pico = 0, cost_source = 'gateway', rev = ?2 WHERE n = ?1",
	[STATEMENT_TWIN_UNBILL - STATEMENT_TWIN_GATEWAY] = "DELETE FROM bill WHERE span = ?1",
	[STATEMENT_TWIN_JOIN - STATEMENT_TWIN_GATEWAY] =
	    "UPDATE span SET (trace_unique_id, span_parent_id) = (SELECT trace_unique_id, span_unique_id FROM span"
	    " WHERE n = ?3), span_unique_id = coalesce(span_unique_id, lower(hex(id))), rev = ?2"
	    " WHERE n = ?1 AND trace_unique_id IS NULL AND (SELECT trace_unique_id FROM span WHERE n = ?3) IS NOT NULL",
	[STATEMENT_TWIN_COUNTED - STATEMENT_TWIN_GATEWAY] = "SELECT 1 FROM span WHERE n = ?1 AND counts > 0",
};

/* Prepared at first use, as all statements are. */
static sqlite3_stmt *
statement(struct store *store, enum store_statement which)
{
	if (!store->statements[which])
		sqlite3_prepare_v3(store->db, sqls[which - STATEMENT_TWIN_GATEWAY], -1, SQLITE_PREPARE_PERSISTENT,
		    &store->statements[which], NULL);
	if (store->statements[which]) {
		sqlite3_reset(store->statements[which]);
		sqlite3_clear_bindings(store->statements[which]);
	}
	return store->statements[which];
}

static void
bind_text(sqlite3_stmt *st, int at, struct slice s)
{
	if (s.ptr)
		sqlite3_bind_text(st, at, s.ptr, (int)value_cut(s, LIMIT_ROW_TEXT).len, SQLITE_STATIC);
}

static void
bind_int(sqlite3_stmt *st, int at, struct span_int v)
{
	if (v.set)
		sqlite3_bind_int64(st, at, v.v);
}

static int64_t
end_of(const struct span *s)
{
	return s->timestamp.set ? s->timestamp.v : (int64_t)uuid7_ms(s->id16) * 1000;
}

static int64_t
start_of(const struct span *s)
{
	return s->start_time.set ? s->start_time.v : end_of(s);
}

static struct slice
tenant_of(const struct span *s)
{
	return s->tenant.ptr ? s->tenant : SLICE("default");
}

static bool
is_estimated(const struct span *s)
{
	return slice_eq(s->usage_source, SLICE("estimated"));
}

/* Whose it is: WITHIN. */
static void
bind_whose(sqlite3_stmt *st, const struct span *s)
{
	bind_text(st, 1, tenant_of(s));
	bind_text(st, 9, s->environment);
	bind_text(st, 10, s->organization_key_id);
}

/* The row that a statement finds for the span; 0: none. name: ?2. */
static int
find(struct store *store, enum store_statement which, const struct span *s, struct slice name, int64_t *n)
{
	sqlite3_stmt *st = statement(store, which);
	int rc;

	*n = 0;
	if (!st)
		return sqlite3_errcode(store->db);
	bind_whose(st, s);
	bind_text(st, 2, name);
	sqlite3_bind_int64(st, 3, start_of(s));
	sqlite3_bind_int64(st, 4, end_of(s));
	if (which == STATEMENT_TWIN_LIKE || which == STATEMENT_TWIN_UNNAMED) {
		bind_int(st, 5, s->completion_tokens);
		bind_int(st, 6, s->prompt_tokens);
		bind_text(st, 7, s->status);
		sqlite3_bind_int(st, 8, is_estimated(s));
	} else if (!is_estimated(s))
		bind_int(st, 5, s->completion_tokens);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

/* Runs one that changes rows. */
static int
run(struct store *store, enum store_statement which, int64_t n, int64_t other)
{
	sqlite3_stmt *st = statement(store, which);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	if (which != STATEMENT_TWIN_UNBILL)
		sqlite3_bind_int64(st, 2, store->numbers[NUMBER_REV] + 1);
	if (other != 0)
		sqlite3_bind_int64(st, 3, other);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

static int
revised(struct store *store, int64_t n)
{
	store->numbers[NUMBER_REV]++;
	return news_changed(store, n);
}

static int
is_counted(struct store *store, int64_t n, bool *counted)
{
	sqlite3_stmt *st = statement(store, STATEMENT_TWIN_COUNTED);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	*counted = rc == SQLITE_ROW;
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

/* The given row counts nowhere from now on. */
static int
uncount(struct store *store, int64_t n)
{
	bool counted;
	int rc = is_counted(store, n, &counted);

	if (rc != STORE_OK || !counted)
		return rc;
	rc = rollup_take(store, n);
	if (rc == STORE_OK)
		rc = run(store, STATEMENT_TWIN_UNCOUNT, n, 0);
	if (rc == STORE_OK)
		rc = revised(store, n);
	if (rc == STORE_OK)
		rc = run(store, STATEMENT_TWIN_UNBILL, n, 0);
	return rc == STORE_OK ? rollup_give(store, n) : rc;
}

/* The two are one call. */
static int
pair(struct store *store, int64_t gateway, int64_t given)
{
	int rc = uncount(store, given);

	if (rc == STORE_OK)
		rc = run(store, STATEMENT_TWIN_JOIN, gateway, given);
	if (rc != STORE_OK || sqlite3_changes(store->db) == 0)
		return rc;
	rc = revised(store, gateway);
	return rc == STORE_OK ? traces_touch(store, gateway) : rc;
}

/* The call of a model that the parents lead to; 0: none yet. */
static int
climb(struct store *store, const struct span *in, struct slice parent, int64_t *n)
{
	char ids[2][LIMIT_ROW_TEXT];
	sqlite3_stmt *st = statement(store, STATEMENT_TWIN_UP);
	int rc = SQLITE_ROW;

	*n = 0;
	if (!st)
		return sqlite3_errcode(store->db);
	bind_whose(st, in);
	bind_text(st, 2, in->trace_unique_id);
	for (int level = 0; level < TWIN_LEVELS && parent.len > 0 && *n == 0; level++) {
		sqlite3_reset(st);
		bind_text(st, 3, parent);
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		if (sqlite3_column_int(st, 2))
			*n = sqlite3_column_int64(st, 0);
		/* it dies with the next step */
		parent = slice_make(ids[level & 1], (size_t)sqlite3_column_bytes(st, 1));
		if (parent.len > LIMIT_ROW_TEXT)
			parent.len = 0;
		if (parent.len > 0)
			memcpy(ids[level & 1], sqlite3_column_blob(st, 1), parent.len);
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_DONE : rc;
}

/* All given ones that tell the response's id; those that are found count no more. */
static int
by_id(struct store *store, int64_t n, const struct span *s, int64_t *given)
{
	int rc = SQLITE_DONE, paired = STORE_OK;
	int64_t next = 0;

	for (int i = 0; i < SEVERAL && rc == SQLITE_DONE && paired == STORE_OK; i++) {
		rc = find(store, STATEMENT_TWIN_GIVEN, s, s->response_id, &next);
		if (rc != SQLITE_DONE || next == 0)
			break;
		*given = next;
		paired = pair(store, n, next);
	}
	return paired == STORE_OK ? rc : SQLITE_BUSY;
}

/* A span of the gateway's has come: which given one is the same call? */
static int
gateway_look(struct store *store, int64_t n, const struct span *s)
{
	int64_t given = 0;
	int rc = SQLITE_DONE;

	if (s->trace_unique_id.len > 0 && s->span_parent_id.len > 0)
		rc = climb(store, s, s->span_parent_id, &given);
	if (rc == SQLITE_DONE && given == 0 && s->response_id.len > 0)
		rc = by_id(store, n, s, &given);
	if (rc == SQLITE_DONE && given == 0 && s->trace_unique_id.len == 0 && s->model.len > 0)
		rc = find(store, STATEMENT_TWIN_UNNAMED, s, s->model, &given);
	return rc == SQLITE_DONE && given != 0 ? pair(store, n, given) : store_code(rc);
}

/* Parents of the gateway's spans in this one's trace at its time; each as text in the buf with a NUL. */
static int
parents_below(struct store *store, const struct span *s, struct buf *out)
{
	sqlite3_stmt *st = statement(store, STATEMENT_TWIN_DOWN);
	int rc;

	if (!st)
		return sqlite3_errcode(store->db);
	bind_whose(st, s);
	bind_text(st, 2, s->trace_unique_id);
	sqlite3_bind_int64(st, 3, start_of(s));
	sqlite3_bind_int64(st, 4, end_of(s));
	sqlite3_bind_int(st, 5, TOGETHER);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		buf_append(out, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		buf_append(out, "", 1);
	}
	sqlite3_reset(st);
	return out->failed ? SQLITE_NOMEM : rc;
}

/* A given span may be the call, or what leads to it from the gateway's. */
static int
trace_look(struct store *store, const struct span *s)
{
	struct slice rest, parent;
	struct buf parents;
	int64_t given;
	int rc;

	buf_init(&parents, TOGETHER * (LIMIT_ROW_TEXT + 1));
	rc = parents_below(store, s, &parents);
	for (rest = buf_view(&parents); rc == SQLITE_DONE && rest.len > 0; rest = slice_from(rest, parent.len + 1)) {
		parent = slice_make(rest.ptr, strnlen(rest.ptr, rest.len));
		rc = climb(store, s, parent, &given);
		if (rc == SQLITE_DONE && given != 0)
			rc = uncount(store, given) == STORE_OK ? SQLITE_DONE : SQLITE_BUSY;
	}
	buf_free(&parents);
	return store_code(rc);
}

static int
given_look(struct store *store, int64_t n, const struct span *s, bool *uncounted)
{
	bool model = s->billable.set && s->billable.v, counted = false;
	int64_t gateway = 0;
	int rc = STORE_OK, code = SQLITE_DONE;

	if (s->trace_unique_id.len > 0)
		rc = trace_look(store, s);
	if (rc != STORE_OK || !model)
		return rc;
	if (s->response_id.len > 0)
		code = find(store, STATEMENT_TWIN_GATEWAY, s, s->response_id, &gateway);
	else if (s->model.len > 0 && s->trace_unique_id.len > 0)
		code = find(store, STATEMENT_TWIN_LIKE, s, s->model, &gateway);
	if (code != SQLITE_DONE)
		return store_code(code);
	if (gateway != 0)
		rc = pair(store, gateway, n);
	if (rc != STORE_OK || (gateway == 0 && s->trace_unique_id.len == 0))
		return rc;
	rc = is_counted(store, n, &counted);
	*uncounted = rc == STORE_OK && !counted;
	return rc;
}

int
twin_look(struct store *store, int64_t n, const struct span *s, bool *uncounted)
{
	int64_t *until = &store->numbers[NUMBER_GIVEN_UNTIL];

	*uncounted = false;
	if (s->given) {
		*until = end_of(s) > *until ? end_of(s) : *until;
		return given_look(store, n, s, uncounted);
	}
	/* the gateway's mostly come first: where no given span is that young nobody need look */
	if (!slice_eq(s->log_method, SLICE("inference")) || !s->billable.set || !s->billable.v ||
	    *until < start_of(s) - NEAR_US)
		return STORE_OK;
	return gateway_look(store, n, s);
}
