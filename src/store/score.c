/* SPDX-License-Identifier: Apache-2.0 */
/* score: see score.h. Written by the sink (edit.c), read by the API. */
#include "store/score.h"

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/value.h"

static const char *const columns[SCORE_FIELDS] = {
	[SCORE_ID] = "lower(hex(k.id))", [SCORE_LOG] = "lower(hex(s.id))", [SCORE_EVALUATOR] = "k.evaluator_id",
	[SCORE_SLUG] = "coalesce(k.evaluator_slug, '')", [SCORE_NAME] = "coalesce(k.evaluator_name, '')",
	[SCORE_SCORER] = "k.scorer", [SCORE_ENVIRONMENT] = "coalesce(s.environment, '')",
	[SCORE_KIND] = "coalesce(k.kind, '')", [SCORE_VALUE] = "k.value", [SCORE_TEXT] = "coalesce(k.text, '')",
};

/* What an EDIT sets, by the numbers of `members`. A score of the same evaluator
 * and scorer keeps its id and its age. The second is for where the first finds none. */
static const char *const put_sql[] = {
	"UPDATE score SET evaluator_slug = coalesce(?5, evaluator_slug), evaluator_name = coalesce(?6, evaluator_name),"
	" kind = ?7, value = ?8, text = ?9, json = ?10, is_passed = ?11, cost_pico = ?12, updated = ?14, details = ?15"
	" WHERE span = ?1 AND evaluator_id = ?3 AND scorer = ?4",
	"INSERT INTO score(span, id, evaluator_id, scorer, evaluator_slug, evaluator_name, kind, value, text, json,"
	" is_passed, cost_pico, created, details)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?15)",
};

static const struct { const char *name; int at; } members[] = {
	{ "evaluator_id", 3 }, { "scorer", 4 }, { "evaluator_slug", 5 }, { "evaluator_name", 6 }, { "kind", 7 },
	{ "value", 8 }, { "text", 9 }, { "json", 10 }, { "is_passed", 11 }, { "cost_pico", 12 }, { "created", 13 },
	{ "changed", 14 }, { "details", 15 },
};

static void
bind_member(sqlite3_stmt *st, int at, struct jvalue v, struct buf *text)
{
	double number;
	int64_t whole;

	buf_clear(text);
	if (v.kind == JTRUE || v.kind == JFALSE)
		sqlite3_bind_int(st, at, v.kind == JTRUE);
	else if (jint(v, &whole))
		sqlite3_bind_int64(st, at, whole);
	else if (jnumber(v, &number))
		sqlite3_bind_double(st, at, number);
	else if (v.kind == JOBJECT)
		sqlite3_bind_text(st, at, v.text.ptr, (int)v.text.len, SQLITE_TRANSIENT);
	else if (jstring(v, text))
		sqlite3_bind_text(st, at, text->ptr ? text->ptr : "", (int)text->len, SQLITE_TRANSIENT);
}

/* 32 hex digits. */
static bool
member_id(struct jvalue v, uint8_t id[16])
{
	struct slice text = jstring_plain(v);

	return text.ptr && value_id(text, id);
}

