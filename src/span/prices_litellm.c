/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_litellm.c: reads a model_prices_and_context_window.json of LiteLLM: an
 * object of models, whose members name rate, tier and service tier in one word:
 * cache_read_input_token_cost_above_272k_tokens_flex. What has no price of a
 * kind that is known here is left out and noted. Called by prices_table.c.
 */
#include <stdio.h>

#include "core/decimal.h"
#include "span/json.h"
#include "span/prices_table.h"
#include "span/vendor.h"

/* Beginnings of members; the longest that fits counts. */
static const struct {
	struct slice	name;
	enum rate_kind	kind;
	int		shift;		/* the rate is for 10^shift units */
} rates[] = {
	{ SLICE("input_cost_per_token"), RATE_INPUT, 0 },
	{ SLICE("output_cost_per_token"), RATE_OUTPUT, 0 },
	{ SLICE("cache_read_input_token_cost"), RATE_CACHE_READ, 0 },
	{ SLICE("cache_creation_input_token_cost"), RATE_CACHE_WRITE, 0 },
	{ SLICE("cache_creation_input_token_cost_above_1hr"), RATE_CACHE_WRITE_1H, 0 },
	{ SLICE("output_cost_per_reasoning_token"), RATE_REASONING, 0 },
	{ SLICE("input_cost_per_audio_token"), RATE_AUDIO_IN, 0 },
	{ SLICE("output_cost_per_audio_token"), RATE_AUDIO_OUT, 0 },
	{ SLICE("input_cost_per_image_token"), RATE_IMAGE_IN, 0 },
	{ SLICE("output_cost_per_image_token"), RATE_IMAGE_OUT, 0 },
	{ SLICE("input_cost_per_character"), RATE_CHARS_IN, 0 },
	{ SLICE("output_cost_per_character"), RATE_CHARS_OUT, 0 },
	{ SLICE("input_cost_per_second"), RATE_SECONDS_IN, 0 },
	{ SLICE("output_cost_per_second"), RATE_SECONDS_OUT, 0 },
	{ SLICE("input_cost_per_image"), RATE_IMAGES_IN, 0 },
	{ SLICE("output_cost_per_image"), RATE_IMAGES_OUT, 0 },
	{ SLICE("input_cost_per_request"), RATE_REQUESTS, 0 },
	{ SLICE("input_cost_per_query"), RATE_QUERIES, 0 },
	{ SLICE("ocr_cost_per_page"), RATE_PAGES, 0 },
	{ SLICE("code_interpreter_cost_per_session"), RATE_CODE_INTERPRETERS, 0 },
	{ SLICE("file_search_cost_per_1k_calls"), RATE_FILE_SEARCHES, 3 },
};

#define BOUNDS 16	/* for long prompts, of one model */

/* What a member's name says. */
struct meaning {
	enum rate_kind	kind;
	int		shift;
	enum service_tier tier;
	int64_t		prompt_over;	/* 0: all prompts */
};

/* "_above_272k_tokens", "_flex", both, or nothing. */
static bool
tail_read(struct slice s, struct meaning *m)
{
	static const struct { struct slice name; enum service_tier tier; } tiers[] = {
		{ SLICE("_priority"), TIER_PRIORITY }, { SLICE("_flex"), TIER_FLEX }, { SLICE("_batches"), TIER_BATCH },
	};
	static const struct slice above = SLICE("_above_"), tokens = SLICE("k_tokens");
	int64_t n = 0;

	if (slice_starts(s, above)) {
		for (s = slice_from(s, above.len); s.len > 0 && *s.ptr >= '0' && *s.ptr <= '9' && n < 1000000;
		    s = slice_from(s, 1))
			n = n * 10 + (*s.ptr - '0');
		if (n == 0 || !slice_starts(s, tokens))
			return false;
		s = slice_from(s, tokens.len);
		m->prompt_over = n * 1000;
	}
	for (size_t i = 0; i < sizeof(tiers) / sizeof(*tiers); i++)
		if (slice_eq(s, tiers[i].name)) {
			m->tier = tiers[i].tier;
			return true;
		}
	return s.len == 0;
}

