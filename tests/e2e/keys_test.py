#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys, Host and Origin, and that secrets stay out of every file and log line."""
import hashlib
import hmac
import re

from harness import *

KEY, OTHER = "sg-first-key-0123456789abcdef", "sg-second-key-0123456789abcdef"


def digest(text):
    return hmac.new(b"spangate-key", text.encode(), hashlib.sha256).hexdigest()


def with_keys():
    p = Provider()
    g = Gateway(p, {"keys": [{"id": "app1", "environment": "prod", "sha256": digest(KEY)},
                             {"id": "app2", "environment": "test", "sha256": digest(OTHER)}]},
                provider_config={"api_key": "sk-provider-owned"})
    for name, heads in (("Bearer", [("Authorization", "Bearer " + KEY)]), ("x-api-key", [("X-Api-Key", KEY)]),
                        ("api-key", [("api-key", KEY)]), ("x-spangate-key", [("X-Spangate-Key", KEY)])):
        with Raw(g.port) as c:
            r = c.post(CHAT, chat_body(), heads)
        eq(r.status, 200, "a key as " + name)
        q = p.last
        eq(q.header("authorization"), "Bearer sk-provider-owned", name + ": the provider's key goes upstream")
        ok(KEY not in repr(q.headers), name + ": and ours does not", q.headers)
        eq(g.span(r).get("environment"), "prod", name + ": the key's environment")
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(environment="prod"), [("Authorization", "Bearer " + OTHER)])
    s = g.span(r)
    eq(s.get("environment"), "test", "the second key's environment wins over the request's")
    before = len(p.requests)
    for heads in ([], [("Authorization", "Bearer wrong")], [("Authorization", "Basic " + KEY)], [("X-Spangate-Key", KEY[:-1])],
                  [("Authorization", "Bearer " + KEY + "x")]):
        with Raw(g.port) as c:
            r = c.post(CHAT, chat_body(), heads)
        eq((r.status, bool(r.error.get("message")), KEY in r.body.decode()), (401, True, False), "refused: %r" % (heads,))
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Expect", "100-continue"), ("Content-Length", "10")]))
        r = c.answer()
        eq((r.status, r.interim), (401, []), "no 100 Continue for the unauthorised")
    eq(len(p.requests), before, "none of them reached the provider")
    for path in ("/api/request-logs/", "/metrics"):
        code = g.get(path).status
        note("%s without a key: %d" % (path, code))
        if path.startswith("/api"):
            eq(code, 401, path + " without a key")
    r = g.get("/api/request-logs/", [("Authorization", "Bearer " + KEY)])
    eq(r.status, 200, "the API with a key")
    g.destroy()


def own_provider_key():
    p = Provider()
    g = Gateway(p, {"keys": [{"id": "app1", "sha256": digest(KEY)}]})
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(), [("X-Spangate-Key", KEY), ("Authorization", "Bearer sk-clients-own")])
    eq((r.status, p.last.header("authorization")), (200, "Bearer sk-clients-own"), "with X-Spangate-Key the client's Authorization goes on")
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(), [("Authorization", "Bearer " + KEY)])
    ok(r.status == 401 and "fake" in r.error.get("message", "") and "api_key" in r.error.get("message", ""),
       "no provider key from anywhere: 401 names the provider and the setting", r.status, r.body)
    g.destroy()


def own_key_replaces():
    p = Provider()
    g = Gateway(p, provider_config={"api_key": "sk-provider-owned"})
    with Raw(g.port) as c:
        c.post(CHAT, chat_body(), [("Authorization", "Bearer sk-client")])
    eq(p.last.header_all("authorization"), ["Bearer sk-provider-owned"], "a configured key takes the place of the client's")
    g.destroy()


def open_to_the_world():
    p = Provider()
    g = Gateway(p, {"listen": "0.0.0.0:0"}, start=False)
    g.start(wait=False)
    code = g.wait(10)
    ok(code not in (0, None) and any("allow_open" in ln or "key" in ln for ln in g.lines), "open beyond loopback without keys: refuses to start, and says why", code, g.lines[-3:])
    g.destroy()


def host_and_origin():
    p = Provider()
    g = Gateway(p)
    g.span(chat(g))                         # the store is there
    for host, origin, fine in (("127.0.0.1:%d" % g.port, None, True), ("localhost:%d" % g.port, None, True), ("LOCALHOST", None, True),
                               ("evil.example", None, False), ("127.0.0.1.evil.example", None, False),
                               ("localhost", "http://evil.example", False), ("localhost", "http://localhost:3000", True), ("localhost", "null", False)):
        heads = [("Host", host)] + ([("Origin", origin)] if origin else [])
        with Raw(g.port) as c:
            r = c.ask("POST", CHAT, heads, json.dumps(chat_body()).encode())
        ok((r.status == 200) == fine and (fine or r.status in (403, 421)), "Host %s, Origin %s: %s" % (host, origin, "taken" if fine else "refused"), r.status, r.body)
        with Raw(g.port) as c:
            r = c.ask("GET", "/api/request-logs/", heads)
        ok((r.status == 200) == fine, "the same for the API", r.status, r.body, g.lines[-3:])
    g.destroy()


