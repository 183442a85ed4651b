/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_riff.c: wav, by its chunks: the rate from `fmt `, the bytes of `data`.
 * Called by audio.c. RF64 keeps sizes over 4 GiB in `ds64`.
 */
#include "span/audio_format.h"

/* Writers that cannot go back put in sizes from about here up. */
#define UNKNOWN 0x7ffff000u

enum { PCM = 1, FLOAT = 3, ALAW = 6, MULAW = 7, EXTENSIBLE = 0xfffe };

/* Compressed samples have a byte rate alone. */
static void
fmt_read(struct audio_riff *r, const unsigned char *p)
{
	unsigned tag = (unsigned)audio_le(p, 2);

	if (tag == PCM || tag == FLOAT || tag == ALAW || tag == MULAW || tag == EXTENSIBLE) {
		r->rate = (uint32_t)audio_le(p + 4, 4);
		r->frame = (uint32_t)audio_le(p + 12, 2);
	} else {
		r->rate = (uint32_t)audio_le(p + 8, 4);
		r->frame = 1;
	}
}

/* Nothing behind the samples is of use. All behind a head without a size is
 * samples. A size of nothing may be told by a writer that did not go
 * back, or be the truth before further chunks. */
static void
data_read(struct audio *a, uint64_t size)
{
	struct audio_riff *r = &a->riff;

	r->data = a->at + 8;
	if (size == UINT32_MAX && r->long_size > 0)
		size = r->long_size;
	else
		r->streamed = size >= UNKNOWN ||
		    (size == 0 && (r->size >= UNKNOWN || r->size + 8 <= r->data));
	r->data_size = size;
	audio_pass_all(a);
}

/* Wants what is read of the chunk's content, less than all of it. */
static bool
content_wanted(struct audio *a, uint64_t size, size_t n)
{
	if (size < n)
		return false;
	a->want = 8 + n;
	return true;
}

static void
chunk_step(struct audio *a)
{
	struct audio_riff *r = &a->riff;
	uint64_t size = audio_le(a->held + 4, 4);
	bool fmt = audio_holds(a, 0, SLICE("fmt ")), ds64 = audio_holds(a, 0, SLICE("ds64"));

	if (audio_holds(a, 0, SLICE("data"))) {
		data_read(a, size);
		return;
	}
	if (a->want == 8 && (fmt || ds64) && content_wanted(a, size, 16))
		return;
	if (fmt && a->want > 8)
		fmt_read(r, a->held + 8);
	else if (ds64 && a->want > 8)
		r->long_size = audio_le(a->held + 16, 8);
	a->want = 8;
	audio_pass(a, 8 + size + (size & 1));
}

static void
riff_step(struct audio *a)
{
	if (a->riff.begun) {
		chunk_step(a);
		return;
	}
	a->want = 12;
	if (a->nheld < 12)
		return;
	a->riff.begun = true;
	a->riff.size = audio_le(a->held + 4, 4);
	audio_pass(a, 12);
	a->want = 8;
}

static bool
riff_duration(const struct audio *a, int64_t *us)
{
	const struct audio_riff *r = &a->riff;
	uint64_t size;

	if (r->data == 0 || r->data > a->bytes || r->frame == 0)
		return false;
	size = a->bytes - r->data;
	if (!r->streamed) {
		if (size < r->data_size)
			return false;
		size = r->data_size;
	}
	return size % r->frame == 0 && audio_us(size / r->frame, r->rate, us);
}

static const char *
riff_type(const struct audio *a)
{
	(void)a;
	return "audio/wav";
}

const struct audio_format audio_format_riff = { riff_step, NULL, NULL, riff_duration, riff_type };
