/* SPDX-License-Identifier: Apache-2.0 */
/* period: the days that budgets are of, beside days that are counted one by one. */
#include <stdio.h>
#include <string.h>

#include "core/when.h"
#include "store/period.h"
#include "tap.h"

static int64_t
day(const char *text)
{
	int64_t us = 0;

	if (!when_read(slice_str(text), &us))
		printf("# no time: %s\n", text);
	return period_day(us, 0);
}

static void
is(const char *details, const char *on, const char *from, const char *to)
{
	struct jvalue v;
	int64_t f, t;

	(void)jscan_check(slice_str(details), &v, NULL);
	period_of(v, day(on), &f, &t);
	if (!tap_ok(f == day(from) && t == day(to), __FILE__, __LINE__, details))
		printf("# on %s: %lld to %lld, not %lld to %lld\n", on, (long long)f, (long long)t, (long long)day(from),
		    (long long)day(to));
}

/* Periods follow on each other and hold their days, over 500 years. */
static void
whole(const char *details)
{
	int64_t from, to, before = INT64_MIN;
	struct jvalue v;
	bool good = true;

	(void)jscan_check(slice_str(details), &v, NULL);
	for (int64_t d = day("1900-01-01"); d < day("2400-01-01") && good; d++) {
		period_of(v, d, &from, &to);
		good = from <= d && d < to && (before == INT64_MIN || from == before || d == from);
		before = from;
	}
	ok(good);
}

int
main(void)
{
	is("{}", "2026-11-27", "2026-11-01", "2026-12-01");
	is("{\"budget_duration\":\"monthly\"}", "2024-02-29", "2024-02-01", "2024-03-01");
	is("{\"budget_duration\":\"Daily\"}", "2026-11-27", "2026-11-27", "2026-11-28");
	is("{\"budget_duration\":\"weekly\"}", "2026-11-27", "2026-11-23", "2026-11-30");
	is("{\"budget_duration\":\"weekly\"}", "1969-12-28", "1969-12-22", "1969-12-29");
	is("{\"budget_duration\":\"yearly\"}", "2024-12-31", "2024-01-01", "2025-01-01");
	is("{\"budget_duration\":\"fortnightly\"}", "2026-01-31", "2026-01-01", "2026-02-01");
	is("{\"budget_duration\":\"monthly\",\"period_start\":\"2026-01-31\"}", "2026-02-28", "2026-02-28", "2026-03-31");
	is("{\"budget_duration\":\"monthly\",\"period_start\":\"2026-01-31\"}", "2026-02-27", "2026-01-31", "2026-02-28");
	is("{\"period_start\":\"2026-11-15T10:00:00Z\"}", "2026-11-14", "2026-10-15", "2026-11-15");
	is("{\"budget_duration\":\"weekly\",\"period_start\":\"2026-11-25\"}", "2026-11-24", "2026-11-18", "2026-11-25");
	is("{\"budget_duration\":\"yearly\",\"period_start\":\"2024-02-29\"}", "2025-02-28", "2025-02-28", "2026-02-28");
	is("{\"period_start\":\"2026-11-10\",\"period_end\":\"2026-11-20\"}", "2026-11-19", "2026-11-10", "2026-11-20");
	is("{\"period_start\":\"2026-11-10\",\"period_end\":\"2026-11-20\"}", "2026-11-20", "2026-11-10", "2026-12-10");
	whole("{}");
	whole("{\"budget_duration\":\"weekly\"}");
	whole("{\"budget_duration\":\"yearly\",\"period_start\":\"2024-02-29\"}");
	whole("{\"budget_duration\":\"monthly\",\"period_start\":\"2023-08-31\"}");
	ok(period_day(0, 0) == 0 && period_day(-1, 0) == -1);
	ok(period_day(INT64_C(86400) * 1000000 - 1, 60) == 1 && period_day(0, -60) == -1);
	return done();
}
