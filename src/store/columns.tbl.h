/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of table `span` that hold a span's fields: COLUMN(symbol, name).
 * symbol is the field's in span.tbl.h, which gives the type: times are µs since
 * 1970 UTC, spans of time µs, money 10^-12 USD. Only what lists show, sort or
 * filter by: everything else is built from the stored records on read.
 * The order is that of schema version 1; a later version appends.
 */
COLUMN(timestamp, "timestamp")
COLUMN(start_time, "start_time")
COLUMN(log_type, "log_type")
COLUMN(log_method, "log_method")
COLUMN(model, "model")
COLUMN(provider_id, "provider_id")
COLUMN(status, "status")
COLUMN(status_code, "status_code")
COLUMN(end_reason, "end_reason")
COLUMN(finish_reason, "finish_reason")
COLUMN(error_message, "error_message")
COLUMN(customer_identifier, "customer_identifier")
COLUMN(customer_email, "customer_email")
COLUMN(customer_name, "customer_name")
COLUMN(thread_identifier, "thread_identifier")
COLUMN(custom_identifier, "custom_identifier")
COLUMN(group_identifier, "group_identifier")
COLUMN(environment, "environment")
COLUMN(organization_key_id, "key_id")
COLUMN(trace_unique_id, "trace_unique_id")
COLUMN(span_unique_id, "span_unique_id")
COLUMN(span_parent_id, "span_parent_id")
COLUMN(span_name, "span_name")
COLUMN(span_workflow_name, "span_workflow_name")
COLUMN(prompt_tokens, "prompt_tokens")
COLUMN(completion_tokens, "completion_tokens")
COLUMN(total_request_tokens, "total_request_tokens")
COLUMN(prompt_cache_hit_tokens, "prompt_cache_hit_tokens")
COLUMN(prompt_cache_creation_tokens, "prompt_cache_creation_tokens")
COLUMN(reasoning_tokens, "reasoning_tokens")
COLUMN(usage_source, "usage_source")
COLUMN(cost, "cost_pico")
COLUMN(cost_source, "cost_source")
COLUMN(latency, "latency_us")
COLUMN(time_to_first_token, "ttft_us")
COLUMN(tokens_per_second, "tokens_per_second")
COLUMN(routing_time, "routing_us")
COLUMN(overhead, "overhead_us")
COLUMN(stream, "stream")
COLUMN(prompt_id, "prompt_id")
COLUMN(prompt_name, "prompt_name")
/* version 2 */
COLUMN(billable, "billable")
/* version 4 */
COLUMN(span_path, "span_path")
COLUMN(response_id, "response_id")
