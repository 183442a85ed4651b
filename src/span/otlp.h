/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: spans as OpenTelemetry's exporters send them (OTLP, as JSON or as
 * protobuf), made into spans as the create API takes them (given.h). Whatever
 * dialect their attributes are in: the GenAI conventions old and new,
 * Traceloop's, OpenInference's, Respan's own. Pure.
 *
 * One span at a time is put together, so that a request of many costs no more
 * memory than its largest.
 */
#ifndef SPAN_OTLP_H
#define SPAN_OTLP_H

#include "core/buf.h"
#include "core/jscan.h"
#include "span/given.h"
#include "span/proto.h"

#define OTLP_SPAN_TEXT (3 * 20u * 1024 * 1024)	/* of one span as JSON: three times what a given one may have */

/* A span with what it came in: objects of OTLP's JSON form, JNONE where absent. */
struct otlp_span {
	struct jvalue	 resource, scope, span;
};

/* An ExportTraceServiceRequest that is being walked. Owns its texts. */
struct otlp_request {
	bool		 protobuf;
	struct jiter	 resources, scopes, spans;	/* of JSON */
	struct proto_iter proto_resources, proto_scopes, proto_spans;
	bool		 in_resource, in_scope;
	struct otlp_span now;
	struct buf	 resource_text, scope_text, span_text;	/* of protobuf, as JSON */
};

/* Checks the whole request. False: it is malformed; err says how, for people.
 * To be freed in any case. The body must live as long. */
bool	otlp_request_init(struct otlp_request *, struct slice body, bool protobuf, char *err, size_t errlen);
void	otlp_request_free(struct otlp_request *);
/* The next span; it lives until the next call. NULL: there is none. A span too
 * large to be put together is one of kind JNONE. */
const struct otlp_span *otlp_request_next(struct otlp_request *);

/* Appends the span as the create API takes it. False: it cannot be taken, and
 * the error says why; what was appended is to be thrown away. */
bool	otlp_given(const struct otlp_span *, struct buf *out, struct given_error *);

#endif
