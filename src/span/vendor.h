/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor: whose prices hold for a request: providers under the names that
 * price files use.
 */
#ifndef SPAN_VENDOR_H
#define SPAN_VENDOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/slice.h"

enum vendor_kind { VENDOR_MAKER, VENDOR_RESELLER, VENDOR_HOST };

struct vendor {
	struct slice	name;
	enum vendor_kind kind;
	const char	*aliases, *hosts;
};

/* In the table's order; NULL past its end. */
const struct vendor	*vendor_at(size_t i);
/* By its name or another one, in either case; NULL: none. */
const struct vendor	*vendor_named(struct slice name);
/* The host in an address (`host`, `host:port`, or a URL). */
struct slice	vendor_host(struct slice address);
/* By the host of an address (`host`, `host:port`, or a URL); NULL: none. */
const struct vendor	*vendor_of_host(struct slice address);

#endif
