/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: reads the provider's answer: joins and decodes it, tells a stream
 * from a document, and hands what is in it to the family. Called by build.c.
 */
#include "core/reason.h"
#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"

#define SNIFF 64	/* bytes in which a stream shows itself */
#define TAIL_TRIES 64	/* closing brackets looked at for the end of a usage object */

/* Is the type one whose body is never text, whatever its bytes look like? */
static bool
type_is_binary(struct slice type)
{
	static const struct slice binary[] = {
		SLICE("audio/"), SLICE("image/"), SLICE("video/"), SLICE("application/octet"),
	};
	size_t i;

	for (i = 0; i < sizeof(binary) / sizeof(*binary); i++)
		if (type.len >= binary[i].len &&
		    slice_caseeq(slice_make(type.ptr, binary[i].len), binary[i]))
			return true;
	return false;
}

/* Servers send event streams under other types too, application/json for one:
 * then the body decides. */
static bool
answer_is_stream(const struct build *b)
{
	const struct body *body = &b->answer;
	struct slice s = body->text, type = body->type;
	size_t i;

	for (i = 0; i + 17 <= type.len; i++)
		if (slice_caseeq(slice_make(type.ptr + i, 17), SLICE("text/event-stream")))
			return true;
	if (type_is_binary(type) || (b->ops->text != NULL && slice_starts(type, SLICE("text/"))))
		return false;
	s.len = s.len < SNIFF ? s.len : SNIFF;
	s = json_trim(s);
	return slice_starts(s, SLICE("data:")) || slice_starts(s, SLICE("event:")) ||
	    slice_starts(s, SLICE(": "));
}

/* An error event: by its name or its members. */
static void
event_error(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { ERROR, TYPE, OBJECT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[ERROR] = SLICE("error"), [TYPE] = SLICE("type"), [OBJECT] = SLICE("object"),
	};
	bool named = slice_eq(e->type, SLICE("error"));
	struct jvalue v[MEMBERS];

	if (b->error.ptr != NULL)
		return;
	json_pick(json, names, v, MEMBERS);
	if (b->status < 400 && !named && !json_truthy(v[ERROR]) &&
	    !jstring_is(v[TYPE], SLICE("error")) && !jstring_is(v[OBJECT], SLICE("error")))
		return;
	if (!error_of(b, json) && named)
		error_of_text(b, e->data);
}

/* One event at time t. */
static void
answer_event(struct build *b, const struct sse_event *e, int64_t t, int64_t held)
{
	struct slice data = json_trim(e->data);
	struct jvalue json;

	if (slice_starts(data, SLICE("[DONE]"))) {
		b->done_seen = true;
		return;
	}
	json = build_json(b, data);
	if (json.kind != JOBJECT) {
		warn_add(&b->warnings, WARN_EVENT_NOT_JSON, SLICE_NONE);
		if (slice_eq(e->type, SLICE("error")))
			error_of_text(b, data);
		return;
	}
	event_error(b, e, json);
	if (!b->ops->event(b, e, json) || t == TIME_NONE)
		return;
	if (b->t_content == TIME_NONE)
		b->t_content = t;
	gaps_event(&b->gaps, t, held);
}

/* Pulls the events that the fed bytes complete. */
static void
answer_events(struct build *b, struct sse *sse, int64_t t, int64_t held)
{
	struct sse_event e;
	int r;

	while ((r = sse_next(sse, &e)) != 0) {
		if (r > 0)
			answer_event(b, &e, t, held);
		else
			warn_add(&b->warnings, WARN_EVENT_TOO_LARGE, SLICE_NONE);
	}
}

/* Reads the stream part by part, so that each event gets its time. */
static void
answer_stream(struct build *b)
{
	const char *base = b->answer.text.ptr;
	int64_t t = TIME_NONE, held = 0;
	size_t at = 0, i;
	struct sse sse;

	sse_init(&sse, LIMIT_EVENT);
	for (i = 0; base != NULL && i < b->answer_parts.n; i++) {
		struct part *p = &b->answer_parts.list[i];

		if (p->attempt != b->last->number)
			continue;
		if (p->gap) {
			sse_free(&sse);
			sse_init(&sse, LIMIT_EVENT);
		}
		t = p->t;
		held += p->held;
		sse_feed(&sse, slice_make(base + at, p->end - at));
		at = p->end;
		answer_events(b, &sse, t, held);
	}
	sse_finish(&sse);
	answer_events(b, &sse, t, held);
	sse_free(&sse);
	b->ops->finish(b);
}

