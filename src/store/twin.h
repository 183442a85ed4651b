/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin: one call of a model that was told twice: by the gateway through which it
 * went, and by an instrumented application, as a span that was given. They are
 * one trace and one cost: the gateway's span is the one that is billed, and
 * becomes the other's child where nobody told its trace; the given one counts
 * nowhere (`counts` 0, cost_source "gateway"). In whichever order they come.
 * What came by a key is paired within its environment only.
 *
 * Which belong together:
 *   by parents  the gateway's span has a traceparent that leads to the given one,
 *               over at most TWIN_LEVELS spans (of an HTTP client, say)
 *   by id       they have the response's id, and were at the same time. Some
 *               servers have but one id for all: so never two of the gateway's,
 *               and not where they tell other tokens
 *   by likeness where the given one tells no id and the gateway's no trace: the
 *               same model (but for its date), status and tokens, and the given one's time holds the other's.
 *               Only where the given one is of a trace: of what logs are written by hand two may well be alike
 */
#ifndef STORE_TWIN_H
#define STORE_TWIN_H

#include <stdbool.h>
#include <stdint.h>

struct store;
struct span;

#define TWIN_LEVELS 4

extern const char twin_schema_sql[];	/* its indexes */
/* Row n of the span has just come, inside a transaction. *uncounted: it is one
 * that counts nowhere. */
int	twin_look(struct store *, int64_t n, const struct span *, bool *uncounted);

#endif
