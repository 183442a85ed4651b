#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two spangates, the first one's spans sent on to the second, which is killed and started again while clients call the first;
on the way answers take a second, or are 429, 500, or lost after they were acted on. In the end both have the same spans, none
twice, and the clients have noticed nothing. KILLS, SECONDS (of each life), CLIENTS: more of it."""
import http.client
import http.server
import random

from harness import *

KILLS, SECONDS, CLIENTS = int(os.environ.get("KILLS", "2")), float(os.environ.get("SECONDS", "1.5")), int(os.environ.get("CLIENTS", "4"))
TROUBLES = ("good", "good", "good", "slow", "busy", "broken", "lost")      # one after the other, mixed
# what differs: ids and keys of either, how it came, and who said what it cost
OWN = {"id", "unique_id", "log_method", "organization_key_id", "cost_source", "cost_details", "request_headers", "response_headers",
       "is_pinned", "full_request", "full_response", "relayed_by"}


class Road:
    """Between the two: passes requests on to the second, wherever that is now, with the troubles of the time."""

    def __init__(self):
        self.to, self.trouble, self.counts, self.rng = None, False, collections.Counter(), random.Random(7)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    outer.take(self, body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *a):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.handle_error = True, lambda *a: None      # who was killed has gone
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, h, body):
        what = self.rng.choice(TROUBLES) if self.trouble else "good"
        self.counts[what] += 1
        if what == "busy":
            return self.answer(h, 429, b'{"detail":"busy"}', {"Retry-After": "1"} if self.counts["busy"] % 2 else {})
        if what == "broken":
            return self.answer(h, 500, b"oops")
        if what == "slow":
            time.sleep(1)
        c = http.client.HTTPConnection("127.0.0.1", self.to, timeout=30)
        try:
            c.request("POST", h.path, body, {k: h.headers[k] for k in ("Content-Type", "Content-Encoding") if k in h.headers})
            r = c.getresponse()
            status, data = r.status, r.read()
        except (OSError, http.client.HTTPException):
            self.counts["dead"] += 1
            h.close_connection = True
            return
        finally:
            c.close()
        if what == "lost":
            h.close_connection = True
            return
        self.answer(h, status, data)

    def answer(self, h, status, data, headers=()):
        h.send_response(status)
        for k, v in dict(headers).items():
            h.send_header(k, v)
        h.send_header("content-length", str(len(data)))
        h.end_headers()
        h.wfile.write(data)


class Clients:
    """Call the first one without a pause worth the name; keep what each call took."""

    def __init__(self):
        self.tag = "%x" % random.getrandbits(64)        # no trace of others before
        self.stop, self.times, self.bad, self.sent, self.lock = threading.Event(), [], [], 0, threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def run(self, i):
        n = 0
        while not self.stop.is_set():
            n += 1
            t = time.monotonic()
            try:
                r = chat(a, "n=6; delay=1" if n % 2 else "status=500" if n % 10 == 0 else "", n % 2 == 1, customer_identifier="c%d" % (n % 5),
                         metadata={"client": i, "n": n}, **({"trace_unique_id": "t%s-%d-%d" % (self.tag, i, n // 4), "span_unique_id": "s%d" % (n % 3)}
                                                            if n % 8 < 4 else {}))
                good = r.status == (500 if n % 2 == 0 and n % 10 == 0 else 200)
            except Exception as e:
                good, r = False, e
            with self.lock:
                self.sent += 1
                self.times.append(time.monotonic() - t)
                if not good:
                    self.bad.append(repr(r))
            time.sleep(0.01)

    def phase(self, seconds):
        with self.lock:
            self.times = []
        time.sleep(seconds)
        with self.lock:
            return sorted(self.times)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def at(times, q):
    return times[min(len(times) - 1, int(q * len(times)))] * 1000


def chain():
    clients = Clients()
    quiet = clients.phase(SECONDS * 2)
    road.trouble, rough, rng = True, [], random.Random(3)
    for i in range(KILLS):
        rough += clients.phase(SECONDS * rng.uniform(0.5, 1.5))
        b.kill9()
        rough += clients.phase(SECONDS / 3)
        b.start()
        road.to = b.port
    clients.end()
    rough.sort()
    note("%d calls; without trouble p50 %.1f ms, p99 %.1f ms, most %.1f ms; with it %.1f, %.1f, %.1f ms" % (
        clients.sent, at(quiet, 0.5), at(quiet, 0.99), quiet[-1] * 1000, at(rough, 0.5), at(rough, 0.99), rough[-1] * 1000))
    note("requests on the way: " + ", ".join("%s %d" % x for x in sorted(road.counts.items())))
    ok(not clients.bad, "no client of the first had an error in %d calls" % clients.sent, clients.bad[:3])
    ok(at(rough, 0.5) < at(quiet, 0.5) * 2 + 5 and at(rough, 0.99) < at(quiet, 0.99) * 2 + 150 * SLOW, "nor waited longer")
    ok(road.counts["dead"] + road.counts["lost"] > 0 and road.counts["busy"] > 0, "there was trouble", road.counts)
    start = time.monotonic()
    count = lambda: json.loads(a.run("sinks", "--format", "json")[1])
    ok(wait_until(lambda: a.metrics()[0].sum("spangate_spans_stored_total") == clients.sent and count()["lag_spans"] == 0, 120, 0.2),
       "the second catches up, troubles and all", count())
    note("%.1f s after the last call" % (time.monotonic() - start))
    first, second = a.spans(clients.sent), b.spans(clients.sent)
    eq((len(first), len(second)), (clients.sent, clients.sent), "both have as many spans as there were calls")
    compare(first, second)
    eq(count()["dead_letters"], 0, "no dead letters")
    for g, name in ((a, "first"), (b, "second")):
        code, out, err = g.run("verify")
        ok(code == 0, name + ": verify finds books and sums right", out[-500:], err[-500:])


def first_killed():
    """The first one killed while it takes calls and sends: what it has in the end, the second has."""
    global a
    a.destroy()
    a = Gateway(provider, config={"sinks": {"second": {"kind": "respan", "url": road.url, "retry_min": "50ms", "retry_max": "200ms",
                                                       "batch_spans": 20, "from": "start"}}})
    road.trouble, before, rng = False, {s["id"] for s in b.export()}, random.Random(5)
    for _ in range(KILLS * 2):
        clients = Clients()
        clients.phase(SECONDS * rng.uniform(0.2, 0.6))
        a.kill9()
        clients.end()
        a.start()
    ok(wait_until(lambda: json.loads(a.run("sinks", "--format", "json")[1])["lag_spans"] == 0 and
                  a.metrics()[0].sum("spangate_journal_lag_bytes") == 0, 60), "the first one killed %d times: it catches up" % (KILLS * 2))
    first = a.export()
    ok(wait_until(lambda: len([s for s in b.export() if s["id"] not in before]) >= len(first), 30), "so does the second")
    second = [s for s in b.export() if s["id"] not in before]
    ok(len(first) > 50, "there was load: %d spans" % len(first))
    eq(len(first), len(second), "both have as many spans")
    compare(first, second)


def round_about():
    """Two that send to each other: a span goes round once at most."""
    c, d = Gateway(provider), Gateway(provider)
    for g, to in ((c, d), (d, c)):
        g.config["sinks"] = {"other": {"kind": "respan", "url": to.url}}
    for g in (c, d):
        g.config["listen"] = "127.0.0.1:%d" % g.port
        g.write_config()
        g.signal(signal.SIGHUP)
        g.wait_log("new settings are in use")
    sums = lambda what: [g.metrics()[0].sum("spangate_sink_spans_total", sink="other", result=what) for g in (c, d)]
    with Raw(c.port) as x:
        x.post("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "q"}], "disable_log": True}, [("Authorization", "Bearer k")])
    chat(c)
    ok(wait_until(lambda: sums("skipped")[0] >= 2 and min(sums("sent")) >= 2), "a span that came back is not sent again", sums("sent"), sums("skipped"))
    end = time.monotonic() + 10 * SLOW
    while time.monotonic() < end:       # that nothing more comes can only be waited for
        before = sums("sent") + sums("skipped")
        time.sleep(1)
        if before == sums("sent") + sums("skipped"):
            break
    ok(time.monotonic() < end and sum(sums("sent")) <= 12, "so there is an end", sums("sent"), sums("skipped"))
    eq((len(c.export()), len(d.export())), (4, 2), "each has what the other had")
    eq([len(s["relayed_by"]) for s in c.export() if s["relayed_by"]], [2, 2], "it says who sent it on")
    c.destroy()
    d.destroy()


def compare(first, second):
    there = {(s["trace_unique_id"], s["span_unique_id"]): s for s in second}
    eq(len(there), len(second), "none is there twice")
    missing, differ = [], collections.Counter()
    for s in first:
        # of two with one trace and span id the younger goes by its own
        own, named = (s.get("trace_unique_id") or s["id"], s["id"]), (s.get("trace_unique_id") or s["id"], s.get("span_unique_id") or s["id"])
        o = there.get(own) or there.get(named)
        if o is None:
            missing.append(s["id"])
            continue
        for k in (set(s) | set(o)) - OWN - {"trace_unique_id", "span_unique_id"}:
            if s.get(k) != o.get(k) and not (k == "latency" and s.get(k) is None and o.get(k) == 0):
                differ[k, str(s.get(k))[:80], str(o.get(k))[:80]] += 1
    ok(not missing, "each span of the first is in the second", missing[:5])
    ok(not differ, "and the same", *list(differ.items())[:5])
    costs = [sum(round((s.get("cost") or 0) * 1e12) for s in x) for x in (first, second)]
    eq(costs[0], costs[1], "they add up to the same cost")


provider, road = Provider(), Road()
b = Gateway(provider)
road.to = b.port
a = Gateway(provider, config={"sinks": {"second": {"kind": "respan", "url": road.url, "compression": "gzip", "retry_min": "100ms",
                                                   "retry_max": "1s", "batch_spans": 500}}})
main(chain, first_killed, round_about)
