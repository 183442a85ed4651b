/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor.c: the table of providers at work. Called by who looks for a price.
 */
#include "span/vendor.h"

#include "core/glob.h"

static const struct vendor vendors[] = {
#define VENDOR(name, kind, aliases, hosts) { { name, sizeof(name) - 1 }, VENDOR_##kind, aliases, hosts },
#include "span/vendor.tbl.h"
#undef VENDOR
};

enum { VENDORS = sizeof(vendors) / sizeof(*vendors) };

const struct vendor *
vendor_at(size_t i)
{
	return i < VENDORS ? &vendors[i] : NULL;
}

/* Does one of the words match the name? */
static bool
among(const char *words, struct slice name)
{
	size_t n;

	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (glob_match(slice_make(words, n), name))
			return true;
	}
	return false;
}

const struct vendor *
vendor_named(struct slice name)
{
	size_t i;

	for (i = 0; i < VENDORS; i++)
		if (slice_caseeq(name, vendors[i].name) || among(vendors[i].aliases, name))
			return &vendors[i];
	return NULL;
}

struct slice
vendor_host(struct slice address)
{
	struct slice host = address;
	size_t i;

	for (i = 0; i + 3 <= host.len; i++)
		if (memcmp(host.ptr + i, "://", 3) == 0) {
			host = slice_from(host, i + 3);
			break;
		}
	for (i = 0; i < host.len && host.ptr[i] != '/' && host.ptr[i] != ':' && host.ptr[i] != '?'; i++)
		;
	host.len = i;
	return host;
}

const struct vendor *
vendor_of_host(struct slice address)
{
	struct slice host = vendor_host(address);
	size_t i;

	for (i = 0; i < VENDORS && host.len > 0; i++)
		if (among(vendors[i].hosts, host))
			return &vendors[i];
	return NULL;
}
