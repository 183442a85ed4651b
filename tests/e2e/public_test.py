#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traces that are made public: who may, who may read them, what is shown, and when that ends."""
import hashlib
import hmac

from harness import *

NAMES = {"prod": ("default", "prod"), "test": ("default", "test"), "reader": ("default", "prod"), "acme": ("acme & co", "prod")}


def secret(who):
    return "sg-%s-0123456789abcdef" % who


def api(method, path, body=None, key=None, head=()):
    with Raw(g.port) as c:
        return c.ask(method, path, list(head) + ([("Authorization", "Bearer " + secret(key))] if key else []), body)


def put(key, trace, *spans, **more):
    body = [dict({"trace_unique_id": trace, "span_unique_id": s, "span_parent_id": p, "span_name": s, "input": "in " + s, "output": "out"}, **more) for s, p in spans]
    eq(api("POST", "/api/v1/traces/ingest", body, key).status, 200, "spans of %s are taken" % trace)
    wait_until(lambda: api("GET", "/api/traces/%s/" % trace, key=key).status == 200)


def mark(key, trace, public=True):
    r = api("PATCH", "/api/traces/%s/" % trace, {"is_public": public}, key)
    return (r.status, r.json)


def seen(trace, org="default", **more):
    return api("GET", "/api/%s/traces/%s/" % (org, trace), **more)


def flat(nodes):
    return [x for n in nodes for x in [n] + flat(n["children"])]


def marked():
    put("prod", "t1", ("root", None), ("leaf", "root"), metadata={"team": "red"})
    eq((seen("t1").status, seen("t1").json["error"]), (404, "Trace not found"), "a trace is not public unless told")
    eq(api("GET", "/api/traces/t1/", key="prod").json["is_public"], False, "which it says")
    eq(mark("prod", "t1"), (200, {"trace_unique_id": "t1", "is_public": True}), "PATCH makes it public")
    eq((mark("prod", "none")[0], seen("none").status), (404, 404), "one that is not there is not found")
    own, r = api("GET", "/api/traces/t1/", key="prod").json, seen("t1")
    eq((r.status, r.json["span_count"], [n["span_unique_id"] for n in flat(r.json["span_tree"])]), (200, 2, ["root", "leaf"]), "anybody reads it")
    eq([n["organization_key_id"] for n in flat(own["span_tree"])], ["prod", "prod"], "who has a key is told by which the spans came")
    own["organization_key_id"] = None
    for n in flat(own["span_tree"]):
        n["organization_key_id"] = None
    eq(r.json, own, "others see all but that")
    eq(own["is_public"], True, "it says that it is public")
    eq([t["is_public"] for t in api("GET", "/api/traces/list/", key="prod").json["results"]], [True], "as does the list")
    for what, r in (("no slash", api("GET", "/api/default/traces/t1")), ("a key that is none", seen("t1", head=[("X-Api-Key", "wrong")])),
                    ("one of another organization", seen("t1", key="acme"))):
        eq(r.status, 200, "with " + what)
    eq(mark("prod", "t1", False), (200, {"trace_unique_id": "t1", "is_public": False}), "it can be taken back")
    eq((seen("t1").status, seen("t1", key="prod").status), (404, 404), "then nobody finds it there")
    eq(mark("prod", "t1", False)[0], 200, "once more does no harm")


