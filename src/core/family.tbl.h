/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API families: FAMILY(symbol, name, log_type, ops, paths). A request is of
 * the first family of which a path matches (core/family.c): PATH(method, tail)
 * is the end of a path, in which `*` is any one member. The name stands in the
 * journal and in metrics, log_type is the span's; ops names the struct
 * family_ops of its file in span/. What no row takes is of the last one.
 */
FAMILY(CHAT, "chat", "chat", chat, PATH("POST", "/chat/completions"))
FAMILY(COMPLETION, "completion", "completion", completion, PATH("POST", "/completions"))
FAMILY(RESPONSE, "response", "response", response,
    PATH("POST", "/responses"), PATH("GET", "/responses/*"), PATH("POST", "/responses/*/cancel"),
    PATH("POST", "/responses/compact"))
FAMILY(EMBEDDING, "embedding", "embedding", embedding, PATH("POST", "/embeddings"))
FAMILY(SPEECH, "speech", "speech", speech, PATH("POST", "/audio/speech"))
FAMILY(TRANSCRIPTION, "transcription", "transcription", transcription,
    PATH("POST", "/audio/transcriptions"), PATH("POST", "/audio/transcription"),
    PATH("POST", "/audio/translations"))
FAMILY(MESSAGES, "messages", "chat", messages, PATH("POST", "/v1/messages"))
FAMILY(IMAGE, "image", "other", image,
    PATH("POST", "/images/generations"), PATH("POST", "/images/edits"),
    PATH("POST", "/images/variations"))
FAMILY(RERANK, "rerank", "reranker", other, PATH("POST", "/rerank"))
FAMILY(OTHER, "other", "other", other, PATH(NULL, NULL))
