/* SPDX-License-Identifier: Apache-2.0 */
/* Token counts against the reference tokenizer's (tests/data/tokens). */
#include <stdio.h>
#include <stdlib.h>

#include "span/tokens.h"
#include "tap.h"

static struct slice
file_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	buf_init(out, 64u << 20);
	while (f != NULL && (n = fread(buf_reserve(out, 65536), 1, 65536, f)) > 0)
		out->len += n;
	if (f != NULL)
		fclose(f);
	return buf_view(out);
}

/* One line: [text, o200k_base, cl100k_base]. */
static bool
line_good(struct tokens *t, struct slice line)
{
	struct jvalue v, part[3];
	struct jmember m;
	struct jiter it;
	struct buf text;
	int64_t want[2], got[2];
	size_t n = 0;

	if (jscan_check(line, &v, NULL) != JSCAN_END)
		return false;
	jiter_init(&it, v);
	while (n < 3 && jiter_next(&it, &m))
		part[n++] = m.value;
	if (n != 3 || !jint(part[1], &want[0]) || !jint(part[2], &want[1]))
		return false;
	buf_init(&text, 1u << 20);
	jstring(part[0], &text);
	got[0] = tokens_count(t, ENCODING_O200K, buf_view(&text));
	got[1] = tokens_count(t, ENCODING_CL100K, buf_view(&text));
	buf_free(&text);
	if (got[0] != want[0] || got[1] != want[1])
		printf("# %.*s: %lld and %lld\n", (int)line.len, line.ptr, (long long)got[0], (long long)got[1]);
	return got[0] == want[0] && got[1] == want[1];
}

static void
reference(struct tokens *t)
{
	const char *top = getenv("TOP_SRCDIR"), *lf;
	unsigned lines = 0, bad = 0;
	char path[4096];
	struct slice all;
	struct buf file;

	snprintf(path, sizeof(path), "%s/tests/data/tokens/texts.jsonl", top ? top : ".");
	for (all = file_read(path, &file); all.len > 0; lines++) {
		lf = memchr(all.ptr, '\n', all.len);
		bad += !line_good(t, slice_make(all.ptr, lf ? (size_t)(lf - all.ptr) : all.len));
		all = slice_from(all, lf ? (size_t)(lf + 1 - all.ptr) : all.len);
	}
	printf("# %u texts\n", lines);
	ok(lines >= 1000);
	ok(bad == 0);
	buf_free(&file);
}

/* A megabyte of one character, and what the reference says of it. */
static void
one_letter(struct tokens *t)
{
	static const struct { const char *text; int64_t o200k, cl100k; } runs[] = {
#include "../data/tokens/runs.tbl.h"
	};
	size_t i, n, len;
	char *text = malloc(1u << 20);

	for (i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		len = strlen(runs[i].text);
		for (n = 0; n + len <= 1u << 20; n += len)
			memcpy(text + n, runs[i].text, len);
		ok(tokens_count(t, ENCODING_O200K, slice_make(text, n)) == runs[i].o200k);
		ok(tokens_count(t, ENCODING_CL100K, slice_make(text, n)) == runs[i].cl100k);
	}
	free(text);
}

static void
models(void)
{
	static const struct { const char *model; enum encoding encoding; bool known; } list[] = {
		{ "gpt-4o-mini", ENCODING_O200K, true }, { "gpt-4", ENCODING_CL100K, true },
		{ "gpt-4-turbo", ENCODING_CL100K, true }, { "gpt-4.1-nano", ENCODING_O200K, true },
		{ "gpt-5-mini", ENCODING_O200K, true }, { "o1", ENCODING_O200K, true },
		{ "openai/gpt-3.5-turbo", ENCODING_CL100K, true }, { "ft:gpt-4o:org::id", ENCODING_O200K, true },
		{ "ft:gpt-3.5-turbo:org", ENCODING_CL100K, true }, { "gpt-35-turbo", ENCODING_CL100K, true },
		{ "text-embedding-3-small", ENCODING_CL100K, true }, { "gpt-oss-120b", ENCODING_O200K, true },
		{ "claude-sonnet-4", ENCODING_O200K, false }, { "gpt-6", ENCODING_O200K, false },
	};
	size_t i;
	bool known;

	for (i = 0; i < sizeof(list) / sizeof(*list); i++) {
		ok(tokens_encoding(slice_str(list[i].model), &known) == list[i].encoding);
		ok(known == list[i].known);
	}
}

static int64_t
messages(struct tokens *t, const char *json)
{
	struct jvalue v = { .kind = JNONE };

	jscan_check(slice_str(json), &v, NULL);
	return tokens_messages(t, ENCODING_O200K, v);
}

static void
json(struct tokens *t)
{
	struct jvalue v;

	/* hello is one token, user another */
	ok(messages(t, "[{\"role\":\"user\",\"content\":\"hello\"}]") == 3 + 3 + 2);
	ok(messages(t, "[{\"role\":\"user\",\"name\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hello\"},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}]") == 3 + 3 + 1 + 3);
	ok(messages(t, "\"hello\"") == 1);
	ok(messages(t, "[\"hello\",\"h\\u0065llo\"]") == 2);
	ok(messages(t, "[[1,2,3],[4]]") == 4);
	ok(messages(t, "[1, 2 ,3]") == 3);
	ok(messages(t, "{\"model\":\"hello\",\"input\":\"hello\"}") == 3 + 1);
	ok(jscan_check(SLICE("{\"a\":{\"b\":[1,\"hello\"]},\"c\":2}"), &v, NULL) == JSCAN_END);
	ok(tokens_json(t, ENCODING_O200K, v) == 2);
	ok(jscan_check(SLICE("[{\"role\":\"assistant\",\"content\":\"hello\"}]"), &v, NULL) == JSCAN_END);
	ok(tokens_said(t, ENCODING_O200K, v) == 1);
	ok(tokens_count(t, ENCODING_O200K, SLICE("\xff")) == tokens_count(t, ENCODING_O200K, SLICE("\xef\xbf\xbd")));
	ok(tokens_count(t, ENCODING_CL100K, SLICE("")) == 0);
}

int
main(void)
{
	struct tokens *t = tokens_new();

	ok(t != NULL);
	reference(t);
	one_letter(t);
	models();
	json(t);
	tokens_free(t);
	return done();
}
