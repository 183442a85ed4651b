/* SPDX-License-Identifier: Apache-2.0 */
/* create: spans taken in over HTTP: one, many, those of traces. */
#ifndef API_CREATE_H
#define API_CREATE_H

#include "gate/local.h"

local_handler create_one, create_batch, create_traces;

#endif
