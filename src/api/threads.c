/* SPDX-License-Identifier: Apache-2.0 */
/* threads: see threads.h. A thread is one of an environment; all times unless asked. */
#include "api/threads.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/listing.h"
#include "api/reading.h"
#include "base/base.h"
#include "core/limits.h"

static void
put_thread(void *arg, const struct thread_row *row)
{
	struct buf *out = arg;

	buf_str(out, out->len ? ",{\"thread_identifier\":" : "{\"thread_identifier\":");
	buf_json_string(out, row->thread);
	buf_str(out, ",\"environment\":");
	buf_json_string(out, row->environment);
	buf_printf(out, ",\"log_count\":%lld,\"first_timestamp\":\"", (long long)row->spans);
	span_time_text(row->first_us, out);
	buf_str(out, "\",\"last_timestamp\":\"");
	span_time_text(row->last_us, out);
	buf_str(out, "\"}");
}

static void
put_list(struct reading *r, const struct listing *l)
{
	uint64_t count = 0;
	struct buf rows;
	int rc;

	buf_init(&rows, 64 * MIB);
	rc = store_sqlite.threads(r->store, &l->query, put_thread, &rows, &count);
	if (rc != STORE_OK)
		reading_failed(r, rc);
	else {
		local_head(r->job, 200, API_JSON, NULL);
		reading_list_head(r, l, count, false);
		buf_slice(&r->out, buf_view(&rows));
		buf_str(&r->out, "]}");
		(void)api_flush(r->job, &r->out);
	}
	buf_free(&rows);
}

void
threads_list(struct local_job *job, const struct local_request *request, void *arg)
{
	struct listing *l = xmalloc(sizeof(*l));
	struct reading r;

	(void)arg;
	if (!listing_read(l, request->query, request->body, 0, reading_environment(request, SLICE_NONE, false)))
		api_error(job, 400, NULL, "%s", l->error);
	else if (reading_open(&r, job, request)) {
		reading_limits(&r, &l->query);
		put_list(&r, l);
		reading_close(&r);
	}
	listing_free(l);
	free(l);
}
