/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_key: `spangate key` makes a key of 256 random bits, prints it once and
 * the line for the file of settings, which holds its hash only. `key add`,
 * `list` and `revoke` work on the keys of the data directory; a gateway that
 * runs there goes by them at once.
 */
#include <config.h>

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/keys_file.h"
#include "cli.h"
#include "cli_text.h"
#include "core/limits.h"
#include "span/span.h"

enum { FLAG_ID, FLAG_ENVIRONMENT, FLAG_FREE, FLAG_TENANT, FLAG_RIGHTS, FLAG_RATE, FLAG_EXPIRES, FLAG_NAME };

static const struct cli_flag flags[] = {
	[FLAG_ID] = { "id", "NAME", "Name of the key, shown on spans. Default: app1; of add: part of the key." },
	[FLAG_ENVIRONMENT] = { "environment", "NAME", "Environment of its spans. Default: prod." },
	[FLAG_FREE] = { "environment-free", NULL, "add: a request may name another environment." },
	[FLAG_TENANT] = { "tenant", "NAME", "add: whose spans they are. Default: default." },
	[FLAG_RIGHTS] = { "rights", "LIST", "add: of gateway, read, write, admin, with commas. Default: all but admin." },
	[FLAG_RATE] = { "rate", "N", "add: most requests a minute, gateway and API together." },
	[FLAG_EXPIRES] = { "expires", "WHEN", "add: at a time (ISO 8601), or in 30m, 12h, 90d." },
	[FLAG_NAME] = { "name", "TEXT", "add: what people call it." },
};

static const struct cli_usage usage = {
	"key", "[add|list|revoke ID]",
	"Makes a key that clients of the gateway send as their API key. It is shown this\n"
	"once. Keys are needed to listen beyond loopback, and once there is one, no\n"
	"request is taken without.\n\n"
	"  key            a key for the file of settings, which gets its hash\n"
	"  key add        a key in the data directory; a running gateway takes it at once\n"
	"  key list       the keys of the data directory (never the keys themselves)\n"
	"  key revoke ID  that key counts no more, from now on\n",
	flags, sizeof(flags) / sizeof(flags[0]), false
};

/* For the file of settings; nothing is written. */
static int
key_print(const struct cli_args *a)
{
	uint8_t		 bits[32], hash[32];
	char		 text[3 + 64 + 1] = "sg-", hex[65];
	const char	*id = a->values[FLAG_ID] ? a->values[FLAG_ID] : "app1";
	const char	*environment = a->values[FLAG_ENVIRONMENT] ? a->values[FLAG_ENVIRONMENT] : "prod";

	if (!key_name_plain(slice_str(id)) || !key_name_plain(slice_str(environment)))
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

static bool
rights_read(const char *text, unsigned *rights)
{
	size_t	n;

	*rights = text ? 0 : RIGHTS_DEFAULT;
	for (; text != NULL && *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (key_right(slice_make(text, n)) == 0) {
			cli_fail("--rights: \"%.*s\" is none of gateway, read, write, admin", (int)n, text);
			return false;
		}
		*rights |= key_right(slice_make(text, n));
	}
	if (*rights == 0)
		cli_fail("--rights: none is named");
	return *rights != 0;
}

static bool
rate_read(const char *text, unsigned *rate)
{
	unsigned long	 v;
	char		*end;

	if (text == NULL)
		return true;
	v = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || v > LIMIT_KEY_RATE) {
		cli_fail("--rate: a whole number up to %d is expected", LIMIT_KEY_RATE);
		return false;
	}
	*rate = (unsigned)v;
	return true;
}

/* A time of its own, or how long from now. */
static bool
expires_read(const char *text, uint64_t *us)
{
	int64_t	now = (int64_t)clock_wall_us(), t;

	if (text == NULL)
		return true;
	if (!cli_time("expires", text, &t))
		return false;
	if (strpbrk(text, "-:") == NULL)
		t = now + (now - t);
	if (t <= now) {
		cli_fail("--expires: %s is over already", text);
		return false;
	}
	*us = (uint64_t)t;
	return true;
}

/* The key that the flags describe; what it holds is its own. */
static bool
key_read(const struct cli_args *a, struct key_config *k)
{
	const char	*id = a->values[FLAG_ID], *name = a->values[FLAG_NAME];
	const char	*environment = a->values[FLAG_ENVIRONMENT] ? a->values[FLAG_ENVIRONMENT] : "prod";
	const char	*tenant = a->values[FLAG_TENANT] ? a->values[FLAG_TENANT] : "default";

	memset(k, 0, sizeof(*k));
	if ((id && !key_name_plain(slice_str(id))) || !key_name_plain(slice_str(environment)) ||
	    !key_name_plain(slice_str(tenant))) {
		cli_fail("names have 1 to 64 characters of a-z, A-Z, 0-9, _ - . @");
		return false;
	}
	if (name && strlen(name) > LIMIT_KEY_NAME) {
		cli_fail("--name: at most %d bytes", LIMIT_KEY_NAME);
		return false;
	}
	if (!rights_read(a->values[FLAG_RIGHTS], &k->rights) || !rate_read(a->values[FLAG_RATE], &k->rate) ||
	    !expires_read(a->values[FLAG_EXPIRES], &k->expires_us))
		return false;
	k->id = id ? xstrdup(id) : NULL;
	k->name = name ? xstrdup(name) : NULL;
	k->environment = xstrdup(environment);
	k->tenant = xstrdup(tenant);
	k->environment_free = a->values[FLAG_FREE] != NULL;
	return true;
}

