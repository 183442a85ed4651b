#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists by filters, the summary, threads and exports over HTTP, of spans that went through the gateway."""
import csv
import io
import urllib.parse

from harness import *

WORDS = ["sunshine", "umbrella \u00e9t\u00e9", "thunder"]

ZERO, ONE = ("gpt-test-%d-2026-08-01" % i for i in range(2))     # as the provider calls them


def ask(i, **members):
    body = {"model": "gpt-test-%d" % (i % 2), "messages": [{"role": "user", "content": "n=%d %s" % (i + 1, WORDS[i % 3])}],
            "customer_identifier": "c-%d" % (i % 3), "metadata": {"team": "red" if i % 2 else "blue", "nr": i}, "temperature": i / 10}
    body.update(members)
    with Raw(g.port) as c:
        return c.post("/v1/chat/completions", body)


def query(**members):
    return "?" + urllib.parse.urlencode(members)


def found(filters=None, path="/api/request-logs/list/", **params):
    with Raw(g.port) as c:
        r = c.post(path + (query(**params) if params else ""), {"filters": filters or {}})
    if r.status != 200:
        return (r.status, r.json.get("detail"))
    return r.json


def numbers(filters=None, **params):
    """Which requests are found."""
    got = found(filters, **params)
    return sorted(order[x["id"]] for x in got["results"]) if isinstance(got, dict) else got


def filters():
    eq(numbers({"customer_identifier": {"operator": "", "value": ["c-1"]}}), [1, 4, 7, 10], "equal")
    eq(numbers({"customer_identifier": {"operator": "in", "value": ["c-1", "c-2"]}, "metadata__team": {"operator": "", "value": "red"}}),
       [1, 5, 7, 11], "two fields: both")
    eq(numbers({"metadata__nr": {"operator": "gte", "value": [9]}}), [9, 10, 11], "metadata by number")
    eq(numbers({"metadata__nr": {"operator": "lt", "value": 2}, "customer_identifier": {"operator": "", "connector": "OR", "value": "c-2"}}),
       [0, 1, 2, 5, 8, 11], "joined by OR")
    eq(numbers({"x": {"connector": "OR", "filter_params": {
        "metadata__nr": {"operator": "", "value": 3},
        "y": {"connector": "AND", "filter_params": {"model": {"operator": "contains", "value": "test-1-"}, "metadata__nr": {"operator": "gt", "value": 8}}}}}}),
       [3, 9, 11], "bundles in bundles")
    eq(numbers({"messages": {"operator": "contains", "value": "sunshine"}}), [0, 3, 6, 9], "in messages")
    eq(numbers({"input": {"operator": "icontains", "value": "UMBRELLA \u00c9T\u00c9"}}), [1, 4, 7, 10], "in inputs, in any case and script")
    eq(numbers({"input": {"operator": "full_text_search", "value": "thunder N=3"}}), [2], "all words")
    eq(numbers({"temperature": {"operator": "gt", "value": [0.85]}}), [9, 10, 11], "a parameter of the request")
    eq(numbers({"model": {"operator": "regex", "value": "^gpt.*t-0-2026"}}), [0, 2, 4, 6, 8, 10], "regular expression")
    eq(numbers({"failed": {"operator": "", "value": [True]}}), [], "none failed")
    eq(numbers({"is_root_span": True}), list(range(12)), "all are roots")
    ids = list(order)
    eq(numbers({"unique_id": {"operator": "in", "value": ids[:2]}}), [0, 1], "by id")
    uuid = "%s-%s-%s-%s-%s" % (ids[3][:8], ids[3][8:12], ids[3][12:16], ids[3][16:20], ids[3][20:])
    eq(numbers({"id": uuid}), [3], "by id as a UUID")
    eq(g.get("/api/request-logs/%s/" % uuid).json.get("id"), ids[3], "one by its UUID")
    for bad, word in (({"shoe": 1}, "shoe"), ({"cost": {"operator": "gt", "value": "x"}}, "cost"), ({"model": {"operator": "like", "value": "x"}}, "like"),
                      ({"model": {"operator": "regex", "value": "("}}, "model")):
        got = found(bad)
        ok(got[0] == 400 and word in got[1], "400 names %s" % word, got)


