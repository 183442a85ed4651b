/* SPDX-License-Identifier: Apache-2.0 */
/* answer: error bodies and block-wise writing for the API's handlers. */
#include "api/answer.h"

#include <stdio.h>

#include "core/limits.h"

void
api_error(struct local_job *job, unsigned status, const char *headers, const char *fmt, ...)
{
	char text[1000];
	struct buf body;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&body, 16 * KIB);
	buf_str(&body, "{\"error\":");
	buf_json_string(&body, slice_str(text));
	buf_str(&body, ",\"detail\":");
	buf_json_string(&body, slice_str(text));
	buf_str(&body, "}");
	local_head(job, status, API_JSON, headers);
	(void)api_flush(job, &body);
	buf_free(&body);
}

void
api_say(struct local_job *job, unsigned status, const char *text)
{
	struct buf body;

	buf_init(&body, 16 * KIB);
	buf_str(&body, "{\"message\":");
	buf_json_string(&body, slice_str(text));
	buf_str(&body, "}");
	local_head(job, status, API_JSON, NULL);
	(void)api_flush(job, &body);
	buf_free(&body);
}

bool
api_flush(struct local_job *job, struct buf *b)
{
	bool good = b->len == 0 || local_write(job, b->ptr, b->len);

	buf_clear(b);
	return good;
}
