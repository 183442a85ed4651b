/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words: the distinct words of a text, for searching. Pure. What is stored and
 * what is searched for go through the same, so that they meet.
 *
 * A word is a run of letters and digits in lower case; a character of a script
 * that does not part its words (Chinese, Japanese, Korean) and an emoji are one
 * each. Of JSON only the strings count, not the names of members; long runs of
 * encoded bytes (pictures, sound) are no words.
 */
#ifndef SPAN_WORDS_H
#define SPAN_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

struct words;

/* At most `limit` distinct words; NULL: no memory. */
struct words	*words_new(unsigned limit);
void		 words_free(struct words *);
/* Forgets them. */
void		 words_clear(struct words *);

/* Takes the words of a text in, each with `prefix` before it. Words that are in
 * already are passed over, as are those beyond the limit. */
void		 words_text(struct words *, char prefix, struct slice text);
/* The same of the strings of a JSON text; at most `bytes` of it are read. */
void		 words_json(struct words *, char prefix, struct slice json, size_t bytes);

unsigned	 words_count(const struct words *);
/* All of them, each followed by a blank, in the order in which they came. */
struct slice	 words_list(const struct words *);

#endif
