#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures for dashboards: they are the sums over the spans, however the window is cut."""
import datetime
import urllib.parse
from decimal import Decimal

from harness import *

N = 40
QUANTILES = ("p50", "p90", "p95", "p99")


def fill():
    for i in range(N):
        body = dict(chat_body(i % 4 == 0, customer_identifier="c%d" % (i % 3), prompt_name="p%d" % (i % 2),
                              environment="test" if i % 5 == 0 else "prod"), model="gpt-%d" % (i % 2))
        with Raw(g.port) as c:
            c.post(CHAT, body, [("x-fake", "n=%d%s" % (3 + i % 4, "; status=500" if i % 10 == 9 else ""))])
    g.spans(N)


def ask(path, query=None, body=None):
    with Raw(g.port) as c:
        r = c.post("/api/dashboard/" + path + ("?" + urllib.parse.urlencode(query) if query else ""), body or {})
    return r.json if r.status == 200 else {"status": r.status, "error": (r.json or {}).get("error")}


def sums(spans):
    total = lambda name: sum(s.get(name) or 0 for s in spans)
    return {"number_of_requests": len(spans), "error_count": sum(s["status"] == "error" for s in spans),
            "total_prompt_tokens": total("prompt_tokens"), "total_completion_tokens": total("completion_tokens"),
            "total_tokens": total("total_request_tokens"), "total_cost": float(sum(Decimal(str(s.get("cost") or 0)) for s in spans))}


def same(got, spans, what):
    want = sums(spans)
    eq({k: got.get(k) for k in want}, want, what)


def whole():
    spans = g.export()
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    for what, query in (("the last day", {}), ("a day by name", {"summary_type": "daily", "date": day}), ("a month", {"summary_type": "monthly"}),
                        ("all of time", {"summary_type": "all"}), ("years around", {"start_time": "2020-01-01", "end_time": "2040-01-01"}),
                        ("today from rows", {"start_time": day + "T00:00:00.000001Z"})):
        got = ask("llm-metrics/summary/", query)
        same(got, spans, "summary: " + what)
    lat = sorted(s["latency"] for s in spans)
    near(got["avg_latency"], sum(lat) / len(lat), 1e-5, "average latency")
    ok(all(0.9 * lat[int(N * f) - 1] <= got["latency"][q] <= 1.1 * lat[min(N - 1, int(N * f))] for q, f in zip(QUANTILES, (.5, .9, .95, .99))),
       "quantiles of latency, within a bucket", got["latency"], lat)
    ttft = [s["time_to_first_token"] for s in spans if s.get("time_to_first_token") is not None]
    near(got["avg_ttft"], sum(ttft) / len(ttft), 1e-5, "average time to first token")
    near(got["error_rate"], sum(s["status"] == "error" for s in spans) / len(spans), 1e-9, "error rate")
    eq(ask("llm-metrics/summary/", {"start_time": "2001-01-01", "end_time": "2001-01-03"})["number_of_requests"], 0, "nothing: zeros")
    got = ask("quantiles/summary/")
    ok(set(got["latency"]) == set(QUANTILES) and "total_cost" not in got and got["number_of_requests"] == N, "quantiles alone", got)
    eq(ask("llm-metrics/quantiles/summary")["latency"], got["latency"], "under either path")
    got = ask("cache-hit-metrics/")
    ok(got["summary"]["total_cached_tokens"] == sum(s.get("prompt_cache_hit_tokens") or 0 for s in spans) and got["summary"]["cache_hits"] is None,
       "cache-hit-metrics", got["summary"])


def ticked():
    spans = g.export()
    for tick, length in (("minute", 60), ("hour", 3600), ("day", 86400), ("week", 7 * 86400), ("month", None)):
        got = ask("llm-metrics/", {"time_tick": tick, "summary_type": "daily"})
        rows = got["results"]
        same({k: sum(r[k] for r in rows) if k != "total_cost" else float(sum(Decimal(str(r[k])) for r in rows)) for k in sums([])}, spans,
             "%s by %s" % (len(rows), tick))
        same(got["summary"], spans, "with the sums of all")
        at = [datetime.datetime.fromisoformat(r["timestamp"].replace("Z", "+00:00")).timestamp() for r in rows]
        ok(all(length is None or b - a == length for a, b in zip(at, at[1:])), "ticks without a gap", at[:5])
    eq([len(ask("llm-metrics/", {"summary_type": "daily"})["results"]), ask("llm-metrics/", {"summary_type": "daily"})["time_tick"]], [24, "hour"],
       "a day has hours of its own accord")
    for offset, want in (("+05:30", "18:30:00"), ("-330", "18:30:00"), ("480", "08:00:00"), ("-08:00", "08:00:00"), ("0", "00:00:00")):
        got = ask("llm-metrics/", {"time_tick": "day", "summary_type": "weekly", "timezone_offset": offset})
        ok(all(r["timestamp"][11:19] == want for r in got["results"]) and len(got["results"]) == 7, "days of timezone_offset %s" % offset,
           [r["timestamp"] for r in got["results"]])
        got = ask("llm-metrics/", {"time_tick": "day", "timezone_offset": offset, "start_time": "2024-01-01" if offset == "0" else spans[0]["start_time"]})
        same(got["summary"], spans, "and their sums")


