/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer: records on their way from a gate thread to its segment. Everything
 * here runs on that thread, reads no file and takes no lock; its system calls
 * are the batch's writev and, once a segment, the wake of the helper.
 *
 * Room: a record is taken only if the ENDs of all open exchanges still fit
 * behind it into what the segment has reserved. If not, the next segment is
 * begun, or, if the helper has not made one, this one goes on past its size as
 * long as max_bytes allows.
 */
#include <config.h>

#include "journal/private.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "journal/segment.h"
#include "ledger/ledger.h"

/* Counts and tells what has just been written. */
static void
writer_wrote(struct journal_writer *w)
{
	w->tried = 0;
	if (atomic_load_explicit(&w->error, memory_order_relaxed) != 0) {
		atomic_store(&w->error, 0);
		(void)sem_post(&w->journal->helper_wake);
	}
	atomic_store_explicit(&w->written, position_make(w->number, w->flushed),
	    memory_order_release);
	if (w->batch_begun > 0)
		ledger_add(LEDGER_BEGUN, w->batch_begun);
	if (w->batch_ended > 0)
		ledger_add(LEDGER_ENDED, w->batch_ended);
	w->batch_begun = w->batch_ended = 0;
	if (w->batch_acts)
		journal_news(w->journal);
	w->batch_acts = false;
}

/* What cannot be written stays in the batch for the next time. */
static void
writer_write(struct journal_writer *w)
{
	int error;

	if (w->batch.bytes == 0)
		return;
	error = batch_write(&w->batch, w->fd, &w->flushed);
	if (error == 0) {
		writer_wrote(w);
		return;
	}
	w->tried = w->batch.bytes;
	if (atomic_exchange(&w->error, error) == 0)
		(void)sem_post(&w->journal->helper_wake);
}

/* Puts bytes that are whole records into the batch. */
static void
writer_put_bytes(struct journal_writer *w, const struct buf *b)
{
	if (b->failed)
		bug("no memory for %zu bytes of a checkpoint", b->len);
	memcpy(batch_room(&w->batch, b->len), b->ptr, b->len);
	w->at += b->len;
}

/* Puts a record for which there is room; its position. */
static uint64_t
writer_put(struct journal_writer *w, enum record_type type, const uint8_t id[16],
    uint64_t prev, struct slice fields, struct slice tail)
{
	size_t length = RECORD_HEAD + fields.len + tail.len;
	bool copy = tail.len <= BATCH_COPY;
	uint64_t position;
	char *p;

	if (w->batch.bytes - w->tried >= LIMIT_BATCH || w->batch.ntails == BATCH_TAILS)
		writer_write(w);
	p = batch_room(&w->batch, copy ? length : length - tail.len);
	if (fields.len > 0)
		memcpy(p + RECORD_HEAD, fields.ptr, fields.len);
	fields.ptr = p + RECORD_HEAD;
	if (copy) {
		if (tail.len > 0)
			memcpy(p + RECORD_HEAD + fields.len, tail.ptr, tail.len);
		fields.len += tail.len;
		tail.len = 0;
	} else {
		batch_borrow(&w->batch, tail);
	}
	record_head(p, type, w->salt, id, prev, fields, tail);
	position = position_make(w->number, w->at);
	w->at += length;
	return position;
}

/* Head and CHECKPOINT of a segment that begins. Its salt is one that nobody
 * can know and that no other segment has but by chance. */
static void
writer_begin_segment(struct journal_writer *w, uint64_t before)
{
	struct buf b;

	w->salt = crc32c(w->salt_seed, &w->number, sizeof(w->number));
	segment_head(batch_room(&w->batch, SEGMENT_HEAD), w->series, w->number, w->salt,
	    (uint32_t)before);
	w->at += SEGMENT_HEAD;
	buf_init(&b, tally_size(&w->tally) + 1);
	tally_write(&w->tally, w->salt, &b);
	writer_put_bytes(w, &b);
	buf_free(&b);
	w->dropped_noted = w->tally.dropped;
}

/* Goes on in the next segment if it is ready and takes `want` bytes. */
static bool
writer_switch(struct journal_writer *w, uint64_t want)
{
	struct handed old = { w->fd, w->number, w->reserved, 0 };

	if (atomic_load_explicit(&w->next_state, memory_order_acquire) != NEXT_READY ||
	    atomic_load_explicit(&w->retired_full, memory_order_acquire))
		return false;
	writer_write(w);
	if (w->batch.bytes > 0)
		return false;
	want += SEGMENT_HEAD + tally_size(&w->tally);
	if (want > w->next.reserved) {
		if (!journal_claim(w->journal, want - w->next.reserved))
			return false;
		w->next.reserved = want;
	}
	old.size = w->flushed;
	w->fd = w->next.fd;
	w->number = w->next.number;
	w->reserved = w->next.reserved;
	w->ask_at = w->reserved / 2;
	w->at = w->flushed = 0;
	atomic_store_explicit(&w->next_state, NEXT_NONE, memory_order_release);
	if (old.fd >= 0) {
		w->retired = old;
		atomic_store_explicit(&w->retired_full, true, memory_order_release);
		(void)sem_post(&w->journal->helper_wake);
	}
	writer_begin_segment(w, old.size);
	return true;
}

