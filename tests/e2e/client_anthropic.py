# SPDX-License-Identifier: Apache-2.0
"""Run by clients_test.py: the real Anthropic client against BASE_URL."""
import json
import sys

import anthropic

c = anthropic.Anthropic(base_url=sys.argv[1], api_key="sk-x", max_retries=0)
kw = dict(model="claude-test", max_tokens=5, messages=[{"role": "user", "content": "hi"}])
out = {}
for name, fake in (("401", "status=401; id=1"), ("429", "status=429; retry-after=7; id=1")):
    try:
        c.messages.create(extra_headers={"x-fake": fake}, **kw)
    except anthropic.APIStatusError as e:
        out[name] = [type(e).__name__, e.status_code, e.body, e.response.headers.get("retry-after")]
try:
    out["echo"] = c.post("/v1/messages", body=kw, cast_to=object)
    out["echo"].pop("id")  # the provider counts
except Exception as e:
    out["echo"] = repr(e)
print(json.dumps({"version": anthropic.__version__, "result": out}, sort_keys=True))
