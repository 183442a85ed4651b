/* SPDX-License-Identifier: Apache-2.0 */
/* keys: keys over HTTP: /temporary-keys and below. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "gate/local.h"

local_handler keys_list, keys_create, keys_get, keys_change, keys_delete;

#endif
