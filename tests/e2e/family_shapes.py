# SPDX-License-Identifier: Apache-2.0
"""What a provider answers, API by API, as pure functions of the request: the bodies that
family_provider.py sends. Answers are the same each time: ids, times and numbers are fixed.

An answer is made of parts, (kind, bytes): "start" is what comes before the first token (a role, a
created object), "token" carries something a reader waits for, "end" is the rest.

The request tells what is wanted (tools, n, thinking, response_format, ...); what it cannot tell comes
as `case` from a header: refusal, reasoning, annotations, failed, incomplete, redacted, search, error.
"""
import base64
import json
import re
import struct

TEXT = "Grüße aus Zürich: 東京 \U0001f3d4️ and café, señor; Ελλάδα \U0001d54f done."
THOUGHT = "Let me think: ὅτι \U0001f914 yes."
CREATED = 1795000000
TOOL_ARGUMENTS = '{"city":"Zürich","days":3}'
EVENT_STREAM = "text/event-stream; charset=utf-8"


class Answer:
    def __init__(self, parts, ctype="application/json", status=200, headers=()):
        self.parts, self.ctype, self.status, self.headers = parts, ctype, status, list(headers)

    @property
    def body(self):
        return b"".join(data for _, data in self.parts)


def plain(obj, **more):
    return Answer([("end", json.dumps(obj, ensure_ascii=False, indent=1).encode() + b"\n")], **more)


def pieces(text, size=3):
    return [text[i:i + size] for i in range(0, len(text), size)]


def data_event(kind, obj, name=None, pad=""):
    head = "event: %s\n" % name if name else ""
    return kind, (head + "data: " + json.dumps(obj, ensure_ascii=False, separators=(",", ":")) + pad + "\n\n").encode()


DONE = ("end", b"data: [DONE]\n\n")


def wants_json(body):
    form = body.get("response_format") or (body.get("text") or {}).get("format") or {}
    return isinstance(form, dict) and form.get("type") in ("json_schema", "json_object")


def text_for(body):
    return '{"city":"Zürich","height":408}' if wants_json(body) else TEXT


def dated(body, default="gpt-test"):
    return (body.get("model") or default) + "-2026-08-01"


# chat ------------------------------------------------------------------------------
CHAT_USAGE = {"prompt_tokens": 17, "completion_tokens": 21, "total_tokens": 38,
              "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0,
                                            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}
ANNOTATION = {"type": "url_citation", "url_citation": {"url": "https://example.org/a", "title": "Ä", "start_index": 0,
                                                       "end_index": 5}}


def last_role(body):
    messages = body.get("messages") or body.get("input")
    last = messages[-1] if isinstance(messages, list) and messages else {}
    return last.get("role") or last.get("type") if isinstance(last, dict) else None


def chat_tools(body):
    tools = [t for t in body.get("tools") or [] if t.get("type") == "function"]
    call = lambda i, name: {"id": "call_%d" % i, "type": "function",
                            "function": {"name": name, "arguments": TOOL_ARGUMENTS}}
    return [] if last_role(body) == "tool" else [call(i, t["function"]["name"]) for i, t in enumerate(tools)]


def chat_message(body, case, index):
    """(message, finish reason, logprobs)"""
    m, finish, logprobs = {"role": "assistant", "content": text_for(body), "refusal": None}, "stop", None
    calls = chat_tools(body)
    if case == "refusal":
        m.update(content=None, refusal="I must not: " + TEXT)
    elif calls:
        m.update(content=None, tool_calls=calls)
        finish = "tool_calls"
    elif "audio" in (body.get("modalities") or []):
        m.update(content=None, audio={"id": "audio_1", "expires_at": CREATED + 3600, "transcript": TEXT,
                                      "data": base64.b64encode(b"\1\2\3\4" * 30).decode()})
    if case == "reasoning":
        m["reasoning_content"] = THOUGHT
    if case == "annotations":
        m["annotations"] = [ANNOTATION]
    if index:
        m["content"] = "Choice %d: %s" % (index, TEXT)
    if body.get("logprobs"):
        logprobs = {"content": [{"token": t, "logprob": -0.25, "bytes": list(t.encode()), "top_logprobs": []}
                                for t in pieces(m["content"], 20)], "refusal": None}
    return m, finish, logprobs