/* A usage object in the last bytes of a document whose middle is missing. */
static void
tail_usage(struct build *b, struct slice tail)
{
	static const struct slice name = SLICE("\"usage\"");
	size_t i = tail.len, start, end, tries = 0;
	struct jvalue v;

	while (i-- > 0) {
		if (!slice_starts(slice_from(tail, i), name))
			continue;
		start = i + name.len;
		while (start < tail.len && tail.ptr[start] != '{')
			start++;
		for (end = start; end < tail.len && tries < TAIL_TRIES; end++) {
			if (tail.ptr[end] != '}')
				continue;
			tries++;
			if (jscan_check(slice_make(tail.ptr + start, end + 1 - start),
			    &v, NULL) != JSCAN_END)
				continue;
			build_usage(b, v, false);
			return;
		}
		return;
	}
}

/* A body that is neither a stream nor a JSON document. */
static void
answer_text(struct build *b)
{
	struct body *body = &b->answer;
	struct buf text;

	if (body->opaque || body->text.len == 0)
		return;
	if (type_is_binary(body->type) || !json_is_text(body->text)) {
		buf_init(&text, 4096);
		buf_printf(&text, "%llu bytes of ", (unsigned long long)body->length);
		buf_slice(&text, body->type.len ? body->type : SLICE("unknown type"));
		warn_add(&b->warnings, WARN_BODY_BINARY, arena_take(&b->arena, &text));
		return;
	}
	if (b->status < 400 && b->ops->json_only)
		warn_add(&b->warnings, WARN_BODY_NOT_JSON, SLICE_NONE);
	else if (b->status < 400 && b->ops->text != NULL)
		b->ops->text(b, body->text);
	else if (b->status < 400)
		b->span.output = build_quoted(b, body->text);
	tail_usage(b, body->tail);
}

static void
answer_piece(struct build *b, struct slice bytes, int64_t t)
{
	if (b->ops->bytes(b, bytes) && t != TIME_NONE && b->t_content == TIME_NONE)
		b->t_content = t;
}

/* An answer of bytes that are no text, part by part. They are only joined where
 * a coding must be undone. */
static void
answer_bytes(struct build *b, struct slice codings)
{
	bool coded = codings.len > 0 && !slice_caseeq(codings, SLICE("identity"));
	struct body *body = &b->answer;
	size_t at = 0, i;

	if (coded)
		body_join(b, &b->answer_parts, b->last->number, codings, body, true);
	else
		body_survey(b, &b->answer_parts, b->last->number, body, true);
	/* without memory nothing was joined */
	for (i = 0; i < b->answer_parts.n && (!coded || body->text.ptr != NULL); i++) {
		struct part *p = &b->answer_parts.list[i];

		if (p->attempt != b->last->number)
			continue;
		answer_piece(b, coded ? slice_make(body->text.ptr + at, p->end - at) : p->bytes, p->t);
		at = p->end;
	}
	b->finish_seen = !body->cut && record_get_u64(b->end, TAG_REASON,
	    REASON_INTERRUPTED) == REASON_COMPLETE;
	b->ops->finish(b);
}

/* Is it an answer that only its family can look at? */
static bool
answer_is_bytes(const struct build *b)
{
	return b->ops->bytes != NULL && b->status < 400 && type_is_binary(b->answer.type);
}

/* full_response of what was not put together from a stream. */
static void
answer_full(struct build *b)
{
	struct body *body = &b->answer;

	if (b->options.row_only || b->hidden || b->span.full_response.ptr != NULL ||
	    body->opaque || body->text.len == 0)
		return;
	if (body->json.kind != JNONE)
		b->span.full_response = body->json.text;
	else if (!type_is_binary(body->type) && json_is_text(body->text))
		b->span.full_response = build_quoted(b, body->text);
}

/* The error that an error status stands for. */
static void
answer_error(struct build *b)
{
	struct body *body = &b->answer;

	if (b->error.ptr != NULL)
		return;
	if (body->json.kind != JNONE && error_of(b, body->json))
		return;
	if (body->opaque || type_is_binary(body->type))
		error_of_text(b, SLICE_NONE);
	else
		error_of_text(b, body->text);
}

void
answer_build(struct build *b)
{
	struct slice headers = record_get(b->last->head, TAG_HEADERS);
	struct slice codings = meta_header(headers, SLICE("content-encoding"));
	struct body *body = &b->answer;

	body->type = meta_header(headers, SLICE("content-type"));
	body->length = record_get_u64(b->end, TAG_ANSWER_LENGTH, 0);
	if (b->told[DIRECTION_ANSWER].ptr != NULL) {
		facts_replay(b, DIRECTION_ANSWER);
		b->ops->finish(b);
		return;
	}
	if (answer_is_bytes(b)) {
		answer_bytes(b, codings);
		return;
	}
	body_join(b, &b->answer_parts, b->last->number, codings, body, true);
	b->stream = b->timed = answer_is_stream(b);
	if (b->stream)
		answer_stream(b);
	else if (body->json.kind != JNONE && b->status < 400) {
		b->finish_seen = true;
		b->ops->plain(b, body->json);
	} else
		answer_text(b);
	if (b->status >= 400)
		answer_error(b);
	answer_full(b);
}
