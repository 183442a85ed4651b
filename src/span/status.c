/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: was it a success? Decided from the answer's bytes first and from
 * the reason of the end second: who had seen the finish marker has the answer,
 * whoever left afterwards. Called by build.c after the answer was read.
 */
#include "core/reason.h"
#include "span/inner.h"

static void
status_set(struct build *b, bool good, int64_t code)
{
	b->span.status = good ? SLICE("success") : SLICE("error");
	if (code > 0)
		b->span.status_code = (struct span_int){ true, code };
	if (b->error.ptr != NULL)
		b->span.error_message = b->error;
}

/* The reason's sentence with what the gate noted beside it. */
static void
reason_error(struct build *b, const struct reason_info *reason)
{
	struct slice detail = record_get(b->end, TAG_DETAIL);
	struct buf text;

	buf_init(&text, 64 * KIB);
	buf_str(&text, reason->sentence);
	if (detail.len > 0) {
		buf_str(&text, ": ");
		buf_slice(&text, detail);
	}
	build_error(b, arena_take(&b->arena, &text));
}

/* The answer came to its end by what it said itself. */
static bool
answer_whole(const struct build *b)
{
	return b->last != NULL && (b->finish_seen || b->done_seen);
}

/* An end as it should be, or one that came after the answer was whole. */
static void
status_good(struct build *b)
{
	if (b->stream && b->ops->stream_ends && b->status < 400 && b->error.ptr == NULL) {
		if (!b->finish_seen && b->done_seen)
			warn_add(&b->warnings, WARN_NO_FINISH_REASON, SLICE_NONE);
		else if (!b->finish_seen) {
			warn_add(&b->warnings, WARN_STREAM_TRUNCATED, SLICE_NONE);
			b->usage_early = true;
			status_set(b, false, b->status);
			return;
		}
	}
	status_set(b, b->status < 400 && b->error.ptr == NULL, b->status);
}

void
status_build(struct build *b)
{
	uint64_t local = record_get_u64(b->end, TAG_LOCAL_ANSWER, 0);
	const struct reason_info *reason = reason_info(b->has_end ?
	    (unsigned)record_get_u64(b->end, TAG_REASON, REASON_INTERRUPTED) : REASON_INTERRUPTED);
	int64_t code = reason->status_code;

	b->span.end_reason = slice_str(reason->name);
	if (local >= 100 && local <= 599) {
		reason_error(b, reason);
		status_set(b, local < 400, (int64_t)local);
		return;
	}
	if (b->last == NULL) {
		reason_error(b, reason);
		status_set(b, false, code ? code : 502);
		return;
	}
	if (!reason->is_error || answer_whole(b)) {
		status_good(b);
		return;
	}
	b->usage_early = true;
	/* an answer that told its error said all that counts */
	if (b->status >= 400 || b->error.ptr != NULL)
		code = b->status;
	reason_error(b, reason);
	status_set(b, false, code ? code : b->status);
}
