#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What spans say that exchanges cost: each API through the gateway with models of the built-in price
table, and what each costs by the providers' price lists, worked out here by hand."""
from decimal import Decimal
from family_provider import FamilyConnection, FamilyProvider
from family_shapes import DONE, EVENT_STREAM, Answer, data_event, pieces, plain, wav
from harness import *

SPEECH = "/v1/audio/speech"
HALF = wav()            # half a second
told = []               # the answers whose spans priced() has looked at
NAMES = ("openai", "groq", "azure", "openrouter", "perplexity", "xai", "cohere", "mine")


class CostConnection(FamilyConnection):
    """The header `x-fake: reply=N` takes the answer that the test has put by."""

    def plain(self, req, fake, body=None):
        if "reply" not in fake:
            return super().plain(req, fake, body)
        return self.parts(req, fake, self.p.replies[int(fake["reply"])])

    stream = plain


class CostProvider(FamilyProvider):
    connection = CostConnection
    replies = []


def providers(at):
    out = {n: {"api": "openai", "base_url": at.url + "/v1", "usage": "ask"} for n in NAMES}
    out["anthropic"] = {"api": "anthropic", "base_url": at.url}
    return out


def gateway(prices=None, **config):
    return Gateway(config=dict({"providers": providers(p), "prices": prices}, **config))


def ask(path, body, reply, provider="openai", at=None, headers=(), fake="", until=None):
    """Sends it to that provider, which answers with the reply."""
    if reply is not None:
        p.replies.append(reply if isinstance(reply, Answer) else plain(reply))
        fake = "reply=%d; %s" % (len(p.replies) - 1, fake)
    with Raw((at or g).port) as c:
        return c.post("/%s%s" % (provider, path), body, [("x-fake", fake)] + list(headers), until=until)


def form(at, path, fields, file, reply, provider="openai"):
    b = b"----spangate-test"
    parts = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (b, k.encode(), v.encode())
             for k, v in fields.items()]
    parts.append(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
                 b'Content-Type: audio/wav\r\n\r\n%s\r\n--%s--\r\n' % (b, file, b))
    return ask(path, b"".join(parts), reply, provider, at, [("Content-Type", "multipart/form-data; boundary=" + b.decode())])


def exact(v):
    return v if v is None else Decimal(repr(v))


def check_lines(s, what):
    """The bill adds up: each line is its units times its rate, their sum times the multipliers the cost."""
    d = s.get("cost_details")
    if not isinstance(d, dict):
        return ok(False, what + ": cost_details", s)
    total, wrong = Decimal(0), []
    for ln in d["lines"]:
        if ln["rate"] is None:
            continue
        amount = exact(ln["units"]) * exact(ln["rate"]) / ln["per"]
        if abs(amount - exact(ln["amount"])) > Decimal("5e-13"):
            wrong.append(ln)
        total += exact(ln["amount"])
    for factor in (d.get("multipliers") or {}).values():
        total *= exact(factor)
    if s["cost"] is not None and s["cost_source"] != "provider" and abs(total - exact(s["cost"])) > Decimal("1e-12"):
        wrong.append("the sum is %s, the cost %r" % (total, s["cost"]))
    if d["cost"] != s["cost"] or d["cost_source"] != s["cost_source"]:
        wrong.append("cost_details say %r of %s" % (d["cost"], d["cost_source"]))
    tokens = sum(ln["units"] for ln in d["lines"] if ln["unit"] == "token")
    if tokens and tokens != (s.get("prompt_tokens") or 0) + (s.get("completion_tokens") or 0):
        wrong.append("%d tokens billed, usage has %r + %r" % (tokens, s.get("prompt_tokens"), s.get("completion_tokens")))
    return ok(not wrong, what + ": the lines are the bill and the usage", *wrong + [d])


PRICE_WARNINGS = ("price_unknown", "rate_unknown", "cost_unmeasured", "tier_unpriced", "price_of_maker", "cost_by_duration",
                  "cost_too_large", "unit_price_alone", "unit_price_bad")


def warned(s):
    """Codes of what its warnings say about the price."""
    return sorted(code for code in s.get("warnings") or {} if code in PRICE_WARNINGS)


