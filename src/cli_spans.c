/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_spans: `spangate spans list | get ID | export`. Reads the store by its
 * own handle, whether the gateway runs or not, and never writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/filters.h"
#include "api/listing.h"
#include "base/base.h"
#include "cli.h"
#include "cli_spans_print.h"
#include "cli_text.h"
#include "core/limits.h"
#include "store/full.h"
#include "store/store.h"
#include "store/value.h"

#define LIST_ROWS 50
#define PROGRESS_US 250000

enum spans_flag { FLAG_FORMAT, FLAG_FROM, FLAG_TO, FLAG_LIMIT, FLAG_CUSTOMER, FLAG_MODEL, FLAG_STATUS,
    FLAG_ENVIRONMENT, FLAG_FILTER, FLAG_FILTERS, FLAG_SAMPLE, FLAG_FIELDS, FLAG_SORT, FLAG_ALL, FLAG_NEWEST,
    FLAG_FULL, FLAGS };

static const struct cli_flag flags[FLAGS] = {
	[FLAG_FORMAT] = { "format", "FORMAT", "table, json, jsonl or csv. list: table, export: jsonl." },
	[FLAG_FROM] = { "from", "TIME", "Not before: 2026-11-20T19:05Z, or 90s, 15m, 1h, 2d, 1w ago." },
	[FLAG_TO] = { "to", "TIME", "Before, in the same forms." },
	[FLAG_LIMIT] = { "limit", "N", "At most so many. list: 50." },
	[FLAG_CUSTOMER] = { "customer", "ID", "Of this customer_identifier." },
	[FLAG_MODEL] = { "model", "NAME", "Of this model." },
	[FLAG_STATUS] = { "status", "STATUS", "success, error, or a status code." },
	[FLAG_ENVIRONMENT] = { "environment", "NAME", "Of this environment." },
	[FLAG_FILTER] = { "filter", "TEST",
	    "FIELD=VALUE; also != < <= > >= ~ (contains) and FIELD:OPERATOR:VALUE. Repeat it." },
	[FLAG_FILTERS] = { "filters", "JSON", "Filters as the API takes them: {\"cost\":{\"operator\":\"gt\",\"value\":1}}." },
	[FLAG_SAMPLE] = { "sample", "PERCENT", "So many of all spans, the same ones each time." },
	[FLAG_FIELDS] = { "fields", "A,B,...", "Print only these fields." },
	[FLAG_SORT] = { "sort", "FIELD", "Order by a field, -FIELD downwards. list: -timestamp." },
	[FLAG_ALL] = { "all", NULL, "No limit." },
	[FLAG_NEWEST] = { "newest", NULL, "export: newest first." },
	[FLAG_FULL] = { "full", NULL, "list: full_request and full_response too, in json and jsonl." },
};

static const struct cli_usage usage = {
	"spans", "list|get ID|export",
	"Reads the stored spans, also while the gateway runs.\n"
	"  list     the newest ones, whatever their age\n"
	"  get ID   one span with everything that was kept; the start of an id is enough\n"
	"  export   all of them, oldest first, with everything that was kept\n",
	flags, FLAGS, false,
};

struct spans {
	struct cli_args	 args;
	struct config	*config;
	struct store	*store;
	struct full	*full;
	struct query	 query;
	struct filters	 filters;
	char		*keys[CLI_GIVEN_MAX];	/* names of metadata keys that filters point to */
	size_t		 nkeys;
	int		 fields[SPAN_FIELDS];
	struct spans_print print;
	bool		 progress;	/* a line of it on standard error */
	uint64_t	 told_us;
};

static bool
add_filter(struct spans *s, struct slice name, const char *op, struct slice value)
{
	return filters_add(&s->filters, name, slice_str(op), SLICE_NONE, &value, 1) || cli_fail("%s", s->filters.error) == 0;
}

/* FIELD:OPERATOR:VALUE, with the API's operators. */
static bool
parse_named(struct spans *s, const char *test, size_t at)
{
	size_t n = strcspn(test + at + 1, ":");
	char op[32];

	if (at == 0 || test[at + 1 + n] != ':' || n >= sizeof(op)) {
		cli_fail("--filter %s: a filter is FIELD=VALUE or FIELD:OPERATOR:VALUE", test);
		return false;
	}
	memcpy(op, test + at + 1, n);
	op[n] = '\0';
	return add_filter(s, slice_make(test, at), op, slice_str(test + at + n + 2));
}

