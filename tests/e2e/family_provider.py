#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A provider of every API for the black-box tests: fake_provider.py's connections with
family_shapes.py's answers. All of its answers are the same each time.

The header `x-fake: key=value; ...` says how, beside what fake_provider.py has (status, split, frame):
    case=NAME               what the request itself cannot tell (family_shapes.py)
    role=MS first=MS delay=MS   "start" parts, the first "token" part, then the gap between tokens, by the
                            moment at which the request's last byte was read
    lockstep=NAME           with split=byte: no byte goes out before the client has the one before it, which it
                            tells by Provider.has(NAME, bytes)
Request.written then has (kind, before, after) for each part, monotonic times around its sending, and last
("done", before, after) for what ends the body.
Run as a program it prints its port and serves until its standard input ends.
"""
import sys
import time
from urllib.parse import parse_qs, urlsplit

import family_shapes
from fake_provider import Connection, Gone, Provider


class FamilyConnection(Connection):
    def headers_for(self, req, fake, ctype):
        out = super().headers_for(req, fake, ctype)
        if "/messages" in req.target:
            out = [("request-id", v) if k == "x-request-id" else (k, v) for k, v in out]
            out.append(("anthropic-ratelimit-requests-remaining", "999"))
        return out

    def plain(self, req, fake, body=None):
        url = urlsplit(req.target)
        path = url.path.rstrip("/")
        status = int(fake.get("status", "200"))
        if status >= 400 and "/messages" in path and "body" not in fake:
            kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "overloaded_error")
            return self.parts(req, fake, family_shapes.messages_error(status, kind, "fake error %d" % status))
        answer = None
        if status == 200:
            answer = family_shapes.answer(req.method, path, parse_qs(url.query), req.header("content-type"), req.body,
                                          fake.get("case"))
        if answer is None:
            return super().plain(req, fake, body)
        return self.parts(req, fake, answer)

    stream = plain

    def parts(self, req, fake, answer):
        headers = self.headers_for(req, fake, answer.ctype) + answer.headers
        frame = fake.get("frame", "sized" if len(answer.parts) == 1 else "chunked")
        if frame == "sized":
            headers.append(("Content-Length", str(len(answer.body))))
        elif frame == "close":
            headers.append(("Connection", "close"))
        else:
            headers.append(("Transfer-Encoding", "chunked"))
        self.head(answer.status, headers)
        due, gap = float(fake.get("first", 0)), float(fake.get("delay", 0))
        req.written, self.body_sent = [], 0
        for kind, data in answer.parts:
            if kind == "start":
                self.until(req.t_end + float(fake.get("role", 0)) / 1000)
            elif kind == "token":
                self.until(req.t_end + due / 1000)
                due += gap
            before = time.monotonic()
            self.emit(data, fake, frame)
            req.written.append((kind, before, time.monotonic()))
        if frame == "chunked":
            before = time.monotonic()
            self.last_chunk(fake)
        req.written.append(("done", before, time.monotonic()))
        return self.finish(frame, fake)

    def emit(self, data, fake, frame):
        if "lockstep" not in fake:
            return super().emit(data, fake, frame)
        for piece in self.pieces(data, fake):
            self.put(self.chunk(piece, fake) if frame == "chunked" else piece)
            self.body_sent += len(piece)
            self.p.wait_for(fake["lockstep"], self.body_sent)


class FamilyProvider(Provider):
    connection = FamilyConnection

    def __init__(self, **more):
        self.received = {}      # {name of a client: bytes of the body it has}
        super().__init__(defaults=dict({"id": "1"}, **more))

    def has(self, name, count):
        with self.lock:
            self.received[name] = count
            self.lock.notify_all()

    def wait_for(self, name, count):
        with self.lock:
            if not self.lock.wait_for(lambda: self.received.get(name, 0) >= count, 20):
                raise Gone()


if __name__ == "__main__":
    provider = FamilyProvider()
    print(provider.port, flush=True)
    sys.stdin.read()
