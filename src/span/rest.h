/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest: members of a stream's objects that nobody put together has a name for:
 * of each the last value that is not null, so that the document made of the
 * stream lacks nothing that was sent.
 */
#ifndef SPAN_REST_H
#define SPAN_REST_H

#include "core/buf.h"
#include "core/jscan.h"

#define REST_MEMBERS 64		/* further names are let go */

struct rest_member {
	struct buf	name, value;	/* JSON texts */
};

struct rest {
	struct rest_member *list;
	size_t		 n;
	bool		 failed;	/* memory ran out */
};

/* All zero is an empty one. */
void	rest_free(struct rest *);
/* As json_pick, in the same pass; members of other names are remembered. */
void	rest_pick(struct rest *, struct jvalue object, const struct slice *names,
	    struct jvalue *out, size_t n);
/* Appends each as ,"name":value. */
void	rest_json(const struct rest *, struct buf *out);

#endif
