/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tape: writes one exchange's records into the thread's journal: what is kept
 * of each direction, and what is blanked. Called by the exchange at each of
 * its steps.
 */
#ifndef GATE_TAPE_H
#define GATE_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/http1.h"
#include "core/reason.h"
#include "core/slice.h"

struct exchange;

#define TAPE_SECRETS 5

struct tape {
	bool		 on;		/* BEGIN is written: END is owed */
	bool		 ended;
	uint64_t	 position;	/* of the last record */
	uint64_t	 lost;		/* bytes for which there was no room */
	uint64_t	 held_before;	/* of x->held_us at the last PART */
	char		*ring;		/* the last LIMIT_KEEP_LAST bytes of a long body */
	uint64_t	 ring_at;	/* offset in the body of what comes next into it */
	char		*error;		/* an error answer, kept back to blank credentials in it */
	size_t		 error_len;
	uint64_t	 error_at;	/* its offset in the answer */
	char		*secrets[TAPE_SECRETS]; /* the exchange's credentials */
	size_t		 nsecrets;
	char		 notes[96];	/* codes of warnings for END, LF after each */
};

/* Remembers a credential of this exchange. Short ones are no secrets. */
void	tape_secret(struct tape *, struct slice);
void	tape_begin(struct exchange *);
void	tape_send(struct exchange *, struct slice url, bool reused, const char *detail);
void	tape_head(struct exchange *, const struct http1_head *);
void	tape_part(struct exchange *, struct slice bytes);
/* A piece of a request body that goes through unheld, and its end. */
void	tape_upload(struct exchange *, struct slice bytes);
void	tape_uploaded(struct exchange *);
/* The answer so far was not the last: another attempt comes. */
void	tape_again(struct exchange *);
void	tape_end(struct exchange *, enum reason, const char *detail);
void	tape_free(struct tape *);
/* Notes a warning for the span: its code, in END. */
void	tape_note(struct tape *, const char *code);
/* END as it would be if all went well now, for the copy of the records that a
 * breakdown is made of; not for the journal. */
void	tape_copy_end(struct exchange *);
/* Appends the parameters that came in a header, as JSON. False: there are none. */
bool	tape_params(const struct exchange *, struct buf *);
/* Time that the gateway itself took, µs: from the request's last byte to its
 * first byte on the provider's connection, less making that connection, and
 * from the answer's head to its first byte on the client's. */
uint64_t tape_overhead(const struct exchange *);

#endif
