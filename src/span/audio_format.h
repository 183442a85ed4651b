/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio_format: what audio.c and its formats share, and nobody else. A format
 * gets its turn (step) when `want` bytes are held, beginning with offset `at`.
 * It then passes bytes, also ones still to come, or wants more of them: each
 * turn does one or the other, so work is linear.
 */
#ifndef SPAN_AUDIO_FORMAT_H
#define SPAN_AUDIO_FORMAT_H

#include "span/audio.h"

/* Of a second: every sample rate of mp3 and aac divides it. */
#define AUDIO_TICKS 28224000u

struct audio_format {
	void		 (*step)(struct audio *);
	/* With nothing held: takes bytes from p on, returns how many; or NULL. */
	size_t		 (*scan)(struct audio *, const unsigned char *p, size_t n);
	/* The bytes are over, fewer than wanted are held; or NULL. */
	void		 (*end)(struct audio *);
	/* Of whole audio that is proven to be of this format. */
	bool		 (*duration)(const struct audio *, int64_t *us);
	const char	*(*type)(const struct audio *);
};

extern const struct audio_format audio_format_mp3, audio_format_adts, audio_format_riff,
	    audio_format_flac, audio_format_ogg, audio_format_mp4, audio_format_mkv;

/* Weak beginnings: a frame's head of mp3 or ADTS at p, four and seven bytes. */
bool	audio_mp3_begins(const unsigned char *p);
bool	audio_adts_begins(const unsigned char *p);

/* Done with the next n bytes, held or to come. */
void	audio_pass(struct audio *, uint64_t n);
/* Done with all bytes to come. */
void	audio_pass_all(struct audio *);
/* It is not of this format. */
void	audio_give_up(struct audio *);
/* Turns as long as enough is held. */
void	audio_steps(struct audio *);
/* An element of n bytes begins at `at`. */
void	audio_due(struct audio *, uint64_t n);
/* Does lit stand among the held bytes at offset i? */
bool	audio_holds(const struct audio *, size_t i, struct slice lit);
/* Bytes of the ID3v2 tag whose first ten bytes are at p, 0: there is none. */
uint64_t audio_id3_size(const unsigned char *p);
/* n units of which there are `rate` a second; false: no rate, or beyond reason. */
bool	audio_us(uint64_t n, uint64_t rate, int64_t *us);

/* Has all of what the format has passed come by? */
static inline bool
audio_came(const struct audio *a)
{
	return a->at <= a->bytes && a->due <= a->bytes;
}

/* n bytes, at most eight, the most significant first; and the least. */
static inline uint64_t
audio_be(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static inline uint64_t
audio_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

#endif
