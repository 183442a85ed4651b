/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each method of each path asks and gives: OPERATION(method, path, right,
 * parameters, request, answer, status, sentence); the first that matches
 * counts, as in routes.tbl.h, where the handlers stand. The rights of keys are
 * looked up here, and the OpenAPI document is made of it. right: OPEN (no key is
 * asked for, as gate/route.c has it), NOTHING, READ, WRITE, ADMIN; CREATE is WRITE
 * unless the body asks for a list. parameters: a
 * set of query parameters (openapi.c). request, answer: schemas
 * (schemas.tbl.h) or contents (openapi.c), "" for none. `{name}` in a path is any one segment.
 */
/* By GET with what is asked for in the query, by POST with filters. */
#define READS(path, parameters, answer, sentence) \
	OPERATION("GET", path, READ, parameters, "", answer, 200, sentence) \
	OPERATION("POST", path, READ, parameters, "Filters", answer, 200, sentence)
/* Many of a kind, and making one; one of it. */
#define MANY(path, kind, kinds) \
	OPERATION("GET", path, READ, PAGE, "", "Page", 200, "List " kinds) \
	OPERATION("POST", path, WRITE, NONE, "Object", "Object", 201, "Create a " kind)
#define ONE_OF(path, kind) \
	OPERATION("GET", path, READ, NONE, "", "Object", 200, "One " kind) \
	OPERATION("PATCH", path, WRITE, NONE, "Object", "Object", 200, "Change a " kind) \
	OPERATION("DELETE", path, WRITE, NONE, "", "", 204, "Delete a " kind)

OPERATION("GET", "/health-check", NOTHING, NONE, "", "Message", 200, "Is the API there?")
OPERATION("GET", "/openapi.json", READ, NONE, "", "Object", 200, "This document")

OPERATION("GET", "/request-logs", READ, LIST, "", "SpanPage", 200, "List spans")
OPERATION("POST", "/request-logs", CREATE, NONE, "SpanOrFilters", "CreatedOrPage", 200,
    "Create a span; with filters and paging alone, list spans")
READS("/request-logs/list", LIST, "SpanPage", "List spans")
OPERATION("POST", "/request-logs/create", WRITE, NONE, "Span", "Created", 200, "Create a span")
OPERATION("POST", "/request-logs/batch/create", WRITE, NONE, "Batch", "Object", 200, "Create many spans")
OPERATION("PATCH", "/request-logs/batch-update", WRITE, NONE, "Batch", "Object", 200, "Change many spans")
READS("/request-logs/summary", WINDOW, "Summary", "Sums over spans")
READS("/request-logs/search", LIST, "Object", "Search spans by their words")
READS("/request-logs/export", LIST, "Export", "Export spans as CSV, JSON or lines of JSON")
OPERATION("GET", "/request-logs/{id}", READ, NONE, "", "Span", 200, "One span, with everything that was kept")
OPERATION("PATCH", "/request-logs/{id}", WRITE, NONE, "Edit", "Span", 200, "Change a span")
OPERATION("DELETE", "/request-logs/{id}", WRITE, NONE, "", "", 204, "Delete a span")
OPERATION("GET", "/audio/{span_id}", READ, NONE, "", "Audio", 200,
    "The audio that a span was made of, where it was kept")

OPERATION("POST", "/v1/traces/ingest", WRITE, NONE, "Spans", "Object", 200, "Create spans of traces")
OPERATION("POST", "/integrations/v1/traces/ingest", WRITE, NONE, "Spans", "Object", 200, "Create spans of traces")
OPERATION("POST", "/openai/v1/traces/ingest", WRITE, NONE, "Spans", "Object", 200, "Create spans of traces")
OPERATION("POST", "/traces/ingest", WRITE, NONE, "Spans", "Object", 200, "Create spans of traces")
OPERATION("POST", "/v1/traces", WRITE, NONE, "Traces", "Traces", 200, "Take traces by OTLP")
OPERATION("POST", "/v2/traces", WRITE, NONE, "Traces", "Traces", 200, "Take traces by OTLP")
OPERATION("GET", "/traces", READ, LIST, "", "Page", 200, "List traces")
READS("/traces/list", LIST, "Page", "List traces")
OPERATION("POST", "/traces/bulk", WRITE, WINDOW, "Filters", "Object", 200, "Delete many traces")
OPERATION("POST", "/traces/bulk-delete", WRITE, WINDOW, "Filters", "Object", 200, "Delete many traces")
READS("/traces/{id}", WINDOW, "Object", "One trace with the tree of its spans")
OPERATION("PATCH", "/traces/{id}", WRITE, NONE, "Publish", "Published", 200, "Make a trace public, or take that back")
OPERATION("DELETE", "/traces/{id}", WRITE, WINDOW, "", "Object", 200, "Delete a trace with its spans")
READS("/clickhouse/traces/summary", WINDOW, "Object", "Sums over traces")
READS("/log_threads", PAGE, "Page", "List threads")

