/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio: what was spoken or transcribed, kept as files of the data directory:
 * audio/ID, 0600. Written before their span is committed, removed with it.
 */
#ifndef STORE_AUDIO_H
#define STORE_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

#define AUDIO_PATH 4096

/* The file's path into out[AUDIO_PATH]. */
void	audio_path(const char *data_dir, const uint8_t id[16], char *out);
/* Writes it whole or not at all. False: errno says why. */
bool	audio_keep(const char *data_dir, const uint8_t id[16], struct slice bytes);
void	audio_remove(const char *data_dir, const uint8_t id[16]);

#endif
