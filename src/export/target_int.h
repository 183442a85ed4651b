/* SPDX-License-Identifier: Apache-2.0 */
/* target_int: what target.c (the thread) and deliver.c (a request and its
 * answer) share of a target. All of it belongs to the target's thread, but for
 * what stands first. */
#ifndef EXPORT_TARGET_INT_H
#define EXPORT_TARGET_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/limits.h"
#include "export/dead.h"
#include "export/kind.h"
#include "export/post.h"
#include "export/resend.h"
#include "export/state.h"
#include "export/target.h"
#include "ledger/sinks.h"
#include "store/full.h"
#include "store/store.h"

/* What becomes of a row of the list. */
enum fate { FATE_SENT, FATE_SKIPPED, FATE_GONE, FATE_REFUSED };

/* A span of the request that is being made or was sent. */
struct sent {
	size_t		 at;		/* in the list */
	uint8_t		 id[16];
	bool		 refused;
};

struct target {
	pthread_t	 thread;
	bool		 running;
	pthread_mutex_t	 lock;
	pthread_cond_t	 changed;
	struct config	*next;		/* under lock: new settings; or NULL */
	atomic_ullong	 deadline;	/* UINT64_MAX: it is not to end */

	char		*id, *data_dir, *dir;
	struct config	*config;
	const struct sink_config *sink;
	const struct export_kind *kind;
	struct store	*store;		/* NULL: to be opened */
	struct full	*full;
	struct post	*post;
	struct ledger_sink *ledger;
	struct export_state state;
	bool		 placed;	/* it knows where it is */
	bool		 unsaved;	/* it has come further than was written down */
	uint64_t	 saved_us;	/* when that was (clock_mono_us) */
	struct dead	 dead;
	int		 follower;	/* of the store's news */

	struct store_new list[LIMIT_SINK_LOOK];
	struct store_news news;
	size_t		 at;		/* up to here the list is dealt with */
	size_t		 end;		/* up to here the request goes */
	uint8_t		 fate[LIMIT_SINK_LOOK];	/* of the list: enum fate */
	size_t		 limit;		/* spans of a request, below the settings' after a refusal */
	size_t		 too_large;	/* so many were, not long ago; 0: none */
	unsigned	 since_too_large;	/* requests since */
	bool		 resending;	/* the list is of dead letters: the place stays */
	struct resend	 resend;
	struct export_request request;
	const struct export_kind *state_of;	/* whose request.state is; NULL: nobody's */
	struct store_new part_row;	/* of which request.part requests were taken */
	unsigned	 part;
	struct sent	*sent;
	size_t		 room;
	uint64_t	 oldest_ms;	/* of the request: when its oldest span came */
	struct export_verdict verdict;
	bool		 troubled;	/* a problem was told */
	unsigned	 refused_in_row;	/* single spans, without a reason */
	unsigned	 failures;	/* in a row */
};

/* target.c */
/* Is it to end, at some time? Has that time come? */
bool	 target_ending(const struct target *);
bool	 target_over(const struct target *);
/* Waits, but not longer than until new settings come or it is to end. */
void	 target_pause(struct target *, uint64_t us);
/* Says what is wrong with it, once; NULL: it is well again. */
void	 target_problem(struct target *, const char *text);
/* Writes down where it is. False: that is its problem now. */
bool	 target_save(struct target *);
void	 target_store_failed(struct target *);
void	 target_lag(struct target *);

/* deliver.c */
/*
 * Sends some of what stands in the list from `at` on, and moves `at` over what
 * was dealt with. Where the target does not take, it has paused. False: the
 * store failed, or something could not be written, which was said; the list is
 * to be made anew after a pause.
 */
bool	 deliver(struct target *);
void	 deliver_free(struct target *);

#endif
