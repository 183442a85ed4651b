/* SPDX-License-Identifier: Apache-2.0 */
/* LiteLLM's and genai-prices' files as price tables: what each of their forms becomes in ours. */
#include "prices_util.h"

/* The n-th entry's printed form; NULL: there is none. */
static bool
entry_is(const struct price_table *t, size_t n, const char *want)
{
	struct buf out;
	bool same = false;

	buf_init(&out, MIB);
	if (t != NULL && n < price_table_size(t))
		price_print(price_table_at(t, n), &out);
	if (want == NULL)
		same = t != NULL && n >= price_table_size(t);
	else {
		struct slice text = quoted(want);

		same = slice_eq(buf_view(&out), text);
		exact_free(text);
	}
	if (!same)
		printf("# entry %zu is %.*s\n", n, (int)out.len, out.ptr ? out.ptr : "");
	buf_free(&out);
	return same;
}

static struct price_table *
foreign(const char *text)
{
	struct price_error err;
	struct price_table *t = table_read(text, &err);

	if (t == NULL)
		printf("# line %u: %s\n", err.line, err.text);
	return t;
}

/* Reads a file and compares its only entry; "": there is none. */
static bool
becomes(const char *text, const char *want)
{
	struct price_table *t = foreign(text);
	bool good = *want ? entry_is(t, 0, want) && entry_is(t, 1, NULL) : entry_is(t, 0, NULL);

	good = good && (*want == '\0' || table_prints(t));
	price_table_free(t);
	return good;
}

