/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_spans: `spangate spans list | get ID | export`. Reads the store by its
 * own handle, whether the gateway runs or not, and never writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli.h"
#include "cli_spans_print.h"
#include "cli_text.h"
#include "core/limits.h"
#include "store/full.h"
#include "store/store.h"
#include "store/value.h"

#define LIST_ROWS 50
#define FILTERS_MAX (CLI_GIVEN_MAX + 4)

enum spans_flag { FLAG_FORMAT, FLAG_FROM, FLAG_TO, FLAG_LIMIT, FLAG_CUSTOMER, FLAG_MODEL, FLAG_STATUS,
    FLAG_ENVIRONMENT, FLAG_FILTER, FLAG_FIELDS, FLAG_SORT, FLAG_ALL, FLAG_NEWEST, FLAG_FULL, FLAGS };

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
	    "FIELD=VALUE; also != < <= > >= and ~ (contains); metadata.KEY=VALUE. Repeat it." },
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
	struct query_filter filters[FILTERS_MAX];
	struct slice	 values[FILTERS_MAX];
	int		 fields[SPAN_FIELDS];
	struct spans_print print;
};

static struct query_filter *
add_filter(struct spans *s, int field, enum query_op op, struct slice value)
{
	struct query_filter *f = &s->filters[s->query.nfilters];

	s->values[s->query.nfilters] = value;
	*f = (struct query_filter){ .field = field, .op = op, .values = &s->values[s->query.nfilters], .nvalues = 1 };
	s->query.nfilters++;
	s->query.filters = s->filters;
	return f;
}

/* FIELD OP VALUE as people write it. */
static bool
parse_test(struct spans *s, const char *test)
{
	static const struct { const char *text; enum query_op op; } ops[] = {
		{ "!=", QUERY_NOT }, { "<=", QUERY_LTE }, { ">=", QUERY_GTE }, { "=", QUERY_EQ },
		{ "<", QUERY_LT }, { ">", QUERY_GT }, { "~", QUERY_CONTAINS },
	};
	size_t at = strcspn(test, "!<>=~"), i, n = sizeof(ops) / sizeof(ops[0]);
	struct slice name = slice_make(test, at), value;
	int field;

	for (i = 0; i < n && strncmp(test + at, ops[i].text, strlen(ops[i].text)) != 0; i++)
		;
	if (i == n || at == 0) {
		cli_fail("--filter %s: a filter is FIELD=VALUE", test);
		return false;
	}
	value = slice_str(test + at + strlen(ops[i].text));
	if (slice_starts(name, SLICE("metadata.")) || slice_starts(name, SLICE("metadata__"))) {
		struct query_filter *f = add_filter(s, SPAN_F_metadata, ops[i].op, value);

		f->key = slice_from(name, name.ptr[8] == '.' ? 9 : 10);
		return true;
	}
	field = span_field_by_name(name);
	if (field < 0) {
		cli_fail("--filter %s: there is no field %.*s", test, (int)name.len, name.ptr);
		return false;
	}
	add_filter(s, field, ops[i].op, value);
	return true;
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
	const char *p = s->args.values[FLAG_FIELDS];

	while (p) {
		size_t n = strcspn(p, ",");
		int field = span_field_by_name(slice_trim(slice_make(p, n)));

		if (field < 0 || s->print.nfields == SPAN_FIELDS) {
			cli_fail("--fields: there is no field %.*s", (int)n, p);
			return false;
		}
		s->fields[s->print.nfields++] = field;
		p = p[n] ? p + n + 1 : NULL;
	}
	s->print.fields = s->print.nfields ? s->fields : NULL;
	return true;
}

static bool
parse_sort(struct spans *s)
{
	const char *name = s->args.values[FLAG_SORT];

	s->query.sort = -1;
	if (!name)
		return true;
	s->query.ascending = *name != '-';
	s->query.sort = span_field_by_name(slice_str(name + !s->query.ascending));
	if (s->query.sort >= 0 && query_field_ok(s->query.sort))
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
static void
parse_shortcuts(struct spans *s)
{
	static const struct { int flag, field; } simple[] = {
		{ FLAG_CUSTOMER, SPAN_F_customer_identifier }, { FLAG_MODEL, SPAN_F_model },
		{ FLAG_ENVIRONMENT, SPAN_F_environment },
	};
	const char *status = s->args.values[FLAG_STATUS];

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (s->args.values[simple[i].flag])
			add_filter(s, simple[i].field, QUERY_EQ, slice_str(s->args.values[simple[i].flag]));
	if (status)
		add_filter(s, *status >= '0' && *status <= '9' ? SPAN_F_status_code : SPAN_F_status, QUERY_EQ,
		    slice_str(status));
}

static bool
parse_query(struct spans *s, bool list)
{
	struct query_sql sql;
	char err[300];
	bool good;

	if (!parse_window(s) || !parse_fields(s) || !parse_sort(s) || !parse_limit(s, list))
		return false;
	if (!list && !s->args.values[FLAG_SORT])
		s->query.ascending = !s->args.values[FLAG_NEWEST];
	parse_shortcuts(s);
	for (size_t i = 0; i < s->args.ngiven; i++)
		if (s->args.given[i].flag == FLAG_FILTER && !parse_test(s, s->args.given[i].value))
			return false;
	good = query_where(&s->query, &sql, err, sizeof(err));
	query_sql_free(&sql);
	if (!good)
		cli_fail("%s", err);
	return good;
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

/* Prints what the query finds. */
static int
print_rows(struct spans *s)
{
	bool full = spans_print_needs_full(&s->print), good = true;
	const struct span *span;
	struct store_rows *rows;
	int rc;

	rc = store_sqlite.select(s->store, &s->query, &rows);
	if (rc != STORE_OK)
		return store_failed(s, rc);
	spans_print_start(&s->print);
	while (good && (rc = store_sqlite.next(rows, &span)) == STORE_ROW)
		good = spans_print(&s->print, full ? full_span(s->full, span) : span);
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
	struct store_rows *rows;
	struct query_sql sql;
	char err[300];
	bool good;
	int code;

	if (!parse_format(s, FORMAT_JSON) || !parse_fields(s) || !parse_sort(s))
		return CLI_USAGE;
	s->query.limit = 2;
	add_filter(s, SPAN_F_id, QUERY_GTE, slice_str(id));
	add_filter(s, SPAN_F_id, QUERY_LTE, slice_str(id));
	good = query_where(&s->query, &sql, err, sizeof(err));
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
