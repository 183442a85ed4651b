/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate_coding: what one library does for inflate.c: undo one content coding,
 * a member (gzip), stream (br) or frame (zstd) at a time. How these follow each
 * other and how codings are stacked is the same for all, and in inflate.c.
 */
#ifndef SPAN_INFLATE_CODING_H
#define SPAN_INFLATE_CODING_H

#include "core/slice.h"

enum coding_result {
	CODING_MORE,	/* go on: with more bytes, or with more room */
	CODING_END,	/* the member came to its end; *in is behind it */
	CODING_NONE,	/* this is the beginning of no member */
	CODING_BAD,	/* damaged */
	CODING_MEMORY,
};

struct coding {
	/* A state that is ready for a first member. NULL: memory. */
	void *(*make)(void);
	void (*free)(void *);
	/* Gets ready for another member. False: memory. NULL: there is only one. */
	bool (*again)(void *);
	/* Takes bytes off the front of *in and puts at most `room` into out, *made
	 * of them. With neither a byte taken nor made it is CODING_MORE only where
	 * *in is empty. */
	enum coding_result (*step)(void *, struct slice *in, char *out, size_t room,
	    size_t *made);
};

extern const struct coding coding_gzip, coding_deflate;	/* inflate_zlib.c */
extern const struct coding coding_br;			/* inflate_br.c */
extern const struct coding coding_zstd;			/* inflate_zstd.c */

#endif
