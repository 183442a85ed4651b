#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One call that was made through the gateway and instrumented as well: one trace, counted once, whichever of its spans
comes first. And what is not one call."""
import hashlib
import hmac
import itertools

from harness import *

number = itertools.count(1)
MODEL = "gpt-test-2026-08-01"        # what the fake provider says it is; it tells 17 and 5 tokens


def span(trace, id_, start, end, attributes, parent=None, name="openai.chat"):
    value = lambda v: {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}
    return {"traceId": trace, "spanId": id_, "parentSpanId": parent or "", "name": name, "startTimeUnixNano": str(int(start * 1e9)),
            "endTimeUnixNano": str(int(end * 1e9)), "attributes": [{"key": k, "value": value(v)} for k, v in attributes.items()]}


def call(response_id=None, tokens=(17, 5), model=MODEL, **more):
    a = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": model}
    if tokens:
        a.update({"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]})
    return dict(a, **({"gen_ai.response.id": response_id} if response_id else {}), **more)


def send(*spans, heads={}):
    with Raw(g.port) as c:
        r = c.post("/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}),
                   dict({"Content-Type": "application/json"}, **heads).items())
    if r.status != 200 or r.json["partialSuccess"]["rejectedSpans"]:
        ok(False, "sent", r.status, r.body)


def ids():
    n = next(number)
    return "%032x" % (0xabc0000 + n), "%016x" % (0x100 + n), 1000 + n


def customer(name, heads=None):
    r = g.get("/api/users/%s/" % name, heads)
    return r.json if r.status == 200 else {}


def through(customer_, id_, traceparent=None, **more):
    """A call through the gateway; when it began and ended."""
    start = time.time()
    heads = dict({"traceparent": traceparent} if traceparent else {}, **more.pop("heads", {}))
    r = chat(g, "id=%d" % id_, headers=heads, customer_identifier=customer_, **more)
    return start, time.time(), r


def settled(count):
    """When so many spans are in the store."""
    return wait_until(lambda: len(g.export()) >= count, 20)


def stored():
    return len(g.export())


def check(what, trace, customer_, tree, requests=1, tokens=22, heads=None):
    """The trace's tree as text, and what the customer used."""
    def text(n):
        kind = n["span_name"] or "gateway"
        return kind + ("(%s)" % " ".join(sorted(map(text, n["children"]))) if n["children"] else "")
    got = None

    def right():
        nonlocal got
        t = g.get("/api/traces/%s/" % trace, heads)
        got = t.status == 200 and (" ".join(sorted(map(text, t.json["span_tree"]))), t.json["total_tokens"], t.json["llm_call_count"])
        return got == (tree, tokens, requests)
    ok(wait_until(right, 10), what + ": one trace, one call", got, (tree, tokens, requests))
    c = customer(customer_, heads)
    eq((c.get("number_of_requests"), c.get("total_tokens")), (requests, tokens), what + ": the customer's figures")


def orders(what, give, make, expect):
    """Two steps in both orders: `give` takes the times of the call, which are guessed where it comes first."""
    for first in ("gateway", "given"):
        trace, id_, n = ids()
        name = "%s-%s-%d" % (what.replace(" ", "-"), first, n)
        before = stored()
        if first == "gateway":
            start, end, _ = make(name, trace, id_, n)
            settled(before + 1)
            give(name, trace, id_, n, start, end)
        else:
            give(name, trace, id_, n, time.time(), time.time() + 0.4)
            wait_until(lambda: stored() > before, 10)
            make(name, trace, id_, n)
        check("%s, the %s first" % (what, first), trace, name, expect)


def by_id():
    def give(name, trace, id_, n, start, end):
        send(span(trace, id_, start, end, call("chatcmpl-%08d" % n, **{"user.id": name})))
    orders("by id", give, lambda name, trace, id_, n: through(name, n), "openai.chat(gateway)")


def by_parent():
    def give(name, trace, id_, n, start, end):
        send(span(trace, id_, start, end, call(**{"user.id": name})))
    orders("by parent", give, lambda name, trace, id_, n: through(name, n, "00-%s-%s-01" % (trace, id_)), "openai.chat(gateway)")


def by_likeness():
    def give(name, trace, id_, n, start, end):
        send(span(trace, id_, start - 0.01, end + 0.01, call(**{"user.id": name})))
    orders("by likeness", give, lambda name, trace, id_, n: through(name, n), "openai.chat(gateway)")


