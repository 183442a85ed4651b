/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: journal records of one exchange in, a span out. Pure: the sink, the
 * store's readers, replay, the golden tests and the fuzzers call the same.
 * Whatever the bytes are, a span comes out; trouble is a warning on it.
 */
#ifndef SPAN_BUILD_H
#define SPAN_BUILD_H

#include <stddef.h>

#include "core/record.h"
#include "span/span.h"

struct build;

struct build_options {
	bool	user_as_customer;	/* `user`, `safety_identifier`, metadata.user_id serve as customer_identifier */
	bool	row_only;		/* the sink: skip full_request, full_response and other texts that no row has */
};

/* NULL: out of memory. */
struct build	*build_new(const struct build_options *);
void		 build_free(struct build *);

/*
 * Takes the exchange's next record, BEGIN first, as they stand in the journal.
 * The bytes are lent until build_free. Records out of place, of unknown type
 * or malformed are noted in the span's warnings and passed over.
 */
void		 build_feed(struct build *, const struct record *);

/* Makes the span, which lives until build_free. Without an END it is as if
 * interrupted. Never NULL. */
const struct span *build_finish(struct build *);

/* The minimal span of a chain that could not be built (quarantine): sizes,
 * times, status, warning `build_failed`. */
const struct span *build_finish_raw(struct build *);

#endif
