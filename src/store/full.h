/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full: the whole span behind a row, put together again from what is stored
 * with it: input, output, messages, tools, the full request and answer.
 */
#ifndef STORE_FULL_H
#define STORE_FULL_H

#include "span/build.h"
#include "store/store.h"

struct full;	/* memory that one reader uses again and again */

/* The options are copied. */
struct full	*full_new(const struct store_ops *, struct store *, const struct build_options *);
void		 full_free(struct full *);

/*
 * The span of the row with everything that was kept. What the row knows counts
 * where the two differ, but for texts, which rows hold cut. A row without a
 * body, or whose body cannot be read, comes back as it is. The span lives
 * until the next call; the row must live as long.
 */
const struct span *full_span(struct full *, const struct span *row);

/*
 * From here on all is read in one snapshot, which saves the locks of each
 * statement; full_rest ends that, before anything that may wait: while one is
 * open the store's log cannot be written again from its start. Both may be
 * called at any time.
 */
void	full_hold(struct full *);
void	full_rest(struct full *);

/* Sets a span's fields from a JSON object of them (span_json backwards);
 * unknown members are passed over. Texts are decoded into `text`, which must
 * have been cleared and may not be appended to while the span lives. False:
 * this is no object or memory ran out. */
bool	full_parse(struct slice json, struct span *, struct buf *text);

#endif
