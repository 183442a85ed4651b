/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse: the gateway's own words to clients: refusals, the page, metrics and
 * health. Reads memory only. Called by the exchange before and instead of an
 * answer from a provider.
 */
#include "gate/refuse.h"

#include <stdio.h>

#include "core/limits.h"
#include "gate/down.h"
#include "gate/exchange.h"
#include "gate/thread.h"
#include "ledger/ledger.h"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>spangate</title>\n"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:4em auto;padding:0 1em}"
    "code{background:#8882;padding:.1em .3em;border-radius:3px}</style></head><body>\n"
    "<h1>spangate</h1>\n<p>This is an LLM gateway. It forwards requests to providers as they are and keeps "
    "a span for each: who asked what of which model, what came back, how long it took, what it used.</p>\n"
    "<p>Point an OpenAI client at <code>base_url</code> = this address + <code>/v1</code>, an Anthropic "
    "client at this address + <code>/anthropic</code>.</p>\n"
    "<p>Read spans with <code>spangate spans list</code> or "
    "<a href=\"/api/request-logs/\">/api/request-logs/</a>. Operation: <a href=\"/metrics\">/metrics</a>, "
    "<a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a>.</p>\n</body></html>\n";

static enum reply_format
format_of(const struct route *r)
{
	if (r->kind == ROUTE_LOCAL)
		return REPLY_RESPAN;
	return r->kind == ROUTE_PROVIDER && r->api == PROVIDER_ANTHROPIC ?
	    REPLY_ANTHROPIC : REPLY_OPENAI;
}

static bool
refuse_with(struct down *d, const struct http1_head *h, const struct route *r,
    struct reply_error e)
{
	e.should_retry = -1;
	e.no_body = slice_eq(h->method, SLICE("HEAD"));
	down_refuse(d, format_of(r), e, h->framing != HTTP1_NO_BODY);
	return true;
}

bool
refuse_head(struct down *d, const struct http1_head *h, const struct route *r)
{
	if (slice_eq(h->method, SLICE("CONNECT")))
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 405, .type = "invalid_request_error", .code = "method_not_allowed",
		    .message = "CONNECT is not for this gateway: use its address as base_url" });
	if (h->upgrade)
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 426, .type = "invalid_request_error", .code = "upgrade_not_supported",
		    .message = "protocol upgrades (WebSocket) are not supported here",
		    .headers = "upgrade: HTTP/1.1\r\n" });
	if (h->expect_other)
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 417, .type = "invalid_request_error", .code = "expectation_failed",
		    .message = "the only expectation known here is 100-continue" });
	return false;
}

/* One who has a key, or needs none: does it reach so far, and so often? */
static bool
refuse_key(struct down *d, const struct http1_head *h, const struct route *r, const struct auth *a)
{
	unsigned wait;

	if (a->key == NULL || (r->kind != ROUTE_PROVIDER && r->kind != ROUTE_LOCAL))
		return false;
	if (r->kind == ROUTE_PROVIDER && !(a->key->rights & RIGHT_GATEWAY))
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 403, .type = "permission_error", .code = "right_missing",
		    .message = "this key may not call providers: it lacks the right `gateway`" });
	wait = key_spend(a->key, d->conn.thread->now);
	if (wait == 0)
		return false;
	return refuse_with(d, h, r, (struct reply_error){
	    .status = 429, .type = "rate_limit_error", .code = "rate_limit_exceeded",
	    .message = "Rate limit exceeded: this key has used its requests of this minute",
	    .retry_after = (int)wait });
}

bool
refuse_stranger(struct down *d, const struct http1_head *h, const struct route *r,
    struct auth *a)
{
	enum auth_result result = auth_check(d->conn.thread->settings, h, d->loopback, a);

	if (r->open && result != AUTH_FOREIGN) {
		*a = (struct auth){ 0 };
		return false;
	}
	switch (result) {
	case AUTH_OK:
		return refuse_key(d, h, r, a);
	case AUTH_FOREIGN:
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 403, .type = "permission_error", .code = "foreign_origin",
		    .message = "without keys this gateway serves its own machine only: Host and Origin"
		    " must be localhost, 127.0.0.1 or [::1] (configure keys, or allow_open: true)" });
	case AUTH_MISSING:
		if (r->kind != ROUTE_PROVIDER && r->kind != ROUTE_LOCAL)
			return false;
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 401, .type = "authentication_error", .code = "missing_api_key",
		    .message = "Authentication credentials were not provided: a spangate key is needed, as"
		    " Authorization: Bearer, X-Api-Key, api-key or X-Spangate-Key" });
	case AUTH_EXPIRED:
	case AUTH_UNKNOWN:
		break;
	}
	if (r->kind != ROUTE_PROVIDER && r->kind != ROUTE_LOCAL)
		return false;
	return refuse_with(d, h, r, (struct reply_error){
	    .status = 401, .type = "authentication_error", .code = "invalid_api_key",
	    .message = "Your API key is invalid or expired: it is not one of this gateway's keys" });
}

