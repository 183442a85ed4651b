/* SPDX-License-Identifier: Apache-2.0 */
/*
 * news: what is new in the store since somebody who follows it last looked:
 * rows that came, and rows that changed. New rows are found by their numbers,
 * so they cost the writer nothing; changes are noted in table `change`, which
 * is there only while somebody follows.
 */
#ifndef STORE_NEWS_H
#define STORE_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a follower has come. */
struct store_place {
	int64_t		 n;		/* rows up to this number are dealt with */
	int64_t		 rev;		/* as are changes up to this revision */
	int64_t		 seen;		/* the store's revision when it was looked last */
};

struct store_new {
	int64_t		 n;		/* the row's number */
	int64_t		 rev;		/* of its change; 0: the row itself is new */
	bool		 doubled;	/* an older row has its trace and span id */
};

/* What one look finds. */
struct store_news {
	struct store_new *list;		/* changes by revision, then new rows by number; the caller's room */
	size_t		 room, count;
	struct store_place start;	/* where it begins: the place looked from, but that a row before it may be
					 * new, its number having been another row's then */
	struct store_place place;	/* once all of the list is dealt with */
	uint64_t	 gone;		/* rows that were removed before they were looked at */
	uint64_t	 ahead;		/* new rows from the place looked from, about: by number */
	bool		 back;		/* the store is older than the place: it went back to the store's end */
};

/* Moves the place over one that was dealt with; in the list's order. */
static inline void
store_place_pass(struct store_place *p, const struct store_new *it)
{
	if (it->rev > 0)
		p->rev = it->rev;
	else
		p->n = it->n;
}

/*
 * Between the writer and followers in other threads of this process: followers
 * sleep until something was committed, and the writer keeps changes until the
 * slowest needs them no more.
 */
/* Something was committed, or a sleeper is to look up. */
void	 news_tell(void);
/* Waits until something is told after `heard`, or until a time (clock_mono_us);
 * what was heard then. */
uint64_t news_wait(uint64_t heard, uint64_t until_us);
/* A follower, of at most LIMIT_SINKS; -1: there are as many. */
int	 news_join(void);
void	 news_leave(int follower);
/* It needs changes up to this revision no more. */
void	 news_needed(int follower, int64_t rev);
/* The least of these; 0 without a follower. */
int64_t	 news_needless(void);

#endif
