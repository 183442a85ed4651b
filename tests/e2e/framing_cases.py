# SPDX-License-Identifier: Apache-2.0
"""Malformed requests by class: CLASSES = {name: (function(rng) -> bytes, statuses that are right)}.
Each function makes a new variant from its random generator.  None among the statuses: closing
without an answer is right too.  Used a few times each in make check, by the hundred in the long test."""
import string

BODY = b'{"model":"gpt-test","messages":[{"role":"user","content":"hi"}]}'
PATHS = ("/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/v1/unknown/thing")
NAMES = ("X-Custom", "Accept", "User-Agent", "x-stainless-lang", "OpenAI-Organization")


def word(rng, low=1, high=12):
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(low, high)))


def extra(rng):
    return ["%s: %s" % (rng.choice(NAMES), word(rng)) for _ in range(rng.randint(0, 4))]


def request(rng, headers, body=BODY, line=None, host=True):
    """A request with these headers put among harmless ones at a random place."""
    lines = extra(rng)
    for h in headers:
        lines.insert(rng.randint(0, len(lines)), h)
    if host:
        lines.insert(rng.randint(0, len(lines)), "Host: 127.0.0.1")
    first = line or "POST %s HTTP/1.1" % rng.choice(PATHS)
    return ("\r\n".join([first] + lines) + "\r\n\r\n").encode("latin-1") + body


def length(n=len(BODY)):
    return "Content-Length: %d" % n


