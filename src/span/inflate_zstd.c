/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate_zstd.c: zstd (RFC 8878), by libzstd. Called by inflate.c. A frame
 * whose window is larger than the content coding allows is taken for damaged.
 * A frame's first bytes are looked at here: libzstd may also read formats older
 * than the RFC, by code that was never meant for hostile input, and what it
 * tells by a beginning depends on how many bytes of it come at once.
 */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "span/inflate_coding.h"

#define WINDOW_LOG 23		/* 8 MiB: RFC 9659 3 */
#define MAGIC 4			/* bytes that a frame begins with */

struct zs_state {
	ZSTD_DCtx	*context;
	unsigned	 seen;		/* bytes of this frame's magic */
	bool		 skippable;	/* it is that of a frame without data */
};

static void
zs_free(void *state)
{
	struct zs_state *s = state;

	ZSTD_freeDCtx(s->context);
	free(s);
}

static void *
zs_make(void)
{
	struct zs_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->context = ZSTD_createDCtx();
	if (s->context != NULL) {
		ZSTD_DCtx_setParameter(s->context, ZSTD_d_windowLogMax, WINDOW_LOG);
		return s;
	}
	zs_free(s);
	return NULL;
}

static bool
zs_again(void *state)
{
	struct zs_state *s = state;

	s->seen = 0;
	return !ZSTD_isError(ZSTD_DCtx_reset(s->context, ZSTD_reset_session_only));
}

/* Is the next byte one of a magic number of RFC 8878 3.1? */
static bool
magic_takes(struct zs_state *s, unsigned char c)
{
	static const unsigned char frame[MAGIC] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const unsigned char skippable[MAGIC] = { 0x50, 0x2a, 0x4d, 0x18 };

	if (s->seen == 0)
		s->skippable = (c & 0xf0) == skippable[0];
	else if (s->skippable)
		return c == skippable[s->seen];
	return (s->seen == 0 && s->skippable) || c == frame[s->seen];
}

static enum coding_result
zs_step(void *state, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zs_state *s = state;
	ZSTD_inBuffer from = { in->ptr, in->len, 0 };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t r, i;

	*made = 0;
	for (i = 0; s->seen < MAGIC && i < in->len; i++, s->seen++)
		if (!magic_takes(s, (unsigned char)in->ptr[i]))
			return CODING_NONE;
	r = ZSTD_decompressStream(s->context, &to, &from);
	*in = slice_from(*in, from.pos);
	*made = to.pos;
	if (r == 0)
		return CODING_END;
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_no_error:
		return CODING_MORE;
	case ZSTD_error_prefix_unknown:
		return CODING_NONE;
	case ZSTD_error_memory_allocation:
		return CODING_MEMORY;
	default:
		return CODING_BAD;
	}
}

const struct coding coding_zstd = {
	.make = zs_make, .free = zs_free, .again = zs_again, .step = zs_step,
};
