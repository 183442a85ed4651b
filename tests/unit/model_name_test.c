/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a model's price may stand, and whose prices a provider has. */
#include "span/model_name.h"

#include <stdlib.h>

#include "span/vendor.h"
#include "tap.h"

/* All names of a model, with blanks between. */
static const struct { const char *model, *names; } cases[] = {
	{ "gpt-4o", "gpt-4o" }, { "GPT-4o", "gpt-4o" }, { " gpt-4o\t", "gpt-4o" },
	{ "openai/gpt-4o", "openai/gpt-4o gpt-4o" },
	{ "openrouter/anthropic/c", "openrouter/anthropic/c anthropic/c c" },
	{ "models/gemini-2.5-pro", "models/gemini-2.5-pro gemini-2.5-pro" },
	{ "accounts/fireworks/models/x", "accounts/fireworks/models/x fireworks/models/x models/x x" },
	{ "gpt-4o-2024-08-06", "gpt-4o-2024-08-06 gpt-4o" }, { "gpt-4-0613", "gpt-4-0613 gpt-4" },
	{ "claude-3-7-sonnet-20250219", "claude-3-7-sonnet-20250219 claude-3-7-sonnet" },
	{ "gemini-2.5-flash-preview-06-17",
	    "gemini-2.5-flash-preview-06-17 gemini-2.5-flash-preview gemini-2.5-flash" },
	{ "mistral-small-2402", "mistral-small-2402" }, { "mistral-large-2512", "mistral-large-2512" },
	{ "model-0000", "model-0000" }, { "model-1232", "model-1232" }, { "model-12310", "model-12310" },
	{ "gpt-4-1106-preview", "gpt-4-1106-preview" }, { "o3-pro", "o3-pro" }, { "gpt-5.6-sol", "gpt-5.6-sol" },
	{ "gpt-4o-audio-preview", "gpt-4o-audio-preview" }, { "-0613", "-0613" },
	{ "gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview-2024-12-17 gpt-4o-audio-preview" },
	{ "claude-sonnet-4@20250514", "claude-sonnet-4@20250514 claude-sonnet-4-20250514 claude-sonnet-4" },
	{ "claude-sonnet-4@default", "claude-sonnet-4@default claude-sonnet-4" },
	{ "@cf/meta/x", "@cf/meta/x meta/x x" },
	{ "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0 nova-pro-v1:0 amazon.nova-pro nova-pro" },
	{ "us.anthropic.claude-opus-4-6-v1", "us.anthropic.claude-opus-4-6-v1 anthropic.claude-opus-4-6-v1"
	    " us.anthropic.claude-opus-4-6 claude-opus-4-6-v1 anthropic.claude-opus-4-6 claude-opus-4-6" },
	{ "whisper-large-v3", "whisper-large-v3" }, { "deepseek-v3", "deepseek-v3" }, { "x/tts-v2", "x/tts-v2 tts-v2" },
	{ "gpt-35-turbo", "gpt-35-turbo gpt-3.5-turbo" },
	{ "gpt-35-turbo-0613", "gpt-35-turbo-0613 gpt-3.5-turbo-0613 gpt-35-turbo gpt-3.5-turbo" },
	{ "x:nitro", "x:nitro x" }, { "x:floor", "x:floor x" }, { "x:online", "x:online x" }, { "x:beta", "x:beta x" },
	{ "x:exacto", "x:exacto x" }, { "x:free", "x:free" }, { "a/x:free", "a/x:free x:free" },
	{ "x:20b", "x:20b" }, { "x:thinking", "x:thinking" }, { "llama3:8", "llama3:8" },
	{ "ft:gpt-4o-2024-08-06:org:name:id", "ft:gpt-4o-2024-08-06:org:name:id ft:gpt-4o-2024-08-06 ft:gpt-4o" },
	{ "ft:gpt-4o", "ft:gpt-4o" },
	{ "openai/ft:gpt-4o:org::a1", "openai/ft:gpt-4o:org::a1 ft:gpt-4o:org::a1 ft:gpt-4o" },
	{ "gpt-4o-2024-08-06.ft-0123456789", "gpt-4o-2024-08-06.ft-0123456789" }, { "", "" }, { "  ", "" },
	{ "claude-sonnet-4.5", "claude-sonnet-4.5" }, { "/", "/" }, { "a/", "a/" },
};

