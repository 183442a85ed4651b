#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which provider takes a request, under which path and with which key."""
from harness import *


def providers_and_routes():
    a, b, c = Provider(), Provider(), Provider()
    g = Gateway(None, {"providers": {"first": {"api": "openai", "base_url": a.url + "/v1"},
                                     "second": {"api": "openai", "base_url": b.url + "/custom/base", "default": True, "api_key": "sk-second"},
                                     "ant": {"api": "anthropic", "base_url": c.url}},
                       "routes": [{"model": "claude-*", "provider": "ant"}, {"model": "*mini", "provider": "first"}]})

    def post(path, model="m", heads=()):
        with Raw(g.port) as s:
            return s.post(path, {"model": model, "messages": []}, list(heads))

    def took(p, target, what):
        ok(p.requests and p.last.target == target, what, [(n, q.target) for n, x in (("a", a), ("b", b), ("c", c)) for q in x.requests[-1:]])
        for x in (a, b, c):
            x.clear()
    post(CHAT)
    eq(b.requests and b.last.header("authorization"), "Bearer sk-second", "the provider's own key")
    took(b, "/custom/base/chat/completions", "/v1/x goes to base_url/x of the default provider")
    post(CHAT, "gpt-mini")
    took(a, CHAT, "a route by the model's end")
    post(CHAT, "claude-3")
    took(c, "/v1/chat/completions", "a route to an Anthropic-style provider: base_url/v1/x")
    post("/v1/messages", "claude-3", [("anthropic-version", "2023-06-01"), ("x-api-key", "k")])
    eq(c.requests and (c.last.header("x-api-key"), c.last.header("anthropic-version")), ("k", "2023-06-01"), "Anthropic's headers go on")
    took(c, "/v1/messages", "/v1/messages goes to the Anthropic one")
    for path in ("/anthropic/v1/messages", "/api/anthropic/v1/messages"):
        post(path, "x")
        took(c, "/v1/messages", path)
    with Raw(g.port) as s:
        s.get("/v1/models", [("anthropic-version", "2023-06-01")])
        took(c, "/v1/models", "/v1/models with anthropic-version")
        s.get("/v1/models")
        took(b, "/custom/base/models", "and without")
    post("/first/v1/chat/completions", "claude-3")
    took(a, CHAT, "a named provider takes it whatever the model")
    post("/ant/v1/messages?beta=true", "x")
    took(c, "/v1/messages?beta=true", "a named Anthropic one, with its query")
    for path in ("/api/chat/completions", "/chat/completions", "/api/v1/chat/completions"):
        r = post(path, "m")
        note("%s: %s %s" % (path, r.status, [q.target for x in (a, b, c) for q in x.requests]))
        for x in (a, b, c):
            x.clear()
    g.destroy()


def keys_by_kind():
    p = Provider()
    g = Gateway(None, {"providers": {
        "azure": {"api": "openai", "base_url": p.url + "/openai/deployments/d1", "auth": "api-key", "api_key": "az", "api_version": "2024-10-21"},
        "ant": {"api": "anthropic", "base_url": p.url, "api_key": "an"},
        "bear": {"api": "openai", "base_url": p.url + "/v1", "api_key": "be"}}})
    with Raw(g.port) as s:
        s.post("/azure/v1/chat/completions", chat_body(), [("Authorization", "Bearer client"), ("x-api-key", "client")])
        q = p.last
        eq((q.target, q.header("api-key"), q.header("authorization"), q.header("x-api-key")),
           ("/openai/deployments/d1/chat/completions?api-version=2024-10-21", "az", None, None), "Azure: api-key and api-version, nothing of the client's keys")
        s.post("/azure/v1/chat/completions?api-version=x&a=b", chat_body())
        eq(p.last.target, "/openai/deployments/d1/chat/completions?api-version=x&a=b", "a request's own api-version stays")
        s.post("/azure/v1/chat/completions?a=b", chat_body())
        eq(p.last.target, "/openai/deployments/d1/chat/completions?a=b&api-version=2024-10-21", "beside another query")
        s.post("/ant/v1/messages", {"model": "c", "messages": []}, [("Authorization", "Bearer client")])
        eq((p.last.header("x-api-key"), p.last.header("authorization")), ("an", None), "Anthropic: x-api-key")
        s.post("/bear/v1/chat/completions", chat_body(), [("x-api-key", "client"), ("api-key", "client")])
        eq((p.last.header("authorization"), p.last.header("x-api-key"), p.last.header("api-key")), ("Bearer be", None, None), "Bearer")
    g.destroy()


def addresses():
    p = Provider()
    g = Gateway(None, {"providers": {"named": {"api": "openai", "base_url": "http://localhost:%d" % p.port}}})
    r = chat(g, "n=2")
    eq((r.status, p.last.target), (200, CHAT), "a name with several addresses; a base_url without path gets /v1")
    ok(g.wait_log("/v1", 1), "with a log line", g.lines[-5:])
    s = g.span(r)
    ok((s.get("breakdown") or {}).get("resolve") is not None and (s.get("breakdown") or {}).get("connect") is not None, "its span has the times of name and connection", s.get("breakdown"))
    g.destroy()


main(providers_and_routes, keys_by_kind, addresses)
