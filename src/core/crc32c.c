/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c: the checksum of journal records, by the processor's own instruction
 * (SSE 4.2) or by a small table. Called for every byte that the journal takes
 * or gives; keeps no state: which way to go is asked anew at each call, which
 * costs one load and one test.
 */
#include "core/record.h"

#include <endian.h>
#include <string.h>

/*
 * The table of the portable way: row 2j and 2j+1 hold what the low and the
 * high half of byte j of an eight-byte word do to the CRC after that word. At
 * 1 KiB it stays in the cache beside everything else.
 */
static const uint32_t crc_nibbles[16][16] = {
	{ 0x00000000, 0x493c7d27, 0x9278fa4e, 0xdb448769,
	  0x211d826d, 0x6821ff4a, 0xb3657823, 0xfa590504,
	  0x423b04da, 0x0b0779fd, 0xd043fe94, 0x997f83b3,
	  0x632686b7, 0x2a1afb90, 0xf15e7cf9, 0xb86201de },
	{ 0x00000000, 0x847609b4, 0x0d006599, 0x89766c2d,
	  0x1a00cb32, 0x9e76c286, 0x1700aeab, 0x9376a71f,
	  0x34019664, 0xb0779fd0, 0x3901f3fd, 0xbd77fa49,
	  0x2e015d56, 0xaa7754e2, 0x230138cf, 0xa777317b },
	{ 0x00000000, 0x68032cc8, 0xd0065990, 0xb8057558,
	  0xa5e0c5d1, 0xcde3e919, 0x75e69c41, 0x1de5b089,
	  0x4e2dfd53, 0x262ed19b, 0x9e2ba4c3, 0xf628880b,
	  0xebcd3882, 0x83ce144a, 0x3bcb6112, 0x53c84dda },
	{ 0x00000000, 0x9c5bfaa6, 0x3d5b83bd, 0xa100791b,
	  0x7ab7077a, 0xe6ecfddc, 0x47ec84c7, 0xdbb77e61,
	  0xf56e0ef4, 0x6935f452, 0xc8358d49, 0x546e77ef,
	  0x8fd9098e, 0x1382f328, 0xb2828a33, 0x2ed97095 },
	{ 0x00000000, 0xef306b19, 0xdb8ca0c3, 0x34bccbda,
	  0xb2f53777, 0x5dc55c6e, 0x697997b4, 0x8649fcad,
	  0x6006181f, 0x8f367306, 0xbb8ab8dc, 0x54bad3c5,
	  0xd2f32f68, 0x3dc34471, 0x097f8fab, 0xe64fe4b2 },
	{ 0x00000000, 0xc00c303e, 0x85f4168d, 0x45f826b3,
	  0x0e045beb, 0xce086bd5, 0x8bf04d66, 0x4bfc7d58,
	  0x1c08b7d6, 0xdc0487e8, 0x99fca15b, 0x59f09165,
	  0x120cec3d, 0xd200dc03, 0x97f8fab0, 0x57f4ca8e },
	{ 0x00000000, 0x38116fac, 0x7022df58, 0x4833b0f4,
	  0xe045beb0, 0xd854d11c, 0x906761e8, 0xa8760e44,
	  0xc5670b91, 0xfd76643d, 0xb545d4c9, 0x8d54bb65,
	  0x2522b521, 0x1d33da8d, 0x55006a79, 0x6d1105d5 },
	{ 0x00000000, 0x8f2261d3, 0x1ba8b557, 0x948ad484,
	  0x37516aae, 0xb8730b7d, 0x2cf9dff9, 0xa3dbbe2a,
	  0x6ea2d55c, 0xe180b48f, 0x750a600b, 0xfa2801d8,
	  0x59f3bff2, 0xd6d1de21, 0x425b0aa5, 0xcd796b76 },
	{ 0x00000000, 0xdd45aab8, 0xbf672381, 0x62228939,
	  0x7b2231f3, 0xa6679b4b, 0xc4451272, 0x1900b8ca,
	  0xf64463e6, 0x2b01c95e, 0x49234067, 0x9466eadf,
	  0x8d665215, 0x5023f8ad, 0x32017194, 0xef44db2c },
	{ 0x00000000, 0xe964b13d, 0xd725148b, 0x3e41a5b6,
	  0xaba65fe7, 0x42c2eeda, 0x7c834b6c, 0x95e7fa51,
	  0x52a0c93f, 0xbbc47802, 0x8585ddb4, 0x6ce16c89,
	  0xf90696d8, 0x106227e5, 0x2e238253, 0xc747336e },
	{ 0x00000000, 0xa541927e, 0x4f6f520d, 0xea2ec073,
	  0x9edea41a, 0x3b9f3664, 0xd1b1f617, 0x74f06469,
	  0x38513ec5, 0x9d10acbb, 0x773e6cc8, 0xd27ffeb6,
	  0xa68f9adf, 0x03ce08a1, 0xe9e0c8d2, 0x4ca15aac },
	{ 0x00000000, 0x70a27d8a, 0xe144fb14, 0x91e6869e,
	  0xc76580d9, 0xb7c7fd53, 0x26217bcd, 0x56830647,
	  0x8b277743, 0xfb850ac9, 0x6a638c57, 0x1ac1f1dd,
	  0x4c42f79a, 0x3ce08a10, 0xad060c8e, 0xdda47104 },
	{ 0x00000000, 0x13a29877, 0x274530ee, 0x34e7a899,
	  0x4e8a61dc, 0x5d28f9ab, 0x69cf5132, 0x7a6dc945,
	  0x9d14c3b8, 0x8eb65bcf, 0xba51f356, 0xa9f36b21,
	  0xd39ea264, 0xc03c3a13, 0xf4db928a, 0xe7790afd },
	{ 0x00000000, 0x3fc5f181, 0x7f8be302, 0x404e1283,
	  0xff17c604, 0xc0d23785, 0x809c2506, 0xbf59d487,
	  0xfbc3faf9, 0xc4060b78, 0x844819fb, 0xbb8de87a,
	  0x04d43cfd, 0x3b11cd7c, 0x7b5fdfff, 0x449a2e7e },
	{ 0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4,
	  0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
	  0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
	  0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24 },
	{ 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	  0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	  0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	  0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 },
};

