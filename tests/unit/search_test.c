/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of words: what words a text has, which rows are found by them, and
 * that nothing is left of a row that goes.
 */
#include <sqlite3.h>

#include "chat_chain.h"
#include "core/limits.h"
#include "span/words.h"
#include "store/search.h"
#include "store_test.h"

static const struct store_ops *ops = &store_sqlite;
static const struct build_options options = { .row_only = true };
static char err[300];

static bool
words_are(bool json, const char *text, const char *want)
{
	struct words *w = words_new(1000);
	bool same;

	(json ? (void)words_json(w, '.', slice_str(text), 1000) : words_text(w, '.', slice_str(text)));
	same = slice_eq(words_list(w), slice_str(want));
	if (!same)
		printf("# %s\n# want: %s\n# got:  %.*s\n", text, want, (int)words_list(w).len, words_list(w).ptr);
	words_free(w);
	return same;
}

static void
test_words(void)
{
	char run[400], text[500];

	ok(words_are(false, "", ""));
	ok(words_are(false, "Hello, hello WORLD-42!", ".hello .world .42 "));
	ok(words_are(false, "\xc3\x84pfel \xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82 \xd0\x9c\xd0\x98\xd0\xa0",
	    ".\xc3\xa4pfel .\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83 .\xd0\xbc\xd0\xb8\xd1\x80 "));
	ok(words_are(false, "\xe6\x9d\xb1\xe4\xba\xac\xe3\x80\x82ok", ".\xe6\x9d\xb1 .\xe4\xba\xac .ok "));
	ok(words_are(false, "a\xff\x80" "b\xe2\x80\x94" "c", ".a .b .c "));
	ok(words_are(true, "[{\"role\":\"user\",\"content\" : \"one\\ntwo\\u00c4 \\\"three\\\"\"},4]",
	    ".user .one .two\xc3\xa4 .three "));
	ok(words_are(true, "\"cut off", ".cut .off "));
	ok(words_are(true, "\"a\\", ".a "));
	ok(words_are(true, "\"\\ud83d\\ude00\\ud83d x\"", ".\xf0\x9f\x98\x80 .x "));
	ok(words_are(true, "\"{\\\"city\\\":\\\"Rome\\\"}\"", ".city .rome "));
	memset(run, 'A', sizeof(run) - 1);
	run[sizeof(run) - 1] = '\0';
	snprintf(text, sizeof(text), "\"before data:image/png;base64,%s after\"", run);
	ok(words_are(true, text, ".before .data .image .png .base64 .after "));
}

static void
test_limits(void)
{
	struct words *w = words_new(3);
	char text[200];

	words_text(w, 'x', SLICE("a b a c d e"));
	ok(words_count(w) == 3 && slice_eq(words_list(w), SLICE("xa xb xc ")));
	words_clear(w);
	ok(words_count(w) == 0 && words_list(w).len == 0);
	memset(text, 'y', sizeof(text));
	words_text(w, 'x', slice_make(text, 150));
	ok(words_list(w).len == LIMIT_SEARCH_WORD + 2);
	words_text(w, 'x', slice_make(text, 160));	/* the same beginning */
	ok(words_count(w) == 1);
	words_free(w);
}

static bool
match_is(const char *text, enum search_in in, const char *want)
{
	struct buf out;
	bool good;

	buf_init(&out, 64 * KIB);
	good = search_match(slice_str(text), in, &out);
	good = want ? good && slice_eq(buf_view(&out), slice_str(want)) : !good && out.len == 0;
	buf_free(&out);
	return good;
}

static void
test_match(void)
{
	char many[4 * LIMIT_SEARCH_ASKED + 20] = "";

	ok(match_is("Refund", SEARCH_INPUT, "(\"irefund\")"));
	ok(match_is("refund pol*", SEARCH_OUTPUT, "(\"orefund\") AND (\"opol\" *)"));
	ok(match_is("x", SEARCH_BOTH, "(\"ix\" OR \"ox\")"));
	ok(match_is("\" OR x) --", SEARCH_INPUT, "(\"ior\") AND (\"ix\")"));
	ok(match_is("", SEARCH_BOTH, NULL) && match_is(" *** ", SEARCH_BOTH, NULL));
	for (int i = 0; i <= LIMIT_SEARCH_ASKED; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "%d ", i);
	ok(match_is(many, SEARCH_BOTH, NULL));
}

