/* SPDX-License-Identifier: Apache-2.0 */
/* summary: sums over spans over HTTP: /request-logs/summary. */
#ifndef API_SUMMARY_H
#define API_SUMMARY_H

#include "gate/local.h"

local_handler summary_get;

#endif