def strangers():
    put("acme", "t1", ("other", None))
    eq(mark("acme", "t1")[0], 200, "another organization's trace of the same id")
    eq((seen("t1").status, [n["span_unique_id"] for n in flat(seen("t1", "acme%20%26%20co").json["span_tree"])]), (404, ["other"]), "is that organization's alone")
    eq(mark("test", "t1")[0], 404, "a key that does not see the trace cannot make it public")
    eq(mark("reader", "t1")[0], 403, "nor one that may not write")
    for method in ("HEAD", "POST", "PATCH", "DELETE", "PUT"):
        eq(api(method, "/api/acme%20%26%20co/traces/t1/", {} if method[0] == "P" else None).status, 401, method + " needs a key")
        eq(api(method, "/api/acme%20%26%20co/traces/t1/", {} if method[0] == "P" else None, "prod").status, 405, "and is none even so")
    for path in ("/api/default/traces/", "/api/default/traces", "/api/default/traces//", "/api/default/traces/list/x", "/default/traces/t1", "/api//traces/t1",
                 "/api/default/traces/t1/spans", "/api/..%2Ftraces/traces/t1", "/api/acme/traces/t1", "/api/default%00/traces/t1", "/api/Default/traces/t1",
                 "/api/default/traces/t1'%20OR%201=1", "/api/default/traces/%25"):
        ok(api("GET", path).status in (401, 404), "nothing at " + path)
    for path in ("/api/traces/t1/", "/api/traces/list/", "/api/request-logs/", "/api/clickhouse/traces/t1", "/api/users/traces/t1"):
        eq(api("GET", path).status, 401, path + " needs a key as ever")
    eq(api("GET", "/api/acme%20%26%20co/traces/t1", b"x" * 200000).status, 413, "of who has no key no large body is taken")
    for body in ({}, {"is_public": "yes"}, {"is_public": None}, [], "{"):
        r = api("PATCH", "/api/traces/t1/", body if body != "{" else b"{", "acme")
        eq((r.status, bool(r.json["error"])), (400, True), "PATCH with %r" % (body,))


def environments():
    """A key that is bound to its environment publishes what is of that one, and no more."""
    put("test", "both", ("t", None))
    eq(mark("test", "both")[0], 200, "a test key's trace")
    eq(api("POST", "/api/v1/traces/ingest", [{"trace_unique_id": "both2", "span_unique_id": "p", "input": "secret"}], "prod").status, 200, "one of prod")
    body = [{"trace_unique_id": "both", "span_unique_id": "p", "input": "secret", "output": "o"}]
    eq(api("POST", "/api/v1/traces/ingest", body, "prod").status, 200, "a span of prod comes into it")
    wait_until(lambda: api("GET", "/api/traces/both/?all_envs=true", key="prod").json.get("span_count") == 2)
    ok(b"secret" not in seen("both").body, "which strangers do not see", seen("both").body[:300])
    eq(mark("prod", "both")[0], 200, "until a key of prod makes it public")
    eq(sorted(n["span_unique_id"] for n in flat(seen("both").json["span_tree"])), ["p", "t"], "then all of it is")
    eq((mark("test", "both", False)[0], seen("both").status), (404, 200), "which a test key cannot take back")


def ends():
    put("prod", "gone", ("a", None), ("b", "a"))
    mark("prod", "gone")
    eq((seen("gone").status, api("DELETE", "/api/traces/gone/", key="prod").status, seen("gone").status), (200, 200, 404), "deleted, it is gone for strangers")
    put("prod", "gone", ("c", None))
    eq((seen("gone").status, api("GET", "/api/traces/gone/", key="prod").json["is_public"]), (404, False), "and a new one of that id is not public")
    mark("prod", "gone")
    g.kill9()
    g.start()
    eq(seen("gone").status, 200, "a mark that was acknowledged outlives the process")
    for s in api("GET", "/api/request-logs/list/?trace_unique_id=gone", key="prod").json["results"]:
        api("DELETE", "/api/request-logs/%s/" % s["id"], key="prod")
    put("prod", "gone", ("d", None))
    eq(seen("gone").status, 404, "nor where its spans went one by one")


def digest(text):
    return hmac.new(b"spangate-key", text.encode(), hashlib.sha256).hexdigest()


g = Gateway(Provider(), {"keys": [{"id": n, "tenant": t, "environment": e, "sha256": digest(secret(n)), "rights": ["read"] if n == "reader" else ["read", "write"]}
                                  for n, (t, e) in NAMES.items()]}, provider_config={"api_key": "sk-x"})
main(marked, strangers, environments, ends)
