/* SPDX-License-Identifier: Apache-2.0 */
/* ending: each answer fed whole, byte by byte and at random cuts passes and
 * holds the same bytes; what is not the end passes at once. */
#include "core/ending.h"
#include "core/limits.h"
#include "exact.h"
#include "tap.h"

#define MODES 60
#define CHUNK "data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\n\n"

static size_t
take(struct ending *e, struct buf *out)
{
	struct slice piece;
	size_t pieces = 0;

	while (ending_next(e, &piece)) {
		if (piece.len == 0)
			buf_str(out, "empty piece");
		buf_slice(out, piece);
		pieces++;
	}
	return pieces;
}

static void
feed_cut(struct ending *e, struct slice answer, int mode, struct buf *out)
{
	uint64_t seed = (uint64_t)mode + 7;
	struct slice part;
	size_t at, n;

	buf_clear(out);
	for (at = 0; at < answer.len; at += n) {
		n = exact_cut(mode, &seed, answer.len - at);
		part = exact_copy(slice_make(answer.ptr + at, n));
		ending_feed(e, part);
		take(e, out);
		exact_free(part);
	}
}

/* gap: NULL where it is [DONE] that is held. */
static bool
parts_are(enum ending_kind kind, struct slice answer, struct slice passed, struct slice held,
    const char *gap)
{
	struct ending e;
	struct buf out;
	bool same = true;
	int mode;

	buf_init(&out, MIB);
	for (mode = 0; mode < MODES && same; mode++) {
		ending_init(&e, kind);
		feed_cut(&e, answer, mode, &out);
		same = slice_eq(buf_view(&out), passed) && slice_eq(buf_view(&e.held), held) && !e.full &&
		    e.done == (gap == NULL) && (gap == NULL || strcmp(ending_gap(&e), gap) == 0);
		if (!same)
			printf("# mode %d: \"%.*s\" and \"%.*s\"\n", mode, (int)out.len,
			    out.len ? out.ptr : "", (int)e.held.len, e.held.len ? e.held.ptr : "");
		ending_free(&e);
	}
	buf_free(&out);
	return same;
}

#define JSON(passed, held) \
	ok(parts_are(ENDING_JSON, SLICE(passed held), SLICE(passed), SLICE(held), ""))
#define DONE(passed, held) \
	ok(parts_are(ENDING_EVENTS, SLICE(passed held), SLICE(passed), SLICE(held), NULL))
#define NOT_DONE(passed, held, gap) \
	ok(parts_are(ENDING_EVENTS, SLICE(passed held), SLICE(passed), SLICE(held), gap))

static void
json_test(void)
{
	JSON("", "");
	JSON("{", "}");
	JSON(" {\"a\":{\"b\":1}", "}");
	JSON("{\"a\":\"}\"", "} \r\n\t\n");
	JSON("{}{} x", "");
	JSON("{} ]", "");
	JSON("[{}]\n", "");
	JSON("{\"a\":1}\n,", "}\n");
	JSON("\"cut", "");
}

static void
events_test(void)
{
	DONE("", "data: [DONE]\n\n");
	DONE(CHUNK CHUNK, "data: [DONE]\n\n");
	DONE(CHUNK, "data:[DONE]");
	DONE(CHUNK, "data:   [DONE]\r\n\r\n: after\n\n" CHUNK);
	DONE("data: 1\r\n\r\n", "data: [DONE]\r\n\r\n");
	DONE("data: 1\r\r", "data: [DONE]\r\r");
	DONE(": keepalive\n\n:\n", "data: [DONE]\n\n");
	DONE("\n\n", "event: done\ndata: [DONE]\n\n");
	DONE("id: 1\nevent: x\n\n", "id: 2\r\nevent: y\r\n: c\r\ndata: [DONE]\r\n\r\n");
	DONE("event: x\ndata: 1\n\n", "data: [DONE]\n\n");
	NOT_DONE(CHUNK, "", "");
	NOT_DONE("data: [DON]\n\n", "", "");
	NOT_DONE("data: a [DONE]\n\n", "", "");
	NOT_DONE("data: 1\ndata: [DONE]\n\n", "", "");
	NOT_DONE("data: 1\ndata: [DONE]\n", "", "\n");
	NOT_DONE("xdata: [DONE]\n\n", "", "");
	NOT_DONE("data\n\ndata:\n\ndatas: [DONE]\n\n", "", "");
	NOT_DONE(": c", "", "\n");
	NOT_DONE(CHUNK, "da", "\n\n");
	NOT_DONE(CHUNK, "data: [DONE", "\n\n");
	NOT_DONE(CHUNK, "event: x", "\n\n");
	NOT_DONE(CHUNK, "event: x\n", "\n");
	NOT_DONE(CHUNK "event: x\n\n", "", "");
	NOT_DONE("data: 1", "", "\n\n");
	NOT_DONE("data: 1\r", "", "\n\n");
	NOT_DONE("data: 1\r\n", "", "\n");
	NOT_DONE("data: 1\r\r", "", "\n");
}

