/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal.c: reading and printing of decimals. Called by whoever deals in
 * money.
 */
#include "core/decimal.h"

#define DIGITS 20	/* kept of a number, one more than int64 has; all that follow only move the point */

typedef unsigned __int128 wide;

/* The exponent behind e or E, kept within what matters. */
static bool
exponent_read(struct slice s, long *out)
{
	bool minus = s.len > 0 && *s.ptr == '-';
	long e = 0;

	if (s.len > 0 && (*s.ptr == '-' || *s.ptr == '+'))
		s = slice_from(s, 1);
	if (s.len == 0)
		return false;
	for (; s.len > 0; s = slice_from(s, 1)) {
		if (*s.ptr < '0' || *s.ptr > '9')
			return false;
		if (e < 100000)
			e = e * 10 + (*s.ptr - '0');
	}
	*out = minus ? -e : e;
	return true;
}

/* value * 10^shift, rounded half up. */
static bool
shifted(wide value, long shift, int64_t *out)
{
	for (; shift < -1 && value > 0; shift++)
		value /= 10;
	if (shift < 0)
		value = (value + 5) / 10;
	for (; shift > 0 && value > 0 && value <= INT64_MAX; shift--)
		value *= 10;
	if (value > INT64_MAX)
		return false;
	*out = (int64_t)value;
	return true;
}

bool
decimal_read(struct slice s, int places, int64_t *out)
{
	long shift = places, e = 0;
	bool point = false;
	wide value = 0;
	int kept = 0, digits = 0;
	size_t i;

	for (i = 0; i < s.len && s.ptr[i] != 'e' && s.ptr[i] != 'E'; i++) {
		char c = s.ptr[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		digits++;
		if (kept < DIGITS) {
			value = value * 10 + (wide)(c - '0');
			kept += value > 0;
			shift -= point;
		} else
			shift += !point;
	}
	if (digits == 0 || (i < s.len && !exponent_read(slice_from(s, i + 1), &e)))
		return false;
	return shifted(value, shift + e, out);
}

void
decimal_print(int64_t v, int places, struct buf *out)
{
	uint64_t whole = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, scale = 1, part;
	char digits[24];
	int i;

	for (i = 0; i < places; i++)
		scale *= 10;
	part = whole % scale;
	if (v < 0)
		buf_byte(out, '-');
	buf_u64(out, whole / scale);
	if (part == 0)
		return;
	for (i = places; i > 0; i--, part /= 10)
		digits[i - 1] = (char)('0' + part % 10);
	for (i = places; digits[i - 1] == '0'; i--)
		;
	buf_byte(out, '.');
	buf_append(out, digits, (size_t)i);
}