static bool
meaning_of(struct slice key, struct meaning *m)
{
	size_t best = 0;

	*m = (struct meaning){ .tier = TIER_STANDARD };
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct meaning tail = { .kind = rates[i].kind, .shift = rates[i].shift };

		if (slice_starts(key, rates[i].name) && rates[i].name.len > best &&
		    tail_read(slice_from(key, rates[i].name.len), &tail)) {
			best = rates[i].name.len;
			*m = tail;
		}
	}
	return best > 0;
}

static bool
rate_read(struct price_reader *r, struct jvalue v, int shift, int64_t *femto)
{
	struct slice text = v.kind == JSTRING ? jstring_plain(v) : v.text;

	if (v.kind != JNUMBER && v.kind != JSTRING)
		return price_fail(r, v.text, "a price that is no number");
	if (!decimal_read(text, 15 - shift, femto))
		return price_fail(r, v.text, "%.*s is no price", text.len < 60 ? (int)text.len : 60, text.ptr);
	return true;
}

static bool
is_told(struct jvalue v)
{
	return v.kind == JNUMBER || v.kind == JSTRING;
}

/* Beside another rate, a length that costs nothing is there to fill the column. */
static bool
is_filler(struct jvalue model, const struct meaning *m, int64_t femto)
{
	return m->kind == RATE_SECONDS_OUT &&
	    (femto == 0 || jstring_is(jget(model, SLICE("mode")), SLICE("audio_transcription"))) &&
	    (is_told(jget(model, SLICE("input_cost_per_second"))) ||
	    is_told(jget(model, SLICE("input_cost_per_token"))));
}

/* The rates of one tier into the set at hand. */
static bool
set_read(struct price_reader *r, struct jvalue model, enum service_tier tier, int64_t prompt_over)
{
	struct meaning m;
	struct jiter it;
	struct jmember member;
	int64_t femto;

	price_set_begin(r, tier, prompt_over > 0 ? prompt_over + 1 : 0);
	jiter_init(&it, model);
	while (jiter_next(&it, &member)) {
		if (!member.key_plain || member.value.kind == JNULL || !meaning_of(member.key, &m) ||
		    m.tier != tier || m.prompt_over != prompt_over)
			continue;
		if (!rate_read(r, member.value, m.shift, &femto))
			return false;
		if (!is_filler(model, &m, femto) && !price_set_rate(r, m.kind, femto, SLICE_NONE, member.key_text))
			return false;
	}
	return true;
}

static bool
searches_read(struct price_reader *r, struct jvalue model)
{
	struct jvalue v = jget(jget(model, SLICE("search_context_cost_per_query")), SLICE("search_context_size_medium"));
	int64_t femto;

	if (!is_told(v))
		return true;
	return rate_read(r, v, 0, &femto) && price_set_rate(r, RATE_WEB_SEARCHES, femto, SLICE_NONE, v.text);
}

/* [{"range": [lo, hi], …}]: over lo. */
static bool
tiered_read(struct price_reader *r, struct jvalue tiers)
{
	struct jiter it, range;
	struct jmember tier, bound;
	double lo;

	if (tiers.kind != JARRAY)
		return true;
	jiter_init(&it, tiers);
	while (jiter_next(&it, &tier)) {
		jiter_init(&range, jget(tier.value, SLICE("range")));
		if (!jiter_next(&range, &bound) || !jnumber(bound.value, &lo) || lo < 0 || lo > 1e12)
			continue;
		if (!set_read(r, tier.value, TIER_STANDARD, 0))
			return false;
		if (lo >= 1)
			r->set.prompt_from = (int64_t)lo + 1;
		else if (r->price.nsets > 0)
			continue;	/* the model's own rates stand for the first */
		if (r->nrates > 0 && !price_set_end(r))
			return false;
	}
	return true;
}

