/* SPDX-License-Identifier: Apache-2.0 */
/* when: points in time, as people and programs write them. */
#ifndef CORE_WHEN_H
#define CORE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

/* µs since 1970 UTC of an RFC 3339 time or its relatives: a date alone, blank
 * instead of T, no seconds, a fraction of any length (cut to µs), Z, an offset,
 * or none (UTC). False: it is none. */
bool	when_read(struct slice, int64_t *us);

#endif
