#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The answer is the provider's and the request is the client's: what goes in comes out."""
import json
import os
import socket

from harness import *

REMOVED = {"alt-svc", "strict-transport-security", "connection", "keep-alive", "transfer-encoding", "content-length",
           "proxy-authenticate", "x-hop-answer", "trailer"}
ODD = (b'{ "model" : "gpt-test",\n\t"messages": [{"role":"user","content":"a\\u00e9\\ud83d\\ude00 \xc3\xbc / \\/ "}],'
       b' "seed": 12345678901234567890123, "temperature":-4.547132266452536e-05,"zzz":1E+2 ,"top_p":1.0,'
       b'"unknown":{"b":1,"a":[ ],"b":2} }\n')


def direct_and_through(p, g, fake, method="POST", path=CHAT, body=None, headers=()):
    out = []
    for port in (p.port, g.port):
        with Raw(port) as c:
            heads = [("x-fake", fake), ("Authorization", "Bearer sk-1")] + list(headers)
            out.append(c.ask(method, path, heads, body))
    return out


def bodies():
    d, t = direct_and_through(p, g, "id=1", body=ODD, headers=[("Content-Type", "application/json")])
    eq(t.body, d.body, "a plain answer's bytes")
    eq(p.last.body, ODD, "an odd request body goes upstream byte for byte")
    eq(p.last.header_all("content-length"), [str(len(ODD))], "one content-length, the right one")
    eq((t.status, t.reason), (200, "OK"), "status and reason")
    mine = [h for h in t.headers if not h[0].lower().startswith("x-spangate-") and h[0].lower() not in REMOVED]
    theirs = [h for h in d.headers if h[0].lower() not in REMOVED]
    eq(mine, theirs, "answer headers: order, case, duplicates kept, nothing added")
    eq(t.get("alt-svc"), None, "alt-svc is taken out")
    eq(t.get("strict-transport-security"), None, "strict-transport-security is taken out")
    eq(t.all("x-request-id"), ["req_00000001"], "x-request-id is the provider's, once")
    eq(len(t.all("set-cookie")), 2, "two set-cookie headers stay two")
    span = t.get("x-spangate-span-id") or ""
    ok(len(span) == 32 and not span.strip("0123456789abcdef"), "x-spangate-span-id is 32 hex digits", span)
    d, t = direct_and_through(p, g, "id=1; hop=1", body=ODD)
    ok(not (t.get("x-hop-answer") or t.get("keep-alive") or t.get("proxy-authenticate")),
       "hop-by-hop answer headers and those that Connection names are taken out", t.raw_head)


def request_headers():
    heads = [("Authorization", "Bearer sk-9"), ("X-Custom", "a"), ("X-Custom", "b"), ("OpenAI-Organization", "org"),
             ("Connection", "keep-alive, x-drop-me"), ("x-drop-me", "1"), ("Keep-Alive", "timeout=4"), ("TE", "trailers"),
             ("Proxy-Authorization", "Basic eA=="), ("Accept-Encoding", "br, gzip, dcz, deflate, zstd"), ("X-Empty", ""),
             ("User-Agent", "OpenAI/Python 9"), ("x-stainless-retry-count", "0"), ("Content-Type", "application/json"),
             ("X-Data-Respan-Params", json.dumps({"customer_identifier": "u"})), ("X-Respan-Anything", "1")]
    with Raw(g.port) as c:
        r = c.ask("POST", CHAT, heads, ODD)
    q = p.last
    eq(r.status, 200, "a request with many headers")
    eq(q.header_all("host"), ["127.0.0.1:%d" % p.port], "Host is the provider's")
    eq(q.header_all("x-custom"), ["a", "b"], "duplicate request headers stay")
    eq(q.header("authorization"), "Bearer sk-9", "without keys the client's Authorization goes on")
    eq([q.header(n) for n in ("openai-organization", "user-agent", "x-stainless-retry-count", "content-type")],
       ["org", "OpenAI/Python 9", "0", "application/json"], "ordinary headers go on")
    eq(q.header("x-empty"), "", "an empty header goes on")
    eq([n for n in ("x-drop-me", "keep-alive", "te", "proxy-authorization", "expect") if q.header(n) is not None], [],
       "hop-by-hop request headers are taken out")
    eq([k for k, _ in q.headers if k.lower().startswith(("x-data-", "x-respan-", "x-spangate-"))], [],
       "the gateway's own headers never go upstream")
    ae = {x.strip().split(";")[0] for x in (q.header("accept-encoding") or "").split(",")} - {""}
    eq(ae, {"br", "gzip", "deflate", "zstd"}, "Accept-Encoding holds only what the builder reads")