/* FIELD OP VALUE as people write it. metadata.KEY is metadata__KEY. */
static bool
parse_test(struct spans *s, const char *test)
{
	static const struct { const char *text, *op; } ops[] = {
		{ "!=", "not" }, { "<=", "lte" }, { ">=", "gte" }, { "=", "" }, { "<", "lt" }, { ">", "gt" },
		{ "~", "contains" },
	};
	size_t at = strcspn(test, "!<>=~:"), i, n = sizeof(ops) / sizeof(ops[0]);
	struct slice name = slice_make(test, at);
	char *key;

	if (test[at] == ':')
		return parse_named(s, test, at);
	for (i = 0; i < n && strncmp(test + at, ops[i].text, strlen(ops[i].text)) != 0; i++)
		;
	if (i == n || at == 0) {
		cli_fail("--filter %s: a filter is FIELD=VALUE or FIELD:OPERATOR:VALUE", test);
		return false;
	}
	if (!slice_starts(name, SLICE("metadata.")))
		return add_filter(s, name, ops[i].op, slice_str(test + at + strlen(ops[i].text)));
	key = xasprintf("metadata__%.*s", (int)at - 9, test + 9);
	s->keys[s->nkeys++] = key;
	return add_filter(s, slice_str(key), ops[i].op, slice_str(test + at + strlen(ops[i].text)));
}

/* --filters JSON. */
static bool
parse_filters(struct spans *s, const char *text)
{
	struct jvalue value;

	if (jscan_check(slice_str(text), &value, NULL) != JSCAN_END) {
		cli_fail("--filters: this is no JSON");
		return false;
	}
	return filters_json(&s->filters, value, false) || cli_fail("--filters: %s", s->filters.error) == 0;
}

static bool
parse_window(struct spans *s)
{
	const char *from = s->args.values[FLAG_FROM], *to = s->args.values[FLAG_TO];

	s->query.have_from = from != NULL;
	s->query.have_to = to != NULL;
	return (!from || cli_time("from", from, &s->query.from_us)) &&
	    (!to || cli_time("to", to, &s->query.to_us));
}

static bool
parse_fields(struct spans *s)
{
	const char *names = s->args.values[FLAG_FIELDS];
	struct export x = { .fields = NULL };
	struct slice bad = SLICE_NONE;

	if (names && !export_fields(&x, s->fields, slice_str(names), &bad)) {
		cli_fail("--fields: there is no field %.*s", (int)bad.len, bad.ptr);
		return false;
	}
	s->print.fields = x.fields;
	s->print.nfields = x.nfields;
	return true;
}

static bool
parse_sort(struct spans *s)
{
	const char *name = s->args.values[FLAG_SORT];

	s->query.sort = -1;
	if (!name)
		return true;
	if (listing_sort(&s->query, slice_str(name)))
		return true;
	cli_fail("--sort %s: lists cannot be sorted by that", name);
	return false;
}

static bool
parse_limit(struct spans *s, bool list)
{
	const char *text = s->args.values[FLAG_LIMIT];
	int64_t n = list ? LIST_ROWS : 0;

	if (text && (!value_int(slice_str(text), &n) || n < 1)) {
		cli_fail("--limit %s: not a number from 1 on", text);
		return false;
	}
	s->query.limit = s->args.values[FLAG_ALL] ? 0 : (uint64_t)n;
	return true;
}

static bool
parse_format(struct spans *s, enum spans_format otherwise)
{
	const char *name = s->args.values[FLAG_FORMAT];

	s->print.format = otherwise;
	s->print.full = s->args.values[FLAG_FULL] != NULL;
	s->print.out = stdout;
	s->print.width = text_width();
	if (name && !spans_format_by_name(name, &s->print.format)) {
		cli_fail("--format %s: there are table, json, jsonl and csv", name);
		return false;
	}
	return true;
}

/* The filters that have a flag of their own. */
static bool
parse_shortcuts(struct spans *s)
{
	static const struct { int flag; const char *field; } simple[] = {
		{ FLAG_CUSTOMER, "customer_identifier" }, { FLAG_MODEL, "model" }, { FLAG_ENVIRONMENT, "environment" },
	};
	const char *status = s->args.values[FLAG_STATUS];

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (s->args.values[simple[i].flag] && !add_filter(s, slice_str(simple[i].field), "",
		    slice_str(s->args.values[simple[i].flag])))
			return false;
	return !status || add_filter(s, *status >= '0' && *status <= '9' ? SLICE("status_code") : SLICE("status"), "",
	    slice_str(status));
}

