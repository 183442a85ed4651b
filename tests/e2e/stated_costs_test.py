#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# contrib/prices/recorded: first over answers made here, whose costs are known, to see that it finds what
# differs; then over the recordings of real providers, which are not part of this project.
import base64
import json
import os
import subprocess
import sys
import tempfile

TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
RECORDED = os.environ.get("SPANGATE_RECORDED", os.path.join(TOP, "..", "shared", "data", "recordings", "cases.jsonl"))
DAY = "Fri, 20 Nov 2026 12:00:00 GMT"

count, failed = 0, 0


def ok(good, name, told=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)
    for line in "" if good else told.splitlines():
        print(f"# {line}", flush=True)


def recording(name, provider, answer, stream=False):
    body = json.dumps(answer)
    if stream:
        body = f"data: {{\"model\": \"{answer['model']}\", \"usage\": null}}\n\ndata: {body}\n\ndata: [DONE]\n\n"
    return {"id": name, "provider": provider, "expect": {"log_types": ["chat"], "model_request": "asked"},
            "response": {"status": 200, "headers": [["Date", DAY]], "wire_encoding": None,
                         "body_b64": base64.b64encode(body.encode()).decode()}}


def chat(model, cost, **more):
    return {"model": model, "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
                                      "cost": cost, **more}}


BYOK = {"is_byok": True, "cost_details": {"upstream_inference_cost": 0.0035}}
# By our table 1000 and 100 tokens of gpt-4o are 0.0035 USD.
EQUAL = [
    recording("plain", "openai", chat("gpt-4o", 0.0035)),
    recording("stream", "openai", chat("gpt-4o", {"total_cost": 0.0035}), stream=True),
    recording("rounded", "openai", chat("gpt-4o", 0.003503)),
    recording("own key", "openai", chat("openai/gpt-4o", 0, **BYOK)),
    recording("ticks", "openai", {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 100,
                                                               "cost_in_usd_ticks": 35000000}}),
    recording("says none", "openai", {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}),
    recording("error", "openai", {"error": {"message": "no"}}),
]
OTHER = recording("other", "openai", chat("gpt-4o", 0.00351))
UNKNOWN = recording("unknown", "openai", chat("no-such-model", 0))


def run(cases, listed=None):
    """(exit status, what it said)"""
    with tempfile.TemporaryDirectory(prefix="spangate-costs-") as folder:
        argv = [sys.executable, "-B", os.path.join(TOP, "contrib", "prices", "recorded"), "--spangate",
                os.environ.get("SPANGATE", "./spangate")]
        if isinstance(cases, list):
            path = os.path.join(folder, "cases.jsonl")
            with open(path, "w", encoding="utf-8") as f:
                f.writelines(json.dumps(c) + "\n" for c in cases)
            cases = path
        if listed is not None:
            argv += ["--explained", os.path.join(folder, "listed.txt")]
            with open(argv[-1], "w", encoding="utf-8") as f:
                f.writelines("\t".join(entry) + "\n" for entry in listed)
        r = subprocess.run(argv + ["--cases", cases], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           universal_newlines=True, check=False)
    return r.returncode, r.stdout


def is_told(name, cases, listed, status, *texts):
    code, told = run(cases, listed)
    ok(code == status and all(t in told for t in texts), name, f"exit {code}\n{told}")


entry = ["other", "openai", "gpt-4o", "0.00351", "0.0035"]
is_told("what is equal is equal", EQUAL, [], 0, "7 recordings, 5 state a cost: 5 equal, 0 explained")
is_told("another cost", EQUAL + [OTHER], [], 1, "\t".join(entry) + "\t", "1 not listed")
is_told("explained", EQUAL + [OTHER], [entry + ["why"]], 0, "5 equal, 1 explained, 0 not listed")
is_told("without a reason", EQUAL + [OTHER], [entry + [""]], 1, "not six members")
is_told("explained, but it changed", [OTHER], [entry[:4] + ["0.0034", "why"]], 1, "1 not listed, 1 stale")
is_told("listed in vain", EQUAL, [["plain"] + entry[1:] + ["why"]], 1, "1 stale")
is_told("listed for other recordings", EQUAL, [entry + ["why"]], 0, "0 stale")
is_told("unknown is not nothing", [UNKNOWN], [], 1, "unknown\topenai\tno-such-model\t0\t-\t")
is_told("none states a cost", EQUAL[-2:], [], 1, "0 state a cost")
if os.path.exists(RECORDED):
    code, told = run(RECORDED)
    print(f"# {told.splitlines()[-1] if told else ''}")
    ok(code == 0, "recordings of real providers", told)
else:
    count += 1
    print(f"ok {count} # SKIP no recordings here (set SPANGATE_RECORDED)")
print(f"1..{count}")
sys.exit(failed > 0)