def both_lengths(rng):
    te = rng.choice(("chunked", "Chunked", "chunked ", "\tchunked"))
    return request(rng, rng.sample([length(), "Transfer-Encoding: " + te], 2), b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def differing_lengths(rng):
    n = len(BODY) + rng.randint(1, 99)
    if rng.random() < 0.5:
        return request(rng, [length(), length(n)])
    return request(rng, ["Content-Length: %d, %d" % (len(BODY), n)])


def bad_length(rng):
    v = rng.choice(("+5", "-1", "0x10", "5 5", "", "1e3", "five", "٥".encode().decode("latin-1"), "18446744073709551616",
                    "99999999999999999999999", "5;", "5.0", "5\x0b"))
    return request(rng, ["Content-Length: " + v])


def bare_line_ends(rng):
    """Bare LF or bare CR somewhere in the head."""
    raw = request(rng, [length(), "X-Pad: " + word(rng)])
    head, body = raw[:-len(BODY)], raw[-len(BODY):]
    places = [i for i in range(len(head) - 2) if head[i:i + 2] == b"\r\n"]
    at = rng.choice(places)
    kind = rng.randint(0, 2)
    if kind == 0:
        head = head[:at] + b"\n" + head[at + 2:]
    elif kind == 1:
        head = head[:at] + b"\r" + head[at + 2:]
        head += b"\r\n"
    else:
        at = head.index(b"X-Pad: ") + 7
        head = head[:at] + b"\r" + head[at:]
    return head + body


def folding(rng):
    return request(rng, [length(), "X-Folded: a\r\n%sb" % rng.choice((" ", "\t", "   "))])


def space_before_colon(rng):
    name = rng.choice(("Content-Length", "Transfer-Encoding", "Host", "X-Any"))
    value = {"Content-Length": str(len(BODY)), "Transfer-Encoding": "chunked"}.get(name, "a")
    return request(rng, [length(), "%s%s: %s" % (name, rng.choice((" ", "\t", "  ")), value)])


def bad_chunks(rng):
    bad = rng.choice((b"zz\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n", b"\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
                      b"5\r\nhelloX\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"ffffffffffffffff1\r\nhello\r\n",
                      b"10000000000000000\r\nhello\r\n", b"5\r\nhello0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
                      b"5 5\r\nhello\r\n0\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
                      b"5;" + b"e" * 9000 + b"\r\nhello\r\n0\r\n\r\n"))
    good = b"".join(b"%x\r\n%s\r\n" % (len(w), w) for w in (word(rng).encode() for _ in range(rng.randint(0, 3))))
    return request(rng, ["Transfer-Encoding: chunked"], good + bad)


def other_codings(rng):
    v = rng.choice(("gzip", "gzip, chunked", "deflate, chunked", "identity", "compress", "xchunked", "chunked;q=1",
                    "br", word(rng, 5, 9)))
    return request(rng, ["Transfer-Encoding: " + v], b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def doubled_coding(rng):
    v = rng.choice((["Transfer-Encoding: chunked, chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
                    ["Transfer-Encoding: chunked, gzip"], ["Transfer-Encoding: "], ["Transfer-Encoding: ,"],
                    ["Transfer-Encoding: \"chunked\""]))
    return request(rng, v, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def host(rng):
    if rng.random() < 0.5:
        return request(rng, [length()], host=False)
    return request(rng, [length(), "Host: " + rng.choice(("127.0.0.1", "other.example", ""))])


def head_too_large(rng):
    if rng.random() < 0.5:
        return request(rng, [length(), "X-Big: " + "a" * rng.randint(66000, 90000)])
    return request(rng, [length()] + ["X-%d: %s" % (i, word(rng)) for i in range(rng.randint(300, 3000))])


def request_line(rng):
    line = rng.choice(("POST /v1/chat/completions", "POST  /v1/chat/completions HTTP/1.1", "P(ST /v1/x HTTP/1.1",
                       "POST /v1/x HTTP/1.1 ", "POST /v1/x y HTTP/1.1", " POST /v1/x HTTP/1.1", "POST\t/v1/x\tHTTP/1.1",
                       "POST v1/chat HTTP/1.1", "POST /v1/x http/1.1", "POST /v1/x HTTP/1.10", "POST /v1/x HTTP/11",
                       "POST /v1/\x01x HTTP/1.1", "POST /v1/\x7f HTTP/1.1", "POST /v1/x HTP/1.1", "\x16\x03\x01\x02 a b",
                       "POST * HTTP/1.1", word(rng, 20, 60), "POST /v1/x#frag ment HTTP/1.1"))
    return request(rng, [length()], line=line)


def version(rng):
    return request(rng, [length()], line="POST /v1/x HTTP/" + rng.choice(("2.0", "3.0", "0.9", "9.9", "1.7" if 0 else "2.1")))


def header_bytes(rng):
    bad = rng.choice(("X-Nul: a\0b", "X-Ctl: a\x01b", "X-Del: a\x7fb", "X Space: a", "X(Paren): a", "X-\xe9: a", ": empty",
                      "NoColonAtAll", "X\x00: a", "X@: a", "X-Esc: \x1b[31m"))
    return request(rng, [length(), bad])


def connect(rng):
    return request(rng, [], b"", line="CONNECT %s.example:443 HTTP/1.1" % word(rng))


def upgrade(rng):
    return request(rng, ["Connection: Upgrade", "Upgrade: " + rng.choice(("websocket", "h2c", "TLS/1.0")),
                         "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"], b"",
                   line="GET /v1/realtime?model=%s HTTP/1.1" % word(rng))


CLASSES = {
    "both content-length and transfer-encoding": (both_lengths, {400}),
    "differing content-lengths": (differing_lengths, {400}),
    "bad content-length": (bad_length, {400}),
    "bare CR or LF": (bare_line_ends, {400}),
    "obsolete folding": (folding, {400}),
    "space before the colon": (space_before_colon, {400}),
    "bad chunks": (bad_chunks, {400}),
    "transfer codings other than chunked": (other_codings, {501, 400}),
    "doubled or empty transfer codings": (doubled_coding, {400, 501}),
    "missing or double Host": (host, {400}),
    "head too large": (head_too_large, {431}),
    "bad request line": (request_line, {400, 505}),
    "unknown version": (version, {505}),
    "bad bytes in headers": (header_bytes, {400}),
    "CONNECT": (connect, {405}),
    "Upgrade": (upgrade, {426}),
}
