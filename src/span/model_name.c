/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_name.c: one step of leaving out at a time, breadth first, so that names
 * come in the order of how much was left out. Called by prices.c.
 */
#include "span/model_name.h"

#include "core/glob.h"

static void
name_add(struct model_names *names, const char *head, size_t nhead, const char *tail, size_t ntail)
{
	size_t len = nhead + ntail, i;
	char *to;

	if (len == 0 || len > MODEL_NAME_MAX || names->n == MODEL_NAMES)
		return;
	to = names->list[names->n].text;
	memcpy(to, head, nhead);
	if (ntail > 0)
		memcpy(to + nhead, tail, ntail);
	names->list[names->n].len = len;
	for (i = 0; i < names->n; i++)
		if (slice_eq(slice_make(to, len), slice_make(names->list[i].text, names->list[i].len)))
			return;
	names->n++;
}

static void
add_slice(struct model_names *names, struct slice s)
{
	name_add(names, s.ptr, s.len, NULL, 0);
}

/* The name without the first of these words that it begins with. False: it
 * begins with none. */
static bool
without_head(struct model_names *names, struct slice s, const char *const *words)
{
	size_t n;

	for (; *words != NULL; words++) {
		n = strlen(*words);
		if (s.len > n && memcmp(s.ptr, *words, n) == 0) {
			add_slice(names, slice_from(s, n));
			return true;
		}
	}
	return false;
}

/* The name less its last bytes where they match one of the patterns, each of
 * which says how long it is: `#` one digit, no star. */
static void
without_tail(struct model_names *names, struct slice s, const char *const *patterns)
{
	size_t n;

	for (; *patterns != NULL; patterns++) {
		n = strlen(*patterns);
		if (s.len > n && glob_match(slice_make(*patterns, n), slice_from(s, s.len - n))) {
			add_slice(names, slice_make(s.ptr, s.len - n));
			return;
		}
	}
}

/* openai/, models/, accounts/fireworks/models/: one at a time. */
static void
without_prefix(struct model_names *names, struct slice s)
{
	const char *slash = memchr(s.ptr, '/', s.len);

	if (slash != NULL)
		add_slice(names, slice_from(s, (size_t)(slash - s.ptr) + 1));
}

/* Bedrock: us.anthropic.claude-sonnet-4-20250514-v1:0. Shorter versions are
 * some only in a name of Bedrock's: whisper-large-v3 is no whisper-large. */
static void
without_bedrock(struct model_names *names, struct slice s)
{
	static const char *const regions[] = { "us.", "eu.", "apac.", "jp.", "au.", "ca.", "global.", "us-gov.", NULL };
	static const char *const makers[] = { "anthropic.", "amazon.", "meta.", "mistral.", "cohere.", "ai21.",
	    "deepseek.", "openai.", "qwen.", "moonshotai.", "moonshot.", "minimax.", "zai.", "google.", "nvidia.",
	    "writer.", "stability.", "twelvelabs.", "luma.", NULL };
	static const char *const versions[] = { "-v#:#", ":#", "-v#", NULL }, *const version[] = { "-v#:#", NULL };
	bool of_bedrock = without_head(names, s, regions);

	of_bedrock |= without_head(names, s, makers);
	without_tail(names, s, of_bedrock ? versions : version);
}

/* Vertex: claude-sonnet-4@20250514, also @default. */
static void
without_at(struct model_names *names, struct slice s)
{
	const char *at = memchr(s.ptr, '@', s.len);
	size_t head = at != NULL ? (size_t)(at - s.ptr) : 0;
	struct slice version;

	if (at == NULL)
		return;
	version = slice_from(s, head + 1);
	if (glob_match(SLICE("########"), version)) {
		char dated[MODEL_NAME_MAX];

		memcpy(dated, s.ptr, s.len);
		dated[head] = '-';
		name_add(names, dated, s.len, NULL, 0);
	}
	add_slice(names, slice_make(s.ptr, head));
}

