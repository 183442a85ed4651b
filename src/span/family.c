/* SPDX-License-Identifier: Apache-2.0 */
/* family.c: from a family to what reads it. The one file that knows them all. */
#include "span/family.h"

const struct family_ops *
family_ops(enum family f)
{
	static const struct family_ops *const table[FAMILY_COUNT] = {
#define FAMILY(symbol, name, log_type, ops, ...) [FAMILY_##symbol] = &family_##ops,
#include "core/family.tbl.h"
#undef FAMILY
	};

	return table[f < FAMILY_COUNT ? f : FAMILY_OTHER];
}
