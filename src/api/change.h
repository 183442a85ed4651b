/* SPDX-License-Identifier: Apache-2.0 */
/* change: stored spans changed and deleted over HTTP. */
#ifndef API_CHANGE_H
#define API_CHANGE_H

#include "gate/local.h"

local_handler change_one, change_many, change_delete;

#endif
