/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings undone: every form and mix, fed whole, byte by byte, at random, damaged,
 * and bombs. */
#include <assert.h>
#include <brotli/encode.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zlib.h>
#include <zstd.h>

#include "core/limits.h"
#include "span/inflate.h"
#include "tap.h"

enum { RAW = -15, ZLIB = 15, GZIP = 31 };

static void
deflated(struct slice in, int bits, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len };
	uLong room;

	assert(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	room = deflateBound(&z, in.len) + 64;
	z.next_out = (Bytef *)buf_reserve(out, room);
	z.avail_out = (uInt)room;
	assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->len += room - z.avail_out;
	deflateEnd(&z);
}

static void
brotlied(struct slice in, struct buf *out)
{
	size_t room = BrotliEncoderMaxCompressedSize(in.len) + 64;

	assert(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, in.len, (const uint8_t *)in.ptr,
	    &room, (uint8_t *)buf_reserve(out, room)));
	out->len += room;
}

static void
zstded(struct slice in, struct buf *out)
{
	size_t room = ZSTD_compressBound(in.len), n;
	ZSTD_CCtx *z = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(z, buf_reserve(out, room), room, in.ptr, in.len);
	assert(!ZSTD_isError(n));
	out->len += n;
	ZSTD_freeCCtx(z);
}

/* Appends `in` with that one coding. */
static void
coded(const char *coding, struct slice in, struct buf *out)
{
	if (strcmp(coding, "br") == 0)
		brotlied(in, out);
	else if (strcmp(coding, "zstd") == 0)
		zstded(in, out);
	else
		deflated(in, strcmp(coding, "gzip") == 0 ? GZIP : ZLIB, out);
}

/* Decodes in pieces of n bytes; 0: of 1 to 999, at random. */
static int
inflated(const char *coding, struct slice in, size_t n, struct buf *out, bool *complete)
{
	struct inflate f;
	size_t step;
	int r;

	buf_clear(out);
	r = inflate_init(&f, slice_str(coding));
	while (r == INFLATE_OK && in.len > 0) {
		step = n ? n : 1 + (size_t)rand() % 999;
		if (step > in.len)
			step = in.len;
		r = inflate_feed(&f, slice_make(in.ptr, step), out);
		in = slice_from(in, step);
	}
	*complete = inflate_complete(&f);
	inflate_free(&f);
	return r;
}

static void
good(const char *coding, struct slice in, struct slice want)
{
	static const size_t cuts[] = { 1, 2, 7, 0, 0, 10000000 };
	struct buf out;
	bool complete;
	size_t i;

	buf_init(&out, MIB);
	for (i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		printf("# %s in pieces of %zu\n", coding, cuts[i]);
		ok(inflated(coding, in, cuts[i], &out, &complete) == INFLATE_OK);
		ok(complete && slice_eq(buf_view(&out), want));
	}
	buf_free(&out);
}

/* As both of two stacked codings. */
static void
pairs(struct slice text)
{
	static const char *const names[] = { "gzip", "deflate", "br", "zstd" };
	struct buf once, twice;
	char list[32];
	int i, j;

	buf_init(&once, MIB);
	buf_init(&twice, MIB);
	for (i = 0; i < 16; i++) {
		buf_clear(&once);
		buf_clear(&twice);
		j = i % 4;
		coded(names[i / 4], text, &once);
		coded(names[j], buf_view(&once), &twice);
		snprintf(list, sizeof(list), "%s,\t%s", names[i / 4], names[j]);
		good(list, buf_view(&twice), text);
	}
	buf_free(&once);
	buf_free(&twice);
}

