/* SPDX-License-Identifier: Apache-2.0 */
/*
 * estimate.c: usage from the texts themselves: for streams without it, clients
 * that left, plain-text transcripts. Called by build.c in the sink; readers take
 * the counts from the row.
 */
#include "span/estimate.h"

#include "span/inner.h"
#include "span/tokens.h"

/* Sets a count that was not told. */
static bool
count_set(struct span_int *count, int64_t n)
{
	if (n < 0)
		return false;
	*count = (struct span_int){ true, n };
	return true;
}

/* The text that the model was asked with. */
static bool
prompt_count(struct build *b, enum encoding e)
{
	const struct span *s = &b->span;
	struct tokens *t = b->options.tokens;
	int64_t n = tokens_messages(t, e, build_json(b, s->input)), tools = 0;

	if (s->tools.ptr != NULL)
		tools = tokens_json(t, e, build_json(b, s->tools));
	return count_set(&b->usage.prompt, n < 0 || tools < 0 ? -1 : n + tools);
}

/* What it said: the message, or all of several, or the bare text. */
static bool
completion_count(struct build *b, enum encoding e)
{
	const struct span *s = &b->span;
	struct slice said = s->completion_messages.ptr ? s->completion_messages :
	    s->completion_message.ptr ? s->completion_message : s->output;
	struct jvalue v = build_json(b, said);
	int64_t n = v.kind == JSTRING ? tokens_json(b->options.tokens, e, v) :
	    tokens_said(b->options.tokens, e, v);

	return count_set(&b->usage.completion, n);
}

/* Was a model at work whose usage is not known? */
static bool
usage_is_missing(const struct build *b)
{
	if (b->options.tokens == NULL || b->ops->estimates == 0 || (b->last == NULL && b->given.ptr == NULL) ||
	    b->status >= 400 || !b->span.billable.v || b->unfinished)
		return false;
	return !b->has_usage || (b->usage_early && b->completion_open);
}

void
estimate_usage(struct build *b)
{
	enum encoding e;
	bool counted = false;

	if (!usage_is_missing(b))
		return;
	e = tokens_encoding(b->span.model, NULL);
	if (b->ops->estimates & ESTIMATE_PROMPT && !b->usage.prompt.set)
		counted |= prompt_count(b, e);
	if (b->ops->estimates & ESTIMATE_COMPLETION && (b->span.output.ptr != NULL || b->stream))
		counted |= completion_count(b, e);
	if (!counted)
		return;
	b->usage.total.set = false;
	b->has_usage = b->usage_estimated = true;
}
