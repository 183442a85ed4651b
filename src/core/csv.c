/* SPDX-License-Identifier: Apache-2.0 */
/* csv: see csv.h. Pure. */
#include "core/csv.h"

void
csv_cell(struct buf *line, struct slice text)
{
	bool quote = false;

	for (size_t i = 0; i < text.len && !quote; i++) {
		char c = text.ptr[i];

		quote = c == '"' || c == ',' || c == '\r' || c == '\n';
	}
	if (!quote) {
		buf_slice(line, text);
		return;
	}
	buf_byte(line, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_byte(line, '"');
		buf_byte(line, text.ptr[i]);
	}
	buf_byte(line, '"');
}

void
csv_cell_safe(struct buf *line, struct slice text)
{
	struct buf cell;

	if (text.len == 0 || *text.ptr == '\0' || !strchr("=+-@\t\r", *text.ptr)) {
		csv_cell(line, text);
		return;
	}
	buf_init(&cell, text.len + 1);
	buf_byte(&cell, '\'');
	buf_slice(&cell, text);
	csv_cell(line, buf_view(&cell));
	buf_free(&cell);
}
