#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Audio: kept as files and served back where spans.keep_audio says so, else neither kept nor stored."""
import hashlib
import hmac
import random

import family_shapes
from family_provider import FamilyProvider
from harness import *

KEY, OTHER = "sg-first-key-0123456789abcdef", "sg-second-key-0123456789abcdef"
SAMPLES = 500000        # a second is 16000
SOUND = family_shapes.wav(0)[:4] + (36 + 2 * SAMPLES).to_bytes(4, "little") + family_shapes.wav(0)[8:40] \
    + (2 * SAMPLES).to_bytes(4, "little") + random.Random(1).randbytes(2 * SAMPLES)
BOUNDARY = "b0undary"

family_shapes.wav = lambda: SOUND       # noise: it does not get smaller when it is compressed


def digest(text):
    return hmac.new(b"spangate-key", text.encode(), hashlib.sha256).hexdigest()


def gateway(p, keep):
    keys = [{"id": name, "tenant": name, "sha256": digest(key)} for name, key in (("one", KEY), ("two", OTHER))]
    return Gateway(p, {"keys": keys, "spans": {"keep_audio": keep}}, provider_config={"api_key": "sk-x"})


def bearer(key):
    return [("Authorization", "Bearer " + key)]


def speak(g, key=KEY, **more):
    body = {"model": "tts", "input": "Grüße", "voice": "alloy", "response_format": "wav", **more}
    with Raw(g.port) as c:
        return c.post("/v1/audio/speech", json.dumps(body), bearer(key) + [("Content-Type", "application/json")])


def listen(g):
    parts = ((b'"model"', b"\r\nwhisper-1"), (b'"file"; filename="a.wav"', b"Content-Type: audio/wav\r\n\r\n" + SOUND))
    form = b"".join(b"--%s\r\nContent-Disposition: form-data; name=%s\r\n%s\r\n" % (BOUNDARY.encode(), name, rest)
                    for name, rest in parts)
    with Raw(g.port) as c:
        return c.post("/v1/audio/transcriptions", form + b"--" + BOUNDARY.encode() + b"--\r\n",
                      bearer(KEY) + [("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)])


def files(g):
    return [f for f in g.data_files() if os.path.join("", "audio", "") in f]


def told(span, field):
    value = span.get(field)
    return value if isinstance(value, dict) else json.loads(value or "{}")


def ranges(g, url):
    size = len(SOUND)
    for text, first, last in (("0-0", 0, 0), ("10-19", 10, 19), ("%d-" % (size - 3), size - 3, size - 1), ("-5", size - 5, size - 1),
                              ("100-%d" % (size + 9), 100, size - 1), ("-%d" % (size + 9), 0, size - 1)):
        r = g.get(url, bearer(KEY) + [("Range", "bytes=" + text)])
        eq((r.status, r.get("content-range"), r.body == SOUND[first:last + 1]),
           (206, "bytes %d-%d/%d" % (first, last, size), True), "range " + text)
    for text in ("%d-" % size, "-0"):
        r = g.get(url, bearer(KEY) + [("Range", "bytes=" + text)])
        eq((r.status, r.get("content-range")), (416, "bytes */%d" % size), "range %s lies outside" % text)
    for text in ("bytes=0-1,4-5", "lines=1-2", "bytes=x-", "bytes=-"):
        r = g.get(url, bearer(KEY) + [("Range", text)])
        eq((r.status, r.body == SOUND), (200, True), "%s is passed over" % text)


def kept():
    p = FamilyProvider()
    g = gateway(p, True)
    r = speak(g)
    eq((r.status, r.body == SOUND), (200, True), "the client gets the sound")
    out = told(g.span(r), "output")
    url = out.get("audio_url") or "/none"
    eq((url, out.get("bytes"), out.get("content_type")), ("/api/audio/" + r.get("x-spangate-span-id"), len(SOUND), "audio/wav"),
       "the span says where it is")
    near(out.get("duration"), SAMPLES / 16000, 0.001, "and how long")
    got = g.get(url, bearer(KEY))
    eq((got.status, got.get("content-type"), got.body == SOUND), (200, "audio/wav", True), "and there it is")
    eq(got.get("accept-ranges"), "bytes", "in ranges too")
    ranges(g, url)
    eq(g.get(url, bearer(OTHER)).status, 404, "another tenant does not get it")
    eq(g.get(url).status, 401, "nobody without a key")
    eq(g.get("/api/audio/" + "0" * 32, bearer(KEY)).status, 404, "no such span")
    g.get("/api/audio/..%2f..%2flock", bearer(KEY))
    eq(p.last.target, "/v1/audio/..%2f..%2flock", "what is no id is no file: it is the provider's to answer")
    r = speak(g, stream_format="sse")
    got = g.get(told(g.span(r), "output").get("audio_url") or "/none", bearer(KEY))
    eq((got.status, got.body == SOUND), (200, True), "sound that came as events")
    r = speak(g, disable_log=True)
    eq(told(g.span(r), "output").get("audio_url"), None, "with disable_log there is none")
    eq([oct(os.stat(f).st_mode & 0o777) for f in files(g)], ["0o600"] * 2, "two files, 0600")
    r = listen(g)
    said = told(g.span(r), "input")
    if "duration" in said:
        got = g.get(said.get("audio_url") or "/none", bearer(KEY))
        eq((got.status, got.body == SOUND), (200, True), "what was transcribed")
    else:
        skip("what was transcribed", "forms are not read here")
    g.stop()
    g.inject(store={"retention": "1s"})
    time.sleep(1.1)
    g.start()
    ok(wait_until(lambda: not files(g), 15), "the files go with their spans", files(g))
    g.destroy()


def not_kept():
    g = gateway(FamilyProvider(), False)
    r = speak(g)
    eq(r.body == SOUND, True, "the client gets the sound")
    out = told(g.span(r), "output")
    eq((out.get("bytes"), out.get("content_type"), "audio_url" in out), (len(SOUND), "audio/wav", False),
       "the span says what it was")
    eq(g.get("/api/audio/" + r.get("x-spangate-span-id"), bearer(KEY)).status, 404, "there is nothing to play")
    eq(files(g), [], "no file was made")
    g.stop()
    size = sum(os.stat(f).st_size for f in g.data_files() if "spans.db" in f)
    ok(size < len(SOUND) / 2, "nor is it in the store", size)
    g.destroy()


main(kept, not_kept)
