/* SPDX-License-Identifier: Apache-2.0 */
/* Spans that are sent twice, and changes that come before their span or under its other id. */
#include "store/query.h"
#include "store_test.h"

static const struct store_ops *ops = &store_sqlite;

static struct span
sent(unsigned n, const char *key)
{
	struct span span = test_span(n);

	span.given = true;
	span.same_id = slice_str(key);
	return span;
}

/* How many rows there are; the note of the last. */
static unsigned
rows(struct store *store, char note[40])
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct store_rows *list;
	const struct span *row;
	unsigned n = 0;

	*note = '\0';
	if (ops->select(store, &q, &list) != STORE_OK)
		return 99;
	while (ops->next(list, &row) == STORE_ROW) {
		n++;
		snprintf(note, 40, "%.*s", (int)row->note.len, row->note.ptr ? row->note.ptr : "");
	}
	ops->done(list);
	return n;
}

static void
test_later_id(struct store *store)
{
	struct span first = sent(1, "ikey"), second = sent(2, "ikey");
	uint8_t id[16];
	char note[40];

	ok(ops->begin(store) == STORE_OK);
	ok(ops->put(store, &first, SLICE_NONE) == STORE_OK);
	ok(ops->edit(store, second.id16, SLICE("{\"patch\":{\"note\":\"early\"}}")) == STORE_OK);
	ok(ops->put(store, &second, SLICE_NONE) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(rows(store, note) == 1 && strcmp(note, "early") == 0);
	memcpy(id, second.id16, 16);
	ok(ops->first_id(store, id) == STORE_OK && memcmp(id, first.id16, 16) == 0);
	ok(ops->begin(store) == STORE_OK);
	ok(ops->edit(store, second.id16, SLICE("{\"patch\":{\"note\":\"late\"}}")) == STORE_OK);
	ok(ops->commit(store) == STORE_OK && rows(store, note) == 1 && strcmp(note, "late") == 0);
	ok(ops->begin(store) == STORE_OK && ops->edit(store, second.id16, SLICE("{\"delete\":true}")) == STORE_OK);
	ok(ops->commit(store) == STORE_OK && rows(store, note) == 0);
}

/* What deletes a span that is not there yet ends with it, whatever was to follow. */
static void
test_early_delete(struct store *store)
{
	struct span span = sent(3, "iother");
	char note[40];

	ok(ops->begin(store) == STORE_OK);
	ok(ops->edit(store, span.id16, SLICE("{\"delete\":true}")) == STORE_OK);
	ok(ops->edit(store, span.id16, SLICE("{\"patch\":{\"note\":\"x\"}}")) == STORE_OK);
	ok(ops->put(store, &span, SLICE_NONE) == STORE_OK && ops->commit(store) == STORE_OK);
	ok(rows(store, note) == 0);
}

int
main(void)
{
	struct store *store;
	char err[300];

	test_dir_make();
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store != NULL);
	test_later_id(store);
	test_early_delete(store);
	ops->close(store);
	test_dir_remove();
	return done();
}
