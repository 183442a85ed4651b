/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.c: decodes header values, which must be base64 to the letter, and
 * audio, which comes piece by piece out of JSON strings. Bits left over in the
 * last character are passed over, as other decoders do.
 */
#include "core/base64.h"

/* The six bits of a character, -1 for one of neither alphabet. */
static int
sextet(char c)
{
	static const signed char bits[128] = {
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63,
		52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
		-1,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
		15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
		-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
		41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
	};

	return (unsigned char)c < 128 ? bits[(unsigned char)c] : -1;
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

void
base64_init(struct base64 *d)
{
	memset(d, 0, sizeof(*d));
}

/* Closes a group: two characters have two of padding, three have one. */
static bool
pad_take(struct base64 *d)
{
	if (d->pads > 0) {
		d->pads--;
		return true;
	}
	if (d->have < 2)
		return false;
	d->pads = (uint8_t)(3 - d->have);
	d->have = 0;
	return true;
}

static bool
char_take(struct base64 *d, char c, struct buf *out)
{
	int v = sextet(c), i = d->have;

	if (v < 0) {
		if (c == '=')
			return pad_take(d);
		return c == ' ' || c == '\t' || c == '\n' || c == '\r';
	}
	if (d->pads > 0)
		return false;
	d->bits = d->bits << 6 | (uint32_t)v;
	d->have = (uint8_t)((i + 1) % 4);
	return i == 0 || buf_byte(out, (char)(d->bits >> (6 - 2 * i) & 0xff));
}

/* A character behind a backslash: what stands for blanks, for '/', or for any. */
static bool
escape_take(struct base64 *d, char c, struct buf *out)
{
	int digit;

	if (d->escape == 1) {
		d->escape = c == 'u' ? 2 : 0;
		d->code = 0;
		return c == 'u' || c == 'n' || c == 'r' || c == 't' ||
		    (c == '/' && char_take(d, c, out));
	}
	digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ?
	    (c | 0x20) - 'a' + 10 : -1;
	if (digit < 0)
		return false;
	d->code = (uint16_t)(d->code << 4 | digit);
	if (d->escape++ < 5)
		return true;
	d->escape = 0;
	return d->code < 0x80 && char_take(d, (char)d->code, out);
}

/* Whole groups, most of a text, at once. Characters taken. */
static size_t
groups_take(const char *p, size_t n, struct buf *out)
{
	uint32_t v;	/* beyond 24 bits if a character is none */
	size_t i;
	char *to;

	for (i = 0; i + 4 <= n; i += 4) {
		v = (uint32_t)sextet(p[i]) << 18 | (uint32_t)sextet(p[i + 1]) << 12 |
		    (uint32_t)sextet(p[i + 2]) << 6 | (uint32_t)sextet(p[i + 3]);
		if (v >> 24 != 0 || (to = buf_reserve(out, 3)) == NULL)
			break;
		to[0] = (char)(v >> 16 & 0xff);
		to[1] = (char)(v >> 8 & 0xff);
		to[2] = (char)(v & 0xff);
		out->len += 3;
	}
	return i;
}

bool
base64_feed(struct base64 *d, struct slice piece, struct buf *out)
{
	char c;

	while (piece.len > 0 && !d->bad) {
		if (d->have == 0 && d->pads == 0 && d->escape == 0)
			piece = slice_from(piece, groups_take(piece.ptr, piece.len, out));
		if (piece.len == 0)
			break;
		c = *piece.ptr;
		piece = slice_from(piece, 1);
		if (d->escape > 0)
			d->bad = !escape_take(d, c, out);
		else if (c == '\\')
			d->escape = 1;
		else
			d->bad = !char_take(d, c, out);
	}
	return !d->bad;
}

bool
base64_end(struct base64 *d)
{
	bool good = !d->bad && d->have != 1 && d->pads == 0 && d->escape == 0;
	bool bad = d->bad;

	base64_init(d);
	d->bad = bad;
	return good;
}

void
base64_encode(struct slice bytes, struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.ptr;

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			buf_byte(out, k <= n ? letters[group >> (18 - 6 * k) & 63] : '=');
	}
}
