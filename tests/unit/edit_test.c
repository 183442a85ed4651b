/* SPDX-License-Identifier: Apache-2.0 */
/* edit: pieces, lengths, and the bytes that go into the journal and back. */
#include "core/edit.h"
#include "core/limits.h"
#include "exact.h"
#include "tap.h"

/* The edited body. */
static bool
gives(const struct edits *e, struct slice body, struct slice want)
{
	struct edit_iter it;
	struct slice piece;
	struct buf b;
	bool same = true;

	buf_init(&b, 1000);
	edit_iter_init(&it, e, body);
	while (edit_iter_next(&it, &piece)) {
		same = same && piece.len > 0;
		buf_slice(&b, piece);
	}
	same = same && !edit_iter_next(&it, &piece) && slice_eq(buf_view(&b), want) &&
	    edits_length(e, body.len) == want.len;
	buf_free(&b);
	return same;
}

static void
pieces_test(void)
{
	struct slice body = exact_copy(SLICE("0123456789"));
	struct edit cut[] = { { 0, 2, SLICE_NONE }, { 4, 1, SLICE_NONE }, { 8, 2, SLICE_NONE } };
	struct edit put[] = { { 0, 0, SLICE("a") }, { 5, 0, SLICE_NONE }, { 5, 2, SLICE("bcd") },
		{ 10, 0, SLICE_NONE }, { 10, 0, SLICE("e") } };
	struct edit all[] = { { 0, 10, SLICE_NONE } };

	ok(gives(&(struct edits){ NULL, 0 }, body, SLICE("0123456789")));
	ok(gives(&(struct edits){ NULL, 0 }, SLICE_NONE, SLICE("")));
	ok(gives(&(struct edits){ cut, 3 }, body, SLICE("23567")));
	ok(gives(&(struct edits){ put, 5 }, body, SLICE("a01234bcd789e")));
	ok(gives(&(struct edits){ all, 1 }, body, SLICE("")));
	exact_free(body);
}

/* A list that was read from a journal may reach past a body that was cut. */
static void
short_body_test(void)
{
	struct edit list[] = { { 2, 6, SLICE("x") }, { 20, 5, SLICE("y") } };
	struct slice body = exact_copy(SLICE("01234"));
	struct edit_iter it;
	struct slice piece;

	edit_iter_init(&it, &(struct edits){ list, 2 }, body);
	ok(edit_iter_next(&it, &piece) && slice_eq(piece, SLICE("01")));
	ok(edit_iter_next(&it, &piece) && slice_eq(piece, SLICE("x")));
	ok(edit_iter_next(&it, &piece) && slice_eq(piece, SLICE("y")));
	ok(!edit_iter_next(&it, &piece));
	exact_free(body);
}

static bool
same_edits(const struct edits *a, const struct edits *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (a->list[i].offset != b->list[i].offset ||
		    a->list[i].length != b->list[i].length ||
		    !slice_eq(a->list[i].replacement, b->list[i].replacement))
			return false;
	return a->count == b->count;
}

static int
decode(const struct edits *e, size_t take, struct edits *out)
{
	struct slice bytes;
	struct buf b;
	int r;

	buf_init(&b, MIB);
	edits_encode(e, SLICE_NONE, &b);
	bytes = exact_copy(slice_make(b.ptr, b.len - take));
	buf_free(&b);
	r = edits_decode(bytes, SLICE_NONE, out);
	if (r == 0 && !same_edits(e, out))
		r = -2;
	free(out->list);
	exact_free(bytes);
	return r;
}

static void
codec_test(void)
{
	struct edit good[] = { { 0, 0, SLICE("a") }, { 0, 5, SLICE("") },
		{ 5, 0, SLICE("bcd") }, { UINT64_MAX - 1, 1, SLICE("") } };
	struct edit overlap[] = { { 0, 5, SLICE("") }, { 4, 1, SLICE("") } };
	struct edit back[] = { { 7, 0, SLICE("") }, { 4, 1, SLICE("") } };
	struct edit huge[] = { { 7, UINT64_MAX - 6, SLICE("") } };
	struct edit *many = calloc(LIMIT_EDITS + 1, sizeof(*many));
	struct edits out;

	ok(decode(&(struct edits){ good, 4 }, 0, &out) == 0);
	ok(decode(&(struct edits){ NULL, 0 }, 0, &out) == 0);
	ok(decode(&(struct edits){ good, 1 }, 1, &out) == -1 && out.list == NULL);
	ok(decode(&(struct edits){ good, 2 }, 1, &out) == -1 && out.count == 0);
	ok(decode(&(struct edits){ good, 2 }, 20, &out) == -2);
	ok(decode(&(struct edits){ overlap, 2 }, 0, &out) == -1);
	ok(decode(&(struct edits){ back, 2 }, 0, &out) == -1);
	ok(decode(&(struct edits){ huge, 1 }, 0, &out) == -1);
	ok(decode(&(struct edits){ many, LIMIT_EDITS }, 0, &out) == 0);
	ok(decode(&(struct edits){ many, LIMIT_EDITS + 1 }, 0, &out) == -1);
	free(many);
}

/* A piece of the body is written as its place, and read only of such a body. */
static void
place_test(void)
{
	struct slice body = exact_copy(SLICE("0123456789abcdef0123456789abcdef"));
	struct edit list[] = { { 1, 2, slice_make(body.ptr, 32) }, { 5, 0, slice_make(body.ptr + 20, 12) },
		{ 6, 0, slice_make(body.ptr + 3, 8) } };
	struct edits e = { list, 3 }, back;
	struct buf b;

	buf_init(&b, MIB);
	edits_encode(&e, body, &b);
	ok(b.len == 3 * (20 + 8));
	ok(edits_decode(buf_view(&b), body, &back) == 0 && same_edits(&e, &back));
	ok(back.list[1].replacement.ptr == body.ptr + 20);
	free(back.list);
	ok(edits_decode(buf_view(&b), slice_make(body.ptr, 31), &back) == -1);
	ok(edits_decode(buf_view(&b), SLICE_NONE, &back) == -1);
	ok(edits_decode(slice_make(b.ptr, 27), body, &back) == -1);
	buf_clear(&b);
	edits_encode(&e, slice_make(body.ptr, 31), &b);
	ok(b.len == 3 * 20 + 32 + 12 + 8);
	buf_free(&b);
	exact_free(body);
}

int
main(void)
{
	pieces_test();
	short_body_test();
	codec_test();
	place_test();
	return done();
}