/* The members of a LiteLLM model and what they become behind the names. */
static const struct { const char *members, *want; } litellm[] = {
	{ "'input_cost_per_token': 2.5e-06, 'output_cost_per_token': 1e-05, 'max_tokens': 5, 'mode': 'chat'",
	    "'per_million_tokens': {'input': 2.5, 'output': 10}" },
	{ "'input_cost_per_token': '2.5e-06', 'output_cost_per_token': null", "'per_million_tokens': {'input': 2.5}" },
	{ "'cache_read_input_token_cost': 1e-7, 'cache_creation_input_token_cost': 2e-7, "
	    "'cache_creation_input_token_cost_above_1hr': 4e-7, 'output_cost_per_reasoning_token': 3e-6, "
	    "'input_cost_per_audio_token': 1e-6, 'output_cost_per_audio_token': 2e-6, "
	    "'input_cost_per_image_token': 3e-6, 'output_cost_per_image_token': 4e-6",
	    "'per_million_tokens': {'cache_read': 0.1, 'cache_write': 0.2, 'cache_write_1h': 0.4, 'reasoning': 3, "
	    "'audio_in': 1, 'audio_out': 2, 'image_in': 3, 'image_out': 4}" },
	{ "'input_cost_per_token': 3e-6, 'input_cost_per_token_above_200k_tokens': 6e-6, "
	    "'cache_creation_input_token_cost_above_1hr_above_200k_tokens': 12e-6",
	    "'per_million_tokens': {'input': 3}, 'tiers': [{'prompt_over': 200000, "
	    "'per_million_tokens': {'input': 6, 'cache_write_1h': 12}}]" },
	{ "'input_cost_per_token': 2e-6, 'input_cost_per_token_flex': 1e-6, 'input_cost_per_token_priority': 4e-6, "
	    "'input_cost_per_token_batches': 1e-6, 'input_cost_per_token_above_272k_tokens': 5e-6, "
	    "'input_cost_per_token_above_272k_tokens_flex': 25e-7, "
	    "'cache_read_input_token_cost_above_272k_tokens_flex': 1e-7",
	    "'per_million_tokens': {'input': 2}, 'tiers': [{'prompt_over': 272000, 'per_million_tokens': {'input': 5}}], "
	    "'service_tiers': {'priority': {'per_million_tokens': {'input': 4}}, "
	    "'flex': {'per_million_tokens': {'input': 1}, 'tiers': [{'prompt_over': 272000, "
	    "'per_million_tokens': {'input': 2.5, 'cache_read': 0.1}}]}, 'batch': {'per_million_tokens': {'input': 1}}}" },
	{ "'input_cost_per_token': 1e-6, 'input_cost_per_token_above_100k_tokens': 2e-6",
	    "'per_million_tokens': {'input': 1}, 'tiers': [{'prompt_over': 100000, 'per_million_tokens': {'input': 2}}]" },
	{ "'tiered_pricing': [{'range': [0, 32000.0], 'input_cost_per_token': 1e-6, 'output_cost_per_token': 2e-6}, "
	    "{'range': [32000.0, 128000.0], 'input_cost_per_token': 3e-6}]",
	    "'per_million_tokens': {'input': 1, 'output': 2}, 'tiers': [{'prompt_over': 32000, "
	    "'per_million_tokens': {'input': 3}}]" },
	{ "'input_cost_per_token': 9e-6, 'tiered_pricing': [{'range': [0, 32000], 'input_cost_per_token': 1e-6}, "
	    "{'range': [32000, 64000], 'input_cost_per_token': 3e-6}]",
	    "'per_million_tokens': {'input': 9}, 'tiers': [{'prompt_over': 32000, 'per_million_tokens': {'input': 3}}]" },
	{ "'input_cost_per_second': 0.0001, 'output_cost_per_second': 0.0", "'per_second': {'audio_in': 0.0001}" },
	{ "'input_cost_per_second': '0.0001', 'output_cost_per_second': '0.0'", "'per_second': {'audio_in': 0.0001}" },
	{ "'input_cost_per_token': 6e-6, 'output_cost_per_second': 0.0", "'per_million_tokens': {'input': 6}" },
	{ "'mode': 'audio_transcription', 'input_cost_per_second': 0.0001, 'output_cost_per_second': 0.0001",
	    "'per_second': {'audio_in': 0.0001}" },
	{ "'mode': 'audio_speech', 'output_cost_per_second': 0.00025, 'input_cost_per_token': 25e-7",
	    "'per_million_tokens': {'input': 2.5}, 'per_second': {'audio_out': 0.00025}" },
	{ "'input_cost_per_character': 15e-6", "'per_million_characters': {'input': 15}" },
	{ "'output_cost_per_image': 0.04, 'input_cost_per_image': 0", "'per_image': {'output': 0.04, 'input': 0}" },
	{ "'input_cost_per_query': 0.002, 'ocr_cost_per_page': 1e-3, 'code_interpreter_cost_per_session': 0.03, "
	    "'file_search_cost_per_1k_calls': 0.0025, 'input_cost_per_request': 0.005",
	    "'per_thousand_calls': {'query': 2, 'page': 1, 'code_interpreter': 30, 'file_search': 0.0025, 'request': 5}" },
	{ "'input_cost_per_token': 0, 'search_context_cost_per_query': {'search_context_size_low': 0.1, "
	    "'search_context_size_medium': 0.01}",
	    "'per_million_tokens': {'input': 0}, 'per_thousand_calls': {'web_search': 10}" },
	{ "'input_cost_per_token': 0, 'search_context_cost_per_query': {'search_context_size_medium': '0.01'}",
	    "'per_million_tokens': {'input': 0}, 'per_thousand_calls': {'web_search': 10}" },
	{ "'input_cost_per_token': 3e-6, 'provider_specific_entry': {'us': 1.1, 'fast': 6.0, 'eu': 9}",
	    "'per_million_tokens': {'input': 3}, 'multipliers': {'inference_geo:us': 1.1, 'speed:fast': 6}" },
	{ "'mode': 'chat', 'max_tokens': 1, 'input_cost_per_video_per_second': 1", "" },
	{ "'input_cost_per_token': null", "" },
};

static void
litellm_models(void)
{
	char text[2000], want[2000];

	for (size_t i = 0; i < sizeof(litellm) / sizeof(*litellm); i++) {
		snprintf(text, sizeof(text), "{'sample_spec': {'input_cost_per_token': 'so much'}, 'm':\n"
		    "{'litellm_provider': 'openai', %s}}", litellm[i].members);
		snprintf(want, sizeof(want), "%s%s%s", *litellm[i].want ? "{'provider': 'openai', 'match': ['m'], " : "",
		    litellm[i].want, *litellm[i].want ? "}" : "");
		printf("# %s\n", litellm[i].members);
		ok(becomes(text, want));
	}
}

