/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media.c: walks the strings of a checked JSON text and shortens those that
 * are encoded media. Called by build.c when all else of a span is made, on the
 * few fields that can hold any. It keeps no depth: a string's name is the key
 * right before it.
 */
#include "span/media.h"

#include "core/base64.h"
#include "core/limits.h"
#include "span/arena.h"

#define MEDIA_LEAST 256		/* characters: a shorter string is not worth it */

/* Names whose long base64 strings are media: images.data[], image_url parts'
 * files, input_audio and audio, Anthropic's sources, image_generation_call. */
static const struct slice media_names[] = {
	SLICE("b64_json"), SLICE("data"), SLICE("file_data"), SLICE("result"),
	SLICE("partial_image_b64"), SLICE("audio"), SLICE("image"), SLICE("image_url"),
};

static bool
name_is_media(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof(media_names) / sizeof(*media_names); i++)
		if (slice_eq(name, media_names[i]))
			return true;
	return false;
}

/* The length of an escape of base64's own characters or a line end, else 0. */
static size_t
escape_length(struct slice s)
{
	static const struct slice escapes[] = {
		SLICE("\\/"), SLICE("\\n"), SLICE("\\r"),
		SLICE("\\u002b"), SLICE("\\u002f"), SLICE("\\u003d"),
	};
	size_t i;

	for (i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (s.len >= escapes[i].len &&
		    slice_caseeq(slice_make(s.ptr, escapes[i].len), escapes[i]))
			return escapes[i].len;
	return 0;
}

static bool
all_base64(struct slice s)
{
	size_t i, n;

	for (i = 0; i < s.len; i += n) {
		char c = s.ptr[i];

		n = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
		if (c == '\\')
			n = escape_length(slice_from(s, i));
		if (n == 0)
			return false;
	}
	return true;
}

/* Of a data: URL what stands behind its comma, where it is base64. */
static struct slice
url_payload(struct slice inner)
{
	static const struct slice mark = SLICE(";base64,");
	const char *comma;

	if (!slice_starts(inner, SLICE("data:")))
		return SLICE_NONE;
	comma = memchr(inner.ptr, ',', inner.len < 256 ? inner.len : 256);
	if (comma == NULL || (size_t)(comma - inner.ptr) < mark.len ||
	    !slice_ends(slice_make(inner.ptr, (size_t)(comma - inner.ptr) + 1), mark))
		return SLICE_NONE;
	return slice_from(inner, (size_t)(comma - inner.ptr) + 1);
}

/* What of a string (between its quotes) is encoded media. */
static struct slice
media_of(struct slice name, struct slice inner)
{
	struct slice payload;

	if (inner.len < MEDIA_LEAST)
		return SLICE_NONE;
	payload = url_payload(inner);
	if (payload.ptr == NULL && name_is_media(name))
		payload = inner;
	return payload.len >= MEDIA_LEAST && all_base64(payload) ? payload : SLICE_NONE;
}

/* What stands in the payload's place. */
static void
substitute(struct slice payload, enum media_kept kept,
    void (*digest)(struct slice, uint8_t *), struct buf *out)
{
	uint8_t hash[32];
	struct base64 base64;
	struct buf bytes;
	size_t i;

	buf_init(&bytes, LIMIT_EXPANDED);
	base64_init(&base64);
	if (!base64_feed(&base64, payload, &bytes) || !base64_end(&base64))
		buf_clear(&bytes);
	if (kept == MEDIA_DIGEST && digest != NULL && bytes.len > 0) {
		digest(buf_view(&bytes), hash);
		buf_str(out, "sha256:");
		for (i = 0; i < sizeof(hash); i++)
			buf_printf(out, "%02x", hash[i]);
		buf_str(out, " ");
	}
	if (bytes.len > 0)
		buf_printf(out, "(%zu bytes)", bytes.len);
	else
		buf_printf(out, "(%zu characters)", payload.len);
	buf_free(&bytes);
}

/* The end of the string that opens at p (its closing quote). */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p : end;
}

struct slice
media_show(struct slice json, enum media_kept kept,
    void (*digest)(struct slice bytes, uint8_t out[32]), struct arena *arena)
{
	const char *p = json.ptr, *at = p, *end, *quote;
	struct slice name = SLICE_NONE, before = SLICE_NONE, inner, payload;
	struct buf out;

	if (kept == MEDIA_KEEP || json.len < MEDIA_LEAST)
		return json;
	end = json.ptr + json.len;
	buf_init(&out, LIMIT_EXPANDED);
	while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		quote = string_end(p, end);
		inner = slice_make(p + 1, (size_t)(quote - p - 1));
		payload = media_of(name, inner);
		/* thinking that only its provider can read; its type stands before it */
		if (slice_eq(before, SLICE("redacted_thinking")))
			payload = SLICE_NONE;
		if (payload.ptr != NULL) {
			buf_append(&out, at, (size_t)(payload.ptr - at));
			substitute(payload, kept, digest, &out);
			at = payload.ptr + payload.len;
		}
		p = quote < end ? quote + 1 : end;
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
			p++;
		/* an array's strings are of the array's name */
		if (p < end && *p == ':')
			name = inner;
		else
			before = inner;
	}
	if (at == json.ptr) {
		buf_free(&out);
		return json;
	}
	buf_append(&out, at, (size_t)(end - at));
	return arena_take(arena, &out);
}
