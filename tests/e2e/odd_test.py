#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd requests, odd clients, odd networks, each of which somebody's application will be one day."""
import gzip
import zlib

from harness import *

JSON = [("Content-Type", "application/json")]


def encoded_bodies():
    raw = json.dumps(chat_body(customer_identifier="inside")).encode()
    for name, data in (("gzip", gzip.compress(raw)), ("deflate", zlib.compress(raw)), ("zstd", b"\x28\xb5\x2f\xfd" + os.urandom(40))):
        with Raw(g.port) as c:
            r = c.post(CHAT, data, JSON + [("Content-Encoding", name)])
        eq((r.status, p.last.body == data, p.last.header("content-encoding")), (200, True, name), "a %s'd request body goes on untouched" % name)
        eq(g.span(r).get("status"), "success", "and has a span")


def odd_json():
    deep = b'{"model":"m","messages":' + b"[" * 100000 + b"]" * 100000 + b"}"
    many = b'{"model":"m","messages":[],' + b",".join(b'"customer_identifier":"c%d"' % i for i in range(3000)) + b"}"
    cases = (("100,000 levels deep", deep, None), ("a member 3,000 times", many, 400),
             ("a list", b'[{"customer_identifier":"x"}]', True), ("two documents", b'{"customer_identifier":"x"} {}', True),
             ("a BOM", b'\xef\xbb\xbf{"model":"m","messages":[]}', True), ("NaN", b'{"model":"m","x":NaN}', True),
             ("not UTF-8", b'{"model":"m","x":"\xff\xfe","messages":[]}', True), ("a lone surrogate", b'{"model":"m","x":"\\ud800","messages":[]}', True),
             ("nul in a key", b'{"model":"m","\\u0000":1,"messages":[]}', True), ("an empty object", b"{}", True), ("white space", b"  \n", True),
             ("only own members", b'{"customer_identifier":"a","metadata":{}}', b"{}"), ("an escaped own name", b'{"model":"m","customer_\\u0069dentifier":"a"}', b'{"model":"m"}'),
             ("own members first and last", b'{ "customer_identifier":"a", "model":"m", "note":"b" }', None))
    for name, body, want in cases:
        with Raw(g.port) as c:
            r = c.post(CHAT, body, JSON)
        if want == 400:
            eq((r.status, bool(r.error)), (400, True), "%s: refused, not sent on" % name)
            continue
        if not ok(r is not None and r.status == 200, "%s: goes through" % name, r and (r.status, r.body[:200])):
            continue
        if want is True:
            eq(p.last.body[:200], body[:200], "%s: untouched" % name)
        elif want is not None:
            eq(p.last.body, want, "%s: cut" % name)
        elif name.startswith("own members"):
            eq(json.loads(p.last.body), {"model": "m"}, "%s: what is left is JSON" % name)
        ok(g.span(r).get("status") == "success", "%s: has a span" % name)


def long_streams():
    """Events of a megabyte, and thousands of small ones, filtered and not."""
    body = chat_body(True)
    with Raw(g.port) as c:
        r = c.post(CHAT, body, [("x-fake", "n=5000; split=rand; id=1")])
    eq(text_of(r.events()), "".join(words(5000)), "5,000 events")
    eq((g.span(r).get("output") or {}).get("content"), "".join(words(5000)), "on the span")


def write_timeout():
    h = Gateway(p, {"timeouts": {"write": "500ms"}})
    before = len(p.requests)
    with Raw(h.port, rcvbuf=4096) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "size=100000000")], json.dumps(chat_body()).encode()))
        q = p.wait(before + 1)[before]
        ok(q.closed.wait(8 * SLOW), "a client that reads nothing for too long is given up, its provider cancelled")
    s = h.span(count=1, timeout=15)
    eq((s.get("end_reason"), s.get("status_code")), ("client_timeout", 499), "its span")
    h.destroy()


def idle_client():
    h = Gateway(p, {"timeouts": {"keepalive": "300ms"}})
    with Raw(h.port) as c:
        c.get("/healthz")
        t = time.monotonic()
        ok(c.closed(5) and time.monotonic() - t < 3 * SLOW, "an idle client's connection is closed")
    h.destroy()


def connect_timeout():
    """A provider that does not accept: its queue is full, so that the handshake does not end."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    fill = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        try:
            c.connect(s.getsockname())
        except BlockingIOError:
            pass
        fill.append(c)
    h = Gateway(None, {"providers": {"full": {"api": "openai", "base_url": "http://127.0.0.1:%d/v1" % s.getsockname()[1], "connect_timeout": "400ms"}}})
    t = time.monotonic()
    r = chat(h)
    took = time.monotonic() - t
    eq((r.status, bool(r.error)), (504, True), "a provider that does not accept in time: 504")
    ok(0.3 < took < 3 * SLOW, "in time", took)
    eq(h.span(r).get("end_reason"), "connect_timeout", "its span")
    h.destroy()
    for c in fill:
        c.close()
    s.close()


def two_at_once():
    """A client that sends its next request before the stream has ended."""
    with Raw(g.port) as c:
        a = c.request_bytes("POST", CHAT, [("x-fake", "n=10; delay=5; id=1")], json.dumps(chat_body(True)).encode())
        c.send(a)
        r = c.head()
        c.send(a)
        c.body(r)
        eq(text_of(r.events()), "".join(words(10)), "the first stream is whole")
        r = c.answer()
        eq(text_of(r.events()), "".join(words(10)), "and the second comes after it")


def no_model():
    for body in ({}, {"model": None}, {"model": 5}, {"model": ["a"]}, {"model": "x" * 5000}, {"model": "a\x00b\ud83d"}):
        with Raw(g.port) as c:
            r = c.post(CHAT, json.dumps(body).encode(), JSON)
        ok(r.status == 200 and g.span(r), "model %.40r: goes through and has a span" % (body,), r.status)


def after_all():
    m, _ = g.metrics()
    eq(m.sum("spangate_spans_quarantined_total"), 0, "nothing was set aside")
    code, out, err = g.run("verify")
    eq(code, 0, "verify") or note(out, err)


p = Provider()
g = Gateway(p)
main(encoded_bodies, odd_json, long_streams, write_timeout, idle_client, connect_timeout, two_at_once, no_model, after_all)
