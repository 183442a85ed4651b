/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading: what a handler reads spans with. Each request opens the store for
 * itself, reads, and closes it: API threads share nothing.
 */
#ifndef API_READING_H
#define API_READING_H

#include "api/listing.h"
#include "core/buf.h"
#include "gate/local.h"
#include "store/full.h"
#include "store/store.h"

struct reading {
	struct local_job *job;
	const struct local_request *request;
	struct store	*store;
	struct full	*full;
	struct buf	 out;
	struct buf	 text;		/* scratch: input and output as strings */
};

/* Opens the store for what the key may see. False: it has answered why that cannot be read. */
bool	reading_open(struct reading *, struct local_job *, const struct local_request *);
void	reading_close(struct reading *);
/* Answers with what the store says: 503, or 400 where a list took too long. */
void	reading_failed(struct reading *, int store_result);
/* What every query of a reader has: its tenant, and how long it may take. */
void	reading_limits(struct reading *, struct query *);
/* A list's members up to and with "results":[ */
void	reading_list_head(struct reading *, const struct listing *, uint64_t count, bool lower_bound);
/* Appends "next" or "previous" of a list: this URL with another page, or null. */
void	reading_link(struct reading *, const char *name, bool there, uint64_t page);
/* Whose rows the key may see. */
struct slice reading_tenant(const struct local_request *);
/* The environment outside of which the key sees nothing, whatever is asked for:
 * its own, but for keys of `prod` and those that may name others. SLICE_NONE:
 * any. reading_open has the store itself keep to it and to the tenant. */
struct slice reading_bound(const struct local_request *);
/* The environment that a list is of: the one asked for, else the key's own, unless
 * all are asked for. SLICE_NONE: all that the key sees. */
struct slice reading_environment(const struct local_request *, struct slice asked, bool all);

/* Is there a row of that id that the key may see? Also under an id that became
 * another's, which is put in its place. */
bool	reading_exists(const struct local_request *, uint8_t id[16]);

/* Finds the row of an id that the key may see and has it answered; else
 * answers 404 (or 503). */
typedef void reading_answer(struct reading *, const struct span *row);
void	reading_one(struct local_job *, const struct local_request *, struct slice id,
	    reading_answer *);

#endif
