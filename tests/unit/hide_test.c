/* SPDX-License-Identifier: Apache-2.0 */
/* hide: each stream fed whole, byte by byte and at random cuts gives the same
 * bytes; what it must not delay it does not. */
#include "core/hide.h"
#include "core/limits.h"
#include "exact.h"
#include "tap.h"

#define MODES 60

static size_t
take(struct hide *h, struct buf *out)
{
	struct slice piece;
	size_t pieces = 0;

	while (hide_next(h, &piece)) {
		if (piece.len == 0)
			buf_str(out, "empty piece");
		buf_slice(out, piece);
		pieces++;
	}
	return pieces;
}

/* The stream through the filter, cut by mode; whether usage was taken out. */
static bool
filtered(struct slice stream, int mode, struct buf *out)
{
	uint64_t seed = (uint64_t)mode + 7;
	struct slice part;
	struct hide h;
	size_t at, n;

	hide_init(&h);
	buf_clear(out);
	for (at = 0; at < stream.len; at += n) {
		n = exact_cut(mode, &seed, stream.len - at);
		part = exact_copy(slice_make(stream.ptr + at, n));
		hide_feed(&h, part);
		take(&h, out);
		exact_free(part);
	}
	hide_finish(&h);
	take(&h, out);
	hide_free(&h);
	return h.seen_usage;
}

static bool
gives(struct slice stream, struct slice want, bool usage, int modes)
{
	struct buf out;
	bool same = true;
	int mode;

	buf_init(&out, MIB);
	for (mode = 0; mode < modes && same; mode++) {
		same = filtered(stream, mode, &out) == usage && slice_eq(buf_view(&out), want);
		if (!same)
			printf("# mode %d: %.*s\n", mode, out.len < 500 ? (int)out.len : 500, out.ptr);
	}
	buf_free(&out);
	return same;
}

#define PASS(stream) ok(gives(SLICE(stream), SLICE(stream), false, MODES))
#define NULLS(stream, want) ok(gives(SLICE(stream), SLICE(want), false, MODES))
#define USAGE(stream, want) ok(gives(SLICE(stream), SLICE(want), true, MODES))

#define CHUNK "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"
#define CHUNK_NULL "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]," \
	"\"usage\":null}\n\n"
#define LAST "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\"," \
	"\"service_tier\":\"default\",\"system_fingerprint\":null,\"choices\":[]," \
	"\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"obfuscation\":\"x\"}\n\n"
#define DONE "data: [DONE]\n\n"

static void
pass_test(void)
{
	PASS("");
	PASS(CHUNK CHUNK DONE);
	PASS("\n\n\r\n\r\r: comment\n\n:\n" CHUNK ":OPENROUTER PROCESSING\n\n" CHUNK);
	PASS("data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n" DONE);
	PASS("data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":1}}\n\n");
	PASS("data: {\"choices\":[],\"usage\":{},\"x_latency\":1}\n\n");
	PASS("data: {\"usage\":{}}\n\n");
	PASS("data: {\"a\":{\"usage\":null},\"b\":[\"usage\",null]}\n\n");
	PASS("data: {\"choices\":[],\"usage\":{}\n\n");
	PASS("data: {\"usage\":null,}\n\n");
	PASS("data: {\"usage\":null}x\n\n");
	PASS("data: {\"choices\":[],\ndata: \"usage\":{}}\n\n");
	PASS("data: {\"usage\":null}\ndata: \n\n");
	PASS("data: {\"usage\":null,\"usage\":null}\n\n");
	PASS("data: {\"a\":{\"b\":1,\"usage\":null}}\n\n");
	PASS("data: {\"a\":\"b,\\\"usage\\\":null}\"}\n\n");
	PASS("data: {\"a\":\"usage\"}\n\n");
	PASS("data: [1,{\"usage\":null}]\n\n");
	PASS("event: error\ndata: {\"error\":{}}\n\n");
	PASS("{\"usage\":null}\n\n" " data: {\"usage\":null}\n\n" "dataset: {\"usage\":null}\n\n");
	PASS("data\n\ndata:\n\nda\n\nevent\n\n");
	PASS("data: {\"choices\":[],\"usage\":{}}");
	PASS("data: {\"choices\":[],\"usage\":{}}\n");
	PASS("data: {\"usage\":null}\r\n");
	PASS("internal error\r\n\r\n\r\n");
}

static void
null_test(void)
{
	NULLS(CHUNK_NULL CHUNK_NULL, CHUNK CHUNK);
	NULLS("data: {\"usage\":null}\n\n", "data: {}\n\n");
	NULLS("data:{ \"usage\" : null }\r\n\r\n", "data:{  }\r\n\r\n");
	NULLS("data: {\"usage\":null , \"a\":1}\n\n", "data: {\"a\":1}\n\n");
	NULLS("data: {\"a\":1 , \"usage\":null, \"b\":2 }\n\n", "data: {\"a\":1 , \"b\":2 }\n\n");
	NULLS("data: {\"a\":1 , \"usage\":null }\n\n", "data: {\"a\":1 }\n\n");
	NULLS("data: {\"us\\u0061ge\":null,\"a\":\"\\u0061\"}\r\r", "data: {\"a\":\"\\u0061\"}\r\r");
	NULLS("data: {\"a\":1,\"usage\":null,\"obfuscation\":\"xY1\"}\n\n",
	    "data: {\"a\":1,\"obfuscation\":\"xY1\"}\n\n");
	NULLS("data: {\"a\":1,\"usage\":null,\"obfuscation\":\"\\\"}\"}\n\n",
	    "data: {\"a\":1,\"obfuscation\":\"\\\"}\"}\n\n");
	NULLS("data: {\"a\":{\"b\":1,\"usage\":null},\"usage\":null}\n\n",
	    "data: {\"a\":{\"b\":1,\"usage\":null}}\n\n");
	NULLS("data: {\"a\" : 1 ,\"usage\":null}\n\n", "data: {\"a\" : 1}\n\n");
	NULLS("data: {\"a\":1,\"usage\":null} \n\n", "data: {\"a\":1} \n\n");
	NULLS("id: 7\nevent: x\ndata: {\"usage\":null}\n: c\n\n",
	    "id: 7\nevent: x\ndata: {}\n: c\n\n");
	NULLS("data: {\"choices\":[],\"usage\":null}\n\n", "data: {\"choices\":[]}\n\n");
}

