/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead, what becomes of them, who may ask. */
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "gate/auth.h"
#include "gate/forward.h"
#include "gate/route.h"
#include "tap.h"

static struct config *config;
static struct http1_head head;
static char text[4096];

/* A parsed GET or POST of the path with further header lines. */
static const struct http1_head *
request(const char *path, const char *lines)
{
	size_t scan = 0, used;

	snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\nHost: localhost:8787\r\n%s\r\n", path, lines);
	if (http1_request(&head, text, strlen(text), &scan, &used) != HTTP1_DONE)
		abort();
	return &head;
}

static bool
goes(const char *path, const char *lines, enum route_kind kind, const char *rest)
{
	struct route r = route_find(config, request(path, lines));

	return r.kind == kind && (rest == NULL || slice_eq(r.path, slice_str(rest)));
}

/* Is it served without a key? */
static bool
is_open(const char *method, const char *path)
{
	struct http1_head h = *request(path, "");

	h.method = slice_str(method);
	return route_find(config, &h).open;
}

static bool
anthropic(const char *path, const char *lines)
{
	struct route r = route_find(config, request(path, lines));

	return r.kind == ROUTE_PROVIDER && r.api == PROVIDER_ANTHROPIC;
}

static bool
target(const char *path, const char *provider, const char *want)
{
	struct route r = route_find(config, request(path, ""));
	struct buf out;
	bool same;

	buf_init(&out, 4096);
	route_target(&r, config_provider(config, slice_str(provider)), head.query, &out);
	same = slice_eq(buf_view(&out), slice_str(want));
	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	buf_free(&out);
	return same;
}

static void
test_routes(void)
{
	ok(goes("/v1/chat/completions", "", ROUTE_PROVIDER, "/chat/completions"));
	ok(goes("/v1/chat/completions?a=b", "", ROUTE_PROVIDER, "/chat/completions"));
	ok(goes("/api/chat/completions", "", ROUTE_PROVIDER, "/chat/completions"));
	ok(goes("/chat/completions", "", ROUTE_PROVIDER, "/chat/completions"));
	ok(goes("/api/v1/batches", "", ROUTE_PROVIDER, "/batches"));
	ok(goes("/v1/unknown/thing", "", ROUTE_PROVIDER, "/unknown/thing"));
	ok(goes("/api/request-logs/", "", ROUTE_LOCAL, "/request-logs"));
	ok(goes("/request-logs/list", "", ROUTE_LOCAL, "/request-logs/list"));
	ok(goes("/v1/traces", "", ROUTE_LOCAL, "/v1/traces"));
	ok(goes("/api/v1/traces/ingest", "", ROUTE_LOCAL, "/v1/traces/ingest"));
	ok(goes("/api/v2/traces", "", ROUTE_LOCAL, "/v2/traces"));
	ok(goes("/api/acme/traces/t1/", "", ROUTE_LOCAL, "/acme/traces/t1"));
	ok(!is_open("POST", "/api/acme/traces/t1") && is_open("GET", "/api/acme/traces/t1"));
	ok(!is_open("GET", "/api/traces/t1") && !is_open("GET", "/api/clickhouse/traces/summary"));
	ok(goes("/acme/traces/t1", "", ROUTE_UNKNOWN, NULL));
	ok(goes("/api/acme/traces", "", ROUTE_UNKNOWN, NULL) && goes("/api/acme/traces/", "", ROUTE_UNKNOWN, NULL));
	ok(goes("/api/acme/traces//", "", ROUTE_UNKNOWN, NULL) && goes("/api/acme/traces/a/b", "", ROUTE_UNKNOWN, NULL));
	ok(goes("/api//traces/t1", "", ROUTE_UNKNOWN, NULL) && goes("/api/acme", "", ROUTE_UNKNOWN, NULL));
	ok(goes("/api/other/traces/t1", "", ROUTE_PROVIDER, "/traces/t1"));	/* providers come first */
	ok(goes("/", "", ROUTE_PAGE, NULL));
	ok(goes("/metrics", "", ROUTE_METRICS, NULL));
	ok(goes("/nothing/here", "", ROUTE_UNKNOWN, NULL));
	ok(goes("/v1", "", ROUTE_UNKNOWN, NULL));
	ok(anthropic("/v1/messages", ""));
	ok(anthropic("/v1/messages/count_tokens", ""));
	ok(anthropic("/api/anthropic/v1/messages", ""));
	ok(anthropic("/v1/models", "anthropic-version: 2023-06-01\r\n"));
	ok(!anthropic("/v1/models", ""));
	ok(!anthropic("/v1/messagesx", ""));
	ok(goes("/other/v1/chat/completions", "", ROUTE_PROVIDER, "/chat/completions"));
	ok(route_find(config, request("/other/v1/models", "")).provider ==
	    config_provider(config, SLICE("other")));
}

