/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown: what a client asks for with request_breakdown: its own request's
 * tokens, cost and times as part of the answer. The answer goes through as it
 * comes; its end is held while a job on an API thread builds the span from a
 * copy of the exchange's records. That takes at most LIMIT_BREAKDOWN_US; where
 * it cannot be had the answer is the provider's, and a warning stands on the
 * span. The journal knows nothing of what is added.
 */
#ifndef GATE_BREAKDOWN_H
#define GATE_BREAKDOWN_H

#include <stdbool.h>

#include "core/http1.h"
#include "core/record.h"
#include "core/slice.h"

struct exchange;

/* Before BEGIN: looks whether the request asks for one. x->breakdown is made if so. */
void	breakdown_ask(struct exchange *);
/* Must the provider's answer be readable as it comes? */
bool	breakdown_wanted(const struct exchange *);
/* From the tape: one more record, its payload in two pieces. */
void	breakdown_record(struct exchange *, enum record_type, struct slice fields, struct slice tail);
/* The answer's head, before it goes on: x->adding is set if this one gets it. */
void	breakdown_begin(struct exchange *, const struct http1_head *);
/* With x->adding: bytes on their way to the client. */
void	breakdown_data(struct exchange *, struct slice);
/* The provider's side ended well. True: EVENT_BREAKDOWN is to be waited for. */
bool	breakdown_end(struct exchange *);
/* EVENT_BREAKDOWN has come: what is held goes out, with what was made. */
void	breakdown_add(struct exchange *);
/* No breakdown for this exchange (any more): what is held goes out as it is.
 * note: code of the warning, or NULL. */
void	breakdown_leave(struct exchange *, const char *note);
void	breakdown_free(struct exchange *);

#endif
