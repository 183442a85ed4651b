/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sinks: what the threads that send spans to other systems tell of themselves,
 * for /metrics and /readyz. Owned by the ledger; a slot belongs to one thread
 * from ledger_sink_open to ledger_sink_close.
 */
#ifndef LEDGER_SINKS_H
#define LEDGER_SINKS_H

#include <stdint.h>

#include "core/buf.h"

/* What became of spans: SINK_SPAN(symbol, label). */
#define LEDGER_SINK_SPANS(X) \
	X(SENT, "sent")			/* taken by the target */ \
	X(DEAD, "dead")			/* refused by it: a dead letter */ \
	X(SKIPPED, "skipped")		/* not to be sent, by the sink's filters */ \
	X(GONE, "gone")			/* removed from the store before they were sent */
/* How requests ended. */
#define LEDGER_SINK_REQUESTS(X) \
	X(GOOD, "good") \
	X(NETWORK, "network")		/* no answer: name, connection, TLS, timeout */ \
	X(BUSY, "busy")			/* 408, 425, 429 */ \
	X(SERVER, "server")		/* 5xx */ \
	X(REFUSED, "refused")		/* 400, 413, 422 and others that are about the body */ \
	X(DENIED, "denied")		/* 3xx, 401, 403, 404: about the settings */

enum ledger_sink_span {
#define X(symbol, label) LEDGER_SINK_##symbol,
	LEDGER_SINK_SPANS(X)
#undef X
	LEDGER_SINK_SPAN_KINDS
};
enum ledger_sink_request {
#define X(symbol, label) LEDGER_SINK_REQUEST_##symbol,
	LEDGER_SINK_REQUESTS(X)
#undef X
	LEDGER_SINK_REQUEST_KINDS
};

struct ledger_sink;

/* name and kind are copied. NULL: there are LIMIT_SINKS of them. */
struct ledger_sink *ledger_sink_open(const char *name, const char *kind);
void	 ledger_sink_close(struct ledger_sink *);
/* All take a NULL, and then do nothing. */
void	 ledger_sink_spans(struct ledger_sink *, enum ledger_sink_span, uint64_t n);
void	 ledger_sink_request(struct ledger_sink *, enum ledger_sink_request);
/* How far it is behind: spans, and µs that the oldest of them has waited. */
void	 ledger_sink_lag(struct ledger_sink *, uint64_t spans, uint64_t us);
void	 ledger_sink_dead(struct ledger_sink *, uint64_t letters);
/* What is wrong with it now, NULL: nothing. The text is copied (cut at 200 bytes). */
void	 ledger_sink_problem(struct ledger_sink *, const char *text);

/* For ledger.c: the metrics, and the problems as members of a JSON object; how
 * many there are. */
void	 ledger_sinks_render(struct buf *);
unsigned ledger_sinks_problems(struct buf *);

#endif