/* Asks the helper for the next segment, once. */
static void
writer_ask(struct journal_writer *w)
{
	int none = NEXT_NONE;

	w->ask_at = w->reserved;
	if (atomic_compare_exchange_strong(&w->next_state, &none, NEXT_WANTED))
		(void)sem_post(&w->journal->helper_wake);
}

/* Lets the segment grow past what was reserved for it. */
static bool
writer_extend(struct journal_writer *w, uint64_t to)
{
	if (w->fd < 0 || to > UINT32_MAX || atomic_load(&w->journal->disk_full) ||
	    !journal_claim_extension(w->journal, to - w->reserved))
		return false;
	w->reserved = w->ask_at = to;
	return true;
}

/* The slow half of writer_room. */
static bool
writer_find_room(struct journal_writer *w, uint64_t want, bool may_switch)
{
	writer_ask(w);
	if (w->fd >= 0 && w->at + want <= w->reserved)
		return true;
	if (may_switch && writer_switch(w, want))
		return true;
	if (writer_extend(w, w->at + want))
		return true;
	if (!atomic_exchange(&w->refused, true))
		(void)sem_post(&w->journal->helper_wake);
	return false;
}

/* Is there room for a record of n bytes and then the ENDs of so many? */
static inline bool
writer_room(struct journal_writer *w, uint64_t n, uint64_t opens, bool may_switch)
{
	uint64_t want = n + opens * LIMIT_END;

	return w->at + want <= w->ask_at || writer_find_room(w, want, may_switch);
}

/* Tells on disk how many BEGINs there was no room for. */
static void
writer_note_dropped(struct journal_writer *w)
{
	struct buf b;

	if (w->dropped_noted == w->tally.dropped ||
	    !writer_room(w, TALLY_DROPPED_SIZE, w->tally.opens.count, true) ||
	    w->dropped_noted == w->tally.dropped)
		return;
	buf_init(&b, TALLY_DROPPED_SIZE);
	tally_write_dropped(&w->tally, w->salt, &b);
	writer_put_bytes(w, &b);
	buf_free(&b);
	w->dropped_noted = w->tally.dropped;
}

static uint64_t
writer_drop(struct journal_writer *w)
{
	w->tally.dropped++;
	ledger_dropped("journal_full", 1);
	return 0;
}

uint64_t
journal_begin(struct journal_writer *w, const uint8_t id[16], struct slice fields,
    struct slice tail)
{
	uint64_t n = RECORD_HEAD + fields.len + tail.len, position;

	if (w->tried > 0 && w->batch.bytes + n > LIMIT_BACKLOG_BEGINS)
		return writer_drop(w);
	writer_note_dropped(w);
	if (!writer_room(w, n, w->tally.opens.count + 1, true))
		return writer_drop(w);
	position = writer_put(w, RECORD_BEGIN, id, 0, fields, tail);
	opens_add(&w->tally.opens, id, position, position);
	w->tally.begun++;
	w->batch_begun++;
	return position;
}

/*
 * PARTs of a SPAN belong to no open exchange, so no CHECKPOINT knows of them:
 * such a chain must not go on in another segment than it began in, as the one
 * behind the sink's cursor may be deleted any time.
 */
uint64_t
journal_add(struct journal_writer *w, enum record_type type, const uint8_t id[16],
    uint64_t prev, struct slice fields, struct slice tail)
{
	uint64_t n = RECORD_HEAD + fields.len + tail.len, position;
	struct open_exchange *x = opens_find(&w->tally.opens, id);

	assert(type != RECORD_BEGIN && type != RECORD_END && type != RECORD_CHECKPOINT);
	if (w->tried > 0 && w->batch.bytes + n > LIMIT_BACKLOG_PARTS)
		return 0;
	if (!writer_room(w, n, w->tally.opens.count, prev == 0 || x != NULL))
		return 0;
	position = writer_put(w, type, id, prev, fields, tail);
	if (x != NULL)
		x->last = position;
	if (type == RECORD_SPAN || type == RECORD_EDIT)
		w->batch_acts = true;
	return position;
}

uint64_t
journal_end(struct journal_writer *w, const uint8_t id[16], uint64_t prev,
    struct slice fields)
{
	uint64_t n = RECORD_HEAD + fields.len, position;
	struct open_exchange *x = opens_find(&w->tally.opens, id);

	assert(x != NULL);
	(void)writer_room(w, n, w->tally.opens.count - 1, true);
	position = writer_put(w, RECORD_END, id, prev, fields, SLICE_NONE);
	opens_remove(&w->tally.opens, x);
	w->tally.ended++;
	w->batch_ended++;
	w->batch_acts = true;
	return position;
}

void
journal_flush(struct journal_writer *w)
{
	writer_write(w);
}

bool
journal_pending(const struct journal_writer *w)
{
	return w->batch.bytes > 0;
}

bool
journal_written(const struct journal_writer *w)
{
	return w->batch.bytes == 0 && atomic_load(&w->error) == 0;
}

/* What the writer itself has left to do when it closes. */
void
writer_finish(struct journal_writer *w)
{
	writer_note_dropped(w);
	writer_write(w);
	if (w->batch.bytes > 0)
		log_error("journal: %s: %llu bytes could not be written: %s", w->path,
		    (unsigned long long)w->batch.bytes, strerror(atomic_load(&w->error)));
}
