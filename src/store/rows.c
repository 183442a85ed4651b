/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: lists of spans by query. Rows are fetched a page at a time and copied,
 * so that no read transaction stays open while the caller works (or waits for
 * a slow reader). A list by time goes on from the last row's (timestamp, n);
 * any other order first collects the row numbers, 8 bytes each, as does a long
 * list by words that many rows have.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"

#define PAGE_ROWS 256

/* Columns of store_row_sql before those of the table. */
enum { ROW_N, ROW_ID, ROW_REV, ROW_TENANT, ROW_FAMILY, ROW_NOTE, ROW_FEEDBACK, ROW_PINNED, ROW_BLURRED,
    ROW_CUSTOM, ROW_METADATA, ROW_COLUMNS };

static const int edit_fields[ROW_COLUMNS] = {
	[ROW_NOTE] = SPAN_F_note, [ROW_FEEDBACK] = SPAN_F_positive_feedback,
	[ROW_PINNED] = SPAN_F_is_pinned, [ROW_BLURRED] = SPAN_F_blurred,
	[ROW_CUSTOM] = SPAN_F_custom_identifier, [ROW_METADATA] = SPAN_F_metadata,
};

const char rows_from_sql[] = " FROM span s LEFT JOIN span_edit e ON e.span = s.n";

/* A row with its texts behind it, in one allocation. */
struct row {
	struct span	span;
	int64_t		n;
	char		text[];
};

struct store_rows {
	struct store	*store;
	struct query	 query;		/* by time, its window begins where the next page does */
	struct query_sql where, order;
	sqlite3_stmt	*st;
	struct row	*page[PAGE_ROWS];
	size_t		 at, count;
	uint64_t	 given;		/* rows fetched so far, against the limit */
	bool		 begun, ended;
	uint64_t	 offset;	/* of the first page, in that window */
	int64_t		 last_time, last_n;
	bool		 numbered;	/* the numbers of all rows are collected first */
	int64_t		*numbers;
	size_t		 nnumbers;
};

static void
copy_text(struct slice *to, sqlite3_stmt *st, int column, char **text)
{
	const void *p = sqlite3_column_text(st, column);
	size_t n = (size_t)sqlite3_column_bytes(st, column);

	if (!p)
		return;
	memcpy(*text, p, n);
	*to = slice_make(*text, n);
	*text += n;
}

/* Sets one field from a column that is not NULL. */
static void
read_field(struct span *span, int field, sqlite3_stmt *st, int column, char **text)
{
	char *p = (char *)span + span_fields[field].offset;

	if (sqlite3_column_type(st, column) == SQLITE_NULL)
		return;
	switch (span_fields[field].type) {
	case SPAN_TEXT:
	case SPAN_JSON:
		copy_text((struct slice *)p, st, column, text);
		break;
	case SPAN_NUM:
		*(struct span_num *)p = (struct span_num){ true, sqlite3_column_double(st, column) };
		break;
	case SPAN_BOOL:
		*(struct span_bool *)p = (struct span_bool){ true, sqlite3_column_int(st, column) != 0 };
		break;
	default:
		*(struct span_int *)p = (struct span_int){ true, sqlite3_column_int64(st, column) };
	}
}

static void
read_id(struct span *span, sqlite3_stmt *st, char **text)
{
	if (sqlite3_column_bytes(st, ROW_ID) == 16)
		memcpy(span->id16, sqlite3_column_blob(st, ROW_ID), 16);
	hex_encode(span->id16, 16, *text);
	span->id = span->unique_id = slice_make(*text, 32);
	*text += 33;
}

static struct row *
read_row(sqlite3_stmt *st)
{
	size_t size = 33;
	struct row *row;
	char *text;

	for (int i = ROW_TENANT; i < ROW_COLUMNS + STORE_COLUMNS; i++)
		size += sqlite3_column_type(st, i) == SQLITE_TEXT ? (size_t)sqlite3_column_bytes(st, i) : 0;
	row = xmalloc(sizeof(*row) + size);
	memset(row, 0, sizeof(*row));
	text = row->text;
	row->n = sqlite3_column_int64(st, ROW_N);
	read_id(&row->span, st, &text);
	copy_text(&row->span.tenant, st, ROW_TENANT, &text);
	copy_text(&row->span.family, st, ROW_FAMILY, &text);
	for (int i = 0; i < STORE_COLUMNS; i++)
		read_field(&row->span, store_columns[i].field, st, ROW_COLUMNS + i, &text);
	for (int i = ROW_NOTE; i < ROW_COLUMNS; i++)
		read_field(&row->span, edit_fields[i], st, i, &text);
	return row;
}

