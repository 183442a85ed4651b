/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API families: FAMILY(symbol, name, log_type). A request is of the first
 * family whose path matches (core/family.c). The name stands in the journal
 * and in metrics; log_type is the span's.
 */
FAMILY(CHAT, "chat", "chat")
FAMILY(COMPLETION, "completion", "completion")
FAMILY(RESPONSE, "response", "response")
FAMILY(EMBEDDING, "embedding", "embedding")
FAMILY(SPEECH, "speech", "speech")
FAMILY(TRANSCRIPTION, "transcription", "transcription")
FAMILY(MESSAGES, "messages", "chat")
FAMILY(IMAGE, "image", "other")
FAMILY(OTHER, "other", "other")
