/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_customers: `spangate customers`: what each customer asked and spent. Reads
 * the store's rollups by its own handle, whether the gateway runs or not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli.h"
#include "cli_customers_print.h"
#include "cli_text.h"
#include "store/store.h"
#include "store/value.h"

#define LIST_ROWS 50
#define DAY_US (INT64_C(86400) * 1000000)

enum customers_flag { FLAG_FORMAT, FLAG_CSV, FLAG_FROM, FLAG_TO, FLAG_BY, FLAG_CUSTOMER, FLAG_ENVIRONMENT, FLAG_SORT,
    FLAG_LIMIT, FLAG_ALL, FLAG_NAMELESS, FLAGS };

static const struct cli_flag flags[FLAGS] = {
	[FLAG_FORMAT] = { "format", "FORMAT", "table, json, jsonl or csv. Default: table." },
	[FLAG_CSV] = { "csv", NULL, "The same as --format csv." },
	[FLAG_FROM] = { "from", "DAY", "From this day on: 2026-11-20, 2026-11 (its first), today, or 7d ago." },
	[FLAG_TO] = { "to", "DAY", "Before this day, in the same forms; the day itself is not counted." },
	[FLAG_BY] = { "by", "PART", "Part each customer's sums by day, month, model, provider or key." },
	[FLAG_CUSTOMER] = { "customer", "ID", "Of this customer_identifier." },
	[FLAG_ENVIRONMENT] = { "environment", "NAME", "Of this environment." },
	[FLAG_SORT] = { "sort", "FIELD", "cost, requests, errors, tokens, unpriced, latency, ttft, first_seen, last_seen, "
	    "active_days, customer, environment, part; -FIELD downwards. Default: -cost, with --by: customer." },
	[FLAG_LIMIT] = { "limit", "N", "At most so many rows. table: 50, else all." },
	[FLAG_ALL] = { "all", NULL, "No limit." },
	[FLAG_NAMELESS] = { "nameless", NULL, "Also what was asked without a customer." },
};

static const struct cli_usage usage = {
	"customers", "",
	"Lists what each customer asked and spent, in each environment, also while the\n"
	"gateway runs. Spans past retention go on counting. Days are those of\n"
	"store.day_offset.\n",
	flags, FLAGS, false,
};

struct list {
	struct cli_args	 args;
	struct config	*config;
	struct store	*store;
	struct customers_query query;
	struct customers_print print;
};

static int64_t
day_of_time(int64_t us)
{
	return us / DAY_US - (us % DAY_US < 0);
}

/* A date, a month, or how many days ago. */
static bool
parse_day(struct list *l, enum customers_flag flag, int64_t *day)
{
	const char *text = l->args.values[flag];
	size_t n = strlen(text);
	int64_t us, ago = 0;
	char month[16];

	snprintf(month, sizeof(month), "%s-01", n == 7 ? text : "");
	if ((n == 10 && value_time(slice_str(text), &us)) || (n == 7 && value_time(slice_str(month), &us))) {
		*day = day_of_time(us);
		return true;
	}
	if (strcmp(text, "today") == 0 || (n > 1 && n < 8 && text[n - 1] == 'd' &&
	    value_int(slice_make(text, n - 1), &ago) && ago >= 0)) {
		us = (int64_t)clock_wall_us() + l->config->store.day_offset * INT64_C(60000000);
		*day = day_of_time(us) - ago;
		return true;
	}
	cli_fail("--%s %s: neither a day such as 2026-11-20, a month such as 2026-11, today, nor days ago such as 7d",
	    flags[flag].name, text);
	return false;
}

static bool
parse_window(struct list *l)
{
	struct customers_query *q = &l->query;

	q->have_from = l->args.values[FLAG_FROM] != NULL;
	q->have_to = l->args.values[FLAG_TO] != NULL;
	return (!q->have_from || parse_day(l, FLAG_FROM, &q->from_day)) &&
	    (!q->have_to || parse_day(l, FLAG_TO, &q->to_day));
}

static bool
parse_by(struct list *l)
{
	const char *text = l->args.values[FLAG_BY];
	int by = customers_by_name(slice_str(text ? text : ""));

	if (by < 0 || (text && *text == '\0')) {
		cli_fail("--by %s: there are day, month, model, provider and key", text);
		return false;
	}
	l->query.by = l->print.by = (enum customers_by)by;
	return true;
}

