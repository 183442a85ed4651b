#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans sent on to another system that speaks the Respan API: what it gets is what the store has; it is slow, busy, broken,
unreachable, or refuses some; dead letters are listed and sent again; nothing is lost over stops and settings that change."""
import gzip
import http.server
import ssl

from harness import *


class Receiver:
    """Takes spans and keeps each request. answer(n, spans): (status, headers, body) or None for 200."""

    def __init__(self, answer=None, port=0):
        self.requests, self.times, self.answer, self.cond = [], [], answer, threading.Condition(threading.RLock())
        outer, self.open = self, set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with outer.cond:
                    outer.open.add(self.connection)
                outer.take(self)

            def log_message(self, *a):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, h):
        raw = h.rfile.read(int(h.headers["content-length"]))
        if h.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        spans = json.loads(raw)
        with self.cond:
            n = len(self.times)
            self.times.append(time.monotonic())
        status, headers, body = (self.answer and self.answer(n, spans)) or (200, {}, {"message": "ok"})
        body = json.dumps(body).encode()
        with self.cond:
            self.requests.append((status, h.path, dict(h.headers), spans, len(raw)))
            self.cond.notify_all()
        h.send_response(status)
        for k, v in headers.items():
            h.send_header(k, v)
        h.send_header("content-length", str(len(body)))
        try:
            h.end_headers()
            h.wfile.write(body)
        except OSError:
            pass    # it has gone

    def taken(self):
        """Spans of requests that were answered 200, by their span ids: the last of each; and how many came."""
        with self.cond:
            all_ = [s for status, _, _, spans, _ in self.requests if status == 200 for s in spans]
        return {s["span_unique_id"]: s for s in all_}, len(all_)

    def wait(self, count, timeout=10):
        """Until so many different spans were taken."""
        with self.cond:
            self.cond.wait_for(lambda: len(self.taken()[0]) >= count, timeout * SLOW)
        return self.taken()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        with self.cond:
            for c in self.open:
                try:
                    c.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


# What the store has of its own, and does not send.
OWN = {"id", "unique_id", "log_method", "organization_key_id", "cost_details", "request_headers", "response_headers",
       "is_pinned", "full_request", "full_response", "relayed_by"}


def gateway(receiver, **sink):
    settings = dict({"kind": "respan", "url": receiver if isinstance(receiver, str) else receiver.url, "retry_min": "50ms",
                     "retry_max": "400ms"}, **sink)
    return Gateway(provider, config={"sinks": {"up": settings}})


def equal(sent, stored):
    """What differs between a span that was sent and the stored one: member names."""
    want = {k: v for k, v in stored.items() if v is not None and k not in OWN}
    want.setdefault("trace_unique_id", stored["id"])
    want.setdefault("span_unique_id", stored["id"])
    if not want.get("error_message"):
        want.pop("error_message", None)
    return [k for k in (set(want) | set(sent)) - {"relayed_by"} if want.get(k) != sent.get(k)]


def test_plain():
    r = Receiver()
    g = gateway(r, api_key="sk-up", headers=["X-Team: search"])
    for i in range(6):
        chat(g, stream=i % 2 == 0, customer_identifier="c%d" % i, metadata={"i": i}, **({"disable_log": True} if i == 5 else {}))
    got, n = r.wait(6)
    stored = g.spans(6)
    eq(n, 6, "each span is sent once")
    eq({s["id"]: equal(got.get(s["id"], {}), s) for s in stored}, {s["id"]: [] for s in stored}, "as it is stored")
    eq([s.get("input") or s.get("output") for s in got.values() if s.get("disable_log")], [None], "where texts are not kept none are sent")
    _, path, headers, _, _ = r.requests[0]
    eq((path, headers["Authorization"], headers["X-Team"], headers["Content-Type"]),
       ("/api/v1/traces/ingest", "Bearer sk-up", "search", "application/json"), "to the ingest, with key and headers")
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_sink_spans_total", sink="up", result="sent") == 6), "the metrics count them")
    eq(g.stop(), 0, "it stops")
    g.start()
    chat(g)
    got, n = r.wait(7)
    eq((len(got), n), (7, 7), "after a restart it goes on where it was")
    g.destroy()
    r.close()


def bad(s):
    return (s.get("metadata") or {}).get("bad")


def sinks(g, *words):
    code, out, err = g.run("sinks", *words, "--format", "json") if words[:1] in ((), ("list",), ("dead",)) else g.run("sinks", *words)
    return [json.loads(ln) for ln in out.splitlines() if ln.startswith("{")] if code == 0 and out.startswith("{") else (code, out + err)


def ready(g):
    return g.get("/readyz").json


def test_troubles():
    """Busy, broken, unreachable: everything arrives, once, and the clients notice nothing."""
    def answer(n, spans):
        if n < 2:
            return (429, {"Retry-After": "1"}, {"detail": "slow down"})
        if n < 5:
            return (500, {}, {"detail": "oops"})
        return None
    r = Receiver(answer)
    g = gateway(r)
    for i in range(20):
        eq(chat(g).status, 200, "request %d is answered" % i) if i % 10 == 0 else chat(g)
    got, n = r.wait(20)
    eq((len(got), n), (20, 20), "all arrive once, after 429 and 500")
    gaps = [b - a for a, b in zip(r.times, r.times[1:])]
    ok(min(gaps[:2]) >= 1, "Retry-After is waited for", gaps)
    ok(max(gaps[2:5]) < 0.4 + 0.6 * SLOW, "else the pauses are short at first", gaps)
    port = r.port
    r.close()
    for _ in range(5):
        chat(g)
    ok(wait_until(lambda: ready(g)["status"] == "degraded"), "with nobody there it says so")
    ok("sink up" in ready(g)["problems"], "and which sink it is", ready(g))
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_sink_lag_spans", sink="up") == 5), "the metrics show how far behind it is")
    ok(g.metrics()[0].sum("spangate_sink_lag_seconds", sink="up") > 0, "and for how long")
    ok(wait_until(lambda: [(x["lag_spans"], x["problem"] != "") for x in sinks(g)] == [(5, True)]), "as does the command line", sinks(g))
    r = Receiver(port=port)
    got, n = r.wait(5)
    eq((len(got), n), (5, 5), "once somebody is there again, all arrive once")
    ok(wait_until(lambda: ready(g) == {"status": "ready", "problems": {}}), "and it is ready")
    ok(wait_until(lambda: [(x["lag_spans"], x["sent"], x["dead_letters"]) for x in sinks(g)] == [(0, 25, 0)]), "the command line shows it", sinks(g))
    g.destroy()
    r.close()


def test_slow():
    """One answers after a second, one not at all; a third has everything at once."""
    held = threading.Event()
    slow, dead, fast = Receiver(lambda n, s: time.sleep(1)), Receiver(lambda n, s: held.wait(30) and None), Receiver()
    g = Gateway(provider, config={"sinks": {n: {"kind": "respan", "url": r.url, "batch_spans": 10}
                                            for n, r in (("slow", slow), ("dead", dead), ("fast", fast))}})
    start = time.monotonic()
    times = []
    for _ in range(30):
        t = time.monotonic()
        chat(g)
        times.append(time.monotonic() - t)
    fast.wait(30)
    took = time.monotonic() - start
    eq(len(fast.taken()[0]), 30, "the fast one has all")
    ok(took < 2 * SLOW and max(times) < 0.5 * SLOW, "at once, and no client waited", took, max(times))
    got, n = slow.wait(30)
    eq((len(got), n), (30, 30), "the slow one as well, each once")
    t = time.monotonic()
    eq(g.stop(), 0, "it stops while a target hangs")
    ok(time.monotonic() - t < 7 * SLOW, "within its bounds", time.monotonic() - t)
    held.set()
    g.destroy()
    for r in (slow, dead, fast):
        r.close()


def test_refused():
    """Spans that the target does not take become dead letters, the others go on."""
    mode = ["listed"]

    def answer(n, spans):
        wrong = [i for i, s in enumerate(spans) if bad(s)]
        if not wrong or mode[0] == "mended":
            return None
        errors = [{"index": i, "member": "metadata", "message": "bad at %d" % i} for i in wrong]
        if mode[0] == "listed":     # the others were taken
            good = [s for s in spans if not bad(s)]
            r.extra.extend(good)
            return (200, {}, {"status": "partial", "errors": errors[:2], "results":
                              [{"id": None, "status": "error" if bad(s) else "success"} for s in spans]})
        return (422, {}, {"detail": "unfit"}) if mode[0] == "unlisted" else (400, {}, {"errors": errors})
    r = Receiver(answer)
    r.extra = []
    g = gateway(r)
    for m in ("listed", "unlisted", "none taken"):
        mode[0] = m
        first = len(g.spans(0))
        for i in range(12):
            chat(g, metadata={"mode": m, "i": i, "bad": "yes"} if i in (2, 3, 7) else {"mode": m, "i": i})
        ok(wait_until(lambda: len(sinks(g, "dead", "up")) >= 3 * (first // 12 + 1)), m + ": three dead letters", sinks(g, "dead", "up"))
        want = {s["id"] for s in g.spans(first + 12) if s["metadata"]["mode"] == m and not bad(s)}
        ok(wait_until(lambda: {s["span_unique_id"] for s in r.taken()[0].values() if not bad(s)} >= want), m + ": the others are taken")
    stored = {s["id"]: s for s in g.spans(36)}
    dead = sinks(g, "dead", "up")
    eq({d["id"] for d in dead}, {i for i, s in stored.items() if bad(s)}, "the dead letters are those that were refused")
    said = {d["text"] for d in dead}
    ok(any(t.startswith("metadata: bad at ") for t in said) and any("422" in t and "unfit" in t for t in said),
       "each says why", said)
    m, _ = g.metrics()
    eq((m.sum("spangate_sink_dead_letters", sink="up"), m.sum("spangate_sink_spans_total", sink="up", result="dead")), (9, 9),
       "the metrics count them")
    eq(ready(g)["status"], "ready", "refused spans are no outage")
    eq(g.stop(), 0, "stop")
    eq([d["id"] for d in sinks(g, "dead", "up")], [d["id"] for d in dead], "they are listed with the gateway down")
    g.start()
    mode[0] = "unlisted"
    code, said = sinks(g, "resend", "up", dead[0]["id"])
    ok(code == 0 and "0 sent, 1 refused again" in said, "sent again while it is still refused", code, said)
    eq([d["tries"] for d in sinks(g, "dead", "up") if d["id"] == dead[0]["id"]], [2], "it is refused again")
    mode[0] = "mended"
    before = r.taken()[1]
    code, said = sinks(g, "resend", "up", dead[1]["id"], dead[2]["id"])
    ok(code == 0 and "2 sent, 0 refused again" in said, "two of them sent again", code, said)
    eq(r.taken()[1] - before, 2, "only those")
    code, said = sinks(g, "drop", "up", dead[3]["id"])
    ok(code == 0 and "1 dropped" in said, "one is dropped", code, said)
    code, said = sinks(g, "resend", "up")
    ok(code == 0 and "6 sent" in said, "all that are left", code, said)
    eq((sinks(g, "dead", "up"), sinks(g, "resend", "up")[0]), ((0, g.run("sinks", "dead", "up", "--format", "json")[1]), 1),
       "then there are none")
    eq(set(r.taken()[0]) | {dead[3]["id"]}, set(stored), "and the target has every span but the dropped one")
    g.destroy()
    r.close()


def test_too_large():
    r = Receiver(lambda n, spans: (413, {}, {"detail": "too large"}) if len(spans) > 3 or
                 any(len(json.dumps(s)) > 20000 for s in spans) else None)
    g = gateway(r)
    held, r.answer = r.answer, lambda n, spans: (503, {}, {})
    for i in range(10):
        chat(g, customer_identifier="x" * (30 if i else 3), user="u", messages=[{"role": "user", "content": "y" * (30000 if i == 4 else 30)}])
    wait_until(lambda: r.requests)
    r.answer = held
    got, n = r.wait(9)
    eq((len(got), n), (9, 9), "batches are halved until they fit")
    ok(wait_until(lambda: len(sinks(g, "dead", "up")) == 1 and sinks(g, "dead", "up")[0]["status"] == 413), "what does not fit alone is a dead letter")
    g.destroy()
    r.close()


def test_all_refused():
    """A target that has no use for any of it: a few are dead letters, the rest waits."""
    r = Receiver(lambda n, spans: (400, {}, {"detail": "what is this?"}))
    g = gateway(r, retry_min="10s", retry_max="10s")
    for _ in range(60):
        chat(g)
    ok(wait_until(lambda: "400" in ready(g)["problems"].get("sink up", "")), "it is a problem", ready(g))
    n = len(sinks(g, "dead", "up"))
    ok(20 <= n < 30, "most are not given up", n)
    r.answer = None
    g.signal(signal.SIGHUP)
    r.wait(60 - n)
    code, said = sinks(g, "resend", "up")
    ok(code == 0 and "%d sent" % n in said, "once it is mended all can go", said)
    eq(len(r.taken()[0]), 60, "and all have gone")
    g.destroy()
    r.close()


def test_denied():
    """A wrong key: nothing is lost, it says so, and goes on once the settings are mended."""
    r = Receiver()
    r.answer = lambda n, spans: (401, {}, {"detail": "bad key"}) if r.key != "right" else None
    take = r.take
    r.key = None

    def keyed(h):
        r.key = h.headers.get("Authorization", "")[7:]
        take(h)
    r.take = keyed
    g = gateway(r, api_key="wrong")
    for _ in range(3):
        chat(g)
    ok(wait_until(lambda: "401" in ready(g)["problems"].get("sink up", "")), "a wrong key is a problem at once", ready(g))
    g.config["sinks"]["up"]["api_key"] = "right"
    g.write_config()
    g.signal(signal.SIGHUP)
    got, n = r.wait(3)
    eq((len(got), n), (3, 3), "with the right one everything goes out")
    eq(len(sinks(g, "dead", "up")) if isinstance(sinks(g, "dead", "up"), list) else 0, 0, "nothing was given up")
    ok(wait_until(lambda: ready(g)["status"] == "ready"), "and it is well")
    t = time.monotonic()
    r.close()
    for _ in range(2):
        chat(g)
    ok(wait_until(lambda: ready(g)["status"] == "degraded"), "again nobody is there")
    t = time.monotonic()
    eq(g.stop(), 0, "it stops")
    ok(time.monotonic() - t < 2 * SLOW, "at once, as waiting would help nobody", time.monotonic() - t)
    g.destroy()


def test_filters():
    r = {n: Receiver() for n in ("prod", "share", "bare", "full", "packed", "later")}
    common = {"kind": "respan"}
    g = Gateway(provider, config={"sinks": {
        "prod": dict(common, url=r["prod"].url, environments=["prod", "test"]),
        "share": dict(common, url=r["share"].url, sample="0.3"),
        "bare": dict(common, url=r["bare"].url, bodies="none"),
        "full": dict(common, url=r["full"].url, bodies="full"),
        "packed": dict(common, url=r["packed"].url, compression="gzip")}})
    for i in range(40):
        with Raw(g.port) as c:
            c.post("/api/request-logs/", {"model": "gpt-test", "input": "q%d" % i, "output": "a", "environment": ("prod", "dev")[i % 2],
                                          "full_request": {"x": i}})
    stored = g.spans(40)
    got, _ = r["prod"].wait(20)
    eq({s["environment"] for s in stored if s["id"] in got}, {"prod"}, "only of its environments")
    eq(len(got), 20, "all of these")
    r["full"].wait(40)
    wait_until(lambda: g.metrics()[0].sum("spangate_sink_lag_spans") == 0)
    sample = {s["id"] for s in g.get("/api/request-logs/?sample=30&page_size=100").json["results"]}
    eq(set(r["share"].taken()[0]), sample, "the sample is the one of lists")
    eq({k for s in r["bare"].wait(40)[0].values() for k in s} & {"input", "output", "full_request", "prompt_messages"}, set(), "without texts")
    eq(sorted(s["full_request"]["x"] for s in r["full"].taken()[0].values()), list(range(40)), "with the whole request")
    eq({equal(s, st)[:1] == [] for st in stored for s in [r["packed"].wait(40)[0][st["id"]]]}, {True}, "compressed they are the same")
    g.config["sinks"]["later"] = dict(common, url=r["later"].url, **{"from": "start"})
    del g.config["sinks"]["share"]
    g.write_config()
    g.signal(signal.SIGHUP)
    got, n = r["later"].wait(40)
    eq((len(got), n), (40, 40), "a sink that comes later can have what is stored")
    ok(not [ln for ln in g.metrics()[1].splitlines() if '"share"' in ln], "one that is taken out is gone")
    g.destroy()
    for x in r.values():
        x.close()


def patch(g, span, **fields):
    with Raw(g.port) as c:
        return c.ask("PATCH", "/api/request-logs/%s/" % span, [("Content-Type", "application/json")], json.dumps(fields))


def test_changes():
    r, once = Receiver(), Receiver()
    g = Gateway(provider, config={"sinks": {"up": {"kind": "respan", "url": r.url},
                                            "once": {"kind": "respan", "url": once.url, "changes": False}}})
    for i in range(4):
        chat(g)
    r.wait(4)
    once.wait(4)
    ids = [s["id"] for s in g.spans(4)]
    eq(patch(g, ids[1], note="seen", positive_feedback=True).status, 200, "a note")
    ok(wait_until(lambda: r.taken()[0][ids[1]].get("note") == "seen"), "what changes is sent again")
    eq(r.taken()[1], 5, "only that")
    with Raw(g.port) as c:
        eq(c.ask("DELETE", "/api/request-logs/%s/" % ids[3]).status < 300, True, "the last one is deleted")
    wait_until(lambda: len(g.export()) == 3)
    for i in range(2):
        chat(g)
    got, n = r.wait(6)
    eq((len(got), n), (6, 7), "its number is used anew, and the new ones are sent")
    given = {"model": "gpt-4o", "input": "q", "output": "a", "trace_unique_id": "T", "span_unique_id": "S"}
    for answer in ("a", "b"):
        with Raw(g.port) as c:
            c.post("/api/request-logs/", dict(given, output=answer))
        ok(wait_until(lambda: r.taken()[0].get("S", {}).get("output") == answer), "a span that is sent anew is sent on, " + answer)
    with open(g.root + "/prices.json", "w") as f:
        json.dump({"format": 1, "name": "dear", "prices": [{"model": "*", "input": 100, "output": 100}]}, f)
    wait_until(lambda: g.metrics()[0].sum("spangate_sink_lag_spans") == 0)
    eq(once.taken()[1], 7, "one that does not replace gets each once")
    g.kill9()
    g.start()
    chat(g)
    r.wait(8)
    n = r.taken()[1]
    ok(n <= 10 + 3, "after a kill little is sent twice", n)
    eq(len(r.taken()[0]), 8, "and nothing is left out")
    g.destroy()
    r.close()
    once.close()


def test_gone():
    """What was deleted before it was sent is counted."""
    r = Receiver(lambda n, spans: (503, {}, {}))
    g = gateway(r)
    for _ in range(4):
        chat(g)
    ids = [s["id"] for s in g.spans(4)]
    wait_until(lambda: len(r.requests) > 0)
    for i in ids[:2]:
        with Raw(g.port) as c:
            c.ask("DELETE", "/api/request-logs/%s/" % i)
    wait_until(lambda: len(g.export()) == 2)
    r.answer = None
    got, _ = r.wait(2)
    eq(set(got), set(ids[2:]), "what is there is sent")
    ok(wait_until(lambda: sinks(g)[0]["gone"] == 2), "what went before is told", sinks(g))
    g.destroy()
    r.close()


def test_back():
    """A store that is older than what was sent, as after a power cut: what comes then is sent all the same."""
    r = Receiver()
    g = gateway(r)
    for i in range(5):
        chat(g)
        if i == 1:
            r.wait(2)
            g.stop()
            shutil.copytree(g.data, g.root + "/before")
            g.start()
    r.wait(5)
    g.stop()
    shutil.copy(g.data + "/export/up/state", g.root + "/before/export/up/state")
    shutil.rmtree(g.data)
    os.rename(g.root + "/before", g.data)
    g.start()
    ok(g.wait_log("sink up: the store is older"), "it says so")
    for _ in range(2):
        chat(g)
    got, n = r.wait(7)
    eq((len(got), n), (7, 7), "and sends what is new")
    g.destroy()
    r.close()


def test_unwritable():
    """Where it cannot write down how far it has come it says so, and goes on once it can."""
    r = Receiver()
    g = gateway(r)
    chat(g)
    r.wait(1)
    wait_until(lambda: sinks(g)[0]["sent"] == 1)
    os.rename(g.data + "/export/up", g.data + "/export/aside")
    open(g.data + "/export/up", "w").close()
    first = len(g.lines)
    chat(g)
    ok(wait_until(lambda: "cannot be written" in ready(g)["problems"].get("sink up", "")), "it is a problem", ready(g))
    n = r.taken()[1]
    wait_until(lambda: r.taken()[1] >= n + 2)       # it tries again
    os.remove(g.data + "/export/up")
    os.rename(g.data + "/export/aside", g.data + "/export/up")
    ok(wait_until(lambda: ready(g)["status"] == "ready"), "and then it is well")
    eq(len(r.taken()[0]), 2, "nothing is left out")
    ok(len([ln for ln in g.lines[first:] if "sink up" in ln]) <= 4, "it is said once", *g.lines[first:])
    g.destroy()
    r.close()


def test_tls():
    root = tempfile.mkdtemp(prefix="spangate-tls-")
    certs, others = make_certs(root, ("localhost",), ("127.0.0.1",)), make_certs(root, ("x.example",), ("127.0.0.9",), "other-")
    if certs is None:
        return skip("TLS", "there is no openssl command")
    r = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs["cert"], certs["key"])
    r.server.socket = context.wrap_socket(r.server.socket, server_side=True)
    g = gateway("https://localhost:%d" % r.port, ca_file=others["ca"])
    chat(g)
    ok(wait_until(lambda: "certificate" in str(ready(g)["problems"]).lower()), "a certificate of others is a problem", ready(g))
    eq(len(r.requests), 0, "and nothing is sent")
    g.config["sinks"]["up"]["ca_file"] = certs["ca"]
    g.write_config()
    g.signal(signal.SIGHUP)
    got, n = r.wait(1)
    eq((len(got), n), (1, 1), "with the right ones it is")
    g.destroy()
    r.close()
    shutil.rmtree(root)


provider = Provider()
main(test_plain, test_troubles, test_slow, test_refused, test_too_large, test_denied, test_all_refused, test_unwritable, test_back, test_filters,
     test_changes, test_gone, test_tls)
