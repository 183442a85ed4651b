/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Messages family beside its golden spans: what a later estimate of the
 * output is told, rows only, ceilings, and streams made to be slow.
 */
#include <time.h>

#include "exchange.h"
#include "span/inner.h"
#include "tap.h"

#define BEGIN "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY messages\n\tTARGET /v1/messages\n" \
	"\tBYTES {\"model\":\"m\",\"stream\":true,\"messages\":[],\"system\":\"s\"}\n" \
	"send\n\tATTEMPT 1\n\tT 20\nhead\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n" \
	"\tHEADERS content-type: text/event-stream\n"
#define START "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg\",\"model\":\"m-1\"," \
	"\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
#define DELTA(index, text) "data: {\"type\":\"content_block_delta\",\"index\":" index \
	",\"delta\":{\"type\":\"text_delta\",\"text\":\"" text "\"}}\n\n"
#define ENDED "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}," \
	"\"usage\":{\"output_tokens\":7}}\n\n"

static bool
is(struct slice got, const char *want)
{
	if (slice_eq(got, slice_str(want)) && (got.ptr == NULL) == (want == NULL))
		return true;
	printf("# got %.*s\n", (int)(got.len < 500 ? got.len : 500), got.ptr ? got.ptr : "");
	return false;
}

/* The span of a stream of these bytes, in one part. */
static const struct span *
built(struct ex_fed *fed, struct slice stream, bool row_only)
{
	struct build_options options = { .row_only = row_only };
	struct exchange *x = ex_parse(BEGIN);
	struct buf payload;
	size_t at, n;

	ex_feed(fed, x, &options, EX_AS_IS);
	buf_init(&payload, EX_ROOM);
	for (at = 0; at < stream.len; at += n) {
		n = stream.len - at < MIB / 2 ? stream.len - at : MIB / 2;
		record_put_u64(&payload, TAG_ATTEMPT, 1);
		record_put_u64(&payload, TAG_T, 40);
		record_put_u64(&payload, TAG_OFFSET, at);
		record_put(&payload, TAG_BYTES, slice_make(stream.ptr + at, n));
		ex_give(fed, RECORD_PART, &payload);
	}
	record_put_u64(&payload, TAG_T, 50);
	record_put_u64(&payload, TAG_T_LAST, 50);
	record_put_u64(&payload, TAG_ANSWER_LENGTH, stream.len);
	ex_give(fed, RECORD_END, &payload);
	ex_free(x);
	return build_finish(fed->build);
}

/* Output tokens are open until something else than message_start tells them. */
static void
completion_open(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, SLICE(START DELTA("0", "x")), false);

	ok(fed.build->completion_open && is(s->usage_source, "partial"));
	ok(s->prompt_tokens.v == 9 && !s->completion_tokens.set && !s->total_request_tokens.set);
	ex_fed_free(&fed);
	s = built(&fed, SLICE(START DELTA("0", "x") ENDED), false);
	ok(!fed.build->completion_open && is(s->usage_source, "provider"));
	ok(s->completion_tokens.v == 7 && s->total_request_tokens.v == 16);
	ex_fed_free(&fed);
	s = built(&fed, SLICE(DELTA("0", "x")), false);
	ok(!fed.build->completion_open && s->usage.ptr == NULL && s->usage_source.ptr == NULL);
	ex_fed_free(&fed);
}

static void
row_only(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, SLICE(START DELTA("0", "x") ENDED), true);

	ok(s->full_response.ptr == NULL && s->full_request.ptr == NULL);
	ok(s->prompt_tokens.v == 9 && is(s->finish_reason, "end_turn") && is(s->status, "success"));
	ok(is(s->usage, "{\"input_tokens\":9,\"output_tokens\":7}"));
	ex_fed_free(&fed);
}

/* More blocks than are kept, the last ones first. */
static void
many_blocks(void)
{
	const struct span *s;
	struct ex_fed fed;
	struct buf stream;
	int i;

	buf_init(&stream, EX_ROOM);
	for (i = 1499; i >= 0; i--)
		buf_printf(&stream, "data: {\"type\":\"content_block_start\",\"index\":%d,"
		    "\"content_block\":{\"type\":\"text\",\"text\":\"%d \"}}\n\n", i, i);
	buf_str(&stream, ENDED);
	s = built(&fed, buf_view(&stream), false);
	ok(slice_starts(s->output, SLICE("{\"role\":\"assistant\",\"content\":\"476 477 478 ")));
	ok(slice_ends(s->output, SLICE(" 1498 1499 \"}")));
	ok(memmem(s->warnings.ptr, s->warnings.len, "too_many_choices", 16) != NULL);
	buf_free(&stream);
	ex_fed_free(&fed);
}

/* Input nested deeper than JSON is read is kept as the text that it is. */
static void
deep_input(void)
{
	const struct span *s;
	struct ex_fed fed;
	struct buf stream;
	int i;

	buf_init(&stream, EX_ROOM);
	for (i = 0; i < 1000; i++)
		buf_str(&stream, "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
		    "{\"type\":\"input_json_delta\",\"partial_json\":\"[[\"}}\n\n");
	s = built(&fed, buf_view(&stream), false);
	ok(memmem(s->warnings.ptr, s->warnings.len, "input_not_json", 14) != NULL);
	ok(s->tool_calls.len == strlen("[{\"id\":null,\"type\":\"function\",\"function\":"
	    "{\"name\":null,\"arguments\":\"\"}}]") + 2000);
	buf_free(&stream);
	ex_fed_free(&fed);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Text in as many blocks as are kept, in turn; usage of many members told
 * again and again; a block begun anew each time. */
static double
slow_stream(int rounds)
{
	struct ex_fed fed;
	struct buf stream;
	double start;
	int i;

	buf_init(&stream, EX_ROOM);
	buf_str(&stream, START);
	for (i = 0; i < rounds; i++) {
		buf_printf(&stream, "data: {\"type\":\"content_block_delta\",\"index\":%d,\"delta\":"
		    "{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n", i * 521 % 1024);
		buf_printf(&stream, "data: {\"type\":\"message_delta\",\"usage\":{\"m%d\":{\"a\":1},"
		    "\"output_tokens\":%d}}\n\n", i, i);
		buf_printf(&stream, "data: {\"type\":\"content_block_start\",\"index\":%d,"
		    "\"content_block\":{\"type\":\"tool_use\",\"input\":{\"i\":%d}}}\n\n",
		    1024 + i % 8, i);
	}
	buf_str(&stream, ENDED);
	start = seconds();
	ok(is(built(&fed, buf_view(&stream), false)->finish_reason, "end_turn"));
	start = seconds() - start;
	ok(fed.build->usage.completion.v == 7);
	buf_free(&stream);
	ex_fed_free(&fed);
	return start;
}

static void
linear(void)
{
	double small = slow_stream(4000), large = slow_stream(40000);

	printf("# 12,000 events %.3f s, 120,000 events %.3f s\n", small, large);
	/* a quadratic part would make it a hundred times as long */
	ok(large < 40 * small + 0.2);
}

int
main(void)
{
	completion_open();
	row_only();
	many_blocks();
	deep_input();
	linear();
	return done();
}
