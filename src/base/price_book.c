/* SPDX-License-Identifier: Apache-2.0 */
/* price_book: see price_book.h. Called at start, by a reload and by the command line. */
#include "base/price_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"

/* The whole file. False: errno says why. */
static bool
file_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char *to;
	size_t n;

	if (f == NULL)
		return false;
	errno = 0;
	while ((to = buf_reserve(out, 64 * KIB)) != NULL && (n = fread(to, 1, 64 * KIB, f)) > 0)
		out->len += n;
	if (to == NULL)
		errno = EFBIG;
	else if (!ferror(f))
		errno = 0;
	n = (size_t)errno;
	fclose(f);
	errno = (int)n;
	return errno == 0;
}

/* The name of a file without its directory: what its table is called unless it
 * says itself. */
static struct slice
base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slice_str(slash != NULL && slash[1] != '\0' ? slash + 1 : file);
}

static void
error_print(const char *file, const struct price_error *e, char *err, size_t errlen)
{
	int n = snprintf(err, errlen, "%s:", file);

	if (e->line > 0)
		n += snprintf(err + n, (size_t)n < errlen ? errlen - (size_t)n : 0, "%u:", e->line);
	if (e->entry > 0 && (size_t)n < errlen)
		n += snprintf(err + n, errlen - (size_t)n, " entry %ld%s%s%s:", e->entry, *e->model ? " (" : "",
		    e->model, *e->model ? ")" : "");
	if ((size_t)n < errlen)
		snprintf(err + n, errlen - (size_t)n, " %s", e->text);
}

struct price_table *
price_file_read(const char *file, char *err, size_t errlen)
{
	struct price_table *table = NULL;
	struct price_error e;
	struct buf text;

	buf_init(&text, LIMIT_PRICE_FILE);
	if (!file_read(file, &text))
		snprintf(err, errlen, "%s: %s", file, strerror(errno));
	else {
		table = price_table_read(buf_view(&text), base_name(file), &e);
		if (table == NULL)
			error_print(file, &e, err, errlen);
	}
	buf_free(&text);
	return table;
}

static void
book_add(struct price_book *book, struct price_table *table)
{
	book->own[book->nown++] = table;
	book->prices.tables[book->prices.n++] = table;
}

struct price_book *
price_book_read(char *const *files, size_t nfiles, char *err, size_t errlen)
{
	struct price_book *book = xcalloc(1, sizeof(*book));
	struct price_table *table;
	struct price_error e;

	if (nfiles >= PRICES_TABLES) {
		snprintf(err, errlen, "prices: more than %d files", PRICES_TABLES - 1);
		free(book);
		return NULL;
	}
	while (nfiles > 0) {
		table = price_file_read(files[--nfiles], err, errlen);
		if (table == NULL) {
			price_book_free(book);
			return NULL;
		}
		book_add(book, table);
	}
	table = price_table_read(prices_builtin(), SLICE("spangate"), &e);
	if (table == NULL)
		bug("the built-in price table, line %u: %s", e.line, e.text);
	book_add(book, table);
	book->prices.builtin = table;
	return book;
}

void
price_book_free(struct price_book *book)
{
	if (book == NULL)
		return;
	while (book->nown > 0)
		price_table_free(book->own[--book->nown]);
	free(book);
}
