/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply: heads and bodies of the gateway's own answers. Pure. Error types are
 * those that the official clients turn into their exception classes.
 */
#include "gate/reply.h"

#include <stddef.h>

const char *
reply_phrase(unsigned status)
{
	static const struct { unsigned status; const char *phrase; } phrases[] = {
		{ 100, "Continue" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" },
		{ 204, "No Content" }, { 206, "Partial Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 409, "Conflict" }, { 413, "Content Too Large" },
		{ 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "";
}

/* Anthropic's clients know these types. */
static const char *
anthropic_type(unsigned status)
{
	switch (status) {
	case 401: return "authentication_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 413: return "request_too_large";
	case 429: return "rate_limit_error";
	case 503: return "overloaded_error";
	case 504: return "timeout_error";
	default: return status >= 500 ? "api_error" : "invalid_request_error";
	}
}

static void
error_body(struct buf *out, enum reply_format format, const struct reply_error *e)
{
	struct slice message = slice_str(e->message);

	if (format == REPLY_RESPAN) {
		buf_str(out, "{\"detail\":");
		buf_json_string(out, message);
		buf_str(out, ",\"error\":");
		buf_json_string(out, message);
		if (e->retry_after > 0)
			buf_printf(out, ",\"retry_after\":%d", e->retry_after);
		buf_str(out, "}\n");
		return;
	}
	if (format == REPLY_ANTHROPIC) {
		buf_str(out, "{\"type\":\"error\",\"error\":{\"type\":");
		buf_json_string(out, slice_str(anthropic_type(e->status)));
		buf_str(out, ",\"message\":");
		buf_json_string(out, message);
		buf_str(out, "}}\n");
		return;
	}
	buf_str(out, "{\"error\":{\"message\":");
	buf_json_string(out, message);
	buf_str(out, ",\"type\":");
	buf_json_string(out, slice_str(e->type));
	buf_str(out, ",\"param\":null,\"code\":");
	if (e->code != NULL)
		buf_json_string(out, slice_str(e->code));
	else
		buf_str(out, "null");
	buf_str(out, "}}\n");
}

static void
reply_head(struct buf *out, unsigned status, const char *type, size_t len, bool keep)
{
	buf_printf(out, "HTTP/1.1 %u %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n%s",
	    status, reply_phrase(status), type, len, keep ? "" : "connection: close\r\n");
}

void
reply_error(struct buf *out, enum reply_format format, const struct reply_error *e,
    const char *id, bool keep)
{
	struct buf body;

	buf_init(&body, 16 * 1024);
	error_body(&body, format, e);
	reply_head(out, e->status, "application/json", body.len, keep);
	if (id != NULL)
		buf_printf(out, "x-spangate-span-id: %s\r\n", id);
	if (e->retry_after > 0)
		buf_printf(out, "retry-after: %d\r\n", e->retry_after);
	if (e->should_retry >= 0)
		buf_printf(out, "x-should-retry: %s\r\n", e->should_retry ? "true" : "false");
	if (e->headers != NULL)
		buf_str(out, e->headers);
	buf_append(out, "\r\n", 2);
	if (!e->no_body)
		buf_slice(out, buf_view(&body));
	buf_free(&body);
}

void
reply_text(struct buf *out, unsigned status, const char *content_type, struct slice body,
    bool keep, bool body_too)
{
	reply_head(out, status, content_type, body.len, keep);
	buf_append(out, "\r\n", 2);
	if (body_too)
		buf_slice(out, body);
}
