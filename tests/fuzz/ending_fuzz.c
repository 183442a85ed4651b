/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending: what passes and what is held must not depend on the cuts and is, put
 * together, what went in. Where [DONE] is held the rest is whole events. The
 * first byte is the seed of the cuts, and its lowest bit the kind.
 */
#include "core/ending.h"
#include "core/limits.h"
#include "cuts.h"
#include "events.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* What came of it: how many bytes passed, and the gap that an event would need. */
struct result {
	size_t		 passed;
	bool		 done, full;
	const char	*gap;
};

static struct result
filter(enum ending_kind kind, struct slice answer, uint64_t seed)
{
	struct result r = { .passed = 0 };
	struct slice piece;
	struct ending e;
	struct cuts cuts;
	struct buf out;

	buf_init(&out, 16 * MIB);
	ending_init(&e, kind);
	cuts_init(&cuts, answer, seed);
	while (cuts_next(&cuts, &piece)) {
		ending_feed(&e, piece);
		while (ending_next(&e, &piece)) {
			CHECK(piece.len > 0);
			buf_slice(&out, piece);
		}
		CHECK(e.held.len <= LIMIT_HELD_END);
	}
	r = (struct result){ out.len, e.done, e.full, ending_gap(&e) };
	buf_slice(&out, buf_view(&e.held));
	CHECK(slice_eq(buf_view(&out), answer));
	ending_free(&e);
	buf_free(&out);
	return r;
}

static bool
same(struct result a, struct result b)
{
	return a.passed == b.passed && a.done == b.done && a.full == b.full && strcmp(a.gap, b.gap) == 0;
}

/* What is put in its place is an event of its own and breaks up no other. */
static void
insert_check(struct slice stream, const struct result *r)
{
	size_t at = r->done ? r->passed : stream.len;
	struct buf out;

	/* a mark is passed over at the very start only */
	if (r->full || memchr(stream.ptr, 0xef, stream.len) != NULL)
		return;
	buf_init(&out, 16 * MIB);
	buf_slice(&out, slice_make(stream.ptr, at));
	buf_str(&out, r->done ? "" : r->gap);
	buf_str(&out, "data: {\"added\":1}\n\n");
	buf_slice(&out, slice_from(stream, at));
	CHECK(event_count(buf_view(&out)) == event_count(stream) + 1);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ending_kind kind;
	struct slice answer;
	struct result whole;

	if (size < 2)
		return 0;
	kind = data[0] & 1 ? ENDING_JSON : ENDING_EVENTS;
	answer = slice_make(data + 1, size - 1);
	whole = filter(kind, answer, 0);
	CHECK(same(filter(kind, answer, 1), whole));
	CHECK(same(filter(kind, answer, 2u + data[0]), whole));
	if (kind == ENDING_EVENTS)
		insert_check(answer, &whole);
	return 0;
}
