/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writing: what a handler puts into the journal: spans that were sent, and
 * changes of stored ones. What it has been told is acknowledged only once it is
 * in the page cache; what it comes to is found by the sink, and can be awaited.
 */
#ifndef API_WRITING_H
#define API_WRITING_H

#include "core/uuid.h"
#include "gate/local.h"
#include "journal/journal.h"

#define WRITING_WAIT_US 5000000		/* for the store, before it is said that it is still to come */

struct writing {
	struct local_job *job;
	const struct local_request *request;
	struct journal_writer *writer;
	struct uuid7	*uuid;
	uint64_t	 wall_us;	/* when the request came */
	uint64_t	 last;		/* position of the last record that was added, 0: none */
};

/* False: nothing can be written now; err says why. */
bool	writing_begin(struct writing *, struct local_job *, const struct local_request *, char *err, size_t errlen);
/* The same; false: it has answered that (503). */
bool	writing_open(struct writing *, struct local_job *, const struct local_request *);
/* Adds a span. json: as it was sent; key: its Idempotency-Key with its place, or
 * empty; method: log_method. Its id is put into id. False: the journal has no room. */
bool	writing_span(struct writing *, struct slice json, struct slice key, struct slice method, uint8_t id[16]);
/* Adds a change of the span `target`: an object of store/edit.c. */
bool	writing_edit(struct writing *, const uint8_t target[16], struct slice edit);
/* Appends "by":{…} of an edit: what the key may change. Then a comma. */
void	writing_by(const struct local_request *, struct buf *edit);
/* Flushes. False: it cannot be written. */
bool	writing_save(struct writing *);
/* The same; false: it has answered that. */
bool	writing_flush(struct writing *);
/* Waits until the store has it all. False: not within WRITING_WAIT_US. */
bool	writing_await(struct writing *);
/* Answers 429: the journal is at its limit. */
void	writing_full(struct writing *);

#endif
