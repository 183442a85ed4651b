#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Responses API through the gateway: what is made in the background, polled, cancelled and deleted, and
that each response is billed once, also across a crash."""
from family_provider import FamilyConnection, FamilyProvider
from family_shapes import RESPONSE_USAGE, TEXT, plain, response_items, response_object
from harness import *

RESPONSES = "/v1/responses"
MODEL = {"model": "gpt-test"}


class BackgroundConnection(FamilyConnection):
    """Responses resp_NAME are done at the third look."""

    def plain(self, req, fake, body=None):
        rid = req.target.split("?")[0].rpartition("/")[2]
        if req.method != "GET" or not rid.startswith("resp_bg") or "stream=true" in req.target:
            return super().plain(req, fake, body)
        self.p.looks[rid] += 1
        if self.p.looks[rid] < 3:
            return self.parts(req, fake, plain(response_object(MODEL, "in_progress", [], None, id=rid, background=True)))
        return super().plain(req, fake, body)


class BackgroundProvider(FamilyProvider):
    connection = BackgroundConnection
    looks = collections.Counter()


def get(rid, query=""):
    with Raw(g.port) as c:
        return c.get("%s/%s%s" % (RESPONSES, rid, query))


def post(body, path=RESPONSES, fake=""):
    with Raw(g.port) as c:
        return c.post(path, body, [("x-fake", fake)])


def tokens():
    m, _ = g.metrics()
    return m.sum("spangate_tokens_total", family="response", kind="prompt")


def billed():
    """Ids of the responses whose tokens count, once for each span."""
    return [s["response_id"] for s in g.export() if s.get("billable") and s.get("prompt_tokens")]


def background():
    r = post(dict(MODEL, input="x", background=True))
    eq(json.loads(r.body)["status"], "queued", "the answer comes at once")
    polls = [get("resp_bg") for _ in range(5)]
    eq([json.loads(q.body)["status"] for q in polls], ["in_progress"] * 2 + ["completed"] * 3, "it is polled until it is done, and on")
    spans = g.spans(6)
    eq([s["log_type"] for s in spans], ["response"] * 6, "spans of the type `response`")
    eq([s["billable"] for s in spans[:3]], [True, False, False], "the request counts")
    # the polls went through two threads, each with a series of the journal
    eq(sorted(s["billable"] for s in spans[3:]), [False, False, True], "and one poll that has the usage")
    eq([s.get("prompt_tokens") for s in spans], [None] * 3 + [31] * 3, "usage is on all that tell it")
    eq(spans[0].get("finish_reason"), None, "queued is no end")
    eq({s.get("finish_reason") for s in spans[3:]}, {"completed"}, "a poll has the end")
    eq({s["response_id"] for s in spans}, {"resp_bg"}, "all of one response")
    eq(spans[3]["completion_message"]["content"], TEXT, "and the text")
    eq(billed(), ["resp_bg"], "one billable span with tokens")
    eq(tokens(), RESPONSE_USAGE["input_tokens"], "spangate_tokens_total counts them once")


def streamed_again():
    before, n = tokens(), len(g.export())
    r = get("resp_bg", "?stream=true&starting_after=3")
    ok(r.body.rstrip().endswith(b"}"), "a stream fetched from an event on")
    s = g.span(r)
    eq((s["stream"], s["status"], s["billable"]), (True, "success", False), "is a span that is not billed again")
    eq(s["output"]["output"], response_items(MODEL, None), "with the whole response")
    eq((tokens(), len(g.export())), (before, n + 1), "no tokens more")


def across_a_crash():
    get("resp_bg_2"), get("resp_bg_2")
    first = g.span(get("resp_bg_2"))
    eq(first["billable"], True, "another response is billed")
    g.kill9()
    g.start()
    again = g.span(get("resp_bg_2"))
    eq((again["billable"], again["prompt_tokens"]), (False, 31), "after a crash it still has been")
    eq(g.span(get("resp_bg"))["billable"], False, "as has the one before")
    eq(sorted(billed()), ["resp_bg", "resp_bg_2"], "one billable span with tokens for each")
    eq(tokens(), 0, "the new process counts none of them")


def by_list():
    with Raw(g.port) as c:
        rows = c.get("/api/request-logs/?billable=true&sort_by=timestamp").json["results"]
    eq([bool(s["billable"]) for s in rows], [True] * len(rows), "lists can be filtered by it")
    ok(rows, "and there are some")


def others():
    r = post({}, RESPONSES + "/resp_c/cancel")
    s = g.span(r)
    eq((s["log_type"], s["status"], s["finish_reason"], s["billable"]), ("response", "success", "cancelled", False),
       "a cancelled response is no error and no request of a model")
    with Raw(g.port) as c:
        r = c.ask("DELETE", RESPONSES + "/resp_c")
    eq(json.loads(r.body)["deleted"], True, "DELETE goes through")
    eq(g.span(r)["billable"], False, "and is not billable")
    r = get("resp_c/input_items")
    eq((json.loads(r.body)["object"], g.span(r)["billable"]), ("list", False), "so is the list of input items")


def ends():
    for case, status, reason in (("failed", "error", "failed"), ("incomplete", "success", "max_output_tokens")):
        for stream in (False, True):
            s = g.span(post(dict(MODEL, input="x", stream=stream, customer_identifier="c1"), fake="case=" + case))
            eq((s["status"], s["status_code"], s["finish_reason"]), (status, 200, reason),
               "%s, %s" % (case, "streamed" if stream else "whole"))
    eq(s["input"], dict(MODEL, input="x", stream=True), "the input is the request less the gateway's members")


p = BackgroundProvider()
g = Gateway(p)
main(background, streamed_again, across_a_crash, by_list, others, ends)