static bool
is_month_day(const char *p)
{
	int month = (p[0] - '0') * 10 + p[1] - '0', day = (p[2] - '0') * 10 + p[3] - '0';

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* A date at the end; four digits only where they are a month and a day. */
static void
without_date(struct model_names *names, struct slice s)
{
	static const char *const dates[] = { "-####-##-##", "-20######", NULL };
	size_t before = names->n;

	without_tail(names, s, dates);
	if (names->n > before)
		return;
	if (s.len > 14 && glob_match(SLICE("-preview-##-##"), slice_from(s, s.len - 14))) {
		add_slice(names, slice_make(s.ptr, s.len - 6));
		add_slice(names, slice_make(s.ptr, s.len - 14));
	} else if (s.len > 5 && glob_match(SLICE("-####"), slice_from(s, s.len - 5)) &&
	    is_month_day(s.ptr + s.len - 4))
		add_slice(names, slice_make(s.ptr, s.len - 5));
}

/* Ways in which OpenRouter serves a model at its price. */
static void
without_variant(struct model_names *names, struct slice s)
{
	static const char *const variants[] = { ":nitro", ":floor", ":online", ":beta", ":exacto", NULL };

	without_tail(names, s, variants);
}

/* Azure's spelling. */
static void
with_point(struct model_names *names, struct slice s)
{
	static const struct slice azure = SLICE("gpt-35-");

	if (slice_starts(s, azure))
		name_add(names, "gpt-3.5-", 8, s.ptr + azure.len, s.len - azure.len);
}

/* ft:base:organisation:name:id has the price of ft:base, never of the base. */
static void
fine_tuned(struct model_names *names, struct slice s)
{
	size_t i;

	for (i = 3; i < s.len && s.ptr[i] != ':'; i++)
		;
	add_slice(names, slice_make(s.ptr, i));
	without_date(names, slice_make(s.ptr, i));
}

void
model_names(struct slice model, struct model_names *out)
{
	char text[MODEL_NAME_MAX];
	size_t i;

	out->n = 0;
	out->free = false;
	model = slice_trim(model);
	if (model.len == 0 || model.len > MODEL_NAME_MAX)
		return;
	for (i = 0; i < model.len; i++)
		text[i] = model.ptr[i] >= 'A' && model.ptr[i] <= 'Z' ? (char)(model.ptr[i] | 0x20) : model.ptr[i];
	name_add(out, text, model.len, NULL, 0);
	out->free = slice_ends(slice_make(text, model.len), SLICE(":free"));
	for (i = 0; i < out->n; i++) {
		struct slice s = slice_make(out->list[i].text, out->list[i].len);

		if (slice_starts(s, SLICE("ft:"))) {
			fine_tuned(out, s);
			continue;
		}
		without_prefix(out, s);
		without_bedrock(out, s);
		without_at(out, s);
		with_point(out, s);
		without_variant(out, s);
		without_date(out, s);
	}
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The i-th byte as it is compared. */
static unsigned char
folded(struct slice s, size_t i)
{
	char c = s.ptr[i];

	if (c == '.' && i > 0 && i + 1 < s.len && is_digit(s.ptr[i - 1]) && is_digit(s.ptr[i + 1]))
		return '-';
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

void
model_name_fold(struct slice name, char *to)
{
	for (size_t i = 0; i < name.len; i++)
		to[i] = (char)folded(name, i);
}

bool
model_name_alike(struct slice a, struct slice b)
{
	size_t i;

	for (i = 0; a.len == b.len && i < a.len; i++)
		if (folded(a, i) != folded(b, i))
			return false;
	return a.len == b.len;
}

uint32_t
model_name_hash(struct slice name)
{
	uint32_t h = 2166136261u;	/* FNV-1a */
	size_t i;

	for (i = 0; i < name.len; i++)
		h = (h ^ folded(name, i)) * 16777619u;
	return h;
}
