/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse: everything that the gateway answers instead of a provider. True from
 * the first three: it has answered, there will be no exchange.
 */
#ifndef GATE_REFUSE_H
#define GATE_REFUSE_H

#include <stdbool.h>

#include "core/http1.h"
#include "core/reason.h"
#include "gate/auth.h"
#include "gate/route.h"

struct down;
struct exchange;

/* CONNECT 405, Upgrade 426, an expectation other than 100-continue 417. */
bool	refuse_head(struct down *, const struct http1_head *, const struct route *);
/* No key, a wrong key, a foreign web page. Fills in auth. */
bool	refuse_stranger(struct down *, const struct http1_head *, const struct route *,
	    struct auth *);
/* Places that are answered from memory, and those that are none. */
bool	refuse_place(struct down *, const struct http1_head *, const struct route *);

/* The answer of an exchange that ended for `reason` before a head went out.
 * Sets its status and finishes the client's side. */
void	refuse_exchange(struct exchange *, enum reason, const char *detail);

#endif
