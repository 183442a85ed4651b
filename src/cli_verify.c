/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_verify: `spangate verify`: do the books balance? For each journal series
 * the BEGINs that its writer counted must be what the sink stored or set aside
 * plus what is open, at the sink's cursor; and the rows of the store must be
 * what was stored less what was removed; and the sums of costs must be those
 * over the rows. Works with the gateway running:
 * everything is compared at the cursor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli.h"
#include "core/limits.h"
#include "journal/reader.h"
#include "store/store.h"

#define TRIES 3

#define ROLLUPS_MAX 2000000		/* rows that are counted unasked: half a minute */

enum verify_flag { FLAG_ROLLUPS, FLAGS };

static const struct cli_flag flags[FLAGS] = {
	[FLAG_ROLLUPS] = { "rollups", NULL, "Count the costs anew also where there are more than 2 million spans." },
};

static const struct cli_usage usage = {
	"verify", "",
	"Compares what the journal began with what the store holds, series by series,\n"
	"and the sums of requests, tokens and costs with the spans.\n"
	"Exit code 1: the books do not balance, or could not be read.\n",
	flags, FLAGS, false,
};

struct verify {
	FILE		*out;
	char		*journal;
	struct store	*store;
	struct store_cursor *cursors;
	size_t		 ncursors;
	uint64_t	 stored, dropped;	/* sums over the cursors */
	bool		 rollups;		/* however many rows there are */
	bool		 bad;
};

