/* SPDX-License-Identifier: Apache-2.0 */
/* summary: see summary.h. The sums are the store's; averages are made here. */
#include "api/summary.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/listing.h"
#include "api/reading.h"
#include "base/base.h"

static void
put_average(struct buf *out, const char *name, double sum, int64_t count)
{
	buf_printf(out, ",\"%s\":", name);
	span_number_text(count > 0 ? sum / (double)count : 0, out);
}

static void
put_summary(struct reading *r, const struct summary *s)
{
	int64_t streamed_us = s->latency_us - s->ttft_us;	/* as of a span: without the wait for the first token */

	local_head(r->job, 200, API_JSON, NULL);
	buf_printf(&r->out, "{\"number_of_requests\":%lld,\"total_cost\":", (long long)s->requests);
	span_cost_text(s->cost_pico, &r->out);
	buf_printf(&r->out, ",\"total_tokens\":%lld,\"total_prompt_tokens\":%lld,\"total_completion_tokens\":%lld",
	    (long long)s->total_tokens, (long long)s->prompt_tokens, (long long)s->completion_tokens);
	put_average(&r->out, "avg_latency", (double)s->latency_us / 1e6, s->latency_count);
	put_average(&r->out, "avg_ttft", (double)s->ttft_us / 1e6, s->ttft_count);
	put_average(&r->out, "avg_tps", (double)s->completion_tokens * 1e6, streamed_us);
	buf_str(&r->out, ",\"scores\":");
	buf_slice(&r->out, buf_view(&s->scores));
	buf_byte(&r->out, '}');
	(void)api_flush(r->job, &r->out);
}

void
summary_get(struct local_job *job, const struct local_request *request, void *arg)
{
	struct listing *l = xmalloc(sizeof(*l));
	struct summary s;
	struct reading r;
	int rc;

	(void)arg;
	if (!listing_read(l, request->query, request->body, (int64_t)clock_wall_us(),
	    reading_environment(request, SLICE_NONE, false)))
		api_error(job, 400, NULL, "%s", l->error);
	else if (reading_open(&r, job, request)) {
		reading_limits(&r, &l->query);
		rc = store_sqlite.summary(r.store, &l->query, &s);
		if (rc == STORE_OK)
			put_summary(&r, &s);
		else
			reading_failed(&r, rc);
		buf_free(&s.scores);
		reading_close(&r);
	}
	listing_free(l);
	free(l);
}
