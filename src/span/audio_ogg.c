/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_ogg.c: ogg with opus, vorbis, flac or speex in it. Hops from page to
 * page; a stream is as long as the granule position of its last page says.
 * Streams may be chained, and other ones may stand between their pages. Called
 * by audio.c.
 */
#include "span/audio_format.h"

#define PAGE_HEAD 27		/* bytes before the table of segments */
#define CODEC_HEAD 40		/* bytes of a stream's first packet that tell the rate */

/* More samples than the packets of one page can hold. */
#define PAGE_SAMPLES (255u * 8192)

enum { PAGE_FIRST = 2, PAGE_LAST = 4 };		/* flags of a page */

/* Samples of opus are counted at this rate whatever it was made of. */
#define OPUS_RATE 48000u

/* The first packet of a stream, p with n bytes: is it audio? */
static bool
codec_read(const unsigned char *p, size_t n, uint32_t *rate, uint32_t *preskip)
{
	*preskip = 0;
	if (n >= 19 && memcmp(p, "OpusHead", 8) == 0) {
		*rate = OPUS_RATE;
		*preskip = (uint32_t)audio_le(p + 10, 2);
	} else if (n >= 16 && memcmp(p, "\1vorbis", 7) == 0)
		*rate = (uint32_t)audio_le(p + 12, 4);
	else if (n >= 30 && memcmp(p, "\177FLAC", 5) == 0)
		*rate = (uint32_t)(audio_be(p + 27, 3) >> 4);
	else if (n >= 40 && memcmp(p, "Speex   ", 8) == 0)
		*rate = (uint32_t)audio_le(p + 36, 4);
	else
		return false;
	return true;
}

/* A stream's first page. Beside one that is open it counts only if that one
 * has got further: then it was cut off. */
static void
stream_begin(struct audio_ogg *o, const unsigned char *packet, size_t n, uint32_t serial)
{
	uint32_t rate, preskip;

	if (!codec_read(packet, n, &rate, &preskip) || (o->open && o->granule == 0))
		return;
	o->cut |= o->open;
	o->open = true;
	o->serial = serial;
	o->rate = rate;
	o->preskip = preskip;
	o->granule = 0;
}

static void
stream_end(struct audio_ogg *o)
{
	int64_t us = 0;

	if (!audio_us(o->granule > o->preskip ? o->granule - o->preskip : 0, o->rate, &us) ||
	    o->us > INT64_MAX / 2)
		o->cut = true;
	o->us += (uint64_t)us;
	o->open = false;
	o->ended = true;
}

/* A page's head is held, of a first page the codec's head as well. */
static void
page_read(struct audio *a, size_t head)
{
	struct audio_ogg *o = &a->ogg;
	const unsigned char *p = a->held;
	uint64_t granule = audio_le(p + 6, 8);
	uint32_t serial = (uint32_t)audio_le(p + 14, 4);

	if (p[5] & PAGE_FIRST)
		stream_begin(o, p + head, a->nheld - head, serial);
	if (!o->open || serial != o->serial)
		return;
	if (granule != UINT64_MAX) {	/* else no packet ends on the page */
		/* taken out of a longer one, which counts from its beginning */
		o->cut |= o->granule == 0 && granule > PAGE_SAMPLES;
		o->granule = granule;
	}
	if (p[5] & PAGE_LAST)
		stream_end(o);
}

static void
page_step(struct audio *a)
{
	size_t head = PAGE_HEAD + a->held[26], i, body = 0, want;

	if (a->nheld < head) {
		a->want = head;
		return;
	}
	for (i = PAGE_HEAD; i < head; i++)
		body += a->held[i];
	want = head + (body < CODEC_HEAD ? body : CODEC_HEAD);
	want = want < AUDIO_HELD ? want : AUDIO_HELD;
	if ((a->held[5] & PAGE_FIRST) && a->nheld < want) {
		a->want = want;
		return;
	}
	page_read(a, head);
	audio_pass(a, head + body);
	a->want = PAGE_HEAD;
}

static void
ogg_step(struct audio *a)
{
	if (a->nheld < PAGE_HEAD) {
		a->want = PAGE_HEAD;
	} else if (audio_holds(a, 0, SLICE("OggS"))) {
		page_step(a);
	} else {
		a->ogg.tail = true;
		audio_pass_all(a);
	}
}

static bool
ogg_duration(const struct audio *a, int64_t *us)
{
	const struct audio_ogg *o = &a->ogg;

	if (o->open || !o->ended || o->cut || (!o->tail && (!audio_came(a) || a->nheld > 0)))
		return false;
	*us = (int64_t)o->us;
	return true;
}

static const char *
ogg_type(const struct audio *a)
{
	(void)a;
	return "audio/ogg";
}

const struct audio_format audio_format_ogg = { ogg_step, NULL, NULL, ogg_duration, ogg_type };
