/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media on any bytes: where they are JSON, what is shown is JSON of as many
 * strings, never longer, and shown again it is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "span/arena.h"
#include "span/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
digest(struct slice bytes, uint8_t out[32])
{
	memset(out, bytes.len ? (uint8_t)*bytes.ptr : 0, 32);
}

static size_t
quotes(struct slice s)
{
	size_t n = 0, i;

	for (i = 0; i < s.len; i++)
		n += s.ptr[i] == '"';
	return n;
}

static void
show(struct slice json, enum media_kept kept)
{
	bool good = jscan_check(json, NULL, NULL) == JSCAN_END;
	struct arena arena = { .blocks = NULL };
	struct slice got = media_show(json, kept, digest, &arena), again;

	CHECK(!arena.failed && got.len <= json.len);
	if (good) {
		CHECK(jscan_check(got, NULL, NULL) == JSCAN_END && quotes(got) == quotes(json));
		again = media_show(got, kept, digest, &arena);
		CHECK(slice_eq(again, got));
	}
	arena_free(&arena);
}

/* The bytes as they are, and inside of a string long enough to count. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *json = malloc(size + 600);
	size_t len = 0;

	CHECK(json != NULL);
	memcpy(json, data, size);
	show(slice_make(json, size), MEDIA_KEEP);
	show(slice_make(json, size), MEDIA_CUT);
	memcpy(json, "{\"data\":[\"", 10);
	memset(json + 10, 'Q', 256);
	len = 266;
	memcpy(json + len, data, size);
	len += size;
	memset(json + len, 'U', 256);
	memcpy(json + len + 256, "\"]}", 3);
	show(slice_make(json, len + 259), MEDIA_CUT);
	show(slice_make(json, len + 259), MEDIA_DIGEST);
	free(json);
	return 0;
}
