/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally: counting, and CHECKPOINTs written and read. Pure but for memory.
 */
#include "journal/tally.h"

#include <endian.h>
#include <string.h>

#define OPEN_SIZE 24		/* id and position of the last record */
#define FIRST_SIZE 8		/* position of the BEGIN */
#define OPEN_MOST 30000		/* of one CHECKPOINT record: under LIMIT_RECORD */
#define CHECKPOINT_FIELDS 5	/* BEGUN, ENDED, DROPPED, OPEN, FIRST */

static const uint8_t no_id[16];

void
tally_free(struct tally *t)
{
	opens_free(&t->opens);
}

static uint64_t
load_position(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

/* The open exchanges that a CHECKPOINT lists. */
static void
tally_apply_open(struct tally *t, struct slice list, struct slice firsts)
{
	uint64_t first, last;

	for (; list.len >= OPEN_SIZE && firsts.len >= FIRST_SIZE;
	    list = slice_from(list, OPEN_SIZE), firsts = slice_from(firsts, FIRST_SIZE)) {
		last = load_position(list.ptr + 16);
		first = load_position(firsts.ptr);
		if (first != 0)
			opens_add(&t->opens, (const uint8_t *)list.ptr, first, last);
	}
}

static void
tally_apply_checkpoint(struct tally *t, struct slice payload)
{
	if (record_get(payload, TAG_BEGUN).ptr != NULL) {
		opens_clear(&t->opens);
		t->begun = record_get_u64(payload, TAG_BEGUN, 0);
		t->ended = record_get_u64(payload, TAG_ENDED, 0);
	}
	t->dropped = record_get_u64(payload, TAG_DROPPED, t->dropped);
	tally_apply_open(t, record_get(payload, TAG_OPEN), record_get(payload, TAG_FIRST));
}

/* An END without its BEGIN, as damage leaves it, still counts as an END. */
void
tally_apply(struct tally *t, const struct record *r, uint64_t position)
{
	struct open_exchange *x;

	if (r->type == RECORD_CHECKPOINT) {
		tally_apply_checkpoint(t, r->payload);
		return;
	}
	if (r->type == RECORD_BEGIN) {
		t->begun++;
		opens_add(&t->opens, r->id, position, position);
		return;
	}
	x = opens_find(&t->opens, r->id);
	if (r->type == RECORD_END)
		t->ended++;
	if (x == NULL)
		return;
	if (r->type == RECORD_END)
		opens_remove(&t->opens, x);
	else
		x->last = position;
}

uint64_t
tally_size(const struct tally *t)
{
	uint64_t records = 1 + t->opens.count / OPEN_MOST;

	return records * (RECORD_HEAD + CHECKPOINT_FIELDS * (RECORD_FIELD_HEAD + 8)) +
	    t->opens.count * (OPEN_SIZE + FIRST_SIZE);
}

void
record_append(struct buf *out, enum record_type type, uint32_t salt, const uint8_t id[16],
    uint64_t prev, struct slice payload)
{
	char *head = buf_reserve(out, RECORD_HEAD + payload.len);

	if (head == NULL)
		return;
	record_head(head, type, salt, id, prev, payload, SLICE_NONE);
	if (payload.len > 0)
		memcpy(head + RECORD_HEAD, payload.ptr, payload.len);
	out->len += RECORD_HEAD + payload.len;
}

/* The entries of the next used slots from *slot on, at most OPEN_MOST. */
static void
tally_put_open(const struct opens *o, size_t *slot, struct buf *list, struct buf *firsts)
{
	const struct open_exchange *x;
	uint64_t first, last;
	size_t n;

	for (n = 0; *slot < o->cap && n < OPEN_MOST; ++*slot) {
		x = &o->slots[*slot];
		if (x->first == 0)
			continue;
		first = htole64(x->first);
		last = htole64(x->last);
		buf_append(list, x->id, 16);
		buf_append(list, &last, 8);
		buf_append(firsts, &first, 8);
		n++;
	}
}

void
tally_write(const struct tally *t, uint32_t salt, struct buf *out)
{
	uint64_t left = t->opens.count;
	struct buf fields, list, firsts;
	size_t slot = 0;

	buf_init(&fields, LIMIT_RECORD);
	buf_init(&list, LIMIT_RECORD);
	buf_init(&firsts, LIMIT_RECORD);
	record_put_u64(&fields, TAG_BEGUN, t->begun);
	record_put_u64(&fields, TAG_ENDED, t->ended);
	record_put_u64(&fields, TAG_DROPPED, t->dropped);
	do {
		tally_put_open(&t->opens, &slot, &list, &firsts);
		if (list.len > 0) {
			record_put(&fields, TAG_OPEN, buf_view(&list));
			record_put(&fields, TAG_FIRST, buf_view(&firsts));
		}
		if (fields.failed || list.failed || firsts.failed)
			out->failed = true;
		record_append(out, RECORD_CHECKPOINT, salt, no_id, 0, buf_view(&fields));
		left -= list.len / OPEN_SIZE;
		buf_clear(&fields);
		buf_clear(&list);
		buf_clear(&firsts);
	} while (left > 0);
	buf_free(&fields);
	buf_free(&list);
	buf_free(&firsts);
}

void
tally_write_dropped(const struct tally *t, uint32_t salt, struct buf *out)
{
	struct buf fields;

	buf_init(&fields, RECORD_FIELD_HEAD + 8);
	record_put_u64(&fields, TAG_DROPPED, t->dropped);
	record_append(out, RECORD_CHECKPOINT, salt, no_id, 0, buf_view(&fields));
	buf_free(&fields);
}
