# SPDX-License-Identifier: Apache-2.0
"""Run by families_test.py: the OpenAI Python client, synchronous and not, in every family."""
import openai
from pydantic import BaseModel

from family_client import each, main, wait
from family_shapes import wav

CALLS = {}
USER = [{"role": "user", "content": "Zürich \U0001f3d4?"}]
CHAT = dict(model="gpt-test", messages=USER)
OBJECT = {"type": "object", "properties": {}}
TOOLS = [{"type": "function", "function": {"name": n, "parameters": OBJECT}} for n in ("get_weather", "get_time")]
RESPONSE_TOOLS = [{"type": "function", "name": "get_weather", "parameters": OBJECT, "strict": False}]
SPEECH = {"model": "tts-test", "voice": "alloy", "input": "Grüße"}
OPTIONS = dict(api_key="sk-x", max_retries=0)
AUDIO = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
MEMBERS = {"customer_identifier": "multipart customer", "metadata": {"feature": "x"}}     # the gateway's own
HEADERS = ("content-type", "x-request-id", "openai-processing-ms", "x-ratelimit-remaining-requests", "content-length")


class Place(BaseModel):
    city: str
    height: int


def add(name, function):
    CALLS[name] = function


def simple(name, path, *cases, **kw):
    """One call of the method at path; a stream is read to its end."""
    async def call(c, h):
        for part in path.split("."):
            c = getattr(c, part)
        r = await wait(c(**kw, **h(*cases)))
        return await each(r) if kw.get("stream") else r
    add(name, call)


def raw(name, path, *cases, **kw):
    async def call(c, h):
        for part in path.split("."):
            c = getattr(c, part)
        r = await wait(c.with_raw_response.create(**kw, **h(*cases)))
        return [{n: r.headers.get(n) for n in HEADERS}, r.status_code, r.content]
    add(name, call)


async def speech_streamed(c, h):
    """Every byte as it comes, by with_streaming_response."""
    got, manager = [], c.audio.speech.with_streaming_response.create(response_format="wav", **SPEECH, **h())
    if hasattr(manager, "__aenter__"):
        async with manager as r:
            async for piece in r.iter_bytes():
                got.append(piece)
    else:
        with manager as r:
            got += r.iter_bytes()
    return [r.headers.get("content-type"), b"".join(got)]


async def by_helper(manager):
    """All events of a stream helper, and what it put together."""
    if hasattr(manager, "__aenter__"):
        async with manager as s:
            return [await each(s), await wait(s.get_final_response() if hasattr(s, "get_final_response") else
                                              s.get_final_completion())]
    with manager as s:
        return [await each(s), s.get_final_response() if hasattr(s, "get_final_response") else s.get_final_completion()]


async def chat_helper(c, h):
    return await by_helper(c.chat.completions.stream(**CHAT, **h()))


async def response_helper(c, h):
    return await by_helper(c.responses.stream(model="gpt-test", input="Zürich?", **h()))


def audio_file():
    return ("a \"b\".wav", wav(), "audio/wav")


async def rerank(c, h):
    body = {"model": "rerank-test", "query": "q", "documents": ["a", "b"]}
    return await wait(c.post("/rerank", body=body, cast_to=object, options={"headers": h()["extra_headers"]}))


async def file_content(c, h):
    return (await wait(c.files.content("file-1", **h()))).content


def add_chat():
    create, parse = "chat.completions.create", "chat.completions.parse"
    variants = {"plain": ([], {}), "choices": ([], {"n": 2}), "tools": ([], {"tools": TOOLS}),
                "refusal": (["case=refusal"], {}), "reasoning": (["case=reasoning"], {}),
                "annotations": (["case=annotations"], {}), "audio": ([], AUDIO), "logprobs": ([], {"logprobs": True})}
    for name, (cases, kw) in variants.items():
        simple("chat " + name, create, *cases, **CHAT, **kw)
        simple("chat stream " + name, create, *cases, **CHAT, **kw, stream=True)
    simple("chat stream usage", create, **CHAT, stream=True, stream_options={"include_usage": True})
    simple("chat stream cut anywhere", create, "split=byte", **CHAT, stream=True)
    simple("chat error 429", create, "status=429", "retry-after=7", **CHAT)
    simple("chat stream error", create, "case=error", **CHAT, stream=True)
    simple("chat parse", parse, **CHAT, response_format=Place)
    raw("chat raw", "chat.completions", **CHAT)
    add("chat stream helper", chat_helper)


def add_completions():
    kw = dict(model="gpt-test", prompt="Zürich")
    simple("completion plain", "completions.create", **kw)
    simple("completion choices", "completions.create", n=2, **kw)
    simple("completion stream plain", "completions.create", stream=True, **kw)
    simple("completion stream usage", "completions.create", stream=True, stream_options={"include_usage": True}, **kw)
    raw("completion raw", "completions", **kw)


