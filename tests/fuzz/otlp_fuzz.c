/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: any bytes as a request of traces, as protobuf (first byte P) or JSON, are
 * refused or give spans; a span that is not refused is one that the create API
 * takes, and what protobuf gives its JSON form gives too.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "span/given.h"
#include "span/otlp.h"
#include "span/otlp.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* All spans of a request, a line each; "-" for one that is refused. False: it is malformed. */
static bool
spans_of(struct slice body, bool protobuf, struct buf *out)
{
	const struct otlp_span *span;
	struct otlp_request r;
	struct given_error e;
	struct jvalue given;
	struct buf one;
	char err[300];
	bool good = otlp_request_init(&r, body, protobuf, err, sizeof(err));

	buf_init(out, 256 * MIB);
	buf_init(&one, 256 * MIB);
	CHECK(good || *err);
	while (good && (span = otlp_request_next(&r)) != NULL) {
		buf_clear(&one);
		if (otlp_given(span, &one, &e)) {
			CHECK(jscan_check(buf_view(&one), &given, NULL) == JSCAN_END);
			CHECK(given_check(given, true, &e));
			buf_slice(out, buf_view(&one));
		} else {
			CHECK(*e.text);
			buf_byte(out, '-');
		}
		buf_byte(out, '\n');
	}
	buf_free(&one);
	otlp_request_free(&r);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf direct, json, through;
	struct slice body;
	bool protobuf;

	if (size < 1)
		return 0;
	protobuf = *data == 'P';
	body = slice_make(data + 1, size - 1);
	if (spans_of(body, protobuf, &direct) && protobuf) {
		buf_init(&json, 256 * MIB);
		proto_json(&otlp__traces_request__descriptor, body, &json);
		CHECK(spans_of(buf_view(&json), false, &through));
		CHECK(slice_eq(buf_view(&direct), buf_view(&through)));
		buf_free(&json);
		buf_free(&through);
	}
	buf_free(&direct);
	return 0;
}
