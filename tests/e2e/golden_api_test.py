#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every path of the API with a request and its whole answer (tests/data/api/golden.json), in this order. What differs from
run to run is masked. A route without a case fails. UPDATE=1 writes the answers anew, to be read before they are kept."""
from harness import *

TOP = os.environ.get("TOP_SRCDIR") or os.path.join(HERE, "..", "..")
GOLDEN = os.path.join(TOP, "tests", "data", "api", "golden.json")
DAY = "start_time=2026-03-01T00:00:00Z&end_time=2026-03-02T00:00:00Z"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def span(n, **more):
    return dict({"model": "gpt-4o", "input": [{"role": "user", "content": "question %d" % n}],
                 "output": {"role": "assistant", "content": "answer %d" % n}, "usage": {"prompt_tokens": 10 * n, "completion_tokens": n},
                 "start_time": "2026-03-01T10:00:0%d.000Z" % n, "timestamp": "2026-03-01T10:00:0%d.500Z" % n, "cost": n / 1000,
                 "customer_identifier": "alice", "thread_identifier": "talk", "metadata": {"n": n}}, **more)


def traced(n, parent=None):
    return span(n, trace_unique_id=TRACE, span_unique_id="00000000000000%02d" % n, span_parent_id=parent, span_name="step %d" % n)


OTLP = {"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "work", "startTimeUnixNano": "1772359200000000000",
    "endTimeUnixNano": "1772359201000000000"}]}]}]}

# (method, path, body): {span}, {score}, {key} are what an earlier answer named `id`.
CASES = [
    ("GET", "/health-check/", None), ("POST", "/request-logs/", span(1)), ("POST", "/request-logs/create", span(2, log_type="generation")),
    ("POST", "/request-logs/batch/create", {"logs": [span(3), {"model": "m", "latency": "soon"}]}),
    ("POST", "/request-logs/", {"latency": "soon"}),
    ("POST", "/v1/traces/ingest", [traced(4), traced(5, "0000000000000004")]), ("POST", "/integrations/v1/traces/ingest", {"data": [traced(6, "0000000000000005")]}),
    ("POST", "/openai/v1/traces/ingest", [span(7)]), ("POST", "/traces/ingest/", [traced(7, "0000000000000004")]),
    ("POST", "/v1/traces", OTLP), ("POST", "/v2/traces", {"resourceSpans": 7}),
    ("GET", "/request-logs/?page_size=1&" + DAY, None), ("POST", "/request-logs/", {"filters": {"customer_identifier": {"operator": "", "value": ["nobody"]}}}),
    ("GET", "/request-logs/list/?metadata__n=3&" + DAY, None), ("POST", "/request-logs/list/?sort_by=-cost&page_size=1&include_fields=cost,model&" + DAY, {"filters": {}}),
    ("GET", "/request-logs/{span}/", None), ("GET", "/request-logs/00000000000000000000000000000000/", None),
    ("PATCH", "/request-logs/{span}/", {"note": "good", "positive_feedback": True}), ("PATCH", "/request-logs/{span}/", {"model": "other"}),
    ("PATCH", "/request-logs/batch-update/", {"logs": [{"unique_id": "{span}", "is_pinned": True}]}),
    ("GET", "/request-logs/summary/?" + DAY, None), ("POST", "/request-logs/summary/?" + DAY, {"filters": {"model": {"operator": "", "value": ["gpt-4o"]}}}),
    ("GET", "/request-logs/search/?q=question&" + DAY, None), ("POST", "/request-logs/search/?" + DAY, {"q": "answer"}),
    ("GET", "/request-logs/export?format=csv&include_fields=model,cost,metadata&" + DAY, None), ("POST", "/request-logs/export?format=json&include_fields=model,cost&" + DAY, {"filters": {}}),
    ("GET", "/audio/{span}", None),
    ("POST", "/logs/{span}/scores/", {"evaluator_id": "e1", "numerical_value": 4.5}), ("GET", "/logs/{span}/scores/", None),
    ("GET", "/logs/{span}/scores/{score}/", None), ("PUT", "/logs/{span}/scores/{score}/", {"numerical_value": 3}), ("PATCH", "/logs/{span}/scores/{score}/", {"numerical_value": 2}),
    ("GET", "/scores/", None), ("POST", "/scores/", {"log_id": "{span}", "evaluator_slug": "tone", "boolean_value": True}), ("POST", "/scores/list/", {}),
    ("GET", "/scores/{score}/", None), ("PUT", "/scores/{score}/", {"numerical_value": 1}), ("PATCH", "/scores/{score}/", {"numerical_value": 5}),
    ("DELETE", "/scores/{score}/", None), ("DELETE", "/logs/{span}/scores/{score}/", None),
    ("GET", "/traces/?" + DAY, None), ("GET", "/traces/list/?" + DAY, None), ("POST", "/traces/list/?" + DAY, {"filters": {"span_count": {"operator": "gt", "value": [100]}}}),
    ("GET", "/traces/%s/?" % TRACE + DAY, None), ("POST", "/traces/%s/?" % TRACE + DAY, {}), ("GET", "/traces/none/", None),
    ("GET", "/default/traces/%s/" % TRACE, None), ("PATCH", "/traces/%s/" % TRACE, {"is_public": True}), ("GET", "/default/traces/%s/" % TRACE, None),
    ("PATCH", "/traces/%s/" % TRACE, {"is_public": 1}), ("GET", "/clickhouse/traces/summary/?" + DAY, None), ("POST", "/clickhouse/traces/summary/?" + DAY, {}),
    ("GET", "/clickhouse/log-annotations/{span}", None), ("POST", "/clickhouse/log-annotations/{span}/", {"text": "odd"}),
    ("POST", "/traces/bulk/?" + DAY, {"filters": {"trace_unique_id": {"operator": "", "value": ["none"]}}}), ("POST", "/traces/bulk-delete/", {}),
    ("DELETE", "/traces/5b8efff798038103d269b633813fc60c/?" + DAY, None),
    ("POST", "/traces/list/", {"filters": ""}), ("POST", "/users/list/", {"filters": ""}), ("GET", "/log_threads/", None), ("POST", "/log_threads/", {"filters": {"thread_identifier": {"operator": "", "value": ["talk"]}}}),
    ("GET", "/users/list/", None), ("POST", "/users/list/", {"filters": {}}), ("GET", "/users/alice/", None),
    ("PATCH", "/users/alice/", {"name": "Alice", "period_budget": 10, "budget_duration": "monthly"}), ("GET", "/users/nobody/", None), ("DELETE", "/users/alice/", None),
    ("GET", "/users/", None), ("POST", "/users/create/", {"customer_identifier": "bob"}), ("PATCH", "/users/a/b/", {}), ("DELETE", "/users/a/b/", None),
    ("POST", "/temporary-keys/", {"name": "short", "is_test": True, "rate_limit": 5}), ("GET", "/temporary-keys/", None), ("GET", "/temporary-keys/{key}/", None),
    ("PATCH", "/temporary-keys/{key}/", {"name": "long"}), ("DELETE", "/temporary-keys/{key}/", None),
] + [("POST", "/dashboard/%s/?summary_type=daily&%s" % (name, DAY), {}) for name in (
    "llm-metrics", "llm-metrics/summary", "quantiles", "quantiles/summary", "top-models", "top-keys", "top-prompts", "top-deployments", "top-users",
    "top-providers", "time-series/breakdown", "cache-hit-metrics")] + [("GET", "/dashboard/llm-metrics/summary/?" + DAY, None), ("POST", "/dashboard/none/", {})
] + [(m, p, None if m in ("GET", "DELETE") else {}) for p, methods in (
    ("/prompts/", "GET POST"), ("/prompts/list/", "POST"), ("/prompts/p/", "GET PATCH DELETE"), ("/prompts/p/versions/", "GET POST"),
    ("/prompts/p/versions/1/", "GET PATCH DELETE"), ("/prompts/p/commits/", "POST"), ("/prompts/p/deployments/", "POST"), ("/prompts/summary/", "POST"),
    ("/limit-policies/", "GET POST PATCH DELETE"), ("/caches/", "POST"), ("/caches/summary/", "POST"), ("/caches/bulk/", "DELETE")) for m in methods.split()
] + [("GET", "/openapi.json", None), ("GET", "/request-logs/?page=none", None), ("POST", "/request-logs/list/", "{"), ("PUT", "/request-logs/", {}), ("DELETE", "/request-logs/{span}/", None),
     ("GET", "/nothing/", None)]

MASKS = [(r"\b(?!%s|5b8efff|0{12})[0-9a-f]{32}\b" % TRACE[:8], "<id>"), (r'("id": ?)"[0-9a-f]{8}"', r'\1"<id>"'), (r'("average_monthly_cost": ?)[0-9.]+', r'\1"<masked>"'), (r"20(?!26-03-)\d\d-\d\d-\d\dT[0-9:.]+Z", "<time>"), (r"http://127\.0\.0\.1:\d+", "<host>"),
         (r'("(?:api_key|prefix|created_at|error_id|updated_at|first_seen|last_seen|expiry_date)": ?)"[^"]+"', r'\1"<masked>"')]


def masked(r):
    """The answer as it stands in the file."""
    kind = (r.get("content-type") or "").split(";")[0]
    body = r.body.decode()
    if "openapi" in body[:12]:
        body = '{"openapi": "3.1.0"}'       # openapi_test.py reads it
    if kind == "application/json":
        body = json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True)
    for pattern, to in MASKS:
        body = re.sub(pattern, to, body)
    return {"status": r.status, "type": kind, "body": json.loads(body) if kind == "application/json" else body}


def started():
    g = Gateway(Provider(), {"store": {"search": True}}, start=False, provider_config={"api_key": "sk-x"})
    key = g.run("key", "add", "--id", "root", "--rights", "gateway,read,write,admin")[1].strip()
    g.start()
    return g, key


def ask(g, key, method, path, body, ids):
    """The answer to a case, and its path with the ids put in."""
    for name, value in ids.items():
        path = path.replace("{%s}" % name, value)
        body = json.loads(json.dumps(body).replace("{%s}" % name, value)) if isinstance(body, dict) else body
    with Raw(g.port) as c:
        return c.ask(method, "/api" + path, [("Authorization", "Bearer " + key)] * (key != "") + [("Content-Type", "application/json")], body), path


def golden():
    g, key = started()
    ids, got = {}, []
    for method, path, body in CASES:
        r, path = ask(g, key, method, path, body, ids)
        if path == "/request-logs/create":
            ids["span"] = r.json["id"]
        elif method == "POST" and path.startswith("/logs/"):
            ids["score"] = r.json["id"]
        elif (method, path) == ("POST", "/temporary-keys/"):
            ids["key"] = r.json["id"]
        if path in ("/v1/traces",):     # taken when it is in the journal: what follows reads it
            wait_until(lambda: g.get("/api/traces/%s/?%s" % (OTLP["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"], DAY),
                                     [("Authorization", "Bearer " + key)]).status == 200)
        got.append(masked(r))
    if os.environ.get("UPDATE"):
        with open(GOLDEN, "w") as f:
            f.write("[\n" + ",\n".join(json.dumps({"request": "%s %s" % (m, p), "answer": a}, ensure_ascii=False) for (m, p, _), a in zip(CASES, got)) + "\n]\n")
    with open(GOLDEN) as f:
        want = json.load(f)
    eq([w["request"] for w in want], ["%s %s" % (m, p) for m, p, _ in CASES], "the file has the cases of this test")
    for w, a in zip(want, got):
        if not ok(w["answer"] == a, w["request"][:90]):
            note("got      " + json.dumps(a, ensure_ascii=False)[:3000])
            note("expected " + json.dumps(w["answer"], ensure_ascii=False)[:3000])
    g.destroy()


def all_routes():
    with open(os.path.join(TOP, "src", "api", "routes.tbl.h")) as f:
        table = re.findall(r'^ROUTE\("([^"]+)", "([^"]+)"', f.read(), re.M)
    asked = {}
    for method, path, _ in CASES:       # the first that matches answers, as there
        plain = path.split("?")[0].rstrip("/") or "/"
        for methods, route in table:
            rx = "^" + re.escape(route).replace(r"/\*\*", "(/.*)?").replace(r"\*", "[^/]+") + "$"
            if method in methods.split() and re.match(rx, plain):
                asked.setdefault(route, set()).add(method)
                break
    missing = [(route, sorted(set(methods.split()) - asked.get(route, set()))) for methods, route in table]
    eq([x for x in missing if x[1]], [], "every method of every route has a case (%d routes)" % len(table))


def others():
    """A key of another environment sees nothing of production by any path, and changes nothing; no key, or a wrong one, is 401."""
    g, key = started()
    made = ask(g, key, "POST", "/request-logs/create", span(2), {})[0].json["id"]
    score = ask(g, key, "POST", "/logs/%s/scores/" % made, {"evaluator_id": "exactness", "numerical_value": 4.5}, {})[0].json["id"]
    ask(g, key, "POST", "/v1/traces/ingest", [traced(4), traced(5, "0000000000000004")], {})
    test = ask(g, key, "POST", "/temporary-keys/", {"name": "test", "is_test": True, "rights": ["read", "write"]}, {})[0].json["api_key"]
    ids = {"span": made, "score": score, "key": "root"}
    before = ask(g, key, "GET", "/request-logs/list/?page_size=100&" + DAY, None, {})[0].json
    secrets = ("alice", "question", "answer 2", '"talk"', "gpt-4o", score, "exactness")
    shown, good, open_ = [], 0, []
    makes = ("/request-logs/create", "/request-logs/batch/create", "/v1/traces/ingest", "/integrations", "/openai/v1", "/traces/ingest", "/v1/traces", "/v2/traces")
    for method, path, body in CASES:
        creates = method == "POST" and (path.startswith(makes) or (path == "/request-logs/" and "filters" not in body))
        if path.startswith(("/health-check", "/nothing", "/openapi", "/default/")) or method == "PUT" and path == "/request-logs/":
            continue
        for who in ("", "sg-none-of-ours"):
            r, _ = ask(g, who, method, path, body, ids)
            if r.status != 401 or not r.json:
                open_.append((method, path, r.status))
        for more in ("",) if creates else ("", "all_envs=true", "environment=prod", "is_test=false"):
            where = path + ("&" if "?" in path else "?") + more if more else path
            r, where = ask(g, test, method, where, None if creates else body, ids)
            good += r.status in (200, 201, 204)
            body_less_echo = r.body.decode().replace(where, "")
            if "filters" in (body or ()):
                body_less_echo = re.sub(r'"current_filters":\{.*?\},"', '"', body_less_echo)
            told = [x for x in secrets if x in body_less_echo]
            if told and not (path.startswith("/users/alice/") and r.status == 404):
                shown.append((method, where, r.status, told, body_less_echo[:200]))
    eq(open_, [], "without a key, or with one that is none, every path is 401")
    eq(shown, [], "a key of the test environment is shown nothing of production")
    ok(good > 60, "and is answered", good)
    after = ask(g, key, "GET", "/request-logs/list/?page_size=100&" + DAY, None, {})[0].json
    eq(after, before, "nothing of production was changed or deleted")
    eq(ask(g, key, "GET", "/scores/{score}/", None, ids)[0].json["numerical_value"], 4.5, "its score neither")
    g.destroy()


main(all_routes, golden, others)
