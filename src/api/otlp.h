/* SPDX-License-Identifier: Apache-2.0 */
/* otlp: the routes that take traces by OTLP/HTTP, as JSON or as protobuf. */
#ifndef API_OTLP_H
#define API_OTLP_H

#include "gate/local.h"

local_handler otlp_traces;

#endif
