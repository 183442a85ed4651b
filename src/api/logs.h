/* SPDX-License-Identifier: Apache-2.0 */
/* logs: spans over HTTP: /request-logs and below. */
#ifndef API_LOGS_H
#define API_LOGS_H

#include "api/listing.h"
#include "api/reading.h"
#include "gate/local.h"

/* Answers with the span of a row as a whole. */
reading_answer logs_answer_one;

local_handler logs_list, logs_get, logs_export, logs_create_or_list;

#endif
