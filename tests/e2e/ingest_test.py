#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans that others send: created one by one, by batch and as traces, under every name of their members; sent again,
changed, deleted; while the store is locked, the journal full, the gateway killed."""
import gzip
import hashlib
import hmac
import sqlite3
from decimal import Decimal

from harness import *

CREATE, BATCH, TRACES = "/api/request-logs/", "/api/request-logs/batch/create", "/api/v1/traces/ingest"

CHAT_SPAN = {"model": "gpt-4o", "input": [{"role": "system", "content": "You are a helpful assistant."},
                                          {"role": "user", "content": "What is machine learning?"}],
             "output": {"role": "assistant", "content": "Machine learning is a subset of artificial intelligence..."}}
EXAMPLES = {
    "chat": json.dumps(CHAT_SPAN),
    "image": '{"model":"gpt-4-vision-preview","input":[{"role":"user","content":[{"type":"text","text":"What do you see in this image?"},'
             '{"type":"image_url","image_url":{"url":"https://example.com/image.png","detail":"auto"}}]}],'
             '"output":{"role":"assistant","content":"This image shows..."}}',
    "thinking": '{"model":"claude-sonnet-4-20250514","max_tokens":16000,"thinking":{"type":"enabled","budget_tokens":10000},'
                '"messages":[{"role":"user","content":"Prove there are infinitely many primes p where p mod 4 = 3."}],'
                '"output":{"role":"assistant","content":"…","reasoning_content":"Let me","thinking_blocks":'
                '[{"type":"thinking","thinking":"…","signature":"…"}]}}',
    "variables": '{"model":"gpt-4o","input":[{"content":"Please develop an optimized Python function to {{task_description}}, '
                 'utilizing {{specific_library}}.","role":"user"}],"output":{"role":"assistant","content":"…"},'
                 '"variables":{"task_description":"Square a number","specific_library":"math"}}',
    "tools": '{"model":"gpt-4","input":[{"role":"user","content":"What\'s the weather in Boston?"},{"role":"assistant","content":null,'
             '"tool_calls":[{"id":"call_abc123","type":"function","function":{"name":"get_current_weather","arguments":'
             '"{\\"location\\": \\"Boston, MA\\"}"}}]}],"output":{"role":"assistant","content":"The current weather in Boston is 72°F '
             'and sunny."},"tools":[{"type":"function","function":{"name":"get_current_weather","description":"Get the current weather in '
             'a given location","parameters":{"type":"object","properties":{"location":{"type":"string","description":"City and state, '
             'e.g. San Francisco, CA"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["location"]}}}]}',
    "embedding": '{"log_type":"embedding","model":"text-embedding-3-small","input":"something to embed","output":'
                 '[-0.006929283495992422,-0.005336422007530928,-4.547132266452536e-05,-0.024047505110502243],"latency":0.323887338}',
    "transcription": '{"log_type":"transcription","model":"whisper-1","input":{"audio_url":"https://example.com/audio.mp3",'
                     '"filename":"recording.mp3"},"output":"Hello, how can I help you today?"}',
    "speech": '{"log_type":"speech","model":"tts-1","input":"Hello, how can I help you today?","output":'
              '{"audio_url":"https://example.com/output.mp3","filename":"response.mp3"}}',
}
THINKING = json.dumps({k: v for k, v in json.loads(EXAMPLES["thinking"]).items() if k != "output"})      # it is asked of the gateway
ADDED = {   # the fragments of the examples, each on top of the chat
    "customer": {"customer_identifier": "user_123"},
    "customer_params": {"customer_params": {"customer_identifier": "user_123", "name": "Alice", "email": "alice@example.com"}},
    "metadata": {"metadata": {"feature": "chatbot", "version": "2.1", "env": "prod"}},
    "custom": {"custom_identifier": "req_abc123"}, "thread": {"thread_identifier": "conv_abc123"},
    "environment": {"environment": "staging"}, "prices": {"prompt_unit_price": 2.50, "completion_unit_price": 10.00},
    "feedback": {"positive_feedback": True}, "pin": {"is_pinned": True},
}
READ_AS = {"customer_params": {"customer_identifier": "user_123", "customer_name": "Alice", "customer_email": "alice@example.com"}}


def post(path, body, headers=None, gateway=None, timeout=30):
    with Raw((gateway or g).port, timeout=timeout) as c:
        return c.post(path, body if isinstance(body, (bytes, str)) else json.dumps(body), list((headers or {}).items()))


def call(method, path, body=None, gateway=None):
    with Raw((gateway or g).port, timeout=30) as c:
        return c.ask(method, path, [("Content-Type", "application/json")], json.dumps(body) if body is not None else None)


def created(body, headers=None, path=CREATE):
    r = post(path, body, headers)
    ok(r.status == 200, "a span is taken", r.status, r.body[:400])
    return r.json


def one(ident, gateway=None):
    return json.loads((gateway or g).get("/api/request-logs/%s/" % ident).body, parse_float=Decimal)


def listed(query="page_size=1000", gateway=None):
    r = (gateway or g).get("/api/request-logs/list/?" + query)
    return r.json["results"] if r.status == 200 else [{"id": None, "status": r.status, "body": r.body[:200]}]


def inner(text):
    """input and output are read as text: what they hold, its numbers with every digit."""
    if not isinstance(text, str) or text[:1] not in '{["':
        return text
    return json.loads(text, parse_float=Decimal)


def examples():
    ids = {}
    for name, text in EXAMPLES.items():
        answer = created(text.encode())
        ids[name] = answer["id"]
        ok(answer["id"] == answer["unique_id"] and re.fullmatch("[0-9a-f]{32}", answer["id"]) and isinstance(answer["message"], str),
           name + ": the answer has a message, and its id twice", answer)
    exported = {s["id"]: s for s in g.export()}
    in_list = {s["id"]: s for s in listed()}
    for name, text in EXAMPLES.items():
        sent, got = json.loads(text, parse_float=Decimal), one(ids[name])
        want_in, want_out = sent.get("input", sent.get("messages")), sent["output"]
        eq((inner(got["input"]), inner(got["output"])), (want_in, want_out), name + ": input and output as they were sent")
        eq(got["model"], sent["model"], name + ": model")
        eq(got["log_type"], sent.get("log_type", "chat"), name + ": log type")
        ok(ids[name] in in_list and ids[name] in exported, name + ": it is in the list and the export")
        listing = in_list[ids[name]]
        eq((inner(listing["input"]), inner(listing["output"])), (want_in, want_out), name + ": the list says the same")
        both = [k for k in ("model", "log_type", "latency", "timestamp", "cost", "prompt_messages", "variables", "tools")
                if json.loads(json.dumps(exported[ids[name]].get(k))) != json.loads(json.dumps(got.get(k), default=float))]
        eq(both, [], name + ": get and export say the same")
    tools, emb, var = one(ids["tools"]), one(ids["embedding"]), one(ids["variables"])
    eq(tools["tools"][0]["function"]["parameters"]["properties"]["unit"]["enum"], ["celsius", "fahrenheit"], "tools are kept whole")
    eq(tools["prompt_messages"][1]["tool_calls"][0]["id"], "call_abc123", "a call in the input is part of its message")
    ok("-4.547132266452536e-05" in emb["output"], "numbers keep every digit", emb["output"])
    eq(emb["latency"], Decimal("0.323887"), "latency in µs")
    eq(var["variables"], {"task_description": "Square a number", "specific_library": "math"}, "variables")
    think = one(ids["thinking"])
    eq(think["completion_message"]["thinking_blocks"][0]["type"], "thinking", "thinking blocks are part of the message")
    for name, more in ADDED.items():
        ident = created(dict(CHAT_SPAN, usage={"prompt_tokens": 1000, "completion_tokens": 100}, **more))["id"]
        got = one(ident)
        for where, row in (("list", next((s for s in listed() if s["id"] == ident), {})), ("export", next((s for s in g.export() if s["id"] == ident), {}))):
            eq({k: row.get(k) for k in READ_AS.get(name, more)}, READ_AS.get(name, more), "%s: from the %s" % (name, where))
        for k, v in READ_AS.get(name, more).items():
            v = Decimal(str(v)) if isinstance(v, float) else v
            ok(got.get(k) == v, "%s: %s" % (name, k), got.get(k), v)
        if name == "prices":
            eq((got["cost"], got["cost_source"]), (Decimal("0.0035"), "unit_price"), "2.50 and 10.00 USD for a million tokens")


def by_gateway():
    """The examples of requests that pass through, as printed: their members are on the span, and the provider sees none of them."""
    asked, heads = json.loads(THINKING), [("Authorization", "Bearer sk-theirs"), ("x-fake", "reason=3")]
    with Raw(g.port) as c:
        r = c.post(CHAT, THINKING, heads)
    s = g.span(r)
    eq((r.status, p.last.json, s["input"], s["max_tokens"], s["thinking"]), (200, asked, asked["messages"], 16000, asked["thinking"]),
       "thinking: it goes on as it came, and is kept")
    eq(s["output"], r.json["choices"][0]["message"], "thinking: with the answer's message")
    for name, more in ADDED.items():
        with Raw(g.port) as c:
            r = c.post(CHAT, chat_body(**more), heads)
        s, want = g.span(r), READ_AS.get(name, more)
        eq((p.last.json, {k: s.get(k) for k in want}), (chat_body(), want), name + ": through the gateway")


def answers():
    a = created({"model": "gpt-4o", "input": "x", "output": "y", "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                 "prompt_tokens_details": {"cached_tokens": 4}}, "cost": 0.25, "latency": 1.5, "ttft": 0.5, "status_code": 429,
                 "customer_identifier": "c1", "timestamp": "2026-11-20T12:00:01.5Z"})
    eq((a["usage"]["prompt_tokens"], a["usage"]["completion_tokens"], a["usage"]["total_tokens"],
        a["usage"]["prompt_tokens_details"]["cached_tokens"]), (10, 5, 15, 4), "the answer's usage")
    eq((a["cost"], a["latency"], a["time_to_first_token"], a["status"], a["status_code"], a["customer_identifier"], a["environment"],
        a["prompt_cache_hit_tokens"]), (0.25, 1.5, 0.5, "error", 429, "c1", "prod", 4), "and what else it tells")
    ok(a["timestamp"].startswith("2026-11-20T12:00:01.5"), "its time", a["timestamp"])
    got = one(a["id"])
    ok(got["start_time"].startswith("2026-11-20T12:00:00"), "start is end less latency", got["start_time"])
    a = created(b'{"model":"m","of_mine":{"a":\n [1.50]},"another":"x"}')
    text = g.get("/api/request-logs/%s/" % a["id"]).body
    ok(b'"of_mine":{"a":[1.50]}' in text and b'"another":"x"' in text, "unknown members are read back as they were sent", text[-300:])
    s = next((x for x in g.export() if x["id"] == a["id"]), {})
    eq((s.get("of_mine"), s.get("another")), ({"a": [1.5]}, "x"), "also from the export, each span on a line")
    for block in (True, False):
        for controls in ("respan_api_controls", "keywordsai_api_controls"):
            a = created(dict(CHAT_SPAN, **{controls: {"block": block}}))
            if block:
                eq(one(a["id"]).get("id"), a["id"], "block: it can be read once it is answered")
            else:
                ok(wait_until(lambda: g.get("/api/request-logs/%s/" % a["id"]).status == 200), "no block: it can be read soon")
    for body, member in (('{"model":"m","latency":"soon"}', "latency"), ('{"model":"m","prompt_tokens":1.5}', "prompt_tokens"),
                         ('{"model":"m","metadata":[1]}', "metadata"), ('{"model":"m","timestamp":"yesterday"}', "timestamp"),
                         ('{"model":"m","model":"n"}', "model"), ('[1]', ""), ('{"model":"m","cost":NaN}', ""), ("{", ""), ('"x"', "")):
        r = post(CREATE, body)
        j = r.json if r.body else {}
        ok(r.status == 400 and "error" in j and "detail" in j and (not member or member in j), "%s: 400 that names %s" % (body, member or "no member"),
           r.status, r.body[:300])


def batches():
    def result(r):
        return r.json if r.status in (200, 400) else {"status": r.status, "text": r.body[:300]}
    spans = [dict(CHAT_SPAN, custom_identifier="batch-%d" % i, log_type=("chat", "embedding", "tool", "WORKFLOW")[i % 4]) for i in range(5000)]
    r = post(BATCH, {"logs": spans}, timeout=90)
    got = result(r)
    ok(r.status == 200 and len(got["results"]) == 5000 and all(x["status"] == "success" for x in got["results"]) and
       len({x["id"] for x in got["results"]}) == 5000, "5,000 in one batch", r.status, r.body[:300])
    ok(wait_until(lambda: g.get("/api/request-logs/%s/" % got["results"][-1]["id"]).status == 200, 30), "the last one can be read")
    s = one(got["results"][1234]["id"])
    eq((s["custom_identifier"], s["log_type"]), ("batch-1234", "tool"), "each under the id that is told for it")
    eq(post(BATCH, {"logs": spans + [CHAT_SPAN]}, timeout=90).status, 400, "5,001: 400")
    r = post(BATCH, {"logs": [CHAT_SPAN, json.dumps(CHAT_SPAN), {"model": "m", "latency": "x"}, 7, "no json"]})
    got = result(r)
    ok(r.status == 200 and [x["status"] for x in got["results"]] == ["success", "success", "error", "error", "error"] and
       [(e["index"], e["member"]) for e in got["errors"]] == [(2, "latency"), (3, None), (4, None)], "some bad: the good ones are taken", got)
    eq(inner(one(got["results"][1]["id"])["input"]), CHAT_SPAN["input"], "JSON in a string is read")
    r = post(BATCH, {"logs": [{"latency": "x"}, 3]})
    ok(r.status == 400 and len(r.json["errors"]) == 2 and "detail" in r.json, "all bad: 400", r.status, r.body[:300])
    eq(post(BATCH, {"logs": {}}).status, 400, "logs that are no list: 400")
    eq((post(BATCH, {"logs": []}).status, post(BATCH, {"logs": []}).json["results"]), (200, []), "no logs: none taken")


def trace_spans(trace, n=2, **more):
    return [dict(CHAT_SPAN, trace_unique_id=trace, span_unique_id="%s-%d" % (trace, i), span_name="s%d" % i, span_workflow_name="w",
                 **dict({"span_parent_id": trace + "-0"} if i else {}, **more)) for i in range(n)]


def traces():
    for i, path in enumerate((TRACES, "/api/integrations/v1/traces/ingest", "/v1/traces/ingest", "/api/openai/v1/traces/ingest",
                              "/api/traces/ingest/", "/api/v1/traces/ingest/")):
        for wrapped in (False, True):
            ids = ["t%d%d" % (i, wrapped), "u%d%d" % (i, wrapped)]
            spans = trace_spans(ids[0]) + trace_spans(ids[1], 1)
            r = post(path, {"data": spans} if wrapped else spans)
            j = r.json if r.body else {}
            ok(r.status == 200 and (j["status"], j["ingested_spans"], j["ingested_count"], j["created_traces"], sorted(j["trace_ids"]), j["errors"],
               j["success"]) == ("ok", 3, 3, 2, ids, [], True) and isinstance(j["message"], str),
               "%s, %s" % (path, "in data" if wrapped else "a list"), r.status, r.body[:400])
    s = [x for x in listed("page_size=1000") if x.get("trace_unique_id") == "t00"]
    eq(sorted((x["span_unique_id"], x.get("span_parent_id") or "", x["span_name"], x["log_method"]) for x in s),
       [("t00-0", "", "s0", "tracing_integration"), ("t00-1", "t00-0", "s1", "tracing_integration")], "read back")
    r = post(TRACES, [dict(CHAT_SPAN, trace_unique_id="t")])
    ok(r.status == 400 and r.json["errors"][0]["member"] == "span_unique_id", "a span of a trace needs its id", r.body[:300])
    eq(post(TRACES, {"datum": []}).status, 400, "neither a list nor data: 400")


def exporter():
    """What @keywordsai/exporter-vercel sends."""
    span = {"start_time": "2026-11-20T10:00:00.000Z", "timestamp": "2026-11-20T10:00:01.500Z", "error_message": "", "status_code": 200,
            "prompt_messages": [{"role": "user", "content": "Hi"}], "completion_message": {"role": "assistant", "content": "Hello"},
            "completion_tokens": 3, "prompt_tokens": 5, "customer_email": "", "customer_name": "", "customer_identifier": "default_user",
            "field_name": "data: ", "delimiter": "\n\n", "disable_log": False, "request_breakdown": False, "disable_fallback": False,
            "log_type": "text", "metadata": {"userId": "default_user", "span_type": "ai.generateText.doGenerate"}, "latency": 0.500000001,
            "time_to_first_token": 0.7, "trace_unique_id": "0af7651916cd43dd8448eb211c80319c", "span_unique_id": "b7ad6b7169203331",
            "span_name": "ai.generateText.doGenerate", "thread_identifier": "default_user", "model": "gpt-4o", "stream": False, "tools": [],
            "environment": "prod", "is_test": False}
    r = post("/api/integrations/v1/traces/ingest", [span], {"User-Agent": "node", "accept-encoding": "gzip, deflate"})
    ok(r.status == 200 and r.json["ingested_spans"] == 1, "it is taken", r.status, r.body[:300])
    s = one(r.json["results"][0]["id"])
    eq((s["log_type"], s["prompt_tokens"], s["completion_tokens"], s["customer_identifier"], s["span_name"], s["status"], s["error_message"]),
       ("text", 5, 3, "default_user", "ai.generateText.doGenerate", "success", ""), "and read back")
    eq((inner(s["input"]), inner(s["output"])), (span["prompt_messages"], span["completion_message"]), "input and output come from the messages")
    eq((s["start_time"][:23], s["timestamp"][:23]), ("2026-11-20T10:00:00.000", "2026-11-20T10:00:01.500"), "its times")


def customers():
    code, out, err = g.run("customers", "--format", "json", "--all", "--nameless")
    return {(r["customer_identifier"], r["environment"]): (r["requests"], r["total_tokens"], Decimal(str(r["cost"])))
            for r in json.loads(out, parse_float=Decimal)} if code == 0 else err


def totals():
    """What the customers list must be: counted over the rows that are there."""
    out = collections.defaultdict(lambda: [0, 0, Decimal(0)])
    for s in g.export():
        if s.get("billable") is False:
            continue
        cell = out[s.get("customer_identifier") or "", s.get("environment") or ""]
        cell[0] += 1
        cell[1] += s.get("total_request_tokens") or 0
        cell[2] += Decimal(str(s.get("cost") or 0))
    return {k: tuple(v) for k, v in out.items()}


def again():
    a = created(dict(CHAT_SPAN, customer_identifier="again", cost=1, usage={"prompt_tokens": 7, "completion_tokens": 1}), {"Idempotency-Key": "k1"})
    b = created(dict(CHAT_SPAN, customer_identifier="again", cost=2, usage={"prompt_tokens": 9, "completion_tokens": 1}), {"Idempotency-Key": "k1"})
    eq(b["id"], a["id"], "the same Idempotency-Key: the same id")
    s = one(a["id"])
    eq((s["cost"], s["prompt_tokens"]), (2, 9), "the last write wins")
    c = created(dict(CHAT_SPAN, customer_identifier="again", cost=4), {"Idempotency-Key": "k2"})
    ok(c["id"] != a["id"], "another key: another span")
    eq(len([x for x in listed() if x.get("customer_identifier") == "again"]), 2, "two rows of three posts")
    first = post(TRACES, trace_spans("again", 2, customer_identifier="traced", cost=1)).json["results"]
    second = post(TRACES, trace_spans("again", 3, customer_identifier="traced", cost=5)).json["results"]
    rows = {x["span_unique_id"]: x for x in listed() if x.get("trace_unique_id") == "again"}
    eq((sorted(rows), [rows[k]["cost"] for k in sorted(rows)]), (["again-0", "again-1", "again-2"], [5, 5, 5]), "the same span again: one row")
    eq([rows["again-%d" % i]["id"] for i in range(2)], [x["id"] for x in first], "under its first id")
    eq(one(second[0]["id"])["id"], first[0]["id"], "and found under the later one")
    eq(customers(), totals(), "the customers' sums are those of the rows")


def changed(ident):
    s = one(ident)
    return {k: s.get(k) for k in ("note", "positive_feedback", "is_pinned", "custom_identifier", "metadata", "blurred")}


def changes():
    a = created(dict(CHAT_SPAN, custom_identifier="before", metadata={"a": "1", "b": "2"}, customer_identifier="changer", cost=3))
    b = created(dict(CHAT_SPAN, custom_identifier="other", metadata={"a": "9"}))
    r = call("PATCH", "/api/request-logs/%s/" % a["id"], {"note": "good", "positive_feedback": True, "is_pinned": True,
                                                         "custom_identifier": "after", "metadata": {"b": "3", "c": 4}})
    want = {"note": "good", "positive_feedback": True, "is_pinned": True, "custom_identifier": "after", "blurred": None,
            "metadata": {"a": "1", "b": "3", "c": "4"}}
    ok(r.status == 200 and r.json.get("id") == a["id"] and r.json.get("note") == "good", "PATCH answers with the changed span", r.status, r.body[:200])

    def there(when):
        got = changed(a["id"])
        got["blurred"] = got["blurred"] or None
        eq(got, want, "the change can be read" + when)
        row = next((x for x in listed() if x["id"] == a["id"]), {})
        eq((row.get("note"), row.get("custom_identifier"), row.get("metadata")), ("good", "after", want["metadata"]), "also in the list" + when)
        for query, count in (("metadata__b=3", 1), ("metadata__c=4", 1), ("metadata__b=2", 0), ("custom_identifier=after", 1),
                             ("custom_identifier=before", 0)):
            eq(len([x for x in listed("page_size=1000&" + query) if x["id"] in (a["id"], b["id"])]), count, "filter %s%s" % (query, when))
    there("")
    r = call("PATCH", "/api/request-logs/batch-update/", {"logs": [
        {"unique_id": b["id"], "note": "b", "positive_feedback": False}, {"unique_id": "0" * 32, "note": "nobody"}]})
    ok(r.status == 200 and r.json["updated"] == 1 and r.json["not_found"] == ["0" * 32], "batch-update", r.status, r.body[:300])
    eq((changed(b["id"])["note"], changed(b["id"])["positive_feedback"]), ("b", False), "and its effect")
    r = call("PATCH", "/api/request-logs/batch-update/", {"logs": [{"unique_id": b["id"], "note": "half"}, {"unique_id": a["id"], "note": 7}]})
    eq((r.status, r.json["error"], changed(b["id"])["note"]), (400, "logs[1].note: must be a string or null", "b"), "one wrong value: nothing of the batch is changed")
    for body in ({}, {"model": "x"}, {"note": 7}, {"is_pinned": None}, {"metadata": "x"}, []):
        eq(call("PATCH", "/api/request-logs/%s/" % a["id"], body).status, 400, "PATCH %s: 400" % json.dumps(body))
    eq(call("PATCH", "/api/request-logs/%s/" % ("0" * 32), {"note": "x"}).status, 404, "PATCH of nothing: 404")
    call("PATCH", "/api/request-logs/%s/" % b["id"], {"custom_identifier": None})
    eq((changed(b["id"])["custom_identifier"], len(listed("custom_identifier=other"))), (None, 0), "custom_identifier null takes away what was sent too")
    for query in ("custom_identifier[operator]=isnull", "custom_identifier[operator]=empty", "custom_identifier="):
        ok(b["id"] in {x["id"] for x in listed("page_size=1000&" + query)}, "and it is found as one without: " + query)
    ok(b["id"] not in {x["id"] for x in listed("page_size=1000&custom_identifier[operator]=isnull&custom_identifier[value]=false")}, "not as one with it")
    r = call("DELETE", "/api/request-logs/%s/" % b["id"])
    eq((r.status, r.body), (204, b""), "DELETE: 204")
    r = call("DELETE", "/api/request-logs/%s/" % b["id"])
    eq((r.status, r.json.get("detail")), (404, "Log not found"), "again: 404")
    ok(g.get("/api/request-logs/%s/" % b["id"]).status == 404 and b["id"] not in {x["id"] for x in listed()}, "it is gone")
    eq(customers(), totals(), "the customers' sums are those of the rows that are left")
    g.stop()
    g.start()
    there(" after a restart")
    eq(g.get("/api/request-logs/%s/" % b["id"]).status, 404, "what was deleted stays away after a restart")


def early():
    """A change of a gateway's span whose stream is still open."""
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Authorization", "Bearer k"), ("x-fake", "n=6; delay=150"), ("Content-Type", "application/json")],
                               json.dumps(chat_body(True)).encode()))
        r = c.head()
        ident = r.get("x-spangate-span-id")
        patch = call("PATCH", "/api/request-logs/%s/" % ident, {"note": "while it ran", "metadata": {"k": "v"}})
        eq(patch.status, 202, "PATCH of a span that is not there yet: 202")
        c.body(r)
    s = g.span(r)
    eq((s.get("note"), s.get("metadata")), ("while it ran", {"k": "v"}), "it is applied when the span comes")