/* Is the id one of the settings' keys? Spans could not tell the two apart. */
static bool
id_taken(const struct config *c, const char *id)
{
	for (size_t i = 0; id != NULL && i < c->nkeys; i++)
		if (strcmp(c->keys[i].id, id) == 0)
			return true;
	return false;
}

static int
key_add(const struct cli_args *a, const struct config *c)
{
	struct keys_file	 f;
	struct key_config	 k;
	char			 text[KEY_TEXT + 1], err[300];
	bool			 good, first;

	if (!key_read(a, &k))
		return CLI_BAD;
	if (id_taken(c, k.id)) {
		cli_fail("the file of settings has a key called %s", k.id);
		key_clear(&k);
		return CLI_BAD;
	}
	if (!keys_file_open(&f, c->data_dir, err, sizeof(err))) {
		key_clear(&k);
		return cli_fail("%s", err);
	}
	first = f.n == 0 && c->nkeys == 0;
	good = keys_file_add(&f, &k, text, err, sizeof(err));
	if (!good)
		key_clear(&k);
	good = good && keys_file_save(&f, err, sizeof(err));
	if (good) {
		printf("%s\n", text);
		fprintf(stderr, "key %s: shown this once; clients send it as their API key%s\n", f.list[f.n - 1].id,
		    first ? "\nit is the first one: from now on no request is taken without a key" : "");
	}
	OPENSSL_cleanse(text, sizeof(text));
	keys_file_close(&f);
	return good ? CLI_GOOD : cli_fail("%s", err);
}

static void
put_time(struct buf *line, uint64_t us, size_t width)
{
	struct buf	text;

	buf_init(&text, 64);
	if (us > 0)
		span_time_text((int64_t)us, &text);
	else
		buf_str(&text, "-");
	if (text.len > 19)
		text.len = 19;	/* seconds are enough */
	text_cell(line, buf_view(&text), width, false);
	buf_free(&text);
}

static void
key_row(const struct key_config *k, struct buf *line)
{
	struct buf	rights;

	buf_init(&rights, 256);
	for (unsigned i = 0; i < RIGHTS; i++)
		if (k->rights & 1u << i)
			buf_printf(&rights, "%s%s", rights.len ? "," : "", key_right_name(i));
	text_cell(line, slice_str(k->id), 20, false);
	text_cell(line, slice_str(k->prefix), 9, false);
	text_cell(line, slice_str(k->environment), 12, false);
	text_cell(line, buf_view(&rights), 24, false);
	put_time(line, k->created_us, 20);
	put_time(line, k->expires_us, 20);
	text_cell(line, slice_str(key_counts(k, clock_wall_us()) ? "counts" : k->revoked_us ? "revoked" : "expired"),
	    8, false);
	text_cell(line, slice_str(k->name ? k->name : ""), 40, false);
	while (line->len > 0 && line->ptr[line->len - 1] == ' ')
		line->len--;
	buf_str(line, "\n");
	buf_free(&rights);
}

static int
key_list(const struct config *c)
{
	static const struct { const char *name; size_t width; } columns[] = {
		{ "ID", 20 }, { "PREFIX", 9 }, { "ENVIRONMENT", 12 }, { "RIGHTS", 24 }, { "CREATED", 20 },
		{ "EXPIRES", 20 },
	};
	struct buf	out;

	buf_init(&out, LIMIT_KEYS_FILE);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		text_cell(&out, slice_str(columns[i].name), columns[i].width, false);
	buf_str(&out, "STATE    NAME\n");
	for (size_t i = 0; i < c->ring->n; i++)
		key_row(&c->ring->list[i], &out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	return CLI_GOOD;
}

static int
key_revoke(const struct config *c, const char *id)
{
	struct keys_file	 f;
	struct key_config	*k;
	char			 err[300];
	bool			 good;

	if (!keys_file_open(&f, c->data_dir, err, sizeof(err)))
		return cli_fail("%s", err);
	k = keys_file_find(&f, slice_str(id));
	if (k == NULL)
		snprintf(err, sizeof(err), "there is no key %s in %s (those of the file of settings are revoked there)",
		    id, c->data_dir);
	good = k != NULL;
	if (good && k->revoked_us == 0) {
		k->revoked_us = clock_wall_us();
		good = keys_file_save(&f, err, sizeof(err));
	}
	keys_file_close(&f);
	return good ? CLI_GOOD : cli_fail("%s", err);
}

/* add, list, revoke. */
static int
key_command(struct cli_args *a)
{
	struct config	*c;
	int		 code = CLI_USAGE;
	bool		 revoke = strcmp(a->words[0], "revoke") == 0;

	if (a->nwords != 1 + (size_t)revoke ||
	    (!revoke && strcmp(a->words[0], "add") != 0 && strcmp(a->words[0], "list") != 0)) {
		cli_fail("key: add, list or revoke ID is expected (see spangate key --help)");
		return CLI_USAGE;
	}
	/* A file that needs keys before it can be served is no hindrance to making one. */
	if (a->nsettings < CLI_SETTINGS_MAX)
		a->settings[a->nsettings++] = xstrdup("allow-open=true");
	c = cli_config(a);
	if (c == NULL)
		return CLI_BAD;
	if (revoke)
		code = key_revoke(c, a->words[1]);
	else
		code = strcmp(a->words[0], "add") == 0 ? key_add(a, c) : key_list(c);
	config_unref(c);
	return code;
}

int
cli_key(int argc, char **argv)
{
	struct cli_args	 a;
	int		 code;

	if (!cli_parse(&usage, argc, argv, &a, &code))
		return code;
	code = a.nwords == 0 ? key_print(&a) : key_command(&a);
	cli_args_free(&a);
	return code;
}
