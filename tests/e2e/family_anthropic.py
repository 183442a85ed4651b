# SPDX-License-Identifier: Apache-2.0
"""Run by families_test.py: the Anthropic Python client, synchronous and not."""
import anthropic

from family_client import each, main, wait

CALLS = {}
MESSAGES = dict(model="claude-test", max_tokens=2000, messages=[{"role": "user", "content": "Zürich \U0001f3d4?"}])
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}]
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
VARIANTS = {"plain": ([], {}), "system": ([], {"system": "Kurz."}), "tools": ([], {"tools": TOOLS}),
            "thinking": ([], THINKING),
            "redacted": (["case=redacted"], THINKING), "search": (["case=search"], {}),
            "answered": ([], {"tools": TOOLS, "messages": [
                {"role": "user", "content": "Wetter?"},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "toolu_0", "name": "get_weather", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_0", "content": "Schnee"}]}]})}
HEADERS = ("content-type", "request-id", "anthropic-ratelimit-requests-remaining")


def simple(name, *cases, **kw):
    async def call(c, h):
        r = await wait(c.messages.create(**{**MESSAGES, **kw}, **h(*cases)))
        return await each(r) if kw.get("stream") else r
    CALLS[name] = call


def helper(name, *cases, **kw):
    async def call(c, h):
        manager = c.messages.stream(**{**MESSAGES, **kw}, **h(*cases))
        if hasattr(manager, "__aenter__"):
            async with manager as s:
                return [await each(s), await s.get_final_message()]
        with manager as s:
            return [await each(s), s.get_final_message()]
    CALLS[name] = call


async def raw(c, h):
    r = await wait(c.messages.with_raw_response.create(**MESSAGES, **h()))
    return [r.status_code, {n: r.headers.get(n) for n in HEADERS}]


async def count_tokens(c, h):
    kw = {k: v for k, v in MESSAGES.items() if k != "max_tokens"}
    return await wait(c.messages.count_tokens(**kw, **h()))


async def beta(c, h):
    return await wait(c.beta.messages.create(**MESSAGES, betas=["context-1m-2025-08-07"], **h()))


async def bearer(c, h):
    """The same key the other way: Authorization instead of x-api-key, or the other way round."""
    kw = {"auth_token": "sk-y", "api_key": None} if c.api_key else {"api_key": "sk-y"}
    return await wait(c.copy(**kw).messages.create(**MESSAGES, **h()))


for variant, (cases, more) in VARIANTS.items():
    simple("messages " + variant, *cases, **more)
    simple("messages stream " + variant, *cases, stream=True, **more)
    helper("messages helper " + variant, *cases, **more)
simple("messages stream cut anywhere", "split=byte", stream=True)
simple("messages stream error", "case=error", stream=True)
for status in (401, 429, 529):
    simple("messages error %d" % status, "status=%d" % status, "retry-after=7")
CALLS.update({"messages raw": raw, "messages beta": beta, "messages bearer": bearer,
              "other count tokens": count_tokens})
OPTIONS = dict(api_key="sk-x", max_retries=0)
main(anthropic.__version__, {
    "anthropic-py": (lambda base: anthropic.Anthropic(base_url=base, **OPTIONS), False),
    "anthropic-py-async": (lambda base: anthropic.AsyncAnthropic(base_url=base, **OPTIONS), True)}, CALLS)
