/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio.c: brings the bytes to the reader of their format, once the first few
 * have told which that is. Families call it for audio that a client sent or
 * got. It never keeps audio and never decodes it.
 */
#include "span/audio_format.h"

#define SNIFF 16		/* bytes that tell the format */
#define SECONDS_MAX 1000000000u	/* 31 years: no audio, but a damaged number */

bool
audio_us(uint64_t n, uint64_t rate, int64_t *us)
{
	if (rate == 0 || rate > UINT32_MAX || n / rate > SECONDS_MAX)
		return false;
	*us = (int64_t)(n / rate * 1000000 + (n % rate * 1000000 + rate / 2) / rate);
	return true;
}

void
audio_pass(struct audio *a, uint64_t n)
{
	a->at = n < UINT64_MAX - a->at ? a->at + n : UINT64_MAX;
	if (n >= a->nheld) {
		a->nheld = 0;
		return;
	}
	a->nheld -= (size_t)n;
	memmove(a->held, a->held + n, a->nheld);
}

void
audio_pass_all(struct audio *a)
{
	audio_pass(a, UINT64_MAX);
}

void
audio_due(struct audio *a, uint64_t n)
{
	uint64_t end = n < UINT64_MAX - a->at ? a->at + n : UINT64_MAX;

	if (a->due < end)
		a->due = end;
}

bool
audio_holds(const struct audio *a, size_t i, struct slice lit)
{
	return a->nheld >= i + lit.len && memcmp(a->held + i, lit.ptr, lit.len) == 0;
}

uint64_t
audio_id3_size(const unsigned char *p)
{
	if (memcmp(p, "ID3", 3) != 0 || ((p[6] | p[7] | p[8] | p[9]) & 0x80))
		return 0;
	return 10u + ((uint64_t)p[6] << 21 | (uint64_t)p[7] << 14 | (uint64_t)p[8] << 7 | p[9]) +
	    (p[5] & 0x10 ? 10 : 0);
}

static bool
none_duration(const struct audio *a, int64_t *us)
{
	(void)a;
	(void)us;
	return false;
}

static const char *
none_type(const struct audio *a)
{
	(void)a;
	return NULL;
}

/* Passes everything, so that it never gets a turn. */
static const struct audio_format none = { NULL, NULL, NULL, none_duration, none_type };

void
audio_give_up(struct audio *a)
{
	a->format = &none;
	a->proven = false;
	audio_pass_all(a);
}

static void
format_set(struct audio *a, const struct audio_format *format, bool proven)
{
	a->format = format;
	a->proven = proven;
	a->want = 1;
}

/* By the first bytes: names that nothing else begins with, then the heads of
 * frames, which other bytes may look like. */
static void
sniff(struct audio *a)
{
	if (audio_holds(a, 0, SLICE("fLaC")))
		format_set(a, &audio_format_flac, true);
	else if (audio_holds(a, 0, SLICE("OggS")))
		format_set(a, &audio_format_ogg, true);
	else if (audio_holds(a, 0, SLICE("\x1a\x45\xdf\xa3")))
		format_set(a, &audio_format_mkv, true);
	else if (audio_holds(a, 4, SLICE("ftyp")))
		format_set(a, &audio_format_mp4, true);
	else if (audio_holds(a, 8, SLICE("WAVE")) && (audio_holds(a, 0, SLICE("RIFF")) ||
	    audio_holds(a, 0, SLICE("RF64")) || audio_holds(a, 0, SLICE("BW64"))))
		format_set(a, &audio_format_riff, true);
	else if (a->nheld >= 7 && audio_adts_begins(a->held))
		format_set(a, &audio_format_adts, false);
	else if (a->tagged || a->hints.mp3 || (a->nheld >= 4 && audio_mp3_begins(a->held)))
		format_set(a, &audio_format_mp3, false);
	else
		audio_give_up(a);
}

static void
sniff_step(struct audio *a)
{
	uint64_t tag = a->nheld >= 10 ? audio_id3_size(a->held) : 0;

	if (tag == 0) {
		sniff(a);
		return;
	}
	a->tagged = true;
	audio_pass(a, tag);
}

/* Fewer bytes than SNIFF may still be audio. */
static void
sniff_end(struct audio *a)
{
	const struct audio_format *sniffing = a->format;

	while (a->format == sniffing && a->nheld > 0)
		sniff_step(a);
	audio_steps(a);
	if (a->format != sniffing && a->format->end != NULL)
		a->format->end(a);
}

static const struct audio_format sniffing = {
	sniff_step, NULL, sniff_end, none_duration, none_type
};

void
audio_steps(struct audio *a)
{
	while (a->nheld >= a->want)
		a->format->step(a);
}

