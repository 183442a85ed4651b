/* SPDX-License-Identifier: Apache-2.0 */
/* search: spans by the words of their inputs and outputs: /request-logs/search?q=. */
#ifndef API_SEARCH_H
#define API_SEARCH_H

#include "gate/local.h"

local_handler search_spans;

#endif
