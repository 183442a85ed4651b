/* SPDX-License-Identifier: Apache-2.0 */
/* provider: the up side that is an LLM provider over HTTP/1.1. */
#ifndef GATE_PROVIDER_H
#define GATE_PROVIDER_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/http1.h"
#include "gate/conn.h"
#include "gate/exchange.h"
#include "gate/pool.h"

extern const struct up_ops provider_ops;

/* One connection to a provider: dialling, serving an exchange, or idle. */
struct upstream {
	struct conn		 conn;		/* first */
	struct exchange		*x;		/* NULL: idle */
	struct settings		*settings;	/* keeps provider alive */
	struct provider		*provider;
	struct dial		*dial;		/* under way, or NULL */
	struct buf		 in;		/* a head not yet whole */
	size_t			 scan;
	struct http1_body	 body;
	struct buf		 early;		/* of an upload: what came before its head could go */
	bool			 sending;	/* the request's head is on its way */
	bool			 reused, answered, in_body, keep;
	bool			 idle;
	TAILQ_ENTRY(upstream)	 link;		/* in a pool */
};

/* The exchange on a connection that is a provider's; NULL. */
struct exchange *upstream_exchange(struct conn *);
/* Ends the connection for good; it is in no exchange any more. */
void	upstream_close(struct upstream *);

#endif
