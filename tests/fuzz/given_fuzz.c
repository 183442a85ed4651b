/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given: any bytes as a span that is given over the API make a span whose JSON
 * is good; a row built of them says what the whole span says; and what comes
 * in two records is what comes in one. The first byte chooses the options.
 */
#include <stdlib.h>

#include "core/jscan.h"
#include "span/build.h"
#include "span/given.h"

#define ROOM (256u * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static const uint8_t id[16] = { 1, 2, 3 };

/* What a row has of a span; texts are not among it. */
static const enum span_field row_fields[] = {
	SPAN_F_id, SPAN_F_log_type, SPAN_F_log_method, SPAN_F_model, SPAN_F_provider_id, SPAN_F_timestamp, SPAN_F_start_time,
	SPAN_F_latency, SPAN_F_time_to_first_token, SPAN_F_tokens_per_second, SPAN_F_status, SPAN_F_status_code,
	SPAN_F_error_message, SPAN_F_customer_identifier, SPAN_F_customer_email, SPAN_F_customer_name, SPAN_F_metadata,
	SPAN_F_thread_identifier, SPAN_F_custom_identifier, SPAN_F_environment, SPAN_F_trace_unique_id, SPAN_F_span_unique_id,
	SPAN_F_span_parent_id, SPAN_F_span_name, SPAN_F_prompt_tokens, SPAN_F_completion_tokens, SPAN_F_total_request_tokens,
	SPAN_F_cost, SPAN_F_cost_source, SPAN_F_billable, SPAN_F_stream, SPAN_F_note, SPAN_F_positive_feedback,
};

static struct build *
built(struct slice json, size_t cut, bool row_only, struct buf payloads[2])
{
	const struct build_options options = { .user_as_customer = true, .row_only = row_only };
	struct build *b = build_new(&options);
	struct record r = { .type = RECORD_PART };

	CHECK(b != NULL);
	memcpy(r.id, id, sizeof(id));
	for (int i = 0; i < 2; i++)
		buf_init(&payloads[i], ROOM);
	if (cut > 0) {
		record_put_u64(&payloads[0], TAG_DIRECTION, DIRECTION_REQUEST);
		record_put_u64(&payloads[0], TAG_OFFSET, 0);
		record_put(&payloads[0], TAG_BYTES, slice_make(json.ptr, cut));
		r.payload = buf_view(&payloads[0]);
		build_feed(b, &r);
	}
	record_put_u64(&payloads[1], TAG_WALL, 1764000000000000);
	record_put(&payloads[1], TAG_LOG_METHOD, SLICE("batch"));
	record_put_u64(&payloads[1], TAG_OFFSET, cut);
	record_put(&payloads[1], TAG_BYTES, slice_from(json, cut));
	r.type = RECORD_SPAN;
	r.payload = buf_view(&payloads[1]);
	build_feed(b, &r);
	return b;
}

static void
printed(struct slice json, size_t cut, struct buf *out)
{
	struct buf payloads[2];
	struct build *b = built(json, cut, false, payloads);
	const struct span *s = build_finish(b);

	CHECK(s->given && s->status.len > 0 && s->id.len == 32 && s->timestamp.set && s->start_time.set && s->status_code.set);
	buf_init(out, ROOM);
	span_json(s, true, out);
	CHECK(!out->failed && memchr(out->ptr, '\n', out->len) == NULL);
	CHECK(jscan_check(buf_view(out), NULL, NULL) == JSCAN_END);
	build_free(b);
	buf_free(&payloads[0]);
	buf_free(&payloads[1]);
}

/* A row's fields beside those of the whole span. */
static void
compare_row(struct slice json)
{
	struct buf whole[2], row[2], x, y;
	struct build *a = built(json, 0, false, whole), *b = built(json, 0, true, row);
	const struct span *s = build_finish(a), *t = build_finish(b);

	buf_init(&x, ROOM);
	buf_init(&y, ROOM);
	for (size_t i = 0; i < sizeof(row_fields) / sizeof(row_fields[0]); i++) {
		span_value_json(s, row_fields[i], &x);
		span_value_json(t, row_fields[i], &y);
		CHECK(slice_eq(buf_view(&x), buf_view(&y)));
	}
	CHECK(slice_eq(s->same_id, t->same_id) && s->uncounted == t->uncounted);
	buf_free(&x);
	buf_free(&y);
	build_free(a);
	build_free(b);
	for (int i = 0; i < 2; i++) {
		buf_free(&whole[i]);
		buf_free(&row[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json;
	struct given_error e;
	struct buf one, other;
	struct jvalue v;

	if (size < 2)
		return 0;
	json = slice_make(data + 1, size - 1);
	printed(json, 0, &one);
	printed(json, 1 + data[0] * 7919u % json.len - (json.len == 1), &other);
	CHECK(slice_eq(buf_view(&one), buf_view(&other)));
	buf_free(&one);
	buf_free(&other);
	compare_row(json);
	if (jscan_check(json, &v, NULL) == JSCAN_END && !given_check(v, data[0] & 1, &e))
		CHECK(*e.text && strlen(e.member) < sizeof(e.member));
	return 0;
}
