/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c: the FACTS record, which stands in the store for a body of which the
 * builder has read all that a span shows: made of a build, and taken back into
 * one. Called by build.c, request.c, answer.c and through build.h by the store.
 */
#include "span/inner.h"

enum { WHOLE_NOT, WHOLE_FINISH, WHOLE_DONE };	/* values of the field; any other: as WHOLE_FINISH */

static enum warn_source
facts_source(enum record_direction direction)
{
	return direction == DIRECTION_REQUEST ? WARN_OF_REQUEST : WARN_OF_ANSWER;
}

bool
facts_feed(struct build *b, struct slice payload)
{
	uint64_t direction = record_get_u64(payload, TAG_DIRECTION, DIRECTION_ANSWER);
	struct slice facts = record_get(payload, TAG_FACTS);

	if (direction > DIRECTION_ANSWER || facts.len == 0 || b->told[direction].ptr != NULL)
		return false;
	b->facts[direction] = facts;
	b->told[direction] = payload;
	return true;
}

/* Older records have neither times nor kind: the row has the times. */
static void
answer_replay(struct build *b, struct slice told)
{
	uint64_t whole = record_get_u64(told, TAG_WHOLE, WHOLE_NOT);

	b->done_seen = whole == WHOLE_DONE;
	b->finish_seen = whole != WHOLE_NOT && whole != WHOLE_DONE;
	b->stream = record_get_u64(told, TAG_STREAM, slice_starts(b->answer.type, SLICE("text/"))) != 0;
	b->timed = b->stream;
	b->facts[DIRECTION_ANSWER] = build_json(b, b->facts[DIRECTION_ANSWER]).text;
	b->t_content = time_get(told, TAG_T_CONTENT);
	b->answer.t_last = time_get(told, TAG_T_LAST);
	b->span.inter_token = build_json(b, record_get(told, TAG_INTER_TOKEN)).text;
}

void
facts_replay(struct build *b, enum record_direction direction)
{
	warn_notes(&b->warnings, record_get(b->told[direction], TAG_NOTES));
	if (direction == DIRECTION_ANSWER)
		answer_replay(b, b->told[direction]);
}

struct slice
build_facts(const struct build *b, enum record_direction direction)
{
	return b->facts[direction];
}

static void
put_time(struct buf *out, enum record_tag tag, int64_t t)
{
	if (t != TIME_NONE)
		record_put_u64(out, tag, (uint64_t)t);
}

static void
put_answer(const struct build *b, struct buf *out)
{
	record_put_u64(out, TAG_WHOLE, b->finish_seen ? WHOLE_FINISH : b->done_seen ? WHOLE_DONE : WHOLE_NOT);
	record_put_u64(out, TAG_STREAM, b->stream);
	put_time(out, TAG_T_CONTENT, b->t_content);
	put_time(out, TAG_T_LAST, b->answer.t_last);
	if (b->span.inter_token.len > 0)
		record_put(out, TAG_INTER_TOKEN, b->span.inter_token);
}

void
build_facts_put(const struct build *b, enum record_direction direction, struct buf *out)
{
	struct buf notes;

	if (b->facts[direction].ptr == NULL)
		return;
	record_put_u64(out, TAG_DIRECTION, direction);
	if (direction == DIRECTION_ANSWER)
		put_answer(b, out);
	else
		record_put_u64(out, TAG_WHOLE, WHOLE_FINISH);
	buf_init(&notes, MIB);
	warn_put(&b->warnings, facts_source(direction), &notes);
	if (notes.len > 0)
		record_put(out, TAG_NOTES, buf_view(&notes));
	out->failed |= notes.failed;
	buf_free(&notes);
	record_put(out, TAG_FACTS, b->facts[direction]);
}
