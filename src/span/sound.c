/* SPDX-License-Identifier: Apache-2.0 */
/* sound.c: what the families of audio say alike of the sound they saw. */
#include "core/decimal.h"
#include "span/audio.h"
#include "span/inner.h"

void
build_keep_audio(struct build *b, struct slice bytes)
{
	if (b->options.keep_audio && !b->hidden)
		buf_slice(&b->audio, bytes);
}

void
build_file_members(struct slice filename, struct slice type, uint64_t bytes, struct buf *out)
{
	buf_str(out, "\"filename\":");
	buf_json_string(out, filename);
	buf_str(out, ",\"content_type\":");
	if (type.len > 0)
		buf_json_string(out, type);
	else
		buf_str(out, "null");
	buf_str(out, ",\"bytes\":");
	if (bytes != UINT64_MAX)
		buf_u64(out, bytes);
	else
		buf_str(out, "null");
}

void
build_audio_members(struct build *b, const struct audio *a, struct slice filename,
    struct slice type, struct buf *out)
{
	int64_t us;

	if (b->audio.len > 0 && !b->audio.failed) {
		buf_str(out, "\"audio_url\":\"/api/audio/");
		buf_slice(out, b->span.id);
		buf_str(out, "\",");
	}
	build_file_members(filename, type, audio_bytes(a), out);
	buf_str(out, ",\"duration\":");
	if (audio_duration(a, &us))
		time_secs_text(us, out);
	else
		buf_str(out, "null");
}

struct span_int
build_seconds(struct jvalue v)
{
	struct span_int us = { .set = false };

	us.set = v.kind == JNUMBER && decimal_read(v.text, 6, &us.v);
	return us;
}

void
build_duration(struct build *b, struct slice text)
{
	struct usage *u = &b->usage;

	if (!u->duration.set)
		u->duration = b->said_duration;
	if (!u->duration.set)
		u->duration = build_seconds(jget(build_json(b, text), SLICE("duration")));
}
