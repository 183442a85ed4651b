#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/metrics, /healthz, /readyz."""
from harness import *


def exposition():
    for fake, stream in (("n=2", False), ("n=3; first=30", True), ("status=429", False), ("cut=head", False), ("n=9; cut=3", True)):
        chat(g, fake, stream)
    g.spans(5)
    r = g.get("/metrics")
    eq((r.status, (r.get("content-type") or "").startswith("text/plain")), (200, True), "/metrics")
    bad, typed = [], {}
    for ln in r.body.decode().splitlines():
        m = re.fullmatch(r"# TYPE (\S+) (counter|gauge|histogram)", ln)
        if m:
            typed[m.group(1)] = m.group(2)
        elif ln and not ln.startswith("#") and not re.fullmatch(
                r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.eE+-]+|NaN|[+-]Inf)', ln):
            bad.append(ln)
    ok(not bad, "every line is of the exposition format", *bad[:5])
    m, text = g.metrics()
    names = {re.match(r"[^{]+", k).group(0) for k in m}
    untyped = [n for n in names if n not in typed and re.sub(r"_(bucket|sum|count)$", "", n) not in typed]
    eq(untyped, [], "every metric has its type")
    ok(all(n.startswith(("spangate_", "process_", "gen_ai_")) for n in names), "names begin with spangate_, but for others' conventions", sorted(names))
    eq([n for n in sorted(typed) if typed[n] == "counter" and not n.endswith("_total")], [], "counters end in _total")
    total = m.sum("spangate_requests_total")
    eq(total, 5, "spangate_requests_total counts the five") or note(text)
    eq(m.sum("spangate_requests_total", reason="complete"), 3, "by end reason")
    eq(m.sum("spangate_requests_total", reason="upstream_cut"), 1, "a cut stream")
    eq(m.sum("spangate_requests_total", provider="fake"), 5, "by provider")
    eq(m.sum("spangate_requests_total", family="chat"), 5, "by family")
    eq(m.sum("spangate_requests_total", status="429"), 1, "by status")
    eq(m.sum("spangate_requests_total", model="gpt-test") + m.sum("spangate_requests_total", model="gpt-test-2026-08-01"), 5, "by model")
    eq(m.sum("spangate_requests_in_flight"), 0, "none in flight")
    eq(m.sum("spangate_journal_begins_total"), 5, "BEGINs")
    eq(m.sum("spangate_spans_stored_total"), 5, "stored")
    ok("spangate_journal_bytes" in m and "spangate_journal_lag_bytes" in m, "journal bytes and lag")
    hist = [n for n in typed if typed[n] == "histogram"]
    for what in ("duration", "first_token", "overhead"):
        name = next((n for n in hist if what in n), None)
        if ok(name, "a histogram of " + what, hist):
            ok(m.sum(name + "_count") >= (1 if what == "first_token" else 4), "it counts", m.sum(name + "_count"))
            buckets = [(re.search(r'le="([^"]+)"', k).group(1), v) for k, v in m.items() if k.startswith(name + "_bucket")]
            ok(any(le == "+Inf" for le, _ in buckets), "and has +Inf")
    tokens = [k for k in m if "token" in k and k.split("{")[0].endswith("_total")]
    ok(tokens and sum(m[k] for k in tokens) >= 2 * 17 + 5, "tokens are counted", tokens)


def models_are_capped():
    before = len(g.export())
    for i in range(230):
        with Raw(g.port) as c:
            c.post(CHAT, {"model": "model-%d\"\\\n" % i, "messages": []})
    g.spans(before + 230)
    m, text = g.metrics()
    models = {x for k in m for x in re.findall(r'(?<!_)model="((?:[^"\\]|\\.)*)"', k)}
    ok(20 < len(models) <= 202 and "other" in models, "model labels are capped; later ones are `other`", len(models))


