#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A span for each request, and what it says."""
import base64
import json

from harness import *

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]


def fields(s, **want):
    for k, v in want.items():
        eq(s.get(k), v, "%s %r" % (k, v) if not isinstance(v, (dict, list)) else k)


def plain_chat():
    body = chat_body(temperature=0.25, top_p=1, max_tokens=64, user="user-7", tools=TOOLS, tool_choice="auto",
                     response_format={"type": "text"}, seed=12345678901234567890, stop=["x"], n=1)
    with Raw(g.port) as c:
        r = c.post(CHAT, body, [("x-fake", "n=6; first=40"), ("Authorization", "Bearer sk-1")])
    s = g.span(r)
    fields(s, id=r.get("x-spangate-span-id"), log_type="chat", model="gpt-test-2026-08-01", provider_id="fake",
           status="success", status_code=200, end_reason="complete", finish_reason="stop", stream=False,
           prompt_tokens=17, completion_tokens=6, total_request_tokens=23, prompt_cache_hit_tokens=4,
           usage_source="provider", environment="prod", customer_identifier="user-7", error_message="",
           temperature=0.25, top_p=1, max_tokens=64, stop=["x"], tool_choice="auto", tools=TOOLS,
           response_format={"type": "text"}, service_tier="default")
    eq(s.get("input"), MESSAGES, "input is the messages")
    eq(s.get("prompt_messages"), MESSAGES, "prompt_messages")
    out = s.get("output")
    out = json.loads(out) if isinstance(out, str) and out.startswith("{") else out
    eq((out or {}).get("content"), "".join(words(6)), "output is the assistant's message")
    eq((s.get("completion_message") or {}).get("role"), "assistant", "completion_message")
    full = json.loads(g.run("spans", "get", s["id"], "--format", "json")[1])
    full = full[0] if isinstance(full, list) else full
    eq(full.get("full_response"), r.json, "full_response")
    eq((full.get("full_request") or {}).get("seed"), 12345678901234567890, "full_request keeps big numbers")
    eq((s.get("usage") or {}).get("total_tokens"), 23, "usage.total_tokens")
    eq(s.get("time_to_first_token"), None, "time_to_first_token is null when not streamed")
    near(s.get("latency"), 0.061, 0.04 * SLOW, "latency")
    near(s.get("tokens_per_second"), 6 / (s.get("latency") or 1), 1, "tokens_per_second = completion tokens / latency")
    ok(isinstance(s.get("overhead"), (int, float)) and 0 <= s["overhead"] < 0.05 * SLOW, "overhead", s.get("overhead"))
    ok(isinstance(s.get("routing_time"), (int, float)) and s["routing_time"] >= 0, "routing_time", s.get("routing_time"))
    ok(isinstance(s.get("breakdown"), dict) and "first_byte" in s["breakdown"], "breakdown", s.get("breakdown"))
    ok(isinstance(s.get("attempts"), list) and len(s["attempts"]) == 1, "attempts", s.get("attempts"))
    ok((s.get("timestamp") or "") > (s.get("start_time") or "~"), "timestamp is after start_time", s.get("timestamp"))
    eq((s.get("cost"), s.get("cost_source")), ((s["prompt_tokens"] + 2 * s["completion_tokens"]) / 1e6, "user_table"),
       "cost by the price file")
    eq(s.get("request_url_path"), CHAT, "request_url_path")


def streamed_chat():
    r = chat(g, "n=8; role=10; first=60; delay=10", True)
    s = g.span(r)
    fields(s, log_type="chat", stream=True, status="success", status_code=200, end_reason="complete", finish_reason="stop",
           model="gpt-test-2026-08-01", prompt_tokens=17, completion_tokens=8, usage_source="provider")
    out = s.get("output")
    eq(out and out.get("content"), "".join(words(8)), "the stream put together")
    near(s.get("time_to_first_token"), 0.060, 0.03 * SLOW, "time_to_first_token is the first content")
    near(s.get("latency"), 0.130, 0.05 * SLOW, "latency")
    ok(isinstance(s.get("inter_token"), dict) and {"p50", "p99", "max"} <= set(s["inter_token"]), "inter_token",
       s.get("inter_token"))
    q = p.last
    eq(q.json.get("stream_options"), {"include_usage": True}, "usage was asked for upstream")
    eq(json.loads(q.body.replace(b',"stream_options":{"include_usage":true}', b"").replace(
        b', "stream_options":{"include_usage":true}', b"")), chat_body(True), "and nothing else was changed")
    ev = r.events()
    ok(not any(isinstance(e, dict) and "usage" in e for e in ev), "and hidden from the client", r.body[-500:])
    eq((len(ev), ev[-1], text_of(ev)), (11, "[DONE]", "".join(words(8))), "all else is there")


