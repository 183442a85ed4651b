#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What customers asked and spent: the sums are those over the spans, whatever was killed in between; as a
table, JSON, CSV and over the API; after retention; with days that begin at another hour."""
import csv
import io
import random
from decimal import Decimal

from harness import *

CUSTOMERS = ["alpha", "beta", "gamma, Inc.", "=1+1", None]
MODELS = {"gpt-test", "gpt-other", "gpt-test-2026-08-01", "gpt-other-2026-08-01"}    # with an answer: as it says
SUMS = {"requests": lambda s: 1, "errors": lambda s: int(s["status"] == "error"),
        "prompt_tokens": lambda s: s.get("prompt_tokens") or 0, "completion_tokens": lambda s: s.get("completion_tokens") or 0,
        "total_tokens": lambda s: s.get("total_request_tokens") or 0,
        "cost": lambda s: Decimal(str(s.get("cost") or 0))}


def ask(n, stream=False, fake="n=4", model="gpt-test"):
    who = CUSTOMERS[n % len(CUSTOMERS)]
    more = {"customer_identifier": who} if who else {}
    if who == "beta":
        more["customer_params"] = {"customer_identifier": "beta", "name": "Beta", "email": "b@example.com"}
    with Raw(g.port, timeout=5) as c:
        return c.post(CHAT, dict(chat_body(stream, environment="dev" if n % 7 == 0 else "prod", **more), model=model),
                      [("x-fake", fake)])


def load(stop, i):
    rng = random.Random(i)
    while not stop.is_set():
        try:
            ask(rng.randint(0, 1000), rng.random() < 0.5, rng.choice(("n=3", "n=8; delay=4", "first=20", "status=500", "n=5; cut=3")),
                rng.choice(("gpt-test", "gpt-other")))
        except OSError:
            time.sleep(0.01)


def counted():
    """The sums over the spans, by customer and environment."""
    out = collections.defaultdict(lambda: collections.defaultdict(int))
    for s in g.export():
        if s.get("billable") is False:
            continue
        cell = out[s.get("customer_identifier") or "", s.get("environment") or ""]
        for name, f in SUMS.items():
            cell[name] += f(s)
    return {k: dict(v) for k, v in out.items()}


def listed(*args):
    """The same from `spangate customers`."""
    code, out, err = g.run("customers", "--format", "json", "--all", "--nameless", *args)
    if code != 0:
        raise RuntimeError("customers: exit %d: %s" % (code, err))
    rows = json.loads(out, parse_float=Decimal)
    return {(r["customer_identifier"], r["environment"] or ""): {name: r[name] for name in SUMS} for r in rows}


def settled():
    """Waits until nothing more comes."""
    return wait_until(lambda: g.metrics()[0].sum("spangate_journal_lag_bytes") == 0 and counted() == listed(), 20)


def kills():
    for k in range(int(os.environ.get("KILLS", "3"))):
        stop = threading.Event()
        workers = [threading.Thread(target=load, args=(stop, k * 10 + i), daemon=True) for i in range(4)]
        before = len(p.requests)
        for w in workers:
            w.start()
        p.wait(before + 40)
        g.kill9()
        stop.set()
        for w in workers:
            w.join()
        g.start()
    g.span(ask(0))      # what was left from before is stored no later than what comes now
    settled()
    want = counted()
    ok(len(want) >= 8 and sum(c["requests"] for c in want.values()) > 60, "load was there", want)
    eq(listed(), want, "after kill -9 under load the sums are those over the spans")
    code, out, err = g.run("verify")
    ok(code == 0 and re.search(r"rollups: [1-9]\d* cells, equal", out), "and verify says so", out, err)


def parts():
    want = counted()
    for by in ("model", "day", "month", "provider", "key"):
        code, out, err = g.run("customers", "--format", "jsonl", "--all", "--nameless", "--by", by)
        rows = [json.loads(ln, parse_float=Decimal) for ln in out.splitlines()]
        eq(sum(r["requests"] for r in rows), sum(c["requests"] for c in want.values()), "the parts by %s add up" % by)
    eq({r.get("model") for r in map(json.loads, g.run("customers", "--by", "model", "--format", "jsonl", "--all")[1].splitlines())},
       MODELS, "by model: asked and answered")
    eq(listed("--from", "today"), want, "--from today: all of it")
    eq(listed("--from", "1d", "--to", "today"), {}, "--to is not counted itself")
    eq(sorted(k[0] for k in listed("--environment", "dev", "--customer", "alpha")), ["alpha"], "of one customer and environment")
    for bad in (["--from", "soon"], ["--by", "mood"], ["--sort", "mood"], ["--limit", "0"], ["--format", "xml"]):
        code, out, err = g.run("customers", *bad)
        ok(code == 2 and bad[1] in err, "%s is refused by name" % " ".join(bad), code, err)


def forms():
    g.stop()
    want = counted()
    code, out, err = g.run("customers", "--csv", "--sort", "customer")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    eq(code, 0, "the gateway down: --csv") or note(err)
    ok(out.count("\r\n") == len(rows) + 1 and '"gamma, Inc."' in out, "RFC 4180", out)
    eq({r["customer_identifier"] for r in rows}, {"alpha", "beta", "gamma, Inc.", "'=1+1"}, "a formula is defused")
    eq({(r["name"], r["email"]) for r in rows if r["customer_identifier"] == "beta"}, {("Beta", "b@example.com")}, "name and email")
    eq(sum(int(r["requests"]) for r in rows), sum(c["requests"] for (who, _), c in want.items() if who), "those without a name are not there")
    ok(all(float(r["latency_p50"]) <= float(r["latency_p95"]) and float(r["average_latency"]) > 0 and r["first_seen"] <= r["last_seen"]
           for r in rows), "latencies and times", rows)
    code, out, err = g.run("customers", "--limit", "1", "--sort=-requests")
    lines = out.splitlines()
    ok(code == 0 and len(lines) == 2 and lines[0].startswith("CUSTOMER") and "1 of %d rows" % len(rows) in err, "the table", out, err)
    g.start()


def api():
    want = counted()
    named = {k: v for k, v in want.items() if k[0]}
    a = g.get("/api/users/list/?page_size=2&sort_by=-total_requests").json
    eq((a["count"], len(a["results"])), (len(named), 2), "GET /api/users/list/")
    ok(a["next"] and a["next"].endswith("page=2"), "its next page", a["next"])
    most = a["results"][0]
    eq(most["number_of_requests"], max(c["requests"] for c in named.values()), "in the order that was asked for")
    eq((most["period_budget"], most["average_latency"] > 0), (None, True), "its members")
    with Raw(g.port) as c:
        b = c.post("/api/users/list/?page_size=1000", {"filters": {"customer_identifier": {"operator": "", "value": ["gamma, Inc."]}}}).json
    eq({(r["customer_identifier"], r["environment"]): r["total_tokens"] for r in b["results"]},
       {k: c["total_tokens"] for k, c in named.items() if k[0] == "gamma, Inc."}, "POST with a filter")
    one = g.get("/api/users/gamma%2C%20Inc./?environment=prod").json
    eq(one["total_requests"], want["gamma, Inc.", "prod"]["requests"], "GET /api/users/ID/")
    eq({m["model"] for m in one["top_models"]}, MODELS, "with its models")
    eq(g.get("/api/users/nobody/").status, 404, "an unknown one")


def nothing_counts():
    """What asks no model is a span, but no request."""
    before = listed()
    with Raw(g.port) as c:
        c.get("/v1/models", [("X-Respan-Customer-Identifier", "alpha")])
    r = ask(1)
    g.span(r)
    settled()
    after = listed()
    eq(sum(c["requests"] for c in after.values()), sum(c["requests"] for c in before.values()) + 1, "GET /v1/models is no request")


def offset():
    before = listed()
    g.stop()
    g.inject(store={"day_offset": "+13:00"})
    lines = len(g.lines)
    g.start()
    ok(g.wait_log("counted anew", 10, lines), "another store.day_offset: the log says what that means")
    ok(wait_until(lambda: "equal" in g.run("verify")[1], 10), "verify", g.run("verify"))
    eq(listed(), before, "the sums are the same")
    day = lambda offset: time.strftime("%Y-%m-%d", time.gmtime(time.time() + offset * 3600))
    if day(0) == day(-1):                   # not around midnight
        days = {r["day"] for r in map(json.loads, g.run("customers", "--by", "day", "--format", "jsonl")[1].splitlines())}
        ok(days <= {day(13), day(12)}, "the days are that offset's", days, day(13))


def retention():
    before = listed()
    g.stop()
    g.inject(store={"day_offset": "+13:00", "retention": "1s"})
    time.sleep(1.1)                         # their age is what is awaited
    g.start()
    ok(wait_until(lambda: len(g.export()) == 0, 15), "all spans are past retention", len(g.export()))
    eq(listed(), before, "what they cost still counts")
    code, out, err = g.run("verify")
    eq(code, 0, "verify") or note(out, err)


p = Provider()
g = Gateway(p, {"threads": 2})
main(kills, parts, forms, api, nothing_counts, offset, retention)
