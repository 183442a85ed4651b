#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a span stands in a trace: members of the request, and W3C trace headers."""
from harness import *

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = [("traceparent", "00-%s-%s-01" % (TRACE, PARENT)), ("tracestate", "vendor=1,other=2")]


def ids(s):
    return tuple(s.get(k) for k in ("trace_unique_id", "span_unique_id", "span_parent_id"))


def ask(headers=(), gateway=None, **more):
    with Raw((gateway or g).port) as c:
        r = c.post(CHAT, chat_body(**more), list(headers))
    s = (gateway or g).span(r)
    return s, s.get("id")


def headers():
    s, me = ask(HEADERS)
    eq(ids(s), (TRACE, me, PARENT), "traceparent gives trace and parent")
    eq([p.last.header(k) for k, _ in HEADERS], [v for _, v in HEADERS], "and goes on upstream, with tracestate")
    eq({k: (s.get("request_headers") or {}).get(k) for k, _ in HEADERS}, dict(HEADERS), "both are among the kept headers")
    s, me = ask([("Traceparent", "00-%s-%s-01" % (TRACE, "0" * 16))])
    eq(ids(s), (None, None, None), "an invalid one gives nothing")
    eq(p.last.header("traceparent"), "00-%s-%s-01" % (TRACE, "0" * 16), "and goes on as it is")
    s, me = ask()
    eq((ids(s), p.last.header("traceparent")), ((None, None, None), None), "without one there is none")


def members():
    s, me = ask(HEADERS, trace_unique_id="own")
    eq(ids(s), ("own", me, None), "a trace of its own has not the header's parent")
    s, me = ask(HEADERS, span_parent_id="own", span_unique_id="me")
    eq(ids(s), (TRACE, "me", "own"), "a parent and an id of its own in the header's trace")
    own = {"trace_unique_id": "t", "span_unique_id": "s", "span_parent_id": "p", "span_name": "n", "span_workflow_name": "w",
           "span_path": "a.b", "trace_group_identifier": "g", "span_tools": ["x", {"name": "y"}], "span_handoffs": ["z"]}
    for way in ({}, {"respan_params": own}, {"extra_body": own}):
        s, me = ask(**(way or own))
        eq({k: s.get(k) for k in own}, own, "all trace members are on the span (%s)" % (list(way) or ["top level"])[0])
        eq(p.last.json, chat_body(), "and none goes upstream")


def not_forwarded():
    h = Gateway(p, {"forward_traceparent": False})
    s, me = ask(HEADERS, h)
    eq([p.last.header(k) for k, _ in HEADERS], [None, None], "forward_traceparent: false keeps both back")
    eq(ids(s), (TRACE, me, PARENT), "and the span has them all the same")
    h.destroy()


p = Provider()
g = Gateway(p)
main(headers, members, not_forwarded)
