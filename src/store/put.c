/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put: one span into the store: its row, its metadata keys, what it says of
 * itself as edits, its body, and whether it is the one of its response that is
 * billed. Called by the sink inside a transaction.
 */
#include <stdlib.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "store/db.h"
#include "store/twin.h"
#include "store/value.h"

/* Fields that hold what people wrote or read; a span whose bodies are not to
 * be kept is stored without them, whatever the builder left there. */
static const int body_fields[] = {
	SPAN_F_input, SPAN_F_output, SPAN_F_prompt_messages, SPAN_F_completion_message,
	SPAN_F_completion_messages, SPAN_F_tools, SPAN_F_tool_calls, SPAN_F_response_format,
	SPAN_F_variables, SPAN_F_respan_params, SPAN_F_full_request, SPAN_F_full_response, SPAN_F_stop,
};

bool
store_body_field(int field)
{
	for (size_t i = 0; i < sizeof(body_fields) / sizeof(body_fields[0]); i++)
		if (body_fields[i] == field)
			return true;
	return false;
}

/* What the row and table bill hold, and may be changed there. */
static bool
is_cost_field(int field)
{
	return field == SPAN_F_cost || field == SPAN_F_cost_source || field == SPAN_F_cost_details;
}

static int
bind_text(sqlite3_stmt *st, int at, struct slice text)
{
	return text.ptr ? sqlite3_bind_text(st, at, text.ptr, (int)text.len, SQLITE_STATIC)
	    : sqlite3_bind_null(st, at);
}

/* Binds one field of the span as its column holds it. */
static int
bind_field(sqlite3_stmt *st, int at, const struct span *span, int field)
{
	const char *p = (const char *)span + span_fields[field].offset;

	switch (span_fields[field].type) {
	case SPAN_TEXT:
	case SPAN_JSON:
		return bind_text(st, at, value_cut(*(const struct slice *)p,
		    field == SPAN_F_error_message ? LIMIT_ROW_ERROR : LIMIT_ROW_TEXT));
	case SPAN_NUM:
		if (!((const struct span_num *)p)->set)
			return sqlite3_bind_null(st, at);
		return sqlite3_bind_double(st, at, ((const struct span_num *)p)->v);
	case SPAN_BOOL:
		if (!((const struct span_bool *)p)->set)
			return sqlite3_bind_null(st, at);
		return sqlite3_bind_int(st, at, ((const struct span_bool *)p)->v);
	default:
		if (!((const struct span_int *)p)->set)
			return sqlite3_bind_null(st, at);
		return sqlite3_bind_int64(st, at, ((const struct span_int *)p)->v);
	}
}

static struct slice
row_tenant(const struct span *span)
{
	return span->tenant.ptr ? value_cut(span->tenant, LIMIT_ROW_TEXT) : SLICE("default");
}

/* The row itself; *n is its number, 0: the id was there already. */
static int
put_row(struct store *store, const struct span *span, unsigned counts, int64_t *n)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_SPAN);
	int rc;

	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_blob(st, 1, span->id16, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, store->numbers[NUMBER_REV] + 1);
	bind_text(st, 3, row_tenant(span));
	bind_text(st, 4, span->family.ptr ? span->family : SLICE("other"));
	sqlite3_bind_int(st, 5, (int)counts);
	for (int i = 0; i < STORE_COLUMNS; i++)
		if (bind_field(st, 6 + i, span, store_columns[i].field) == SQLITE_TOOBIG)
			return SQLITE_TOOBIG;
	if (!span->timestamp.set)
		sqlite3_bind_int64(st, 6 + STORE_C_timestamp, (int64_t)uuid7_ms(span->id16) * 1000);
	rc = sqlite3_step(st);
	*n = sqlite3_changes(store->db) > 0 ? sqlite3_last_insert_rowid(store->db) : 0;
	sqlite3_reset(st);
	return rc;
}

static void
bind_charge(sqlite3_stmt *st, const struct span *span)
{
	bind_text(st, 1, row_tenant(span));
	bind_text(st, 2, value_cut(span->charge_id, LIMIT_ROW_TEXT));
}

