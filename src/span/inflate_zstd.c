/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate_zstd.c: zstd (RFC 8878), by libzstd. Called by inflate.c. A frame
 * whose window is larger than the content coding allows is taken for damaged.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "span/inflate_coding.h"

#define WINDOW_LOG 23		/* 8 MiB: RFC 9659 3 */

static void *
zs_make(void)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();

	if (d != NULL)
		ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG);
	return d;
}

static void
zs_free(void *state)
{
	ZSTD_freeDCtx(state);
}

static bool
zs_again(void *state)
{
	return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static enum coding_result
zs_step(void *state, struct slice *in, char *out, size_t room, size_t *made)
{
	ZSTD_inBuffer from = { in->ptr, in->len, 0 };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t r = ZSTD_decompressStream(state, &to, &from);

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