def targets():
    with Raw(g.port) as c:
        c.post(CHAT + "?a=1&b=%20x&a=2&c", ODD)
        eq(p.last.target, CHAT + "?a=1&b=%20x&a=2&c", "the query goes on as it is")
        r = c.get("/v1/models?limit=3")
        eq((r.status, p.last.method, p.last.target), (200, "GET", "/v1/models?limit=3"), "GET")
        eq((p.last.header("content-length"), p.last.header("transfer-encoding")), (None, None), "a GET gets no body framing")
        r = c.ask("DELETE", "/v1/files/file-1")
        eq((r.status, p.last.method), (200, "DELETE"), "DELETE")
        r = c.get("/v1/some%2Fthing/caf%C3%A9/../x")
        eq(p.last.target, "/v1/some%2Fthing/caf%C3%A9/../x", "an odd path goes on as it is")
        r = c.ask("POST", "http://%s%s" % (c.host, CHAT), [], ODD)
        eq((r.status, p.last.target), (200, CHAT), "absolute-form")
        r = c.post("/fake/v1/chat/completions", ODD)
        eq((r.status, p.last.target), (200, CHAT), "a named provider")
        r = c.ask("POST", "/v1/files", [("Content-Type", "application/octet-stream")], b"")
        eq((r.status, p.last.header("content-length")), (200, "0"), "an empty POST says content-length 0")


def statuses():
    for fake, status in (("status=429; retry-after=3", 429), ("status=500; body=html", 500),
                         ("status=500; body=empty", 500), ("status=401", 401), ("status=418", 418), ("status=529", 529)):
        d, t = direct_and_through(p, g, fake + "; id=1", body=ODD)
        eq((t.status, t.reason, t.body, t.get("retry-after"), t.get("content-type")),
           (status, d.reason, d.body, d.get("retry-after"), d.get("content-type")), "the provider's " + fake)
    with Raw(g.port) as c:
        r = c.ask("HEAD", "/v1/models", [("x-fake", "size=1234")])
        eq((r.status, r.get("content-length"), r.end), (200, "1234", "none"), "HEAD keeps content-length and has no body")
        r = c.ask("DELETE", "/v1/x", [("x-fake", "status=204")])
        eq((r.status, r.body, r.get("content-length"), r.get("transfer-encoding")), (204, b"", None, None), "204")
        r = c.get("/v1/x", [("x-fake", "status=304")])
        eq((r.status, r.body, r.end), (304, b"", "none"), "304")
        r = c.get("/v1/models")
        eq(r.status, 200, "the same connection serves on after HEAD, 204 and 304")


def big_bodies():
    big = json.dumps({"model": "gpt-test", "messages": [{"role": "user", "content": os.urandom(3 << 20).hex()}]}).encode()
    with Raw(g.port) as c:
        r = c.post(CHAT, big, [("x-fake", "size=8000000")])
        eq((r.status, len(r.body), r.end), (200, 8000000, "length"), "a body of 8 MB comes back whole")
        ok(p.last.body == big, "a body of 6 MB goes up byte for byte", len(p.last.body), len(big))
        r = c.get("/v1/x", [("x-fake", "size=3000000; frame=chunked")])
        eq((len(r.body), r.end), (3000000, "chunked"), "3 MB in chunks")
        r = c.get("/v1/x", [("x-fake", "size=3000000; frame=close")])
        ok(len(r.body) == 3000000 and r.end in ("chunked", "close"), "3 MB ended by close", len(r.body), r.end)


