/* SPDX-License-Identifier: Apache-2.0 */
/* threads: threads over HTTP: /log_threads. */
#ifndef API_THREADS_H
#define API_THREADS_H

#include "gate/local.h"

local_handler threads_list;

#endif