def sizes():
    text = "x" * (19 * 1024 * 1024)
    a = created(json.dumps({"model": "m", "input": text, "output": "y"}))
    got = g.get("/api/request-logs/%s/" % a["id"])
    ok(got.status == 200 and got.json["input"].strip('"') == text, "19 MiB are stored and read back", got.status, len(got.body))
    r = post(CREATE, json.dumps({"model": "m", "input": "x" * (20 * 1024 * 1024), "output": "y"}))
    ok(r.status == 413 and "detail" in r.json, "over 20 MiB: 413", r.status, r.body[:200])
    r = post(BATCH, {"logs": [{"model": "m", "input": "x" * (20 * 1024 * 1024)}, CHAT_SPAN]}, timeout=60)
    ok(r.status == 200 and r.json["errors"][0]["index"] == 0 and len(r.json["errors"]) == 1, "in a batch it is that one's error", r.status, r.body[:200])


def texts_off():
    a = created(dict(CHAT_SPAN, disable_log=True, usage={"prompt_tokens": 5, "completion_tokens": 6}, metadata={"k": "v"}, extra_one=1))
    s = one(a["id"])
    eq((s.get("input") or None, s.get("output") or None, s.get("prompt_messages") or None), (None, None, None), "disable_log: no texts")
    eq((s["prompt_tokens"], s["metadata"]), (5, {"k": "v"}), "but the measures")
    found = [f for f in g.data_files() if "journal" not in f and b"machine learning" in open(f, "rb").read().lower()]
    eq(found and "a body that was not to be kept", [], "nor in the store's files")


