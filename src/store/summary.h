/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summary: what the spans of a list come to, their threads, and what was said
 * of them by evaluators and people (table score).
 */
#ifndef STORE_SUMMARY_H
#define STORE_SUMMARY_H

#include "store/query.h"

struct store;

/* As the rollups have them: requests and times are of what asks a model, tokens
 * and cost of what is billed. Of spans that are there, not of those past retention. */
struct summary {
	int64_t		 rows, requests, prompt_tokens, completion_tokens, total_tokens, cost_pico;
	int64_t		 latency_us, latency_count, ttft_us, ttft_count;
	struct buf	 scores;	/* JSON: an object for each evaluator, by its id */
};

/* One thread of one environment. */
struct thread_row {
	struct slice	 thread, environment;
	int64_t		 spans, first_us, last_us;
};
typedef void	 thread_taker(void *arg, const struct thread_row *);

/* As members of struct store_ops. The caller frees summary.scores. */
int	store_summary(struct store *, const struct query *, struct summary *);
/* Threads by query, the one with the newest span first, each given to take;
 * count: how many without its limit. */
int	store_threads(struct store *, const struct query *, thread_taker *, void *arg, uint64_t *count);
/* Appends a span's scores as JSON, {} where there are none. */
int	store_scores(struct store *, const uint8_t id[16], struct buf *);

#endif
