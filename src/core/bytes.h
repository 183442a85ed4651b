/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: the searches that most bytes of bodies and streams go through,
 * sixteen bytes at a time where SSE2 is there. None reads at or past end.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdbool.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Does it need a look inside a JSON string: quote, backslash, control, or not
 * ASCII? */
static inline bool
bytes_json_special(char c)
{
	return c == '"' || c == '\\' || (signed char)c < 0x20;
}

static inline bool
bytes_ends_line(char c)
{
	return c == '\n' || c == '\r';
}

/* The first byte at or after p that is special in a JSON string, or end. */
static inline const char *
bytes_json_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i blank = _mm_set1_epi8(' ');
	__m128i v, hit;
	unsigned mask;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)p);
		/* signed: bytes from 0x80 up are below the blank as well */
		hit = _mm_or_si128(_mm_cmplt_epi8(v, blank),
		    _mm_or_si128(_mm_cmpeq_epi8(v, quote),
		    _mm_cmpeq_epi8(v, backslash)));
		mask = (unsigned)_mm_movemask_epi8(hit);
		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && !bytes_json_special(*p))
		p++;
	return p;
}

#ifdef __SSE2__
/* One bit for each of the 16 bytes at p that is a or b. */
static inline unsigned
bytes_either(const char *p, char a, char b)
{
	__m128i v = _mm_loadu_si128((const __m128i *)p);

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)),
	    _mm_cmpeq_epi8(v, _mm_set1_epi8(b))));
}

/* The same, and with c behind it; 17 bytes are there. */
static inline unsigned
bytes_either_before(const char *p, char a, char b, char c)
{
	__m128i next = _mm_loadu_si128((const __m128i *)(p + 1));

	return bytes_either(p, a, b) &
	    (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(next, _mm_set1_epi8(c)));
}
#endif

/* The first LF or CR at or after p, or end. */
static inline const char *
bytes_line_end(const char *p, const char *end)
{
#ifdef __SSE2__
	unsigned mask;

	for (; end - p >= 32; p += 32) {
		mask = bytes_either(p, '\n', '\r') | bytes_either(p + 16, '\n', '\r') << 16;
		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && !bytes_ends_line(*p))
		p++;
	return p;
}

/* The first byte at or after p that is a or b with c behind it, or end. */
static inline const char *
bytes_pair(const char *p, const char *end, char a, char b, char c)
{
#ifdef __SSE2__
	unsigned mask;

	for (; end - p >= 33; p += 32) {
		mask = bytes_either_before(p, a, b, c) |
		    bytes_either_before(p + 16, a, b, c) << 16;
		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	for (; end - p >= 2; p++)
		if ((*p == a || *p == b) && p[1] == c)
			return p;
	return end;
}

#endif
