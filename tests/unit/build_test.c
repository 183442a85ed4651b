/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder beside its golden spans: what went upstream, compressed
 * requests, records out of place, the raw span, rows only, other families, what
 * an answer says it cost, and that building costs grow with the length and no
 * faster.
 */
#include <time.h>

#include "core/edit.h"
#include "exchange.h"
#include "span/prices.h"
#include "tap.h"

static const struct build_options options = { .user_as_customer = true };

#define BEGIN "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY chat\n\tTARGET /v1/chat/completions?x=1\n" \
	"\tBYTES {\"model\":\"m\",\"stream\":true,\"messages\":[]}\n"
#define SEND "send\n\tATTEMPT 1\n\tT 20\n"
#define HEAD "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: text/event-stream\n"
#define CHUNK(text) "\tBYTES data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\\n\\n\n"
#define PART "part\n\tATTEMPT 1\n\tT 40\n"
#define DONE "\tBYTES data: [DONE]\\n\\n\n"
#define END "end\n\tT 50\n\tT_LAST 50\n\tREASON 0\n"

static const struct span *
built(struct ex_fed *fed, const char *text, const struct build_options *o)
{
	struct exchange *x = ex_parse(text);

	ex_feed(fed, x, o, EX_AS_IS);
	ex_free(x);
	return build_finish(fed->build);
}

static bool
is(struct slice got, const char *want)
{
	if (slice_eq(got, slice_str(want)) && (got.ptr == NULL) == (want == NULL))
		return true;
	printf("# got %.*s\n", (int)got.len, got.ptr ? got.ptr : "");
	return false;
}

static bool
warned(const struct span *s, const char *code)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":", code);
	return s->warnings.len > 0 && memmem(s->warnings.ptr, s->warnings.len, key, strlen(key));
}

/* full_request is the body with the edits of the last attempt. */
static void
sent_body(void)
{
	struct edit cut = { 12, 16, SLICE(",\"s\":1") };
	struct edits edits = { &cut, 1 };
	struct ex_fed fed = { .build = build_new(&options) };
	struct buf payload, bytes;
	const struct span *s;

	buf_init(&payload, MIB);
	buf_init(&bytes, MIB);
	record_put(&payload, TAG_FAMILY, SLICE("chat"));
	record_put_u64(&payload, TAG_BODY_LENGTH, 28);
	record_put(&payload, TAG_BYTES, SLICE("{\"model\":\"m\",\"metadata\":{}  }"));
	ex_give(&fed, RECORD_BEGIN, &payload);
	edits_encode(&edits, SLICE_NONE, &bytes);
	record_put_u64(&payload, TAG_ATTEMPT, 1);
	record_put(&payload, TAG_EDITS, buf_view(&bytes));
	ex_give(&fed, RECORD_SEND, &payload);
	s = build_finish(fed.build);
	ok(is(s->full_request, "{\"model\":\"m\",\"s\":1}"));
	ok(is(s->metadata, "{}"));
	ok(build_finish(fed.build) == s);
	buf_free(&bytes);
	ex_fed_free(&fed);
}

static void
compressed_request(void)
{
	struct ex_fed fed = { .build = build_new(&options) };
	struct buf payload, coded;
	z_stream z = { .next_in = NULL };
	const struct span *s;

	buf_init(&payload, MIB);
	buf_init(&coded, MIB);
	assert(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	ex_gzip(&z, SLICE("{\"model\":\"packed\",\"messages\":[1]}"), true, &coded);
	deflateEnd(&z);
	record_put(&payload, TAG_FAMILY, SLICE("chat"));
	record_put(&payload, TAG_HEADERS, SLICE("content-encoding: gzip\r\n"));
	record_put_u64(&payload, TAG_BODY_LENGTH, coded.len);
	record_put(&payload, TAG_BYTES, buf_view(&coded));
	ex_give(&fed, RECORD_BEGIN, &payload);
	s = build_finish(fed.build);
	ok(is(s->model, "packed") && is(s->input, "[1]"));
	buf_free(&coded);
	ex_fed_free(&fed);
}

/* Whatever comes, a span comes out. */
static void
odd_records(void)
{
	struct record r = { .type = (enum record_type)77, .payload = SLICE("\xff\xff\xff\xff") };
	struct build *b = build_new(&options);
	const struct span *s;
	struct ex_fed fed;
	int type;

	s = build_finish(b);
	ok(is(s->status, "error") && s->status_code.v == 502 && is(s->end_reason, "interrupted"));
	build_free(b);
	b = build_new(&options);
	for (type = 0; type < 12; type++) {
		r.type = (enum record_type)type;
		build_feed(b, &r);
		build_feed(b, &r);
	}
	s = build_finish(b);
	ok(warned(s, "records_odd") && is(s->log_type, "other"));
	build_free(b);
	s = built(&fed, BEGIN BEGIN SEND SEND HEAD HEAD PART CHUNK("a") DONE END END, &options);
	ok(warned(s, "records_odd") && is(s->output, "{\"role\":\"assistant\",\"content\":\"a\"}"));
	ex_fed_free(&fed);
}

static void
overlapping_parts(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, BEGIN SEND HEAD PART "\tOFFSET 0\n" CHUNK("a")
	    PART "\tOFFSET 3\n" CHUNK("b") END, &options);

	ok(warned(s, "records_odd") && is(s->output, "{\"role\":\"assistant\",\"content\":\"a\"}"));
	ex_fed_free(&fed);
}

