#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compressed answers: their bytes pass as they came, and the span reads them."""
import gzip
import zlib

import fake_provider
from harness import *


def program(*argv):
    """A coding done by a program; None where that is not installed."""
    if not shutil.which(argv[0]):
        return None
    return lambda data: subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True).stdout


CODERS = {"gzip": lambda data: gzip.compress(data, 4), "deflate": zlib.compress, "br": program("brotli", "-c", "-q", "5"),
          "zstd": program("zstd", "-c", "-q")}
LISTS = ["gzip", "deflate", "br", "zstd", "gzip, br", "br, zstd", "zstd, gzip", "deflate, zstd, br"]
N = 40


def coded(data, codings):
    """The data in those codings, each in two members where it may have several; None: a program is missing."""
    for name in codings.split(", "):
        if CODERS[name] is None:
            return None
        half = len(data) if name == "deflate" else len(data) // 2
        data = CODERS[name](data[:half]) + (CODERS[name](data[half:]) if half < len(data) else b"")
    return data


class CodedConnection(fake_provider.Connection):
    """Answers x-fake: coded=NAME with Provider.bodies[NAME]: (content type, codings, bytes)."""

    def stream(self, req, fake, body):
        return self.prepared(req, fake) if "coded" in fake else super().stream(req, fake, body)

    def plain(self, req, fake, body=None):
        return self.prepared(req, fake) if "coded" in fake else super().plain(req, fake, body)

    def prepared(self, req, fake):
        ctype, codings, data = self.p.bodies[fake["coded"]]
        self.head(200, [("Content-Type", ctype), ("Content-Encoding", codings), ("Transfer-Encoding", "chunked")])
        for piece in self.pieces(data, fake):
            self.put(self.chunk(piece, fake))
        self.last_chunk(fake)
        return True


class CodedProvider(Provider):
    connection = CodedConnection


def bodies():
    """What the fake provider says to a chat request, as a stream and whole."""
    with Raw(p.port) as c:
        stream = c.post(CHAT, chat_body(True, stream_options={"include_usage": True}), [("x-fake", "n=%d" % N)]).body
        plain = c.post(CHAT, chat_body(), [("x-fake", "n=%d" % N)]).body
    return (("stream", "text/event-stream", stream, True), ("document", "application/json", plain, False))


def ask(name, stream, codings, split="rand", **more):
    return chat(g, "coded=%s; split=%s" % (name, split), stream, headers={"Accept-Encoding": codings},
                stream_options={"include_usage": True} if stream else None, **more)


def answers():
    for kind, ctype, data, stream in bodies():
        for codings in LISTS:
            what = "%s, %s" % (kind, codings)
            body = coded(data, codings)
            if body is None:
                skip(what, "no such program")
                continue
            p.bodies["x"] = (ctype, codings, body)
            r = ask("x", stream, codings)
            eq(p.last.header("accept-encoding"), codings, what + ": the client's codings go upstream")
            ok((r.body, r.get("content-encoding")) == (body, codings), what + ": the bytes pass unchanged", len(r.body))
            s = g.span(r)
            eq(((s.get("output") or {}).get("content"), s.get("completion_tokens"), s.get("warnings")),
               ("".join(words(N)), N, None), what + ": the span reads it")


def broken():
    """A stream that is damaged in its middle: what had come is there."""
    _, ctype, data, _ = bodies()[0]
    for codings in ("gzip", "br", "zstd"):
        if CODERS[codings] is None:
            skip(codings, "no such program")
            continue
        body = CODERS[codings](data)
        p.bodies["x"] = (ctype, codings, body[:-40])
        r = ask("x", True, codings)
        s = g.span(r)
        ok(r.body == body[:-40] and "coding_broken" in (s.get("warnings") or {}), codings + " that breaks off: a warning",
           s.get("warnings"))
        ok(words(N)[0] in ((s.get("output") or {}).get("content") or "") or codings == "zstd",
           codings + " that breaks off: what came is read", s.get("output"))


def bombs():
    """70 MB of blanks in a few bytes: the client gets all of them, the span a warning.
    (With disable_log, as what was read would make the spans large.)"""
    blanks = b'{"choices": [{"message": {"content": "x"}}]}' + b" " * (70 << 20)
    for codings in ("gzip", "br", "zstd"):
        if CODERS[codings] is None:
            skip(codings, "no such program")
            continue
        p.bodies["x"] = ("application/json", codings, CODERS[codings](blanks))
        r = ask("x", False, codings, "event", disable_log=True)
        ok(r.body == p.bodies["x"][2], codings + " bomb: the client gets all bytes", len(r.body))
        s = g.span(r)
        ok("expanded_limit" in (s.get("warnings") or {}), codings + " bomb: stopped with a warning", s.get("warnings"))
        eq(s.get("status_code"), 200, codings + " bomb: and a span all the same")
    s = g.span(chat(g, "n=3"))
    eq(s.get("completion_tokens"), 3, "the next request is as ever")


p = CodedProvider()
p.bodies = {}
g = Gateway(p)
main(answers, broken, bombs)
