#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: errors, feedback and budgets are told once each, signed as receivers of Respan's check it, again where that failed."""
import datetime
import hashlib
import hmac

from harness import *
from taker import Taker

SECRET = "whsec \u00fc1"
NASTY = {"é\u2028": "\U0001f3d4\x7f\"\\\n\t", "n": [1, -0.0, 1e16, 1e-05, 0.0001, 1.5e300, 2 ** 70, True, None], "o": {"a": {}}}


def hook(taker, **more):
    return dict({"kind": "webhook", "url": taker.url + "/hook", "secret": SECRET, "retry_min": "50ms", "retry_max": "200ms"}, **more)


def events(posts):
    return [json.loads(q.body) for q in posts]


def verify(posts):
    """What a receiver does, by the bytes and by what it has parsed."""
    bad = []
    for q in posts:
        again = json.dumps(json.loads(q.body)).encode()
        for name in ("x-respan-signature", "x-keywordsai-signature"):
            if again != q.body or q.headers.get(name) != hmac.new(SECRET.encode(), again, "sha256").hexdigest():
                bad.append((name, q.headers.get(name), q.body))
    return bad


def give(g, **span):
    with Raw(g.port) as c:
        r = c.post("/api/request-logs/", dict({"model": "m", "input": "x", "output": "y"}, **span))
        eq(r.status, 200, "a span is given") or note(r.body)
        return r.json["id"]


def patch(g, path, body):
    with Raw(g.port) as c:
        r = c.ask("PATCH", path, [("content-type", "application/json")], json.dumps(body).encode())
        eq(r.status, 200, "PATCH " + path) or note(r.body)


def kinds(posts):
    return [e["event"] for e in events(posts)]


def test_errors():
    t = Taker(lambda n, q: (500, {}, b"") if n < 2 else None)
    g = Gateway(provider, {"sinks": {"h": hook(t), "texts": hook(t, events=["errors"], bodies="texts", environments=["none"])}})
    chat(g, "n=2")
    chat(g, "status=429", customer_identifier="c1", metadata={"k": "\u00fc"})
    give(g, status_code=503, error_message="down \U0001f3d4", properties=NASTY, custom_identifier="mine", cost=1e-05)
    give(g, positive_feedback=False, note="bad", status="error", status_code=400)
    t.wait(lambda good: len(good) >= 4)
    ok(not verify(t.good), "signatures are those of Python's json.dumps", *verify(t.good))
    got = events(t.good)
    eq([e["event"] for e in got], ["error", "error", "error", "feedback"], "errors, and the feedback of one of them")
    eq(t.posts[0].path, "/hook", "to the address as it is")
    ids = [json.loads(q.body)["id"] for q in t.posts[:3]]
    eq((len(set(ids)), len({e["id"] for e in got})), (1, 4), "an event that is sent again has the same id, others have others")
    d = got[0]["data"]
    eq((d["status_code"], d["status"], d["error_message"], d["customer_identifier"], d["metadata"], d["model"], d["environment"]),
       (429, "error", "fake error 429", "c1", {"k": "\u00fc"}, "gpt-test", "prod"), "what failed")
    eq([k for k in ("input", "output", "prompt_messages", "full_request", "organization_key_id") if k in d], [], "without texts")
    d = got[1]["data"]
    eq((d["error_message"], d["properties"], d["cost"], d["custom_identifier"]), ("down \U0001f3d4", NASTY, 1e-05, "mine"), "as it was given")
    eq((got[2]["data"]["id"], got[3]["data"]["positive_feedback"], got[3]["data"]["note"]), (got[3]["data"]["id"], False, "bad"),
       "two events of one span")
    when = datetime.datetime.fromisoformat(got[0]["timestamp"].replace("Z", "+00:00")).timestamp()
    near(when, time.time(), 30, "the time")
    eq(g.stop(), 0, "it stops")
    g.start()
    chat(g, "status=500")
    t.wait(lambda good: len(good) >= 5)
    eq(kinds(t.good)[4:], ["error"], "after a restart nothing is told twice")
    g.destroy()
    t.close()


def test_feedback():
    t = Taker()
    g = Gateway(provider, {"sinks": {"h": hook(t, events=["feedback"]), "all": hook(t, events=["logs"], bodies="texts", sample=1)}})
    i = give(g, input=[{"role": "user", "content": "hi"}], output={"role": "assistant", "content": "ho"})
    t.wait(lambda good: len(good) >= 1)
    d = events(t.good)[0]
    eq((d["event"], json.loads(d["data"]["input"]), json.loads(d["data"]["output"])),
       ("log", [{"role": "user", "content": "hi"}], {"role": "assistant", "content": "ho"}), "all spans, with texts, where that is set")
    patch(g, "/api/request-logs/%s/" % i, {"metadata": {"a": 1}})
    patch(g, "/api/request-logs/%s/" % i, {"positive_feedback": True})
    t.wait(lambda good: len(good) >= 2)
    patch(g, "/api/request-logs/%s/" % i, {"custom_identifier": "later"})
    patch(g, "/api/request-logs/%s/" % i, {"note": "well done \u2713"})
    t.wait(lambda good: len(good) >= 3)
    with Raw(g.port) as c:
        eq(c.post("/api/logs/%s/scores/" % i, {"evaluator_slug": "quality", "numerical_value": 0.75}).status in (200, 201), True, "a score")
    t.wait(lambda good: len(good) >= 4)
    g.stop()
    g.start()
    patch(g, "/api/request-logs/%s/" % i, {"metadata": {"a": 2}})
    give(g)
    t.wait(lambda good: len(good) >= 5)
    ok(not verify(t.good), "signatures", *verify(t.good))
    eq(kinds(t.good), ["log", "feedback", "feedback", "feedback", "log"], "each change of feedback once, no others")
    got = [e["data"] for e in events(t.good)]
    eq([(d.get("positive_feedback"), d.get("note"), {k: s["score_value"] for k, s in d["scores"].items()}) for d in got[1:4]],
       [(True, None, {}), (True, "well done \u2713", {}), (True, "well done \u2713", {"quality": 0.75})], "what was said")
    g.destroy()
    t.close()


