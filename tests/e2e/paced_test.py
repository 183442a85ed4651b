#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time to first token and latency of every streaming family, by the provider's own clock: the first event at
50 ms, the first content at 137 ms, then a token each 10 ms. Here with room for a busy machine; long/paced.py
has the bar."""
import family_pace
from family_raw import *

ROOM = 0.015 * SLOW


def one_each():
    for name in REQUESTS:
        true, r = family_pace.run(p, g, name)
        s = g.span(r)
        for field, (low, high) in true.items():
            got = s.get(field)
            ok(isinstance(got, float) and low - ROOM <= got <= high + ROOM, "%s: %s" % (name, field),
               "got %r, by the provider's clock %.4f to %.4f" % (got, low, high))
        first = true["time_to_first_token"][0]
        ok(first > 0.13, "%s: the provider kept its pace" % name, first)


p = FamilyProvider()
g = gateway(p)
main(one_each)
