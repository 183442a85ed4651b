/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver: names to addresses on threads of its own (getaddrinfo waits), with
 * a cache of 60 s. An old entry is used on while it is refreshed or while
 * refreshing fails. Addresses in numbers never get here.
 */
#ifndef GATE_RESOLVER_H
#define GATE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVER_ADDRESSES 8		/* of one name that are tried */

struct gate_thread;
struct resolver;

struct address {
	struct sockaddr_storage	 addr;
	socklen_t		 len;
};

struct addresses {
	struct address	 list[RESOLVER_ADDRESSES];
	unsigned	 count;
};

typedef void	 resolver_done(struct gate_thread *, void *arg,
		    const struct addresses *, const char *error);

struct resolver	*resolver_start(void);
void		 resolver_stop(struct resolver *);

/* Fills in an address in numbers. False: it is a name. */
bool		 address_parse(const char *host, uint16_t port, struct address *);

/*
 * True: *out is filled from the cache. False: done will be called on the
 * thread, once, with the addresses or (count 0) an error in words; arg must
 * live until then.
 */
bool		 resolver_lookup(struct resolver *, struct gate_thread *, const char *host,
		    uint16_t port, struct addresses *out, resolver_done *done, void *arg);

#endif
