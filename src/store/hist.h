/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist: how often spans of time were so and so long, in µs. Pure. The bounds
 * are fixed, so that histograms of any days and customers add up: eight
 * buckets to each doubling, 2^(k/8) µs, each 9 % wide; what is under 1 µs is
 * in the first, what is over 2^42 µs (50 days) in the last.
 *
 * A histogram rests as bytes: for each bucket that is not empty, ascending,
 * how many it is after the one before (the first: after -1) and its count,
 * both LEB128. Equal histograms are equal bytes; an empty one has none.
 */
#ifndef STORE_HIST_H
#define STORE_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

#define HIST_BUCKETS 337
#define HIST_ONE 8		/* bytes of a histogram of one value, at most */
#define HIST_LIMIT (HIST_BUCKETS * 12)

struct hist {
	uint64_t	n[HIST_BUCKETS];
};

unsigned hist_bucket(int64_t us);
/* The least value of a bucket, 0 of the first; HIST_BUCKETS: where the last one ends. */
int64_t	hist_bound(unsigned bucket);

/* The bytes of a histogram that holds one value; how many. */
size_t	hist_one(int64_t us, char out[HIST_ONE]);
/* Adds (sign 1) or takes off (-1) what the bytes say; no count falls below 0.
 * False: they are no histogram, of which what could be read is in. */
bool	hist_add(struct hist *, struct slice bytes, int sign);
/* Appends its bytes. */
void	hist_write(const struct hist *, struct buf *);

/* Adds one value to a histogram's bytes, or takes it off. */
void	hist_change(struct buf *bytes, int64_t us, int sign);

uint64_t hist_count(const struct hist *);
/* The value below which a share q (0 to 1) of what was counted lies, within
 * the bucket of the right one; -1: nothing was counted. */
int64_t	hist_quantile(const struct hist *, double q);

#endif
