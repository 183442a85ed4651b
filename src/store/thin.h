/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thin: a chain as it is stored: less the bytes of which the builder has read
 * all that a span shows (audio, files), with a FACTS record in their place.
 */
#ifndef STORE_THIN_H
#define STORE_THIN_H

#include "journal/reader.h"
#include "span/build.h"

/* Appends the thinned chain to out. False: there is nothing to leave out, or
 * out has no room; then out is as it was. */
bool	thin_chain(const struct chain *, const struct build *, struct buf *out);

#endif
