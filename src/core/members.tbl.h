/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's own members of a request body: MEMBER(name, flags), ordered by
 * length and then by bytes (member_find searches so).
 *   CUT     taken out of the body that goes upstream, in every family
 *   SECRET  its value is blanked wherever we keep a copy; load balancing and
 *           the integrations carry credentials inside theirs
 *   WORKS   the span uses it; without WORKS its being cut is told in `warnings`
 *   NEST    an object of further members: respan_params, extra_body, ...
 *   RULE    cut by a rule of its own, which stands in rewrite.c: metadata, prompt,
 *           variables
 * Never cut and so not here: thinking; models, weight and retries, which some
 * providers define themselves.
 */
MEMBER("note", CUT | WORKS)
MEMBER("prompt", CUT | RULE)
MEMBER("metadata", WORKS | RULE)
MEMBER("cache_ttl", CUT)
MEMBER("delimiter", CUT)
MEMBER("is_pinned", CUT | WORKS)
MEMBER("prompt_id", CUT | WORKS)
MEMBER("span_name", CUT | WORKS)
MEMBER("span_path", CUT | WORKS)
MEMBER("variables", CUT | WORKS | RULE)
MEMBER("extra_body", CUT | NEST | WORKS)
MEMBER("field_name", CUT)
MEMBER("properties", CUT | WORKS)
MEMBER("span_tools", CUT | WORKS)
MEMBER("disable_log", CUT | WORKS)
MEMBER("environment", CUT | WORKS)
MEMBER("eval_params", CUT)
MEMBER("has_webhook", CUT)
MEMBER("mem0_params", CUT | SECRET)
MEMBER("prompt_name", CUT | WORKS)
MEMBER("retry_params", CUT)
MEMBER("cache_enabled", CUT)
MEMBER("cache_options", CUT)
MEMBER("customer_name", CUT | WORKS)
MEMBER("linkup_params", CUT | SECRET)
MEMBER("mock_response", CUT)
MEMBER("respan_params", CUT | NEST | WORKS)
MEMBER("span_handoffs", CUT | WORKS)
MEMBER("customer_email", CUT | WORKS)
MEMBER("exclude_models", CUT)
MEMBER("model_name_map", CUT)
MEMBER("span_parent_id", CUT | WORKS)
MEMBER("span_unique_id", CUT | WORKS)
MEMBER("customer_params", CUT | WORKS)
MEMBER("fallback_models", CUT)
MEMBER("trace_unique_id", CUT | WORKS)
MEMBER("disable_fallback", CUT | WORKS)
MEMBER("group_identifier", CUT | WORKS)
MEMBER("is_custom_prompt", CUT | WORKS)
MEMBER("custom_identifier", CUT | WORKS)
MEMBER("customer_api_keys", CUT | SECRET)
MEMBER("exclude_providers", CUT)
MEMBER("keywordsai_params", CUT | NEST | WORKS)
MEMBER("positive_feedback", CUT | WORKS)
MEMBER("prompt_unit_price", CUT | WORKS)
MEMBER("request_breakdown", CUT | WORKS)
MEMBER("thread_identifier", CUT | WORKS)
MEMBER("load_balance_group", CUT | SECRET)
MEMBER("loadbalance_models", CUT | SECRET)
MEMBER("span_workflow_name", CUT | WORKS)
MEMBER("credential_override", CUT | SECRET)
MEMBER("customer_identifier", CUT | WORKS)
MEMBER("load_balance_models", CUT | SECRET)
MEMBER("posthog_integration", CUT | SECRET)
MEMBER("respan_api_controls", CUT)
MEMBER("customer_credentials", CUT | SECRET)
MEMBER("completion_unit_price", CUT | WORKS)
MEMBER("evaluation_identifier", CUT | WORKS)
MEMBER("trace_group_identifier", CUT | WORKS)
MEMBER("keywordsai_api_controls", CUT)