static bool
place_metrics(struct down *d, const struct http1_head *h)
{
	struct buf text;

	buf_init(&text, 32 * MIB);
	ledger_render(&text);
	down_text(d, h, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&text));
	buf_free(&text);
	return true;
}

static bool
place_ready(struct down *d, const struct http1_head *h)
{
	struct buf text;
	bool serving;

	buf_init(&text, 64 * KIB);
	serving = ledger_ready(&text);
	down_text(d, h, serving ? 200 : 503, "application/json", buf_view(&text));
	buf_free(&text);
	return true;
}

/* Is there any provider that speaks this API? */
static bool
place_has_provider(const struct config *c, const struct route *r)
{
	return r->provider != NULL || config_route(c, r->api, SLICE_NONE) != NULL;
}

bool
refuse_place(struct down *d, const struct http1_head *h, const struct route *r)
{
	bool get = slice_eq(h->method, SLICE("GET")) || slice_eq(h->method, SLICE("HEAD"));

	if (r->kind == ROUTE_LOCAL)
		return false;
	if (r->kind == ROUTE_PROVIDER) {
		if (place_has_provider(d->conn.thread->settings->config, r))
			return false;
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 404, .type = "invalid_request_error", .code = "no_provider",
		    .message = r->api == PROVIDER_ANTHROPIC ?
		    "no provider with `api: anthropic` is configured" :
		    "no provider with `api: openai` is configured" });
	}
	if (r->kind == ROUTE_UNKNOWN)
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 404, .type = "invalid_request_error", .code = "unknown_path",
		    .message = "nothing is served at this path: the gateway is at /v1, /anthropic and"
		    " /{provider}/v1, the span API at /api" });
	if (!get)
		return refuse_with(d, h, r, (struct reply_error){
		    .status = 405, .type = "invalid_request_error", .code = "method_not_allowed",
		    .message = "only GET and HEAD are served here", .headers = "allow: GET, HEAD\r\n" });
	if (r->kind == ROUTE_METRICS)
		return place_metrics(d, h);
	if (r->kind == ROUTE_READY)
		return place_ready(d, h);
	if (r->kind == ROUTE_HEALTH)
		down_text(d, h, 200, "application/json", SLICE("{\"status\":\"ok\"}\n"));
	else
		down_text(d, h, 200, "text/html; charset=utf-8", slice_make(page, sizeof(page) - 1));
	return true;
}

/* Should a client try again? Not where the provider may have done the work
 * already and would only do it, and charge it, once more. */
static int
refuse_retry(enum reason reason)
{
	switch (reason) {
	case REASON_RESOLVE_FAILED:
	case REASON_CONNECT_FAILED:
	case REASON_CONNECT_TIMEOUT:
	case REASON_UPSTREAM_RESET:
	case REASON_OVERLOADED:
	case REASON_INTERRUPTED:
		return 1;
	default:
		return 0;
	}
}

void
refuse_exchange(struct exchange *x, enum reason reason, const char *detail)
{
	const struct reason_info *info = reason_info(reason);
	const char *id = x->provider ? x->provider->config->id : "";
	struct buf *text = &x->thread->text;
	char message[512], hex[33];
	struct reply_error e = {
		.status = info->status_code, .code = info->name, .message = message,
		.type = info->status_code >= 500 ? "api_error" :
		    reason == REASON_NO_PROVIDER_KEY ? "authentication_error" : "invalid_request_error",
		.retry_after = reason == REASON_OVERLOADED ? 1 : 0,
		.should_retry = refuse_retry(reason), .no_body = x->head_method,
	};
	bool keep = x->answer_keep && x->down->state == DOWN_ANSWER;

	if (reason == REASON_NO_PROVIDER_KEY)
		snprintf(message, sizeof(message), "%s (set providers.%s.api_key, or send the"
		    " provider's key as Authorization beside X-Spangate-Key)", info->sentence, id);
	else
		snprintf(message, sizeof(message), "%s%s%s%s%s%s", info->sentence,
		    detail ? ": " : "", detail ? detail : "", *id ? " (provider " : "", id,
		    *id ? ")" : "");
	x->status = info->status_code;
	x->refused = true;
	buf_clear(text);
	reply_error(text, format_of(&x->route), &e,
	    x->tape.on ? exchange_id_text(x, hex) : NULL, keep);
	down_write(x->down, buf_view(text));
	x->head_sent = true;
	down_finish(x->down, keep ? FINISH_KEEP : FINISH_CLOSE);
}
