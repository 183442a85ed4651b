/* SPDX-License-Identifier: Apache-2.0 */
/* text: see text.h. */
#include "ledger/text.h"

void
text_head(struct buf *b, const char *name, const char *kind, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void
text_label(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_str(b, "\\n");
		else {
			if (*value == '\\' || *value == '"')
				buf_byte(b, '\\');
			buf_byte(b, *value);
		}
	}
	buf_byte(b, '"');
}

void
text_decimal(struct buf *b, uint64_t whole, uint64_t rest, int places)
{
	char		 digits[20];
	int		 i;

	buf_u64(b, whole);
	if (rest == 0)
		return;
	for (i = places; i > 0; i--, rest /= 10)
		digits[i] = (char)('0' + rest % 10);
	digits[0] = '.';
	for (i = places + 1; digits[i - 1] == '0'; i--)
		;
	buf_append(b, digits, (size_t)i);
}

void
text_seconds(struct buf *b, uint64_t us)
{
	text_decimal(b, us / 1000000, us % 1000000, 6);
}
