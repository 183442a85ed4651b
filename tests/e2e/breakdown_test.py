#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""request_breakdown: what is added to which answer, that all else stays the provider's, and that nobody
but the one who asked for it waits."""
import base64
import gzip

from harness import *
from fake_provider import Connection
from family_provider import FamilyConnection

ASK = {"request_breakdown": True}
MEMBERS = ["prompt_tokens", "completion_tokens", "cost", "prompt_messages", "completion_message", "model", "cached", "timestamp",
           "status_code", "stream", "latency", "scores", "category", "metadata", "routing_time", "full_request", "sentiment_score"]
EVENT = (b'data: {"id":"request_breakdown","choices":[{"delta":{"content":null,"role":"assistant"},"finish_reason":"stop",'
         b'"request_breakdown":')
DONE = b"data: [DONE]\n\n"
BIG = 5 << 20
SLEEPY = 0.9        # of the second that an end is held for


class OddConnection(FamilyConnection):
    """x-fake: raw=NAME answers with that body of RAW; coded=1 compresses whatever was asked."""

    def plain(self, req, fake, body=None):
        if "raw" not in fake:
            return super().plain(req, fake, body)
        ctype, data = RAW[fake["raw"]]
        headers = self.headers_for(req, fake, ctype)
        if fake.get("coded"):
            data = gzip.compress(data, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        frame = fake.get("frame", "sized")
        headers.append({"sized": ("Content-Length", str(len(data))), "chunked": ("Transfer-Encoding", "chunked"),
                        "close": ("Connection", "close")}[frame])
        self.head(200, headers)
        for piece in self.pieces(data, fake):
            self.put(self.chunk(piece, fake) if frame == "chunked" else piece)
        if fake.get("stays"):           # the answer's end is said, its body's is not
            self.forever()
        if frame == "chunked":
            self.last_chunk(fake)
        return self.finish(frame, fake)

    def stream(self, req, fake, body):
        """Streams of chat are fake_provider.py's, those of the rest FamilyConnection's."""
        if "raw" not in fake and req.target.endswith("/chat/completions"):
            return Connection.stream(self, req, fake, body)
        return self.plain(req, fake, body)


class OddProvider(Provider):
    connection = OddConnection


def chunk(text):
    return b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text


PLAIN = (b' {"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"a}b"},"finish_reason":"stop"}],\n'
         b'"usage":{"prompt_tokens":3,"completion_tokens":2}\n}')
RAW = {
    "json": ("application/json; charset=utf-8", PLAIN + b" \n\n"),
    "empty": ("application/json", b"{}"),
    "list": ("application/json", b'[{"a":1}]'),
    "broken": ("application/json", b'{"a":1}}'),
    "text": ("text/plain", b"{}"),
    "blanks": ("application/json", b"{}" + b" " * 70000),
    "big": ("application/json", b'{"big":"' + b"x" * BIG + b'"}'),
    "done": ("text/event-stream", chunk(b"a") + DONE),
    "after": ("text/event-stream", chunk(b"a") + b"event: last\ndata: [DONE]\n\n" + b": bye\n\n"),
    "no done": ("text/event-stream", chunk(b"a")),
    "half": ("text/event-stream", chunk(b"a") + chunk(b"b").rstrip()),
    "crlf": ("text/event-stream", chunk(b"a").replace(b"\n", b"\r\n") + b"data: [DONE]\r\n\r\n"),
    "big stream": ("text/event-stream", b"".join(chunk(b"x" * 60000) for _ in range(BIG // 60000)) + DONE),
    "long end": ("text/event-stream", chunk(b"a") + DONE + b"\n" * 70000),
}


def post(body, fake="", path=CHAT, heads=(), **kw):
    with Raw(g.port) as c:
        return c.post(path, body, [("x-fake", fake)] + list(heads), **kw)


def warnings(r):
    return sorted((g.span(r).get("warnings") or {}))


def cut(body):
    """An answer's body without the member that was added, and the member. None: there is none."""
    i = body.rfind(b'"request_breakdown":')
    if i < 0:
        return body, None
    start = i - (body[i - 1:i] == b",")
    obj, n = json.JSONDecoder().raw_decode(body[i + 20:].decode())
    return body[:start] + body[i + 20 + len(body[i + 20:].decode()[:n].encode()):], obj


