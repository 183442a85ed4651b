/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price_book: price tables out of files, laid over the built-in one. Immutable
 * once made.
 */
#ifndef BASE_PRICE_BOOK_H
#define BASE_PRICE_BOOK_H

#include "span/prices.h"

struct price_book {
	struct prices	 prices;
	struct price_table *own[PRICES_TABLES];	/* what it frees */
	size_t		 nown;
};

/* files: as in the settings, the last one is the strongest. On error NULL, and
 * err holds one line "file:line: entry N (model): what is wrong". */
struct price_book *price_book_read(char *const *files, size_t nfiles, char *err, size_t errlen);
void		 price_book_free(struct price_book *);
/* One file as a table; errors as above. */
struct price_table *price_file_read(const char *file, char *err, size_t errlen);

#endif
