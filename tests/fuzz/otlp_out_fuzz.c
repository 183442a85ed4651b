/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out: any bytes as a span that is given go out as OTLP that its own reader
 * takes, the same as JSON and as protobuf; and any JSON as a request of traces is
 * refused or becomes good protobuf. The first byte chooses the options.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "span/build.h"
#include "span/given.h"
#include "span/otlp.h"
#include "span/otlp.pb-c.h"
#include "span/otlp_out.h"
#include "span/proto_write.h"

#define ROOM (256u * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
digest(struct slice bytes, uint8_t out[32])
{
	uint32_t h = 1;

	for (size_t i = 0; i < bytes.len; i++)
		h = h * 16777619u ^ (uint8_t)bytes.ptr[i];
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)((h = h * 1664525u + 1013904223u) >> 24 | 1);
}

/* The only span of a request, as it is given. */
static void
read_back(struct slice body, bool protobuf, struct buf *out)
{
	const struct otlp_span *span;
	struct otlp_request r;
	struct given_error e;
	struct jvalue given;
	char err[300];

	buf_init(out, ROOM);
	CHECK(otlp_request_init(&r, body, protobuf, err, sizeof(err)));
	span = otlp_request_next(&r);
	CHECK(span != NULL && otlp_given(span, out, &e));
	CHECK(jscan_check(buf_view(out), &given, NULL) == JSCAN_END && given_check(given, true, &e));
	CHECK(otlp_request_next(&r) == NULL);
	otlp_request_free(&r);
}

static void
request_write(const struct span *s, uint8_t choice, struct buf *out)
{
	const struct otlp_out_options options = { .next = choice & 1, .service = SLICE("x"), .version = SLICE("1"),
	    .digest = digest };

	buf_str(out, "{\"resourceSpans\":[");
	otlp_out_open(&options, s->environment, out);
	otlp_out_span(s, &options, choice & 2, SLICE("{\"q\":{\"evaluator_name\":\"quality\",\"score_value\":0.5,"
	    "\"string_value\":\"good\"},\"ok\":{\"score_value\":1,\"string_value\":null},\"odd\":7}"), out);
	otlp_out_close(&options, out);
	buf_str(out, "]}");
}

/* A span of the bytes, out and in again. */
static void
through(struct slice json, uint8_t choice)
{
	const struct build_options none = { .user_as_customer = true };
	struct build *b = build_new(&none);
	struct record r = { .type = RECORD_SPAN, .id = { 1, 2, 3 } };
	struct buf payload, text, proto, one, other;
	struct jvalue v;

	CHECK(b != NULL);
	buf_init(&payload, ROOM);
	record_put_u64(&payload, TAG_WALL, 1764000000000000);
	record_put(&payload, TAG_BYTES, json);
	r.payload = buf_view(&payload);
	build_feed(b, &r);
	buf_init(&text, ROOM);
	buf_init(&proto, ROOM);
	request_write(build_finish(b), choice, &text);
	CHECK(!text.failed && jscan_check(buf_view(&text), &v, NULL) == JSCAN_END);
	CHECK(proto_write(&otlp__traces_request__descriptor, v, &proto));
	read_back(buf_view(&text), false, &one);
	read_back(buf_view(&proto), true, &other);
	CHECK(slice_eq(buf_view(&one), buf_view(&other)));
	build_free(b);
	buf_free(&payload);
	buf_free(&text);
	buf_free(&proto);
	buf_free(&one);
	buf_free(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json;
	struct jvalue v;
	struct buf out;

	if (size < 2)
		return 0;
	json = slice_make(data + 1, size - 1);
	through(json, data[0]);
	buf_init(&out, ROOM);
	if (jscan_check(json, &v, NULL) == JSCAN_END && proto_write(&otlp__traces_request__descriptor, v, &out))
		CHECK(proto_check(&otlp__traces_request__descriptor, buf_view(&out), NULL) == PROTO_OK);
	buf_free(&out);
	return 0;
}
