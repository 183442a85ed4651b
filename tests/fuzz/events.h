/* SPDX-License-Identifier: Apache-2.0 */
/* events: counts what a stream's reader sees in it. */
#ifndef EVENTS_H
#define EVENTS_H

#include "core/limits.h"
#include "core/sse.h"

/* Events of a stream, an unfinished last one too. */
static inline size_t
event_count(struct slice stream)
{
	struct sse_event ev;
	struct sse s;
	size_t n = 0;

	sse_init(&s, MIB);
	sse_feed(&s, stream);
	while (sse_next(&s, &ev) != 0)
		n++;
	sse_finish(&s);
	while (sse_next(&s, &ev) != 0)
		n++;
	sse_free(&s);
	return n;
}

#endif
