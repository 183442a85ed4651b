/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the demo says. What its reader does not define is nothing.
 *
 * MODEL(id): what the pretend provider lists.
 * TEXT(symbol, text): what it answers.
 * SAMPLE(what, kind, path, status, request): a request of the demo and the
 * status that its answer must have. kind: POST sends the request as JSON, FORM
 * as multipart/form-data with a second of sound, GET sends none.
 */
#ifndef MODEL
#define MODEL(id)
#endif
#ifndef TEXT
#define TEXT(symbol, text)
#endif
#ifndef SAMPLE
#define SAMPLE(...)
#endif

MODEL("pretend-chat-1")
MODEL("pretend-chat-1-mini")
MODEL("pretend-reasoner-2")
MODEL("pretend-text-1")
MODEL("pretend-embedding-3-small")
MODEL("pretend-tts-1")
MODEL("pretend-transcribe-1")
MODEL("pretend-image-1")
MODEL("pretend-moderation-1")
MODEL("pretend-rerank-1")
MODEL("pretend-messages-4")

TEXT(CHAT, "This is a pretend answer: no model was asked. The demo's own provider made it up, word by word, "
    "so that there is something to see in the gateway's spans.")
TEXT(REASONING, "Pretend reasoning: the question is a sample, so the answer can be one too.")
TEXT(COMPLETION, " This is a pretend completion, and it lived happily ever after.")
TEXT(RESPONSE, "This is a pretend response: its items, events and usage have the real shapes, its content has none.")
TEXT(MESSAGE, "This is a pretend message. A real one would have come from a model; this one came from the demo.")
TEXT(THINKING, "Pretend thinking: nobody thinks here, but a block of thinking looks like this.")
TEXT(TRANSCRIPT, "This is a pretend transcript of a tone that nobody spoke.")
TEXT(TRANSLATION, "This is a pretend translation of a tone into English.")
TEXT(PROMPT, "A pretend picture of one dot.")
TEXT(FAILED, "This is a pretend failure: the model's name asked for it.")
TEXT(BUSY, "This is a pretend rate limit: the model's name asked for it.")
TEXT(NO_MODEL, "This is a pretend error: there is no such model, not even here.")
TEXT(NO_PATH, "This is the pretend provider of the gateway's demo; it has no answer to this path.")
TEXT(NO_FORMAT, "The pretend provider makes mp3, wav and pcm only.")

