#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores of spans over HTTP: given, read, changed, deleted; what lists and the summary make of them; after a restart too."""
from harness import *

SCORE = """id created_at type environment numerical_value string_value boolean_value categorical_value json_value is_passed cost
evaluator_id evaluator_slug evaluator_name scorer log_id status error_message""".split()
NOBODY = "0" * 32


def ask(method, path, body=None, key=None):
    head = [("Authorization", "Bearer " + key)] if key else []
    with Raw(g.port) as c:
        return c.ask(method, "/api" + path, head + [("content-type", "application/json")], body)


def scores(log):
    return "/logs/%s/scores/" % log


def give(log, **more):
    r = ask("POST", scores(log), more)
    return r.json if r.status == 201 else {"status": r.status, "body": r.body}


def row(log):
    return ask("GET", "/request-logs/%s/" % log).json


def listed(query):
    r = ask("GET", "/request-logs/" + query)
    return [logs.index(s["id"]) for s in r.json["results"]] if r.status == 200 else (r.status, r.body)


def fill():
    global logs
    logs = [chat(g, "n=2", environment="prod").get("x-spangate-span-id").replace("-", "") for _ in range(4)]
    eq(len(g.spans(4)), 4, "four spans")


def given():
    r = ask("POST", scores(logs[0]), {"evaluator_id": "e1", "evaluator_slug": "good", "evaluator_name": "Good", "numerical_value": 0.25,
                                      "string_value": "so \u00fc so", "is_passed": False, "type": "human", "cost": 0.00125, "dataset_id": "d"})
    s = r.json
    eq((r.status, [k for k in SCORE if k not in s]), (201, []), "201 with every documented member")
    eq([s[k] for k in ("log_id", "evaluator_id", "evaluator_slug", "evaluator_name", "scorer", "numerical_value", "string_value", "boolean_value",
                       "is_passed", "type", "cost", "dataset_id", "environment", "status", "error_message")],
       [logs[0], "e1", "good", "Good", None, 0.25, "so \u00fc so", None, False, "human", 0.00125, "d", "prod", "success", None], "as it was given")
    again = give(logs[0], evaluator_id="e1", numerical_value=0.75)
    eq((again["id"], again["created_at"], again["numerical_value"], again["string_value"], again["evaluator_slug"]),
       (s["id"], s["created_at"], 0.75, None, "good"), "a second one of the same evaluator takes the first one's place")
    other = give(logs[0], evaluator_id="e1", scorer="ann", numerical_value=1)
    ok(other.get("id") not in (None, s["id"]) and other["scorer"] == "ann", "one by another scorer stands beside it", other)
    r = ask("POST", "/scores/", {"log_id": logs[1], "evaluator_slug": "flag", "boolean_value": True})
    eq((r.status, r.json.get("log_id"), r.json.get("evaluator_id"), r.json.get("boolean_value"), r.json.get("type")), (201, logs[1], "flag", True, "custom"),
       "by log_id; an evaluator with a slug only goes by that")
    give(logs[2], evaluator_slug="flag", boolean_value=False)
    give(logs[2], evaluator_id="e1", numerical_value=0.5)
    s = give(logs[3], evaluator_id="words", categorical_value=["a", "b"], json_value="{\"x\": 1}", timestamp="2026-01-02T03:04:05Z")
    eq((s.get("categorical_value"), s.get("json_value"), s.get("created_at", "")[:19]), (["a", "b"], "{\"x\": 1}", "2026-01-02T03:04:05"), "lists, JSON, a time")
    hyphens = "-".join((logs[3][:8], logs[3][8:12], logs[3][12:16], logs[3][16:20], logs[3][20:]))
    eq(give(hyphens, evaluator_id="e9", string_value="x").get("log_id"), logs[3], "a span's id with hyphens")


