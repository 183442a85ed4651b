/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob: patterns of names: `*` is any run of characters, also none, `#` one
 * digit, everything else itself in either case of ASCII letters.
 */
#ifndef CORE_GLOB_H
#define CORE_GLOB_H

#include <stdbool.h>

#include "core/slice.h"

/* Does the pattern match the whole text? Time is at most their product. */
bool	glob_match(struct slice pattern, struct slice text);
/* Does it hold a `*` or `#`? */
bool	glob_is_pattern(struct slice);

#endif
