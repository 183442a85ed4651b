/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: figures for dashboards over HTTP: /dashboard/... */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "gate/local.h"

local_handler metrics_handle;

#endif
