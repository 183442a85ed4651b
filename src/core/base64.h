/* SPDX-License-Identifier: Apache-2.0 */
/* base64: decoding (RFC 4648), standard and URL alphabet, padding optional; encoding in the standard one. */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/buf.h"

/* Appends the bytes that text stands for. False, and nothing appended: it is
 * no base64, or the buf failed. */
bool	base64_decode(struct slice text, struct buf *out);

/* Appends the bytes as text, with padding. */
void	base64_encode(struct slice bytes, struct buf *out);

/* Text that comes in pieces, as the inside of a JSON string: escapes are
 * undone, blanks and line ends passed over. */
struct base64 {
	uint32_t	bits;		/* of a group of four characters so far */
	uint8_t		have;		/* characters of it */
	uint8_t		pads;		/* padding still to come */
	uint8_t		escape;		/* 1: behind a backslash, 2 to 5: in \uXXXX */
	uint16_t	code;		/* its digits so far */
	bool		bad;
};

void	base64_init(struct base64 *);
/* Appends what is decoded. False, now and from then on: a character that is
 * none of base64, or the buf failed; what came before it is appended. Behind
 * padding a further text may begin. */
bool	base64_feed(struct base64 *, struct slice piece, struct buf *out);
/* The text ends here, padded or not; the next piece begins a new one. False:
 * it did not come to its end, or was bad. */
bool	base64_end(struct base64 *);

#endif
