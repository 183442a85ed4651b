/* SPDX-License-Identifier: Apache-2.0 */
/* percent: bytes written as %XX. */
#ifndef CORE_PERCENT_H
#define CORE_PERCENT_H

static inline int
percent_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the three characters at p stand for; -1: they are no %XX. */
static inline int
percent_byte(const char *p, const char *end)
{
	int high, low;

	if (end - p < 3 || *p != '%')
		return -1;
	high = percent_digit(p[1]);
	low = percent_digit(p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

#endif
