/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bills to the last digit: usage as providers tell it, rates, tiers, factors.
 * Each bill is printed, read back and made once more, and must be the same.
 */
#include "core/decimal.h"
#include "prices_util.h"
#include "span/usage.h"

static const char entries[] =
    "{'provider': 'openai', 'match': ['gpt-4o'], 'per_million_tokens': {'input': 2.5, 'cache_read': 1.25, "
    "'output': 10}},\n"
    "{'provider': 'openai', 'match': ['o3'], 'per_million_tokens': {'input': 2, 'cache_read': 0.5, 'output': 8}},\n"
    "{'provider': 'anthropic', 'match': ['claude-3-7-sonnet-20250219'], 'per_million_tokens': {'input': 3, "
    "'cache_read': 0.3, 'cache_write': 3.75, 'cache_write_1h': 6, 'output': 15}},\n"
    "{'provider': 'anthropic', 'match': ['claude-sonnet-4-5'], 'per_million_tokens': {'input': 3, 'cache_read': 0.3, "
    "'cache_write': 3.75, 'cache_write_1h': 6, 'output': 15}, 'tiers': [{'prompt_over': 200000, "
    "'per_million_tokens': {'input': 6, 'cache_read': 0.6, 'cache_write': 7.5, 'cache_write_1h': 12, "
    "'output': 22.5}}], "
    "'per_thousand_calls': {'web_search': 10}, 'multipliers': {'inference_geo:us': 1.1, 'speed:fast': 6}},\n"
    "{'provider': 'openai', 'match': ['gpt-5.6-sol'], 'until': '2026-08-21', 'per_million_tokens': {'input': 5, "
    "'cache_read': 0.5, 'cache_write': 6.25, 'output': 30}},\n"
    "{'provider': 'openai', 'match': ['gpt-5.6-sol'], 'from': '2026-08-21', 'per_million_tokens': {'input': 4, "
    "'cache_read': 0.4, 'cache_write': 5, 'output': 20}},\n"
    "{'provider': 'openai', 'match': ['gpt-5.4'], 'per_million_tokens': {'input': 2.5, 'cache_read': 0.25, "
    "'output': 15}, "
    "'tiers': [{'prompt_from': 272000, 'per_million_tokens': {'input': 5, 'cache_read': 0.5, 'output': 22.5}}], "
    "'service_tiers': {'flex': {'per_million_tokens': {'input': 1.25, 'cache_read': 0.13, 'output': 7.5}, "
    "'tiers': [{'prompt_from': 272000, 'per_million_tokens': {'input': 2.5, 'output': 11.25}}]}, "
    "'priority': {'per_million_tokens': {'input': 5, 'output': 30}}, 'batch': {'per_million_tokens': {'input': 1}}}},\n"
    "{'provider': 'openai', 'match': ['gpt-audio'], 'per_million_tokens': {'input': 2.5, 'output': 10, 'audio_in': 32, "
    "'audio_out': 64}},\n"
    "{'provider': 'xai', 'match': ['grok-3-mini'], 'per_million_tokens': {'input': 0.3, 'cache_read': 0.075, "
    "'output': 0.5}},\n"
    "{'provider': 'xai', 'match': ['grok-4.20'], 'per_million_tokens': {'input': 1.25, 'cache_read': 0.2, "
    "'output': 2.5}},\n"
    "{'provider': 'openai', 'match': ['whisper-1'], 'per_second': {'audio_in': 0.0001}},\n"
    "{'provider': 'groq', 'match': ['whisper-large-v3'], 'per_second': {'audio_in': 0.000030833333333}, "
    "'min_seconds': 10},\n"
    "{'provider': 'openai', 'match': ['gpt-4o-transcribe'], 'per_million_tokens': {'input': 2.5, 'audio_in': 6, "
    "'output': 10}},\n"
    "{'provider': 'openai', 'match': ['tts-1'], 'per_million_characters': {'input': 15}},\n"
    "{'provider': 'openai', 'match': ['gpt-4o-mini-tts'], 'per_million_tokens': {'input': 0.6, 'audio_out': 12}, "
    "'per_second': {'audio_out': 0.00025}},\n"
    "{'provider': 'openai', 'match': ['text-embedding-3-small'], 'per_million_tokens': {'input': 0.02}},\n"
    "{'provider': 'openai', 'match': ['gpt-image-1'], 'per_million_tokens': {'input': 5, 'image_in': 10, "
    "'image_out': 40}},\n"
    "{'provider': 'google', 'match': ['gemini-2.5-pro'], 'per_million_tokens': {'input': 1.25, 'output': 10}, "
    "'tiers': [{'prompt_over': 200000, 'per_million_tokens': {'input': 2.5, 'output': 15}}]},\n"
    "{'provider': 'deepseek', 'match': ['deepseek-chat'], 'per_million_tokens': {'input': 0.28, 'output': 0.42}},\n"
    "{'provider': 'openai', 'match': ['dall-e-3'], 'per_image': {'output': 0.04, '1024x1792': 0.08, "
    "'hd/1024x1792': 0.12}},\n"
    "{'match': ['plain'], 'per_million_tokens': {'input': 1, 'output': 2}},\n"
    "{'match': ['thinks'], 'per_million_tokens': {'input': 1, 'output': 2, 'reasoning': 5}},\n"
    "{'match': ['one-side'], 'per_million_tokens': {'input': 1}},\n"
    "{'match': ['gratis'], 'per_million_tokens': {'input': 0, 'output': 0}},\n"
    "{'match': ['half'], 'per_million_tokens': {'input': 0.0000005, 'output': 0.000000499}},\n"
    "{'match': ['dear'], 'per_million_tokens': {'input': 1000000, 'output': 1000000}, 'multipliers': {'a:a': 1000, "
    "'b:b': 1000, 'c:c': 1000, 'd:d': 1000, 'e:e': 1000, 'f:f': 1000, 'g:g': 1000, 'h:h': 0.5}},\n"
    "{'match': ['picture'], 'per_image': {'output': 5000, 'input': 1}},\n"
    "{'match': ['three'], 'per_million_tokens': {'input': 1, 'output': 1}, 'tiers': [{'prompt_over': 256000, "
    "'per_million_tokens': {'input': 3}}, {'prompt_over': 128000, 'per_million_tokens': {'input': 2, 'output': 7}}]},\n"
    "{'match': ['call'], 'per_thousand_calls': {'request': 5, 'request:high': 12}},\n"
    "{'match': ['rank'], 'per_thousand_calls': {'query': 2}},\n"
    "{'match': ['both'], 'per_million_tokens': {'input': 1, 'output': 1}, 'per_thousand_calls': {'request': 5}}";

