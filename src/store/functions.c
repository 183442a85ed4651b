/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions: what lists ask of a row in SQL that SQLite does not have:
 *
 *   span_match(mode, pattern, text)    match.h
 *   span_num(text)                     the number that a text is, or NULL
 *   span_sample(id)                    0 to 999999, always the same for an id
 *   span_body(id, usage_source, field) a field that no column holds, as text
 *
 * span_body puts the span together from what is stored with it, so it is dear:
 * query.c asks it last.
 */
#include "core/jscan.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/full.h"
#include "store/match.h"
#include "store/value.h"

static struct slice
argument(sqlite3_value *v)
{
	const void *p = sqlite3_value_text(v);

	return slice_make(p, (size_t)sqlite3_value_bytes(v));
}

static void
free_match(void *m)
{
	match_free(m);
}

static void
sql_match(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct match *m = sqlite3_get_auxdata(ctx, 1);
	bool known = m != NULL;
	char err[200];

	(void)argc;
	if (sqlite3_value_type(argv[2]) == SQLITE_NULL)
		return;
	if (!known)
		m = match_new((enum match_mode)sqlite3_value_int(argv[0]), argument(argv[1]), err, sizeof(err));
	if (!m) {
		sqlite3_result_error(ctx, err, -1);
		return;
	}
	sqlite3_result_int(ctx, match_text(m, argument(argv[2])));
	if (!known)	/* SQLite may free it at once */
		sqlite3_set_auxdata(ctx, 1, m, free_match);
}

static void
sql_num(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double d;

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_NULL && value_num(argument(argv[0]), &d))
		sqlite3_result_double(ctx, d);
}

/* The low bits of an id are random; mixed all the same, as clients make ids too. */
unsigned
store_sample(struct slice id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < id.len; i++)
		hash = (hash ^ (uint8_t)id.ptr[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	return (unsigned)(hash % 1000000);
}

static void
sql_sample(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct slice id = slice_make(sqlite3_value_blob(argv[0]), (size_t)sqlite3_value_bytes(argv[0]));

	(void)argc;
	sqlite3_result_int64(ctx, (int64_t)store_sample(id));
}

/* JSON with the escapes in its strings undone, for looking words up in it; a
 * string alone loses its quotes too. */
static void
plain_json(struct slice json, struct buf *out)
{
	const char *p = json.ptr, *end = json.ptr + json.len, *start;
	bool alone = json.len > 0 && *p == '"';

	while (p < end) {
		start = p;
		if (*p != '"') {
			while (p < end && *p != '"')
				p++;
			buf_append(out, start, (size_t)(p - start));
			continue;
		}
		for (p++; p < end && *p != '"'; p++)
			p += *p == '\\' && p + 1 < end;
		p += p < end;
		if (!alone)
			buf_byte(out, '"');
		(void)jstring((struct jvalue){ JSTRING, slice_make(start, (size_t)(p - start)) }, out);
		if (!alone)
			buf_byte(out, '"');
	}
}

/* The field's value in store->text, false: it is null. */
static bool
field_text(struct store *store, const struct span *span, int field)
{
	const char *p = (const char *)span + span_fields[field].offset;

	buf_clear(&store->text);
	if (span_is_null(span, field))
		return false;
	if (span_fields[field].type == SPAN_TEXT)
		buf_slice(&store->text, *(const struct slice *)p);
	else if (span_fields[field].type == SPAN_JSON)
		plain_json(*(const struct slice *)p, &store->text);
	else
		span_value_json(span, field, &store->text);
	return !store->text.failed;
}

static void
sql_body(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct store *store = sqlite3_user_data(ctx);
	struct span row = { .usage_source = argument(argv[1]) };
	int field = sqlite3_value_int(argv[2]);

	(void)argc;
	if (sqlite3_value_bytes(argv[0]) != 16 || field < 0 || field >= SPAN_FIELDS)
		return;
	memcpy(row.id16, sqlite3_value_blob(argv[0]), 16);
	if (!store->full) {
		struct build_options options = { .user_as_customer = true };

		store->full = full_new(&store_sqlite, store, &options);
	}
	if (field_text(store, full_span(store->full, &row), field))
		sqlite3_result_text64(ctx, store->text.ptr ? store->text.ptr : "", store->text.len, SQLITE_TRANSIENT,
		    SQLITE_UTF8);
	if (store->text.cap > 4 * MIB)
		buf_free(&store->text);
}

int
store_functions(struct store *store)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC, rc;

	rc = sqlite3_create_function(store->db, "span_match", 3, flags, NULL, sql_match, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "span_num", 1, flags, NULL, sql_num, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "span_sample", 1, flags, NULL, sql_sample, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(store->db, "span_body", 3, SQLITE_UTF8, store, sql_body, NULL, NULL);
	return rc;
}
