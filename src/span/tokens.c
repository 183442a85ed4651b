/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens.c: splits by PCRE2 and counts by bpe.c. Called by estimate.c where a
 * provider told no usage. It never looks at what a text means.
 *
 * White space is written out as a class, as PCRE2's own counts U+180E to it and
 * the tokenizers do not.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "span/tokens.h"

#include <pcre2.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/utf8.h"
#include "span/bpe.h"
#include "span/json.h"

#define BLANK "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define TAIL "|\\p{N}{1,3}| ?[^" BLANK "\\p{L}\\p{N}]+[\\r\\n/]*|[" BLANK "]*[\\r\\n]+" \
	"|[" BLANK "]+(?![^" BLANK "])|[" BLANK "]+"
#define TAIL_CL100K "|\\p{N}{1,3}| ?[^" BLANK "\\p{L}\\p{N}]+[\\r\\n]*|[" BLANK "]*[\\r\\n]+" \
	"|[" BLANK "]+(?![^" BLANK "])|[" BLANK "]+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define ENDING "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"

static const struct {
	const char	*pattern;
	struct slice	(*table)(void);
} encodings[ENCODINGS] = {
	[ENCODING_O200K] = {
		BEFORE UPPER "*" LOWER "+" ENDING "?|" BEFORE UPPER "+" LOWER "*" ENDING "?" TAIL,
		ranks_o200k_base,
	},
	[ENCODING_CL100K] = { ENDING "|" BEFORE "\\p{L}+" TAIL_CL100K, ranks_cl100k_base },
};

struct tokens {
	struct ranks	 ranks[ENCODINGS];
	pcre2_code	*codes[ENCODINGS];
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack	*stack;
	struct bpe	 bpe;
};

#define JIT_STACK_FIRST (64 * KIB)
#define JIT_STACK_MOST (16 * MIB)	/* long runs of one kind of character need some */

struct tokens *
tokens_new(void)
{
	return calloc(1, sizeof(struct tokens));
}

void
tokens_free(struct tokens *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < ENCODINGS; i++) {
		ranks_close(&t->ranks[i]);
		pcre2_code_free(t->codes[i]);
	}
	pcre2_match_data_free(t->match);
	pcre2_match_context_free(t->context);
	pcre2_jit_stack_free(t->stack);
	bpe_free(&t->bpe);
	free(t);
}

/* ---- which encoding ---- */

enum encoding
tokens_encoding(struct slice model, bool *known)
{
	static const struct { struct slice prefix; enum encoding encoding; } table[] = {
		{ SLICE("gpt-4o"), ENCODING_O200K }, { SLICE("gpt-4.1"), ENCODING_O200K },
		{ SLICE("gpt-4.5"), ENCODING_O200K }, { SLICE("gpt-5"), ENCODING_O200K },
		{ SLICE("chatgpt-4o"), ENCODING_O200K }, { SLICE("gpt-oss"), ENCODING_O200K },
		{ SLICE("o1"), ENCODING_O200K }, { SLICE("o3"), ENCODING_O200K },
		{ SLICE("o4-mini"), ENCODING_O200K },
		{ SLICE("gpt-4"), ENCODING_CL100K }, { SLICE("gpt-3.5"), ENCODING_CL100K },
		{ SLICE("gpt-35"), ENCODING_CL100K },
		{ SLICE("text-embedding-3"), ENCODING_CL100K },
		{ SLICE("text-embedding-ada-002"), ENCODING_CL100K },
		{ SLICE("davinci-002"), ENCODING_CL100K }, { SLICE("babbage-002"), ENCODING_CL100K },
	};
	const char *slash = model.len ? memrchr(model.ptr, '/', model.len) : NULL;
	size_t i;

	if (slash != NULL)
		model = slice_from(model, (size_t)(slash + 1 - model.ptr));
	if (slice_starts(model, SLICE("ft:")))
		model = slice_from(model, 3);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (slice_starts(model, table[i].prefix))
			break;
	if (known != NULL)
		*known = i < sizeof(table) / sizeof(*table);
	return i < sizeof(table) / sizeof(*table) ? table[i].encoding : ENCODING_O200K;
}

/* ---- counting ---- */

