/* SPDX-License-Identifier: Apache-2.0 */
/* cli_text: cells of tables and of CSV, for whatever prints lists. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>

#include "core/buf.h"

/* The first `width` characters of s. */
struct slice text_cut(struct slice s, size_t width);
/* One cell and the blank behind it; control characters show as dots, so that
 * no stored text drives the terminal. */
void	text_cell(struct buf *line, struct slice text, size_t width, bool right);

/* Columns of the terminal; 120 where there is none. */
unsigned text_width(void);

#endif
