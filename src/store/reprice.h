/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reprice: stored spans priced again by the price tables as they are now. What
 * a span used stands in its bill; of a span that has none it is built from the
 * stored records. Costs that were given, by unit prices or by the provider stay.
 */
#ifndef STORE_REPRICE_H
#define STORE_REPRICE_H

#include "core/buf.h"
#include "span/prices.h"
#include "store/store.h"

#define REPRICE_PATTERN 200

/* Which spans. */
struct reprice {
	int64_t		from_us, to_us;	/* they started from, and before; INT64_MIN, INT64_MAX: any time */
	char		model[REPRICE_PATTERN + 1];	/* a pattern (core/glob.h); "": any */
	bool		unknown;	/* only those whose cost is not known */
};

/* One span's cost before and after; texts live during the call. */
struct reprice_change {
	struct slice	model, customer;	/* may be SLICE_NONE */
	struct span_int	before, after;		/* 10^-12 USD, unset: not known */
};

struct reprice_run {
	struct store	*store;		/* write: the caller has begun a transaction and commits it */
	const struct prices *prices;
	const struct reprice *what;
	bool		 dry;		/* change nothing: a reader will do */
	void		(*changed)(void *, const struct reprice_change *);	/* may be NULL */
	void		*arg;
	int64_t		 at;		/* number of the row that was looked at last; 0 at first */
	uint64_t	 seen, nchanged;	/* rows that were asked for; of them, changed */
};

/* One step: looks at up to `rows` rows, at most for about `us` µs. STORE_ROW:
 * there are more; STORE_OK: that was all; else an error of the store. */
int	reprice_step(struct reprice_run *, unsigned rows, uint64_t us);

#endif