def chat_deltas(m):
    """The deltas that make up a message after its role."""
    out = [{"reasoning_content": t} for t in pieces(m.get("reasoning_content") or "")]
    out += [{"refusal": t} for t in pieces(m["refusal"] or "")]
    out += [{"content": t} for t in pieces(m["content"] or "")]
    for i, call in enumerate(m.get("tool_calls") or []):
        f = call["function"]
        out.append({"tool_calls": [{"index": i, "id": call["id"], "type": "function",
                                    "function": {"name": f["name"], "arguments": ""}}]})
        out += [{"tool_calls": [{"index": i, "function": {"arguments": t}}]} for t in pieces(f["arguments"], 5)]
    if m.get("audio"):
        out.append({"audio": {"id": m["audio"]["id"]}})
        out += [{"audio": {"transcript": t}} for t in pieces(m["audio"]["transcript"])]
        out += [{"audio": {"data": t}} for t in pieces(m["audio"]["data"], 40)]
        out.append({"audio": {"expires_at": m["audio"]["expires_at"]}})
    if m.get("annotations"):
        out.append({"annotations": m["annotations"]})
    return out


def chat_stream(body, choices, case):
    asked = (body.get("stream_options") or {}).get("include_usage") is True
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": CREATED, "model": dated(body),
            "service_tier": "default", "system_fingerprint": "fp_1"}

    def chunk(kind, choices, **more):
        return data_event(kind, dict(base, choices=choices, **(dict({"usage": None}, **more) if asked else more)))

    def delta(kind, i, d, finish=None, logprobs=None):
        return chunk(kind, [{"index": i, "delta": d, "logprobs": logprobs, "finish_reason": finish}])

    out = [delta("start", i, {"role": "assistant", "content": None if m["content"] is None else "", "refusal": None})
           for i, (m, _, _) in enumerate(choices)]
    rows = [chat_deltas(m) for m, _, _ in choices]
    for step in range(max(map(len, rows))):             # choices take turns
        out += [delta("token", i, row[step]) for i, row in enumerate(rows) if step < len(row)]
        if case == "error" and step == 3:
            return out + [data_event("end", {"error": {"message": "The server had an error", "type": "server_error",
                                                       "param": None, "code": "boom"}})]
    out += [delta("end", i, {}, finish, logprobs) for i, (_, finish, logprobs) in enumerate(choices)]
    if asked:
        out.append(chunk("end", [], usage=CHAT_USAGE))
    return out + [DONE]


def chat(body, case):
    choices = [chat_message(body, case, i) for i in range(body.get("n") or 1)]
    if body.get("stream"):
        return Answer(chat_stream(body, choices, case), EVENT_STREAM)
    return plain({"id": "chatcmpl-1", "object": "chat.completion", "created": CREATED, "model": dated(body),
                  "choices": [{"index": i, "message": m, "logprobs": logprobs, "finish_reason": finish}
                              for i, (m, finish, logprobs) in enumerate(choices)],
                  "usage": CHAT_USAGE, "service_tier": "default", "system_fingerprint": "fp_1"})


# completions -------------------------------------------------------------------------
COMPLETION_USAGE = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}


def completion(body, case):
    base = {"id": "cmpl-1", "object": "text_completion", "created": CREATED, "model": dated(body)}
    n = body.get("n") or 1
    texts = [TEXT if i == 0 else "Choice %d" % i for i in range(n)]
    choice = lambda i, text, finish: {"text": text, "index": i, "logprobs": None, "finish_reason": finish}
    if not body.get("stream"):
        return plain(dict(base, choices=[choice(i, t, "stop") for i, t in enumerate(texts)], usage=COMPLETION_USAGE))
    out = [data_event("token", dict(base, choices=[choice(i, t, None)]))
           for i, text in enumerate(texts) for t in pieces(text)]
    out += [data_event("end", dict(base, choices=[choice(i, "", "stop")])) for i in range(n)]
    if (body.get("stream_options") or {}).get("include_usage"):
        out.append(data_event("end", dict(base, choices=[], usage=COMPLETION_USAGE)))
    return Answer(out + [DONE], EVENT_STREAM)


