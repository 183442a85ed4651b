/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit: changes of stored spans, as EDIT records hold them: a JSON object with
 * absolute values, so that one that is applied twice does no harm.
 *
 *   {"patch": {"note", "positive_feedback", "is_pinned", "blurred",
 *              "custom_identifier", "metadata"}}   members that are there are
 *                              set, null unsets; metadata's are merged
 *   {"delete": true}
 *   {"score": {"id", "evaluator_id", "scorer", "evaluator_slug", "evaluator_name",
 *              "kind", "value", "text", "json", "is_passed", "cost_pico",
 *              "created", "changed", "details"}}   a row of table score, whole; one of
 *                              that evaluator and scorer that is there keeps its
 *                              id and created. Times: µs
 *   {"score_delete": "ID"}     that score of the span
 *   {"trace_public": {"tenant", "trace", "environment", "public"}}   of no span: anybody may
 *                              read the trace, or no more; environment: only what is of that one
 *   {"customer": {"tenant", "environment", "customer", "details", "gone"}}   of no
 *                              span: a row of table customer_edit, whole
 *
 * Besides them "by": {"tenant", "environment"}: whose span it has to be, else nothing
 * is changed. What was said of a span before it came could not be checked then.
 *
 * Called by the sink, and by put.c for changes that came before their span.
 */
#include <stdio.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "store/db.h"

/* Members of a patch that are columns of span_edit. */
static const struct { const char *name; bool is_switch; } columns[] = {
	{ "note", false }, { "custom_identifier", false },
	{ "positive_feedback", true }, { "is_pinned", true }, { "blurred", true },
};

/* Sets one column; what a column of the same name in table span holds stays. */
static int
column_set(struct store *store, int64_t n, const char *name, bool is_switch, struct jvalue v)
{
	sqlite3_stmt *st = NULL;
	struct buf text;
	char sql[200];
	bool flag;
	int rc;

	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO span_edit(span, %s) VALUES(?1, ?2)"
	    " ON CONFLICT(span) DO UPDATE SET %s = ?2", name, name);
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_code(rc);
	buf_init(&text, LIMIT_ROW_JSON);
	sqlite3_bind_int64(st, 1, n);
	if (v.kind == JNULL)
		sqlite3_bind_null(st, 2);
	else if (is_switch && jbool(v, &flag))
		sqlite3_bind_int(st, 2, flag);
	else if (jstring(v, &text))
		sqlite3_bind_text(st, 2, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	buf_free(&text);
	return store_code(rc);
}

/* The members of a changed metadata laid over those of an older change. */
static bool
merge(struct slice old, struct jvalue over, struct buf *out)
{
	struct jvalue base;
	struct jiter it;
	struct jmember m;

	buf_byte(out, '{');
	if (old.ptr && jscan_check(old, &base, NULL) == JSCAN_END) {
		jiter_init(&it, base);
		while (jiter_next(&it, &m)) {
			struct jiter other;
			struct jmember o;
			bool again = false;

			jiter_init(&other, over);
			while (!again && jiter_next(&other, &o))
				again = slice_eq(o.key_text, m.key_text);
			if (again)
				continue;
			buf_str(out, out->len > 1 ? "," : "");
			buf_slice(out, slice_make(m.key_text.ptr, (size_t)(m.value.text.ptr + m.value.text.len - m.key_text.ptr)));
		}
	}
	jiter_init(&it, over);
	while (jiter_next(&it, &m)) {
		buf_str(out, out->len > 1 ? "," : "");
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		buf_slice(out, m.value.text);
	}
	buf_byte(out, '}');
	return !out->failed;
}

static int
metadata_write(struct store *store, int64_t n, struct slice merged)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(store->db, "INSERT INTO span_edit(span, metadata) VALUES(?1, ?2)"
	    " ON CONFLICT(span) DO UPDATE SET metadata = ?2", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, n);
		sqlite3_bind_text(st, 2, merged.ptr, (int)merged.len, SQLITE_STATIC);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

/* Merged into what was changed before; the keys by which lists filter follow. */
static int
metadata_set(struct store *store, int64_t n, struct jvalue over)
{
	sqlite3_stmt *st = NULL;
	struct buf merged;
	int rc;

	buf_init(&merged, LIMIT_ROW_JSON);
	rc = sqlite3_prepare_v2(store->db, "SELECT metadata FROM span_edit WHERE span = ?", -1, &st, NULL);
	if (rc == SQLITE_OK) {
		struct slice old = SLICE_NONE;

		sqlite3_bind_int64(st, 1, n);
		if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_TEXT)
			old = slice_make(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		rc = merge(old, over, &merged) ? SQLITE_OK : SQLITE_NOMEM;
	}
	sqlite3_finalize(st);
	rc = store_code(rc);
	if (rc == STORE_OK)
		rc = metadata_write(store, n, buf_view(&merged));
	if (rc == STORE_OK)
		rc = put_meta_again(store, n, over);
	buf_free(&merged);
	return rc;
}

static int
patch(struct store *store, int64_t n, struct jvalue fields)
{
	struct jvalue v;
	int rc = STORE_OK;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]) && rc == STORE_OK; i++) {
		v = jget(fields, slice_str(columns[i].name));
		if (v.kind != JNONE)
			rc = column_set(store, n, columns[i].name, columns[i].is_switch, v);
	}
	v = jget(fields, SLICE("metadata"));
	if (rc == STORE_OK && v.kind == JOBJECT)
		rc = metadata_set(store, n, v);
	return rc;
}

