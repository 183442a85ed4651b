/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio: reads audio as it comes by, in pieces of any size, and tells what it
 * is and how long it lasts. It holds a few hundred bytes, never the audio, and
 * owns nothing that would have to be freed.
 *
 * Formats: mp3 (MPEG 1, 2 and 2.5, layers I to III), wav (RIFF, RF64), flac,
 * ogg (opus, vorbis, flac, speex), aac in ADTS, mp4, webm, raw pcm.
 */
#ifndef SPAN_AUDIO_H
#define SPAN_AUDIO_H

#include "core/slice.h"

#define AUDIO_HELD 288		/* bytes looked at together: an ogg page's head is 282 */

struct audio_format;

/* What the names that came with the audio say; the bytes have the first word. */
struct audio_hints {
	bool		 mp3;
	uint32_t	 pcm_rate;	/* samples a second */
	uint32_t	 pcm_frame;	/* bytes of a sample in all channels; 0: no pcm */
};

struct audio_mp3 {
	uint64_t	 ticks;		/* length of the frames counted */
	uint64_t	 trim;		/* of it: what the encoder's tags call no signal */
	uint64_t	 seen, told;	/* frames since the last tag, and by that tag (0: untold) */
	uint32_t	 pending;	/* ticks of a frame to be proven by the next one */
	uint32_t	 unit, frame;	/* ticks of a sample, of the last frame */
	uint32_t	 slack;		/* frames that `told` may be too many */
	uint32_t	 junk;		/* bytes passed over before it was proven */
	bool		 lined;		/* a frame or tag ended here */
	bool		 synced;	/* and it was a frame that is proven */
	bool		 trimmed;	/* a tag told what to trim */
	bool		 layer3;
	bool		 cut;		/* less came than was told */
};

struct audio_adts {
	uint64_t	 ticks;
	uint32_t	 block;		/* ticks of a block */
	bool		 lost;		/* no frame where one must be */
};

struct audio_riff {
	uint64_t	 size;		/* of all, as its head tells */
	uint64_t	 data, data_size;	/* where the samples are; data 0: not yet seen */
	uint64_t	 long_size;	/* of the samples, by ds64 */
	uint32_t	 rate, frame;	/* frame: bytes of a sample in all channels; 0: no fmt yet */
	bool		 begun, streamed;	/* streamed: the size was not known */
};

struct audio_flac {
	uint64_t	 total, pos;	/* samples told, samples up to the end of the last frame */
	uint32_t	 rate, block;
	uint16_t	 crc;		/* of the last frame; 0 at its end */
	bool		 begun, frames;
};

struct audio_ogg {
	uint64_t	 us;		/* length of the chained streams that have ended */
	uint64_t	 granule;	/* of the last page of the one being read */
	uint32_t	 serial, rate, preskip;	/* of that one */
	bool		 open;		/* its first page came, not yet its last one */
	bool		 ended;		/* one has ended */
	bool		 cut, tail;	/* one did not end; no page where one may be */
};

struct audio_mp4 {
	uint64_t	 movie, movie_scale;	/* mvhd */
	uint64_t	 track, track_scale;	/* mdhd, of the first track with a length */
	uint64_t	 fragments;	/* mehd, in movie_scale */
	bool		 video, fragmented;
	bool		 open, lost;	/* the last box goes to the end; no box where one must be */
};

struct audio_mkv {
	double		 duration;	/* in units of scale; 0: not told */
	uint64_t	 scale;		/* nanoseconds */
	uint64_t	 cluster, last, gap;	/* times of the cluster, its last block; least gap of blocks */
	bool		 video, webm, blocks, lost;
};

struct audio {
	const struct audio_format *format;
	struct audio_hints hints;
	uint64_t	 bytes;		/* fed */
	uint64_t	 at;		/* where what is held begins; beyond bytes: hop there */
	uint64_t	 due;		/* where the largest element read so far ends */
	size_t		 nheld, want;	/* the format's turn comes with `want` bytes held */
	bool		 tagged;	/* began with an ID3 tag */
	bool		 proven;	/* the bytes are of the format without doubt */
	bool		 whole;		/* audio_finish said so */
	union {
		struct audio_mp3	 mp3;
		struct audio_adts	 adts;
		struct audio_riff	 riff;
		struct audio_flac	 flac;
		struct audio_ogg	 ogg;
		struct audio_mp4	 mp4;
		struct audio_mkv	 mkv;
	};
	unsigned char	 held[AUDIO_HELD];
};

/* content_type: the Content-Type's value; name: a file's name or the
 * response_format asked for ("a.mp3", "pcm"). Both are hints, may be
 * SLICE_NONE and need not outlive the call. Raw pcm is known by them alone:
 * 16 bit, 24 kHz, mono, unless they say otherwise ("audio/L16; rate=16000"). */
void		 audio_init(struct audio *, struct slice content_type, struct slice name);
/* The next bytes; they are not kept. */
void		 audio_feed(struct audio *, struct slice bytes);
/* whole: the bytes came to their end, none were left out. Nothing more is fed. */
void		 audio_finish(struct audio *, bool whole);

/* All three after audio_finish. */
/* Microseconds. False: unknown, as for what broke off or is no audio. */
bool		 audio_duration(const struct audio *, int64_t *us);
/* By the bytes, as "audio/mpeg"; NULL: not recognised. */
const char	*audio_content_type(const struct audio *);
static inline uint64_t
audio_bytes(const struct audio *a)
{
	return a->bytes;
}

#endif
