/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.c: decodes header values. Blanks and line ends are not base64; bits
 * left over in the last character are passed over, as other decoders do.
 */
#include "core/base64.h"

/* The six bits of a character, -1 for one of neither alphabet. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Less its padding; whether the padding fits is to be seen from *ok. */
static struct slice
unpadded(struct slice text, bool *ok)
{
	size_t len = text.len;

	while (text.len > 0 && text.ptr[text.len - 1] == '=')
		text.len--;
	*ok = text.len % 4 != 1 && (len == text.len || (len % 4 == 0 && len - text.len <= 2));
	return text;
}

bool
base64_decode(struct slice text, struct buf *out)
{
	uint32_t bits = 0;
	size_t i, start = out->len;
	bool good;
	int v;

	text = unpadded(text, &good);
	for (i = 0; i < text.len && good; i++) {
		v = sextet(text.ptr[i]);
		bits = bits << 6 | (uint32_t)(v & 63);
		/* after the 2nd, 3rd and 4th of four: 8 bits above 4, 2 and 0 */
		good = v >= 0 && (i % 4 == 0 ||
		    buf_byte(out, (char)(bits >> (6 - 2 * (i % 4)) & 0xff)));
	}
	if (!good)
		out->len = start;
	return good;
}
