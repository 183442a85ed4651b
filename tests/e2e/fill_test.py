#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prompt variables: {{name}} in a request's texts is filled in on its way, and the span has the template."""
from harness import *

VARIABLES = {"who": 'Ann "Z\u00fcrich" \U0001f3d4\n', "n": 1.5, "flag": True, "list": [1, {"a": "b\"c"}], "none": None}
TEXT = "Hi {{who}} and {{ n }}, {{flag}}, {{list}}, {{none}}, {{other}}."
FILLED = 'Hi Ann "Z\u00fcrich" \U0001f3d4\n and 1.5, true, [1,{"a":"b\\"c"}], {{none}}, {{other}}.'


def full(s):
    return (s.get("full_request") or {})


def ask(path, body, fake="n=3", gateway=None):
    with Raw((gateway or g).port) as c:
        return c.post(path, body, [("x-fake", fake)])


def families():
    parts = [{"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": "https://x.example/{{who}}"}}]
    filled_parts = [dict(parts[0], text=FILLED), parts[1]]
    cases = (
        ("chat", CHAT, {"messages": [{"role": "user", "content": TEXT}, {"role": "user", "content": parts}]},
         {"messages": [{"role": "user", "content": FILLED}, {"role": "user", "content": filled_parts}]}, "messages"),
        ("completion", "/v1/completions", {"prompt": [TEXT, "plain"]}, {"prompt": [FILLED, "plain"]}, "prompt"),
        ("response", "/v1/responses", {"instructions": TEXT, "input": [{"role": "user", "content": TEXT}]},
         {"instructions": FILLED, "input": [{"role": "user", "content": FILLED}]}, None),
        ("messages", "/v1/messages", {"system": TEXT, "messages": [{"role": "user", "content": [parts[0]]}]},
         {"system": FILLED, "messages": [{"role": "user", "content": [filled_parts[0]]}]}, None))
    for name, path, body, want, whole in cases:
        r = ask(path, dict(body, model="gpt-test", variables=VARIABLES))
        eq(p.last.json, dict(want, model="gpt-test"), name + ": filled in on the way, and variables are cut")
        s = g.span(r)
        eq((s.get("variables"), full(s)), (VARIABLES, dict(want, model="gpt-test")), name + ": full_request is what went upstream")
        ok("{{who}}" in json.dumps(s.get("input")), name + ": the input is the template", s.get("input"))
        if whole:
            eq(s.get("input"), body[whole], name + ": as it came")


def bytes_kept():
    body = b'{ "model":"m",\n "messages" : [ {"content":"\\u00e9{{ a }}\\/"} ] , "variables" : {"a":"\\u00e9\\n"},"seed":1.50 }'
    with Raw(g.port) as c:
        c.post(CHAT, body, [("Content-Type", "application/json")])
    eq(p.last.body, b'{ "model":"m",\n "messages" : [ {"content":"\\u00e9\\u00e9\\n\\/"} ] , "seed":1.50 }',
       "nothing but the place changes, byte for byte")


def large():
    """A text of many times what a journal record holds."""
    text = "\u00e4 long text " * 300000
    r = ask(CHAT, chat_body(variables={"t": text}) | {"messages": [{"role": "user", "content": "{{t}}{{t}}{{t}}"}]})
    eq(p.last.json["messages"][0]["content"] == text * 3, True, "a text of 4 MB, three times")
    s = g.span(r)
    ok(full(s).get("messages") == [{"role": "user", "content": text * 3}], "and full_request has it", len(json.dumps(full(s))))


def too_many():
    body = {"model": "m", "messages": [{"role": "user", "content": "{{a}}" * 2000}]}
    r = ask(CHAT, dict(body, variables={"a": 1}))
    eq(p.last.json, body, "more places than are filled in: none is")
    s = g.span(r)
    eq((s.get("status"), list(s.get("warnings") or {})), ("success", ["variables_too_many"]), "with a warning")
    body["messages"][0]["content"] = "{{a}}" * 20
    r = ask(CHAT, dict(body, variables={"a": ["x" * 100000]}))
    eq(p.last.json, body, "lists that are too large: none is")
    eq(list(g.span(r).get("warnings") or {}), ["variables_too_large"], "with a warning")


def not_ours():
    body = {"input": "{{a}}", "prompt": {"id": "pmpt_1", "variables": {"a": "x"}}, "variables": {"a": "y"}}
    ask("/v1/responses", body)
    eq(p.last.json, body, "a call of a prompt that is stored at the provider stays as it is")
    body = chat_body(messages=[{"role": "user", "content": "{{a}}"}])
    ask(CHAT, body)
    eq(p.last.json, body, "without variables nothing is filled in")


def again():
    """Sent again after a refusal, it is filled in as well."""
    h = Gateway(p)
    body = chat_body(True, messages=[{"role": "user", "content": "Hi {{a}}"}], variables={"a": "Ann"})
    r = ask(CHAT, body, "n=3; refuse=stream_options", h)
    eq((r.status, p.last.json), (200, chat_body(True, messages=[{"role": "user", "content": "Hi Ann"}])), "in a second attempt")
    eq(full(h.span(r)), p.last.json, "and so says full_request")
    h.destroy()


def off():
    h = Gateway(p, {"fill_variables": False})
    body = chat_body(messages=[{"role": "user", "content": "Hi {{a}}"}])
    r = ask(CHAT, dict(body, variables={"a": "Ann"}), gateway=h)
    eq(p.last.json, body, "fill_variables: false: cut, but not filled in")
    eq(h.span(r).get("variables"), {"a": "Ann"}, "and on the span")
    h.destroy()


def books():
    code, out, err = g.run("verify")
    ok(code == 0, "spangate verify: the books balance", out, err)


p = Provider()
g = Gateway(config={"providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "usage": "ask"},
                                  "other": {"api": "anthropic", "base_url": p.url}}})
main(families, bytes_kept, large, too_many, not_ours, again, off, books)
