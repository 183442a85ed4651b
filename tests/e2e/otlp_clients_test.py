#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real OpenTelemetry clients: what the application did is what the traces say, with its tokens and what they cost, whether its
calls go through the gateway as well or not. They are looked for in $SPANGATE_CLIENTS, which contrib/clients makes; what is not
there is skipped."""
from decimal import Decimal

from harness import *

CLIENTS = os.environ.get("SPANGATE_CLIENTS", "")


def run(argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * SLOW)
    if r.returncode != 0:
        return {"failed": r.stderr.decode()[-1500:]}
    return json.loads(r.stdout)


def python(venv, what):
    exe = os.path.join(CLIENTS, venv, "bin", "python")
    if not CLIENTS or not os.path.exists(exe):
        return None
    return lambda base, g: [exe, os.path.join(HERE, "otlp_client.py"), base, g.url + "/api/v1/traces", what]


def node(what):
    project = os.path.join(CLIENTS, "node-otel")
    if not CLIENTS or not os.path.isdir(os.path.join(project, "node_modules")) or not shutil.which("node"):
        return None
    return lambda base, g: ["node", os.path.join(HERE, "otlp_client.cjs"), base, g.url, what, project]


def text(n):
    """A span with its children; those of the gateway have no name."""
    return (n["span_name"] or "gateway") + ("(%s)" % " ".join(map(text, n["children"])) if n["children"] else "")


def traces(g, count):
    find = lambda: g.get("/api/traces/list/").json["results"]
    wait_until(lambda: len(find()) >= count, 20)
    return sorted((g.get("/api/traces/%s/" % t["trace_unique_id"]).json for t in find()), key=lambda t: t["start_time"])


def check(name, argv, trees, through):
    g = Gateway(p)
    got = run(argv((g.url if through else p.url) + "/v1", g))
    name += ", calls through the gateway" if through else ", calls to the provider"
    if "failed" in got:
        ok(False, name + ": ran", got["failed"])
        return g.destroy()
    calls = got["calls"]
    good = [c for c in calls if "in" in c]
    tokens = sum(c["in"] + c["out"] for c in good)
    want = [t if through else t.replace("(gateway)", "") for t in trees]
    count = len(want)
    ok(wait_until(lambda: sorted(" ".join(map(text, t["span_tree"])) for t in traces(g, count)) == sorted(want), 10), name + ": the tree",
       [" ".join(map(text, t["span_tree"])) for t in traces(g, count)], want)
    found = traces(g, count)
    eq(sum(t["total_tokens"] for t in found), tokens, name + ": the tokens")
    eq(sum(t["llm_call_count"] for t in found), len(calls), name + ": the calls")
    spans = g.export()
    billed = [s for s in spans if s["billable"] and s["cost"]]
    cost = sum(Decimal(str(s["cost"])) for s in billed)
    priced = sum(Decimal(str(t["total_cost"])) for t in found)
    ok(len(billed) == len(good) and priced == cost > 0, name + ": the cost", priced, cost, len(billed))
    costs.setdefault(name.split(",")[0], set()).add(cost)
    summary = g.get("/api/request-logs/summary/").json
    eq((summary["number_of_requests"], summary["total_tokens"]), (len(calls), tokens), name + ": and in all, counted once")
    given = [s for s in spans if s["log_method"] == "tracing_integration"]
    for c in calls:
        if "text" in c:
            ok(any((s["completion_message"] or {}).get("content") == c["text"] and (s["prompt_tokens"], s["completion_tokens"]) == (c["in"], c["out"])
                   for s in given), name + ": an answer, with its tokens", c, [(s["completion_message"], s["prompt_tokens"]) for s in given])
        elif "tools" in c:
            ok(any([t["function"]["name"] for t in s["tool_calls"] or []] == c["tools"] and s["tools"] for s in given), name + ": calls of tools", c)
        elif "error" in c:
            ok(any(s["status"] == "error" and c["error"][-20:] in s["error_message"] for s in given), name + ": the error", c)
    code, out, err = g.run("verify")
    eq(code, 0, name + ": verify") or note(out, err)
    g.destroy()


def client(name, argv, trees, both=True):
    if argv is None:
        return skip(name, "it is not in $SPANGATE_CLIENTS (contrib/clients makes it)")
    for through in (True, False) if both else (False,):
        check(name, argv, trees, through)


def instrumentations():
    one = "%s(gateway)"
    client("Traceloop's openai", python("otel", "traceloop"), ["work(%s)" % " ".join([one % "openai.chat"] * 4)])
    client("OpenInference's openai", python("otel", "openinference"), ["work(%s)" % " ".join([one % "ChatCompletion"] * 4)])
    client("@keywordsai/tracing", node("keywordsai"), ["wf.workflow(tk.task(tl.tool openai.chat(gateway)))", "bad.workflow"])


def exporters():
    for what, venv in (("proto", "otel"), ("proto-gzip", "otel"), ("json", "otel-json")):
        client("OpenTelemetry Python, %s" % what, python(venv, what), ["work(chat gpt-test)"], both=False)
    sdk = ["ai.generateText(ai.generateText.doGenerate(gateway))", "ai.streamText(ai.streamText.doStream(gateway))"]
    client("OpenTelemetry Node: http/json", node("json"), sdk)
    client("OpenTelemetry Node: http/protobuf", node("proto"), sdk)
    client("@keywordsai/exporter-vercel", node("vercel"), ["ai.generateText.doGenerate(gateway)", "ai.streamText.doStream(gateway)"])


def same_costs():
    for name, seen in costs.items():
        eq(len(seen), 1, "%s: it costs the same either way" % name) or note(seen)


costs = {}
p = Provider()
main(instrumentations, exporters, same_costs)
