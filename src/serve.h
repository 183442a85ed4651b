/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the gateway as a whole, from its settings to its last span; for the
 * subcommands that run one (serve, demo). One at a time in a process.
 */
#ifndef SERVE_H
#define SERVE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cli.h"

struct daemon {
	struct cli_args	 args;		/* kept for reloads; owned */
	struct config	*config;	/* as started */
	int		 lock;		/* of the data directory; -1: not held */
	struct journal	*journal;
	struct gate	*gate;
	pthread_mutex_t	 keys_lock;	/* of ring, and of who gives the gate new keys */
	struct keyring	*ring;		/* as the gate has it */
	int		 watch;		/* inotify on the data directory; -1: none */
	struct sink	*sink;
	struct exports	*exports;	/* what sends spans on */
	sigset_t	 signals;	/* blocked in all threads; main waits for them */
	atomic_bool	 hurried;	/* a second signal came while draining */
};

/* Starts everything with the settings that args name; the rest is zero and
 * lock -1. False: a line was printed. daemon_free either way. */
bool	daemon_start(struct daemon *);
/* Lets open exchanges end within drain_timeout and the store take what it can. */
void	daemon_stop(struct daemon *);
/* Tolerates a daemon that was started half. */
void	daemon_free(struct daemon *);

#endif
