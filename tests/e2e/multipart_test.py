#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forms (multipart/form-data): members of ours are taken out part by part and all else stays byte for byte,
files of any size go through unchanged and add no more than their size to memory, the form's model routes, and
credentials are in no file."""
import hashlib
import subprocess

from harness import *

TRANSCRIBE, BOUNDARY = "/v1/audio/transcriptions", "----formdata-undici-041724563981"
SOUND = bytes(range(256)) * 20 + b"\r\n--" + BOUNDARY.encode() + b"x\r\n----"


def part(name, value, more="", boundary=BOUNDARY):
    """A part with its delimiter line."""
    value = value if isinstance(value, bytes) else value.encode()
    return ("--%s\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n" % (boundary, name, more)).encode() + value + b"\r\n"


def sound(value=SOUND, boundary=BOUNDARY):
    return part("file", value, '; filename="a %22b%22.wav"\r\nContent-Type: audio/wav', boundary)


def close(boundary=BOUNDARY):
    return ("--%s--\r\n" % boundary).encode()


def form_type(boundary=BOUNDARY):
    return ("Content-Type", "multipart/form-data; boundary=" + boundary)


def post(g, body, headers=(), path=TRANSCRIBE, **kw):
    heads = [h for h in headers if h[0] == "Content-Type"] or [form_type()]
    with Raw(g.port, **kw) as c:
        return c.post(path, body, heads + [h for h in headers if h[0] != "Content-Type"])


def arrives(p, r, want, what):
    """Did exactly these bytes reach the provider?"""
    q = p.last
    ok(r is not None and r.status == 200 and q.body == want, what, r and r.status, q.body[:2000])
    eq(q.header_all("content-length"), [str(len(want))], what + ": Content-Length")


def parts_are_cut():
    p = Provider()
    g = Gateway(p)
    model, granularity = part("model", "whisper-1"), part("timestamp_granularities[]", "word")
    r = post(g, model + granularity + sound() + close())
    arrives(p, r, model + granularity + sound() + close(), "nothing of ours: untouched")
    eq(p.last.header("content-type"), form_type()[1], "with its content type")
    ours = (part("customer_identifier", "u-1") + part("metadata[feature]", "x") + part("metadata[deep][a]", "1")
            + part("respan_params[thread_identifier]", "t-1"))
    r = post(g, model + ours + granularity + sound() + close())
    arrives(p, r, model + granularity + sound() + close(), "fields first and the file last, as Python clients send it")
    r = post(g, sound() + ours + model + part("metadata", '{"feature": "x"}') + close())
    arrives(p, r, sound() + model + close(), "the file first, as Node clients send it")
    r = post(g, ours + part("note", "n") + close())
    arrives(p, r, close(), "nothing but ours: an empty form")
    r = post(g, part("model", "m") + part("prompt", "a hint") + part("variables", "{}") + close())
    arrives(p, r, part("model", "m") + part("prompt", "a hint") + close(), "a prompt is the provider's, variables are ours")
    r = post(g, part("purpose", "batch") + part("metadata[a]", "b") + part("note", "n") + sound() + close(), path="/v1/files")
    arrives(p, r, part("purpose", "batch") + part("metadata[a]", "b") + sound() + close(), "metadata stays where the API may have it")
    b = "a b:c"
    r = post(g, part("note", "n", boundary=b) + sound(boundary=b) + close(b)[:-2],
             [("Content-Type", 'Multipart/Form-Data; charset=utf-8; Boundary="%s"' % b)])
    arrives(p, r, sound(boundary=b) + close(b)[:-2], "a quoted boundary, no line end at the end")
    with Raw(g.port) as c:
        body = model + ours + sound() + close()
        c.send(c.request_bytes("POST", TRANSCRIBE, [form_type(), ("Transfer-Encoding", "chunked")]))
        for i in range(0, len(body), 777):
            piece = body[i:i + 777]
            c.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        c.send(b"0\r\n\r\n")
        r = c.answer("POST")
    arrives(p, r, model + sound() + close(), "a chunked form")
    g.destroy()


def untouched():
    """What is no whole form, or cannot be read, goes on as it is."""
    p = Provider()
    g = Gateway(p, {"limits": {"max_body": "256KiB"}})
    ours = part("note", "n")
    for what, body, heads in (
            ("a form that broke off", ours + sound(), ()),
            ("another boundary", ours + close(), [form_type("other")]),
            ("no boundary", ours + close(), [("Content-Type", "multipart/form-data")]),
            ("multipart, but no form", ours + close(), [("Content-Type", "multipart/mixed; boundary=" + BOUNDARY)]),
            ("compressed", ours + close(), [("Content-Encoding", "gzip")]),
            ("JSON within multipart", b'{"note": 1}', ()),
            ("a body that is not held", ours + sound(SOUND * 80) + close(), ())):
        arrives(p, post(g, body, heads), body, what)
    eq([s.get("status") for s in g.spans(7)], ["success"] * 7, "and each has its span")
    g.destroy()


def model_routes():
    p, other = Provider(), Provider()
    g = Gateway(p, {"providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "default": True},
                                  "other": {"api": "openai", "base_url": other.url + "/v1"}},
                    "routes": [{"model": "whisper-*", "provider": "other"}]})
    r = post(g, sound() + part("model", "whisper-1") + close())
    eq((r.status, len(p.requests), len(other.requests)), (200, 0, 1), "the form's model chooses the provider")
    r = post(g, sound() + part("model", "gpt-4o-transcribe") + close())
    eq((r.status, len(p.requests), len(other.requests)), (200, 1, 1), "another one does not")
    r = post(g, sound() + part("model", b"bad\xff\nmodel") + close())
    eq((r.status, len(p.requests)), (200, 2), "a model that is no text counts as none")
    m, text = g.metrics()
    eq(m.sum("spangate_requests_total", model="whisper-1"), 1, "and is in the metrics")
    ok("bad" not in text, "where the one that is no text is not")
    g.destroy()


def secrets():
    p = Provider()
    g = Gateway(p)
    places = {}

    def canary(where):
        c = "CANARY%dx" % len(places) + os.urandom(8).hex()
        places[c] = where
        return c
    for member in ("customer_credentials", "credential_override", "customer_api_keys", "load_balance_models"):
        post(g, part("model", "m") + part(member, json.dumps({"openai": {"api_key": canary(member)}})) + sound() + close())
        post(g, part(member + "[openai][api_key]", canary(member + " in brackets")) + sound() + close())
        post(g, part("respan_params[%s][openai]" % member, canary(member + " nested in brackets")) + sound() + close())
        post(g, sound() + part("respan_params", json.dumps({member: canary(member + " in JSON")})) + close())
        post(g, sound() + part("extra_body[respan_params]", json.dumps({member: canary(member + " in both")})) + close())
        post(g, part(member, canary(member + " as a file"), '; filename="keys.json"') + sound() + close())
        post(g, part("metadata[respan_params][%s]" % member, canary(member + " in metadata")) + close(), path="/v1/files")
        post(g, part("respan_params", '{"%s": "%s"' % (member, canary(member + " in JSON that broke off"))) + close())
        post(g, part(member, canary(member + " in a form that broke off")))
    sent = len(p.requests)
    ok(not [q for q in p.requests[:-1] if b"CANARY" in q.body and q.body.endswith(close())], "none of them reached the provider in a whole form")
    spans = json.dumps(g.spans(sent))
    g.kill9()
    found = {}
    for f in g.data_files():
        with open(f, "rb") as inp:
            data = inp.read()
        for c, where in places.items():
            if c.encode() in data or c in spans or c in "\n".join(g.lines):
                found.setdefault(where, set()).add(os.path.basename(f))
    ok(sent == len(places) and not found, "%d canaries in forms, no trace of any in the data directory, log or spans" % sent, found)
    g.destroy()


def span_of_a_form():
    """Forms of all clients make the same span."""
    p = Provider()
    g = Gateway(p)
    model, file, want = part("model", "whisper-1"), sound(), {"feature": "x", "deep": '{"a":"1"}'}
    for what, body in (
            ("brackets", model + part("metadata[feature]", "x") + part("metadata[deep][a]", "1") + part("customer_identifier", "u") + file),
            ("JSON in a part", file + part("metadata", '{"feature": "x", "deep": {"a": "1"}}') + part("customer_identifier", "u") + model),
            ("params", file + model + part("respan_params[metadata]", '{"feature":"x","deep":{"a":"1"}}')
             + part("respan_params[customer_identifier]", "u")),
            ("JSON that comes as a file", part("metadata", '{"feature":"x","deep":{"a":"1"}}', '; filename="m.json"')
             + part("customer_identifier", "u") + model + file)):
        s = g.span(post(g, body + close()))
        eq((s.get("model"), s.get("customer_identifier"), s.get("metadata")), ("whisper-1", "u", want), "the span of a form: " + what)
        eq([(s.get("input") or {}).get(k) for k in ("filename", "bytes")], ['a "b".wav', len(SOUND)], "and its file: " + what)
    g.destroy()


def peak(g):
    """Most memory it has ever held, in bytes."""
    with open("/proc/%d/status" % g.pid) as f:
        return 1024 * int(next(ln for ln in f if ln.startswith("VmHWM:")).split()[1])


def large_file():
    """25 MB: unchanged at the provider; what is held of it while it waits for the answer is its own size."""
    p = Provider(defaults={"never": "1"})
    g = Gateway(p, {"threads": 1})
    data = os.urandom(1 << 20) * 25
    body = part("model", "whisper-1") + part("customer_identifier", "u") + sound(data) + part("note", "n") + close()
    want = part("model", "whisper-1") + sound(data) + close()
    post_small = sound() + close()
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", TRANSCRIBE, [form_type()], post_small))
        p.wait(1)
    before, rss = peak(g), g.rss()
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", TRANSCRIBE, [form_type()], body))
        p.wait(2)
        held = peak(g) - before
        ok(wait_until(lambda: g.metrics()[0].sum("spangate_held_body_bytes") == 0), "once sent it is let go, before the answer")
        left = g.rss() - rss
    q = p.requests[-1]
    eq((len(q.body), hashlib.sha256(q.body).hexdigest()), (len(want), hashlib.sha256(want).hexdigest()), "25 MB reach the provider unchanged")
    note("a body of %d bytes: the peak rose by %d (%.2f of it), %d are left once it is sent" % (len(body), held, held / len(body), left))
    if SANITIZED:
        skip("it adds at most its own size to memory", "a sanitizer has memory of its own")
    else:
        ok(held < len(body) + (2 << 20) and left < 2 << 20, "it adds at most its own size to memory", held, left, len(body))
    g.destroy()


def real_clients():
    """What curl and requests make of the same form."""
    p = Provider()
    g = Gateway(p)
    path = os.path.join(g.root, 'a "b".wav')
    with open(path, "wb") as f:
        f.write(SOUND)
    if shutil.which("curl"):
        out = subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", g.url + TRANSCRIBE, "-F", "model=whisper-1",
                              "-F", 'metadata={"feature":"x"}', "-F",
                              'file=@"%s"' % path.replace('"', '\\"'), "-F", "customer_identifier=u"], stdout=subprocess.PIPE)
        check_client(p, out.stdout, b"200", "curl")
    else:
        skip("curl", "it is not here")
    try:
        import requests
    except ImportError:
        skip("requests", "it is not here")
    else:
        with open(path, "rb") as f:
            r = requests.post(g.url + TRANSCRIBE, files={"file": f}, timeout=20,
                              data={"model": "whisper-1", "customer_identifier": "u", "metadata[feature]": "x", "metadata": '{"a":"b"}'})
        check_client(p, r.status_code, 200, "requests")
    g.destroy()


def check_client(p, status, good, who):
    q = p.last
    body = q.body
    ok(status == good and b"customer_identifier" not in body and b"metadata" not in body and b"whisper-1" in body
       and SOUND in body and body.endswith(b"--\r\n") and q.header("content-length") == str(len(body)),
       who + ": less ours, with all else", status, body[-500:])


main(parts_are_cut, untouched, model_routes, secrets, span_of_a_form, large_file, real_clients)
