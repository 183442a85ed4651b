/* SPDX-License-Identifier: Apache-2.0 */
/* backoff: how long to wait before the next try. Pure. */
#ifndef EXPORT_BACKOFF_H
#define EXPORT_BACKOFF_H

#include <stdint.h>

#define BACKOFF_ASKED_MOST ((uint64_t)3600 * 1000000)	/* of what a target asks for in Retry-After */

/*
 * After so many failures in a row (1 at first): a random part of min_us * 2^(failures - 1), at
 * most max_us, so that many senders do not come back together. asked_us: what
 * the target asked for (0: nothing), which is waited besides a little of that.
 * random: any number.
 */
uint64_t backoff_pause(unsigned failures, uint64_t min_us, uint64_t max_us, uint64_t asked_us, uint64_t random);

#endif
