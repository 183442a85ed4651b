/* SPDX-License-Identifier: Apache-2.0 */
/* forward: which fields of a head pass, and what is put in their place. */
#ifndef GATE_FORWARD_H
#define GATE_FORWARD_H

#include "core/buf.h"
#include "core/http1.h"

struct exchange;

/* Appends the request head for the provider, for a body of len bytes. */
void	forward_request(const struct exchange *, uint64_t len, struct buf *);

/* Decides how the answer is framed for the client and appends its head. */
void	forward_answer(struct exchange *, const struct http1_head *, struct buf *);

/* Appends of an Accept-Encoding value the codings that the builder can read. */
void	forward_encodings(struct slice value, struct buf *);

#endif