def test_budgets():
    t = Taker(lambda n, q: (503, {}, b"") if n == 1 else None)
    g = Gateway(provider, {"sinks": {"h": hook(t, events=["budgets"], budget_thresholds=[50, 100])}})
    give(g, customer_identifier="c \u00fc", cost=0.4)
    give(g, customer_identifier="other", cost=100)
    g.spans(2)
    patch(g, "/api/users/c%20%C3%BC/", {"period_budget": 1, "budget_duration": "daily", "total_budget": 1.5})
    give(g, customer_identifier="c \u00fc", cost=0.05, status="error", status_code=500)
    give(g, customer_identifier="c \u00fc", cost=0.05)
    t.wait(lambda good: len(good) >= 1)
    got = events(t.good)
    d = got[0]["data"]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    eq((got[0]["event"], d["customer_identifier"], d["environment"], d["budget"], d["threshold"], d["limit"], d["spent"], d["period_start"],
        d["period_end"]),
       ("budget", "c \u00fc", "prod", "period", 50, 1, 0.5, str(today), str(today + datetime.timedelta(1))), "half of the day's budget")
    give(g, customer_identifier="c \u00fc", cost=0.1)
    give(g, customer_identifier="c \u00fc", cost=2)
    t.wait(lambda good: len(good) >= 4)
    eq([(e["data"]["budget"], e["data"]["threshold"], e["data"]["spent"]) for e in events(t.good)[1:]],
       [("period", 100, 2.6), ("total", 50, 2.6), ("total", 100, 2.6)], "one row may pass several") or note(events(t.good))
    g.stop()
    g.start()
    give(g, customer_identifier="c \u00fc", cost=1)
    g.spans(7)
    patch(g, "/api/users/c%20%C3%BC/", {"period_budget": 4})
    give(g, customer_identifier="c \u00fc", cost=0.9)
    t.wait(lambda good: len(good) >= 6)
    eq([(e["data"]["budget"], e["data"]["threshold"], e["data"]["limit"]) for e in events(t.good)[4:]], [("period", 50, 4), ("period", 100, 4)],
       "each is told once, over restarts, until the budget is another")
    eq(len({e["id"] for e in events(t.good)}), 6, "each has an id of its own")
    ok(not verify(t.good), "signatures", *verify(t.good))
    g.destroy()
    t.close()


def test_kills():
    """Killed while it tells, and the receiver busy now and then: every event arrives, and what comes twice has one id."""
    t = Taker(lambda n, q: (503, {}, b"") if n % 17 == 3 else None)
    g = Gateway(provider, {"sinks": {"h": hook(t, retry_min="10ms", retry_max="50ms")}})
    names = ["%d-%d" % (k, i) for k in range(3) for i in range(40)]
    for k in range(3):
        with Raw(g.port) as c:
            r = c.post("/api/request-logs/batch/create/", {"logs": [
                {"model": "m", "input": "x", "output": "y", "status_code": 500, "positive_feedback": True, "custom_identifier": n}
                for n in names[40 * k:40 * k + 40]]})
        eq(r.status, 200, "spans are given")
        before = len(t.good)
        t.wait(lambda good: len(good) >= before + 20)
        g.kill9()
        g.start()
    want = sorted((n, e) for n in names for e in ("error", "feedback"))

    def ids(good):
        return {e["id"]: (e["data"]["custom_identifier"], e["event"]) for e in events(good)}
    t.wait(lambda good: len(ids(good)) >= len(want), 20)
    eq(sorted(ids(t.good).values()), want, "every event, under one id")
    ok(len(t.good) <= len(want) * 1.5, "few are sent twice", len(t.good))
    g.destroy()
    t.close()


def test_settings():
    """A webhook without a secret, and others that are wrong."""
    for more, word in (({"secret": None}, "secret"), ({"events": ["error"]}, "events"), ({"budget_thresholds": ["x"]}, "budget_thresholds"),
                       ({"compression": "gzip"}, "compression")):
        sink = {k: v for k, v in dict({"kind": "webhook", "url": "http://127.0.0.1:1/h", "secret": "s"}, **more).items() if v is not None}
        g = Gateway(provider, {"sinks": {"h": sink}}, start=False)
        code, out, err = g.run("check-config")
        ok(code != 0 and word in out + err, "%s is told" % word, out + err)
        g.destroy()
    t = Taker(lambda n, q: (410, {}, b"gone") if n == 0 else None)
    g = Gateway(provider, {"sinks": {"h": hook(t)}})
    chat(g, "status=500")
    ok(wait_until(lambda: '"id"' in g.run("sinks", "dead", "h", "--format", "json")[1]), "what is refused is a dead letter")
    eq(g.run("sinks", "resend", "h")[0], 0, "sent again")
    t.wait(lambda good: len(good) >= 1)
    eq((kinds(t.good), events(t.posts)[0]["id"] == events(t.good)[0]["id"]), (["error"], True), "it is the same event")
    g.destroy()
    t.close()


provider = Provider()
main(test_errors, test_feedback, test_budgets, test_kills, test_settings)