def costs():
    prices = os.path.join(g.root, "prices.json")
    with open(prices, "w") as f:
        json.dump({"format": 1, "name": "mine", "prices": [
            {"match": ["known*"], "per_million_tokens": {"input": 1, "output": 2.5}}]}, f)
    h = Gateway(p, {"prices": prices})
    model = 'known "q"\\'
    label = 'known \\"q\\"\\\\-2026-08-01'
    total, unknown = "spangate_cost_usd_total", "spangate_cost_unknown_total"
    eq(h.metrics()[0].sum(total), 0, "nothing has cost anything")
    chat(h, "n=2", model=model)
    chat(h, "n=4", stream=True, model=model)
    chat(h, "n=4", model="nobody knows")
    chat(h, "n=4", model="nobody knows")
    chat(h, "status=429", model="nobody knows")
    with Raw(h.port) as c:
        c.get("/v1/models")
    spans = h.spans(6)
    m, text = h.metrics()
    series = total + '{provider="fake",model="%s"}' % label
    want = sum(s["cost"] for s in spans if s["cost"])
    ok(series + " 0.000049" in text.splitlines(), "cost of a model in whole figures", text)
    near(want, 0.000049, 1e-15, "is what the spans say")
    near(m.sum(total), want, 1e-15, "and of all")
    eq(m.sum(unknown, provider="fake", model="nobody knows-2026-08-01"), 2, "spans whose cost is not known")
    eq(m.sum(unknown), 2, "errors and lists are none of them")
    h.destroy()


def genai():
    """OpenTelemetry's GenAI metrics: what the gateway forwarded, under the conventions' names."""
    h = Gateway(p)
    chat(h, "n=4", model="gpt-a")
    chat(h, "n=3; first=30; gap=20", stream=True, model="gpt-a")
    chat(h, "status=429", model="gpt-a")
    with Raw(h.port) as c:
        eq(c.post("/api/request-logs/", {"model": "given", "input": "x", "output": "y", "latency": 3, "usage": {
            "prompt_tokens": 9, "completion_tokens": 9}}).status, 200, "a span that is given")
        c.get("/v1/models")
    spans = h.spans(5)
    m, text = h.metrics()
    mine = dict(gen_ai_operation_name="chat", gen_ai_provider_name="fake", gen_ai_request_model="gpt-a",
                gen_ai_response_model="gpt-a-2026-08-01")
    good = [s for s in spans if s["status"] == "success" and s["model"] == mine["gen_ai_response_model"]]
    d = "gen_ai_client_operation_duration_seconds"
    eq(m.sum(d + "_count", **mine), 2, "operations that went well") or note(text)
    near(m.sum(d + "_sum", **mine), sum(s["latency"] for s in good), 2e-6, "for as long as the spans say")
    eq(m.sum(d + "_count", gen_ai_request_model="gpt-a", error_type="429"), 1, "and one that did not")
    eq(m.sum(d + "_count"), 3, "given spans and lists of models are none of them")
    t = "gen_ai_client_token_usage_sum"
    eq((m.sum(t, gen_ai_token_type="input"), m.sum(t, gen_ai_token_type="output")),
       (sum(s["prompt_tokens"] for s in good), sum(s["completion_tokens"] for s in good)), "tokens")
    stream = next(s for s in good if s["stream"])
    near(m.sum("gen_ai_client_operation_time_to_first_chunk_seconds_sum", **mine), stream["time_to_first_token"], 2e-6, "first chunk")
    chunks = "gen_ai_client_operation_time_per_output_chunk_seconds"
    ok(m.sum(chunks + "_count", **mine) >= 2, "times between chunks", m.sum(chunks + "_count", **mine))
    ok(m.sum(chunks + "_sum", **mine) <= stream["latency"] - stream["time_to_first_token"] + 0.001, "within the answer's time")
    near(m.sum("gen_ai_server_time_per_output_token_seconds_sum", **mine),
         (stream["latency"] - stream["time_to_first_token"]) / (stream["completion_tokens"] - 1), 2e-6, "time for each token")
    les = [x for x in (re.search(r'le="([^"]+)"', k).group(1) for k in m if k.startswith(d + "_bucket") and "429" in k)]
    eq([float(x) for x in les[:-1]], [0.01 * 2 ** i for i in range(14)], "the conventions' buckets")
    h.destroy()


def in_flight():
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")], json.dumps(chat_body()).encode()))
        before = len(p.requests)
        ok(wait_until(lambda: g.metrics()[0].sum("spangate_requests_in_flight") == 1, 5), "one in flight")
    ok(wait_until(lambda: g.metrics()[0].sum("spangate_requests_in_flight") == 0, 5), "and none when it has left")


def health():
    eq(g.get("/healthz").status, 200, "/healthz")
    r = g.get("/readyz")
    ok(r.status == 200 and b"degraded" not in r.body, "/readyz", r.status, r.body)
    with Raw(g.port) as c:
        r = c.ask("HEAD", "/healthz")
        eq((r.status, r.end), (200, "none"), "HEAD /healthz")


p = Provider()
g = Gateway(p)
main(exposition, costs, genai, models_are_capped, in_flight, health)
