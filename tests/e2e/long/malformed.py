# SPDX-License-Identifier: Apache-2.0
"""Every class of malformed traffic 800 times while 50 good streams stay byte-exact: no crash, no leak.
Meant for a build with sanitizers; runs with any."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from framing_cases import CLASSES  # noqa: E402
from harness import *  # noqa: E402

EACH = int(os.environ.get("EACH", "800"))
stop = threading.Event()
good, wrong = [0] * 50, []


def stream(i):
    """One good stream after the other until the end."""
    want = None
    while not stop.is_set():
        try:
            r = chat(g, "n=60; id=%d; seed=%d; delay=8" % (i + 1, i), True, stream_options={"include_usage": True})
        except OSError as e:
            wrong.append(repr(e))
            return
        want = want or r.body
        if r.end != "chunked" or r.body != want or text_of(r.events()) != "".join(words(60, i)):
            wrong.append((i, r.status, r.end, len(r.body)))
        good[i] += 1


def one(name, make, right, rng):
    raw = make(rng)
    with Raw(g.port, timeout=10) as c:
        try:
            if rng.random() < 0.2:
                cut = rng.randint(1, len(raw))
                c.send(raw[:cut])
                c.send(raw[cut:])
            else:
                c.send(raw)
        except OSError:
            pass
        try:
            r = c.answer()
        except OSError as e:
            return "no answer: %r: %r" % (e, raw[:200])
        if r is None or r.status not in right:
            return "%s: %r" % (r and r.status, raw[:200])
    return None


def classes():
    workers = [threading.Thread(target=stream, args=(i,), daemon=True) for i in range(50)]
    for w in workers:
        w.start()
    for name, (make, right) in CLASSES.items():
        def some(k):
            rng = random.Random("%s %d" % (name, k))
            return [x for x in (one(name, make, right, rng) for _ in range(EACH // 4)) if x]
        bad = []
        for r in parallel(4, some):
            bad += r if isinstance(r, list) else [repr(r)]
        ok(not bad, "%s: %d times %s" % (name, EACH, "/".join(map(str, sorted(right)))), len(bad), *bad[:5])
    stop.set()
    for w in workers:
        w.join(30)
    ok(not wrong and min(good) >= 1, "50 good streams beside it stay byte-exact (%d in all)" % sum(good), wrong[:5], min(good))
    eq([q.target for q in p.requests if q.target != CHAT], [], "nothing malformed reached the provider")


def aftermath():
    got = g.spans(sum(good), 60)
    ok(len(got) >= sum(good), "every good stream has its span", len(got), sum(good))
    eq(g.run("verify")[0], 0, "verify")
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_client_connections") <= 1, 10), "no connection is left", g.metrics()[0].sum("spangate_client_connections"))
    eq(g.stop(60), 0, "exit 0, no leak (with a sanitizer build)")


raise_nofile()
p = Provider()
g = Gateway(p)
main(classes, aftermath)
