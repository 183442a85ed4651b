#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real client libraries in every API family, each call made directly and through the gateway: the client gets
the same, the provider gets the same, and there is one span that says what happened.
The clients are looked for in $SPANGATE_CLIENTS, which contrib/clients makes; what is not there is skipped."""
import hashlib

from family_provider import FamilyProvider
from family_shapes import TEXT, THOUGHT, audio, form_of
from harness import *

CLIENTS = os.environ.get("SPANGATE_CLIENTS", "")
NODE = os.path.join(CLIENTS, "node")
# script: (interpreter, what must be there, further arguments)
SCRIPTS = {"family_openai.py": (os.path.join(CLIENTS, "new", "bin", "python"), "", []),
           "family_anthropic.py": (os.path.join(CLIENTS, "new", "bin", "python"), "", []),
           "family_langchain.py": (os.path.join(CLIENTS, "langchain", "bin", "python"), "", []),
           "family_node.mjs": (shutil.which("node") or "", "node_modules/@anthropic-ai", [NODE]),
           "family_ai.mjs": (shutil.which("node") or "", "node_modules/@ai-sdk/anthropic", [NODE])}
results = {}        # {client/call: what it got}, of the calls through the gateway


def there(script):
    exe, needed, _ = SCRIPTS[script]
    return CLIENTS and os.path.exists(exe) and os.path.exists(os.path.join(NODE, needed))


def run(script):
    if not there(script):
        return None
    exe, _, more = SCRIPTS[script]
    r = subprocess.run([exe, os.path.join(HERE, script), p.url, g.url] + more, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=100 * SLOW)
    return json.loads(r.stdout) if r.returncode == 0 else {"failed": r.stderr.decode()[-2000:]}


def clients():
    """What the application sees."""
    for script, got in zip(SCRIPTS, parallel(len(SCRIPTS), lambda i: run(list(SCRIPTS)[i]))):
        if got is None:
            skip(script, "not in $SPANGATE_CLIENTS (contrib/clients makes it)")
        elif not isinstance(got, dict) or "failed" in got:
            ok(False, script + " ran", got)
        else:
            note("%s: version %s, %d calls" % (script, got["version"], len(got["direct"])))
            for name, direct in got["direct"].items():
                through = got["through"].get(name)
                if direct != through:
                    ok(False, name, "direct  " + json.dumps(direct)[:1200], "through " + json.dumps(through)[:1200])
            ok(got["direct"] == got["through"], "%s: all calls give the same" % script)
            results.update(got["through"])


# what the provider sees ------------------------------------------------------------
OURS = ("host", "connection", "content-length", "accept-encoding", "via", "x-respan-customer-identifier")


def by_tag():
    """{tag: (direct requests, requests through the gateway)}"""
    out = collections.defaultdict(lambda: ([], []))
    for q in p.requests:
        out[q.fake.get("tag")]["x-respan-customer-identifier" not in {k.lower() for k, _ in q.headers}].append(q)
    return out


def headers_of(q):
    """All that must be kept, less the boundary of a form, which is new each time."""
    return sorted((k.lower(), v.split("; boundary=")[0]) for k, v in q.headers if k.lower() not in OURS)


def body_of(q):
    """The body to be compared: its bytes; the parts of a form; for streams the JSON less what the gateway asks for."""
    if "multipart" in (q.header("content-type") or ""):
        return parts_of(q)
    if not q.body or "json" not in q.header("content-type"):
        return q.body
    if not q.json.get("stream"):
        return q.body
    return {k: v for k, v in q.json.items() if k != "stream_options"}


def parts_of(q):
    """The parts of a form; a file by its digest."""
    return [(name, file, hashlib.sha256(value).hexdigest() if file else value)
            for name, file, value in form_of(q.body, q.header("content-type"))]


def requests():
    tags = by_tag()
    eq([t for t, (a, b) in tags.items() if len(a) != 1 or len(b) != 1], [],
       "each call makes one request, direct and through")
    pairs = [(t, a[0], b[0]) for t, (a, b) in tags.items() if a and b]
    eq([t for t, a, b in pairs if (a.method, a.target) != (b.method, b.target)], [], "method and target are kept")
    bad = [(t, headers_of(a), headers_of(b)) for t, a, b in pairs if headers_of(a) != headers_of(b)]
    ok(not bad, "headers are kept: keys, versions, betas and all others", *bad[:3])
    bad = [t for t, a, b in pairs if "/members " not in t and body_of(a) != body_of(b)]
    ok(not bad, "bodies are kept", bad[:10])


def multipart_members():
    """The gateway's own members in a form go into the span, and nowhere else."""
    pairs = [(t, a[0], b[0]) for t, (a, b) in by_tag().items() if a and b and "/members " in t]
    for tag, a, b in pairs:
        want = [part for part in parts_of(a) if not part[0].startswith(("customer_id", "metadata"))]
        eq(parts_of(b), want, "%s: cut from the form, all other parts unchanged" % tag)
    got = [s for s in spans() if s.get("customer_identifier") == "multipart customer"]
    eq(len(got), len(pairs), "they are on the spans")
    eq([s.get("metadata") for s in got if s.get("metadata") != {"feature": "x"}], [], "metadata[feature] too")


