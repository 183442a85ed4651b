/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: the counters that threads share. Short mutex for labelled series
 * (once a request), relaxed atomics for the rest; rendering reads memory only.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/family.h"
#include "core/reason.h"

/* Gauges and plain counters: one table (ledger.tbl.h) of COUNTER(symbol,
 * metric name, "counter"|"gauge", help). */
enum ledger_counter {
#define COUNTER(symbol, name, kind, help) LEDGER_##symbol,
#include "ledger/ledger.tbl.h"
#undef COUNTER
	LEDGER_COUNTERS
};
void	 ledger_add(enum ledger_counter, int64_t);
void	 ledger_set(enum ledger_counter, int64_t);
/* Raises a gauge to v, if that is more. */
void	 ledger_raise(enum ledger_counter, int64_t v);
int64_t	 ledger_get(enum ledger_counter);

/* One request that ended, told by the gate. model: JSON-decoded text or "";
 * over LIMIT_METRIC_MODELS different ones it becomes "other". */
struct ledger_request {
	enum family	 family;
	const char	*provider;	/* "" when none was reached */
	struct slice	 model;
	unsigned	 status;	/* answered to the client, 0: none */
	enum reason	 reason;
	uint64_t	 latency_us, overhead_us;
};
void	 ledger_request(const struct ledger_request *);

/* What the builder found in its span, told by the sink once it is committed. */
struct ledger_span {
	const char	*family, *provider;
	struct slice	 model;		/* cut and capped as a request's */
	int64_t		 ttft_us;	/* < 0: none */
	bool		 billed;	/* what follows counts */
	bool		 unpriced;	/* what it cost is not known */
	int64_t		 prompt_tokens, completion_tokens, cached_tokens;
	int64_t		 cost_pico;	/* 10^-12 USD */
};
void	 ledger_span(const struct ledger_span *);

/* A span or BEGIN that was lost, with its reason: journal_full, build_failed,
 * store_failed, ... (spangate_spans_dropped_total{reason}). */
void	 ledger_dropped(const char *reason, uint64_t n);
uint64_t ledger_dropped_total(void);

/* What is wrong now, for /readyz: a fixed set of named conditions. */
enum ledger_condition { CONDITION_STORE, CONDITION_JOURNAL, CONDITION_STARTING, CONDITION_DRAINING, CONDITIONS };
/* text NULL: it is well again. The text is copied (cut at 200 bytes). */
void	 ledger_condition(enum ledger_condition, const char *text);
/* Appends {"status":"ready"|"degraded"|..., "problems":{name: text}}; true: ready or degraded (serving). */
bool	 ledger_ready(struct buf *json);

/* When the process started, for process_start_time_seconds. */
void	 ledger_start(uint64_t wall_us);

/* The Prometheus text of everything above. */
void	 ledger_render(struct buf *);

#endif
