/* SPDX-License-Identifier: Apache-2.0 */
/* cli_text: see cli_text.h. Called by what prints lists. */
#include "cli_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "store/value.h"

/* Display columns of UTF-8 text: one for each character is near enough. */
static size_t
columns_of(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

struct slice
text_cut(struct slice s, size_t width)
{
	size_t n = 0, i;

	for (i = 0; i < s.len; i++)
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80 && n++ == width)
			break;
	return slice_make(s.ptr, i);
}

void
text_cell(struct buf *line, struct slice text, size_t width, bool right)
{
	size_t have = columns_of(text);
	bool cut = have > width;

	text = text_cut(text, cut ? width - 1 : width);
	have = cut ? width : have;
	if (right)
		buf_printf(line, "%*s", (int)(width - have), "");
	for (size_t i = 0; i < text.len; i++)
		buf_byte(line, (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? '.' : text.ptr[i]);
	if (cut)
		buf_str(line, "\xe2\x80\xa6");
	if (!right)
		buf_printf(line, "%*s", (int)(width - have), "");
	buf_byte(line, ' ');
}

unsigned
text_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return columns && value_int(slice_str(columns), &n) && n >= 40 && n < 10000 ? (unsigned)n : 120;
}
