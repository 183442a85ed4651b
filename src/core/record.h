/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: the journal's unit, encoded and decoded. Little-endian, byte order
 * told by the segment's head.
 *
 *   0  u32 length    of the whole record, head included, at most LIMIT_RECORD
 *   4  u32 crc       CRC-32C of everything after it
 *   8  u8  type      enum record_type
 *   9  u8  zero[3]
 *  12  u32 salt      of the segment: what stands in a file from its former
 *                    life has another one
 *  16  u8  id[16]    the exchange's UUIDv7
 *  32  u64 prev      position of the exchange's previous record, 0 for none
 *  40  payload       fields: u8 tag, u24 length, bytes; numbers are u64
 *
 * Unknown types and unknown tags are skipped by readers.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/buf.h"
#include "core/limits.h"

#define RECORD_HEAD 40
#define RECORD_FIELD_HEAD 4

enum record_type {
	RECORD_BEGIN = 1, RECORD_SEND, RECORD_HEAD_IN, RECORD_PART, RECORD_END,
	RECORD_SPAN, RECORD_EDIT, RECORD_CHECKPOINT, RECORD_FACTS,
};

enum record_tag {
#define TAG(symbol, value, type, records, sentence) TAG_##symbol = value,
#include "core/record.tbl.h"
#undef TAG
};

enum record_direction { DIRECTION_REQUEST = 0, DIRECTION_ANSWER = 1 };

struct record {
	enum record_type type;
	uint8_t		 id[16];
	uint64_t	 prev;
	struct slice	 payload;
};

enum record_result {
	RECORD_MORE = 0,	/* the bytes end before the record does */
	RECORD_OK = 1,
	RECORD_E_LENGTH = -1,	/* impossible length */
	RECORD_E_CRC = -2,
};

/* CRC-32C (Castagnoli, RFC 3720 B.4), continued from crc (0 at first). Uses
 * the processor's instruction where there is one. */
uint32_t crc32c(uint32_t crc, const void *p, size_t len);
/* The same without that instruction: for machines that lack it, and tests. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t len);

/* Writes the 40 bytes of head at out. The payload is given in two pieces as
 * the second may be borrowed bytes; the CRC covers both. */
void	record_head(char *out, enum record_type, uint32_t salt, const uint8_t id[16],
	    uint64_t prev, struct slice payload, struct slice tail);

/* Reads one record from len bytes at p; *used its length. The payload points
 * into p. RECORD_OK, RECORD_MORE or an error. Any salt is taken: comparing it
 * is for who reads a segment. */
int	record_read(struct record *, const char *p, size_t len, size_t *used);
/* Can a record of this salt begin with these bytes? Looks at the head alone,
 * so that what is left of a former life costs no reading and no CRC. */
bool	record_salted(const char *p, size_t len, uint32_t salt);
/* The salt in the RECORD_HEAD bytes at p. */
uint32_t record_salt(const char *p);

/* Fields of a payload. */
void	record_put(struct buf *, enum record_tag, struct slice bytes);
void	record_put_u64(struct buf *, enum record_tag, uint64_t);
/* The head of a field whose bytes come after it from elsewhere (the tail). */
void	record_put_head(struct buf *, enum record_tag, size_t len);

/* The fields of the commonest record at once, a PART of an answer: T, OFFSET and
 * the head of BYTES, len of them (at most LIMIT_RECORD). out has
 * RECORD_PART_FIELDS bytes. */
#define RECORD_PART_FIELDS (2 * (RECORD_FIELD_HEAD + 8) + RECORD_FIELD_HEAD)
void	record_put_part(char *out, uint64_t t, uint64_t offset, size_t len);

struct record_field {
	unsigned	tag;
	struct slice	bytes;
};
/* Pulls the next field: true, or false at the end. *payload shrinks. A
 * malformed rest ends it as well and sets *payload to SLICE_NONE. */
bool	record_next(struct slice *payload, struct record_field *);
/* Value of a number field; 0 when its length is not 8. */
uint64_t record_u64(struct slice bytes);
/* The first field of that tag: SLICE_NONE / `otherwise` if absent. */
struct slice record_get(struct slice payload, enum record_tag);
uint64_t record_get_u64(struct slice payload, enum record_tag, uint64_t otherwise);

#endif