static bool
parse_sort(struct list *l)
{
	const char *text = l->args.values[FLAG_SORT];
	int field;

	if (!text) {
		l->query.ascending = l->query.by != CUSTOMERS_BY_NOTHING;
		l->query.sort = l->query.ascending ? CUSTOMERS_CUSTOMER : CUSTOMERS_COST;
		return true;
	}
	l->query.ascending = *text != '-';
	field = customers_field_by_name(slice_str(text + !l->query.ascending));
	if (field < 0) {
		cli_fail("--sort %s: customers cannot be sorted by that (see spangate customers --help)", text);
		return false;
	}
	l->query.sort = (enum customers_field)field;
	return true;
}

static bool
parse_format(struct list *l)
{
	const char *name = l->args.values[FLAG_FORMAT];

	l->print.format = l->args.values[FLAG_CSV] ? FORMAT_CSV : FORMAT_TABLE;
	l->print.out = stdout;
	l->print.width = text_width();
	if (!name || spans_format_by_name(name, &l->print.format))
		return true;
	cli_fail("--format %s: there are table, json, jsonl and csv", name);
	return false;
}

static bool
parse_limit(struct list *l)
{
	const char *text = l->args.values[FLAG_LIMIT];
	int64_t n = l->print.format == FORMAT_TABLE ? LIST_ROWS : 0;

	if (text && (!value_int(slice_str(text), &n) || n < 1)) {
		cli_fail("--limit %s: not a number from 1 on", text);
		return false;
	}
	l->query.limit = l->args.values[FLAG_ALL] ? 0 : (uint64_t)n;
	return true;
}

static bool
parse(struct list *l)
{
	struct customers_query *q = &l->query;

	q->environment = slice_str(l->args.values[FLAG_ENVIRONMENT]);
	q->customer = slice_str(l->args.values[FLAG_CUSTOMER]);
	q->nameless = l->args.values[FLAG_NAMELESS] != NULL;
	return parse_window(l) && parse_by(l) && parse_sort(l) && parse_format(l) && parse_limit(l);
}

static int
store_failed(struct list *l)
{
	return cli_fail("the store cannot be read: %s", store_sqlite.error(l->store));
}

/* Says what the limit leaves out. */
static void
tell_hidden(struct list *l)
{
	uint64_t all = 0;

	if (l->query.limit > 0 && l->print.printed == l->query.limit &&
	    store_sqlite.customers_count(l->store, &l->query, &all) == STORE_OK && all > l->print.printed)
		fprintf(stderr, "%zu of %llu rows shown; --limit N or --all shows more\n", l->print.printed,
		    (unsigned long long)all);
}

static int
print_list(struct list *l)
{
	const struct customers_row *row;
	struct customers *rows = NULL;
	bool good = true;
	int rc;

	rc = store_sqlite.customers(l->store, &l->query, &rows);
	if (rc == STORE_OK)
		customers_print_start(&l->print);
	while (rc >= 0 && good && (rc = store_sqlite.customers_next(rows, &row)) == STORE_ROW)
		good = customers_print(&l->print, row);
	store_sqlite.customers_done(rows);
	if (rc < 0)
		return store_failed(l);
	good = customers_print_end(&l->print) && good;
	if (!good)
		return cli_fail("standard output cannot be written");
	tell_hidden(l);
	return CLI_GOOD;
}

static int
open_and_run(struct list *l)
{
	char err[300];
	int code;

	l->config = cli_config(&l->args);
	if (!l->config)
		return CLI_BAD;
	if (!parse(l))
		code = CLI_USAGE;
	else {
		l->store = store_sqlite.open(l->config->data_dir, false, err, sizeof(err));
		code = l->store ? print_list(l) : cli_fail("%s", err);
	}
	store_sqlite.close(l->store);
	config_unref(l->config);
	return code;
}

int
cli_customers(int argc, char **argv)
{
	struct list l = { .query = { .tenant = SLICE_NONE } };
	int code;

	if (!cli_parse(&usage, argc, argv, &l.args, &code))
		return code;
	code = open_and_run(&l);
	cli_args_free(&l.args);
	return code;
}
