/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_adts.c: aac as a row of frames (ADTS). Hops from head to head and
 * counts blocks; called by audio.c. Two frames in a row prove it.
 */
#include "span/audio_format.h"

#define BLOCK 1024u		/* samples */

/* Bytes of the frame whose head is at p, 0: it is none. block: ticks of each of
 * its blocks. */
static uint32_t
frame_read(const unsigned char *p, uint32_t *block, uint32_t *blocks)
{
	static const uint32_t rates[16] = {
		96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350
	};
	uint32_t len = (p[3] & 3u) << 11 | (uint32_t)p[4] << 3 | p[5] >> 5;
	uint32_t rate = rates[p[2] >> 2 & 15];

	if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || rate == 0 || len < (p[1] & 1 ? 7 : 9))
		return 0;
	*block = BLOCK * (AUDIO_TICKS / rate);
	*blocks = 1 + (p[6] & 3);
	return len;
}

bool
audio_adts_begins(const unsigned char *p)
{
	uint32_t block, blocks;

	return frame_read(p, &block, &blocks) > 0;
}

/* No frame begins here: a tag may, else it is not known what comes. */
static void
other_step(struct audio *a)
{
	uint64_t size = audio_holds(a, 0, SLICE("TAG")) ? 128 : 0;

	if (size == 0 && audio_holds(a, 0, SLICE("ID3"))) {
		a->want = 10;
		if (a->nheld < 10)
			return;
		size = audio_id3_size(a->held);
	}
	a->want = 7;
	if (size > 0) {
		audio_pass(a, size);
	} else if (a->proven) {
		a->adts.lost = true;
		audio_pass_all(a);
	} else {
		audio_give_up(a);
	}
}

static void
adts_step(struct audio *a)
{
	struct audio_adts *s = &a->adts;
	uint32_t blocks, len;

	if (a->nheld < 7) {
		a->want = 7;
		return;
	}
	len = frame_read(a->held, &s->block, &blocks);
	if (len == 0) {
		other_step(a);
		return;
	}
	a->proven = s->ticks > 0;
	s->ticks += (uint64_t)s->block * blocks;
	audio_pass(a, len);
}

static void
adts_end(struct audio *a)
{
	if (a->nheld > 0 && a->held[0] == 0xff)
		a->adts.lost = true;
	else if (a->adts.ticks > 0 && a->nheld == 0 && a->at == a->bytes)
		a->proven = true;
}

/* A block's samples are whole only together with the next one's, so the first
 * one is the encoder's delay; the last one is filled up, taken as half. */
static bool
adts_duration(const struct audio *a, int64_t *us)
{
	const struct audio_adts *s = &a->adts;
	uint64_t trim = s->block + s->block / 2;

	return !s->lost && audio_came(a) &&
	    audio_us(s->ticks > trim ? s->ticks - trim : 0, AUDIO_TICKS, us);
}

static const char *
adts_type(const struct audio *a)
{
	(void)a;
	return "audio/aac";
}

const struct audio_format audio_format_adts = { adts_step, NULL, adts_end, adts_duration, adts_type };