def priced(what, r, cost, source="table", warnings=(), at=None, lines=True):
    """Its span's cost and where that is from. Returns the span."""
    s = (at or g).span(r)
    want = None if cost is None else Decimal(cost)
    good = s and (exact(s.get("cost")) == want) and s.get("cost_source") == source
    ok(good, "%s: %s, %s" % (what, cost, source), "got %r of %r" % (s.get("cost"), s.get("cost_source")),
       s.get("cost_details"), s.get("usage"), s.get("warnings"))
    eq(warned(s), sorted(warnings), what + ": what is said of it")
    if lines:
        check_lines(s, what)
    if at is None or at is g:
        told.append(s)
    return s


# chat ----------------------------------------------------------------------------
def chat_usage(prompt, completion, cached=0, reasoning=0, audio_in=0, audio_out=0, **more):
    return dict({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                 "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio_in},
                 "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": audio_out}}, **more)


def chat_answer(model, usage, **more):
    return dict({"id": "chatcmpl-1", "object": "chat.completion", "created": 1795000000, "model": model, "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Grüezi."}, "finish_reason": "stop"}], "usage": usage}, **more)


def chat_stream(model, usage, text="Grüezi mitenand.", **more):
    base = dict({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795000000, "model": model}, **more)
    delta = lambda d, finish=None: dict(base, choices=[{"index": 0, "delta": d, "finish_reason": finish}], usage=None)
    out = [data_event("start", delta({"role": "assistant", "content": ""}))]
    out += [data_event("token", delta({"content": t})) for t in pieces(text)]
    out += [data_event("end", delta({}, "stop"))]
    if usage:
        out.append(data_event("end", dict(base, choices=[], usage=usage)))
    return Answer(out + [DONE], EVENT_STREAM)


def chat_with(model, usage, answer_model=None, provider="openai", at=None, answer={}, **body):
    return ask(CHAT, dict({"model": model, "messages": MESSAGES}, **body),
               chat_answer(answer_model or model, usage, **answer), provider, at)


def chats():
    cached = chat_usage(1000, 200, cached=600)
    priced("gpt-4o with cached tokens", chat_with("gpt-4o", cached, "gpt-4o-2024-08-06"), "0.00375")
    s = priced("as a stream", ask(CHAT, chat_body(True, model="gpt-4o"), chat_stream("gpt-4o-2024-08-06", cached)), "0.00375")
    eq(s["usage_source"], "provider", "its usage is the provider's")
    s = priced("priority by the answer, auto was asked",
               chat_with("gpt-4o", cached, answer={"service_tier": "priority"}, service_tier="auto"), "0.006375")
    eq(s["cost_details"]["price"].get("service_tier"), "priority", "its bill names the tier")
    r = ask(CHAT, chat_body(True, model="gpt-4o", service_tier="auto"), chat_stream("gpt-4o", cached, service_tier="priority"))
    priced("priority in a stream", r, "0.006375")
    priced("default by the answer, priority was asked",
           chat_with("gpt-4o", cached, answer={"service_tier": "default"}, service_tier="priority"), "0.00375")
    priced("flex was asked, the answer does not say", chat_with("gpt-5.4", chat_usage(10000, 1000, cached=4000), service_tier="flex"),
           "0.01552")
    priced("a tier without a price", chat_with("gpt-4o", cached, answer={"service_tier": "flex"}), "0.00375",
           warnings=["tier_unpriced"])
    priced("reasoning is part of the output", chat_with("o3", chat_usage(1000, 500, reasoning=400)), "0.006")
    priced("audio in and out", chat_with("gpt-4o-audio-preview", chat_usage(150, 220, audio_in=100, audio_out=180)), "0.018925")
    priced("a prompt just under the long ones", chat_with("gpt-5.4", chat_usage(271999, 1000)), "0.6949975")
    s = priced("a long prompt", chat_with("gpt-5.4", chat_usage(272000, 1000)), "1.3825")
    eq(s["cost_details"]["price"].get("prompt_from"), 272000, "its bill names the bound")
    priced("long by its cached tokens", chat_with("gpt-5.4", chat_usage(300000, 1000, cached=200000)), "0.6225")
    priced("no tokens of output", chat_with("gpt-4o", chat_usage(100, 0)), "0.00025")
    priced("more cached than there was", chat_with("gpt-4o", chat_usage(100, 0, cached=5000)), "0.000125")


