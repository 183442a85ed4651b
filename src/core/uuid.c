/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid: UUIDv7. A millisecond is followed by a 12 bit counter (rand_a), so ids
 * of one generator always rise; rand_b are 62 bits of xorshift128+, which makes
 * ids of different generators differ. They are names, not secrets.
 */
#include "core/uuid.h"

#define COUNTER_MAX 0xfff

static uint64_t
random_next(uint64_t s[2])
{
	uint64_t a = s[0], b = s[1];

	s[0] = b;
	a ^= a << 23;
	s[1] = a ^ b ^ a >> 17 ^ b >> 26;
	return s[1] + b;
}

static void
put_be(uint8_t *p, uint64_t v, unsigned n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

void
uuid7_next(struct uuid7 *u, uint64_t unix_ms, uint8_t out[16])
{
	if (unix_ms > u->last_ms) {
		u->last_ms = unix_ms;
		u->counter = 0;
	} else if (u->counter < COUNTER_MAX) {
		u->counter++;
	} else {
		u->last_ms++;
		u->counter = 0;
	}
	put_be(out, u->last_ms, 6);
	put_be(out + 6, 0x7000u | u->counter, 2);
	put_be(out + 8, random_next(u->random), 8);
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3f));
}

uint64_t
uuid7_ms(const uint8_t id[16])
{
	uint64_t ms = 0;
	unsigned i;

	for (i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms;
}
