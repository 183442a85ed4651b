/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speech.c: POST /v1/audio/speech: text in, sound out, as bytes or as events of
 * base64. The span says what the sound is, not the sound itself: that is read
 * as it goes by and need not be stored.
 */
#include <stdlib.h>

#include "core/base64.h"
#include "span/audio.h"
#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"

struct speech {
	struct audio	audio;
	struct base64	base64;		/* of the events */
	struct buf	piece;		/* one event's bytes */
	bool		broken;		/* some were no base64 */
};

static void
speech_request(struct build *b, struct jvalue body)
{
	b->span.input = jget(body, SLICE("input")).text;
}

static struct speech *
speech_state(struct build *b)
{
	bool made = build_state(b, sizeof(struct speech));
	struct speech *s = b->family_state;
	struct slice format;

	if (!made)
		return s;
	format = build_text(b, build_json(b, b->span.response_format));
	/* the type of events is not the sound's */
	audio_init(&s->audio, b->stream ? SLICE_NONE : b->answer.type, format);
	base64_init(&s->base64);
	buf_init(&s->piece, LIMIT_EVENT);
	return s;
}

static void
speech_free(struct build *b)
{
	struct speech *s = b->family_state;

	if (s != NULL)
		buf_free(&s->piece);
	free(s);
	b->family_state = NULL;
}

static bool
sound_add(struct build *b, struct speech *s, struct slice bytes)
{
	audio_feed(&s->audio, bytes);
	build_keep_audio(b, bytes);
	return bytes.len > 0;
}

static bool
speech_bytes(struct build *b, struct slice piece)
{
	struct speech *s = speech_state(b);

	b->timed = true;
	return s != NULL && sound_add(b, s, piece);
}

static bool
speech_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { TYPE, AUDIO, USAGE, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TYPE] = SLICE("type"), [AUDIO] = SLICE("audio"), [USAGE] = SLICE("usage"),
	};
	struct speech *s = speech_state(b);
	struct jvalue v[MEMBERS];

	json_pick(json, names, v, MEMBERS);
	build_usage(b, v[USAGE], false);
	if (jstring_is(v[TYPE], SLICE("speech.audio.done")) ||
	    slice_eq(e->type, SLICE("speech.audio.done")))
		b->finish_seen = true;
	if (s == NULL || v[AUDIO].kind != JSTRING)
		return false;
	buf_clear(&s->piece);
	s->broken |= !base64_feed(&s->base64, json_inner(v[AUDIO]), &s->piece);
	return sound_add(b, s, buf_view(&s->piece));
}

/* A whole answer that is JSON is no sound: some providers name a file there. */
static void
speech_plain(struct build *b, struct jvalue body)
{
	b->span.output = body.text;
	if (json_truthy(jget(body, SLICE("error"))))
		error_of(b, body);
	build_model(b, jget(body, SLICE("model")));
	build_usage(b, jget(body, SLICE("usage")), false);
}

/* What a file of this type would be called. */
static struct slice
type_extension(struct slice type)
{
	static const struct { struct slice type, extension; } table[] = {
		{ SLICE("audio/mpeg"), SLICE("mp3") }, { SLICE("audio/wav"), SLICE("wav") },
		{ SLICE("audio/flac"), SLICE("flac") }, { SLICE("audio/ogg"), SLICE("ogg") },
		{ SLICE("audio/opus"), SLICE("opus") }, { SLICE("audio/aac"), SLICE("aac") },
		{ SLICE("audio/mp4"), SLICE("m4a") }, { SLICE("audio/webm"), SLICE("webm") },
		{ SLICE("audio/pcm"), SLICE("pcm") }, { SLICE("audio/L16"), SLICE("pcm") },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (slice_starts(type, table[i].type))
			return table[i].extension;
	return SLICE_NONE;
}

/* By the bytes themselves; else by what the provider says. */
static struct slice
sound_type(const struct build *b, const struct audio *a)
{
	const char *type = audio_content_type(a);

	if (type != NULL)
		return slice_str(type);
	return b->stream ? SLICE_NONE : b->answer.type;
}

/* What is told of the sound. */
static struct slice
sound_json(struct build *b, struct speech *s)
{
	struct slice type, extension;
	struct buf name, out;

	audio_finish(&s->audio, b->finish_seen && !s->broken && base64_end(&s->base64));
	type = sound_type(b, &s->audio);
	extension = type_extension(type);
	if (extension.ptr == NULL)
		extension = build_text(b, build_json(b, b->span.response_format));
	buf_init(&name, 256);
	buf_str(&name, "response");
	if (extension.len > 0 && extension.len < 16) {
		buf_byte(&name, '.');
		buf_slice(&name, extension);
	}
	buf_init(&out, LIMIT_EVENT);
	buf_byte(&out, '{');
	build_audio_members(b, &s->audio, buf_view(&name), type, &out);
	if (b->has_usage) {
		buf_str(&out, ",\"usage\":");
		buf_slice(&out, buf_view(&b->usage_text));
	}
	buf_byte(&out, '}');
	buf_free(&name);
	return build_take(b, &out);
}

static void
speech_finish(struct build *b)
{
	struct slice *facts = &b->facts[DIRECTION_ANSWER];
	struct speech *s = b->family_state;

	if (b->told[DIRECTION_ANSWER].ptr != NULL) {
		b->timed = true;
		build_usage(b, jget(build_json(b, *facts), SLICE("usage")), false);
		b->span.output = *facts;
	} else if (s != NULL) {
		b->span.output = sound_json(b, s);
		/* an error needs its bytes */
		if (b->error.ptr == NULL && b->status < 400)
			*facts = b->span.output;
	}
	if (b->stream && !b->options.row_only)
		b->span.full_response = b->span.output;
}

/* Characters as people count them: code points. */
static void
speech_measure(struct build *b)
{
	struct slice text = build_text(b, build_json(b, b->span.input));
	size_t i;

	if (!b->usage.characters.set && text.ptr != NULL) {
		b->usage.characters = (struct span_int){ true, 0 };
		for (i = 0; i < text.len; i++)
			b->usage.characters.v += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	}
	build_duration(b, b->span.output);
}

const struct family_ops family_speech = {
	.output = OUTPUT_AUDIO,
	.measure = speech_measure,
	.estimates = ESTIMATE_PROMPT,
	.stream_ends = true,
	.request = speech_request,
	.plain = speech_plain,
	.bytes = speech_bytes,
	.event = speech_event,
	.finish = speech_finish,
	.free = speech_free,
};
