/* SPDX-License-Identifier: Apache-2.0 */
/* audio: the kept audio of a span over HTTP: /audio/ID. */
#ifndef API_AUDIO_H
#define API_AUDIO_H

#include "gate/local.h"

local_handler audio_get;

#endif