int
rows_bind(sqlite3_stmt *st, const struct query_sql *where, int first)
{
	for (size_t i = 0; i < where->nbinds; i++) {
		const struct query_bind *b = &where->binds[i];
		int at = (int)i + first;

		switch (b->type) {
		case BIND_INT:
			sqlite3_bind_int64(st, at, b->i);
			break;
		case BIND_REAL:
			sqlite3_bind_double(st, at, b->r);
			break;
		case BIND_TEXT:
			sqlite3_bind_text(st, at, b->s.ptr ? b->s.ptr : "", (int)b->s.len, SQLITE_STATIC);
			break;
		case BIND_BLOB:
			sqlite3_bind_blob(st, at, b->id, 16, SQLITE_STATIC);
			break;
		}
	}
	return (int)where->nbinds + first;
}

int
rows_prepare(struct store *store, struct buf *sql, sqlite3_stmt **st)
{
	int rc = SQLITE_NOMEM;

	if (!sql->failed)
		rc = sqlite3_prepare_v2(store->db, sql->ptr, (int)sql->len, st, NULL);
	buf_free(sql);
	return rc;
}

static bool
by_time(const struct query *q)
{
	return q->sort < 0 || q->sort == SPAN_F_timestamp;
}

/* Lets the window begin at a time; descending: end before it. Of two bounds on one
 * side SQLite would seek the first, so there is never more than one. */
static int
set_bound(struct store_rows *rows, int64_t us)
{
	char err[200];

	if (rows->query.ascending) {
		rows->query.have_from = true;
		rows->query.from_us = us;
	} else {
		rows->query.have_to = true;
		rows->query.to_us = us;
	}
	query_sql_free(&rows->where);
	return query_where(&rows->query, rows->store, false, &rows->where, err, sizeof(err)) ? SQLITE_OK : SQLITE_ERROR;
}

/* Rows by time, on from the last one. */
static int
prepare_by_time(struct store_rows *rows)
{
	const char *direction = rows->query.ascending ? "" : " DESC";
	struct buf sql;

	buf_init(&sql, 2 * LIMIT_QUERY_SQL);
	buf_printf(&sql, "SELECT %s%s", store_row_sql, rows_from_sql);
	buf_slice(&sql, buf_view(&rows->where.text));
	if (rows->begun)
		buf_printf(&sql, " AND (s.timestamp, s.n) %s (?, ?)", rows->query.ascending ? ">" : "<");
	buf_printf(&sql, " ORDER BY s.timestamp%s, s.n%s LIMIT ?%s", direction, direction,
	    rows->begun ? "" : " OFFSET ?");
	return rows_prepare(rows->store, &sql, &rows->st);
}

/* The clause of the next page: after rows_skip, or on from the last row. */
static int
begin_page(struct store_rows *rows)
{
	int64_t last = rows->last_time + !rows->query.ascending;
	struct rows_skip skip;
	int rc;

	if (rows->begun) {
		size_t at = !rows->query.ascending && rows->query.have_from;

		if (rows->st) {	/* prepared for the page before: only its bound is another one */
			rows->where.binds[at].i = last;
			return SQLITE_OK;
		}
		rc = set_bound(rows, last);
	} else {
		rc = rows_skip(rows->store, &rows->query, &skip);
		rows->offset = skip.offset;
		if (rc == SQLITE_OK && skip.from)
			rc = set_bound(rows, skip.from_us);
	}
	return rc == SQLITE_OK ? prepare_by_time(rows) : rc;
}

static int
bind_by_time(struct store_rows *rows)
{
	uint64_t want = PAGE_ROWS, limit = rows->query.limit;
	int at = rows_bind(rows->st, &rows->where, 1);

	if (limit > 0 && limit - rows->given < want)
		want = limit - rows->given;
	if (rows->begun) {
		sqlite3_bind_int64(rows->st, at++, rows->last_time);
		sqlite3_bind_int64(rows->st, at++, rows->last_n);
	}
	sqlite3_bind_int64(rows->st, at++, (int64_t)want);
	if (!rows->begun)
		sqlite3_bind_int64(rows->st, at, (int64_t)rows->offset);
	return (int)want;
}

/* The next page by time. */
static int
fetch_by_time(struct store_rows *rows)
{
	size_t want;
	int rc = begin_page(rows);

	if (rc != SQLITE_OK)
		return rc;
	want = (size_t)bind_by_time(rows);
	while ((rc = sqlite3_step(rows->st)) == SQLITE_ROW)
		rows->page[rows->count++] = read_row(rows->st);
	sqlite3_reset(rows->st);
	if (rows->count < want)
		rows->ended = true;
	if (rows->count > 0) {
		rows->last_time = rows->page[rows->count - 1]->span.timestamp.v;
		rows->last_n = rows->page[rows->count - 1]->n;
	}
	if (!rows->begun) {	/* the following pages have another clause */
		sqlite3_finalize(rows->st);
		rows->st = NULL;
		rows->begun = true;
	}
	return rc;
}