# responses ---------------------------------------------------------------------------
RESPONSE_USAGE = {"input_tokens": 31, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
                  "output_tokens": 23, "output_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 54}


GAVE_UP = {"code": "server_error", "message": "The model gave up"}


def response_object(body, status, output, usage=RESPONSE_USAGE, **more):
    out = {"id": "resp_1", "object": "response", "created_at": CREATED, "status": status,
           "background": bool(body.get("background")), "completed_at": CREATED + 2 if status == "completed" else None,
           "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
           "max_output_tokens": None, "max_tool_calls": None, "model": dated(body), "output": output,
           "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": None,
           "reasoning": {"effort": "medium", "summary": "auto"}, "safety_identifier": None, "service_tier": "default",
           "store": True, "temperature": 1.0, "text": body.get("text") or {"format": {"type": "text"}},
           "tool_choice": "auto", "tools": body.get("tools") or [], "top_p": 1.0, "truncation": "disabled",
           "usage": usage, "user": None, "metadata": body.get("metadata") or {}}
    out.update(more)
    return out


def response_items(body, case):
    out = []
    if body.get("reasoning") or case == "reasoning":
        out.append({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]})
    tools = [t for t in body.get("tools") or [] if t.get("type") == "function"]
    if last_role(body) == "function_call_output":
        tools = []
    if case == "refusal":
        content = {"type": "refusal", "refusal": "I must not: " + TEXT}
    else:
        content = {"type": "output_text", "text": text_for(body), "logprobs": [], "annotations": [
            {"type": "url_citation", "url": "https://example.org/a", "title": "Ä", "start_index": 0, "end_index": 5}]
            if case == "annotations" else []}
    if not tools:
        out.append({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [content]})
    for i, t in enumerate(tools):
        out.append({"id": "fc_%d" % i, "type": "function_call", "status": "completed", "call_id": "call_%d" % i,
                    "name": t["name"], "arguments": TOOL_ARGUMENTS})
    return out


def item_events(item, at):
    """(kind, type, members) for one item of a stream."""
    ref = {"item_id": item["id"], "output_index": at}
    empty = {"message": {"content": [], "status": "in_progress"},
             "function_call": {"arguments": "", "status": "in_progress"}, "reasoning": {"summary": []}}[item["type"]]
    yield "start", "output_item.added", {"output_index": at, "item": dict(item, **empty)}
    if item["type"] == "function_call":
        for t in pieces(item["arguments"], 5):
            yield "token", "function_call_arguments.delta", dict(ref, delta=t, obfuscation="xyz")
        yield "end", "function_call_arguments.done", dict(ref, arguments=item["arguments"], name=item["name"])
    elif item["type"] == "reasoning":
        ref["summary_index"], part = 0, item["summary"][0]
        yield "start", "reasoning_summary_part.added", dict(ref, part=dict(part, text=""))
        for t in pieces(part["text"]):
            yield "token", "reasoning_summary_text.delta", dict(ref, delta=t, obfuscation="xyz")
        yield "end", "reasoning_summary_text.done", dict(ref, text=part["text"])
        yield "end", "reasoning_summary_part.done", dict(ref, part=part)
    else:
        ref["content_index"], part = 0, item["content"][0]
        name, key = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        extra = {} if name == "refusal" else {"logprobs": []}
        yield "start", "content_part.added", dict(ref, part=dict(part, **{key: ""}))
        for t in pieces(part[key]):
            yield "token", name + ".delta", dict(ref, delta=t, obfuscation="xyz", **extra)
        for i, a in enumerate(part.get("annotations") or []):
            yield "end", "output_text.annotation.added", dict(ref, annotation_index=i, annotation=a)
        yield "end", name + ".done", dict(ref, **{key: part[key]}, **extra)
        yield "end", "content_part.done", dict(ref, part=part)
    yield "end", "output_item.done", {"output_index": at, "item": item}


