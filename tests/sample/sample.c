/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c: a family of API as small as one can be: a question in, an answer
 * out. tests/families.sh builds the library with this file and one row more.
 */
#include "span/inner.h"

static void
sample_request(struct build *b, struct jvalue body)
{
	b->span.input = jget(body, SLICE("question")).text;
}

static void
sample_plain(struct build *b, struct jvalue body)
{
	b->span.output = jget(body, SLICE("answer")).text;
	build_model(b, jget(body, SLICE("model")));
	build_usage(b, jget(body, SLICE("usage")), false);
}

static bool
sample_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	(void)e;
	sample_plain(b, json);
	b->span.output = arena_copy(&b->arena, b->span.output);
	return b->span.output.ptr != NULL;
}

static void
sample_finish(struct build *b)
{
	b->finish_seen = b->span.output.ptr != NULL;
}

const struct family_ops family_sample = {
	.json_only = true,
	.request = sample_request,
	.plain = sample_plain,
	.event = sample_event,
	.finish = sample_finish,
};