static bool
encoding_open(struct tokens *t, enum encoding e)
{
	PCRE2_SIZE at;
	int error;

	if (t->codes[e] != NULL)
		return true;
	if (t->match == NULL) {
		t->match = pcre2_match_data_create(1, NULL);
		t->context = pcre2_match_context_create(NULL);
		t->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
		if (t->match == NULL || t->context == NULL)
			return false;
		if (t->stack != NULL)
			pcre2_jit_stack_assign(t->context, NULL, t->stack);
	}
	if (t->ranks[e].count == 0 && !ranks_open(&t->ranks[e], encodings[e].table()))
		return false;
	t->codes[e] = pcre2_compile((PCRE2_SPTR)encodings[e].pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
	if (t->codes[e] == NULL)
		return false;
	(void)pcre2_jit_compile(t->codes[e], PCRE2_JIT_COMPLETE);	/* without it, slower */
	return true;
}

/* Tokens of a text that is UTF-8. */
static int64_t
text_count(struct tokens *t, enum encoding e, struct slice text)
{
	const PCRE2_SIZE *found;
	PCRE2_SIZE at = 0;
	int64_t sum = 0, n;

	while (at < text.len) {
		if (pcre2_match(t->codes[e], (PCRE2_SPTR)text.ptr, text.len, at,
		    PCRE2_NO_UTF_CHECK, t->match, t->context) < 0)
			return -1;
		found = pcre2_get_ovector_pointer(t->match);
		if (found[1] <= at)
			return -1;
		/* every character is of some piece; were one not, it counts alone */
		sum += found[0] > at;
		n = bpe_count(&t->bpe, &t->ranks[e],
		    slice_make(text.ptr + found[0], found[1] - found[0]));
		if (n < 0)
			return -1;
		sum += n;
		at = found[1];
	}
	return sum;
}

/* At most n bytes, not cut inside a character. */
static struct slice
beginning(struct slice text, size_t n)
{
	if (text.len <= n)
		return text;
	while (n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
		n--;
	return slice_make(text.ptr, n);
}

static bool
is_utf8(struct slice s)
{
	size_t n;

	for (; s.len > 0; s = slice_from(s, n))
		if ((n = utf8_length(s.ptr, s.len)) == 0)
			return false;
	return true;
}

int64_t
tokens_count(struct tokens *t, enum encoding e, struct slice text)
{
	struct slice part = beginning(text, LIMIT_COUNTED);
	struct buf mended;
	int64_t n;

	if (text.len == 0)
		return 0;
	if (!encoding_open(t, e))
		return -1;
	if (is_utf8(part))
		n = text_count(t, e, part);
	else {
		buf_init(&mended, 3 * LIMIT_COUNTED + 3);
		json_repair(part, &mended);
		n = mended.failed ? -1 : text_count(t, e, buf_view(&mended));
		buf_free(&mended);
	}
	bpe_free(&t->bpe);	/* what long pieces took is not kept */
	if (n > 0 && part.len < text.len)
		n = (int64_t)((double)n * (double)text.len / (double)part.len);
	return n;
}

/* ---- JSON ---- */

static int64_t
string_count(struct tokens *t, enum encoding e, struct jvalue v)
{
	struct slice plain = jstring_plain(v);
	struct buf text;
	int64_t n;

	if (plain.ptr != NULL)
		return tokens_count(t, e, plain);
	buf_init(&text, LIMIT_EXPANDED);
	n = jstring(v, &text) ? tokens_count(t, e, buf_view(&text)) : -1;
	buf_free(&text);
	return n;
}

/* The end of the token at p, which is no bracket: a string or a scalar. */
static const char *
token_end(const char *p, const char *end)
{
	if (*p == '"') {
		for (p++; p < end && *p != '"'; p++)
			if (*p == '\\')
				p++;
		return p < end ? p + 1 : end;
	}
	while (p < end && strchr(",:]}[{\" \t\r\n", *p) == NULL)
		p++;
	return p;
}

/* A string that names a member is followed by a colon. */
static bool
is_name(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) != NULL)
		p++;
	return p < end && *p == ':';
}

int64_t
tokens_json(struct tokens *t, enum encoding e, struct jvalue v)
{
	const char *p = v.text.ptr, *end, *next;
	char before = '[';	/* the last bracket, comma or colon: what a number stands behind */
	int64_t sum = 0, n;

	if (v.kind == JNONE)
		return 0;
	end = p + v.text.len;
	while (p < end) {
		if (strchr("{}[],: \t\r\n", *p) != NULL) {
			if (strchr(" \t\r\n", *p) == NULL && !(*p == ',' && before == '['))
				before = *p;
			p++;
			continue;
		}
		next = token_end(p, end);
		n = 0;
		if (*p == '"' && !is_name(next, end))
			n = string_count(t, e, (struct jvalue){ JSTRING, slice_make(p, (size_t)(next - p)) });
		else if (before == '[' && (*p == '-' || (*p >= '0' && *p <= '9')))
			n = 1;
		if (n < 0)
			return -1;
		sum += n;
		p = next > p ? next : p + 1;
	}
	return sum;
}

/* One message's texts. Pictures and sound are no text: of parts only what is
 * named so counts. */
static int64_t
message_count(struct tokens *t, enum encoding e, struct jvalue message, bool asked)
{
	static const struct slice names[] = {
		SLICE("role"), SLICE("thinking"), SLICE("name"), SLICE("content"), SLICE("text"),
		SLICE("reasoning_content"), SLICE("refusal"), SLICE("arguments"), SLICE("input"),
		SLICE("output"), SLICE("instructions"), SLICE("transcript"),
	};
	const char *p = message.text.ptr, *end = p + message.text.len, *next;
	struct slice name = SLICE_NONE;
	int64_t sum = 0, n;
	size_t i;

	while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		next = token_end(p, end);
		if (is_name(next, end)) {
			name = slice_make(p + 1, (size_t)(next - p) - 2);
			p = next;
			continue;
		}
		/* a model does not say its role, and thinking is reasoning_content as well */
		for (i = asked ? 0 : 2; i < sizeof(names) / sizeof(*names); i++)
			if (slice_eq(name, names[i]))
				break;
		n = i < sizeof(names) / sizeof(*names) ?
		    string_count(t, e, (struct jvalue){ JSTRING, slice_make(p, (size_t)(next - p)) }) : 0;
		if (n < 0)
			return -1;
		sum += n;
		p = next;
	}
	return sum;
}

int64_t
tokens_said(struct tokens *t, enum encoding e, struct jvalue v)
{
	return v.kind == JOBJECT || v.kind == JARRAY ? message_count(t, e, v, false) : 0;
}

int64_t
tokens_messages(struct tokens *t, enum encoding e, struct jvalue v)
{
	int64_t sum = 3, n;
	struct jmember m;
	struct jiter it;

	if (v.kind == JOBJECT) {
		n = message_count(t, e, v, true);
		return n < 0 ? -1 : sum + n;
	}
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		if (m.value.kind != JOBJECT)
			return tokens_json(t, e, v);
		n = message_count(t, e, m.value, true);
		if (n < 0)
			return -1;
		sum += n + 3 + (jget(m.value, SLICE("name")).kind == JSTRING);
	}
	return v.kind == JARRAY ? sum : tokens_json(t, e, v);
}
