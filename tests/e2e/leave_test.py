#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that leave: seen at once, the provider cancelled, the span keeps what came."""
from harness import *


def start(fake, stream=True, **more):
    c = Raw(g.port)
    before = len(p.requests)
    c.send(c.request_bytes("POST", CHAT, [("x-fake", fake)], json.dumps(chat_body(stream, **more)).encode()))
    q = p.wait(before + 1)[before]
    return c, q


def left(c, q, how, what):
    t = time.monotonic()
    getattr(c, how)()
    q.closed.wait(5)
    took = (q.closed_at or t + 9) - t
    ok(took < 1.0 * SLOW, "%s (%s): the provider's connection is closed within 1 s" % (what, how), took)
    s = g.span(count=spans_so_far())
    eq((s.get("status"), s.get("end_reason"), s.get("status_code")), ("error", "client_disconnected", 499), "%s (%s): its span" % (what, how))
    return s


def spans_so_far():
    return len(p.requests)


def before_first_byte():
    for how in ("close", "abort"):
        c, q = start("never=1")
        left(c, q, how, "leaving before the first byte")
    c, q = start("never=1", False)
    left(c, q, "close", "leaving a plain request")


def half_close():
    c, q = start("never=1")
    t = time.monotonic()
    c.sock.shutdown(socket.SHUT_WR)
    q.closed.wait(5)
    ok(q.closed_at and q.closed_at - t < 1.0 * SLOW, "a FIN during an exchange means that the client left")
    c.close()
    eq(g.span(count=spans_so_far()).get("end_reason"), "client_disconnected", "its span")


def mid_stream():
    for how in ("close", "abort"):
        c, q = start("n=1000; delay=20")
        r = c.head()
        c.body(r, until=lambda r: len(sse(r.body)) >= 5)
        s = left(c, q, how, "leaving mid-stream")
        text = (s.get("output") or {}).get("content") or ""
        whole = "".join(words(1000))
        ok(len(text) >= len(text_of(r.events())) and whole.startswith(text), "the span has the partial text", text[:200])
    c, q = start("n=5; stall=4")
    r = c.head()
    c.body(r, until=lambda r: len(sse(r.body)) >= 4)
    left(c, q, "close", "leaving while the provider says nothing")


def after_done():
    for i in range(5):
        c, q = start("n=3")
        r = c.head()
        c.body(r, until=lambda r: b"[DONE]" in r.body)
        c.abort() if i % 2 else c.close()
        s = g.span(count=spans_so_far())
        eq((s.get("status"), s.get("status_code"), s.get("finish_reason")), ("success", 200, "stop"), "closing right after [DONE] is a success")
    c, q = start("n=3; done=0; stall=6; usage=on")
    r = c.head()
    c.body(r, until=lambda r: b'"finish_reason":"stop"' in r.body)
    c.close()
    s = g.span(count=spans_so_far())
    eq(s.get("status"), "success", "leaving after the finish_reason is a success")


def drained():
    """on_disconnect: drain reads the provider's answer to its end."""
    h = Gateway(p, {"on_disconnect": "drain"})
    before = len(p.requests)
    c = Raw(h.port)
    c.send(c.request_bytes("POST", CHAT, [("x-fake", "n=30; delay=10")], json.dumps(chat_body(True)).encode()))
    c.body(c.head(), until=lambda r: len(sse(r.body)) >= 3)
    c.close()
    q = p.wait(before + 1)[before]
    ok(wait_until(lambda: q.answered, 5), "on_disconnect: drain reads on to the end")
    s = h.span()
    eq((s.get("end_reason") in ("client_disconnected", "complete"), s.get("completion_tokens"), (s.get("output") or {}).get("content")),
       (True, 30, "".join(words(30))), "its span has the whole answer and its usage")
    h.destroy()
    p.clear()


def half_a_request():
    before = len(p.requests)
    for cut in (30, 150, -1):
        with Raw(g.port) as c:
            c.send(c.request_bytes("POST", CHAT, [], json.dumps(chat_body()).encode())[:cut])
    with Raw(g.port) as c:
        eq(c.post(CHAT, chat_body()).status, 200, "clients that leave with half a request harm nobody")
    eq(len(p.requests), before + 1, "and nothing of it is sent")


def many():
    def one(i):
        c = Raw(g.port)
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "n=1000; delay=10")], json.dumps(chat_body(True)).encode()))
        r = c.head()
        c.body(r, until=lambda r: len(r.body) > 200 * i)
        (c.abort if i % 2 else c.close)()
    before = len(p.requests)
    parallel(40, one)
    got = p.wait(before + 40)[before:]
    eq((len(got), all(q.closed.wait(5) for q in got)), (40, True), "40 clients leave: 40 provider connections closed")
    m = None

    def idle():
        nonlocal m
        m, _ = g.metrics()
        return m.sum("spangate_requests_in_flight") == 0
    ok(wait_until(idle, 5), "nothing stays in flight", m and m.sum("spangate_requests_in_flight"))


p = Provider()
g = Gateway(p)
main(before_first_byte, half_close, mid_stream, after_done, half_a_request, many, drained)
