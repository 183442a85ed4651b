/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hide: what comes out must not depend on the cuts, is what went in less some
 * bytes, and all of it where no usage is in it. The first byte is the seed of
 * the cuts.
 */
#include "core/hide.h"
#include "core/limits.h"
#include "core/sse.h"
#include "cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
pieces_take(struct hide *h, struct buf *out)
{
	struct slice piece;

	while (hide_next(h, &piece)) {
		CHECK(piece.len > 0);
		buf_slice(out, piece);
	}
}

/* Whether a usage-only event was taken out. */
static bool
filter(struct slice stream, uint64_t seed, struct buf *out)
{
	struct slice piece;
	struct cuts cuts;
	struct hide h;

	buf_init(out, 16 * MIB);
	hide_init(&h);
	cuts_init(&cuts, stream, seed);
	while (cuts_next(&cuts, &piece)) {
		hide_feed(&h, piece);
		pieces_take(&h, out);
		CHECK(h.held.len <= LIMIT_HELD_EVENT);
	}
	hide_finish(&h);
	pieces_take(&h, out);
	hide_free(&h);
	return h.seen_usage;
}

/* Is `part` the bytes of `of`, in order, with some left out? */
static bool
is_part(struct slice part, struct slice of)
{
	size_t i;

	for (i = 0; i < of.len && part.len > 0; i++)
		if (of.ptr[i] == *part.ptr)
			part = slice_from(part, 1);
	return part.len == 0;
}

static bool
may_name_usage(struct slice s)
{
	for (; s.len > 0; s = slice_from(s, 1))
		if (*s.ptr == '\\' || slice_starts(s, SLICE("\"usage\"")))
			return true;
	return false;
}

static size_t
event_count(struct slice stream)
{
	struct sse_event ev;
	struct sse s;
	size_t n = 0;

	sse_init(&s, MIB);
	sse_feed(&s, stream);
	while (sse_next(&s, &ev) != 0)
		n++;
	sse_finish(&s);
	while (sse_next(&s, &ev) != 0)
		n++;
	sse_free(&s);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, bytes, cut;
	struct slice stream, out;
	bool usage;

	if (size < 1)
		return 0;
	stream = slice_make(data + 1, size - 1);
	usage = filter(stream, 0, &whole);
	CHECK(filter(stream, 1, &bytes) == usage);
	CHECK(filter(stream, 2u + data[0], &cut) == usage);
	out = buf_view(&whole);
	CHECK(slice_eq(out, buf_view(&bytes)));
	CHECK(slice_eq(out, buf_view(&cut)));
	CHECK(is_part(out, stream));
	if (!may_name_usage(stream))
		CHECK(slice_eq(out, stream));
	/* a stream may begin with a mark that the filter does not look behind */
	if (!slice_starts(stream, SLICE("\xef\xbb\xbf")))
		CHECK(usage == (event_count(out) < event_count(stream)));
	buf_free(&whole);
	buf_free(&bytes);
	buf_free(&cut);
	return 0;
}
