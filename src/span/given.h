/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given: a span that somebody sends over the API, checked before it is taken.
 * What it comes to is found by the builder, from the SPAN record that holds it.
 */
#ifndef SPAN_GIVEN_H
#define SPAN_GIVEN_H

#include <stdbool.h>

#include "core/jscan.h"

struct given_error {
	char	member[80];	/* which one; "" for the span as a whole */
	char	text[120];	/* what is wrong with it */
};

/* Is it an object whose members have values of their types, none of them twice?
 * null is as if it were not there. trace: it must name its trace and span. */
bool	given_check(struct jvalue span, bool trace, struct given_error *);
/* Is it one of the log types that the documents name, in either case? */
bool	given_log_type(struct slice);

#endif
