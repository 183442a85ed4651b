/* SPDX-License-Identifier: Apache-2.0 */
/* COUNTER(symbol, metric name, kind, help): the unlabelled metrics. */
COUNTER(IN_FLIGHT, "spangate_requests_in_flight", "gauge", "Exchanges that are open now")
COUNTER(CLIENTS, "spangate_client_connections", "gauge", "Client connections that are open now")
COUNTER(UPSTREAMS, "spangate_upstream_connections", "gauge", "Provider connections that are open now, pooled ones too")
COUNTER(BODY_BYTES, "spangate_held_body_bytes", "gauge", "Request bodies held in memory, and copies for breakdowns")
COUNTER(LONG_TURNS, "spangate_gate_long_turns_total", "counter",
    "Turns of a gate thread's loop that took over 5 ms")
COUNTER(LONGEST_TURN, "spangate_gate_longest_turn_microseconds", "gauge",
    "The longest turn of a gate thread's loop since the start")
COUNTER(ACCEPT_PAUSES, "spangate_accept_pauses_total", "counter",
    "Times that accepting paused for want of file descriptors")
COUNTER(BEGUN, "spangate_journal_begins_total", "counter", "BEGIN records written by this process")
COUNTER(ENDED, "spangate_journal_ends_total", "counter", "END records written by this process")
COUNTER(JOURNAL_BYTES, "spangate_journal_bytes", "gauge", "Bytes of journal segments on disk")
COUNTER(JOURNAL_LAG, "spangate_journal_lag_bytes", "gauge", "Bytes of the journal behind which the sink is")
COUNTER(STORED, "spangate_spans_stored_total", "counter", "Spans committed to the store by this process")
COUNTER(QUARANTINED, "spangate_spans_quarantined_total", "counter", "Records set aside because building them failed")