def cut_event(body):
    """The same of a stream."""
    i = body.find(EVENT)
    if i < 0:
        return body, None
    end = body.index(b"\n\n", i) + 2
    return body[:i] + body[end:], json.loads(body[i + 6:end])


def plain():
    for how in ("", "frame=chunked", "frame=close", "split=byte; frame=chunked", "split=rand"):
        r = post(chat_body(**ASK), "raw=json; " + how)
        rest, got = cut(r.body)
        eq((r.status, r.end, rest), (200, "chunked", RAW["json"][1]), "JSON, %s: the provider's bytes, then its end" % (how or "sized"))
        eq(list(got or {}), MEMBERS, "its members")
        eq(list(r.json)[-1], "request_breakdown", "the last member of the answer")
        eq(warnings(r), [], "no warning")
    q = p.last
    eq((q.json, q.header_all("accept-encoding")), (chat_body(), ["identity"]), "it is cut from the request, identity is asked for")
    post(chat_body(**ASK), "raw=json", heads=[("Accept-Encoding", "gzip, br")])
    eq(p.last.header_all("accept-encoding"), ["identity"], "whatever the client takes")
    r = post(chat_body(request_breakdown=False), "raw=json", heads=[("Accept-Encoding", "gzip")])
    eq((r.body, r.end, p.last.header_all("accept-encoding")), (RAW["json"][1], "length", ["gzip"]), "false: nothing changes")
    eq((p.last.json, warnings(r)), (chat_body(), []), "but that it is cut")
    r = post(chat_body(**ASK), "raw=empty")
    ok(r.body.startswith(b'{"request_breakdown":{') and r.body.endswith(b"}}") and r.json, "an empty object gets no comma", r.body[:100])
    with Raw(g.port) as c:
        r = c.ask("POST", CHAT, [("x-fake", "raw=json"), ("Content-Type", "application/json")], chat_body(**ASK), "HTTP/1.0")
    eq((cut(r.body)[0], r.end, bool(cut(r.body)[1])), (RAW["json"][1], "close", True), "HTTP/1.0: the connection's end ends it")


def values():
    r = post(chat_body(metadata={"a": 1}, customer_identifier="u", **ASK), "raw=json")
    got, s = cut(r.body)[1], g.span(r)
    eq({k: got[k] for k in MEMBERS if k in s and k not in ("full_request",)}, {k: s[k] for k in MEMBERS if k in s and k not in ("full_request",)},
       "its values are the span's")
    ok(got["timestamp"] == s["timestamp"] and got["latency"] == s["latency"], "times too")
    eq((got["full_request"], got["prompt_messages"], got["completion_message"]["content"]), (chat_body(), MESSAGES, "a}b"), "texts")
    eq((got["prompt_tokens"], got["completion_tokens"], got["status_code"], got["stream"], got["metadata"]), (3, 2, 200, False, {"a": "1"}), "numbers")
    eq((got["cached"], got["scores"], got["category"], got["sentiment_score"]), (False, {}, None, 0), "what nobody measures")
    full = s.get("full_response") or {}
    ok("request_breakdown" not in full, "the span has the answer as the provider sent it", full)
    eq(cut(post(chat_body(disable_log=True, **ASK), "raw=json").body)[1]["full_request"], None, "with disable_log the texts are null")


def streams():
    for fake, want in (("raw=done", chunk(b"a") + b"|" + DONE), ("raw=after", chunk(b"a") + b"|" + RAW["after"][1][len(chunk(b"a")):]),
                       ("raw=no done", chunk(b"a") + b"|"), ("raw=half", RAW["half"][1] + b"\n\n|"),
                       ("raw=crlf", chunk(b"a").replace(b"\n", b"\r\n") + b"|data: [DONE]\r\n\r\n")):
        for how in ("", "frame=chunked; split=byte", "frame=close; split=rand"):
            r = post(chat_body(True, **ASK), fake + "; " + how)
            i = r.body.find(EVENT)
            rest, event = cut_event(r.body)
            eq(rest[:i] + b"|" + rest[i:], want, "%s %s: the event stands where it should" % (fake, how))
            eq((r.end, warnings(r) in ([], ["no_finish_reason"], ["stream_truncated"])), ("chunked", True), "and no warning")
    c = event["choices"][0]
    eq((event["id"], event["model"], event["object"], event["usage"], event["system_fingerprint"], list(c)),
       ("request_breakdown", "extra_parameter", "chat.completion.chunk", {}, None, ["delta", "finish_reason", "request_breakdown", "index", "message"]),
       "its shape")
    eq((list(c["request_breakdown"]), c["request_breakdown"]["stream"]), (MEMBERS, True), "with all members")


