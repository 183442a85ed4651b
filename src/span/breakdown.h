/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown: the object request_breakdown that a client may ask for with its
 * answer, made of a copy of the exchange's records by the same builder that
 * makes the span, and the text that puts it into the answer.
 */
#ifndef SPAN_BREAKDOWN_H
#define SPAN_BREAKDOWN_H

#include "core/buf.h"
#include "span/build.h"

enum breakdown_result {
	BREAKDOWN_MADE,
	BREAKDOWN_NOT_JSON,	/* the answer is no JSON object */
	BREAKDOWN_FAILED,	/* memory, or more than `out` takes */
};

/*
 * records: an exchange's records, one behind the other, END last. Appends what
 * is to be added to its answer: in front of a JSON object's last bracket the
 * member with its comma, or, where it is a stream of events, an event.
 */
enum breakdown_result breakdown_make(struct slice records, const struct build_options *,
    bool events, struct buf *out);

#endif