static bool
has_names(struct slice model, const char *want)
{
	struct model_names names;
	char text[2000] = "";
	size_t n = 0;

	model_names(model, &names);
	for (size_t i = 0; i < names.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i ? " " : "", (int)names.list[i].len,
		    names.list[i].text);
	if (strcmp(text, want) != 0)
		printf("# %.*s is %s\n", (int)model.len, model.ptr, text);
	return strcmp(text, want) == 0;
}

static void
names(void)
{
	char longest[MODEL_NAME_MAX + 2];
	struct model_names list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(has_names(slice_str(cases[i].model), cases[i].names));
	memset(longest, 'a', sizeof(longest));
	longest[MODEL_NAME_MAX] = '\0';
	ok(has_names(slice_str(longest), longest));
	ok(has_names(slice_make(longest, MODEL_NAME_MAX + 1), ""));
	ok(has_names(SLICE_NONE, ""));
	/* more prefixes than there is room for */
	memset(longest, '/', MODEL_NAME_MAX);
	for (size_t i = 0; i < MODEL_NAME_MAX; i += 2)
		longest[i] = 'a';
	model_names(slice_make(longest, MODEL_NAME_MAX), &list);
	ok(list.n == MODEL_NAMES);
	model_names(SLICE("A:FREE"), &list);
	ok(list.free);
	model_names(SLICE("a:freeze"), &list);
	ok(!list.free);
}

static void
alike(void)
{
	static const struct { const char *a, *b; bool alike; } pairs[] = {
		{ "gpt-5.4", "gpt-5-4", true }, { "gpt-5-4", "GPT-5.4", true },
		{ "claude-sonnet-4.5", "claude-sonnet-4-5", true },
		{ "a.b", "a-b", false }, { "gpt-5.", "gpt-5-", false }, { "1.a", "1-a", false }, { "a", "ab", false },
		{ "gpt-5.4", "gpt-5_4", false }, { "", "", true }, { "1.2.3", "1-2-3", true },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct slice a = slice_str(pairs[i].a), b = slice_str(pairs[i].b);

		printf("# %s and %s\n", pairs[i].a, pairs[i].b);
		ok(model_name_alike(a, b) == pairs[i].alike && model_name_alike(b, a) == pairs[i].alike);
		ok(!pairs[i].alike || model_name_hash(a) == model_name_hash(b));
	}
}

static void
vendors(void)
{
	static const struct { const char *host, *name; } hosts[] = {
		{ "api.openai.com", "openai" }, { "https://api.openai.com/v1", "openai" },
		{ "API.OpenAI.com:443", "openai" },
		{ "eu.api.openai.com", "openai" }, { "evilapi.openai.com", NULL },
		{ "api.openai.com.evil.example", NULL },
		{ "me.openai.azure.com", "azure" }, { "api.groq.com", "groq" }, { "openrouter.ai", "openrouter" },
		{ "bedrock-runtime.us-east-1.amazonaws.com", "bedrock" },
		{ "us-central1-aiplatform.googleapis.com", "vertex" }, { "127.0.0.1:8080", NULL }, { "", NULL },
	};
	static const struct { const char *name, *vendor; } named[] = {
		{ "openai", "openai" }, { "OpenAI", "openai" }, { "gemini", "google" }, { "x-ai", "xai" },
		{ "vertex_ai-anthropic_models", "vertex" }, { "together_ai", "together" }, { "our-proxy", NULL },
		{ "", NULL },
	};
	const struct vendor *v;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		v = vendor_of_host(slice_str(hosts[i].host));
		printf("# %s\n", hosts[i].host);
		ok(hosts[i].name == NULL ? v == NULL : v != NULL && slice_eq(v->name, slice_str(hosts[i].name)));
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		v = vendor_named(slice_str(named[i].name));
		printf("# %s\n", named[i].name);
		ok(named[i].vendor == NULL ? v == NULL : v != NULL && slice_eq(v->name, slice_str(named[i].vendor)));
	}
	ok(vendor_named(SLICE_NONE) == NULL && vendor_of_host(SLICE_NONE) == NULL);
	for (size_t i = 0; (v = vendor_at(i)) != NULL; i++)
		ok(vendor_named(v->name) == v);
}

int
main(void)
{
	names();
	alike();
	vendors();
	return done();
}
