/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api: finds the handler of a request in the table of routes. Called by the
 * gate on a pool thread, once for each request to a path of the API.
 */
#include "api/api.h"

#include <stdio.h>

#include "api/answer.h"
#include "api/audio.h"
#include "api/change.h"
#include "api/create.h"
#include "api/keys.h"
#include "api/logs.h"
#include "api/metrics.h"
#include "api/operations.h"
#include "api/otlp.h"
#include "api/scores.h"
#include "api/search.h"
#include "api/traces.h"
#include "api/summary.h"
#include "api/threads.h"
#include "api/users.h"

struct route {
	const char	*methods;	/* parted by blanks */
	const char	*path;
	local_handler	*handler;
	const char	*sentence;
};

static void
health_get(struct local_job *job, const struct local_request *r, void *arg)
{
	static const char ok[] = "{\"message\":\"OK\"}";

	(void)r;
	(void)arg;
	local_head(job, 200, API_JSON, NULL);
	(void)local_write(job, ok, sizeof(ok) - 1);
}

static const struct route routes[] = {
#define ROUTE(methods, path, handler, sentence) { methods, path, handler, sentence },
#include "api/routes.tbl.h"
#undef ROUTE
};

/* Takes "/segment" off the front of a path. */
static struct slice
take_segment(struct slice *path)
{
	const char *slash;
	struct slice segment;

	if (path->len < 2 || *path->ptr != '/')
		return SLICE_NONE;
	slash = memchr(path->ptr + 1, '/', path->len - 1);
	segment = slice_make(path->ptr + 1, slash ? (size_t)(slash - path->ptr) - 1 : path->len - 1);
	*path = slice_from(*path, segment.len + 1);
	return segment;
}

static bool
path_matches(const char *pattern, struct slice path)
{
	struct slice left = slice_str(pattern), want, got;

	while ((want = take_segment(&left)).ptr) {
		if (slice_eq(want, SLICE("**")))
			return true;
		got = take_segment(&path);
		if (!got.ptr || (!slice_eq(want, SLICE("*")) && !slice_eq(want, got)))
			return false;
	}
	return path.len == 0;
}

/* Is it one of the methods? */
static bool
method_matches(const char *methods, struct slice method)
{
	while (*methods) {
		size_t n = strcspn(methods, " ");

		if (slice_eq(slice_make(methods, n), method))
			return true;
		methods += n + (methods[n] == ' ');
	}
	return false;
}

/* 405, with every method that the path takes in the Allow field. */
static void
refuse_method(struct local_job *job, const struct local_request *r)
{
	static const char *const all[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
	char allow[100] = "allow:";
	int len = 6;

	for (size_t m = 0; m < sizeof(all) / sizeof(all[0]); m++)
		if (operation_find(slice_str(all[m]), r->path))
			len += snprintf(allow + len, sizeof(allow) - (size_t)len, "%s %s", len > 6 ? "," : "", all[m]);
	snprintf(allow + len, sizeof(allow) - (size_t)len, "\r\n");
	api_error(job, 405, allow, "Method \"%.*s\" not allowed.", (int)(r->method.len % 100), r->method.ptr);
}

bool
operation_works(const struct operation *o)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (path_matches(routes[i].path, slice_str(o->path)) && method_matches(routes[i].methods, slice_str(o->method)))
			return routes[i].handler != NULL;
	return false;
}

/* Has the key the right that the request needs? Else 403. */
static bool
key_reaches(struct local_job *job, const struct local_request *r)
{
	unsigned right = r->key ? operation_right(r) : 0;

	if (right == 0 || (r->key->rights & right))
		return true;
	for (unsigned i = 0; i < RIGHTS; i++)
		if (right == 1u << i)
			api_error(job, 403, NULL, "this key may not do that: it lacks the right `%s`", key_right_name(i));
	return false;
}

void
api_handle(struct local_job *job, const struct local_request *r, void *arg)
{
	if (operation_path(r->path) && !operation_find(r->method, r->path)) {
		refuse_method(job, r);
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *route = &routes[i];

		if (!path_matches(route->path, r->path) || !method_matches(route->methods, r->method))
			continue;
		if (!key_reaches(job, r))
			return;
		if (route->handler)
			route->handler(job, r, arg);
		else
			api_error(job, 501, NULL, "%s (%.*s %s): this version of spangate does not do that yet",
			    route->sentence, (int)r->method.len, r->method.ptr, route->path);
		return;
	}
	api_error(job, 404, NULL, "Not found: there is no API path %.*s",
	    (int)(r->path.len > 200 ? 200 : r->path.len), r->path.ptr);
}