def hidden_usage():
    for how in ("", "split=byte", "split=rand", "crlf=1"):
        direct = post(chat_body(True), "n=4; id=1; " + how)
        r = post(chat_body(True, **ASK), "n=4; id=1; " + how)
        rest, event = cut_event(r.body)
        eq(rest, direct.body, "usage that the gateway asked for is hidden beside it (%s)" % how)
        b = event["choices"][0]["request_breakdown"]
        eq((b["prompt_tokens"], b["completion_tokens"], p.last.json.get("stream_options")), (17, 4, {"include_usage": True}), "and counted in it")
    r = post(chat_body(True, stream_options={"include_usage": True}, **ASK), "n=4")
    eq([e["usage"]["completion_tokens"] for e in r.events() if isinstance(e, dict) and e.get("usage")], [4], "usage that the client asked for stays")
    r = post(chat_body(True, **ASK), "n=4; refuse=stream_options")
    eq((r.status, bool(cut_event(r.body)[1]), r.body.endswith(DONE)), (200, True, True), "also when the request had to be sent again")


def families():
    cases = {
        "/v1/messages": ({"model": "m", "max_tokens": 9, "messages": MESSAGES[1:]}, "prompt_messages"),
        "/v1/embeddings": ({"model": "m", "input": "one"}, None),
        "/v1/responses": ({"model": "m", "input": "hello"}, None),
        "/v1/completions": ({"model": "m", "prompt": "Once"}, None),
    }
    for path, (body, messages) in cases.items():
        direct = post(body, "id=1", path)
        r = post(dict(body, **ASK), "id=1", path)
        rest, got = cut(r.body)
        eq((r.status, rest, list(got or {})), (200, direct.body, MEMBERS), path + ": added")
        s = g.span(r)
        eq((got["prompt_tokens"], got["completion_tokens"]), (s.get("prompt_tokens"), s.get("completion_tokens")), "with its counts")
        ok(got["prompt_tokens"], "which are there", got)
        eq(warnings(r), [], "no warning")
        if path == "/v1/embeddings":
            continue
        direct = post(dict(body, stream=True), "id=1", path)
        r = post(dict(body, stream=True, **ASK), "id=1", path)
        eq((r.body, "breakdown_not_here" in warnings(r)), (direct.body, True), path + ": a stream gets none, and a warning")
    for path, body in (("/v1/moderations", {"input": "x"}), ("/v1/audio/speech", {"model": "m", "input": "x", "voice": "v"})):
        direct = post(body, "id=1", path)
        r = post(dict(body, **ASK), "id=1", path)
        eq((r.body, r.end, "breakdown_not_here" in warnings(r)), (direct.body, direct.end, True), path + ": ignored with a warning")


def ways():
    own = base64.b64encode(json.dumps(ASK).encode()).decode()
    for name, body, heads in (("respan_params", chat_body(respan_params=ASK), []), ("keywordsai_params", chat_body(keywordsai_params=ASK), []),
                              ("extra_body", chat_body(extra_body=ASK), []), ("header", chat_body(), [("X-Data-Respan-Params", own)]),
                              ("old header", chat_body(), [("X-Data-Keywordsai-Params", json.dumps(ASK))])):
        r = post(body, "raw=json", heads=heads)
        eq((cut(r.body)[0], bool(cut(r.body)[1]), p.last.json), (RAW["json"][1], True, chat_body()), name + ": asks for it as well")
    body = {"model": "m", "max_tokens": 9, "messages": MESSAGES[1:], "metadata": {"user_id": "u", "respan_params": ASK}}
    r = post(body, "id=1", "/v1/messages")
    eq((bool(cut(r.body)[1]), p.last.json["metadata"]), (True, {"user_id": "u"}), "metadata.respan_params of a Messages request too")
    r = post(chat_body(request_breakdown=False, respan_params=ASK), "raw=json")
    eq(r.body, RAW["json"][1], "the top level is stronger")
    r = post(chat_body(request_breakdown="yes"), "raw=json")
    eq((r.body, warnings(r)), (RAW["json"][1], ["member_type"]), "what is no switch is none, with a warning")


