# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with 100 open streams; 1,000 clients with half a body."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *  # noqa: E402

MIB = 1 << 20


def sigterm():
    p = Provider()
    g = Gateway(p, {"drain_timeout": "30s"})
    results = []
    ts = [threading.Thread(target=lambda: results.append(chat(g, "n=100; delay=40; usage=on", True))) for _ in range(100)]
    for t in ts:
        t.start()
    p.wait(100)
    wait_until(lambda: all(q.sent_events > 3 for q in p.requests), 10)
    g.signal(signal.SIGTERM)
    for t in ts:
        t.join()
    eq(sum(r.end == "chunked" and r.body.endswith(b"data: [DONE]\n\n") for r in results), 100, "100 open streams end whole")
    eq(g.wait(20), 0, "exit 0")
    spans = g.export()
    eq((len(spans), {s.get("status") for s in spans}), (len(p.requests), {"success"}), "spans equal the provider's count")
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


def half_bodies():
    p = Provider()
    g = Gateway(p, {"threads": 1, "limits": {"thread_bodies": "64MiB"}})
    base, socks = g.rss(), []
    for _ in range(1000):
        c = Raw(g.port)
        c.send(c.request_bytes("POST", CHAT, [("Content-Length", str(MIB))]))
        c.sock.setblocking(False)
        socks.append(c)
    left, end = {c: MIB // 2 for c in socks}, time.monotonic() + 20
    while left and time.monotonic() < end:
        moved = False
        for c in list(left):
            try:
                left[c] -= c.sock.send(b"a" * min(left[c], 65536))
                moved = True
            except BlockingIOError:
                continue
            except OSError:
                left[c] = 0
            if left[c] <= 0:
                del left[c]
        if not moved:
            time.sleep(0.01)
    grown = g.rss() - base
    ok(grown < 64 * MIB + 40 * MIB, "1,000 halves of 1 MiB with a ceiling of 64 MiB: %.1f MiB" % (grown / MIB), grown)
    m, _ = g.metrics()
    ok(m.sum("spangate_held_body_bytes") <= 64 * MIB + MIB, "the gauge", m.sum("spangate_held_body_bytes"))
    for c in socks:
        c.close()
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_held_body_bytes") == 0, 10), "all is given back")
    with Raw(g.port) as c:
        eq(c.post(CHAT, chat_body()).status, 200, "and others are served")
    g.destroy()


raise_nofile()
main(sigterm, half_bodies)
