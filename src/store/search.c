/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search: see search.h. The index keeps no texts and no positions, so a row's
 * words are given to it again when the row goes: they are read out of its body,
 * which is still there then. Words of an input and of an output are told apart
 * by their first letter. Called by put and expire inside their transactions,
 * and by readers.
 */
#include "store/search.h"

#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"
#include "span/words.h"
#include "store/db.h"
#include "store/full.h"

#define TABLE "span_text"
#define FROM_KEY "search_from"		/* in table meta: search_from */
#define MATCH_LIMIT (LIMIT_SEARCH_ASKED * (LIMIT_SEARCH_WORD + 8) * 4)

static const char *const starts[] = {
	[SEARCH_BOTH] = "io", [SEARCH_INPUT] = "i", [SEARCH_OUTPUT] = "o",
};

/* The writer's side. */
struct search {
	bool		 keep;		/* rows that come are put in */
	bool		 there;		/* the table is */
	struct build_options options;
	struct full	*full;		/* of rows that go; made at first use */
	struct words	*words;
	sqlite3_stmt	*put, *has, *remove;
};

bool
search_ready(struct store *store)
{
	sqlite3_stmt *st = NULL;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "SELECT 1 FROM sqlite_schema WHERE name = '" TABLE "'", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

/* One number of SQL with at most one text to bind; 0 where there is none. */
static int64_t
number(struct store *store, const char *sql, struct slice text)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK) {
		if (text.ptr)
			sqlite3_bind_text(st, 1, text.ptr, (int)text.len, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW)
			n = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return n;
}

int64_t
search_from(struct store *store)
{
	if (!search_ready(store))
		return 0;
	return number(store, "SELECT CASE WHEN EXISTS (SELECT 1 FROM main.span WHERE n < m.value) THEN m.value ELSE 1 END"
	    " FROM meta m WHERE m.key = '" FROM_KEY "'", SLICE_NONE);
}

bool
search_many(struct store *store, struct slice match)
{
	char sql[200];

	sqlite3_snprintf(sizeof(sql), sql, "SELECT count(*) FROM (SELECT 1 FROM " TABLE " WHERE " TABLE " MATCH ? LIMIT %d)",
	    SEARCH_FEW + 1);
	return number(store, sql, match) > SEARCH_FEW;
}

/* The words of one blank-separated piece of what is asked for; the last of a
 * piece that ends in * is the beginning of words. */
static void
put_piece(struct buf *match, struct words *words, const char *start, bool open)
{
	struct slice list = words_list(words), word;
	const char *blank;

	while (list.len > 0 && (blank = memchr(list.ptr, ' ', list.len))) {
		word = slice_make(list.ptr + 1, (size_t)(blank - list.ptr) - 1);	/* less its prefix */
		list = slice_from(list, word.len + 2);
		buf_str(match, match->len ? " AND (" : "(");
		for (const char *s = start; *s; s++)
			buf_printf(match, "%s\"%c%.*s\"%s", s == start ? "" : " OR ", *s, (int)word.len, word.ptr,
			    open && list.len == 0 ? " *" : "");
		buf_byte(match, ')');
	}
}

/* Takes the next piece off the text. */
static struct slice
take_piece(struct slice *text)
{
	size_t n = 0;

	while (text->len > 0 && (unsigned char)*text->ptr <= ' ')
		*text = slice_from(*text, 1);
	while (n < text->len && (unsigned char)text->ptr[n] > ' ')
		n++;
	*text = slice_from(*text, n);
	return slice_make(text->ptr - n, n);
}

bool
search_match(struct slice text, enum search_in in, struct buf *match)
{
	struct words *words = words_new(LIMIT_SEARCH_ASKED + 1);
	struct slice piece;
	unsigned count = 0;
	struct buf out;
	bool good;

	buf_init(&out, MATCH_LIMIT);
	while (words && count <= LIMIT_SEARCH_ASKED && (piece = take_piece(&text)).len > 0) {
		words_clear(words);
		words_text(words, '.', piece);
		count += words_count(words);
		put_piece(&out, words, starts[in], piece.ptr[piece.len - 1] == '*');
	}
	good = words && count > 0 && count <= LIMIT_SEARCH_ASKED && !out.failed && buf_slice(match, buf_view(&out));
	words_free(words);
	buf_free(&out);
	return good;
}

