/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal: money and rates as they are written, without a double between: a
 * JSON number's text to a whole number of 10^-places.
 */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

/* The number times 10^places, rounded half up to a whole. places: 0 to 18. It is
 * digits with a point among them or none, and an exponent or none: all numbers
 * of RFC 8259 that are not negative, and .5 and 007 too. False, *out untouched:
 * it is no such number, or the result is over int64. */
bool	decimal_read(struct slice number, int places, int64_t *out);
/* Appends v * 10^-places without needless zeros: 2.5, 0.000001, -3. */
void	decimal_print(int64_t v, int places, struct buf *);

#endif
