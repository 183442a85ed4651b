#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store is in the way: locked, read-only, the journal full. No client notices; nothing is lost uncounted."""
import glob
import sqlite3
import stat

from harness import *


def database(g):
    found = [f for f in g.data_files() if os.path.basename(f).split(".")[-1] in ("db", "sqlite", "sqlite3")]
    return found[0] if found else None


def ready(g):
    r = g.get("/readyz")
    return r.status, r.body.decode().lower()


def locked():
    p = Provider()
    g = Gateway(p)
    chat(g, "n=2")
    g.spans(1)
    db = database(g)
    if not ok(db, "the database file", list(g.data_files())):
        return
    lock = sqlite3.connect(db, isolation_level=None, timeout=5)
    lock.execute("BEGIN EXCLUSIVE")
    got = [chat(g, "n=2", i % 2 == 0).status for i in range(20)]
    eq(got, [200] * 20, "another process holds the store's lock: no client notices")
    ok(wait_until(lambda: "degraded" in ready(g)[1], 10), "/readyz says degraded", ready(g))
    eq(g.get("/healthz").status, 200, "/healthz is well")
    lock.execute("COMMIT")
    lock.close()
    ok(wait_until(lambda: len(g.export()) == 21, 15), "released: all spans come without a restart", len(g.export()))
    ok(wait_until(lambda: "degraded" not in ready(g)[1] and ready(g)[0] == 200, 10), "/readyz is well again", ready(g))
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else None


def unwritable():
    """The store's file system refuses writes: as another user than root by mode, else by a directory in the way."""
    p = Provider()
    g = Gateway(p, start=False)
    g.start()
    chat(g, "n=2")
    g.spans(1)
    db = database(g)
    g.stop()
    if os.geteuid() == 0:
        kept = [(f, open(f, "rb").read()) for f in glob.glob(db + "*")]
        for f, _ in kept:
            os.unlink(f)
        os.mkdir(db)
    else:
        os.chmod(db, 0o400)
    g.start()
    got = [chat(g, "n=2").status for _ in range(5)]
    eq(got, [200] * 5, "the store cannot be opened at start: requests go through")
    ok(wait_until(lambda: "degraded" in ready(g)[1], 10), "/readyz says degraded", ready(g))
    if os.geteuid() != 0:       # SQLite makes its company with the file's mode, which must not outlast it
        ok(wait_until(lambda: mode(db + "-shm") == 0o400, 10), "the log's index was made read-only too", mode(db + "-shm"))
    if os.geteuid() == 0:
        os.rmdir(db)
        for f, data in kept:
            with open(f, "wb") as out:
                out.write(data)
    else:
        os.chmod(db, 0o600)

    def count():
        try:
            return len(g.export())
        except RuntimeError:
            return -1
    ok(wait_until(lambda: count() == 6, 40), "it comes back: all spans are stored without a restart", count())
    ok(wait_until(lambda: ready(g)[0] == 200 and "degraded" not in ready(g)[1], 10), "/readyz is well again", ready(g))
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


def journal_full():
    p = Provider()
    g = Gateway(p, {"threads": 1, "journal": {"max_bytes": "2MiB"}})
    chat(g, "n=2")
    g.spans(1)
    lock = sqlite3.connect(database(g), isolation_level=None, timeout=5)
    lock.execute("BEGIN EXCLUSIVE")
    long = [{"role": "user", "content": "a" * 200000}]      # it stands in BEGIN: what has no room drops the span
    got = [chat(g, "n=2", messages=long).status for _ in range(30)]
    eq(got, [200] * 30, "the journal is at max_bytes: requests go through")
    m, text = g.metrics()
    dropped = m.sum("spangate_dropped_total") or m.sum("spangate_spans_dropped_total")
    ok(dropped > 0, "what did not fit is counted", [ln for ln in text.splitlines() if "drop" in ln])
    ok(m.sum("spangate_journal_bytes") <= (2 << 20) + (1 << 20), "and the journal stays near its limit", m.sum("spangate_journal_bytes"))
    ok(wait_until(lambda: "degraded" in ready(g)[1], 10), "/readyz says degraded", ready(g))
    lock.execute("COMMIT")
    lock.close()
    ok(wait_until(lambda: len(g.export()) + dropped >= 31, 15), "stored + dropped = requests", len(g.export()), dropped)
    eq(len(g.export()) + dropped, 31, "exactly")
    ok(wait_until(lambda: ready(g)[0] == 200 and "degraded" not in ready(g)[1], 10), "ready again", ready(g))
    r = chat(g, "n=2")
    ok(g.span(r), "and spans are kept again")
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


def large_bodies():
    """Of a direction the journal keeps the first 32 MiB and the last 256 KiB; the traffic is never cut."""
    p = Provider()
    g = Gateway(p)
    with Raw(g.port) as c:
        r = c.get("/v1/x", [("x-fake", "size=50000000")])
    eq((len(r.body), r.end), (50000000, "length"), "a 50 MB answer passes whole")
    s = g.span(r, timeout=20)
    ok(s.get("status") == "success" and (s.get("output") or {}).get("bytes") == 50000000, "its span says what it was", s.get("status"), s.get("output"))
    size = sum(os.path.getsize(f) for f in g.data_files())
    ok(size < 100000000, "and the data directory stays in bounds", size)
    g.destroy()


def modes():
    p = Provider()
    g = Gateway(p)
    chat(g, "n=2")
    g.spans(1)
    bad = [(f, oct(stat.S_IMODE(os.stat(f).st_mode))) for f in g.data_files() if os.stat(f).st_mode & 0o077]
    eq(bad, [], "every file of the data directory is 0600")
    eq(os.stat(g.data).st_mode & 0o077, 0, "and the directory 0700")
    g.destroy()


def retention():
    p = Provider()
    g = Gateway(p)
    chat(g)
    g.spans(1)
    g.stop()
    g.inject(store={"retention": "1s"})
    time.sleep(1.1)
    g.start()
    ok(wait_until(lambda: len(g.export()) == 0, 10), "a span past store.retention goes", len(g.export()))
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


main(locked, unwritable, journal_full, large_bodies, modes, retention)
