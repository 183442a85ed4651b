/* SPDX-License-Identifier: Apache-2.0 */
/* The output queue: what goes in comes out, copied and lent, in any steps. */
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "gate/chain.h"
#include "tap.h"

static struct chunk_pool pool;

/* Takes n bytes off the front into out. */
static void
take(struct chain *ch, size_t n, struct buf *out)
{
	struct iovec iov[4];
	size_t k;

	while (n > 0) {
		int i, count = chain_iovec(ch, iov, 4);

		for (i = 0; i < count && n > 0; i++) {
			k = iov[i].iov_len < n ? iov[i].iov_len : n;
			buf_append(out, iov[i].iov_base, k);
			chain_drop(ch, &pool, k);
			n -= k;
			if (k < iov[i].iov_len)
				break;
		}
	}
}

static void
test_mixed(unsigned seed)
{
	struct chain ch = { 0 };
	struct buf in, out;
	static char lent[70000];
	size_t i, n;

	srandom(seed);
	for (i = 0; i < sizeof(lent); i++)
		lent[i] = (char)random();
	buf_init(&in, 64 << 20);
	buf_init(&out, 64 << 20);
	for (i = 0; i < 400; i++) {
		n = (size_t)random() % (random() % 8 ? 300 : sizeof(lent));
		if (random() % 3)
			chain_copy(&ch, &pool, slice_make(lent, n));
		else
			chain_lend(&ch, &pool, slice_make(lent, n));
		buf_append(&in, lent, n);
		if (random() % 2)
			take(&ch, (size_t)random() % (ch.len + 1), &out);
	}
	take(&ch, ch.len, &out);
	ok(ch.len == 0 && ch.first == NULL && ch.last == NULL);
	ok(slice_eq(buf_view(&in), buf_view(&out)));
	buf_free(&in);
	buf_free(&out);
}

int
main(void)
{
	struct chain ch = { 0 };
	unsigned seed;

	for (seed = 1; seed <= 10; seed++)
		test_mixed(seed);
	chain_copy(&ch, &pool, SLICE("ff\r\n"));
	ok(ch.len == 4);
	chain_clear(&ch, &pool);
	ok(ch.len == 0);
	chunk_pool_free(&pool);
	return done();
}
