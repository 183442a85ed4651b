/* SPDX-License-Identifier: Apache-2.0 */
/* sound: see sound.h. Called by answer_audio.c and, for uploads, by samples.c. */
#include <config.h>

#include <math.h>

#include "demo/sound.h"

#define TONE_HZ 440
#define TONE_LOUD 6000.0
#define PI 3.14159265358979323846

#define MP3_FRAME_BYTES 192	/* 64 kbit/s at 24 kHz */
#define MP3_FRAME_MS 24

static unsigned
samples_of(unsigned ms)
{
	return SOUND_RATE / 1000 * (ms < SOUND_MS_MAX ? ms : SOUND_MS_MAX);
}

static void
little_endian(struct buf *b, uint32_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		buf_byte(b, (char)(v & 0xff));
		v >>= 8;
	}
}

void
sound_pcm(struct buf *b, unsigned ms)
{
	unsigned	i, n = samples_of(ms);

	for (i = 0; i < n; i++)
		little_endian(b, (uint32_t)(int32_t)(TONE_LOUD * sin(2 * PI * TONE_HZ * i / SOUND_RATE)), 2);
}

void
sound_wav(struct buf *b, unsigned ms)
{
	uint32_t	bytes = 2 * samples_of(ms);

	buf_str(b, "RIFF");
	little_endian(b, 36 + bytes, 4);
	buf_str(b, "WAVEfmt ");
	little_endian(b, 16, 4);		/* length of what describes the format */
	little_endian(b, 1, 2);			/* bare samples */
	little_endian(b, 1, 2);			/* channels */
	little_endian(b, SOUND_RATE, 4);
	little_endian(b, 2 * SOUND_RATE, 4);	/* bytes a second */
	little_endian(b, 2, 2);			/* bytes a sample */
	little_endian(b, 16, 2);		/* bits a sample */
	buf_str(b, "data");
	little_endian(b, bytes, 4);
	sound_pcm(b, ms);
}

void
sound_mp3(struct buf *b, unsigned ms)
{
	/* MPEG-2 layer III without checksum; 64 kbit/s, 24 kHz; one channel, original. The rest is
	 * zero: a frame without any coefficient. */
	static const char frame[MP3_FRAME_BYTES] = { (char)0xff, (char)0xf3, (char)0x84, (char)0xc4 };
	unsigned	at;

	for (at = 0; at < ms && at < SOUND_MS_MAX; at += MP3_FRAME_MS)
		buf_append(b, frame, sizeof(frame));
}
