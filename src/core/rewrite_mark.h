/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_mark: the notes of a scan, shared by rewrite.c and rewrite_form.c. */
#ifndef CORE_REWRITE_MARK_H
#define CORE_REWRITE_MARK_H

#include "core/members.h"
#include "core/rewrite.h"

/* An own member and its place among its neighbours, in offsets of the body. */
struct rewrite_mark {
	const struct member	*own;
	struct jvalue		 value;		/* of a form: JSTRING without quotes */
	size_t			 start, end;	/* of the member, without comma */
	size_t			 before;	/* end of the member before it */
	size_t			 next;		/* start of the member after it; 0: none */
	size_t			 index;		/* in its object */
	bool			 inside;	/* of metadata */
	bool			 secret;	/* of a form: a name within its brackets is SECRET */
};

/* One more mark. NULL: there is no memory, or `full` is set as there are too many. */
struct rewrite_mark *rewrite_mark_new(struct rewrite *);

#endif