SAMPLE("chat", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1",
	"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a span?"}],
	"temperature": 0.2, "max_tokens": 200,
	"customer_identifier": "user_ada", "thread_identifier": "thread_welcome", "metadata": {"feature": "help"}
})
SAMPLE("chat, streamed", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1", "stream": true,
	"messages": [{"role": "user", "content": "And how long is the first token?"}],
	"customer_identifier": "user_ada", "thread_identifier": "thread_welcome", "metadata": {"feature": "help"}
})
SAMPLE("chat, streamed with usage", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1-mini", "stream": true, "stream_options": {"include_usage": true},
	"messages": [{"role": "user", "content": "Gr\u00fc\u00dfe aus dem Fahrstuhl \ud83d\ude80"}],
	"customer_identifier": "user_grace", "metadata": {"feature": "greeting", "plan": "trial"}
})
SAMPLE("chat that calls a tool", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1",
	"messages": [{"role": "user", "content": "What is the weather in Lisbon?"}],
	"tools": [{"type": "function", "function": {"name": "weather_get", "description": "Today's weather.",
		"parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}],
	"customer_identifier": "user_grace", "thread_identifier": "thread_weather", "metadata": {"feature": "assistant"}
})
SAMPLE("chat with a tool's result", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1", "stream": true,
	"messages": [{"role": "user", "content": "What is the weather in Lisbon?"},
		{"role": "assistant", "content": null, "tool_calls": [{"id": "call_pretend000004", "type": "function",
			"function": {"name": "weather_get", "arguments": "{}"}}]},
		{"role": "tool", "tool_call_id": "call_pretend000004", "content": "21 degrees, a little wind"}],
	"tools": [{"type": "function", "function": {"name": "weather_get", "description": "Today's weather.",
		"parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}],
	"customer_identifier": "user_grace", "thread_identifier": "thread_weather", "metadata": {"feature": "assistant"}
})
SAMPLE("chat that calls a tool, streamed", POST, "/v1/chat/completions", 200, {
	"model": "pretend-chat-1-mini", "stream": true,
	"messages": [{"role": "user", "content": "Turn the light off."}],
	"tools": [{"type": "function", "function": {"name": "light_set", "parameters": {"type": "object"}}}],
	"customer_identifier": "user_alan", "metadata": {"feature": "home"}
})
SAMPLE("chat with reasoning", POST, "/v1/chat/completions", 200, {
	"model": "pretend-reasoner-2", "reasoning_effort": "low",
	"messages": [{"role": "user", "content": "Is this a sample?"}],
	"customer_identifier": "user_alan", "metadata": {"feature": "puzzles"}
})
SAMPLE("chat with reasoning, streamed", POST, "/v1/chat/completions", 200, {
	"model": "pretend-reasoner-2", "reasoning_effort": "high", "stream": true,
	"messages": [{"role": "user", "content": "Is this a sample as well?"}],
	"customer_identifier": "user_alan", "metadata": {"feature": "puzzles"}
})
SAMPLE("chat with an unknown model", POST, "/v1/chat/completions", 404, {
	"model": "pretend-unknown-9", "messages": [{"role": "user", "content": "Anybody there?"}],
	"customer_identifier": "user_ada"
})
SAMPLE("chat beyond a rate limit", POST, "/v1/chat/completions", 429, {
	"model": "pretend-busy-1", "stream": true, "messages": [{"role": "user", "content": "Now, please!"}],
	"customer_identifier": "user_ada", "metadata": {"feature": "help"}
})
SAMPLE("completion", POST, "/v1/completions", 200, {
	"model": "pretend-text-1", "prompt": "Once upon a time", "max_tokens": 40,
	"customer_identifier": "user_grace", "metadata": {"feature": "stories"}
})
SAMPLE("completion, streamed", POST, "/v1/completions", 200, {
	"model": "pretend-text-1", "prompt": "Twice upon a time", "stream": true,
	"customer_identifier": "user_grace", "metadata": {"feature": "stories"}
})
SAMPLE("response", POST, "/v1/responses", 200, {
	"model": "pretend-chat-1", "instructions": "Be brief.", "input": "Name the parts of a response.",
	"customer_identifier": "user_ada", "thread_identifier": "thread_parts"
})
SAMPLE("response, streamed with reasoning", POST, "/v1/responses", 200, {
	"model": "pretend-reasoner-2", "stream": true, "reasoning": {"effort": "low", "summary": "auto"},
	"input": [{"role": "user", "content": "Name the events of a stream."}],
	"customer_identifier": "user_ada", "thread_identifier": "thread_parts"
})
SAMPLE("response that failed", POST, "/v1/responses", 200, {
	"model": "pretend-failing-1", "input": "Fail, please.", "customer_identifier": "user_alan"
})
SAMPLE("response that failed, streamed", POST, "/v1/responses", 200, {
	"model": "pretend-failing-1", "input": "Fail slowly, please.", "stream": true, "customer_identifier": "user_alan"
})
SAMPLE("embeddings", POST, "/v1/embeddings", 200, {
	"model": "pretend-embedding-3-small", "input": ["a first text", "a second one"], "dimensions": 32,
	"encoding_format": "float", "customer_identifier": "user_search"
})
SAMPLE("embedding in base64", POST, "/v1/embeddings", 200, {
	"model": "pretend-embedding-3-small", "input": "a text that comes back as base64", "dimensions": 256,
	"encoding_format": "base64", "customer_identifier": "user_search"
})
SAMPLE("speech, wav", POST, "/v1/audio/speech", 200, {
	"model": "pretend-tts-1", "voice": "alloy", "input": "A tone stands in for this sentence.",
	"response_format": "wav", "customer_identifier": "user_alan"
})
SAMPLE("speech, mp3", POST, "/v1/audio/speech", 200, {
	"model": "pretend-tts-1", "voice": "verse", "input": "Silence stands in for this one.",
	"customer_identifier": "user_alan"
})
SAMPLE("speech, events", POST, "/v1/audio/speech", 200, {
	"model": "pretend-tts-1", "voice": "alloy", "input": "A tone again, in pieces.",
	"response_format": "pcm", "stream_format": "sse", "customer_identifier": "user_alan"
})
SAMPLE("transcription", FORM, "/v1/audio/transcriptions", 200, {
	"model": "pretend-transcribe-1", "response_format": "json", "language": "en",
	"customer_identifier": "user_alan", "metadata[feature]": "dictation"
})
SAMPLE("transcription, streamed", FORM, "/v1/audio/transcriptions", 200, {
	"model": "pretend-transcribe-1", "stream": "true", "customer_identifier": "user_alan"
})
SAMPLE("transcription as plain text", FORM, "/v1/audio/transcriptions", 200, {
	"model": "pretend-transcribe-1", "response_format": "text", "customer_identifier": "user_grace"
})
SAMPLE("translation", FORM, "/v1/audio/translations", 200, {
	"model": "pretend-transcribe-1", "response_format": "verbose_json"
})
SAMPLE("message", POST, "/v1/messages", 200, {
	"model": "pretend-messages-4", "max_tokens": 300, "system": "Be brief.",
	"messages": [{"role": "user", "content": "What is a message?"}],
	"customer_identifier": "user_ada", "thread_identifier": "thread_messages"
})
SAMPLE("message, streamed with thinking", POST, "/v1/messages", 200, {
	"model": "pretend-messages-4", "max_tokens": 2000, "stream": true,
	"thinking": {"type": "enabled", "budget_tokens": 1024},
	"messages": [{"role": "user", "content": "Think about it."}],
	"customer_identifier": "user_ada", "thread_identifier": "thread_messages"
})
SAMPLE("message that uses a tool", POST, "/v1/messages", 200, {
	"model": "pretend-messages-4", "max_tokens": 300,
	"messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
	"tools": [{"name": "weather_get", "description": "Today's weather.", "input_schema": {"type": "object"}}],
	"customer_identifier": "user_grace"
})
SAMPLE("message that uses a tool, streamed", POST, "/v1/messages", 200, {
	"model": "pretend-messages-4", "max_tokens": 300, "stream": true,
	"messages": [{"role": "user", "content": "What is the weather in Rome?"}],
	"tools": [{"name": "weather_get", "description": "Today's weather.", "input_schema": {"type": "object"}}],
	"customer_identifier": "user_grace"
})
SAMPLE("count of tokens", POST, "/v1/messages/count_tokens", 200, {
	"model": "pretend-messages-4", "messages": [{"role": "user", "content": "How long is this?"}]
})
SAMPLE("image", POST, "/v1/images/generations", 200, {
	"model": "pretend-image-1", "prompt": "One dot, as large as a dot is.", "size": "1024x1024",
	"customer_identifier": "user_grace"
})
SAMPLE("moderation", POST, "/v1/moderations", 200, {
	"model": "pretend-moderation-1", "input": "Nothing to see here."
})
SAMPLE("rerank", POST, "/v1/rerank", 200, {
	"model": "pretend-rerank-1", "query": "gateway", "documents": ["a wall", "a door in a wall", "a gate"], "top_n": 2
})
SAMPLE("list of models", GET, "/v1/models", 200, {})

#undef MODEL
#undef TEXT
#undef SAMPLE
