# SPDX-License-Identifier: Apache-2.0
"""Run by families_test.py: LangChain's OpenAI and Anthropic models."""
import langchain_core
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

from family_client import main

ASK = [HumanMessage("Zürich \U0001f3d4?")]
OBJECT = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "-", "parameters": OBJECT}}
PLACE = {"title": "place", "type": "object", "properties": {"city": {"type": "string"}}}


def plain(x):
    """Less what LangChain makes up anew each time."""
    out = x.model_dump(mode="json")
    if str(out.get("id", "")).startswith(("run-", "lc_")):
        out["id"] = "made up"
    return out


def openai(base, h, kind=ChatOpenAI, **kw):
    kw.setdefault("model", "gpt-test")
    return kind(base_url=base + "/v1", api_key="sk-x", max_retries=0,
                default_headers=h()["extra_headers"], **kw)


def claude(base, h, **kw):
    return ChatAnthropic(model="claude-test", base_url=base, api_key="sk-x", max_retries=0, max_tokens=2000,
                         default_headers=h()["extra_headers"], **kw)


async def chat(base, h):
    return plain(openai(base, h).invoke(ASK))


async def chat_stream(base, h):
    return [plain(x) for x in openai(base, h, stream_usage=True).stream(ASK)]


async def chat_async(base, h):
    return [plain(x) async for x in openai(base, h).astream(ASK)]


async def chat_tools(base, h):
    return plain(openai(base, h).bind_tools([TOOL]).invoke(ASK))


async def chat_parse(base, h):
    return openai(base, h).with_structured_output(PLACE, method="json_mode").invoke(ASK)


async def responses(base, h):
    return plain(openai(base, h, use_responses_api=True).invoke(ASK))


async def responses_stream(base, h):
    return [plain(x) for x in openai(base, h, use_responses_api=True).stream(ASK)]


async def completion(base, h):
    return openai(base, h, OpenAI).invoke("Zürich")


async def embeddings(base, h):
    return openai(base, h, OpenAIEmbeddings, model="embed-test",
                  check_embedding_ctx_length=False).embed_documents(["a", "b"])


async def messages(base, h):
    return plain(claude(base, h).invoke(ASK))


async def messages_stream(base, h):
    return [plain(x) for x in claude(base, h).stream(ASK)]


async def messages_tools(base, h):
    return plain(claude(base, h).bind_tools([TOOL]).invoke(ASK))


async def messages_thinking(base, h):
    return [plain(x) for x in claude(base, h, thinking={"type": "enabled", "budget_tokens": 1024}).stream(ASK)]


main(langchain_core.__version__, {"langchain": (lambda base: base, False)},
     {"chat plain": chat, "chat stream usage": chat_stream, "chat stream async": chat_async, "chat tools": chat_tools,
      "chat json mode": chat_parse, "response plain": responses, "response stream plain": responses_stream,
      "completion plain": completion, "embedding many": embeddings, "messages plain": messages,
      "messages stream plain": messages_stream, "messages tools": messages_tools,
      "messages stream thinking": messages_thinking})