/* n blanks or letters behind a beginning. */
static struct slice
long_text(struct buf *b, const char *begin, char fill, size_t n, const char *end)
{
	buf_clear(b);
	buf_str(b, begin);
	while (b->len < n)
		buf_byte(b, fill);
	buf_str(b, end);
	return buf_view(b);
}

static bool
passes_all(enum ending_kind kind, struct slice answer, bool full)
{
	struct ending e;
	struct buf out;
	bool same = true;
	int mode;

	buf_init(&out, MIB);
	for (mode = 0; mode < 4 && same; mode++) {
		ending_init(&e, kind);
		feed_cut(&e, answer, mode, &out);
		same = slice_eq(buf_view(&out), answer) && e.held.len == 0 && e.full == full;
		ending_free(&e);
	}
	buf_free(&out);
	return same;
}

static void
bound_test(void)
{
	struct ending e;
	struct buf b, out;
	struct slice s;

	buf_init(&b, MIB);
	buf_init(&out, MIB);
	ok(passes_all(ENDING_JSON, long_text(&b, "{}", ' ', LIMIT_HELD_END + 2, ""), false));
	ok(passes_all(ENDING_EVENTS, long_text(&b, "event: ", 'x', LIMIT_HELD_END + 1, "\ndata: [DONE]\n"),
	    false));
	ok(passes_all(ENDING_EVENTS, long_text(&b, "data: [DONE]", '\n', LIMIT_HELD_END + 1, ""), true));
	/* as much as may be is held; and a bracket behind too many blanks is one */
	ending_init(&e, ENDING_JSON);
	s = long_text(&b, "{}", ' ', LIMIT_HELD_END + 1, "");
	feed_cut(&e, s, 0, &out);
	ok(out.len == 1 && e.held.len == LIMIT_HELD_END);
	ending_feed(&e, SLICE(" "));
	take(&e, &out);
	ok(out.len == s.len + 1 && e.held.len == 0);
	ending_feed(&e, SLICE("} "));
	take(&e, &out);
	ok(out.len == s.len + 1 && e.held.len == 2);
	ending_free(&e);
	buf_free(&b);
	buf_free(&out);
}

static size_t
fed(struct ending *e, const char *text, struct buf *out)
{
	ending_feed(e, slice_str(text));
	return take(e, out);
}

static void
delay_test(void)
{
	struct ending e;
	struct buf out;

	buf_init(&out, MIB);
	ending_init(&e, ENDING_EVENTS);
	ok(fed(&e, CHUNK CHUNK, &out) == 1 && e.held.cap == 0);
	ok(fed(&e, "data: {\"half", &out) == 1 && e.held.cap == 0);
	ok(fed(&e, "\"}\n\ndata: [", &out) == 1 && e.held.len == 7);
	ok(fed(&e, "1]\n\n", &out) == 2 && e.held.len == 0);
	ok(fed(&e, "", &out) == 0 && fed(&e, "data: [DONE]", &out) == 0 && e.done);
	ok(fed(&e, "\n\n", &out) == 0 && e.held.len == 14);
	ending_free(&e);
	ending_init(&e, ENDING_JSON);
	ok(fed(&e, "{\"a\":{}", &out) == 1 && e.held.len == 1);
	ok(fed(&e, ",\"b\":2", &out) == 2 && e.held.len == 0);
	ok(fed(&e, "}", &out) == 0 && fed(&e, "\n", &out) == 0 && e.held.len == 2);
	ending_free(&e);
	buf_free(&out);
}

int
main(void)
{
	json_test();
	events_test();
	bound_test();
	delay_test();
	return done();
}
