/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings undone: every form, fed whole, byte by byte, damaged, and a bomb. */
#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

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

/* Decodes in pieces of n bytes. */
static int
inflated(const char *coding, struct slice in, size_t n, struct buf *out, bool *complete)
{
	struct inflate f;
	size_t step;
	int r;

	buf_clear(out);
	r = inflate_init(&f, slice_str(coding));
	while (r == INFLATE_OK && in.len > 0) {
		step = n < in.len ? n : in.len;
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
	static const size_t cuts[] = { 1, 2, 7, 100000 };
	struct buf out;
	bool complete;
	size_t i;

	buf_init(&out, MIB);
	for (i = 0; i < 4; i++) {
		printf("# %s in pieces of %zu\n", coding, cuts[i]);
		ok(inflated(coding, in, cuts[i], &out, &complete) == INFLATE_OK);
		ok(complete && slice_eq(buf_view(&out), want));
	}
	buf_free(&out);
}

static void
forms(struct slice text)
{
	struct buf coded, twice;

	buf_init(&coded, MIB);
	buf_init(&twice, MIB);
	deflated(text, GZIP, &coded);
	good("gzip", buf_view(&coded), text);
	good("X-GZIP", buf_view(&coded), text);
	good("identity, gzip", buf_view(&coded), text);
	deflated(buf_view(&coded), ZLIB, &twice);
	good("gzip , deflate", buf_view(&twice), text);
	buf_clear(&coded);
	deflated(text, ZLIB, &coded);
	good("deflate", buf_view(&coded), text);
	buf_clear(&coded);
	deflated(text, RAW, &coded);
	good("deflate", buf_view(&coded), text);
	good("", text, text);
	good("identity", text, text);
	buf_free(&coded);
	buf_free(&twice);
}

/* Members follow each other; what is none at the end is padding. */
static void
members(void)
{
	struct buf coded;

	buf_init(&coded, MIB);
	deflated(SLICE("one "), GZIP, &coded);
	deflated(SLICE("two "), GZIP, &coded);
	deflated(SLICE(""), GZIP, &coded);
	deflated(SLICE("three"), GZIP, &coded);
	good("gzip", buf_view(&coded), SLICE("one two three"));
	buf_append(&coded, "\0\0\0", 3);
	good("gzip", buf_view(&coded), SLICE("one two three"));
	buf_append(&coded, "\x1f\x1f", 2);
	good("gzip", buf_view(&coded), SLICE("one two three"));
	buf_free(&coded);
}

static void
damage(struct slice text)
{
	struct buf coded, out;
	bool complete;

	buf_init(&coded, MIB);
	buf_init(&out, MIB);
	ok(inflated("gzip", text, 9, &out, &complete) == INFLATE_E_DATA && out.len == 0);
	ok(inflated("br", text, 9, &out, &complete) == INFLATE_E_CODING);
	ok(inflated("gzip, zstd", text, 9, &out, &complete) == INFLATE_E_CODING);
	ok(inflated("gzip,gzip,gzip,gzip,gzip", text, 9, &out, &complete) == INFLATE_E_CODING);
	deflated(text, GZIP, &coded);
	coded.len /= 2;
	ok(inflated("gzip", buf_view(&coded), 5, &out, &complete) == INFLATE_OK && !complete);
	ok(out.len > 0 && out.len < text.len && memcmp(out.ptr, text.ptr, out.len) == 0);
	buf_free(&coded);
	buf_free(&out);
}

/* What expands beyond the limit fills it and stops. */
static void
bomb(void)
{
	struct buf coded, twice, out;
	char *zeros = calloc(1, 4 * MIB);
	bool complete;

	assert(zeros != NULL);
	buf_init(&coded, 8 * MIB);
	buf_init(&twice, MIB);
	buf_init(&out, 100000);
	deflated(slice_make(zeros, 4 * MIB), GZIP, &coded);
	ok(inflated("gzip", buf_view(&coded), 1000, &out, &complete) == INFLATE_E_LIMIT);
	ok(out.len == 100000);
	deflated(buf_view(&coded), GZIP, &twice);
	ok(inflated("gzip, gzip", buf_view(&twice), 1, &out, &complete) == INFLATE_E_LIMIT);
	buf_free(&coded);
	buf_free(&twice);
	buf_free(&out);
	free(zeros);
}

int
main(void)
{
	struct buf text;
	int i;

	buf_init(&text, MIB);
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "%d %x,", i * 7919, i * i);
	forms(buf_view(&text));
	forms(SLICE("x"));
	members();
	damage(buf_view(&text));
	bomb();
	buf_free(&text);
	return done();
}
