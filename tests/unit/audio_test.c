/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audio told by its bytes: the files of tests/data/audio against the lengths
 * they were made with (expected.txt), cut in every way and broken off, then
 * heads made by hand.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "exact.h"
#include "core/buf.h"
#include "span/audio.h"
#include "tap.h"

#define ROOM (1u << 20)

/* A line of expected.txt. */
struct line {
	char	name[32], length[16], type[32], hint[64];
	long	tolerance;
};

struct told {
	bool		 known;
	int64_t		 us;
	const char	*type;
};

/* mode: as exact_cut's. Each piece is gone when the next one comes. */
static struct told
told(struct slice bytes, const char *type, const char *name, int mode)
{
	uint64_t seed = (uint64_t)mode, len = bytes.len;
	struct slice piece;
	struct told t = { 0 };
	struct audio a;

	audio_init(&a, slice_str(type), slice_str(name));
	while (bytes.len > 0) {
		piece = exact_copy(slice_make(bytes.ptr, exact_cut(mode, &seed, bytes.len)));
		audio_feed(&a, piece);
		bytes = slice_from(bytes, piece.len);
		exact_free(piece);
	}
	audio_finish(&a, true);
	assert(audio_bytes(&a) == len);
	t.known = audio_duration(&a, &t.us);
	t.type = audio_content_type(&a);
	return t;
}

static bool
same(struct told a, struct told b)
{
	return a.known == b.known && a.us == b.us && (a.type == b.type ||
	    (a.type != NULL && b.type != NULL && strcmp(a.type, b.type) == 0));
}

static bool
type_is(struct told t, const char *type)
{
	return t.type != NULL && strcmp(t.type, type) == 0;
}

static bool
unknown(struct told t)
{
	return !t.known && t.type == NULL;
}

static FILE *
data_open(const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/data/audio/%s", top ? top : ".", name);
	f = fopen(path, "rb");
	if (f == NULL)
		printf("Bail out! %s cannot be read\n", path);
	assert(f != NULL);
	return f;
}

static struct slice
data_read(const char *name, struct buf *b)
{
	FILE *f = data_open(name);

	buf_init(b, ROOM);
	b->len = fread(buf_reserve(b, ROOM), 1, ROOM, f);
	fclose(f);
	return buf_view(b);
}

/* A hint without a slash is a response_format. */
static struct told
told_line(const struct line *l, struct slice bytes, int mode)
{
	bool type = strchr(l->hint, '/') != NULL, none = strcmp(l->hint, "-") == 0;

	return told(bytes, type ? l->hint : NULL, type || none ? NULL : l->hint, mode);
}

static bool
as_expected(const struct line *l, struct told t)
{
	int64_t off = t.known ? t.us - strtoll(l->length, NULL, 10) : 0;
	bool known = strcmp(l->length, "null") != 0;

	if (t.known != known || off > l->tolerance || off < -l->tolerance || !type_is(t, l->type)) {
		printf("# %s: %s, %s %" PRId64 " us\n", l->name, t.type ? t.type : "no type",
		    t.known ? "known" : "unknown", t.us);
		return false;
	}
	return true;
}

static void
file_test(const struct line *l)
{
	struct told whole;
	struct slice bytes;
	struct buf b;
	int mode;
	bool equal = true;

	bytes = data_read(l->name, &b);
	whole = told_line(l, bytes, 0);
	printf("# %s\n", l->name);
	ok(as_expected(l, whole));
	for (mode = 1; mode <= 5; mode++)
		equal = equal && same(told_line(l, bytes, mode), whole);
	ok(equal);
	if (strcmp(l->type, "audio/pcm") != 0)	/* wrong hints do not count */
		ok(same(told(bytes, "audio/pcm", "x.mp3", 0), whole));
	else
		ok(unknown(told(bytes, NULL, NULL, 0)));
	buf_free(&b);
}

static void
files_test(void)
{
	FILE *f = data_open("expected.txt");
	struct line l;
	char text[256];
	int n = 0;

	while (fgets(text, sizeof(text), f) != NULL) {
		assert(sscanf(text, "%31s %15s %ld %31s %63[^\n]", l.name, l.length, &l.tolerance,
		    l.type, l.hint) == 5);
		file_test(&l);
		n++;
	}
	fclose(f);
	ok(n >= 50);
}