def response_stream(body, final):
    events = [("start", "created", {"response": response_object(body, "in_progress", [], None)}),
              ("start", "in_progress", {"response": response_object(body, "in_progress", [], None)})]
    for at, item in enumerate(final["output"]):
        events += item_events(item, at)
    events.append(("end", final["status"], {"response": final}))
    return [data_event(kind, dict(more, type="response." + name, sequence_number=i), "response." + name)
            for i, (kind, name, more) in enumerate(events)]


def response(body, case):
    if body.get("background"):
        return plain(response_object(body, "queued", [], None, id="resp_bg"))
    items = response_items(body, case)
    if case == "failed":
        final = response_object(body, "failed", [], None, error=GAVE_UP)
    elif case == "incomplete":
        final = response_object(body, "incomplete", items, incomplete_details={"reason": "max_output_tokens"})
    else:
        final = response_object(body, "completed", items)
    return Answer(response_stream(body, final), EVENT_STREAM) if body.get("stream") else plain(final)


def response_by_id(method, path, query, case):
    parts = path.strip("/").split("/")
    body, rid = {"model": "gpt-test"}, parts[2]
    if method == "DELETE":
        return plain({"id": rid, "object": "response", "deleted": True})
    if parts[3:] == ["cancel"]:
        return plain(response_object(body, "cancelled", [], None, id=rid, background=True))
    if parts[3:] == ["input_items"]:
        item = {"id": "msg_0", "type": "message", "role": "user", "status": "completed",
                "content": [{"type": "input_text", "text": TEXT}]}
        return plain({"object": "list", "data": [item], "first_id": "msg_0", "last_id": "msg_0", "has_more": False})
    whole = response_object(body, "completed", response_items(body, case), id=rid, background=True)
    if query.get("stream") == ["true"]:
        after = int(query.get("starting_after", ["-1"])[0])
        return Answer(response_stream(body, whole)[after + 1:], EVENT_STREAM)
    return plain(whole)


# embeddings ----------------------------------------------------------------------------
def vector(i, dims):
    return list(struct.unpack("<%df" % dims, struct.pack("<%df" % dims, *(((i * 31 + j * 7) % 17 - 8) / 16 + j / 999
                                                                          for j in range(dims)))))


def embedding(body, case):
    given = body.get("input")
    many = isinstance(given, list) and given and not isinstance(given[0], int)
    dims = body.get("dimensions") or 8
    vectors = [vector(i, dims) for i in range(len(given) if many else 1)]
    if body.get("encoding_format") == "base64":
        vectors = [base64.b64encode(struct.pack("<%df" % dims, *v)).decode() for v in vectors]
    return plain({"object": "list", "data": [{"object": "embedding", "index": i, "embedding": v}
                                             for i, v in enumerate(vectors)],
                  "model": body.get("model"), "usage": {"prompt_tokens": 6, "total_tokens": 6}})


# audio -----------------------------------------------------------------------------------
AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm", "flac": "audio/flac", "opus": "audio/opus",
               "aac": "audio/aac"}


def wav(samples=8000, rate=16000):
    pcm = b"".join(struct.pack("<h", (i * 37) % 2000 - 1000) for i in range(samples))
    head = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " + head + b"data" + struct.pack("<I", len(pcm)) + pcm


def audio(form):
    """Half a second or so. Only mp3, wav and pcm are what they say to the last byte."""
    if form == "wav":
        return wav()
    if form == "mp3":       # 20 frames of MPEG 1 layer III, 128 kbit/s, 44.1 kHz
        return (b"\xff\xfb\x90\x00" + b"\0" * 413) * 20
    magic = {"flac": b"fLaC", "opus": b"OggS", "aac": b"\xff\xf1"}.get(form, b"")
    return magic + wav()[44:]


