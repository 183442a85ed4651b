/* SPDX-License-Identifier: Apache-2.0 */
/* base64: decoding (RFC 4648), standard and URL alphabet, padding optional. */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/buf.h"

/* Appends the bytes that text stands for. False, and nothing appended: it is
 * no base64, or the buf failed. */
bool	base64_decode(struct slice text, struct buf *out);

#endif