# what the spans say -----------------------------------------------------------------
kept = []


def spans():
    if not kept:
        kept.extend(g.spans(len(results), 20))
    return kept


def judge(family, log_type, model, usage, unknown=(), text=None, fields=()):
    """Every call of one family. usage: (prompt, completion, total) or None: not judged; unknown: words of the calls
    that have none; text(span): the text in its output; fields: further (name, value)."""
    calls = {name: r for name, r in results.items() if name.split("/")[1].startswith(family)}
    if not calls:
        return skip(family, "no client")
    mine = collections.defaultdict(list)
    for s in spans():
        mine[s.get("customer_identifier")].append(s)
    bad = collections.defaultdict(list)
    for name in calls:
        if len(mine[name]) != 1:
            bad["one span each"].append("%s has %d" % (name, len(mine[name])))
            continue
        judge_one(bad, name, mine[name][0], log_type, model, usage, unknown, text, fields)
    streams = ("stream", "first token") if any(streamed(name) for name in calls) else ()
    aspects = (("log_type", log_type), ("model", model), ("usage", usage), ("text", text))
    told = [what for what, there in aspects if there]
    for what in ["one span each", "status", *streams, *told] + [f for f, _ in fields]:
        ok(not bad[what], "%s: %s" % (family, what), "%d of %d:" % (len(bad[what]), len(calls)), *bad[what][:4])


def streamed(name):
    return bool({"stream", "helper"} & set(name.split("/")[1].split()))


def judge_one(bad, name, s, log_type, model, usage, unknown, text, fields):
    words = name.split("/")[1].split()
    failed = "error" in words
    code = int(words[-1]) if failed and words[-1].isdigit() else 200
    answered = code == 200

    def expect(what, got, want):
        if got != want:
            bad[what].append("%s: %s, expected %s" % (name, str(got)[:300], str(want)[:300]))

    if log_type:
        expect("log_type", s.get("log_type"), log_type)
    status = "error" if failed or "failed" in words else "success"
    expect("status", [s.get("status"), s.get("status_code")], [status, code])
    if model:
        expect("model", s.get("model"), model if answered else re.sub("-2026-08-01$", "", model))
    if streamed(name) and answered:
        expect("stream", s.get("stream"), True)
        first, latency = s.get("time_to_first_token"), s.get("latency")
        if "failed" not in words:
            expect("first token", isinstance(first, float) and 0 <= first <= latency, True)
    if answered and usage and not set(unknown) & set(words):
        got = tuple(s.get(k) for k in ("prompt_tokens", "completion_tokens", "total_request_tokens"))
        expect("usage", got, usage if usage[1] else (usage[0], got[1] or None, usage[2]))
        for field, want in fields:
            expect(field, s.get(field), want)
    if answered and text and words[-1] in ("plain", "json", "anywhere"):
        expect("text", text(s), TEXT)


