/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_journal: `spangate journal list | check | print`. Reads the journal's
 * files, whether the gateway runs or not; never writes, never takes a lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cli.h"
#include "cli_journal.h"
#include "journal/reader.h"
#include "journal/segment.h"
#include "journal/series.h"
#include "journal/tally.h"

enum journal_flag { FLAG_ID, FLAG_BODIES, FLAGS };

static const struct cli_flag flags[FLAGS] = {
	[FLAG_ID] = { "id", "HEX", "print: only the records of this exchange; the start of an id is enough." },
	[FLAG_BODIES] = { "bodies", NULL, "print: long fields whole." },
};

static const struct cli_usage usage = {
	"journal", "list|check|print [SERIES [POSITION]]",
	"Reads the journal, also while the gateway runs.\n"
	"  list     its series, one for each start and thread\n"
	"  check    reads every record: checksums, chains, counts; exit code 1 on damage\n"
	"  print    the records in words, times in microseconds from the request's start\n"
	"A position is SEGMENT:OFFSET, as print shows it.\n",
	flags, FLAGS, false,
};

struct journal_cli {
	struct cli_args	 args;
	char		*dir;
	/* print */
	char		 id[33];	/* lower-case hex or its start; "" for all */
	bool		 bodies;
	uint64_t	 from;
};

/* What reading a series came upon. */
struct survey {
	const char	*series;
	char		*path;
	struct tally	 tally;
	uint64_t	 records, damage;
	uint32_t	 first_segment;
	bool		 started;	/* the first CHECKPOINT has been seen */
	bool		 check;		/* print damage and follow chains */
};