/* SELECT of the numbers that a query finds, its values bound. */
static int
prepare(struct store *store, const struct search_query *q, uint64_t limit, uint64_t offset, sqlite3_stmt **st)
{
	static const char sql[] = "SELECT s.n FROM " TABLE " x CROSS JOIN span s ON s.n = x.rowid WHERE x." TABLE " MATCH ?1"
	    " AND (?2 IS NULL OR s.tenant = ?2) AND (?3 IS NULL OR s.environment = ?3) AND (?4 IS NULL OR s.timestamp >= ?4)"
	    " AND (?5 IS NULL OR s.timestamp < ?5) ORDER BY x.rowid DESC LIMIT ?6 OFFSET ?7";
	struct buf match;
	int rc;

	*st = NULL;
	buf_init(&match, MATCH_LIMIT);
	if (!search_match(q->text, q->in, &match)) {
		buf_free(&match);
		return STORE_E_ROW;
	}
	if (!search_ready(store)) {
		buf_free(&match);
		return STORE_NOT_FOUND;
	}
	rc = sqlite3_prepare_v2(store->db, sql, -1, st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(*st, 1, match.ptr, (int)match.len, SQLITE_TRANSIENT);
		if (q->tenant.ptr)
			sqlite3_bind_text(*st, 2, q->tenant.ptr, (int)q->tenant.len, SQLITE_STATIC);
		if (q->environment.ptr)
			sqlite3_bind_text(*st, 3, q->environment.ptr, (int)q->environment.len, SQLITE_STATIC);
		if (q->have_from)
			sqlite3_bind_int64(*st, 4, q->from_us);
		if (q->have_to)
			sqlite3_bind_int64(*st, 5, q->to_us);
		sqlite3_bind_int64(*st, 6, limit ? (int64_t)limit : -1);
		sqlite3_bind_int64(*st, 7, (int64_t)offset);
	}
	buf_free(&match);
	return store_code(rc);
}

int
search_ids(struct store *store, const struct search_query *q, int64_t **numbers, size_t *n)
{
	sqlite3_stmt *st;
	size_t cap = 0;
	int rc;

	*numbers = NULL;
	*n = 0;
	rc = prepare(store, q, q->limit, q->offset, &st);
	if (rc == STORE_OK)
		while ((rc = store_code(sqlite3_step(st))) == STORE_ROW) {
			if (*n == cap) {
				cap = cap ? cap * 2 : 64;
				*numbers = xrealloc(*numbers, cap * sizeof(**numbers));
			}
			(*numbers)[(*n)++] = sqlite3_column_int64(st, 0);
		}
	sqlite3_finalize(st);
	return rc;
}

int
search_count(struct store *store, const struct search_query *q, uint64_t most, uint64_t *count)
{
	sqlite3_stmt *st;
	int rc;

	*count = 0;
	rc = prepare(store, q, most + 1, 0, &st);
	if (rc == STORE_OK)
		while ((rc = store_code(sqlite3_step(st))) == STORE_ROW)
			++*count;
	sqlite3_finalize(st);
	return rc;
}

/* Made at first use: a writer that was told nothing keeps what is there right. */
static struct search *
search_of(struct store *store)
{
	if (!store->search) {
		store->search = xcalloc(1, sizeof(*store->search));
		store->search->there = search_ready(store);
	}
	return store->search;
}

static void
forget_statements(struct search *search)
{
	sqlite3_finalize(search->put);
	sqlite3_finalize(search->has);
	sqlite3_finalize(search->remove);
	search->put = search->has = search->remove = NULL;
}

