/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring: the keys that were made at run time (DATA/keys), as they are looked
 * up: immutable once made and shared by reference, like the settings. Reading
 * and writing the file is keys_file.h.
 */
#ifndef BASE_KEYRING_H
#define BASE_KEYRING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

/* What a key may do. Without keys everybody may do everything. */
enum key_right {
	RIGHT_GATEWAY = 1,	/* call providers */
	RIGHT_READ = 2,		/* read spans over the API */
	RIGHT_WRITE = 4,	/* create, change, delete them */
	RIGHT_ADMIN = 8,	/* make and revoke keys */
};
#define RIGHTS_DEFAULT (RIGHT_GATEWAY | RIGHT_READ | RIGHT_WRITE)
#define RIGHTS 4

#define KEY_PREFIX 8		/* characters after "sg-" that a key is looked up by; no secret */
#define KEY_SALT 16
#define KEY_TEXT (3 + KEY_PREFIX + 1 + 64)	/* "sg-", prefix, ".", 256 bits in hex */

/* How much of its rate a key has used; outlives the ring, as rates go on over a
 * reload. */
struct key_bucket {
	atomic_uint	 references;
	_Atomic uint64_t full_at;	/* µs: when the bucket will be full again */
};

struct key_config {
	char		*id;
	char		*environment;	/* default "prod" */
	bool		 environment_free; /* the request may name another */
	char		*tenant;	/* default "default" */
	uint8_t		 hash[32];	/* HMAC-SHA-256 of the key's text: key_hash(), or with its salt */
	unsigned	 rights;	/* of enum key_right */
	unsigned	 rate;		/* requests a minute; 0: no limit */
	struct key_bucket *bucket;	/* with a rate */
	/* Of those in the file only. */
	char		*name;		/* for people; NULL: none */
	char		 prefix[KEY_PREFIX + 1];
	uint8_t		 salt[KEY_SALT];
	uint64_t	 created_us, expires_us, revoked_us;	/* wall clock; 0: not, never */
};

struct keyring {
	atomic_uint	 references;
	struct key_config *list;	/* by prefix */
	size_t		 n;
	bool		 closed;	/* the file is there: keys are needed, even if it holds none that counts */
};

/* The name of a right; NULL past the last. */
const char *key_right_name(unsigned place);
/* 0: there is no such right. */
unsigned key_right(struct slice name);

/* Takes the list (malloc'ed, with all in it). */
struct keyring	*keyring_new(struct key_config *list, size_t n, bool closed);
struct keyring	*keyring_ref(struct keyring *);
void		 keyring_unref(struct keyring *);
/* Of a list in the settings or in a ring. */
void		 key_clear(struct key_config *);

/* The key with that text, whether or not it still counts: NULL, there is none.
 * In constant time but for the prefix, which is no secret. */
const struct key_config *keyring_find(const struct keyring *, struct slice text);
/* Neither revoked nor expired. */
bool	key_counts(const struct key_config *, uint64_t wall_us);
/* Of the keys in `to` those that `from` has with the same id and rate go on
 * with what they have used; the others begin anew. */
void	keys_adopt_rates(struct key_config *to, size_t nto, const struct key_config *from, size_t nfrom);
/* One request more: 0, it is within the rate; else the seconds until one is. */
unsigned key_spend(const struct key_config *, uint64_t mono_us);

/* HMAC-SHA-256 of a key's text under the fixed name "spangate-key". */
void	key_hash(struct slice text, uint8_t out[32]);
/* The same under a salt of its own. */
void	key_hash_salted(struct slice text, const uint8_t salt[KEY_SALT], uint8_t out[32]);

#endif
