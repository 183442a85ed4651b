/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens: counts tokens as OpenAI's tokenizers do: text is split by a pattern,
 * pieces are merged by ranks. Control tokens are ordinary text here. One object
 * is for one thread; nothing is made before the first text of an encoding.
 */
#ifndef SPAN_TOKENS_H
#define SPAN_TOKENS_H

#include "core/jscan.h"
#include "core/slice.h"

enum encoding { ENCODING_O200K, ENCODING_CL100K, ENCODINGS };

struct tokens;

/* NULL: no memory. */
struct tokens	*tokens_new(void);
void		 tokens_free(struct tokens *);

/* The encoding of a model's name; a path before it does not count. *known:
 * OpenAI has named it for this model; others get the newest one. known may be NULL. */
enum encoding	 tokens_encoding(struct slice model, bool *known);

/* Tokens of a text. Bytes that are not UTF-8 count as U+FFFD. Of a text over
 * LIMIT_COUNTED the rest is taken to be like its beginning. -1: no memory, or
 * the pattern library failed. */
int64_t		 tokens_count(struct tokens *, enum encoding, struct slice text);

/* The texts of a JSON value, however deep: strings by their tokens, members'
 * names not; numbers in an array of numbers count one each, as they are tokens.
 * -1 as above. */
int64_t		 tokens_json(struct tokens *, enum encoding, struct jvalue);
/* What a request asks a model with: a list of chat messages (their texts, and
 * what OpenAI's formats add around them: 3 a message, 1 for a name, 3 for the
 * answer), an object with such members, else as tokens_json. Pictures, sound and
 * files in it are not counted. */
int64_t		 tokens_messages(struct tokens *, enum encoding, struct jvalue);

/* The texts of messages without what is around them: what a model said. */
int64_t		 tokens_said(struct tokens *, enum encoding, struct jvalue);

#endif
