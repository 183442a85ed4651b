/* SPDX-License-Identifier: Apache-2.0 */
/* hist: see hist.h. Called by rollup.c for each span, by lists to add up. */
#include "store/hist.h"

#include <stddef.h>
#include <string.h>

#define STEPS 8			/* buckets to a doubling */

/* 2^31 * 2^(k/8), rounded down. */
static const uint32_t steps[STEPS] = {
	2147483648u, 2341847523u, 2553802833u, 2784941737u, 3037000499u, 3311872529u, 3611622602u, 3938502375u,
};

unsigned
hist_bucket(int64_t us)
{
	unsigned octave, step = STEPS - 1;
	uint64_t top;

	if (us < 1)
		return 0;
	octave = 63 - (unsigned)__builtin_clzll((unsigned long long)us);
	if (octave * STEPS >= HIST_BUCKETS - 1)
		return HIST_BUCKETS - 1;
	/* Its first 32 binary digits. */
	top = octave >= 31 ? (uint64_t)us >> (octave - 31) : (uint64_t)us << (31 - octave);
	while (top < steps[step])
		step--;
	return octave * STEPS + step;
}

int64_t
hist_bound(unsigned bucket)
{
	unsigned octave = bucket / STEPS, shift;
	uint64_t top = steps[bucket % STEPS];

	if (bucket == 0)
		return 0;
	if (octave >= 31)
		return (int64_t)(top << (octave - 31));
	shift = 31 - octave;
	return (int64_t)((top + (UINT64_C(1) << shift) - 1) >> shift);
}

static size_t
varint_put(uint64_t v, char *out)
{
	size_t n = 0;

	while (v >= 0x80) {
		out[n++] = (char)(v | 0x80);
		v >>= 7;
	}
	out[n++] = (char)v;
	return n;
}

static bool
varint_get(struct slice *bytes, uint64_t *v)
{
	unsigned shift = 0;
	uint8_t byte;

	for (*v = 0; bytes->len > 0 && shift < 63; shift += 7) {
		byte = (uint8_t)*bytes->ptr;
		*bytes = slice_from(*bytes, 1);
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

size_t
hist_one(int64_t us, char out[HIST_ONE])
{
	size_t n = varint_put(hist_bucket(us) + 1, out);

	return n + varint_put(1, out + n);
}

bool
hist_add(struct hist *h, struct slice bytes, int sign)
{
	uint64_t at = 0, gap, n, *to;

	while (bytes.len > 0) {
		if (!varint_get(&bytes, &gap) || !varint_get(&bytes, &n) || gap == 0 || gap > HIST_BUCKETS ||
		    at + gap > HIST_BUCKETS)
			return false;
		at += gap;
		to = &h->n[at - 1];
		if (sign > 0)
			*to = *to + n > (uint64_t)INT64_MAX ? (uint64_t)INT64_MAX : *to + n;
		else
			*to = *to < n ? 0 : *to - n;
	}
	return true;
}

void
hist_write(const struct hist *h, struct buf *out)
{
	char bytes[24];
	unsigned last = 0;
	size_t n;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		if (h->n[i] == 0)
			continue;
		n = varint_put(i + 1 - last, bytes);
		n += varint_put(h->n[i], bytes + n);
		buf_append(out, bytes, n);
		last = i + 1;
	}
}

/* Puts n bytes in place of those from `from` to `to`. */
static void
splice(struct buf *bytes, size_t from, size_t to, const char *in, size_t n)
{
	size_t rest = bytes->len - to;

	if (buf_reserve(bytes, n) == NULL)
		return;
	memmove(bytes->ptr + from + n, bytes->ptr + to, rest);
	memcpy(bytes->ptr + from, in, n);
	bytes->len = from + n + rest;
}

/* One more in the bucket, without unfolding the rest. False: the bytes are no
 * histogram, or cannot count further. */
static bool
add_one(struct buf *bytes, unsigned bucket)
{
	uint64_t at = 0, gap, count, want = (uint64_t)bucket + 1;
	struct slice rest = buf_view(bytes);
	size_t from, n;
	char in[48];

	for (;;) {
		from = bytes->len - rest.len;
		if (rest.len == 0) {
			n = varint_put(want - at, in);
			n += varint_put(1, in + n);
			splice(bytes, from, from, in, n);
			return true;
		}
		if (!varint_get(&rest, &gap) || !varint_get(&rest, &count) || gap == 0 || gap > HIST_BUCKETS)
			return false;
		if (at + gap >= want)
			break;
		at += gap;
	}
	if (count >= (uint64_t)INT64_MAX)
		return false;
	n = varint_put(want - at, in);
	n += varint_put(at + gap == want ? count + 1 : 1, in + n);
	if (at + gap > want) {
		n += varint_put(at + gap - want, in + n);
		n += varint_put(count, in + n);
	}
	splice(bytes, from, bytes->len - rest.len, in, n);
	return true;
}

void
hist_change(struct buf *bytes, int64_t us, int sign)
{
	char one[HIST_ONE];
	struct hist hist;

	if (sign > 0 && add_one(bytes, hist_bucket(us)))
		return;
	memset(&hist, 0, sizeof(hist));
	(void)hist_add(&hist, buf_view(bytes), 1);
	(void)hist_add(&hist, slice_make(one, hist_one(us, one)), sign);
	buf_clear(bytes);
	hist_write(&hist, bytes);
}

uint64_t
hist_count(const struct hist *h)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		sum += h->n[i];
	return sum;
}

int64_t
hist_quantile(const struct hist *h, double q)
{
	double want = q * (double)hist_count(h), below = 0, share;
	int64_t low, high;
	unsigned i, last = HIST_BUCKETS;

	for (i = 0; i < HIST_BUCKETS; i++) {
		if (h->n[i] == 0)
			continue;
		last = i;
		if (below + (double)h->n[i] >= want)
			break;
		below += (double)h->n[i];
	}
	if (last == HIST_BUCKETS)
		return -1;
	/* Within the bucket as if its values lay evenly. */
	low = hist_bound(last);
	high = hist_bound(last + 1);
	share = (want - below - 0.5) / (double)h->n[last];
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return low + (int64_t)((double)(high - low) * share);
}
