/* SPDX-License-Identifier: Apache-2.0 */
/*
 * told: which events a webhook has told already, over restarts: numbers that
 * stand for them, the last LIMIT_SINK_TOLD, in a file of the sink's directory.
 * Belongs to the sink's thread.
 */
#ifndef EXPORT_TOLD_H
#define EXPORT_TOLD_H

#include <stdbool.h>
#include <stdint.h>

struct told;

/* Reads DIR/NAME; what of it is damaged is passed over. Never NULL: where it
 * cannot be read nothing was told, which is logged. */
struct told	*told_open(const char *dir, const char *name);
void		 told_close(struct told *);
bool		 told_has(const struct told *, uint64_t);
/* Remembers it. False: it cannot be written (errno); it is remembered all the same. */
bool		 told_add(struct told *, uint64_t);

#endif
