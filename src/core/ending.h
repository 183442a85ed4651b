/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending: keeps back the end of an answer to which something is to be added.
 * Of a JSON object that is its last bracket, of an event stream the event
 * `data: [DONE]`, with all that comes behind. Everything before passes as it
 * is fed; only bytes that may be the beginning of the end wait, and they are at
 * most LIMIT_HELD_END. Put together, what it gives and what it holds is what it
 * was fed.
 */
#ifndef CORE_ENDING_H
#define CORE_ENDING_H

#include "core/buf.h"

enum ending_kind { ENDING_JSON, ENDING_EVENTS };

struct ending {
	enum ending_kind kind;
	struct buf	 held;		/* what waits */
	bool		 done;		/* events: [DONE] is held */
	bool		 full;		/* there was more than may wait: it all passes now */
	/* private */
	int		 state;
	size_t		 at;		/* bytes of the [DONE] line that were matched */
	size_t		 count;		/* bytes of the event being held */
	bool		 cr;		/* the last byte was a CR */
	bool		 release;	/* held goes out first */
	int		 step;		/* of giving */
	struct slice	 pass, rest;	/* of what was fed: to go, and to wait */
};

void	ending_init(struct ending *, enum ending_kind);
void	ending_free(struct ending *);
/* Lends the bytes until ending_next has returned false. */
void	ending_feed(struct ending *, struct slice bytes);
/* A piece to pass on; it lives until the next call. False: feed more. */
bool	ending_next(struct ending *, struct slice *piece);
/* Where nothing more comes: the line ends that an event which is to follow the
 * bytes so far needs before it. */
const char *ending_gap(const struct ending *);

#endif
