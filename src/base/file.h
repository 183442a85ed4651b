/* SPDX-License-Identifier: Apache-2.0 */
/* file: small files that are read and written whole. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>

#include "core/buf.h"

/* Puts the text under DIR/NAME, whole or not at all, 0600, on disk when it
 * returns. False: errno says why. */
bool	file_put(const char *dir, const char *name, struct slice text);
/* Appends the file's bytes; false with errno: it is not there, cannot be read or
 * is larger than the buf may be. */
bool	file_get(const char *dir, const char *name, struct buf *);
/* Is gone afterwards, whether or not it was there. */
void	file_remove(const char *dir, const char *name);

#endif