def url_filters():
    def by(text):
        r = g.get("/api/request-logs/list/?" + text)
        return sorted(order[x["id"]] for x in r.json["results"]) if r.status == 200 else r.json
    eq(by("customer_identifier=c-1"), [1, 4, 7, 10], "?field=value")
    eq(by("team=red&customer_identifier=c-1"), [1, 7], "an unknown name is a metadata key")
    eq(by("metadata__nr[value]=9&metadata__nr[operator]=gt"), [10, 11], "?field[operator]=")
    eq(by("nr%5Bvalue%5D=9&nr%5Boperator%5D=gt&nr%5Bconnector%5D=AND"), [10, 11], "percent-encoded, of an unknown name")
    eq(by("metadata__nr=3&customer_identifier=c-0&customer_identifier[connector]=OR"), [0, 3, 6, 9], "?field[connector]=OR")
    eq(numbers({"model": ZERO}, customer_identifier="c-1"), [4, 10], "URL and body combine")


def lists():
    r = found(page_size=5, fetch_filters="true")
    eq((r["count"], len(r["results"]), r["previous"]), (12, 5, None), "count, page, previous")
    ok(r["next"].startswith(g.url + "/api/request-logs/list/?") and "page=2" in r["next"], "next is absolute", r["next"])
    f = r["filters_data"]["model"]
    ok({"display_name", "metric", "operator_choices", "value_choices", "value_field_type", "hidden"} <= set(f), "filters_data", f)
    eq(found({"model": ZERO})["current_filters"], {"model": ZERO}, "current_filters")
    row = r["results"][0]
    want = """id unique_id full_unique_id organization_id unique_organization_id organization organization_key_id organization_key_name status
        status_code failed error_message warnings log_type input output prompt_messages completion_message completion_messages tool_calls tools
        tool_choice has_tool_calls response_format variables prompt_tokens completion_tokens total_request_tokens prompt_cache_hit_tokens
        prompt_cache_creation_tokens cost latency time_to_first_token tokens_per_second routing_time model foundation_model provider_id
        deployment_name used_custom_credential start_time timestamp metadata customer_identifier customer_email customer_name thread_identifier
        custom_identifier trace_unique_id evaluation_identifier environment stream cache_bit cache_miss_bit blurred category prompt_id prompt_name
        prompt_version_number prompt_message_count completion_message_count input_words output_words input_chars output_chars storage_object_key
        period_start period_end scores respan_params thread_message_pairs status_in_eval_set is_example user user_email""".split()
    eq([k for k in want if k not in row], [], "a row has every field that clients read")
    eq((row["prompt_message_count"], row["completion_message_count"], row["scores"]), (1, 1, {}), "counts and scores")
    eq(row["input_chars"], len(row["input"]), "input_chars")
    one = g.get("/api/request-logs/%s/" % row["id"])
    pairs = json.loads(one.body, object_pairs_hook=lambda p: p)
    eq(len(pairs), len({k for k, _ in pairs}), "no member twice")
    ok(one.json["limit_info"] is None and one.json["full_request"]["model"], "one span: full_request, limit_info", one.body[:300])
    few = found(include_fields="id,input")["results"][0]
    ok("input" in few and "output" not in few and "model" in few, "include_fields: what rows hold, and these", sorted(few))
    ok("full_request" in found(include_fields="full_request")["results"][0], "include_fields=full_request")
    eq(numbers(environment="test"), [], "another environment")
    eq(numbers(is_test="false"), list(range(12)), "is_test=false is prod")
    eq(found(page=9)["results"], [], "past the end")
    for name, back in (("cost", False), ("-latency", True), ("-id", True), ("timestamp", False), ("prompt_tokens", False), ("-scores__x", None)):
        got = found(sort_by=name)["results"]
        key = name.lstrip("-")
        key = "timestamp" if key == "id" else key
        seen = [x.get(key) for x in got]
        ok(len(got) == 12 and (back is None or seen == sorted(seen, reverse=back)), "sort_by=" + name, seen)
    some = numbers(sample=40)
    ok(some == numbers(sample=40) and set(some) <= set(numbers(sample=80)), "a sample is the same each time", some)
    eq(found(sort_by="input")[0], 400, "a sort that is none")


