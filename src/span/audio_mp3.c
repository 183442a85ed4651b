/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_mp3.c: MPEG audio. Hops from one frame's head to the next and counts,
 * which is right for any bit rate; called by audio.c. Streams joined end to end
 * add up. Two frames in a row prove that it is MPEG audio.
 */
#include "span/audio_format.h"

#define JUNK_MAX 65536		/* bytes without a frame before it is given up */
#define TAG_END 192		/* bytes of a frame where its Xing, LAME or VBRI tag has ended */
/* Samples of silence at the beginning that come of the filters of encoder and
 * decoder. Where no tag tells better, they and half a frame are taken off: the
 * last frame is filled up. */
#define DELAY 1105u

struct frame {
	uint32_t	len;		/* bytes */
	uint32_t	samples, rate;
	unsigned	layer;
	size_t		side;		/* bytes before a Xing tag */
};

static const uint16_t bitrates[5][16] = {	/* kbit/s */
	{ 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
	{ 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
	{ 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
	{ 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },	/* MPEG 2: layer I */
	{ 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },	/* layers II and III */
};

/* Frames of free bit rate do not tell their length and are none here. */
static bool
frame_read(const unsigned char *p, struct frame *f)
{
	static const uint32_t rates[4] = { 44100, 48000, 32000, 0 };
	unsigned version = p[1] >> 3 & 3, rate = p[2] >> 2 & 3;
	uint32_t bits, pad = p[2] >> 1 & 1;
	bool full = version == 3, mono = p[3] >> 6 == 3;

	f->layer = 4 - (p[1] >> 1 & 3);
	if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || f->layer == 4 || rate == 3 ||
	    (p[3] & 3) == 2)
		return false;
	bits = 1000u * bitrates[full ? f->layer - 1 : f->layer == 1 ? 3 : 4][p[2] >> 4];
	f->rate = rates[rate] >> (full ? 0 : version == 2 ? 1 : 2);
	f->samples = f->layer == 1 ? 384 : f->layer == 2 || full ? 1152 : 576;
	f->len = f->layer == 1 ? (12 * bits / f->rate + pad) * 4 : f->samples / 8 * bits / f->rate + pad;
	f->side = full ? (mono ? 21 : 36) : (mono ? 13 : 21);
	return bits > 0;
}

bool
audio_mp3_begins(const unsigned char *p)
{
	struct frame f;

	return frame_read(p, &f);
}

/* At a new tag and at the end: did the frames come that the last one told? */
static void
stretch_end(struct audio_mp3 *m)
{
	if (m->told > m->seen + m->slack)
		m->cut = true;
	m->told = m->seen = 0;
}

/* What LAME and its like put behind the Xing tag: samples that the encoder
 * added at both ends. p: their text, 24 bytes. */
static void
lame_read(struct audio_mp3 *m, const unsigned char *p)
{
	if (memcmp(p, "LAME", 4) != 0 && memcmp(p, "Lav", 3) != 0)
		return;
	m->trim += (uint64_t)m->unit * ((p[21] << 4 | p[22] >> 4) + ((p[22] & 15) << 8 | p[23]));
	m->trimmed = true;
	m->slack = 0;
}

/* Is this frame no audio, but a tag? One is read then. */
static bool
tag_read(struct audio *a, const struct frame *f)
{
	struct audio_mp3 *m = &a->mp3;
	const unsigned char *p = a->held + f->side;
	uint32_t flags;

	if (audio_holds(a, 36, SLICE("VBRI")) && a->nheld >= 54) {
		stretch_end(m);
		m->told = audio_be(a->held + 50, 4);
		m->slack = 1;
		return true;
	}
	if (!audio_holds(a, f->side, SLICE("Xing")) && !audio_holds(a, f->side, SLICE("Info")))
		return false;
	stretch_end(m);
	m->slack = 1;
	if (a->nheld < f->side + 8)
		return true;
	flags = (uint32_t)audio_be(p + 4, 4);
	p += 8;
	if ((flags & 1) && a->nheld >= f->side + 12)
		m->told = audio_be(p, 4);
	p += (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
	if ((size_t)(p - a->held) + 24 <= a->nheld)
		lame_read(m, p);
	return true;
}

/* All that is wanted of the frame is held. */
static void
frame_take(struct audio *a, const struct frame *f)
{
	struct audio_mp3 *m = &a->mp3;
	uint32_t ticks = f->samples * (AUDIO_TICKS / f->rate);

	m->unit = AUDIO_TICKS / f->rate;
	m->frame = ticks;
	m->layer3 = f->layer == 3;
	if (m->layer3 && tag_read(a, f)) {
		m->synced = a->proven = true;
		m->pending = 0;
	} else if (m->synced || m->pending > 0) {
		m->seen += m->synced ? 1 : 2;
		m->ticks += m->pending + ticks;
		m->pending = 0;
		m->synced = a->proven = true;
	} else {
		m->pending = ticks;
	}
	m->lined = true;
	audio_pass(a, f->len);
}

/* Bytes of a tag that begins behind a frame; 0: none. Sets want and returns
 * false if more is needed to tell. */
static bool
behind_read(struct audio *a, uint64_t *size)
{
	*size = 0;
	if (audio_holds(a, 0, SLICE("TAG")))
		*size = 128;
	else if (audio_holds(a, 0, SLICE("APET"))) {
		a->want = 32;
		if (a->nheld >= 32 && audio_holds(a, 4, SLICE("AGEX")))
			*size = 32 + audio_le(a->held + 12, 4);
	} else if (audio_holds(a, 0, SLICE("ID3"))) {
		a->want = 10;
		if (a->nheld >= 10)
			*size = audio_id3_size(a->held);
	}
	return a->nheld >= a->want;
}

/* No frame begins here: a tag does, or it is passed over. */
static void
other_step(struct audio *a)
{
	struct audio_mp3 *m = &a->mp3;
	uint64_t size = 0;

	if (m->lined && !behind_read(a, &size))
		return;
	a->want = 4;
	if (size == 0) {
		m->lined = m->synced = false;
		m->pending = 0;
		if (!a->proven && ++m->junk > JUNK_MAX) {
			audio_give_up(a);
			return;
		}
	}
	audio_pass(a, size > 0 ? size : 1);
}

static void
mp3_step(struct audio *a)
{
	struct frame f;

	if (a->nheld < 4) {
		a->want = 4;
		return;
	}
	if (!frame_read(a->held, &f)) {
		other_step(a);
		return;
	}
	a->want = f.layer != 3 ? 4 : f.len < TAG_END ? f.len : TAG_END;
	if (a->nheld < a->want)
		return;
	a->want = 4;
	frame_take(a, &f);
}

/* The length of one frame that is all there is. Of a frame that was begun, not
 * all came. */
static void
mp3_end(struct audio *a)
{
	struct audio_mp3 *m = &a->mp3;

	if (m->lined && a->nheld > 0 && a->held[0] == 0xff &&
	    (a->nheld == 1 || (a->held[1] & 0xe0) == 0xe0))
		m->cut = true;
	if (m->pending > 0 && a->nheld == 0 && a->at == a->bytes) {
		m->ticks += m->pending;
		m->seen++;
		a->proven = true;
	}
	stretch_end(m);
}

static bool
mp3_duration(const struct audio *a, int64_t *us)
{
	const struct audio_mp3 *m = &a->mp3;
	uint64_t trim = m->trimmed ? m->trim :
	    m->layer3 ? DELAY * (uint64_t)m->unit + m->frame / 2 : 0;

	return !m->cut && audio_came(a) && m->ticks > 0 &&
	    audio_us(m->ticks > trim ? m->ticks - trim : 0, AUDIO_TICKS, us);
}

static const char *
mp3_type(const struct audio *a)
{
	(void)a;
	return "audio/mpeg";
}

const struct audio_format audio_format_mp3 = { mp3_step, NULL, mp3_end, mp3_duration, mp3_type };
