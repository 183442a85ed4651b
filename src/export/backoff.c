/* SPDX-License-Identifier: Apache-2.0 */
/* backoff: see backoff.h. */
#include "export/backoff.h"

uint64_t
backoff_pause(unsigned failures, uint64_t min_us, uint64_t max_us, uint64_t asked_us, uint64_t random)
{
	uint64_t ceiling = min_us;

	for (unsigned i = 1; i < failures && ceiling < max_us; i++)
		ceiling *= 2;
	if (ceiling > max_us)
		ceiling = max_us;
	if (asked_us == 0)
		return random % (ceiling + 1);
	if (asked_us > BACKOFF_ASKED_MOST)
		asked_us = BACKOFF_ASKED_MOST;
	return asked_us + random % (ceiling / 4 + 1);
}
