#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans sent on by OTLP: attribute for attribute by the GenAI conventions, as JSON and as protobuf (which the official Python
package reads, where it is in $SPANGATE_CLIENTS/otel), from one spangate to another; what is rejected, busy and refused."""
import datetime
import hashlib

from harness import *
from taker import Taker

CLIENTS = os.environ.get("SPANGATE_CLIENTS", "")
TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
MESSAGES = [
    {"role": "system", "content": "Be brief. \u00fc\U0001f3d4"},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                 {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
                                 {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {
        "name": "look", "arguments": "{\"at\": [1, 2.50]}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
]
PARTS = [
    {"role": "system", "parts": [{"type": "text", "content": MESSAGES[0]["content"]}]},
    {"role": "user", "parts": [{"type": "text", "content": "What is this?"},
                               {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0="},
                               {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "look", "arguments": {"at": [1, 2.5]}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "a cat"}]},
]
GIVEN = [
    {"log_type": "chat", "model": "claude-sonnet-4", "provider_id": "anthropic", "input": [{"role": "user", "content": "hi"}],
     "output": {"role": "assistant", "content": "ho", "reasoning_content": "hm"}, "trace_unique_id": TRACE, "span_unique_id": CHILD,
     "span_parent_id": ROOT, "usage": {"prompt_tokens": 120, "completion_tokens": 7, "prompt_tokens_details": {
         "cached_tokens": 80, "cache_creation_tokens": 30}}, "cost": 0.0125, "latency": 1.5, "time_to_first_token": 0.25,
     "start_time": "2026-11-20T10:00:00.000001Z", "timestamp": "2026-11-20T10:00:01.500001Z", "stream": True, "top_p": 0.9,
     "frequency_penalty": -0.5, "presence_penalty": 1, "n": 2, "seed": 7, "stop": "END", "customer_email": "a@example.com",
     "customer_name": "A", "group_identifier": "g", "custom_identifier": "mine", "prompt_id": "p1", "prompt_name": "greet",
     "span_workflow_name": "flow", "properties": {"k": [1, None]}, "variables": {"x": "y"}, "positive_feedback": True,
     "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}, "tool_choice": "auto"},
    {"log_type": "workflow", "span_name": "flow", "input": {"q": 1}, "output": "done", "trace_unique_id": TRACE,
     "span_unique_id": ROOT, "start_time": "2026-11-20T10:00:00Z", "timestamp": "2026-11-20T10:00:02Z"},
    {"log_type": "tool", "span_name": "look", "input": {"at": 1}, "output": "a cat", "trace_unique_id": TRACE,
     "span_unique_id": "tool one", "span_parent_id": ROOT, "status_code": 500, "error_message": "no cat",
     "start_time": "2026-11-20T10:00:00.5Z", "timestamp": "2026-11-20T10:00:00.75Z"},
    {"log_type": "embedding", "model": "text-embedding-3-small", "provider_id": "azure", "input": "words", "output": [0.5, -1],
     "span_events": [{"name": "seen", "timestamp": "2026-11-20T10:00:03.1Z", "attributes": {"n": 3, "x": 0.5, "ok": True, "t": "u"}}],
     "span_links": [{"trace_id": TRACE, "span_id": CHILD, "attributes": {"why": "kin"}}],
     "trace_unique_id": "a trace", "span_unique_id": "embedded", "encoding_format": "float", "dimensions": 2,
     "usage": {"prompt_tokens": 1, "total_tokens": 1}, "start_time": "2026-11-20T10:00:03Z", "latency": 0.25},
]


def value(v):
    """An AnyValue of OTLP/JSON."""
    (kind, x), = v.items()
    if kind == "intValue":
        return int(x)
    if kind == "arrayValue":
        return [value(e) for e in x["values"]]
    if kind == "doubleValue":
        return float(x)
    return x


def attributes(o):
    keys = [a["key"] for a in o.get("attributes", [])]
    if len(keys) != len(set(keys)):
        raise AssertionError("an attribute is there twice: %r" % keys)
    return {a["key"]: value(a["value"]) for a in o.get("attributes", [])}


def spans_of(posts):
    """(resource, scope, span) of all spans of JSON requests."""
    return [(attributes(r["resource"]), dict(s["scope"], url=s["schemaUrl"]), x)
            for q in posts for r in json.loads(q.body)["resourceSpans"] for s in r["scopeSpans"] for x in s["spans"]]


def sink(taker, **more):
    return dict({"kind": "otlp", "url": taker.url if isinstance(taker, Taker) else taker, "encoding": "json", "bodies": "texts",
                 "retry_min": "50ms", "retry_max": "200ms"}, **more)


def give(g, spans):
    with Raw(g.port) as c:
        r = c.post("/api/request-logs/batch/create/", {"logs": spans})
        eq(r.status, 200, "spans are given") or note(r.body)


def by_name(posts):
    return {x["name"]: (res, scope, x) for res, scope, x in spans_of(posts)}


def hashed(text, n):
    return hashlib.sha256(text.encode()).hexdigest()[:2 * n]


def differing(got, want):
    """What differs, of what is expected, as text; JSON in strings counts as JSON."""
    bad = []
    for k, w in want.items():
        v = got.get(k)
        if isinstance(w, (list, dict)) and isinstance(v, str):
            v = json.loads(v)
        if v != w:
            bad.append("%s: %r is not %r" % (k, v, w))
    return bad


def test_gateway():
    t = Taker()
    g = Gateway(provider, {"sinks": {"o": sink(t, headers=["X-Team: search"], api_key="sk-otlp")}})
    chat(g, "n=3; first=10", stream=True, messages=MESSAGES, metadata={"a": 1, "b": "x"}, customer_identifier="c1",
         thread_identifier="th", temperature=0.5, max_tokens=9, stop=["a", "b"],
         tools=[{"type": "function", "function": {"name": "look", "parameters": {}}}])
    chat(g, "status=429", model="gpt-b", environment="test")
    got = t.wait(lambda good: len(spans_of(good)) >= 2 and by_name(good))
    stored = {s["model"]: s for s in g.spans(2)}
    q = t.good[0]
    eq((q.path, q.headers["content-type"], q.headers["authorization"], q.headers["x-team"]),
       ("/v1/traces", "application/json", "Bearer sk-otlp", "search"), "to /v1/traces, with key and headers")
    eq(set(got), {"chat gpt-test", "chat gpt-b"}, "names are operation and model")
    res, scope, x = got["chat gpt-test"]
    s = stored["gpt-test-2026-08-01"]
    eq({k: v for k, v in res.items() if k != "service.version"}, {"service.name": "spangate", "deployment.environment.name": "prod"},
       "resource")
    eq((scope["name"], scope["url"]), ("spangate", "https://opentelemetry.io/schemas/1.41.0"), "scope")
    eq((x["traceId"], x["spanId"], x.get("parentSpanId")), (s["id"], hashed(s["id"], 8), None), "ids")
    eq((x["kind"], "status" in x), (3, False), "a client's call that went well")
    eq(int(x["endTimeUnixNano"]) - int(x["startTimeUnixNano"]),
       round((when(s["timestamp"]) - when(s["start_time"])) * 1e6) * 1000, "its times")
    a = attributes(x)
    eq(differing(a, {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "fake", "gen_ai.request.model": "gpt-test",
        "gen_ai.response.model": "gpt-test-2026-08-01", "gen_ai.response.id": s["response_id"],
        "gen_ai.usage.input_tokens": s["prompt_tokens"], "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": s["prompt_cache_hit_tokens"], "gen_ai.usage.reasoning.output_tokens": s["reasoning_tokens"],
        "gen_ai.response.time_to_first_chunk": s["time_to_first_token"], "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5, "gen_ai.request.max_tokens": 9, "gen_ai.request.stop_sequences": ["a", "b"],
        "gen_ai.response.finish_reasons": ["stop"], "gen_ai.conversation.id": "th", "user.id": "c1", "respan.cost": s["cost"],
        "gen_ai.usage.cost": s["cost"], "server.address": "127.0.0.1", "server.port": provider.port, "error.type": None,
        "http.response.status_code": 200, "respan.metadata.a": "1", "respan.metadata.b": "x", "respan.id": s["id"],
        "gen_ai.input.messages": PARTS, "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "text", "content": s["output"]["content"]}]}],
        "gen_ai.tool.definitions": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
    }), [], "attributes")
    res, scope, x = got["chat gpt-b"]
    eq(res["deployment.environment.name"], "test", "another environment is another resource")
    eq((x["status"], attributes(x)["error.type"], attributes(x)["http.response.status_code"]),
       ({"code": 2, "message": "fake error 429"}, "429", 429), "an error")
    eq(attributes(x).get("gen_ai.response.model"), None, "no model answered")
    g.destroy()
    t.close()


def test_messages():
    """Anthropic's API: input tokens with those of the cache, thinking, instructions that stand apart."""
    t = Taker()
    g = Gateway(None, {"providers": {"anthropic": {"api": "anthropic", "base_url": provider.url}}, "sinks": {"o": sink(t)}})
    with Raw(g.port) as c:
        r = c.post("/v1/messages", {"model": "claude", "max_tokens": 64, "system": "Be kind.", "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "tu_1", "name": "look", "input": {"at": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "tu_1", "content": "a cat"}]}]},
                   [("anthropic-version", "2026-10-21"), ("x-fake", "n=6; reason=3")])
    t.wait(lambda good: len(good) >= 1)
    s = g.span(r)
    (_, _, x), = spans_of(t.good)
    eq(differing(attributes(x), {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 24,
        "gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.cache_creation.input_tokens": 3, "gen_ai.usage.output_tokens": 9,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "Hello"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "tu_1", "name": "look", "arguments": {"at": 1}}]},
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "tu_1", "response": "a cat"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "end_turn", "parts": [
            {"type": "reasoning", "content": s["output"]["reasoning_content"]}, {"type": "text", "content": s["output"]["content"]}]}],
    }), [], "attributes")
    g.destroy()
    t.close()


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_given():
    """Ids that are none, caches, tools, embeddings, scores; without texts unless asked; the next generation."""
    t, u = Taker(), Taker()
    g = Gateway(provider, {"sinks": {"a": sink(t, changes=True), "b": {"kind": "otlp", "url": u.url + "/v1/traces", "encoding": "json",
                                                         "generation": "next", "service_name": "mine"}}})
    give(g, GIVEN)
    got = t.wait(lambda good: len(spans_of(good)) >= 4 and by_name(good))
    res, scope, x = got["chat claude-sonnet-4"]
    eq((x["traceId"], x["spanId"], x["parentSpanId"]), (TRACE, CHILD, ROOT), "ids of OpenTelemetry stay")
    eq((x["startTimeUnixNano"], x["endTimeUnixNano"]), ("1795168800000001000", "1795168801500001000"), "times")
    eq(differing(attributes(x), {
        "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.cache_read.input_tokens": 80,
        "gen_ai.usage.cache_creation.input_tokens": 30, "gen_ai.usage.output_tokens": 7, "respan.cost": 0.0125,
        "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.request.top_p": 0.9, "gen_ai.request.frequency_penalty": -0.5,
        "gen_ai.request.presence_penalty": 1.0, "gen_ai.request.choice.count": 2, "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"], "respan.customer_params.email": "a@example.com",
        "respan.customer_params.name": "A", "respan.group_identifier": "g", "respan.custom_identifier": "mine",
        "respan.prompt_id": "p1", "gen_ai.prompt.name": "greet", "gen_ai.workflow.name": "flow",
        "respan.properties": {"k": [1, None]}, "traceloop.prompt.template_variables": {"x": "y"}, "gen_ai.output.type": "json",
        "respan.tool_choice": "auto", "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "reasoning", "content": "hm"}, {"type": "text", "content": "ho"}]}],
    }), [], "attributes of a span that was given")
    e = x["events"][0]
    eq((e["name"], attributes(e)), ("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "user_feedback",
                                                                 "gen_ai.evaluation.score.label": "positive"}), "feedback is an event")
    _, _, x = got["flow"]
    eq((x["kind"], x.get("parentSpanId"), differing(attributes(x), {
        "gen_ai.operation.name": "invoke_workflow", "traceloop.entity.input": {"q": 1}, "traceloop.entity.output": "done"})),
       (1, None, []), "a workflow")
    _, _, x = got["look"]
    eq((x["spanId"], x["parentSpanId"], differing(attributes(x), {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look", "gen_ai.tool.call.arguments": {"at": 1},
        "gen_ai.tool.call.result": "a cat", "respan.span_unique_id": "tool one", "error.type": "500"})),
       (hashed("tool one", 8), ROOT, []), "a tool, whose id is a hash of what it was")
    _, _, x = got["embeddings text-embedding-3-small"]
    eq((x["traceId"], differing(attributes(x), {
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.encoding_formats": ["float"],
        "gen_ai.embeddings.dimension.count": 2, "respan.trace_unique_id": "a trace", "traceloop.entity.input": "words"})),
       (hashed("a trace", 16), []), "an embedding")
    e, ln = x["events"][0], x["links"][0]
    eq((e["name"], e["timeUnixNano"], attributes(e)),
       ("seen", "1795168803100000000", {"n": 3, "x": 0.5, "ok": True, "t": "u"}), "its event")
    eq((ln["traceId"], ln["spanId"], attributes(ln)), (TRACE, CHILD, {"why": "kin"}), "and its link")
    got = u.wait(lambda good: len(spans_of(good)) >= 4 and by_name(good))
    res, scope, x = got["chat claude-sonnet-4"]
    a = attributes(x)
    eq((res["service.name"], scope["url"]), ("mine", "https://opentelemetry.io/schemas/gen-ai/1.42.0"), "the next generation")
    eq((a.get("gen_ai.usage.cache_write.input_tokens"), a.get("gen_ai.usage.cache_creation.input_tokens")), (30, None), "its names")
    log = next(s["id"] for s in g.spans(4) if s["span_name"] == "look")
    with Raw(g.port) as c:
        ok(c.post("/api/logs/%s/scores/" % log, {"evaluator_slug": "quality", "numerical_value": 0.75}).status in (200, 201), "a score")
        ok(c.post("/api/logs/%s/scores/" % log, {"evaluator_slug": "tone", "string_value": "kind"}).status in (200, 201), "another")
    found = t.wait(lambda good: [[attributes(e) for e in x["events"]] for _, _, x in spans_of(good)
                                 if x["name"] == "look" and len(x["events"]) == 2])
    eq(sorted(found[-1], key=str) if found else None,
       [{"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": 0.75},
        {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "kind"}], "scores are events of the span that is sent again")
    texts = [k for _, _, x in spans_of(u.good) for k in attributes(x)
             if k in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "traceloop.entity.input")]
    eq(texts, [], "texts are sent only where that is set")
    g.destroy()
    t.close()
    u.close()