/* One byte: the last two rows are those of a word's last byte. */
static uint32_t
crc_byte(uint32_t crc, unsigned char c)
{
	unsigned b = (crc ^ c) & 255;

	return (crc >> 8) ^ crc_nibbles[14][b & 15] ^ crc_nibbles[15][b >> 4];
}

static uint32_t
crc_portable(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t word;
	unsigned i;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		word = le64toh(word) ^ crc;
		crc = 0;
		for (i = 0; i < 16; i++)
			crc ^= crc_nibbles[i][(word >> (4 * i)) & 15];
	}
	while (len-- > 0)
		crc = crc_byte(crc, *p++);
	return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)

#define CRC_LONG 768	/* from here on three lanes pay for putting them together */
#define CRC_LANE 256	/* bytes of a lane */

/* Moves a CRC over CRC_LANE zero bytes. */
static uint32_t
crc_over_lane(uint32_t crc)
{
	static const uint32_t lane[8][16] = {
		{ 0x00000000, 0xdcb17aa4, 0xbc8e83b9, 0x603ff91d,
		  0x7cf17183, 0xa0400b27, 0xc07ff23a, 0x1cce889e,
		  0xf9e2e306, 0x255399a2, 0x456c60bf, 0x99dd1a1b,
		  0x85139285, 0x59a2e821, 0x399d113c, 0xe52c6b98 },
		{ 0x00000000, 0xf629b0fd, 0xe9bf170b, 0x1f96a7f6,
		  0xd69258e7, 0x20bbe81a, 0x3f2d4fec, 0xc904ff11,
		  0xa8c8c73f, 0x5ee177c2, 0x4177d034, 0xb75e60c9,
		  0x7e5a9fd8, 0x88732f25, 0x97e588d3, 0x61cc382e },
		{ 0x00000000, 0x547df88f, 0xa8fbf11e, 0xfc860991,
		  0x541b94cd, 0x00666c42, 0xfce065d3, 0xa89d9d5c,
		  0xa837299a, 0xfc4ad115, 0x00ccd884, 0x54b1200b,
		  0xfc2cbd57, 0xa85145d8, 0x54d74c49, 0x00aab4c6 },
		{ 0x00000000, 0x558225c5, 0xab044b8a, 0xfe866e4f,
		  0x53e4e1e5, 0x0666c420, 0xf8e0aa6f, 0xad628faa,
		  0xa7c9c3ca, 0xf24be60f, 0x0ccd8840, 0x594fad85,
		  0xf42d222f, 0xa1af07ea, 0x5f2969a5, 0x0aab4c60 },
		{ 0x00000000, 0x4a7ff165, 0x94ffe2ca, 0xde8013af,
		  0x2c13b365, 0x666c4200, 0xb8ec51af, 0xf293a0ca,
		  0x582766ca, 0x125897af, 0xccd88400, 0x86a77565,
		  0x7434d5af, 0x3e4b24ca, 0xe0cb3765, 0xaab4c600 },
		{ 0x00000000, 0xb04ecd94, 0x6571edd9, 0xd53f204d,
		  0xcae3dbb2, 0x7aad1626, 0xaf92366b, 0x1fdcfbff,
		  0x902bc195, 0x20650c01, 0xf55a2c4c, 0x4514e1d8,
		  0x5ac81a27, 0xea86d7b3, 0x3fb9f7fe, 0x8ff73a6a },
		{ 0x00000000, 0x25bbf5db, 0x4b77ebb6, 0x6ecc1e6d,
		  0x96efd76c, 0xb35422b7, 0xdd983cda, 0xf823c901,
		  0x2833d829, 0x0d882df2, 0x6344339f, 0x46ffc644,
		  0xbedc0f45, 0x9b67fa9e, 0xf5abe4f3, 0xd0101128 },
		{ 0x00000000, 0x5067b052, 0xa0cf60a4, 0xf0a8d0f6,
		  0x4472b7b9, 0x141507eb, 0xe4bdd71d, 0xb4da674f,
		  0x88e56f72, 0xd882df20, 0x282a0fd6, 0x784dbf84,
		  0xcc97d8cb, 0x9cf06899, 0x6c58b86f, 0x3c3f083d },
	};
	uint32_t out = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		out ^= lane[i][(crc >> (4 * i)) & 15];
	return out;
}

