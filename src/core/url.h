/* SPDX-License-Identifier: Apache-2.0 */
/* url: the parts of an http or https address as settings hold it. */
#ifndef CORE_URL_H
#define CORE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

struct url {
	bool		tls;
	struct slice	host;		/* no brackets around IPv6 */
	struct slice	authority;	/* host and port as they were written: for Host */
	uint16_t	port;		/* 80 or 443 where none was written */
	struct slice	path;		/* less slashes at its end; may be empty */
};

/* NULL, or in words what is wrong with it. Query, fragment and user are
 * refused; the slices point into text. */
const char	*url_parse(struct slice text, struct url *);

/* host:port or [v6]:port, port needed (0 is allowed): NULL, or what is wrong. */
const char	*hostport_parse(struct slice text, struct slice *host, uint16_t *port);

#endif