DECODE = r"""
import sys, json, base64
from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as Request
def hexed(o):
    if isinstance(o, list):
        return [hexed(x) for x in o]
    if isinstance(o, dict):
        return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ("traceId", "spanId", "parentSpanId") else hexed(v) for k, v in o.items()}
    return o
proto, text = Request(), Request()
proto.ParseFromString(open(sys.argv[1], "rb").read())
ParseDict(hexed(json.load(open(sys.argv[2]))), text)
spans = [s for r in proto.resource_spans for c in r.scope_spans for s in c.spans]
unknown = []
try:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as known
    names = {v for v in vars(known).values() if isinstance(v, str)}
    unknown = sorted({a.key for s in spans for a in s.attributes if a.key.startswith("gen_ai.")} - names)
except ImportError:
    pass
print(json.dumps({"equal": proto == text, "spans": len(spans), "unknown": unknown,
    "bytes": proto.SerializeToString() == open(sys.argv[1], "rb").read(), "names": sorted(s.name for s in spans)}))
"""


def test_protobuf():
    """The same spans by both encodings are the same message to OpenTelemetry's own classes."""
    python = os.path.join(CLIENTS, "otel", "bin", "python")
    t, u = Taker(), Taker()
    g = Gateway(provider, {"sinks": {"a": sink(t), "b": sink(u, encoding="protobuf", compression="gzip")}})
    give(g, GIVEN + [dict(GIVEN[0], span_unique_id="%016x" % i, input=MESSAGES) for i in range(1, 40)])
    t.wait(lambda good: len(spans_of(good)) >= 43)
    u.wait(lambda good: len(good) >= len(t.good))
    q = u.good[0]
    eq((q.headers["content-type"], q.headers["content-encoding"], len(q.raw) < len(q.body)), ("application/x-protobuf", "gzip", True),
       "protobuf, compressed")
    if not CLIENTS or not os.path.exists(python):
        skip("OpenTelemetry's own classes", "no otel/bin/python in $SPANGATE_CLIENTS (contrib/clients makes it)")
    else:
        proto, text = os.path.join(g.root, "all.pb"), os.path.join(g.root, "all.json")
        with open(proto, "wb") as f:    # requests one after the other are one request
            f.write(b"".join(q.body for q in u.good))
        with open(text, "w") as f:
            json.dump({"resourceSpans": [r for q in t.good for r in json.loads(q.body)["resourceSpans"]]}, f)
        out = subprocess.run([python, "-c", DECODE, proto, text], capture_output=True, text=True, timeout=60 * SLOW)
        got = json.loads(out.stdout or "{}")
        eq((got.get("spans"), got.get("equal"), got.get("bytes")), (43, True, True), "they read the protobuf as what the JSON says") or note(out.stderr)
        eq(got.get("unknown"), ["gen_ai.usage.cost"], "its gen_ai attributes are the conventions', but for the cost that they lack")
    g.destroy()
    t.close()
    u.close()


