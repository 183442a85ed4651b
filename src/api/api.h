/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api: the REST API over the store, with the paths and shapes of the Respan
 * API. Runs as a job on the gate's pool of API threads; knows nothing of
 * sockets. The gate has checked the key before.
 */
#ifndef API_API_H
#define API_API_H

#include "gate/local.h"

/* Answers any path that is the API's: by its table of routes, else 404. The
 * argument is not used. */
local_handler api_handle;

#endif
