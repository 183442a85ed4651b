/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid: UUIDv7 (RFC 9562 5.7) that never steps back within one generator,
 * whatever the clock does. Time and randomness are arguments.
 */
#ifndef CORE_UUID_H
#define CORE_UUID_H

#include <stdint.h>

struct uuid7 {
	uint64_t	last_ms;
	uint64_t	random[2];	/* xorshift state: seed with random bytes, not both 0 */
	uint16_t	counter;	/* rand_a: counts within a millisecond */
};

/* The next id at `unix_ms`. When the clock stepped back or the counter ran
 * over, the millisecond is taken from the generator instead. */
void	uuid7_next(struct uuid7 *, uint64_t unix_ms, uint8_t out[16]);
/* Milliseconds of an id. */
uint64_t uuid7_ms(const uint8_t id[16]);

#endif
