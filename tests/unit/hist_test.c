/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of spans of time: bounds, bytes, sums, quantiles. */
#include "store/hist.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void
test_bounds(void)
{
	bool inside = true, narrow = true;

	ok(hist_bucket(INT64_MIN) == 0 && hist_bucket(0) == 0 && hist_bucket(1) == 0);
	ok(hist_bucket(INT64_MAX) == HIST_BUCKETS - 1);
	ok(hist_bucket(INT64_C(1) << 42) == HIST_BUCKETS - 1);
	ok(hist_bucket((INT64_C(1) << 42) - 1) == HIST_BUCKETS - 2);
	ok(hist_bound(8 * 10) == 1024 && hist_bucket(1024) == 80 && hist_bucket(1023) == 79);
	for (unsigned i = 64; i < HIST_BUCKETS - 1; i++) {
		int64_t low = hist_bound(i), high = hist_bound(i + 1);

		inside = inside && hist_bucket(low) == i && hist_bucket(high - 1) == i;
		narrow = narrow && (double)(high - low) < 0.1 * (double)low + 1;
	}
	ok(inside);
	ok(narrow);
}

static void
test_bytes(void)
{
	struct hist h = { { 0 } }, back = { { 0 } };
	struct buf bytes;
	char one[HIST_ONE];
	size_t n = hist_one(1500000, one);

	buf_init(&bytes, HIST_LIMIT);
	hist_write(&h, &bytes);
	ok(bytes.len == 0);
	ok(n <= HIST_ONE && hist_add(&h, slice_make(one, n), 1) && h.n[hist_bucket(1500000)] == 1);
	h.n[0] = 300;
	h.n[HIST_BUCKETS - 1] = (uint64_t)INT64_MAX;
	hist_write(&h, &bytes);
	ok(hist_add(&back, buf_view(&bytes), 1) && memcmp(&back, &h, sizeof(h)) == 0);
	ok(hist_add(&back, buf_view(&bytes), 1) && back.n[HIST_BUCKETS - 1] == (uint64_t)INT64_MAX);
	ok(back.n[0] == 600);
	ok(hist_add(&h, buf_view(&bytes), -1) && hist_count(&h) == 0);
	ok(hist_add(&h, buf_view(&bytes), -1) && hist_count(&h) == 0);	/* not below nothing */
	ok(!hist_add(&h, slice_make(bytes.ptr, bytes.len - 1), 1));
	ok(!hist_add(&h, SLICE("\x00\x01"), 1) && !hist_add(&h, SLICE("\xff\xff\x7f\x01"), 1));
	ok(!hist_add(&h, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"), 1));
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		h.n[i] = (uint64_t)INT64_MAX;
	buf_clear(&bytes);
	hist_write(&h, &bytes);
	ok(!bytes.failed);	/* the largest there is */
	buf_free(&bytes);
}

static bool
near(int64_t got, int64_t want)
{
	if (llabs(got - want) * 20 <= want)
		return true;
	printf("# %lld, not about %lld\n", (long long)got, (long long)want);
	return false;
}

static void
test_quantiles(void)
{
	struct hist h = { { 0 } };

	ok(hist_quantile(&h, 0.5) == -1);
	for (int i = 1; i <= 1000; i++)
		h.n[hist_bucket(i * 1000)]++;
	ok(hist_count(&h) == 1000);
	ok(near(hist_quantile(&h, 0.5), 500000));
	ok(near(hist_quantile(&h, 0.95), 950000));
	ok(near(hist_quantile(&h, 0.01), 10000));
	ok(near(hist_quantile(&h, 1), 1000000));
	ok(hist_quantile(&h, 0) >= 900 && hist_quantile(&h, 0) <= 1100);
	memset(&h, 0, sizeof(h));
	h.n[hist_bucket(2000000)] = 1;
	ok(near(hist_quantile(&h, 0.5), 2000000) && near(hist_quantile(&h, 0.95), 2000000));
}

int
main(void)
{
	test_bounds();
	test_bytes();
	test_quantiles();
	return done();
}