/* However much of it is missing, nothing is told. */
static bool
prefix_unknown(const char *name)
{
	struct slice bytes;
	struct buf b;
	size_t n;
	bool none = true;

	bytes = data_read(name, &b);
	for (n = 0; n < bytes.len; n += n < 600 ? 1 : 61)
		if (told(slice_make(bytes.ptr, n), NULL, NULL, 0).known) {
			printf("# %s: known after %zu bytes\n", name, n);
			none = false;
		}
	none = none && !told(slice_make(bytes.ptr, bytes.len - 1), NULL, NULL, 0).known;
	buf_free(&b);
	return none;
}

/* What ends at a frame's end is as long as its frames, at any other it broke off. */
static bool
prefix_frames(const char *name, size_t frame)
{
	struct slice bytes;
	struct told t;
	struct buf b;
	size_t n;
	bool good = true;

	bytes = data_read(name, &b);
	for (n = 4 * frame; n < 8 * frame; n++) {
		t = told(slice_make(bytes.ptr, n), NULL, NULL, 0);
		good = good && t.known == (n % frame == 0) && t.type != NULL;
	}
	buf_free(&b);
	return good;
}

static void
prefix_test(void)
{
	ok(prefix_unknown("vbr.mp3"));
	ok(prefix_unknown("stereo.mp3"));
	ok(prefix_unknown("mono.wav"));
	ok(prefix_unknown("rf64.wav"));
	ok(prefix_unknown("mono.flac"));
	ok(prefix_unknown("ffmpeg.flac"));
	ok(prefix_unknown("stereo.opus"));
	ok(prefix_unknown("vorbis.ogg"));
	ok(prefix_unknown("tail.m4a"));
	ok(prefix_unknown("head.m4a"));
	ok(prefix_unknown("told.webm"));
	ok(prefix_frames("mpeg25_stream.mp3", 144));
}

/* A file between other bytes. */
static struct told
between(struct slice before, const char *name, struct slice after, const char *type)
{
	struct slice bytes;
	struct told t;
	struct buf b, all;

	bytes = data_read(name, &b);
	buf_init(&all, ROOM);
	buf_slice(&all, before);
	buf_slice(&all, bytes);
	buf_slice(&all, after);
	t = told(buf_view(&all), type, NULL, 0);
	buf_free(&all);
	buf_free(&b);
	return t;
}

#define APE "APETAGEX\320\7\0\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define X32 "12345678123456781234567812345678"
#define ID3V2 "ID3\4\0\0\0\0\0\40" X32

/* Tags at both ends are no audio, nor is what else is there. */
static void
between_test(void)
{
	struct told mp3 = between(SLICE(""), "stream.mp3", SLICE(""), NULL);
	struct told aac = between(SLICE(""), "mono.aac", SLICE(""), NULL);
	struct told flac = between(SLICE(""), "mono.flac", SLICE(""), NULL);

	ok(mp3.known && aac.known && flac.known);
	ok(same(between(SLICE(ID3V2 ID3V2), "stream.mp3", SLICE(APE X32 "TAG" X32 X32 X32 "12345678123456781234567812345"),
	    NULL), mp3));
	ok(same(between(SLICE("ID3\4\0\x10\0\0\0\40" X32 "3DI\4\0\x10\0\0\0\40"), "stream.mp3", SLICE(ID3V2), NULL), mp3));
	ok(same(between(SLICE("\0\0\0\0\xff\xe0\0"), "stream.mp3", SLICE("\0\0\0\0\0\0"), "audio/mpeg"), mp3));
	ok(unknown(between(SLICE("\0\0\0\0"), "stream.mp3", SLICE(""), NULL)));
	ok(!between(SLICE(""), "stream.mp3", SLICE("\xff"), NULL).known);
	ok(!between(SLICE(""), "stream.mp3", SLICE("TAG" X32), NULL).known);
	ok(!between(SLICE(""), "stream.mp3", SLICE(APE "12345678"), NULL).known);
	ok(same(between(SLICE(ID3V2), "mono.aac", SLICE(ID3V2), NULL), aac));
	ok(!between(SLICE(""), "mono.aac", SLICE("\xff\xf1"), NULL).known);
	ok(!between(SLICE(""), "mono.aac", SLICE(X32), NULL).known);
	ok(same(between(SLICE(ID3V2), "mono.flac", SLICE(""), NULL), flac));
	ok(same(between(SLICE("ID3\4\0\x10\0\0\0\0" "3DI\4\0\x10\0\0\0\0"), "mono.flac", SLICE(""), NULL), flac));
	ok(same(between(SLICE(""), "stereo.opus", SLICE(X32), NULL), between(SLICE(""), "stereo.opus", SLICE(""), NULL)));
}

