/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer: what the pretend provider answers, one function for each path. They
 * look at the request's JSON only as far as the shape of their answer needs it.
 */
#ifndef DEMO_ANSWER_H
#define DEMO_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"
#include "demo/play.h"

#define MODEL_BYTES 96

struct ask {
	struct play	*play;
	const char	*path;
	json_t		*body;		/* an object; empty where there was no JSON */
	struct slice	 raw;		/* the body as it came */
	unsigned	 number;	/* of the request */
	char		 model[MODEL_BYTES]; /* "pretend-..." whatever was asked for */
	bool		 stream;
	int64_t		 created;	/* s since 1970 */
	int64_t		 prompt_tokens;	/* a guess by size */
};

/* The texts of demo.tbl.h. */
enum answer_text {
#define TEXT(symbol, text) TEXT_##symbol,
#include "demo/demo.tbl.h"
	TEXT_COUNT
};
const char	*answer_text(enum answer_text);

typedef void	 answer_fn(struct ask *);
/* answer_chat.c */
answer_fn	answer_chat, answer_completion;
/* answer_response.c */
answer_fn	answer_response;
/* answer_messages.c */
answer_fn	answer_messages, answer_count_tokens;
/* answer_audio.c */
answer_fn	answer_speech, answer_transcription, answer_translation;
/* answer_other.c */
answer_fn	answer_embeddings, answer_image, answer_moderation, answer_rerank, answer_models, answer_unknown;

/* answer.c: what they share. */

/* Did the request have the model that is there to fail in this way? Then it is answered. */
bool	answer_refused(struct ask *);
/* An error in the shape of the path's API. */
void	answer_error(struct ask *, int status, const char *type, const char *code, const char *message);
/* The next word of *text with the blanks before it; *text goes on after it. False: no more. */
bool	answer_word(struct slice *text, struct slice *word);
/* So many words: the pretend tokens. */
int64_t	answer_words(struct slice text);
/* The pause before token n of a stream, in ms: a longer one before the first. */
unsigned answer_pause(size_t n);
/* The prefix and "pretend000012"; the caller owns it. */
json_t	*answer_id(const struct ask *, const char *prefix);
/* Base64 of bytes as a JSON string; the caller owns it. */
json_t	*answer_base64(struct slice bytes);
/* A member of the request that is a text; NULL: it is none. */
const char	*answer_member(const struct ask *, const char *name);

#endif
