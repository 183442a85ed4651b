/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer: what the pretend provider's answers share: texts, errors, tokens,
 * ids. Called by answer_*.c and pretend.c.
 */
#include <config.h>

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "demo/answer.h"

#define FIRST_TOKEN_MS 70	/* after what comes before it: the role, the created event */
#define TOKEN_MS 10

static const char *const texts[TEXT_COUNT] = {
#define TEXT(symbol, text) [TEXT_##symbol] = text,
#include "demo/demo.tbl.h"
};

const char *
answer_text(enum answer_text t)
{
	return texts[t];
}

static bool
is_anthropic(const struct ask *a)
{
	return strstr(a->path, "/messages") != NULL;
}

void
answer_error(struct ask *a, int status, const char *type, const char *code, const char *message)
{
	json_t	*error;

	if (is_anthropic(a))
		error = json_pack("{s:s, s:{s:s, s:s}, s:o}", "type", "error", "error", "type", type,
		    "message", message, "request_id", answer_id(a, "req_"));
	else
		error = json_pack("{s:{s:s, s:s, s:n, s:s}}", "error", "message", message, "type", type,
		    "param", "code", code);
	play_json(a->play, status, error);
}

bool
answer_refused(struct ask *a)
{
	if (strncmp(a->model, "pretend-busy", 12) == 0) {
		play_header(a->play, "Retry-After", "20");
		play_header(a->play, "x-should-retry", "false");
		answer_error(a, 429, is_anthropic(a) ? "rate_limit_error" : "requests", "rate_limit_exceeded",
		    answer_text(TEXT_BUSY));
	} else if (strncmp(a->model, "pretend-unknown", 15) == 0)
		answer_error(a, 404, is_anthropic(a) ? "not_found_error" : "invalid_request_error",
		    "model_not_found", answer_text(TEXT_NO_MODEL));
	else
		return false;
	return true;
}

bool
answer_word(struct slice *text, struct slice *word)
{
	size_t	n = 0;

	while (n < text->len && text->ptr[n] == ' ')
		n++;
	while (n < text->len && text->ptr[n] != ' ')
		n++;
	if (n == 0)
		return false;
	*word = slice_make(text->ptr, n);
	*text = slice_from(*text, n);
	return true;
}

int64_t
answer_words(struct slice text)
{
	struct slice	word;
	int64_t		n = 0;

	while (answer_word(&text, &word))
		n++;
	return n;
}

unsigned
answer_pause(size_t n)
{
	return n == 0 ? FIRST_TOKEN_MS : TOKEN_MS + (unsigned)(n * 7 % 11);
}

json_t *
answer_id(const struct ask *a, const char *prefix)
{
	return json_sprintf("%spretend%06u", prefix, a->number);
}

json_t *
answer_base64(struct slice bytes)
{
	size_t	 room = (bytes.len + 2) / 3 * 4 + 1;
	char	*text = xmalloc(room);
	json_t	*json;

	EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);
	json = json_string(text);
	free(text);
	return json;
}

const char *
answer_member(const struct ask *a, const char *name)
{
	return json_string_value(json_object_get(a->body, name));
}
