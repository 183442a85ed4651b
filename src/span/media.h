/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media: pictures, sounds and files that stand encoded inside JSON: data: URLs
 * and long base64 strings under the names that the APIs have for them. The
 * span's texts show them as the settings say.
 */
#ifndef SPAN_MEDIA_H
#define SPAN_MEDIA_H

#include "span/build.h"
#include "span/span.h"

struct arena;

/* The JSON text with its encoded media cut out or replaced by a digest: itself
 * where there are none (or MEDIA_KEEP), else a copy in the arena. digest: as in
 * build_options. */
struct slice	media_show(struct slice json, enum media_kept,
		    void (*digest)(struct slice bytes, uint8_t out[32]), struct arena *);

#endif
