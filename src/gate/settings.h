/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: a config with what the gate makes of it: for each provider a TLS
 * context, its last TLS session, and what was learned of it. Shared by all
 * threads by reference; an exchange keeps the one it began with.
 */
#ifndef GATE_SETTINGS_H
#define GATE_SETTINGS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/config.h"

struct gate_thread;

struct provider {
	const struct provider_config *config;
	SSL_CTX		*tls;		/* NULL: plain */
	pthread_mutex_t	 lock;		/* of session */
	SSL_SESSION	*session;	/* the newest one */
	atomic_bool	 usage_refused;	/* it refused stream_options, or sends usage unasked: do not ask */
};

struct settings {
	struct config	*config;
	struct keyring	*ring;		/* keys that were made at run time */
	struct provider	*providers;	/* by provider_config.index */
	struct settings	*owner;		/* of config and providers, where only the ring is our own; or NULL */
	atomic_uint	 references;
};

/* Takes a reference on the config. Reads CA files. NULL: err. */
struct settings	*settings_new(struct config *, char *err, size_t errlen);
/* The same with another ring; takes a reference on it. */
struct settings	*settings_with_ring(struct settings *, struct keyring *);
/* Are keys needed? */
bool		 settings_closed(const struct settings *);
struct settings	*settings_ref(struct settings *);
void		 settings_unref(struct settings *);

/* A TLS object for a new connection to the provider: verification of its host
 * name, SNI, ALPN and a former session are set. NULL: out of memory. */
SSL		*provider_tls(struct provider *);

#endif
