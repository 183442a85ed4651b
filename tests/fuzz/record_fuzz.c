/* SPDX-License-Identifier: Apache-2.0 */
/* record: any bytes as records back to back and as a payload. A record whose
 * CRC is put right must be read, and written anew be the same; no field may
 * leave its payload. */
#include "core/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* Fields follow each other inside the payload; put anew they are the same. */
static void
payload_check(struct slice payload)
{
	const char *p = payload.ptr, *end = payload.ptr + payload.len;
	struct slice whole = payload;
	struct record_field f;
	struct buf again;

	buf_init(&again, payload.len + 1);
	while (record_next(&payload, &f)) {
		CHECK(f.bytes.ptr == p + RECORD_FIELD_HEAD && f.bytes.len <= (size_t)(end - f.bytes.ptr));
		p = f.bytes.ptr + f.bytes.len;
		CHECK(payload.ptr == p && payload.len == (size_t)(end - p));
		record_put(&again, f.tag, f.bytes);
		CHECK(record_get(whole, f.tag).ptr != NULL);
		(void)record_get_u64(whole, f.tag, 0);
	}
	CHECK(payload.len == 0 && (payload.ptr == NULL) == (p != end));
	CHECK(!again.failed && slice_eq(buf_view(&again), slice_make(whole.ptr, (size_t)(p - whole.ptr))));
	buf_free(&again);
}

/* The payload in two pieces at a place that the bytes choose. */
static void
encode_check(const struct record *r, const char *bytes, size_t len)
{
	size_t cut = r->payload.len ? (size_t)r->id[0] * r->payload.len / 256 : 0;
	char head[RECORD_HEAD];

	record_head(head, r->type, record_salt(bytes), r->id, r->prev, slice_make(r->payload.ptr, cut),
	    slice_from(r->payload, cut));
	CHECK(RECORD_HEAD + r->payload.len == len);
	CHECK(memcmp(head, bytes, 4) == 0 && memcmp(head + 16, bytes + 16, 24) == 0);
	/* The reserved bytes are written as zeros, which changes the CRC. */
	if (memcmp(bytes + 9, "\0\0\0", 3) == 0)
		CHECK(memcmp(head, bytes, RECORD_HEAD) == 0);
}

/* Reads records from p on, each with its CRC put right if `mend`. */
static void
records(char *p, size_t len, bool mend)
{
	struct record r;
	uint32_t length, crc;
	size_t used;
	int result;

	while (len > 0) {
		if (mend && len >= RECORD_HEAD) {
			memcpy(&length, p, 4);
			length = length % (len - RECORD_HEAD + 1) + RECORD_HEAD;
			memcpy(p, &length, 4);
			crc = length <= LIMIT_RECORD ? crc32c(0, p + 8, length - 8) : 0;
			memcpy(p + 4, &crc, 4);
		}
		result = record_read(&r, p, len, &used);
		CHECK(!mend || len < RECORD_HEAD || result == RECORD_OK || length > LIMIT_RECORD);
		if (result != RECORD_OK)
			break;
		CHECK(used >= RECORD_HEAD && used <= len);
		payload_check(r.payload);
		encode_check(&r, p, used);
		p += used;
		len -= used;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	CHECK(copy != NULL);
	CHECK(crc32c(0, data, size) == crc32c_portable(0, data, size));
	memcpy(copy, data, size);
	payload_check(slice_make(copy, size));
	records(copy, size, false);
	records(copy, size, true);
	free(copy);
	return 0;
}
