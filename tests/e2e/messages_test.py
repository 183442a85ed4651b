#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Anthropic's Messages API: what goes on to the provider, and what the span says."""
from harness import *

PATH = "/v1/messages"
MESSAGES = [{"role": "user", "content": "Hello"}]
HEADS = [("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-1,b-2"), ("anthropic-beta", "c-3")]


def post(body, heads=(), fake="", path=PATH, **kw):
    with Raw(g.port) as c:
        return c.post(path, dict({"model": "claude", "max_tokens": 64, "messages": MESSAGES}, **body),
                      HEADS + list(heads) + [("x-fake", fake)], **kw)


def full(s):
    return json.loads(g.run("spans", "get", s["id"], "--format", "json")[1])[0]


def keys():
    for name, value in (("x-api-key", "sk-ant-1"), ("Authorization", "Bearer sk-ant-2")):
        r = post({}, [(name, value)])
        other = "Authorization" if name == "x-api-key" else "x-api-key"
        eq((r.status, p.last.header(name), p.last.header(other)), (200, value, None), "%s goes on, alone" % name)
        eq(p.last.header("anthropic-version"), "2026-10-21", "with anthropic-version")
        eq(p.last.header_all("anthropic-beta"), ["a-1,b-2", "c-3"], "and each anthropic-beta")
        s = full(g.span(r))
        heads = s.get("request_headers") or {}
        eq((heads.get("anthropic-version"), heads.get("anthropic-beta")), ("2026-10-21", "a-1,b-2, c-3"), "both are kept in request_headers")
        ok(value not in json.dumps(s) and "sk-ant" not in json.dumps(s), "the key is not", heads)


def members():
    r = post({"metadata": {"user_id": "user-7", "respan_params": {"customer_identifier": "alice", "thread_identifier": "t1", "metadata": {"plan": "pro"}}},
              "custom_identifier": "c1", "thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 5, "system": "Be kind.",
              "stop_sequences": ["END"], "tools": [{"name": "t", "input_schema": {}}], "tool_choice": {"type": "any"}})
    eq(p.last.json, {"model": "claude", "max_tokens": 64, "messages": MESSAGES, "metadata": {"user_id": "user-7"},
                     "thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 5, "system": "Be kind.", "stop_sequences": ["END"],
                     "tools": [{"name": "t", "input_schema": {}}], "tool_choice": {"type": "any"}}, "only the gateway's own members are cut")
    s = g.span(r)
    eq([s.get(k) for k in ("customer_identifier", "thread_identifier", "custom_identifier", "metadata")],
       ["alice", "t1", "c1", {"plan": "pro"}], "and stand in the span")
    eq([s.get(k) for k in ("thinking", "top_k", "stop", "tool_choice", "max_tokens")],
       [{"type": "enabled", "budget_tokens": 1024}, 5, ["END"], {"type": "any"}, 64], "with the request's")
    eq(s.get("input"), [{"role": "system", "content": "Be kind."}] + MESSAGES, "input: the system and the messages")
    r = post({"metadata": {"user_id": "user-7"}})
    eq(p.last.json["metadata"], {"user_id": "user-7"}, "metadata.user_id goes on")
    eq(g.span(r).get("customer_identifier"), "user-7", "and is the customer where none is named")


def plain():
    r = post({}, fake="n=6; reason=3")
    s = full(g.span(r))
    eq([s.get(k) for k in ("log_type", "model", "stream", "status", "finish_reason", "response_id", "service_tier")],
       ["chat", "claude-2026-08-01", False, "success", "end_turn", r.json["id"], "standard"], "a plain answer")
    eq([s.get(k) for k in ("prompt_tokens", "completion_tokens", "total_request_tokens", "prompt_cache_hit_tokens", "prompt_cache_creation_tokens")],
       [24, 9, 33, 4, 3], "prompt_tokens holds what the cache gave and took")
    eq(s.get("usage"), r.json["usage"], "usage is Anthropic's")
    eq(s.get("output"), {"role": "assistant", "content": "".join(words(6)), "reasoning_content": "".join(words(3, 3)),
                         "thinking_blocks": [r.json["content"][0]]}, "output")
    eq(s.get("full_response"), r.json, "full_response")


def streamed():
    for split in ("event", "byte", "rand", "whole"):
        r = post({"stream": True}, fake="n=8; reason=2; role=10; first=60; delay=5; split=" + split)
        s = full(g.span(r))
        eq((s.get("output") or {}).get("content"), "".join(words(8)), "a stream put together, sent by " + split)
        eq((s.get("output") or {}).get("reasoning_content"), "".join(words(2, 3)), "and its thinking")
        eq([s.get(k) for k in ("stream", "status", "finish_reason", "usage_source", "prompt_tokens", "completion_tokens")],
           [True, "success", "end_turn", "provider", 24, 10], "finish and usage")
        if split == "event":
            near(s.get("time_to_first_token"), 0.060, 0.03 * SLOW, "the first token is neither message_start nor ping")
        one = full(g.span(post({}, fake="n=8; reason=2; id=%d" % int(r.events()[0]["message"]["id"][4:]))))
        eq(s.get("full_response"), one.get("full_response"), "full_response is what it would have been unstreamed")
    r = post({"stream": True}, fake="tools=1")
    s = g.span(r)
    eq([(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in s.get("tool_calls") or []],
       [("get_weather", {"city": "Zürich", "days": 3}), ("get_time", {"tz": "CET"})], "tool calls put together")
    eq(s.get("finish_reason"), "tool_use", "finish_reason")


def errors():
    s = g.span(post({}, fake="status=529; message=Overloaded"))
    eq([s.get(k) for k in ("status", "status_code", "error_message")], ["error", 529, "Overloaded"], "an error body")
    r = post({"stream": True}, fake="error=5")
    s = g.span(r)
    eq([s.get(k) for k in ("status", "status_code", "error_message", "usage_source", "prompt_tokens", "completion_tokens")],
       ["error", 200, "Overloaded", "estimated", 24, 4], "an error event: what was told, and the output counted")
    ok((s.get("output") or {}).get("content"), "the half answer is kept", s.get("output"))
    r = post({"stream": True}, fake="cut=5")
    s = g.span(r)
    eq([s.get(k) for k in ("status", "status_code", "end_reason", "completion_tokens")], ["error", 502, "upstream_cut", 4], "cut off")


def count_tokens():
    r = post({}, path=PATH + "/count_tokens")
    s = g.span(r)
    eq([s.get(k) for k in ("log_type", "status", "output", "prompt_tokens", "usage", "billable")],
       ["other", "success", {"input_tokens": 2095}, None, None, False], "count_tokens: a span that no figure counts")


p = Provider()
g = Gateway(None, {"providers": {"ant": {"api": "anthropic", "base_url": p.url}}})
main(keys, members, plain, streamed, errors, count_tokens)
