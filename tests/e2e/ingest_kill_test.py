#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 while spans come by batch, one by one and as traces, and are changed and deleted: what was
acknowledged is there once, as it was left, and nothing is there that nobody sent."""
import itertools
import random

from harness import *

number = itertools.count()      # its next() is one step: no two threads get the same
lock = threading.Lock()
sent, acked, retried = set(), {}, set()     # marks; mark -> id; marks that were sent until they were acknowledged
notes, deleted, dropping, busy = collections.defaultdict(list), set(), set(), set()    # id -> [(note, acknowledged)]; ids


def span(**more):
    mark = "mark-%d" % next(number)
    with lock:
        sent.add(mark)
    return dict({"model": "gpt-4o", "input": "x" * random.randint(1, 3000), "output": "y", "custom_identifier": mark, "cost": 0.001,
                 "customer_identifier": "c%d" % random.randint(0, 20), "prompt_tokens": 3, "completion_tokens": 4}, **more)


def ask(method, path, body=None, heads=()):
    """The answer, None where there was none."""
    with g.ready:       # it is being started again
        g.ready.wait_for(lambda: g.port is not None, 20)
    try:
        with Raw(g.port or 1, timeout=10) as c:
            r = c.ask(method, path, [("Content-Type", "application/json")] + list(heads), body)
            return r if r is not None and r.end in ("length", "chunked", "none") else None
    except OSError:
        time.sleep(0.02)
        return None


def note_all(spans, r):
    if r is not None and r.status == 200:
        with lock:
            acked.update((s["custom_identifier"], x["id"]) for s, x in zip(spans, r.json["results"]))


def batch(rng):
    spans = [span() for _ in range(rng.randint(1, 300))]
    note_all(spans, ask("POST", "/api/request-logs/batch/create", {"logs": spans, "respan_api_controls": {"block": rng.random() < 0.5}}))


def trace(rng):
    name = "trace-%d" % next(number)
    spans = [span(trace_unique_id=name, span_unique_id="s%d" % i) for i in range(rng.randint(1, 8))]
    for _ in range(500):    # again until it is acknowledged: still one row each
        r = ask("POST", "/api/v1/traces/ingest", spans)
        if r is not None and r.status == 200:
            with lock:
                retried.update(s["custom_identifier"] for s in spans)
            return note_all(spans, r)


def single(rng):
    s = span()
    for _ in range(500):
        r = ask("POST", "/api/request-logs/", s, [("Idempotency-Key", s["custom_identifier"])])
        if r is not None and r.status == 200:
            with lock:
                acked[s["custom_identifier"]] = r.json["id"]
                retried.add(s["custom_identifier"])
            return


def change(rng):
    with lock:      # one change of a span at a time, so that the order is known
        ids = [i for i in list(acked.values())[-500:] if i not in dropping and i not in busy]
        ident = rng.choice(ids) if ids else None
        if ident is None:
            return
        busy.add(ident)
        drop = rng.random() < 0.2
        if drop:
            dropping.add(ident)
        else:
            notes[ident].append(("note-%d" % next(number), False))
    if drop:
        r = ask("DELETE", "/api/request-logs/%s/" % ident)
    else:
        r = ask("PATCH", "/api/request-logs/%s/" % ident, {"note": notes[ident][-1][0]})
    with lock:
        busy.discard(ident)
        if drop and r is not None and r.status == 204:
            deleted.add(ident)
        elif not drop and r is not None and r.status in (200, 202):
            notes[ident][-1] = (notes[ident][-1][0], True)


def load(stop, i):
    rng = random.Random(i * 1000003 + time.time_ns())
    while not stop.is_set():
        rng.choice((batch, trace, single, change, change, change))(rng)


def kills(times=int(os.environ.get("KILLS", "5")), threads=4):
    rng = random.Random(time.time_ns())
    for _ in range(times):
        stop = threading.Event()
        workers = [threading.Thread(target=load, args=(stop, i), daemon=True) for i in range(threads)]
        for w in workers:
            w.start()
        before = len(acked)
        wait_until(lambda: len(acked) > before + rng.randint(50, 600), 20, 0.005)
        time.sleep(rng.random() * 0.05)         # at a random place in the work
        g.kill9()
        stop.set()
        g.start()                               # those that send again find it there
        for w in workers:
            w.join()
    ok(len(acked) > 50 * times, "load was there: %d of %d spans acknowledged, %d changes, %d deletes" % (
        len(acked), len(sent), sum(map(len, notes.values())), len(deleted)))


def read(ident):
    """One span, also by an id under which it was sent again."""
    r = ask("GET", "/api/request-logs/%s/" % ident)
    return r.json if r is not None and r.status == 200 else None


def there():
    rows = []

    def complete():
        nonlocal rows
        rows = g.export()
        have = {s.get("custom_identifier") for s in rows}
        return all(m in have for m, i in acked.items() if i not in dropping)
    wait_until(complete, 30)
    count = collections.Counter(s.get("custom_identifier") for s in rows)
    missing = [m for m, i in acked.items() if count[m] == 0 and i not in dropping]
    ok(not missing, "everything that was acknowledged is there", len(missing), missing[:5])
    ok(not [m for m, n in count.items() if n > 1], "once", [m for m, n in count.items() if n > 1][:5])
    ok(not set(count) - sent, "and nothing else is", list(set(count) - sent)[:5])
    back = [i for i in deleted if read(i) is not None]
    ok(not back, "what was deleted is gone", back[:5])
    wrong = []
    for ident, list_of in notes.items():
        if ident in dropping:
            continue
        # the last one that was acknowledged, or one that was sent after it
        last = max((n for n, (_, good) in enumerate(list_of) if good), default=-1)
        may = [t for t, _ in list_of[max(last, 0):]] + ([None] if last < 0 else [])
        got = read(ident) or {"note": "no such span"}
        if got.get("note") not in may:
            wrong.append((ident, got.get("note"), list_of))
    ok(not wrong, "changes that were acknowledged hold", *wrong[:3])
    code, out, err = g.run("verify")
    ok(code == 0, "spangate verify finds books and sums right", out[-1500:], err[-500:])


p = Provider()
g = Gateway(p)
main(kills, there)
