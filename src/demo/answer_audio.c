/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_audio: speech as a tone (wav, pcm) or silence (mp3), in pieces or as
 * events; transcripts and translations in the formats of the API. Called by
 * pretend.c.
 */
#include <config.h>

#include "demo/answer.h"
#include "demo/sound.h"

#define AUDIO_BYTES ((size_t)2 * 1024 * 1024)
#define WORD_MS 120		/* of speech */
#define PIECE_BYTES 4800	/* of an answer, 100 ms of samples */
#define AUDIO_TOKENS 10		/* a second of an upload counts so many */

static const struct speech_format {
	const char	*name, *type;
	void		(*make)(struct buf *, unsigned ms);
} formats[] = {
	{ "mp3", "audio/mpeg", sound_mp3 },
	{ "wav", "audio/wav", sound_wav },
	{ "pcm", "audio/pcm", sound_pcm },
};

static const struct speech_format *
format_find(const struct ask *a)
{
	const char	*name = answer_member(a, "response_format");
	size_t		 i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (name == NULL || slice_eq(slice_str(name), slice_str(formats[i].name)))
			return &formats[i];
	return NULL;
}

static void
speech_pieces(struct ask *a, const char *type, struct slice audio)
{
	size_t	n, len;

	play_stream(a->play, type);
	for (n = 0; audio.len > 0; n++) {
		len = audio.len < PIECE_BYTES ? audio.len : PIECE_BYTES;
		play_piece(a->play, answer_pause(n), slice_make(audio.ptr, len));
		audio = slice_from(audio, len);
	}
}

static void
speech_events(struct ask *a, struct slice audio, json_int_t output)
{
	size_t	n, len;

	play_stream(a->play, "text/event-stream; charset=utf-8");
	for (n = 0; audio.len > 0; n++) {
		len = audio.len < PIECE_BYTES ? audio.len : PIECE_BYTES;
		play_event(a->play, answer_pause(n), NULL, json_pack("{s:s, s:o}", "type", "speech.audio.delta",
		    "audio", answer_base64(slice_make(audio.ptr, len))));
		audio = slice_from(audio, len);
	}
	play_event(a->play, 2, NULL, json_pack("{s:s, s:{s:I, s:I, s:I}}", "type", "speech.audio.done", "usage",
	    "input_tokens", (json_int_t)a->prompt_tokens, "output_tokens", output,
	    "total_tokens", (json_int_t)a->prompt_tokens + output));
}

void
answer_speech(struct ask *a)
{
	const struct speech_format *f = format_find(a);
	const char	*sse = answer_member(a, "stream_format");
	int64_t		 words = answer_words(slice_str(answer_member(a, "input")));
	unsigned	 ms = words < SOUND_MS_MAX / WORD_MS ? 200 + WORD_MS * (unsigned)words : SOUND_MS_MAX;
	struct buf	 audio;

	if (f == NULL) {
		answer_error(a, 400, "invalid_request_error", "unsupported_format", answer_text(TEXT_NO_FORMAT));
		return;
	}
	buf_init(&audio, AUDIO_BYTES);
	f->make(&audio, ms);
	if (sse != NULL && slice_eq(slice_str(sse), SLICE("sse")))
		speech_events(a, buf_view(&audio), (json_int_t)ms / AUDIO_TOKENS);
	else
		speech_pieces(a, f->type, buf_view(&audio));
	buf_free(&audio);
}

/* Seconds of an upload, had it all been samples. */
static double
upload_seconds(const struct ask *a)
{
	return (double)a->raw.len / (2.0 * SOUND_RATE);
}

static json_t *
usage_make(const struct ask *a, struct slice text)
{
	json_int_t	in = 1 + (json_int_t)(upload_seconds(a) * AUDIO_TOKENS), out = answer_words(text);

	return json_pack("{s:s, s:I, s:{s:i, s:I}, s:I, s:I}", "type", "tokens", "input_tokens", in,
	    "input_token_details", "text_tokens", 0, "audio_tokens", in, "output_tokens", out,
	    "total_tokens", in + out);
}

static void
transcript_stream(struct ask *a, struct slice text)
{
	struct slice	rest = text, word;
	size_t		n;

	play_stream(a->play, "text/event-stream; charset=utf-8");
	for (n = 0; answer_word(&rest, &word); n++)
		play_event(a->play, answer_pause(n), NULL, json_pack("{s:s, s:s%}", "type", "transcript.text.delta",
		    "delta", word.ptr, word.len));
	play_event(a->play, 2, NULL, json_pack("{s:s, s:s, s:o}", "type", "transcript.text.done", "text", text.ptr,
	    "usage", usage_make(a, text)));
}

static void
transcript_verbose(struct ask *a, struct slice text, const char *task)
{
	play_json(a->play, HTTP_OK, json_pack("{s:s, s:s, s:f, s:s, s:[{s:i, s:f, s:f, s:s}]}", "task", task,
	    "language", "english", "duration", upload_seconds(a), "text", text.ptr, "segments", "id", 0,
	    "start", 0.0, "end", upload_seconds(a), "text", text.ptr));
}

/* text, srt and vtt are plain text without usage. */
static void
transcript_plain(struct ask *a, const char *format, struct slice text)
{
	struct buf	b;

	buf_init(&b, AUDIO_BYTES);
	if (slice_eq(slice_str(format), SLICE("srt")))
		buf_str(&b, "1\n00:00:00,000 --> 00:00:01,000\n");
	else if (slice_eq(slice_str(format), SLICE("vtt")))
		buf_str(&b, "WEBVTT\n\n00:00.000 --> 00:01.000\n");
	buf_slice(&b, text);
	buf_byte(&b, '\n');
	play_body(a->play, HTTP_OK, "text/plain; charset=utf-8", buf_view(&b));
	buf_free(&b);
}

static void
transcript_play(struct ask *a, struct slice text, const char *task)
{
	const char	*format = answer_member(a, "response_format");
	struct slice	 name = format != NULL ? slice_str(format) : SLICE("json");

	if (a->stream)
		transcript_stream(a, text);
	else if (slice_eq(name, SLICE("verbose_json")))
		transcript_verbose(a, text, task);
	else if (slice_eq(name, SLICE("json")))
		play_json(a->play, HTTP_OK, json_pack("{s:s, s:o}", "text", text.ptr, "usage", usage_make(a, text)));
	else
		transcript_plain(a, format, text);
}

void
answer_transcription(struct ask *a)
{
	transcript_play(a, slice_str(answer_text(TEXT_TRANSCRIPT)), "transcribe");
}

void
answer_translation(struct ask *a)
{
	transcript_play(a, slice_str(answer_text(TEXT_TRANSLATION)), "translate");
}