def usage_asked_by_client():
    body = chat_body(True, stream_options={"include_usage": True})
    with Raw(g.port) as c:
        r = c.post(CHAT, body, [("x-fake", "n=3")])
    eq(p.last.json, body, "a client that asks: its request goes as it is")
    eq(r.events()[-2].get("usage", {}).get("completion_tokens"), 3, "and it gets its usage chunk")
    ok(all("usage" in e for e in r.events()[:-1]), "and the usage: null members")
    for opts in ({}, None, {"include_usage": False}, {"include_obfuscation": False}):
        r = chat(g, "n=3", True, stream_options=opts)
        eq((p.last.json.get("stream_options") or {}).get("include_usage"), True, "asked with stream_options %s" % json.dumps(opts))
        ok(b"usage" not in r.body and len(r.events()) == 6, "hidden with stream_options %s" % json.dumps(opts), r.body[-400:])
    chat(g, "n=3", True, stream_options={"include_obfuscation": False})
    eq(p.last.json.get("stream_options", {}).get("include_obfuscation"), False, "other stream options stay")
    r = chat(g, "n=200; split=rand", True)
    ok(b"usage" not in r.body and text_of(r.events()) == "".join(words(200)), "hidden when the stream comes in odd pieces")
    r = chat(g, "n=20; frame=sized", True)
    ok(b"usage" not in r.body and r.end in ("chunked", "close") and len(r.events()) == 23,
       "a sized answer that is filtered becomes chunked", r.end, len(r.events()))
    r = chat(g, "n=3; crlf=1", True)
    ok(b"usage" not in r.body and b"\r\n\r\n" in r.body and len(r.events()) == 6, "hidden with CRLF line ends", r.body[-300:])


def usage_left():
    h = Gateway(p, provider_config={"usage": "leave"})
    r = chat(h, "n=3; usage=on", True)
    eq(p.last.json.get("stream_options"), None, "usage: leave asks nothing")
    ok(len(r.events()) == 7 and "usage" in r.events()[-2], "and hides nothing", r.body[-300:])
    eq(h.span(r).get("completion_tokens"), 3, "and uses what came")
    h.destroy()


def refused_usage():
    h = Gateway(p)
    r = chat(h, "n=3; refuse=stream_options", True)
    eq((r.status, len(r.events())), (200, 6), "a provider that refuses stream_options is asked again without")
    before = len(p.requests)
    r = chat(h, "n=3; refuse=stream_options", True)
    eq((r.status, len(p.requests) - before), (200, 1), "and that is remembered")
    h.destroy()


def own_members():
    own = {"customer_identifier": "cust-1", "thread_identifier": "th-1", "custom_identifier": "cu-1", "group_identifier": "gr-1",
           "trace_unique_id": "tr-1", "span_name": "step one", "span_parent_id": "par-1", "span_workflow_name": "wf",
           "customer_params": {"customer_identifier": "lower", "name": "Ann", "email": "ann@example.org"},
           "metadata": {"feature": "x", "n": 1.50, "flag": True, "none": None, "list": [1, {"a": 2}]},
           "properties": {"n": 2, "b": False}}
    want = dict(customer_identifier="cust-1", thread_identifier="th-1", custom_identifier="cu-1", group_identifier="gr-1",
                trace_unique_id="tr-1", span_name="step one", span_parent_id="par-1", span_workflow_name="wf",
                customer_name="Ann", customer_email="ann@example.org")
    ways = {
        "top level": (dict(chat_body(), **own), []),
        "respan_params": (dict(chat_body(), respan_params=own), []),
        "keywordsai_params": (dict(chat_body(), keywordsai_params=own), []),
        "extra_body": (dict(chat_body(), extra_body=own), []),
        "header, base64": (chat_body(), [("X-Data-Respan-Params", base64.b64encode(json.dumps(own).encode()).decode())]),
        "header, JSON": (chat_body(), [("X-Data-Respan-Params", json.dumps(own))]),
        "old header": (chat_body(), [("X-Data-Keywordsai-Params", base64.b64encode(json.dumps(own).encode()).decode())]),
    }
    for way, (body, heads) in ways.items():
        with Raw(g.port) as c:
            r = c.post(CHAT, body, heads)
        eq(p.last.json, chat_body(), way + ": nothing of it goes upstream")
        s = g.span(r)
        eq({k: s.get(k) for k in want}, want, way + ": on the span")
        eq(s.get("metadata"), {"feature": "x", "n": "1.5", "flag": "true", "list": '[1,{"a":2}]'},
           way + ": metadata as texts, null dropped")
        eq(s.get("properties"), {"n": 2, "b": False}, way + ": properties keep their types")
    with Raw(g.port) as c:
        r = c.post(CHAT, dict(chat_body(), customer_identifier="top", respan_params={"customer_identifier": "mid", "group_identifier": "mid"},
                              extra_body={"group_identifier": "low", "thread_identifier": "low"}),
                   [("X-Data-Respan-Params", json.dumps({"thread_identifier": "head", "custom_identifier": "head"}))])
    s = g.span(r)
    eq([s.get(k) for k in ("customer_identifier", "group_identifier", "thread_identifier", "custom_identifier")],
       ["top", "mid", "low", "head"], "strength: top level, respan_params, extra_body, header")
    with Raw(g.port) as c:
        r = c.post(CHAT, dict(chat_body(), fallback_models=["a"], cache_enabled=True, retry_params={}, load_balance_group={"group_id": "x"}))
    eq(p.last.json, chat_body(), "members of functions that are not there yet are cut")
    w = g.span(r).get("warnings")
    ok(isinstance(w, dict) and "fallback_models" in json.dumps(w) and "retry_params" in json.dumps(w), "and named in warnings", w)
    with Raw(g.port) as c:
        r = c.post(CHAT, dict(chat_body(), thinking={"type": "enabled"}, prompt="text", unknown_member=[1, {"customer_identifier": "deep"}]))
    eq(p.last.json, dict(chat_body(), thinking={"type": "enabled"}, prompt="text", unknown_member=[1, {"customer_identifier": "deep"}]),
       "thinking, a text prompt and what is deeper down stay")


