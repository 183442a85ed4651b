/* SPDX-License-Identifier: Apache-2.0 */
/* answer: what the gateway says itself, in the format of the API that was called. */
#ifndef GATE_ANSWER_H
#define GATE_ANSWER_H

#include <stdbool.h>

#include "core/buf.h"

enum answer_format { ANSWER_OPENAI, ANSWER_ANTHROPIC, ANSWER_RESPAN };

struct answer_error {
	unsigned	 status;
	const char	*type;		/* "invalid_request_error", ... */
	const char	*code;		/* or NULL */
	const char	*message;	/* a sentence */
	int		 retry_after;	/* s; 0: none */
	int		 should_retry;	/* 1, 0, or -1: not said */
	bool		 no_body;	/* the request was HEAD */
	const char	*headers;	/* further "name: value\r\n" lines, or NULL */
};

/* Appends a whole answer, head and body. id: hex of the span, or NULL. */
void	answer_error(struct buf *, enum answer_format, const struct answer_error *,
	    const char *id, bool keep);
/* The same for a text that is no error. body_too: false for HEAD. */
void	answer_text(struct buf *, unsigned status, const char *content_type,
	    struct slice body, bool keep, bool body_too);

const char *answer_phrase(unsigned status);

#endif
