/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API over a store of 250 spans, with the pool's job replaced by one
 * that keeps the answer.
 */
#include "api/api.h"
#include "api/listing.h"
#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "store_test.h"

#define ROWS 250

struct local_job {
	unsigned	 status;
	char		 headers[200];
	struct buf	 body;
	size_t		 writes;
};

void
local_head(struct local_job *job, unsigned status, const char *content_type, const char *headers)
{
	ok(job->status == 0 && strcmp(content_type, "application/json") == 0);
	job->status = status;
	snprintf(job->headers, sizeof(job->headers), "%s", headers ? headers : "");
}

struct journal_writer *
local_writer(struct local_job *job, struct uuid7 **uuid, char *err, size_t errlen)
{
	(void)job, (void)uuid;
	snprintf(err, errlen, "there is none here");
	return NULL;
}

bool
local_write(struct local_job *job, const void *p, size_t len)
{
	ok(job->status != 0);
	job->writes++;
	return buf_append(&job->body, p, len);
}

static struct local_job job;
static struct config settings;
static struct jvalue answer;
static int64_t first_us;	/* time of span 0 */

/* Sends a request; the answer stands in job and answer. */
static unsigned
call_as(const struct key_config *key, const char *method, const char *path, const char *query, const char *body)
{
	char target[600];
	struct local_request r = { .method = slice_str(method), .path = slice_str(path), .query = slice_str(query),
	    .host = SLICE("gw:8787"), .body = slice_str(body), .config = &settings, .key = key };

	snprintf(target, sizeof(target), "/api%s/%s%s", path, *query ? "?" : "", query);
	r.target = slice_str(target);
	buf_free(&job.body);
	job = (struct local_job){ 0 };
	buf_init(&job.body, 64 * MIB);
	api_handle(&job, &r, NULL);
	if (!ok(jscan_check(buf_view(&job.body), &answer, NULL) == JSCAN_END))
		printf("# %.*s\n", (int)job.body.len, job.body.ptr);
	return job.status;
}

static unsigned
call(const char *method, const char *path, const char *query, const char *body)
{
	return call_as(NULL, method, path, query, body);
}

static int64_t
count_of(void)
{
	int64_t n = -1;

	return jint(jget(answer, SLICE("count")), &n) ? n : -1;
}

static size_t
results(struct jvalue *first)
{
	struct jiter it;
	struct jmember m;
	size_t n = 0;

	jiter_init(&it, jget(answer, SLICE("results")));
	for (; jiter_next(&it, &m); n++)
		if (n == 0 && first)
			*first = m.value;
	return n;
}

static bool
member_is(struct jvalue v, const char *name, const char *text)
{
	struct jvalue m = jget(v, slice_str(name));

	if (jstring_is(m, slice_str(text)))
		return true;
	printf("# %s is %.*s\n", name, (int)m.text.len, m.text.ptr ? m.text.ptr : "");
	return false;
}

static bool
error_has(const char *words)
{
	struct slice detail = jget(answer, SLICE("detail")).text;

	if (detail.ptr && memmem(detail.ptr, detail.len, words, strlen(words)) &&
	    jget(answer, SLICE("error")).kind == JSTRING)
		return true;
	printf("# %.*s\n", (int)job.body.len, job.body.ptr);
	return false;
}

static void
fill_store(void)
{
	char err[300], customer[20];
	struct store *store = store_sqlite.open(test_dir, true, err, sizeof(err));

	/* The newest one is a moment old, one each ten seconds before. */
	first_us = (int64_t)clock_wall_us() - (ROWS + 1) * INT64_C(10000000);
	ok(store && store_sqlite.begin(store) == STORE_OK);
	for (unsigned n = 0; n < ROWS; n++) {
		struct span span = test_span(n);

		snprintf(customer, sizeof(customer), "c%u", n % 5);
		span.customer_identifier = slice_str(customer);
		span.timestamp.v = first_us + n * INT64_C(10000000);
		span.metadata = n % 10 ? SLICE("{\"team\":\"red\"}") : SLICE("{\"team\":\"blue\"}");
		span.tenant = n == 7 ? SLICE("other") : SLICE("default");
		span.environment = n % 2 ? SLICE("prod") : SLICE("test");
		span.total_request_tokens = (span_INT){ true, n };
		span.input = SLICE("[{\"role\":\"user\",\"content\":\"hi \\\"you\\\"\"}]");
		if (n == 3)
			span.status = SLICE("error");
		if (store_sqlite.put(store, &span, SLICE_NONE) != STORE_OK)
			ok(false);
	}
	ok(store_sqlite.commit(store) == STORE_OK);
	store_sqlite.close(store);
}