def locked():
    lock = sqlite3.connect(os.path.join(g.data, "spans.db"), isolation_level=None, timeout=5)
    lock.execute("BEGIN EXCLUSIVE")
    t = time.monotonic()
    r = post(CREATE, dict(CHAT_SPAN, custom_identifier="locked"))
    took = time.monotonic() - t
    ok(r.status in (200, 202) and took < 15 * SLOW, "the store is locked: it answers after a while (%.1f s)" % took, r.status, r.body[:200])
    b = post(BATCH, {"logs": [dict(CHAT_SPAN, custom_identifier="locked-%d" % i, respan_api_controls={"block": False}) for i in range(3)],
                     "respan_api_controls": {"block": False}})
    eq(b.status, 200, "a batch that does not wait")
    lock.execute("COMMIT")
    lock.close()
    want = [r.json["id"]] + [x["id"] for x in b.json["results"]]
    ok(wait_until(lambda: all(g.get("/api/request-logs/%s/" % i).status == 200 for i in want), 20), "nothing is lost")


def journal_full():
    h = Gateway(p, {"journal": {"max_bytes": "64MiB"}, "threads": 1})
    lock = sqlite3.connect(os.path.join(h.data, "spans.db"), isolation_level=None, timeout=5)
    lock.execute("BEGIN EXCLUSIVE")
    taken, full = [], None
    for i in range(40):
        r = post(CREATE, {"model": "m", "input": "y" * (4 << 20), "custom_identifier": "full-%d" % i, "respan_api_controls": {"block": False}}, gateway=h)
        if r.status == 429:
            full = r
            break
        if r.status == 200:
            taken.append(r.json["id"])
    ok(full is not None and full.get("retry-after") == "1" and "detail" in full.json, "a full journal: 429 with retry-after", full and (full.headers, full.body[:200]), len(taken))
    ok(taken, "after some were taken", len(taken))
    lock.execute("COMMIT")
    lock.close()
    ok(wait_until(lambda: all(h.get("/api/request-logs/%s/" % i).status == 200 for i in taken), 30), "those that were taken are all there")
    ok(wait_until(lambda: post(CREATE, CHAT_SPAN, gateway=h).status == 200, 20), "and there is room again")
    h.destroy()