#define AT NOON_2026_11_20
#define LAUNCH (INT64_C(20685) * 86400000000)	/* 2026-08-20 */
#define JANUARY (INT64_C(20468) * 86400000000)	/* 2026-01-15 */

struct sample {
	const char	*provider, *model, *tier, *usage;
	enum usage_output output;
	const char	*cost;		/* NULL: not known */
	const char	*warnings;
	int64_t		at;		/* 0: on 2026-11-20 */
	const char	*size;
};

/* The worked examples: by these rates and by the built-in ones the same. */
static const struct sample examples[] = {
	{ "openai", "gpt-4o", "default", "{'prompt_tokens': 1000, 'completion_tokens': 200, 'total_tokens': 1200, "
	    "'prompt_tokens_details': {'cached_tokens': 600}}", OUTPUT_TEXT, "0.00375", "", 0, NULL },
	{ "openai", "o3", NULL, "{'prompt_tokens': 1000, 'completion_tokens': 500, 'total_tokens': 1500, "
	    "'completion_tokens_details': {'reasoning_tokens': 400}}", OUTPUT_TEXT, "0.006", "", 0, NULL },
	{ "anthropic", "claude-3-7-sonnet-20250219", NULL, "{'input_tokens': 3, 'cache_creation_input_tokens': 12304, "
	    "'cache_read_input_tokens': 0, 'output_tokens': 550}", OUTPUT_TEXT, "0.054399", "", 0, NULL },
	{ "anthropic", "claude-sonnet-4-5", "standard", "{'input_tokens': 100, 'cache_creation_input_tokens': 3000, "
	    "'cache_creation': {'ephemeral_5m_input_tokens': 2000, 'ephemeral_1h_input_tokens': 1000}, "
	    "'cache_read_input_tokens': 5000, 'output_tokens': 300}", OUTPUT_TEXT, "0.0198", "", 0, NULL },
	{ "anthropic", "claude-sonnet-4-5", NULL, "{'input_tokens': 50000, 'cache_read_input_tokens': 160000, "
	    "'output_tokens': 1000}", OUTPUT_TEXT, "0.4185", "", 0, NULL },
	{ "openai", "gpt-5.6-sol", NULL, "{'input_tokens': 2600, 'input_tokens_details': {'cached_tokens': 2000, "
	    "'cache_write_tokens': 400}, 'output_tokens': 0, 'total_tokens': 2600}", OUTPUT_TEXT, "0.0045", "", LAUNCH,
	        NULL },
	{ "openai", "gpt-5.4", "flex", "{'input_tokens': 10000, 'input_tokens_details': {'cached_tokens': 4000}, "
	    "'output_tokens': 1000, 'total_tokens': 11000}", OUTPUT_TEXT, "0.01552", "", 0, NULL },
	{ "openai", "gpt-5.4", "default", "{'input_tokens': 300000, 'output_tokens': 1000, 'total_tokens': 301000}",
	    OUTPUT_TEXT, "1.5225", "", 0, NULL },
	{ "openai", "gpt-audio", NULL, "{'prompt_tokens': 150, 'prompt_tokens_details': {'audio_tokens': 100}, "
	    "'completion_tokens': 220, 'completion_tokens_details': {'audio_tokens': 180}, 'total_tokens': 370}",
	    OUTPUT_TEXT, "0.015245", "", 0, NULL },
	{ "xai", "grok-3-mini", NULL, "{'prompt_tokens': 12, 'completion_tokens': 1, 'total_tokens': 303, "
	    "'prompt_tokens_details': {'cached_tokens': 11}, 'completion_tokens_details': {'reasoning_tokens': 290}, "
	    "'cost_in_usd_ticks': 1466250}", OUTPUT_TEXT, "0.000146625", "", 0, NULL },
	{ "xai", "grok-4.20", NULL, "{'prompt_tokens': 10120, 'completion_tokens': 1499, 'total_tokens': 14428, "
	    "'prompt_tokens_details': {'cached_tokens': 128}, 'completion_tokens_details': {'reasoning_tokens': 2809}}",
	    OUTPUT_TEXT, "0.0232856", "", 0, NULL },
	{ "openai", "whisper-1", NULL, "{'type': 'duration', 'seconds': 9}", OUTPUT_TEXT, "0.0009", "", 0, NULL },
	{ "openai", "gpt-4o-transcribe", NULL, "{'type': 'tokens', 'input_tokens': 14, 'input_token_details': "
	    "{'text_tokens': 0, 'audio_tokens': 14}, 'output_tokens': 45, 'total_tokens': 59}",
	    OUTPUT_TEXT, "0.000534", "", 0, NULL },
	{ "openai", "tts-1", NULL, "{'characters': 43}", OUTPUT_AUDIO, "0.000645", "", 0, NULL },
	{ "openai", "text-embedding-3-small", NULL, "{'prompt_tokens': 8, 'total_tokens': 8}",
	    OUTPUT_TEXT, "0.00000016", "", 0, NULL },
	{ "openai", "gpt-image-1", NULL, "{'input_tokens': 50, 'input_tokens_details': {'text_tokens': 10, "
	    "'image_tokens': 40}, 'output_tokens': 50, 'total_tokens': 100}", OUTPUT_IMAGE, "0.00245", "", 0, NULL },
	{ "google", "gemini-2.5-pro", NULL, "{'prompt_tokens': 20, 'completion_tokens': 198, 'total_tokens': 623}",
	    OUTPUT_TEXT, "0.006055", "", 0, NULL },
	{ "deepseek", "deepseek-chat", NULL, "{'prompt_tokens': 18, 'completion_tokens': 219, 'total_tokens': 237, "
	    "'completion_tokens_details': {'reasoning_tokens': 205}}", OUTPUT_TEXT, "0.00009702", "", JANUARY, NULL },
};

