/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private: what the journal's own files share: the journal, its writers, and
 * the hand-over between a writing thread and the helper thread.
 *
 *   writer (gate thread)                     helper thread
 *   current segment is half full:
 *     next_state NONE -> WANTED, sem_post ->   makes a segment, reserves it,
 *                                              fills next, WANTED -> READY
 *   current segment is full:
 *     takes next, leaves the old one in
 *     retired, READY -> NONE, sem_post     ->  syncs, trims, closes it
 *
 * A writer never waits: what is not ready yet it does without.
 */
#ifndef JOURNAL_PRIVATE_H
#define JOURNAL_PRIVATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "journal/batch.h"
#include "journal/journal.h"
#include "journal/series.h"
#include "journal/spare.h"
#include "journal/tally.h"

enum next_state { NEXT_NONE, NEXT_WANTED, NEXT_READY };

/* A segment that changes hands. */
struct handed {
	int		 fd;
	uint32_t	 number;
	uint64_t	 reserved;	/* counted in journal.total */
	uint64_t	 size;		/* of one given back: what was written */
};

struct journal_writer {
	struct journal	*journal;
	struct journal_writer *next_writer;	/* under journal.lock */
	char		 series[SERIES_NAME];
	char		*path;
	uint64_t	 start_ms;
	uint32_t	 salt_seed;
	int		 lock_fd;

	/* Of the writing thread alone. */
	int		 fd;		/* -1: no segment yet */
	uint32_t	 number;
	uint32_t	 salt;		/* of the segment */
	uint64_t	 reserved;	/* the segment may grow to here */
	uint64_t	 ask_at;	/* past this it takes a closer look at room */
	uint64_t	 at;		/* where the next record goes */
	uint64_t	 flushed;	/* the batch stands between flushed and at */
	uint64_t	 tried;		/* bytes of a batch whose writing failed */
	struct batch	 batch;
	struct tally	 tally;
	uint64_t	 dropped_noted;	/* the DROPPED that is on disk */
	unsigned	 batch_begun, batch_ended;
	bool		 batch_acts;	/* it holds a record that a sink acts on */

	/* Shared with the helper. */
	_Atomic int	 next_state;
	struct handed	 next;		/* the helper's until READY, then the writer's */
	_Atomic bool	 retired_full;
	struct handed	 retired;	/* the helper's while retired_full */
	_Atomic uint64_t written;	/* position behind the last byte in the page cache */
	_Atomic int	 error;		/* errno of the last write, 0: well */
	_Atomic bool	 refused;	/* a record was refused for want of room */

	/* Of the helper alone. */
	int		 sync_fd;	/* the segment that is written now, or will be first */
	int		 next_fd;	/* the one made after it */
	struct handed	 closing;	/* taken back in this round; fd -1: none */
	uint64_t	 synced;	/* the value of `written` at the last sync */
	uint32_t	 made;		/* number of the last segment made */
	uint64_t	 next_bytes;	/* how large the next one is to be */
};

/* How far the sink is in a series. */
struct release {
	struct release	*next;
	char		 series[SERIES_NAME];
	uint64_t	 position;
	bool		 fresh;		/* position moved since the helper looked */
	uint64_t	 done;		/* the position for which it was last worked off */
	bool		 again;		/* but not all of it could be */
};

/* A series that could not be recovered yet. Its lock is held, so that nobody
 * takes what it has for all of it. */
struct unrecovered {
	struct unrecovered *next;
	char		series[SERIES_NAME];
	int		lock;
};

struct journal {
	char		*dir;
	uint64_t	 max_bytes, sync_us;
	uint64_t	 segment_bytes;	/* of a full-grown segment */
	uint64_t	 start_ms;

	_Atomic uint64_t total;		/* bytes of all segments, reserved ones whole */
	_Atomic bool	 disk_full;	/* a reservation failed for want of disk */

	pthread_mutex_t	 lock;		/* writers, the helper's round; never taken by a writing thread */
	struct journal_writer *writers;
	_Atomic unsigned series_made;
	struct unrecovered *unrecovered;
	struct spares	 spares;	/* under lock; counted in total */
	uint64_t	 spares_most;	/* bytes */

	pthread_mutex_t	 release_lock;
	struct release	*releases;

	pthread_t	 helper;
	sem_t		 helper_wake;
	_Atomic bool	 stop;
	uint64_t	 synced_at;	/* of the helper: clock_mono_us */
	bool		 scarce;	/* under lock: a writer waits for a segment */
	bool		 condition;	/* of the helper: CONDITION_JOURNAL is set */

	pthread_mutex_t	 applied_lock;
	pthread_cond_t	 applied_cond;	/* some position moved, or somebody began to wait */
	struct release	*applied;	/* up to where series are in the store */
	unsigned	 awaiting;	/* under applied_lock: who waits for that */
	bool		 hurry;		/* under applied_lock: journal_wake was called */

	sem_t		 sink_wake;
	_Atomic bool	 sink_sleeps;
	_Atomic bool	 sink_news;	/* something was flushed since it looked */
};

/* Counts n more bytes in, unless that passes max_bytes: for a segment, and for
 * one that is to grow past its size. */
bool	journal_claim(struct journal *, uint64_t n);
bool	journal_claim_extension(struct journal *, uint64_t n);
void	journal_unclaim(struct journal *, uint64_t n);
/* Tells the sink, with a system call only if it sleeps. */
void	journal_news(struct journal *);

/* writer.c: flushes for the last time. */
void	writer_finish(struct journal_writer *);

/* helper.c */
void	*helper_run(void *journal);
/* Makes the next segment of a writer ready, if there is room. Under lock. */
void	 helper_prepare(struct journal *, struct journal_writer *);
/* Takes back a segment: syncs, trims, closes; an empty one is deleted. */
void	 helper_retire(struct journal *, const struct journal_writer *, const struct handed *);

/* recovery.c: recovers a series of which the lock is held. RECOVERY_LATER:
 * there was no room, or no right to write; err says what. */
enum recovery_result { RECOVERY_DONE, RECOVERY_LATER, RECOVERY_E_VERSION };
enum recovery_result recovery_series(const char *dir, const char *series, char *err, size_t errlen);

#endif
