/* SPDX-License-Identifier: Apache-2.0 */
/* text: lines of Prometheus' text format. For the files of this room. */
#ifndef LEDGER_TEXT_H
#define LEDGER_TEXT_H

#include <stdint.h>

#include "core/buf.h"

/* The two lines before a metric; kind: counter, gauge, histogram. */
void	text_head(struct buf *, const char *name, const char *kind, const char *help);
/* name="value"; in the value backslash, quote and line feed are escaped. */
void	text_label(struct buf *, const char *name, const char *value);
/* A whole number and rest * 10^-places, without needless zeros. */
void	text_decimal(struct buf *, uint64_t whole, uint64_t rest, int places);
/* µs as seconds. */
void	text_seconds(struct buf *, uint64_t us);

#endif