static bool
parse_sample(struct spans *s)
{
	const char *text = s->args.values[FLAG_SAMPLE];
	double p;

	if (text && (!value_num(slice_str(text), &p) || p <= 0 || p > 100)) {
		cli_fail("--sample %s: not a percentage over 0 and up to 100", text);
		return false;
	}
	s->query.sample = !text ? 0 : p * 10000 < 1 ? 1 : (unsigned)(p * 10000);
	return true;
}

static bool
parse_query(struct spans *s, bool list)
{
	const char *json = s->args.values[FLAG_FILTERS];

	if (!filters_init(&s->filters, json ? strlen(json) : 0) || !parse_window(s) || !parse_fields(s) ||
	    !parse_sort(s) || !parse_limit(s, list) || !parse_sample(s))
		return false;
	if (!list && !s->args.values[FLAG_SORT])
		s->query.ascending = !s->args.values[FLAG_NEWEST];
	if (!parse_shortcuts(s) || (json && !parse_filters(s, json)))
		return false;
	for (size_t i = 0; i < s->args.ngiven; i++)
		if (s->args.given[i].flag == FLAG_FILTER && !parse_test(s, s->args.given[i].value))
			return false;
	s->query.filters = s->filters.list;
	s->query.nfilters = s->filters.n;
	return filters_check(&s->filters) || cli_fail("%s", s->filters.error) == 0;
}

static int
store_failed(struct spans *s, int rc)
{
	return cli_fail("the store cannot be read: %s",
	    rc == STORE_E_CORRUPT ? "it is damaged" : store_sqlite.error(s->store));
}

/* Says what a window or the limit leaves out. */
static void
tell_hidden(struct spans *s)
{
	struct query q = s->query;
	uint64_t within = 0, all = 0;

	if (store_sqlite.count(s->store, &q, &within) != STORE_OK)
		return;
	if (within > s->print.printed)
		fprintf(stderr, "%zu of %llu spans shown; --limit N or --all shows more\n", s->print.printed,
		    (unsigned long long)within);
	if (!q.have_from && !q.have_to)
		return;
	q.have_from = q.have_to = false;
	if (store_sqlite.count(s->store, &q, &all) == STORE_OK && all > within)
		fprintf(stderr, "%llu more spans are outside of --from and --to\n",
		    (unsigned long long)(all - within));
}

/* Says on a terminal how far an export to a file has come; total 0: unknown. */
static void
tell_progress(struct spans *s, uint64_t total, bool end)
{
	uint64_t now = clock_mono_us();

	if (!s->progress || (!end && now < s->told_us + PROGRESS_US))
		return;
	s->told_us = now;
	fprintf(stderr, "\r%zu of %llu spans%s", s->print.printed, (unsigned long long)total, end ? "\n" : "");
}

/* Prints what the query finds. */
static int
print_rows(struct spans *s)
{
	bool full = spans_print_needs_full(&s->print), good = true;
	uint64_t total = 0;
	const struct span *span;
	struct store_rows *rows;
	int rc;

	rc = store_sqlite.select(s->store, &s->query, &rows);
	if (rc != STORE_OK)
		return store_failed(s, rc);
	if (s->progress)
		(void)store_sqlite.count(s->store, &s->query, &total);
	spans_print_start(&s->print);
	while (good && (rc = store_sqlite.next(rows, &span)) == STORE_ROW) {
		if (full)
			full_hold(s->full);
		good = spans_print(&s->print, full ? full_span(s->full, span) : span);
		if (s->print.line.len >= SPANS_PRINT_BLOCK) {	/* the reader of a pipe may take its time */
			full_rest(s->full);
			good = spans_print_flush(&s->print) && good;
		}
		tell_progress(s, total, false);
	}
	full_rest(s->full);
	tell_progress(s, total, true);
	store_sqlite.done(rows);
	good = spans_print_end(&s->print) && good;
	if (!good)
		return cli_fail("standard output cannot be written");
	return rc == STORE_OK ? CLI_GOOD : store_failed(s, rc);
}