def of_calls(family, word):
    """(call, its span) of the calls of a family that have the word, except errors."""
    for s in spans():
        words = (s.get("customer_identifier") or "/").split("/")[-1].split()
        if words[:1] == [family] and word in words and "error" not in words:
            yield s["customer_identifier"], s


def holds(family, word, where, *needles):
    """The span's member (None: the whole span) has all of these texts somewhere."""
    for call, s in of_calls(family, word):
        text = json.dumps(s.get(where) if where else s, ensure_ascii=False)
        missing = [n for n in needles if n not in text]
        if missing:
            return ok(False, "%s %s: in %s" % (family, word, where or "the span"), call, missing, text[:700])
    ok(True, "%s %s: in %s" % (family, word, where or "the span"))


def without_null(v):
    if isinstance(v, dict):
        return {k: without_null(x) for k, x in v.items() if x is not None}
    return [without_null(x) for x in v] if isinstance(v, list) else v


def streams_alike(family):
    """What was put together of a stream is what comes in one piece."""
    bad, mine = [], {s.get("customer_identifier"): s for s in spans()}
    for call in results:
        client, words = call.split("/")[0], call.split("/")[1].split()
        other = mine.get("%s/%s" % (client, " ".join(w for w in words if w not in ("stream", "helper"))))
        if words[0] != family or other is None or not streamed(call) or "error" in words:
            continue
        for field in ("output", "finish_reason", "tool_calls", "response_id", "usage", "status", "error_message"):
            a, b = (without_null(x.get(field)) for x in (other, mine.get(call, {})))
            if a != b:
                bad += ["%s: %s" % (call, field), "plain   " + json.dumps(a)[:600], "stream  " + json.dumps(b)[:600]]
    ok(not bad, "%s: a stream's span is like the plain one's" % family, *bad[:6])


def object_of(v):
    return v if isinstance(v, dict) else {}


def response_text(s):
    items = object_of(s.get("output")).get("output") or [{}]
    return "".join(c.get("text") or "" for i in items for c in i.get("content") or [])


def message_text(s):
    content = object_of(s.get("output")).get("content")
    return "".join(b.get("text") or "" for b in content) if isinstance(content, list) else content


def chat_spans():
    judge("chat", "chat", "gpt-test-2026-08-01", (17, 21, 38), {"error"}, message_text,
          [("prompt_cache_hit_tokens", 4), ("reasoning_tokens", 5)])
    for where in ("output", "tool_calls"):
        holds("chat", "tools", where, "call_0", "get_weather", "Zürich")
    holds("chat", "refusal", "output", "I must not: " + TEXT)
    holds("chat", "reasoning", "output", THOUGHT)
    holds("chat", "annotations", "output", "https://example.org/a")
    holds("chat", "audio", "output", "audio_1", TEXT)
    holds("chat", "choices", None, TEXT, "Choice 1: " + TEXT)
    holds("chat", "logprobs", "full_response", "-0.25")
    streams_alike("chat")


def completion_spans():
    judge("completion", "completion", "gpt-test-2026-08-01", (5, 9, 14), (), lambda s: s.get("output"))
    holds("completion", "choices", None, TEXT, "Choice 1")
    streams_alike("completion")


def response_spans():
    judge("response", "response", "gpt-test-2026-08-01", (31, 23, 54), {"failed", "background"}, response_text,
          [("prompt_cache_hit_tokens", 8), ("reasoning_tokens", 7)])
    failed = [s for s in spans() if (s.get("customer_identifier") or "").endswith(" failed")]
    eq({s.get("error_message") for s in failed}, {"The model gave up"}, "response: why it failed")
    holds("response", "tools", "tool_calls", "call_0", "get_weather", "Zürich")
    holds("response", "tools", "output", "call_0", "fc_0", "get_weather")
    holds("response", "reasoning", "output", THOUGHT, TEXT)
    holds("response", "annotations", "output", "https://example.org/a")
    holds("response", "refusal", "output", "I must not: " + TEXT)
    holds("response", "incomplete", "output", "max_output_tokens", TEXT)
    streams_alike("response")