static void
test_routes(void)
{
	ok(call("GET", "/nothing", "", "") == 404 && error_has("/nothing"));
	ok(call("PUT", "/request-logs", "", "") == 405 && strcmp(job.headers, "allow: GET, POST\r\n") == 0);
	ok(call("DELETE", "/request-logs/0123", "", "") == 404 && error_has("Log not found"));
	ok(call("POST", "/request-logs", "", "{\"model\":7,\"cost\":\"x\"}") == 400 && error_has("cost: must be a number"));
	ok(call("POST", "/caches", "", "{}") == 501 && call("GET", "/limit-policies", "", "") == 501);
	ok(call("GET", "/request-logs/0123/more", "", "") == 404);
	ok(call("GET", "/users", "", "") == 501 && call("GET", "/prompts", "", "") == 501);
	ok(call("GET", "", "", "") == 404);
}

static void
test_list(void)
{
	struct jvalue row, next;
	char query[300];

	ok(call("GET", "/request-logs", "", "") == 200);
	ok(count_of() == ROWS && results(&row) == 100);
	ok(member_is(row, "customer_identifier", "c4") && member_is(row, "status", "success"));
	ok(jget(row, SLICE("failed")).kind == JFALSE && jget(row, SLICE("id")).text.len == 34);
	ok(slice_eq(jget(row, SLICE("id")).text, jget(row, SLICE("unique_id")).text));
	ok(slice_eq(jget(row, SLICE("id")).text, jget(row, SLICE("full_unique_id")).text));
	ok(member_is(answer, "next", "http://gw:8787/api/request-logs/?page=2"));
	ok(jget(answer, SLICE("previous")).kind == JNULL);
	ok(jempty(jget(answer, SLICE("current_filters"))));
	snprintf(query, sizeof(query), "page=3&page_size=120&sort_by=-id&start_time=2020-01-01T00%%3A00%%3A00Z");
	ok(call("GET", "/request-logs/list", query, "") == 200 && results(NULL) == 10);
	next = jget(answer, SLICE("previous"));
	ok(jstring_is(next, SLICE("http://gw:8787/api/request-logs/list/?page_size=120&sort_by=-id&"
	    "start_time=2020-01-01T00%3A00%3A00Z&page=2")));
	ok(jget(answer, SLICE("next")).kind == JNULL);
	ok(call("GET", "/request-logs", "page=99", "") == 200 && results(NULL) == 0 && count_of() == ROWS);
	ok(call("POST", "/request-logs/list", "page_size=5000", "{}") == 200 && results(NULL) == ROWS);
	ok(job.writes > 1);	/* in blocks */
	ok(call("POST", "/request-logs", "page_size=7", "{\"filters\":{}}") == 200 && results(NULL) == 7);
	ok(call("GET", "/request-logs", "sort_by=all_tokens&page_size=1", "") == 200 && results(&row) == 1);
	ok(member_is(row, "customer_identifier", "c0"));
	ok(call("GET", "/request-logs", "end_time=2020-01-01", "") == 200 && count_of() == 0);
}

