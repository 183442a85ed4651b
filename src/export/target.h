/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: one sink at work: its thread, its handle of the store, its connection.
 * Made, told and ended by export.c on the main thread.
 */
#ifndef EXPORT_TARGET_H
#define EXPORT_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

struct target;

/* The sink `id` of these settings, of a data directory (theirs may be another one, until the next start); takes a
 * reference. instance: of this gateway, lives as long; or NULL. Reads how far it has come,
 * and where the store is behind that, goes back. Never NULL. */
struct target	*target_open(struct config *, const char *data_dir, const char *id, const char *instance);
/* Starts the thread; false: it could not be. */
bool		 target_start(struct target *);
const char	*target_id(const struct target *);
/* New settings, which have the sink; takes a reference. */
void		 target_reload(struct target *, struct config *);
/* It may go on until that time (clock_mono_us), while its target takes. */
void		 target_hurry(struct target *, uint64_t deadline_us);
/* Waits for the end of the thread and frees it. */
void		 target_free(struct target *);

#endif