int
search_keep(struct store *store, const struct build_options *options)
{
	struct search *search = search_of(store);
	int rc = STORE_OK;

	if (!options) {
		forget_statements(search);
		if (search->there)
			rc = store_exec(store, "DROP TABLE " TABLE "; DELETE FROM meta WHERE key = '" FROM_KEY "'");
		search->keep = search->there = search->there && rc != STORE_OK;
		return rc;
	}
	search->options = *options;
	search->options.row_only = search->options.texts = true;
	search->options.tokens = NULL;
	if (!search->there && !sqlite3_compileoption_used("ENABLE_FTS5"))
		log_warn("store: this SQLite has no FTS5: spans cannot be searched by their words");
	else if (!search->there)
		rc = store_exec(store, "CREATE VIRTUAL TABLE " TABLE " USING fts5(words, content = '', detail = none,"
		    " tokenize = 'ascii'); INSERT INTO " TABLE "(" TABLE ", rank) VALUES('automerge', 8)");
	if (rc == STORE_OK && search_ready(store))
		rc = store_exec(store, "INSERT OR IGNORE INTO meta(key, value) SELECT '" FROM_KEY "', coalesce(max(n), 0) + 1"
		    " FROM span");
	if (rc == STORE_OK)	/* its pages would drive out all others */
		rc = store_exec(store, "PRAGMA cache_size = -16000");
	search->there = search->keep = search_ready(store);
	return rc;
}

void
search_free(struct store *store)
{
	struct search *search = store->search;

	if (!search)
		return;
	forget_statements(search);
	full_free(search->full);
	words_free(search->words);
	free(search);
	store->search = NULL;
}

/* The words of a span into search->words; false: it has none. */
static bool
words_of(struct search *search, const struct span *span)
{
	if (!search->words)
		search->words = words_new(LIMIT_SEARCH_WORDS);
	if (!search->words)
		return false;
	words_clear(search->words);
	if (span->input.ptr)
		words_json(search->words, 'i', span->input, LIMIT_SEARCH_TEXT);
	if (span->output.ptr)
		words_json(search->words, 'o', span->output, LIMIT_SEARCH_TEXT);
	return words_count(search->words) > 0;
}

static sqlite3_stmt *
statement(struct store *store, sqlite3_stmt **st, const char *sql)
{
	if (*st)
		sqlite3_reset(*st);
	else
		sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	return *st;
}

/* Gives the words at hand to the index, to be put in or taken out. Whatever is
 * wrong with the index, spans are stored. */
static int
tell(struct store *store, sqlite3_stmt *st, int64_t n)
{
	struct slice list = words_list(store->search->words);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	sqlite3_bind_int64(st, 1, n);
	sqlite3_bind_text(st, 2, list.ptr, (int)list.len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc != SQLITE_DONE && (store_code(rc) == STORE_E_ROW ||
	    sqlite3_extended_errcode(store->db) == SQLITE_CORRUPT_VTAB)) {
		log_warn("store: the index of words does not take span number %lld: %s", (long long)n,
		    sqlite3_errmsg(store->db));
		rc = SQLITE_DONE;
	}
	sqlite3_reset(st);
	return store_code(rc);
}

int
search_put(struct store *store, int64_t n, const struct span *span)
{
	struct search *search = search_of(store);

	if (!search->keep || !words_of(search, span))
		return STORE_OK;
	return tell(store, statement(store, &search->put, "INSERT INTO " TABLE "(rowid, words) VALUES(?, ?)"), n);
}

/* Is row n in the index? */
static bool
is_in(struct store *store, int64_t n)
{
	sqlite3_stmt *st = statement(store, &store->search->has, "SELECT 1 FROM " TABLE "_docsize WHERE id = ?");
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, n);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc == SQLITE_ROW;
}

int
search_remove(struct store *store, int64_t n, const uint8_t id[16])
{
	struct search *search = search_of(store);
	struct span row = { .family = SLICE_NONE };

	if (!search->there || !is_in(store, n))
		return STORE_OK;
	if (!search->full)
		search->full = full_new(&store_sqlite, store, &search->options);
	memcpy(row.id16, id, sizeof(row.id16));
	if (!words_of(search, full_span(search->full, &row)))
		return STORE_OK;
	return tell(store, statement(store, &search->remove,
	    "INSERT INTO " TABLE "(" TABLE ", rowid, words) VALUES('delete', ?, ?)"), n);
}