static void
raw(void)
{
	struct exchange *x = ex_parse(BEGIN SEND HEAD PART CHUNK("a") DONE END);
	struct ex_fed fed;
	const struct span *s;

	ex_feed(&fed, x, &options, EX_AS_IS);
	s = build_finish_raw(fed.build);
	ok(warned(s, "build_failed") && is(s->status, "success") && s->status_code.v == 200);
	ok(s->output.ptr == NULL && s->model.ptr == NULL && is(s->log_type, "chat"));
	ok(s->latency.v == 40 && s->timestamp.v == 1000050);
	ok(is(s->id, "00112233445566778899aabbccddeeff"));
	ex_fed_free(&fed);
	ex_free(x);
}

static void
row_only(void)
{
	static const struct build_options row = { .row_only = true };
	struct ex_fed fed;
	const struct span *s = built(&fed, BEGIN SEND HEAD PART CHUNK("a") DONE END, &row);

	ok(s->full_request.ptr == NULL && s->full_response.ptr == NULL);
	ok(is(s->output, "{\"role\":\"assistant\",\"content\":\"a\"}") && is(s->model, "m"));
	ok(is(s->request_url_path, "/v1/chat/completions"));
	ex_fed_free(&fed);
}

#define OTHER(family, target, request) "begin\n\tWALL 1\n\tT_READ 10\n\tFAMILY " family "\n\tTARGET " target \
	"\n\tHEADERS content-type: application/json\n\tBYTES " request "\n" SEND

static void
other_plain(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, OTHER("rerank", "/v1/rerank",
	    "{\"model\":\"e\",\"input\":\"x\"}")
	    "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: application/json\n" PART
	    "\tBYTES {\"object\":\"list\",\"data\":[],\"model\":\"e-1\","
	    "\"usage\":{\"prompt_tokens\":2,\"total_tokens\":2}}\n"
	    END, &options);

	ok(is(s->log_type, "reranker") && is(s->model, "e-1") && s->prompt_tokens.v == 2);
	ok(is(s->input, "{\"model\":\"e\",\"input\":\"x\"}") && s->output.len > 0);
	ok(is(s->status, "success") && !s->completion_tokens.set);
	ex_fed_free(&fed);
}

static void
other_stream(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, OTHER("other", "/v1/unknown", "{\"model\":\"c\"}") HEAD PART
	    "\tBYTES event: message_start\\ndata: {\"type\":\"message_start\",\"message\":"
	    "{\"id\":\"msg\",\"model\":\"c-1\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\\n\\n\n"
	    "part\n\tATTEMPT 1\n\tT 45\n"
	    "\tBYTES event: content_block_delta\\ndata: {\"type\":\"content_block_delta\","
	    "\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\\n\\n\n"
	    "\tBYTES event: message_delta\\ndata: {\"type\":\"message_delta\","
	    "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\\n\\n\n"
	    END, &options);

	ok(is(s->log_type, "other") && is(s->model, "c-1") && is(s->response_id, "msg"));
	ok(s->prompt_tokens.v == 9 && s->completion_tokens.v == 7 && s->total_request_tokens.v == 16);
	ok(s->time_to_first_token.set && s->time_to_first_token.v == 35);
	ok(s->output.len > 0 && *s->output.ptr == '[');
	ex_fed_free(&fed);
}

static void
binary(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, OTHER("other", "/v1/files/f/content", "{}")
	    "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: image/png\n" PART
	    "\tBYTES \\xff\\xfb\\x90\n" END, &options);

	ok(is(s->status, "success") && s->full_response.ptr == NULL && s->warnings.ptr == NULL);
	ok(is(s->output, "{\"content_type\":\"image/png\",\"bytes\":3}"));
	ok(slice_eq(build_facts(fed.build, DIRECTION_ANSWER), s->output));
	ex_fed_free(&fed);
}

#define TOLD "{\"bytes\":3,\"usage\":{\"output_tokens\":90}}"

/* Of sound told by older facts, without times, no speed is made up; that it came
 * as events its type tells. */
