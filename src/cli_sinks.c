/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_sinks: `spangate sinks`: how far each sink has come, its dead letters, and
 * asking for those to be sent again or dropped. All of it is read from the data
 * directory and the store, so it works with the gateway up or down; what is
 * asked is done by the gateway, now or at its next start.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/config.h"
#include "cli.h"
#include "cli_text.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "export/dead.h"
#include "export/kind.h"
#include "export/resend.h"
#include "export/state.h"
#include "store/store.h"

#define LOOK_US 50000		/* how often the gateway's answer is looked for */
#define WAIT_US 10000000	/* longer than that the target may be down for hours */

enum { FORMAT };

static const struct cli_flag flags[] = {
	[FORMAT] = { "format", "FORMAT", "list, dead: table or json. Default: table." },
};

static const struct cli_usage usage = {
	"sinks", "[list] | dead NAME | resend NAME [ID...] | drop NAME [ID...]",
	"list     prints each sink: how many spans it is behind, what it has sent\n"
	"dead     prints the spans that a sink's target refused, and why\n"
	"resend   has the gateway send them again, all or those named\n"
	"drop     has it forget them\n",
	flags, sizeof(flags) / sizeof(flags[0]), false,
};

/* What is known of one sink. */
struct standing {
	const struct sink_config *sink;
	bool		 begun;		/* it has a place */
	struct export_state state;
	struct dead	 dead;
	bool		 lag_known;
	uint64_t	 lag, lag_us;
};

/* How long the first one that is not sent has waited. */
static uint64_t
waited(struct store *store, int64_t n)
{
	const struct span *row;
	struct store_rows *rows;
	uint64_t us = 0, then;

	if (store_sqlite.select_numbers(store, &n, 1, &rows) != STORE_OK)
		return 0;
	if (store_sqlite.next(rows, &row) == STORE_ROW) {
		then = uuid7_ms(row->id16) * 1000;
		us = clock_wall_us() > then ? clock_wall_us() - then : 0;
	}
	store_sqlite.done(rows);
	return us;
}

static void
lag_read(struct store *store, struct standing *s)
{
	struct store_new first[2];
	struct store_news news = { .list = first, .room = 2 };

	if (store == NULL || !s->begun || store_sqlite.news(store, &s->state.place, &news) != STORE_OK)
		return;
	s->lag_known = true;
	s->lag = news.ahead;
	if (news.count > 0 && first[news.count - 1].rev == 0)
		s->lag_us = waited(store, first[news.count > 1 && first[0].rev == 0 ? 0 : news.count - 1].n);
}

static bool
standing_read(const struct config *c, struct store *store, const struct sink_config *sink, struct standing *s)
{
	char *dir = export_dir(c->data_dir, sink->id);
	bool good;

	*s = (struct standing){ .sink = sink };
	s->begun = state_read(dir, &s->state);
	good = s->begun || errno == ENOENT;
	if (!good)
		cli_fail("%s/state: %s", dir, strerror(errno));
	if (!dead_open(&s->dead, dir) && good) {
		good = false;
		cli_fail("%s/dead: %s", dir, strerror(errno));
	}
	lag_read(store, s);
	free(dir);
	return good;
}

static void
time_put(uint64_t us, struct buf *out)
{
	if (us > 0)
		span_time_text((int64_t)us, out);
}

static void
json_print(const struct standing *s, struct buf *out)
{
	const struct export_state *e = &s->state;

	buf_str(out, "{\"name\":");
	buf_json_string(out, slice_str(s->sink->id));
	buf_printf(out, ",\"kind\":\"%s\",\"host\":", export_kinds[s->sink->kind]->name);
	buf_json_string(out, slice_str(s->sink->host));
	if (s->lag_known)
		buf_printf(out, ",\"lag_spans\":%llu,\"lag_seconds\":%llu.%06llu", (unsigned long long)s->lag,
		    (unsigned long long)(s->lag_us / 1000000), (unsigned long long)(s->lag_us % 1000000));
	else
		buf_str(out, ",\"lag_spans\":null,\"lag_seconds\":null");
	buf_printf(out, ",\"sent\":%llu,\"skipped\":%llu,\"gone\":%llu,\"requests\":%llu,\"failed_requests\":%llu,"
	    "\"dead_letters\":%zu,\"last_sent\":\"", (unsigned long long)e->sent, (unsigned long long)e->skipped,
	    (unsigned long long)e->gone, (unsigned long long)e->requests, (unsigned long long)e->failures, s->dead.n);
	time_put(e->sent_at, out);
	buf_str(out, "\",\"last_failure\":\"");
	time_put(e->failed_at, out);
	buf_str(out, "\",\"last_error\":");
	buf_json_string(out, slice_str(e->error));
	buf_str(out, ",\"problem\":");
	buf_json_string(out, slice_str(e->problem));
	buf_str(out, "}\n");
}

