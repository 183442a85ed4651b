/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response.c: POST /responses, GET /responses/{id}, POST /responses/{id}/cancel
 * and /responses/compact: the request's fields, and what a response object says
 * of the span. Streams are in response_stream.c.
 *
 * finish_reason is in the API's own words: why it is incomplete
 * (max_output_tokens, content_filter), else the status it ended with:
 * completed, failed, cancelled. Only `failed` is an error: what is incomplete
 * or cancelled ended as was asked for.
 */
#include "span/response.h"

#include "span/error.h"
#include "span/json.h"

static void
response_request(struct build *b, struct jvalue body)
{
	enum { TOOLS, TEXT, REASONING, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TOOLS] = SLICE("tools"), [TEXT] = SLICE("text"), [REASONING] = SLICE("reasoning"),
	};
	struct jvalue v[MEMBERS];
	struct span *s = &b->span;

	json_pick(body, names, v, MEMBERS);
	s->input = request_stripped(b, body);
	s->tools = v[TOOLS].text;
	if (v[TEXT].kind == JOBJECT)
		s->response_format = jget(v[TEXT], SLICE("format")).text;
	if (v[REASONING].kind == JOBJECT)
		s->reasoning_effort = jget(v[REASONING], SLICE("effort")).text;
}

/* A status after which a response stays as it is. */
static bool
status_is_last(struct jvalue status)
{
	static const struct slice last[] = {
		SLICE("completed"), SLICE("incomplete"), SLICE("failed"), SLICE("cancelled"),
	};
	size_t i;

	for (i = 0; i < sizeof(last) / sizeof(*last); i++)
		if (jstring_is(status, last[i]))
			return true;
	return false;
}

/* The usage of a stored response is told with every GET, whatever the method:
 * whoever counts it does so once for each of these ids. */
static void
charge(struct build *b)
{
	if (b->span.response_id.len > 0)
		b->span.charge_id = b->span.response_id;
	if (b->has_usage)
		b->span.billable = (struct span_bool){ true, true };
}

/* Who fetches the answer later finds the usage. */
static void
unfinished(struct build *b)
{
	b->unfinished = true;
	b->span.uncounted |= SPAN_NO_TOKENS;
}

/* Ended as it says, cut off, or to be fetched later, who then finds the usage. */
static void
object_end(struct build *b, struct jvalue status, struct jvalue details, struct jvalue background)
{
	struct jvalue reason = jget(details, SLICE("reason"));

	if (status_is_last(status)) {
		b->span.finish_reason = build_text(b, json_truthy(reason) ? reason : status);
		charge(b);
	} else if (b->stream ? json_truthy(background) : status.kind == JSTRING)
		unfinished(b);
	else if (b->stream)
		charge(b);
}

static void
count_up(struct span_int *count)
{
	*count = (struct span_int){ true, count->set ? count->v + 1 : 1 };
}

/* Calls of the provider's own tools, which it bills one by one; those of an
 * interpreter by the container. */
static void
calls_count(struct build *b, struct jvalue output)
{
	struct jvalue container = { .kind = JNONE }, next;
	struct jiter it;
	struct jmember m;

	/* the usage tells them where those that failed cost nothing */
	if (output.kind != JARRAY || b->usage.web_searches.set)
		return;
	jiter_init(&it, output);
	while (jiter_next(&it, &m)) {
		struct jvalue type = jget(m.value, SLICE("type"));

		if (jstring_is(type, SLICE("web_search_call")))
			count_up(&b->usage.web_searches);
		else if (jstring_is(type, SLICE("file_search_call")))
			count_up(&b->usage.file_searches);
		else if (jstring_is(type, SLICE("code_interpreter_call"))) {
			next = jget(m.value, SLICE("container_id"));
			if (container.kind == JNONE || !slice_eq(container.text, next.text))
				count_up(&b->usage.code_interpreters);
			container = next;
		}
	}
}

/* Takes what a response object says, but for its output. */
static void
object_read(struct build *b, struct jvalue object)
{
	enum { ID, MODEL, STATUS, ERROR, DETAILS, USAGE, TIER, BACKGROUND, OUTPUT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ID] = SLICE("id"), [MODEL] = SLICE("model"), [STATUS] = SLICE("status"),
		[ERROR] = SLICE("error"), [DETAILS] = SLICE("incomplete_details"),
		[USAGE] = SLICE("usage"), [TIER] = SLICE("service_tier"),
		[BACKGROUND] = SLICE("background"), [OUTPUT] = SLICE("output"),
	};
	struct jvalue v[MEMBERS];

	json_pick(object, names, v, MEMBERS);
	build_model(b, v[MODEL]);
	build_tier(b, v[TIER]);
	b->span.response_id = build_text(b, v[ID]);
	build_usage(b, v[USAGE], false);
	calls_count(b, v[OUTPUT]);
	if (json_truthy(v[ERROR]))
		error_of(b, object);
	if (jstring_is(v[STATUS], SLICE("failed")))
		build_error(b, SLICE("the response failed"));
	object_end(b, v[STATUS], v[DETAILS], v[BACKGROUND]);
}

/* Rows need the texts only where tokens may have to be estimated. */
static bool
texts_wanted(const struct build *b)
{
	return !b->options.row_only || b->options.texts || !b->has_usage;
}

static void
response_plain(struct build *b, struct jvalue body)
{
	b->span.output = body.text;
	object_read(b, body);
	if (texts_wanted(b))
		response_message(b, jget(body, SLICE("output")));
}

static void
response_finish(struct build *b)
{
	struct response_stream *rs = response_state(b);
	struct jvalue object;

	if (rs == NULL)
		return;
	b->finish_seen = rs->ended;
	object = build_json(b, arena_take(&b->arena, &rs->object));
	object_read(b, object);
	if (!texts_wanted(b))
		return;
	object = response_document(b, rs, object);
	b->span.output = object.text;
	response_message(b, jget(object, SLICE("output")));
	if (!b->options.row_only && !b->hidden)
		b->span.full_response = object.text;
}

const struct family_ops family_response = {
	.json_only = true,
	.estimates = ESTIMATE_PROMPT | ESTIMATE_COMPLETION,
	.stream_ends = true,
	.request = response_request,
	.plain = response_plain,
	.event = response_event,
	.finish = response_finish,
	.free = response_free,
};