COLLECTOR = """
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:%d" } } } }
exporters: { file: { path: "%s" } }
service:
  telemetry: { metrics: { level: none }, logs: { level: error } }
  pipelines: { traces: { receivers: [ otlp ], exporters: [ file ] } }
"""


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def written(path):
    """What the collector's file has of spans: each by its name and id."""
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        return {(x["name"], x["spanId"]): (attributes(r["resource"]), x) for ln in f.read().splitlines() if ln.endswith("}")
                for r in json.loads(ln)["resourceSpans"] for s in r["scopeSpans"] for x in s["spans"]}


def test_collector():
    """An OpenTelemetry collector takes every encoding and shows the trace as it was sent."""
    program = os.path.join(CLIENTS, "collector", "collector")
    if not CLIENTS or not os.path.exists(program):
        return skip("an OpenTelemetry collector", "no collector/collector in $SPANGATE_CLIENTS (contrib/clients builds it)")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    t = Taker()
    for encoding, compression in (("protobuf", "gzip"), ("json", "none"), ("protobuf", "zstd")):
        g = Gateway(provider, {"sinks": {"o": sink("http://127.0.0.1:%d" % port, encoding=encoding, compression=compression),
                                         "same": sink(t)}})
        path, conf = os.path.join(g.root, "spans.json"), os.path.join(g.root, "collector.yaml")
        with open(conf, "w") as f:
            f.write(COLLECTOR % (port, path))
        give(g, GIVEN)    # before it is there: that is tried again
        c = subprocess.Popen([program, "--config", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            ok(wait_until(lambda: listens(port), 20 * SLOW), "the collector listens")
            chat(g, "n=3; first=10", stream=True, messages=MESSAGES)
            ok(wait_until(lambda: len(written(path)) >= 5, 20 * SLOW), "%s, %s: all arrive" % (encoding, compression), written(path))
            t.wait(lambda good: len(spans_of(good)) >= 5)
            sent = {(x["name"], x["spanId"]): (res, attributes(x)) for res, _, x in spans_of(t.good)}
            eq({k: (res, attributes(x)) for k, (res, x) in written(path).items()}, sent, "with every attribute")
        finally:
            c.terminate()
            c.wait(30)
            g.destroy()
            t.good.clear()
    t.close()


SAME = ["log_type", "model", "provider_id", "prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens", "prompt_cache_creation_tokens",
        "reasoning_tokens", "cost", "input", "output", "status", "status_code", "error_message", "stream", "time_to_first_token",
        "temperature", "top_p", "max_tokens", "stop", "seed", "n", "customer_identifier", "customer_email", "customer_name",
        "thread_identifier", "group_identifier", "custom_identifier", "environment", "start_time", "timestamp", "latency", "finish_reason",
        "response_id", "tools", "tool_choice", "response_format", "properties", "variables", "prompt_id", "prompt_name", "span_name",
        "span_workflow_name", "encoding_format", "dimensions", "tokens_per_second",
        "span_links"]


def test_round_trip():
    """From one spangate to another: the same spans there."""
    h = Gateway(provider)
    for encoding in ("protobuf", "json"):
        g = Gateway(provider, {"sinks": {"next": sink("http://127.0.0.1:%d/api" % h.port, encoding=encoding)}})
        before = {s["id"] for s in h.spans(0)}
        chat(g, "n=3; first=10", stream=True, messages=MESSAGES, metadata={"a": 1}, customer_identifier="c1", temperature=0.25,
             max_tokens=9, stop=["a"], tools=[{"type": "function", "function": {"name": "look", "parameters": {}}}])
        chat(g, "status=500", model="gpt-b")
        give(g, [dict(s, trace_unique_id=hashed(encoding, 16), input=MESSAGES if s.get("log_type") == "chat" else s["input"])
                 for s in GIVEN])
        mine = g.spans(6)
        theirs = [s for s in h.spans(len(before) + 6) if s["id"] not in before]
        eq(len(theirs), 6, "all arrive by " + encoding)
        bad = []
        for s in mine:
            other = next((x for x in theirs if (x.get("metadata") or {}).get("respan.id") == s["id"]), {})
            for k in SAME:
                a, b = s.get(k), other.get(k)
                if k == "span_name" and a is None:
                    continue    # it has been given one by the conventions
                if k in ("cost", "finish_reason", "tokens_per_second", "provider_id") and a is None:
                    continue
                if a != b:
                    bad.append("%s of %s: %r, there %r" % (k, s.get("span_name") or s.get("model"), a, b))
        ok(not bad, "and are the same", *bad)
        g.destroy()
    h.destroy()


def test_answers():
    """Busy, partly rejected, wholly rejected, malformed."""
    def answer(n, q):
        if n < 4:
            return ((429, 502, 503, 504)[n], {}, b"")
        if b"all bad" in q.body:
            return (200, {}, json.dumps({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}).encode())
        if b"some bad" in q.body:
            return (200, {}, json.dumps({"partialSuccess": {"rejectedSpans": 1, "errorMessage": "one is too old"}}).encode())
        if b"unreadable" in q.body:
            return (400, {}, json.dumps({"code": 3, "message": "cannot be read"}).encode())
        return None
    t = Taker(answer)
    g = Gateway(provider, {"sinks": {"o": sink(t, batch_spans=50)}})

    def dead():
        code, out, _ = g.run("sinks", "dead", "o", "--format", "json")
        return [json.loads(ln) for ln in out.splitlines() if ln.startswith("{")] if code == 0 else []
    give(g, [dict(GIVEN[1], span_name="first")])
    t.wait(lambda good: len(good) == 1)
    eq([len(t.posts), len(spans_of(t.good))], [5, 1], "429, 502, 503 and 504 are tried again")
    give(g, [dict(GIVEN[1], span_unique_id="%016x" % 5, span_name="all bad")])
    ok(wait_until(lambda: len(dead()) == 1), "what is rejected whole is a dead letter", dead())
    ok("too old" in json.dumps(dead()), "with the reason", dead())
    give(g, [dict(GIVEN[1], span_unique_id="%016x" % i, span_name="some bad") for i in (6, 7)])
    g.wait_log("1 of 2 spans were rejected: one is too old")
    eq(len(dead()), 1, "of what is rejected in part nobody knows which")
    give(g, [dict(GIVEN[1], span_unique_id="%016x" % i, span_name="unreadable" if i == 9 else "good") for i in (8, 9, 10)])
    ok(wait_until(lambda: len(dead()) == 2), "the culprit of a 400 is found", dead())
    ok("HTTP 400: cannot be read" in json.dumps(dead()), "and why", dead())
    eq(len([1 for _, _, x in spans_of(t.good) if x["name"] == "good"]), 2, "the others arrive")
    g.destroy()
    t.close()


provider = Provider()
main(test_gateway, test_messages, test_given, test_protobuf, test_collector, test_round_trip, test_answers)
