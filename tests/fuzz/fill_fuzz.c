/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill on any bytes: with variables filled in, the body is as good a JSON text
 * as without; each further edit takes out one {{name}} and nothing else; the
 * list survives the journal. The first byte is the family and whether usage is
 * asked for.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
apply(const struct edits *edits, struct slice body, struct buf *out)
{
	struct edit_iter it;
	struct slice piece;

	buf_init(out, 2 * LIMIT_FILLED);
	edit_iter_init(&it, edits, body);
	while (edit_iter_next(&it, &piece))
		buf_slice(out, piece);
	CHECK(!out->failed);
}

static bool
same_edit(const struct edit *a, const struct edit *b)
{
	return a->offset == b->offset && a->length == b->length && slice_eq(a->replacement, b->replacement);
}

/* Does it take out braces with no other brace in between? */
static bool
is_place(struct slice s)
{
	size_t i;

	if (s.len < 4 || !slice_starts(s, SLICE("{{")) || !slice_ends(s, SLICE("}}")))
		return false;
	for (i = 2; i < s.len - 2; i++)
		if (s.ptr[i] == '{' || s.ptr[i] == '}')
			return false;
	return true;
}

/* `plain` is in `filled`; what else is there are places, all in order. */
static void
edits_check(struct slice body, const struct edits *plain, const struct edits *filled)
{
	const struct edit *e;
	uint64_t from = 0;
	size_t i, j = 0;

	CHECK(filled->count <= LIMIT_EDITS);
	for (i = 0; i < filled->count; i++) {
		e = &filled->list[i];
		CHECK(e->offset >= from && e->length <= body.len - e->offset);
		from = e->offset + e->length;
		if (j < plain->count && same_edit(e, &plain->list[j]))
			j++;
		else
			CHECK(is_place(slice_make(body.ptr + e->offset, (size_t)e->length)));
	}
	CHECK(j == plain->count);
}

static void
codec_check(const struct edits *edits, struct slice body)
{
	struct edits again;
	struct buf b;
	size_t i;

	buf_init(&b, MIB);
	edits_encode(edits, body, &b);
	CHECK(!b.failed && b.len < LIMIT_RECORD - 4 * KIB);
	CHECK(edits_decode(buf_view(&b), body, &again) == 0 && again.count == edits->count);
	for (i = 0; i < edits->count; i++)
		CHECK(same_edit(&again.list[i], &edits->list[i]));
	free(again.list);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rewrite plain, filled;
	struct buf a, b;
	struct slice body;
	unsigned flags;

	if (size < 1)
		return 0;
	body = slice_make(data + 1, size - 1);
	flags = data[0] & 0x80 ? REWRITE_ASK_USAGE : 0;
	CHECK(rewrite_scan(&plain, body, data[0] % FAMILY_COUNT) == 0);
	CHECK(rewrite_scan(&filled, body, data[0] % FAMILY_COUNT) == 0);
	if (rewrite_finish(&plain, flags) == 0 && rewrite_finish(&filled, flags | REWRITE_FILL) == 0) {
		apply(&plain.edits, body, &a);
		apply(&filled.edits, body, &b);
		CHECK(jscan_check(buf_view(&a), NULL, NULL) == jscan_check(buf_view(&b), NULL, NULL));
		CHECK(plain.note == NULL && (filled.note == NULL || plain.edits.count == filled.edits.count));
		edits_check(body, &plain.edits, &filled.edits);
		codec_check(&filled.edits, body);
		buf_free(&a);
		buf_free(&b);
	}
	rewrite_free(&plain);
	rewrite_free(&filled);
	return 0;
}
