/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resend: how the command line asks for dead letters to be sent again, or to be
 * dropped: a file in the sink's directory, which its thread finds between two
 * requests, or at the gateway's next start. Another file then says how it went.
 */
#ifndef EXPORT_RESEND_H
#define EXPORT_RESEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

struct resend {
	uint8_t		(*ids)[16];
	size_t		 n;
	bool		 all;		/* all that there are; no ids */
	bool		 drop;		/* not sent: forgotten */
};

/* Asks. False: errno says why; EEXIST: it was asked for before and is not done. */
bool	resend_ask(const char *dir, const struct resend *);
/* Of the question's text; false: that is none. resend_free after it. */
bool	resend_parse(struct slice, struct resend *);
/* Is there a question? One that cannot be read is taken away. resend_free after it. */
bool	resend_look(const char *dir, struct resend *);
void	resend_free(struct resend *);
/* It is done: the question goes, the answer is put there. */
void	resend_answer(const char *dir, const char *text);
/* The answer, once (200 bytes). */
bool	resend_answered(const char *dir, char *text);
/* Takes back what was asked. */
void	resend_take_back(const char *dir);

#endif
