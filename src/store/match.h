/* SPDX-License-Identifier: Apache-2.0 */
/* match: does a text hold what a filter looks for? */
#ifndef STORE_MATCH_H
#define STORE_MATCH_H

#include <stdbool.h>

#include "core/slice.h"

/* The first three compare bytes; the others work on characters, and all but
 * MATCH_REGEX take no notice of case. */
enum match_mode { MATCH_CONTAINS, MATCH_STARTS, MATCH_ENDS, MATCH_IEXACT, MATCH_ICONTAINS, MATCH_REGEX, MATCH_ILIKE,
    MATCH_MODES };

struct match;

/* NULL: err says what is wrong with the pattern. The pattern is copied. */
struct match	*match_new(enum match_mode, struct slice pattern, char *err, size_t errlen);
void		 match_free(struct match *);
/* A pattern that takes too long over a text does not match it. */
bool		 match_text(const struct match *, struct slice text);

#endif
