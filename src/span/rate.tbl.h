/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can have a price: RATE(symbol, group, "name", fallback). In a price file
 * the name stands in the group's member. Where a price has no rate of its own
 * for it, that of `fallback` counts (its own symbol: none does).
 *   TOKENS  per_million_tokens     CHARS  per_million_characters
 *   SECONDS per_second             IMAGES per_image
 *   CALLS   per_thousand_calls
 */
RATE(INPUT, TOKENS, "input", INPUT)
RATE(CACHE_READ, TOKENS, "cache_read", INPUT)
RATE(CACHE_WRITE, TOKENS, "cache_write", INPUT)
RATE(CACHE_WRITE_1H, TOKENS, "cache_write_1h", INPUT)	/* twice that */
RATE(AUDIO_IN, TOKENS, "audio_in", INPUT)
RATE(IMAGE_IN, TOKENS, "image_in", INPUT)
RATE(OUTPUT, TOKENS, "output", OUTPUT)
RATE(REASONING, TOKENS, "reasoning", OUTPUT)
RATE(AUDIO_OUT, TOKENS, "audio_out", OUTPUT)
RATE(IMAGE_OUT, TOKENS, "image_out", OUTPUT)
RATE(CHARS_IN, CHARS, "input", CHARS_IN)
RATE(CHARS_OUT, CHARS, "output", CHARS_OUT)
RATE(SECONDS_IN, SECONDS, "audio_in", SECONDS_IN)
RATE(SECONDS_OUT, SECONDS, "audio_out", SECONDS_OUT)
RATE(IMAGES_IN, IMAGES, "input", IMAGES_IN)
RATE(IMAGES_OUT, IMAGES, "output", IMAGES_OUT)
RATE(REQUESTS, CALLS, "request", REQUESTS)
RATE(WEB_SEARCHES, CALLS, "web_search", WEB_SEARCHES)
RATE(QUERIES, CALLS, "query", QUERIES)
RATE(PAGES, CALLS, "page", PAGES)
RATE(CODE_INTERPRETERS, CALLS, "code_interpreter", CODE_INTERPRETERS)
RATE(FILE_SEARCHES, CALLS, "file_search", FILE_SEARCHES)