def left_out():
    for fake, stream, code in (("raw=json; coded=1", False, "breakdown_coded"), ("raw=done; coded=1", True, "breakdown_coded"),
                               ("raw=list", False, "breakdown_not_json"), ("raw=broken", False, "breakdown_not_json"),
                               ("raw=text", False, "breakdown_not_json"), ("raw=blanks", False, "breakdown_not_json"),
                               ("raw=big", False, "breakdown_too_large"),
                               ("raw=big; frame=chunked", False, "breakdown_too_large"), ("raw=big stream", True, "breakdown_too_large")):
        name = re.search(r"raw=([^;]*)", fake).group(1)
        want = RAW[name][1] if "coded" not in fake else gzip.compress(RAW[name][1], mtime=0)
        r = post(chat_body(stream, **ASK), fake)
        eq((r.status, len(r.body), r.body == want), (200, len(want), True), fake + ": the answer is the provider's")
        ok(code in warnings(r), "and a warning says why", warnings(r))
    r = post(chat_body(**ASK), "raw=big")
    eq(r.end, "length", "an answer that is known to be too large keeps its length")
    r = post(chat_body(note="x" * BIG, **ASK), "raw=json")
    eq((r.body, "breakdown_too_large" in warnings(r)), (RAW["json"][1], True), "a request may be too large too")
    r = post(chat_body(True, **ASK), "raw=long end")
    eq(cut_event(r.body)[0], RAW["long end"][1], "an end longer than is held loses nothing")
    for fake, stream in (("status=401", False), ("status=500; body=html", True), ("status=429; body=empty", False)):
        direct, r = post(chat_body(stream), fake), post(chat_body(stream, **ASK), fake)
        eq((r.status, r.body, r.end, [w for w in warnings(r) if "breakdown" in w]), (direct.status, direct.body, direct.end, []),
           fake + ": an error passes as it is")
    r = post(chat_body(True, **ASK), "n=9; cut=4")
    eq((r.end, len(r.events()), EVENT in r.body), ("cut", 4, False), "a stream that breaks off gets none")
    with Raw(g.port) as c:
        r = c.ask("POST", CHAT, [("x-fake", "raw=json; bye=1"), ("Content-Type", "application/json")], chat_body(**ASK))
        again = c.post(CHAT, chat_body(**ASK), [("x-fake", "raw=done")])
    eq((bool(cut(r.body)[1]), again.status), (True, 200), "the client's connection serves on")


def undelayed():
    """Nothing but the end waits: a stream's events come while the provider holds its end back."""
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "n=9; stall=5")], json.dumps(chat_body(True, **ASK)).encode()))
        r = c.head()
        c.body(r, until=lambda r: len(sse(r.body)) >= 5)
    eq(len(sse(r.body)), 5, "events come as they are sent")
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "raw=done; frame=chunked; stays=1")], json.dumps(chat_body(True, **ASK)).encode()))
        r = c.head()
        c.body(r, until=lambda r: r.body.endswith(DONE))
    eq((cut_event(r.body)[0], bool(cut_event(r.body)[1])), (RAW["done"][1], True), "where the provider says [DONE] and stays, nobody waits for it")


# An API thread that is busy: the only way to see an end being held.
class Busy:
    """Takes the one API thread of a gateway: a client that asks for much and reads nothing."""

    def __init__(self, gateway):
        r = chat(gateway, messages=[{"role": "user", "content": "y" * (12 << 20)}])
        self.sid = gateway.span(r, timeout=20)["id"]
        self.c = Raw(gateway.port, rcvbuf=4096)
        self.c.send(self.c.request_bytes("GET", "/api/request-logs/%s/" % self.sid))
        self.head = self.c.head()

    def free(self):
        self.c.abort()


def held(gateway, provider, fake="n=3", stream=True):
    """A client whose answer's end is held: all but that has come, the provider is through."""
    c = Raw(gateway.port)
    n = len(provider.requests)
    c.send(c.request_bytes("POST", CHAT, [("x-fake", fake)], json.dumps(chat_body(stream, **ASK)).encode()))
    r = c.head()
    c.body(r, until=lambda r: b'"finish_reason":"stop"' in bytes(r.body).replace(b" ", b""))
    wait_until(lambda: len(provider.requests) > n and provider.requests[n].answered, 5)
    return c, r


def rest_of(c, r):
    """What comes behind what c has read of a chunked answer."""
    while not c.buf.endswith(b"0\r\n\r\n") and c.more():
        pass
    return r.body, c.buf


