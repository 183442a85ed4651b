#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at the provider: what the client sees, what the span says, what is tried again."""
import socket

from harness import *


def openai_error(r, status, what):
    good = r is not None and r.status == status and {"message", "type", "param", "code"} <= set(r.error) and \
        (r.get("content-type") or "").startswith("application/json")
    ok(good, "%s: %d and an OpenAI-shaped error" % (what, status), r and (r.status, r.headers, r.body[:300]))
    ok(r is not None and r.get("x-should-retry") in ("true", "false"), what + ": x-should-retry", r and r.raw_head)
    ok(r is not None and r.get("x-spangate-span-id"), what + ": names its span", r and r.raw_head)


def span_error(g, r, reason, code, what):
    s = g.span(r)
    eq((s.get("status"), s.get("end_reason"), s.get("status_code")), ("error", reason, code), what + ": its span")
    ok(s.get("error_message"), what + ": the span's message", s.get("error_message"))
    return s


def provider_errors():
    for fake, code in (("status=401", 401), ("status=429; retry-after=7", 429), ("status=500; body=html", 500), ("status=500; body=empty", 500)):
        for stream in (False, True):
            r = chat(g, fake, stream)
            s = g.span(r)
            eq((r.status, s.get("status"), s.get("status_code")), (code, "error", code), "%s%s" % (fake, ", streamed" if stream else ""))
            if "body" not in fake:
                eq(s.get("error_message"), "fake error %d" % code, "the provider's message")
        eq(len([q for q in p.requests if q.fake.get("status") == str(code) and q.fake.get("body") == dict(
            x.strip().split("=") for x in fake.split(";")).get("body")]), 2, fake + ": sent once each, not tried again")


def before_the_head():
    for how in ("cut", "reset"):
        before = len(p.requests)
        h = Gateway(p)
        r = chat(h, how + "=head")
        openai_error(r, 502, how + " before the head")
        span_error(h, r, "upstream_reset", 502, how + " before the head")
        eq(len(p.requests) - before, 1, how + " on a new connection: a POST is not sent again")
        h.destroy()


def nobody_there():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    h = Gateway(p, {"providers": {"gone": {"api": "openai", "base_url": "http://127.0.0.1:%d/v1" % port},
                                  "lost": {"api": "openai", "base_url": "http://no-such-host.invalid/v1"}}})
    for name, reason in (("gone", "connect_failed"), ("lost", "resolve_failed")):
        with Raw(h.port) as c:
            r = c.post("/%s/v1/chat/completions" % name, chat_body())
        eq((r.status, bool(r.error)), (502, True), "%s: 502" % reason)
        s = h.span(r)
        eq((s.get("status"), s.get("end_reason"), s.get("status_code")), ("error", reason, 502), reason + ": its span")
    h.destroy()


def timeouts():
    h = Gateway(p, provider_config={"first_byte_timeout": "400ms", "idle_timeout": "400ms"})
    t = time.monotonic()
    r = chat(h, "never=1")
    took = time.monotonic() - t
    eq((r.status, bool(r.error), r.get("x-should-retry") is not None), (504, True, True), "no first byte: 504")
    ok(0.3 < took < 1.5 * SLOW, "in time", took)
    s = h.span(r)
    eq((s.get("end_reason"), s.get("status_code"), s.get("status")), ("first_byte_timeout", 504, "error"), "its span")
    ok(p.last.closed.wait(2), "the provider's connection is closed")
    r = chat(h, "n=9; stall=4", True)
    eq(r.end, "cut", "a stream that stalls is cut, without last chunk")
    s = h.span(r)
    eq((s.get("end_reason"), s.get("status"), (s.get("output") or {}).get("content")), ("idle_timeout", "error", "".join(words(9)[:3])), "its span has what came")
    h.destroy()


def cut_streams():
    for fake, stream in (("n=20; cut=6", True), ("n=20; reset=6", True), ("n=20; cut=6; frame=sized", True),
                         ("size=50000; cut=20000", False), ("size=50000; cut=20000; frame=chunked", False), ("size=50000; reset=20000", False)):
        r = chat(g, fake, stream)
        eq((r.status, r.end), (200, "cut"), fake + ": the client sees a cut answer, no last chunk")
        ok(b"[DONE]" not in r.body, fake + ": no [DONE] invented")
        s = g.span(r)
        eq((s.get("status"), s.get("end_reason")), ("error", "upstream_cut"), fake + ": its span")