static void __attribute__((format(printf, 3, 4)))
survey_damage(struct survey *s, uint64_t position, const char *fmt, ...)
{
	va_list ap;

	s->damage++;
	if (!s->check)
		return;
	printf("%s %" PRIu32 ":%" PRIu32 ": ", s->series, position_segment(position),
	    position_offset(position));
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Is a segment still there? While the gateway runs, those that are done with go
 * while they are read, and what they held cannot be missed. */
static bool
survey_has(const struct survey *s, uint32_t number)
{
	return segment_size(s->path, number) >= 0;
}

/* A CHECKPOINT must say what was counted up to it. */
static void
survey_checkpoint(struct survey *s, const struct record *rec, uint64_t at)
{
	uint64_t begun = record_get_u64(rec->payload, TAG_BEGUN, UINT64_MAX);
	uint64_t ended = record_get_u64(rec->payload, TAG_ENDED, 0);

	if (begun == UINT64_MAX)
		return;
	if (s->started && s->damage == 0 && (begun != s->tally.begun || ended != s->tally.ended) &&
	    survey_has(s, position_segment(at) - 1))
		survey_damage(s, at, "checkpoint: %" PRIu64 " begun, %" PRIu64 " ended; counted %" PRIu64
		    " and %" PRIu64, begun, ended, s->tally.begun, s->tally.ended);
	s->started = true;
}

/* A chain must reach its BEGIN, unless that was deleted with its segment. */
static void
survey_chain(struct survey *s, struct reader *r, uint64_t at)
{
	struct chain c;
	int result = chain_read(r, at, &c);

	if (result != READER_RECORD ? survey_has(s, position_segment(at)) : !c.complete &&
	    position_segment(c.records[0].prev) >= s->first_segment &&
	    survey_has(s, position_segment(c.records[0].prev)))
		survey_damage(s, at, "the chain of this record is broken");
	chain_free(&c);
}

static void
survey_record(struct survey *s, struct reader *r, const struct record *rec, uint64_t at)
{
	s->records++;
	if (s->first_segment == 0)
		s->first_segment = position_segment(at);
	if (rec->type == RECORD_CHECKPOINT)
		survey_checkpoint(s, rec, at);
	else if (rec->type == RECORD_BEGIN && opens_find(&s->tally.opens, rec->id) != NULL)
		survey_damage(s, at, "a second BEGIN of its exchange");
	else if (rec->type == RECORD_END && opens_find(&s->tally.opens, rec->id) == NULL)
		survey_damage(s, at, "an END without a BEGIN, or a second one");
	tally_apply(&s->tally, rec, at);
	if (s->check && (rec->type == RECORD_END || rec->type == RECORD_SPAN))
		survey_chain(s, r, at);
}

/* Reads on until there is nothing more. each: for every record. */
static bool
read_series(struct journal_cli *j, const char *series, uint64_t from, struct survey *s,
    void (*each)(struct journal_cli *, const struct record *, uint64_t))
{
	struct record rec;
	char err[300];
	struct reader *r = reader_open(j->dir, series, from, err, sizeof(err));
	uint64_t at;
	int result;

	if (r == NULL) {
		(void)cli_fail("%s", err);
		return false;
	}
	s->path = series_path(j->dir, series);
	while ((result = reader_next(r, &rec, &at)) == READER_RECORD || result == READER_E_CORRUPT) {
		if (result == READER_RECORD) {
			if (each != NULL)
				each(j, &rec, at);
			survey_record(s, r, &rec, at);
			continue;
		}
		survey_damage(s, reader_position(r), "a damaged record or segment");
		reader_skip(r);
	}
	reader_close(r);
	free(s->path);
	if (result == READER_E_VERSION)
		(void)cli_fail("%s/%s: made by a newer spangate", j->dir, series);
	else if (result == READER_E_IO)
		(void)cli_fail("%s/%s: %s", j->dir, series, strerror(errno));
	return result == READER_NONE;
}

static int
list_series(struct journal_cli *j, const char *series)
{
	struct survey s = { .series = series };
	char *path = series_path(j->dir, series);
	bool live = series_locked(path), good;
	uint32_t *list = NULL;
	size_t n = 0;

	good = read_series(j, series, 0, &s, NULL);
	if (segment_list(path, &list, &n) < 0)
		n = 0;
	printf("%-18s %8zu %12" PRIu64 " %10" PRIu64 " %8zu %8" PRIu64 "  %s\n", series, n,
	    segment_total(path), s.records, s.tally.opens.count, s.tally.dropped,
	    live ? "live" : "ended");
	tally_free(&s.tally);
	free(list);
	free(path);
	return good ? CLI_GOOD : CLI_BAD;
}

static int
check_series(struct journal_cli *j, const char *series)
{
	struct survey s = { .series = series, .check = true };
	bool good = read_series(j, series, 0, &s, NULL);

	if (good && s.damage == 0)
		printf("%s: %" PRIu64 " records, %" PRIu64 " begun, %" PRIu64 " ended, %zu open: well\n",
		    series, s.records, s.tally.begun, s.tally.ended, s.tally.opens.count);
	else
		printf("%s: %" PRIu64 " records: DAMAGED (%" PRIu64 ")\n", series, s.records, s.damage);
	tally_free(&s.tally);
	return good && s.damage == 0 ? CLI_GOOD : CLI_BAD;
}

static void
print_one(struct journal_cli *j, const struct record *rec, uint64_t at)
{
	char hex[33];

	hex_encode(rec->id, 16, hex);
	if (strncmp(hex, j->id, strlen(j->id)) == 0)
		journal_print_record(stdout, rec, at, j->bodies);
}

static int
print_series(struct journal_cli *j, const char *series)
{
	struct survey s = { .series = series };
	bool good;

	if (j->args.nwords < 2)
		printf("# %s\n", series);
	good = read_series(j, series, j->from, &s, print_one);
	tally_free(&s.tally);
	return good ? CLI_GOOD : CLI_BAD;
}

/* Does it for the series that was named, or for all. */
static int
each_series(struct journal_cli *j, int (*run)(struct journal_cli *, const char *))
{
	char **list;
	int code = CLI_GOOD;
	size_t i;

	if (j->args.nwords > 1)
		return run(j, j->args.words[1]);
	list = series_list(j->dir);
	if (list == NULL)
		return cli_fail("%s: %s", j->dir, strerror(errno));
	for (i = 0; list[i] != NULL; i++)
		if (run(j, list[i]) != CLI_GOOD)
			code = CLI_BAD;
	series_free(list);
	return code;
}

/* SEGMENT:OFFSET */
static bool
parse_position(const char *text, uint64_t *position)
{
	unsigned long segment, offset = 0;
	char *end;

	segment = strtoul(text, &end, 10);
	if (end == text)
		return false;
	if (*end == ':' && end[1] >= '0' && end[1] <= '9')
		offset = strtoul(end + 1, &end, 10);
	if (*end != '\0' || segment > UINT32_MAX || offset > UINT32_MAX)
		return false;
	*position = position_make((uint32_t)segment, offset);
	return true;
}

/* Hex digits in either case, dashes left out. */
static bool
parse_id(const char *text, char id[33])
{
	size_t n = 0;

	for (; *text != '\0' && n < 33; text++) {
		if (*text == '-')
			continue;
		if (strchr("0123456789abcdefABCDEF", *text) == NULL || n == 32)
			return false;
		id[n++] = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;
	}
	id[n] = '\0';
	return true;
}

static int
journal_run(struct journal_cli *j)
{
	const char *word = j->args.nwords > 0 ? j->args.words[0] : "list";
	const char *id = j->args.values[FLAG_ID];

	j->bodies = j->args.values[FLAG_BODIES] != NULL;
	if (j->args.nwords > (strcmp(word, "print") == 0 ? 3 : 2) ||
	    (j->args.nwords > 1 && !series_name_valid(j->args.words[1]))) {
		(void)cli_fail("journal: that is no series (see spangate journal --help)");
		return CLI_USAGE;
	}
	if ((j->args.nwords > 2 && !parse_position(j->args.words[2], &j->from)) ||
	    (id != NULL && !parse_id(id, j->id))) {
		(void)cli_fail("journal: a position is SEGMENT:OFFSET, an id is up to 32 hex digits");
		return CLI_USAGE;
	}
	if (strcmp(word, "check") == 0)
		return each_series(j, check_series);
	if (strcmp(word, "print") == 0)
		return each_series(j, print_series);
	if (strcmp(word, "list") == 0) {
		printf("%-18s %8s %12s %10s %8s %8s  %s\n", "SERIES", "SEGMENTS", "BYTES", "RECORDS",
		    "OPEN", "NO ROOM", "STATE");
		return each_series(j, list_series);
	}
	(void)cli_fail("journal: list, check or print, not %s", word);
	return CLI_USAGE;
}

int
cli_journal(int argc, char **argv)
{
	struct journal_cli j = { 0 };
	struct config *config;
	int code = CLI_BAD;

	if (!cli_parse(&usage, argc, argv, &j.args, &code))
		return code;
	config = cli_config(&j.args);
	if (config != NULL) {
		j.dir = xasprintf("%s/journal", config->data_dir);
		code = journal_run(&j);
	}
	free(j.dir);
	config_unref(config);
	cli_args_free(&j.args);
	return code;
}
