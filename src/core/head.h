/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head: what the gateway knows of header fields: which are hop-by-hop, which
 * are credentials, which may be kept in the journal. One table.
 */
#ifndef CORE_HEAD_H
#define CORE_HEAD_H

#include "core/buf.h"
#include "core/http1.h"

enum head_flags {
	HEAD_HOP = 1,		/* RFC 9110 7.6.1 and its company: never passed on */
	HEAD_SECRET = 2,	/* credentials: never journaled, never logged */
	HEAD_KEEP = 4,		/* allowed into the journal */
	HEAD_OURS = 8,		/* the gateway's own: X-Spangate-*, X-Respan-*, X-Data-*-Params, X-Keywordsai-*: never upstream */
	HEAD_CREDENTIAL = 32,	/* where clients put a provider's key: authorization, x-api-key, api-key, x-goog-api-key */
	HEAD_PARAMS = 64,	/* members of the gateway in a header: x-data-*-params, x-respan-customer-identifier */
	HEAD_ORIGIN = 16,	/* names the provider's origin: alt-svc, strict-transport-security */
};

/* Flags of a field by name, case does not count; 0 for an unknown one. Names
 * with our prefixes are HEAD_OURS. x-ratelimit-*, anthropic-ratelimit-*,
 * openai-*, x-stainless-* and the like are HEAD_KEEP by prefix. */
unsigned head_flags(struct slice name);

/* Is field i to be left out between client and provider: hop-by-hop, or
 * nominated by Connection. Content-Length, Host and Transfer-Encoding are the
 * caller's business: they count as hop here. */
bool	head_is_hop(const struct http1_head *, size_t i);	/* by the field's flags */

/* Appends "name: value\r\n" of each HEAD_KEEP field, names in lower case. */
void	head_keep(const struct http1_head *, struct buf *);

/* Appends "name: value\r\n" as it stands. */
void	head_put(struct buf *, struct slice name, struct slice value);
/* Appends one field as such a line, whatever its flags. */
void	head_keep_field(const struct http1_field *, struct buf *);

/* Pulls the lines of such a block apart again: false at the end. */
bool	head_line_next(struct slice *block, struct http1_field *);

/* Appends the target with the values of credential query members (key,
 * api-key, api_key, access_token, token, sig, signature, subscription-key, code) as "***". */
void	head_mask_target(struct slice target, struct buf *);

#endif
