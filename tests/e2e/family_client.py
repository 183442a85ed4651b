# SPDX-License-Identifier: Apache-2.0
"""What the Python clients of families_test.py share. Each runs its calls against two bases and prints
{"version", "direct": {name: result}, "through": {name: result}}.

A call is an `async def call(c, h)` in a dict by name: c is the client, h(case...) the keywords that carry
the headers. The name goes with the request: in X-Respan-Customer-Identifier, so that its span can be found, and
in x-fake, so that it can be found at the provider.
"""
import asyncio
import hashlib
import inspect
import json
import sys

DIRECT, THROUGH = sys.argv[1:3]


def dump(x):
    """Anything a client gives, as JSON."""
    if hasattr(x, "model_dump"):
        x = x.model_dump(mode="json", warnings=False)
    if isinstance(x, bytes):
        return {"bytes": len(x), "sha256": hashlib.sha256(x).hexdigest()}
    if isinstance(x, dict):
        return {str(k): dump(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [dump(v) for v in x]
    return x if x is None or isinstance(x, (str, int, float, bool)) else repr(type(x))


async def wait(x):
    """Makes calls of the synchronous and of the asynchronous client look the same."""
    return await x if inspect.isawaitable(x) else x


async def each(stream):
    """All elements of a stream of either client; an exception becomes the last one."""
    out = []
    try:
        if hasattr(stream, "__aiter__"):
            async for x in stream:
                out.append(dump(x))
        else:
            for x in stream:
                out.append(dump(x))
    except Exception as e:
        out.append(error(e))
    return out


def error(e):
    response = getattr(e, "response", None)
    told = {name: dump(getattr(e, name, None)) for name in ("status_code", "code", "request_id", "body")}
    return {"class": type(e).__name__, "message": str(e), **told,
            "retry_after": response.headers.get("retry-after") if response is not None else None}


async def result_of(call, c, h):
    try:
        r = await call(c, h)
    except Exception as e:
        return error(e)
    request_id = getattr(r, "_request_id", None)
    return [dump(r), request_id] if request_id else dump(r)


def headers_for(client, name):
    def h(*cases):
        tag = "%s/%s" % (client, name)
        return {"extra_headers": {"x-respan-customer-identifier": tag, "x-fake": "; ".join(("tag=" + tag,) + cases)}}
    return h


async def run_all(kind, client, calls, at_once):
    if at_once:
        got = await asyncio.gather(*(result_of(call, client, headers_for(kind, name)) for name, call in calls.items()))
        return dict(zip(calls, got))
    return {name: await result_of(call, client, headers_for(kind, name)) for name, call in calls.items()}


def main(version, kinds, calls):
    """kinds: {name: (function of the base that makes a client, calls at once?)}"""
    async def side(base):
        out = {}
        for kind, (make, at_once) in kinds.items():
            client = make(base)
            got = await run_all(kind, client, calls, at_once)
            out.update({"%s/%s" % (kind, name): r for name, r in got.items()})
            if hasattr(client, "close"):
                await wait(client.close())
        return out

    async def both():
        return {"version": version, "direct": await side(DIRECT), "through": await side(THROUGH)}
    print(json.dumps(asyncio.run(both())))
