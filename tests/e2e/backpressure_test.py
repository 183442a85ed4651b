#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slow readers pause their provider; nothing is piled up in memory."""
from harness import *

MIB = 1 << 20


def stable(read, for_seconds=0.4, timeout=8):
    """The value once it has stopped changing."""
    last, since, end = read(), time.monotonic(), time.monotonic() + timeout
    while time.monotonic() < end and time.monotonic() - since < for_seconds:
        time.sleep(0.05)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
    return last


def settle(g):
    """Waits until the sink has stored all that was begun."""
    def even():
        m, _ = g.metrics()
        return m.sum("spangate_spans_stored_total") == m.sum("spangate_journal_begins_total") and m.sum("spangate_requests_in_flight") == 0
    return wait_until(even, 20)


def blocked_client(fake, what):
    for _ in range(2):                          # warm: the sink's buffers have their size when it has built one like it
        chat(g, fake, True)
        settle(g)
    base = g.rss()
    with Raw(g.port, rcvbuf=65536) as c:
        before = len(p.requests)
        c.send(c.request_bytes("POST", CHAT, [("x-fake", fake)], json.dumps(chat_body(True, stream_options={"include_usage": True})).encode()))
        q = p.wait(before + 1)[before]
        sent = stable(lambda: q.sent_bytes)
        ok(MIB // 8 < sent < 70 * MIB and not q.answered, what + ": the provider is paused", sent)      # the kernel's own buffers go to 40 MB
        grown = g.rss() - base
        ok(grown < 3 * MIB or SANITIZED, what + ": memory stays bounded (the answer is 100 MB)", grown)
        got = 0
        c.sock.settimeout(30 * SLOW)
        while True:
            data = c.sock.recv(1 << 20)
            got += len(data)
            if not data or data.endswith(b"\r\n0\r\n\r\n") or (got >= 100000000 and "chunked" not in fake):
                break
        ok(got >= 90 * MIB, what + ": and goes on when the client reads", got)
        ok(wait_until(lambda: q.answered, 5), what + ": to its end")
    settle(g)
    ok(g.rss() - base < 3 * MIB or SANITIZED, what + ": and gives the memory back", g.rss() - base)


def plain():
    blocked_client("size=100000000", "a plain answer")


def chunked():
    blocked_client("size=100000000; frame=chunked", "a chunked answer")


def slow_provider():
    """A provider that reads nothing of a large request, and the client that then leaves."""
    with Raw(g.port) as c:
        c.post("/v1/x", b"a" * (20 * MIB))
    settle(g)
    base = g.rss()
    before = len(p.requests)
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", "/v1/x", [("x-fake", "noread=1"), ("Content-Length", str(20 * MIB))]))
        c.send(b"a" * (20 * MIB))
        p.wait(before + 1, 5)
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_requests_in_flight") == 0, 5), "a provider that does not read: ends when the client leaves")
    settle(g)
    ok(g.rss() - base < 4 * MIB or SANITIZED, "and its body is freed", g.rss() - base)


def half_bodies():
    """Clients that send half a body hold no more than the ceiling."""
    h = Gateway(p, {"threads": 1, "limits": {"thread_bodies": "8MiB"}, "timeouts": {"body": "1s"}})
    base = h.rss()
    socks = []
    for _ in range(40):
        c = Raw(h.port)
        c.send(c.request_bytes("POST", CHAT, [("Content-Length", str(2 * MIB))]))
        c.sock.setblocking(False)
        socks.append(c)
    left = {c: MIB for c in socks}
    end = time.monotonic() + 3
    while left and time.monotonic() < end:
        for c in list(left):
            try:
                left[c] -= c.sock.send(b"a" * min(left[c], 65536))
            except BlockingIOError:
                continue
            except OSError:
                left[c] = 0
            if left[c] <= 0:
                del left[c]
        if left:
            time.sleep(0.005)
    grown = h.rss() - base
    ok(grown < 14 * MIB or SANITIZED, "40 halves of 2 MiB with a ceiling of 8 MiB: memory stays below it", grown)
    m, _ = h.metrics()
    ok(m.sum("spangate_held_body_bytes") <= 8 * MIB + 65536 * 40, "and the gauge says so", m.sum("spangate_held_body_bytes"))
    refused = 0
    for c in socks:
        c.sock.setblocking(True)
        c.sock.settimeout(3 * SLOW)
        try:
            r = c.answer()
            refused += r is not None and r.status == 503 and bool(r.get("retry-after"))
        except OSError:
            pass
    ok(refused > 20, "those that have to wait too long get 503 and retry-after", refused)
    for c in socks:
        c.close()
    ok(wait_until(lambda: h.metrics()[0].sum("spangate_held_body_bytes") == 0, 5), "all is given back when they leave")
    with Raw(h.port) as c:
        eq(c.post(CHAT, chat_body()).status, 200, "and others are served")
    h.destroy()


p = Provider()
g = Gateway(p, {"threads": 1})
main(plain, chunked, slow_provider, half_bodies)
