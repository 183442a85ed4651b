/* SPDX-License-Identifier: Apache-2.0 */
/* body: a request's body as it was before it was compressed. */
#ifndef API_BODY_H
#define API_BODY_H

#include "core/buf.h"
#include "gate/local.h"

struct body_error {
	unsigned	 status;	/* 400, 413 or 415 */
	const char	*headers;	/* as in local_head */
	char		 text[120];
};

/* *body: the request's, or what it is when decompressed, in `inflated`, which was
 * initialised with its limit and must live as long. False: the error says why not. */
bool	body_inflate(const struct local_request *, struct buf *inflated, struct slice *body, struct body_error *);

#endif
