/* SPDX-License-Identifier: Apache-2.0 */
/* record: what was put comes back; no cut, flip or nonsense is taken for a
 * record, and no read leaves the bytes given. */
#include "core/record.h"

#include <stdlib.h>

#include "tap.h"

static const uint8_t id[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* A PART with a borrowed tail, back to back in `out`. */
static void
make_part(struct buf *out, struct slice bytes)
{
	struct buf fields;
	char head[RECORD_HEAD];

	buf_init(&fields, 1024);
	record_put_u64(&fields, TAG_T, 137000);
	record_put_u64(&fields, TAG_DIRECTION, DIRECTION_ANSWER);
	record_put(&fields, TAG_DETAIL, SLICE("words"));
	record_put(&fields, TAG_NOTES, SLICE(""));
	record_put_head(&fields, TAG_BYTES, bytes.len);
	record_head(head, RECORD_PART, 0x5a17, id, 0x100000040, buf_view(&fields), bytes);
	buf_append(out, head, sizeof(head));
	buf_slice(out, buf_view(&fields));
	buf_slice(out, bytes);
	buf_free(&fields);
}

static void
test_roundtrip(const struct buf *b, struct slice bytes)
{
	struct record r;
	struct record_field f;
	size_t used = 0;
	unsigned n = 0;

	ok(record_read(&r, b->ptr, b->len, &used) == RECORD_OK);
	ok(used == b->len);
	ok(r.type == RECORD_PART && memcmp(r.id, id, 16) == 0 && r.prev == 0x100000040);
	ok(record_get_u64(r.payload, TAG_T, 0) == 137000);
	ok(record_get_u64(r.payload, TAG_DIRECTION, 9) == 1);
	ok(slice_eq(record_get(r.payload, TAG_DETAIL), SLICE("words")));
	ok(record_get(r.payload, TAG_NOTES).ptr != NULL && record_get(r.payload, TAG_NOTES).len == 0);
	ok(slice_eq(record_get(r.payload, TAG_BYTES), bytes));
	ok(record_get(r.payload, TAG_STATUS).ptr == NULL);
	ok(record_get_u64(r.payload, TAG_STATUS, 42) == 42);
	ok(record_get_u64(r.payload, TAG_DETAIL, 42) == 42);
	while (record_next(&r.payload, &f))
		n++;
	ok(n == 5 && r.payload.len == 0 && r.payload.ptr != NULL);
}

/* Each cut in memory of exactly that size, so that a sanitizer sees any read
 * behind it. */
static void
test_cuts(const struct buf *b)
{
	struct record r;
	size_t cut, used;
	int bad = 0;
	char *p;

	for (cut = 0; cut < b->len; cut++) {
		p = malloc(cut + 1);
		memcpy(p + 1, b->ptr, cut);
		bad += record_read(&r, p + 1, cut, &used) != RECORD_MORE;
		free(p);
	}
	ok(bad == 0);
}

static void
test_flips(struct buf *b)
{
	struct record r;
	size_t i, used;
	int bit, bad = 0;

	for (i = 0; i < b->len; i++)
		for (bit = 0; bit < 8; bit++) {
			b->ptr[i] ^= (char)(1 << bit);
			bad += record_read(&r, b->ptr, b->len, &used) == RECORD_OK;
			b->ptr[i] ^= (char)(1 << bit);
		}
	ok(bad == 0);
}

static void
test_lengths(void)
{
	static const uint32_t wrong[] = { 0, 1, RECORD_HEAD - 1, LIMIT_RECORD + 1, 0xffffffff };
	char p[64] = { 0 };
	struct record r;
	size_t i, used;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(p, &wrong[i], 4);
		ok(record_read(&r, p, sizeof(p), &used) == RECORD_E_LENGTH);
	}
	record_head(p, RECORD_END, 0, id, 7, SLICE_NONE, SLICE_NONE);
	ok(record_read(&r, p, sizeof(p), &used) == RECORD_OK && used == RECORD_HEAD);
	ok(r.payload.len == 0);
}

static void
test_fields(void)
{
	static const char torn[] = { TAG_T, 8, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, TAG_DETAIL, 5, 0, 0, 'a' };
	struct slice payload = slice_make(torn, sizeof(torn));
	struct record_field f;
	struct buf b;

	ok(record_next(&payload, &f) && f.tag == TAG_T && record_u64(f.bytes) == 0x0807060504030201);
	ok(!record_next(&payload, &f) && payload.ptr == NULL && payload.len == 0);
	ok(!record_next(&payload, &f));
	payload = slice_make(torn, 3);
	ok(!record_next(&payload, &f) && payload.ptr == NULL);
	ok(record_u64(SLICE("1234567")) == 0);
	buf_init(&b, 64);
	record_put(&b, TAG_BYTES, slice_make(torn, 0x1000000));
	ok(b.failed);
	buf_free(&b);
	record_put(&b, TAG_BYTES, slice_make("", 0));
	ok(!b.failed && b.len == 4);
	record_put_u64(&b, TAG_T, 1);
	ok(b.len == 16);
	buf_free(&b);
	buf_init(&b, 8);
	record_put_u64(&b, TAG_T, 1);
	ok(b.failed && b.len == 0);
	buf_free(&b);
}

/* The short way to a PART's fields gives what the long one gives. */
static void
test_part(void)
{
	char fields[RECORD_PART_FIELDS];
	struct buf b;

	buf_init(&b, 64);
	record_put_u64(&b, TAG_T, 0x1122334455667788);
	record_put_u64(&b, TAG_OFFSET, 70000);
	record_put_head(&b, TAG_BYTES, 65536);
	record_put_part(fields, 0x1122334455667788, 70000, 65536);
	ok(slice_eq(buf_view(&b), slice_make(fields, sizeof(fields))));
	buf_free(&b);
}

int
main(void)
{
	struct slice bytes = SLICE("data: {\"choices\":[]}\n\n");
	struct buf b;

	buf_init(&b, 4096);
	make_part(&b, bytes);
	test_roundtrip(&b, bytes);
	test_cuts(&b);
	test_flips(&b);
	test_lengths();
	test_fields();
	test_part();
	buf_free(&b);
	return done();
}