/* Names and providers: a prefix that says the provider goes. */
static void
litellm_names(void)
{
	static const struct { const char *key, *provider, *vendor, *name; } cases[] = {
		{ "gpt-4o", "openai", "openai", "gpt-4o" }, { "gemini/g", "gemini", "google", "g" },
		{ "azure/eu/gpt-4o", "azure", "azure", "eu/gpt-4o" },
		{ "vertex_ai/x", "vertex_ai-language-models", "vertex", "x" },
		{ "openrouter/anthropic/c", "openrouter", "openrouter", "anthropic/c" },
		{ "us.anthropic.c-v1:0", "bedrock_converse", "bedrock", "us.anthropic.c-v1:0" },
		{ "hosted/x", "hosted", "hosted", "x" }, { "other/x", "hosted", "hosted", "other/x" },
		{ "x/", "x", "x", "x/" },
	};
	char text[500], want[500];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "{'%s': {'litellm_provider': '%s', 'input_cost_per_token': 1e-6}}",
		    cases[i].key, cases[i].provider);
		snprintf(want, sizeof(want), "{'provider': '%s', 'match': ['%s'], 'per_million_tokens': {'input': 1}}",
		    cases[i].vendor, cases[i].name);
		printf("# %s\n", cases[i].key);
		ok(becomes(text, want));
	}
	ok(becomes("{'m': {'input_cost_per_token': 1e-6}}", "{'match': ['m'], 'per_million_tokens': {'input': 1}}"));
	ok(becomes("{'m': {'litellm_provider': '', 'input_cost_per_token': 1e-6}}",
	    "{'match': ['m'], 'per_million_tokens': {'input': 1}}"));
}

/* Of what stands twice the first counts; what is left out is said. */
static void
litellm_notes(void)
{
	struct price_table *t = foreign("{'a': {'litellm_provider': 'openai', 'input_cost_per_token': 1e-6},\n"
	    "'openai/a': {'litellm_provider': 'openai', 'input_cost_per_token': 2e-6},\n"
	    "'b': {'litellm_provider': 'openai', 'output_cost_per_pixel': 2}}");

	ok(t != NULL && price_table_size(t) == 2 && price_table_at(t, 0)->nnames == 1 && price_table_at(t, 1)->nnames == 0);
	ok(t != NULL && slice_eq(price_table_name(t), SLICE("file.json")));
	ok(t != NULL && slice_eq(price_table_notes(t), SLICE("line 3: b has no price of a kind that is known here\n"
	    "line 2: a stands in line 1 already\n")));
	ok(t != NULL && table_prints(t));
	price_table_free(t);
}

static void
litellm_mistakes(void)
{
	static const struct { const char *file; const char *text; } cases[] = {
		{ "{'a': {}, 'm':\n{'input_cost_per_token': 'much'}}", "much is no price" },
		{ "{'a': {}, 'm':\n{'input_cost_per_token': -1}}", "-1 is no price" },
		{ "{'a': {}, 'm':\n{'input_cost_per_token': []}}", "a price that is no number" },
		{ "{'a': {}, 'm':\n{'input_cost_per_token': 1.5}}", "the rate of input is absurd" },
		{ "{'a': {},\n'm': 7}", "\"m\" is not an object" },
	};
	struct price_error err;
	struct price_table *t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = table_read(cases[i].file, &err);
		printf("# line %u, %s: %s\n", err.line, err.model, err.text);
		ok(t == NULL && err.line == 2 && strcmp(err.text, cases[i].text) == 0);
		price_table_free(t);
	}
}

