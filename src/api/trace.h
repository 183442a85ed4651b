/* SPDX-License-Identifier: Apache-2.0 */
/* trace: the members of a trace, as lists and one trace have them. */
#ifndef API_TRACE_H
#define API_TRACE_H

#include "core/buf.h"
#include "span/span.h"
#include "store/traces.h"

/* The members of a trace, each with a comma after it; root: its root as a whole,
 * or NULL where that has gone. */
void	trace_print(struct buf *, const struct traces_row *, const struct span *root);

/* The row with its texts behind it; free() it. */
struct traces_row *trace_copy(const struct traces_row *);
/* Appends the id in a path /traces/ID, its escapes undone. */
void	trace_path_id(struct slice path, struct buf *id);

#endif
