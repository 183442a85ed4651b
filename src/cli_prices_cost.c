/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_prices_cost: `spangate prices cost`: usage in, bills out, a line each. A
 * line that cannot be read gives a line with `error`, so that they stay side by
 * side.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli_prices.h"
#include "core/decimal.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "span/arena.h"
#include "span/bill.h"
#include "store/value.h"

/* One line's members. */
struct asked {
	struct jvalue	id, usage;
	struct use	use;
	enum usage_output output;
};

static struct slice
text_of(struct arena *arena, struct jvalue v)
{
	struct buf text;

	if (v.kind != JSTRING)
		return SLICE_NONE;
	buf_init(&text, MIB);
	jstring(v, &text);
	return arena_take(arena, &text);
}

static enum usage_output
output_of(struct slice log_type)
{
	if (slice_caseeq(log_type, SLICE("speech")))
		return OUTPUT_AUDIO;
	return slice_caseeq(log_type, SLICE("image")) ? OUTPUT_IMAGE : OUTPUT_TEXT;
}

/* NULL, or what is wrong with the line. */
static const char *
line_read(struct slice line, struct arena *arena, struct asked *a)
{
	struct jvalue v, at;

	a->id = (struct jvalue){ .kind = JNONE };
	if (jscan_check(line, &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		return "not a JSON object";
	a->id = jget(v, SLICE("id"));
	a->usage = jget(v, SLICE("usage"));
	a->use = (struct use){ .query = {
		.model = text_of(arena, jget(v, SLICE("model"))),
		.provider = text_of(arena, jget(v, SLICE("provider"))),
		.at = (int64_t)clock_wall_us(),
	} };
	a->use.service_tier = text_of(arena, jget(v, SLICE("service_tier")));
	if (a->use.service_tier.ptr == NULL)
		a->use.service_tier = text_of(arena, jget(a->usage, SLICE("service_tier")));
	a->use.image_size = text_of(arena, jget(v, SLICE("image_size")));
	a->output = output_of(text_of(arena, jget(v, SLICE("log_type"))));
	if (a->use.query.model.len == 0)
		return "model is missing or no text";
	if (a->usage.kind != JOBJECT)
		return "usage is missing or no object";
	at = jget(v, SLICE("at"));
	if (at.kind != JNONE && at.kind != JNULL &&
	    !(at.kind == JNUMBER ? value_decimal(at.text, 6, &a->use.query.at) :
	    value_time(text_of(arena, at), &a->use.query.at)))
		return "at is neither a time nor seconds since 1970";
	return NULL;
}

static void
warnings_print(const struct bill *bill, struct buf *out)
{
	struct warnings w = { .nforeign = 0 };
	size_t before = out->len;

	for (int i = 0; i < WARN_COUNT; i++)
		if (bill->warned[i])
			warn_add(&w, (enum warning)i, SLICE_NONE);
	if (!warn_json(&w, out) && out->len == before)
		buf_str(out, "null");
}

static void
bill_line_print(const struct prices *prices, struct asked *a, struct buf *out)
{
	struct usage usage;
	struct bill bill;
	struct span_int cost;
	struct slice source;

	(void)usage_read(&usage, a->usage);
	use_read(&a->use, &usage, a->output);
	use_says(&a->use, a->usage);
	bill_make(prices, &a->use, &bill);
	cost = (struct span_int){ bill.known, bill.pico };
	source = bill_source(prices, &bill);
	buf_str(out, "\"cost\":");
	if (cost.set)
		decimal_print(cost.v, 12, out);
	else
		buf_str(out, "null");
	buf_str(out, ",\"cost_source\":");
	buf_json_string(out, source);
	if (usage.provider_cost.set) {
		buf_str(out, ",\"provider_cost\":");
		decimal_print(usage.provider_cost.v, 12, out);
	}
	buf_str(out, ",\"cost_details\":");
	bill_print(&bill, &a->use, source, cost, out);
	buf_str(out, ",\"warnings\":");
	warnings_print(&bill, out);
}

/* False: the line could not be read. */
static bool
line_price(const struct prices *prices, struct slice line, size_t number, struct buf *out)
{
	struct arena arena = { .blocks = NULL };
	struct asked a;
	const char *wrong = line_read(line, &arena, &a);

	buf_str(out, "{\"id\":");
	buf_slice(out, a.id.kind != JNONE ? a.id.text : SLICE("null"));
	buf_byte(out, ',');
	if (wrong != NULL) {
		buf_printf(out, "\"error\":\"line %zu: %s\"", number, wrong);
		fprintf(stderr, "spangate: line %zu: %s\n", number, wrong);
	} else
		bill_line_print(prices, &a, out);
	buf_str(out, "}\n");
	arena_free(&arena);
	return wrong == NULL;
}

int
prices_cost(const struct prices *prices)
{
	char *line = NULL;
	size_t room = 0, number = 0;
	bool good = true;
	ssize_t n;
	struct buf out;

	buf_init(&out, LIMIT_ROW_JSON);
	while ((n = getline(&line, &room, stdin)) > 0) {
		struct slice text = slice_make(line, (size_t)n);

		number++;
		while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL)
			text.len--;
		if (text.len == 0)
			continue;
		buf_clear(&out);
		good &= line_price(prices, text, number, &out);
		if (out.failed || fwrite(out.ptr, 1, out.len, stdout) != out.len)
			break;
	}
	free(line);
	buf_free(&out);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail("standard output cannot be written");
	return good ? CLI_GOOD : CLI_BAD;
}
