/* SPDX-License-Identifier: Apache-2.0 */
/* The table of fields and the printing of values. */
#include <math.h>

#include "span/span.h"
#include "tap.h"

static bool
prints(const struct span *s, enum span_field f, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 4096);
	span_value_json(s, f, &out);
	same = slice_eq(buf_view(&out), slice_str(want));
	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	buf_free(&out);
	return same;
}

static void
values(void)
{
	struct span s = { .latency = { true, 137000 } };

	ok(prints(&s, SPAN_F_latency, "0.137"));
	s.latency.v = 60000000;
	ok(prints(&s, SPAN_F_latency, "60"));
	s.latency.v = 1;
	ok(prints(&s, SPAN_F_latency, "0.000001"));
	s.latency.v = -1500000;
	ok(prints(&s, SPAN_F_latency, "-1.5"));
	ok(prints(&s, SPAN_F_cost, "null"));
	s.cost = (struct span_int){ true, 2500000 };
	ok(prints(&s, SPAN_F_cost, "0.0000025"));
	s.cost.v = INT64_MAX;
	ok(prints(&s, SPAN_F_cost, "9223372.036854775807"));
	s.cost.v = INT64_MIN;
	ok(prints(&s, SPAN_F_cost, "-9223372.036854775808"));
	s.prompt_tokens = (struct span_int){ true, 0 };
	ok(prints(&s, SPAN_F_prompt_tokens, "0"));
	s.tokens_per_second = (struct span_num){ true, 0.1 };
	ok(prints(&s, SPAN_F_tokens_per_second, "0.1"));
	s.tokens_per_second.v = 1.0 / 3;
	ok(prints(&s, SPAN_F_tokens_per_second, "0.3333333333333333"));
	s.tokens_per_second.v = (double)INFINITY;
	ok(prints(&s, SPAN_F_tokens_per_second, "null"));
	s.stream = (struct span_bool){ true, false };
	ok(prints(&s, SPAN_F_stream, "false"));
	s.note = SLICE("a\"\n\xff");
	ok(prints(&s, SPAN_F_note, "\"a\\\"\\n\xef\xbf\xbd\""));
	s.input = SLICE("{\n  \"a\": [1,\r\n\t2]\n}");
	ok(prints(&s, SPAN_F_input, "{\"a\": [1,2]}"));
}

static bool
time_prints(int64_t us, const char *want)
{
	struct span s = { .timestamp = { true, us } };

	return prints(&s, SPAN_F_timestamp, want);
}

static void
times(void)
{
	ok(time_prints(0, "\"1970-01-01T00:00:00.000000Z\""));
	ok(time_prints(-1, "\"1969-12-31T23:59:59.999999Z\""));
	ok(time_prints(INT64_C(1763665501123456), "\"2025-11-20T19:05:01.123456Z\""));
	ok(time_prints(INT64_C(951782400000000), "\"2000-02-29T00:00:00.000000Z\""));
	ok(time_prints(INT64_C(4107542399999999), "\"2100-02-28T23:59:59.999999Z\""));
	ok(time_prints(INT64_C(4107542400000000), "\"2100-03-01T00:00:00.000000Z\""));
	ok(time_prints(INT64_MAX, "\"9999-12-31T23:59:59.999999Z\""));
	ok(time_prints(INT64_MIN, "\"0001-01-01T00:00:00.000000Z\""));
}

static void
whole(void)
{
	struct span s = { .model = SLICE("m"), .stream = { true, true } };
	struct buf out;

	buf_init(&out, 65536);
	span_json(&s, false, &out);
	ok(slice_eq(buf_view(&out), SLICE("{\"model\":\"m\",\"stream\":true}")));
	buf_clear(&out);
	span_json(&s, true, &out);
	buf_byte(&out, '\0');
	ok(strstr(out.ptr, "\"error_message\":\"\"") != NULL);
	ok(strstr(out.ptr, "\"cost\":null") != NULL);
	buf_clear(&out);
	span_json(&(struct span){ .model = SLICE_NONE }, false, &out);
	ok(slice_eq(buf_view(&out), SLICE("{}")));
	buf_free(&out);
}

static void
names(void)
{
	int i;

	for (i = 0; i < SPAN_FIELDS; i++)
		if (span_field_by_name(slice_str(span_fields[i].name)) != i)
			break;
	ok(i == SPAN_FIELDS);
	ok(span_field_by_name(SLICE("no_such")) == -1);
	ok(span_field_by_name(SLICE_NONE) == -1);
}

int
main(void)
{
	values();
	times();
	whole();
	names();
	return done();
}
