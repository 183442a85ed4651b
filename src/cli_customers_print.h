/* SPDX-License-Identifier: Apache-2.0 */
/* cli_customers_print: customers as a table, JSON, JSON lines or CSV. */
#ifndef CLI_CUSTOMERS_PRINT_H
#define CLI_CUSTOMERS_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli_spans_print.h"
#include "store/customers.h"

struct customers_print {
	enum spans_format format;
	enum customers_by by;
	unsigned	 width;		/* of the terminal */
	FILE		*out;

	size_t		 printed;
	struct buf	 line, cell;
};

void	customers_print_start(struct customers_print *);
/* False: standard output cannot be written any more. */
bool	customers_print(struct customers_print *, const struct customers_row *);
bool	customers_print_end(struct customers_print *);

#endif
