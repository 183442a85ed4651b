/* SPDX-License-Identifier: Apache-2.0 */
/* period: see period.h. The calendar is Gregorian, days begin where the store's do. */
#include "store/period.h"

#include "core/when.h"

#define DAY_US (INT64_C(86400) * 1000000)

struct date {
	int64_t		 year;
	int		 month, day;	/* from 1 */
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
period_day(int64_t us, int offset_minutes)
{
	return floor_div(us + offset_minutes * INT64_C(60000000), DAY_US);
}

static bool
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int
month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of the year. */
static int64_t
year_start(int64_t y)
{
	y--;
	return 365 * (y - 1969) + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - 477;
}

static struct date
date_of(int64_t day)
{
	struct date d = { .year = 1970 + floor_div(day, 366), .month = 1 };

	while (year_start(d.year + 1) <= day)
		d.year++;
	day -= year_start(d.year);
	for (; day >= month_days(d.year, d.month); d.month++)
		day -= month_days(d.year, d.month);
	d.day = (int)day + 1;
	return d;
}

/* The day of a date so many months later; the last of a month that has no such day. */
static int64_t
day_after(struct date d, int64_t months)
{
	int64_t month = d.month - 1 + months, year = d.year + floor_div(month, 12), day = year_start(year);
	int m, last;

	month -= floor_div(month, 12) * 12;
	for (m = 1; m <= month; m++)
		day += month_days(year, m);
	last = month_days(year, m);
	return day + (d.day < last ? d.day : last) - 1;
}

static bool
day_read(struct jvalue details, struct slice name, int64_t *day)
{
	int64_t us;

	if (!when_read(jstring_plain(jget(details, name)), &us))
		return false;
	*day = floor_div(us, DAY_US);
	return true;
}

/* Periods of so many months from the anchor on. */
static void
months_of(int64_t anchor, int months, int64_t day, int64_t *from, int64_t *to)
{
	struct date a = date_of(anchor), d = date_of(day);
	int64_t k = floor_div((d.year - a.year) * 12 + d.month - a.month, months);

	while (day_after(a, (k + 1) * months) <= day)
		k++;
	while (day_after(a, k * months) > day)
		k--;
	*from = day_after(a, k * months);
	*to = day_after(a, (k + 1) * months);
}

void
period_of(struct jvalue details, int64_t day, int64_t *from, int64_t *to)
{
	static const struct { struct slice name; int days, months; int64_t anchor; } durations[] = {
		{ { "monthly", sizeof("monthly") - 1 }, 0, 1, 0 }, { { "daily", sizeof("daily") - 1 }, 1, 0, 0 },
		{ { "weekly", sizeof("weekly") - 1 }, 7, 0, 4 },		/* 1970-01-05 was a Monday */
		{ { "yearly", sizeof("yearly") - 1 }, 0, 12, 0 },
	};
	int64_t start = 0, end = 0, anchor;
	bool started = day_read(details, SLICE("period_start"), &start), ended = day_read(details, SLICE("period_end"), &end);
	size_t i, n = sizeof(durations) / sizeof(*durations);

	if (started && ended && start <= day && day < end) {
		*from = start;
		*to = end;
		return;
	}
	for (i = 1; i < n; i++)
		if (slice_caseeq(jstring_plain(jget(details, SLICE("budget_duration"))), durations[i].name))
			break;
	i = i < n ? i : 0;
	anchor = started ? start : durations[i].anchor;
	if (durations[i].months > 0) {
		months_of(anchor, durations[i].months, day, from, to);
		return;
	}
	*from = anchor + floor_div(day - anchor, durations[i].days) * durations[i].days;
	*to = *from + durations[i].days;
}