def completions():
    body = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "gpt-3.5-turbo-instruct", "choices": [
        {"text": "x", "index": 0, "finish_reason": "stop"}], "usage": {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}}
    priced("completions", ask("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}, body), "0.0005")


# messages --------------------------------------------------------------------------
def message(model, usage):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [{"type": "text", "text": "Grüezi."}],
            "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}


def message_stream(model, usage):
    first = dict(usage, output_tokens=1)
    first.pop("server_tool_use", None)
    last = {k: v for k, v in usage.items() if k in ("output_tokens", "server_tool_use")}
    events = [("message_start", {"message": dict(message(model, first), content=[], stop_reason=None)}),
              ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
              ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "Grüezi."}}),
              ("content_block_stop", {"index": 0}),
              ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": last}), ("message_stop", {})]
    return Answer([data_event("token", dict(m, type=n), n) for n, m in events], EVENT_STREAM)


def cache(plain_in, five, hour, read, out, **more):
    return dict({"input_tokens": plain_in, "cache_creation_input_tokens": five + hour, "cache_read_input_tokens": read,
                 "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
                 "output_tokens": out, "service_tier": "standard"}, **more)


def message_with(model, usage, stream=False):
    body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hoi"}]}
    if stream:
        body["stream"] = True
    return ask("/v1/messages", body, message_stream(model, usage) if stream else message(model, usage), "anthropic")


def messages():
    for stream in (False, True):
        how = " in a stream" if stream else ""
        s = priced("5m and 1h cache" + how, message_with("claude-sonnet-4-5-20250929", cache(100, 2000, 1000, 5000, 300), stream), "0.0198")
        eq({ln["kind"]: ln["units"] for ln in s["cost_details"]["lines"]},
           {"input": 100, "cache_write": 2000, "cache_write_1h": 1000, "cache_read": 5000, "output": 300}, "each of them is a line")
        priced("a search" + how, message_with("claude-sonnet-4-5", cache(100, 0, 0, 0, 10, server_tool_use={"web_search_requests": 3}), stream),
               "0.03045")
        priced("fast" + how, message_with("claude-opus-4-6", cache(1000, 0, 0, 0, 100, speed="fast"), stream), "0.045")
    priced("fast, and in the US", message_with("claude-opus-4-6", cache(1000, 0, 0, 0, 100, speed="fast", inference_geo="us")), "0.0495")
    priced("a long prompt by its cache", message_with("claude-sonnet-4-5", cache(50000, 0, 0, 160000, 1000)), "0.4185")
    s = priced("count_tokens", ask("/v1/messages/count_tokens", {"model": "claude-sonnet-4-5", "messages": []}, {"input_tokens": 2095},
                                   "anthropic"), "0", lines=False)
    eq(s["billable"], False, "it is in no figure")


# responses -----------------------------------------------------------------------------
def response_object(model, usage, output=(), **more):
    return dict({"id": "resp_%d" % len(p.replies), "object": "response", "created_at": 1795000000, "status": "completed", "error": None,
                 "model": model, "output": list(output) + [
                     {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                      "content": [{"type": "output_text", "text": "Grüezi.", "annotations": []}]}],
                 "usage": usage, "service_tier": "default"}, **more)


