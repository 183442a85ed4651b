/* SPDX-License-Identifier: Apache-2.0 */
/* scores: what evaluators and people say of spans: /logs/ID/scores and /scores. */
#ifndef API_SCORES_H
#define API_SCORES_H

#include "gate/local.h"

local_handler scores_list, scores_create, scores_get, scores_change, scores_delete;

#endif
