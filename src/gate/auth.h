/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth: who asks, and whether a browser was tricked into asking. Pure but for
 * the key hash.
 */
#ifndef GATE_AUTH_H
#define GATE_AUTH_H

#include <stdbool.h>

#include "base/config.h"
#include "core/http1.h"
#include "gate/settings.h"

enum auth_result {
	AUTH_OK,
	AUTH_MISSING,		/* keys are configured and the request has none: 401 */
	AUTH_UNKNOWN,		/* it has one that is not ours: 401 */
	AUTH_EXPIRED,		/* it was revoked, or its time is over: 401 */
	AUTH_FOREIGN,		/* without keys on loopback: Host or Origin is not this machine: 403 */
};

struct auth {
	const struct key_config	*key;		/* NULL without keys */
	struct slice		 used;		/* name of the field that held the key; it never goes upstream */
};

/* loopback: the request came by a TCP listener on loopback. */
enum auth_result auth_check(const struct settings *, const struct http1_head *,
	    bool loopback, struct auth *);

/* Does the request hold a credential for the provider, other than our key? */
bool	auth_has_own(const struct http1_field *, size_t n, const struct auth *);
/* The secret itself of a credential field: less "Bearer ". */
struct slice auth_secret(struct slice value);

#endif
