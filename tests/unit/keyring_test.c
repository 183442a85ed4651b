/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring: keys are found by their text and by nothing near it, rates hold over
 * a reload, and what is written to DATA/keys is read back the same.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/keys_file.h"
#include "core/limits.h"
#include "tap.h"

#define SECOND UINT64_C(1000000)

static char	dir[] = "/tmp/spangate-keys-XXXXXX";
static char	err[300];

static struct key_config
wanted(const char *id)
{
	return (struct key_config){ .id = id ? xstrdup(id) : NULL, .environment = xstrdup("test"),
	    .tenant = xstrdup("default"), .rights = RIGHT_READ | RIGHT_ADMIN, .rate = 60 };
}

/* Adds a key to the file; its text. */
static bool
add(const char *id, const char *name, char *text)
{
	struct key_config k = wanted(id);
	struct keys_file f;
	bool good;

	k.name = name ? xstrdup(name) : NULL;
	k.expires_us = 12345678901234567;
	if (!keys_file_open(&f, dir, err, sizeof(err)))
		return false;
	good = keys_file_add(&f, &k, text, err, sizeof(err));
	if (!good)
		key_clear(&k);
	good = good && keys_file_save(&f, err, sizeof(err));
	keys_file_close(&f);
	return good;
}

static void
test_file(void)
{
	struct keyring *ring = keys_file_read(dir, err, sizeof(err));
	const struct key_config *k;
	char one[KEY_TEXT + 1], two[KEY_TEXT + 1], path[100];
	struct keys_file f;
	struct stat st;

	ok(ring != NULL && ring->n == 0 && !ring->closed);
	keyring_unref(ring);
	ok(add("a", "näme \"q\"\n", one) && add(NULL, NULL, two));
	ok(!add("a", NULL, path) && strstr(err, "called a") != NULL);
	ring = keys_file_read(dir, err, sizeof(err));
	ok(ring != NULL && ring->n == 2 && ring->closed);
	k = keyring_find(ring, slice_str(one));
	ok(k != NULL && strcmp(k->id, "a") == 0 && strcmp(k->name, "näme \"q\"\n") == 0);
	ok(k->rights == (RIGHT_READ | RIGHT_ADMIN) && k->rate == 60 && k->expires_us == 12345678901234567);
	ok(strcmp(k->environment, "test") == 0 && !k->environment_free && k->created_us > 0 && k->revoked_us == 0);
	k = keyring_find(ring, slice_str(two));
	ok(k != NULL && strcmp(k->id, k->prefix) == 0 && memcmp(k->prefix, two + 3, KEY_PREFIX) == 0);
	for (size_t i = 0; i < KEY_TEXT; i++) {
		one[i] ^= 1;
		if (keyring_find(ring, slice_str(one)) != NULL)
			ok(false);
		one[i] ^= 1;
	}
	ok(keyring_find(ring, SLICE_NONE) == NULL && keyring_find(ring, slice_make(one, KEY_TEXT - 1)) == NULL);
	keyring_unref(ring);
	snprintf(path, sizeof(path), "%s/" KEYS_FILE, dir);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	ok(keys_file_open(&f, dir, err, sizeof(err)) && f.n == 2);
	keys_file_remove(&f, keys_file_find(&f, SLICE("a")));
	keys_file_remove(&f, &f.list[0]);
	ok(f.n == 0 && keys_file_save(&f, err, sizeof(err)));
	keys_file_close(&f);
	ring = keys_file_read(dir, err, sizeof(err));
	ok(ring != NULL && ring->n == 0 && ring->closed);	/* all gone is not open */
	keyring_unref(ring);
}

/* Lines that are no keys, or whose names would come out as something else. */
static void
test_lines(void)
{
	static const char good[] = "{\"id\":\"a\",\"prefix\":\"01234567\",\"salt\":\"00112233445566778899aabbccddeeff\","
	    "\"hash\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"environment\":\"prod\","
	    "\"tenant\":\"default\",\"later\":[1]}";
	static const char *const bad[] = { "{", "[]", "{}", "\"environment\":\"a b\"", "\"environment\":\"\"", "\"tenant\":5",
	    "\"prefix\":\"0123456\"", "\"prefix\":\"012/..67\"", "\"salt\":\"00\"", "\"hash\":\"xx\"", "\"id\":\"a\\nb\"" };
	struct keyring *ring;
	char path[100], *line;
	FILE *file;

	snprintf(path, sizeof(path), "%s/" KEYS_FILE, dir);
	for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		line = i == 0 ? xstrdup(good) : *bad[i - 1] != '"' ? xstrdup(bad[i - 1]) :
		    xasprintf("%.*s,%s}", (int)sizeof(good) - 2, good, bad[i - 1]);	/* the last one counts */
		file = fopen(path, "w");
		fprintf(file, "\n%s", line);
		fclose(file);
		ring = keys_file_read(dir, err, sizeof(err));
		if (i == 0)
			ok(ring != NULL && ring->n == 1 && ring->list[0].rights == RIGHTS_DEFAULT);
		else if (ring != NULL || strstr(err, ":2: this line is no key") == NULL)
			ok(false);
		keyring_unref(ring);
		free(line);
	}
	ok(remove(path) == 0);
}

static unsigned
spend(const struct key_config *k, unsigned n, uint64_t now)
{
	unsigned taken = 0;

	while (n-- > 0)
		taken += key_spend(k, now) == 0;
	return taken;
}

static void
test_rates(void)
{
	struct key_config a[2] = { { .id = xstrdup("a"), .rate = 60 }, { .id = xstrdup("b") } };
	struct key_config b[2] = { { .id = xstrdup("b") }, { .id = xstrdup("a"), .rate = 60 } };
	uint64_t now = 5000 * SECOND;

	keys_adopt_rates(a, 2, NULL, 0);
	ok(spend(&a[0], 100, now) == 60);
	ok(key_spend(&a[0], now) == 1 || key_spend(&a[0], now) == 2);
	ok(spend(&a[1], 1000, now) == 1000);
	ok(spend(&a[0], 10, now + 3 * SECOND) == 3);
	keys_adopt_rates(b, 2, a, 2);
	key_clear(&a[0]);
	ok(spend(&b[1], 10, now + 4 * SECOND) == 1);
	ok(spend(&b[1], 100, now + 1000 * SECOND) == 60);
	b[1].rate = 30;
	keys_adopt_rates(b, 2, a, 0);	/* of another rate: anew */
	ok(spend(&b[1], 100, now + 1000 * SECOND) == 30);
	key_clear(&a[1]);
	key_clear(&b[0]);
	key_clear(&b[1]);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_file();
	test_lines();
	test_rates();
	if (chdir(dir) == 0) {
		(void)remove(KEYS_FILE ".lock");
		(void)rmdir(dir);
	}
	return done();
}
