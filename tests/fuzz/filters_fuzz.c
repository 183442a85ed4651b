/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of any bytes, as a body and as a URL: refused with a sentence, or SQL
 * that SQLite takes, with a value for every question mark.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static size_t
marks(struct slice sql)
{
	size_t n = 0;

	for (size_t i = 0; i < sql.len; i++)
		n += sql.ptr[i] == '?';
	return n;
}

static void
check_query(const struct query *q)
{
	struct query_sql sql;
	char err[300] = "";
	bool good = query_where(q, NULL, false, &sql, err, sizeof(err));

	CHECK(good ? marks(buf_view(&sql.text)) == sql.nbinds : *err != '\0');
	query_sql_free(&sql);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct listing l;
	struct slice all = slice_make(data, size), url = all, body = SLICE_NONE;
	const char *cut = size ? memchr(data, '\n', size) : NULL;

	if (cut) {	/* the first line is a URL's query, the rest a body */
		url.len = (size_t)(cut - url.ptr);
		body = slice_from(all, url.len + 1);
	}
	if (listing_read(&l, url, body, INT64_C(1700000000000000), SLICE_NONE))
		check_query(&l.query);
	else
		CHECK(*l.error != '\0');
	listing_free(&l);
	(void)listing_is_list(body);
	return 0;
}
