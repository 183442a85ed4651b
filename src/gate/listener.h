/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: binds the configured addresses and accepts on one thread of its
 * own, which hands each client to the gate thread with the fewest open
 * exchanges. It pauses where file descriptors or connections run out.
 */
#ifndef GATE_LISTENER_H
#define GATE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"

struct acceptor;
struct gate_thread;

/* Binds all; err says which failed and why. Starts nothing yet. */
struct acceptor	*acceptor_new(const struct config *, char *err, size_t errlen);
bool		 acceptor_start(struct acceptor *, struct gate_thread *, unsigned nthreads,
		    unsigned max_connections);
/* No more clients: closes the listeners and joins the thread. */
void		 acceptor_stop(struct acceptor *);
void		 acceptor_free(struct acceptor *);
/* Address n as a person would type it; NULL past the last. */
const char	*acceptor_address(const struct acceptor *, size_t n);

#endif
