/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: any records make a span whose JSON is good, and how the answer's
 * bytes were cut into parts does not show in it. The input is a list of
 * records: type, length (two bytes, little-endian), payload. The first byte
 * chooses the options.
 */
#include <stdlib.h>

#include "core/jscan.h"
#include "span/build.h"

#define ROOM (256u * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* Payloads made here, which the build borrows. */
struct made {
	struct buf	list[1024];
	size_t		n;
};

static const uint8_t id[16] = { 1, 2, 3 };

/* One piece of a part: fields put before the others win. */
static void
piece_feed(struct build *b, const struct record *whole, struct made *made, uint64_t offset,
    struct slice piece, bool first)
{
	struct buf *payload = &made->list[made->n++];
	struct record r = *whole;

	buf_init(payload, ROOM);
	record_put_u64(payload, TAG_OFFSET, offset);
	record_put(payload, TAG_BYTES, piece);
	if (!first)
		record_put_u64(payload, TAG_HELD, 0);
	buf_slice(payload, whole->payload);
	r.payload = buf_view(payload);
	build_feed(b, &r);
}

static void
record_feed(struct build *b, const struct record *r, struct made *made, unsigned cut)
{
	uint64_t offset = record_get_u64(r->payload, TAG_OFFSET, 0);
	struct slice all = record_get(r->payload, TAG_BYTES);
	size_t n;

	if (cut == 0 || r->type != RECORD_PART || all.len < 2 || made->n + 2 > 1024 ||
	    offset > UINT32_MAX) {
		build_feed(b, r);
		return;
	}
	n = 1 + cut * 7919u % (all.len - 1);
	piece_feed(b, r, made, offset, slice_make(all.ptr, n), true);
	piece_feed(b, r, made, offset + n, slice_from(all, n), false);
}

/* Feeds the records and prints the span. True: none was out of place. */
static bool
built(struct slice in, const struct build_options *options, bool raw, unsigned cut,
    struct buf *json)
{
	struct made *made = calloc(1, sizeof(*made));
	struct build *b = build_new(options);
	const struct span *s;
	struct record r;
	size_t n;
	bool good;

	CHECK(made != NULL && b != NULL);
	memcpy(r.id, id, sizeof(id));
	r.prev = 0;
	while (in.len >= 3) {
		r.type = (enum record_type)(unsigned char)in.ptr[0];
		n = (unsigned char)in.ptr[1] + 256u * (unsigned char)in.ptr[2];
		in = slice_from(in, 3);
		n = n < in.len ? n : in.len;
		r.payload = slice_make(in.ptr, n);
		record_feed(b, &r, made, cut);
		in = slice_from(in, n);
	}
	s = raw ? build_finish_raw(b) : build_finish(b);
	CHECK(s != NULL && s->status.len > 0 && s->id.len == 32);
	buf_init(json, ROOM);
	span_json(s, true, json);
	CHECK(!json->failed && memchr(json->ptr, '\n', json->len) == NULL);
	good = memmem(json->ptr, json->len, "records_odd", 11) == NULL;
	build_free(b);
	while (made->n > 0)
		buf_free(&made->list[--made->n]);
	free(made);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct build_options options = { .user_as_customer = true };
	struct slice in = slice_make(data, size);
	struct buf one, other;
	unsigned choice;
	bool comparable;

	if (size == 0)
		return 0;
	choice = data[0];
	options.row_only = choice & 1;
	in = slice_from(in, 1);
	comparable = built(in, &options, choice & 2, 0, &one);
	CHECK(jscan_check(buf_view(&one), NULL, NULL) == JSCAN_END);
	built(in, &options, choice & 2, 1 + (choice >> 2), &other);
	if (comparable)
		CHECK(slice_eq(buf_view(&one), buf_view(&other)));
	buf_free(&one);
	buf_free(&other);
	return 0;
}