static void
told_sound(const char *type, const char *facts, const char *output)
{
	struct ex_fed fed;
	char text[512];
	struct exchange *x;
	struct buf payload;
	const struct span *s;

	snprintf(text, sizeof(text), OTHER("speech", "/v1/audio/speech", "{}")
	    "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: %s\n", type);
	x = ex_parse(text);
	ex_feed(&fed, x, &options, EX_AS_IS);
	ex_free(x);
	buf_init(&payload, MIB);
	record_put_u64(&payload, TAG_WHOLE, 1);
	record_put(&payload, TAG_FACTS, slice_str(facts));
	ex_give(&fed, RECORD_FACTS, &payload);
	record_put_u64(&payload, TAG_REASON, 0);
	record_put_u64(&payload, TAG_T_LAST, 5000);
	ex_give(&fed, RECORD_END, &payload);
	s = build_finish(fed.build);
	ok(s->latency.v == 4990 && !s->tokens_per_second.set && is(s->output, output));
	ok(s->completion_tokens.v == (output ? 90 : 0) && s->stream.v == (strncmp(type, "text/", 5) == 0));
	ok(is(s->status, "success") && s->warnings.ptr == NULL && s->inter_token.ptr == NULL);
	ex_fed_free(&fed);
}

/* A text that a provider names by another coding, and one that is damaged. */
static void
codings(void)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, BEGIN SEND HEAD "\tHEADERS content-encoding: dcb\n" PART
	    "\tBYTES xyz\n" END, &options);

	ok(warned(s, "coding_unknown") && s->output.ptr == NULL);
	ex_fed_free(&fed);
	s = built(&fed, BEGIN SEND HEAD "\tHEADERS content-encoding: gzip\n" PART "\tBYTES xyz\n" END, &options);
	ok(warned(s, "coding_broken") && s->output.ptr == NULL);
	ex_fed_free(&fed);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
long_stream(size_t events, double *took)
{
	static const char event[] = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
	    "\"created\":1763665502,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
	    "{\"content\":\"token\"},\"finish_reason\":null}],\"usage\":null}\n\n";
	struct exchange *x = ex_parse(BEGIN SEND HEAD);
	struct ex_fed fed;
	struct buf payload;
	const struct span *s;
	double start;
	size_t i;
	bool good;

	ex_feed(&fed, x, &options, EX_AS_IS);
	buf_init(&payload, MIB);
	for (i = 0; i < events; i++) {
		record_put_u64(&payload, TAG_ATTEMPT, 1);
		record_put_u64(&payload, TAG_T, 100 + i);
		record_put_u64(&payload, TAG_OFFSET, i * (sizeof(event) - 1));
		record_put(&payload, TAG_BYTES, slice_make(event, sizeof(event) - 1));
		ex_give(&fed, RECORD_PART, &payload);
	}
	start = seconds();
	s = build_finish(fed.build);
	*took = seconds() - start;
	good = s->output.len == strlen("{\"role\":\"assistant\",\"content\":\"\"}") + events * 5;
	ex_fed_free(&fed);
	ex_free(x);
	return good;
}

static void
linear(void)
{
	double small, large;

	ok(long_stream(10000, &small));
	ok(long_stream(100000, &large));
	printf("# 10,000 events %.3f s, 100,000 events %.3f s\n", small, large);
	/* a quadratic part would make it a hundred times as long */
	ok(large < 40 * small + 0.2);
}

/* What a picture cost, told where no token is. */
static void
stated_cost(void)
{
	static const struct prices none = { .n = 0 };
	struct build_options priced = options;
	struct ex_fed fed;
	const struct span *s;

	priced.prices = &none;
	s = built(&fed, "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY image\n\tMETHOD POST\n"
	    "\tTARGET /v1/images/generations\n\tBYTES {\"model\":\"m\",\"prompt\":\"p\"}\n" SEND
	    "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: application/json\n" PART
	    "\tBYTES {\"data\":[{\"url\":\"u\"}],\"usage\":{\"cost_in_usd_ticks\":700000000}}\n" END, &priced);
	ok(s->cost.set && s->cost.v == 70000000000 && is(s->cost_source, "provider"));
	ok(!s->prompt_tokens.set && !s->completion_tokens.set && s->usage_source.ptr == NULL);
	ex_fed_free(&fed);
}

int
main(void)
{
	stated_cost();
	sent_body();
	compressed_request();
	odd_records();
	overlapping_parts();
	raw();
	row_only();
	other_plain();
	other_stream();
	binary();
	told_sound("audio/mpeg", TOLD, TOLD);
	told_sound("text/event-stream", TOLD, TOLD);
	told_sound("audio/mpeg", "no JSON", NULL);
	codings();
	linear();
	return done();
}
