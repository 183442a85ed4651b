/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate on any bytes: however they are cut, the same comes out. The first
 * byte names a stack of one to three codings, the second the cuts. Of what is
 * found to be damaged the libraries may give less when it comes in one piece.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "cuts.h"
#include "span/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

#define ROOM (256 * KIB)

struct told {
	struct buf	out;
	int		result;
	bool		complete;
};

/* Two bits a coding, the lowest first; the top two: how many more than one. */
static void
codings(unsigned bits, struct buf *list)
{
	static const char *const names[] = { "gzip", "deflate", "br", "zstd" };
	unsigned n = 1 + bits / 64 % 3;

	for (; n > 0; n--, bits /= 4) {
		buf_str(list, list->len ? ", " : "");
		buf_str(list, names[bits % 4]);
	}
}

static void
told(struct told *t, struct slice list, struct slice stream, uint64_t seed)
{
	struct slice piece;
	struct inflate f;
	struct cuts cuts;

	buf_init(&t->out, ROOM);
	t->result = inflate_init(&f, list);
	CHECK(t->result == INFLATE_OK);
	cuts_init(&cuts, stream, seed);
	while (cuts_next(&cuts, &piece))
		if (t->result == INFLATE_OK)
			t->result = inflate_feed(&f, piece, &t->out);
	CHECK(t->result == INFLATE_OK || t->result == INFLATE_E_DATA || t->result == INFLATE_E_LIMIT);
	CHECK(t->result != INFLATE_E_LIMIT || t->out.len == ROOM);
	t->complete = inflate_complete(&f);
	inflate_free(&f);
}

static void
same_check(const struct told *a, struct slice list, struct slice stream, uint64_t seed)
{
	struct told b;
	size_t n;

	told(&b, list, stream, seed);
	n = a->out.len < b.out.len ? a->out.len : b.out.len;
	CHECK((a->result == INFLATE_OK) == (b.result == INFLATE_OK));
	CHECK(n == 0 || memcmp(a->out.ptr, b.out.ptr, n) == 0);
	if (a->result == INFLATE_OK)
		CHECK(a->out.len == b.out.len && a->complete == b.complete);
	buf_free(&b.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream;
	struct told whole;
	struct buf list;

	if (size < 2)
		return 0;
	stream = slice_make(data + 2, size - 2);
	buf_init(&list, 64);
	codings(data[0], &list);
	told(&whole, buf_view(&list), stream, 0);
	same_check(&whole, buf_view(&list), stream, 1);
	same_check(&whole, buf_view(&list), stream, 2u + data[1]);
	buf_free(&whole.out);
	buf_free(&list);
	return 0;
}