def speech(body, case):
    form = body.get("response_format") or "mp3"
    cuts = pieces(audio(form), 1024)
    if body.get("stream_format") != "sse":
        return Answer([("token", p) for p in cuts], AUDIO_TYPES.get(form, "application/octet-stream"))
    out = [data_event("token", {"type": "speech.audio.delta", "audio": base64.b64encode(p).decode()}) for p in cuts]
    out.append(data_event("end", {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101,
                                                                         "total_tokens": 115}}))
    return Answer(out, EVENT_STREAM)


def form_of(body, ctype):
    """[(name, file name or None, value)] of a multipart body, values as bytes."""
    m = re.search(r'boundary="?([^";,]+)', ctype or "")
    out = []
    for part in body.split(b"--" + m.group(1).encode())[1:] if m else []:
        head, _, value = part.partition(b"\r\n\r\n")
        name, file = (re.search(rb'[; ]%s="([^"]*)"' % k, head) for k in (b"name", b"filename"))
        if name:
            out.append((name.group(1).decode(), file and file.group(1).decode(), value.removesuffix(b"\r\n")))
    return out


SEGMENTS = [{"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": TEXT, "tokens": [1, 2], "temperature": 0.0,
             "avg_logprob": -0.5, "compression_ratio": 1.0, "no_speech_prob": 0.01}]
TRANSCRIPTION_USAGE = {"type": "tokens", "input_tokens": 14,
                       "input_token_details": {"text_tokens": 2, "audio_tokens": 12}, "output_tokens": 20,
                       "total_tokens": 34}
SECONDS_USAGE = {"type": "duration", "seconds": 2}
DIARIZED = [{"type": "transcript.text.segment", "id": "seg_%d" % i, "start": i * 1.0, "end": i + 1.0, "text": t,
             "speaker": "AB"[i % 2]} for i, t in enumerate(pieces(TEXT, 15))]


def transcription(fields, translated=False):
    value = lambda name, default=None: fields.get(name, default)
    form, model = value("response_format", "json"), value("model", "")
    usage = SECONDS_USAGE if model.startswith("whisper") else TRANSCRIPTION_USAGE
    if value("stream") == "true" and not model.startswith("whisper"):
        out = [data_event("token", {"type": "transcript.text.delta", "delta": t}) for t in pieces(TEXT)]
        if form == "diarized_json":
            out += [data_event("token", s) for s in DIARIZED]
        out.append(data_event("end", {"type": "transcript.text.done", "text": TEXT, "usage": usage}))
        return Answer(out, EVENT_STREAM)
    if form in ("text", "srt", "vtt"):
        text = {"text": TEXT + "\n", "srt": "1\n00:00:00,000 --> 00:00:01,500\n%s\n\n" % TEXT,
                "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n%s\n\n" % TEXT}[form]
        return Answer([("end", text.encode())], "text/plain; charset=utf-8")
    out = {"text": TEXT} if translated else {"text": TEXT, "usage": usage}
    if form == "verbose_json":
        out.update(task="translate" if translated else "transcribe", language="german", duration=2.0, segments=SEGMENTS,
                   words=[{"word": "Grüße", "start": 0.0, "end": 0.4}])
    elif form == "diarized_json":
        out.update(task="transcribe", duration=2.0, segments=DIARIZED)
    return plain(out)


# Anthropic -------------------------------------------------------------------------------
MESSAGES_USAGE = {"input_tokens": 25, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 1000,
                  "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
                  "output_tokens": 40, "service_tier": "standard"}
CITATION = {"type": "web_search_result_location", "url": "https://example.org/a", "title": "Ä",
            "encrypted_index": "Ep==", "cited_text": "snow on the mountains"}


