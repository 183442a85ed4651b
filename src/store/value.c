/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: reads times, decimals and ids from text. Used by the query, the REST
 * API and the command line; it never looks at a clock or a locale.
 */
#include "store/value.h"

#include <errno.h>
#include <stdlib.h>

#include "core/when.h"

static bool
take_char(struct slice *s, char c)
{
	if (s->len == 0 || *s->ptr != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

bool
value_time(struct slice s, int64_t *us)
{
	return when_read(s, us);
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
