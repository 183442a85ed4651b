/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API: ROUTE(methods, path, handler, sentence), in order; the first
 * whose path and method match answers. In a path `*` is any one segment, and a
 * last `**` any rest, also none. Without /api and without the last slash. NULL: not in
 * this version (501, with the sentence).
 */
ROUTE("GET", "/request-logs", logs_list, "List spans")
ROUTE("POST", "/request-logs", logs_create_or_list, "Create a span; with filters and paging alone, list spans")
ROUTE("GET POST", "/request-logs/list", logs_list, "List spans")
ROUTE("POST", "/request-logs/create", create_one, "Create a span")
ROUTE("POST", "/request-logs/batch/create", create_batch, "Create many spans")
ROUTE("PATCH", "/request-logs/batch-update", change_many, "Change many spans")
ROUTE("GET POST", "/request-logs/summary", NULL, "Sums over spans")
ROUTE("GET", "/audio/*", audio_get, "The audio that a span was made of, where it was kept")
ROUTE("GET", "/request-logs/*", logs_get, "One span, with everything that was kept")
ROUTE("PATCH", "/request-logs/*", change_one, "Change a span")
ROUTE("DELETE", "/request-logs/*", change_delete, "Delete a span")
ROUTE("POST", "/v1/traces/ingest", create_traces, "Create spans of traces")
ROUTE("POST", "/integrations/v1/traces/ingest", create_traces, "Create spans of traces")
ROUTE("POST", "/openai/v1/traces/ingest", create_traces, "Create spans of traces")
ROUTE("POST", "/traces/ingest", create_traces, "Create spans of traces")
ROUTE("POST", "/v1/traces", NULL, "Take traces by OTLP")
ROUTE("POST", "/v2/traces", NULL, "Take traces by OTLP")
ROUTE("GET POST", "/traces/list", NULL, "List traces")
ROUTE("GET POST DELETE PATCH", "/traces/**", NULL, "Read, change or delete traces")
ROUTE("POST", "/clickhouse/traces/summary", NULL, "Sums over traces")
ROUTE("GET POST", "/log_threads", NULL, "List threads")
ROUTE("GET POST", "/users/list", users_list, "List customers")
ROUTE("GET", "/users/*", users_get, "One customer")
ROUTE("GET POST PATCH DELETE", "/users/**", NULL, "Customers")
ROUTE("GET POST PUT PATCH DELETE", "/logs/**", NULL, "Scores of a span")
ROUTE("GET POST PUT PATCH DELETE", "/scores/**", NULL, "Scores")
ROUTE("GET POST PUT PATCH DELETE", "/prompts/**", NULL, "Prompts")
ROUTE("GET POST PATCH DELETE", "/temporary-keys/**", NULL, "API keys")
ROUTE("GET POST PATCH DELETE", "/limit-policies/**", NULL, "Limit policies")
ROUTE("POST DELETE", "/caches/**", NULL, "Caches")
ROUTE("GET POST", "/dashboard/**", NULL, "Metrics")