def metadata_rules():
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(store=True, metadata={"a": "b"}))
        eq(p.last.json.get("metadata"), {"a": "b"}, "metadata goes upstream with store: true")
        eq(g.span(r).get("metadata"), {"a": "b"}, "and is on the span")
        c.post(CHAT, chat_body(metadata={"a": "b"}))
        eq("metadata" in p.last.json, False, "without store it does not")
        c.post("/v1/responses", {"model": "m", "input": "hi", "metadata": {"a": "b"}, "customer_identifier": "x"})
        eq(p.last.json, {"model": "m", "input": "hi", "metadata": {"a": "b"}}, "on /responses it stays")


def odd_identities():
    long = "\u00e4\U0001f600" * 200
    r = chat(g, customer_identifier=long)
    s = g.span(r)
    eq(s.get("customer_identifier"), long[:254], "customer_identifier is cut at 254 code points")
    ok(s.get("warnings"), "with a warning", s.get("warnings"))
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(), [("X-Respan-Customer-Identifier", "from-header")])
    eq(g.span(r).get("customer_identifier"), "from-header", "X-Respan-Customer-Identifier")
    r = chat(g, environment="test")
    eq(g.span(r).get("environment"), "test", "environment without keys is what the request says")


def disable_log():
    secret = "unloggable-%d" % time.time_ns()
    body = {"model": "gpt-test", "disable_log": True, "messages": [{"role": "user", "content": secret}]}
    with Raw(g.port) as c:
        r = c.post(CHAT, body, [("x-fake", "n=7")])
    eq("disable_log" in p.last.json, False, "disable_log is cut")
    s = g.span(r)
    eq((s.get("status"), s.get("completion_tokens")), ("success", 7), "its span has counts")
    ok(not any(s.get(k) for k in ("input", "output", "prompt_messages", "completion_message", "full_request", "full_response")),
       "and no bodies", {k: s.get(k) for k in ("input", "output", "full_request")})
    ok(secret not in json.dumps(s), "nor the text anywhere in it")


def log_bodies_off():
    h = Gateway(p, {"log_bodies": "off"})
    s = h.span(chat(h, "n=3"))
    ok(s.get("completion_tokens") == 3 and not s.get("input") and not s.get("output"), "log_bodies: off", s.get("input"))
    h.destroy()


