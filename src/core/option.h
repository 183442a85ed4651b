/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option: typed values of settings as text: parse, check the range, print
 * back. What one setting is stands in a struct option, a row of a table.
 */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include "core/buf.h"

enum option_type {
	OPTION_BOOL,		/* true, false, yes, no, on, off */
	OPTION_COUNT,		/* a whole number */
	OPTION_PERCENT,		/* a whole number, with or without % */
	OPTION_SHARE,		/* a decimal from 0 to 1; value in millionths */
	OPTION_DURATION,	/* a whole number with us, ms, s, m, h or d; value in µs */
	OPTION_SIZE,		/* a whole number, with B, KiB, MiB, GiB, TiB, kB, MB, GB, TB or alone; bytes */
	OPTION_OFFSET,		/* of UTC: +HH:MM or -HH:MM, -12:00 to +14:00; minutes, as int64_t */
	OPTION_ENUM,		/* one of the hint's names; value: its place */
	OPTION_TEXT,		/* any text: not for option_parse */
	OPTION_HASH,		/* 64 hex digits: not for option_parse */
	OPTION_LISTEN,		/* addresses: not for option_parse */
	OPTION_TEXTS,		/* a text or a list of texts: not for option_parse */
	OPTION_EMPTY,		/* a mapping without members yet: not for option_parse */
};

enum option_flags {
	OPTION_RESTART = 1,	/* cannot change while the program runs */
	OPTION_SECRET = 2,	/* its value is never printed */
	OPTION_OFF = 4,		/* "off" is allowed and gives 0, whatever min is */
	OPTION_NEEDED = 8,	/* has no default and must be given */
};

struct option {
	const char	*path;		/* of its member in the file: "journal.max_bytes" */
	const char	*flag;		/* of the command line, without dashes; or NULL */
	enum option_type type;
	uint64_t	 min, max;	/* of the value */
	const char	*deflt;		/* default as text; NULL: none, or it depends */
	const char	*hint;		/* ENUM: names with '|' between; else an example where there is no default */
	unsigned	 flags;
	const char	*sentence;	/* for --help and the sample file */
	unsigned	 scope;		/* the rest is the table owner's: which struct, where in it */
	size_t		 offset, size;
};

enum option_result {
	OPTION_OK = 0,
	OPTION_E_FORM = -1,	/* not a value of this type */
	OPTION_E_RANGE = -2,	/* below min or above max */
};

int	option_parse(const struct option *, struct slice text, uint64_t *value);
/* In the largest unit that divides the value. */
void	option_print(const struct option *, uint64_t value, struct buf *);
/* What a value must look like, in words: "a duration from 1ms to 1h, such as 10s". */
void	option_expect(const struct option *, struct buf *);

#endif
