/* SPDX-License-Identifier: Apache-2.0 */
/* value: texts that people and clients send, as a span's typed values. Pure. */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

/* RFC 3339 and its relatives: a date alone, blank instead of T, no seconds, a
 * fraction of any length (cut to µs), Z, an offset, or none (UTC). */
bool	value_time(struct slice, int64_t *us);
/* A decimal number, exponent allowed, times 10^digits, rounded half away from
 * zero: "0.00125" with 12 digits is 1250000000. */
bool	value_decimal(struct slice, unsigned digits, int64_t *out);
bool	value_int(struct slice, int64_t *out);
bool	value_num(struct slice, double *out);
/* true, false, 1, 0; any case. */
bool	value_bool(struct slice, bool *out);
/* 32 hex digits, or a UUID with hyphens. */
bool	value_id(struct slice, uint8_t out[16]);

/* s less what is over n bytes, never cut inside a UTF-8 character. */
struct slice value_cut(struct slice s, size_t n);

#endif
