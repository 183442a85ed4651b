/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c: the vectors of RFC 3720 B.4, both ways alike at every length and
 * alignment, and continued from any cut. */
#include "core/record.h"
#include "tap.h"

/* Bit by bit, as the definition says. */
static uint32_t
crc_plain(const unsigned char *p, size_t len)
{
	uint32_t crc = ~0u;
	int bit;

	while (len-- > 0) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void
vectors(void)
{
	unsigned char b[32];
	unsigned i;

	ok(crc32c(0, "123456789", 9) == 0xe3069283);
	ok(crc32c(0, "", 0) == 0);
	memset(b, 0, 32);
	ok(crc32c(0, b, 32) == 0x8a9136aa);
	memset(b, 255, 32);
	ok(crc32c(0, b, 32) == 0x62a8ab43);
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	ok(crc32c(0, b, 32) == 0x46dd794e);
	ok(crc32c_portable(0, b, 32) == 0x46dd794e);
}

int
main(void)
{
	static unsigned char data[4096 + 8];
	uint32_t seed = 1, want;
	size_t len, at;
	int hardware = 0, portable = 0, cut = 0;

	vectors();
	for (len = 0; len < sizeof(data); len++) {
		seed = seed * 1664525 + 1013904223;
		data[len] = (unsigned char)(seed >> 24);
	}
	for (len = 0; len <= 4096; len += len < 1700 ? 1 : 97) {
		at = len & 7;
		want = crc_plain(data + at, len);
		hardware += crc32c(0, data + at, len) != want;
		portable += crc32c_portable(0, data + at, len) != want;
		cut += crc32c(crc32c(0, data + at, len / 3), data + at + len / 3,
		    len - len / 3) != want;
	}
	ok(hardware == 0);
	ok(portable == 0);
	ok(cut == 0);
	return done();
}
