/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes have a count between zero and their number, the pieces of a long
 * run count as merging by the book says, and JSON of any depth comes to an end.
 * The first byte chooses.
 */
#include <stdio.h>
#include <stdlib.h>

#include "span/bpe.h"
#include "span/tokens.h"

#define CHECK(good) do { if (!(good)) { fprintf(stderr, "%d: %s\n", __LINE__, #good); abort(); } } while (0)
#define BOOK 400	/* bytes: merging by the book takes their square */

/* Merges the lowest pair, leftmost first, looking at all of them each time. */
static int64_t
by_the_book(const struct ranks *r, struct slice piece)
{
	size_t start[BOOK + 1], n = piece.len, i, best;
	uint32_t rank, least;

	for (i = 0; i <= n; i++)
		start[i] = i;
	for (;;) {
		least = RANK_NONE;
		best = 0;
		for (i = 0; i + 1 < n; i++) {
			rank = ranks_find(r, piece.ptr + start[i], start[i + 2] - start[i]);
			if (rank < least) {
				least = rank;
				best = i;
			}
		}
		if (least == RANK_NONE)
			return (int64_t)n;
		memmove(&start[best + 1], &start[best + 2], (n - best - 1) * sizeof(*start));
		n--;
	}
}

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokens *tokens;
	static struct ranks ranks;
	struct bpe bpe = { NULL };
	struct slice text;
	struct jvalue v;
	int64_t n;

	if (size == 0)
		return 0;
	if (tokens == NULL) {
		tokens = tokens_new();
		CHECK(tokens != NULL && ranks_open(&ranks, ranks_cl100k_base()));
	}
	text = slice_make((const char *)data + 1, size - 1);
	n = tokens_count(tokens, data[0] & 1 ? ENCODING_CL100K : ENCODING_O200K, text);
	CHECK(n >= 0 && (size_t)n <= 3 * text.len);	/* a bad byte is one of three bytes */
	if (text.len > 0 && text.len <= BOOK)
		CHECK(bpe_count(&bpe, &ranks, text) == by_the_book(&ranks, text));
	bpe_free(&bpe);
	if (jscan_check(text, &v, NULL) == JSCAN_END) {
		CHECK(tokens_messages(tokens, ENCODING_O200K, v) >= 0);
		CHECK(tokens_said(tokens, ENCODING_O200K, v) >= 0);
	}
	return 0;
}