static void
test_filters(void)
{
	ok(call("GET", "/request-logs", "customer_identifier=c1", "") == 200 && count_of() == 50);
	ok(call("GET", "/request-logs", "team=blue", "") == 200 && count_of() == 25);
	ok(call("GET", "/request-logs", "metadata__team=blue&customer_identifier=c0", "") == 200 && count_of() == 25);
	ok(call("GET", "/request-logs", "environment=test", "") == 200 && count_of() == 125);
	ok(call("GET", "/request-logs", "environment=test&all_envs=true", "") == 200 && count_of() == ROWS);
	ok(call("GET", "/request-logs", "is_test=false", "") == 200 && count_of() == 125);
	ok(call("GET", "/request-logs", "failed=true", "") == 200 && count_of() == 1);
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"total_request_tokens\":"
	    "{\"operator\":\"gte\",\"value\":[240]},\"customer_identifier\":{\"operator\":\"in\",\"value\":"
	    "[\"c1\",\"c2\"]}}}") == 200 && count_of() == 4);
	ok(call("POST", "/request-logs/list", "customer_identifier=c3", "{\"filters\":{\"metadata__team\":"
	    "{\"operator\":\"not\",\"value\":\"red\"}}}") == 200 && count_of() == 0);
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"total_tokens\":["
	    "{\"operator\":\"gt\",\"value\":10},{\"operator\":\"lt\",\"value\":13}]}}") == 200 && count_of() == 2);
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"cost\":{\"operator\":\"isnull\",\"value\":[true]}},"
	    "\"page_size\":3}") == 200 && count_of() == ROWS && results(NULL) == 3);
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"model\":{\"operator\":\"like\",\"value\":\"a\"}}}") == 400
	    && error_has("'like'"));
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"nothing\":{\"value\":1}}}") == 400 &&
	    error_has("'nothing'"));
	ok(call("POST", "/request-logs/list", "", "{\"filters\":{\"status_code\":{\"value\":[\"x\"]}}}") == 400 &&
	    error_has("whole number"));
	ok(call("POST", "/request-logs/list", "", "{oops") == 400 && error_has("not a JSON object"));
	ok(call("GET", "/request-logs", "total_tokens%5Boperator%5D=gte&total_tokens%5Bvalue%5D=240", "") == 200 &&
	    count_of() == 10);
	ok(call("GET", "/request-logs", "model=nothing&customer_identifier[value]=c1&customer_identifier[connector]=OR", "")
	    == 200 && count_of() == 50);
	ok(call("GET", "/request-logs", "customer_identifier=c1&customer_identifier=c2", "") == 200 && count_of() == 100);
	ok(call("GET", "/request-logs", "cost[what]=1", "") == 400 && error_has("[what]"));
	ok(call("GET", "/request-logs", "cost[connector]=XOR", "") == 400 && error_has("'XOR'"));
	ok(call("GET", "/request-logs", "page=0", "") == 400 && call("GET", "/request-logs", "page=x", "") == 400);
	ok(call("GET", "/request-logs", "start_time=soon", "") == 400 && error_has("start_time"));
	ok(call("GET", "/request-logs", "sort_by=-input", "") == 400 && error_has("sort"));
}

static void
test_get(void)
{
	struct key_config key = { .tenant = (char *)(uintptr_t)"other", .environment = (char *)(uintptr_t)"prod",
	    .rights = RIGHT_READ };
	struct jvalue row;
	char path[100], hex[33];
	struct span span = test_span(7);

	ok(call_as(&key, "GET", "/request-logs", "all_envs=true", "") == 200 && count_of() == 1);
	hex_encode(span.id16, 16, hex);
	snprintf(path, sizeof(path), "/request-logs/%s", hex);
	ok(call_as(&key, "GET", path, "", "") == 200 && member_is(answer, "id", hex));
	ok(member_is(answer, "customer_identifier", "c2") && member_is(answer, "error_message", ""));
	row = jget(answer, SLICE("metadata"));
	ok(member_is(row, "team", "red"));
	key.tenant = (char *)(uintptr_t)"default";
	ok(call_as(&key, "GET", path, "", "") == 404 && error_has("Log not found"));
	ok(call("GET", "/request-logs/00000000000000000000000000000000", "", "") == 404);
	ok(call("GET", "/request-logs/short", "", "") == 404);
}

static int64_t
number_of(struct jvalue v, const char *name)
{
	int64_t n = -1;

	return jint(jget(v, slice_str(name)), &n) ? n : -1;
}

