/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: the two searches that most bytes of a body go through, sixteen bytes
 * at a time where SSE2 is there. Neither reads at or past end.
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

/* The first LF or CR at or after p, or end. */
static inline const char *
bytes_line_end(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i lf = _mm_set1_epi8('\n');
	const __m128i cr = _mm_set1_epi8('\r');
	__m128i v, hit;
	unsigned mask;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)p);
		hit = _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr));
		mask = (unsigned)_mm_movemask_epi8(hit);
		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && !bytes_ends_line(*p))
		p++;
	return p;
}

#endif
