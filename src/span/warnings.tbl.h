/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be told in a span's `warnings`: WARNING(symbol, "code", sentence).
 * A detail, if there is one, is printed after the sentence and a colon.
 */
WARNING(BUILD_FAILED, "build_failed", "this span could not be built from its journal records; sizes only")
WARNING(BUILD_MEMORY, "build_memory", "the span is larger than the builder may hold; parts of it are missing")
WARNING(RECORDS_ODD, "records_odd", "journal records were out of place or malformed and were passed over")
WARNING(END_MISSING, "end_missing", "the journal holds no end of this exchange")
WARNING(PARTS_LOST, "parts_lost", "the journal had no room for all bytes")
WARNING(REQUEST_TRUNCATED, "request_truncated", "the middle or end of the request body was not kept")
WARNING(BODY_TRUNCATED, "body_truncated", "the middle or end of the answer's body was not kept")
WARNING(BODY_BINARY, "body_binary", "the answer's body is not text and is not shown")
WARNING(REQUEST_BINARY, "request_binary", "the request's body is not text and is not shown")
WARNING(BODY_NOT_JSON, "body_not_json", "the answer's body is not valid JSON")
WARNING(REQUEST_NOT_JSON, "request_not_json", "the request's body is not valid JSON")
WARNING(REQUEST_FORM, "request_form_broken", "the form is malformed, cut or too large; what came of it is shown")
WARNING(REQUEST_CODING, "request_coding_unknown", "the request's content coding cannot be read")
WARNING(CODING_UNKNOWN, "coding_unknown", "the answer's content coding cannot be read")
WARNING(CODING_BROKEN, "coding_broken", "the answer's compressed body is damaged or cut")
WARNING(EXPANDED_LIMIT, "expanded_limit", "the compressed body expands to more than is read")
WARNING(EVENT_NOT_JSON, "event_not_json", "events of the stream that are not JSON objects were passed over")
WARNING(EVENT_TOO_LARGE, "event_too_large", "an event of the stream is larger than is read")
WARNING(DELTA_UNKNOWN, "delta_unknown", "deltas of a type that this version does not know were passed over")
WARNING(INPUT_NOT_JSON, "input_not_json", "the input of a tool call is not valid JSON and is shown as text")
WARNING(BAD_UTF8, "bad_utf8", "bytes that are not UTF-8 were replaced by U+FFFD")
WARNING(NO_FINISH_REASON, "no_finish_reason", "the stream was ended by [DONE] without a finish_reason")
WARNING(STREAM_TRUNCATED, "stream_truncated", "the stream ended without finish_reason and without [DONE]")
WARNING(TOO_MANY_CHOICES, "too_many_choices", "the answer has more choices, blocks or tool calls than are kept")
WARNING(VECTOR_UNREADABLE, "vector_unreadable", "a vector of the answer is neither numbers nor base64 of them")
WARNING(USAGE_PARTIAL, "usage_partial", "the stream broke off; usage is what had been told until then")
WARNING(CUSTOMER_CUT, "customer_identifier_cut", "customer_identifier was longer than 254 characters and was cut")
WARNING(ENVIRONMENT_DIFFERS, "environment_differs", "the request names another environment than its key")
WARNING(VARIABLES_TOO_MANY, "variables_too_many",
    "there are more variables or places for them than are filled in; none was")
WARNING(VARIABLES_TOO_LARGE, "variables_too_large",
    "with its variables filled in the request would be too large; none was")
WARNING(BREAKDOWN_NOT_HERE, "breakdown_not_here",
    "a request_breakdown is not given by this API or in this kind of answer")
WARNING(BREAKDOWN_NOT_JSON, "breakdown_not_json",
    "the answer is no JSON object; its request_breakdown was left out")
WARNING(BREAKDOWN_CODED, "breakdown_coded",
    "the provider compressed the answer unasked; its request_breakdown was left out")
WARNING(BREAKDOWN_TOO_LARGE, "breakdown_too_large",
    "the exchange is larger than is copied for a request_breakdown; it was left out")
WARNING(BREAKDOWN_TOO_SLOW, "breakdown_too_slow",
    "the request_breakdown was not ready in time and was left out")
WARNING(METADATA_NOT_OBJECT, "metadata_not_object", "metadata is not an object and was left out")
WARNING(MEMBER_TYPE, "member_type", "members of the gateway with a value of the wrong type were left out")
WARNING(MEMBER_IGNORED, "member_ignored", "members of the gateway that have no effect in this version")
WARNING(PRICE_UNKNOWN, "price_unknown", "no price is known for this model, so its cost is not")
WARNING(RATE_UNKNOWN, "rate_unknown", "the model's price has no rate for all that was used")
WARNING(COST_UNMEASURED, "cost_unmeasured", "what was used is not known, so its cost is not")
WARNING(TIER_UNPRICED, "tier_unpriced",
    "the model's price has none for this service tier; the standard rates were taken")
WARNING(PRICE_OF_MAKER, "price_of_maker",
    "no price of this provider is known for the model; that of the model's maker was taken")
WARNING(COST_BY_DURATION, "cost_by_duration", "usage was not told; the cost goes by the length of the sound")
WARNING(COST_TOO_LARGE, "cost_too_large", "the cost is larger than can be kept")
WARNING(UNIT_PRICE_ALONE, "unit_price_alone", "one unit price was given, and no price is known for the other side")
WARNING(UNIT_PRICE_BAD, "unit_price_bad", "a unit price that is no decimal number from 0 was passed over")
WARNING(LOG_TYPE_UNKNOWN, "log_type_unknown", "a log_type that is none of the documented ones")
WARNING(STATUS_DIFFERS, "status_differs", "status and status_code contradict each other; both were kept")
WARNING(STATUS_CODE_ODD, "status_code_odd", "a status_code outside 100 to 599 was taken for 400")
WARNING(START_AFTER_END, "start_after_end", "start_time is after timestamp")
WARNING(VALUE_ODD, "value_odd", "values outside what is documented were kept as they came")
