/* SPDX-License-Identifier: Apache-2.0 */
/* sse: each stream fed whole, byte by byte and at random cuts. */
#include "core/sse.h"
#include "exact.h"
#include "tap.h"

#define MODES 40

struct seen {
	struct buf	text;	/* the events as one readable text */
	struct sse	sse;
};

static void
seen_take(struct seen *s)
{
	struct sse_event ev;
	int r;

	while ((r = sse_next(&s->sse, &ev)) != 0) {
		buf_printf(&s->text, "%u-%u", (unsigned)ev.start, (unsigned)ev.end);
		if (r < 0)
			buf_str(&s->text, " over");
		if (ev.type.ptr != NULL)
			buf_printf(&s->text, " <%.*s>", (int)ev.type.len, ev.type.ptr);
		if (ev.data.ptr != NULL)
			buf_printf(&s->text, " %.*s", (int)ev.data.len, ev.data.ptr);
		buf_byte(&s->text, ';');
	}
}

/* Are these the events of the stream, however it is cut? */
static bool
gives(struct slice stream, size_t limit, const char *want)
{
	struct slice part;
	struct seen s;
	uint64_t seed;
	size_t at, n;
	bool same = true;
	int mode;

	for (mode = 0; mode < MODES && same; mode++) {
		seed = (uint64_t)mode + 99;
		buf_init(&s.text, 100000);
		sse_init(&s.sse, limit);
		for (at = 0; at < stream.len; at += n) {
			n = exact_cut(mode, &seed, stream.len - at);
			part = exact_copy(slice_make(stream.ptr + at, n));
			sse_feed(&s.sse, part);
			seen_take(&s);
			exact_free(part);
		}
		sse_finish(&s.sse);
		seen_take(&s);
		same = slice_eq(buf_view(&s.text), slice_str(want));
		if (!same)
			printf("# mode %d: %.*s\n", mode, (int)s.text.len, s.text.ptr);
		buf_free(&s.text);
		sse_free(&s.sse);
	}
	return same;
}

#define IS(stream, want) ok(gives(SLICE(stream), 1000, want))

static void
lines_test(void)
{
	IS("", "");
	IS("\n\n\n", "");
	IS("data: a\n\ndata: b\n\n", "0-9 a;9-18 b;");
	IS("data: a\r\n\r\ndata: b\r\n\r\n", "0-11 a;11-22 b;");
	IS("data: a\r\rdata: b\r\r", "0-9 a;9-18 b;");
	IS("data: a\n\r\ndata: b\r\n\rdata: c\r\n\n", "0-10 a;10-20 b;20-30 c;");
	IS("data:a\n\ndata:  b\n\n", "0-8 a;8-18  b;");
	IS("data: {\"a\": \"b:c\"}\n\n", "0-20 {\"a\": \"b:c\"};");
	IS("data: a\ndata: b\ndata\ndata:\n\n", "0-28 a\nb\n\n;");
	IS("data:\n\n", "0-7 ;");
	IS("data\n\n", "0-6 ;");
}

static void
fields_test(void)
{
	IS("event: ping\ndata: a\n\ndata: b\n\n", "0-21 <ping> a;21-30 b;");
	IS("event: x\nevent: y\ndata: a\n\n", "0-27 <y> a;");
	IS("event: x\n\ndata: a\n\n", "10-19 a;");
	IS("event:\ndata: a\n\n", "0-16 a;");
	IS(": OPENROUTER PROCESSING\n\n:\n\ndata: a\n\n", "28-37 a;");
	IS("id: 1\nretry: 3\nfoo\n data: x\ndataa: y\ndata: a\n: c\n\n", "0-50 a;");
	IS("{\"error\":1}", "");
	IS("\xef\xbb\xbf" "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "0-12 a;");
	IS("\xef\xbb\xbf\ndata: a\n\n", "4-13 a;");
}

static void
end_test(void)
{
	IS("data: a\n\ndata: [DONE]", "0-9 a;9-21 [DONE];");
	IS("data: a\n", "0-8 a;");
	IS("data: a\r", "0-8 a;");
	IS("data: a\r\n\r", "0-10 a;");
	IS("data: a\n\nda", "0-9 a;");
	IS("event: e\ndata: a", "0-16 <e> a;");
	IS("\xef\xbb\xbf", "");
}

static void
limit_test(void)
{
	ok(gives(SLICE("data: 0123456789\n\ndata: a\n\n"), 16, "0-18 0123456789;18-27 a;"));
	ok(gives(SLICE("data: 01234567890\n\ndata: a\n\n"), 16, "0-19 over;19-28 a;"));
	ok(gives(SLICE("data: 012345678\ndata: 012345\n\ndata: a\n\n"), 16,
	    "0-30 012345678\n012345;30-39 a;"));
	ok(gives(SLICE("data: 012345678\ndata: 0123456\n\ndata: a\n\n"), 16,
	    "0-31 over;31-40 a;"));
	ok(gives(SLICE("data: 01234567890"), 16, "0-17 over;"));
	ok(gives(SLICE("event: 01234567890\ndata: a\n\n"), 10, "0-28 over;"));
}

int
main(void)
{
	lines_test();
	fields_test();
	end_test();
	limit_test();
	return done();
}