static void
usage_test(void)
{
	USAGE(CHUNK CHUNK_NULL LAST DONE, CHUNK CHUNK DONE);
	USAGE(LAST, "");
	USAGE("data: {\"choices\":[ ],\"usage\":{}}\r\n\r\ndata: [DONE]\r\n\r\n",
	    "data: [DONE]\r\n\r\n");
	USAGE("data: {\"choices\":[],\"usage\":{}}\r\n\r\n\r\n" DONE, "\r\n" DONE);
	USAGE("data: {\"choices\":[],\"usage\":{}}\r\r\n\n\r", "\n\r");
	USAGE("data: {\"choices\":[],\"usage\":{}}\r\r\r\n", "\r\n");
	USAGE("event: u\nid: 3\ndata: {\"choices\":[],\"usage\":{}}\n: c\n\n" DONE, DONE);
	USAGE(": a\ndata: {\"choices\":[],\"usage\":{}}\n\n", ": a\n");
	USAGE("data: {\"ch\\u006fices\":[],\"us\\u0061ge\":{}}\n\n", "");
	USAGE(LAST LAST CHUNK_NULL, CHUNK);
	/* a completion's stream */
	USAGE("data: {\"id\":\"c\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
	    "\"text\":\"a\",\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
	    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[],"
	    "\"usage\":{\"prompt_tokens\":1}}\n\n" DONE,
	    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,"
	    "\"text\":\"a\",\"logprobs\":null,\"finish_reason\":null}]}\n\n" DONE);
}

/* An event of that length, blank line included, its usage null. */
static struct slice
event_of(size_t len, struct buf *b)
{
	buf_clear(b);
	buf_str(b, "data: {\"usage\":null,\"a\":\"");
	while (b->len < len - 4)
		buf_byte(b, 'x');
	buf_str(b, "\"}\n\n");
	return buf_view(b);
}

static void
bound_test(void)
{
	struct slice large;
	struct buf b, out;
	int mode;

	buf_init(&b, MIB);
	buf_init(&out, MIB);
	large = event_of(LIMIT_HELD_EVENT, &b);
	for (mode = 0; mode < 4; mode++) {
		filtered(large, mode, &out);
		ok(out.len == large.len - strlen("\"usage\":null,"));
	}
	large = event_of(LIMIT_HELD_EVENT + 1, &b);
	ok(gives(large, large, false, 4));
	buf_clear(&out);
	buf_slice(&out, large);
	buf_str(&out, CHUNK);
	buf_str(&b, CHUNK_NULL);
	ok(gives(buf_view(&b), buf_view(&out), false, 4));
	buf_free(&b);
	buf_free(&out);
}

static size_t
fed(struct hide *h, const char *text, struct buf *out)
{
	hide_feed(h, slice_str(text));
	return take(h, out);
}

static void
delay_test(void)
{
	struct buf out;
	struct hide h;
	char *held;

	buf_init(&out, MIB);
	hide_init(&h);
	ok(fed(&h, CHUNK CHUNK ": c\n\n" CHUNK, &out) == 1 && h.held.cap == 0);
	buf_clear(&out);
	ok(fed(&h, CHUNK_NULL CHUNK_NULL, &out) == 3 && h.held.cap == 0);
	/* a comment passes as it comes, half of it too */
	buf_clear(&out);
	ok(fed(&h, ": keep", &out) == 1 && slice_eq(buf_view(&out), SLICE(": keep")));
	ok(fed(&h, "alive\n\nda", &out) == 1 && h.held.len == 2);
	ok(fed(&h, "ta: 1\n", &out) == 0 && h.held.len == 8);
	ok(fed(&h, "\n" CHUNK, &out) == 2 && h.held.len == 0);
	/* the memory of the first held event serves the next */
	held = h.held.ptr;
	ok(fed(&h, "data: 2", &out) == 0 && h.held.ptr == held);
	ok(fed(&h, "\r\n\r", &out) == 1 && h.held.len == 0);
	ok(fed(&h, "\n", &out) == 1);
	hide_finish(&h);
	ok(take(&h, &out) == 0 && take(&h, &out) == 0);
	ok(slice_eq(buf_view(&out), SLICE(": keepalive\n\ndata: 1\n\n" CHUNK "data: 2\r\n\r\n")));
	hide_free(&h);
	buf_free(&out);
}

int
main(void)
{
	pass_test();
	null_test();
	usage_test();
	bound_test();
	delay_test();
	return done();
}
