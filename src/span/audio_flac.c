/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_flac.c: flac. STREAMINFO tells how many samples there are, or nothing
 * in a stream; so the frames are found by their heads, each of which must go on
 * where the last one ended. The checksum tells that the last one is whole.
 * Called by audio.c.
 */
#include "span/audio_format.h"

#define HEAD_MAX 16		/* bytes of a frame's head */
#define STREAMINFO 34		/* bytes of the block, which comes first */

struct head {
	size_t		len;
	uint64_t	number;		/* of the frame, or of its first sample */
	uint32_t	samples;
	bool		by_sample;
};

static uint16_t
crc16(uint16_t crc, const unsigned char *p, size_t n)
{
	static const uint16_t nibble[16] = {
		0x0000, 0x8005, 0x800f, 0x000a, 0x801b, 0x001e, 0x0014, 0x8011,
		0x8033, 0x0036, 0x003c, 0x8039, 0x0028, 0x802d, 0x8027, 0x0022
	};

	for (; n > 0; n--, p++) {
		crc = (uint16_t)(crc << 4 ^ nibble[crc >> 12 ^ *p >> 4]);
		crc = (uint16_t)(crc << 4 ^ nibble[crc >> 12 ^ (*p & 15)]);
	}
	return crc;
}

static uint8_t
crc8(const unsigned char *p, size_t n)
{
	uint8_t crc = 0;
	int bit;

	for (; n > 0; n--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc << 1 ^ (crc & 0x80 ? 0x07 : 0));
	}
	return crc;
}

/* A number written as UTF-8 writes characters, up to 36 bits. Bytes read, 0:
 * it is none, or more bytes are needed. */
static size_t
number_read(const unsigned char *p, size_t n, uint64_t *v)
{
	size_t len = 0, i;

	if (n == 0)
		return 0;
	while (len < 7 && (p[0] << len & 0x80))
		len++;
	if (len == 0) {
		*v = p[0];
		return 1;
	}
	if (len == 1 || len > n || p[0] == 0xff)
		return 0;
	*v = p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*v = *v << 6 | (p[i] & 0x3f);
	}
	return len;
}

/* Samples of a frame by their code; 6 and 7: they stand in bytes at p. */
static uint32_t
samples_read(unsigned code, const unsigned char *p)
{
	if (code == 6 || code == 7)
		return (uint32_t)audio_be(p, code - 5) + 1;
	return code == 1 ? 192 : code < 6 ? 576u << (code - 2) : 256u << (code - 8);
}

static bool
head_read(const unsigned char *p, size_t n, struct head *h)
{
	unsigned size, rate;
	size_t len;

	if (n < 6 || p[0] != 0xff || (p[1] & 0xfe) != 0xf8 || p[3] >> 4 > 10 || (p[3] & 1))
		return false;
	size = p[2] >> 4;
	rate = p[2] & 15;
	len = number_read(p + 4, n - 4, &h->number);
	h->len = 4 + len + (size == 6 ? 1 : size == 7 ? 2 : 0) +
	    (rate == 12 ? 1 : rate == 13 || rate == 14 ? 2 : 0) + 1;
	if (len == 0 || size == 0 || rate == 15 || h->len > n ||
	    crc8(p, h->len - 1) != p[h->len - 1])
		return false;
	h->by_sample = p[1] & 1;
	h->samples = samples_read(size, p + 4 + len);
	return true;
}

/* Is there the head of the next frame? */
static bool
frame_begins(struct audio *a)
{
	struct audio_flac *f = &a->flac;
	struct head h = { 0 };

	if (!head_read(a->held, a->nheld, &h))
		return false;
	if (!h.by_sample)
		h.number *= f->block;
	if (h.number != f->pos)
		return false;
	f->pos += h.samples;
	f->crc = 0;
	return true;
}

/* Bytes before the next one that may begin a head, the first one apart. */
static size_t
plain(const unsigned char *p, size_t n)
{
	const unsigned char *next = n > 1 ? memchr(p + 1, 0xff, n - 1) : NULL;

	return next != NULL ? (size_t)(next - p) : n;
}

static void
frames_step(struct audio *a)
{
	size_t n = plain(a->held, a->nheld);

	(void)frame_begins(a);
	a->flac.crc = crc16(a->flac.crc, a->held, n);
	audio_pass(a, n);
}

static size_t
flac_scan(struct audio *a, const unsigned char *p, size_t n)
{
	if (!a->flac.frames || *p == 0xff)
		return 0;
	n = plain(p, n);
	a->flac.crc = crc16(a->flac.crc, p, n);
	return n;
}

static void
streaminfo_read(struct audio_flac *f, const unsigned char *p)
{
	f->block = (uint32_t)audio_be(p + 2, 2);
	f->rate = (uint32_t)(audio_be(p + 10, 3) >> 4);
	f->total = audio_be(p + 13, 5) & 0xfffffffff;
}

static void
block_step(struct audio *a)
{
	bool last = a->held[0] & 0x80, info = (a->held[0] & 0x7f) == 0;
	uint64_t size = audio_be(a->held + 1, 3);

	if (info && size >= STREAMINFO) {
		a->want = 4 + STREAMINFO;
		if (a->nheld < a->want)
			return;
		streaminfo_read(&a->flac, a->held + 4);
	}
	audio_pass(a, 4 + size);
	a->flac.frames = last;
	a->want = last ? HEAD_MAX : 4;
}

static void
flac_step(struct audio *a)
{
	if (a->flac.frames) {
		frames_step(a);
	} else if (a->flac.begun && a->nheld >= 4) {
		block_step(a);
	} else {
		if (!a->flac.begun)
			audio_pass(a, 4);
		a->flac.begun = true;
		a->want = 4;
	}
}

static void
flac_end(struct audio *a)
{
	while (a->flac.frames && a->nheld > 0)
		frames_step(a);
}

static bool
flac_duration(const struct audio *a, int64_t *us)
{
	const struct audio_flac *f = &a->flac;

	return f->frames && audio_came(a) && f->crc == 0 && f->pos > 0 && f->pos >= f->total &&
	    audio_us(f->total > 0 ? f->total : f->pos, f->rate, us);
}

static const char *
flac_type(const struct audio *a)
{
	(void)a;
	return "audio/flac";
}

const struct audio_format audio_format_flac = {
	flac_step, flac_scan, flac_end, flac_duration, flac_type
};
