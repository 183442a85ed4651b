/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded media in JSON: what is cut, what only looks like it, and that what is
 * left is JSON still. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "span/arena.h"
#include "span/media.h"
#include "tap.h"

#define ROOM 8192

/* In place of SHA-256: the length, so that it is seen what was digested. */
static void
digest(struct slice bytes, uint8_t out[32])
{
	memset(out, 0, 32);
	out[0] = (uint8_t)(bytes.len >> 8);
	out[1] = (uint8_t)bytes.len;
	out[31] = bytes.len ? (uint8_t)bytes.ptr[bytes.len - 1] : 0;
}

/* JSON with each @ replaced by n characters of base64, each ~ by the text. */
static struct slice
filled(const char *json, size_t n, const char *text, char *out)
{
	size_t len = 0, i;

	for (; *json != '\0'; json++) {
		assert(len + n + strlen(text) < ROOM);
		if (*json == '@')
			for (i = 0; i < n; i++)
				out[len++] = "QUJD"[i % 4];
		else if (*json == '~')
			len += (size_t)snprintf(out + len, ROOM - len, "%s", text);
		else
			out[len++] = *json;
	}
	return slice_make(out, len);
}

/* Shown so, it is JSON, and shown again it stays as it is. */
static bool
shows(struct slice json, enum media_kept kept, struct slice want)
{
	struct arena arena = { .blocks = NULL };
	struct slice got = media_show(json, kept, digest, &arena);
	struct slice again = media_show(got, kept, digest, &arena);
	bool good = slice_eq(got, want) && jscan_check(json, NULL, NULL) == JSCAN_END &&
	    jscan_check(got, NULL, NULL) == JSCAN_END && again.ptr == got.ptr && again.len == got.len;

	if (!good)
		printf("# got %.*s\n", (int)(got.len < 400 ? got.len : 400), got.ptr ? got.ptr : "(none)");
	arena_free(&arena);
	return good;
}

/* With 400 characters for each @, want's ~ stands for what replaces them. */
static void
cut(const char *json, const char *want)
{
	char in[ROOM], out[ROOM];
	struct slice text = filled(json, 400, "", in);

	ok(shows(text, MEDIA_CUT, filled(want, 0, "(300 bytes)", out)));
	ok(shows(text, MEDIA_DIGEST, filled(want, 0, "sha256:012c"
	    "0000000000000000000000000000000000000000000000000000000000" "43 (300 bytes)", out)));
	ok(shows(text, MEDIA_KEEP, text));
}

static void
kept(const char *json, size_t n)
{
	char in[ROOM];
	struct slice text = filled(json, n, "", in);

	ok(shows(text, MEDIA_CUT, text) && shows(text, MEDIA_DIGEST, text));
}

static void
names(void)
{
	cut("{\"b64_json\":\"@\"}", "{\"b64_json\":\"~\"}");
	cut("{\"data\" : \"@\" }", "{\"data\" : \"~\" }");
	cut("{\"file\":{\"file_data\":\"@\",\"filename\":\"a\"}}", "{\"file\":{\"file_data\":\"~\",\"filename\":\"a\"}}");
	cut("[{\"result\":\"@\"},{\"audio\":\"@\"}]", "[{\"result\":\"~\"},{\"audio\":\"~\"}]");
	cut("{\"image\":[\"@\",\"x\",\"@\"]}", "{\"image\":[\"~\",\"x\",\"~\"]}");
	cut("{\"data\":[[[\"@\"]],{\"data\":\"@\"}]}", "{\"data\":[[[\"~\"]],{\"data\":\"~\"}]}");
	kept("{\"text\":\"@\",\"embedding\":\"@\",\"signature\":\"@\"}", 400);
	kept("{\"datas\":\"@\",\"dat\":\"@\",\"\":\"@\"}", 400);
	kept("{\"d\\u0061ta\":\"@\"}", 400);
	kept("{\"data\":\"@\"}", 252);
	kept("\"@\"", 400);
	/* the name is what stands right before */
	kept("{\"data\":{\"text\":\"@\"}}", 400);
	kept("{\"a\":\"data\",\"b\":\"@\"}", 400);
}

