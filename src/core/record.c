/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: the journal's unit, put together by its writers and taken apart by
 * everyone who reads a journal or a stored chain. Trusts no byte that it
 * reads; never keeps, copies or allocates one (but by the caller's buf).
 */
#include "core/record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define RECORD_CRC_FROM 8	/* the CRC covers what stands behind itself */
#define RECORD_SALT_AT 12

static inline void
store_u32(char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, 4);
}

static inline void
store_u64(char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, 8);
}

static inline uint32_t
load_u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

static inline uint64_t
load_u64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

void
record_head(char *out, enum record_type type, uint32_t salt, const uint8_t id[16],
    uint64_t prev, struct slice payload, struct slice tail)
{
	size_t length = RECORD_HEAD + payload.len + tail.len;
	uint32_t crc;

	assert(length <= LIMIT_RECORD);
	store_u32(out, (uint32_t)length);
	store_u32(out + 8, (uint8_t)type);
	store_u32(out + RECORD_SALT_AT, salt);
	memcpy(out + 16, id, 16);
	store_u64(out + 32, prev);
	/* A payload that stands behind its head already goes in the same run. */
	if (payload.ptr == out + RECORD_HEAD) {
		crc = crc32c(0, out + RECORD_CRC_FROM, RECORD_HEAD - RECORD_CRC_FROM + payload.len);
	} else {
		crc = crc32c(0, out + RECORD_CRC_FROM, RECORD_HEAD - RECORD_CRC_FROM);
		crc = crc32c(crc, payload.ptr, payload.len);
	}
	if (tail.len > 0)
		crc = crc32c(crc, tail.ptr, tail.len);
	store_u32(out + 4, crc);
}

uint32_t
record_salt(const char *p)
{
	return load_u32(p + RECORD_SALT_AT);
}

bool
record_salted(const char *p, size_t len, uint32_t salt)
{
	return len < RECORD_HEAD || record_salt(p) == salt;
}

int
record_read(struct record *r, const char *p, size_t len, size_t *used)
{
	uint32_t length;

	if (len < 4)
		return RECORD_MORE;
	length = load_u32(p);
	if (length < RECORD_HEAD || length > LIMIT_RECORD)
		return RECORD_E_LENGTH;
	if (len < length)
		return RECORD_MORE;
	if (crc32c(0, p + RECORD_CRC_FROM, length - RECORD_CRC_FROM) != load_u32(p + 4))
		return RECORD_E_CRC;
	r->type = (uint8_t)p[8];
	memcpy(r->id, p + 16, 16);
	r->prev = load_u64(p + 32);
	r->payload = slice_make(p + RECORD_HEAD, length - RECORD_HEAD);
	*used = length;
	return RECORD_OK;
}

/* Where a field's bytes go, its head written; NULL when there is no room. */
static inline char *
record_field_start(struct buf *b, enum record_tag tag, size_t len, size_t copied)
{
	char *p;

	if (len > 0xffffff) {
		b->failed = true;
		return NULL;
	}
	if ((p = buf_reserve(b, RECORD_FIELD_HEAD + copied)) == NULL)
		return NULL;
	store_u32(p, (uint32_t)len << 8 | (uint8_t)tag);
	b->len += RECORD_FIELD_HEAD + copied;
	return p + RECORD_FIELD_HEAD;
}

void
record_put(struct buf *b, enum record_tag tag, struct slice bytes)
{
	char *p = record_field_start(b, tag, bytes.len, bytes.len);

	if (p != NULL && bytes.len > 0)
		memcpy(p, bytes.ptr, bytes.len);
}

void
record_put_u64(struct buf *b, enum record_tag tag, uint64_t v)
{
	char *p = record_field_start(b, tag, 8, 8);

	if (p != NULL)
		store_u64(p, v);
}

void
record_put_head(struct buf *b, enum record_tag tag, size_t len)
{
	(void)record_field_start(b, tag, len, 0);
}

void
record_put_part(char *out, uint64_t t, uint64_t offset, size_t len)
{
	store_u32(out, 8u << 8 | TAG_T);
	store_u64(out + 4, t);
	store_u32(out + 12, 8u << 8 | TAG_OFFSET);
	store_u64(out + 16, offset);
	store_u32(out + 24, (uint32_t)len << 8 | TAG_BYTES);
}

bool
record_next(struct slice *payload, struct record_field *field)
{
	uint32_t head;
	size_t len;

	if (payload->len == 0)
		return false;
	if (payload->len < RECORD_FIELD_HEAD) {
		*payload = SLICE_NONE;
		return false;
	}
	head = load_u32(payload->ptr);
	len = head >> 8;
	if (len > payload->len - RECORD_FIELD_HEAD) {
		*payload = SLICE_NONE;
		return false;
	}
	field->tag = head & 255;
	field->bytes = slice_make(payload->ptr + RECORD_FIELD_HEAD, len);
	*payload = slice_from(*payload, RECORD_FIELD_HEAD + len);
	return true;
}

uint64_t
record_u64(struct slice bytes)
{
	return bytes.len == 8 ? load_u64(bytes.ptr) : 0;
}

struct slice
record_get(struct slice payload, enum record_tag tag)
{
	struct record_field field;

	while (record_next(&payload, &field))
		if (field.tag == tag)
			return field.bytes;
	return SLICE_NONE;
}

uint64_t
record_get_u64(struct slice payload, enum record_tag tag, uint64_t otherwise)
{
	struct slice bytes = record_get(payload, tag);

	return bytes.len == 8 ? load_u64(bytes.ptr) : otherwise;
}