/* Frames that do not go on where the last one ended are of something else. */
static void
twice_test(void)
{
	struct slice bytes;
	struct buf b;

	bytes = data_read("mono.flac", &b);
	ok(!between(bytes, "mono.flac", SLICE(""), NULL).known);
	buf_free(&b);
}

/* Frames are not looked for without end. */
static void
junk_test(void)
{
	static char zeros[70000];

	ok(between(slice_make(zeros, 60000), "stream.mp3", SLICE(""), "audio/mpeg").known);
	ok(unknown(between(slice_make(zeros, 70000), "stream.mp3", SLICE(""), "audio/mpeg")));
}

static void
broken_off_test(void)
{
	struct slice bytes;
	struct audio a;
	struct buf b;
	int64_t us;

	bytes = data_read("mono.wav", &b);
	audio_init(&a, SLICE_NONE, SLICE_NONE);
	audio_feed(&a, bytes);
	audio_finish(&a, false);
	ok(!audio_duration(&a, &us) && strcmp(audio_content_type(&a), "audio/wav") == 0);
	ok(sizeof(a) < 600);
	buf_free(&b);
}

#define TOLD(lit, type, name) told(SLICE(lit), type, name, 0)

static bool
lasts(struct told t, int64_t us)
{
	return t.known && t.us == us;
}

static void
none_test(void)
{
	ok(unknown(TOLD("", NULL, NULL)) && unknown(TOLD("", "audio/pcm", "a.mp3")));
	ok(unknown(TOLD("a", NULL, NULL)) && unknown(TOLD("\xff", NULL, "a.mp3")));
	ok(unknown(TOLD("{\"error\":{\"message\":\"no\"}}", "application/json", "mp3")));
	ok(unknown(TOLD("{\"error\":{\"message\":\"no\"}}", "application/json", "pcm")));
	ok(unknown(TOLD("RIFF\x10\0\0\0AVI LIST\0\0\0\0", "video/avi", "a.avi")));
	ok(unknown(TOLD("\xff\xfeW\0A\0V\0E\0, utf-16, not mpeg\n\0", "text/plain", NULL)));
	ok(unknown(TOLD("ID3\4\0\0\0\0\0\2xx", NULL, NULL)));
	ok(unknown(TOLD("ID3\4\0\0\0\0\0\2xxplain text, no frame", NULL, NULL)));
}

static void
pcm_test(void)
{
	/* 24 samples, of which the first look like a frame's head */
	static const char s[] = "\xff\xfb\x90\x64" "456789abcdef0123456789abcdef0123456789abcdef";
	struct slice bytes = slice_make(s, 48);

	ok(unknown(told(bytes, NULL, NULL, 0)));
	ok(lasts(told(bytes, NULL, "pcm", 0), 1000) && lasts(told(bytes, "", "a.PCM", 0), 1000));
	ok(lasts(told(bytes, "application/octet-stream", "pcm", 0), 1000));
	ok(lasts(told(bytes, "audio/wav", "pcm16", 0), 1000) && unknown(told(bytes, "text/html", "pcm", 0)));
	ok(lasts(told(bytes, "audio/L16;codec=pcm;rate=48000", NULL, 0), 500));
	ok(lasts(told(bytes, "Audio/PCM; Channels=2 ; rate=12000", NULL, 0), 1000));
	ok(lasts(told(bytes, "audio/l24;rate=8000;channels=1", NULL, 0), 2000));
	ok(lasts(told(bytes, "audio/L8;rate", NULL, 0), 2000) && lasts(told(bytes, "audio/pcm;rate=;", NULL, 0), 1000));
	ok(!told(slice_make(s, 47), "audio/pcm", NULL, 0).known);
	ok(!told(bytes, "audio/pcm;channels=9999999999", NULL, 0).known);
}

