/* SPDX-License-Identifier: Apache-2.0 */
/* cli_spans_print: spans as a table, JSON, JSON lines or CSV on standard output. */
#ifndef CLI_SPANS_PRINT_H
#define CLI_SPANS_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "api/export.h"
#include "span/span.h"

enum spans_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV };

struct spans_print {
	enum spans_format format;
	const int	*fields;	/* enum span_field; NULL: the format's own */
	size_t		 nfields;
	bool		 full;		/* full_request and full_response too */
	unsigned	 width;		/* of the terminal */
	FILE		*out;

	size_t		 printed;
	struct export	 export;	/* all formats but the table */
	struct buf	 line;
};

/* false: no such format. */
bool	spans_format_by_name(const char *, enum spans_format *);
/* Does it print what rows do not hold? */
bool	spans_print_needs_full(const struct spans_print *);

void	spans_print_start(struct spans_print *);
/* False: standard output cannot be written any more. */
bool	spans_print(struct spans_print *, const struct span *);
bool	spans_print_end(struct spans_print *);
/* Writes what was printed so far, always whole spans; at the latest when there
 * is a block of it. False as above. */
#define SPANS_PRINT_BLOCK 65536u
bool	spans_print_flush(struct spans_print *);

/* One span as JSON that people can read: a member a line. */
bool	spans_print_one(struct spans_print *, const struct span *);

#endif
