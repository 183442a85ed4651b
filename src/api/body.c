/* SPDX-License-Identifier: Apache-2.0 */
/* body: see body.h. Called by the handlers that take spans. */
#include "api/body.h"

#include <stdio.h>

#include "span/inflate.h"

static bool
refuse(struct body_error *e, unsigned status, const char *headers, const char *text)
{
	*e = (struct body_error){ .status = status, .headers = headers };
	snprintf(e->text, sizeof(e->text), "%s", text);
	return false;
}

bool
body_inflate(const struct local_request *request, struct buf *inflated, struct slice *body, struct body_error *e)
{
	struct inflate inflate;
	int rc = inflate_init(&inflate, request->content_encoding);

	*body = request->body;
	if (rc == INFLATE_OK && inflate.n > 0) {
		rc = inflate_feed(&inflate, *body, inflated);
		if (rc == INFLATE_OK && !inflate_complete(&inflate))
			rc = INFLATE_E_DATA;
		*body = buf_view(inflated);
	}
	inflate_free(&inflate);
	if (rc == INFLATE_E_CODING)
		return refuse(e, 415, "accept-encoding: gzip, deflate, br, zstd\r\n", "the content encoding is not known here");
	if (rc == INFLATE_E_LIMIT) {
		(void)refuse(e, 413, NULL, "");
		snprintf(e->text, sizeof(e->text), "the body has more than %zu bytes when it is decompressed", inflated->limit);
		return false;
	}
	return rc == INFLATE_OK || refuse(e, 400, NULL, "the body cannot be decompressed: it is damaged or cut off");
}
