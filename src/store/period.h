/* SPDX-License-Identifier: Apache-2.0 */
/*
 * period: the days that a customer's budget is of. Pure, over the details that
 * people set of a customer (PATCH /api/users): budget_duration, period_start,
 * period_end.
 */
#ifndef STORE_PERIOD_H
#define STORE_PERIOD_H

#include <stdint.h>

#include "core/jscan.h"

/*
 * The period that the day is in, *from <= day < *to, days since 1970-01-01:
 * from period_start to period_end, where both are told and hold the day; else
 * periods of budget_duration (daily, weekly, monthly, yearly; monthly if it is
 * none of these) that follow on period_start, or, without one, are those of the
 * calendar, weeks from Monday.
 */
void	period_of(struct jvalue details, int64_t day, int64_t *from, int64_t *to);

/* The day of a time (µs), where days begin so many minutes before UTC's. */
int64_t	period_day(int64_t us, int offset_minutes);

#endif
