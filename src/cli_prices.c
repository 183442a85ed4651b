/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_prices: `spangate prices`: what a model costs and by which entry, price
 * files checked and turned into our format, usage priced, stored spans priced
 * again. It never writes to the store itself: `reprice` asks the gateway, or
 * does what the gateway does where none runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/price_book.h"
#include "cli_prices.h"
#include "span/model_name.h"
#include "span/vendor.h"

static const struct cli_flag flags[] = {
	[PRICES_PROVIDER] = { "provider", "NAME", "show: the price at this provider, as a request there would find it." },
	[PRICES_AT] = { "at", "TIME", "show: as of this day or time (2026-11-20, 2026-11-20T12:00:00Z). Default: now." },
	[PRICES_FROM] = { "from", "TIME", "reprice: spans that started then or later." },
	[PRICES_TO] = { "to", "TIME", "reprice: spans that started before." },
	[PRICES_MODEL] = { "model", "PATTERN", "reprice: spans of these models; * is any run of characters." },
	[PRICES_UNKNOWN] = { "unknown", NULL, "reprice: only spans whose cost is not known." },
	[PRICES_DRY_RUN] = { "dry-run", NULL, "reprice: change nothing, print what would." },
};

static const struct cli_usage usage = {
	"prices", "show MODEL | import FILE | check [FILE...] | cost | reprice",
	"show     prints the entries for a model: of which table, which rates\n"
	"import   prints a LiteLLM or genai-prices file as a price file of ours\n"
	"check    says whether price files are right; without any, those of the settings\n"
	"cost     reads lines {\"id\", \"model\", \"provider\", \"log_type\", \"usage\", \"service_tier\",\n"
	"         \"at\"} from standard input and prints {\"id\", \"cost\", \"cost_source\",\n"
	"         \"cost_details\", \"warnings\"} for each, by the tables alone\n"
	"reprice  prices stored spans again by the tables as they are now, and prints the\n"
	"         difference by model and customer\n",
	flags, sizeof(flags) / sizeof(flags[0]), false,
};

static int
out_end(struct buf *out)
{
	bool good = !out->failed && fwrite(out->ptr, 1, out->len, stdout) == out->len && fflush(stdout) == 0;

	buf_free(out);
	return good ? CLI_GOOD : cli_fail("standard output cannot be written");
}

static void
entry_show(const struct price_table *t, const struct price *p, struct buf *out)
{
	buf_slice(out, price_table_name(t));
	buf_printf(out, ", line %u:\n  ", p->line);
	price_print(p, out);
	buf_byte(out, '\n');
}

/* Entries of any provider that have the name, or else the nearest of its names. */
static unsigned
show_all(const struct prices *prices, const char *model, struct buf *out)
{
	struct model_names names;
	unsigned n = 0;

	model_names(slice_str(model), &names);
	for (size_t i = 0; i < names.n && n == 0; i++)
		for (size_t t = 0; t < prices->n; t++)
			for (size_t e = 0; e < price_table_size(prices->tables[t]); e++) {
				const struct price *p = price_table_at(prices->tables[t], e);

				for (size_t k = 0; k < p->nnames; k++)
					if (model_name_alike(p->names[k],
					    slice_make(names.list[i].text, names.list[i].len))) {
						entry_show(prices->tables[t], p, out);
						n++;
						break;
					}
			}
	return n;
}

static int
show(const struct cli_args *a, const struct prices *prices)
{
	const char *model = a->words[1], *provider = a->values[PRICES_PROVIDER];
	struct price_query q = { .model = slice_str(model), .provider = slice_str(provider),
	    .at = (int64_t)clock_wall_us() };
	struct price_found found;
	struct buf out;

	if (a->values[PRICES_AT] && !cli_time("at", a->values[PRICES_AT], &q.at))
		return CLI_BAD;
	buf_init(&out, 64 * MIB);
	if (provider == NULL && a->values[PRICES_AT] == NULL) {
		if (show_all(prices, model, &out) == 0) {
			buf_free(&out);
			return cli_fail("no price is known for %s", model);
		}
		return out_end(&out);
	}
	if (!prices_find(prices, &q, &found)) {
		buf_free(&out);
		return cli_fail("no price is known for %s%s%s", model, provider ? " at " : "", provider ? provider : "");
	}
	if (found.free)
		buf_printf(&out, "%s costs nothing\n", model);
	else {
		if (found.of_maker)
			buf_printf(&out, "%s has no price of its own for it; its maker's counts:\n", provider ? provider :
			    "the provider");
		entry_show(found.table, found.price, &out);
	}
	return out_end(&out);
}

