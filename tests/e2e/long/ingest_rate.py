# SPDX-License-Identifier: Apache-2.0
"""Spans of 2 KB by batch: a first million as fast as they are taken, then RATE a second for two minutes, each batch
answered once its spans can be read. SPANS, RATE, SECONDS and CUSTOMERS change that."""
import os
import random
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *

SPANS = int(os.environ.get("SPANS", "1000000"))
RATE = int(os.environ.get("RATE", "6000"))
SECONDS = int(os.environ.get("SECONDS", "120"))
CUSTOMERS = int(os.environ.get("CUSTOMERS", "10000"))
BATCH = 600
MODELS = "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "o3", "gpt-4.1"
WORDS = "time of the model answer with gateway latency customer is and token in which stream request".split()
rng = random.Random(7)
TEXTS = [" ".join("%s%d" % (rng.choice(WORDS), rng.randrange(100)) for _ in range(400))[:840] for _ in range(500)]


def span(n):
    """2 KB, no two alike."""
    asked, answered = rng.randrange(5000), rng.randrange(1000)
    return ('{"model":"%s","log_type":"chat","customer_identifier":"customer-%05d","usage":{"prompt_tokens":%d,'
            '"completion_tokens":%d,"total_tokens":%d},"latency":%d.%03d,"time_to_first_token":0.%03d,"cost":0.00%04d,'
            '"metadata":{"feature":"chat%d","version":"2.1"},"thread_identifier":"thread-%d","custom_identifier":"custom-%d",'
            '"stream":true,"input":[{"role":"user","content":"%s"}],"output":{"role":"assistant","content":"%s"}}'
            % (rng.choice(MODELS), rng.randrange(CUSTOMERS), asked, answered, asked + answered, rng.randrange(20),
               rng.randrange(1000), rng.randrange(1000), rng.randrange(10000), rng.randrange(8), n // 5, n,
               rng.choice(TEXTS), rng.choice(TEXTS)))


def cpu(gateway):
    """CPU seconds by the name of a thread."""
    tick, spent = os.sysconf("SC_CLK_TCK"), {}
    for task in os.listdir("/proc/%d/task" % gateway.pid):
        with open("/proc/%d/task/%s/stat" % (gateway.pid, task)) as f:
            line = f.read()
        name = line[line.index("(") + 1:line.rindex(")")].rstrip("0123456789-")
        fields = line[line.rindex(")") + 2:].split()
        spent[name] = spent.get(name, 0) + (int(fields[11]) + int(fields[12])) / tick
    return spent


class Load:
    """Batches over a few connections, at `rate` spans a second, or as fast as they are taken."""

    def __init__(self, gateway, first, count, rate):
        self.gateway, self.next, self.end, self.rate = gateway, first, first + count, rate
        self.begun, self.first, self.lock = time.monotonic(), first, threading.Lock()
        self.took, self.late, self.refused = [], 0, []

    def take(self):
        """The next batch and when it is due. Built one at a time, as this process has one core at most."""
        with self.lock:
            n = self.next
            if n >= self.end:
                return None, 0
            self.next = min(n + BATCH, self.end)
            logs = ",".join(span(i) for i in range(n, self.next))
        return '{"logs":[%s]}' % logs, self.begun + (n - self.first) / self.rate if self.rate else 0

    def work(self, _):
        with Raw(self.gateway.port, timeout=120) as c:
            while True:
                body, due = self.take()
                if body is None:
                    return
                wait = due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)    # the pace is what is measured
                elif due:
                    self.late = max(self.late, -wait)
                t = time.monotonic()
                r = c.post("/api/request-logs/batch/create", body)
                self.took.append(time.monotonic() - t)
                if r.status != 200:
                    self.refused.append((r.status, r.body[:200]))

    def run(self, connections):
        parallel(connections, self.work)
        return self


def figures(what, gateway, before, load, seconds):
    after, spans = cpu(gateway), load.end - load.first
    spent = {k: (after[k] - before.get(k, 0)) * 1e6 / spans for k in after}
    took = sorted(load.took)
    tap.note("%s: %d spans in %.1f s: %d a second; CPU %.0f us each, so %d a second for each core (%s)" % (
        what, spans, seconds, spans / seconds, sum(spent.values()), 1e6 / sum(spent.values()),
        ", ".join("%s %.0f" % kv for kv in sorted(spent.items(), key=lambda kv: -kv[1]) if kv[1] >= 1)))
    tap.note("%s: answers after %.0f ms (median), %.0f (p99), %.0f (longest); the generator was late by %.0f ms at most" % (
        what, took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3, took[-1] * 1e3, load.late * 1e3))
    return 1e6 / sum(spent.values())


def rate():
    g = Gateway(config={"api_threads": 8, "store": {"retention": "off"}})
    for what, first, count, pace in (("filling", 0, SPANS, 0), ("sustained", SPANS, RATE * SECONDS, RATE)):
        before, t = cpu(g), time.monotonic()
        load = Load(g, first, count, pace).run(6)
        seconds = time.monotonic() - t
        tap.eq(load.refused[:3], [], "%s: every batch is taken" % what)
        per_core = figures(what, g, before, load, seconds)
    tap.ok(seconds < SECONDS * 1.02, "%d spans a second are sustained for %d s beyond %d" % (RATE, SECONDS, SPANS))
    tap.ok(per_core >= RATE, "for each core")
    tap.ok(max(load.took) < 1, "each can be read within 1 s")
    code, out, err = g.run("verify", timeout=600)
    tap.ok(code == 0, "the books and the rollups agree", out[-500:], err[-500:])
    g.destroy()


main(rate)
