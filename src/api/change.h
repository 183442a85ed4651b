/* SPDX-License-Identifier: Apache-2.0 */
/* change: stored spans changed and deleted over HTTP. */
#ifndef API_CHANGE_H
#define API_CHANGE_H

#include "gate/local.h"

/* May there be a change of that span: is there one that the key may see? One that is
 * still open may come yet (*later). Puts in place of an id that of its row. */
bool	change_possible(const struct local_request *, uint8_t id[16], bool *later);

local_handler change_one, change_many, change_delete;

#endif
