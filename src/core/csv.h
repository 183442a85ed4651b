/* SPDX-License-Identifier: Apache-2.0 */
/* csv: cells of a CSV file, for whatever writes one. */
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include "core/buf.h"

/* RFC 4180: quotes where there is anything that needs them. */
void	csv_cell(struct buf *line, struct slice text);
/* The same for texts of strangers: one that a spreadsheet would take for a
 * formula gets a ' in front. */
void	csv_cell_safe(struct buf *line, struct slice text);

#endif