/* A head of wav, 8 kHz, 8 bit, mono: 8 bytes are a millisecond. */
#define FMT "fmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0"

static void
riff_test(void)
{
	ok(lasts(TOLD("RIFF\x2c\0\0\0WAVE" FMT "data\x08\0\0\0" "12345678", NULL, NULL), 1000));
	/* chunks behind the samples, and nothing but them */
	ok(lasts(TOLD("RIFF\x36\0\0\0WAVE" FMT "data\x08\0\0\0" "12345678LIST\2\0\0\0xx", NULL, NULL), 1000));
	ok(lasts(TOLD("RIFF\x2e\0\0\0WAVE" FMT "data\0\0\0\0LIST\2\0\0\0xx", NULL, NULL), 0));
	/* no size told: then all is samples */
	ok(lasts(TOLD("RIFF\x24\0\0\0WAVE" FMT "data\0\0\0\0" "12345678", NULL, NULL), 1000));
	ok(lasts(TOLD("RIFF\0\0\0\0WAVE" FMT "data\0\0\0\0" "12345678", NULL, NULL), 1000));
	ok(lasts(TOLD("RIFF\xff\xff\xff\x7fWAVE" FMT "data\xdb\xff\xff\x7f" "12345678", NULL, NULL), 1000));
	ok(lasts(TOLD("RIFF\xff\xff\xff\xffWAVE" FMT "data\0\0\0\0" "12345678", NULL, NULL), 1000));
	ok(lasts(TOLD("RIFF\x36\0\0\0WAVELIST\1\0\0\0x\0" FMT "data\x08\0\0\0" "12345678", NULL, NULL), 1000));
	/* an odd length is filled up, which some leave out */
	ok(lasts(TOLD("RIFF\x2c\0\0\0WAVE" FMT "data\7\0\0\0" "1234567", NULL, NULL), 875));
	ok(!TOLD("RIFF\x2c\0\0\0WAVE" FMT "data\x09\0\0\0" "12345678", NULL, NULL).known);
	ok(!TOLD("RIFF\x2c\0\0\0WAVEdata\x08\0\0\0" "12345678", NULL, NULL).known);
	ok(!TOLD("RIFF\x2c\0\0\0WAVEfmt \4\0\0\0\1\0\1\0" "data\x08\0\0\0" "12345678", NULL, NULL).known);
	ok(!TOLD("RIFF\x2c\0\0\0WAVEjunk\xff\xff\xff\xff" FMT "data\x08\0\0\0" "12345678", NULL, NULL).known);
}

#define FTYP "\0\0\0\x10" "ftypM4A \0\0\0\0"
#define MVHD(n) "\0\0\0\x1c" "mvhd\0\0\0\0" "12341234\0\0\3\xe8" n

