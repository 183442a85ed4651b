# SPDX-License-Identifier: Apache-2.0
"""One reader that runs the heaviest queries over and over does not slow the gateway: seconds with it and without it by
turns, p50 against p50. SPANS: how many there are to be read."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *

SPANS = os.environ.get("SPANS", "400000")
ROUNDS, SECONDS, RATE = 12, 4, 250
BENCH = os.path.join(os.environ.get("TOP_SRCDIR") or os.path.join(HERE, "..", ".."), "contrib", "bench")
ALL = "start_time=2000-01-01T00:00:00Z&page_size=100"
HEAVY = [("list/?%s&sort_by=-cost" % ALL, None), ("list/?%s" % ALL, {"filters": {"input": {"operator": "icontains", "value": "nothing such"}}}),
         ("list/?%s&metadata__feature=chat7&sort_by=latency" % ALL, None), ("export?format=jsonl&start_time=2000-01-01T00:00:00Z", None)]
work = tempfile.mkdtemp(prefix="spangate-reader-")


def built(name):
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", os.path.join(work, name), os.path.join(BENCH, name + ".c")], check=True)
    return os.path.join(work, name)


class Reader:
    """Reads while it is told to."""

    def __init__(self, gateway):
        self.gateway, self.on, self.over, self.done, self.bad = gateway, threading.Event(), False, 0, []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.on.wait() and not self.over:
            path, body = HEAVY[self.done % len(HEAVY)]
            r = subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "--max-time", "60"] +
                               (["-H", "content-type: application/json", "-d", json.dumps(body)] if body else []) +
                               ["http://127.0.0.1:%d/api/request-logs/%s" % (self.gateway.port, path)], stdout=subprocess.PIPE)
            self.done += 1
            if r.stdout not in (b"200", b"503"):     # one that takes too long is told so
                self.bad.append((path, r.stdout))

    def stop(self):
        self.over = True
        self.on.set()
        self.thread.join()


def pin(gateway):
    """The gate thread has a core that it need not change."""
    for task in os.listdir("/proc/%d/task" % gateway.pid):
        with open("/proc/%d/task/%s/comm" % (gateway.pid, task)) as f:
            if f.read().startswith("gate-"):
                os.sched_setaffinity(int(task), {0})


def reader():
    load, mock = built("load"), subprocess.Popen([built("mock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    class Mock:
        url = "http://127.0.0.1:%d" % int(mock.stdout.readline())
    g = Gateway(Mock, {"threads": 1, "store": {"retention": "off"}}, start=False)
    os.makedirs(g.data, 0o700, exist_ok=True)
    subprocess.run([os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "given_long"), SPANS, "10000", g.data],
                   stdout=subprocess.DEVNULL, check=True)
    g.start()
    pin(g)
    bodies = os.path.join(work, "bodies")
    with open(bodies, "w") as f:
        f.write(json.dumps(chat_body()) + "\n")

    def p50():
        r = subprocess.run([load, "-p", str(g.port), "-b", bodies, "-c", "16", "-n", str(RATE * SECONDS), "-r", str(RATE)],
                           stdout=subprocess.PIPE, timeout=120)
        return json.loads(r.stdout)

    r, alone, read = Reader(g), [], []
    p50()
    for _ in range(ROUNDS):
        r.on.clear()
        alone.append(p50())
        r.on.set()
        read.append(p50())
    r.stop()
    median = lambda runs: sorted(x["us_p50"] for x in runs)[len(runs) // 2]
    m, _ = g.metrics()
    tap.note("p50 %d us alone, %d us beside the reader (%+.1f %%); p99 %d and %d us; %d queries" % (
        median(alone), median(read), (median(read) / median(alone) - 1) * 100, max(x["us_p99"] for x in alone),
        max(x["us_p99"] for x in read), r.done))
    tap.note("longest turn of the gate thread %d us, %d over 5 ms" % (m.sum("spangate_gate_longest_turn_microseconds"),
                                                                   m.sum("spangate_gate_long_turns_total")))
    tap.eq(r.bad, [], "the queries are answered")
    tap.ok(median(read) < 1.1 * median(alone), "p50 does not move by more than a tenth")
    tap.ok(m.sum("spangate_gate_longest_turn_microseconds") < 5000, "no turn takes over 5 ms")
    g.destroy()
    mock.kill()


main(reader)
