/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown.c: prints a built span as request_breakdown. Called by the gate's
 * jobs. Unknown is null; `scores` and `category` are of what nothing measures
 * before the answer has gone.
 */
#include "span/breakdown.h"

#include "span/inner.h"

/* The span's fields, in Respan's order with the fixed ones between them. */
static const struct {
	const char	*fixed;		/* a whole member in place of a field */
	enum span_field	 field;
	const char	*null;		/* what stands where it is not known */
} members[] = {
	{ NULL, SPAN_F_prompt_tokens, "null" },
	{ NULL, SPAN_F_completion_tokens, "null" },
	{ NULL, SPAN_F_cost, "null" },
	{ NULL, SPAN_F_prompt_messages, "null" },
	{ NULL, SPAN_F_completion_message, "null" },
	{ NULL, SPAN_F_model, "null" },
	{ "\"cached\":false", SPAN_FIELDS, NULL },
	{ NULL, SPAN_F_timestamp, "null" },
	{ NULL, SPAN_F_status_code, "null" },
	{ NULL, SPAN_F_stream, "false" },
	{ NULL, SPAN_F_latency, "null" },
	{ "\"scores\":{},\"category\":null", SPAN_FIELDS, NULL },
	{ NULL, SPAN_F_metadata, "{}" },
	{ NULL, SPAN_F_routing_time, "null" },
	{ NULL, SPAN_F_full_request, "null" },
	{ "\"sentiment_score\":0", SPAN_FIELDS, NULL },
};

static void
object_print(const struct span *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
		buf_byte(out, i ? ',' : '{');
		if (members[i].fixed != NULL) {
			buf_str(out, members[i].fixed);
			continue;
		}
		buf_printf(out, "\"%s\":", span_fields[members[i].field].name);
		if (span_is_null(s, members[i].field))
			buf_str(out, members[i].null);
		else
			span_value_json(s, members[i].field, out);
	}
	buf_byte(out, '}');
}

static void
event_print(const struct span *s, struct buf *out)
{
	buf_str(out, "data: {\"id\":\"request_breakdown\",\"choices\":[{\"delta\":{\"content\":null,"
	    "\"role\":\"assistant\"},\"finish_reason\":\"stop\",\"request_breakdown\":");
	object_print(s, out);
	buf_str(out, ",\"index\":0,\"message\":{\"content\":null,\"role\":\"assistant\"}}],\"created\":");
	buf_u64(out, s->timestamp.set && s->timestamp.v > 0 ? (uint64_t)s->timestamp.v / 1000000 : 0);
	buf_str(out, ",\"model\":\"extra_parameter\",\"object\":\"chat.completion.chunk\","
	    "\"system_fingerprint\":null,\"usage\":{}}\n\n");
}

static void
records_feed(struct build *b, struct slice records)
{
	struct record r;
	size_t used;

	while (record_read(&r, records.ptr, records.len, &used) == RECORD_OK) {
		build_feed(b, &r);
		records = slice_from(records, used);
	}
}

enum breakdown_result
breakdown_make(struct slice records, const struct build_options *options, bool events,
    struct buf *out)
{
	struct build *b = build_new(options);
	const struct span *s;
	enum breakdown_result r = BREAKDOWN_MADE;

	if (b == NULL)
		return BREAKDOWN_FAILED;
	records_feed(b, records);
	s = build_finish(b);
	if (events)
		event_print(s, out);
	else if (b->answer.json.kind != JOBJECT)
		r = BREAKDOWN_NOT_JSON;
	else {
		buf_str(out, jempty(b->answer.json) ? "" : ",");
		buf_str(out, "\"request_breakdown\":");
		object_print(s, out);
	}
	if (out->failed || b->arena.failed)
		r = BREAKDOWN_FAILED;
	build_free(b);
	return r;
}