static bool
in_list(char **names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static void
print_line(struct verify *v, const char *series, const char *begun, const struct store_cursor *c, uint64_t open,
    uint64_t unwritten, const char *words)
{
	fprintf(v->out, "%-18s %10s %10llu %8llu %8llu %10llu  %s\n", series, begun, (unsigned long long)c->stored,
	    (unsigned long long)c->dropped, (unsigned long long)open, (unsigned long long)unwritten, words);
}

/* One series at the sink's cursor. The journal deletes a series when its writer
 * has closed it and all of it is behind the cursor: what was noted at its end,
 * if that was seen, has to do then. */
static bool
verify_series(struct verify *v, const struct store_cursor *c, char **names)
{
	struct series_count count = { .begun = c->begun };
	const char *words = c->finished ? "finished" : "";
	char err[200], begun[24];
	bool balanced;

	if (!in_list(names, c->series)) {
		if (!c->finished)
			count.begun = c->stored + c->dropped;
		words = "deleted";
	} else if (series_count(v->journal, c->series, c->position, &count, err, sizeof(err)) < 0) {
		print_line(v, c->series, "?", c, 0, 0, err);
		return false;
	}
	balanced = count.begun == c->stored + c->dropped + count.open;
	snprintf(begun, sizeof(begun), "%llu", (unsigned long long)count.begun);
	print_line(v, c->series, begun, c, count.open, count.dropped,
	    balanced ? words : "DOES NOT BALANCE: begun is not stored + set aside + open");
	return balanced;
}

/* A series that the sink has not begun to read. */
static bool
verify_fresh(struct verify *v, const char *series)
{
	struct store_cursor none = { .position = 0 };

	print_line(v, series, "-", &none, 0, 0, "not read yet");
	return true;
}

/* The sums beside what the spans add up to. */
static bool
verify_rollups(struct verify *v, uint64_t rows)
{
	struct buf lines;
	uint64_t cells;
	bool equal;
	int rc;

	if (rows > ROLLUPS_MAX && !v->rollups) {
		fprintf(v->out, "rollups: not counted, as there are many spans (--rollups does it)\n");
		return true;
	}
	buf_init(&lines, 64 * KIB);
	rc = store_sqlite.check_rollups(v->store, &lines, &cells);
	equal = rc == STORE_OK && lines.len == 0;
	if (rc != STORE_OK)
		cli_fail("the rollups cannot be counted: %s", store_sqlite.error(v->store));
	else
		fprintf(v->out, "rollups: %llu cells, %s\n%.*s", (unsigned long long)cells,
		    equal ? "equal" : "DIFFERENT, among them", (int)lines.len, lines.len ? lines.ptr : "");
	buf_free(&lines);
	return equal;
}

static bool
verify_rows(struct verify *v)
{
	struct store_totals t;
	uint64_t expected;

	if (store_sqlite.totals(v->store, &t) != STORE_OK) {
		cli_fail("the store cannot be read: %s", store_sqlite.error(v->store));
		return false;
	}
	expected = v->stored + t.past + t.given - t.expired - t.removed - t.duplicates;
	fprintf(v->out, "\nstored %llu + of deleted series %llu + given %llu - past retention %llu - deleted %llu"
	    " - stored twice %llu"
	    " = %llu; rows %llu%s\n",
	    (unsigned long long)v->stored, (unsigned long long)t.past, (unsigned long long)t.given,
	    (unsigned long long)t.expired,
	    (unsigned long long)t.removed, (unsigned long long)t.duplicates, (unsigned long long)expected,
	    (unsigned long long)t.rows, expected == t.rows ? "" : ": DOES NOT BALANCE");
	if (v->dropped + t.past_dropped > 0)
		fprintf(v->out, "set aside in quarantine without a row: %llu\n",
		    (unsigned long long)(v->dropped + t.past_dropped));
	return verify_rollups(v, t.rows) && expected == t.rows;
}

static bool
has_cursor(const struct verify *v, const char *series)
{
	for (size_t i = 0; i < v->ncursors; i++)
		if (strcmp(v->cursors[i].series, series) == 0)
			return true;
	return false;
}

/* The whole comparison, over one snapshot of the store. */
static bool
verify_all(struct verify *v)
{
	char **names = series_list(v->journal);
	bool good = true;

	fprintf(v->out, "%-18s %10s %10s %8s %8s %10s\n", "SERIES", "BEGUN", "STORED", "ASIDE", "OPEN", "NO ROOM");
	for (size_t i = 0; i < v->ncursors; i++) {
		good = verify_series(v, &v->cursors[i], names) && good;
		v->stored += v->cursors[i].stored;
		v->dropped += v->cursors[i].dropped;
	}
	for (char **name = names; name && *name; name++)
		if (!has_cursor(v, *name))
			good = verify_fresh(v, *name) && good;
	if (names)
		series_free(names);
	good = verify_rows(v) && good;
	fputs(good ? "the books balance\n" : "the books do not balance\n", v->out);
	return good;
}

static bool
verify_once(struct verify *v)
{
	bool good = false;

	v->stored = v->dropped = 0;
	if (store_sqlite.begin(v->store) != STORE_OK ||
	    store_sqlite.cursors(v->store, &v->cursors, &v->ncursors) != STORE_OK)
		cli_fail("the store cannot be read: %s", store_sqlite.error(v->store));
	else
		good = verify_all(v);
	store_sqlite.rollback(v->store);
	free(v->cursors);
	v->cursors = NULL;
	return good;
}

/* A running gateway may delete what is being looked at: then once more, with
 * the cursors of that moment. */
static int
verify_run(struct verify *v)
{
	char *text = NULL;
	size_t len = 0;
	bool good = false;

	for (int tries = 0; tries < TRIES && !good; tries++) {
		free(text);
		text = NULL;
		v->out = open_memstream(&text, &len);
		if (!v->out)
			return cli_fail("out of memory");
		good = verify_once(v);
		fclose(v->out);
	}
	fwrite(text, 1, len, stdout);
	free(text);
	return good ? CLI_GOOD : CLI_BAD;
}

static int
verify_open(const struct config *config, bool rollups)
{
	struct verify v = { .journal = xasprintf("%s/journal", config->data_dir), .rollups = rollups };
	char err[300];
	int code;

	v.store = store_sqlite.open(config->data_dir, false, err, sizeof(err));
	code = v.store ? verify_run(&v) : cli_fail("%s", err);
	store_sqlite.close(v.store);
	free(v.journal);
	return code;
}

int
cli_verify(int argc, char **argv)
{
	struct cli_args args;
	struct config *config;
	int code = CLI_BAD;

	if (!cli_parse(&usage, argc, argv, &args, &code))
		return code;
	config = cli_config(&args);
	if (config)
		code = verify_open(config, args.values[FLAG_ROLLUPS] != NULL);
	config_unref(config);
	cli_args_free(&args);
	return code;
}
