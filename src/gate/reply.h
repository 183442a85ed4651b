/* SPDX-License-Identifier: Apache-2.0 */
/* reply: what the gateway says itself, in the format of the API that was called. */
#ifndef GATE_REPLY_H
#define GATE_REPLY_H

#include <stdbool.h>

#include "core/buf.h"

enum reply_format { REPLY_OPENAI, REPLY_ANTHROPIC, REPLY_RESPAN };

struct reply_error {
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
void	reply_error(struct buf *, enum reply_format, const struct reply_error *,
	    const char *id, bool keep);
/* The same for a text that is no error. body_too: false for HEAD. */
void	reply_text(struct buf *, unsigned status, const char *content_type,
	    struct slice body, bool keep, bool body_too);

const char *reply_phrase(unsigned status);

#endif
