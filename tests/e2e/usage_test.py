#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage that the gateway asks for: of chat and of completions, hidden from the client, and asked no more where a
provider refuses it."""
import fake_provider
from harness import *

COMPLETIONS = "/v1/completions"
OPENAI = (400, {"error": {"message": "Unrecognized request argument supplied: stream_options", "type": "invalid_request_error",
                          "param": None, "code": None}})
FASTAPI = (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"],
                             "msg": "Extra inputs are not permitted", "input": {"include_usage": True}}]})
OTHER = (400, {"error": {"message": "max_tokens is too large", "type": "invalid_request_error", "param": "max_tokens"}})
BOTH = {"chat": CHAT, "completion": COMPLETIONS}


class RefusingConnection(fake_provider.Connection):
    """Answers with Provider.left, one for each request that comes with stream_options, or with Provider.always; else
    as ever. Streams completions too."""

    def stream(self, req, fake, body):
        if self.p.always or (self.p.left and "stream_options" in body):
            return self.refuse(req, self.p.always or self.p.left.pop(0), body)
        return super().stream(req, fake, body)

    def plain(self, req, fake, body=None):
        if isinstance(body, dict) and body.get("stream") and req.target == COMPLETIONS:
            return self.stream(req, fake, body)
        return super().plain(req, fake, body)

    def refuse(self, req, how, body):
        status, answer = how
        if answer is None:      # as some do: the request is in the error
            answer = {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": body}]}
        data = json.dumps(answer).encode()
        self.head(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
        self.put(data)
        return True

    def events(self, req, fake, body):
        for when, event in super().events(req, fake, body):
            if req.target == COMPLETIONS and event.startswith(b"data: {"):
                obj = json.loads(event[6:])
                obj["object"] = "text_completion"
                for c in obj["choices"]:
                    c["text"] = c.pop("delta").get("content", "")
                event = b"data: " + json.dumps(obj).encode() + b"\n\n"
            yield when, event


class RefusingProvider(Provider):
    connection = RefusingConnection


def ask(h, path, more=None):
    body = {"model": "gpt-test", "stream": True, **({"messages": MESSAGES} if path == CHAT else {"prompt": "Hi"}), **(more or {})}
    before = len(p.requests)
    with Raw(h.port) as c:
        r = c.post(path, body, [("x-fake", "n=4")])
    return r, p.requests[before:]


def asked(q):
    return "stream_options" in q.json


def hidden():
    for name, path in BOTH.items():
        r, q = ask(g, path)
        eq(q[0].json.get("stream_options"), {"include_usage": True}, name + ": usage is asked for")
        ok(b"usage" not in r.body and len(r.events()) == 7, name + ": and hidden", r.body[-400:])
        s = g.span(r)
        eq((s.get("completion_tokens"), s.get("usage_source")), (4, "provider"), name + ": and on the span")
        r, q = ask(g, path, {"stream_options": {"include_usage": True}})
        eq((r.events()[-2].get("usage") or {}).get("completion_tokens"), 4, name + ": a client that asks gets it")


def refused():
    for name, path in BOTH.items():
        for kind, how in (("400", OPENAI), ("422", FASTAPI)):
            what = "%s, %s: " % (name, kind)
            h = Gateway(p)
            p.left = [how]
            r, q = ask(h, path)
            eq((r.status, [asked(x) for x in q]), (200, [True, False]), what + "sent again without stream_options")
            ok(len(r.events()) == 7, what + "the client sees the stream only", r.body[:400])
            s = h.span(r)
            eq([(a.get("attempt"), a.get("status")) for a in s.get("attempts") or []], [(1, how[0]), (2, 200)],
               what + "both attempts are on the span")
            eq((s.get("status"), s.get("status_code"), "stream_options" in (s.get("full_request") or {})), ("success", 200, False),
               what + "which tells what went last")
            p.left = [how]
            r, q = ask(h, path)
            eq((r.status, [asked(x) for x in q]), (200, [False]), what + "remembered")
            p.left = []
            h.destroy()


def not_refused():
    for name, path in BOTH.items():
        p.left = [OTHER]
        r, q = ask(g, path)
        eq((r.status, r.json, len(q)), (400, OTHER[1], 1), name + ": an error that names something else goes to the client")
        r, q = ask(g, path)
        eq([asked(x) for x in q], [True], name + ": and the next stream is asked")
        p.left = [OPENAI]
        r, q = ask(g, path, {"stream_options": {"include_usage": True}})
        eq((r.status, r.json, len(q)), (400, OPENAI[1], 1), name + ": so does a refusal of what the client put in")


def repeated():
    """An error that repeats the whole request names stream_options too: they were not what was wrong."""
    p.always = (422, None)
    r, q = ask(g, CHAT)
    eq((r.status, [asked(x) for x in q]), (422, [True, False]), "the same error without them goes to the client")
    ok("stream_options" not in r.body.decode(), "as the last attempt has it", r.body[:300])
    p.always = None
    r, q = ask(g, CHAT)
    eq([asked(x) for x in q], [True], "and the provider is asked again")


def books():
    code, out, err = g.run("verify")
    ok(code == 0, "spangate verify: the books balance", out, err)


p = RefusingProvider()
p.left, p.always = [], None
g = Gateway(p)
main(hidden, refused, not_refused, repeated, books)
