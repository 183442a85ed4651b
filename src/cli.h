/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: what the subcommands of `spangate` share: one table of them (main.c),
 * one way to read arguments, one form of --help.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"

#define CLI_FLAGS_MAX 24
#define CLI_SETTINGS_MAX 32
#define CLI_GIVEN_MAX 64

/* Exit codes. */
enum cli_exit { CLI_GOOD = 0, CLI_BAD = 1, CLI_USAGE = 2 };

/* The subcommands: argv[0] is the subcommand's name. Each returns an exit code. */
int	cli_serve(int argc, char **argv);
int	cli_check_config(int argc, char **argv);
int	cli_spans(int argc, char **argv);
int	cli_customers(int argc, char **argv);
int	cli_key(int argc, char **argv);
int	cli_journal(int argc, char **argv);
int	cli_verify(int argc, char **argv);
int	cli_prices(int argc, char **argv);
int	cli_sinks(int argc, char **argv);
int	cli_demo(int argc, char **argv);

/* A flag of one subcommand. value: what --help calls its value; NULL: it is a switch. */
struct cli_flag {
	const char	*name;		/* without dashes */
	const char	*value;
	const char	*sentence;
};

struct cli_usage {
	const char	*name;		/* "spans" */
	const char	*words;		/* after it in --help: "list|get ID|export", or "" */
	const char	*text;		/* what it does, some lines each ended by \n */
	const struct cli_flag *flags;
	size_t		 nflags;	/* at most CLI_FLAGS_MAX */
	bool		 serves;	/* the flags of serve mean something to it: --help shows them */
};

struct cli_args {
	const char	*file;		/* of the settings: -c, or the system's if it is there; or NULL */
	bool		 file_given;	/* by -c */
	char		*settings[CLI_SETTINGS_MAX]; /* "data-dir=DIR" for config_load */
	size_t		 nsettings;
	const char	*values[CLI_FLAGS_MAX]; /* of the own flags, by place; "" for a switch; NULL: not given */
	struct cli_given {
		size_t		 flag;		/* its place */
		const char	*value;
	} given[CLI_GIVEN_MAX];		/* the own flags as they came, for those that may be repeated */
	size_t		 ngiven;
	char		**words;	/* what is no flag, in order */
	size_t		 nwords;
};

/*
 * Reads argv[1..]: -c FILE, --help, the flags of settings (--data-dir ...), the
 * own flags, as --name VALUE or --name=VALUE; "--" ends flags. argv is put in
 * order: words point into it. False: the command is done (help was printed, or
 * a line on standard error) and *code is its exit code.
 */
bool	cli_parse(const struct cli_usage *, int argc, char **argv,
	    struct cli_args *, int *code);
void	cli_args_free(struct cli_args *);

/* The settings that the arguments name; NULL: a line was printed. */
struct config	*cli_config(const struct cli_args *);

/* A time (value_time), or how long ago: 90s, 15m, 1h, 2d, 1w; µs since 1970 UTC.
 * False: a line was printed. */
bool	cli_time(const char *flag, const char *text, int64_t *us);

/* The lock of a data directory, with our pid in it: a descriptor that holds it.
 * -1: another process has it (*pid, 32 bytes, says which) or, pid empty, errno
 * says why not. */
int	cli_lock(const char *data_dir, char pid[32]);

/* "spangate: " and the text on standard error; returns CLI_BAD. */
int	cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
