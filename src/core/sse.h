/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse: splits an event stream (WHATWG HTML, "event stream interpretation")
 * into events. LF, CRLF and CR end lines; fed whole or a byte at a time it
 * gives the same events.
 */
#ifndef CORE_SSE_H
#define CORE_SSE_H

#include "core/buf.h"

struct sse_event {
	struct slice	type;		/* of `event:`; SLICE_NONE without one */
	struct slice	data;		/* `data:` lines joined by LF */
	uint64_t	start, end;	/* bytes of the stream it spans, blank line included */
};

struct sse {
	struct buf	 text;		/* data of the event being read */
	struct buf	 type;
	struct buf	 line;		/* a line not yet ended */
	const char	*pos, *end;	/* what was fed and not yet read */
	uint64_t	 offset;	/* in the stream, of pos */
	uint64_t	 start;		/* of the event being read */
	int		 state;
	bool		 given;		/* text and type were handed out: clear first */
};

/* limit: most bytes of one event (LIMIT_EVENT); what is longer is cut and
 * sse_next says so. */
void	sse_init(struct sse *, size_t limit);
void	sse_free(struct sse *);

/* Lends the bytes until sse_next has returned 0. All former ones must have
 * been read. */
void	sse_feed(struct sse *, struct slice bytes);
/* 1: an event (its slices live until the next call), 0: feed more, -1: an
 * event was over the limit and left out. Comments and unknown fields are
 * passed over; an event without a data line is none. */
int	sse_next(struct sse *, struct sse_event *);
/* The stream has ended: a last event without its blank line comes out of
 * sse_next. */
void	sse_finish(struct sse *);

#endif
