/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate_br.c: br (RFC 7932), by libbrotlidec. Called by inflate.c. A stream's
 * window is at most 16 MiB: larger ones are an extension that is left off.
 */
#include <brotli/decode.h>
#include <stdlib.h>

#include "span/inflate_coding.h"

struct br_state {
	BrotliDecoderState *decoder;
};

static bool
br_again(void *state)
{
	struct br_state *s = state;

	BrotliDecoderDestroyInstance(s->decoder);
	s->decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return s->decoder != NULL;
}

static void
br_free(void *state)
{
	struct br_state *s = state;

	BrotliDecoderDestroyInstance(s->decoder);
	free(s);
}

static void *
br_make(void)
{
	struct br_state *s = calloc(1, sizeof(*s));

	if (s == NULL || br_again(s))
		return s;
	br_free(s);
	return NULL;
}

/* Errors of allocation have numbers of their own, below all errors of data.
 * Nothing tells a stream by its beginning, so there is no CODING_NONE. */
static enum coding_result
br_error(const BrotliDecoderState *decoder)
{
	return BrotliDecoderGetErrorCode(decoder) <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES ?
	    CODING_MEMORY : CODING_BAD;
}

static enum coding_result
br_step(void *state, struct slice *in, char *out, size_t room, size_t *made)
{
	struct br_state *s = state;
	const uint8_t *next = (const uint8_t *)in->ptr;
	uint8_t *to = (uint8_t *)out;
	size_t left = room;
	BrotliDecoderResult r;

	r = BrotliDecoderDecompressStream(s->decoder, &in->len, &next, &left, &to, NULL);
	in->ptr = (const char *)next;
	*made = room - left;
	switch (r) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		return CODING_END;
	case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
	case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
		return CODING_MORE;
	default:
		return br_error(s->decoder);
	}
}

const struct coding coding_br = {
	.make = br_make, .free = br_free, .again = br_again, .step = br_step,
};
