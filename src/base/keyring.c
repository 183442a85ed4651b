/* SPDX-License-Identifier: Apache-2.0 */
/* keyring: see keyring.h. Looked up by gate threads, made by whoever read the file. */
#include <config.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/keyring.h"
#include "base/log.h"

#define MINUTE_US UINT64_C(60000000)

static const char *const right_names[RIGHTS] = { "gateway", "read", "write", "admin" };

const char *
key_right_name(unsigned place)
{
	return place < RIGHTS ? right_names[place] : NULL;
}

unsigned
key_right(struct slice name)
{
	for (unsigned i = 0; i < RIGHTS; i++)
		if (slice_eq(slice_str(right_names[i]), name))
			return 1u << i;
	return 0;
}

static void
hmac(const void *key, size_t len, struct slice text, uint8_t out[32])
{
	unsigned n = 32;

	if (HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text.ptr, text.len, out, &n) == NULL)
		bug("HMAC-SHA-256 is not there");
}

void
key_hash(struct slice text, uint8_t out[32])
{
	static const char name[] = "spangate-key";

	hmac(name, sizeof(name) - 1, text, out);
}

void
key_hash_salted(struct slice text, const uint8_t salt[KEY_SALT], uint8_t out[32])
{
	hmac(salt, KEY_SALT, text, out);
}

static void
bucket_unref(struct key_bucket *b)
{
	if (b != NULL && atomic_fetch_sub_explicit(&b->references, 1, memory_order_acq_rel) == 1)
		free(b);
}

void
key_clear(struct key_config *k)
{
	free(k->id);
	free(k->name);
	free(k->environment);
	free(k->tenant);
	bucket_unref(k->bucket);
	memset(k, 0, sizeof(*k));
}

static int
by_prefix(const void *a, const void *b)
{
	const struct key_config *x = a, *y = b;

	return memcmp(x->prefix, y->prefix, KEY_PREFIX);
}

struct keyring *
keyring_new(struct key_config *list, size_t n, bool closed)
{
	struct keyring *ring = xcalloc(1, sizeof(*ring));

	atomic_init(&ring->references, 1);
	ring->list = list;
	ring->n = n;
	ring->closed = closed;
	if (n > 1)
		qsort(list, n, sizeof(*list), by_prefix);
	return ring;
}

struct keyring *
keyring_ref(struct keyring *ring)
{
	atomic_fetch_add_explicit(&ring->references, 1, memory_order_relaxed);
	return ring;
}

void
keyring_unref(struct keyring *ring)
{
	if (ring == NULL || atomic_fetch_sub_explicit(&ring->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < ring->n; i++)
		key_clear(&ring->list[i]);
	free(ring->list);
	free(ring);
}

/* The first key that is not below this prefix. */
static size_t
lower_bound(const struct key_config *list, size_t n, const char *prefix)
{
	size_t low = 0, high = n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(list[middle].prefix, prefix, KEY_PREFIX) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct key_config *
keyring_find(const struct keyring *ring, struct slice text)
{
	const struct key_config *found = NULL, *k;
	const char *prefix;
	uint8_t hash[32];

	if (text.len != KEY_TEXT || memcmp(text.ptr, "sg-", 3) != 0)
		return NULL;
	prefix = text.ptr + 3;
	for (size_t i = lower_bound(ring->list, ring->n, prefix); i < ring->n; i++) {
		k = &ring->list[i];
		if (memcmp(k->prefix, prefix, KEY_PREFIX) != 0)
			break;
		key_hash_salted(text, k->salt, hash);
		if (CRYPTO_memcmp(k->hash, hash, sizeof(hash)) == 0)
			found = k;
	}
	return found;
}

bool
key_counts(const struct key_config *k, uint64_t wall_us)
{
	return k->revoked_us == 0 && (k->expires_us == 0 || wall_us < k->expires_us);
}

/* The same key in another list: a ring's are in order, the settings' are few. */
static const struct key_config *
find_same(const struct key_config *list, size_t n, const struct key_config *k)
{
	for (size_t i = *k->prefix ? lower_bound(list, n, k->prefix) : 0; i < n; i++) {
		if (strcmp(list[i].id, k->id) == 0)
			return &list[i];
		if (memcmp(list[i].prefix, k->prefix, sizeof(k->prefix)) != 0)
			break;
	}
	return NULL;
}

void
keys_adopt_rates(struct key_config *to, size_t nto, const struct key_config *from, size_t nfrom)
{
	const struct key_config *old;
	struct key_config *k;

	for (size_t i = 0; i < nto; i++) {
		k = &to[i];
		if (k->rate == 0)
			continue;
		old = find_same(from, nfrom, k);
		bucket_unref(k->bucket);
		if (old != NULL && old->rate == k->rate && old->bucket != NULL) {
			k->bucket = old->bucket;
			atomic_fetch_add(&k->bucket->references, 1);
			continue;
		}
		k->bucket = xcalloc(1, sizeof(*k->bucket));
		atomic_init(&k->bucket->references, 1);
	}
}

/*
 * A bucket that holds a minute's worth and is filled evenly, told by when it
 * will be full again: each request puts that off by its share of a minute, and
 * none may put it off to more than a minute from now.
 */
unsigned
key_spend(const struct key_config *k, uint64_t now)
{
	uint64_t share, full, next;

	if (k->rate == 0 || k->bucket == NULL)
		return 0;
	share = MINUTE_US / k->rate;
	full = atomic_load_explicit(&k->bucket->full_at, memory_order_relaxed);
	do {
		next = (full > now ? full : now) + share;
		if (next > now + MINUTE_US)
			return (unsigned)((next - now - MINUTE_US) / 1000000) + 1;
	} while (!atomic_compare_exchange_weak_explicit(&k->bucket->full_at, &full, next,
	    memory_order_relaxed, memory_order_relaxed));
	return 0;
}