def canaries():
    """One canary in each place where a secret can stand; then every file and every log line is searched."""
    places = {}

    def canary(where):
        c = "CANARY%sx%d" % (re.sub(r"\W", "", where), time.time_ns())
        places[c] = where
        return c
    p = Provider()
    g = Gateway(p, {"log_level": "debug"} if os.environ.get("TEST_DEBUG_LOG") else None)

    sent = 0

    def send(headers=(), body=None, path=CHAT, fake="n=2"):
        nonlocal sent
        sent += 1
        with Raw(g.port) as c:
            return c.post(path, body if body is not None else chat_body(), [("x-fake", fake)] + list(headers))
    h = canary
    for fake in ("n=2", "status=401", "cut=head"):
        send([("Authorization", "Bearer " + h("authorization")), ("X-Api-Key", h("x-api-key")), ("api-key", h("api-key")),
              ("X-Goog-Api-Key", h("x-goog")), ("Cookie", "session=" + h("cookie")), ("X-Custom-Secret", h("unknown header")),
              ("Proxy-Authorization", "Basic " + h("proxy")), ("OpenAI-Token", h("odd header"))], fake=fake)
    send([("X-Spangate-Key", h("x-spangate-key"))])
    for member in ("customer_credentials", "credential_override", "customer_api_keys"):
        send(body=chat_body(**{member: {"openai": {"api_key": h(member)}}}))
        send(body=chat_body(respan_params={member: {"openai": h("nested " + member)}}))
        send(body=chat_body(extra_body={member: {"openai": h("extra " + member)}}))
        send(body=chat_body(True, **{member: [h("list " + member), {"a": h("deep " + member)}]}))
        send([("X-Data-Respan-Params", json.dumps({member: {"k": h("header " + member)}}))])
    for q in ("key", "api-key", "api_key", "access_token"):
        send(path=CHAT + "?a=1&%s=%s&b=2" % (q, h("query " + q)))
    secret = h("echoed by the provider")
    send([("Authorization", "Bearer " + secret)], fake="status=401; message=Incorrect API key provided: %s." % secret)
    secret = h("echoed by the provider, x-api-key")
    send([("x-api-key", secret)], fake="status=401; message=bad key %s" % secret)
    send(body=b'{"model":"m","customer_credentials":{"k":"' + h("broken body").encode() + b'"')
    eq(bool(p.requests), True, "requests went through")
    g.spans(sent, 10)
    spans = json.dumps(g.export())
    g.kill9()                               # what is on the disk now is what a thief would find
    log = "\n".join(g.lines)
    found = {}
    for f in g.data_files():
        with open(f, "rb") as inp:
            data = inp.read()
        for c, where in places.items():
            if c.encode() in data:
                found.setdefault(where, set()).add(os.path.basename(f))
    for c, where in places.items():
        if c in log:
            found.setdefault(where, set()).add("the log")
        if c in spans:
            found.setdefault(where, set()).add("the spans")
    found.pop("broken body", None) and note("a credential whose value itself broke off is journaled as it is")
    for where in sorted(set(places.values()) - {"broken body"}):
        if where in found:
            ok(False, "no trace of the secret in: " + where, found[where])
    ok(not found, "%d canaries, no trace of any in the data directory, the log or the spans" % len(places))
    g.destroy()


def canaries_with_keys():
    p = Provider()
    g = Gateway(p, {"keys": [{"id": "app1", "sha256": digest(KEY)}]}, provider_config={"api_key": "sk-CANARYprovider"})
    for heads in ([("Authorization", "Bearer " + KEY)], [("X-Spangate-Key", KEY), ("Authorization", "Bearer CANARYclient")], [("Authorization", "Bearer CANARYwrong")]):
        with Raw(g.port) as c:
            c.post(CHAT, chat_body(), heads + [("x-fake", "status=401; message=Incorrect API key provided: sk-CANARYprovider")])
    g.spans(2)
    spans = json.dumps(g.export())
    g.kill9()
    data = b"".join(open(f, "rb").read() for f in g.data_files()) + "\n".join(g.lines).encode() + spans.encode()
    ok(b"CANARY" not in data and KEY.encode() not in data, "neither our keys nor the provider's are written anywhere",
       re.findall(rb"[^\n]{0,60}CANARY\w*", data)[:3])
    g.destroy()


def canary_in_a_cut_body():
    """A body that never becomes whole is kept as far as it came, less its credentials."""
    p = Provider()
    g = Gateway(p)
    body = b'{"model":"m","customer_credentials":{"openai":{"api_key":"CANARY-cut-0123456789"}},"messages":[{"role":"user","content":"half'
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Content-Length", "5000")]) + body)
        ok(wait_until(lambda: g.metrics()[0].sum("spangate_held_body_bytes") >= len(body), 5), "the half is there")
    s = g.span()
    eq(s.get("end_reason"), "client_disconnected", "a cut body has a span")
    eq([f for f in g.data_files() if b"CANARY-cut" in open(f, "rb").read()], [], "and no trace of the credential in the data directory")
    ok("CANARY-cut" not in json.dumps(s), "or in the span")
    g.destroy()


main(canary_in_a_cut_body, with_keys, own_provider_key, own_key_replaces, open_to_the_world, host_and_origin, canaries, canaries_with_keys)