def read():
    r = ask("GET", scores(logs[0]))
    eq((r.status, r.json["count"], r.json["next"], r.json["previous"], [s["scorer"] for s in r.json["results"]]), (200, 2, None, None, ["ann", None]),
       "scores of a span, the newest first")
    one = r.json["results"][0]
    eq(ask("GET", scores(logs[0]) + one["id"] + "/").json, one, "one of a span")
    eq(ask("GET", "/scores/%s/" % one["id"]).json, one, "one by its id")
    eq(ask("GET", scores(logs[1]) + one["id"]).status, 404, "not under another span")
    r = ask("GET", scores(logs[0]) + "?page_size=1")
    ok(r.json["count"] == 1 and len(r.json["results"]) == 1 and r.json["next"] and r.json["next"].endswith("page=2"), "count is of the page", r.body)
    r = ask("GET", r.json["next"].split("/api", 1)[1])
    eq((r.json["count"], r.json["next"], bool(r.json["previous"])), (1, None, True), "the next page is the last")
    for method, path, body in (("GET", "/scores/", None), ("POST", "/scores/list/", {})):
        r = ask(method, path, body)
        eq((r.status, r.json.get("count"), len(r.json.get("results", []))), (200, 7, 7), "%s %s: all of them" % (method, path))
    for filters, count in (({"evaluator_id": "e1"}, 3), ({"evaluator_slug": {"operator": "", "value": ["good"]}}, 1), ({"log_id": logs[2]}, 2),
                           ({"scorer": {"operator": "in", "value": ["ann", "bob"]}}, 1), ({"evaluator_id": {"operator": "not", "value": ["e1"]}}, 4),
                           ({"numerical_value": {"operator": "gte", "value": [0.75]}}, 3), ({"boolean_value": False}, 1), ({"id": one["id"]}, 1),
                           ({"environment": "test"}, 0)):
        r = ask("POST", "/scores/list/", {"filters": filters})
        eq((r.status, r.json.get("count")), (200, count), "filters %s" % json.dumps(filters)[:60])
    eq(ask("POST", "/scores/list/", {"filters": {"colour": "x"}}).status, 400, "an unknown field")
    eq(ask("POST", "/scores/list/", {"filters": {"numerical_value": "many"}}).status, 400, "a value that is no number")
    eq(ask("GET", "/scores/?page=9").json["results"], [], "past the end: an empty page")


def changed():
    s = give(logs[3], evaluator_id="tmp", numerical_value=1, string_value="keep", is_passed=True)
    where = scores(logs[3]) + s["id"] + "/"
    r = ask("PATCH", where, {"numerical_value": 2, "is_passed": None})
    eq((r.status, r.json.get("id"), r.json.get("numerical_value"), r.json.get("string_value"), r.json.get("is_passed"), r.json.get("created_at")),
       (200, s["id"], 2, "keep", None, s["created_at"]), "PATCH: what is named, null takes away")
    r = ask("PUT", "/scores/%s" % s["id"], {"evaluator_id": "tmp", "boolean_value": True})
    eq((r.status, r.json.get("id"), r.json.get("numerical_value"), r.json.get("string_value"), r.json.get("boolean_value")), (200, s["id"], None, None, True),
       "PUT: all of it")
    r = ask("PATCH", where, {"evaluator_id": "another"})
    ok(r.status == 400 and "evaluator_id" in r.json["error"], "whose it is stays", r.body)
    eq(ask("PATCH", where, {"boolean_value": None}).status, 400, "it keeps a value")
    r = ask("DELETE", where)
    eq((r.status, r.body), (204, b""), "DELETE")
    eq([ask(m, where, b).status for m, b in (("GET", None), ("PATCH", {}), ("PUT", {}), ("DELETE", None))], [404] * 4, "then it is gone")
    eq([ask(m, "/scores/" + s["id"], b).status for m, b in (("GET", None), ("PATCH", {}), ("DELETE", None))], [404] * 3, "by its id too")


