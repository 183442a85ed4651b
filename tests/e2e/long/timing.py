# SPDX-License-Identifier: Apache-2.0
"""The exact figures of time, against a provider in C that keeps its pace to a tenth of a millisecond:
role at 50 ms, first content at 137 ms, then 100 tokens every 10 ms, usage at the end."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *  # noqa: E402

BENCH = os.path.join(os.environ.get("TOP_SRCDIR") or os.path.join(HERE, "..", ".."), "contrib", "bench")
PACE = "sse=100,role=50,first=137,gap=10,usage=1"
work = tempfile.mkdtemp(prefix="spangate-timing-")
for name in ("mock", "load"):
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", os.path.join(work, name), os.path.join(BENCH, name + ".c")], check=True)
mock = subprocess.Popen([os.path.join(work, "mock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
port = int(mock.stdout.readline())


class Mock:
    url = "http://127.0.0.1:%d" % port


def load(streams, total, pace):
    body = os.path.join(work, "bodies")
    with open(body, "w") as f:
        f.write(json.dumps(chat_body(True)) + "\n")
    r = subprocess.run([os.path.join(work, "load"), "-p", str(g.port), "-b", body, "-c", str(streams), "-n", str(total), "-m", pace],
                       stdout=subprocess.PIPE, timeout=120)
    return json.loads(r.stdout)


seen = set()


def fresh(count):
    """The spans that are new since the last time."""
    got = [s for s in g.spans(len(seen) + count, 30) if s["id"] not in seen]
    seen.update(s["id"] for s in got)
    return got


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))]


def judge(what, spans, ttft, latency, tokens, room, rate=101.0):
    """All within room (ms) at the 99th percentile."""
    for name, want, get in (("time to first token", ttft, lambda s: s.get("time_to_first_token")), ("latency", latency, lambda s: s.get("latency"))):
        off = [abs((get(s) or 9) * 1000 - want) for s in spans]
        ok(quantile(off, 0.99) <= room, "%s: %s %.0f ms +- %g ms" % (what, name, want, room), "p50 off %.2f, p99 off %.2f, most %.2f" % (quantile(off, 0.5), quantile(off, 0.99), max(off)))
        note("%s: %s off by p50 %.2f, p99 %.2f, most %.2f ms" % (what, name, quantile(off, 0.5), quantile(off, 0.99), max(off)))
    off = [abs((s.get("tokens_per_second") or 0) / rate - 1) * 100 for s in spans]
    ok(quantile(off, 0.99) <= 1, "%s: tokens per second +- 1 %%" % what, "p99 off %.2f %%" % quantile(off, 0.99), spans[0].get("tokens_per_second"))
    gaps = [(s.get("inter_token") or {}).get("p50") or 9 for s in spans]
    ok(all(abs(x - 0.010) <= 0.001 for x in gaps), "%s: gaps p50 10 +- 1 ms" % what, min(gaps), max(gaps))
    eq({(s.get("completion_tokens"), s.get("status")) for s in spans}, {(tokens, "success")}, "%s: counts" % what)


def one_by_one():
    load(4, 40, PACE)
    judge("4 at once", fresh(40), 137, 1127, 100, 3)


def two_hundred():
    load(200, 200, PACE)
    fresh(200)
    load(200, 400, PACE)
    judge("200 at once", fresh(400), 137, 1127, 100, 10)


def reasoning():
    load(4, 20, "sse=80,reason=20,role=50,first=137,gap=10,usage=1")
    judge("reasoning before content", fresh(20), 137, 1127, 100, 3)


def slow_client():
    def one(_):
        with Raw(g.port, rcvbuf=4096) as c:
            c.send(c.request_bytes("POST", CHAT, [("x-mock", PACE)], json.dumps(chat_body(True)).encode()))
            end = time.monotonic() + 3
            while time.monotonic() < end:
                c.sock.settimeout(0.2)
                try:
                    if b"[DONE]" in c.sock.recv(700):
                        return
                except socket.timeout:
                    pass
                time.sleep(0.04)
            c.sock.settimeout(20)
            while b"[DONE]" not in c.buf and c.more():
                pass
    parallel(8, one)
    judge("a slow client", fresh(8), 137, 1127, 100, 3)


def clean_up():
    mock.stdin.close()
    mock.wait()
    shutil.rmtree(work, ignore_errors=True)


g = Gateway(Mock)
main(one_by_one, two_hundred, reasoning, slow_client, clean_up)
