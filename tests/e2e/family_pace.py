# SPDX-License-Identifier: Apache-2.0
"""The paced request of paced_test.py and long/paced.py."""
from family_raw import ask

PACE = "role=50; first=137; delay=10"


def run(provider, g, name):
    """One stream: ({span field: (least, most) seconds}, Response). What counts are the moments at which the
    gateway reads the request's end and an answer's part; all that can be known of them from outside is between
    what, so the truth is between two figures."""
    r, sent = ask(g, name, PACE, True)
    q = provider.last
    _, before, after = next(part for part in q.written if part[0] == "token")
    _, before_done, done = q.written[-1]
    return {"time_to_first_token": (before - q.t_end, after - sent), "latency": (before_done - q.t_end, done - sent)}, r
