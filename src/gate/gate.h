/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: the hot path as a whole: listeners, one accepting thread, gate threads
 * with one event loop each, the resolver and the pool of API threads.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "gate/local.h"
#include "journal/journal.h"

struct gate;

/*
 * Binds the listeners and starts all threads; the calling thread's signal mask
 * is theirs. api is called for the gateway's own REST paths on pool threads,
 * arg with it. Takes a reference on the config. NULL: nothing was started, err
 * holds a line for people (address in use, CA file unreadable, ...).
 */
struct gate	*gate_start(struct config *, struct journal *,
		    local_handler *api, void *arg, char *err, size_t errlen);

/* New settings for exchanges that begin from now on. Takes a reference. False:
 * nothing was changed, err says why. Listeners and threads stay. */
bool		 gate_reload(struct gate *, struct config *, char *err, size_t errlen);

/* Other keys for requests that begin from now on, by any thread. Takes a reference. */
void		 gate_rekey(struct gate *, struct keyring *);

/*
 * Stops accepting, lets open exchanges end until deadline (clock_mono_us),
 * then ends the rest as interrupted, joins all threads. A second thread may
 * call gate_hurry to cut the wait short.
 */
void		 gate_drain(struct gate *, uint64_t deadline_us);
void		 gate_hurry(struct gate *);
/* After gate_drain. */
void		 gate_free(struct gate *);

/* Address n as bound ("http://127.0.0.1:8787", "unix:/path"); NULL past the
 * last one. Lives as long as the gate. */
const char	*gate_address(const struct gate *, size_t n);

#endif
