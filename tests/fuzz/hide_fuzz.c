/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hide: what comes out must not depend on the cuts, is what went in less some
 * bytes, and all of it where no usage is in it. The first byte is the seed of
 * the cuts.
 */
#include "core/hide.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "cuts.h"
#include "events.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
pieces_take(struct hide *h, struct buf *out)
{
	struct slice piece;

	while (hide_next(h, &piece)) {
		CHECK(piece.len > 0);
		buf_slice(out, piece);
	}
}

/* Whether a usage-only event was taken out. */
static bool
filter(struct slice stream, uint64_t seed, struct buf *out)
{
	struct slice piece;
	struct cuts cuts;
	struct hide h;

	buf_init(out, 16 * MIB);
	hide_init(&h);
	cuts_init(&cuts, stream, seed);
	while (cuts_next(&cuts, &piece)) {
		hide_feed(&h, piece);
		pieces_take(&h, out);
		CHECK(h.held.len <= LIMIT_HELD_EVENT);
	}
	hide_finish(&h);
	pieces_take(&h, out);
	hide_free(&h);
	return h.seen_usage;
}

/* Is `part` the bytes of `of`, in order, with some left out? */
static bool
is_part(struct slice part, struct slice of)
{
	size_t i;

	for (i = 0; i < of.len && part.len > 0; i++)
		if (of.ptr[i] == *part.ptr)
			part = slice_from(part, 1);
	return part.len == 0;
}

static bool
may_name_usage(struct slice s)
{
	for (; s.len > 0; s = slice_from(s, 1))
		if (*s.ptr == '\\' || slice_starts(s, SLICE("\"usage\"")))
			return true;
	return false;
}

/* How many members are named so; *last is the last one's value. */
static size_t
count_members(struct slice json, struct slice name, struct jvalue *last)
{
	struct jmember m;
	struct jscan s;
	size_t n = 0;

	jscan_init(&s, json);
	while (jscan_next(&s, &m) == JSCAN_ITEM)
		if (jkey_is(&m, name)) {
			n++;
			*last = m.value;
		}
	return n;
}

/* Are all members of `less` in `json` in the same order, usage aside? */
static bool
same_members(struct slice json, struct slice less)
{
	struct jmember was, is;
	struct jscan a, b;

	jscan_init(&a, json);
	jscan_init(&b, less);
	while (jscan_next(&a, &was) == JSCAN_ITEM) {
		if (jkey_is(&was, SLICE("usage")))
			continue;
		if (jscan_next(&b, &is) != JSCAN_ITEM || !slice_eq(was.key_text, is.key_text) ||
		    !slice_eq(was.value.text, is.value.text))
			return false;
	}
	return jscan_next(&b, &is) == JSCAN_END && b.kind == JOBJECT;
}

/* The input as the JSON of one event, judged member by member. */
static void
event_check(struct slice json)
{
	struct jvalue v, usage = { JNONE, SLICE_NONE };
	struct buf stream, out;
	struct slice rest;
	bool gone;

	if (jscan_check(json, &v, NULL) != JSCAN_END || v.kind != JOBJECT ||
	    memchr(json.ptr, '\n', json.len) != NULL || memchr(json.ptr, '\r', json.len) != NULL)
		return;
	buf_init(&stream, MIB);
	buf_str(&stream, "data:");
	buf_slice(&stream, json);
	buf_str(&stream, "\n\n");
	gone = filter(buf_view(&stream), 0, &out);
	rest = buf_view(&out);
	if (gone)
		CHECK(rest.len == 0 && count_members(json, SLICE("usage"), &usage) == 1 &&
		    usage.kind != JNULL && jempty(jget(v, SLICE("choices"))));
	else if (count_members(json, SLICE("usage"), &usage) == 1 && usage.kind == JNULL)
		CHECK(rest.len < stream.len &&
		    same_members(json, slice_make(rest.ptr + 5, rest.len - 7)));
	else
		CHECK(slice_eq(rest, buf_view(&stream)));
	buf_free(&stream);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, bytes, cut;
	struct slice stream, out;
	bool usage;

	if (size < 1)
		return 0;
	stream = slice_make(data + 1, size - 1);
	event_check(stream);
	usage = filter(stream, 0, &whole);
	CHECK(filter(stream, 1, &bytes) == usage);
	CHECK(filter(stream, 2u + data[0], &cut) == usage);
	out = buf_view(&whole);
	CHECK(slice_eq(out, buf_view(&bytes)));
	CHECK(slice_eq(out, buf_view(&cut)));
	CHECK(is_part(out, stream));
	if (!may_name_usage(stream))
		CHECK(slice_eq(out, stream));
	/* a mark before an event is passed over at the very start only */
	if (memchr(data, 0xef, size) == NULL)
		CHECK(usage == (event_count(out) < event_count(stream)));
	buf_free(&whole);
	buf_free(&bytes);
	buf_free(&cut);
	return 0;
}
