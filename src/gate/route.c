/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route: paths to places. Pure; called by the exchange once a request. What
 * stands under /api stands without it as well.
 */
#include "gate/route.h"

/* First path members of our own REST API. */
static const char *const own_members[] = {
#define OWN(name) name,
#define OPENAI(name)
#define PLAIN(name)
#include "core/paths.tbl.h"
#undef OWN
#undef OPENAI
};

/* First path members of the OpenAI API, which some clients call without /v1. */
static const char *const openai_members[] = {
#define OWN(name)
#define OPENAI(name) name,
#include "core/paths.tbl.h"
#undef OWN
#undef OPENAI
#undef PLAIN
};

/* Paths with /v1 or /v2 that are ours all the same: span ingest. */
static const char *const own_versioned[] = {
	"/v1/traces", "/v2/traces", "/v1/traces/ingest", "/openai/v1/traces/ingest",
};

/* Is the path's first member this one? Then *rest is what comes after it. */
static bool
path_begins(struct slice path, struct slice member, struct slice *rest)
{
	if (path.len < member.len + 1 || path.ptr[0] != '/' ||
	    !slice_starts(slice_from(path, 1), member))
		return false;
	*rest = slice_from(path, member.len + 1);
	return rest->len == 0 || rest->ptr[0] == '/';
}

static bool
path_begins_any(struct slice path, const char *const *list, size_t n)
{
	struct slice rest;
	size_t i;

	for (i = 0; i < n; i++)
		if (path_begins(path, slice_str(list[i]), &rest))
			return true;
	return false;
}

static struct slice
path_less_slash(struct slice path)
{
	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
path_is_ingest(struct slice path)
{
	size_t i;

	path = path_less_slash(path);
	for (i = 0; i < COUNT(own_versioned); i++)
		if (slice_eq(path, slice_str(own_versioned[i])))
			return true;
	return false;
}

/* "/audio/" and an id of ours: kept audio. Other paths of that name are the
 * OpenAI API's. */
static bool
path_is_audio(struct slice path)
{
	static const struct slice prefix = SLICE("/audio/");
	size_t i;

	path = path_less_slash(path);
	if (path.len != prefix.len + 32 || !slice_starts(path, prefix))
		return false;
	for (i = prefix.len; i < path.len; i++)
		if (memchr("0123456789abcdefABCDEF", path.ptr[i], 22) == NULL)
			return false;
	return true;
}

static bool
path_is_own(struct slice path)
{
	return path_is_audio(path) || slice_eq(path_less_slash(path), SLICE("/models/public")) ||
	    path_begins_any(path, own_members, COUNT(own_members));
}

/* "/ORGANIZATION/traces/ID": a trace that may be public, which the API knows. */
static bool
path_is_public(struct slice path)
{
	const char *slash;
	struct slice id;

	path = path_less_slash(path);
	slash = path.len > 1 ? memchr(path.ptr + 1, '/', path.len - 1) : NULL;
	return slash != NULL && slash > path.ptr + 1 &&
	    path_begins(slice_from(path, (size_t)(slash - path.ptr)), SLICE("traces"), &id) && id.len > 1 &&
	    memchr(id.ptr + 1, '/', id.len - 1) == NULL;
}

static bool
route_memory(struct slice path, struct route *r)
{
	static const struct { struct slice path; enum route_kind kind; } places[] = {
		{ SLICE("/"), ROUTE_PAGE }, { SLICE("/metrics"), ROUTE_METRICS },
		{ SLICE("/healthz"), ROUTE_HEALTH }, { SLICE("/readyz"), ROUTE_READY },
	};
	size_t i;

	for (i = 0; i < COUNT(places); i++)
		if (slice_eq(path, places[i].path)) {
			r->kind = places[i].kind;
			return true;
		}
	return false;
}

/* The rest behind a provider's prefix: with or without /v1. */
static void
route_below(struct route *r, enum provider_api api, struct slice rest)
{
	struct slice below;

	r->kind = ROUTE_PROVIDER;
	r->api = api;
	r->path = path_begins(rest, SLICE("v1"), &below) ? below : rest;
}

/* A request to /v1/…: Anthropic's by its path or by the header that all of its
 * clients send, else OpenAI's. */
static enum provider_api
api_of(const struct http1_head *h, struct slice below)
{
	struct slice rest;

	if (path_begins(below, SLICE("messages"), &rest) ||
	    http1_field(h, SLICE("anthropic-version")).ptr != NULL)
		return PROVIDER_ANTHROPIC;
	return PROVIDER_OPENAI;
}

static bool
route_named(const struct config *c, struct slice path, struct route *r)
{
	struct slice rest;
	size_t i;

	for (i = 0; i < c->nproviders; i++)
		if (path_begins(path, slice_str(c->providers[i].id), &rest) && rest.len > 1) {
			route_below(r, c->providers[i].api, rest);
			r->provider = &c->providers[i];
			return true;
		}
	return false;
}

struct route
route_find(const struct config *c, const struct http1_head *h)
{
	struct route r = { .kind = ROUTE_UNKNOWN };
	struct slice path = h->path, rest;
	bool api;

	if (path.len == 0 || path.ptr[0] != '/' || route_memory(path, &r))
		return r;
	api = path_begins(path, SLICE("api"), &rest) && rest.len > 0;
	if (api)
		path = rest;
	if (path_is_ingest(path)) {
		r.kind = ROUTE_LOCAL;
		r.path = path_less_slash(path);
	} else if (path_begins(path, SLICE("v1"), &rest) && rest.len > 1)
		route_below(&r, api_of(h, rest), rest);
	else if (path_is_own(path)) {
		r.kind = ROUTE_LOCAL;
		r.path = path_less_slash(path);
	} else if (route_named(c, path, &r))
		;
	else if (path_begins(path, SLICE("anthropic"), &rest) && rest.len > 1)
		route_below(&r, PROVIDER_ANTHROPIC, rest);
	else if (path_begins_any(path, openai_members, COUNT(openai_members)))
		route_below(&r, api_of(h, path), path);
	else if (api && path_is_public(path)) {
		r.kind = ROUTE_LOCAL;
		r.open = slice_eq(h->method, SLICE("GET"));
		r.path = path_less_slash(path);
	}
	return r;
}

/* Is there a member of that name in the query? */
static bool
query_has(struct slice query, struct slice name)
{
	const char *amp;
	struct slice one;

	while (query.len > 0) {
		amp = memchr(query.ptr, '&', query.len);
		one = slice_make(query.ptr, amp ? (size_t)(amp - query.ptr) : query.len);
		if (slice_starts(one, name) && (one.len == name.len || one.ptr[name.len] == '='))
			return true;
		query = slice_from(query, one.len + (amp != NULL));
	}
	return false;
}

void
route_target(const struct route *r, const struct provider_config *p, struct slice query,
    struct buf *out)
{
	char mark = '?';

	buf_str(out, p->path);
	if (p->api == PROVIDER_ANTHROPIC)
		buf_str(out, "/v1");
	buf_slice(out, r->path);
	if (query.ptr != NULL) {
		buf_byte(out, mark);
		buf_slice(out, query);
		mark = '&';
	}
	if (p->api_version != NULL && !query_has(query, SLICE("api-version")))
		buf_printf(out, "%capi-version=%s", mark, p->api_version);
}

void
route_api_path(const struct route *r, struct buf *out)
{
	buf_str(out, "/v1");
	buf_slice(out, r->path);
}