def response_usage(prompt, completion, cached=0):
    return {"input_tokens": prompt, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": prompt + completion}


def searched(n):
    return [{"id": "ws_%d" % i, "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}} for i in range(n)]


def responses():
    usage = response_usage(1000, 100)
    asked = {"model": "gpt-5.4", "input": "Hoi", "tools": [{"type": "web_search"}]}
    priced("a response", ask("/v1/responses", asked, response_object("gpt-5.4", usage)), "0.004")
    priced("cached", ask("/v1/responses", asked, response_object("gpt-5.4", response_usage(1000, 100, 400))), "0.0031")
    priced("with two searches", ask("/v1/responses", asked, response_object("gpt-5.4", usage, searched(2))), "0.024")
    found = {"id": "fs_1", "type": "file_search_call", "status": "completed", "queries": ["q"], "results": None}
    priced("with a search in files", ask("/v1/responses", asked, response_object("gpt-5.4", usage, [found])), "0.0065")
    priced("flex by the answer", ask("/v1/responses", dict(asked, service_tier="auto"),
                                     response_object("gpt-5.4", response_usage(10000, 1000, 4000), service_tier="flex")), "0.01552")
    whole = response_object("gpt-5.4", usage, searched(1))
    begun = dict(whole, status="in_progress", output=[], usage=None)
    events = [("response.created", {"response": begun}),
              ("response.output_item.added", {"output_index": 0, "item": dict(whole["output"][0], status="in_progress")}),
              ("response.output_item.done", {"output_index": 0, "item": whole["output"][0]}),
              ("response.output_text.delta", {"item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": "Grüezi."}),
              ("response.output_item.done", {"output_index": 1, "item": whole["output"][1]}),
              ("response.completed", {"response": whole})]
    stream = Answer([data_event("token", dict(m, type=n, sequence_number=i), n) for i, (n, m) in enumerate(events)], EVENT_STREAM)
    priced("with a search in a stream", ask("/v1/responses", dict(asked, stream=True), stream), "0.014")


def fetched_twice():
    usage = response_usage(1000, 100)
    before = g.metrics()[0].sum("spangate_cost_usd_total", model="gpt-5.4")
    unknown_before = g.metrics()[0].sum("spangate_cost_unknown_total")
    queued = response_object("gpt-5.4", None, status="queued", background=True, output=[])
    queued["id"] = "resp_later"
    r = ask("/v1/responses", {"model": "gpt-5.4", "input": "Hoi", "background": True}, queued)
    done = dict(response_object("gpt-5.4", usage), id="resp_later", background=True)
    p.replies.append(plain(done))
    gets = []
    for _ in range(2):
        with Raw(g.port) as c:
            gets.append(c.get("/openai/v1/responses/resp_later", [("x-fake", "reply=%d" % (len(p.replies) - 1))]))
        g.span(gets[-1])
    spans = [g.span(x) for x in gets]
    eq(sorted(s["cost"] for s in spans), [0, 0.004], "a response that is fetched twice is charged once")
    eq([s["billable"] for s in sorted(spans, key=lambda s: s["cost"])], [False, True], "and counts once")
    near(g.metrics()[0].sum("spangate_cost_usd_total", model="gpt-5.4") - before, 0.004, 1e-12, "in the figures too")
    eq(g.metrics()[0].sum("spangate_cost_unknown_total"), unknown_before, "nothing of it is unknown there")
    s = g.span(r)
    eq((s["cost"], s["cost_source"]), (None, "unknown"), "what was made in the background has no cost of its own")
    told.extend(spans + [s])


# the others -------------------------------------------------------------------------------
def embeddings():
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    answer = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
              "model": "text-embedding-3-small", "usage": usage}
    body = {"model": "text-embedding-3-small", "input": "Grüezi"}
    priced("an embedding", ask("/v1/embeddings", body, answer), "0.00000016")
    answer["data"][0]["embedding"] = "AAAAPwAAgL4="
    priced("as base64", ask("/v1/embeddings", dict(body, encoding_format="base64"), answer), "0.00000016")


def speech():
    text = "Grüße aus Zürich: 東京 \U0001f3d4 café, señor; Ελλάδα done"
    sound = Answer([("token", b) for b in (HALF[:1000], HALF[1000:])], "audio/wav")
    s = priced("speech by characters", ask(SPEECH, {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav"}, sound),
               str(Decimal(15 * len(text)) / 1000000))
    eq([(ln["kind"], ln["unit"], ln["units"]) for ln in s["cost_details"]["lines"]], [("input", "character", len(text))], "code points")
    r = ask(SPEECH, {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav", "disable_log": True}, sound)
    s = priced("with disable_log", r, str(Decimal(15 * len(text)) / 1000000))
    eq(s.get("input"), None, "its text is not kept")
    events = [data_event("token", {"type": "speech.audio.delta", "audio": "AAAA"}),
              data_event("end", {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}})]
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": text, "response_format": "wav"}
    priced("speech by tokens", ask(SPEECH, dict(body, stream_format="sse"), Answer(events, EVENT_STREAM)), "0.0012204")
    priced("speech by its length", ask(SPEECH, body, sound), "0.000125", warnings=["cost_by_duration"])


def transcriptions():
    path, asked = "/v1/audio/transcriptions", {"model": "whisper-1"}
    priced("by the seconds told", form(g, path, asked, HALF, {"text": "x", "usage": {"type": "duration", "seconds": 9}}), "0.0009")
    text = Answer([("end", "Grüezi\n".encode())], "text/plain; charset=utf-8")
    s = priced("plain text, by its own length", form(g, path, dict(asked, response_format="text"), HALF, text), "0.00005")
    eq([(ln["kind"], ln["unit"], ln["units"]) for ln in s["cost_details"]["lines"]], [("audio_in", "second", 0.5)], "seconds")
    priced("by the answer's duration", form(g, path, dict(asked, response_format="verbose_json"), HALF,
                                            {"task": "transcribe", "language": "german", "duration": 2.25, "text": "x", "segments": []}),
           "0.000225")
    priced("a translation", form(g, "/v1/audio/translations", asked, HALF, {"text": "x"}), "0.00005")
    priced("a length that cannot be told", form(g, path, asked, b"no sound at all", {"text": "x"}), None, "unknown", ["cost_unmeasured"])
    usage = {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 2, "audio_tokens": 12}, "output_tokens": 20,
             "total_tokens": 34}
    priced("by tokens", form(g, path, {"model": "gpt-4o-transcribe"}, HALF, {"text": "x", "usage": usage}), "0.000277")
    out = [data_event("token", {"type": "transcript.text.delta", "delta": "x"}),
           data_event("end", {"type": "transcript.text.done", "text": "x", "usage": usage})]
    priced("by tokens in a stream", form(g, path, {"model": "gpt-4o-transcribe", "stream": "true"}, HALF, Answer(out, EVENT_STREAM)),
           "0.000277")


def images():
    path, one = "/v1/images/generations", {"b64_json": "AAAA"}
    usage = {"input_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 50, "total_tokens": 100}
    priced("an image by tokens", ask(path, {"model": "gpt-image-1", "prompt": "x"},
                                     {"created": 1, "data": [one], "size": "1024x1024", "quality": "low", "usage": usage}), "0.00245")
    drawn = lambda n=1: {"created": 1795000000, "data": [{"url": "https://example.org/x.png", "revised_prompt": "y"}] * n}
    for size, quality, n, cost in (("1024x1792", "hd", 1, "0.12"), ("1024x1024", "hd", 1, "0.08"), ("1792x1024", "standard", 1, "0.08"),
                                   ("1024x1024", "standard", 1, "0.04"), ("1024x1024", None, 1, "0.04"), (None, None, 1, "0.04"),
                                   (None, "hd", 1, "0.08"), ("1024x1024", "standard", 3, "0.12")):
        body = {k: v for k, v in {"model": "dall-e-3", "prompt": "x", "size": size, "quality": quality, "n": n}.items() if v is not None}
        priced("dall-e-3, %s, %s, %d" % (size, quality, n), ask(path, body, drawn(n)), cost)


def ranks():
    body = {"model": "rerank-v3.5", "query": "q", "documents": ["a", "b"]}
    answer = {"id": "r", "results": [{"index": 1, "relevance_score": 0.5}],
              "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 2}}}
    priced("a rerank of two units", ask("/v1/rerank", body, answer, "cohere"), "0.004")
    priced("one that does not say", ask("/v1/rerank", body, dict(answer, meta={}), "cohere"), "0.002")
    s = priced("a moderation", ask("/v1/moderations", {"model": "omni-moderation-latest", "input": "x"},
                                   {"id": "m", "model": "omni-moderation-latest", "results": [{"flagged": False}]}), "0", lines=False)
    eq(s["cost"], 0, "is free, not unknown")
    m = g.metrics()[0]
    with Raw(g.port) as c:
        r = c.get("/openai/v1/models")
    s = priced("a list of models", r, "0", lines=False)
    eq(s["billable"], False, "is in no figure")
    eq(g.metrics()[0].sum("spangate_cost_unknown_total"), m.sum("spangate_cost_unknown_total"), "nor unknown in one")


# what goes wrong -------------------------------------------------------------------------
def errors():
    for status in (401, 429, 500):
        r = ask(CHAT, chat_body(model="gpt-4o"), None, fake="status=%d" % status)
        priced("%d" % status, r, "0", lines=False)
        r = ask("/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": []}, None, "anthropic", fake="status=%d" % status)
        priced("%d of the other API" % status, r, "0", lines=False)
    priced("an error of an unknown model", ask(CHAT, chat_body(model="nobody-knows"), None, fake="status=404"), "0", lines=False)
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))           # does not listen
    h = Gateway(config={"providers": {"openai": {"api": "openai", "base_url": "http://127.0.0.1:%d/v1" % closed.getsockname()[1]}},
                        "prices": None})
    r = chat(h, model="gpt-4o")
    priced("connection refused", r, "0", at=h, lines=False)
    eq(h.metrics()[0].sum("spangate_cost_unknown_total"), 0, "no error has an unknown cost")
    h.destroy()
    closed.close()


def leaving():
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", "/openai" + CHAT, [("x-fake", "n=500; first=1; delay=20")],
                               json.dumps(chat_body(True, model="gpt-4o")).encode()))
        r = c.head()
        c.body(r, until=lambda r: r.body.count(b'"content"') > 5)
        c.abort()
    s = g.span(r)
    eq((s["usage_source"], s["cost_source"], s["status"]), ("estimated", "table", "error"), "a client that leaves: what came is estimated") or note(s)
    want = Decimal(s["prompt_tokens"]) * Decimal("2.5e-6") + Decimal(s["completion_tokens"]) * Decimal("1e-5")
    ok(s["prompt_tokens"] > 5 and s["completion_tokens"] > 3, "it has tokens", s["prompt_tokens"], s["completion_tokens"])
    eq(exact(s["cost"]), want, "which are priced")
    check_lines(s, "a client that leaves")
    told.append(s)
    r = ask(CHAT, chat_body(True, model="gpt-4o"), chat_stream("gpt-4o", None))
    s = g.span(r)
    eq((s["usage_source"], s["cost_source"]), ("estimated", "table"), "a stream without usage")
    eq(exact(s["cost"]), Decimal(s["prompt_tokens"]) * Decimal("2.5e-6") + Decimal(s["completion_tokens"]) * Decimal("1e-5"), "is priced so too")
    check_lines(s, "a stream without usage")
    told.append(s)


def unknown():
    before = g.metrics()[0].sum("spangate_cost_unknown_total", provider="openai", model="nobody-knows")
    s = priced("an unknown model", chat_with("nobody-knows", chat_usage(10, 20)), None, "unknown", ["price_unknown"])
    eq([(ln["kind"], ln["units"], ln["rate"], ln["amount"]) for ln in s["cost_details"]["lines"]],
       [("input", 10, None, None), ("output", 20, None, None)], "its bill has what was used")
    eq(g.metrics()[0].sum("spangate_cost_unknown_total", provider="openai", model="nobody-knows"), before + 1, "it is counted")
    priced("the answer's model goes before the request's", chat_with("gpt-4o", chat_usage(100, 0), "gpt-4o-mini-2024-07-18"), "0.000015")
    priced("the request's where the answer's is unknown", chat_with("gpt-4o", chat_usage(100, 0), "model-router-7"), "0.00025")


# who says -----------------------------------------------------------------------------
def theirs():
    r = chat_with("openai/gpt-4o", chat_usage(1000, 200, cost=0.00123, is_byok=False, cost_details={"upstream_inference_cost": None}),
                  provider="openrouter")
    s = priced("OpenRouter's figure", r, "0.00123", "provider")
    r = chat_with("grok-3-mini", chat_usage(12, 291, cached=11, reasoning=290, cost_in_usd_ticks=1466250), provider="xai")
    priced("xAI's ticks", r, "0.000146625", "provider")
    figure = {"input_tokens_cost": 0.000014, "output_tokens_cost": 0.0003, "request_cost": 0.005, "total_cost": 0.005314}
    priced("Perplexity's figures", chat_with("sonar", chat_usage(14, 300, cost=figure), provider="perplexity"), "0.005314", "provider")
    stream = chat_stream("openai/gpt-4o", chat_usage(1000, 200, cost=4.5e-05))
    priced("a figure in a stream", ask(CHAT, chat_body(True, model="openai/gpt-4o"), stream, "openrouter"), "0.000045", "provider")
    priced("a figure of an unknown model", chat_with("nobody/knows", chat_usage(5, 5, cost=0), provider="openrouter"), "0", "provider")


def unit_prices():
    usage, price = chat_usage(1000, 200, cached=600), {"prompt_unit_price": 3, "completion_unit_price": 5}
    priced("both unit prices", chat_with("gpt-4o", usage, **price), "0.004", "unit_price")
    priced("of an unknown model", chat_with("nobody-knows", usage, **price), "0.004", "unit_price")
    priced("as strings", chat_with("gpt-4o", usage, prompt_unit_price="3", completion_unit_price="0.5e1"), "0.004", "unit_price")
    priced("before the provider's figure", chat_with("gpt-4o", dict(usage, cost=1), provider="openrouter", **price), "0.004", "unit_price")
    priced("one for the prompt", chat_with("gpt-4o", usage, prompt_unit_price=3), "0.005", "unit_price")
    priced("one for the completion", chat_with("gpt-4o", usage, completion_unit_price=5), "0.00275", "unit_price")
    priced("one alone of an unknown model", chat_with("nobody-knows", usage, prompt_unit_price=3), None, "unit_price", ["unit_price_alone"])
    priced("nothing is free", chat_with("gpt-4o", usage, prompt_unit_price=0, completion_unit_price=0), "0", "unit_price")
    for bad in ("much", -1, [3], True):
        priced("a unit price of %r" % (bad,), chat_with("gpt-4o", usage, prompt_unit_price=bad, completion_unit_price=bad), "0.00375",
               warnings=["unit_price_bad"])
    r = ask(CHAT, chat_body(True, model="gpt-4o", **price), chat_stream("gpt-4o", usage))
    priced("unit prices of a stream", r, "0.004", "unit_price")
    ok(b"unit_price" not in p.last.body, "the provider does not see them", p.last.body)


def whose():
    priced("groq by its name", chat_with("llama-3.3-70b-versatile", chat_usage(1000, 100), provider="groq"), "0.000669")
    priced("its model at nobody's", chat_with("llama-3.3-70b-versatile", chat_usage(1000, 100), provider="openai"), None, "unknown",
           ["price_unknown"])
    usage = {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 2, "audio_tokens": 12}, "output_tokens": 20,
             "total_tokens": 34}
    r = form(g, "/v1/audio/transcriptions", {"model": "gpt-4o-transcribe"}, HALF, {"text": "x", "usage": usage}, "azure")
    s = priced("azure by its name", r, "0.000235")
    eq(s["cost_details"]["price"].get("provider"), "azure", "by its own entry")
    s = priced("a name that says nothing", chat_with("gpt-4o", chat_usage(1000, 100), provider="mine"), "0.0035")
    eq(s["cost_details"]["price"].get("provider"), "openai", "has the maker's price")


