/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: append-only segment files, one series for each process start and
 * writing thread. Here: the directory, its writers, its recovery. Reading is
 * reader.h.
 *
 * Directory:  DIR/<series>/lock, DIR/<series>/00000001.seg, ..., and
 * DIR/<series>.<number>.spare: segments that are done with, to be written again.
 * Series name: <unix ms, 13 digits>-<thread, 2 digits>, so that names sort by
 * start. A position in a series is u64: segment number << 32 | offset in the
 * file; 0 is none.
 *
 * A helper thread ("journal") syncs, makes segments ready ahead of need (space
 * reserved by fallocate), and deletes those that are done with, or puts them by
 * to be the next ones: while the sink keeps up, two or three files go round,
 * and writing costs no fresh pages. So a writer's only system call is one writev
 * a turn.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/reason.h"
#include "core/record.h"

/* A tail of at most so many bytes is copied at once, not borrowed. */
#define JOURNAL_COPIES 4096

struct journal;
struct journal_writer;

struct journal_config {
	const char	*dir;
	uint64_t	 max_bytes;	/* of all segments, spare ones too */
	uint64_t	 sync_us;	/* 0: never sync */
	unsigned	 writers;	/* how many there will be: sizes the segments */
};

/*
 * Opens the directory (makes it, 0700), recovers every series whose lock it
 * gets: reads the last segment from its CHECKPOINT, cuts a torn tail, appends
 * END(interrupted) for what is open. Starts the helper thread.
 * NULL on error, err holds a line for people: not writable, a newer format
 * version ("made by a newer spangate"), not ours.
 */
struct journal	*journal_open(const struct journal_config *, char *err, size_t errlen);
/* All writers must be closed. */
void		 journal_close(struct journal *);

/* One writer for each thread that writes; not shared. NULL: err. */
struct journal_writer *journal_writer_open(struct journal *, unsigned thread, char *err, size_t errlen);
/* How many have been opened: another number means that there is a new series. */
unsigned	 journal_series_made(const struct journal *);
/* Flushes, appends nothing: open exchanges must have been ended. */
void		 journal_writer_close(struct journal_writer *);

/*
 * Adds a record to this turn's batch and gives its position. `fields` is
 * copied; `tail` (the bytes of the last field, whose head stands at the end of
 * fields by record_put_head) is borrowed until journal_flush. The whole record
 * must fit LIMIT_RECORD.
 *
 * begin: RECORD_BEGIN; keeps room for the exchange's END. Returns 0 when there
 *   is no room: the drop is counted ({journal_full}) and the exchange goes on
 *   without a span; nothing more may be appended for it.
 * add: SEND, HEAD_IN, PART, SPAN, EDIT. Returns 0 when there is no room: the
 *   caller goes on with the former position and counts the bytes as LOST.
 * end: RECORD_END; always has room. Its BEGIN was taken by this writer.
 *
 * A SPAN that takes several records is added as PARTs and then the SPAN, with
 * nothing else of this writer between them.
 */
uint64_t journal_begin(struct journal_writer *, const uint8_t id[16],
	    struct slice fields, struct slice tail);
uint64_t journal_add(struct journal_writer *, enum record_type, const uint8_t id[16],
	    uint64_t prev, struct slice fields, struct slice tail);
uint64_t journal_end(struct journal_writer *, const uint8_t id[16],
	    uint64_t prev, struct slice fields);

/* One writev of the turn's batch; nothing to do is no call. Never blocks on
 * anything else. A short or failed write is kept and tried again at the next
 * flush, while it lasts CONDITION_JOURNAL is set. */
void	 journal_flush(struct journal_writer *);
/* Is there anything to flush? */
bool	 journal_pending(const struct journal_writer *);

/* Waits until some writer has flushed an END, SPAN or EDIT since the last call,
 * or timeout, or journal_wake. For the one sink thread. */
void	 journal_wait(struct journal *, uint64_t timeout_us);
void	 journal_wake(struct journal *);

/* The sink's cursor of a series has been committed and synced up to here:
 * segments wholly behind it are deleted or put by (by the helper thread), but for those
 * in which something began that is open there; a series that has ended is
 * deleted when the cursor stands at its end. */
void	 journal_release(struct journal *, const char *series, uint64_t position);

/* Is all that this writer was given in the page cache? Right after a flush. */
bool	 journal_written(const struct journal_writer *);

/* The sink has committed all records of the series before that position: wakes
 * who waits for them. */
void	 journal_applied(struct journal *, const char *series, uint64_t position);
/* Waits until the record at `position` of this writer, which has been flushed,
 * is applied, at most that long. False: not yet. */
bool	 journal_await(struct journal_writer *, uint64_t position, uint64_t timeout_us);
/* Sleeps so long, but not while somebody waits in journal_await, nor after a
 * journal_wake. For the one sink thread. */
void	 journal_pause(struct journal *, uint64_t us);

const char *journal_dir(const struct journal *);

#endif
