/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate_zlib.c: gzip and deflate, by zlib. Called by inflate.c. deflate is
 * zlib's format by the book and raw in some servers: its first two bytes tell.
 */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "span/inflate_coding.h"

#define GZIP_BITS (15 + 16)	/* largest window, gzip's head and trailer */
#define ZLIB_BITS 15
#define RAW_BITS (-15)

struct zlib_state {
	z_stream z;
	bool	 ready;		/* z was set up */
	char	 head[2];	/* deflate: the bytes that tell zlib's head from raw */
	unsigned nhead, fed;	/* of head: collected, given to z */
};

static enum coding_result
zlib_result(const z_stream *s, int z)
{
	switch (z) {
	case Z_OK:
	case Z_BUF_ERROR:
		return CODING_MORE;
	case Z_STREAM_END:
		return CODING_END;
	case Z_MEM_ERROR:
		return CODING_MEMORY;
	default:
		return s->total_out == 0 ? CODING_NONE : CODING_BAD;
	}
}

static bool
zlib_begin(struct zlib_state *s, int bits)
{
	s->ready = inflateInit2(&s->z, bits) == Z_OK;
	return s->ready;
}

static void *
gzip_make(void)
{
	struct zlib_state *s = calloc(1, sizeof(*s));

	if (s == NULL || zlib_begin(s, GZIP_BITS))
		return s;
	free(s);
	return NULL;
}

static void *
deflate_make(void)
{
	return calloc(1, sizeof(struct zlib_state));
}

static void
zlib_free(void *state)
{
	struct zlib_state *s = state;

	if (s->ready)
		inflateEnd(&s->z);
	free(s);
}

static bool
gzip_again(void *state)
{
	struct zlib_state *s = state;

	return inflateReset(&s->z) == Z_OK;
}

static enum coding_result
zlib_step(void *state, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zlib_state *s = state;
	uInt n = in->len < INT_MAX ? (uInt)in->len : INT_MAX;
	int z;

	s->z.next_in = (Bytef *)(uintptr_t)in->ptr;
	s->z.avail_in = n;
	s->z.next_out = (Bytef *)out;
	s->z.avail_out = (uInt)room;
	z = inflate(&s->z, Z_NO_FLUSH);
	*in = slice_from(*in, n - s->z.avail_in);
	*made = room - s->z.avail_out;
	return zlib_result(&s->z, z);
}

/* zlib's head (RFC 1950) is a multiple of 31 and names method 8. */
static bool
head_is_zlib(const char head[2])
{
	unsigned a = (unsigned char)head[0], b = (unsigned char)head[1];

	return (a & 0x0f) == 8 && (a >> 4) <= 7 && (a * 256 + b) % 31 == 0;
}

static enum coding_result
deflate_step(void *state, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zlib_state *s = state;
	enum coding_result r;
	struct slice head;

	*made = 0;
	for (; s->nhead < sizeof(s->head) && in->len > 0; *in = slice_from(*in, 1))
		s->head[s->nhead++] = *in->ptr;
	if (s->nhead < sizeof(s->head))
		return CODING_MORE;
	if (!s->ready && !zlib_begin(s, head_is_zlib(s->head) ? ZLIB_BITS : RAW_BITS))
		return CODING_MEMORY;
	if (s->fed == sizeof(s->head))
		return zlib_step(s, in, out, room, made);
	head = slice_make(s->head + s->fed, sizeof(s->head) - s->fed);
	r = zlib_step(s, &head, out, room, made);
	s->fed = sizeof(s->head) - (unsigned)head.len;
	return r;
}

const struct coding coding_gzip = {
	.make = gzip_make, .free = zlib_free, .again = gzip_again, .step = zlib_step,
};

const struct coding coding_deflate = {
	.make = deflate_make, .free = zlib_free, .step = deflate_step,
};
