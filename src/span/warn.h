/* SPDX-License-Identifier: Apache-2.0 */
/* warn: the warnings of one span, each code once, in the order of the table. */
#ifndef SPAN_WARN_H
#define SPAN_WARN_H

#include "core/buf.h"

enum warning {
#define WARNING(symbol, code, sentence) WARN_##symbol,
#include "span/warnings.tbl.h"
#undef WARNING
	WARN_COUNT
};

/* What was being read. Of a body whose bytes are not stored the warnings are. */
enum warn_source { WARN_OF_RECORDS, WARN_OF_REQUEST, WARN_OF_ANSWER, WARN_OF_REST };

/* Codes that the gate noted and this version does not know: how many are kept. */
#define WARN_FOREIGN 16

struct warnings {
	enum warn_source source;		/* of what is added now */
	bool		set[WARN_COUNT];
	enum warn_source from[WARN_COUNT];
	struct slice	detail[WARN_COUNT];	/* goes behind the sentence; lives as long as the build */
	struct slice	foreign[WARN_FOREIGN];
	size_t		nforeign;
};

/* Notes a warning; the first detail (or SLICE_NONE) stays. */
void	warn_add(struct warnings *, enum warning, struct slice detail);
const char *warn_code(enum warning);
/* Notes codes, one a line, as the gate and warn_put write them. */
void	warn_notes(struct warnings *, struct slice lines);
/* Appends those that come of the records or that source, for warn_notes:
 * `code` or `code: detail`, one a line. */
void	warn_put(const struct warnings *, enum warn_source, struct buf *);
/* Appends an object code → sentence. False, nothing appended: there is none. */
bool	warn_json(const struct warnings *, struct buf *);

#endif
