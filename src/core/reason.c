/* SPDX-License-Identifier: Apache-2.0 */
/* reason: lookups in the table of why an exchange ended. Called by the gate
 * when one ends, by metrics and by the span builder. */
#include "core/reason.h"

static const struct reason_info reasons[REASON_COUNT] = {
#define REASON(symbol, name, is_error, status_code, sentence) \
	[REASON_##symbol] = { name, is_error, status_code, sentence },
#include "core/reason.tbl.h"
#undef REASON
};

static const struct reason_info unknown = {
	"unknown", true, 502, "it ended for a reason that this version does not know",
};

const struct reason_info *
reason_info(unsigned reason)
{
	return reason < REASON_COUNT ? &reasons[reason] : &unknown;
}