def coded():
    """Bodies that come compressed, as other gateways send them."""
    spans = [dict(CHAT_SPAN, trace_unique_id="coded", span_unique_id="s%d" % i, cost=0.5) for i in range(3)]
    for path, body in ((CREATE, CHAT_SPAN), (BATCH, {"logs": [CHAT_SPAN]}), (TRACES, spans)):
        r = post(path, gzip.compress(json.dumps(body).encode()), {"Content-Encoding": "gzip"})
        eq(r.status, 200, "gzip at " + path)
    eq(len(call("GET", "/api/request-logs/?trace_unique_id=coded").json["results"]), 3, "they are there")
    good = gzip.compress(json.dumps(spans).encode())
    for what, body, coding, status in (("cut off", good[:-9], "gzip", 400), ("damaged", b"x" + good, "gzip", 400), ("no coding", good, "lzma", 415),
                                       ("a bomb", gzip.compress(b"[" + b" " * (101 << 20) + b"]"), "gzip", 413)):
        r = post(TRACES, body, {"Content-Encoding": coding})
        ok(r.status == status and "detail" in r.json, "%s: %d" % (what, status), r.status, r.body[:200])


def broken():
    """An error that told no usage cost nothing, but for a call that another gateway says broke off: that is not known."""
    for more, cost in (({}, 0), ({"end_reason": "complete"}, 0), ({"end_reason": "interrupted"}, None), ({"end_reason": "interrupted", "cost": 0}, 0)):
        r = post(CREATE, dict({"model": "gpt-4o", "input": "q", "status_code": 500}, **more))
        eq((r.status, r.json["cost"]), (200, cost), "an error costs %r where it says %s" % (cost, more))


def environments():
    h = Gateway(p, {"keys": [{"id": "k1", "environment": "test", "sha256": KEY_HASH}]})
    r = post(CREATE, dict(CHAT_SPAN, environment="staging"), {"Authorization": "Bearer " + KEY}, gateway=h)
    ok(r.status == 200 and r.json["environment"] == "test" and r.json["warnings"], "the key's environment counts, with a warning", r.status, r.body[:300])
    eq(post(CREATE, CHAT_SPAN, gateway=h).status, 401, "without a key: 401")
    eq(post(CREATE, CHAT_SPAN, {"Authorization": "Bearer no"}, gateway=h).status, 401, "with a wrong one: 401")
    h.destroy()


KEY = "sg-first-key-0123456789abcdef"
KEY_HASH = hmac.new(b"spangate-key", KEY.encode(), hashlib.sha256).hexdigest()
p = Provider()
g = Gateway(p)
main(examples, by_gateway, answers, batches, traces, exporter, again, changes, early, sizes, texts_off, coded, broken, locked, journal_full, environments)