def messages_spans():
    judge("messages", "chat", "claude-test-2026-08-01", (1325, 40, 1365), {"error"}, message_text,
          [("prompt_cache_hit_tokens", 1000), ("prompt_cache_creation_tokens", 300)])
    for where in ("output", "tool_calls"):
        holds("messages", "tools", where, "toolu_0", "get_weather", "Zürich")
    holds("messages", "thinking", "output", THOUGHT, "EqQBCkYIARgCKkA=")
    holds("messages", "redacted", "output", "EmwKAhgBEgy3va3pzix=", TEXT)
    holds("messages", "search", None, "srvtoolu_1", "Zürich Wetter", "Eu==", "Ep==", "snow on the mountains")
    holds("messages", "system", "input", "Kurz.")
    holds("messages", "plain", "usage", "ephemeral_1h_input_tokens", "200")
    streams_alike("messages")


def embedding_spans():
    judge("embedding", "embedding", "embed-test", (6, 0, 6))
    plain = {s["customer_identifier"]: s.get("output") for s in spans()
             if re.search("/embedding (plain|float|raw)$", s.get("customer_identifier") or "")}
    ok(all(isinstance(v, list) and len(v) == 8 and isinstance(v[0], float) for v in plain.values()),
       "embedding: one flat vector of numbers, base64 or not", {k: str(v)[:80] for k, v in plain.items()})
    eq(len({json.dumps(v) for v in plain.values()}), 1, "embedding: the same numbers, base64 or not")


def speech_spans():
    judge("speech", "speech", "tts-test", (14, 101, 115), {"mp3", "wav", "pcm", "flac", "opus", "aac", "streamed"})
    for form in ("mp3", "wav", "pcm", "flac", "opus", "aac"):
        holds("speech", form, "output", "audio/", '"bytes": %d' % len(audio(form)))
    holds("speech", "sse", "output", '"bytes": %d' % len(audio("mp3")))
    holds("speech", "wav", "input", "Grüße")


def transcription_spans():
    without = {"text", "srt", "vtt", "seconds"}
    judge("transcription", "transcription", None, (14, 20, 34), without, lambda s: s.get("output"))
    judge("translation", "transcription", "whisper-1", None, (), lambda s: s.get("output"))
    holds("transcription", "json", "input", ".wav", "audio/wav")
    for word in ("text", "srt", "vtt", "verbose_json", "diarized_json", "diarized", "seconds"):
        holds("transcription", word, "output", TEXT)
    holds("transcription", "seconds", "usage", "duration", "seconds")
    streams_alike("transcription")


def estimated_spans():
    """A transcript in plain text comes without usage."""
    calls = [x for form in ("text", "srt", "vtt") for x in of_calls("transcription", form)]
    bad = [(call, s.get("usage_source"), s.get("completion_tokens")) for call, s in calls
           if s.get("usage_source") != "estimated" or not s.get("completion_tokens")]
    ok(calls and not bad, "transcription: usage is estimated where none came, and says so", *bad[:4])


def image_spans():
    judge("image", "other", "image-test", (11, 272, 283))


def rerank_spans():
    judge("rerank", "reranker", "rerank-test", None)


def other_spans():
    judge("other", "other", None, None)
    judge("stored", None, None, None)


def books():
    code, out, err = g.run("verify")
    eq(code, 0, "verify") or note(out, err)


if not any(there(script) for script in SCRIPTS):
    skip_all("no clients in $SPANGATE_CLIENTS (contrib/clients makes them)")
p = FamilyProvider()
g = Gateway(p, {"providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "usage": "ask", "default": True},
                              "ant": {"api": "anthropic", "base_url": p.url}}})
main(clients, requests, multipart_members, chat_spans, completion_spans, response_spans, messages_spans,
     embedding_spans, speech_spans, transcription_spans, estimated_spans, image_spans, rerank_spans, other_spans, books)
