/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_mark: the notes of a scan, shared by rewrite.c, rewrite_form.c and
 * fill.c. */
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
/* Is that member taken out of what goes upstream? */
bool	rewrite_mark_is_cut(const struct rewrite *, const struct rewrite_mark *);

/* fill.c: the edits that fill variables into the body's texts, at most `room`,
 * sorted, within no mark that is cut. Allocates fills->list, which the caller
 * frees, and rw->fill_text. None where there are no variables of ours, or
 * where a limit is met: then rw->note is set. -1: memory. */
int	fill_make(struct rewrite *rw, size_t room, struct edits *fills);

#endif
