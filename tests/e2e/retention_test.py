#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Retention of bodies: the texts go, the span stays with its metadata and all its figures; what is pinned stays whole."""
from harness import *

CONTENT = ("input", "output", "prompt_messages", "completion_message", "full_request", "full_response", "tools")


def bodies():
    p = Provider()
    g = Gateway(p, {"store": {"body_retention": "1s"}})
    made = [chat(g, "n=3", metadata={"team": "red", "n": 5}, properties={"deep": {"x": 1}}, customer_identifier="c1"),
            chat(g, "n=3", stream=True, metadata={"team": "blue"}), chat(g, "n=3", is_pinned=True, metadata={"team": "red"})]
    made = [r.get("x-spangate-span-id") for r in made]
    before = {s["id"]: s for s in g.spans(3)}
    eq([bool(before[i]["input"] and before[i]["output"]) for i in made], [True] * 3, "at first all is there")
    last = max(s["timestamp"] for s in before.values())
    g.stop()
    ok(wait_until(lambda: time.time() - parse(last) > 1.2, 10), "their time is over")
    g.start()

    def read():
        return {i: g.get("/api/request-logs/%s/" % i).json for i in made}
    ok(wait_until(lambda: [read()[i].get("blurred") for i in made] == [True, True, None]), "two are blurred, the pinned one is not", {i: s.get("blurred") for i, s in read().items()})
    got = read()
    for i in made[:2]:
        eq({k: got[i].get(k) for k in CONTENT}, dict.fromkeys(CONTENT), "no content: %s" % i[-4:])
        same = [k for k, v in before[i].items() if k not in CONTENT + ("blurred", "rev", "completion_messages", "respan_params") and got[i].get(k) != v and k != "tool_calls"]
        eq(same, [], "everything else as before")
    eq([got[made[2]][k] is not None for k in ("input", "output", "full_request", "full_response")], [True] * 4, "the pinned one has its own")
    eq([s["input"] is None for s in sorted(g.export(), key=lambda s: made.index(s["id"]))], [True, True, False], "the command line says the same")
    r = g.get("/api/request-logs/?metadata__team=red&start_time=2000-01-01")
    eq({s["id"] for s in r.json["results"]}, {made[0], made[2]}, "filters still find them")
    r = g.get("/api/users/c1/")
    eq(r.json.get("number_of_requests"), 1, "sums count them")
    eq(g.run("verify")[0], 0, "the books balance")
    g.destroy()


def parse(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


main(bodies)
