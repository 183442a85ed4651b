#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traces by OTLP/HTTP as JSON and protobuf, compressed and chunked, at every path; what is malformed, too large, too deep;
while the journal is full, and when the gateway is killed."""
import glob
import gzip
import sqlite3
import zlib

from harness import *

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "otlp")
JSON, PB = "application/json", "application/x-protobuf"
PATHS = [a + b + c for a in ("/api", "") for b in ("/v1/traces", "/v2/traces") for c in ("", "/")]


def case(name, kind="json"):
    with open(os.path.join(DATA, name + "." + kind), "rb") as f:
        return f.read()


def post(body, type_=JSON, heads=(), path="/api/v1/traces", gateway=None):
    with Raw((gateway or g).port, timeout=30) as c:
        return c.post(path, body if isinstance(body, bytes) else json.dumps(body), [("Content-Type", type_)] + list(heads))


def request(*spans):
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]}


def span(trace, number, name="s", **more):
    return dict({"traceId": "%032x" % trace, "spanId": "%016x" % number, "name": name, "startTimeUnixNano": "1764000000000000000",
                 "endTimeUnixNano": "1764000001000000000"}, **more)


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def of_trace(trace, count, gateway=None, heads=None):
    """The spans of a trace, when they are there."""
    path = "/api/traces/%032x/" % trace

    def there():
        r = (gateway or g).get(path, heads)
        return r.status == 200 and r.json["span_count"] >= count
    wait_until(there, 20)
    return [s for s in (gateway or g).export() if s["trace_unique_id"] == "%032x" % trace]


def paths():
    for i, path in enumerate(PATHS):
        r = post(request(span(0x100 + i, 1)), path=path)
        eq((r.status, r.json, r.get("content-type")), (200, {"partialSuccess": {"rejectedSpans": 0, "errorMessage": ""}}, JSON), path)
    for i, path in enumerate(PATHS):
        eq(len(of_trace(0x100 + i, 1)), 1, path + ": its span")
    eq(post(request(), path="/v1/traces").status, 200, "none is all right")


def fields(s):
    """What a span says, less what differs from one reception to the next."""
    arrival = ("timestamp", "latency") if s["span_name"] == "unfinished" else ()
    return {k: v for k, v in s.items() if k not in ("id", "unique_id") + arrival}


def encodings():
    """The same spans come of JSON and of protobuf, however packed."""
    names = sorted(os.path.basename(x)[:-5] for x in glob.glob(os.path.join(DATA, "*.json")))
    given = {n: [json.loads(x) for x in case(n, "given").decode().split("\n") if x] for n in names}
    ways = [(JSON, "json", None, bytes), (JSON + "; charset=utf-8", "json", "gzip", gzip.compress), (PB, "pb", None, bytes),
            (PB, "pb", "gzip", gzip.compress), ("application/protobuf", "pb", "deflate", zlib.compress)]
    seen = []
    for type_, kind, how, pack in ways:
        h = Gateway(None)
        for n in names:
            r = post(pack(case(n, kind)), type_, [("Content-Encoding", how), ("X-Respan-Dogfood", "1")] if how else (), gateway=h)
            want = b"" if kind == "pb" else b'{"partialSuccess":{"rejectedSpans":0,"errorMessage":""}}'
            eq((r.status, r.body, r.get("content-type")), (200, want, PB if kind == "pb" else JSON), "%s as %s, %s" % (n, type_, how))
        got = h.spans(sum(map(len, given.values())))
        seen.append({(s["trace_unique_id"], s["span_unique_id"]): fields(s) for s in got})
        h.destroy()
    for n in names:
        for w in given[n]:
            key = w["trace_unique_id"], w["span_unique_id"]
            each = [x.get(key) for x in seen]
            ok(each[0] and all(x == each[0] for x in each), "%s %s: the same, however it came" % (n, key[1]), *each[:2])
            s = each[0] or {}
            wrong = {k: s.get(k) for k in ("model", "input", "output", "prompt_tokens", "error_message", "status", "span_parent_id", "tools", "cost")
                     if k in w and s.get(k) != w[k]}
            ok(s.get("log_method") == "tracing_integration" and not wrong, "%s %s: as it was given" % (n, key[1]), wrong, w)


def chunked():
    body = case("traceloop", "pb")
    with Raw(g.port) as c:
        c.send(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + PB.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(body), 100):
            c.send(b"%x\r\n" % len(body[i:i + 100]) + body[i:i + 100] + b"\r\n")
        c.send(b"0\r\n\r\n")
        r = c.answer("POST")
    eq((r.status, r.body), (200, b""), "in pieces")


def status_message(body):
    """(code, message) of a google.rpc.Status as protobuf."""
    code = body[1] if body[:1] == b"\x08" else 0
    rest = body[2:] if code else body
    n, at = rest[1] & 127, 2
    if rest[1] > 127:
        n, at = n | rest[2] << 7, 3
    return code, rest[at:at + n].decode()


def refused():
    bodies = {"cut off": case("genai")[:-40], "no JSON": b"traces", "a list": b"[]", "empty": b"", "a wrong type": b'{"resourceSpans":5}',
              "deep": b'{"resourceSpans":' + b"[" * 600 + b"]" * 600 + b"}"}
    for what, body in bodies.items():
        r = post(body)
        ok(r.status == 400 and r.get("content-type") == JSON and r.json["code"] == 3 and r.json["message"], "JSON, %s: 400" % what, r.status, r.body[:200])
    value = b""
    for i in range(151):    # a value in a list in a value, all in a span's attribute
        key = (b"\x0a", b"\x2a")[i % 2] if i < 146 else (b"\x12", b"\x4a", b"\x12", b"\x12", b"\x0a")[i - 146]
        n = len(value)
        value = key + (bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7])) + value
    for what, body in {"cut off": case("genai", "pb")[:-40], "no protobuf": b"\xff" * 20, "a wrong type": b"\x08\x01", "deep": value}.items():
        r = post(body, PB)
        ok(r.status == 400 and r.get("content-type") == PB and status_message(r.body)[0] == 3, "protobuf, %s: 400 in protobuf" % what, r.status, r.body[:200])
    for type_ in ("text/plain", "application/grpc", "application/x-www-form-urlencoded"):
        eq(post(b"{}", type_).status, 415, "a %s: 415" % type_)
    eq(post(b"{}", JSON, [("Content-Encoding", "lz4")]).status, 415, "an encoding that is not known: 415")
    eq(post(gzip.compress(case("genai"))[:-9], JSON, [("Content-Encoding", "gzip")]).status, 400, "gzip that is cut off: 400")
    eq(post(b"not gzip", JSON, [("Content-Encoding", "gzip")]).status, 400, "gzip that is none: 400")
    eq(g.get("/v1/traces").status, 405, "GET: 405")


def bombs():
    before = g.rss()
    for size in (65, 300):     # MiB of blanks
        z = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join([z.compress(b" " * (1 << 20)) for _ in range(size)] + [z.flush()])
        r = post(body, JSON, [("Content-Encoding", "gzip")])
        ok(r.status == 413 and "67108864" in r.json["message"], "a bomb of %d MiB: 413" % size, r.status, r.body[:200])
    twice = gzip.compress(gzip.compress(b" " * (80 << 20)))
    eq(post(twice, JSON, [("Content-Encoding", "gzip, gzip")]).status, 413, "one in another")
    ok(g.rss() - before < 300 << 20, "memory stays bounded", before, g.rss())
    eq(post(request(span(0x200, 1))).status, 200, "and it goes on")


def partial():
    bad = [span(0x300, 2, "short", spanId="abc"), span(0x300, 3, "zero", traceId="0" * 32), 5, span(0x300, 4, "parent", parentSpanId="zz")]
    r = post(request(span(0x300, 1, "good"), *bad))
    p_ = r.json["partialSuccess"]
    ok(r.status == 200 and p_["rejectedSpans"] == 4, "four of five are rejected", r.body)
    for part in ("span 1 (short): spanId must be 16 hex digits", "span 2 (zero): traceId must be 32 hex digits", "span 3 (): a span must be an object",
                 "span 4 (parent): parentSpanId"):
        ok(part in p_["errorMessage"], part, p_["errorMessage"])
    eq([s["span_name"] for s in of_trace(0x300, 1)], ["good"], "the good one is there")
    r = post(request(*bad))
    ok(r.status == 400 and "short" in r.json["message"], "none can be taken: 400", r.status, r.body)
    short = b"\x0a\x1b\x12\x19\x12\x17\x0a\x10" + b"\1" * 16 + b"\x12\x03abc"
    good = b"\x0a\x20\x12\x1e\x12\x1c\x0a\x10" + b"\1" * 16 + b"\x12\x08abcdefgh"
    r = post(good + short, PB)
    ok(r.status == 200 and r.body[:1] == b"\x0a" and r.body[2:4] == b"\x08\x01" and b"spanId" in r.body, "and in protobuf", r.status, r.body)


def large():
    many = [attribute("k.%d" % i, "v%d" % i) for i in range(10000)]
    start = time.monotonic()
    eq(post(request(span(0x400, 1, attributes=many))).status, 200, "10,000 attributes")
    s = of_trace(0x400, 1)[0]
    ok(len(s["metadata"]) == 10000 and s["metadata"]["k.9999"] == "v9999", "all are there", len(s["metadata"]))
    note("took %.2f s" % (time.monotonic() - start))
    flat = [attribute("gen_ai.prompt.%d.%s" % (i, k), v) for i in range(3000) for k, v in (("role", "user"), ("content", "m%d" % i))]
    eq(post(request(span(0x401, 1, attributes=flat + [attribute("gen_ai.system", "x")]))).status, 200, "3,000 messages")
    s = of_trace(0x401, 1)[0]
    eq([m["content"] for m in s["input"]], ["m%d" % i for i in range(3000)], "in their order")
    deep = attribute("a" + ".a" * 200000, "x")
    eq(post(request(span(0x402, 1, attributes=[attribute("gen_ai.prompt" + ".0" * 200000, "x"), deep]))).status, 200, "names of 200,000 parts")
    r = post(request(span(0x403, 1, attributes=[attribute("x", "y" * (21 << 20))]), span(0x403, 2)))
    ok(r.status == 200 and r.json["partialSuccess"]["rejectedSpans"] == 1 and "20971520" in r.json["partialSuccess"]["errorMessage"],
       "a span of more than 20 MiB is rejected", r.status, r.body[:300])
    eq(post(request(*[span(0x404, i + 1) for i in range(5000)])).status, 200, "5,000 spans")
    eq(len(of_trace(0x404, 5000)), 5000, "are all there")


def again():
    body = request(span(0x500, 1, "x"), span(0x500, 2, "y", parentSpanId="%016x" % 1))
    for _ in range(3):
        eq(post(body).status, 200, "sent")
    wait_until(lambda: g.run("verify")[0] == 0, 10)
    eq(len(of_trace(0x500, 2)), 2, "three times the same: each once")


def by_path():
    """Decorated spans without their parents, in batches of their own, children first."""
    def decorated(number, name, kind, path, start, end, parent=None):
        values = {"traceloop.span.kind": kind, "traceloop.entity.path": path} if kind != "chat" else \
            {"llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "traceloop.entity.path": path}
        return dict(span(0x900, number, name, attributes=[attribute(k, v) for k, v in values.items()]), parentSpanId="%016x" % parent if parent else "",
                    startTimeUnixNano=str(1764000000000000000 + start * 10**6), endTimeUnixNano=str(1764000000000000000 + end * 10**6))

    def tree():
        text = lambda n: n["span_name"] + ("(%s)" % " ".join(map(text, n["children"])) if n["children"] else "")
        return " ".join(map(text, g.get("/api/traces/%032x/" % 0x900).json["span_tree"]))
    for batch, want in (([decorated(4, "openai.chat", "chat", "wf.tk", 20, 30, 3), decorated(5, "tl.tool", "tool", "wf.tk", 40, 50)], "openai.chat tl.tool"),
                        ([decorated(3, "tk.task", "task", "wf", 10, 90)], "tk.task(openai.chat tl.tool)"),
                        ([decorated(2, "wf.workflow", "workflow", "wf", 10, 100)], "wf.workflow(tk.task(openai.chat tl.tool))")):
        eq(post(request(*batch)).status, 200, "a batch")
        ok(wait_until(lambda: g.get("/api/traces/%032x/" % 0x900).status == 200 and tree() == want, 10), want, tree())
    eq(g.get("/api/traces/%032x/" % 0x900).json["name"], "wf.workflow", "the workflow stands for the trace")


def links():
    s = span(0x901, 1, links=[{"traceId": "%032x" % 7, "spanId": "%016x" % 8, "attributes": [attribute("a", "b")]}])
    eq(post(request(s)).status, 200, "a span with a link")
    of_trace(0x901, 1)
    got = g.get("/api/traces/%032x/" % 0x901).json["span_tree"][0]["span_links"]
    eq(json.loads(got), [{"trace_id": "%032x" % 7, "span_id": "%016x" % 8, "attributes": {"a": "b"}}], "its links, as text")


def environment_and_keys():
    h = Gateway(None, {"keys": [{"id": "k1", "environment": "test", "sha256": KEY_HASH}]})
    eq(post(request(span(0x600, 1)), gateway=h).status, 401, "without a key: 401")
    key = [("Authorization", "Bearer " + KEY)]
    eq(post(request(span(0x600, 1)), heads=key, gateway=h).status, 200, "with it")
    eq([s["environment"] for s in of_trace(0x600, 1, h, key)], ["test"], "the key's environment")
    h.destroy()


def texts_off():
    """Where no texts are to be kept, none is, in whichever attribute or event it came."""
    h = Gateway(None, {"log_bodies": False})
    names = sorted(os.path.basename(x)[:-5] for x in glob.glob(os.path.join(DATA, "*.json")))
    count = 0
    for n in names:
        eq(post(case(n), gateway=h).status, 200, n)
        count += len([x for x in case(n, "given").split(b"\n") if x])
    got = json.dumps(h.spans(count), ensure_ascii=False)
    eq(len(json.loads(got)), count, "all spans are there")
    texts = ["Be brief", "A cat", "What is in it", "Hello there", "Weather?", "Rainy", "ask the tool", "Be kind", "in event", "in body", "upon", "question",
             "text alone", "a cat", "Looks.", "kvlist", "canary"]
    eq([t for t in texts if t in got], [], "and no texts")
    h.destroy()


def journal_full():
    h = Gateway(None, {"journal": {"max_bytes": "64MiB"}, "threads": 1})
    lock = sqlite3.connect(os.path.join(h.data, "spans.db"), isolation_level=None, timeout=5)
    lock.execute("BEGIN EXCLUSIVE")
    full, good = None, 0
    for i in range(40):
        r = post(request(span(0x700, i + 1, attributes=[attribute("x", "y" * (4 << 20))])), gateway=h)
        if r.status == 200:
            good += 1
        else:
            full = r
            break
    ok(full is not None and full.status == 429 and full.get("retry-after") == "1" and full.json["code"] == 8,
       "a full journal: 429 with retry-after", full and (full.status, full.headers, full.body[:200]))
    lock.execute("COMMIT")
    lock.close()
    ok(good > 0 and len(of_trace(0x700, good, h)) >= good, "what was acknowledged is there", good)
    h.destroy()


def killed():
    h = Gateway(None)
    acked = 0
    for round_ in range(5):
        done = threading.Event()

        def send():
            nonlocal acked
            while not done.is_set():
                try:
                    if post(request(*[span(0x800, acked * 10 + i + 1) for i in range(10)]), gateway=h).status == 200:
                        acked += 1
                except (OSError, AttributeError):
                    return
        t = threading.Thread(target=send)
        t.start()
        before = acked
        wait_until(lambda: acked >= before + 20, 10)
        h.kill9()
        done.set()
        t.join()
        h.start()
    got = of_trace(0x800, acked * 10, h)
    ids = sorted(s["span_unique_id"] for s in got)
    ok(len(ids) == len(set(ids)) and set("%016x" % (i + 1) for i in range(acked * 10)) <= set(ids), "all that was acknowledged, each once",
       acked * 10, len(ids))
    code, out, err = h.run("verify")
    eq(code, 0, "verify") or note(out, err)
    h.destroy()


KEY = "sg-first-key-0123456789abcdef"
KEY_HASH = __import__("hmac").new(b"spangate-key", KEY.encode(), "sha256").hexdigest()
g = Gateway(None)
main(paths, encodings, chunked, refused, bombs, partial, large, again, by_path, links, environment_and_keys, texts_off, journal_full, killed)
