#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans by their words: what is found, what must not be, and that what is gone is not found."""
import sqlite3
import urllib.parse

from harness import *

SEARCH = "/api/request-logs/search"


def say(text, gateway=None, fake="n=4", stream=False, **more):
    body = dict(chat_body(stream, **more), messages=[{"role": "user", "content": text}])
    with Raw((gateway or g).port) as c:
        return c.post(CHAT, body, [("x-fake", fake)]).get("x-spangate-span-id")


def find(q, gateway=None, **more):
    r = (gateway or g).get(SEARCH + "?" + urllib.parse.urlencode(dict(q=q, **more)))
    return [s["id"] for s in r.json["results"]] if r.status == 200 else (r.status, r.json.get("error"))


def given_with_usage():
    """A span that is given and tells its usage needs no texts for counting; they are there for the index all the same."""
    with Raw(g.port) as c:
        r = c.post("/api/request-logs/", {"model": "gpt-4o", "input": "aardvark", "output": "okapi", "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
                   [("Content-Type", "application/json")])
    eq((find("aardvark"), find("okapi", **{"in": "output"})), ([r.json["id"]], [r.json["id"]]), "a given span that tells its usage is found")
    with Raw(g.port) as c:
        c.ask("DELETE", "/api/request-logs/%s/" % r.json["id"])


def words_of_both():
    a = say("How do I get a REFUND for the zebra?")
    b = say("Refunds \u00dcBER alles \u6771\u4eac", stream=True, customer_identifier="c", environment="test")
    c = say("something else")
    g.spans(3)
    eq(find("refund"), [a], "one word, in any case")
    eq(find("REFUND*"), [b, a], "the beginning of words, the last to arrive first")
    eq(find("refund zebra"), [a], "all words must be there")
    eq(find("refund alles"), [], "in one span")
    eq(find("\u00fcber"), [b], "letters beyond ASCII")
    eq(find("\u6771\u4eac"), [b], "a script without blanks")
    said = json.loads(g.get("/api/request-logs/%s/" % c).json["output"])["content"].split()[0]
    eq(set(find(said)), {a, b, c}, "what was answered, streamed too")
    eq(find(said, **{"in": "input"}), [], "but not in inputs")
    eq(set(find(said, **{"in": "output"})), {a, b, c}, "in outputs it is")
    eq(find("content role"), [], "names of members are no words")
    eq(find("refund*", environment="test"), [b], "with an environment")
    eq(find("refund*", start_time="2001-01-01", end_time="2001-01-02"), [], "in a window")
    r = g.get(SEARCH + "?q=refund*&page_size=1").json
    ok(r["count"] == 2 and len(r["results"]) == 1 and r["next"] and not r["previous"], "pages", r["count"], r["next"])
    s = g.get(SEARCH + "?q=zebra").json["results"][0]
    ok("REFUND" in s["input"] and s["unique_id"] == a and s["failed"] is False, "rows are those of lists")
    for value, want in (("refund zebra", [a]), ("REFUND*", [b, a]), ("fund", []), ("?", [a])):
        r = g.get("/api/request-logs/list/?all_envs=true&input[operator]=full_text_search&input[value]=" + urllib.parse.quote(value)).json
        eq(([s["id"] for s in r["results"]], r["count"]), (want, len(want)), "the filter of lists: %r" % value)
    with Raw(g.port) as x:
        eq([s["id"] for s in x.post(SEARCH + "/", {"q": "zebra"}).json["results"]], [a], "POST works too")


def refused():
    for q in ("", "***", " ".join(str(i) for i in range(100))):
        r = find(q)
        ok(r[0] == 400 and r[1].startswith("q:"), "%r: 400" % q[:10], r)
    for q in ('"a"', "NEAR(a b)", "zebra AND", "a:b", "-x", "' OR 1=1 --", "{x", "^x"):
        ok(isinstance(find(q), list), "%r is just words" % q, find(q))
    ok(find("x", **{"in": "title"})[0] == 400, "in: something else")


def not_kept():
    say("armadillo secret", disable_log=True)
    h = Gateway(p, {"log_bodies": False, "store": {"search": True}})
    say("armadillo hidden", h)
    h.spans(1)
    g.spans(4)
    eq((find("armadillo"), find("armadillo", h)), ([], []), "what is not kept is not found")
    h.destroy()
    h = Gateway(p)
    a = say("a lonely pangolin", h)
    h.spans(1)
    r = find("pangolin", h)
    ok(r[0] == 400 and "store.search" in r[1], "where store.search is not on, it says so", r)
    h.stop()
    h.inject(store={"search": True})
    h.start()
    b = say("another pangolin", h)
    h.spans(2)
    eq(find("pangolin", h), [b], "once it is on: what comes from then on")
    h.destroy()


def gone():
    h = Gateway(p, {"store": {"search": True}})
    a = say("ephemeral mayfly", h)
    h.spans(1)
    eq(find("mayfly", h), [a], "there")
    h.stop()
    h.inject(store={"search": True, "retention": "1s"})
    time.sleep(1.1)                         # its age is what is awaited
    h.start()
    wait_until(lambda: find("mayfly", h) == [], 30)
    eq(find("mayfly", h), [], "gone with the span")
    h.stop()
    with sqlite3.connect(next(f for f in h.data_files() if f.endswith("spans.db"))) as db:
        eq(db.execute("SELECT count(*) FROM span_text WHERE span_text MATCH 'imayfly'").fetchone()[0], 0, "also from the index")
    h.destroy()


p = Provider()
g = Gateway(p, {"store": {"search": True}})
main(given_with_usage, words_of_both, refused, not_kept, gone)
