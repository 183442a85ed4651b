/* SPDX-License-Identifier: Apache-2.0 */
/* words: of any bytes, as text and as JSON: words are whole, distinct and within
 * limits, and a word that is searched for is itself. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/utf8.h"
#include "span/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)
#define MOST 50

static void
word_check(struct words *again, struct slice word)
{
	struct slice list;

	CHECK(word.len >= 2 && word.len <= LIMIT_SEARCH_WORD + 1 && *word.ptr == 'i');
	for (size_t at = 1, n; at < word.len; at += n) {
		n = utf8_length(word.ptr + at, word.len - at);
		CHECK(n > 0);
	}
	words_clear(again);
	words_text(again, 'i', slice_from(word, 1));
	list = words_list(again);
	CHECK(words_count(again) == 1 && list.len == word.len + 1 && memcmp(list.ptr, word.ptr, word.len) == 0);
}

static void
list_check(const struct words *w, struct words *again)
{
	struct slice list = words_list(w), word;
	unsigned count = 0;
	const char *blank;

	for (; list.len > 0; list = slice_from(list, word.len + 1)) {
		blank = memchr(list.ptr, ' ', list.len);
		CHECK(blank != NULL);
		word = slice_make(list.ptr, (size_t)(blank - list.ptr));
		word_check(again, word);
		count++;
	}
	CHECK(count == words_count(w) && count <= MOST);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words *w = words_new(MOST), *again = words_new(4);
	char *copy = malloc(size ? size : 1);	/* exactly as long as it is, to catch reads beyond */

	CHECK(w && again && copy);
	if (size > 0)
		memcpy(copy, data, size);
	words_text(w, 'i', slice_make(copy, size));
	list_check(w, again);
	words_clear(w);
	words_json(w, 'i', slice_make(copy, size), size);
	list_check(w, again);
	words_json(w, 'i', slice_make(copy, size), size / 2);
	list_check(w, again);
	free(copy);
	words_free(w);
	words_free(again);
	return 0;
}
