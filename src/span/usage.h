/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: the token counts of any provider's usage object, read into one form.
 * Numbers stay as the provider counts them; what it did not say is unset.
 */
#ifndef SPAN_USAGE_H
#define SPAN_USAGE_H

#include "core/jscan.h"
#include "span/span.h"

struct usage {
	struct span_int	prompt;		/* input, with what the cache gave and took */
	struct span_int	completion;	/* output with its reasoning, wherever that was counted */
	struct span_int	total;
	/* parts of the prompt */
	struct span_int	cached;		/* read from the provider's cache */
	struct span_int	cache_creation;	/* written to it */
	struct span_int	cache_1h;	/* of these, to be kept for an hour */
	struct span_int	audio_in, image_in;
	/* parts of the completion */
	struct span_int	reasoning, audio_out, image_out;
	/* what is no token */
	struct span_int	duration;	/* µs of audio, where that is what is billed */
	struct span_int	characters;	/* of text to be spoken */
	struct span_int	images;		/* made */
	struct span_int	queries;	/* units of a rerank */
	struct span_int	web_searches, file_searches, code_interpreters;	/* calls of tools */
	struct span_int	provider_cost;	/* 10^-12 USD, what the provider says it charged */
};

/* What output tokens are where the usage does not tell. */
enum usage_output { OUTPUT_TEXT, OUTPUT_AUDIO, OUTPUT_IMAGE };

/* Reads one usage object. False: v is none, or counts nothing; of *out only
 * provider_cost means something then, which may be told alone. */
bool	usage_read(struct usage *out, struct jvalue v);
/* Puts what `next` says over what is there: for streams that tell their usage
 * in portions. */
void	usage_overlay(struct usage *, const struct usage *next);
/* Writes prompt, completion and their sum, those that are set, in place of what
 * the buf holds. */
void	usage_print(const struct usage *, struct buf *);

#endif
