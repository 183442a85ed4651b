# SPDX-License-Identifier: Apache-2.0
"""The store locked, unwritable, full; the journal at its limit; the journal's disk full: one minute each under
load (MINUTE=seconds to change). No client notices, nothing is lost but what is counted, recovery without a restart."""
import glob
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *  # noqa: E402

MINUTE = float(os.environ.get("MINUTE", "60"))


class Load:
    """Four clients, plain and streamed, until stopped; counts what went wrong for them."""

    def __init__(self, g, size=0):
        self.g, self.stop, self.sent, self.bad, self.slowest, self.lock = g, threading.Event(), 0, [], 0, threading.Lock()
        self.size = size
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(4)]
        for t in self.threads:
            t.start()

    def run(self, i):
        n = 0
        while not self.stop.is_set():
            n += 1
            t = time.monotonic()
            fake = "size=%d" % self.size if self.size else "n=10; delay=2"
            try:
                r = chat(self.g, fake, n % 2 == 0)
                good = r.status == 200 and r.end in ("length", "chunked")
            except Exception as e:
                good, r = False, e
            with self.lock:
                self.sent += 1
                self.slowest = max(self.slowest, time.monotonic() - t)
                if not good:
                    self.bad.append(repr(r))
            time.sleep(0.02)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def ready(g):
    r = g.get("/readyz")
    return r.status, r.body.decode().lower()


def database(g):
    return next(f for f in g.data_files() if os.path.basename(f).split(".")[-1] in ("db", "sqlite", "sqlite3"))


def dropped(g):
    m, _ = g.metrics()
    return int(m.sum("spangate_dropped_total") + m.sum("spangate_spans_dropped_total"))


def outage(what, g, begin, end, size=0, may_drop=False, must_drop=False, fresh=False):
    p.clear()
    before, lost = 0 if fresh else len(g.export()), dropped(g)
    load = Load(g, size)
    time.sleep(1)
    begin()
    t = time.monotonic()
    degraded = wait_until(lambda: "degraded" in ready(g)[1], min(30, MINUTE))
    note("%s: degraded after %.1f s" % (what, time.monotonic() - t))
    time.sleep(max(0, MINUTE - (time.monotonic() - t)))
    end()
    time.sleep(1)
    load.end()
    ok(degraded, what + ": /readyz says degraded", ready(g))
    ok(not load.bad, "%s: no client notices (%d requests, slowest %.2f s)" % (what, load.sent, load.slowest), load.bad[:3])

    def count():
        try:
            return len(g.export()) - before
        except RuntimeError as e:
            note(str(e)[:200])
            return -1
    ok(wait_until(lambda: count() + dropped(g) - lost >= load.sent, 60, 0.5), what + ": all is stored or counted", count(), dropped(g) - lost, load.sent)
    eq(count() + dropped(g) - lost, load.sent, what + ": stored + dropped = sent")
    if not may_drop:
        eq(dropped(g) - lost, 0, what + ": nothing is dropped")
    if must_drop:
        ok(dropped(g) - lost > 0, what + ": what did not fit is counted")
    ok(wait_until(lambda: ready(g)[0] == 200 and "degraded" not in ready(g)[1], 20), what + ": ready again without a restart", ready(g))
    code, out, err = g.run("verify")
    eq(code, 0, what + ": verify") or note(out, err)


def locked():
    g = Gateway(p)
    chat(g)
    g.spans(1)
    lock = sqlite3.connect(database(g), isolation_level=None, timeout=10)
    outage("locked store", g, lambda: lock.execute("BEGIN EXCLUSIVE"), lambda: (lock.execute("COMMIT"), lock.close()))
    g.destroy()


def mount(*argv):
    return subprocess.run(["mount"] + list(argv), stderr=subprocess.DEVNULL).returncode == 0


def mounted(size, *options):
    d = tempfile.mkdtemp(prefix="spangate-mount-")
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=%s,mode=700" % size, "tmpfs", d):
        os.rmdir(d)
        return None
    return d


def unmount(d):
    subprocess.run(["umount", "-l", d])
    os.rmdir(d)


def split_mount(store_size, journal_size):
    """A data directory on one small file system with the journal's folder on another."""
    d = mounted(store_size)
    if d is None:
        return None
    j = os.path.join(d, "journal")
    os.mkdir(j, 0o700)
    if not mount("-t", "tmpfs", "-o", "size=%s,mode=700" % journal_size, "tmpfs", j):
        unmount(d)
        return None
    return d


def fill(folder):
    path = os.path.join(folder, "filler")
    with open(path, "wb", 0) as f:
        try:
            while True:
                f.write(b"x" * 65536)
        except OSError:
            pass
        try:
            while True:
                f.write(b"x")
        except OSError:
            pass


def nobody():
    os.setgid(65534)
    os.setuid(65534)


def read_only():
    """The store's directory cannot be written from the start on, by a user who is not root."""
    if os.geteuid() != 0:
        return skip("store in a read-only directory", "needs root, to run the gateway as nobody")
    g = Gateway(p, start=False, preexec=nobody)
    os.mkdir(g.data, 0o700)
    for path in (g.root, g.conf, g.data):
        os.chown(path, 65534, 65534)
    g.start()
    wait_until(lambda: g.get("/api/request-logs/").status == 200)
    g.stop()
    for f in glob.glob(database(g) + "*"):
        os.unlink(f)
    os.chmod(g.data, 0o500)
    g.start()
    outage("read-only directory", g, lambda: None, lambda: os.chmod(g.data, 0o700), fresh=True)
    g.destroy()


def full_store():
    d = split_mount("24m", "256m")
    if d is None:
        return skip("store on a full file system", "cannot mount here")
    g = Gateway(p, {"store": {"max_disk_percent": 100}}, data_dir=d)
    chat(g)
    g.spans(1)
    outage("full store", g, lambda: fill(d), lambda: os.unlink(os.path.join(d, "filler")))
    g.destroy()
    subprocess.run(["umount", "-l", os.path.join(d, "journal")])
    unmount(d)


def journal_limit():
    g = Gateway(p, {"journal": {"max_bytes": "8MiB"}})
    chat(g)
    g.spans(1)
    lock = sqlite3.connect(database(g), isolation_level=None, timeout=10)
    outage("journal at max_bytes", g, lambda: lock.execute("BEGIN EXCLUSIVE"), lambda: (lock.execute("COMMIT"), lock.close()), 20000, True, True)
    g.destroy()


def journal_disk():
    d = split_mount("128m", "32m")
    if d is None:
        return skip("the journal's own disk full", "cannot mount here")
    g = Gateway(p, data_dir=d)
    chat(g)
    g.spans(1)
    outage("journal's disk full", g, lambda: fill(os.path.join(d, "journal")), lambda: os.unlink(os.path.join(d, "journal", "filler")), 20000, True, True)
    g.destroy()
    subprocess.run(["umount", "-l", os.path.join(d, "journal")])
    unmount(d)


p = Provider()
main(locked, read_only, full_store, journal_limit, journal_disk)
