#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reading spans over HTTP: list, get, paging, and what is not there yet."""
from harness import *


def rows(r):
    got = r.json
    return got.get("results") if isinstance(got, dict) else None


def at_once():
    bad = []
    for _ in range(3):
        h = Gateway(p)
        r = h.get("/api/request-logs/")
        code, out, err = h.run("spans", "export", "--format", "jsonl")
        if r.status != 200 or rows(r) != [] or code != 0:
            bad.append((r.status, r.body[:200], code, err[:200]))
        h.destroy()
    ok(not bad, "a list right after the first start is empty, by API and command line", *bad)


def lists():
    ids = [chat(g, "n=%d" % (i + 1), i % 2 == 1, customer_identifier="c-%d" % (i % 3)).get("x-spangate-span-id") for i in range(7)]
    g.spans(7)
    for path in ("/api/request-logs/", "/api/request-logs", "/request-logs/", "/request-logs", "/api/request-logs/list/", "/api/request-logs/list"):
        r = g.get(path)
        got = rows(r) if r.status == 200 else None
        ok(got is not None and {x.get("id") for x in got} == set(ids), "GET " + path, r.status, r.body[:300])
        eq((r.get("content-type") or "").split(";")[0], "application/json", "content type")
    with Raw(g.port) as c:
        r = c.post("/api/request-logs/list/", {})
        ok(r.status == 200 and len(rows(r)) == 7, "POST /api/request-logs/list/", r.status, r.body[:300])
        r = c.get("/api/request-logs/" + ids[0] + "/")
        ok(r.status == 200 and r.json.get("id") == ids[0], "GET one", r.status, r.body[:300])
        s = r.json
        eq((s.get("log_type"), s.get("completion_tokens"), s.get("customer_identifier"), s.get("status_code")), ("chat", 1, "c-0", 200), "its fields")
        ok(json.loads(s.get("input") or "0") == MESSAGES and json.loads(s.get("output") or "{}").get("content") == "".join(words(1)),
           "with its bodies, as strings of JSON", s.get("input"), s.get("output"))
        eq(c.get("/api/request-logs/" + ids[0]).status, 200, "GET one without the last slash")
        r = c.get("/api/request-logs/" + "0" * 32 + "/")
        eq((r.status, bool(r.json)), (404, True), "an unknown id: 404")
        r = c.get("/api/request-logs/not-an-id/")
        ok(r.status in (400, 404), "an id that is none", r.status)
    exported = {s["id"]: s for s in g.export()}
    s = g.get("/api/request-logs/" + ids[1] + "/").json
    same = [k for k in ("model", "status", "latency", "time_to_first_token", "prompt_tokens", "completion_tokens", "timestamp", "start_time", "cost",
                        "end_reason", "prompt_messages", "completion_message") if s.get(k) != exported[ids[1]].get(k)]
    eq(same, [], "API and command line say the same")


def paging():
    got, seen = None, []
    for page in range(1, 9):
        r = g.get("/api/request-logs/?page_size=3&page=%d" % page)
        if r.status != 200 or not rows(r):
            break
        got = r.json
        ok(len(rows(r)) <= 3, "page %d holds at most 3" % page)
        seen += [x["id"] for x in rows(r)]
        if not got.get("next"):
            break
    eq((len(seen), len(set(seen))), (7, 7), "all pages together: each span once")
    stamps = [s["timestamp"] for s in rows(g.get("/api/request-logs/?page_size=100"))]
    eq(stamps, sorted(stamps, reverse=True), "the newest first")
    r = g.get("/api/request-logs/?page_size=3").json
    ok("count" in r and r.get("next"), "count and next", {k: v for k, v in r.items() if k != "results"})
    nxt = r["next"] or ""
    ok(nxt.startswith("http://127.0.0.1:%d/" % g.port), "next is a link that can be followed", nxt)
    r = g.get(nxt[nxt.index("/", 8):]) if "/" in nxt[8:] else None
    ok(r is not None and r.status == 200 and len(rows(r)) == 3, "and followed gives the next page", r and r.status)
    r = g.get("/api/request-logs/?page=99&page_size=3")
    eq((r.status, rows(r)), (200, []), "a page past the end is empty")
    for q in ("page=0", "page=x", "page_size=-1", "page_size=99999999999999999999"):
        r = g.get("/api/request-logs/?" + q)
        ok(r.status in (200, 400, 404, 422), "odd paging %s does no harm" % q, r.status)


def not_there_yet():
    with Raw(g.port) as c:
        for method, path, body in (("POST", "/api/prompts/", {"name": "m"}), ("POST", "/api/caches/", {}),
                                   ("GET", "/api/limit-policies/", None)):
            r = c.ask(method, path, [("Content-Type", "application/json")] if body is not None else [], None if body is None else json.dumps(body).encode())
            eq((r.status, bool(r.error.get("message") or r.json)), (501, True), "%s %s: 501" % (method, path))
    eq(len(p.requests), 7, "none of it went to the provider")


def while_writing():
    """A list that is read slowly holds nobody up."""
    with Raw(g.port, rcvbuf=4096) as slow:
        slow.send(slow.request_bytes("GET", "/api/request-logs/?page_size=1000"))
        got = parallel(10, lambda i: chat(g, "n=2").status)
        eq(got, [200] * 10, "chats go through while a reader of the API is slow")
    eq(len(g.spans(17)), 17, "and their spans come")


p = Provider()
g = Gateway(p)
main(at_once, lists, paging, not_there_yet, while_writing)