def one_waits():
    p2 = Provider()
    g2 = Gateway(p2, {"threads": 1, "api_threads": 1})
    busy = Busy(g2)
    t = time.monotonic()
    c, r = held(g2, p2)
    other = chat(g2, "n=3; id=1", True)
    took = time.monotonic() - t
    eq((other.body.endswith(DONE), took < SLEEPY * SLOW), (True, True), "others on that thread go on meanwhile")
    had, rest = rest_of(c, r)
    took = time.monotonic() - t
    ok(DONE.strip() not in had and DONE.strip() in rest and b"request_breakdown" not in rest, "after a second the end comes as it is", rest)
    ok(SLEEPY < took < 3 * SLOW, "not before", took)
    c.close()
    s = g2.span(r)
    eq((s.get("status"), s.get("end_reason"), sorted(s.get("warnings") or {})), ("success", "complete", ["breakdown_too_slow"]), "its span")
    ok(s["latency"] < SLEEPY, "whose latency is the provider's", s["latency"])
    for how in ("close", "abort"):
        c, r = held(g2, p2)
        getattr(c, how)()
        s = g2.span(r)
        eq((s.get("status"), s.get("end_reason"), s.get("status_code")), ("success", "complete", 200), "a client that leaves while its end is held (%s)" % how)
    c, r = held(g2, p2)
    g2.signal(signal.SIGHUP)
    ok(g2.wait_log("new settings are in use"), "a reload while an end is held")
    busy.free()
    had, rest = rest_of(c, r)
    ok(b"request_breakdown" in rest and rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"), "and the breakdown comes with the first free thread", rest)
    c.close()
    ok(wait_until(lambda: g2.metrics()[0].get("spangate_held_body_bytes") == 0), "no memory is left counted", g2.metrics()[0].get("spangate_held_body_bytes"))
    eq(g2.run("verify")[0], 0, "the books balance")
    g2.destroy()


def stopped():
    p2 = Provider()
    g2 = Gateway(p2, {"threads": 1, "api_threads": 1, "drain_timeout": "100ms"})
    Busy(g2)
    c, r = held(g2, p2)
    g2.signal(signal.SIGTERM)
    had, rest = rest_of(c, r)
    ok(rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"), "a stop lets go of what is held", rest)
    c.close()
    eq(g2.wait(10), 0, "exit 0")
    eq([s.get("status") for s in g2.export()], ["success"] * 2, "its span is a success")
    eq(g2.run("verify")[0], 0, "the books balance")
    g2.destroy()


def client():
    exe = os.path.join(os.environ.get("SPANGATE_CLIENTS", ""), "new", "bin", "python")
    if not os.environ.get("SPANGATE_CLIENTS") or not os.path.exists(exe):
        return skip("openai Python", "no new/bin/python in $SPANGATE_CLIENTS (contrib/clients makes it)")
    script = ("import openai, json, sys\nc = openai.OpenAI(base_url=sys.argv[1], api_key='k', max_retries=0)\n"
              "kw = dict(model='m', messages=[{'role': 'user', 'content': 'hi'}], extra_body={'request_breakdown': True})\n"
              "a = c.chat.completions.create(**kw)\nlast = list(c.chat.completions.create(stream=True, **kw))[-1]\n"
              "print(json.dumps([a.request_breakdown['completion_tokens'] == a.usage.completion_tokens, last.id, last.choices[0].request_breakdown['completion_tokens']]))")
    p2 = Provider()  # that nobody has taught not to be asked for usage
    g2 = Gateway(p2)
    r = subprocess.run([exe, "-c", script, g2.url + "/v1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * SLOW)
    g2.destroy()
    eq(r.stdout.decode().strip(), '[true, "request_breakdown", 5]', "openai Python reads both " + r.stderr.decode()[-300:])


def books():
    ok(wait_until(lambda: g.metrics()[0].get("spangate_held_body_bytes") == 0), "no memory is left counted", g.metrics()[0].get("spangate_held_body_bytes"))
    code, out, err = g.run("verify")
    ok(code == 0, "spangate verify: the books balance", out, err)


p = OddProvider()
g = Gateway(p, {"providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "usage": "ask"},
                              "anthropic": {"api": "anthropic", "base_url": p.url}}})
main(plain, values, streams, hidden_usage, families, ways, left_out, undelayed, one_waits, stopped, client, books)
