# SPDX-License-Identifier: Apache-2.0
"""A million old spans: bodies go, then all but the pinned ones, in steps below 50 ms, and the file shrinks. Then the
same by a gateway that serves meanwhile: nobody notices."""
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness import *  # noqa: E402

PROGRAM = os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "retention_test")
SPANS = os.environ.get("SPANS", "1000000")


def alone():
    p = subprocess.run([PROGRAM, SPANS], stdout=subprocess.PIPE)
    note("\n".join(ln for ln in p.stdout.decode().splitlines() if ln.startswith(("#", "not ok"))))
    eq(p.returncode, 0, "%s spans, alone" % SPANS)


def rows(g):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(g.data, "spans.db"), uri=True)
    try:
        return db.execute("SELECT count(*) FROM span").fetchone()[0]
    finally:
        db.close()


def served():
    p = Provider()
    g = Gateway(p, {"store": {"retention": "1d", "body_retention": "1h"}}, start=False)
    subprocess.run([PROGRAM, SPANS, g.data], check=True, stdout=subprocess.DEVNULL)
    path = os.path.join(g.data, "spans.db")
    before, pinned = os.path.getsize(path), (int(SPANS) + 99) // 100
    g.start()
    took, failed, start = [], 0, time.monotonic()
    while rows(g) > pinned + len(took) and time.monotonic() - start < 3600:
        for _ in range(20):
            t = time.monotonic()
            failed += chat(g, "n=1").status != 200
            took.append(time.monotonic() - t)
            time.sleep(0.01)        # the pace of the client, nothing is awaited
    spent = time.monotonic() - start
    took.sort()
    note("%.0f s; requests meanwhile: %d, median %.2f ms, 99 %% %.2f ms, longest %.2f ms" % (
        spent, len(took), took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3, took[-1] * 1e3))
    eq(failed, 0, "requests went through meanwhile")
    m, _ = g.metrics()
    note("longest turn of a gate thread %d us" % m["spangate_gate_longest_turn_microseconds"])
    eq(m["spangate_gate_long_turns_total"], 0, "no turn of a gate thread took over 5 ms")
    ok(wait_until(lambda: rows(g) == pinned + len(took), 30), "the pinned ones stay, and what came meanwhile is there", rows(g), pinned, len(took))
    code, out, err = g.run("verify", timeout=600)   # the books do not know of spans that came by no journal
    ok("cells, equal" in out, "and the sums are those of the rows", out, err)
    ok(wait_until(lambda: os.path.getsize(path) < before / 2, 300), "the file shrinks")
    g.stop()
    note("file: %.0f MiB before, %.0f MiB after" % (before / 2 ** 20, os.path.getsize(path) / 2 ** 20))
    g.destroy()


main(alone, served)