def summary():
    s = g.get("/api/request-logs/summary/").json
    rows = found()["results"]
    eq((s["number_of_requests"], s["total_tokens"]), (12, sum(x["total_request_tokens"] for x in rows)), "summary of all")
    near(s["total_cost"], sum(x["cost"] for x in rows), 1e-9, "total_cost")
    near(s["avg_latency"], sum(x["latency"] for x in rows) / 12, 1e-5, "avg_latency")
    eq(sorted(s), sorted("number_of_requests total_cost total_tokens total_prompt_tokens total_completion_tokens avg_latency avg_tps avg_ttft scores".split()),
       "its members")
    some = found({"customer_identifier": "c-1"}, path="/api/request-logs/summary/")
    eq(some["number_of_requests"], 4, "summary by filters")
    by_model = found({"model": {"operator": "", "value": [ONE]}}, path="/api/request-logs/summary/")
    eq((by_model["number_of_requests"], by_model["total_tokens"]), (6, sum(x["total_request_tokens"] for x in rows if x["model"] == ONE)),
       "summary by model")
    eq(found(path="/api/request-logs/summary/", end_time="2020-01-01")["avg_latency"], 0, "of nothing")


def threads():
    got = found(path="/api/log_threads/")
    eq((got["count"], [(x["thread_identifier"], x["environment"], x["log_count"]) for x in got["results"]]),
       (2, [("t-1", "prod", 3), ("t-0", "prod", 3)]), "threads, the newest first")
    got = found({"thread_identifier": {"operator": "in", "value": ["t-0", "t-9"]}}, path="/api/log_threads/")
    eq([x["thread_identifier"] for x in got["results"]], ["t-0"], "threads by filter")
    got = found({"customer_identifier": {"operator": "not", "value": "c-1"}}, path="/api/log_threads/", page_size=1)
    eq((got["count"], got["results"][0]["log_count"], bool(got["next"])), (2, 2, True), "threads of other customers")


def export():
    r = g.get("/api/request-logs/export?format=csv")
    table = list(csv.DictReader(io.StringIO(r.body.decode(), newline="")))
    ok(r.get("content-type").startswith("text/csv") and "spans.csv" in r.get("content-disposition"), "a CSV file", r.headers)
    eq([order[x["id"]] for x in table], list(range(13)), "every row, oldest first")
    eq(table[12]["customer_identifier"], "'=1+1", "a formula is defused")
    eq(json.loads(table[1]["input"])[0]["content"], "n=2 " + WORDS[1], "texts come back as they were")
    r = g.get("/api/request-logs/export/?format=jsonl&customer_identifier=c-2")
    eq([order[json.loads(ln)["id"]] for ln in r.body.splitlines()], [2, 5, 8, 11], "lines of JSON, by filter")
    with Raw(g.port) as c:
        r = c.post("/api/request-logs/export/?format=json&include_fields=id,model,cost", {"filters": {"metadata__nr": {"operator": "lt", "value": 3}}})
    eq([list(x) for x in r.json], [["id", "model", "cost"]] * 3, "JSON, the fields asked for")
    eq(g.get("/api/request-logs/export?format=xml").status, 400, "a format that is none")
    eq(g.get("/api/request-logs/export?include_fields=shoe").status, 400, "a field that is none")
    code, out, err = g.run("spans", "export", "--format", "csv", "--filter", "metadata__nr:gte:10", "--filter", "model=" + ZERO)
    eq((code, [order[x["id"]] for x in csv.DictReader(io.StringIO(out, newline=""))]), (0, [10]), "the command line's filters are the same")
    code, out, err = g.run("spans", "export", "--filters", '{"customer_identifier":{"operator":"startswith","value":"c-"},"metadata__nr":{"operator":"","value":[1,2]}}')
    eq((code, len(out.splitlines())), (0, 2), "and its --filters")
    a = {json.loads(ln)["id"] for ln in g.run("spans", "export", "--sample", "50")[1].splitlines()}
    b = {json.loads(ln)["id"] for ln in g.get("/api/request-logs/export?sample=50").body.splitlines()}
    eq(a, b, "a sample is the same here and there")


p = Provider()
g = Gateway(p)
order = {}
for i in range(12):
    more = {"thread_identifier": "t-%d" % (i // 3)} if i < 6 else {}
    order[ask(i, **more).get("x-spangate-span-id")] = i
g.spans(12)


def formula():
    order[ask(12, customer_identifier="=1+1", metadata={}).get("x-spangate-span-id")] = 12
    g.spans(13)


main(filters, url_filters, lists, summary, threads, formula, export)
