# SPDX-License-Identifier: Apache-2.0
"""Run by clients_test.py in a virtual environment that holds the real client libraries: does a fixed
set of calls against BASE_URL and prints what the application sees as one JSON object, so that a run
through the gateway can be compared with a direct one."""
import asyncio
import json
import sys

import openai

BASE, MODE = sys.argv[1], sys.argv[2]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
MESSAGES = [{"role": "user", "content": "Zürich \U0001f3d4?"}]


def fake(text):
    return {"extra_headers": {"x-fake": text}}


def dump(x):
    return x.model_dump(mode="json") if hasattr(x, "model_dump") else x


def error(e):
    return {"class": type(e).__name__, "status": getattr(e, "status_code", None), "code": getattr(e, "code", None),
            "message": str(e), "request_id": getattr(e, "request_id", None), "body": getattr(e, "body", None),
            "retry_after": e.response.headers.get("retry-after") if getattr(e, "response", None) is not None else None}


CALLS = {
    "plain": dict(fake("n=6; id=1"), model="gpt-test", messages=MESSAGES, temperature=0.5),
    "own members": dict(fake("n=6; id=1"), model="gpt-test", messages=MESSAGES,
                        extra_body={"customer_identifier": "c1", "metadata": {"a": "b"}} if MODE.startswith("gateway") else {}),
    "tools": dict(fake("tools=1; id=1"), model="gpt-test", messages=MESSAGES, tools=TOOLS),
    "stream": dict(fake("n=30; split=rand; id=1"), model="gpt-test", messages=MESSAGES, stream=True),
    "stream with usage": dict(fake("n=5; id=1"), model="gpt-test", messages=MESSAGES, stream=True, stream_options={"include_usage": True}),
    "stream of tools": dict(fake("tools=1; id=1"), model="gpt-test", messages=MESSAGES, stream=True, tools=TOOLS),
    "stream with comments": dict(fake("comments=1; crlf=1; n=4; id=1"), model="gpt-test", messages=MESSAGES, stream=True),
    "error in a stream": dict(fake("n=9; error=3; id=1"), model="gpt-test", messages=MESSAGES, stream=True),
    "cut stream": dict(fake("n=9; cut=3; id=1"), model="gpt-test", messages=MESSAGES, stream=True),
    "401": dict(fake("status=401; id=1"), model="gpt-test", messages=MESSAGES),
    "429": dict(fake("status=429; retry-after=7; id=1"), model="gpt-test", messages=MESSAGES),
    "500 html": dict(fake("status=500; body=html; id=1"), model="gpt-test", messages=MESSAGES),
    "500 empty": dict(fake("status=500; body=empty; id=1"), model="gpt-test", messages=MESSAGES, stream=True),
}


def cut_error(got, e):
    """How much came before a cut depends on the network's moods only in the error's text."""
    return got + [{"cut": True} if "APIError" not in type(e).__name__ else error(e)]


def run_sync():
    c, out = openai.OpenAI(base_url=BASE, api_key="sk-x", max_retries=0), {}
    for name, kw in CALLS.items():
        try:
            r = c.chat.completions.create(**kw)
            if kw.get("stream"):
                got = []
                try:
                    for chunk in r:
                        got.append(dump(chunk))
                except Exception as e:
                    got = cut_error(got, e)
                out[name] = got
            else:
                out[name] = dict(dump(r), _request_id=getattr(r, "_request_id", None))
        except openai.APIError as e:
            out[name] = error(e)
    raw = c.chat.completions.with_raw_response.create(**CALLS["plain"])
    out["raw headers"] = [raw.headers.get(n) for n in ("x-request-id", "openai-processing-ms", "x-ratelimit-remaining-requests", "content-type")]
    out["models"] = [r for r in [c.get("/models", cast_to=object)]]
    e = c.post("/embeddings", body={"model": "m", "input": "x"}, cast_to=object)
    out["embeddings"] = e
    return out


async def run_async():
    c, out = openai.AsyncOpenAI(base_url=BASE, api_key="sk-x", max_retries=0), {}

    async def one(name, kw):
        try:
            r = await c.chat.completions.create(**kw)
            if not kw.get("stream"):
                out[name] = dict(dump(r), _request_id=getattr(r, "_request_id", None))
                return
            got = []
            try:
                async for chunk in r:
                    got.append(dump(chunk))
            except Exception as e:
                got = cut_error(got, e)
            out[name] = got
        except openai.APIError as e:
            out[name] = error(e)
    await asyncio.gather(*(one(n, k) for n, k in CALLS.items()))
    return {k: out[k] for k in sorted(out)}


result = run_sync() if MODE.endswith("sync") and not MODE.endswith("async") else asyncio.run(run_async())
print(json.dumps({"version": openai.__version__, "result": result}, sort_keys=True))
