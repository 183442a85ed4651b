#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load: every request that the provider saw has exactly one span."""
import collections
import random

from harness import *


def load(stop, g, i):
    """Requests, plain and streamed, until stopped; whatever happens to them is no matter."""
    rng = random.Random(i)
    n = 0
    while not stop.is_set():
        n += 1
        mark = "%d-%d-%d" % (os.getpid(), i, n + int(time.monotonic() * 1000) * 1000)
        fake = rng.choice(("n=3", "n=8; delay=6", "n=30; split=rand; delay=2", "size=%d" % rng.randint(1, 300000), "first=30", "n=5; cut=3"))
        try:
            with Raw(g.port, timeout=5) as c:
                c.post(CHAT, chat_body(rng.random() < 0.7, custom_identifier=mark, user="x" * rng.randint(0, 3000)),
                       [("x-fake", fake), ("x-mark", mark)])
        except OSError:
            time.sleep(0.01)


def kills(times=int(os.environ.get("KILLS", "5")), threads=6):
    rng = random.Random(time.time_ns())
    for k in range(times):
        stop = threading.Event()
        workers = [threading.Thread(target=load, args=(stop, g, i), daemon=True) for i in range(threads)]
        for w in workers:
            w.start()
        before = len(p.requests)
        p.wait(before + rng.randint(5, 60))
        time.sleep(rng.random() * 0.05)         # at a random place in the work
        g.kill9()
        stop.set()
        for w in workers:
            w.join()
        g.start()
    marks = [q.header("x-mark") for q in p.requests]
    ok(len(set(marks)) > 20 * times / 5, "load was there: %d requests" % len(set(marks)))
    spans = g.spans(len(set(marks)), 15)
    n = collections.Counter(s.get("custom_identifier") for s in spans)
    missing = [m for m in set(marks) if n[m] == 0]
    ok(not missing, "every request that the provider saw has a span", len(missing), missing[:5])
    twice = [m for m, k in n.items() if k > 1]
    ok(not twice, "and only one", len(twice), twice[:5])
    ids = [s["id"] for s in spans]
    eq(len(ids), len(set(ids)), "no id twice")
    cut = [s for s in spans if s.get("end_reason") == "interrupted"]
    bad = [s for s in cut if s.get("status") != "error" and not s.get("finish_reason")]
    ok(cut and not bad, "those that were cut short are interrupted, and errors if no finish was seen (%d)" % len(cut), bad[:2])
    with_text = [s for s in cut if s.get("stream") and (s.get("output") or {}).get("content")]
    note("%d interrupted spans have partial text" % len(with_text))


def partial_text():
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "n=9; stall=5")], json.dumps(chat_body(True, custom_identifier="partial")).encode()))
        r = c.head()
        c.body(r, until=lambda r: len(sse(r.body)) >= 5)
        g.kill9()
    g.start()
    s = None

    def find():
        nonlocal s
        s = next((x for x in g.export() if x.get("custom_identifier") == "partial"), None)
        return s
    wait_until(find, 10)
    s = s or {}
    eq((s.get("status"), s.get("end_reason"), (s.get("output") or {}).get("content")), ("error", "interrupted", "".join(words(9)[:4])),
       "what the client had seen before the kill is on the span")


def books():
    chat(g, "n=2")
    code, out, err = g.run("verify")
    eq(code, 0, "spangate verify with the daemon up") or note(out, err)
    g.stop()
    code, out, err = g.run("verify")
    eq(code, 0, "spangate verify with the daemon down") or note(out, err)
    code, out, err = g.run("journal", "list")
    eq(code, 0, "spangate journal list") or note(out, err)


def torn_tail():
    """Rubbish at the end of a segment is cut, not fatal."""
    g.start()
    r = chat(g, "n=2", custom_identifier="before-the-tear")
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")], json.dumps(chat_body(custom_identifier="torn")).encode()))
        before = len(p.requests)
        wait_until(lambda: any(b"torn" in q.body or True for q in p.requests[before - 1:]), 2)
        time.sleep(0.05)
        g.kill9()
    segments = sorted((f for f in g.data_files() if "journal" in f and os.path.getsize(f) > 0), key=os.path.getmtime)
    for f in segments[-2:]:
        with open(f, "ab") as out:
            out.write(b"\x40\x00\x00\x00torn record" + os.urandom(300))
    g.start()
    ok(wait_until(lambda: any(s.get("id") == r.get("x-spangate-span-id") for s in g.export()), 10), "a torn tail: starts, and loses nothing before it")
    eq(chat(g, "n=2").status, 200, "and serves on")
    code, out, err = g.run("verify")
    eq(code, 0, "and verify agrees") or note(out, err)


p = Provider()
g = Gateway(p, {"threads": 2})
main(kills, partial_text, books, torn_tail)
