/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial: makes a TCP (or unix) connection to a host: name, then the addresses
 * in order, each next one 250 ms after the one before or at once when that
 * failed; the first that is there wins (RFC 8305, less its sorting).
 */
#ifndef GATE_DIAL_H
#define GATE_DIAL_H

#include <stdbool.h>
#include <stdint.h>

struct dial;
struct gate_thread;
struct provider_config;

struct dial_result {
	int		 fd;		/* connected, non-blocking, the receiver's; -1: failed */
	bool		 resolve_failed;
	const char	*error;		/* in words when failed */
	uint64_t	 t_resolved, t_connected;
};

typedef void	 dial_done(void *arg, const struct dial_result *);

/* Never calls done inside itself. The dial is gone when done has been called. */
struct dial	*dial_start(struct gate_thread *, const struct provider_config *, dial_done *, void *arg);
/* Gives it up: done will not be called. */
void		 dial_cancel(struct dial *);

#endif
