/* SPDX-License-Identifier: Apache-2.0 */
/* family: which API a request speaks, told from method and path alone. */
#ifndef CORE_FAMILY_H
#define CORE_FAMILY_H

#include "core/slice.h"

enum family {
#define FAMILY(symbol, ...) FAMILY_##symbol,
#include "core/family.tbl.h"
#undef FAMILY
	FAMILY_COUNT
};

/* path: as it goes to the provider's API root, "/v1/..." without query.
 * One slash at its end does not count. Never fails: FAMILY_OTHER. */
enum family	 family_of(struct slice method, struct slice path);

/* Can a request_breakdown be added to its answers? */
bool		 family_has_breakdown(enum family);

const char	*family_name(enum family);
const char	*family_log_type(enum family);
/* FAMILY_OTHER for a name that this version does not know. */
enum family	 family_by_name(struct slice name);

#endif
