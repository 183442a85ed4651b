/* SPDX-License-Identifier: Apache-2.0 */
/* reason: the one table of why an exchange ended, as enum and lookups. */
#ifndef CORE_REASON_H
#define CORE_REASON_H

#include <stdbool.h>

enum reason {
#define REASON(symbol, name, is_error, status_code, sentence) REASON_##symbol,
#include "core/reason.tbl.h"
#undef REASON
	REASON_COUNT
};

struct reason_info {
	const char	*name;		/* for labels: [a-z_]+ */
	bool		 is_error;
	unsigned	 status_code;	/* 0: the provider's */
	const char	*sentence;	/* no capital, no full stop */
};

/* Any value is allowed; one that this version does not know reads as
 * "unknown", an error with status 502. */
const struct reason_info *reason_info(unsigned reason);

#endif