SEARCH = [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Zürich Wetter"}},
          {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
              {"type": "web_search_result", "title": "Ä", "url": "https://example.org/a", "encrypted_content": "Eu==",
               "page_age": None}]}]


def message_blocks(body, case):
    out = []
    if (body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
        out.append({"type": "thinking", "thinking": THOUGHT, "signature": "EqQBCkYIARgCKkA="})
    if case == "redacted":
        out.append({"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix="})
    if case == "search":
        out += SEARCH
    last = (body.get("messages") or [{}])[-1].get("content")
    answered = isinstance(last, list) and any(b.get("type") == "tool_result" for b in last)
    out.append({"type": "text", "text": text_for(body)})
    if case == "search":
        out[-1]["citations"] = [CITATION]
    if not answered:
        out += [{"type": "tool_use", "id": "toolu_%d" % i, "name": t["name"], "input": json.loads(TOOL_ARGUMENTS)}
                for i, t in enumerate(body.get("tools") or []) if "input_schema" in t]
    return out


def block_events(b, i):
    """(kind, type, members) for one block of a stream."""
    kind = b["type"]
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}},
             "server_tool_use": {"input": {}}}.get(kind, {})
    start = {k: v for k, v in dict(b, **empty).items() if k != "citations"}
    yield "start", "content_block_start", {"index": i, "content_block": start}
    if kind == "text":
        deltas = [{"type": "text_delta", "text": t} for t in pieces(b["text"])]
        deltas[1:1] = [{"type": "citations_delta", "citation": c} for c in b.get("citations") or []]
    elif kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": t} for t in pieces(b["thinking"])]
        deltas.append({"type": "signature_delta", "signature": b["signature"]})
    elif kind in ("tool_use", "server_tool_use"):
        text = json.dumps(b["input"], ensure_ascii=False, separators=(",", ":"))
        deltas = [{"type": "input_json_delta", "partial_json": t} for t in [""] + pieces(text, 5)]
    else:
        deltas = []
    for d in deltas:
        token = d["type"] in ("text_delta", "thinking_delta") or d.get("partial_json")
        yield "token" if token else "end", "content_block_delta", {"index": i, "delta": d}
    yield "end", "content_block_stop", {"index": i}


def messages_stream(message, case):
    started = dict(message, content=[], stop_reason=None, usage=dict(message["usage"], output_tokens=1))
    started["usage"].pop("server_tool_use", None)
    events = [("start", "message_start", {"message": started}), ("start", "ping", {})]
    for i, b in enumerate(message["content"]):
        events += block_events(b, i)
    if case == "error":
        events = events[:8] + [("end", "error", {"error": {"type": "overloaded_error", "message": "Overloaded"}})]
    else:
        counts = {k: v for k, v in message["usage"].items() if k not in ("cache_creation", "service_tier")}
        events += [("end", "message_delta", {"delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
                                             "usage": counts}), ("end", "message_stop", {})]
    return [data_event(kind, dict({"type": name}, **more), name, " " * (i % 4))     # some of the lines are padded
            for i, (kind, name, more) in enumerate(events)]


def messages(body, case):
    content = message_blocks(body, case)
    tool = content[-1]["type"] == "tool_use"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": dated(body), "content": content,
               "stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None, "usage": dict(MESSAGES_USAGE)}
    if case == "search":
        message["usage"]["server_tool_use"] = {"web_search_requests": 1}
    if body.get("stream"):
        return Answer(messages_stream(message, case), EVENT_STREAM)
    return plain(message)


def messages_error(status, kind, text):
    return plain({"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}, status=status)


# all the rest ------------------------------------------------------------------------------
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(200))).decode()
IMAGE_USAGE = {"input_tokens": 11, "input_tokens_details": {"text_tokens": 11, "image_tokens": 0}, "output_tokens": 272,
               "total_tokens": 283}


