#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traces over HTTP: the list, one with the tree of its spans, sums; whatever the parents say."""
from decimal import Decimal

from harness import *

ROW = """id trace_unique_id root_span_unique_id unique_organization_id organization_id organization_name organization_key_id
environment customer_identifier start_time end_time duration span_count llm_call_count total_cost total_prompt_tokens
total_completion_tokens total_tokens error_count name input output metadata trace_group_identifier session_identifier
model storage_object_key""".split()
NODE = """id unique_id span_unique_id span_name span_parent_id trace_unique_id customer_identifier thread_identifier
session_identifier organization_key_id organization_id environment log_type timestamp start_time end_time prompt_tokens
completion_tokens total_request_tokens cost model latency status_code status input output metadata span_links
storage_object_key span_workflow_name children""".split()
stored = 0


def put(trace, span, parent=None, fake="n=4", **more):
    """One span of a trace; its id in the store."""
    global stored
    stored += 1
    if parent is not None:
        more["span_parent_id"] = parent
    return chat(g, fake, trace_unique_id=trace, span_unique_id=span, **more).get("x-spangate-span-id")


def api(path, body=None, port=None):
    with Raw(port or g.port) as c:
        return c.get(path) if body is None else c.post(path, body)


def unique(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a member twice: %s" % [k for k, _ in pairs])
    return dict(pairs)


def strict(r):
    return json.loads(r.body, object_pairs_hook=unique, parse_constant=lambda c: 1 / 0)


def shape(nodes):
    """The tree as {name: children}."""
    return [(n["span_unique_id"], shape(n["children"])) for n in nodes]


def one(trace):
    r = api("/api/traces/%s/" % trace)
    return strict(r) if r.status == 200 else {"status": r.status, "body": r.body}


def listed(query="", body=None):
    r = api("/api/traces/list/" + query, body)
    return [t["trace_unique_id"] for t in strict(r)["results"]] if r.status == 200 else (r.status, r.body)


def fill():
    put("t1", "leaf", "mid", fake="n=2; status=500", customer_identifier="c1")      # children come before parents
    put("t1", "mid", "root", customer_identifier="c1")
    put("t1", "root", fake="n=7", customer_identifier="c1", span_name="the root", span_workflow_name="flow",
        metadata={"team": "red"}, thread_identifier="th")
    put("t2", "a", "b")
    put("t2", "b", "a")
    put("t2", "self", "self")
    put("t2", "orphan", "nobody")
    put("t2", "empty", "")
    put("t2", "of-trace", "t2")
    put("t3", "t3", "", environment="test")
    put("t3", "first", "t3", environment="test")
    g.spans(stored)


def lists():
    for path in ("/api/traces/list/", "/api/traces/list", "/traces/list/", "/traces/list"):
        for body in (None, {}):
            r = api(path, body)
            got = strict(r) if r.status == 200 else {}
            eq((r.status, got.get("count"), [t["trace_unique_id"] for t in got.get("results", [])]), (200, 3, ["t3", "t2", "t1"]),
               "%s %s: the latest first" % ("GET" if body is None else "POST", path))
    t = strict(api("/api/traces/list/"))["results"][2]
    eq([k for k in ROW if k not in t], [], "a row has every documented member")
    root = next(s for s in g.export() if s.get("span_unique_id") == "root")
    eq((t["id"], t["name"], t["root_span_unique_id"], t["customer_identifier"], t["environment"], t["session_identifier"]),
       ("t1", "the root", "root", "c1", "prod", "th"), "who it is")
    eq((t["span_count"], t["llm_call_count"], t["error_count"]), (3, 3, 1), "spans, calls, errors")
    eq((json.loads(t["input"]), json.loads(t["output"])), (root["input"], root["output"]), "input and output are the root's, as strings")
    eq((t["metadata"], t["workflow_name"]), ({"team": "red"}, "flow"), "and so is metadata")
    mine = [s for s in g.export() if s.get("trace_unique_id") == "t1"]
    eq(tuple(t[k] for k in ("total_prompt_tokens", "total_completion_tokens", "total_tokens")),
       tuple(sum(s.get(k) or 0 for s in mine) for k in ("prompt_tokens", "completion_tokens", "total_request_tokens")), "tokens are its spans'")
    eq(Decimal(str(t["total_cost"])), sum(Decimal(str(s.get("cost") or 0)) for s in mine), "cost too")
    eq((t["start_time"], t["end_time"]), (min(s["start_time"] for s in mine), max(s["timestamp"] for s in mine)), "from the first start to the last end")
    ok(t["duration"] > 0 and isinstance(t["duration"], float), "duration in seconds", t["duration"])


def asked():
    eq(listed("?sort_by=timestamp"), ["t1", "t2", "t3"], "sort_by ascending")
    eq(listed("?sort_by=-span_count")[0], "t2", "by spans")
    eq(listed("?sort_by=-error_count")[0], "t1", "by errors")
    eq(listed("?environment=test"), ["t3"], "environment")
    eq(listed("?customer_identifier=c1"), ["t1"], "a quick filter")
    eq(listed("?span_count[value]=2&span_count[operator]=gt"), ["t2", "t1"], "a quick filter with an operator")
    eq(listed("?team=red"), ["t1"], "an unknown name is a metadata key")
    eq(listed(body={"filters": {"metadata__team": {"operator": "", "value": ["red"]}}}), ["t1"], "metadata__KEY")
    eq(listed(body={"filters": {"trace_unique_id": {"operator": "in", "value": ["t2", "t3"]}}}), ["t3", "t2"], "in")
    eq(listed(body={"filters": {"trace_unique_id": {"operator": "not", "value": "t2"}}}), ["t3", "t1"], "not, a scalar")
    eq(listed(body={"filters": {"span_count": [{"operator": "gte", "value": [3]}, {"operator": "lt", "value": [6]}]}}), ["t1"], "two of one name")
    eq(listed(body={"filters": {"workflow_name": {"operator": "icontains", "value": ["FLO"]}}}), ["t1"], "icontains")
    eq(listed(body={"filters": [{"field": "error_count", "operator": "gt", "value": [0]}]}), ["t1"], "a list of filters")
    eq(listed("?start_time=2001-01-01&end_time=2001-01-02"), [], "another window holds nothing")
    r = strict(api("/api/traces/list/?page_size=2"))
    ok(len(r["results"]) == 2 and r["next"] and r["next"].startswith("http://127.0.0.1:%d/api/traces/list/?" % g.port) and r["previous"] is None,
       "a page, with the next one's address", r["next"])
    r = strict(api(r["next"][r["next"].index("/api"):]))
    ok([t["id"] for t in r["results"]] == ["t1"] and r["next"] is None and r["previous"], "that is the last", r["next"])
    eq(listed("?page=9"), [], "past the end: an empty page")
    for what, query, body in (("an unknown field", "", {"filters": {"colour": {"operator": "", "value": ["x"]}}}),
                              ("an unknown operator", "", {"filters": {"model": {"operator": "sounds_like", "value": ["x"]}}}),
                              ("a value of another type", "", {"filters": {"span_count": {"operator": "gt", "value": ["many"]}}}),
                              ("an unknown order", "?sort_by=colour", None), ("a page that is none", "?page=0", None),
                              ("a time that is none", "?start_time=yesterday", None)):
        r = api("/api/traces/list/" + query, body)
        word = (query or json.dumps(body)).replace("?", "").split("=")[0]
        ok(r.status == 400 and r.json.get("error") == r.json.get("detail") and any(w in r.json["error"] for w in ("colour", "model", "span_count", "page", "start_time")),
           "%s: 400 that names it" % what, r.status, r.body, word)


def trees():
    t = one("t1")
    eq(shape(t["span_tree"]), [("root", [("mid", [("leaf", [])])])], "children that came before their parents")
    eq([k for k in ROW + ["span_tree"] if k not in t], [], "one has a row's members")
    node, bad = t["span_tree"][0], []
    while True:
        bad += [k for k in NODE if k not in node]
        if node["trace_unique_id"] != "t1" or not isinstance(node["input"], str) or not isinstance(node["output"], str):
            bad.append((node["trace_unique_id"], node["input"]))
        if not node["children"]:
            break
        node = node["children"][0]
    eq(bad, [], "every node has every member")
    full = g.get("/api/request-logs/%s/" % node["id"]).json
    eq({k: node[k] for k in NODE if k in full and k not in ("children", "span_links", "metadata")},
       {k: "" if k == "output" and full[k] is None else full[k] for k in NODE if k in full and k not in ("children", "span_links", "metadata")}, "and says what the span says")
    eq(node["end_time"], node["timestamp"], "end_time is the timestamp")
    eq(shape(one("t2")["span_tree"]), [("a", [("b", [])]), ("self", []), ("orphan", []), ("empty", []), ("of-trace", [])],
       "a ring, a span that is its own parent, an orphan, and roots of all kinds")
    eq(shape(one("t3")["span_tree"]), [("t3", [("first", [])])], "a root with the trace's own id has its children")
    r = api("/api/traces/t1", {})
    eq((r.status, r.json.get("span_count")), (200, 3), "POST works too")
    r = api("/api/traces/none/")
    eq((r.status, r.json.get("error")), (404, "Trace not found"), "a trace that is not there")
    eq(api("/api/traces/t3/?environment=prod").status, 404, "one of another environment")
    put("weird/\u00e9 id", "x")
    g.spans(stored)
    eq(shape(one("weird%2F%C3%A9%20id").get("span_tree", [])), [("x", [])], "an id with escapes")


def sums():
    r = api("/api/clickhouse/traces/summary/", {"filters": {"trace_unique_id": {"operator": "in", "value": ["t1", "t2"]}}})
    s, rows = r.json, [t for t in strict(api("/api/traces/list/"))["results"] if t["id"] in ("t1", "t2")]
    eq((r.status, s.get("total_count"), s.get("total_span_count"), s.get("average_span_count")), (200, 2, 9, 4.5), "summary: how many")
    eq((s["total_tokens"], s["average_tokens"]), (sum(t["total_tokens"] for t in rows), sum(t["total_tokens"] for t in rows) / 2), "tokens")
    eq((s["total_error_count"], s["error_rate"], s["total_llm_call_count"]), (1, 0.5, 9), "errors, calls")
    near(s["total_duration"], sum(t["duration"] for t in rows), 1e-5, "duration")
    eq(sorted(s), sorted("""total_count total_cost total_prompt_tokens total_completion_tokens total_tokens average_cost average_prompt_tokens
average_completion_tokens average_tokens total_duration average_duration total_span_count average_span_count total_llm_call_count
average_llm_call_count total_error_count error_rate""".split()), "every member")
    s = api("/clickhouse/traces/summary", {"filters": {"trace_unique_id": "none"}}).json
    eq((s["total_count"], s["average_cost"], s["error_rate"]), (0, 0, 0), "of nothing: zeros")


def refused():
    with Raw(g.port) as c:
        r = c.post("/api/traces/bulk-delete/", {})
        eq((r.status, r.json.get("error")), (400, "Request body must contain a non-empty 'filters' list"), "bulk delete without filters")
        r = c.post("/api/traces/bulk/", {"filters": []})
        eq(r.status, 400, "and with an empty list")
        r = c.ask("PATCH", "/api/traces/t1/", [("content-type", "application/json")], b'{"is_public": "yes"}')
        ok(r.status == 400 and "is_public" in r.json["error"], "is_public of another type", r.status, r.body)


def deleted():
    with Raw(g.port) as c:
        put("d1", "a"), put("d1", "b", "a"), put("d2", "a"), put("d3", "a")
        g.spans(stored)
        r = c.ask("DELETE", "/api/traces/d1/?start_time=2020-01-01&end_time=2030-01-01")
        eq((r.status, r.json), (200, dict.fromkeys(("message", "success"), "Successfully deleted trace d1")), "DELETE of a trace")
        eq((api("/api/traces/d1/").status, [t for t in listed() if t in ("d1", "d2", "d3")]), (404, ["d3", "d2"]), "it is gone, and only it")
        eq([s for s in g.export() if s.get("trace_unique_id") == "d1"], [], "with its spans")
        r = c.ask("DELETE", "/api/traces/d1/")
        eq((r.status, r.json["success"]), (200, "Successfully deleted trace d1"), "once more: the same answer")
        some = {"filters": {"trace_unique_id": {"operator": "in", "value": ["d2", "d3", "none"]}}}
        r = c.post("/api/traces/bulk/?end_time=2020-01-01", some)
        eq((r.status, r.json), (200, {"deleted_count": 0, "message": "Successfully deleted 0 traces"}), "bulk delete keeps to its window")
        r = c.post("/api/traces/bulk-delete/", some)
        eq((r.status, r.json), (200, {"deleted_count": 2, "message": "Successfully deleted 2 traces"}), "bulk delete by filters")
        eq([t for t in sorted(listed()) if t in ("d1", "d2", "d3", "t1", "t2", "t3")], ["t1", "t2", "t3"], "others stay")
    code, out, err = g.run("verify")
    eq((code, "differ" in out), (0, False), "verify finds all in order")


def many():
    """More than may go at once."""
    body = [{"trace_unique_id": "m%d" % i, "span_unique_id": "s", "input": "x", "output": "y"} for i in range(1001)]
    global stored
    for part in (body[:500], body[500:]):
        eq(api("/api/v1/traces/ingest", part).status, 200, "spans of many traces are taken")
        stored += len(part)
    wait_until(lambda: api("/api/traces/m1000/").status == 200 and api("/api/traces/m0/").status == 200)
    r = api("/api/traces/bulk-delete/", {"filters": {"trace_unique_id": {"operator": "startswith", "value": ["m"]}}})
    eq((r.status, r.json.get("matched_count")), (400, 1001), "more than 1000 traces: 400")


def big():
    """One below the other: DEEP of them, where that is set."""
    many = [{"span_unique_id": "d%d" % i, "span_parent_id": "d%d" % (i - 1) if i else None} for i in range(int(os.environ.get("DEEP", 1200)))]
    for s in many:
        put("deep", s["span_unique_id"], s["span_parent_id"], fake="n=1")
    g.spans(stored, 60)
    t0 = time.monotonic()
    r = api("/api/traces/deep/")
    spent = time.monotonic() - t0
    body, depth, deepest, seen = r.body.decode(), 0, 0, len(re.findall(r'"span_unique_id":"d\d+"', r.body.decode()))
    for bracket in re.findall(r'"children":\[|\]\}', body):
        depth += 1 if bracket[0] == '"' else -1
        deepest = max(deepest, depth)
    eq((r.status, seen, deepest), (200, len(many), len(many)), "a chain of %d spans, each once, %.0f ms" % (len(many), spent * 1e3))
    code, out, err = g.run("verify")
    eq((code, "differ" in out), (0, False), "verify compares traces with their spans")


p = Provider()
g = Gateway(p)
main(fill, lists, asked, trees, sums, refused, big, deleted, many)
