/* SPDX-License-Identifier: Apache-2.0 */
/* users: customers over HTTP, from the rollups: /users/list and /users/ID. */
#ifndef API_USERS_H
#define API_USERS_H

#include "gate/local.h"

local_handler users_list, users_get, users_change;

#endif
