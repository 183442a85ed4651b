/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out: spans as OpenTelemetry has them: OTLP's JSON form by the GenAI
 * conventions, which proto_write.h makes protobuf of. The kind of sink that
 * speaks OTLP calls it (export/otlp.c); which fields may leave the house is
 * its affair: what is null in the span is not written. Pure.
 */
#ifndef SPAN_OTLP_OUT_H
#define SPAN_OTLP_OUT_H

#include "span/span.h"

struct otlp_out_options {
	bool		 next;		/* names of what comes after 1.41 */
	struct slice	 service;	/* service.name */
	struct slice	 version;	/* of this program */
	void		(*digest)(struct slice bytes, uint8_t out[32]);	/* SHA-256: ids from what is none */
};

/*
 * Appends the span as an OTLP span object. Ids of the right form are taken as
 * they are, others are hashed and stand in attributes as they came; own_id: an
 * older span has this one's ids, so it goes by its own. scores: a JSON object of
 * them by evaluator ({evaluator_name, score_value, string_value}), or
 * SLICE_NONE. A text that is too long fails the buf.
 */
void	otlp_out_span(const struct span *, const struct otlp_out_options *, bool own_id, struct slice scores,
	    struct buf *);

/* What stands before and behind the spans (with commas between them) of one
 * environment: an element of resourceSpans. */
void	otlp_out_open(const struct otlp_out_options *, struct slice environment, struct buf *);
void	otlp_out_close(const struct otlp_out_options *, struct buf *);

#endif
