/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest: members of a stream's objects that nobody put together has a name for:
 * of each the last value that is not null, so that the document made of the
 * stream lacks nothing that was sent. Of small objects each member counts for
 * itself: what an earlier one said stays until a later one says otherwise.
 */
#ifndef SPAN_REST_H
#define SPAN_REST_H

#include "core/buf.h"
#include "core/jscan.h"

#define REST_MEMBERS 64		/* further names are let go */
#define REST_MERGE 512		/* bytes of two objects that are made one; beyond, the later one stays */

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
/* Appends each as ,"name":value; *out fails if memory had run out. */
void	rest_json(const struct rest *, struct buf *out);

#endif