static void
forms(struct slice text)
{
	struct buf one;

	buf_init(&one, MIB);
	deflated(text, GZIP, &one);
	good("gzip", buf_view(&one), text);
	good("X-GZIP", buf_view(&one), text);
	good("identity, gzip ,", buf_view(&one), text);
	buf_clear(&one);
	deflated(text, ZLIB, &one);
	good("deflate", buf_view(&one), text);
	buf_clear(&one);
	deflated(text, RAW, &one);
	good("deflate", buf_view(&one), text);
	buf_clear(&one);
	brotlied(text, &one);
	good("br", buf_view(&one), text);
	buf_clear(&one);
	zstded(text, &one);
	good("Zstd", buf_view(&one), text);
	good("", text, text);
	good("identity", text, text);
	buf_free(&one);
	pairs(text);
}

/* Members follow each other; what is none at the end is padding. */
static void
members(const char *coding, struct slice odd)
{
	struct buf all;

	buf_init(&all, MIB);
	coded(coding, SLICE("one "), &all);
	coded(coding, SLICE("two "), &all);
	coded(coding, SLICE(""), &all);
	coded(coding, SLICE("three"), &all);
	good(coding, buf_view(&all), SLICE("one two three"));
	if (odd.len > 0) {
		buf_slice(&all, odd);
		good(coding, buf_view(&all), SLICE("one two three"));
	}
	buf_append(&all, "\0\0\0", 3);
	good(coding, buf_view(&all), SLICE("one two three"));
	buf_free(&all);
}

/* Its first half gives what it holds, and so does one with a byte changed. */
static void
damage(const char *coding, struct slice text)
{
	struct buf all, out;
	bool complete;
	size_t half;

	printf("# %s damaged\n", coding);
	buf_init(&all, 4 * MIB);
	buf_init(&out, 4 * MIB);
	ok(inflated(coding, text, 9, &out, &complete) == INFLATE_E_DATA && out.len == 0);
	coded(coding, text, &all);
	half = all.len / 2;
	ok(inflated(coding, slice_make(all.ptr, half), 5, &out, &complete) == INFLATE_OK && !complete);
	ok(out.len > 0 && out.len < text.len && memcmp(out.ptr, text.ptr, out.len) == 0);
	memset(all.ptr + half, 0xff, 8);
	ok(inflated(coding, buf_view(&all), 100, &out, &complete) == INFLATE_E_DATA);
	ok(out.len > 0 && out.len <= text.len && memcmp(out.ptr, text.ptr, out.len / 4) == 0);
	/* a second member that breaks off is no whole body either */
	buf_clear(&all);
	coded(coding, text, &all);
	half = all.len;
	coded(coding, text, &all);
	ok(inflated(coding, slice_make(all.ptr, all.len - half / 2), 64, &out, &complete) == INFLATE_OK);
	ok(!complete && out.len > text.len && memcmp(out.ptr, text.ptr, text.len) == 0);
	buf_free(&all);
	buf_free(&out);
}

/* Formats older than the RFC's are none, however they are cut; frames without
 * data are passed over. */
