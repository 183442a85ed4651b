/* SPDX-License-Identifier: Apache-2.0 */
/* params: the members of a URL's query, percent-decoded. */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "core/buf.h"
#include "core/slice.h"

struct param {
	struct slice	 name, value;	/* decoded: into the arena given to params_next */
	struct slice	 text;		/* name=value as sent */
};

/* Pulls the next member off *query: false at the end. The arena must have room
 * for the whole query (params_room), so that nothing moves. */
bool	params_next(struct slice *query, struct param *, struct buf *arena);
bool	params_room(struct slice query, struct buf *arena);

#endif