static bool
put(struct store *store, unsigned n, const char *asked, const char *said)
{
	struct span span = test_span(n);
	struct ex_fed fed;
	struct buf chain;
	bool good;

	buf_init(&chain, EX_ROOM);
	{
		const struct span *built = chat_chain(asked, said, &fed, &chain);

		span.input = built->input;
		span.output = built->output;
	}
	good = ops->begin(store) == STORE_OK && ops->put(store, &span, buf_view(&chain)) == STORE_OK &&
	    ops->commit(store) == STORE_OK;
	ex_fed_free(&fed);
	buf_free(&chain);
	return good;
}

/* How many rows a search finds; -1 - n: it went wrong. */
static int
found(struct store *store, const char *text, enum search_in in)
{
	struct search_query q = { .text = slice_str(text), .in = in, .tenant = SLICE("default"), .have_from = true,
	    .from_us = BASE_US };
	uint64_t count = 0;
	int64_t *numbers;
	size_t n;
	int rc = search_ids(store, &q, &numbers, &n);

	free(numbers);
	if (rc == STORE_OK && (search_count(store, &q, 1000, &count) != STORE_OK || count != n))
		return -100;
	return rc == STORE_OK ? (int)n : rc - 1;
}

static int
rows_of_index(void)
{
	char path[100];
	sqlite3_stmt *st;
	sqlite3 *db;
	int n = -1;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "SELECT count(*) FROM span_text_docsize", -1, &st, NULL) == SQLITE_OK) {
		if (sqlite3_step(st) == SQLITE_ROW)
			n = sqlite3_column_int(st, 0);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	return n;
}

static int
rows_of(struct store *store, const struct query *q)
{
	struct store_rows *rows = NULL;
	const struct span *span;
	int64_t last = INT64_MAX;
	uint64_t count = 0;
	int n = 0, rc = ops->select(store, q, &rows);

	while (rc >= 0 && (rc = ops->next(rows, &span)) == STORE_ROW) {
		if (span->timestamp.v > last && q->sort < 0)
			return -2;
		last = span->timestamp.v;
		n++;
	}
	ops->done(rows);
	return rc == STORE_OK && ops->count(store, q, &count) == STORE_OK && count == (uint64_t)n ? n : -1;
}

/* How many rows a list finds whose field holds all the words of one of the values: all in a row, a page, in a window,
 * by another order; -1 where these differ. */
static int
listed(struct store *store, int field, const char *a, const char *b, bool negate)
{
	struct slice values[2] = { slice_str(a), b ? slice_str(b) : SLICE_NONE };
	struct query_filter f = { .field = field, .op = QUERY_WORDS, .negate = negate, .values = values,
	    .nvalues = b ? 2 : 1 };
	struct query q = { .tenant = SLICE("default"), .filters = &f, .nfilters = 1, .sort = -1 };
	int n = rows_of(store, &q);

	q.limit = 1000000;
	if (rows_of(store, &q) != n)
		return -1;
	q.have_from = true;
	q.from_us = BASE_US;
	if (rows_of(store, &q) != n)
		return -1;
	q.sort = SPAN_F_latency;
	return rows_of(store, &q) == n ? n : -1;
}
#define IN(text) listed(store, SPAN_F_input, text, NULL, false)

/* The operator of lists: by the index where there is one, and in older rows' texts. */
static void
test_filter(struct store *store)
{
	ok(IN("refund") == 1 && IN("REFUND*") == 2 && IN("help") == 1 && IN("refund help") == 0);
	ok(listed(store, SPAN_F_output, "help", NULL, false) == 1);
	ok(listed(store, SPAN_F_input, "refund", "\xe6\x97\xa5", false) == 2);
	ok(IN("efund") == 0);			/* whole words of rows in the index */
	ok(IN("inde befor") == 1 && IN("inde befor none") == 0);	/* of older ones any part */
	ok(search_from(store) == 2);
	ok(listed(store, SPAN_F_input, "refund", NULL, true) == 4);
	ok(IN("!!!") == 0 && IN("?") == 1 && listed(store, SPAN_F_input, "?", "help", false) == 2);	/* no words: looked for */
	ok(listed(store, SPAN_F_model, "GPT-4", NULL, false) == 5);	/* other fields are looked into */
}

