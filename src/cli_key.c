/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_key: `spangate key` makes a key of 256 random bits, prints it once and
 * the lines for the file of settings, which hold its hash only. Nothing is
 * written anywhere.
 */
#include <config.h>

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "cli.h"

enum { FLAG_ID, FLAG_ENVIRONMENT };

static const struct cli_flag flags[] = {
	[FLAG_ID] = { "id", "NAME", "Name of the key, shown on spans. Default: app1." },
	[FLAG_ENVIRONMENT] = { "environment", "NAME", "Environment of its spans. Default: prod." },
};

static const struct cli_usage usage = {
	"key", "",
	"Makes a key that clients of the gateway send as their API key. It is shown this\n"
	"once; the file of settings gets its hash. Keys are needed to listen beyond\n"
	"loopback.\n",
	flags, sizeof(flags) / sizeof(flags[0]), false
};

/* A name that needs no quotes in YAML. */
static bool
name_plain(const char *s)
{
	size_t	n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@");

	return n > 0 && n <= 64 && s[n] == '\0';
}

int
cli_key(int argc, char **argv)
{
	struct cli_args	 a;
	uint8_t		 bits[32], hash[32];
	char		 text[3 + 64 + 1] = "sg-", hex[65];
	const char	*id, *environment;
	int		 code;

	if (!cli_parse(&usage, argc, argv, &a, &code))
		return code;
	id = a.values[FLAG_ID] ? a.values[FLAG_ID] : "app1";
	environment = a.values[FLAG_ENVIRONMENT] ? a.values[FLAG_ENVIRONMENT] : "prod";
	cli_args_free(&a);
	if (!name_plain(id) || !name_plain(environment))
		return cli_fail("names have 1 to 64 characters of a-z, A-Z, 0-9, _ - . @");
	random_bytes(bits, sizeof(bits));
	hex_encode(bits, sizeof(bits), text + 3);
	key_hash(slice_str(text), hash);
	hex_encode(hash, sizeof(hash), hex);
	printf("Key, shown this once (clients send it as their API key):\n\n  %s\n\n"
	    "For the file of settings, under `keys:`:\n\n"
	    "  - { id: \"%s\", environment: \"%s\", sha256: \"%s\" }\n", text, id, environment, hex);
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(bits, sizeof(bits));
	return CLI_GOOD;
}
