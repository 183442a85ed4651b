/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local: the up side that is no provider but a job on a small pool of API
 * threads. A bounded queue of jobs in, bounded blocks of answer out. Handlers
 * run on pool threads, may block, and know nothing of sockets.
 */
#ifndef GATE_LOCAL_H
#define GATE_LOCAL_H

#include <stdbool.h>

#include "base/config.h"
#include "core/slice.h"

struct local_job;

struct local_request {
	struct slice	 method, path, query;	/* path: with /api taken off and one last slash taken off */
	struct slice	 target;		/* as sent, for `next` links */
	struct slice	 host;			/* Host header, for `next` links */
	struct slice	 range;			/* Range header, or empty */
	struct slice	 idempotency_key;	/* Idempotency-Key header, or empty */
	struct slice	 content_type, content_encoding;	/* headers, or empty */
	struct slice	 body;
	const struct config *config;
	const struct key_config *key;		/* NULL without keys */
};

struct journal_writer;
struct uuid7;

/* What the job's thread writes to the journal with, and ids for it; the first
 * call opens it. NULL: err holds a line for people. */
struct journal_writer *local_writer(struct local_job *, struct uuid7 **, char *err, size_t errlen);

/* Runs on a pool thread; must call local_head once, then local_write any
 * number of times, and return. */
typedef void	 local_handler(struct local_job *, const struct local_request *, void *arg);

/* content_type: NULL for none. headers: further "name: value\r\n" lines or NULL. */
void	 local_head(struct local_job *, unsigned status, const char *content_type, const char *headers);
/* Hands bytes to the gate thread; waits while LIMIT_LOCAL_BLOCKS are unsent.
 * False: the client has gone, stop. */
bool	 local_write(struct local_job *, const void *, size_t);

#endif