static void
number_cell(struct buf *line, uint64_t v, bool known, size_t width)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	text_cell(line, known ? slice_str(text) : SLICE("-"), width, true);
}

static void
table_head(struct buf *out)
{
	static const struct { const char *title; size_t width; bool right; } columns[] = {
		{ "SINK", 16, false }, { "KIND", 8, false }, { "HOST", 24, false }, { "LAG", 9, true },
		{ "SECONDS", 8, true }, { "SENT", 10, true }, { "SKIPPED", 9, true }, { "GONE", 7, true },
		{ "FAILED", 7, true }, { "DEAD", 6, true },
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		text_cell(out, slice_str(columns[i].title), columns[i].width, columns[i].right);
	buf_str(out, "PROBLEM OR LAST ERROR\n");
}

static void
table_print(const struct standing *s, struct buf *out)
{
	const struct export_state *e = &s->state;
	const char *said = *e->problem ? e->problem : e->error;

	text_cell(out, slice_str(s->sink->id), 16, false);
	text_cell(out, slice_str(export_kinds[s->sink->kind]->name), 8, false);
	text_cell(out, slice_str(s->sink->host), 24, false);
	number_cell(out, s->lag, s->lag_known, 9);
	number_cell(out, s->lag_us / 1000000, s->lag_known, 8);
	number_cell(out, e->sent, s->begun, 10);
	number_cell(out, e->skipped, s->begun, 9);
	number_cell(out, e->gone, s->begun, 7);
	number_cell(out, e->failures, s->begun, 7);
	number_cell(out, s->dead.n, true, 6);
	if (!*e->problem && *said) {	/* of some time ago */
		time_put(e->failed_at, out);
		buf_byte(out, ' ');
	}
	text_cell(out, slice_str(said), strlen(said), false);
	buf_byte(out, '\n');
}

static int
out_end(struct buf *out)
{
	bool good = !out->failed && (out->len == 0 || fwrite(out->ptr, 1, out->len, stdout) == out->len) &&
	    fflush(stdout) == 0;

	buf_free(out);
	return good ? CLI_GOOD : cli_fail("standard output cannot be written");
}

static int
list(const struct config *c, bool json)
{
	char err[300];
	struct store *store = store_sqlite.open(c->data_dir, false, err, sizeof(err));
	struct standing s;
	struct buf out;
	int code = CLI_GOOD;

	buf_init(&out, MIB);
	if (!json)
		table_head(&out);
	for (size_t i = 0; i < c->nsinks && code == CLI_GOOD; i++) {
		if (!standing_read(c, store, &c->sinks[i], &s))
			code = CLI_BAD;
		else if (json)
			json_print(&s, &out);
		else
			table_print(&s, &out);
		dead_close(&s.dead);
	}
	if (store != NULL)
		store_sqlite.close(store);
	if (code == CLI_GOOD && c->nsinks == 0 && !json) {
		buf_clear(&out);
		buf_str(&out, "the settings have no sinks\n");
	}
	if (code == CLI_GOOD)
		return out_end(&out);
	buf_free(&out);
	return code;
}

static void
letter_print(const struct dead_letter *d, bool json, struct buf *out)
{
	char id[33];

	hex_encode(d->id, 16, id);
	if (json) {
		buf_printf(out, "{\"id\":\"%s\",\"time\":\"", id);
		span_time_text(d->time_us, out);
		buf_printf(out, "\",\"status\":%u,\"tries\":%u,\"text\":", d->status, d->tries);
		buf_json_string(out, slice_str(d->text));
		buf_str(out, "}\n");
		return;
	}
	buf_printf(out, "%s ", id);
	span_time_text(d->time_us, out);
	buf_byte(out, ' ');
	number_cell(out, d->status, d->status > 0, 6);
	number_cell(out, d->tries, true, 5);
	text_cell(out, slice_str(d->text), strlen(d->text), false);
	buf_byte(out, '\n');
}

static int
dead_list(const char *dir, bool json)
{
	struct dead d;
	struct buf out;

	buf_init(&out, 64 * MIB);
	if (!dead_open(&d, dir)) {
		dead_close(&d);
		return cli_fail("%s/dead: %s", dir, strerror(errno));
	}
	if (!json)
		buf_printf(&out, "%-32s %-27s %6s %5s %s\n", "ID", "REFUSED", "STATUS", "TRIES", "WHY");
	for (size_t i = 0; i < d.n; i++)
		letter_print(&d.list[i], json, &out);
	dead_close(&d);
	return out_end(&out);
}

/* The ids of the command line; all where there are none. */
static int
ids_read(const struct cli_args *a, const char *dir, struct resend *r)
{
	struct dead d;
	int code = CLI_GOOD;

	r->all = a->nwords == 2;
	r->ids = xmalloc((a->nwords + 1) * sizeof(*r->ids));
	if (!dead_open(&d, dir))
		code = cli_fail("%s/dead: %s", dir, strerror(errno));
	for (size_t i = 2; i < a->nwords && code == CLI_GOOD; i++) {
		if (hex_decode(slice_str(a->words[i]), r->ids[r->n], 16) != 0)
			code = cli_fail("%s is no id of a span", a->words[i]);
		else if (dead_find(&d, r->ids[r->n++]) == NULL)
			code = cli_fail("%s is none of the dead letters", a->words[i]);
	}
	if (code == CLI_GOOD && d.n == 0)
		code = cli_fail("there are no dead letters");
	dead_close(&d);
	return code;
}

/* Waits for the gateway's answer, where one runs. */
static int
wait_answer(const struct config *c, const char *dir)
{
	uint64_t until = clock_mono_us() + WAIT_US;
	char pid[32], answer[200];
	int lock = cli_lock(c->data_dir, pid);

	if (lock >= 0) {
		close(lock);
		puts("the gateway does it at its next start");
		return CLI_GOOD;
	}
	while (!resend_answered(dir, answer)) {
		if (clock_mono_us() >= until) {
			puts("the gateway does it as soon as the target answers");
			return CLI_GOOD;
		}
		usleep(LOOK_US);
	}
	puts(answer);
	return CLI_GOOD;
}

static int
ask(const struct cli_args *a, const struct config *c, const char *dir, bool drop)
{
	struct resend r = { .drop = drop };
	int code = ids_read(a, dir, &r);

	if (code == CLI_GOOD && !resend_ask(dir, &r))
		code = errno == EEXIST ? cli_fail("the gateway has not done yet what was asked before") :
		    cli_fail("%s: the gateway cannot be asked: %s", dir, strerror(errno));
	resend_free(&r);
	return code == CLI_GOOD ? wait_answer(c, dir) : code;
}

/* What is about one sink. */
static int
run_one(const struct cli_args *a, const struct config *c, bool json)
{
	const char *what = a->words[0];
	char *dir;
	int code;

	if (config_sink(c, slice_str(a->words[1])) == NULL)
		return cli_fail("the settings have no sink %s", a->words[1]);
	dir = export_dir(c->data_dir, a->words[1]);
	if (strcmp(what, "dead") == 0)
		code = dead_list(dir, json);
	else
		code = ask(a, c, dir, strcmp(what, "drop") == 0);
	free(dir);
	return code;
}

static int
run(const struct cli_args *a)
{
	const char *format = a->values[FORMAT] ? a->values[FORMAT] : "table", *what = a->nwords > 0 ? a->words[0] : "list";
	bool json = strcmp(format, "json") == 0;
	struct config *c;
	int code;

	if (!json && strcmp(format, "table") != 0)
		return cli_fail("--format %s: table or json", format);
	if ((c = cli_config(a)) == NULL)
		return CLI_BAD;
	if (strcmp(what, "list") == 0 && a->nwords <= 1)
		code = list(c, json);
	else if ((strcmp(what, "dead") == 0 && a->nwords == 2) ||
	    ((strcmp(what, "resend") == 0 || strcmp(what, "drop") == 0) && a->nwords >= 2))
		code = run_one(a, c, json);
	else {
		cli_fail("sinks: list, dead NAME, resend NAME [ID...] or drop NAME [ID...] (see spangate sinks --help)");
		code = CLI_USAGE;
	}
	config_unref(c);
	return code;
}

int
cli_sinks(int argc, char **argv)
{
	struct cli_args a;
	int code;

	if (!cli_parse(&usage, argc, argv, &a, &code))
		return code;
	code = run(&a);
	cli_args_free(&a);
	return code;
}
