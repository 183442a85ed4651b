/* SPDX-License-Identifier: Apache-2.0 */
/* opens and tally: the table against a plain one under many adds and removes,
 * and a CHECKPOINT read back, also one that takes several records. */
#include "base/base.h"
#include "journal_util.h"
#include "tap.h"

#define IDS 4000

static void
test_table(void)
{
	static uint64_t plain[IDS];
	struct opens o = { 0 };
	struct open_exchange *x;
	uint8_t id[16];
	uint64_t seed = 1, n;
	unsigned step, bad = 0;
	size_t count = 0;

	for (step = 0; step < 100000; step++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = (seed >> 33) % IDS;
		id_make(id, n);
		x = opens_find(&o, id);
		bad += (x != NULL) != (plain[n] != 0) || (x != NULL && x->last != plain[n]);
		if (x != NULL && (seed & 1)) {
			opens_remove(&o, x);
			plain[n] = 0;
			count--;
		} else {
			count += plain[n] == 0;
			opens_add(&o, id, 1, step + 2);
			plain[n] = step + 2;
		}
		bad += o.count != count;
	}
	ok(bad == 0);
	ok(o.cap <= 16384);
	opens_clear(&o);
	ok(o.count == 0 && opens_find(&o, id) == NULL && opens_oldest(&o) == 0);
	opens_free(&o);
}

static void
test_checkpoint(unsigned open)
{
	struct tally t = { .begun = open + 5, .ended = 5, .dropped = 3 }, back = { 0 };
	struct record rec;
	struct buf b;
	uint8_t id[16];
	size_t used, at;
	unsigned i, bad = 0;
	struct open_exchange *x;

	for (i = 0; i < open; i++) {
		id_make(id, i);
		opens_add(&t.opens, id, 1000 + i, 2000 + i);
	}
	buf_init(&b, 64 * MIB);
	tally_write(&t, 0, &b);
	ok(!b.failed && b.len <= tally_size(&t) && b.len + 200 > tally_size(&t));
	for (at = 0; at < b.len; at += used) {
		if (record_read(&rec, b.ptr + at, b.len - at, &used) != RECORD_OK)
			break;
		tally_apply(&back, &rec, at);
	}
	ok(at == b.len);
	ok(back.begun == t.begun && back.ended == 5 && back.dropped == 3 && back.opens.count == open);
	for (i = 0; i < open; i++) {
		id_make(id, i);
		x = opens_find(&back.opens, id);
		bad += x == NULL || x->first != 1000 + i || x->last != 2000 + i;
	}
	ok(bad == 0);
	ok(opens_oldest(&back.opens) == (open ? 1000 : 0));
	buf_clear(&b);
	t.dropped = 9;
	tally_write_dropped(&t, 0, &b);
	ok(b.len == TALLY_DROPPED_SIZE && record_read(&rec, b.ptr, b.len, &used) == RECORD_OK);
	tally_apply(&back, &rec, 1);
	ok(back.dropped == 9 && back.begun == t.begun && back.opens.count == open);
	buf_free(&b);
	tally_free(&t);
	tally_free(&back);
}

int
main(void)
{
	test_table();
	test_checkpoint(0);
	test_checkpoint(3);
	test_checkpoint(70000);
	return done();
}
