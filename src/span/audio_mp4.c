/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_mp4.c: mp4 and m4a, by their boxes, wherever `moov` stands. Boxes that
 * hold boxes are entered by passing their head alone, so nothing nests here.
 * Called by audio.c.
 */
#include "span/audio_format.h"

#define CONTENT 32		/* bytes that are read of a box at most */

static bool
is(const struct audio *a, const char *type)
{
	return memcmp(a->held + 4, type, 4) == 0;
}

/* Time scale and length of mvhd and mdhd; p: content of n bytes. Unknown
 * lengths, 0 or all ones, are left 0. */
static void
times_read(const unsigned char *p, size_t n, uint64_t *scale, uint64_t *length)
{
	uint64_t v = 0;

	if (n >= 32 && p[0] == 1) {
		*scale = audio_be(p + 20, 4);
		v = audio_be(p + 24, 8);
		*length = v == UINT64_MAX ? 0 : v;
	} else if (n >= 20 && p[0] == 0) {
		*scale = audio_be(p + 12, 4);
		v = audio_be(p + 16, 4);
		*length = v == UINT32_MAX ? 0 : v;
	}
}

static void
content_read(struct audio *a, const unsigned char *p, size_t n)
{
	struct audio_mp4 *m = &a->mp4;

	if (is(a, "mvhd"))
		times_read(p, n, &m->movie_scale, &m->movie);
	else if (is(a, "mdhd") && m->track == 0)
		times_read(p, n, &m->track_scale, &m->track);
	else if (is(a, "mehd") && n >= 8)
		m->fragments = n >= 12 && p[0] == 1 ? audio_be(p + 4, 8) : audio_be(p + 4, 4);
	else if (is(a, "hdlr") && n >= 12)
		m->video |= memcmp(p + 8, "vide", 4) == 0;
}

/* A box whose head and size are known. */
static void
box_step(struct audio *a, size_t head, uint64_t size)
{
	bool leaf = is(a, "mvhd") || is(a, "mdhd") || is(a, "mehd") || is(a, "hdlr");
	size_t want = size < head + CONTENT ? (size_t)size : head + CONTENT;

	if (leaf && a->nheld < want) {
		a->want = want;
		return;
	}
	if (leaf)
		content_read(a, a->held + head, want - head);
	a->mp4.fragmented |= is(a, "moof");
	audio_due(a, size);
	audio_pass(a, is(a, "moov") || is(a, "trak") || is(a, "mdia") || is(a, "mvex") ? head : size);
	a->want = 8;
}

static void
mp4_step(struct audio *a)
{
	uint64_t size;
	size_t head = 8;

	if (a->nheld < 8) {
		a->want = 8;
		return;
	}
	size = audio_be(a->held, 4);
	if (size == 1) {
		a->want = head = 16;
		if (a->nheld < head)
			return;
		size = audio_be(a->held + 8, 8);
	}
	if (size >= head) {
		box_step(a, head, size);
		return;
	}
	a->mp4.open = size == 0;
	a->mp4.lost = size != 0;
	audio_pass_all(a);
}

static bool
mp4_duration(const struct audio *a, int64_t *us)
{
	const struct audio_mp4 *m = &a->mp4;

	if (m->lost || a->due > a->bytes || a->nheld > 0 || (!m->open && a->at > a->bytes))
		return false;
	if (m->fragmented)
		return m->fragments > 0 && audio_us(m->fragments, m->movie_scale, us);
	if (m->movie > 0)
		return audio_us(m->movie, m->movie_scale, us);
	return m->track > 0 && audio_us(m->track, m->track_scale, us);
}

static const char *
mp4_type(const struct audio *a)
{
	return a->mp4.video ? "video/mp4" : "audio/mp4";
}

const struct audio_format audio_format_mp4 = { mp4_step, NULL, NULL, mp4_duration, mp4_type };
