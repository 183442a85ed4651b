/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hide: the stream filter for usage that the gateway asked for and the client
 * did not. Takes the bytes of a chat stream and gives back the same bytes less
 *  - every event whose JSON has `choices: []`, a non-null `usage` and nothing
 *    else than the envelope (id, object, created, model, system_fingerprint,
 *    service_tier, obfuscation), and
 *  - the member `"usage":null` of the other events, with its comma.
 * (The second is seen from the end of the data where it stands there; whether
 * all before it is good JSON is then not asked.)
 * Everything else passes as it stands, comments and line ends too, and so does
 * an event with more than one data line. An event that has begun is held back
 * at most LIMIT_HELD_EVENT, then let go as it is.
 */
#ifndef CORE_HIDE_H
#define CORE_HIDE_H

#include "core/buf.h"

struct hide {
	struct buf	 held;		/* an event whose bytes came in several feeds */
	const char	*pos, *end;	/* what was fed and not yet given */
	const char	*scan;		/* how far it was read */
	const char	*begin;		/* of the event being read, where it is not held */
	size_t		 lines;		/* of the event, its blank line too */
	size_t		 given;		/* of held, while that is handed out */
	size_t		 from, to;	/* of held, what is left out */
	int		 mode;
	unsigned	 state;
	bool		 seen_usage;	/* a usage-only event was taken out */
};

void	hide_init(struct hide *);
void	hide_free(struct hide *);
/* Lends the bytes until hide_next has returned false. */
void	hide_feed(struct hide *, struct slice bytes);
/* A piece to pass on; it lives until the next call. False: feed more. */
bool	hide_next(struct hide *, struct slice *piece);
/* The stream ended: what is held comes out of hide_next, an unfinished last
 * event as it is. */
void	hide_finish(struct hide *);

#endif
