/* SPDX-License-Identifier: Apache-2.0 */
/* form: any bytes come to a whole JSON object, the same one however they are
 * cut, and so do the bytes of the files. The first byte is the seed of the cuts. */
#include "core/jscan.h"
#include "cuts.h"
#include "span/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
items_take(struct form *f, struct buf *files)
{
	struct form_item item;
	int r;

	while ((r = form_next(f, &item)) > 0 && r != FORM_END) {
		CHECK(f->in_file == (r != FORM_FILE_END));
		CHECK((r == FORM_BYTES) == (item.bytes.len > 0));
		if (r == FORM_BYTES)
			buf_slice(files, item.bytes);
		else
			buf_printf(files, "(%d %zu)", r, item.filename.len);
		if (r == FORM_FILE_END)
			form_file(f, SLICE("{\"file\":1}"));
	}
	CHECK(r == FORM_MORE || form_next(f, &item) == r);
}

/* Appends the object to what came of the files. */
static void
form_read(struct slice text, uint64_t seed, struct buf *seen)
{
	struct arena arena = { .blocks = NULL };
	struct form f;
	struct slice piece;
	struct cuts cuts;
	size_t at;

	buf_init(seen, 64 * MIB);
	form_init(&f, SLICE("B"), &arena);
	cuts_init(&cuts, text, seed);
	while (cuts_next(&cuts, &piece)) {
		form_feed(&f, piece);
		items_take(&f, seen);
	}
	at = seen->len;
	form_json(&f, seen);
	CHECK(!seen->failed && !arena.failed);
	CHECK(jscan_check(slice_from(buf_view(seen), at), NULL, NULL) == JSCAN_END);
	form_free(&f);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, bytes, cut;
	struct slice text;

	if (size < 1)
		return 0;
	text = slice_make(data + 1, size - 1);
	form_read(text, 0, &whole);
	form_read(text, 1, &bytes);
	form_read(text, 2u + data[0], &cut);
	CHECK(slice_eq(buf_view(&whole), buf_view(&bytes)));
	CHECK(slice_eq(buf_view(&whole), buf_view(&cut)));
	buf_free(&whole);
	buf_free(&bytes);
	buf_free(&cut);
	return 0;
}