def refused():
    for name, value in (("numerical_value", "1"), ("string_value", 1), ("boolean_value", "true"), ("categorical_value", "a"), ("categorical_value", [1]),
                        ("numerical_value", float("inf")), ("json_value", {}), ("timestamp", "yesterday"), ("evaluator_id", 5), ("scorer", []), ("is_passed", 1), ("type", 1)):
        body = json.dumps(dict({"evaluator_id": "e", "numerical_value": 1}, **{name: value})).replace("Infinity", "1e999").encode()
        r = ask("POST", scores(logs[0]), body)
        ok(r.status == 400 and name in r.json["error"] and r.json["error"] == r.json["detail"], "%s: %r: 400 that names it" % (name, value), r.status, r.body)
    for what, path, body, status, word in (("no evaluator", scores(logs[0]), {"numerical_value": 1}, 400, "evaluator_id"),
                                           ("no value", scores(logs[0]), {"evaluator_id": "e"}, 400, "numerical_value"),
                                           ("no log_id", "/scores/", {"evaluator_id": "e", "numerical_value": 1}, 400, "log_id"),
                                           ("an unknown span", scores(NOBODY), {"evaluator_id": "e", "numerical_value": 1}, 404, "Log not found"),
                                           ("an unknown log_id", "/scores/", {"log_id": NOBODY, "evaluator_id": "e", "numerical_value": 1}, 404, "Log not found"),
                                           ("no object", scores(logs[0]), [1], 400, "object"),
                                           ("a long name", scores(logs[0]), {"evaluator_id": "e" * 2000, "numerical_value": 1}, 400, "evaluator_id"),
                                           ("a large score", scores(logs[0]), {"evaluator_id": "e", "string_value": "x" * 300000}, 400, "large")):
        r = ask("POST", path, body)
        ok(r.status == status and word in r.json["error"], "%s: %d" % (what, status), r.status, r.body[:200])
    eq([ask("GET", p).status for p in (scores(NOBODY), scores(logs[0]) + NOBODY, "/scores/" + NOBODY, "/scores/none", "/logs/none/scores/")], [404] * 5, "404 for what is not there")
    eq(len(ask("GET", "/scores/").json["results"]), 7, "nothing of all that was stored")


def seen():
    s = row(logs[0])["scores"]
    eq((list(s), s["e1"]["evaluator_slug"], s["e1"]["score_value"]), (["e1"], None, 1), "a span shows its scores, of an evaluator the newest")
    eq((row(logs[1])["scores"]["flag"]["score_value"], row(logs[3])["scores"]["words"]["string_value"]), (1, '["a", "b"]'), "true is 1; a list is its text")
    eq(sorted(listed("?scores__e1[value]=0.5&scores__e1[operator]=gte")), [0, 2], "spans by their scores")
    eq(listed("?scores__flag=true"), [1], "by true")
    eq(listed("?scores__good[value]=0.9&scores__good[operator]=gt"), [], "by a slug, which only one of the scores has")
    eq(listed("?sort_by=-scores__e1")[:2], [0, 2], "sorted by scores, downwards")
    eq([n for n in listed("?sort_by=scores__e1") if n in (0, 2)], [2, 0], "and upwards")
    s = ask("GET", "/request-logs/summary/").json["scores"]
    eq((s["e1"]["avg_score"], s["e1"]["score_value_type"], s["flag"]["score_value_type"], s["flag"]["avg_score"], s["flag"]["true_count"], s["flag"]["false_count"]),
       (0.75, "numerical", "boolean", 0.5, 1, 1), "averages in the summary")
    s = ask("POST", "/request-logs/summary/", {"filters": {"id": logs[2]}}).json["scores"]
    eq((s["e1"]["avg_score"], s["flag"]["true_count"]), (0.5, 0), "of some spans")


def restarted():
    before = ask("GET", "/scores/").json
    g.kill9()
    g.start()
    eq(ask("GET", "/scores/").json["results"], before["results"], "after a kill and a start: the same scores")
    seen()