#define PLAIN(prompt, completion) "{'prompt_tokens': " prompt ", 'completion_tokens': " completion "}"

static const struct sample samples[] = {
	/* parts that cannot be are cut; sound that the cache held is billed as cached */
	{ NULL, "gpt-4o", NULL,
	    "{'prompt_tokens': 10, 'completion_tokens': 0, 'prompt_tokens_details': {'cached_tokens': 50}}",
	    OUTPUT_TEXT, "0.0000125", "", 0, NULL },
	{ NULL, "gpt-audio", NULL, "{'prompt_tokens': 100, 'completion_tokens': 0, 'prompt_tokens_details': "
	    "{'cached_tokens': 80, 'audio_tokens': 60}}", OUTPUT_TEXT, "0.00084", "", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{'prompt_tokens': 10, 'completion_tokens': 5, 'completion_tokens_details': "
	    "{'reasoning_tokens': 50}}", OUTPUT_TEXT, "0.000075", "", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{'prompt_tokens': 10, 'completion_tokens': 5, 'prompt_tokens_details': "
	    "{'cached_tokens': -3, 'audio_tokens': null}}", OUTPUT_TEXT, "0.000075", "", 0, NULL },
	/* none and not known */
	{ NULL, "gpt-4o", NULL, PLAIN("0", "0"), OUTPUT_TEXT, "0", "", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{}", OUTPUT_TEXT, NULL, "cost_unmeasured", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{'prompt_tokens': -5}", OUTPUT_TEXT, NULL, "cost_unmeasured", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{'total_tokens': 10}", OUTPUT_TEXT, "0.000025", "", 0, NULL },
	{ NULL, "tts-1", NULL, "{'characters': 0}", OUTPUT_AUDIO, "0", "", 0, NULL },
	{ NULL, "tts-1", NULL, PLAIN("5", "5"), OUTPUT_AUDIO, NULL, "cost_unmeasured", 0, NULL },
	{ NULL, "no-such", NULL, PLAIN("5", "5"), OUTPUT_TEXT, NULL, "price_unknown", 0, NULL },
	{ NULL, "no-such", NULL, "{}", OUTPUT_TEXT, NULL, "price_unknown cost_unmeasured", 0, NULL },
	/* rates that stand for others */
	{ NULL, "plain", NULL, "{'input_tokens': 10, 'cache_creation_input_tokens': 30, 'cache_creation': "
	    "{'ephemeral_5m_input_tokens': 20, 'ephemeral_1h_input_tokens': 10}, 'cache_read_input_tokens': 5, "
	    "'output_tokens': 1}", OUTPUT_TEXT, "0.000057", "", 0, NULL },
	{ NULL, "plain", NULL,
	    "{'prompt_tokens': 10, 'completion_tokens': 10, 'prompt_tokens_details': {'audio_tokens': 2, "
	    "'image_tokens': 3}, 'completion_tokens_details': {'audio_tokens': 4, 'image_tokens': 1, "
	    "'reasoning_tokens': 2}}",
	    OUTPUT_TEXT, "0.00003", "", 0, NULL },
	{ NULL, "one-side", NULL, PLAIN("5", "0"), OUTPUT_TEXT, "0.000005", "", 0, NULL },
	{ NULL, "one-side", NULL, PLAIN("5", "1"), OUTPUT_TEXT, NULL, "rate_unknown", 0, NULL },
	{ NULL, "gratis", NULL, PLAIN("500", "100"), OUTPUT_TEXT, "0", "", 0, NULL },
	/* reasoning: inside, beside by the total, not told but by the total, with a rate of its own */
	{ NULL, "thinks", NULL, "{'prompt_tokens': 10, 'completion_tokens': 100, 'total_tokens': 110, "
	    "'completion_tokens_details': {'reasoning_tokens': 40}}", OUTPUT_TEXT, "0.00033", "", 0, NULL },
	{ NULL, "thinks", NULL, "{'prompt_tokens': 10, 'completion_tokens': 60, 'total_tokens': 110, "
	    "'completion_tokens_details': {'reasoning_tokens': 40}}", OUTPUT_TEXT, "0.00033", "", 0, NULL },
	{ NULL, "thinks", NULL, "{'prompt_tokens': 10, 'completion_tokens': 60, 'total_tokens': 110}",
	    OUTPUT_TEXT, "0.00021", "", 0, NULL },
	/* half up to 10^-12, each line for itself */
	{ NULL, "half", NULL, PLAIN("1", "0"), OUTPUT_TEXT, "0.000000000001", "", 0, NULL },
	{ NULL, "half", NULL, PLAIN("0", "1"), OUTPUT_TEXT, "0", "", 0, NULL },
	{ NULL, "half", NULL, PLAIN("3", "3"), OUTPUT_TEXT, "0.000000000003", "", 0, NULL },
	{ NULL, "half", NULL, PLAIN("2", "2"), OUTPUT_TEXT, "0.000000000002", "", 0, NULL },
	/* tiers on both sides of their bounds, by the whole prompt */
	{ NULL, "gemini-2.5-pro", NULL, PLAIN("200000", "10"), OUTPUT_TEXT, "0.2501", "", 0, NULL },
	{ NULL, "gemini-2.5-pro", NULL, PLAIN("200001", "10"), OUTPUT_TEXT, "0.5001525", "", 0, NULL },
	{ NULL, "gpt-5.4", NULL, PLAIN("271999", "10"), OUTPUT_TEXT, "0.6801475", "", 0, NULL },
	{ NULL, "gpt-5.4", NULL, PLAIN("272000", "10"), OUTPUT_TEXT, "1.360225", "", 0, NULL },
	{ NULL, "three", NULL, PLAIN("128000", "10"), OUTPUT_TEXT, "0.12801", "", 0, NULL },
	{ NULL, "three", NULL, PLAIN("128001", "10"), OUTPUT_TEXT, "0.256072", "", 0, NULL },
	{ NULL, "three", NULL, PLAIN("256000", "10"), OUTPUT_TEXT, "0.51207", "", 0, NULL },
	{ NULL, "three", NULL, PLAIN("256001", "10"), OUTPUT_TEXT, "0.768013", "", 0, NULL },
	{ NULL, "claude-sonnet-4-5", NULL,
	    "{'input_tokens': 100000, 'cache_read_input_tokens': 100000, 'output_tokens': 1}",
	    OUTPUT_TEXT, "0.330015", "", 0, NULL },
	{ NULL, "claude-sonnet-4-5", NULL,
	    "{'input_tokens': 100000, 'cache_read_input_tokens': 100001, 'output_tokens': 1}",
	    OUTPUT_TEXT, "0.6600231", "", 0, NULL },
	/* service tiers */
	{ NULL, "gpt-5.4", "auto", PLAIN("1000", "100"), OUTPUT_TEXT, "0.004", "", 0, NULL },
	{ NULL, "gpt-5.4", "standard", PLAIN("1000", "100"), OUTPUT_TEXT, "0.004", "", 0, NULL },
	{ NULL, "gpt-5.4", "", PLAIN("1000", "100"), OUTPUT_TEXT, "0.004", "", 0, NULL },
	{ NULL, "gpt-5.4", "Default", PLAIN("1000", "100"), OUTPUT_TEXT, "0.004", "", 0, NULL },
	{ NULL, "gpt-5.4", "priority", PLAIN("1000", "100"), OUTPUT_TEXT, "0.008", "", 0, NULL },
	{ NULL, "gpt-5.4", "fast", PLAIN("1000", "100"), OUTPUT_TEXT, "0.008", "", 0, NULL },
	{ NULL, "gpt-5.4", "flex", PLAIN("1000", "100"), OUTPUT_TEXT, "0.002", "", 0, NULL },
	{ NULL, "gpt-5.4", "batch", PLAIN("1000", "100"), OUTPUT_TEXT, "0.0025", "", 0, NULL },
	{ NULL, "gpt-5.4", "scale", PLAIN("1000", "100"), OUTPUT_TEXT, "0.004", "tier_unpriced", 0, NULL },
	{ NULL, "gpt-4o", "flex", PLAIN("1000", "100"), OUTPUT_TEXT, "0.0035", "tier_unpriced", 0, NULL },
	{ NULL, "gpt-4o", "default", PLAIN("1000", "100"), OUTPUT_TEXT, "0.0035", "", 0, NULL },
	{ NULL, "gpt-5.4", "flex", "{'prompt_tokens': 300000, 'completion_tokens': 1000, 'prompt_tokens_details': "
	    "{'cached_tokens': 100000}}", OUTPUT_TEXT, "0.52425", "", 0, NULL },
	{ NULL, "gpt-5.4", "priority", PLAIN("300000", "1000"), OUTPUT_TEXT, "1.5225", "", 0, NULL },
	/* by the second, character, image, call */
	{ NULL, "whisper-1", NULL, "{'seconds': 0.5}", OUTPUT_TEXT, "0.00005", "", 0, NULL },
	{ "groq", "whisper-large-v3", NULL, "{'seconds': 3}", OUTPUT_TEXT, "0.000308333333", "", 0, NULL },
	{ "groq", "whisper-large-v3", NULL, "{'seconds': 12}", OUTPUT_TEXT, "0.00037", "", 0, NULL },
	{ NULL, "gpt-4o-mini-tts", NULL, "{'seconds': 10}", OUTPUT_AUDIO, "0.0025", "cost_by_duration", 0, NULL },
	{ NULL, "gpt-4o-mini-tts", NULL, "{'input_tokens': 10, 'output_tokens': 100, 'seconds': 10}",
	    OUTPUT_AUDIO, "0.001206", "", 0, NULL },
	{ NULL, "dall-e-3", NULL, "{'images': 2}", OUTPUT_IMAGE, "0.08", "", 0, NULL },
	{ NULL, "dall-e-3", NULL, "{'images': 2}", OUTPUT_IMAGE, "0.16", "", 0, "1024x1792" },
	{ NULL, "dall-e-3", NULL, "{'images': 1}", OUTPUT_IMAGE, "0.12", "", 0, "hd/1024x1792" },
	{ NULL, "dall-e-3", NULL, "{'images': 1}", OUTPUT_IMAGE, "0.08", "", 0, "standard/1024x1792" },
	{ NULL, "dall-e-3", NULL, "{'images': 1}", OUTPUT_IMAGE, "0.04", "", 0, "hd/512x512" },
	{ NULL, "claude-sonnet-4-5", NULL, "{'input_tokens': 10, 'output_tokens': 0, 'server_tool_use': "
	    "{'web_search_requests': 3}}", OUTPUT_TEXT, "0.03003", "", 0, NULL },
	{ NULL, "gpt-4o", NULL, "{'prompt_tokens': 10, 'completion_tokens': 0, 'web_search_requests': 3}",
	    OUTPUT_TEXT, "0.000025", "rate_unknown", 0, NULL },
	{ NULL, "call", NULL, "{}", OUTPUT_TEXT, "0.005", "", 0, NULL },
	{ NULL, "call", NULL, "{'search_context_size': 'high'}", OUTPUT_TEXT, "0.012", "", 0, NULL },
	{ NULL, "call", NULL, "{'search_context_size': 'low'}", OUTPUT_TEXT, "0.005", "", 0, NULL },
	{ NULL, "gratis", NULL, "{}", OUTPUT_TEXT, "0", "", 0, NULL },
	{ NULL, "both", NULL, PLAIN("10", "0"), OUTPUT_TEXT, "0.00501", "", 0, NULL },
	{ NULL, "rank", NULL, "{}", OUTPUT_TEXT, "0.002", "", 0, NULL },
	{ NULL, "rank", NULL, "{'search_units': 3}", OUTPUT_TEXT, "0.006", "", 0, NULL },
	{ NULL, "rank", NULL, "{'search_units': 0}", OUTPUT_TEXT, "0", "", 0, NULL },
	/* factors */
	{ NULL, "claude-sonnet-4-5", NULL, "{'input_tokens': 100, 'output_tokens': 10, 'inference_geo': 'us'}",
	    OUTPUT_TEXT, "0.000495", "", 0, NULL },
	{ NULL, "claude-sonnet-4-5", NULL, "{'input_tokens': 100, 'output_tokens': 10, 'inference_geo': 'US', "
	    "'speed': 'fast'}", OUTPUT_TEXT, "0.00297", "", 0, NULL },
	{ NULL, "claude-sonnet-4-5", NULL, "{'input_tokens': 100, 'output_tokens': 10, 'inference_geo': 'global', "
	    "'speed': 'standard'}", OUTPUT_TEXT, "0.00045", "", 0, NULL },
	/* more than can be kept */
	{ NULL, "dear", NULL, PLAIN("9223372", "0"), OUTPUT_TEXT, "9223372", "", 0, NULL },
	{ NULL, "dear", NULL, PLAIN("9223373", "0"), OUTPUT_TEXT, NULL, "cost_too_large", 0, NULL },
	{ NULL, "dear", NULL, PLAIN("5000000", "5000000"), OUTPUT_TEXT, NULL, "cost_too_large", 0, NULL },
	{ NULL, "dear", NULL, PLAIN("9000000000000000000", "9000000000000000000"), OUTPUT_TEXT, NULL, "cost_too_large",
	    0, NULL },
	{ NULL, "dear", NULL, "{'prompt_tokens': 9000, 'completion_tokens': 0, 'a': 'a'}", OUTPUT_TEXT, "9000000", "",
	    0, NULL },
	{ NULL, "dear", NULL,
	    "{'prompt_tokens': 9000000, 'completion_tokens': 0, 'a': 'a', 'b': 'b', 'c': 'c', 'd': 'd', "
	    "'e': 'e', 'f': 'f', 'g': 'g', 'h': 'h'}", OUTPUT_TEXT, NULL, "cost_too_large", 0, NULL },
	{ NULL, "picture", NULL, "{'images': 1844}", OUTPUT_IMAGE, "9220000", "", 0, NULL },
	{ NULL, "picture", NULL, "{'images': 1845}", OUTPUT_IMAGE, NULL, "cost_too_large", 0, NULL },
	{ NULL, "picture", NULL, "{'images': 9223372036854775807}", OUTPUT_IMAGE, NULL, "cost_too_large", 0, NULL },
	/* whose price */
	{ "azure", "gpt-4o-2024-08-06", NULL, PLAIN("1000", "100"), OUTPUT_TEXT, "0.0035", "price_of_maker", 0, NULL },
	{ "openrouter", "meta/llama:free", NULL, PLAIN("1000", "100"), OUTPUT_TEXT, "0", "", 0, NULL },
};

static void
use_of(const struct sample *c, struct slice usage_text, struct use *use)
{
	struct usage usage;
	struct jvalue v = { .kind = JNONE };

	(void)jscan_check(usage_text, &v, NULL);
	*use = (struct use){ .query = { .provider = slice_str(c->provider), .model = slice_str(c->model),
	    .at = c->at ? c->at : AT }, .service_tier = slice_str(c->tier), .image_size = slice_str(c->size) };
	(void)usage_read(&usage, v);
	use_read(use, &usage, c->output);
	use_says(use, v);
}

static bool
has_warnings(const struct bill *bill, const char *want)
{
	char text[500] = "";
	size_t n = 0;

	for (int i = 0; i < WARN_COUNT; i++)
		if (bill->warned[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
			    warn_code((enum warning)i));
	if (strcmp(text, want) != 0)
		printf("# warnings: %s\n", text);
	return strcmp(text, want) == 0;
}

static bool
costs(const struct bill *bill, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 100);
	if (bill->known)
		decimal_print(bill->pico, 12, &out);
	same = want == NULL ? !bill->known : bill->known && slice_eq(buf_view(&out), slice_str(want));
	if (!same)
		printf("# it is %.*s\n", (int)out.len, out.ptr ? out.ptr : "");
	buf_free(&out);
	return same;
}

static void
say(const struct prices *prices, const struct bill *bill, const struct use *use, struct buf *out)
{
	buf_init(out, MIB);
	bill_print(bill, use, bill_source(prices, bill), (struct span_int){ bill->known, bill->pico }, out);
}

/* Printed and read back it is the same use, and makes the same bill. */
static bool
stays(const struct prices *prices, const struct use *use, const struct bill *bill, const int64_t *unit_prices)
{
	struct arena arena = { .blocks = NULL };
	struct buf first, second;
	struct bill again;
	struct use back;
	struct jvalue v;
	bool same;

	say(prices, bill, use, &first);
	same = jscan_check(buf_view(&first), &v, NULL) == JSCAN_END && bill_reread(buf_view(&first), &arena, &back);
	back.query.at = use->query.at;
	if (unit_prices != NULL)
		bill_unit_prices(prices, &back, unit_prices[0], unit_prices[1], &again);
	else
		bill_make(prices, &back, &again);
	say(prices, &again, &back, &second);
	if (use->units[RATE_QUERIES] < 0)
		back.units[RATE_QUERIES] = -1;	/* one at least was billed */
	same = same && slice_eq(buf_view(&first), buf_view(&second)) && memcmp(back.units, use->units,
	    sizeof(use->units)) == 0 && back.has_tokens == use->has_tokens && back.prompt == use->prompt;
	if (!same)
		printf("# %.*s\n# %.*s\n", (int)first.len, first.ptr, (int)second.len, second.ptr);
	buf_free(&first);
	buf_free(&second);
	arena_free(&arena);
	return same;
}

/* Without factors the cost is the sum of the lines. */
static bool
adds_up(const struct bill *bill)
{
	int64_t sum = 0;

	for (size_t i = 0; bill->known && i < bill->nlines; i++)
		sum += bill->lines[i].pico == PICO_NONE ? 0 : bill->lines[i].pico;
	return !bill->known || bill->nmultipliers > 0 || sum == bill->pico;
}

static void
check(const struct prices *prices, const struct sample *list, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++) {
		struct slice usage = quoted(list[i].usage);
		struct bill bill;
		struct use use;

		use_of(&list[i], usage, &use);
		bill_make(prices, &use, &bill);
		printf("# %s %s: %s\n", list[i].model, list[i].tier ? list[i].tier : "", list[i].usage);
		ok(costs(&bill, list[i].cost));
		ok(has_warnings(&bill, list[i].warnings));
		ok(adds_up(&bill) && stays(prices, &use, &bill, NULL));
		if (source != NULL)
			ok(slice_eq(bill_source(prices, &bill), slice_str(source)));
		exact_free(usage);
	}
}

static void
sources(const struct prices *user)
{
	static const struct sample good = { NULL, "plain", NULL, PLAIN("1", "1"), OUTPUT_TEXT, NULL, "", 0, NULL };
	static const struct sample bad = { NULL, "no-such", NULL, PLAIN("1", "1"), OUTPUT_TEXT, NULL, "", 0, NULL };
	static const struct sample free = { "openrouter", "a:free", NULL, PLAIN("1", "1"), OUTPUT_TEXT, NULL, "", 0,
	    NULL };
	struct prices ours = { .tables = { user->tables[0] }, .n = 1, .builtin = user->tables[0] }, none = { .n = 0 };
	struct slice usage = quoted(good.usage);
	struct bill bill;
	struct use use;

	use_of(&good, usage, &use);
	bill_make(user, &use, &bill);
	ok(slice_eq(bill_source(user, &bill), SLICE("user_table")));
	bill_make(&ours, &use, &bill);
	ok(slice_eq(bill_source(&ours, &bill), SLICE("table")));
	bill_make(&none, &use, &bill);
	ok(!bill.known && has_warnings(&bill, "price_unknown") && slice_eq(bill_source(&none, &bill),
	    SLICE("unknown")));
	use_of(&bad, usage, &use);
	bill_make(user, &use, &bill);
	ok(slice_eq(bill_source(user, &bill), SLICE("unknown")));
	use_of(&free, usage, &use);
	bill_make(user, &use, &bill);
	ok(slice_eq(bill_source(user, &bill), SLICE("table")));
	exact_free(usage);
}

/* The request's own prices: all tokens of a side, cached or not; alone with the tables'. */
static void
unit_prices(const struct prices *prices)
{
	static const char cached[] = "{'prompt_tokens': 1000, 'completion_tokens': 200, 'prompt_tokens_details': "
	    "{'cached_tokens': 600}, 'completion_tokens_details': {'reasoning_tokens': 50}}";
	static const struct {
		const char *model, *usage; int64_t prices[2]; const char *cost, *warnings;
	} cases[] = {
		{ "no-such", cached, { 1000000000, 2000000000 }, "0.0014", "" },
		{ "gpt-4o", cached, { 1000000000, 2000000000 }, "0.0014", "" },
		{ "gpt-4o", cached, { 0, 0 }, "0", "" },
		{ "gpt-4o", cached, { 1000000000, RATE_NONE }, "0.003", "" },
		{ "gpt-4o", cached, { RATE_NONE, 2000000000 }, "0.00215", "" },
		{ "no-such", cached, { 1000000000, RATE_NONE }, NULL, "unit_price_alone" },
		{ "no-such", cached, { RATE_NONE, 1000000000 }, NULL, "unit_price_alone" },
		{ "one-side", cached, { 1000000000, RATE_NONE }, NULL, "rate_unknown unit_price_alone" },
		{ "no-such", "{'prompt_tokens': 8}", { 1000000000, RATE_NONE }, "0.000008", "" },
		{ "no-such", "{}", { 1000000000, 1000000000 }, NULL, "cost_unmeasured" },
		{ "tts-1", "{'characters': 5}", { 1000000000, RATE_NONE }, NULL, "cost_unmeasured" },
		{ "no-such", PLAIN("9000000000000000000", "1"), { 1000000000, 1000000000 }, NULL, "cost_too_large" },
		{ "azure-x", PLAIN("10000", "1"), { INT64_MAX, 0 }, NULL, "cost_too_large" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice usage = quoted(cases[i].usage);
		struct sample c = { .model = cases[i].model, .output = OUTPUT_TEXT };
		struct bill bill;
		struct use use;

		use_of(&c, usage, &use);
		bill_unit_prices(prices, &use, cases[i].prices[0], cases[i].prices[1], &bill);
		printf("# %s: %s\n", cases[i].model, cases[i].usage);
		ok(costs(&bill, cases[i].cost));
		ok(has_warnings(&bill, cases[i].warnings));
		ok(stays(prices, &use, &bill, cases[i].prices));
		exact_free(usage);
	}
}

/* What a bill says, to the letter. */
static void
details(const struct prices *prices)
{
	static const struct { struct sample c; const char *want; } cases[] = {
		{ { "anthropic", "claude-sonnet-4-5", "standard",
		    "{'input_tokens': 150000, 'cache_read_input_tokens': 60000, "
		    "'output_tokens': 10, 'speed': 'fast', 'service_tier': 'standard'}", OUTPUT_TEXT, NULL, NULL, 0,
		        NULL },
		    "{'provider':'anthropic','model':'claude-sonnet-4-5','service_tier':'standard',"
		    "'prompt_tokens':210000,"
		    "'usage_says':{'speed':'fast'},'price':{'table':'test 2026-11-20','provider':'anthropic',"
		    "'match':'claude-sonnet-4-5','service_tier':'standard','prompt_from':200001},'lines':["
		    "{'kind':'input','unit':'token','units':150000,'rate':6,'per':1000000,'amount':0.9},"
		    "{'kind':'cache_read','unit':'token','units':60000,'rate':0.6,'per':1000000,'amount':0.036},"
		    "{'kind':'output','unit':'token','units':10,'rate':22.5,'per':1000000,'amount':0.000225}],"
		    "'multipliers':{'speed:fast':6},'cost':5.61735,'cost_source':'user_table'}" },
		{ { "groq", "whisper-large-v3", NULL, "{'seconds': 3.25}", OUTPUT_TEXT, NULL, NULL, 0, NULL },
		    "{'provider':'groq','model':'whisper-large-v3','prompt_tokens':null,"
		    "'price':{'table':'test 2026-11-20',"
		    "'provider':'groq','match':'whisper-large-v3','service_tier':'standard'},"
		    "'lines':[{'kind':'audio_in',"
		    "'unit':'second','units':10,'measured':3.25,'rate':0.000030833333333,'per':1,"
		    "'amount':0.000308333333}],"
		    "'cost':0.000308333333,'cost_source':'user_table'}" },
		{ { NULL, "picture", NULL, "{'images': 2000}", OUTPUT_IMAGE, NULL, NULL, 0, NULL },
		    "{'model':'picture','prompt_tokens':null,'price':{'table':'test 2026-11-20','match':'picture',"
		    "'service_tier':'standard'},'lines':[{'kind':'output','unit':'image','units':2000,'rate':5000,"
		    "'per':1,"
		    "'amount':null}],'cost':null,'cost_source':'unknown','warnings':['cost_too_large']}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice usage = quoted(cases[i].c.usage), want = quoted(cases[i].want);
		struct bill bill;
		struct use use;
		struct buf out;

		use_of(&cases[i].c, usage, &use);
		bill_make(prices, &use, &bill);
		say(prices, &bill, &use, &out);
		if (!ok(slice_eq(buf_view(&out), want)))
			printf("# %.*s\n", (int)out.len, out.ptr);
		buf_free(&out);
		exact_free(usage);
		exact_free(want);
	}
}

/* What is no bill has nothing to be read; what is strange in one is passed over. */
static void
rereading(void)
{
	static const char *const bad[] = { "", "null", "[]", "{}", "{'lines':{}}", "{'lines':[]", "7" };
	struct arena arena = { .blocks = NULL };
	struct slice text;
	struct use use;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		text = quoted(bad[i]);
		ok(!bill_reread(text, &arena, &use));
		exact_free(text);
	}
	ok(!bill_reread(SLICE_NONE, &arena, &use));
	text = quoted("{'lines': [7, {'kind': 'input'}, {'kind': 'input', 'unit': 'token', 'units': -1}, "
	    "{'kind': 'input', 'unit': 'page', 'units': 1}], 'unbilled': 7, 'prompt_tokens': -5, 'model': 7}");
	ok(bill_reread(text, &arena, &use));
	ok(!use.has_tokens && use.units[RATE_INPUT] == 0 && use.units[RATE_QUERIES] == -1 &&
	    use.query.model.ptr == NULL);
	exact_free(text);
	arena_free(&arena);
}

int
main(void)
{
	struct price_table *t = table_of(entries), *builtin = table_builtin();
	struct prices prices = { .tables = { t }, .n = 1 }, ours = { .tables = { builtin }, .n = 1,
	    .builtin = builtin };

	if (ok(t != NULL && builtin != NULL)) {
		check(&prices, examples, sizeof(examples) / sizeof(*examples), "user_table");
		check(&ours, examples, sizeof(examples) / sizeof(*examples), "table");
		check(&prices, samples, sizeof(samples) / sizeof(*samples), NULL);
		sources(&prices);
		unit_prices(&prices);
		details(&prices);
	}
	rereading();
	price_table_free(t);
	price_table_free(builtin);
	return done();
}
