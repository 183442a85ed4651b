# SPDX-License-Identifier: Apache-2.0
"""One plain request and one for a stream of each API family, on a bare socket, against family_provider.py."""
from family_provider import FamilyProvider
from family_shapes import TEXT, wav  # noqa: F401
from harness import *

CHAT_BODY = {"model": "gpt-test", "messages": MESSAGES}
MESSAGES_BODY = {"model": "claude-test", "max_tokens": 50, "messages": MESSAGES[1:]}
JSON_TYPE = [("Content-Type", "application/json"), ("Authorization", "Bearer sk-client-1")]
ANTHROPIC = [("Content-Type", "application/json"), ("x-api-key", "sk-client-1"), ("anthropic-version", "2023-06-01")]


def form(**fields):
    out = b"".join(b'--b0undary\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v.encode())
                   for k, v in fields.items())
    return out + b'--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n' \
        b"Content-Type: audio/wav\r\n\r\n" + wav() + b"\r\n--b0undary--\r\n"


FORM_TYPE = [("Content-Type", "multipart/form-data; boundary=b0undary"), ("Authorization", "Bearer sk-client-1")]
SPEECH = {"model": "tts-test", "input": "Grüße", "voice": "alloy", "response_format": "wav"}
# name: (path, headers, body of the plain request, what is added for a stream)
REQUESTS = {
    "chat": (CHAT, JSON_TYPE, CHAT_BODY, {"stream": True}),
    "completion": ("/v1/completions", JSON_TYPE, {"model": "gpt-test", "prompt": "Zürich"}, {"stream": True}),
    "response": ("/v1/responses", JSON_TYPE, {"model": "gpt-test", "input": "Zürich"}, {"stream": True}),
    "messages": ("/v1/messages", ANTHROPIC, MESSAGES_BODY, {"stream": True}),
    "transcription": ("/v1/audio/transcriptions", FORM_TYPE, {"model": "listen-test"}, {"stream": "true"}),
    "speech": ("/v1/audio/speech", JSON_TYPE, SPEECH, {}),
    "speech sse": ("/v1/audio/speech", JSON_TYPE, SPEECH, {"stream_format": "sse"}),
}


def gateway(provider, usage="ask"):
    return Gateway(provider, {"providers": {
        "fake": {"api": "openai", "base_url": provider.url + "/v1", "usage": usage, "default": True},
        "ant": {"api": "anthropic", "base_url": provider.url}}})


def ask(g, name, fake, stream, until=None):
    """(Response, when the request was sent)"""
    path, headers, body, more = REQUESTS[name]
    body = dict(body, **(more if stream else {}))
    raw = form(**body) if headers is FORM_TYPE else json.dumps(body, ensure_ascii=False).encode()
    with Raw(g.port) as c:
        data = c.request_bytes("POST", path, headers + [("x-fake", fake)], raw)
        sent = time.monotonic()
        c.send(data)
        r = c.head()
        return c.body(r, "POST", until), sent


def said(name, s):
    """The text in a span's output."""
    out = s.get("output")
    if name == "messages" or name == "chat":
        out = out.get("content") if isinstance(out, dict) else out
        return "".join(b.get("text") or "" for b in out) if isinstance(out, list) and name == "messages" else out
    if name == "response" and isinstance(out, dict) and isinstance(out.get("output"), list):
        return "".join(c.get("text") or "" for i in out["output"] for c in i.get("content") or [])
    return out
