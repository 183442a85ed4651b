/* SPDX-License-Identifier: Apache-2.0 */
/* cli: see cli.h. Called by every subcommand before it does anything. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "cli.h"
#include "store/value.h"

#define SYSTEM_FILE SYSCONFDIR "/spangate/spangate.yaml"

int
cli_fail(const char *fmt, ...)
{
	va_list	ap;

	fputs("spangate: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CLI_BAD;
}

static void
help_print(const struct cli_usage *u)
{
	char	left[64];
	size_t	i;

	printf("usage: spangate %s%s%s [options]\n\n%s\n", u->name,
	    *u->words ? " " : "", u->words, u->text);
	for (i = 0; i < u->nflags; i++) {
		const struct cli_flag *f = &u->flags[i];

		snprintf(left, sizeof(left), "--%s%s%s", f->name,
		    f->value ? " " : "", f->value ? f->value : "");
		config_print_help_line(stdout, left, f->sentence);
	}
	config_print_help_line(stdout, "-c, --config FILE",
	    "File of settings. Default: " SYSTEM_FILE ", if it is there.");
	config_print_help(stdout, u->serves ? NULL : "data-dir");
	config_print_help_line(stdout, "-h, --help", "This text.");
}

static int
usage_fail(const struct cli_usage *u, const char *what, const char *arg)
{
	fprintf(stderr, "spangate %s: %s %s (see spangate %s --help)\n", u->name,
	    what, arg, u->name);
	return CLI_USAGE;
}

/* Where the value of a flag is put. */
struct target {
	const char	**value;	/* a place, or NULL: it is a setting */
	size_t		  flag;		/* of the own flags; CLI_FLAGS_MAX: none of them */
	bool		  is_switch;
};

static bool
target_find(const struct cli_usage *u, struct cli_args *a, struct slice name, struct target *t)
{
	size_t	i;

	*t = (struct target){ .flag = CLI_FLAGS_MAX };
	if (slice_eq(name, SLICE("config"))) {
		t->value = &a->file;
		return true;
	}
	for (i = 0; i < u->nflags; i++)
		if (slice_eq(slice_str(u->flags[i].name), name)) {
			t->value = &a->values[i];
			t->flag = i;
			t->is_switch = u->flags[i].value == NULL;
			return true;
		}
	return config_flag(name, &t->is_switch);
}

/* One "--name", "--name=value" or "-c"; *i moves on where the value is the
 * next argument. 0, or the exit code. */
static int
flag_read(const struct cli_usage *u, struct cli_args *a, int argc, char **argv, int *i)
{
	const char	*arg = strcmp(argv[*i], "-c") == 0 ? "--config" : argv[*i];
	const char	*equals = strchr(arg, '='), *value;
	struct slice	 name;
	struct target	 t;

	if (strncmp(arg, "--", 2) != 0)
		return usage_fail(u, "no such option:", arg);
	name = slice_make(arg + 2, equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2);
	if (!target_find(u, a, name, &t))
		return usage_fail(u, "no such option:", arg);
	if (equals != NULL)
		value = equals + 1;
	else if (t.is_switch)
		value = t.value ? "" : "true";
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return usage_fail(u, "a value is missing after", arg);
	if (t.flag < CLI_FLAGS_MAX) {
		if (a->ngiven == CLI_GIVEN_MAX)
			return usage_fail(u, "too many options, from", arg);
		a->given[a->ngiven++] = (struct cli_given){ t.flag, value };
	}
	if (t.value != NULL)
		*t.value = value;
	else if (a->nsettings == CLI_SETTINGS_MAX)
		return usage_fail(u, "too many options, from", arg);
	else
		a->settings[a->nsettings++] = xasprintf("%.*s=%s", (int)name.len, name.ptr, value);
	return 0;
}

bool
cli_parse(const struct cli_usage *u, int argc, char **argv, struct cli_args *a, int *code)
{
	bool	flags = true;
	int	i;

	memset(a, 0, sizeof(*a));
	a->words = argv + 1;
	for (i = 1; i < argc; i++) {
		if (!flags || argv[i][0] != '-' || argv[i][1] == '\0')
			a->words[a->nwords++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			flags = false;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help_print(u);
			*code = CLI_GOOD;
			cli_args_free(a);
			return false;
		} else if ((*code = flag_read(u, a, argc, argv, &i)) != 0) {
			cli_args_free(a);
			return false;
		}
	}
	if (a->nwords > 0 && *u->words == '\0') {
		*code = usage_fail(u, "unexpected argument:", a->words[0]);
		cli_args_free(a);
		return false;
	}
	a->file_given = a->file != NULL;
	if (a->file == NULL && access(SYSTEM_FILE, F_OK) == 0)
		a->file = SYSTEM_FILE;
	return true;
}

void
cli_args_free(struct cli_args *a)
{
	while (a->nsettings > 0)
		free(a->settings[--a->nsettings]);
}

struct config *
cli_config(const struct cli_args *a)
{
	char		 err[1024];
	struct config	*c;

	c = config_load(a->file, a->settings, a->nsettings, err, sizeof(err));
	if (c == NULL)
		cli_fail("%s", err);
	else
		log_set_level((enum log_level)c->log_level);
	return c;
}

bool
cli_time(const char *flag, const char *text, int64_t *us)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 },
	};
	size_t n = strlen(text);
	int64_t v;

	if (value_time(slice_str(text), us))
		return true;
	for (size_t i = 0; n > 1 && i < sizeof(units) / sizeof(units[0]); i++)
		if (text[n - 1] == units[i].unit && value_int(slice_make(text, n - 1), &v) && v >= 0 &&
		    v < INT64_C(1000000000)) {
			*us = (int64_t)clock_wall_us() - v * units[i].seconds * 1000000;
			return true;
		}
	cli_fail("--%s %s: neither a time such as 2026-11-20T19:05Z nor an age such as 15m, 1h, 2d", flag, text);
	return false;
}

int
cli_lock(const char *data_dir, char pid[32])
{
	char	*path = xasprintf("%s/lock", data_dir), ours[32];
	int	 fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), len;
	ssize_t	 n;

	free(path);
	pid[0] = '\0';
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK) {
			n = read(fd, pid, 31);
			pid[n > 0 ? n : 0] = '\0';
			pid[strcspn(pid, "\n")] = '\0';
			if (*pid == '\0')
				memcpy(pid, "?", 2);
		}
		close(fd);
		return -1;
	}
	len = snprintf(ours, sizeof(ours), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, ours, (size_t)len, 0) != len)
		log_warn("%s/lock: %s", data_dir, strerror(errno));
	return fd;
}
