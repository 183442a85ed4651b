/* SPDX-License-Identifier: Apache-2.0 */
/* logs: spans over HTTP: /request-logs and below. */
#ifndef API_LOGS_H
#define API_LOGS_H

#include "api/listing.h"
#include "gate/local.h"

local_handler logs_list, logs_get, logs_create_or_list;

#endif
