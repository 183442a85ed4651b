/* SPDX-License-Identifier: Apache-2.0 */
/* times: µs as they stand in records, and as they are printed. */
#ifndef SPAN_TIMES_H
#define SPAN_TIMES_H

#include "core/record.h"

#define TIME_NONE INT64_MIN
#define TIME_MAX ((int64_t)1 << 53)	/* more is damage: 285 years of µs */

struct build;

/* A time field of a record, TIME_NONE when absent or impossible. */
int64_t	time_get(struct slice payload, enum record_tag);
/* a - b, no less than 0; TIME_NONE if either is. */
int64_t	time_since(int64_t a, int64_t b);
/* Appends µs as seconds without needless zeros. */
void	time_secs_text(int64_t us, struct buf *);
/* Sets the span's times, breakdown, inter_token and tokens_per_second from
 * the records and what the answer showed. */
void	times_finish(struct build *);

#endif