static void
test_targets(void)
{
	ok(target("/v1/chat/completions", "openai", "/v1/chat/completions"));
	ok(target("/v1/models?limit=2", "openai", "/v1/models?limit=2"));
	ok(target("/anthropic/v1/messages", "anthropic", "/v1/messages"));
	ok(target("/v1/chat/completions", "other", "/openai/deployments/d/chat/completions?api-version=2024-10-21"));
	ok(target("/v1/chat/completions?x=1", "other", "/openai/deployments/d/chat/completions?x=1&api-version=2024-10-21"));
	ok(target("/v1/chat/completions?api-version=a", "other", "/openai/deployments/d/chat/completions?api-version=a"));
}

static enum auth_result
check(const char *lines, bool loopback)
{
	struct settings s = { .config = config, .ring = config->ring };
	struct auth a;

	return auth_check(&s, request("/v1/models", lines), loopback, &a);
}

static void
test_strangers(void)
{
	struct settings s = { .config = config, .ring = config->ring };
	struct auth a;

	ok(check("", true) == AUTH_OK);
	ok(check("Origin: http://localhost:3000\r\n", true) == AUTH_OK);
	ok(check("Origin: https://evil.example\r\n", true) == AUTH_FOREIGN);
	ok(check("Origin: null\r\n", true) == AUTH_FOREIGN);
	ok(check("Origin: http://localhost.evil.example\r\n", true) == AUTH_FOREIGN);
	ok(check("Origin: https://evil.example\r\n", false) == AUTH_OK);
	request("/v1/models", "");
	head.host = SLICE("rebound.example:8787");
	ok(auth_check(&s, &head, true, &a) == AUTH_FOREIGN);
}

static bool
codings(const char *in, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 1024);
	forward_encodings(slice_str(in), &out);
	same = slice_eq(buf_view(&out), slice_str(want));
	buf_free(&out);
	return same;
}

int
main(void)
{
	static const char yaml[] =
	    "providers:\n"
	    "  openai: { api: openai, base_url: \"https://api.openai.com/v1\" }\n"
	    "  anthropic: { api: anthropic, base_url: \"https://api.anthropic.com\" }\n"
	    "  other: { api: openai, base_url: \"https://x.example/openai/deployments/d\","
	    " auth: api-key, api_key: k, api_version: \"2024-10-21\" }\n";
	char file[] = "/tmp/spangate-route-XXXXXX", err[256] = "";
	int fd = mkstemp(file);
	FILE *f = fdopen(fd, "w");

	fputs(yaml, f);
	fclose(f);
	config = config_load(file, NULL, 0, err, sizeof(err));
	remove(file);
	if (config == NULL) {
		printf("Bail out! %s\n", err);
		return 1;
	}
	test_routes();
	test_targets();
	test_strangers();
	ok(codings("gzip, deflate, br, zstd, dcb", "gzip, deflate, br, zstd"));
	ok(codings("compress, dcb;q=1, *", "identity"));
	ok(codings("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "gzip;q=1.0, deflate;q=0.6, identity;q=0.3"));
	config_unref(config);
	return done();
}