/* Runs one of put_sql; a result code. */
static int
put_run(struct store *store, const char *sql, int64_t n, const uint8_t id[16], struct jvalue score)
{
	sqlite3_stmt *st = NULL;
	struct buf text;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		buf_init(&text, LIMIT_RECORD);
		sqlite3_bind_int64(st, 1, n);
		sqlite3_bind_blob(st, 2, id, 16, SQLITE_STATIC);	/* the first has none: no harm */
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			bind_member(st, members[i].at, jget(score, slice_str(members[i].name)), &text);
		rc = sqlite3_step(st);
		buf_free(&text);
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

int
score_put(struct store *store, int64_t n, struct jvalue score)
{
	uint8_t id[16];
	int rc;

	if (!member_id(jget(score, SLICE("id")), id))
		return STORE_E_ROW;
	rc = put_run(store, put_sql[0], n, id, score);
	return rc == STORE_OK && sqlite3_changes(store->db) == 0 ? put_run(store, put_sql[1], n, id, score) : rc;
}

int
score_remove(struct store *store, int64_t n, struct jvalue which)
{
	sqlite3_stmt *st = NULL;
	uint8_t id[16];
	int rc;

	if (!member_id(which, id))
		return STORE_E_ROW;
	rc = sqlite3_prepare_v2(store->db, "DELETE FROM score WHERE span = ?1 AND id = ?2", -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, n);
		sqlite3_bind_blob(st, 2, id, 16, SQLITE_STATIC);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return store_code(rc);
}

/* One condition; its values are bound in the order of the text. */
static bool
write_filter(struct buf *sql, const struct score_filter *f)
{
	static const char *const compare[] = {
		[TRACES_LT] = "<", [TRACES_LTE] = "<=", [TRACES_GT] = ">", [TRACES_GTE] = ">=",
	};
	double number;

	for (size_t i = 0; i < f->nvalues && f->field == SCORE_VALUE; i++)
		if (!value_num(f->values[i], &number))
			return false;
	if (f->op == TRACES_EQ || f->op == TRACES_NOT) {
		buf_printf(sql, " AND %s%s IN (", columns[f->field], f->op == TRACES_NOT ? " NOT" : "");
		for (size_t i = 0; i < f->nvalues; i++)
			buf_str(sql, i ? ",?" : "?");
		return buf_str(sql, ")");
	}
	if (f->op < TRACES_LT || f->op > TRACES_GTE || f->field != SCORE_VALUE || f->nvalues != 1)
		return false;
	return buf_printf(sql, " AND k.value %s ?", compare[f->op]);
}

static bool
list_sql(const struct score_query *q, struct buf *sql)
{
	buf_str(sql, "SELECT k.id, s.id, k.evaluator_id, k.evaluator_slug, k.evaluator_name, k.scorer, s.environment,"
	    " k.details, k.created, coalesce(k.updated, k.created) FROM score k CROSS JOIN span s ON s.n = k.span WHERE 1");
	buf_str(sql, q->id ? " AND k.id = ?" : "");
	buf_str(sql, q->log ? " AND k.span = (SELECT n FROM span WHERE id = ?)" : "");
	buf_str(sql, q->environment.ptr ? " AND s.environment = ?" : "");
	buf_str(sql, q->have_from ? " AND k.created >= ?" : "");
	buf_str(sql, q->have_to ? " AND k.created < ?" : "");
	for (size_t i = 0; i < q->nfilters; i++)
		if (!write_filter(sql, &q->filters[i]))
			return false;
	return buf_str(sql, " ORDER BY k.n DESC LIMIT ? OFFSET ?");
}

static void
list_bind(sqlite3_stmt *st, const struct score_query *q)
{
	double number;
	int at = 1;

	if (q->id)
		sqlite3_bind_blob(st, at++, q->id, 16, SQLITE_STATIC);
	if (q->log)
		sqlite3_bind_blob(st, at++, q->log, 16, SQLITE_STATIC);
	if (q->environment.ptr)
		sqlite3_bind_text(st, at++, q->environment.ptr, (int)q->environment.len, SQLITE_STATIC);
	if (q->have_from)
		sqlite3_bind_int64(st, at++, q->from_us);
	if (q->have_to)
		sqlite3_bind_int64(st, at++, q->to_us);
	for (size_t i = 0; i < q->nfilters; i++)
		for (size_t k = 0; k < q->filters[i].nvalues; k++, at++) {
			struct slice v = q->filters[i].values[k];

			if (q->filters[i].field == SCORE_VALUE && value_num(v, &number))
				sqlite3_bind_double(st, at, number);
			else
				sqlite3_bind_text(st, at, v.ptr ? v.ptr : "", (int)v.len, SQLITE_STATIC);
		}
	sqlite3_bind_int64(st, at++, q->limit > INT64_MAX ? INT64_MAX : (int64_t)q->limit);
	sqlite3_bind_int64(st, at, (int64_t)q->offset);
}

static struct slice
column(sqlite3_stmt *st, int i)
{
	const void *text = sqlite3_column_text(st, i);

	return text ? slice_make(text, (size_t)sqlite3_column_bytes(st, i)) : SLICE_NONE;
}

static void
column_id(sqlite3_stmt *st, int i, uint8_t id[16])
{
	const void *blob = sqlite3_column_blob(st, i);

	if (blob && sqlite3_column_bytes(st, i) == 16)
		memcpy(id, blob, 16);
}

int
score_list(struct store *store, const struct score_query *q, score_taker *take, void *arg)
{
	const struct query patience = { .patience_us = LIMIT_QUERY_US };
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc;

	rows_hurry(store, &patience);
	buf_init(&sql, LIMIT_QUERY_SQL);
	if (!list_sql(q, &sql)) {
		buf_free(&sql);
		return STORE_E_ROW;
	}
	rc = rows_prepare(store, &sql, &st);
	if (rc == SQLITE_OK)
		list_bind(st, q);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		struct score_row row = { .created = 0 };

		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		column_id(st, 0, row.id);
		column_id(st, 1, row.log);
		row.evaluator_id = column(st, 2);
		row.evaluator_slug = column(st, 3);
		row.evaluator_name = column(st, 4);
		row.scorer = column(st, 5);
		row.environment = column(st, 6);
		row.details = column(st, 7);
		row.created = sqlite3_column_int64(st, 8);
		row.updated = sqlite3_column_int64(st, 9);
		take(arg, &row);
	}
	sqlite3_finalize(st);
	return store_code(rc);
}