def chunked_requests():
    parts = [ODD[i:i + 7] for i in range(0, len(ODD), 7)]
    wire = b"".join(b"%X;e=\"x\"\r\n%s\r\n" % (len(x), x) for x in parts) + b"0\r\nx-trailer: 1\r\n\r\n"
    with Raw(g.port) as c:
        head = c.request_bytes("POST", CHAT, [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")])
        for i in range(0, len(head + wire), 5):
            c.send((head + wire)[i:i + 5])
        r = c.answer()
        eq((r.status, p.last.body), (200, ODD), "a chunked request, sent in bits, with extensions and a trailer")
        eq((p.last.header("content-length"), p.last.header("transfer-encoding"), p.last.header("x-trailer")),
           (str(len(ODD)), None, None), "goes up sized, its trailer dropped")
        eq(c.get("/v1/models").status, 200, "and the connection serves on")


def http10():
    with Raw(g.port) as c:
        r = c.post(CHAT, chat_body(True, stream_options={"include_usage": True}), [("x-fake", "id=1; n=3")], version="HTTP/1.0")
        eq((r.status, r.get("transfer-encoding"), r.end), (200, None, "close"), "HTTP/1.0: no chunks, ended by close")
        ok(r.body.endswith(b"data: [DONE]\n\n") and len(r.events()) == 7, "HTTP/1.0: the stream is whole", r.body[-200:])
    with Raw(g.port) as c:
        r = c.ask("GET", "/v1/models", [], None, version="HTTP/1.0")
        ok(r.status == 200 and c.closed(), "HTTP/1.0 without keep-alive is closed after the answer")


def pipelining():
    with Raw(g.port) as c:
        c.send(c.request_bytes("GET", "/v1/a", [("x-fake", "first=30")]) + c.request_bytes("POST", CHAT, [], ODD) +
               c.request_bytes("GET", "/v1/b"))
        got = [c.answer() for _ in range(3)]
        eq([r.status for r in got], [200, 200, 200], "three pipelined requests are answered")
        eq([got[0].json["target"], got[1].json["object"], got[2].json["target"]], ["/v1/a", "chat.completion", "/v1/b"],
           "in their order")


def expect_continue():
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("Expect", "100-continue"), ("Content-Length", str(len(ODD)))]))
        c.sock.settimeout(5)
        while b"\r\n\r\n" not in c.buf and c.more():
            pass
        ok(c.buf.startswith(b"HTTP/1.1 100"), "Expect: 100-continue is answered before the body", c.buf)
        c.buf = b""
        c.send(ODD)
        r = c.answer()
        eq((r.status, p.last.header("expect"), p.last.body), (200, None, ODD), "then the request goes on without Expect")
    with Raw(g.port) as c:
        r = c.post(CHAT, ODD, [("Expect", "something-else")])
        eq(r.status, 417, "another expectation is refused")


def streams():
    body = chat_body(True, stream_options={"include_usage": True})
    for fake in ("n=20", "n=20; split=byte", "n=20; split=rand", "n=20; split=whole", "n=20; frame=close", "n=20; frame=sized",
                 "n=20; crlf=1", "n=20; comments=1", "n=3; tools=1", "n=3; reason=4", "n=5; error=3", "n=4; done=0",
                 "n=20; ext=1; trailers=1", "n=3; interim=1", "n=300"):
        d, t = direct_and_through(p, g, fake + "; id=1", body=body)
        ok(t.status == 200 and t.body == d.body and t.end in ("chunked", d.end) and not t.trailers,
           "stream bytes: " + fake, t.status, t.end, t.body[-300:], d.body[-300:])
        if fake == "n=20":
            eq((t.get("content-type"), t.all("x-request-id")), ("text/event-stream; charset=utf-8", ["req_00000001"]),
               "a stream's headers")
    d, t = direct_and_through(p, g, "n=20; gzip=1; id=1", body=body, headers=[("Accept-Encoding", "gzip")])
    ok(t.body == d.body and t.get("content-encoding") == "gzip", "gzip'd stream bytes are not recoded", t.raw_head)
    with Raw(g.port) as c:
        r = c.post(CHAT, body, [("x-fake", "n=9; stall=3")], until=lambda r: len(sse(r.body)) >= 3)
        eq(len(r.events()), 3, "events come while the provider has not ended")


def listeners():
    path = os.path.join(g.root, "s.sock")
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
            six = True
        except OSError:
            six = False
    listen = ["unix:" + path, "127.0.0.1:0"] + (["[::1]:0"] if six else [])
    h = Gateway(p, {"listen": listen})
    with Raw(0, unix=path) as c:
        eq(c.post(CHAT, ODD).status, 200, "a unix socket")
    with Raw(h.port) as c:
        eq(c.post(CHAT, ODD).status, 200, "beside it a TCP port")
    if six:
        with Raw(next(n for host, n in h.ports if ":" in host), "::1") as c:
            eq(c.post(CHAT, ODD).status, 200, "IPv6")
    else:
        skip("IPv6", "no ::1 here")
    eq(os.stat(path).st_mode & 0o077, 0, "the unix socket is its owner's alone") if os.path.exists(path) else None
    h.destroy()


def main_page():
    r = g.get("/")
    ok(r.status == 200 and b"spangate" in r.body.lower(), "/ says what this is", r.status, r.body[:200])
    r = g.get("/healthz")
    eq(r.status, 200, "/healthz")


p = Provider()
g = Gateway(p)
main(bodies, request_headers, targets, statuses, big_bodies, chunked_requests, http10, pipelining, expect_continue, streams,
     listeners, main_page)