static void
mp4_test(void)
{
	ok(lasts(TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\1\xf4"), NULL, NULL), 500000));
	ok(lasts(TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\1\xf4") "\0\0\0\0mdatxyz", NULL, NULL), 500000));
	ok(!TOLD(FTYP "\0\0\0\x25moov" MVHD("\0\0\1\xf4"), NULL, NULL).known);
	ok(!TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\0\0"), NULL, NULL).known);
	ok(!TOLD(FTYP "\0\0\0\x24moov" MVHD("\xff\xff\xff\xff"), NULL, NULL).known);
	/* fragments, with and without their sum */
	ok(!TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\1\xf4") "\0\0\0\x08moof", NULL, NULL).known);
	ok(lasts(TOLD(FTYP "\0\0\0\x3cmoov" MVHD("\0\0\0\0") "\0\0\0\x18mvex\0\0\0\x10mehd\0\0\0\0\0\0\3\xe8"
	    "\0\0\0\x08moof", NULL, NULL), 1000000));
	/* a size below the head's, and one beyond reason */
	ok(!TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\1\xf4") "\0\0\0\x04mdat", NULL, NULL).known);
	ok(!TOLD(FTYP "\0\0\0\x24moov" MVHD("\0\0\1\xf4") "\0\0\0\1mdat\xff\xff\xff\xff\xff\xff\xff\xff",
	    NULL, NULL).known);
}

#define DOC "\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"

static void
mkv_test(void)
{
	/* Duration 500.0 ms as a float and as a double */
	ok(lasts(TOLD(DOC "\x18\x53\x80\x67\x8c\x15\x49\xa9\x66\x87\x44\x89\x84\x43\xfa\0\0", NULL, NULL), 500000));
	ok(lasts(TOLD(DOC "\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x92\x2a\xd7\xb1\x83\x0f\x42\x40"
	    "\x44\x89\x88\x40\x7f\x40\0\0\0\0\0", NULL, NULL), 500000));
	ok(!TOLD(DOC "\x18\x53\x80\x67\x8d\x15\x49\xa9\x66\x87\x44\x89\x84\x43\xfa\0\0", NULL, NULL).known);
	/* none, not a number, negative */
	ok(!TOLD(DOC "\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x80", NULL, NULL).known);
	ok(!TOLD(DOC "\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x87\x44\x89\x84\x7f\xff\0\0", NULL, NULL).known);
	ok(!TOLD(DOC "\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x87\x44\x89\x84\xc3\xfa\0\0", NULL, NULL).known);
	/* blocks at 0, 60 and 120 ms, of 60 ms each; a number that never ends */
	ok(lasts(TOLD(DOC "\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\xff\xe7\x81\0\xa3\x84\x81\0\0\0"
	    "\xa3\x84\x81\0\x3c\0\x1f\x43\xb6\x75\xff\xe7\x81\x78\xa0\x86\xa1\x84\x81\0\0\0", NULL, NULL), 180000));
	ok(!TOLD(DOC "\x18\x53\x80\x67\xff\x15\x49\xa9\x66\x87\x44\x89\x84\x43\xfa\0\0\0", NULL, NULL).known);
	ok(type_is(TOLD(DOC "\x83\x81\1", NULL, NULL), "video/webm"));
}

#define OGG(flags, granule, serial, body) "OggS\0" flags granule serial "\0\0\0\0" "\0\0\0\0" "\1" body
#define OPUS "\x13OpusHead\1\1\x38\1\x80\xbb\0\0\0\0\0"
#define AT(low) low "\0\0\0\0\0\0"		/* granule position, two bytes of it */
#define ONE "one "
#define TWO "two "

/* 0x138 samples, 6.5 ms, are skipped. */
static void
ogg_test(void)
{
	ok(lasts(TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\4", AT("\x98\1"), ONE, "\1x"), NULL, NULL), 2000));
	/* another stream beside it, which ends later; a page where no packet ends */
	ok(lasts(TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\2", AT("\0\0"), TWO, OPUS)
	    OGG("\0", "\xff\xff\xff\xff\xff\xff\xff\xff", ONE, "\1x")
	    OGG("\4", AT("\x98\1"), ONE, "\1x") OGG("\4", AT("\x98\7"), TWO, "\1x"), NULL, NULL), 2000));
	/* no last page, before the end or before the next one of the chain */
	ok(!TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\0", AT("\x98\1"), ONE, "\1x"), NULL, NULL).known);
	ok(!TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\0", AT("\x98\1"), ONE, "\1x")
	    OGG("\2", AT("\0\0"), TWO, OPUS) OGG("\4", AT("\x98\1"), TWO, "\1x"), NULL, NULL).known);
	/* out of the middle; not audio; shorter than what is skipped */
	ok(!TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\0", "\0\0\0\1\0\0\0\0", ONE, "\1x")
	    OGG("\4", "\0\0\0\2\0\0\0\0", ONE, "\1x"), NULL, NULL).known);
	ok(!TOLD(OGG("\2", AT("\0\0"), ONE, "\7\x80theora") OGG("\4", AT("\x98\1"), ONE, "\1x"), NULL, NULL).known);
	ok(lasts(TOLD(OGG("\2", AT("\0\0"), ONE, OPUS) OGG("\4", AT("\x37\1"), ONE, "\1x"), NULL, NULL), 0));
}

int
main(void)
{
	files_test();
	prefix_test();
	between_test();
	twice_test();
	junk_test();
	broken_off_test();
	none_test();
	pcm_test();
	riff_test();
	ogg_test();
	mp4_test();
	mkv_test();
	return done();
}
