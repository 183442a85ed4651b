/* SPDX-License-Identifier: Apache-2.0 */
/* sse: the events must not depend on the cuts. The first byte is the limit's
 * choice, the second the seed of the cuts. */
#include "core/limits.h"
#include "core/sse.h"
#include "cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* Writes down what comes out. */
static void
events_take(struct sse *s, struct buf *seen, uint64_t *end)
{
	struct sse_event ev;
	int r;

	while ((r = sse_next(s, &ev)) != 0) {
		CHECK(ev.start >= *end && ev.start < ev.end);
		CHECK((r == 1) == (ev.data.ptr != NULL));
		*end = ev.end;
		buf_printf(seen, "%d %llu %llu %zu ", r, (unsigned long long)ev.start,
		    (unsigned long long)ev.end, ev.type.len);
		buf_slice(seen, ev.type);
		buf_slice(seen, ev.data);
	}
}

static void
events(struct slice stream, size_t limit, uint64_t seed, struct buf *seen)
{
	struct slice piece;
	struct cuts cuts;
	uint64_t end = 0;
	struct sse s;

	buf_init(seen, 16 * MIB);
	sse_init(&s, limit);
	cuts_init(&cuts, stream, seed);
	while (cuts_next(&cuts, &piece)) {
		sse_feed(&s, piece);
		events_take(&s, seen, &end);
	}
	sse_finish(&s);
	events_take(&s, seen, &end);
	CHECK(end <= stream.len && s.offset == stream.len);
	sse_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t limits[] = { 10, 40, 4096, MIB };
	struct buf whole, bytes, cut;
	struct slice stream;
	size_t limit;

	if (size < 2)
		return 0;
	limit = limits[data[0] % 4];
	stream = slice_make(data + 2, size - 2);
	events(stream, limit, 0, &whole);
	events(stream, limit, 1, &bytes);
	events(stream, limit, 2u + data[1], &cut);
	CHECK(slice_eq(buf_view(&whole), buf_view(&bytes)));
	CHECK(slice_eq(buf_view(&whole), buf_view(&cut)));
	buf_free(&whole);
	buf_free(&bytes);
	buf_free(&cut);
	return 0;
}
