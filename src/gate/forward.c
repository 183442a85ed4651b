/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward: heads on their way through. Everything passes but hop-by-hop
 * fields, the gateway's own fields and its keys. Pure but for its inputs.
 */
#include "gate/forward.h"

#include "core/head.h"
#include "gate/breakdown.h"
#include "gate/down.h"
#include "gate/exchange.h"

static void
put_number(struct buf *out, const char *name, uint64_t value)
{
	buf_str(out, name);
	buf_u64(out, value);
	buf_append(out, "\r\n", 2);
}

void
forward_encodings(struct slice value, struct buf *out)
{
	static const struct slice readable[] = {
		SLICE("gzip"), SLICE("x-gzip"), SLICE("deflate"), SLICE("br"), SLICE("zstd"),
		SLICE("identity"),
	};
	struct slice item, coding;
	const char *p;
	size_t i, before = out->len;

	while (value.len > 0) {
		p = memchr(value.ptr, ',', value.len);
		item = slice_make(value.ptr, p ? (size_t)(p - value.ptr) : value.len);
		value = slice_from(value, item.len + (p != NULL));
		item = slice_trim(item);
		p = memchr(item.ptr, ';', item.len);
		coding = slice_trim(slice_make(item.ptr, p ? (size_t)(p - item.ptr) : item.len));
		for (i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
			if (slice_caseeq(coding, readable[i])) {
				if (out->len > before)
					buf_append(out, ", ", 2);
				buf_slice(out, item);
			}
	}
	if (out->len == before)
		buf_str(out, "identity");
}

/* The provider's own key, in the field that it wants. */
static void
forward_key(const struct provider_config *p, struct buf *out)
{
	switch (p->auth) {
	case AUTH_BEARER:
		buf_printf(out, "authorization: Bearer %s\r\n", p->api_key);
		break;
	case AUTH_X_API_KEY:
		buf_printf(out, "x-api-key: %s\r\n", p->api_key);
		break;
	case AUTH_API_KEY:
		buf_printf(out, "api-key: %s\r\n", p->api_key);
		break;
	}
}

/* Does this request field stay behind? */
static bool
forward_drops(const struct exchange *x, const struct http1_field *f)
{
	const struct auth *a = &x->auth;

	if (f->flags & (HEAD_HOP | HEAD_OURS))
		return true;
	if (!x->settings->config->forward_traceparent &&
	    (slice_caseeq(f->name, SLICE("traceparent")) || slice_caseeq(f->name, SLICE("tracestate"))))
		return true;
	if (a->used.ptr != NULL && slice_caseeq(f->name, a->used))
		return true;
	return x->provider->config->api_key != NULL && (f->flags & HEAD_CREDENTIAL);
}

/* Fields that Connection names are hop-by-hop as well. */
static bool
request_connection_names(const struct request_head *h, struct slice name)
{
	struct http1_head view;
	size_t i;

	view.nfields = 0;
	for (i = 0; i < h->nfields; i++)
		if (slice_caseeq(h->fields[i].name, SLICE("connection"))) {
			view.fields[0] = h->fields[i];
			view.nfields = 1;
			if (http1_connection_names(&view, name))
				return true;
		}
	return false;
}

void
forward_request(const struct exchange *x, uint64_t len, struct buf *out)
{
	const struct provider_config *p = x->provider->config;
	const struct request_head *h = x->head;
	const struct http1_field *f;
	bool plain = x->hiding || breakdown_wanted(x), said = false;
	size_t i;

	buf_slice(out, h->method);
	buf_byte(out, ' ');
	route_target(&x->route, p, h->query, out);
	buf_str(out, " HTTP/1.1\r\n");
	head_put(out, SLICE("Host"), slice_str(p->host_header));
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (forward_drops(x, f) || (h->nominates && request_connection_names(h, f->name)))
			continue;
		if (!slice_caseeq(f->name, SLICE("accept-encoding"))) {
			head_put(out, f->name, f->value);
			continue;
		}
		said = true;
		buf_slice(out, f->name);
		buf_append(out, ": ", 2);
		forward_encodings(plain ? SLICE("identity") : f->value, out);
		buf_append(out, "\r\n", 2);
	}
	if (breakdown_wanted(x) && !said)
		buf_str(out, "accept-encoding: identity\r\n");
	if (p->api_key != NULL)
		forward_key(p, out);
	if (len > 0 || x->has_body)
		put_number(out, "Content-Length: ", len);
	buf_append(out, "\r\n", 2);
}

/* How the client is told where the body ends. */
static void
forward_framing(struct exchange *x, const struct http1_head *h, struct buf *out)
{
	struct slice length = http1_field(h, SLICE("content-length"));
	bool old = x->head->minor == 0;

	x->chunked = false;
	if (h->framing == HTTP1_NO_BODY) {
		/* The length that GET would have had, or of a 304. */
		if (length.ptr != NULL && h->status >= 200 && h->status != 204)
			head_put(out, SLICE("content-length"), length);
		return;
	}
	if (h->framing == HTTP1_SIZED && !x->hiding && !x->adding) {
		put_number(out, "content-length: ", h->length);
		return;
	}
	if (old) {
		x->answer_keep = false;
		x->until_close = true;
	} else {
		x->chunked = true;
		buf_str(out, "transfer-encoding: chunked\r\n");
	}
}

void
forward_answer(struct exchange *x, const struct http1_head *h, struct buf *out)
{
	const struct http1_field *f;
	char id[33];
	size_t i;

	buf_str(out, "HTTP/1.1 ");
	buf_u64(out, h->status);
	buf_byte(out, ' ');
	buf_slice(out, h->reason);
	buf_append(out, "\r\n", 2);
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (!head_is_hop(h, i) && !(f->flags & HEAD_ORIGIN))
			head_put(out, f->name, f->value);
	}
	forward_framing(x, h, out);
	if (x->tape.on)
		head_put(out, SLICE("x-spangate-span-id"), slice_make(exchange_id_text(x, id), 32));
	if (!x->answer_keep)
		buf_str(out, "connection: close\r\n");
	else if (x->head->minor == 0)
		buf_str(out, "connection: keep-alive\r\n");
	buf_append(out, "\r\n", 2);
}
