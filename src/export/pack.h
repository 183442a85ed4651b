/* SPDX-License-Identifier: Apache-2.0 */
/* pack: a body compressed whole. */
#ifndef EXPORT_PACK_H
#define EXPORT_PACK_H

#include "base/config.h"

/* The body into out, which is cleared first. The name of the coding for the
 * head; NULL: it is to be sent as it is (also where memory ran out). */
const char	*pack(enum sink_coding, struct slice body, struct buf *out);

#endif
