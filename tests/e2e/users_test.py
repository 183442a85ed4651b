#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is set of customers over HTTP, and customers that are deleted; after a restart too."""
from harness import *


def ask(method, path, body=None, key=None):
    with Raw(g.port) as c:
        return c.ask(method, "/api" + path, ([("Authorization", "Bearer " + key)] if key else []) + [("content-type", "application/json")], body)


def listed(query=""):
    r = ask("GET", "/users/list/" + query)
    return [(u["customer_identifier"], u["name"], u["email"]) for u in r.json["results"]] if r.status == 200 else (r.status, r.body)


def put(customer, **more):
    return chat(g, "n=2", customer_identifier=customer, **more)


def fill():
    put("ann", customer_params={"customer_identifier": "ann", "name": "Ann", "email": "ann@x"})
    put("bob")
    put("c/d e")
    g.spans(3)
    eq(listed("?sort_by=customer_identifier"), [("ann", "Ann", "ann@x"), ("bob", None, None), ("c/d e", None, None)], "three customers")


def spent():
    """What a customer spent in the period of its budget."""
    for cost, more in ((2, {}), (3, {"timestamp": "2020-05-05T05:05:05Z"})):
        ask("POST", "/request-logs/", dict({"model": "m", "customer_identifier": "eve", "cost": cost, "usage": {"total_tokens": 1}}, **more))
    eq([ask("GET", "/users/eve/").json[k] for k in ("total_cost", "total_period_usage")], [5, None], "no period is set: what was spent in one is not known")
    eq([ask("PATCH", "/users/eve/", {"period_budget": 10}).json[k] for k in ("total_cost", "total_period_usage")], [5, 2], "of this month")
    eq(ask("PATCH", "/users/eve/", {"period_start": "2020-01-01T00:00:00Z", "period_end": "2099-01-01T00:00:00Z"}).json["total_period_usage"], 5, "of a period with two ends")
    ask("DELETE", "/users/eve/")


def changed():
    r = ask("PATCH", "/users/bob/", {"name": "Bob", "metadata": {"a": 1}, "period_budget": 12.5, "budget_duration": "monthly", "total_budget": 100,
                                     "period_start": "2026-01-01T00:00:00Z", "markup_percentage": 5})
    u = r.json
    eq((r.status, [u.get(k) for k in ("customer_identifier", "name", "email", "metadata", "period_budget", "budget_duration", "total_budget", "period_start",
                                      "markup_percentage", "period_end")]),
       (200, ["bob", "Bob", None, {"a": 1}, 12.5, "monthly", 100, "2026-01-01T00:00:00Z", 5, None]), "PATCH answers with the customer")
    eq(ask("GET", "/users/bob").json, u, "as it is read then")
    r = ask("PATCH", "/users/bob/?environment=prod", {"period_budget": None, "email": "bob@x"})
    eq((r.status, [r.json.get(k) for k in ("name", "email", "period_budget", "total_budget")]), (200, ["Bob", "bob@x", None, 100]), "null takes away, the rest stays")
    ask("PATCH", "/users/ann/", {"email": "ann@y"})
    ask("PATCH", "/users/c%2Fd%20e/", {"name": "Dee"})
    seen()
    for name, value in (("name", 5), ("email", ["x"]), ("metadata", "x"), ("period_budget", "12"), ("period_budget", -1), ("total_budget", True), ("period_end", "soon")):
        r = ask("PATCH", "/users/bob/", {name: value})
        ok(r.status == 400 and name in r.json["error"], "%s: %r: 400 that names it" % (name, value), r.status, r.body)
    eq([ask(m, "/users/nobody/", b).status for m, b in (("PATCH", {"name": "x"}), ("DELETE", None))], [404] * 2, "a customer that is not there")
    eq(ask("PATCH", "/users/bob/?environment=test", {"name": "x"}).status, 404, "nor in another environment")
    eq(ask("PATCH", "/users/bob/", [1]).status, 400, "a body that is no object")


def seen():
    eq(listed("?sort_by=customer_identifier"), [("ann", "Ann", "ann@y"), ("bob", "Bob", "bob@x"), ("c/d e", "Dee", None)], "lists say what was set")
    eq([u[0] for u in listed("?name=Bob")] + [u[0] for u in listed("?sort_by=-name")], ["bob", "c/d e", "bob", "ann"], "and filter and sort by it")
    eq([u["total_budget"] for u in ask("GET", "/users/list/?customer_identifier=bob").json["results"]], [100], "budgets too")


def restarted():
    g.kill9()
    g.start()
    seen()


def deleted():
    r = ask("DELETE", "/users/bob/")
    eq((r.status, r.body), (204, b""), "DELETE")
    eq((ask("GET", "/users/bob/").status, [u[0] for u in listed()].count("bob"), ask("GET", "/users/list/").json["count"]), (404, 0, 2), "it is in no list")
    eq(len(ask("GET", "/request-logs/?customer_identifier=bob").json["results"]), 1, "its spans stay")
    code, out, err = g.run("verify")
    eq((code, "differ" in out), (0, False), "verify finds all in order")
    put("bob")
    ok(wait_until(lambda: ask("GET", "/users/bob/").status == 200), "it is there again once it asks again")
    u = ask("GET", "/users/bob/").json
    eq((u["name"], u["total_budget"], u["total_requests"]), (None, None, 2), "without what was set")


def fenced():
    """A key changes customers of its own environment, and only with the right to write."""
    code, far, err = g.run("key", "add", "--id", "far", "--environment", "test")
    code, own, err = g.run("key", "add", "--id", "own", "--rights", "read")
    far, own = far.strip(), own.strip()
    ok(wait_until(lambda: ask("GET", "/users/ann/", key=own).status == 200 and ask("GET", "/users/ann/", key=far).status == 404), "keys count")
    eq([ask(m, "/users/ann/?environment=prod", {"name": "x"} if m == "PATCH" else None, far).status for m in ("PATCH", "DELETE")], [404] * 2, "not those of another")
    eq([ask(m, "/users/ann/", {"name": "x"} if m == "PATCH" else None, own).status for m in ("PATCH", "DELETE")], [403] * 2, "reading is not writing")
    eq(ask("GET", "/users/ann/", key=own).json["name"], "Ann", "nothing was changed")


p = Provider()
g = Gateway(p, provider_config={"api_key": "sk-x"})
main(spent, fill, changed, restarted, deleted, fenced)
