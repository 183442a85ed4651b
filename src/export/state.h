/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: what a sink knows of itself over restarts: how far it has come and what
 * it has done, in DATA/export/NAME/state, a JSON object. Written by the sink's
 * thread, read by it at its start and by the command line at any time.
 */
#ifndef EXPORT_STATE_H
#define EXPORT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"
#include "store/news.h"

struct export_state {
	struct store_place place;
	uint64_t	 sent, dead, skipped, gone;	/* spans, each time that they were */
	uint64_t	 requests, failures;		/* of all requests, those that were not taken */
	uint64_t	 sent_at, failed_at;		/* µs since 1970, 0: never */
	char		 error[200];			/* of the last failure */
	char		 problem[200];			/* what is wrong now; "": nothing */
};

/* DATA/export/NAME; the caller frees it. */
char	*export_dir(const char *data_dir, const char *name);
/* Of the file's text; false: that is no state. */
bool	 state_parse(struct slice, struct export_state *);
/* False, with errno: there is none, or it cannot be read. */
bool	 state_read(const char *dir, struct export_state *);
/* Whole or not at all, on disk when it returns. False: errno says why. */
bool	 state_write(const char *dir, const struct export_state *);

#endif