static void
magics(void)
{
	static const char old[4][4] = {
		"\x24\xb5\x2f\xfd", "\x25\xb5\x2f\xfd", "\x26\xb5\x2f\xfd", "\x27\xb5\x2f\xfd",
	};
	struct buf all, out;
	bool complete;
	size_t i, n;

	buf_init(&all, MIB);
	buf_init(&out, MIB);
	for (i = 0; i < 4; i++) {
		buf_clear(&all);
		buf_append(&all, old[i], 4);
		buf_append(&all, "\x04\x58\x60\x2b\x4a\x00\x3f\x60\x00\x00\x00\x00", 12);
		for (n = 1; n <= 16; n++)
			ok(inflated("zstd", buf_view(&all), n, &out, &complete) == INFLATE_E_DATA && out.len == 0);
	}
	buf_clear(&all);
	buf_append(&all, "\x5f\x2a\x4d\x18\x02\0\0\0xy", 10);
	zstded(SLICE("text"), &all);
	buf_append(&all, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	good("zstd", buf_view(&all), SLICE("text"));
	buf_append(&all, old[3], 4);
	good("zstd", buf_view(&all), SLICE("text"));
	buf_free(&all);
	buf_free(&out);
}

static void
unknown(struct slice text)
{
	struct buf out;
	bool complete;

	buf_init(&out, MIB);
	ok(inflated("compress", text, 9, &out, &complete) == INFLATE_E_CODING);
	ok(inflated("gzip, dcb", text, 9, &out, &complete) == INFLATE_E_CODING);
	ok(inflated("gzip br", text, 9, &out, &complete) == INFLATE_E_CODING);
	ok(inflated("gzip,br,zstd,br,gzip", text, 9, &out, &complete) == INFLATE_E_CODING);
	buf_free(&out);
}

/* What expands beyond the limit fills it and stops. */
static void
bomb(const char *list, struct slice stuff)
{
	struct buf out;
	bool complete;

	printf("# bomb of %s, %zu bytes\n", list, stuff.len);
	buf_init(&out, 100000);
	ok(inflated(list, stuff, 1000, &out, &complete) == INFLATE_E_LIMIT && out.len == 100000);
	ok(inflated(list, stuff, 1, &out, &complete) == INFLATE_E_LIMIT && out.len == 100000);
	ok(inflated(list, stuff, 0, &out, &complete) == INFLATE_E_LIMIT && out.len == 100000);
	buf_free(&out);
}

/* As large as the span builder reads, and what memory that took beside. */
static void
bomb_large(const char *list, struct slice stuff)
{
	struct rusage before, after;
	struct buf out;
	bool complete;

	buf_init(&out, LIMIT_EXPANDED);
	memset(buf_reserve(&out, LIMIT_EXPANDED), 1, LIMIT_EXPANDED);
	getrusage(RUSAGE_SELF, &before);
	ok(inflated(list, stuff, 16384, &out, &complete) == INFLATE_E_LIMIT);
	ok(out.len == LIMIT_EXPANDED);
	getrusage(RUSAGE_SELF, &after);
	printf("# %s: %ld KiB more than before\n", list, after.ru_maxrss - before.ru_maxrss);
#ifndef __SANITIZE_ADDRESS__	/* which puts freed memory by */
	ok(after.ru_maxrss - before.ru_maxrss < 40 * 1024);
#endif
	buf_free(&out);
}

static void
bombs(void)
{
	static const char *const names[] = { "gzip", "deflate", "br", "zstd" };
	size_t n = LIMIT_EXPANDED + MIB, i;
	char *zeros = calloc(1, n), list[32];
	struct buf once, twice;

	assert(zeros != NULL);
	buf_init(&once, 2 * LIMIT_EXPANDED);
	buf_init(&twice, 2 * LIMIT_EXPANDED);
	for (i = 0; i < 4; i++) {
		buf_clear(&once);
		buf_clear(&twice);
		coded(names[i], slice_make(zeros, n), &once);
		coded(names[i], buf_view(&once), &twice);
		bomb(names[i], buf_view(&once));
		bomb_large(names[i], buf_view(&once));
		snprintf(list, sizeof(list), "%s, %s", names[i], names[i]);
		bomb(list, buf_view(&twice));
	}
	buf_free(&once);
	buf_free(&twice);
	free(zeros);
}

int
main(void)
{
	struct buf text;
	int i;

	buf_init(&text, MIB);
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "%d %x,", i * 7919, (unsigned)i * (unsigned)i);
	forms(buf_view(&text));
	forms(SLICE("x"));
	members("gzip", SLICE("\x1f\x1f"));
	members("br", SLICE(""));
	members("zstd", SLICE("\r\n\r\n"));
	for (; text.len < 700000; i++)	/* more than a block of zstd's */
		buf_printf(&text, "%d %x,", i * 7919, (unsigned)i * (unsigned)i);
	damage("gzip", buf_view(&text));
	damage("br", buf_view(&text));
	damage("zstd", buf_view(&text));
	magics();
	unknown(buf_view(&text));
	bombs();
	buf_free(&text);
	return done();
}
