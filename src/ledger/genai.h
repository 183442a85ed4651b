/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genai: the metrics of OpenTelemetry's GenAI conventions. Told by the sink of
 * requests that the gateway forwarded, once their spans are committed; spans
 * that others give are counted by who gives them. Combinations of labels past
 * LIMIT_METRIC_GENAI are one series, as OpenTelemetry's own overflow is.
 */
#ifndef LEDGER_GENAI_H
#define LEDGER_GENAI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

#define LEDGER_CHUNK_BUCKETS 15	/* the last: past all bounds */

/* The times between chunks, by their buckets. */
struct ledger_chunks {
	uint32_t	 buckets[LEDGER_CHUNK_BUCKETS];
	uint64_t	 sum_us;
};
/* us: n times in rising order. */
void	ledger_chunks_count(struct ledger_chunks *, const uint32_t *us, size_t n);

struct ledger_genai {
	const char	*operation, *provider;	/* as the conventions call them */
	struct slice	 asked, answered;	/* models; answered: "" where no answer named one */
	const char	*error;			/* error.type; "": it went well */
	bool		 request;		/* it asked a model: its times count */
	int64_t		 latency_us, ttft_us;	/* < 0: not known */
	int64_t		 input, output;		/* tokens that are billed; < 0: not known, or counted elsewhere */
	struct ledger_chunks chunks;
};
void	ledger_genai(const struct ledger_genai *);

/* For ledger.c. */
void	ledger_genai_render(struct buf *);

#endif
