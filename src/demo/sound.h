/* SPDX-License-Identifier: Apache-2.0 */
/* sound: a tone or silence of a given length, for pretend speech. */
#ifndef DEMO_SOUND_H
#define DEMO_SOUND_H

#include "core/buf.h"

#define SOUND_RATE 24000	/* samples a second, 16 bits, one channel */
#define SOUND_MS_MAX 10000

/* Appends a quiet tone of so many ms, at most SOUND_MS_MAX: bare samples (little-endian). */
void	sound_pcm(struct buf *, unsigned ms);
/* The same with a RIFF head. */
void	sound_wav(struct buf *, unsigned ms);
/* Silence as frames of MPEG-2 layer III, 24 ms each. */
void	sound_mp3(struct buf *, unsigned ms);

#endif