def add_responses():
    kw = dict(model="gpt-test", input="Zürich?")
    variants = {"plain": ([], {}), "tools": ([], {"tools": RESPONSE_TOOLS}), "reasoning": (["case=reasoning"], {}),
                "annotations": (["case=annotations"], {}), "refusal": (["case=refusal"], {}),
                "failed": (["case=failed"], {}), "incomplete": (["case=incomplete"], {})}
    for name, (cases, more) in variants.items():
        simple("response " + name, "responses.create", *cases, **kw, **more)
        simple("response stream " + name, "responses.create", *cases, **kw, **more, stream=True)
    simple("response background", "responses.create", background=True, **kw)
    simple("stored retrieve response", "responses.retrieve", response_id="resp_bg")
    simple("stored stream response", "responses.retrieve", response_id="resp_bg", stream=True, starting_after=2)
    simple("stored delete response", "responses.delete", response_id="resp_1")
    simple("stored cancel response", "responses.cancel", response_id="resp_bg")
    simple("stored input items", "responses.input_items.list", response_id="resp_1")
    simple("other input tokens", "responses.input_tokens.count", **kw)
    simple("response parse", "responses.parse", text_format=Place, **kw)
    raw("response raw", "responses", **kw)
    add("response stream helper", response_helper)


def add_embeddings():
    simple("embedding plain", "embeddings.create", model="embed-test", input="Zürich")
    simple("embedding float", "embeddings.create", model="embed-test", input="Zürich", encoding_format="float")
    simple("embedding many", "embeddings.create", model="embed-test", input=["a", "b", "c"])
    simple("embedding dimensions", "embeddings.create", model="embed-test", input=[1, 2, 3], dimensions=5)
    raw("embedding raw", "embeddings", model="embed-test", input="Zürich", encoding_format="base64")


def add_audio():
    for form in ("mp3", "wav", "pcm", "flac", "opus", "aac"):
        raw("speech " + form, "audio.speech", response_format=form, **SPEECH)
    raw("speech sse", "audio.speech", extra_body={"stream_format": "sse"}, **SPEECH)
    add("speech streamed", speech_streamed)
    kw = dict(file=audio_file(), model="listen-test")
    for form in ("json", "text", "srt", "verbose_json", "vtt", "diarized_json"):
        simple("transcription " + form, "audio.transcriptions.create", response_format=form, language="de", **kw)
    simple("transcription stream json", "audio.transcriptions.create", stream=True, prompt="Ä", **kw)
    simple("transcription stream diarized", "audio.transcriptions.create", stream=True,
           response_format="diarized_json", **kw)
    simple("transcription seconds", "audio.transcriptions.create", file=audio_file(), model="whisper-1")
    raw("transcription raw", "audio.transcriptions", **kw)
    simple("members transcription", "audio.transcriptions.create", extra_body=MEMBERS, language="de", **kw)
    for form in ("json", "text", "verbose_json"):
        simple("translation " + form, "audio.translations.create", file=audio_file(), model="whisper-1",
               response_format=form)


def add_rest():
    simple("image plain", "images.generate", model="image-test", prompt="Ä", n=2)
    simple("image stream", "images.generate", model="image-test", prompt="Ä", stream=True, partial_images=2)
    simple("image edit", "images.edit", model="image-test", prompt="Ä", image=("a.png", b"\x89PNG1234", "image/png"))
    simple("other moderation", "moderations.create", model="moderation-test", input=["a", "b"])
    add("rerank plain", rerank)
    simple("other upload", "files.create", file=("a.jsonl", b'{"a": 1}\n'), purpose="batch")
    simple("other files", "files.list")
    simple("other file", "files.retrieve", file_id="file-1")
    simple("other delete file", "files.delete", file_id="file-1")
    add("other file content", file_content)
    simple("other batch", "batches.create", input_file_id="file-1", endpoint="/v1/chat/completions",
           completion_window="24h")
    simple("other batches", "batches.list")
    simple("other get batch", "batches.retrieve", batch_id="batch_1")
    simple("other cancel batch", "batches.cancel", batch_id="batch_1")
    simple("other models", "models.list")
    simple("other model", "models.retrieve", model="gpt-test")
    simple("other delete model", "models.delete", model="gpt-test")


for group in (add_chat, add_completions, add_responses, add_embeddings, add_audio, add_rest):
    group()
main(openai.__version__, {
    "openai-py": (lambda base: openai.OpenAI(base_url=base + "/v1", **OPTIONS), False),
    "openai-py-async": (lambda base: openai.AsyncOpenAI(base_url=base + "/v1", **OPTIONS), True)}, CALLS)
