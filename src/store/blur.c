/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blur: retention of bodies. Of a span that is old enough what people wrote and
 * read goes; its row, its metadata and all its figures stay. Called between two
 * batches of the sink, a few rows at a time.
 */
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/audio.h"
#include "store/db.h"
#include "store/full.h"
#include "store/search.h"

#define BATCH 32		/* rows in one transaction */
#define EXAMINED 1000		/* rows looked at for one: those that stay are passed over */
#define BUILT_MOST MIB		/* a larger body is not read for what else it says: that would take too long */
#define AGAIN_US (UINT64_C(3600) * 1000000)	/* then those that stayed are looked at again: a pin may be gone */

struct candidate {
	int64_t		 n, size;
	uint8_t		 id[16];
};

/* The rows of a batch, from the one after blur_n on. *ended: there are no more that are old enough. */
static int
choose(struct store *store, int64_t before_us, struct candidate *list, size_t *count, bool *ended)
{
	static const char sql[] =
	    "SELECT s.n, s.id, b.size, s.timestamp < ?1 AND e.is_pinned IS NOT 1 AND b.kind IS NOT ?5, s.id < ?2"
	    " FROM span s LEFT JOIN body b ON b.span = s.n LEFT JOIN span_edit e ON e.span = s.n"
	    " WHERE s.n > ?3 ORDER BY s.n LIMIT ?4";
	sqlite3_stmt *st = NULL;
	unsigned looked = 0;
	bool young = false;
	uint8_t id[6];
	int rc;

	*count = 0;
	store_id_limit(before_us, id);
	rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);
	sqlite3_bind_int64(st, 1, before_us);
	sqlite3_bind_blob(st, 2, id, sizeof(id), SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, store->blur_n);
	sqlite3_bind_int64(st, 4, EXAMINED);
	sqlite3_bind_int(st, 5, BODY_BLURRED);
	while (*count < BATCH && !young && (rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		young = !sqlite3_column_int(st, 4);
		if (young)
			break;
		looked++;
		store->blur_n = sqlite3_column_int64(st, 0);
		if (!sqlite3_column_int(st, 3))
			continue;
		list[*count].n = store->blur_n;
		list[*count].size = sqlite3_column_int64(st, 2);
		memcpy(list[(*count)++].id, sqlite3_column_blob(st, 1), 16);
	}
	*ended = young || (looked < EXAMINED && *count < BATCH);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? STORE_OK : store_code(rc);
}

/* The metadata of a row as they are kept for filters, for a span whose body is not read. */
static int
meta_json(struct store *store, int64_t n, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "SELECT key, value FROM span_meta WHERE span = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, n);
	buf_str(out, "{");
	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		buf_str(out, out->len > 1 ? "," : "");
		buf_json_string(out, slice_make(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
		buf_str(out, ":");
		buf_json_string(out, slice_make(sqlite3_column_text(st, 1), (size_t)sqlite3_column_bytes(st, 1)));
	}
	buf_str(out, "}");
	sqlite3_finalize(st);
	return store_code(rc);
}

/* Marks the row, with a revision of its own. */
static int
mark(struct store *store, int64_t n)
{
	char sql[240];

	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO span_edit(span, blurred) VALUES(%lld, 1)"
	    " ON CONFLICT(span) DO UPDATE SET blurred = 1; UPDATE span SET rev = %lld WHERE n = %lld",
	    (long long)n, (long long)++store->numbers[NUMBER_REV], (long long)n);
	return store_exec(store, sql);
}

static int
blur_row(struct store *store, struct full *full, const struct candidate *c)
{
	struct span row = { .id = SLICE_NONE };
	const struct span *span = &row;
	struct buf meta;
	int rc = STORE_OK;

	buf_init(&meta, LIMIT_META_KEYS * 16 * LIMIT_META_VALUE);
	memcpy(row.id16, c->id, sizeof(row.id16));
	if (c->size <= BUILT_MOST)
		span = full_span(full, &row);
	if (span == &row && (rc = meta_json(store, c->n, &meta)) == STORE_OK && meta.len > 2)
		row.metadata = buf_view(&meta);
	if (rc == STORE_OK)	/* while its words can still be read */
		rc = search_remove(store, c->n, c->id);
	if (rc == STORE_OK)
		rc = store_put_blurred(store, c->n, span);
	if (rc == STORE_OK)
		rc = mark(store, c->n);
	if (rc == STORE_OK)
		audio_remove(store->data_dir, c->id);
	buf_free(&meta);
	return rc;
}

/* The rows of the list, as many as there is time for. */
static int
blur_rows(struct store *store, const struct build_options *options, const struct candidate *list, size_t count,
    uint64_t until)
{
	struct build_options whole = *options;
	struct full *full;
	size_t i;
	int rc;

	whole.row_only = false;
	full = full_new(&store_sqlite, store, &whole);
	rc = store_sqlite.begin(store);
	for (i = 0; i < count && rc == STORE_OK && (i == 0 || clock_mono_us() < until); i++)
		rc = blur_row(store, full, &list[i]);
	if (rc == STORE_OK && i < count)
		store->blur_n = list[i].n - 1;
	if (rc == STORE_OK)
		rc = store_sqlite.commit(store);
	if (rc != STORE_OK) {
		store->blur_n = list[0].n - 1;
		store_sqlite.rollback(store);
	}
	full_free(full);
	return rc;
}

int
store_blur(struct store *store, const struct store_retention *r, uint64_t until, bool *more)
{
	struct candidate list[BATCH];
	uint64_t now = clock_mono_us();
	bool ended = false;
	size_t count;
	int rc = STORE_OK;

	if (r->bodies_before_us == INT64_MIN)
		return STORE_OK;
	if (now >= store->blur_again) {
		store->blur_n = 0;
		store->blur_again = now + AGAIN_US;
	}
	while (!ended && rc == STORE_OK && (now = clock_mono_us()) < until) {
		rc = choose(store, r->bodies_before_us, list, &count, &ended);
		if (rc == STORE_OK && count > 0)
			rc = blur_rows(store, r->options, list, count, until);
		ended = ended && (count == 0 || store->blur_n >= list[count - 1].n);
	}
	*more |= !ended;
	return rc;
}
