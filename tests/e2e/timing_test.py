#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times as the span tells them, with room for a busy machine; the exact figures are the long tests'."""
from harness import *

ROOM = 0.025 * SLOW


def sent(r):
    """What the provider did by its own clock, of the events that came: (first content, last) in seconds."""
    ev = [e for e in r.events() if isinstance(e, dict) and "t" in e]
    first = next(e["t"] for e in ev if e.get("choices") and (e["choices"][0]["delta"].get("content") or
                                                            e["choices"][0]["delta"].get("reasoning_content")))
    return first / 1e6, ev[-1]["t"] / 1e6


def paced():
    r = chat(g, "role=50; first=137; delay=10; n=40; usage=on; stamp=1", True)
    s = g.span(r)
    first, last = sent(r)
    near(s.get("time_to_first_token"), first, ROOM, "time to first token is the first content (137 ms), not the role chunk")
    near(s.get("latency"), last, ROOM, "latency is the provider's")
    rate = 40 / (s["latency"] - s["time_to_first_token"])
    near(s.get("tokens_per_second"), rate, rate * 0.02, "tokens per second = tokens / (latency - first token)")
    near((s.get("inter_token") or {}).get("p50"), 0.010, 0.004 * SLOW, "gaps between tokens, p50")
    ok((s.get("inter_token") or {}).get("max", 0) >= (s.get("inter_token") or {}).get("p50", 1), "and max", s.get("inter_token"))


def reasoning_first():
    r = chat(g, "role=20; first=60; delay=10; reason=5; n=5; usage=on; stamp=1", True)
    near(g.span(r).get("time_to_first_token"), sent(r)[0], ROOM, "reasoning counts as the first token")


def comments():
    r = chat(g, "comments=1; role=20; first=80; n=3; stamp=1; usage=on", True)
    near(g.span(r).get("time_to_first_token"), sent(r)[0], ROOM, "SSE comments are not the first token")


def slow_client():
    """A client that reads slowly does not make the provider look slow."""
    with Raw(g.port, rcvbuf=4096) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "role=20; first=50; delay=5; n=60; usage=on; stamp=1")],
                               json.dumps(chat_body(True)).encode()))
        r = c.head()
        t = time.monotonic()
        while time.monotonic() - t < 0.9:           # reads a little at a time, for longer than the answer takes
            c.sock.settimeout(0.05)
            try:
                c.buf += c.sock.recv(256)
            except socket.timeout:
                pass
            time.sleep(0.03)
        c.sock.settimeout(10)
        c.body(r)
    s = g.span(r)
    first, last = sent(r)
    near(s.get("time_to_first_token"), first, ROOM, "slow client: time to first token")
    near(s.get("latency"), last, ROOM, "slow client: latency is the provider's")


def undelayed():
    """Events reach the client as the provider sends them."""
    gaps = []
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(True), [("x-fake", "first=10; delay=15; n=30")])
    stamps = [t for t, _ in r.times]
    gaps = sorted(b - a for a, b in zip(stamps, stamps[1:]) if b - a > 0.002)
    ok(len(gaps) >= 12, "events come one by one, not in a heap", len(gaps))
    near(gaps[len(gaps) // 2] if gaps else None, 0.015, 0.010 * SLOW, "at the provider's pace")


def many():
    got = parallel(20, lambda i: chat(g, "role=20; first=137; delay=10; n=20; usage=on; stamp=1", True))
    spans = {s["id"]: s for s in g.spans(20)}
    off = []
    for r in got:
        s = spans.get(r.get("x-spangate-span-id"), {})
        off.append(abs((s.get("time_to_first_token") or 9) - sent(r)[0]))
    off.sort()
    ok(off[-2] < 0.05 * SLOW, "20 at once: time to first token within 50 ms of the provider's own clock", off)


p = Provider()
g = Gateway(p)
main(paced, reasoning_first, comments, slow_client, undelayed, many)