/* Prices of genai-prices and what they become. */
static const struct { const char *prices, *want; } genai[] = {
	{ "{'input_mtok': 2.5, 'output_mtok': '10', 'cache_read_mtok': 1.25, 'cache_write_mtok': null}",
	    "'per_million_tokens': {'input': 2.5, 'output': 10, 'cache_read': 1.25}" },
	{ "{'input_mtok': {'base': 3, 'tiers': [{'start': 200000, 'price': 6}]}, 'output_mtok': {'base': 15, "
	    "'tiers': [{'start': 200000, 'price': 22.5}, {'start': 500000, 'price': 30}]}}",
	    "'per_million_tokens': {'input': 3, 'output': 15}, 'tiers': [{'prompt_over': 200000, "
	    "'per_million_tokens': {'input': 6, 'output': 22.5}}, {'prompt_over': 500000, "
	    "'per_million_tokens': {'output': 30}}]" },
	{ "{'input_mtok': {'base': 5, 'tiers': [{'start': 271999, 'price': 10}]}}",
	    "'per_million_tokens': {'input': 5}, 'tiers': [{'prompt_from': 272000, 'per_million_tokens': {'input': 10}}]" },
	{ "{'audio_hours': 0.36, 'requests_kcount': 5, 'input_audio_mtok': 6}",
	    "'per_million_tokens': {'audio_in': 6}, 'per_second': {'audio_in': 0.0001}, "
	    "'per_thousand_calls': {'request': 5}" },
	{ "{'input_mtok': 1, 'bogus_mtok': 2}", "'per_million_tokens': {'input': 1}" },
	{ "{'input_mtok': {'base': 1, 'tiers': [{'start': 9223372036854775807, 'price': 2}]}}",
	    "'per_million_tokens': {'input': 1}" },
	{ "[{'constraint': {'start_time': '00:00:00Z', 'end_time': '00:00:00Z'}, 'prices': {'input_mtok': 1}}]",
	    "'per_million_tokens': {'input': 1}" },
	{ "{'bogus_mtok': 2}", "" }, { "{}", "" }, { "[]", "" },
};

static void
genai_prices(void)
{
	char text[2000], want[2000];
	struct price_table *t;

	for (size_t i = 0; i < sizeof(genai) / sizeof(*genai); i++) {
		snprintf(text, sizeof(text), "[{'id': 'x-ai', 'models': [{'id': 'm', 'prices': %s}]}]", genai[i].prices);
		snprintf(want, sizeof(want), "%s%s%s", *genai[i].want ? "{'provider': 'xai', 'match': ['m'], " : "",
		    genai[i].want, *genai[i].want ? "}" : "");
		printf("# %s\n", genai[i].prices);
		ok(becomes(text, want));
	}
	t = foreign("{'providers': [{'id': 'o', 'models': [\n{'id': 'm', 'prices': {'x_mtok': 1, 'input_mtok': 1}}]}]}");
	ok(t != NULL && slice_eq(price_table_notes(t),
	    SLICE("line 2: m: the price of x_mtok is of no kind that is known here\n")));
	price_table_free(t);
}

/* A history: the last that holds counts, one by the hour over that of its day. */
static void
genai_history(void)
{
	struct price_table *t = foreign("[{'id': 'deepseek', 'models': [{'id': 'm', 'prices': [\n"
	    "{'prices': {'input_mtok': 1}},\n"
	    "{'constraint': {'start_date': '2026-02-28'}, 'prices': {'input_mtok': 2}},\n"
	    "{'constraint': {'start_time': '16:30:00Z', 'end_time': '00:30:00Z'}, 'prices': {'input_mtok': 0.5}}]}]}]");

	ok(entry_is(t, 0, "{'provider': 'deepseek', 'match': ['m'], 'per_million_tokens': {'input': 1}}"));
	ok(entry_is(t, 1, "{'provider': 'deepseek', 'match': ['m'], 'from': '2026-02-28', "
	    "'per_million_tokens': {'input': 2}}"));
	ok(entry_is(t, 2, "{'provider': 'deepseek', 'match': ['m'], 'from': '2026-02-28', 'hours': ['16:30', '00:30'], "
	    "'per_million_tokens': {'input': 0.5}}"));
	ok(t != NULL && table_prints(t));
	price_table_free(t);
}

