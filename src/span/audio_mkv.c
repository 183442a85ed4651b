/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_mkv.c: webm and matroska, by their elements. The length stands in Info;
 * a recording browser leaves it out, then the times of the blocks tell it.
 * Elements that hold elements are entered by passing their head alone, so
 * nothing nests here. Called by audio.c.
 */
#include "span/audio_format.h"

#define CONTENT 10		/* bytes that are read of an element at most */
#define UNKNOWN UINT64_MAX	/* size of an element that was begun before its end was known */
#define US_MAX 1e15		/* 31 years: no audio, but a damaged number */

enum {	/* ids, with their length marker */
	EBML = 0x1a45dfa3, DOCTYPE = 0x4282, SEGMENT = 0x18538067, INFO = 0x1549a966,
	SCALE = 0x2ad7b1, DURATION = 0x4489, TRACKS = 0x1654ae6b, TRACK = 0xae, TRACK_TYPE = 0x83,
	CLUSTER = 0x1f43b675, CLUSTER_TIME = 0xe7, GROUP = 0xa0, BLOCK = 0xa1, SIMPLE_BLOCK = 0xa3
};

static bool
is_master(uint64_t id)
{
	return id == EBML || id == SEGMENT || id == INFO || id == TRACKS || id == TRACK ||
	    id == CLUSTER || id == GROUP;
}

static bool
is_read(uint64_t id)
{
	return id == DOCTYPE || id == SCALE || id == DURATION || id == TRACK_TYPE ||
	    id == CLUSTER_TIME || id == BLOCK || id == SIMPLE_BLOCK;
}

/* Bytes of a number that begins with c, by its leading zero bits: 1 to 8, 9 if
 * it has no end. */
static size_t
vint_len(unsigned char c)
{
	size_t n = 1;

	while (n < 9 && !(c & (0x100u >> n)))
		n++;
	return n;
}

static uint64_t
size_read(const unsigned char *p, size_t n)
{
	uint64_t mask = (UINT64_C(1) << 7 * n) - 1, v = audio_be(p, n) & mask;

	return v == mask ? UNKNOWN : v;
}

static double
float_read(const unsigned char *p, size_t n)
{
	uint64_t bits = audio_be(p, n);
	uint32_t half = (uint32_t)bits;
	double d = 0;
	float f;

	if (n == 8) {
		memcpy(&d, &bits, sizeof(d));
	} else if (n == 4) {
		memcpy(&f, &half, sizeof(f));
		d = (double)f;
	}
	return d;
}

/* A block's head: track, then its time in the cluster. */
static void
block_read(struct audio_mkv *m, const unsigned char *p, size_t n)
{
	size_t len = n > 0 ? vint_len(p[0]) : 9;
	uint64_t t;

	if (len + 2 > n)
		return;
	t = m->cluster + (uint64_t)(int64_t)(int16_t)audio_be(p + len, 2);
	if (t > INT64_MAX)	/* before the beginning */
		return;
	if (m->blocks && t > m->last && (m->gap == 0 || t - m->last < m->gap))
		m->gap = t - m->last;
	if (t > m->last)
		m->last = t;
	m->blocks = true;
}

static void
content_read(struct audio_mkv *m, uint64_t id, const unsigned char *p, size_t n)
{
	uint64_t v = n <= 8 ? audio_be(p, n) : 0;

	if (id == DOCTYPE)
		m->webm = n >= 4 && memcmp(p, "webm", 4) == 0;
	else if (id == SCALE)
		m->scale = v;
	else if (id == DURATION)
		m->duration = float_read(p, n);
	else if (id == TRACK_TYPE)
		m->video |= v == 1;
	else if (id == CLUSTER_TIME)
		m->cluster = v;
	else
		block_read(m, p, n);
}

/* An element whose id and size are known. */
static void
element_step(struct audio *a, uint64_t id, size_t head, uint64_t size)
{
	size_t want = head + (size < CONTENT ? (size_t)size : CONTENT);

	if (is_read(id) && size != UNKNOWN) {
		if (a->nheld < want) {
			a->want = want;
			return;
		}
		content_read(&a->mkv, id, a->held + head, want - head);
	}
	a->want = 2;
	if (size != UNKNOWN)
		audio_due(a, size < UNKNOWN - head ? head + size : UNKNOWN);
	else
		a->mkv.lost |= !is_master(id);
	audio_pass(a, is_master(id) ? head : head + size);
}

static void
mkv_step(struct audio *a)
{
	size_t id = vint_len(a->held[0]), size = 1;

	if (a->nheld > id)
		size = vint_len(a->held[id]);
	if (id > 4 || size > 8) {
		a->mkv.lost = true;
		audio_pass_all(a);
		return;
	}
	if (a->nheld < id + size) {
		a->want = id + size;
		return;
	}
	element_step(a, audio_be(a->held, id), id + size, size_read(a->held + id, size));
}

static bool
mkv_duration(const struct audio *a, int64_t *us)
{
	const struct audio_mkv *m = &a->mkv;
	double d = m->duration > 0 ? m->duration : m->blocks ? (double)(m->last + m->gap) : 0;

	if (m->lost || !audio_came(a) || a->nheld > 0)
		return false;
	d *= (m->scale > 0 ? (double)m->scale : 1e6) / 1e3;
	if (!(d > 0 && d < US_MAX))
		return false;
	*us = (int64_t)(d + 0.5);
	return true;
}

static const char *
mkv_type(const struct audio *a)
{
	if (!a->mkv.webm)
		return a->mkv.video ? "video/x-matroska" : "audio/x-matroska";
	return a->mkv.video ? "video/webm" : "audio/webm";
}

const struct audio_format audio_format_mkv = { mkv_step, NULL, NULL, mkv_duration, mkv_type };