OPERATION("GET", "/users", READ, USERS, "", "UserPage", 200, "List customers")
READS("/users/list", USERS, "UserPage", "List customers")
OPERATION("POST", "/users/create", WRITE, NONE, "Object", "Object", 200, "Create a customer")
OPERATION("GET", "/users/{customer_identifier}", READ, ONE, "", "User", 200, "One customer")
OPERATION("PATCH", "/users/{customer_identifier}", WRITE, ONE, "Object", "User", 200, "Change a customer")
OPERATION("DELETE", "/users/{customer_identifier}", WRITE, ONE, "", "", 204, "Delete a customer")

MANY("/logs/{id}/scores", "score", "scores")
ONE_OF("/logs/{id}/scores/{score_id}", "score")
OPERATION("PUT", "/logs/{id}/scores/{score_id}", WRITE, NONE, "Object", "Object", 200, "Replace a score")
OPERATION("POST", "/scores/list", READ, PAGE, "Filters", "Page", 200, "List scores")
MANY("/scores", "score", "scores")
ONE_OF("/scores/{id}", "score")
OPERATION("PUT", "/scores/{id}", WRITE, NONE, "Object", "Object", 200, "Replace a score")
MANY("/clickhouse/log-annotations/{id}", "annotation", "annotations of a span")

OPERATION("GET", "/temporary-keys", ADMIN, PAGE, "", "KeyPage", 200, "List keys")
OPERATION("POST", "/temporary-keys", ADMIN, NONE, "NewKey", "MadeKey", 201, "Make a key, which is shown this once")
OPERATION("GET", "/temporary-keys/{id}", ADMIN, NONE, "", "Key", 200, "One key")
OPERATION("PATCH", "/temporary-keys/{id}", ADMIN, NONE, "KeyEdit", "Key", 200, "Change a key")
OPERATION("DELETE", "/temporary-keys/{id}", ADMIN, NONE, "", "", 204, "Revoke a key")

MANY("/prompts", "prompt", "prompts")
OPERATION("POST", "/prompts/list", READ, PAGE, "Filters", "Page", 200, "List prompts")
OPERATION("POST", "/prompts/summary", READ, NONE, "Filters", "Object", 200, "How many prompts there are")
ONE_OF("/prompts/{id}", "prompt")
MANY("/prompts/{id}/versions", "version of a prompt", "versions of a prompt")
ONE_OF("/prompts/{id}/versions/{n}", "version of a prompt")
OPERATION("POST", "/prompts/{id}/commits", WRITE, NONE, "Object", "Object", 201, "Commit a prompt")
OPERATION("POST", "/prompts/{id}/deployments", WRITE, NONE, "Object", "Object", 201, "Deploy a version of a prompt")
MANY("/limit-policies", "limit policy", "limit policies")
ONE_OF("/limit-policies/{id}", "limit policy")
OPERATION("POST", "/caches", READ, PAGE, "Filters", "Page", 200, "List caches")
OPERATION("POST", "/caches/summary", READ, WINDOW, "Filters", "Object", 200, "Sums over caches")
OPERATION("DELETE", "/caches/bulk", WRITE, NONE, "Object", "Object", 200, "Empty caches")

READS("/dashboard/llm-metrics", METRICS, "Object", "Metrics: llm metrics")
READS("/dashboard/llm-metrics/summary", METRICS, "Object", "Metrics: llm metrics, summary")
READS("/dashboard/quantiles", METRICS, "Object", "Metrics: quantiles")
READS("/dashboard/quantiles/summary", METRICS, "Object", "Metrics: quantiles, summary")
READS("/dashboard/top-models", METRICS, "Object", "Metrics: top models")
READS("/dashboard/top-keys", METRICS, "Object", "Metrics: top keys")
READS("/dashboard/top-prompts", METRICS, "Object", "Metrics: top prompts")
READS("/dashboard/top-deployments", METRICS, "Object", "Metrics: top deployments")
READS("/dashboard/top-users", METRICS, "Object", "Metrics: top users")
READS("/dashboard/top-providers", METRICS, "Object", "Metrics: top providers")
READS("/dashboard/time-series/breakdown", METRICS, "Object", "Metrics: time series by a dimension")
READS("/dashboard/cache-hit-metrics", METRICS, "Object", "Metrics: what came from caches")

OPERATION("GET", "/{organization}/traces/{id}", OPEN, NONE, "", "Object", 200,
    "A trace that is public, with the tree of its spans")
#undef READS
#undef MANY
#undef ONE_OF
