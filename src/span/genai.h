/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genai: a span in the words of OpenTelemetry's GenAI conventions, for metrics
 * (the sink) and for OTLP (otlp_out). Pure; texts live as long as the span, or
 * for ever.
 */
#ifndef SPAN_GENAI_H
#define SPAN_GENAI_H

#include "span/span.h"

#define GENAI_ERROR_BYTES 64

/* gen_ai.operation.name; never empty. */
struct slice	genai_operation(const struct span *);
/* gen_ai.provider.name of a provider's name here; "" where that is empty. */
struct slice	genai_provider(struct slice provider_id);
/* gen_ai.request.model and gen_ai.response.model; SLICE_NONE: not known. */
struct slice	genai_asked(const struct span *);
struct slice	genai_answered(const struct span *);
/* error.type: why the exchange ended, else the status, else _OTHER; "" where it
 * went well. Few different ones: a label of metrics. */
const char	*genai_error(const struct span *, char text[GENAI_ERROR_BYTES]);

#endif
