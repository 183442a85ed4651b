/* SPDX-License-Identifier: Apache-2.0 */
/* answer: error bodies and block-wise writing for the API's handlers. */
#include "api/answer.h"

#include <stdio.h>

#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"

/* What went wrong here is found in the log by this. */
static void
put_error_id(struct buf *body, unsigned status, const char *text)
{
	uint8_t bits[8];
	char id[2 * sizeof(bits) + 1];

	random_bytes(bits, sizeof(bits));
	hex_encode(bits, sizeof(bits), id);
	log_warn("api: error %s: %u: %s", id, status, text);
	buf_printf(body, ",\"error_code\":\"INTERNAL_ERROR\",\"error_id\":\"%s\"", id);
}

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
	if (status >= 500 && status != 501)
		put_error_id(&body, status, text);
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
