/* SPDX-License-Identifier: Apache-2.0 */
/* traces: traces over HTTP: /traces/list, /traces/ID and sums over them. */
#ifndef API_TRACES_H
#define API_TRACES_H

#include "gate/local.h"

local_handler traces_list, traces_get, traces_summary, traces_delete, traces_delete_many, traces_patch, traces_public;

#endif
