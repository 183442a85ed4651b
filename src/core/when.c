/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.c: reads times, a piece at a time. It never looks at a clock or a zone.
 */
#include "core/when.h"

/* Takes exactly n digits off the front. */
static bool
take_digits(struct slice *s, unsigned n, int64_t *out)
{
	int64_t v = 0;

	if (s->len < n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (s->ptr[i] < '0' || s->ptr[i] > '9')
			return false;
		v = v * 10 + (s->ptr[i] - '0');
	}
	*s = slice_from(*s, n);
	*out = v;
	return true;
}

static bool
take_char(struct slice *s, char c)
{
	if (s->len == 0 || *s->ptr != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
	    719468;
}

static bool
take_date(struct slice *s, int64_t *days)
{
	static const int8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t y, m, d, last;

	if (!take_digits(s, 4, &y) || !take_char(s, '-') || !take_digits(s, 2, &m) ||
	    !take_char(s, '-') || !take_digits(s, 2, &d) || m < 1 || m > 12)
		return false;
	last = lengths[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
	if (d < 1 || d > last)
		return false;
	*days = days_of(y, m, d);
	return true;
}

/* A fraction of a second behind its point, in µs. */
static bool
take_fraction(struct slice *s, int64_t *us)
{
	int64_t unit = 100000;
	size_t n = 0;

	*us = 0;
	for (; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++, unit /= 10)
		*us += unit * (s->ptr[n] - '0');
	*s = slice_from(*s, n);
	return n > 0;
}

/* hh:mm[:ss[.fraction]] */
static bool
take_clock(struct slice *s, int64_t *us)
{
	int64_t h, m, sec = 0, fraction = 0;

	if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m))
		return false;
	if (take_char(s, ':')) {
		if (!take_digits(s, 2, &sec))
			return false;
		if ((take_char(s, '.') || take_char(s, ',')) && !take_fraction(s, &fraction))
			return false;
	}
	if (h > 24 || m > 59 || sec > 60 || (h == 24 && (m || sec || fraction)))
		return false;
	*us = ((h * 60 + m) * 60 + sec) * 1000000 + fraction;
	return true;
}

/* Z, +hh:mm, +hhmm, +hh or nothing. */
static bool
take_zone(struct slice *s, int64_t *us)
{
	int64_t h, m = 0, sign;

	*us = 0;
	if (s->len == 0 || take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	if (take_char(s, '+'))
		sign = 1;
	else if (take_char(s, '-'))
		sign = -1;
	else
		return false;
	if (!take_digits(s, 2, &h))
		return false;
	(void)take_char(s, ':');
	if (s->len > 0 && !take_digits(s, 2, &m))
		return false;
	*us = sign * (h * 60 + m) * 60 * 1000000;
	return h < 24 && m < 60;
}

bool
when_read(struct slice s, int64_t *us)
{
	int64_t days, clock = 0, zone = 0;

	s = slice_trim(s);
	if (!take_date(&s, &days))
		return false;
	if (take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) {
		if (!take_clock(&s, &clock) || !take_zone(&s, &zone))
			return false;
	}
	*us = days * 86400 * 1000000 + clock - zone;
	return s.len == 0;
}
