/* SPDX-License-Identifier: Apache-2.0 */
/* print: see print.h. Called by the handlers of traces and metrics. */
#include "api/print.h"

#include "span/span.h"

void
print_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, "\"%s\":", name);
	if (text.ptr)
		buf_json_string(out, text);
	else
		buf_str(out, "null");
	buf_str(out, ",");
}

void
print_string(struct buf *out, const char *name, struct slice json)
{
	buf_printf(out, "\"%s\":", name);
	if (json.len > 0 && *json.ptr == '"')
		buf_slice(out, json);
	else
		buf_json_string(out, json.ptr ? json : SLICE(""));
	buf_str(out, ",");
}

void
print_int(struct buf *out, const char *name, int64_t v)
{
	buf_printf(out, "\"%s\":%lld,", name, (long long)v);
}

void
print_cost(struct buf *out, const char *name, int64_t pico)
{
	buf_printf(out, "\"%s\":", name);
	span_cost_text(pico, out);
	buf_str(out, ",");
}

void
print_time(struct buf *out, const char *name, int64_t us)
{
	buf_printf(out, "\"%s\":\"", name);
	span_time_text(us, out);
	buf_str(out, "\",");
}

void
print_seconds(struct buf *out, const char *name, int64_t us)
{
	struct span span = { .latency = { true, us } };

	buf_printf(out, "\"%s\":", name);
	span_value_json(&span, SPAN_F_latency, out);
	buf_str(out, ",");
}

void
print_mean(struct buf *out, const char *name, int64_t sum, int64_t n)
{
	buf_printf(out, "\"%s\":", name);
	span_number_text(n > 0 ? (double)sum / (double)n : 0, out);
	buf_str(out, ",");
}
