#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A provider for the black-box tests: OpenAI-shaped (Anthropic-shaped at …/messages), on a port of
its own, and as naughty as asked.

How a request is answered is said by its header `x-fake: key=value; key=value` (the gateway passes
unknown headers on), or for all requests by Provider.defaults.  Times are milliseconds from the
moment the request's last byte was read:

    role=MS first=MS delay=MS n=N   role chunk, first content, then the gap between N tokens
    reason=N                        so many reasoning tokens before the content (from `first` on)
    tools=1                         the answer is two tool calls instead of text
    usage=ask|on|off                usage chunk only when include_usage was asked (default), or always, never
    finish=0 done=0                 no finish_reason, no [DONE]
    error=K                         an error event after K events, then the end without [DONE]
    comments=1 crlf=1 stamp=1       SSE comments; CRLF line ends; each event says when it was sent ("t", µs)
    status=N body=json|html|empty retry-after=S
    size=N                          a plain answer of N bytes; stream=1 sends it in pieces of 64 KiB
    frame=chunked|sized|close ext=1 trailers=1 interim=1 gzip=1
    split=event|whole|byte|rand     how the body is cut into writes
    cut=K reset=K stall=K           after K events (plain: bytes) close, RST, or say no more; K=head: before the answer
    early=1                         answer before the body is read; noread=1: read nothing, say nothing
    never=1                         never answer
    die=reused                      close without an answer if the connection has been used before
    bye=1                           keep-alive answer, then the connection is closed
    trunc=1                         TLS: close without close_notify
    refuse=MEMBER                   400 that names MEMBER if the request's body has it
    id=N seed=N                     ids of the answer (else the request's number); other words

Everything that came is kept in Provider.requests.  Used in-process by the tests; run as a program
it prints its port and serves until its standard input ends.
"""
import gzip
import json
import os
import random
import re
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib

WORDS = ("the quick provider writes its answer word by word and every word is new while clients wait for "
         "tokens that carry meaning such as harbour lantern meadow quartz violin ember granite willow "
         "compass thunder saffron velvet orchard mirror summit raven cobalt ginger marble forest").split()


def words(n, seed=0):
    """n tokens of varied text, the same for the same seed."""
    return [("" if i == 0 else " ") + WORDS[(i * 7 + i // 11 + seed) % len(WORDS)] + str(i) for i in range(n)]


OPENAI_ERROR = (b'data: {"error":{"message":"The server had an error","type":"server_error",'
                b'"param":null,"code":"boom"}}\n\n')
ANTHROPIC_ERROR = (b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},'
                   b'"request_id":"req_1"}\n\n')


def is_messages(req):
    return req.target.split("?")[0].endswith("/messages")


class Gone(Exception):
    """The peer closed its side."""


class Request:
    """One request as it came, and what became of it."""

    def __init__(self, conn, nth):
        self.conn, self.nth = conn, nth         # number of the connection, and of the request on it (from 1)
        self.method = self.target = self.version = None
        self.headers, self.body = [], b""
        self.t_start = self.t_end = None        # monotonic: head read, body read
        self.sent_events = self.sent_bytes = 0
        self.answered = False                   # whole answer was written
        self.closed_at = None                   # the peer closed (or reset) while we answered or after
        self.closed = threading.Event()
        self.fake = {}

    def header(self, name):
        got = self.header_all(name)
        return got[0] if got else None

    def header_all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def json(self):
        return json.loads(self.body)


class Connection(threading.Thread):
    """Serves one connection; one thread each."""

    def __init__(self, provider, sock, number):
        super().__init__(daemon=True)
        self.p, self.sock, self.number = provider, sock, number
        self.buf = b""
        self.req = None
        self.last = None
        self.eof = False

    # reading ------------------------------------------------------------------
    def more(self):
        data = self.sock.recv(262144)
        if not data:
            self.eof = True
            raise Gone()
        self.buf += data

    def line(self):
        while b"\n" not in self.buf:
            self.more()
        out, self.buf = self.buf.split(b"\n", 1)
        return out.rstrip(b"\r")

    def exactly(self, n):
        if len(self.buf) >= n:
            out, self.buf = self.buf[:n], self.buf[n:]
            return out
        parts, have = [self.buf], len(self.buf)
        self.buf = b""
        while have < n:
            data = self.sock.recv(min(1 << 20, n - have))
            if not data:
                self.eof = True
                raise Gone()
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def read_head(self, req):
        first = self.line()
        while first == b"":
            first = self.line()
        req.t_start = time.monotonic()
        req.method, req.target, req.version = first.decode("latin-1").split(" ", 2)
        while True:
            ln = self.line()
            if not ln:
                return
            k, _, v = ln.partition(b":")
            req.headers.append((k.decode("latin-1"), v.strip(b" \t").decode("latin-1")))

    def read_body(self, req):
        if "chunked" in (req.header("transfer-encoding") or "").lower():
            parts = []
            while True:
                size = int(self.line().split(b";")[0], 16)
                if size == 0:
                    while self.line():
                        pass
                    break
                parts.append(self.exactly(size))
                self.line()
            req.body = b"".join(parts)
        elif req.header("content-length"):
            req.body = self.exactly(int(req.header("content-length")))
        req.t_end = time.monotonic()

    # waiting and writing --------------------------------------------------------
    def until(self, t):
        """Sleeps until the monotonic time t; Gone as soon as the peer closes."""
        while True:
            left = t - time.monotonic()
            if left <= 0:
                return
            self.watch(left)

    def watch(self, seconds):
        """Waits; raises Gone if the peer closes meanwhile."""
        if self.buf or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            time.sleep(seconds)
            return
        ready = select.select([self.sock], [], [], max(0, seconds))[0]
        if not ready or self.p.stopping:
            if self.p.stopping:
                raise Gone()
            return
        if isinstance(self.sock, ssl.SSLSocket):
            self.more()
        elif self.sock.recv(1, socket.MSG_PEEK) == b"":
            self.eof = True
            raise Gone()
        else:
            time.sleep(min(seconds, 0.001))

    def forever(self):
        while not self.p.stopping:
            self.watch(0.2)
        raise Gone()

    def put(self, data):
        self.sock.sendall(data)
        self.req.sent_bytes += len(data)

    def pieces(self, data, fake):
        how = fake.get("split", "event")
        if how == "byte":
            for i in range(len(data)):
                yield data[i:i + 1]
        elif how == "rand":
            rng, pos = random.Random(len(data)), 0
            while pos < len(data):
                n = rng.choice((1, 2, 3, 7, 16, 61, 200, 1024))
                yield data[pos:pos + n]
                pos += n
        elif data:
            yield data

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    # answers --------------------------------------------------------------------
    def run(self):
        nth = 0
        try:
            while not self.p.stopping:
                nth += 1
                req = self.req = Request(self.number, nth)
                self.read_head(req)
                if not self.exchange(req):
                    break
                req.answered = True
                self.last = req
        except Gone:
            pass
        except (ConnectionError, OSError, ssl.SSLError, ValueError) as e:
            if os.environ.get("FAKE_DEBUG"):
                print("# fake_provider: %r" % (e,), file=sys.stderr)
        finally:
            now = time.monotonic()
            for r in (self.req, self.last):
                if r is not None and r.closed_at is None:
                    r.closed_at = now
                    r.closed.set()
            try:
                self.sock.close()
            except OSError:
                pass
            self.p.drop(self)

    def exchange(self, req):
        """Reads the rest of one request and answers it. False: the connection is over."""
        fake = dict(self.p.defaults)
        for part in (req.header("x-fake") or "").split(";"):
            k, _, v = part.partition("=")
            if k.strip():
                fake[k.strip()] = v.strip()
        req.fake = fake
        if fake.get("noread"):
            self.p.note(req)
            self.silent()
        if req.header("expect"):
            self.put(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fake.get("early"):
            req.t_end = time.monotonic()
            self.p.note(req)
            fake.setdefault("status", "401")
            self.plain(req, fake)
            return False
        self.read_body(req)
        if fake.get("die") == "reused" and req.nth > 1:
            self.p.note(req)
            return False
        self.p.note(req)
        if fake.get("never"):
            self.forever()
        if fake.get("cut") == "head":
            return False
        if fake.get("reset") == "head":
            self.reset()
            return False
        if fake.get("interim"):
            self.put(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")
        stream = False
        try:
            body = json.loads(req.body) if req.body else {}
            stream = isinstance(body, dict) and body.get("stream") is True
        except (ValueError, RecursionError):
            body = {}
        if fake.get("refuse") and isinstance(body, dict) and fake["refuse"] in body:
            fake = {"status": "400", "message": "Unknown parameter: '%s'." % fake["refuse"]}
        if fake.get("status", "200") == "200" and stream and "size" not in fake and \
                req.target.split("?")[0].endswith(("/chat/completions", "/messages")):
            return self.stream(req, fake, body)
        return self.plain(req, fake, body)

    def silent(self):
        """Reads nothing, says nothing, until the peer's side is torn down."""
        poller = select.poll()
        poller.register(self.sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while not self.p.stopping:
            if poller.poll(200):
                break
        raise Gone()

    def headers_for(self, req, fake, ctype):
        out = [("Date", "Thu, 19 Nov 2026 10:00:00 GMT"), ("Content-Type", ctype),
               ("x-request-id", "req_%08d" % req.seq), ("openai-processing-ms", "42"),
               ("openai-version", "2020-10-01"), ("x-ratelimit-remaining-requests", "9999"),
               ("Set-Cookie", "__cf_bm=a%d; path=/" % req.seq), ("Set-Cookie", "_cfuvid=b; path=/"),
               ("alt-svc", 'h3=":443"; ma=86400'), ("Strict-Transport-Security", "max-age=1"),
               ("X-Mixed-Case", "  kept as it is")]
        if fake.get("retry-after"):
            out.append(("retry-after", fake["retry-after"]))
        if fake.get("hop"):
            out += [("Connection", "x-hop-answer"), ("x-hop-answer", "1"), ("Keep-Alive", "timeout=5"),
                    ("Proxy-Authenticate", "Basic")]
        return out

    def head(self, status, headers):
        reason = {200: "OK", 204: "No Content", 304: "Not Modified", 401: "Unauthorized",
                  429: "Too Many Requests", 500: "Internal Server Error"}.get(status, "Reason Kept")
        lines = ["HTTP/1.1 %d %s" % (status, reason)] + ["%s: %s" % h for h in headers]
        self.put(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def plain_body(self, req, fake, body, status):
        if "size" in fake:
            n = int(fake["size"])
            return "application/octet-stream", None, n
        kind = fake.get("body", "json")
        if status >= 400:
            if kind == "empty":
                return "text/plain", b"", 0
            if kind == "html":
                out = b"<html><body><h1>%d from the load balancer</h1></body></html>\n" % status
                return "text/html", out, len(out)
            err = {"message": fake.get("message", "fake error %d" % status), "type": "fake_error", "param": None,
                   "code": "fake_%d" % status}
            if is_messages(req):
                err = {"type": "overloaded_error", "message": err["message"]}
            out = json.dumps({"type": "error", "error": err} if is_messages(req) else {"error": err}, indent=2).encode() + b"\n"
            return "application/json", out, len(out)
        if req.target.split("?")[0].endswith("/chat/completions"):
            out = json.dumps(self.completion(req, fake, body), indent=2).encode() + b"\n"
        elif is_messages(req):
            out = json.dumps(self.message(req, fake, body), indent=2).encode() + b"\n"
        elif req.target.split("?")[0].endswith("/count_tokens"):
            out = b'{"input_tokens":2095}'
        else:
            out = json.dumps({"object": "echo", "method": req.method, "target": req.target,
                              "bytes": len(req.body)}).encode()
        return "application/json", out, len(out)

    def completion(self, req, fake, body):
        n = int(fake.get("n", 5))
        msg = {"role": "assistant", "content": "".join(words(n, req.seed)), "refusal": None}
        if fake.get("reason"):
            msg["reasoning_content"] = "".join(words(int(fake["reason"]), req.seed + 3))
        if fake.get("tools"):
            msg["content"] = None
            msg["tool_calls"] = tool_calls()
        out = {"id": "chatcmpl-%08d" % req.seq, "object": "chat.completion", "created": 1795000000,
               "model": answer_model(body), "choices": [
                   {"index": 0, "message": msg, "logprobs": None,
                    "finish_reason": "tool_calls" if fake.get("tools") else "stop"}]}
        if fake.get("usage", "on") != "off":
            out["usage"] = usage_of(n, int(fake.get("reason", 0)))
        out["service_tier"] = "default"
        return out

    def message(self, req, fake, body):
        n, reason = int(fake.get("n", 5)), int(fake.get("reason", 0))
        blocks = []
        if reason:
            blocks.append({"type": "thinking", "thinking": "".join(words(reason, req.seed + 3)), "signature": "c2ln"})
        if fake.get("tools"):
            blocks += [{"type": "tool_use", "id": c["id"], "name": c["function"]["name"],
                        "input": json.loads(c["function"]["arguments"])} for c in tool_calls()]
        else:
            blocks.append({"type": "text", "text": "".join(words(n, req.seed))})
        return {"id": "msg_%08d" % req.seq, "type": "message", "role": "assistant", "model": answer_model(body), "content": blocks,
                "stop_reason": "tool_use" if fake.get("tools") else "end_turn", "stop_sequence": None,
                "usage": {"input_tokens": 17, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4,
                          "output_tokens": n + reason, "service_tier": "standard"}}

    def plain(self, req, fake, body=None):
        status = int(fake.get("status", "200"))
        first = float(fake.get("first", 0)) / 1000
        self.until(req.t_end + first)
        ctype, data, size = self.plain_body(req, fake, body, status)
        headers = self.headers_for(req, fake, ctype)
        if fake.get("gzip") and data and "gzip" in (req.header("accept-encoding") or ""):
            data = gzip.compress(data)
            size = len(data)
            headers.append(("Content-Encoding", "gzip"))
        frame = fake.get("frame", "sized")
        nobody = req.method == "HEAD" or status in (204, 304)
        if frame == "close" and not nobody:
            headers.append(("Connection", "close"))
        elif frame == "chunked" and not nobody:
            headers.append(("Transfer-Encoding", "chunked"))
        elif status not in (204, 304):
            headers.append(("Content-Length", str(size)))
        self.head(status, headers)
        if nobody:
            return not fake.get("bye")
        stop = None
        for how in ("cut", "reset", "stall"):
            if how in fake:
                stop = (how, int(fake[how]))
        sent = 0
        for piece in (self.pieces(data, fake) if data is not None else big(size)):
            if stop and sent + len(piece) >= stop[1]:
                piece = piece[:stop[1] - sent]
                self.put(b"%x\r\n%s\r\n" % (len(piece), piece) if frame == "chunked" and piece else piece)
                return self.stopped(stop[0])
            if frame == "chunked":
                piece = self.chunk(piece, fake)
            self.put(piece)
            sent += len(piece)
        if frame == "chunked":
            self.last_chunk(fake)
        return self.finish(frame, fake)

    def stopped(self, how):
        if how == "stall":
            self.forever()
        if how == "reset":
            self.reset()
        return False

    def chunk(self, piece, fake):
        ext = b";ext=\"a;b\";x" if fake.get("ext") else b""
        return b"%x%s\r\n%s\r\n" % (len(piece), ext, piece)

    def last_chunk(self, fake):
        trailers = b"x-trailer: dropped\r\nx-checksum: 1\r\n" if fake.get("trailers") else b""
        self.put(b"0\r\n" + trailers + b"\r\n")

    def finish(self, frame, fake):
        if frame == "close":
            if isinstance(self.sock, ssl.SSLSocket) and not fake.get("trunc"):
                try:
                    self.sock.unwrap()
                except OSError:
                    pass
            return False
        return not fake.get("bye")

    # streams --------------------------------------------------------------------
    def events(self, req, fake, body):
        """(when in ms or None, bytes) for each event of the stream."""
        n, reason = int(fake.get("n", 5)), int(fake.get("reason", 0))
        role, first = float(fake.get("role", 0)), float(fake.get("first", 0))
        delay = float(fake.get("delay", 0))
        opts = body.get("stream_options")
        asked = isinstance(opts, dict) and opts.get("include_usage") is True
        usage = fake.get("usage", "ask")
        base = {"id": "chatcmpl-%08d" % req.seq, "object": "chat.completion.chunk", "created": 1795000000,
                "model": answer_model(body), "service_tier": "default", "system_fingerprint": "fp_1"}
        nl = "\r\n" if fake.get("crlf") else "\n"

        def event(choices, **more):
            obj = dict(base, choices=choices, **more)
            if asked and usage != "off" and "usage" not in obj:
                obj["usage"] = None
            if fake.get("stamp"):
                obj["t"] = 10 ** 12         # set when it is sent
            return ("data: " + json.dumps(obj, separators=(",", ":")) + nl + nl).encode()

        def delta(d, finish=None):
            return event([{"index": 0, "delta": d, "logprobs": None, "finish_reason": finish}])

        if fake.get("comments"):
            yield 0, (": keepalive" + nl + nl).encode()
        yield role, delta({"role": "assistant", "content": "", "refusal": None})
        t = first
        for w in words(reason, req.seed + 3):
            yield t, delta({"reasoning_content": w})
            t += delay
        if fake.get("tools"):
            for call in tool_deltas():
                yield t, delta({"tool_calls": [call]})
                t += delay
        else:
            for w in words(n, req.seed):
                yield t, delta({"content": w})
                t += delay
        if fake.get("finish") != "0":
            yield None, delta({}, "tool_calls" if fake.get("tools") else "stop")
        if usage == "on" or (asked and usage == "ask"):
            yield None, event([], usage=usage_of(n, reason))
        if fake.get("done") != "0":
            yield None, ("data: [DONE]" + nl + nl).encode()

    def message_events(self, req, fake, body):
        """The same for Anthropic's API."""
        whole = self.message(req, fake, body)
        t, delay = float(fake.get("first", 0)), float(fake.get("delay", 0))

        def event(name, **more):
            return ("event: %s\ndata: %s\n\n" % (name, json.dumps(dict({"type": name}, **more)))).encode()
        start = dict(whole, content=[], stop_reason=None, usage=dict(whole["usage"], output_tokens=1))
        yield float(fake.get("role", 0)), event("message_start", message=start)
        yield None, event("ping")
        for i, b in enumerate(whole["content"]):
            kind = {"thinking": "thinking", "text": "text", "tool_use": "input"}[b["type"]]
            yield None, event("content_block_start", index=i, content_block=dict(b, **{kind: {} if kind == "input" else ""}))
            pieces = json.dumps(b["input"]) if kind == "input" else b[kind]
            delta = {"thinking": "thinking_delta", "text": "text_delta", "input": "input_json_delta"}[kind]
            for piece in re.findall(r" ?[^ ]+", pieces):
                yield t, event("content_block_delta", index=i, delta={"type": delta, "partial_json" if kind == "input" else kind: piece})
                t += delay
            yield None, event("content_block_stop", index=i)
        yield None, event("message_delta", delta={"stop_reason": whole["stop_reason"], "stop_sequence": None},
                          usage={"output_tokens": whole["usage"]["output_tokens"]})
        yield None, event("message_stop")

    def stream(self, req, fake, body):
        events = self.message_events if is_messages(req) else self.events
        frame = fake.get("frame", "chunked")
        headers = self.headers_for(req, fake, "text/event-stream; charset=utf-8")
        z = None
        if fake.get("gzip") and "gzip" in (req.header("accept-encoding") or ""):
            headers.append(("Content-Encoding", "gzip"))
            z = zlib.compressobj(6, zlib.DEFLATED, 31)
        whole = None
        if frame == "sized":
            whole = b"".join(e for _, e in events(req, fake, body))
            headers.append(("Content-Length", str(len(whole))))
        elif frame == "close":
            headers.append(("Connection", "close"))
        else:
            headers.append(("Transfer-Encoding", "chunked"))
        self.head(200, headers)
        held = b""
        for when, data in events(req, fake, body):
            if when is not None:
                if held and req.t_end + when / 1000 > time.monotonic():
                    self.emit(held, fake, frame)
                    held = b""
                self.until(req.t_end + when / 1000)
            for how in ("cut", "reset", "stall"):
                if how in fake and req.sent_events >= int(fake[how]):
                    return self.stopped(how)
            if "error" in fake and req.sent_events >= int(fake["error"]):
                self.emit(ANTHROPIC_ERROR if is_messages(req) else OPENAI_ERROR, fake, frame)
                break
            if fake.get("stamp"):
                data = data.replace(b'"t":1000000000000', b'"t":%d' % ((time.monotonic() - req.t_end) * 1e6))
            if z:
                data = z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH)
            if fake.get("split") == "whole":
                held += data
            else:
                self.emit(data, fake, frame)
            req.sent_events += 1
        if held:
            self.emit(held, fake, frame)
        if z:
            self.emit(z.flush(zlib.Z_FINISH), fake, frame)
        if frame == "chunked":
            self.last_chunk(fake)
        return self.finish(frame, fake)

    def emit(self, data, fake, frame):
        for piece in self.pieces(data, fake):
            self.put(self.chunk(piece, fake) if frame == "chunked" else piece)


def big(size):
    """size bytes in pieces of 64 KiB, not compressible to nothing, the same each time."""
    block = b"".join(b"%07d " % i for i in range(8192))
    while size > 0:
        n = min(size, len(block))
        yield block[:n]
        size -= n


def answer_model(body):
    m = body.get("model") if isinstance(body, dict) else None
    return (m if isinstance(m, str) and m else "fake") + "-2026-08-01"


def usage_of(n, reason=0):
    return {"prompt_tokens": 17, "completion_tokens": n + reason, "total_tokens": 17 + n + reason,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reason, "audio_tokens": 0,
                                          "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}


def tool_calls():
    return [{"id": "call_a", "type": "function",
             "function": {"name": "get_weather", "arguments": '{"city":"Zürich","days":3}'}},
            {"id": "call_b", "type": "function", "function": {"name": "get_time", "arguments": '{"tz":"CET"}'}}]


def tool_deltas():
    for i, c in enumerate(tool_calls()):
        args = c["function"]["arguments"]
        yield {"index": i, "id": c["id"], "type": "function",
               "function": {"name": c["function"]["name"], "arguments": ""}}
        for k in range(0, len(args), 5):
            yield {"index": i, "function": {"arguments": args[k:k + 5]}}


class Provider:
    """The listening side. requests: all Requests in the order in which their heads came."""
    connection = Connection         # what serves a connection

    def __init__(self, tls=None, host="127.0.0.1", defaults=None, backlog=1024, rcvbuf=None):
        self.defaults = dict(defaults or {})
        self.requests, self.lock = [], threading.Condition()
        self.connections, self.accepted = set(), 0
        self.stopping = False
        self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.listener.bind((host, 0))
        self.listener.listen(backlog)
        self.host, self.port = host, self.listener.getsockname()[1]
        self.tls, self.tls_errors = None, []
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(tls[0], tls[1])
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return "%s://%s:%d" % ("https" if self.tls else "http", self.host, self.port)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.accepted += 1
            threading.Thread(target=self.begin, args=(sock, self.accepted), daemon=True).start()

    def begin(self, sock, number):
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True)
            except (OSError, ssl.SSLError) as e:
                self.tls_errors.append(str(e))
                sock.close()
                return
        c = self.connection(self, sock, number)
        with self.lock:
            self.connections.add(c)
        c.run()

    def note(self, req):
        with self.lock:
            req.seq = int(req.fake.get("id", len(self.requests) + 1))
            req.seed = int(req.fake.get("seed", 0))
            self.requests.append(req)
            self.lock.notify_all()

    def drop(self, conn):
        with self.lock:
            self.connections.discard(conn)
            self.lock.notify_all()

    def wait(self, count, timeout=10):
        """Waits until so many requests have come; returns them."""
        with self.lock:
            self.lock.wait_for(lambda: len(self.requests) >= count, timeout)
            return list(self.requests)

    @property
    def last(self):
        return self.requests[-1]

    def clear(self):
        with self.lock:
            self.requests.clear()

    def close(self):
        self.stopping = True
        self.listener.close()
        with self.lock:
            for c in list(self.connections):
                try:
                    c.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def make_certs(folder, names=("localhost",), ips=("127.0.0.1",), tag=""):
    """Makes a CA and a server certificate by the openssl command.
    Returns {ca, cert, key}, or None where there is no openssl."""
    p = lambda n: os.path.join(folder, tag + n)
    san = ",".join(["DNS:" + n for n in names] + ["IP:" + i for i in ips])
    run = lambda *a: subprocess.run(("openssl",) + a, check=True, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
    try:
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=spangate test CA" + tag, "-keyout", p("ca.key"), "-out", p("ca.pem"))
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=fake provider", "-keyout", p("server.key"), "-out", p("server.csr"))
        with open(p("ext"), "w") as f:
            f.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % san)
        run("x509", "-req", "-in", p("server.csr"), "-CA", p("ca.pem"), "-CAkey", p("ca.key"), "-CAcreateserial",
            "-days", "2", "-extfile", p("ext"), "-out", p("server.pem"))
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"ca": p("ca.pem"), "cert": p("server.pem"), "key": p("server.key")}


if __name__ == "__main__":
    provider = Provider()
    print(provider.port, flush=True)
    sys.stdin.read()
