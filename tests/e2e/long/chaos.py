# SPDX-License-Identifier: Apache-2.0
"""Clients and providers that do everything at once for a while (CHAOS=seconds, 60): streams, plain answers, cuts,
resets, stalls, leavers, slow readers, pipelining, malformed requests, reloads.  At the end every request that the
provider saw has a span that says what happened, nothing is in flight, and descriptors and memory are back."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from framing_cases import CLASSES  # noqa: E402
from harness import *  # noqa: E402

SECONDS = float(os.environ.get("CHAOS", "60"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1000000)))
stop = threading.Event()
outcome, lock = {}, threading.Lock()
FAKES = ("n=3", "n=30; delay=3", "n=200; split=rand", "n=40; split=byte", "n=20; frame=close", "n=20; frame=sized", "n=9; usage=on",
         "reason=5; n=5", "tools=1", "n=20; cut=7", "n=20; reset=7", "cut=head", "reset=head", "status=429; retry-after=1",
         "status=500; body=html", "size=300000", "size=300000; frame=chunked; ext=1; trailers=1", "size=50000; cut=20000", "die=reused",
         "n=5; bye=1", "n=9; error=4", "n=5; comments=1; crlf=1", "interim=1; n=3", "first=80", "n=9; gzip=1; split=rand", "early=1; status=413",
         "never=1", "n=50; stall=9", "status=204", "n=3; done=0; finish=0")


def one(rng, mark):
    fake = rng.choice(FAKES)
    leave = rng.random() < 0.25 or "never" in fake or "stall" in fake
    stream = rng.random() < 0.6
    body = chat_body(stream, custom_identifier=mark, user="u" * rng.choice((1, 10, 5000, 100000)) if rng.random() < 0.2 else "u")
    heads = [("x-fake", fake), ("x-mark", mark), ("Authorization", "Bearer x")]
    if "gzip" in fake:
        heads.append(("Accept-Encoding", "gzip"))
    with Raw(g.port, timeout=15, rcvbuf=rng.choice((None, None, 4096))) as c:
        raw = c.request_bytes("POST", CHAT, heads, json.dumps(body).encode())
        if rng.random() < 0.1:
            for i in range(0, len(raw), 1000):
                c.send(raw[i:i + 1000])
        else:
            c.send(raw)
        if leave:
            c.sock.settimeout(rng.random() * 0.1 + 0.001)
            got = 0
            try:
                while got < rng.choice((0, 100, 1000, 3000)):
                    data = c.sock.recv(rng.choice((10, 1000)))
                    if not data:
                        break
                    got += len(data)
            except OSError:
                pass
            c.abort() if rng.random() < 0.5 else None
            return "left"
        r = c.answer()
        if r is not None and r.end in ("length", "chunked") and rng.random() < 0.3:
            r2 = c.get("/healthz")
            if r2 is not None and r2.status != 200:
                return "bad health"
        return (fake, r and r.status, r and r.end)


def worker(i):
    rng, n = random.Random(SEED * 1000 + i), 0
    while not stop.is_set():
        n += 1
        mark = "w%d-%d" % (i, n)
        try:
            if rng.random() < 0.08:
                make, _ = CLASSES[rng.choice(list(CLASSES))]
                with Raw(g.port, timeout=5) as c:
                    c.send(make(rng))
                    c.answer()
                continue
            out = one(rng, mark)
        except (OSError, ValueError) as e:
            out = repr(e)
        with lock:
            outcome[mark] = out


def chaos():
    note("SEED=%d" % SEED)
    chat(g)
    g.spans(1)
    fds = len(os.listdir("/proc/%d/fd" % g.pid))
    ts = [threading.Thread(target=worker, args=(i,), daemon=True) for i in range(24)]
    for t in ts:
        t.start()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and g.proc.poll() is None:
        time.sleep(1)
        if random.random() < 0.2:
            g.signal(signal.SIGHUP)
    stop.set()
    for t in ts:
        t.join(30)
    if not ok(g.proc.poll() is None, "the gateway lives", g.proc.poll(), *g.lines[-30:]):
        return
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_requests_in_flight") == 0, 20), "nothing is in flight")
    seen = {q.header("x-mark") for q in p.requests if q.header("x-mark")}
    spans = g.spans(len(seen) + 1, 60)
    by = {}
    for s in spans:
        by.setdefault(s.get("custom_identifier"), []).append(s)
    ok(not [m for m in seen if m not in by], "every request that the provider saw has a span (%d)" % len(seen), [m for m in seen if m not in by][:5])
    ok(not [m for m in by if m and len(by[m]) > 1], "and only one", [m for m in by if m and len(by[m]) > 1][:5])
    wrong = []
    for m, out in outcome.items():
        if not isinstance(out, tuple) or m not in by:
            continue
        fake, status, end = out
        s = by[m][0]
        whole = end in ("length", "chunked", "none")
        if whole and status == 200 and s.get("end_reason") != "complete":
            wrong.append((out, s.get("end_reason")))
        if end == "cut" and s.get("end_reason") not in ("upstream_cut", "client_timeout"):
            wrong.append((out, s.get("end_reason")))
        if status and status != s.get("status_code") and end != "cut":
            wrong.append((out, s.get("status_code")))
    ok(not wrong, "and says what the client saw", len(wrong), *wrong[:8])
    odd = collections.Counter(str(o) for o in outcome.values() if isinstance(o, str) and o != "left")
    ok(not odd, "no client saw what it should not", odd.most_common(5))
    m, _ = g.metrics()
    note("%d requests, %d to the provider" % (len(outcome), len(p.requests)))
    eq(m.sum("spangate_spans_quarantined_total"), 0, "nothing set aside")
    p.close()
    ok(wait_until(lambda: len(os.listdir("/proc/%d/fd" % g.pid)) <= fds + 4, 20), "descriptors are back", len(os.listdir("/proc/%d/fd" % g.pid)), fds)
    note("anonymous memory %.1f MB" % (g.rss() / 1e6))
    code, text, err = g.run("verify")
    eq(code, 0, "verify") or note(text, err)
    eq(g.stop(), 0, "exit 0")


raise_nofile()
folder = tempfile.mkdtemp(prefix="spangate-chaos-")
certs = make_certs(folder) if os.environ.get("CHAOS_TLS") else None     # CHAOS_TLS=1: the provider speaks TLS
p = Provider(certs and (certs["cert"], certs["key"]))
g = Gateway(p, {"timeouts": {"write": "3s"}}, dict({"first_byte_timeout": "5s", "idle_timeout": "5s"}, **({"ca_file": certs["ca"]} if certs else {})))
shutil.rmtree(folder) if not certs else None
main(chaos)