/* The numbers of all rows in the order asked for, unknown values last. */
static int
collect_numbers(struct store_rows *rows)
{
	const struct query *q = &rows->query;
	const char *direction = q->ascending ? "" : " DESC";
	sqlite3_stmt *st = NULL;
	struct buf sql;
	size_t cap = 0;
	int rc;

	buf_init(&sql, 2 * LIMIT_QUERY_SQL);
	buf_printf(&sql, "SELECT s.n%s", rows_from_sql);
	buf_slice(&sql, buf_view(&rows->where.text));
	buf_str(&sql, " ORDER BY ");
	buf_slice(&sql, buf_view(&rows->order.text));
	buf_printf(&sql, "%s NULLS LAST, s.n%s LIMIT ? OFFSET ?", direction, direction);
	rc = rows_prepare(rows->store, &sql, &st);
	if (rc == SQLITE_OK) {
		int at = rows_bind(st, &rows->where, 1);

		at = rows_bind(st, &rows->order, at);
		sqlite3_bind_int64(st, at, q->limit ? (int64_t)q->limit : -1);
		sqlite3_bind_int64(st, at + 1, (int64_t)q->offset);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
			if (rows->nnumbers == cap) {
				cap = cap ? cap * 2 : 256;
				rows->numbers = xrealloc(rows->numbers, cap * sizeof(*rows->numbers));
			}
			rows->numbers[rows->nnumbers++] = sqlite3_column_int64(st, 0);
		}
	}
	sqlite3_finalize(st);
	return rc;
}

static int
fetch_by_number(struct store_rows *rows)
{
	struct buf sql;
	int rc = SQLITE_DONE;

	if (!rows->st) {
		rc = rows->numbers ? SQLITE_DONE : collect_numbers(rows);
		if (rc != SQLITE_DONE)
			return rc;
		buf_init(&sql, LIMIT_QUERY_SQL);
		buf_printf(&sql, "SELECT %s%s WHERE s.n = ?", store_row_sql, rows_from_sql);
		rc = rows_prepare(rows->store, &sql, &rows->st);
		if (rc != SQLITE_OK)
			return rc;
	}
	while (rows->count < PAGE_ROWS && rows->given + rows->count < rows->nnumbers) {
		sqlite3_bind_int64(rows->st, 1, rows->numbers[rows->given + rows->count]);
		rc = sqlite3_step(rows->st);
		if (rc == SQLITE_ROW)
			rows->page[rows->count++] = read_row(rows->st);
		else if (rc == SQLITE_DONE)	/* removed meanwhile */
			rows->given++;
		sqlite3_reset(rows->st);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return rc;
	}
	rows->ended = rows->given + rows->count >= rows->nnumbers;
	return SQLITE_DONE;
}

static void
drop_page(struct store_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->page[i]);
	rows->at = rows->count = 0;
}

int
store_select(struct store *store, const struct query *query, struct store_rows **out)
{
	struct store_rows *rows = xcalloc(1, sizeof(*rows));
	bool good;
	char err[200];

	*out = NULL;
	rows->store = store;
	rows->query = *query;
	rows->numbered = !by_time(query);
	good = query_where(query, store, rows->numbered, &rows->where, err, sizeof(err));
	if (good && rows->where.dear && query->limit == 0) {
		query_sql_free(&rows->where);
		rows->numbered = true;
		good = query_where(query, store, true, &rows->where, err, sizeof(err));
	}
	if (!good || (query->sort >= 0 && !query_sort_ok(query->sort))) {
		store_done(rows);
		return STORE_E_ROW;
	}
	buf_init(&rows->order.text, LIMIT_QUERY_SQL);
	query_order(query, &rows->order);
	*out = rows;
	return STORE_OK;
}

int
store_select_numbers(struct store *store, const int64_t *numbers, size_t n, struct store_rows **out)
{
	static const struct query by_number = { .sort = SPAN_F_id };
	int rc = store_select(store, &by_number, out);

	if (rc != STORE_OK)
		return rc;
	(*out)->nnumbers = n;
	(*out)->numbers = xmalloc((n + 1) * sizeof(*numbers));
	if (n > 0)
		memcpy((*out)->numbers, numbers, n * sizeof(*numbers));
	return STORE_OK;
}

int
store_next(struct store_rows *rows, const struct span **out)
{
	int rc;

	if (rows->at == rows->count && !rows->ended) {
		drop_page(rows);
		rows_hurry(rows->store, &rows->query);
		rc = rows->numbered ? fetch_by_number(rows) : fetch_by_time(rows);
		if (rc != SQLITE_DONE)
			return store_code(rc);
		rows->given += rows->count;
		if (rows->query.limit > 0 && rows->given >= rows->query.limit)
			rows->ended = true;
	}
	if (rows->at == rows->count)
		return STORE_OK;
	*out = &rows->page[rows->at++]->span;
	return STORE_ROW;
}

int64_t
store_row_number(const struct store_rows *rows)
{
	return rows->page[rows->at - 1]->n;
}

void
store_done(struct store_rows *rows)
{
	if (!rows)
		return;
	drop_page(rows);
	sqlite3_finalize(rows->st);
	query_sql_free(&rows->where);
	query_sql_free(&rows->order);
	free(rows->numbers);
	free(rows);
}
