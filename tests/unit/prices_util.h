/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_util: price tables for tests, written with ' for ", and what is asked
 * of them in one call.
 */
#ifndef PRICES_UTIL_H
#define PRICES_UTIL_H

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "exact.h"
#include "span/arena.h"
#include "span/bill.h"
#include "tap.h"

/* The text with " for ', to be freed by exact_free. */
static inline struct slice
quoted(const char *text)
{
	struct slice s = exact_copy(slice_str(text));

	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\'')
			((char *)(uintptr_t)s.ptr)[i] = '"';
	return s;
}

/* NULL: *err says why. */
static inline struct price_table *
table_read(const char *text, struct price_error *err)
{
	struct slice s = quoted(text);
	struct price_table *t = price_table_read(s, SLICE("file.json"), err);

	exact_free(s);
	return t;
}

/* The entries in a file of ours. */
static inline struct price_table *
table_of(const char *entries)
{
	size_t n = strlen(entries) + 100;
	char *text = malloc(n);
	struct price_table *t;
	struct price_error err;

	if (text == NULL)
		abort();
	snprintf(text, n, "{'format': 1, 'name': 'test', 'updated': '2026-11-20', 'prices': [\n%s\n]}", entries);
	t = table_read(text, &err);
	if (t == NULL)
		printf("# line %u, entry %ld: %s\n", err.line, err.entry, err.text);
	free(text);
	return t;
}

static inline struct price_table *
table_builtin(void)
{
	struct price_error err;

	return price_table_read(prices_builtin(), SLICE("spangate"), &err);
}

/* The whole table as a file of ours. */
static inline void
table_print(const struct price_table *t, struct buf *out)
{
	buf_init(out, 64 * MIB);
	buf_str(out, "{\"format\": 1, \"name\": \"again\", \"prices\": [\n");
	for (size_t i = 0, n = 0; i < price_table_size(t); i++)
		if (price_table_at(t, i)->nnames > 0) {
			buf_str(out, n++ ? ",\n" : "");
			price_print(price_table_at(t, i), out);
		}
	buf_str(out, "\n]}\n");
}

/* Is what is printed of a table read as the same? */
static inline bool
table_prints(const struct price_table *t)
{
	struct price_table *second;
	struct price_error err;
	struct buf once, twice;
	bool same = false;

	table_print(t, &once);
	second = price_table_read(buf_view(&once), SLICE("again"), &err);
	if (second == NULL)
		printf("# line %u, entry %ld (%s): %s\n", err.line, err.entry, err.model, err.text);
	else {
		table_print(second, &twice);
		same = slice_eq(buf_view(&once), buf_view(&twice)) && !once.failed && once.len > 50;
		buf_free(&twice);
	}
	price_table_free(second);
	buf_free(&once);
	return same;
}

/* A day at a time of day. */
static inline int64_t
at_time(int days, int hour, int minute)
{
	return ((int64_t)days * 86400 + hour * 3600 + minute * 60) * 1000000;
}

#define DAY_2026_11_20 20777	/* days since 1970 */
#define NOON_2026_11_20 at_time(DAY_2026_11_20, 12, 0)

#endif
