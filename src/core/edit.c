/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.c: applies an edit list to a body without copying it, and writes the
 * list down for the journal. Used by the gate to send and by the span builder
 * to show what was sent.
 *
 * An entry in the journal, little-endian: u64 offset, u64 length, u32 length
 * of the replacement, its bytes. With the length's highest bit set these are
 * u64, where in the body they stand.
 */
#include "core/edit.h"

#include <stdlib.h>

#include "core/limits.h"

#define ENTRY_HEAD 20
#define ENTRY_PLACE 0x80000000u		/* of the replacement's length */

uint64_t
edits_length(const struct edits *e, uint64_t len)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		len = len - e->list[i].length + e->list[i].replacement.len;
	return len;
}

void
edit_iter_init(struct edit_iter *it, const struct edits *edits, struct slice body)
{
	*it = (struct edit_iter){ .edits = edits, .body = body };
}

/* The bytes of the body up to the next entry or the end. A list read from a
 * journal may reach beyond the body, whose copy may have been cut. */
static struct slice
iter_kept(struct edit_iter *it)
{
	uint64_t to = it->next < it->edits->count ?
	    it->edits->list[it->next].offset : it->body.len;
	struct slice kept;

	if (to > it->body.len)
		to = it->body.len;
	if (to <= it->at)
		return SLICE_NONE;
	kept = slice_make(it->body.ptr + it->at, (size_t)(to - it->at));
	it->at = to;
	return kept;
}

bool
edit_iter_next(struct edit_iter *it, struct slice *piece)
{
	const struct edit *e;

	do {
		if (!it->in_edit) {
			*piece = iter_kept(it);
			it->in_edit = it->next < it->edits->count;
		} else {
			e = &it->edits->list[it->next++];
			*piece = e->replacement;
			it->at += e->length;
			it->in_edit = false;
		}
	} while (piece->len == 0 && (it->in_edit || it->next < it->edits->count ||
	    it->at < it->body.len));
	return piece->len > 0;
}

static void
put_number(struct buf *b, uint64_t v, size_t bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		buf_byte(b, (char)(v & 0xff));
}

/* Is s a piece of the body? *at: where. One that takes less than its place
 * would is none. */
static bool
slice_within(struct slice s, struct slice body, uint64_t *at)
{
	uintptr_t from = (uintptr_t)body.ptr, p = (uintptr_t)s.ptr;

	if (s.len <= 8 || s.len > body.len || p < from || p - from > body.len - s.len)
		return false;
	*at = p - from;
	return true;
}

void
edits_encode(const struct edits *e, struct slice body, struct buf *b)
{
	uint64_t at;
	size_t i;

	for (i = 0; i < e->count; i++) {
		struct slice r = e->list[i].replacement;

		put_number(b, e->list[i].offset, 8);
		put_number(b, e->list[i].length, 8);
		if (slice_within(r, body, &at)) {
			put_number(b, r.len | ENTRY_PLACE, 4);
			put_number(b, at, 8);
		} else {
			put_number(b, r.len, 4);
			buf_slice(b, r);
		}
	}
}

static uint64_t
get_number(const char *p, size_t bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | (unsigned char)p[bytes];
	return v;
}

/* Takes a replacement of that length word from the front. */
static bool
replacement_decode(struct slice *bytes, struct slice body, uint64_t len, struct slice *out)
{
	bool place = len & ENTRY_PLACE;
	uint64_t at;

	len &= ~(uint64_t)ENTRY_PLACE;
	if (bytes->len < (place ? 8 : len))
		return false;
	if (!place) {
		*out = slice_make(bytes->ptr, (size_t)len);
		*bytes = slice_from(*bytes, (size_t)len);
		return true;
	}
	at = get_number(bytes->ptr, 8);
	*bytes = slice_from(*bytes, 8);
	if (at > body.len || len > body.len - at)
		return false;
	*out = slice_make(body.ptr + at, (size_t)len);
	return true;
}

/* Takes one entry from the front; `from` is where it may begin at the
 * earliest. */
static bool
entry_decode(struct slice *bytes, struct slice body, uint64_t from, struct edit *e)
{
	uint64_t len;

	if (bytes->len < ENTRY_HEAD)
		return false;
	e->offset = get_number(bytes->ptr, 8);
	e->length = get_number(bytes->ptr + 8, 8);
	len = get_number(bytes->ptr + 16, 4);
	*bytes = slice_from(*bytes, ENTRY_HEAD);
	if (e->offset < from || e->length > UINT64_MAX - e->offset)
		return false;
	return replacement_decode(bytes, body, len, &e->replacement);
}

int
edits_decode(struct slice bytes, struct slice body, struct edits *out)
{
	size_t room = bytes.len / ENTRY_HEAD;
	uint64_t from = 0;
	struct edit *e;

	*out = (struct edits){ NULL, 0 };
	if (bytes.len == 0)
		return 0;
	if (room > LIMIT_EDITS)
		room = LIMIT_EDITS;
	out->list = calloc(room ? room : 1, sizeof(*out->list));
	if (out->list == NULL)
		return -1;
	while (bytes.len > 0) {
		e = &out->list[out->count];
		if (out->count == room || !entry_decode(&bytes, body, from, e)) {
			free(out->list);
			*out = (struct edits){ NULL, 0 };
			return -1;
		}
		from = e->offset + e->length;
		out->count++;
	}
	return 0;
}
