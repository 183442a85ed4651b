/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a span's fields are as attributes of OpenTelemetry: OUT(field, KIND,
 * "attribute", "attribute next"), the second by the conventions of 1.41, the
 * last, where it is not NULL, by what comes after them. What is no field of its
 * own (operation, models, messages, ids) is otlp_out.c's.
 *   TEXT, INT, BOOL, NUM   as they are       SECS, COST  doubles
 *   JNUM, JINT             JSON numbers, as double and as integer
 *   JTEXT                  JSON as it stands, in a string
 *   JWORDS                 a string or a list of them, as a list of strings
 */
OUT(response_id, TEXT, "gen_ai.response.id", NULL)
OUT(prompt_cache_hit_tokens, INT, "gen_ai.usage.cache_read.input_tokens", NULL)
OUT(prompt_cache_creation_tokens, INT, "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write.input_tokens")
OUT(completion_tokens, INT, "gen_ai.usage.output_tokens", NULL)
OUT(reasoning_tokens, INT, "gen_ai.usage.reasoning.output_tokens", NULL)
OUT(cost, COST, "respan.cost", NULL)
OUT(cost, COST, "gen_ai.usage.cost", NULL)
OUT(time_to_first_token, SECS, "gen_ai.response.time_to_first_chunk", NULL)
OUT(latency, SECS, "respan.latency", NULL)
OUT(tokens_per_second, NUM, "respan.tokens_per_second", NULL)
OUT(stream, BOOL, "gen_ai.request.stream", NULL)
OUT(temperature, JNUM, "gen_ai.request.temperature", NULL)
OUT(top_p, JNUM, "gen_ai.request.top_p", NULL)
OUT(top_k, JNUM, "gen_ai.request.top_k", NULL)
OUT(max_tokens, JINT, "gen_ai.request.max_tokens", NULL)
OUT(frequency_penalty, JNUM, "gen_ai.request.frequency_penalty", NULL)
OUT(presence_penalty, JNUM, "gen_ai.request.presence_penalty", NULL)
OUT(stop, JWORDS, "gen_ai.request.stop_sequences", NULL)
OUT(seed, JINT, "gen_ai.request.seed", NULL)
OUT(n, JINT, "gen_ai.request.choice.count", NULL)
OUT(encoding_format, JWORDS, "gen_ai.request.encoding_formats", NULL)
OUT(dimensions, JINT, "gen_ai.embeddings.dimension.count", NULL)
OUT(tools, JTEXT, "gen_ai.tool.definitions", NULL)
OUT(tool_choice, JTEXT, "respan.tool_choice", NULL)
OUT(response_format, JTEXT, "respan.response_format", NULL)
OUT(reasoning_effort, JTEXT, "respan.reasoning_effort", NULL)
OUT(service_tier, TEXT, "openai.response.service_tier", NULL)
OUT(customer_identifier, TEXT, "user.id", NULL)
OUT(customer_identifier, TEXT, "respan.customer_params.customer_identifier", NULL)
OUT(customer_email, TEXT, "respan.customer_params.email", NULL)
OUT(customer_name, TEXT, "respan.customer_params.name", NULL)
OUT(thread_identifier, TEXT, "gen_ai.conversation.id", NULL)
OUT(group_identifier, TEXT, "respan.group_identifier", NULL)
OUT(custom_identifier, TEXT, "respan.custom_identifier", NULL)
OUT(evaluation_identifier, TEXT, "respan.evaluation_params.evaluation_identifier", NULL)
OUT(trace_group_identifier, TEXT, "respan.trace.trace_group_identifier", NULL)
OUT(properties, JTEXT, "respan.properties", NULL)
OUT(variables, JTEXT, "traceloop.prompt.template_variables", NULL)
OUT(span_workflow_name, TEXT, "gen_ai.workflow.name", NULL)
OUT(span_path, TEXT, "traceloop.entity.path", NULL)
OUT(prompt_id, TEXT, "respan.prompt_id", NULL)
OUT(prompt_name, TEXT, "gen_ai.prompt.name", NULL)
OUT(status_code, INT, "http.response.status_code", NULL)
OUT(log_type, TEXT, "respan.entity.log_type", NULL)
OUT(usage_source, TEXT, "respan.usage_source", NULL)
OUT(cost_source, TEXT, "respan.cost_source", NULL)
OUT(end_reason, TEXT, "respan.end_reason", NULL)
OUT(overhead, SECS, "respan.overhead", NULL)
OUT(note, TEXT, "respan.note", NULL)
OUT(warnings, JTEXT, "respan.warnings", NULL)
OUT(full_request, JTEXT, "respan.full_request", NULL)
OUT(full_response, JTEXT, "respan.full_response", NULL)
