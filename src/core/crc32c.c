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

#define CRC_LANE 1024	/* bytes of a lane: putting lanes together costs as much as 80 of them */

/* What each half byte of a CRC becomes over CRC_LANE zero bytes. */
static const uint32_t crc_lane[8][16] = {
	{ 0x00000000, 0xfe314258, 0xf98ef241, 0x07bfb019,
	  0xf6f19273, 0x08c0d02b, 0x0f7f6032, 0xf14e226a,
	  0xe80f5217, 0x163e104f, 0x1181a056, 0xefb0e20e,
	  0x1efec064, 0xe0cf823c, 0xe7703225, 0x1941707d },
	{ 0x00000000, 0xd5f2d2df, 0xae09d34f, 0x7bfb0190,
	  0x59ffd06f, 0x8c0d02b0, 0xf7f60320, 0x2204d1ff,
	  0xb3ffa0de, 0x660d7201, 0x1df67391, 0xc804a14e,
	  0xea0070b1, 0x3ff2a26e, 0x4409a3fe, 0x91fb7121 },
	{ 0x00000000, 0x6213374d, 0xc4266e9a, 0xa63559d7,
	  0x8da0abc5, 0xefb39c88, 0x4986c55f, 0x2b95f212,
	  0x1ead217b, 0x7cbe1636, 0xda8b4fe1, 0xb89878ac,
	  0x930d8abe, 0xf11ebdf3, 0x572be424, 0x3538d369 },
	{ 0x00000000, 0x3d5a42f6, 0x7ab485ec, 0x47eec71a,
	  0xf5690bd8, 0xc833492e, 0x8fdd8e34, 0xb287ccc2,
	  0xef3e6141, 0xd26423b7, 0x958ae4ad, 0xa8d0a65b,
	  0x1a576a99, 0x270d286f, 0x60e3ef75, 0x5db9ad83 },
	{ 0x00000000, 0xdb90b473, 0xb2cd1e17, 0x695daa64,
	  0x60764adf, 0xbbe6feac, 0xd2bb54c8, 0x092be0bb,
	  0xc0ec95be, 0x1b7c21cd, 0x72218ba9, 0xa9b13fda,
	  0xa09adf61, 0x7b0a6b12, 0x1257c176, 0xc9c77505 },
	{ 0x00000000, 0x84355d8d, 0x0d86cdeb, 0x89b39066,
	  0x1b0d9bd6, 0x9f38c65b, 0x168b563d, 0x92be0bb0,
	  0x361b37ac, 0xb22e6a21, 0x3b9dfa47, 0xbfa8a7ca,
	  0x2d16ac7a, 0xa923f1f7, 0x20906191, 0xa4a53c1c },
	{ 0x00000000, 0x6c366f58, 0xd86cdeb0, 0xb45ab1e8,
	  0xb535cb91, 0xd903a4c9, 0x6d591521, 0x016f7a79,
	  0x6f87e1d3, 0x03b18e8b, 0xb7eb3f63, 0xdbdd503b,
	  0xdab22a42, 0xb684451a, 0x02def4f2, 0x6ee89baa },
	{ 0x00000000, 0xdf0fc3a6, 0xbbf3f1bd, 0x64fc321b,
	  0x720b958b, 0xad04562d, 0xc9f86436, 0x16f7a790,
	  0xe4172b16, 0x3b18e8b0, 0x5fe4daab, 0x80eb190d,
	  0x961cbe9d, 0x49137d3b, 0x2def4f20, 0xf2e08c86 },
};

/* Moves a CRC over CRC_LANE zero bytes. */
static inline uint32_t
crc_over_lane(uint32_t c)
{
	return crc_lane[0][c & 15] ^ crc_lane[1][c >> 4 & 15] ^ crc_lane[2][c >> 8 & 15] ^
	    crc_lane[3][c >> 12 & 15] ^ crc_lane[4][c >> 16 & 15] ^ crc_lane[5][c >> 20 & 15] ^
	    crc_lane[6][c >> 24 & 15] ^ crc_lane[7][c >> 28];
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

	for (i = 0; i < CRC_LANE; i += 16, p += 16) {
		a = __builtin_ia32_crc32di(a, crc_word(p));
		b = __builtin_ia32_crc32di(b, crc_word(p + CRC_LANE));
		c = __builtin_ia32_crc32di(c, crc_word(p + 2 * CRC_LANE));
		a = __builtin_ia32_crc32di(a, crc_word(p + 8));
		b = __builtin_ia32_crc32di(b, crc_word(p + CRC_LANE + 8));
		c = __builtin_ia32_crc32di(c, crc_word(p + 2 * CRC_LANE + 8));
	}
	return crc_over_lane(crc_over_lane((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

/* Less than a word. */
static inline __attribute__((target("sse4.2"))) uint32_t
crc_rest(uint32_t crc, const unsigned char *p, size_t len)
{
	uint32_t four;
	uint16_t two;

	if (len & 4) {
		memcpy(&four, p, 4);
		crc = __builtin_ia32_crc32si(crc, four);
		p += 4;
	}
	if (len & 2) {
		memcpy(&two, p, 2);
		crc = __builtin_ia32_crc32hi(crc, two);
		p += 2;
	}
	return len & 1 ? __builtin_ia32_crc32qi(crc, *p) : crc;
}

static __attribute__((target("sse4.2"))) uint32_t
crc_hardware(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t c;

	for (; len >= 3 * CRC_LANE; p += 3 * CRC_LANE, len -= 3 * CRC_LANE)
		crc = crc_three_lanes(crc, p);
	for (c = crc; len >= 64; p += 64, len -= 64) {
		c = __builtin_ia32_crc32di(c, crc_word(p));
		c = __builtin_ia32_crc32di(c, crc_word(p + 8));
		c = __builtin_ia32_crc32di(c, crc_word(p + 16));
		c = __builtin_ia32_crc32di(c, crc_word(p + 24));
		c = __builtin_ia32_crc32di(c, crc_word(p + 32));
		c = __builtin_ia32_crc32di(c, crc_word(p + 40));
		c = __builtin_ia32_crc32di(c, crc_word(p + 48));
		c = __builtin_ia32_crc32di(c, crc_word(p + 56));
	}
	for (; len >= 8; p += 8, len -= 8)
		c = __builtin_ia32_crc32di(c, crc_word(p));
	return crc_rest((uint32_t)c, p, len);
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
