#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Running out: file descriptors, connections; sockets that keep their probes; versions of the store."""
import sqlite3

from harness import *


def descriptors():
    """With few descriptors accepting pauses, and goes on when some are free."""
    p = Provider()
    g = Gateway(p, {"threads": 1}, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80)))
    idle = []
    for _ in range(120):
        try:
            idle.append(Raw(g.port, timeout=2))
        except OSError:
            break
    time.sleep(0.2)
    used = len(os.listdir("/proc/%d/fd" % g.pid))
    ok(used <= 80, "file descriptors stay under the limit", used)
    t0 = sum(int(x) for x in open("/proc/%d/stat" % g.pid).read().rsplit(")", 1)[1].split()[11:13])
    time.sleep(0.5)
    t1 = sum(int(x) for x in open("/proc/%d/stat" % g.pid).read().rsplit(")", 1)[1].split()[11:13])
    ok(t1 - t0 < 15, "and it does not spin", t1 - t0)
    for c in idle:
        c.close()
    ok(wait_until(lambda: chat(g, "n=2").status == 200, 10), "when they are free, clients are served again")
    g.destroy()


def raised():
    p = Provider()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(256, hard)
    g = Gateway(p, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard)))
    with open("/proc/%d/limits" % g.pid) as f:
        got = next(ln.split()[3] for ln in f if ln.startswith("Max open files"))
    eq(got, str(hard), "RLIMIT_NOFILE is raised to the hard limit")
    g.destroy()


def connections():
    p = Provider()
    g = Gateway(p, {"limits": {"max_connections": 20}})
    held = [Raw(g.port) for _ in range(20)]
    eq([c.get("/healthz").status for c in held], [200] * 20, "connections up to the limit")
    c = Raw(g.port, timeout=2)
    try:
        r = c.get("/healthz")
        ok(r is None or r.status == 503, "one more is refused or waits", r and r.status)
    except OSError:
        ok(True, "one more is refused or waits")
    for x in held:
        x.close()
    ok(wait_until(lambda: chat(g, "n=2").status == 200, 5), "and served when others have gone")
    g.destroy()


def probes():
    if not shutil.which("ss"):
        return skip("keep-alive probes", "no ss here")
    p = Provider()
    g = Gateway(p)
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")], json.dumps(chat_body()).encode()))
        p.wait(1)
        out = subprocess.run(["ss", "-tnope", "state", "established"], stdout=subprocess.PIPE).stdout.decode()
        mine = [ln for ln in out.splitlines() if "pid=%d," % g.pid in ln]
        probing = [ln for ln in mine if "timer:(keepalive" in ln]
        ok(len(mine) >= 2 and len(probing) == len(mine), "keep-alive probes on both sides", *mine)
    g.destroy()


def versions():
    p = Provider()
    g = Gateway(p)
    chat(g)
    g.spans(1)
    g.stop()
    db = next(f for f in g.data_files() if os.path.basename(f).split(".")[-1] in ("db", "sqlite", "sqlite3"))
    c = sqlite3.connect(db)
    was = c.execute("PRAGMA user_version").fetchone()[0]
    ok(was > 0, "the store has a version", was)
    c.execute("PRAGMA user_version = 9999")
    c.commit()
    c.close()
    g.start(wait=False)
    ok(g.wait_log("newer", 5), "a store of a later version is refused clearly", g.lines[-5:])
    code = g.wait(0.5)
    ok(code not in (None, 0) or (code is None and b"degraded" in g.get("/readyz").body.lower()), "by not starting, or by being degraded", code)
    c = sqlite3.connect(db)
    eq(c.execute("PRAGMA user_version").fetchone()[0], 9999, "and left alone")
    c.execute("PRAGMA user_version = %d" % was)
    c.commit()
    c.close()
    if code is None:
        g.kill9()
    g.start()
    eq(len(g.spans(1)), 1, "with its own version it starts again")
    g.destroy()


main(descriptors, raised, connections, probes, versions)