static void
urls(void)
{
	cut("{\"url\":\"data:image/png;base64,@\",\"detail\":\"low\"}",
	    "{\"url\":\"data:image/png;base64,~\",\"detail\":\"low\"}");
	cut("[\"data:image\\/png;name=a.png;base64,@\"]", "[\"data:image\\/png;name=a.png;base64,~\"]");
	cut("{\"image_url\":\"data:;base64,@\"}", "{\"image_url\":\"data:;base64,~\"}");
	kept("{\"url\":\"https://example.com/;base64,@\"}", 400);
	kept("{\"url\":\"data:text/plain,@\"}", 400);
	kept("{\"url\":\"data:image/png;base64,@ and words\"}", 400);
	kept("{\"url\":\"see data:image/png;base64,@\"}", 400);
	kept("{\"url\":\"data:image/png;base64,@\"}", 252);
	kept("{\"url\":\"data:image/png;base64\"}", 0);
}

/* Long, under the names, and no base64. */
static void
alike(void)
{
	char in[ROOM];

	kept("{\"data\":\"@ @\"}", 400);
	kept("{\"data\":\"@\\\\@\"}", 400);
	kept("{\"data\":\"@\\u0041@\"}", 400);
	kept("{\"data\":\"@\\t@\"}", 400);
	kept("{\"data\":\"@\\\"\"}", 400);
	kept("{\"result\":\"@.@\"}", 400);
	kept("{\"result\":\"{\\\"a\\\":\\\"@\\\"}\"}", 400);
	kept("{\"data\":\"@\xc3\xa9\"}", 400);
	/* it is not a whole number of bytes, or padded in the middle */
	ok(shows(filled("{\"data\":\"@Q\"}", 400, "", in), MEDIA_DIGEST,
	    SLICE("{\"data\":\"(401 characters)\"}")));
	ok(shows(filled("{\"data\":\"@=@\"}", 300, "", in), MEDIA_CUT,
	    SLICE("{\"data\":\"(601 characters)\"}")));
}

/* Escapes that JSON may write base64 with. */
static void
escaped(void)
{
	static const struct slice want = SLICE("{\"data\":\"(453 bytes)\"}");
	char in[ROOM];

	ok(shows(filled("{\"data\":\"@\\/\\/\\/\\/@\"}", 300, "", in), MEDIA_CUT, want));
	ok(shows(filled("{\"data\":\"@\\u002f\\u002B\\u002F\\u002b@\"}", 300, "", in), MEDIA_CUT, want));
	ok(shows(filled("{\"data\":\"@\\r\\n////\\n@\"}", 300, "", in), MEDIA_CUT, want));
	ok(shows(filled("{\"data\":\"@QU\\u003d\\u003D\"}", 300, "", in), MEDIA_CUT,
	    SLICE("{\"data\":\"(226 bytes)\"}")));
	ok(shows(filled("{\"data\":\"@-_-_@\"}", 300, "", in), MEDIA_CUT, want));
}

/* Nothing is read beyond the text, whatever it is, and no depth is kept. */
static void
hostile(void)
{
	static const char *const odd[] = { "\"", "\\", "\"\\", "{\"data\":\"", "\"data\":\"\\\"", "\"\"\"\"", "" };
	struct arena arena = { .blocks = NULL };
	size_t i, n = 200000;
	struct slice got;
	char *deep;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		size_t len = 300 + strlen(odd[i]);
		char *text = malloc(len);

		assert(text != NULL);
		memset(text, 'A', 300);
		memcpy(text + 300, odd[i], len - 300);
		got = media_show(slice_make(text, len), MEDIA_CUT, NULL, &arena);
		ok(got.len <= len);
		free(text);
	}
	deep = malloc(2 * n + 1);
	assert(deep != NULL);
	memset(deep, '[', n);
	memset(deep + n, '"', n);
	got = media_show(slice_make(deep, 2 * n), MEDIA_CUT, NULL, &arena);
	ok(got.ptr == deep);
	free(deep);
	ok(media_show(SLICE_NONE, MEDIA_CUT, NULL, &arena).ptr == NULL);
	arena_free(&arena);
}

int
main(void)
{
	names();
	urls();
	alike();
	escaped();
	hostile();
	return done();
}