/* A changed row is a new revision. */
static int
revise(struct store *store, int64_t n)
{
	char sql[100];
	int rc;

	sqlite3_snprintf(sizeof(sql), sql, "UPDATE span SET rev = %lld WHERE n = %lld",
	    (long long)store->numbers[NUMBER_REV] + 1, (long long)n);
	rc = store_exec(store, sql);
	if (rc == STORE_OK)
		store->numbers[NUMBER_REV]++;
	return rc == STORE_OK ? news_changed(store, n) : rc;
}

/* STORE_NOT_FOUND: it is not of those that `by` names. */
static int
check_by(struct store *store, int64_t n, struct jvalue by)
{
	static const char *const names[] = { "tenant", "environment" };
	sqlite3_stmt *st = NULL;
	struct buf text[2];
	int rc = sqlite3_prepare_v2(store->db, "SELECT 1 FROM span WHERE n = ?1 AND (?2 IS NULL OR tenant = ?2)"
	    " AND (?3 IS NULL OR environment = ?3)", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return store_code(rc);
	sqlite3_bind_int64(st, 1, n);
	for (int i = 0; i < 2; i++) {
		buf_init(&text[i], LIMIT_RECORD);
		if (jstring(jget(by, slice_str(names[i])), &text[i]))
			sqlite3_bind_text(st, i + 2, text[i].ptr ? text[i].ptr : "", (int)text[i].len, SQLITE_STATIC);
	}
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	buf_free(&text[0]);
	buf_free(&text[1]);
	return rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
}

static int
keep_pending(struct store *store, const uint8_t target[16], struct slice edit)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_PENDING);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_blob(st, 1, target, 16, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, edit.ptr, (int)edit.len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

/* details holds email and name too, which lists are sorted by. */
static int
customer_put(struct store *store, struct jvalue customer)
{
	static const char *const names[] = { "tenant", "environment", "customer", "email", "name" };
	struct jvalue details = jget(customer, SLICE("details"));
	sqlite3_stmt *st = NULL;
	struct buf text;
	int64_t gone;
	int rc = sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO customer_edit(tenant, environment, customer, email,"
	    " name, details, gone) VALUES(?,?,?,?,?,?,?)", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return store_code(rc);
	buf_init(&text, LIMIT_RECORD);
	for (int i = 0; i < 5; i++) {
		struct jvalue v = jget(i < 3 ? customer : details, slice_str(names[i]));

		buf_clear(&text);
		if (jstring(v, &text))
			sqlite3_bind_text(st, i + 1, text.ptr ? text.ptr : "", (int)text.len, SQLITE_TRANSIENT);
	}
	if (details.kind == JOBJECT)
		sqlite3_bind_text(st, 6, details.text.ptr, (int)details.text.len, SQLITE_STATIC);
	if (jint(jget(customer, SLICE("gone")), &gone))
		sqlite3_bind_int64(st, 7, gone);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	buf_free(&text);
	return store_code(rc);
}

int
store_edit(struct store *store, const uint8_t target[16], struct slice edit)
{
	struct jvalue v, fields;
	int64_t n;
	int rc;

	if (jscan_check(edit, &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		return STORE_E_ROW;
	if (jget(v, SLICE("customer")).kind == JOBJECT)
		return customer_put(store, jget(v, SLICE("customer")));
	if (jget(v, SLICE("trace_public")).kind == JOBJECT)
		return public_edit(store, jget(v, SLICE("trace_public")));
	rc = store_find(store, target, &n);
	if (rc == STORE_NOT_FOUND)
		return keep_pending(store, target, edit);
	if (rc == STORE_OK && jget(v, SLICE("by")).kind == JOBJECT)
		rc = check_by(store, n, jget(v, SLICE("by")));
	if (rc == STORE_NOT_FOUND)
		return STORE_OK;
	if (rc != STORE_OK)
		return rc;
	if (jget(v, SLICE("delete")).kind == JTRUE)
		return store_remove(store, target);
	fields = jget(v, SLICE("patch"));
	if (fields.kind == JOBJECT)
		rc = patch(store, n, fields);
	fields = jget(v, SLICE("score"));
	if (rc == STORE_OK && fields.kind == JOBJECT)
		rc = score_put(store, n, fields);
	fields = jget(v, SLICE("score_delete"));
	if (rc == STORE_OK && fields.kind == JSTRING)
		rc = score_remove(store, n, fields);
	return rc == STORE_OK ? revise(store, n) : rc;
}

/* Takes the oldest change out that waits for the id. */
static int
pending_take(struct store *store, const uint8_t target[16], struct buf *edit)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_PENDING_FIND);
	int64_t n = 0;
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_blob(st, 1, target, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		n = sqlite3_column_int64(st, 0);
		buf_append(edit, sqlite3_column_text(st, 1), (size_t)sqlite3_column_bytes(st, 1));
	}
	sqlite3_reset(st);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
	st = store_statement(store, STATEMENT_PENDING_DONE);
	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

int
edit_pending(struct store *store, const uint8_t target[16], const uint8_t id[16])
{
	struct buf edit;
	int64_t n;
	int rc;

	buf_init(&edit, LIMIT_ROW_JSON);
	while ((rc = pending_take(store, target, &edit)) == STORE_OK) {
		/* one of them may have deleted it: the rest is for nothing then */
		rc = store_find(store, id, &n);
		if (rc == STORE_OK)
			rc = store_edit(store, id, buf_view(&edit));
		if (rc != STORE_OK && rc != STORE_NOT_FOUND && rc != STORE_E_ROW)
			break;
		buf_clear(&edit);
	}
	buf_free(&edit);
	return rc == STORE_NOT_FOUND ? STORE_OK : rc;
}
