/* SPDX-License-Identifier: Apache-2.0 */
/* thin: see thin.h. Called by the sink between building a span and storing it. */
#include "store/thin.h"

#include "core/record.h"

static void
put_record(struct buf *out, enum record_type type, const uint8_t id[16], uint64_t prev,
    struct slice payload, struct slice tail)
{
	char *head = buf_reserve(out, RECORD_HEAD);

	if (head == NULL)
		return;
	record_head(head, type, 0, id, prev, payload, tail);
	out->len += RECORD_HEAD;
	buf_slice(out, payload);
	buf_slice(out, tail);
}

/* The record without its body bytes, which are its last field. */
static void
put_bare(struct buf *out, const struct record *r)
{
	struct slice bytes = record_get(r->payload, TAG_BYTES), fields = r->payload;

	if (bytes.ptr != NULL)
		fields.len = (size_t)(bytes.ptr - r->payload.ptr) - RECORD_FIELD_HEAD;
	put_record(out, r->type, r->id, r->prev, fields, SLICE_NONE);
}

static void
put_facts(struct buf *out, const struct record *end, const struct build *build,
    enum record_direction direction)
{
	struct buf fields;

	if (build_facts(build, direction).ptr == NULL)
		return;
	buf_init(&fields, LIMIT_RECORD);
	build_facts_put(build, direction, &fields);
	put_record(out, RECORD_FACTS, end->id, end->prev, buf_view(&fields), SLICE_NONE);
	out->failed |= fields.failed;
	buf_free(&fields);
}

/* Are the record's bytes told by facts? */
static bool
is_told(const struct record *r, const struct slice facts[2])
{
	if (r->type == RECORD_BEGIN)
		return facts[DIRECTION_REQUEST].ptr != NULL;
	return r->type == RECORD_PART && facts[record_get_u64(r->payload, TAG_DIRECTION,
	    DIRECTION_ANSWER) == DIRECTION_REQUEST ? DIRECTION_REQUEST : DIRECTION_ANSWER].ptr != NULL;
}

bool
thin_chain(const struct chain *chain, const struct build *build, struct buf *out)
{
	const struct slice facts[2] = {
		[DIRECTION_REQUEST] = build_facts(build, DIRECTION_REQUEST),
		[DIRECTION_ANSWER] = build_facts(build, DIRECTION_ANSWER),
	};
	size_t start = out->len, i;
	const struct record *r;

	if (facts[0].ptr == NULL && facts[1].ptr == NULL)
		return false;
	for (i = 0; i < chain->count; i++) {
		r = &chain->records[i];
		if (r->type == RECORD_END) {
			put_facts(out, r, build, DIRECTION_REQUEST);
			put_facts(out, r, build, DIRECTION_ANSWER);
		}
		if (!is_told(r, facts))
			put_record(out, r->type, r->id, r->prev, r->payload, SLICE_NONE);
		else if (r->type == RECORD_BEGIN)
			put_bare(out, r);
	}
	if (!out->failed)
		return true;
	out->len = start;
	return false;
}