/* Has another span been billed for this one's response? SQLITE_ROW: yes. */
static int
charge_look(struct store *store, const struct span *span)
{
	sqlite3_stmt *st;
	int rc;

	if (!span->charge_id.ptr)
		return SQLITE_DONE;
	st = store_statement(store, STATEMENT_CHARGED);
	if (!st)
		return sqlite3_errcode(store->db);
	bind_charge(st, span);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* From now on row n is the one that is billed for its response. */
static int
put_charge(struct store *store, int64_t n, const struct span *span)
{
	sqlite3_stmt *st;
	int rc;

	if (!span->charge_id.ptr)
		return SQLITE_DONE;
	st = store_statement(store, STATEMENT_CHARGE);
	if (!st)
		return sqlite3_errcode(store->db);
	bind_charge(st, span);
	sqlite3_bind_int64(st, 3, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* A member's value as lists compare it: strings decoded, others as written. */
static struct slice
meta_value(struct store *store, struct jvalue value)
{
	struct slice text = jscalar(value, &store->text);

	return text.ptr || value.kind != JSTRING ? text : SLICE("");
}

static int
put_meta_member(struct store *store, int64_t n, const struct jmember *m)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_META);
	struct slice key, value;
	int rc;

	if (!st)
		return sqlite3_errcode(store->db);
	buf_clear(&store->text);
	/* Room first: the value's characters must not move the key's. */
	if (!buf_reserve(&store->text, m->key.len + m->value.text.len + 1))
		return SQLITE_TOOBIG;
	key = meta_value(store, (struct jvalue){ JSTRING, m->key_text });
	value = meta_value(store, m->value);
	sqlite3_bind_int64(st, 1, n);
	bind_text(st, 2, value_cut(key, LIMIT_META_VALUE));
	bind_text(st, 3, value_cut(value, LIMIT_META_VALUE));
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

static int
put_meta(struct store *store, int64_t n, struct slice metadata)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;
	int rc = SQLITE_DONE;

	if (!metadata.ptr || jscan_check(metadata, &value, NULL) != JSCAN_END)
		return SQLITE_DONE;
	jiter_init(&it, value);
	for (int i = 0; i < LIMIT_META_KEYS && rc == SQLITE_DONE && jiter_next(&it, &m); i++)
		if (m.key.ptr && m.value.kind != JNULL)
			rc = put_meta_member(store, n, &m);
	return rc;
}

int
put_meta_again(struct store *store, int64_t n, struct jvalue metadata)
{
	return store_code(put_meta(store, n, metadata.text));
}

/* Pins and notes that came with the request stand where later edits go. */
static int
put_edit(struct store *store, int64_t n, const struct span *span)
{
	sqlite3_stmt *st;
	int rc;

	if (!span->note.ptr && !span->positive_feedback.set && !span->is_pinned.set)
		return SQLITE_DONE;
	st = store_statement(store, STATEMENT_EDIT);
	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_int64(st, 1, n);
	bind_field(st, 2, span, SPAN_F_note);
	bind_field(st, 3, span, SPAN_F_positive_feedback);
	bind_field(st, 4, span, SPAN_F_is_pinned);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* The span less its bodies as JSON into store->json. */
static bool
json_without_bodies(struct store *store, const struct span *span)
{
	struct buf *out = &store->json;
	const char *comma = "{";

	buf_clear(out);
	for (int i = 0; i < SPAN_FIELDS; i++) {
		if (store_body_field(i) || is_cost_field(i) || span_is_null(span, i))
			continue;
		buf_printf(out, "%s\"%s\":", comma, span_fields[i].name);
		span_value_json(span, i, out);
		comma = ",";
	}
	buf_str(out, *comma == '{' ? "{}" : "}");
	return !out->failed;
}

/* Compresses into store->data. */
static bool
compress(struct store *store, struct slice src)
{
	size_t bound = ZSTD_compressBound(src.len), n;
	char *to;

	buf_clear(&store->data);
	to = buf_reserve(&store->data, bound);
	if (!to)
		return false;
	n = ZSTD_compressCCtx(store->cctx, to, bound, src.ptr, src.len, 1);
	if (ZSTD_isError(n))
		return false;
	store->data.len = n;
	return true;
}

static int
put_body(struct store *store, int64_t n, const struct span *span, struct slice chain, enum store_body json)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_BODY);
	struct slice body = chain;
	int rc;

	if (!st)
		return sqlite3_errcode(store->db);
	if (!chain.ptr) {
		if (!json_without_bodies(store, span))
			return SQLITE_TOOBIG;
		body = buf_view(&store->json);
	}
	if (!compress(store, body))
		return SQLITE_TOOBIG;
	sqlite3_bind_int64(st, 1, n);
	sqlite3_bind_int(st, 2, chain.ptr ? BODY_CHAIN : json);
	sqlite3_bind_int64(st, 3, (int64_t)body.len);
	rc = sqlite3_bind_blob64(st, 4, store->data.ptr, store->data.len, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* The memory of a large body is not kept for the next ones. */
static void
put_trim(struct buf *b)
{
	if (b->cap > 4 * MIB)
		buf_free(b);
}

int
store_put_blurred(struct store *store, int64_t n, const struct span *span)
{
	int rc = put_body(store, n, span, SLICE_NONE, BODY_BLURRED);

	put_trim(&store->data);
	put_trim(&store->json);
	return store_code(rc);
}

/* How the cost came about, where it is this row's. */
static int
put_bill(struct store *store, int64_t n, struct slice details)
{
	sqlite3_stmt *st;
	int rc;

	if (!details.ptr)
		return SQLITE_DONE;
	st = store_statement(store, STATEMENT_BILL);
	if (!st)
		return sqlite3_errcode(store->db);
	sqlite3_bind_int64(st, 1, n);
	bind_text(st, 2, details);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

/* Takes a half-stored row out again, so that the transaction can go on. */
static void
put_undo(struct store *store, int64_t n)
{
	static const char *const tables[] = { "span WHERE n", "span_meta WHERE span",
	    "span_edit WHERE span", "body WHERE span", "charge WHERE span", "bill WHERE span" };
	char sql[80];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM %s = %lld", tables[i], (long long)n);
		(void)store_exec(store, sql);
	}
}

enum store_billed
store_billed(const struct store *store)
{
	return store->billed;
}

/* The row of a response that was billed before. */
static int
put_row_again(struct store *store, const struct span *span, unsigned counts, int64_t *n)
{
	struct span again = *span;

	again.billable = (struct span_bool){ true, false };
	if (span->cost_source.ptr) {
		again.cost = (struct span_int){ true, 0 };
		again.cost_source = SLICE("table");
	}
	return put_row(store, &again, counts, n);
}

static int
put_row_billed(struct store *store, const struct span *span, unsigned *counts, int64_t *n)
{
	int rc = charge_look(store, span);

	*counts = rollup_counts(span, rc == SQLITE_DONE);
	if (rc == SQLITE_ROW)
		return put_row_again(store, span, *counts, n);
	if (rc == SQLITE_DONE)
		rc = put_row(store, span, *counts, n);
	if (rc == SQLITE_DONE && *n != 0)
		rc = put_charge(store, *n, span);
	return rc;
}

/* Gives what was just put under number `from` the number `to`, on which what
 * people changed of it hangs. */
static int
put_renumber(struct store *store, int64_t from, int64_t to)
{
	static const char *const tables[] = { "span_meta SET span", "body SET span", "bill SET span",
	    "charge SET span", "span_edit SET span", "span SET n" };
	char sql[120];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		sqlite3_snprintf(sizeof(sql), sql, "UPDATE OR REPLACE %s = %lld WHERE %s = %lld", tables[i],
		    (long long)to, strstr(tables[i], " SET ") + 5, (long long)from);
		if (store_exec(store, sql) != STORE_OK)
			return sqlite3_errcode(store->db);
	}
	return SQLITE_DONE;
}

int
store_put(struct store *store, const struct span *given, struct slice chain)
{
	const struct span *span = given;
	struct span same = *given;
	struct rollup_row row;
	unsigned counts = 0;
	bool uncounted = false;
	int64_t n = 0, old = 0;
	int rc;

	store->billed = STORE_UNBILLED;
	rc = same_find(store, given, row_tenant(given), &old, same.id16);
	if (rc == SQLITE_DONE && old != 0) {
		rc = store_take_out(store, old, same.id16) == STORE_OK ? SQLITE_DONE : SQLITE_BUSY;
		span = &same;
	}
	if (rc == SQLITE_DONE)
		rc = put_row_billed(store, span, &counts, &n);
	if (rc == SQLITE_DONE && n == 0) {
		store->numbers[NUMBER_DUPLICATES]++;
		return STORE_OK;
	}
	if (rc == SQLITE_DONE)
		rc = put_meta(store, n, span->metadata);
	if (rc == SQLITE_DONE)
		rc = put_edit(store, n, span);
	if (rc == SQLITE_DONE)
		rc = put_body(store, n, span, chain, BODY_JSON);
	if (rc == SQLITE_DONE && counts & ROLLUP_TOKENS)
		rc = put_bill(store, n, span->cost_details);
	if (rc == SQLITE_DONE && old != 0) {
		rc = put_renumber(store, n, old);
		n = old;
	}
	if (rc == SQLITE_DONE)
		rc = same_note(store, given, row_tenant(given), n);
	if (rc == SQLITE_DONE && old != 0)
		rc = same_alias(store, given->id16, same.id16);
	put_trim(&store->data);
	put_trim(&store->json);
	rc = store_code(rc);
	if (rc == STORE_OK) {	/* last, so that there is nothing to take back */
		rollup_of_span(&row, span, counts);
		store->billed = rollup_billed(&row);
		rc = rollup_change(store, NULL, &row);
	}
	if (rc == STORE_OK)
		rc = traces_add(store, n, span);
	if (rc == STORE_OK && chain.ptr)	/* this fails with no row of its own */
		rc = search_put(store, n, span);
	if (rc == STORE_OK) {
		store->numbers[NUMBER_REV]++;
		store->numbers[NUMBER_GIVEN] += span->given && old == 0;
		if (old != 0)
			rc = news_changed(store, n);
		if (rc == STORE_OK)
			rc = twin_look(store, n, span, &uncounted);
		if (uncounted)
			store->billed = STORE_UNBILLED;
		if (rc == STORE_OK)
			rc = edit_pending(store, span->id16, span->id16);
		if (rc == STORE_OK && old != 0)		/* it was told under this id as well */
			rc = edit_pending(store, given->id16, span->id16);
	}
	if (rc == STORE_E_ROW && n != 0)
		put_undo(store, n);
	return rc;
}
