#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Malformed traffic: the right status, a clear error, a closed connection, and nothing reaches the provider."""
import random
import socket

from framing_cases import BODY, CLASSES
from harness import *


def send_and_see(raw, cut=None):
    with Raw(g.port, timeout=8) as c:
        try:
            if cut:
                for i in range(0, len(raw), cut):
                    c.send(raw[i:i + cut])
            else:
                c.send(raw)
        except (ConnectionError, BrokenPipeError):
            pass
        try:
            r = c.answer()
        except (ConnectionError, socket.timeout) as e:
            return None, repr(e)
        return r, r is not None and r.status not in (405, 426) and c.closed(3)


def classes():
    rng = random.Random(7)
    for name, (make, right) in CLASSES.items():
        bad = []
        for i in range(12):
            raw = make(rng)
            before = len(p.requests)
            r, closed = send_and_see(raw, rng.choice((None, None, 7)) if len(raw) < 2000 else None)
            if r is None:
                bad.append("no answer (%s): %r" % (closed, raw[:300]))
            elif r.status not in right:
                bad.append("status %d: %r" % (r.status, raw[:300]))
            elif not closed and r.status not in (405, 426):      # these two are whole requests: the connection may stay
                bad.append("not closed after %d: %r" % (r.status, raw[:300]))
            elif not {"message", "type", "param", "code"} <= set(r.error):
                bad.append("no OpenAI-shaped error: %r" % (r.body[:200],))
            if len(p.requests) != before:
                bad.append("reached the provider: %r" % (raw[:300],))
        ok(not bad, "%s: %s" % (name, "/".join(map(str, sorted(right)))), "%d of 12" % len(bad), *bad[:3])


def harmless():
    """What looks odd and is allowed."""
    for name, raw in (
            ("an empty line before the request", b"\r\nPOST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY),
            ("equal content-lengths twice", b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(BODY), len(BODY)) + BODY),
            ("names in any case, tabs around values", b"POST /v1/chat/completions HTTP/1.1\r\nhOST:\t127.0.0.1 \r\ncONTENT-lENGTH: %d \r\n\r\n" % len(BODY) + BODY)):
        r, _ = send_and_see(raw + b"")
        if name.startswith("equal"):
            ok(r is not None and r.status in (200, 400), name + ": taken or refused, not guessed", r and r.status)
        else:
            ok(r is not None and r.status == 200, name, r and (r.status, r.body[:200]))


def truncated():
    raw = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    before = len(p.requests)
    for cut in range(0, len(raw), 9):
        with Raw(g.port) as c:
            c.send(raw[:cut])
    with Raw(g.port) as c:
        eq(c.post(CHAT, BODY).status, 200, "requests cut anywhere harm nobody")
    eq(len(p.requests), before + 1, "and none of them reached the provider")


def too_large():
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Content-Length", str(65 << 20)), ("Expect", "100-continue")]))
        r = c.answer()
        ok(r is not None and r.status == 413 and not r.interim and r.error, "a body over the limit: 413 at once, no 100",
           r and (r.status, r.interim, r.body))
    h = Gateway(p, {"limits": {"max_body": "10KiB"}})
    with Raw(h.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Transfer-Encoding", "chunked")]))
        try:
            for _ in range(20):
                c.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        except (ConnectionError, BrokenPipeError):
            pass
        r = c.answer()
        eq(r and r.status, 413, "a chunked body over the limit: 413, read by a client that is still writing")
    s = h.spans(1, 5)
    ok(s and s[-1].get("status_code") == 413 and s[-1].get("end_reason") == "body_too_large", "its span says so",
       s and {k: s[-1].get(k) for k in ("status_code", "end_reason", "status")})
    h.destroy()


def slow_head():
    h = Gateway(p, {"timeouts": {"head": "300ms", "body": "300ms"}})
    with Raw(h.port) as c:
        c.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        r = c.head()
        ok(r is None or r.status == 408, "a head that does not come: 408 or close", r and r.status)
    with Raw(h.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Content-Length", "100")]) + b"{")
        r = c.answer()
        eq(r and r.status, 408, "a body that does not come: 408")
        ok(c.closed(3), "and close")
    h.destroy()


def smuggling():
    """What a lenient front would take as one request and we as two (or the reverse) is refused whole."""
    inner = b"GET /v1/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    raws = (b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
            b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + inner,
            b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\n0\r\n" + inner,
            b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n\r\n" + inner,
            b"GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner)
    for raw in raws:
        send_and_see(raw)
    eq([r.target for r in p.requests if "smuggled" in r.target], [], "no smuggled request reaches the provider")


p = Provider()
g = Gateway(p)
main(classes, harmless, truncated, too_large, slow_head, smuggling)
