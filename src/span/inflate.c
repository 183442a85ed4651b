/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c: zlib, pulled. Called by the builder for bodies that a provider or
 * client compressed; the bytes on their way are never recoded.
 */
#include "span/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "core/limits.h"

#define WINDOW (16 * KIB)	/* output taken at a time */
#define GZIP_BITS (15 + 16)	/* zlib: largest window, gzip's head and trailer */
#define ZLIB_BITS 15
#define RAW_BITS (-15)

enum stage_state { STAGE_START, STAGE_RUN, STAGE_BETWEEN, STAGE_REST };

struct inflate_stage {
	z_stream	 z;
	bool		 ready;		/* z was set up */
	bool		 gzip;
	enum stage_state state;
	unsigned	 members;	/* gzip members that came to their end */
	char		 head[2];	/* deflate: the bytes that tell zlib's head from raw */
	size_t		 nhead;
	char		 window[WINDOW];
};

/* Splits the last coding off the list: what was done last is undone first. */
static struct slice
coding_last(struct slice *codings)
{
	struct slice all = *codings, one;
	size_t i = all.len;

	while (i > 0 && all.ptr[i - 1] != ',')
		i--;
	one = slice_trim(slice_from(all, i));
	codings->len = i ? i - 1 : 0;
	return one;
}

static int
stage_add(struct inflate *f, bool gzip)
{
	struct inflate_stage *s;

	if (f->n == INFLATE_STAGES)
		return INFLATE_E_CODING;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return INFLATE_E_MEMORY;
	memset(s, 0, offsetof(struct inflate_stage, window));
	s->gzip = gzip;
	f->stages[f->n++] = s;
	return INFLATE_OK;
}

int
inflate_init(struct inflate *f, struct slice codings)
{
	struct slice one;
	int r = INFLATE_OK;

	*f = (struct inflate){ .n = 0 };
	while (codings.len > 0 && r == INFLATE_OK) {
		one = coding_last(&codings);
		if (slice_caseeq(one, SLICE("gzip")) || slice_caseeq(one, SLICE("x-gzip")))
			r = stage_add(f, true);
		else if (slice_caseeq(one, SLICE("deflate")))
			r = stage_add(f, false);
		else if (one.len > 0 && !slice_caseeq(one, SLICE("identity")))
			r = INFLATE_E_CODING;
	}
	return r;
}

void
inflate_free(struct inflate *f)
{
	while (f->n > 0) {
		struct inflate_stage *s = f->stages[--f->n];

		if (s->ready)
			inflateEnd(&s->z);
		free(s);
	}
}

static int stage_feed(struct inflate *, size_t, struct slice, struct buf *);

/* What a stage put out goes to the next one, after the last to the buf. */
static int
stage_out(struct inflate *f, size_t i, struct slice bytes, struct buf *out)
{
	if (i + 1 < f->n)
		return stage_feed(f, i + 1, bytes, out);
	if (bytes.len > out->limit - out->len) {
		buf_append(out, bytes.ptr, out->limit - out->len);
		return INFLATE_E_LIMIT;
	}
	return buf_slice(out, bytes) ? INFLATE_OK : INFLATE_E_MEMORY;
}

/* Runs the coding over the bytes until they are used up or it has ended;
 * *used: how many it took. */
static int
stage_run(struct inflate *f, size_t i, struct slice in, size_t *used, struct buf *out)
{
	struct inflate_stage *s = f->stages[i];
	int z = Z_OK, r = INFLATE_OK;

	s->z.next_in = (Bytef *)(uintptr_t)in.ptr;
	s->z.avail_in = (uInt)in.len;
	do {
		s->z.next_out = (Bytef *)s->window;
		s->z.avail_out = sizeof(s->window);
		z = inflate(&s->z, Z_NO_FLUSH);
		if (s->z.avail_out < sizeof(s->window))
			r = stage_out(f, i, slice_make(s->window,
			    sizeof(s->window) - s->z.avail_out), out);
	} while (r == INFLATE_OK && z == Z_OK &&
	    (s->z.avail_in > 0 || s->z.avail_out == 0));
	*used = in.len - s->z.avail_in;
	if (r == INFLATE_OK && z == Z_STREAM_END) {
		s->members++;
		s->state = s->gzip ? STAGE_BETWEEN : STAGE_REST;
	} else if (r == INFLATE_OK && z != Z_OK && z != Z_BUF_ERROR) {
		/* what follows a whole member and is none is padding */
		if (s->members == 0)
			return z == Z_MEM_ERROR ? INFLATE_E_MEMORY : INFLATE_E_DATA;
		s->state = STAGE_REST;
	}
	return r;
}

static int
stage_begin(struct inflate_stage *s, int bits)
{
	if (inflateInit2(&s->z, bits) != Z_OK)
		return INFLATE_E_MEMORY;
	s->ready = true;
	s->state = STAGE_RUN;
	return INFLATE_OK;
}

/* zlib's head (RFC 1950) is a multiple of 31 and names method 8. */
static bool
head_is_zlib(const char head[2])
{
	unsigned a = (unsigned char)head[0], b = (unsigned char)head[1];

	return (a & 0x0f) == 8 && (a >> 4) <= 7 && (a * 256 + b) % 31 == 0;
}

/* Collects the two bytes by which a deflate's form is told, then runs them. */
static int
stage_start(struct inflate *f, size_t i, struct slice *in, struct buf *out)
{
	struct inflate_stage *s = f->stages[i];
	size_t used;
	int r;

	if (s->gzip)
		return stage_begin(s, GZIP_BITS);
	while (s->nhead < sizeof(s->head) && in->len > 0) {
		s->head[s->nhead++] = *in->ptr;
		*in = slice_from(*in, 1);
	}
	if (s->nhead < sizeof(s->head))
		return INFLATE_OK;
	r = stage_begin(s, head_is_zlib(s->head) ? ZLIB_BITS : RAW_BITS);
	if (r != INFLATE_OK)
		return r;
	return stage_run(f, i, slice_make(s->head, sizeof(s->head)), &used, out);
}

static int
stage_feed(struct inflate *f, size_t i, struct slice in, struct buf *out)
{
	struct inflate_stage *s = f->stages[i];
	int r = INFLATE_OK;
	size_t used;

	while (in.len > 0 && r == INFLATE_OK && s->state != STAGE_REST) {
		if (s->state == STAGE_START) {
			r = stage_start(f, i, &in, out);
			continue;
		}
		if (s->state == STAGE_BETWEEN) {
			s->state = *in.ptr == 0x1f && inflateReset(&s->z) == Z_OK ?
			    STAGE_RUN : STAGE_REST;
			continue;
		}
		r = stage_run(f, i, slice_make(in.ptr,
		    in.len < 1 * MIB ? in.len : 1 * MIB), &used, out);
		in = slice_from(in, used);
	}
	return r;
}

int
inflate_feed(struct inflate *f, struct slice in, struct buf *out)
{
	if (in.len == 0)
		return INFLATE_OK;
	if (f->n == 0)
		return buf_slice(out, in) ? INFLATE_OK : INFLATE_E_LIMIT;
	return stage_feed(f, 0, in, out);
}

bool
inflate_complete(const struct inflate *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->stages[i]->members == 0)
			return false;
	return true;
}
