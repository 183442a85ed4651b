/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices: any bytes as a price file: what comes of it can be asked, billed by
 * and printed, and what is printed is read as the same table. And any bytes as
 * cost_details: the bill of what is read of them says the same once more.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "span/arena.h"
#include "span/bill.h"
#include "span/model_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

#define ENTRIES 40	/* that are asked for by their names */
#define NAMES 6		/* of each */

/* A bill, and what it says of itself. */
static void
bill_say(const struct prices *prices, const struct use *use, struct bill *bill, struct buf *out)
{
	bill_make(prices, use, bill);
	CHECK(bill->nlines <= RATE_KINDS && (!bill->known || bill->pico >= 0));
	buf_init(out, MIB);
	bill_print(bill, use, bill_source(prices, bill), (struct span_int){ bill->known, bill->pico }, out);
}

/* Priced once more by what its details say, it is the same bill. */
static void
bill_twice(const struct prices *prices, const struct use *use)
{
	struct arena arena = { .blocks = NULL };
	struct bill bill, other;
	struct buf out, again;
	struct use back;

	bill_say(prices, use, &bill, &out);
	CHECK(bill_reread(buf_view(&out), &arena, &back));
	back.query.at = use->query.at;
	bill_say(prices, &back, &other, &again);
	CHECK(slice_eq(buf_view(&out), buf_view(&again)));
	CHECK(bill.known == other.known && (!bill.known || bill.pico == other.pico));
	buf_free(&out);
	buf_free(&again);
	arena_free(&arena);
}

/* A use of every kind; the seed picks how much. */
static void
use_make(struct use *use, const struct price *p, struct slice name, uint32_t seed)
{
	static const int64_t amounts[] = { 0, 1, 999, 200001, INT64_C(4000000000000000000), -1 };
	static const char *const tiers[] = { NULL, "flex", "priority", "batch", "turbo" };

	*use = (struct use){ .query = { .provider = p->vendor, .model = name, .at = p->from },
	    .service_tier = slice_str(tiers[seed % 5]), .image_size = SLICE("hd/1024x1792"),
	    .has_tokens = seed % 4 > 0, .prompt = seed % 4 > 0 ? amounts[seed % 5] : 0, .nsays = 1 };
	if (use->query.at < 0)
		use->query.at = INT64_C(1700000000000000);
	use->query.at += p->hour_from > 0 ? p->hour_from * INT64_C(60000000) : 0;
	use->says[0].name = SLICE("speed");
	use->says[0].value = SLICE("fast");
	for (int kind = 0; kind < RATE_KINDS; kind++) {
		bool told = rate_infos[kind].group == RATE_TOKENS ||
		    (rate_infos[kind].group == RATE_CALLS && kind != RATE_QUERIES);

		use->units[kind] = amounts[(seed + (uint32_t)kind) % (told ? 5 : 6)];
	}
	use->units[RATE_REQUESTS] = 0;
}

static void
entry_use(const struct prices *prices, const struct price *p)
{
	for (size_t k = 0; k < p->nnames && k < NAMES; k++) {
		struct price_found found;
		struct use use;

		for (uint32_t seed = 0; seed < 5; seed++) {
			use_make(&use, p, p->names[k], seed);
			if (prices_find(prices, &use.query, &found) && !found.free)
				CHECK(found.table == prices->tables[0] && found.price->nnames > 0);
			bill_twice(prices, &use);
		}
	}
}

static void
table_print(const struct price_table *t, struct buf *out)
{
	buf_init(out, 64 * MIB);
	buf_str(out, "{\"format\": 1, \"name\": \"again\", \"prices\": [\n");
	for (size_t i = 0, n = 0; i < price_table_size(t); i++)
		if (price_table_at(t, i)->nnames > 0) {
			buf_str(out, n++ ? ",\n" : "");
			price_print(price_table_at(t, i), out);
		}
	buf_str(out, "\n]}\n");
}

static void
table_check(struct slice text)
{
	struct price_error err;
	struct price_table *t = price_table_read(text, SLICE("fuzz"), &err), *second;
	struct prices prices = { .n = 1 };
	struct buf once, twice;

	if (t == NULL) {
		CHECK(err.text[0] != '\0');
		return;
	}
	prices.tables[0] = t;
	for (size_t i = 0; i < price_table_size(t) && i < ENTRIES; i++)
		entry_use(&prices, price_table_at(t, i));
	table_print(t, &once);
	second = price_table_read(buf_view(&once), SLICE("fuzz"), &err);
	CHECK(second != NULL);
	table_print(second, &twice);
	CHECK(slice_eq(buf_view(&once), buf_view(&twice)));
	buf_free(&once);
	buf_free(&twice);
	price_table_free(second);
	price_table_free(t);
}

/* A price of every kind, for bills of what is read. */
static struct price_table *
fixed_table(void)
{
	static struct price_table *t;
	struct price_error err;

	if (t == NULL)
		t = price_table_read(SLICE("{\"format\":1,\"name\":\"fixed\",\"prices\":["
		    "{\"match\":[\"*\"],\"per_million_tokens\":{\"input\":2,\"cache_read\":0.5,\"output\":8},"
		    "\"tiers\":[{\"prompt_over\":1000,\"per_million_tokens\":{\"input\":4}}],"
		    "\"multipliers\":{\"speed:fast\":2.5},\"per_thousand_calls\":{\"web_search\":10,\"query\":2}},"
		    "{\"match\":[\"whisper*\"],\"per_second\":{\"audio_in\":0.0001},\"min_seconds\":10},"
		    "{\"match\":[\"tts*\"],\"per_million_characters\":{\"input\":15}}]}"), SLICE("fixed"), &err);
	CHECK(t != NULL);
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct prices prices = { .tables = { fixed_table() }, .n = 1 };
	struct arena arena = { .blocks = NULL };
	struct use use;

	if (bill_reread(text, &arena, &use))
		bill_twice(&prices, &use);
	arena_free(&arena);
	table_check(text);
	return 0;
}