/* 5 customers in 2 environments, one row of another tenant. */
static void
test_users(void)
{
	static const char *const members[] = { "id", "customer_identifier", "unique_organization_id", "environment", "name",
	    "email", "first_seen", "last_active_timeframe", "active_days", "number_of_requests", "total_requests",
	    "total_tokens", "tokens", "total_cost", "cost", "average_latency", "average_ttft", "average_monthly_cost",
	    "period_budget", "budget_duration", "total_budget" };
	struct key_config key = { .tenant = (char *)(uintptr_t)"other", .environment = (char *)(uintptr_t)"prod",
	    .rights = RIGHT_READ };
	struct jvalue row;

	ok(call("GET", "/users/list", "", "") == 200 && count_of() == 11 && results(&row) == 11);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		ok(jget(row, slice_str(members[i])).kind != JNONE);
	ok(jget(row, SLICE("period_budget")).kind == JNULL && jget(row, SLICE("email")).kind == JNULL);
	ok(call("POST", "/users/list", "page_size=3&page=2&sort_by=customer_identifier&environment=prod", "") == 200);
	ok(count_of() == 6 && results(&row) == 3);	/* c2 twice: one is of another tenant */
	ok(member_is(row, "customer_identifier", "c2") && member_is(row, "id", "c2prodother"));
	ok(member_is(answer, "previous", "http://gw:8787/api/users/list/?page_size=3&sort_by=customer_identifier&"
	    "environment=prod&page=1"));
	ok(jget(answer, SLICE("next")).kind == JNULL);
	ok(call("GET", "/users/list", "sort_by=-total_tokens&page_size=1", "") == 200 && results(&row) == 1);
	ok(member_is(row, "customer_identifier", "c4") && number_of(row, "total_tokens") > 0);
	ok(call("POST", "/users/list", "", "{\"filters\":{\"customer_identifier\":{\"operator\":\"in\",\"value\":"
	    "[\"c0\",\"c\\u0031\"]},\"number_of_requests\":{\"operator\":\"gte\",\"value\":25}}}") == 200);
	ok(count_of() == 4 && results(NULL) == 4);
	ok(call("POST", "/users/list", "", "{\"filters\":{\"total_cost\":{\"operator\":\"gt\",\"value\":0.5}}}") == 200 &&
	    count_of() == 0);
	ok(call("GET", "/users/list", "customer_identifier=c3&environment=test", "") == 200 && count_of() == 1);
	ok(call_as(&key, "GET", "/users/list", "all_envs=1", "") == 200 && count_of() == 1);
	ok(call("GET", "/users/list", "sort_by=mood", "") == 400 && error_has("mood"));
	ok(call("GET", "/users/list", "page_size=0", "") == 400 && call("GET", "/users/list", "shoe=1", "") == 400);
	ok(call("POST", "/users/list", "", "{\"filters\":{\"active_days\":{\"operator\":\"gt\",\"value\":\"x\"}}}") == 400);
	ok(call("POST", "/users/list", "", "{\"filters\":{\"name\":{\"operator\":\"like\",\"value\":\"x\"}}}") == 400 &&
	    error_has("like"));
	ok(call("POST", "/users/list", "", "[]") == 400);
}

static void
test_user(void)
{
	struct key_config key = { .tenant = (char *)(uintptr_t)"other", .environment = (char *)(uintptr_t)"prod",
	    .rights = RIGHT_READ };
	struct jvalue models, model;
	struct jiter it;
	struct jmember m = { .key_plain = false };

	ok(call("GET", "/users/c%31", "environment=prod", "") == 200);
	ok(member_is(answer, "customer_identifier", "c1") && member_is(answer, "environment", "prod"));
	ok(number_of(answer, "total_requests") == 25 && jget(answer, SLICE("total_period_usage")).kind == JNULL);
	models = jget(answer, SLICE("top_models"));
	jiter_init(&it, models);
	ok(jiter_next(&it, &m));
	model = m.value;
	ok(member_is(model, "model", "gpt-4o") && number_of(model, "total_requests") == 25 && !jiter_next(&it, &m));
	ok(call("GET", "/users/c1", "", "") == 200 && member_is(answer, "environment", "test"));	/* seen last there */
	ok(call("GET", "/users/c1", "environment=dev", "") == 404 && error_has("Customer not found"));
	ok(call("GET", "/users/nobody", "", "") == 404 && call_as(&key, "GET", "/users/c1", "", "") == 404);
	ok(call("POST", "/users/c1", "", "{}") == 405 && call("PUT", "/users/c1", "", "") == 405);
}

int
main(void)
{
	test_dir_make();
	settings.data_dir = test_dir;
	ok(call("GET", "/request-logs", "", "") == 503 && error_has("no store yet"));
	fill_store();
	test_routes();
	test_list();
	test_filters();
	test_get();
	test_users();
	test_user();
	buf_free(&job.body);
	test_dir_remove();
	return done();
}
