/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_text: a message as one text: what the head says, the payload, how it
 * ended. The message is read whole or in cuts; the text must be the same.
 */
#ifndef HTTP1_TEXT_H
#define HTTP1_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/http1.h"
#include "exact.h"

enum message_kind { REQUEST = 0, RESPONSE = 1, RESPONSE_TO_HEAD = 2 };

static inline void
text_slice(struct buf *b, const char *what, struct slice s)
{
	buf_printf(b, "%s=", what);
	if (s.ptr == NULL)
		buf_str(b, "none");
	else {
		buf_byte(b, '<');
		buf_slice(b, s);
		buf_byte(b, '>');
	}
	buf_byte(b, '\n');
}

static inline void
text_head(struct buf *b, const struct http1_head *h)
{
	size_t i;

	text_slice(b, "method", h->method);
	text_slice(b, "target", h->target);
	text_slice(b, "path", h->path);
	text_slice(b, "query", h->query);
	text_slice(b, "host", h->host);
	text_slice(b, "reason", h->reason);
	buf_printf(b, "expect=%d/%d upgrade=%d status=%u minor=%u keep=%d "
	    "nominates=%d framing=%d length=%llu\n", h->expect_continue,
	    h->expect_other, h->upgrade, h->status, h->minor, h->keep_alive,
	    h->nominates, (int)h->framing, (unsigned long long)h->length);
	for (i = 0; i < h->nfields; i++) {
		text_slice(b, "name", h->fields[i].name);
		text_slice(b, "value", h->fields[i].value);
	}
}

/* Reads the head of `in` from memory of exactly the bytes that are there so
 * far. *held: that memory, to be freed by the caller. */
static inline int
read_head(struct http1_head *h, enum message_kind kind, struct slice in,
    int mode, size_t *used, struct slice *held)
{
	uint64_t seed = (uint64_t)mode + 1;
	size_t have = 0, scan = 0;
	int r;

	*held = exact_copy(slice_make(in.ptr, 0));
	do {
		have += exact_cut(mode, &seed, in.len - have);
		exact_free(*held);
		*held = exact_copy(slice_make(in.ptr, have));
		r = kind == REQUEST ?
		    http1_request(h, held->ptr, have, &scan, used) :
		    http1_response(h, held->ptr, have,
		    kind == RESPONSE_TO_HEAD, &scan, used);
	} while (r == HTTP1_MORE && have < in.len);
	return r;
}

/* Reads a body; *used: the bytes that belong to it. The payload goes to b. */
static inline int
read_body(struct http1_body *body, struct slice in, int mode, size_t *used,
    struct buf *b)
{
	uint64_t seed = (uint64_t)mode + 1;
	size_t have, at, n;
	struct slice copy, data;
	int r = HTTP1_MORE;

	*used = 0;
	do {
		have = exact_cut(mode, &seed, in.len - *used);
		copy = exact_copy(slice_make(in.ptr + *used, have));
		at = 0;
		do {
			r = http1_body_next(body, copy.ptr + at, have - at, &n,
			    &data);
			if (n > have - at || (r < 0 && data.len > 0) ||
			    (r == HTTP1_MORE && n == 0 && have > at) || (data.len > 0 && (data.ptr <
			    copy.ptr + at || data.ptr + data.len >
			    copy.ptr + at + n)))
				abort();
			buf_slice(b, data);
			at += n;
		} while (r == HTTP1_MORE && at < have);
		*used += at;
		exact_free(copy);
	} while (r == HTTP1_MORE && *used < in.len);
	return r;
}

/* The whole message as text. */
static inline void
text_message(struct buf *b, enum message_kind kind, struct slice in, int mode)
{
	static struct http1_head h;
	struct http1_body body;
	struct slice held;
	size_t used = 0, body_used = 0;
	int r;

	r = read_head(&h, kind, in, mode, &used, &held);
	buf_printf(b, "head %d used %zu\n", r, r == HTTP1_DONE ? used : 0);
	if (r == HTTP1_DONE) {
		text_head(b, &h);
		http1_body_init(&body, h.framing, h.length);
		r = read_body(&body, slice_from(in, used), mode, &body_used, b);
		buf_printf(b, "\nbody %d used %zu left %llu close %d\n", r,
		    body_used, (unsigned long long)body.left,
		    http1_body_may_close(&body));
	}
	exact_free(held);
}

#endif