def image(body, stem):
    base = {"created": CREATED, "background": "opaque", "output_format": "png", "size": "1024x1024", "quality": "low"}
    if str(body.get("stream")).lower() != "true":
        return plain(dict(base, data=[{"b64_json": PNG}] * int(body.get("n") or 1), usage=IMAGE_USAGE))
    base["created_at"] = base.pop("created")
    out = [data_event("token", dict(base, type=stem + ".partial_image", b64_json=PNG, partial_image_index=i),
                      stem + ".partial_image") for i in range(2)]
    done = dict(base, type=stem + ".completed", b64_json=PNG, usage=IMAGE_USAGE)
    out.append(data_event("end", done, stem + ".completed"))
    return Answer(out, EVENT_STREAM)


def moderation(body, case):
    names = ("harassment", "hate", "self-harm", "sexual", "violence")
    one = {"flagged": False, "categories": {n: False for n in names},
           "category_scores": {n: 6.263341581094202e-05 for n in names},
           "category_applied_input_types": {n: ["text"] for n in names}}
    many = body["input"] if isinstance(body.get("input"), list) else [0]
    return plain({"id": "modr-1", "model": "omni-moderation-latest", "results": [one] * len(many)})


def rerank(body, case):
    scores = [{"relevance_score": 0.7421875, "index": 1}, {"relevance_score": 0.5, "index": 0}]
    return plain({"object": "list", "data": scores, "model": body.get("model"), "usage": {"total_tokens": 57}})


FILE = {"id": "file-1", "object": "file", "bytes": 12, "created_at": CREATED, "filename": "a.jsonl", "purpose": "batch",
        "status": "processed"}
BATCH = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-1",
         "completion_window": "24h", "status": "validating", "created_at": CREATED,
         "request_counts": {"total": 0, "completed": 0, "failed": 0}, "metadata": {}}
MODEL = {"id": "gpt-test", "object": "model", "created": CREATED, "owned_by": "tests"}


def listed(one):
    return plain({"object": "list", "data": [one], "has_more": False, "first_id": one["id"], "last_id": one["id"]})


def stored(method, path):
    """Files, batches and models."""
    kind, *rest = path.strip("/").split("/")[1:]
    one = {"files": FILE, "batches": BATCH, "models": MODEL}[kind]
    if method == "DELETE":
        return plain({"id": rest[0], "object": one["object"], "deleted": True})
    if rest[1:] == ["content"]:
        return Answer([("end", b'{"a": 1}\n{"b": 2}\n')], "application/octet-stream")
    if rest[1:] == ["cancel"]:
        return plain(dict(one, status="cancelling"))
    return listed(one) if method == "GET" and not rest else plain(dict(one, id=rest[0] if rest else one["id"]))


JSON_APIS = {"/v1/chat/completions": chat, "/v1/completions": completion, "/v1/responses": response,
             "/v1/embeddings": embedding, "/v1/audio/speech": speech, "/v1/messages": messages,
             "/v1/moderations": moderation, "/v1/rerank": rerank,
             "/v1/images/generations": lambda body, case: image(body, "image_generation"),
             "/v1/messages/count_tokens": lambda body, case: plain({"input_tokens": 25}),
             "/v1/responses/input_tokens": lambda body, case: plain({"object": "response.input_tokens",
                                                                     "input_tokens": 31})}
FORM_APIS = {"/v1/audio/transcriptions": transcription, "/v1/audio/translations": lambda f: transcription(f, True),
             "/v1/images/edits": lambda f: image(f, "image_edit"), "/v1/files": lambda f: plain(FILE)}


def answer(method, path, query, ctype, raw, case):
    """The answer to a request, None where there is no such path. query: {name: [values]}."""
    if method == "POST" and path in FORM_APIS:
        return FORM_APIS[path]({name: value.decode() for name, file, value in form_of(raw, ctype) if not file})
    if method == "POST" and path in JSON_APIS:
        return JSON_APIS[path](json.loads(raw), case)
    if path.startswith("/v1/responses/"):
        return response_by_id(method, path, query, case)
    if re.match("/v1/(files|batches|models)(/|$)", path):
        return stored(method, path)
    return None
