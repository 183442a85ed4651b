/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: reads times, decimals and ids from text. Used by the query, the REST
 * API and the command line; it never looks at a clock or a locale.
 */
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>

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

/* Days since 1970-01-01 of a proleptic Gregorian date. */
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
value_time(struct slice s, int64_t *us)
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

/* Where a decimal is being read: the number so far and the place of its point. */
struct decimal {
	int64_t	digits;
	int	scale;		/* value = digits * 10^-scale */
	bool	any, point, up;	/* up: the first digit that did not fit is over 4 */
	bool	full;
};

static void
decimal_digit(struct decimal *d, int digit)
{
	d->any = true;
	if (d->full) {
		d->scale -= !d->point;
		return;
	}
	if (d->digits > (INT64_MAX - digit) / 10) {
		d->full = true;
		d->up = digit > 4;
		d->scale -= !d->point;
		return;
	}
	d->digits = d->digits * 10 + digit;
	d->scale += d->point;
}

/* digits * 10^(power), rounded; false: too large. */
static bool
decimal_scale(struct decimal *d, int power, int64_t *out)
{
	int64_t v = d->digits;

	if (power >= 0 && d->up && power == 0)
		v++;
	for (; power > 0 && v != 0; power--)
		if (__builtin_mul_overflow(v, 10, &v))
			return false;
	for (; power < -1 && v != 0; power++)
		v /= 10;
	if (power == -1)
		v = v / 10 + (v % 10 >= 5);
	*out = v;
	return true;
}

static bool
take_exponent(struct slice *s, int *out)
{
	int64_t v = 0;
	bool minus;
	size_t n = 0;

	minus = take_char(s, '-');
	if (!minus)
		(void)take_char(s, '+');
	for (; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++)
		v = v > 10000 ? v : v * 10 + (s->ptr[n] - '0');
	*s = slice_from(*s, n);
	*out = minus ? -(int)v : (int)v;
	return n > 0;
}

bool
value_decimal(struct slice s, unsigned digits, int64_t *out)
{
	struct decimal d = { 0 };
	int exponent = 0;
	bool minus;

	s = slice_trim(s);
	minus = take_char(&s, '-');
	for (; s.len > 0; s = slice_from(s, 1)) {
		if (*s.ptr >= '0' && *s.ptr <= '9')
			decimal_digit(&d, *s.ptr - '0');
		else if (*s.ptr == '.' && !d.point)
			d.point = true;
		else
			break;
	}
	if (take_char(&s, 'e') || take_char(&s, 'E'))
		if (!take_exponent(&s, &exponent))
			return false;
	if (!d.any || s.len > 0 || !decimal_scale(&d, (int)digits + exponent - d.scale, out))
		return false;
	if (minus)
		*out = -*out;
	return true;
}

bool
value_int(struct slice s, int64_t *out)
{
	char text[32], *end;

	s = slice_trim(s);
	if (s.len == 0 || s.len >= sizeof(text) || *s.ptr == '+')
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	errno = 0;
	*out = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0;
}

bool
value_num(struct slice s, double *out)
{
	char text[64], *end;

	s = slice_trim(s);
	if (s.len == 0 || s.len >= sizeof(text) || strchr("+iInN", *s.ptr))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	*out = strtod(text, &end);
	return *end == '\0' && !strpbrk(text, "xXnN");
}

bool
value_bool(struct slice s, bool *out)
{
	s = slice_trim(s);
	*out = slice_caseeq(s, SLICE("true")) || slice_eq(s, SLICE("1"));
	return *out || slice_caseeq(s, SLICE("false")) || slice_eq(s, SLICE("0"));
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
value_id(struct slice s, uint8_t out[16])
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int digit = hex_digit(s.ptr[i]);

		if (s.ptr[i] == '-' && s.len == 36 && (i == 8 || i == 13 || i == 18 || i == 23))
			continue;
		if (digit < 0 || n == 32)
			return false;
		out[n / 2] = n % 2 ? (uint8_t)(out[n / 2] | digit) : (uint8_t)(digit << 4);
		n++;
	}
	return n == 32;
}

struct slice
value_cut(struct slice s, size_t n)
{
	if (s.len <= n)
		return s;
	while (n > 0 && ((uint8_t)s.ptr[n] & 0xc0) == 0x80)
		n--;
	return slice_make(s.ptr, n);
}
