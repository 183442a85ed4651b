/* SPDX-License-Identifier: Apache-2.0 */
/* route: where a request goes, told from its path and headers alone. */
#ifndef GATE_ROUTE_H
#define GATE_ROUTE_H

#include <stdbool.h>

#include "base/config.h"
#include "core/buf.h"
#include "core/http1.h"

enum route_kind {
	ROUTE_UNKNOWN,		/* 404 */
	ROUTE_PROVIDER,
	ROUTE_LOCAL,		/* the REST API */
	ROUTE_PAGE, ROUTE_METRICS, ROUTE_HEALTH, ROUTE_READY,
};

struct route {
	enum route_kind	 kind;
	enum provider_api api;
	const struct provider_config *provider;	/* named in the path; NULL: by model */
	struct slice	 path;		/* provider: below "/v1" of the API, "/chat/completions"; local: less /api and the last slash */
	bool		 open;		/* no key is asked for, and one that comes does not count */
};

/* path: of the parsed head. The route's slices point into it. */
struct route route_find(const struct config *, const struct http1_head *);

/* Appends the request target for the provider: its base path, the API's path
 * and the query, with api-version where the provider has one. */
void	route_target(const struct route *, const struct provider_config *,
	    struct slice query, struct buf *);
/* Appends the API's path with "/v1", the form that family_of knows. */
void	route_api_path(const struct route *, struct buf *);

#endif
