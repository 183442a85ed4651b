/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is billed by the call: by how much of the web an answer had
 * ("request:high"), and a provider's own tools.
 */
#include "core/limits.h"
#include "span/bill.h"
#include "tap.h"

#define FILE_OF(calls) "{\"format\":1,\"name\":\"t\",\"prices\":[{\"provider\":\"perplexity\",\"match\":[\"m\"]," \
	"\"per_million_tokens\":{\"input\":1,\"output\":1},\"per_thousand_calls\":{" calls "}}]}"
#define FEES "\"request\": 5, \"request:medium\": 8, \"request:high\": 12"

static struct price_table *
table_of(const char *text)
{
	struct price_error err;

	return price_table_read(slice_str(text), SLICE("file"), &err);
}

/* In 10^-12 USD; -1: unknown. */
static int64_t
cost_of(const struct price_table *table, const char *provider, const char *model, const char *usage)
{
	struct prices prices = { .tables = { table }, .n = 1 };
	struct use use = { .query = { .provider = slice_str(provider), .model = slice_str(model),
	    .at = INT64_C(1795000000000000) } };
	struct usage u;
	struct jvalue v;
	struct bill bill;

	ok(jscan_check(slice_str(usage), &v, NULL) == JSCAN_END && usage_read(&u, v));
	use_read(&use, &u, OUTPUT_TEXT);
	use_says(&use, v);
	bill_make(&prices, &use, &bill);
	return bill.known ? bill.pico : -1;
}

/* The bill of one prompt token, less that token. */
static int64_t
fee_of(const struct price_table *table, const char *usage)
{
	return cost_of(table, "perplexity", "m", usage) - 1000000;
}

#define USAGE(more) "{\"prompt_tokens\":1,\"completion_tokens\":0" more "}"
#define SIZE(size) USAGE(",\"search_context_size\":\"" size "\"")

static void
by_size(void)
{
	struct price_table *t = table_of(FILE_OF(FEES)), *sized = table_of(FILE_OF("\"request:high\": 12"));

	ok(t != NULL && sized != NULL);
	ok(fee_of(t, USAGE("")) == 5000000000);
	ok(fee_of(t, SIZE("low")) == 5000000000);
	ok(fee_of(t, SIZE("medium")) == 8000000000);
	ok(fee_of(t, SIZE("High")) == 12000000000);
	ok(fee_of(t, SIZE("request:high")) == 5000000000);
	ok(fee_of(t, USAGE(",\"search_context_size\":7")) == 5000000000);
	ok(fee_of(t, USAGE(",\"other\":\"high\"")) == 5000000000);
	ok(fee_of(sized, SIZE("high")) == 12000000000);
	price_table_free(t);
	price_table_free(sized);
}

/* As `prices show` writes it, it can be read again. */
static void
printed(void)
{
	struct slice want = SLICE("\"per_thousand_calls\": {" FEES "}");
	struct price_table *t = table_of(FILE_OF(FEES));
	struct buf out;

	buf_init(&out, MIB);
	price_print(price_table_at(t, 0), &out);
	ok(memmem(out.ptr, out.len, want.ptr, want.len) != NULL);
	buf_free(&out);
	price_table_free(t);
}

static void
mistakes(void)
{
	static const char *const wrong[] = {
		FILE_OF("\"request:\": 5"), FILE_OF("\":high\": 5"), FILE_OF("\"requests:high\": 5"),
		FILE_OF("\"request:high\": 5, \"request:HIGH\": 6"), FILE_OF("\"input:high\": 5"),
		FILE_OF("\"request:high\": -1"),
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(table_of(wrong[i]) == NULL);
}

/* Usage of xAI's with what it says that it cost. */
static void
own_tools(void)
{
	static const struct { const char *usage; int64_t ticks; } said[] = {
#define SAID(in, cached, out, calls, ticks) { "{\"input_tokens\":" #in ",\"input_tokens_details\":{\"cached_tokens\":" \
	#cached "},\"output_tokens\":" #out ",\"server_side_tool_usage_details\":{\"web_search_calls\":0," \
	"\"x_search_calls\":" #calls ",\"code_interpreter_calls\":0,\"file_search_calls\":0}}", ticks }
		SAID(37423, 192, 1107, 0, 493446500),
		SAID(9212, 3072, 3417, 3, 318319000),
		SAID(27353, 13376, 2560, 10, 765464500),
		SAID(19039, 9984, 5118, 7, 611105500),
	};
	struct price_error err;
	struct price_table *t = price_table_read(prices_builtin(), SLICE("spangate"), &err);

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		ok(cost_of(t, "xai", "grok-4.3", said[i].usage) == said[i].ticks * 100);
	price_table_free(t);
}

int
main(void)
{
	own_tools();
	by_size();
	printed();
	mistakes();
	return done();
}