/* Takes what is passed over, or what the format scans, or what it wants held. */
static size_t
take(struct audio *a, const unsigned char *p, size_t n)
{
	if (a->at > a->bytes) {
		if (a->at - a->bytes < n)
			n = (size_t)(a->at - a->bytes);
		return n;
	}
	if (a->format->scan != NULL && a->nheld == 0) {
		size_t scanned = a->format->scan(a, p, n);

		a->at += scanned;
		if (scanned > 0)
			return scanned;
	}
	if (n > a->want - a->nheld)
		n = a->want - a->nheld;
	memcpy(a->held + a->nheld, p, n);
	a->nheld += n;
	return n;
}

void
audio_feed(struct audio *a, struct slice bytes)
{
	size_t n;

	while (bytes.len > 0) {
		n = take(a, (const unsigned char *)bytes.ptr, bytes.len);
		a->bytes += n;
		bytes = slice_from(bytes, n);
		audio_steps(a);
	}
}

void
audio_finish(struct audio *a, bool whole)
{
	if (a->format->end != NULL)
		a->format->end(a);
	a->whole = whole;
}

bool
audio_duration(const struct audio *a, int64_t *us)
{
	uint32_t frame = a->hints.pcm_frame;

	if (!a->whole || a->bytes == 0)
		return false;
	if (a->proven)
		return a->format->duration(a, us);
	return frame > 0 && a->bytes % frame == 0 &&
	    audio_us(a->bytes / frame, a->hints.pcm_rate, us);
}

const char *
audio_content_type(const struct audio *a)
{
	if (a->proven)
		return a->format->type(a);
	return a->hints.pcm_frame > 0 && a->bytes > 0 ? "audio/pcm" : NULL;
}

/* The value of `name=` among a content type's parameters, 0: there is none. */
static uint32_t
parameter(struct slice type, struct slice name)
{
	const char *semicolon;
	uint32_t v = 0;
	size_t i;

	while (type.len > 0 && (semicolon = memchr(type.ptr, ';', type.len)) != NULL) {
		type = slice_trim(slice_from(type, (size_t)(semicolon - type.ptr) + 1));
		if (type.len <= name.len || type.ptr[name.len] != '=' ||
		    !slice_caseeq(slice_make(type.ptr, name.len), name))
			continue;
		type = slice_from(type, name.len + 1);
		for (i = 0; i < type.len && i < 7 && type.ptr[i] >= '0' && type.ptr[i] <= '9'; i++)
			v = v * 10 + (uint32_t)(type.ptr[i] - '0');
		return v;
	}
	return 0;
}

/* Less its parameters. */
static struct slice
essence(struct slice type)
{
	const char *semicolon = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;

	if (semicolon != NULL)
		type.len = (size_t)(semicolon - type.ptr);
	return slice_trim(type);
}

/* A file name's ending, or all of it. */
static struct slice
ending(struct slice name)
{
	const char *dot = name.len > 0 ? memrchr(name.ptr, '.', name.len) : NULL;

	return dot != NULL ? slice_from(name, (size_t)(dot - name.ptr) + 1) : name;
}

static bool
one_of(struct slice s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (slice_caseeq(s, slice_str(*list)))
			return true;
	return false;
}

/* Bits of a pcm sample by the content type, or 0. */
static uint32_t
pcm_bits(struct slice type)
{
	static const char *const l16[] = { "audio/pcm", "audio/x-pcm", "audio/l16", NULL };
	static const char *const l24[] = { "audio/l24", NULL };
	static const char *const l8[] = { "audio/l8", NULL };

	return one_of(type, l16) ? 16 : one_of(type, l24) ? 24 : one_of(type, l8) ? 8 : 0;
}

static void
hints_read(struct audio_hints *h, struct slice content_type, struct slice name)
{
	static const char *const mp3_types[] = { "audio/mpeg", "audio/mp3", "audio/x-mp3", NULL };
	static const char *const mp3_names[] = { "mp3", "mpga", "mpeg", "mp2", NULL };
	static const char *const pcm_names[] = { "pcm", "pcm16", NULL };
	static const char *const vague[] = {
		"", "application/octet-stream", "binary/octet-stream", NULL
	};
	struct slice type = essence(content_type);
	uint32_t bits = pcm_bits(type), channels;

	name = ending(name);
	h->mp3 = one_of(type, mp3_types) || one_of(name, mp3_names);
	if (bits == 0 && one_of(name, pcm_names) && (one_of(type, vague) ||
	    (type.len > 6 && slice_caseeq(slice_make(type.ptr, 6), SLICE("audio/")))))
		bits = 16;
	if (bits == 0)
		return;
	channels = parameter(content_type, SLICE("channels"));
	h->pcm_frame = bits / 8 * (channels > 0 ? channels : 1);
	h->pcm_rate = parameter(content_type, SLICE("rate"));
	if (h->pcm_rate == 0)
		h->pcm_rate = 24000;
}

void
audio_init(struct audio *a, struct slice content_type, struct slice name)
{
	memset(a, 0, sizeof(*a));
	a->format = &sniffing;
	a->want = SNIFF;
	hints_read(&a->hints, content_type, name);
}
