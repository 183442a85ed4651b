# SPDX-License-Identifier: Apache-2.0
"""Run by otlp_clients_test.py in a virtual environment with OpenTelemetry: an application that is instrumented as its
makers say. otlp_client.py BASE_URL TRACES_URL WHAT prints what it saw as JSON.
    traceloop, openinference   opentelemetry-instrumentation-openai, openinference-instrumentation-openai, over http/protobuf
    proto, proto-gzip, json    the SDK's exporters alone, with spans of their own"""
import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

BASE, TRACES, WHAT = sys.argv[1:4]


def exporter():
    if WHAT == "json":
        import opentelemetry.exporter.otlp.json.http.trace_exporter as json_exporter
        return json_exporter.OTLPSpanExporter(endpoint=TRACES)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter(endpoint=TRACES, compression=Compression.NoCompression if WHAT == "proto" else Compression.Gzip)


def seen(r):
    return {"id": r.id, "in": r.usage.prompt_tokens, "out": r.usage.completion_tokens}


def calls():
    from openai import OpenAI
    c, out = OpenAI(base_url=BASE, api_key="sk-client-1", max_retries=0), []
    r = c.chat.completions.create(model="gpt-test", temperature=0.5, messages=[{"role": "system", "content": "Zürich"}, {"role": "user", "content": "Hi"}])
    out.append(dict(seen(r), text=r.choices[0].message.content))
    text, last = "", None
    for e in c.chat.completions.create(model="gpt-test", stream=True, stream_options={"include_usage": True}, messages=[{"role": "user", "content": "Go"}]):
        text += e.choices[0].delta.content or "" if e.choices else ""
        last = e if e.usage else last
    out.append(dict(seen(last), text=text))
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
    r = c.chat.completions.create(model="gpt-test", tools=tools, messages=[{"role": "user", "content": "Weather?"}], extra_headers={"x-fake": "tools=1"})
    out.append(dict(seen(r), tools=[t.function.name for t in r.choices[0].message.tool_calls]))
    try:
        c.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": "x"}], extra_headers={"x-fake": "status=500"})
    except Exception as e:
        out.append({"error": str(e)})
    return out


def own(tracer):
    with tracer.start_as_current_span("chat gpt-test", attributes={
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-test", "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20, "gen_ai.response.finish_reasons": ["stop"], "number": 5, "share": 0.5, "list": [1, 2]}) as s:
        s.add_event("first", {"a": True})
    return [{"in": 100, "out": 20}]


provider = TracerProvider(resource=Resource.create({"service.name": "client", "deployment.environment.name": "staging"}))
provider.add_span_processor(BatchSpanProcessor(exporter()))
trace.set_tracer_provider(provider)
if WHAT == "traceloop":
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    OpenAIInstrumentor().instrument(tracer_provider=provider)
elif WHAT == "openinference":
    from openinference.instrumentation.openai import OpenAIInstrumentor
    OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = trace.get_tracer("client")
with tracer.start_as_current_span("work") as span:
    result = calls() if WHAT in ("traceloop", "openinference") else own(tracer)
    id_ = "%032x" % span.get_span_context().trace_id
flushed = provider.force_flush()
provider.shutdown()
print(json.dumps({"trace": id_, "calls": result, "flushed": flushed}))
