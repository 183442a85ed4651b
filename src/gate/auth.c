/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth: spangate keys, and the check that keeps web pages of other sites away
 * from a gateway without keys (DNS rebinding, cross-site requests).
 */
#include "gate/auth.h"

#include "base/base.h"
#include "core/head.h"

/* Where a key may stand, strongest first. With X-Spangate-Key the client's own
 * Authorization is the provider's. */
static const struct slice key_fields[] = {
	SLICE("x-spangate-key"), SLICE("authorization"), SLICE("x-api-key"), SLICE("api-key"),
};

struct slice
auth_secret(struct slice value)
{
	if (value.len > 7 && slice_caseeq(slice_make(value.ptr, 7), SLICE("Bearer ")))
		return slice_trim(slice_from(value, 7));
	if (value.len > 8 && slice_caseeq(slice_make(value.ptr, 8), SLICE("Api-Key ")))
		return slice_trim(slice_from(value, 8));
	return value;
}

/* "localhost", "127.0.0.1", "[::1]", each with a port or without. */
static bool
host_is_loopback(struct slice host)
{
	static const struct slice names[] = {
		SLICE("localhost"), SLICE("127.0.0.1"), SLICE("[::1]"),
	};
	struct slice rest;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (host.len < names[i].len ||
		    !slice_caseeq(slice_make(host.ptr, names[i].len), names[i]))
			continue;
		rest = slice_from(host, names[i].len);
		if (rest.len == 0 || rest.ptr[0] == ':')
			return true;
	}
	return false;
}

static bool
origin_is_loopback(struct slice origin)
{
	const char *p;

	if (origin.ptr == NULL)
		return true;
	p = memmem(origin.ptr, origin.len, "://", 3);
	return p != NULL && host_is_loopback(slice_from(origin, (size_t)(p - origin.ptr) + 3));
}

static enum auth_result
auth_open(const struct config *c, const struct http1_head *h, bool loopback)
{
	if (!loopback || c->allow_open)
		return AUTH_OK;
	if (h->host.ptr != NULL && !host_is_loopback(h->host))
		return AUTH_FOREIGN;
	return origin_is_loopback(http1_field(h, SLICE("origin"))) ? AUTH_OK : AUTH_FOREIGN;
}

/* The key with that text, of the settings or made at run time. */
static const struct key_config *
key_of(const struct settings *s, struct slice text)
{
	const struct key_config *key = keyring_find(s->ring, text);

	return key != NULL ? key : config_key(s->config, text);
}

enum auth_result
auth_check(const struct settings *s, const struct http1_head *h, bool loopback, struct auth *a)
{
	struct slice value;
	bool any = false, gone = false;
	size_t i;

	*a = (struct auth){ 0 };
	if (!settings_closed(s))
		return auth_open(s->config, h, loopback);
	for (i = 0; i < sizeof(key_fields) / sizeof(key_fields[0]); i++) {
		value = http1_field(h, key_fields[i]);
		if (value.ptr == NULL)
			continue;
		any = true;
		a->key = key_of(s, auth_secret(value));
		if (a->key == NULL)
			continue;
		if (key_counts(a->key, clock_wall_us())) {
			a->used = key_fields[i];
			return AUTH_OK;
		}
		gone = true;
	}
	a->key = NULL;
	return gone ? AUTH_EXPIRED : any ? AUTH_UNKNOWN : AUTH_MISSING;
}

bool
auth_has_own(const struct http1_field *fields, size_t n, const struct auth *a)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((fields[i].flags & HEAD_CREDENTIAL) &&
		    !(a->used.ptr != NULL && slice_caseeq(fields[i].name, a->used)))
			return true;
	return false;
}
