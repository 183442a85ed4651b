/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcription.c: POST /v1/audio/transcriptions and /translations: a form with
 * a file in, its words out, as JSON, as plain text or subtitles, or as events.
 * The span's input says what the file is; its output is the text.
 */
#include <stdlib.h>

#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"
#include "span/rest.h"

struct transcription {
	struct buf	text;		/* inside of a JSON string: of deltas or segments */
	struct buf	segments, logprobs;	/* elements */
	struct jvalue	whole;		/* the text that the last event repeats */
	struct rest	rest;		/* of that event */
	bool		deltas;		/* text is of deltas: segments do not add to it */
};

/* The file's members with the form's language and prompt. */
static void
transcription_request(struct build *b, struct jvalue body)
{
	enum { FILE_PART, LANGUAGE, PROMPT, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[FILE_PART] = SLICE("file"), [LANGUAGE] = SLICE("language"),
		[PROMPT] = SLICE("prompt"),
	};
	struct jvalue v[MEMBERS];
	struct slice file;
	struct buf out;
	size_t i;

	json_pick(body, names, v, MEMBERS);
	b->span.input = body.kind != JNONE ? body.text : SLICE_NONE;
	file = v[FILE_PART].text;
	if (v[FILE_PART].kind != JOBJECT || file.len < 2)
		return;
	buf_init(&out, LIMIT_EXPANDED);
	buf_append(&out, file.ptr, file.len - 1);
	for (i = LANGUAGE; i < MEMBERS; i++) {
		buf_byte(&out, ',');
		buf_json_string(&out, names[i]);
		buf_byte(&out, ':');
		buf_slice(&out, v[i].kind != JNONE ? v[i].text : SLICE("null"));
	}
	buf_byte(&out, '}');
	b->span.input = build_take(b, &out);
}

static void
transcription_plain(struct build *b, struct jvalue body)
{
	struct jvalue text = jget(body, SLICE("text"));

	b->span.output = text.kind != JNONE ? text.text : body.text;
	build_model(b, jget(body, SLICE("model")));
	build_usage(b, jget(body, SLICE("usage")), false);
	b->said_duration = build_seconds(jget(body, SLICE("duration")));
	if (text.kind == JNONE && json_truthy(jget(body, SLICE("error"))))
		error_of(b, body);
}

/* Plain text and subtitles are the words themselves. */
static void
transcription_text(struct build *b, struct slice body)
{
	b->span.output = build_quoted(b, body);
	b->finish_seen = true;
}

static struct transcription *
transcription_state(struct build *b)
{
	bool made = build_state(b, sizeof(struct transcription));
	struct transcription *t = b->family_state;

	if (!made)
		return t;
	buf_init(&t->text, LIMIT_EXPANDED);
	buf_init(&t->segments, LIMIT_EXPANDED);
	buf_init(&t->logprobs, LIMIT_EXPANDED);
	return t;
}

static void
transcription_free(struct build *b)
{
	struct transcription *t = b->family_state;

	if (t == NULL)
		return;
	buf_free(&t->text);
	buf_free(&t->segments);
	buf_free(&t->logprobs);
	rest_free(&t->rest);
	free(t);
	b->family_state = NULL;
}

/* Events of other kinds have none: they leave the segments' text alone. */
static bool
delta_add(struct transcription *t, struct jvalue delta)
{
	if (delta.kind != JSTRING)
		return false;
	if (!t->deltas)
		buf_clear(&t->text);
	t->deltas = true;
	buf_slice(&t->text, json_inner(delta));
	return !jempty(delta);
}

static bool
segment_add(struct transcription *t, struct jvalue segment, struct jvalue text)
{
	json_list_add(&t->segments, segment.text);
	if (!t->deltas)
		buf_slice(&t->text, json_inner(text));
	return text.kind == JSTRING && !jempty(text);
}

static bool
transcription_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { TYPE, DELTA, TEXT, LOGPROBS, USAGE, SEGMENTS, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TYPE] = SLICE("type"), [DELTA] = SLICE("delta"), [TEXT] = SLICE("text"),
		[LOGPROBS] = SLICE("logprobs"), [USAGE] = SLICE("usage"),
		[SEGMENTS] = SLICE("segments"),
	};
	struct transcription *t = transcription_state(b);
	struct jvalue v[MEMBERS];
	struct slice type;

	if (t == NULL)
		return false;
	json_pick(json, names, v, MEMBERS);
	type = v[TYPE].kind == JSTRING ? json_inner(v[TYPE]) : e->type;
	build_usage(b, v[USAGE], false);
	if (slice_ends(type, SLICE("text.segment")))
		return segment_add(t, json, v[TEXT]);
	if (!slice_ends(type, SLICE("text.done"))) {
		json_list_add(&t->logprobs, json_elements(v[LOGPROBS]));
		return delta_add(t, v[DELTA]);
	}
	rest_pick(&t->rest, json, names, v, MEMBERS);
	t->whole = v[TEXT];
	if (v[TEXT].kind == JSTRING)
		t->whole.text = arena_copy(&b->arena, v[TEXT].text);
	if (v[LOGPROBS].kind == JARRAY) {
		buf_clear(&t->logprobs);
		json_list_add(&t->logprobs, json_elements(v[LOGPROBS]));
	}
	b->finish_seen = true;
	return false;
}

/* The document that an unstreamed answer would have been. */
static void
transcription_document(struct build *b, const struct transcription *t)
{
	struct buf out;

	buf_init(&out, LIMIT_EXPANDED);
	buf_str(&out, "{\"text\":");
	buf_slice(&out, b->span.output.ptr ? b->span.output : SLICE("null"));
	json_list_member("segments", &t->segments, &out);
	json_list_member("logprobs", &t->logprobs, &out);
	rest_json(&t->rest, &out);
	buf_str(&out, ",\"usage\":");
	buf_slice(&out, b->has_usage ? buf_view(&b->usage_text) : SLICE("null"));
	buf_byte(&out, '}');
	b->span.full_response = build_take(b, &out);
}

static void
transcription_finish(struct build *b)
{
	struct transcription *t = b->family_state;
	struct buf text;

	if (t == NULL)
		return;
	if (t->whole.kind == JSTRING)
		b->span.output = t->whole.text;
	else if (t->text.len > 0) {
		buf_init(&text, LIMIT_EXPANDED);
		buf_byte(&text, '"');
		buf_slice(&text, buf_view(&t->text));
		buf_byte(&text, '"');
		b->span.output = build_take(b, &text);
	}
	if (!b->options.row_only && !b->hidden)
		transcription_document(b, t);
}

static void
transcription_measure(struct build *b)
{
	build_duration(b, b->span.input);
}

const struct family_ops family_transcription = {
	.measure = transcription_measure,
	.estimates = ESTIMATE_COMPLETION,
	.stream_ends = true,
	.request = transcription_request,
	.plain = transcription_plain,
	.text = transcription_text,
	.event = transcription_event,
	.finish = transcription_finish,
	.free = transcription_free,
};