static int
spans_list(struct spans *s)
{
	int code;

	if (!parse_format(s, FORMAT_TABLE) || !parse_query(s, true))
		return CLI_USAGE;
	code = print_rows(s);
	if (code == CLI_GOOD)
		tell_hidden(s);
	return code;
}

static int
spans_export(struct spans *s)
{
	if (!parse_format(s, FORMAT_JSONL) || !parse_query(s, false))
		return CLI_USAGE;
	s->print.full = true;
	s->progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	return print_rows(s);
}

static int
get_one(struct spans *s, struct store_rows *rows, const char *id)
{
	const struct span *span, *other;
	int rc;

	rc = store_sqlite.next(rows, &span);
	if (rc == STORE_OK)
		return cli_fail("there is no span %s", id);
	if (rc != STORE_ROW)
		return store_failed(s, rc);
	if (store_sqlite.next(rows, &other) == STORE_ROW)
		return cli_fail("more than one span begins with %s, among them %.*s and %.*s", id,
		    (int)span->id.len, span->id.ptr, (int)other->id.len, other->id.ptr);
	if (s->args.values[FLAG_FORMAT] || s->print.fields) {
		s->print.full = true;
		spans_print_start(&s->print);
		(void)spans_print(&s->print, full_span(s->full, span));
		return spans_print_end(&s->print) ? CLI_GOOD : CLI_BAD;
	}
	return spans_print_one(&s->print, full_span(s->full, span)) ? CLI_GOOD : CLI_BAD;
}

static int
spans_get(struct spans *s)
{
	const char *id = s->args.words[1];
	struct slice text = slice_str(id);
	struct query_filter range[] = {
		{ .field = SPAN_F_id, .op = QUERY_GTE, .values = &text, .nvalues = 1 },
		{ .field = SPAN_F_id, .op = QUERY_LTE, .values = &text, .nvalues = 1 },
	};
	struct store_rows *rows;
	struct query_sql sql;
	char err[300];
	bool good;
	int code;

	if (!parse_format(s, FORMAT_JSON) || !parse_fields(s) || !parse_sort(s))
		return CLI_USAGE;
	s->query.limit = 2;
	s->query.filters = range;
	s->query.nfilters = 2;
	good = query_where(&s->query, NULL, false, &sql, err, sizeof(err));
	query_sql_free(&sql);
	if (!good || *id == '\0')
		return cli_fail("%s is not an id: 32 hex digits, or the first of them", id);
	if (store_sqlite.select(s->store, &s->query, &rows) != STORE_OK)
		return store_failed(s, STORE_BUSY);
	code = get_one(s, rows, id);
	store_sqlite.done(rows);
	return code;
}

static int
run(struct spans *s)
{
	const char *word = s->args.nwords ? s->args.words[0] : "";
	size_t want = strcmp(word, "get") == 0 ? 2 : 1;

	if (s->args.nwords != want) {
		fprintf(stderr, "usage: spangate spans list | get ID | export   (see spangate spans --help)\n");
		return CLI_USAGE;
	}
	if (want == 2)
		return spans_get(s);
	if (strcmp(word, "list") == 0)
		return spans_list(s);
	if (strcmp(word, "export") == 0)
		return spans_export(s);
	cli_fail("spans %s: there are list, get and export", word);
	return CLI_USAGE;
}

static int
open_and_run(struct spans *s)
{
	char err[300];
	int code;

	s->config = cli_config(&s->args);
	if (!s->config)
		return CLI_BAD;
	s->store = store_sqlite.open(s->config->data_dir, false, err, sizeof(err));
	if (!s->store)
		code = cli_fail("%s", err);
	else {
		s->full = full_new(&store_sqlite, s->store, &s->config->spans);
		code = run(s);
	}
	full_free(s->full);
	filters_free(&s->filters);
	for (size_t i = 0; i < s->nkeys; i++)
		free(s->keys[i]);
	store_sqlite.close(s->store);
	config_unref(s->config);
	return code;
}

int
cli_spans(int argc, char **argv)
{
	struct spans s = { .query = { .tenant = SLICE_NONE, .sort = -1 } };
	int code;

	if (!cli_parse(&usage, argc, argv, &s.args, &code))
		return code;
	code = open_and_run(&s);
	cli_args_free(&s.args);
	return code;
}