def by_host():
    """Hosts by their names, in a file system of our own where these are this machine."""
    hosts = os.path.join(g.root, "hosts")
    with open(hosts, "w") as f:
        f.write("127.0.0.1 localhost api.groq.com x.openai.azure.com\n")
    wrap = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    try:
        can = subprocess.run(wrap + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        can = False
    if not can:
        return skip("providers by their hosts", "no file system of our own")
    urls = {"fast": "api.groq.com", "ours": "x.openai.azure.com"}
    h = Gateway(config={"providers": {n: {"api": "openai", "base_url": "http://%s:%d/v1" % (host, p.port)} for n, host in urls.items()},
                        "prices": None}, wrap=wrap)
    priced("groq by its host", chat_with("llama-3.3-70b-versatile", chat_usage(1000, 100), provider="fast", at=h), "0.000669", at=h)
    usage = {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 2, "audio_tokens": 12}, "output_tokens": 20}
    r = form(h, "/v1/audio/transcriptions", {"model": "gpt-4o-transcribe"}, HALF, {"text": "x", "usage": usage}, "ours")
    priced("azure by its host", r, "0.000235", at=h)
    h.destroy()


def without_bodies():
    cached = chat_usage(1000, 200, cached=600)
    s = priced("with disable_log", chat_with("gpt-4o", cached, disable_log=True), "0.00375")
    ok(not s.get("input") and not s.get("output"), "its bodies are not kept")
    h = gateway(log_bodies="off")
    priced("without bodies", chat_with("gpt-4o", cached, at=h), "0.00375", at=h)
    r = ask(SPEECH, {"model": "tts-1", "voice": "alloy", "input": "Grüezi", "response_format": "wav"}, Answer([("token", HALF)], "audio/wav"), at=h)
    priced("speech without bodies", r, "0.00009", at=h)
    r = form(h, "/v1/audio/transcriptions", {"model": "whisper-1", "response_format": "text"}, HALF, Answer([("end", b"x\n")], "text/plain"))
    priced("a transcription without bodies", r, "0.00005", at=h)
    r = ask("/v1/images/generations", {"model": "dall-e-3", "prompt": "x", "size": "1024x1792", "quality": "hd"},
            {"created": 1, "data": [{"url": "x"}]}, at=h)
    priced("an image without bodies", r, "0.12", at=h)
    r = ask("/v1/rerank", {"model": "rerank-v3.5", "query": "q", "documents": []}, {"results": [], "meta": {"billed_units": {"search_units": 2}}},
            "cohere", h)
    priced("a rerank without bodies", r, "0.004", at=h)
    r = chat_with("gpt-4o", cached, at=h, prompt_unit_price=3, completion_unit_price=5)
    priced("unit prices without bodies", r, "0.004", "unit_price", at=h)
    before = {s["id"]: [s.get(k) for k in MEMBERS] for s in h.export()}
    h.stop()
    h.start()
    eq({s["id"]: [s.get(k) for k in MEMBERS] for s in h.export()}, before, "all of it is there after a restart")
    ok(len(before) == 6 and all(v[2]["cost"] is not None for v in before.values()), "with details", before)
    h.destroy()