static int
import(const struct cli_args *a)
{
	char err[400];
	struct price_table *t = price_file_read(a->words[1], err, sizeof(err));
	struct slice notes;
	struct buf out;
	size_t n = 0;

	if (t == NULL)
		return cli_fail("%s", err);
	buf_init(&out, 256 * MIB);
	buf_str(&out, "{\n\"format\": 1,\n\"name\": ");
	buf_json_string(&out, price_table_name(t));
	buf_str(&out, ",\n\"prices\": [\n");
	for (size_t i = 0; i < price_table_size(t); i++)
		if (price_table_at(t, i)->nnames > 0) {
			buf_str(&out, n++ ? ",\n" : "");
			price_print(price_table_at(t, i), &out);
		}
	buf_str(&out, "\n]\n}\n");
	notes = price_table_notes(t);
	fprintf(stderr, "%zu entries\n%.*s", n, (int)notes.len, notes.ptr ? notes.ptr : "");
	price_table_free(t);
	return out_end(&out);
}

static int
check_one(const char *file)
{
	char err[400];
	struct price_table *t = price_file_read(file, err, sizeof(err));
	struct slice notes;

	if (t == NULL)
		return cli_fail("%s", err);
	notes = price_table_notes(t);
	printf("%s: good, %zu entries\n%.*s", file, price_table_size(t), (int)notes.len, notes.ptr ? notes.ptr : "");
	price_table_free(t);
	return CLI_GOOD;
}

static int
check(const struct cli_args *a, const struct config *c)
{
	int code = CLI_GOOD;

	for (size_t i = 1; i < a->nwords; i++)
		if (check_one(a->words[i]) != CLI_GOOD)
			code = CLI_BAD;
	if (a->nwords > 1)
		return code;
	for (size_t i = 0; i < c->price_files.n; i++)
		if (check_one(c->price_files.list[i]) != CLI_GOOD)
			code = CLI_BAD;
	printf("built in: %.*s, %zu entries\n", (int)price_table_name(c->book->prices.builtin).len,
	    price_table_name(c->book->prices.builtin).ptr, price_table_size(c->book->prices.builtin));
	return code;
}

static int
run(const struct cli_args *a)
{
	const char *what = a->nwords > 0 ? a->words[0] : "";
	struct config *c = cli_config(a);
	bool files = strcmp(what, "check") == 0 && a->nwords > 1;
	char err[400];
	int code;

	if (c == NULL)
		return CLI_BAD;
	if (strcmp(what, "import") == 0 && a->nwords == 2)
		code = import(a);
	else if (!files && !config_prices(c, err, sizeof(err)))
		code = cli_fail("%s", err);
	else if (strcmp(what, "show") == 0 && a->nwords == 2)
		code = show(a, &c->book->prices);
	else if (strcmp(what, "check") == 0)
		code = check(a, c);
	else if (strcmp(what, "cost") == 0 && a->nwords == 1)
		code = prices_cost(&c->book->prices);
	else if (strcmp(what, "reprice") == 0 && a->nwords == 1)
		code = prices_reprice(a, c);
	else {
		cli_fail("prices: show MODEL, import FILE, check [FILE...], cost or reprice (see spangate prices --help)");
		code = CLI_USAGE;
	}
	config_unref(c);
	return code;
}

int
cli_prices(int argc, char **argv)
{
	struct cli_args a;
	int code;

	if (!cli_parse(&usage, argc, argv, &a, &code))
		return code;
	code = run(&a);
	cli_args_free(&a);
	return code;
}
