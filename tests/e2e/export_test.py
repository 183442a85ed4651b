#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans sent on to another system that speaks the Respan API: what it gets is what the store has; it is slow, busy, broken,
unreachable, or refuses some; dead letters are listed and sent again; nothing is lost over stops and settings that change."""
import gzip
import http.server

from harness import *


class Receiver:
    """Takes spans and keeps each request. answer(n, spans): (status, headers, body) or None for 200."""

    def __init__(self, answer=None, port=0):
        self.requests, self.times, self.answer, self.cond = [], [], answer, threading.Condition(threading.RLock())
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.take(self)

            def log_message(self, *a):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, h):
        raw = h.rfile.read(int(h.headers["content-length"]))
        if h.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        spans = json.loads(raw)
        with self.cond:
            n = len(self.times)
            self.times.append(time.monotonic())
        status, headers, body = (self.answer and self.answer(n, spans)) or (200, {}, {"message": "ok"})
        body = json.dumps(body).encode()
        with self.cond:
            self.requests.append((status, h.path, dict(h.headers), spans, len(raw)))
            self.cond.notify_all()
        h.send_response(status)
        for k, v in headers.items():
            h.send_header(k, v)
        h.send_header("content-length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)

    def taken(self):
        """Spans of requests that were answered 200, by their span ids: the last of each; and how many came."""
        with self.cond:
            all_ = [s for status, _, _, spans, _ in self.requests if status == 200 for s in spans]
        return {s["span_unique_id"]: s for s in all_}, len(all_)

    def wait(self, count, timeout=10):
        """Until so many different spans were taken."""
        with self.cond:
            self.cond.wait_for(lambda: len(self.taken()[0]) >= count, timeout * SLOW)
        return self.taken()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# What the store has of its own, and does not send.
OWN = {"id", "unique_id", "log_method", "organization_key_id", "billable", "cost_details", "request_headers", "response_headers",
       "is_pinned", "full_request", "full_response"}


def gateway(receiver, **sink):
    settings = dict({"kind": "respan", "url": receiver if isinstance(receiver, str) else receiver.url, "retry_min": "50ms",
                     "retry_max": "400ms"}, **sink)
    return Gateway(provider, config={"sinks": {"up": settings}})


def equal(sent, stored):
    """What differs between a span that was sent and the stored one: member names."""
    want = {k: v for k, v in stored.items() if v is not None and k not in OWN}
    want.setdefault("trace_unique_id", stored["id"])
    want.setdefault("span_unique_id", stored["id"])
    if not want.get("error_message"):
        want.pop("error_message", None)
    return [k for k in set(want) | set(sent) if want.get(k) != sent.get(k)]


def test_plain():
    r = Receiver()
    g = gateway(r, api_key="sk-up", headers=["X-Team: search"])
    for i in range(6):
        chat(g, stream=i % 2 == 0, customer_identifier="c%d" % i, metadata={"i": i})
    got, n = r.wait(6)
    stored = g.spans(6)
    eq(n, 6, "each span is sent once")
    eq({s["id"]: equal(got.get(s["id"], {}), s) for s in stored}, {s["id"]: [] for s in stored}, "as it is stored")
    _, path, headers, _, _ = r.requests[0]
    eq((path, headers["Authorization"], headers["X-Team"], headers["Content-Type"]),
       ("/api/v1/traces/ingest", "Bearer sk-up", "search", "application/json"), "to the ingest, with key and headers")
    m, _ = g.metrics()
    eq(m.sum("spangate_sink_spans_total", sink="up", result="sent"), 6, "the metrics count them")
    eq(g.stop(), 0, "it stops")
    g.start()
    chat(g)
    got, n = r.wait(7)
    eq((len(got), n), (7, 7), "after a restart it goes on where it was")
    g.destroy()
    r.close()


provider = Provider()
main(test_plain)