def by_likeness_of_another_date():
    """The model that was asked for, not the one that answered."""
    def give(name, trace, id_, n, start, end):
        send(span(trace, id_, start - 0.01, end + 0.01, call(None, model="GPT-Test", **{"user.id": name})))
    orders("by the model asked", give, lambda name, trace, id_, n: through(name, n), "openai.chat(gateway)")


def by_likeness_of_its_size():
    """A stream whose usage the instrumentation did not see: its tokens are estimated."""
    def give(name, trace, id_, n, start, end):
        text = {"user.id": name, "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Say something about the sea and the harbour.",
                "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "the0 by1 while2 meaning3"}
        send(span(trace, id_, start - 0.01, end + 0.01, call(None, None, **text)))
    orders("by size", give, lambda name, trace, id_, n: through(name, n, stream=True), "openai.chat(gateway)")


def with_http():
    """The HTTP client is instrumented too: its span stands between. In every order of three."""
    for order in itertools.permutations(("gateway", "call", "http")):
        trace, id_, n = ids()
        name, http = "http-" + "-".join(order), "%016x" % (0x9000 + n)
        start = time.time()
        for step in order:
            before = stored()
            if step == "gateway":
                through(name, n, "00-%s-%s-01" % (trace, http))
            elif step == "call":
                send(span(trace, id_, start, start + 0.5, call(**{"user.id": name})))
            else:
                send(span(trace, http, start, start + 0.5, {"http.request.method": "POST"}, id_, "POST"))
            settled(before + 1)
        check("over HTTP, " + " ".join(order), trace, name, "openai.chat(POST(gateway))")


def again():
    """Sent again, twice instrumented, changed, deleted."""
    trace, id_, n = ids()
    name = "again-%d" % n
    other = "%016x" % (0xa000 + n)
    start, end, r = through(name, n)
    g.span(r)
    a, b = call("chatcmpl-%08d" % n, **{"user.id": name}), call("chatcmpl-%08d" % n, **{"user.id": name})
    for _ in range(3):
        send(span(trace, id_, start, end, a), span(trace, other, start, end, b, id_, "ChatCompletion"))
    g.stop()    # a clean stop leaves nothing in the journal that would come after what follows
    g.start()
    check("sent three times, of two instrumentations", trace, name, "openai.chat(ChatCompletion gateway)")
    rows = {s["span_name"]: s for s in g.export() if s["trace_unique_id"] == trace}
    s = rows["openai.chat"]
    eq((s["billable"], s["cost"], s["cost_source"], s["prompt_tokens"]), (False, 0, "gateway", 17), "the given one says why it costs nothing")
    gateway = next(s for s in rows.values() if s["log_method"] == "inference")
    eq((gateway["span_parent_id"], gateway["billable"], gateway["cost_source"]), (id_, True, "user_table"), "the gateway's is billed, below it")
    eq(gateway["span_unique_id"], gateway["id"], "and has an id in the trace")
    eq(g.get("/api/request-logs/%s/" % gateway["id"]).json["trace_unique_id"], trace, "as the API says")
    with Raw(g.port) as c:
        eq(c.ask("DELETE", "/api/request-logs/%s/" % s["id"]).status, 204, "deleted")
    check("without the given one", trace, name, "ChatCompletion gateway")


def not_one():
    trace, id_, n = ids()
    name = "apart-%d" % n
    start, end, r = through(name, n)
    g.span(r)
    more = {"user.id": name}
    send(span(trace, id_, start - 3600, end - 3600, call("chatcmpl-%08d" % n, **more)),            # an hour before
         span(trace, "%016x" % (0xb000 + n), start, end, call("chatcmpl-%08d" % n, (17, 99), **more)),      # other tokens
         span(trace, "%016x" % (0xc000 + n), start, end, call("chatcmpl-x", **more)),                       # another id
         span(trace, "%016x" % (0xd000 + n), start, end, call(None, (17, 99), **more)),                     # no id, other tokens
         span(trace, "%016x" % (0xe000 + n), start, end, call(None, model="other", **more)),                # no id, another model
         span(trace, "%016x" % (0xf000 + n), start + 30, end + 31, call(None, **more)))                     # no id, at another time
    ok(wait_until(lambda: customer(name).get("number_of_requests") == 7, 10), "what is not one call counts", customer(name))
    name, n2 = "reused-%d" % n, 5000
    for _ in range(3):
        g.span(through(name, n2)[2])
    ok(wait_until(lambda: customer(name).get("number_of_requests") == 3, 10), "three calls with one id are three", customer(name))
    trace, id_, _ = ids()
    send(span(trace, id_, start, time.time(), call("chatcmpl-%08d" % n2, **{"user.id": name})))
    ok(wait_until(lambda: any(s["trace_unique_id"] == trace and s["span_unique_id"] == id_ and s["cost_source"] == "gateway" for s in g.export()), 10),
       "one of them was told as well")
    eq(customer(name).get("number_of_requests"), 3, "and no more are counted")
    joined = [s for s in g.export() if s["trace_unique_id"] == trace and s["log_method"] == "inference"]
    eq(len(joined), 1, "one of them is in the trace")


def environments():
    """A key of the test environment joins nothing to production, though it tells a response's id of there."""
    global g
    keep, g = g, Gateway(p, {"keys": [{"id": k, "environment": k, "sha256": hmac.new(b"spangate-key", ("environment-%s-key-0123" % k).encode(), hashlib.sha256).hexdigest()}
                                      for k in ("prod", "test")]})
    prod, test = ({"X-Spangate-Key": "environment-%s-key-0123" % k} for k in ("prod", "test"))
    trace, id_, n = ids()
    start, end, r = through("e", n, heads=prod)
    before = g.span(r)
    send(span(trace, id_, start, end, call("chatcmpl-%08d" % n, **{"user.id": "e"})), heads=test)
    check("of another environment", trace, "e", "openai.chat", heads=test)
    eq((customer("e", prod).get("total_tokens"), customer("e", test).get("total_tokens")), (22, 22), "each has its own")
    eq({s["id"]: s["trace_unique_id"] for s in g.export()}[before["id"]], None, "production's span stays as it was")
    send(span(trace, "%016x" % 0xe1, start, end, call("chatcmpl-%08d" % n, **{"user.id": "e"})), heads=prod)
    ok(wait_until(lambda: {s["id"]: s["trace_unique_id"] for s in g.export()}[before["id"]] == trace, 10), "with a key of its own environment it is paired")
    g.destroy()
    g = keep


def tenants():
    global g
    keep, g = g, Gateway(p, {"keys": [{"id": k, "tenant": k, "sha256": hmac.new(b"spangate-key", k.encode(), hashlib.sha256).hexdigest()}
                                      for k in ("tenant-one-key-01234567", "tenant-two-key-01234567")]})
    one, two = ({"X-Spangate-Key": "tenant-%s-key-01234567" % k} for k in ("one", "two"))
    trace, id_, n = ids()
    start, end, r = through("t", n, heads=one)
    g.span(r)
    send(span(trace, id_, start, end, call("chatcmpl-%08d" % n, **{"user.id": "t"})), heads=two)
    check("of another tenant", trace, "t", "openai.chat", heads=two)
    eq(customer("t", one).get("total_tokens"), 22, "each has its own")
    g.destroy()
    g = keep


def passed_on():
    """Sent on to another gateway, by either protocol, it still is one call."""
    global g
    keep = g
    for kind in ("respan", "otlp"):
        h = Gateway(None)
        g = Gateway(p, {"sinks": {"on": {"kind": kind, "url": h.url + "/api" if kind == "otlp" else h.url, "retry_min": "100ms"}}})
        trace, id_, n = ids()
        start, end, r = through("on", n)
        g.span(r)
        send(span(trace, id_, start, end, call("chatcmpl-%08d" % n, **{"user.id": "on"})))
        check("here", trace, "on", "openai.chat(gateway)")
        first, g = g, h
        ok(wait_until(lambda: len(h.export()) == 2 and customer("on").get("total_tokens") == 22, 20), kind + ": once there as well", customer("on"),
           [(s["span_name"], s["billable"], s["cost"], s["trace_unique_id"]) for s in h.export()])
        eq(customer("on").get("number_of_requests"), 1, kind + ": one request")
        first.destroy()
        h.destroy()
    g = keep


def books():
    ok(wait_until(lambda: g.run("verify")[0] == 0, 20), "verify", *g.run("verify"))


p = Provider()
g = Gateway(p)
main(by_id, by_parent, by_likeness, by_likeness_of_another_date, by_likeness_of_its_size, with_http, again, not_one, tenants, environments, passed_on, books)