static inline uint64_t
crc_word(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return word;
}

/* Three lanes side by side hide the instruction's latency of three cycles. */
static __attribute__((target("sse4.2"))) uint32_t
crc_three_lanes(uint32_t crc, const unsigned char *p)
{
	uint64_t a = crc, b = 0, c = 0;
	unsigned i;

	for (i = 0; i < CRC_LANE; i += 8) {
		a = __builtin_ia32_crc32di(a, crc_word(p + i));
		b = __builtin_ia32_crc32di(b, crc_word(p + i + CRC_LANE));
		c = __builtin_ia32_crc32di(c, crc_word(p + i + 2 * CRC_LANE));
	}
	return crc_over_lane(crc_over_lane((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

static __attribute__((target("sse4.2"))) uint32_t
crc_hardware(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t c;

	for (; len >= CRC_LONG; p += 3 * CRC_LANE, len -= 3 * CRC_LANE)
		crc = crc_three_lanes(crc, p);
	for (c = crc; len >= 32; p += 32, len -= 32) {
		c = __builtin_ia32_crc32di(c, crc_word(p));
		c = __builtin_ia32_crc32di(c, crc_word(p + 8));
		c = __builtin_ia32_crc32di(c, crc_word(p + 16));
		c = __builtin_ia32_crc32di(c, crc_word(p + 24));
	}
	for (; len >= 8; p += 8, len -= 8)
		c = __builtin_ia32_crc32di(c, crc_word(p));
	for (crc = (uint32_t)c; len > 0; p++, len--)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}

static uint32_t
crc_best(uint32_t crc, const unsigned char *p, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc_hardware(crc, p, len);
	return crc_portable(crc, p, len);
}

#else

static uint32_t
crc_best(uint32_t crc, const unsigned char *p, size_t len)
{
	return crc_portable(crc, p, len);
}

#endif

uint32_t
crc32c(uint32_t crc, const void *p, size_t len)
{
	return ~crc_best(~crc, p, len);
}

uint32_t
crc32c_portable(uint32_t crc, const void *p, size_t len)
{
	return ~crc_portable(~crc, p, len);
}