def own_table():
    path = os.path.join(g.root, "own.json")
    with open(path, "w") as f:
        json.dump({"format": 1, "name": "ours", "prices": [
            {"match": ["gpt-4o"], "per_million_tokens": {"input": 1, "output": 2}},
            {"provider": "groq", "match": ["whisper-large-v3"], "per_second": {"audio_in": 0.01}, "min_seconds": 10}]}, f)
    h = gateway(path)
    s = priced("our own table", chat_with("gpt-4o", chat_usage(1000, 200, cached=600), at=h), "0.0014", "user_table", at=h)
    eq(s["cost_details"]["price"].get("table"), "ours", "which the bill names")
    priced("what it lacks is in the built-in one", chat_with("gpt-4o-mini", chat_usage(1000, 0), at=h), "0.00015", at=h)
    r = form(h, "/v1/audio/transcriptions", {"model": "whisper-large-v3"}, HALF, {"text": "x"}, "groq")
    priced("seconds that are billed at least", r, "0.1", "user_table", at=h)
    h.destroy()


MEMBERS = ("cost", "cost_source", "cost_details", "warnings", "usage", "billable")


def everywhere():
    """The API says of each span what the export says, and both say it again after a restart."""
    first = {s["id"]: s for s in told}
    ok(len(first) > 80, "spans to compare", len(first))
    for when in ("", " after a restart"):
        if when:
            g.stop()
            g.start()
        differ, bare = [], []
        exported = {s["id"]: s for s in g.export()}
        with Raw(g.port) as c:
            for i, s in first.items():
                one = c.get("/api/request-logs/%s/" % i).json
                differ += ["%s: %s: %r, %r, %r" % (i, k, s.get(k), exported[i].get(k), one.get(k)) for k in MEMBERS
                           if not s.get(k) == exported[i].get(k) == one.get(k)]
                bare += [i] if one.get("billable") and one.get("cost") and not one.get("cost_details") else []
        eq(differ[:5], [], "API and command line say the same" + when)
        eq(bare, [], "no cost is without details" + when)
    code, out, err = g.run("verify")
    eq(code, 0, "the books balance") or note(out, err)


def sums():
    """What /metrics sums up is what spans say."""
    spans = [s for s in g.export() if s.get("billable") and s.get("cost") is not None]
    near(g.metrics()[0].sum("spangate_cost_usd_total"), float(sum(exact(s["cost"]) for s in spans)), 1e-9, "the metric is the spans' sum")


p = CostProvider()
g = gateway()
main(chats, completions, messages, responses, fetched_twice, embeddings, speech, transcriptions, images, ranks, errors, leaving, unknown, theirs,
     unit_prices, whose, by_host, without_bodies, own_table, sums, everywhere)
