/* SPDX-License-Identifier: Apache-2.0 */
/* pack: see pack.h. */
#include "export/pack.h"

#include <zlib.h>
#include <zstd.h>

#define GZIP_WINDOW (15 + 16)	/* zlib's way to ask for gzip's frame */
#define ZSTD_LEVEL 3

static bool
gzip(struct slice body, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)body.ptr, .avail_in = (uInt)body.len };
	bool good;
	char *to;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	to = buf_reserve(out, deflateBound(&z, (uLong)body.len));
	z.next_out = (Bytef *)to;
	z.avail_out = to ? (uInt)deflateBound(&z, (uLong)body.len) : 0;
	good = to != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
	out->len += good ? z.total_out : 0;
	deflateEnd(&z);
	return good;
}

static bool
zstd(struct slice body, struct buf *out)
{
	size_t room = ZSTD_compressBound(body.len), n;
	char *to = buf_reserve(out, room);

	if (to == NULL)
		return false;
	n = ZSTD_compress(to, room, body.ptr, body.len, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return false;
	out->len += n;
	return true;
}

const char *
pack(enum sink_coding coding, struct slice body, struct buf *out)
{
	buf_clear(out);
	switch (coding) {
	case SINK_GZIP:
		return gzip(body, out) ? "gzip" : NULL;
	case SINK_ZSTD:
		return zstd(body, out) ? "zstd" : NULL;
	default:
		return NULL;
	}
}
