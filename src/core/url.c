/* SPDX-License-Identifier: Apache-2.0 */
/* url: see url.h. Called when settings are read, never for a request. */
#include "core/url.h"

static bool
port_parse(struct slice text, uint16_t *port)
{
	unsigned	v = 0;
	size_t		i;

	if (text.len == 0 || text.len > 5)
		return false;
	for (i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text.ptr[i] - '0');
	}
	*port = (uint16_t)v;
	return v <= UINT16_MAX;
}

static bool
host_valid(struct slice host, bool v6)
{
	size_t	i;

	for (i = 0; i < host.len; i++) {
		char c = host.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' ||
		    (v6 ? c == ':' : c == '-' || c == '_')))
			return false;
	}
	return host.len > 0 && host.len <= 253;
}

/* rest: what stands behind the host, empty or from its colon on. */
static const char *
host_split(struct slice text, struct slice *host, struct slice *rest)
{
	const char	*end;
	bool		 v6 = text.len > 0 && text.ptr[0] == '[';

	if (v6) {
		end = memchr(text.ptr, ']', text.len);
		if (end == NULL)
			return "the bracket of the IPv6 address is not closed";
		*host = slice_make(text.ptr + 1, (size_t)(end - text.ptr) - 1);
		*rest = slice_from(text, host->len + 2);
	} else {
		end = memchr(text.ptr, ':', text.len);
		*host = end ? slice_make(text.ptr, (size_t)(end - text.ptr)) : text;
		*rest = slice_from(text, host->len);
	}
	if (!host_valid(*host, v6))
		return host->len == 0 ? "the host is missing" : "the host is not valid";
	if (rest->len > 0 && rest->ptr[0] != ':')
		return "a port is expected behind the host";
	return NULL;
}

const char *
hostport_parse(struct slice text, struct slice *host, uint16_t *port)
{
	struct slice	 rest;
	const char	*wrong = host_split(text, host, &rest);

	if (wrong != NULL)
		return wrong;
	if (rest.len == 0)
		return "the port is missing";
	if (!port_parse(slice_from(rest, 1), port))
		return "the port is not a number from 0 to 65535";
	return NULL;
}

const char *
url_parse(struct slice text, struct url *u)
{
	struct slice	 rest;
	const char	*slash, *wrong;
	size_t		 i;

	*u = (struct url){ 0 };
	if (slice_starts(text, SLICE("https://")))
		u->tls = true;
	else if (!slice_starts(text, SLICE("http://")))
		return "it must begin with https:// or http://";
	text = slice_from(text, u->tls ? 8 : 7);
	for (i = 0; i < text.len; i++) {
		if (text.ptr[i] == '?' || text.ptr[i] == '#')
			return "it may hold no query or fragment";
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return "it may hold no blanks or control characters";
	}
	slash = memchr(text.ptr, '/', text.len);
	u->authority = slash ? slice_make(text.ptr, (size_t)(slash - text.ptr)) : text;
	u->path = slice_from(text, u->authority.len);
	while (u->path.len > 0 && u->path.ptr[u->path.len - 1] == '/')
		u->path.len--;
	if (u->authority.len > 0 && memchr(u->authority.ptr, '@', u->authority.len) != NULL)
		return "it may hold no user or password: use api_key";
	wrong = host_split(u->authority, &u->host, &rest);
	if (wrong != NULL)
		return wrong;
	u->port = u->tls ? 443 : 80;
	if (rest.len > 0 && (!port_parse(slice_from(rest, 1), &u->port) || u->port == 0))
		return "the port is not a number from 1 to 65535";
	return NULL;
}