def parted():
    spans = g.export()
    for path, name, key in (("top-models/", "model", "model"), ("top-users/", "customer_identifier", "customer_identifier"),
                            ("top-providers/", "provider_id", "provider_id"), ("top-prompts/", "prompt_name", "prompt_name"),
                            ("top-keys/", "organization_key_id", "organization_key_id")):
        rows = ask(path)["results"]
        groups = collections.defaultdict(list)
        for s in spans:
            groups[s.get(key)].append(s)
        eq([r[name] for r in rows], sorted((r[name] for r in rows), key=lambda x: -len(groups[x])), "%s: the most first" % path)
        eq({r["name"] for r in rows}, set(groups), "all of them")
        for r in rows:
            same(r, groups[r[name]], "%s %s" % (path, r["name"]))
    eq(len(ask("top-users/", {"limit": 2})["results"]), 2, "limit")
    rows = ask("top-users/", {"sort_by": "-total_cost"})["results"]
    eq([r["total_cost"] for r in rows], sorted((r["total_cost"] for r in rows), reverse=True), "sort_by")
    eq(ask("top-deployments/")["results"][0]["deployment_name"].split("/")[0], spans[0]["provider_id"], "deployments: provider/model")
    for by, key in (("model", "model"), ("status", "status"), ("environment", "environment"), ("log_type", "log_type"), ("customer", "customer_identifier")):
        rows = ask("time-series/breakdown/", {"breakdown": by, "summary_type": "daily", "time_tick": "day"})["results"]
        eq({r["name"]: r["number_of_requests"] for r in rows}, dict(collections.Counter(s.get(key) for s in spans)), "breakdown by %s" % by)
        ok(all(r["timestamp"] for r in rows), "each with its tick")


def filtered():
    spans = g.export()
    for what, query, body, keep in (
            ("environment", {"environment": "test"}, None, lambda s: s["environment"] == "test"),
            ("a quick filter", {"customer_identifier": "c1"}, None, lambda s: s["customer_identifier"] == "c1"),
            ("in", {}, {"filters": {"customer_identifier": {"operator": "in", "value": ["c1", "c2"]}}}, lambda s: s["customer_identifier"] != "c0"),
            ("not", {}, {"filters": {"customer_identifier": {"operator": "not", "value": ["c1"]}}}, lambda s: s["customer_identifier"] != "c1"),
            ("two of them", {}, {"filters": {"customer_identifier": "c1", "status": {"operator": "", "value": ["success"]}}},
             lambda s: s["customer_identifier"] == "c1" and s["status"] == "success")):
        same(ask("llm-metrics/summary/", query, body), [s for s in spans if keep(s)], what)
    for what, path, query, body in (("time_tick", "llm-metrics/", {"time_tick": "second"}, None), ("summary_type", "llm-metrics/", {"summary_type": "x"}, None),
                                    ("date", "llm-metrics/", {"date": "soon"}, None), ("timezone_offset", "llm-metrics/", {"timezone_offset": "CET"}, None),
                                    ("breakdown", "time-series/breakdown/", {"breakdown": "colour"}, None), ("sort_by", "top-models/", {"sort_by": "-colour"}, None),
                                    ("limit", "top-models/", {"limit": "0"}, None), ("time_tick", "llm-metrics/", {"time_tick": "minute", "start_time": "2020-01-01"}, None),
                                    ("colour", "llm-metrics/", {}, {"filters": {"colour": "red"}}), ("model", "llm-metrics/", {}, {"filters": {"model": {"operator": "gt", "value": [1]}}})):
        got = ask(path, query, body)
        ok(got.get("status") == 400 and what in got["error"], "%s: 400 that names it" % what, got)
    eq(ask("colours/").get("status"), 501, "what there is not: 501")
    eq(g.get("/api/dashboard/llm-metrics/").status, 200, "GET works too")


p = Provider()
g = Gateway(p, {"prices": [os.path.join(HERE, "prices.json")]})
main(fill, whole, ticked, parted, filtered)