/* The bounds that its members speak of, rising; the first is none. */
static size_t
bounds_find(struct price_reader *r, struct jvalue model, int64_t bounds[BOUNDS])
{
	struct meaning m;
	struct jiter it;
	struct jmember member;
	size_t n = 1, i;

	bounds[0] = 0;
	jiter_init(&it, model);
	while (jiter_next(&it, &member)) {
		if (!member.key_plain || !meaning_of(member.key, &m))
			continue;
		for (i = n; bounds[i - 1] > m.prompt_over; i--)
			;
		if (bounds[i - 1] == m.prompt_over)
			continue;
		if (n == BOUNDS) {
			price_fail(r, member.key_text, "more than %d bounds", BOUNDS - 1);
			return 0;
		}
		memmove(&bounds[i + 1], &bounds[i], (n++ - i) * sizeof(*bounds));
		bounds[i] = m.prompt_over;
	}
	return n;
}

/* All the sets that its members speak of. */
static bool
sets_read(struct price_reader *r, struct jvalue model)
{
	int64_t bounds[BOUNDS];
	size_t n = bounds_find(r, model, bounds);

	if (n == 0)
		return false;
	for (int tier = 0; tier < TIERS; tier++)
		for (size_t i = 0; i < n; i++) {
			if (!set_read(r, model, (enum service_tier)tier, bounds[i]))
				return false;
			if (tier == TIER_STANDARD && bounds[i] == 0 && !searches_read(r, model))
				return false;
			if (r->nrates > 0 && !price_set_end(r))
				return false;
		}
	return tiered_read(r, jget(model, SLICE("tiered_pricing")));
}

static bool
multipliers_read(struct price_reader *r, struct jvalue entry)
{
	static const struct { struct slice key, name; } known[] = {
		{ SLICE("us"), SLICE("inference_geo:us") }, { SLICE("fast"), SLICE("speed:fast") },
	};
	int64_t micro;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct jvalue v = jget(entry, known[i].key);

		if (v.kind == JNUMBER && decimal_read(v.text, 6, &micro) &&
		    !price_multiplier(r, known[i].name, micro, v.text))
			return false;
	}
	return true;
}

/* The provider as we name it; a prefix of the model that says the same goes. */
static bool
name_read(struct price_reader *r, const struct jmember *m)
{
	struct jvalue provider = jget(m->value, SLICE("litellm_provider"));
	struct slice name, said = jstring_plain(provider);
	const struct vendor *vendor = vendor_named(said), *prefix;
	const char *slash;

	r->price.vendor = vendor != NULL ? vendor->name : said.len > 0 ? arena_copy(&r->table->arena, said) : SLICE_NONE;
	if (!price_text(r, (struct jvalue){ JSTRING, m->key_text }, "a model's name", &name))
		return false;
	slash = memchr(name.ptr, '/', name.len);
	if (slash != NULL && slash + 1 < name.ptr + name.len) {
		struct slice head = slice_make(name.ptr, (size_t)(slash - name.ptr));

		prefix = vendor_named(head);
		if (slice_eq(head, said) || (prefix != NULL && prefix == vendor))
			name = slice_from(name, head.len + 1);
	}
	r->price.nmatch = 1;
	return price_name(r, name, m->key_text);
}

static bool
model_read(struct price_reader *r, const struct jmember *m)
{
	if (m->value.kind != JOBJECT)
		return price_fail(r, m->key_text, "%.*s is not an object", (int)m->key_text.len, m->key_text.ptr);
	price_begin(r, m->key_text);
	if (!name_read(r, m) || !sets_read(r, m->value) ||
	    !multipliers_read(r, jget(m->value, SLICE("provider_specific_entry"))))
		return false;
	if (r->price.nsets > 0)
		return price_end(r);
	price_note(r, "line %u: %.*s has no price of a kind that is known here", r->price.line,
	    (int)r->names[0].len, r->names[0].ptr);
	r->price.line = 0;
	return true;
}

bool
prices_read_litellm(struct price_reader *r, struct jvalue file)
{
	struct jiter it;
	struct jmember m;

	r->lenient = true;
	jiter_init(&it, file);
	while (jiter_next(&it, &m))
		if (!jkey_is(&m, SLICE("sample_spec")) && !model_read(r, &m))
			return false;
	return true;
}
