/* SPDX-License-Identifier: Apache-2.0 */
/* cli_prices: what the files of `spangate prices` share. */
#ifndef CLI_PRICES_H
#define CLI_PRICES_H

#include "cli.h"
#include "span/prices.h"

enum { PRICES_PROVIDER, PRICES_AT, PRICES_FROM, PRICES_TO, PRICES_MODEL, PRICES_UNKNOWN, PRICES_DRY_RUN };

/* Prices stored spans again; an exit code. */
int	prices_reprice(const struct cli_args *, const struct config *);
/* Prices the lines of standard input; an exit code. */
int	prices_cost(const struct prices *);

#endif