def early_answers():
    big = b'{"model":"x","messages":"' + b"a" * 3000000 + b'"}'
    for status in ("401", "413"):
        with Raw(g.port) as c:
            r = c.post(CHAT, big, [("x-fake", "early=1; status=" + status)])
            eq((r.status, r.error.get("message")), (int(status), "fake error " + status), "an answer before the body is read: " + status)
        eq(g.span(r).get("status_code"), int(status), "its span")


def stale_connections():
    h = Gateway(p, {"threads": 1})
    with Raw(h.port) as c:
        eq(c.post(CHAT, chat_body()).status, 200, "a first request fills the pool")
        first = p.last.conn
        before = len(p.requests)
        r = c.post(CHAT, chat_body(), [("x-fake", "die=reused")])
        eq((r.status, len(p.requests) - before), (200, 2), "a pooled connection that dies before the answer: sent once more")
        ok(p.last.conn != first, "on a new connection", p.last.conn, first)
        s = h.span(r)
        eq((s.get("status"), len(s.get("attempts") or [])), ("success", 2), "its span has two attempts")
        c.post(CHAT, chat_body(), [("x-fake", "bye=1")])
        got = [c.post(CHAT, chat_body(), [("x-fake", "bye=1")]).status for _ in range(10)]
        eq(got, [200] * 10, "connections that the provider closes while they rest are no error")
    h.destroy()


def not_sent_again():
    """An answer that began is never asked for twice."""
    with Raw(g.port) as c:
        c.post(CHAT, chat_body())
        before = len(p.requests)
        r = c.post(CHAT, chat_body(True), [("x-fake", "n=5; reset=1")])
        eq((r.end, len(p.requests) - before), ("cut", 1), "a reset after the first event: not sent again")


def odd_answers():
    """A provider that does not speak HTTP."""
    for name, raw in (("garbage", b"garbage\r\n\r\n"), ("both lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
                      ("differing lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"),
                      ("a head without end", b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 20000),
                      ("a bad chunk", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n")):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(8)

            def serve(s=s, raw=raw):
                while True:
                    try:
                        conn, _ = s.accept()
                    except OSError:
                        return
                    conn.settimeout(2)
                    try:
                        conn.recv(65536)
                        conn.sendall(raw)
                        while conn.recv(65536):
                            pass
                    except OSError:
                        pass
                    conn.close()
            threading.Thread(target=serve, daemon=True).start()
            h = Gateway(None, {"threads": 1, "providers": {"odd": {"api": "openai", "base_url": "http://127.0.0.1:%d/v1" % s.getsockname()[1]}}})
            with Raw(h.port) as c:
                r = c.post(CHAT, chat_body())
            if name in ("a bad chunk", "both lengths") and r is not None and r.status == 200:
                eq(r.end, "cut", name + " from the provider: cut")
            else:
                eq(r and (r.status, bool(r.error)), (502, True), name + " from the provider: 502")
            s2 = h.span(r) if r else {}
            ok(s2.get("status") == "error" and s2.get("end_reason") in ("upstream_protocol", "upstream_cut"), name + ": its span", s2.get("end_reason"))
            h.destroy()


def own_refusals():
    r = g.get("/no/such/path")
    eq((r.status, bool(r.error)), (404, True), "a path that is nobody's: 404")
    with Raw(g.port) as c:
        r = c.ask("PUT", "/healthz", [], b"")
        ok(r.status in (404, 405) and r.error, "a method that a path does not have", r.status, r.body)
    r = g.get("/nosuchprovider/v1/models")
    eq((r.status, bool(r.error)), (404, True), "an unknown provider: 404")


p = Provider()
g = Gateway(p)
main(provider_errors, before_the_head, nobody_there, timeouts, cut_streams, early_answers, stale_connections, not_sent_again,
     odd_answers, own_refusals)