def early():
    """A span's score may come before the span is there: its exchange is still open."""
    s = {}
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Authorization", "Bearer sk-x"), ("x-fake", "n=4; stall=1"), ("content-type", "application/json")],
                               json.dumps(chat_body(True)).encode()))
        log = c.head().get("x-spangate-span-id").replace("-", "")
        r = ask("POST", scores(log), {"evaluator_id": "soon", "numerical_value": 3})
        s = r.json
        eq((r.status, s.get("log_id"), s.get("numerical_value"), s.get("evaluator_id")), (202, log, 3, "soon"), "202 with the score as it will be")
    ok(wait_until(lambda: ask("GET", scores(log)).status == 200), "the client leaves, the span comes")
    eq([(x["id"], x["numerical_value"]) for x in ask("GET", scores(log)).json["results"]], [(s["id"], 3)], "and has it")
    ask("DELETE", scores(log) + s["id"])


def together():
    got = parallel(8, lambda i: give(logs[1], evaluator_id="race", numerical_value=i))
    eq(len({s.get("id") for s in got}), 1, "eight at once of one evaluator are one score")
    eq(sum(s["evaluator_id"] == "race" for s in ask("GET", scores(logs[1])).json["results"]), 1, "and stay one")
    eq(ask("DELETE", "/request-logs/%s/" % logs[1]).status, 204, "a span goes")
    eq((ask("GET", scores(logs[1])).status, [s for s in ask("GET", "/scores/").json["results"] if s["log_id"] == logs[1]]), (404, []), "with its scores")
    code, out, err = g.run("verify")
    eq((code, "differ" in out), (0, False), "verify finds all in order")


def fenced():
    """A key sees the scores of spans that it sees."""
    code, key, err = g.run("key", "add", "--id", "far", "--environment", "test")
    code, own, err = g.run("key", "add", "--id", "own", "--rights", "read")
    code, free, err = g.run("key", "add", "--id", "free")
    key, own, free = key.strip(), own.strip(), free.strip()
    ok(wait_until(lambda: ask("GET", "/scores/", key=key).status == 200 and ask("GET", "/scores/", key=own).status == 200 and
                  ask("GET", "/scores/").status == 401), "keys count")
    one = ask("GET", "/scores/", key=own).json["results"][0]
    eq(ask("GET", "/scores/?environment=prod", key=key).json["results"], [], "none of another environment in its list")
    eq([ask(m, "/scores/" + one["id"], b, key).status for m, b in (("GET", None), ("PATCH", {"numerical_value": 1}), ("DELETE", None))], [404] * 3, "nor by its id")
    eq(ask("POST", scores(logs[0]), {"evaluator_id": "e", "numerical_value": 1}, key).status, 404, "nor may it score a span there")
    eq(ask("PATCH", "/request-logs/%s/" % logs[0], {"note": "mine"}, key).status, 404, "nor change one")
    with Raw(g.port) as c:      # one that is open yet, so that nobody can say whose it is
        c.send(c.request_bytes("POST", CHAT, [("Authorization", "Bearer " + free), ("x-fake", "n=4; stall=1"), ("content-type", "application/json")],
                               json.dumps(chat_body(True)).encode()))
        log = c.head().get("x-spangate-span-id").replace("-", "")
        eq([ask("POST", scores(log), {"evaluator_id": "e", "numerical_value": 1}, key).status, ask("PATCH", "/request-logs/%s/" % log, {"note": "mine"}, key).status,
            ask("POST", scores(log), {"evaluator_id": "f", "numerical_value": 1}, free).status], [202] * 3, "one that is still open: later")
    ok(wait_until(lambda: ask("GET", scores(log), key=own).status == 200), "the span comes")
    eq(([s["evaluator_id"] for s in ask("GET", scores(log), key=own).json["results"]], ask("GET", "/request-logs/%s/" % log, key=own).json["note"]), (["f"], None),
       "and takes only what one said who may")
    eq([ask(m, "/scores/" + one["id"], b, own).status for m, b in (("PATCH", {"numerical_value": 1}), ("DELETE", None))], [403] * 2, "reading is not writing")


p = Provider()
g = Gateway(p, provider_config={"api_key": "sk-x"})
main(fill, given, read, changed, refused, seen, restarted, early, together, fenced)
