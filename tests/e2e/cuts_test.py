#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text with characters of 2, 3 and 4 bytes: however the answer is cut on its way, between any two bytes too,
the logged text is what was sent."""
from family_raw import *

ALIKE = ("prompt_tokens", "completion_tokens", "finish_reason", "response_id", "full_response")
NAMES = ("chat", "completion", "response", "messages", "transcription")


def every_byte(stream):
    """Each byte comes alone: the next one is not sent before the client has this one."""
    def one(i):
        tag = "%s-%s" % (NAMES[i], stream)
        r, _ = ask(leaving, NAMES[i], "split=byte; lockstep=" + tag, stream, lambda r: p.has(tag, len(r.body)))
        return r
    for name, r in zip(NAMES, parallel(len(NAMES), one)):
        ok(isinstance(r, Response) and r.end in ("chunked", "length"), "%s: arrived" % name, r)
        eq(said(name, leaving.span(r)), TEXT, "%s: cut at every byte%s" % (name, ", stream" if stream else ""))


def streams():
    every_byte(True)


def plain():
    every_byte(False)


def other_cuts():
    for name in NAMES:
        for stream in (True, False):
            got = {}
            for how in ("split=event", "split=whole", "split=rand", "split=event; frame=close"):
                s = asking.span(ask(asking, name, how, stream)[0])
                eq(said(name, s), TEXT, "%s%s, %s" % (name, ", stream" if stream else "", how))
                got[how] = [s.get(k) for k in ALIKE]
            ok(all(v == got["split=event"] for v in got.values()),
               "%s: the same however it comes%s" % (name, ", stream" if stream else ""), got)


p = FamilyProvider()
leaving, asking = gateway(p, "leave"), gateway(p)
main(streams, plain, other_cuts)
