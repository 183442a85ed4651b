/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: well-formedness by RFC 3629: no overlong forms, no surrogates. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at p (len bytes are there), 1 to 4; 0 if
 * there is none. */
static inline size_t
utf8_length(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;

	if (len == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (len < 2 || (u[1] & 0xc0) != 0x80 || u[0] < 0xc2)
		return 0;
	if (u[0] < 0xe0)
		return 2;
	if (len < 3 || (u[2] & 0xc0) != 0x80)
		return 0;
	if (u[0] < 0xf0)
		return (u[0] == 0xe0 && u[1] < 0xa0) ||
		    (u[0] == 0xed && u[1] > 0x9f) ? 0 : 3;
	if (len < 4 || (u[3] & 0xc0) != 0x80 || u[0] > 0xf4)
		return 0;
	return (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f) ? 0 : 4;
}

/* Writes code point c (at most U+10FFFF) at p, which has room for 4; the
 * number of bytes written. */
static inline size_t
utf8_put(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

#endif