/* More rows than are listed first. */
static void
test_many(struct store *store)
{
	struct buf match;
	bool good = ops->begin(store) == STORE_OK;
	unsigned n;

	for (n = 0; n < SEARCH_FEW + 100 && good; n++) {
		struct span span = test_span(1000 + n);

		span.input = n % 100 ? SLICE("[{\"content\":\"many of them\"}]") : SLICE("[{\"content\":\"many rare\"}]");
		good = ops->put(store, &span, span.input) == STORE_OK;
	}
	ok(good && ops->commit(store) == STORE_OK);
	buf_init(&match, 1000);
	ok(search_match(SLICE("many"), SEARCH_INPUT, &match) && search_many(store, buf_view(&match)));
	buf_clear(&match);
	ok(search_match(SLICE("rare"), SEARCH_INPUT, &match) && !search_many(store, buf_view(&match)));
	buf_free(&match);
	ok(search_from(store) == 1);
	ok(IN("many") == SEARCH_FEW + 100 && IN("rare") == SEARCH_FEW / 100 + 1 && IN("many rare") == SEARCH_FEW / 100 + 1);
	ok(listed(store, SPAN_F_input, "them", NULL, true) == SEARCH_FEW / 100 + 1);
	ok(listed(store, SPAN_F_input, "many", "rare", false) == SEARCH_FEW + 100);
}

static void
test_rows(struct store *store)
{
	struct span span = test_span(1), hidden = test_span(9);

	ok(!search_ready(store) && found(store, "x", SEARCH_BOTH) == STORE_NOT_FOUND - 1);
	ok(put(store, 0, "before the index", "was there"));
	ok(ops->search(store, &options) == STORE_OK && search_ready(store));
	ok(ops->search(store, &options) == STORE_OK);
	ok(found(store, "index", SEARCH_BOTH) == 0);
	ok(put(store, 1, "How do I get a refund?", "Write to the help desk."));
	ok(put(store, 2, "Refunds and help", "None."));
	ok(put(store, 3, "\\u65e5\\u672c", "\\uc548\\ub155"));
	ok(found(store, "refund", SEARCH_BOTH) == 1 && found(store, "REFUND*", SEARCH_BOTH) == 2);
	ok(found(store, "help", SEARCH_BOTH) == 2 && found(store, "help", SEARCH_INPUT) == 1 &&
	    found(store, "help", SEARCH_OUTPUT) == 1);
	ok(found(store, "refund desk", SEARCH_BOTH) == 1 && found(store, "refund none", SEARCH_BOTH) == 0);
	ok(found(store, "role", SEARCH_BOTH) == 0 && found(store, "user", SEARCH_BOTH) == 3);
	ok(found(store, "\xe6\x97\xa5\xe6\x9c\xac", SEARCH_INPUT) == 1 && found(store, "\xe6\x97\xa5", SEARCH_OUTPUT) == 0);
	ok(found(store, "", SEARCH_BOTH) == STORE_E_ROW - 1);
	hidden.input = SLICE("[{\"role\":\"user\",\"content\":\"hidden words\"}]");
	ok(ops->begin(store) == STORE_OK && ops->put(store, &hidden, SLICE_NONE) == STORE_OK &&
	    ops->put(store, &span, SLICE("the id is there")) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(found(store, "hidden", SEARCH_BOTH) == 0);
	ok(rows_of_index() == 3);
}

static void
test_removal(struct store *store)
{
	struct span span = test_span(1), old = test_span(0);

	ok(ops->begin(store) == STORE_OK && ops->remove(store, span.id16) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(found(store, "refund", SEARCH_BOTH) == 0 && found(store, "help", SEARCH_BOTH) == 1 && rows_of_index() == 2);
	ok(ops->begin(store) == STORE_OK && ops->remove(store, old.id16) == STORE_OK);	/* never was in it */
	ops->rollback(store);
	ok(put(store, 10, "a newcomer", "has a number"));
	ok(found(store, "refund", SEARCH_BOTH) == 0 && found(store, "newcomer", SEARCH_INPUT) == 1);
	ok(ops->expire(store, BASE_US + 100 * INT64_C(1000000), 0, 100) == 5);
	ok(search_from(store) == 1);		/* none is left from before the index */
	ok(rows_of_index() == 0 && found(store, "help", SEARCH_BOTH) == 0 && found(store, "newcomer", SEARCH_BOTH) == 0);
	ok(put(store, 11, "again", "there"));
	ok(found(store, "again", SEARCH_BOTH) == 1 && found(store, "newcomer", SEARCH_BOTH) == 0);
	ok(ops->search(store, NULL) == STORE_OK && !search_ready(store));
	ok(search_from(store) == 0 && IN("gai") == 1);
	ok(put(store, 12, "off", "off"));
	ok(ops->search(store, &options) == STORE_OK && found(store, "again", SEARCH_BOTH) == 0);
}

int
main(void)
{
	struct store *store;

	test_words();
	test_limits();
	test_match();
	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL);
	test_rows(store);
	test_filter(store);
	test_removal(store);
	ops->close(store);
	test_dir_remove();
	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL && ops->search(store, &options) == STORE_OK);
	test_many(store);
	ops->close(store);
	test_dir_remove();
	return done();
}
