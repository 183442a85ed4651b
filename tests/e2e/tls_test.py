#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS to the provider: verified, and cut answers are seen."""
import ssl
import warnings

from harness import *

root = tempfile.mkdtemp(prefix="spangate-tls-")
good = make_certs(root, ("localhost",), ("127.0.0.1",))
if good is None:
    skip_all("there is no openssl command")
wrong = make_certs(root, ("other.example",), ("127.0.0.9",), "wrong-")


def gateway(p, ca, host="127.0.0.1", **more):
    return Gateway(None, {"threads": 1, "providers": {"fake": dict({"api": "openai", "base_url": "https://%s:%d/v1" % (host, p.port), "usage": "ask"},
                                                                   **(dict(more, ca_file=ca) if ca else more))}})


def own_ca():
    p = Provider((good["cert"], good["key"]))
    for host in ("localhost", "127.0.0.1"):
        g = gateway(p, good["ca"], host)
        r = chat(g, "n=5", True)
        eq((r.status, text_of(r.events())), (200, "".join(words(5))), "own CA, %s: a stream" % host)
        s = g.span(r)
        ok(s.get("status") == "success" and (s.get("breakdown") or {}).get("tls") is not None, "its span knows the handshake's time", s.get("breakdown"))
        big = b'{"model":"m","messages":"' + b"a" * 2000000 + b'"}'
        with Raw(g.port) as c:
            r = c.post(CHAT, big, [("x-fake", "size=3000000")])
            ok(len(r.body) == 3000000 and p.last.body == big, "large bodies both ways", len(r.body))
            first = p.last.conn
            r = c.post(CHAT, chat_body())
            eq(p.last.conn, first, "the connection is kept and used again")
            r = c.post(CHAT, chat_body(), [("x-fake", "die=reused")])
            eq(r.status, 200, "a stale one is replaced")
        g.destroy()


def refused():
    p = Provider((good["cert"], good["key"]))
    q = Provider((wrong["cert"], wrong["key"]))
    plain = Provider()
    for what, prov, ca, host in (("an unknown CA", p, None, "localhost"), ("another CA", p, wrong["ca"], "localhost"),
                                 ("a certificate for another host", q, wrong["ca"], "localhost"), ("a certificate for another address", q, wrong["ca"], "127.0.0.1"),
                                 ("a server without TLS", plain, good["ca"], "localhost")):
        g = gateway(prov, ca, host)
        r = chat(g)
        eq((r.status, bool(r.error), len(prov.requests)), (502, True, 0), what + ": 502, nothing is sent")
        s = g.span(r)
        eq((s.get("end_reason"), s.get("status")), ("tls_failed", "error"), what + ": its span")
        g.destroy()


def old_versions():
    p = Provider((good["cert"], good["key"]))
    try:
        warnings.simplefilter("ignore")
        p.tls.minimum_version = ssl.TLSVersion.TLSv1
        p.tls.maximum_version = ssl.TLSVersion.TLSv1_1
        p.tls.set_ciphers("ALL:@SECLEVEL=0")
    except (ValueError, ssl.SSLError) as e:
        return skip("TLS 1.1 is refused", str(e))
    g = gateway(p, good["ca"])
    eq((chat(g).status, len(p.requests)), (502, 0), "TLS 1.1 is refused")
    g.destroy()
    p = Provider((good["cert"], good["key"]))
    p.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    g = gateway(p, good["ca"])
    eq(chat(g, "n=3", True).status, 200, "TLS 1.2 works")
    g.destroy()


def truncation():
    p = Provider((good["cert"], good["key"]))
    g = gateway(p, good["ca"])
    r = chat(g, "n=5; frame=close", True)
    eq((r.status, r.end in ("close", "chunked"), r.body.endswith(b"[DONE]\n\n")), (200, True, True), "an answer ended by close_notify is whole")
    eq(g.span(r).get("status"), "success", "its span")
    with Raw(g.port) as c:
        r = c.get("/v1/x", [("x-fake", "size=20000; frame=close; trunc=1")])
    eq(r.end, "cut", "an answer without length that ends without close_notify is cut")
    eq(g.span(r).get("end_reason"), "upstream_cut", "its span")
    r = chat(g, "n=20; cut=5", True)
    eq((r.end, g.span(r).get("end_reason")), ("cut", "upstream_cut"), "a stream cut under TLS")
    r = chat(g, "n=20; reset=5", True)
    eq((r.end, g.span(r).get("end_reason")), ("cut", "upstream_cut"), "a stream reset under TLS")
    g.destroy()


def many():
    p = Provider((good["cert"], good["key"]))
    g = gateway(p, good["ca"])
    got = parallel(20, lambda i: chat(g, "n=30; split=rand; id=1", True))
    eq([text_of(r.events()) for r in got], ["".join(words(30))] * 20, "20 streams at once under TLS")
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")], json.dumps(chat_body()).encode()))
        q = p.wait(21)[20]
        t = time.monotonic()
    ok(q.closed.wait(3) and q.closed_at - t < 1 * SLOW, "a client that leaves is seen, and the provider's TLS connection closed")
    g.destroy()


def probe():
    p = Provider((good["cert"], good["key"]))
    g = gateway(p, good["ca"])
    code, out, err = g.run("check-config", "--probe")
    eq(code, 0, "check-config --probe") or note(out, err)
    g.destroy()
    g = gateway(p, wrong["ca"])
    code, out, err = g.run("check-config", "--probe")
    ok(code != 0 and re.search("(?i)certificate|verify|tls", out + err), "and with the wrong CA says why", code, out, err)
    g.destroy()


main(own_ca, refused, old_versions, truncation, many, probe)