/* Matches and the names that they become beside the id; what cannot be said in ours is noted. */
static const struct { const char *match, *names; bool noted; } matches[] = {
	{ "{'equals': 'a'}", "'m', 'a'", false }, { "{'equals': 'M'}", "'m'", false },
	{ "{'starts_with': 'a'}", "'m', 'a*'", false }, { "{'ends_with': 'a'}", "'m', '*a'", false },
	{ "{'contains': 'a'}", "'m', '*a*'", false },
	{ "{'or': [{'equals': 'a'}, {'or': [{'equals': 'b'}, {'starts_with': 'c'}]}]}", "'m', 'a', 'b', 'c*'", false },
	{ "{'regex': '^a\\\\.5-\\\\d{4}-\\\\d{2}$'}", "'m', 'a.5-####-##'", false },
	{ "{'regex': '^a\\\\d$'}", "'m', 'a#'", false }, { "{'regex': '^a\\\\[b\\\\]$'}", "'m', 'a[b]'", false },
	{ "{'regex': '^a\\\\d'}", "'m'", true }, { "{'regex': 'a$'}", "'m'", true }, { "{'regex': '^a.*$'}", "'m'", true },
	{ "{'regex': '^a\\\\d+$'}", "'m'", true }, { "{'regex': '^(?!a)b$'}", "'m'", true },
	{ "{'regex': '^a\\\\w$'}", "'m'", true }, { "{'regex': '^a\\\\*$'}", "'m'", true },
	{ "{'regex': '^a\\\\$'}", "'m'", true }, { "{'regex': '^a\\\\d{,}$'}", "'m'", true },
	{ "{'regex': '^a#$'}", "'m'", true },
	{ "{'and': [{'equals': 'a'}, {'equals': 'b'}]}", "'m'", true },
};

static void
genai_matches(void)
{
	char text[600], want[600];
	struct price_table *t;

	for (size_t i = 0; i < sizeof(matches) / sizeof(*matches); i++) {
		snprintf(text, sizeof(text), "[{'id': 'openai', 'models': [{'id': 'm', 'match': %s, "
		    "'prices': {'input_mtok': 1}}]}]", matches[i].match);
		snprintf(want, sizeof(want), "{'provider': 'openai', 'match': [%s], 'per_million_tokens': {'input': 1}}",
		    matches[i].names);
		printf("# %s\n", matches[i].match);
		ok(becomes(text, want));
		t = foreign(text);
		ok(t != NULL && (price_table_notes(t).len > 0) == matches[i].noted);
		price_table_free(t);
	}
}

static void
genai_mistakes(void)
{
	static const struct { const char *file; const char *text; } cases[] = {
		{ "[\n{}, 7]", "a provider's id is not a text" }, { "[\n7]", "a provider is not an object" },
		{ "[\n{'id': 'o', 'models': {}}]", "models is not a list" },
		{ "[{'id': 'o', 'models': [\n7]}]", "a model is not an object" },
		{ "[{'id': 'o', 'models': [\n{'prices': {}}]}]", "a model's id is not a text" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices':\n7}]}]", "prices are not an object" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices': {\n'input_mtok': -1}}]}]", "-1 is no price" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices': {\n'input_mtok': 1e9}}]}]", "the rate of input is absurd" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices': [{'constraint': {\n'start_date': 'x'}}]}]}]",
		    "\"x\" is not a day YYYY-MM-DD" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices': [{'constraint':\n{'start_time': '25:00Z'}}]}]}]",
		    "a time of day that is none" },
		{ "[{'id': 'o', 'models': [{'id': 'm', 'prices': [{'constraint':\n{'start_time': '12:75:00Z', "
		    "'end_time': '13:00:00Z'}, 'prices': {}}]}]}]", "a time of day that is none" },
	};
	struct price_error err;
	struct price_table *t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = table_read(cases[i].file, &err);
		printf("# line %u: %s\n", err.line, err.text);
		ok(t == NULL && err.line == 2 && strcmp(err.text, cases[i].text) == 0);
		price_table_free(t);
	}
}

int
main(void)
{
	litellm_models();
	litellm_names();
	litellm_notes();
	litellm_mistakes();
	genai_prices();
	genai_history();
	genai_matches();
	genai_mistakes();
	return done();
}