def streams_of_all_kinds():
    s = g.span(chat(g, "tools=1", True, tools=TOOLS))
    calls = s.get("tool_calls") or []
    eq([(c.get("id"), c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls],
       [("call_a", "get_weather", {"city": "Zürich", "days": 3}), ("call_b", "get_time", {"tz": "CET"})],
       "streamed tool calls are put together")
    eq(s.get("finish_reason"), "tool_calls", "finish_reason tool_calls")
    s = g.span(chat(g, "reason=4; n=5; first=20; delay=20", True))
    out = s.get("output") or {}
    eq((out.get("content"), out.get("reasoning_content")), ("".join(words(5)), "".join(words(4, 3))), "reasoning and content apart")
    eq((s.get("reasoning_tokens"), s.get("completion_tokens")), (4, 9), "reasoning tokens")
    near(s.get("time_to_first_token"), 0.020, 0.02 * SLOW, "reasoning is the first token")
    s = g.span(chat(g, "n=4; done=0", True))
    eq((s.get("status"), s.get("finish_reason")), ("success", "stop"), "no [DONE], but a finish_reason: success")
    s = g.span(chat(g, "n=4; finish=0", True))
    eq(s.get("status"), "success", "[DONE] without finish_reason: success")
    s = g.span(chat(g, "n=4; done=0; finish=0; usage=off", True))
    eq(s.get("status"), "error", "neither: not a success")
    s = g.span(chat(g, "n=9; error=3", True))
    eq((s.get("status"), s.get("error_message")), ("error", "The server had an error"), "an error event in a stream")
    eq((s.get("output") or {}).get("content"), "".join(words(9)[:2]), "with what had come")
    s = g.span(chat(g, "n=9; gzip=1", True, headers={"Accept-Encoding": "gzip"}, stream_options={"include_usage": True}))
    eq(((s.get("output") or {}).get("content"), s.get("completion_tokens")), ("".join(words(9)), 9), "a gzip'd stream is read")
    s = g.span(chat(g, "n=3; gzip=1; split=rand", headers={"Accept-Encoding": "gzip"}))
    eq(s.get("completion_tokens"), 3, "a gzip'd plain answer is read")
    s = g.span(chat(g, "n=9; split=byte", True))
    eq(((s.get("output") or {}).get("content"), s.get("completion_tokens")), ("".join(words(9)), 9), "a stream in single bytes")
    s = g.span(chat(g, "n=9; usage=off", True))
    eq((s.get("usage_source"), s.get("completion_tokens"), (s.get("usage") or {}).get("completion_tokens")), ("estimated", 18, 18), "no usage: counted, and said so")
    s = g.span(chat(g, "n=1", True, stream_options={"include_usage": True}))
    eq((s.get("completion_tokens"), s.get("tokens_per_second")), (1, None), "tokens_per_second is null below two tokens")


def other_families():
    with Raw(g.port) as c:
        for path, kind in (("/v1/embeddings", "embedding"), ("/v1/responses", "response"), ("/v1/whatever", "other"),
                           ("/v1/audio/speech", "speech")):
            r = c.post(path, {"model": "m-1", "input": "text of " + kind})
            s = g.span(r)
            ok(s.get("status") == "success" and s.get("log_type") in (kind, "other") and s.get("model") == "m-1" and s.get("input"),
               "a span for " + path, {k: s.get(k) for k in ("status", "log_type", "model", "input")})
        r = c.ask("POST", "/v1/audio/transcriptions", [("Content-Type", "multipart/form-data; boundary=xx")],
                  b'--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--xx\r\n'
                  b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\0\1\2\r\n--xx--\r\n')
        eq((r.status, p.last.body[-9:]), (200, b"\2\r\n--xx--\r\n"[-9:]), "a multipart body goes through")
        eq(g.span(r).get("status"), "success", "and has a span")
        r = c.post(CHAT, b'{"model": "gpt-test", "messages": [', [("Content-Type", "application/json")])
        eq((r.status, p.last.body), (200, b'{"model": "gpt-test", "messages": ['), "a broken JSON body goes through untouched")
        eq(g.span(r).get("status"), "success", "and has a span")
        r = c.post(CHAT, b"\xff\xfe\x00", [])
        eq((p.last.body, g.span(r).get("status")), (b"\xff\xfe\x00", "success"), "and one that is no text at all")


def cut_upstream():
    r = chat(g, "n=9; cut=4", True)
    s = g.span(r)
    eq((r.end, s.get("status"), s.get("end_reason")), ("cut", "error", "upstream_cut"), "a stream cut by the provider")
    eq((s.get("output") or {}).get("content"), "".join(words(9)[:3]), "with the partial text")
    ok(s.get("error_message"), "and a message", s.get("error_message"))


def books():
    code, out, err = g.run("verify")
    ok(code == 0, "spangate verify: the books balance", out, err)


p = Provider()
g = Gateway(p)
main(plain_chat, streamed_chat, usage_asked_by_client, usage_left, refused_usage, own_members, metadata_rules, odd_identities,
     disable_log, log_bodies_off, streams_of_all_kinds, other_families, cut_upstream, books)
