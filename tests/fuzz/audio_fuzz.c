/* SPDX-License-Identifier: Apache-2.0 */
/* audio: what is told must not depend on the cuts. The first byte is the
 * choice of hints, the second the seed of the cuts. */
#include "cuts.h"
#include "span/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

struct told {
	bool		 known;
	int64_t		 us;
	const char	*type;
};

/* Nothing of what came is left undone: each byte is passed, or held and waited for. */
static void
state_check(const struct audio *a, uint64_t fed)
{
	CHECK(a->bytes == fed && a->want <= AUDIO_HELD && a->nheld < a->want);
	CHECK(a->nheld == 0 ? a->at >= a->bytes : a->at + a->nheld == a->bytes);
}

static struct told
told(struct slice stream, unsigned hints, uint64_t seed)
{
	static const char *const types[] = { NULL, "audio/pcm", "audio/mpeg", "audio/L16;rate=7;channels=3" };
	struct told t = { 0 };
	struct slice piece;
	uint64_t fed = 0;
	struct cuts cuts;
	struct audio a;

	audio_init(&a, slice_str(types[hints % 4]), SLICE_NONE);
	cuts_init(&cuts, stream, seed);
	while (cuts_next(&cuts, &piece)) {
		audio_feed(&a, piece);
		fed += piece.len;
		state_check(&a, fed);
	}
	audio_finish(&a, true);
	CHECK(audio_bytes(&a) == stream.len);
	t.known = audio_duration(&a, &t.us);
	t.type = audio_content_type(&a);
	CHECK(!t.known || (t.us >= 0 && t.type != NULL));
	return t;
}

static bool
same(struct told a, struct told b)
{
	return a.known == b.known && a.us == b.us && (a.type == b.type ||
	    (a.type != NULL && b.type != NULL && strcmp(a.type, b.type) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream;
	struct told whole;

	if (size < 2)
		return 0;
	stream = slice_make(data + 2, size - 2);
	whole = told(stream, data[0], 0);
	CHECK(same(whole, told(stream, data[0], 1)));
	CHECK(same(whole, told(stream, data[0], 2u + data[1])));
	return 0;
}
