/* SPDX-License-Identifier: Apache-2.0 */
/* gaps: the times between a stream's successive content events. */
#ifndef SPAN_GAPS_H
#define SPAN_GAPS_H

#include "core/buf.h"

struct gaps {
	struct buf	list;	/* uint32_t each, µs */
	bool		begun;
	int64_t		last;	/* time of the last content event */
	int64_t		held;	/* sum of HELD up to it */
};

void	gaps_init(struct gaps *);
void	gaps_free(struct gaps *);
/* A content event at time t; held: µs in which the client had held the
 * provider back, summed since the stream began. */
void	gaps_event(struct gaps *, int64_t t, int64_t held);
/* Appends {"p50":…,"p99":…,"max":…,"held":…} in seconds. False, nothing
 * appended: there were fewer than two events. Reorders the list. */
bool	gaps_json(struct gaps *, int64_t held, struct buf *);

#endif
