/* SPDX-License-Identifier: Apache-2.0 */
/* Which entry is a model's: names, providers, times, tables over one another. */
#include "prices_util.h"

static const char entries[] =
    "{'provider': 'openai', 'match': ['gpt-4o'], 'note': 'o1'},\n"
    "{'provider': 'openai', 'match': ['gpt-5'], 'note': 'o2'},\n"
    "{'provider': 'openai', 'match': ['gpt-5.4'], 'aliases': ['five-four'], 'note': 'o3'},\n"
    "{'provider': 'openai', 'match': ['o3'], 'note': 'o4'},\n"
    "{'provider': 'openai', 'match': ['gpt-4o-2024-05-13'], 'note': 'o5'},\n"
    "{'provider': 'openai', 'match': ['gpt-3.5-turbo'], 'note': 'o6'},\n"
    "{'provider': 'openai', 'match': ['ft:gpt-4o-mini-2024-07-18'], 'note': 'o7'},\n"
    "{'provider': 'openai', 'match': ['gpt-4.1'], 'note': 'point'},\n"
    "{'provider': 'openai', 'match': ['gpt-4-1'], 'note': 'dash'},\n"
    "{'provider': 'anthropic', 'match': ['claude-sonnet-4-5'], 'note': 'a1'},\n"
    "{'provider': 'anthropic', 'match': ['claude-3-7-sonnet-20250219'], 'note': 'a2'},\n"
    "{'provider': 'anthropic', 'match': ['claude-opus-4-6*'], 'note': 'a3'},\n"
    "{'provider': 'google', 'match': ['gemini-2.5-flash'], 'note': 'g1'},\n"
    "{'provider': 'mistral', 'match': ['mistral-small'], 'note': 'm1'},\n"
    "{'provider': 'groq', 'match': ['llama'], 'note': 'q1'},\n"
    "{'provider': 'azure', 'match': ['gpt-5'], 'note': 'z1'},\n"
    "{'provider': 'bedrock', 'match': ['us.anthropic.claude-sonnet-4-5-20250929-v1:0'], 'note': 'b1'},\n"
    "{'provider': 'openrouter', 'match': ['anthropic/claude-sonnet-4.5'], 'note': 'r1'},\n"
    "{'provider': 'our-host', 'match': ['own', 'gpt-4o'], 'note': 'h1'},\n"
    "{'match': ['any'], 'note': 'any'},\n"
    "{'match': ['both'], 'note': 'both any'},\n"
    "{'provider': 'openai', 'match': ['both'], 'note': 'both openai'},\n"
    "{'provider': 'xai', 'match': ['p*', 'pat-##'], 'note': 'short'},\n"
    "{'provider': 'xai', 'match': ['pat-*'], 'note': 'long'},\n"
    "{'provider': 'xai', 'match': ['pat-exact'], 'note': 'exact'}";

/* What is asked, and the note of the entry that is found; NULL: none is. */
static const struct { const char *provider, *host, *model, *request, *note; } cases[] = {
	{ "openai", NULL, "gpt-4o", NULL, "o1" }, { "OpenAI", NULL, "GPT-4O", NULL, "o1" },
	{ "openai", NULL, "five-four", NULL, "o3" }, { "openai", NULL, "gpt-5-4", NULL, "o3" },
	{ "openai", NULL, "openai/gpt-4o", NULL, "o1" }, { "openai", NULL, "gpt-4o-2024-08-06", NULL, "o1" },
	{ "openai", NULL, "gpt-4o-2024-05-13", NULL, "o5" }, { "openai", NULL, "gpt-35-turbo", NULL, "o6" },
	{ "openai", NULL, "gpt-4.1", NULL, "point" }, { "openai", NULL, "gpt-4-1", NULL, "dash" },
	{ "openai", NULL, "gpt-4-1-2025-04-14", NULL, "dash" },
	/* a longer name is another model */
	{ "openai", NULL, "gpt-5.6-sol", NULL, NULL }, { "openai", NULL, "gpt-5-pro", NULL, NULL },
	{ "openai", NULL, "o3-pro", NULL, NULL }, { "openai", NULL, "gpt-4o-audio-preview", NULL, NULL },
	{ "openai", NULL, "gpt-4", NULL, NULL }, { "openai", NULL, "", NULL, NULL },
	{ "mistral", NULL, "mistral-small-2402", NULL, NULL }, { "mistral", NULL, "mistral-small", NULL, "m1" },
	/* tuned ones have a price of their own or none */
	{ "openai", NULL, "ft:gpt-4o-mini-2024-07-18:org::id", NULL, "o7" },
	{ "openai", NULL, "ft:gpt-4o-2024-08-06:org::id", NULL, NULL },
	{ "openai", NULL, "ft:gpt-4o:org::id", NULL, NULL },
	/* the answer's model, then the request's */
	{ "openai", NULL, "gpt-4o-2024-08-06", "gpt-5", "o1" }, { "openai", NULL, "strange", "gpt-5", "o2" },
	{ "openai", NULL, NULL, "gpt-5", "o2" }, { "openai", NULL, "strange", "odd", NULL },
	{ "our-proxy", NULL, "claude-sonnet-4-5", "gpt-4o", "a1" },
	{ "azure", NULL, "gpt-4o-2024-08-06", "gpt-5", "o1" }, { "azure", NULL, "strange", "gpt-5", "z1" },
	/* spellings of Bedrock, Vertex, Google, OpenRouter */
	{ "bedrock", NULL, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", NULL, "b1" },
	{ "bedrock", NULL, "eu.anthropic.claude-3-7-sonnet-20250219-v1:0", NULL, "a2" },
	{ "bedrock", NULL, "anthropic.claude-sonnet-4-5-20250929-v1:0", NULL, "a1" },
	{ "vertex", NULL, "claude-3-7-sonnet@20250219", NULL, "a2" },
	{ "vertex", NULL, "claude-sonnet-4-5@20250929", NULL, "a1" },
	{ "google", NULL, "models/gemini-2.5-flash-preview-05-20", NULL, "g1" },
	{ "google", NULL, "gemini-2.5-flash-lite", NULL, NULL },
	{ "openrouter", NULL, "anthropic/claude-sonnet-4.5", NULL, "r1" },
	{ "openrouter", NULL, "anthropic/claude-sonnet-4.5:nitro", NULL, "r1" },
	{ "openrouter", NULL, "openai/gpt-4o", NULL, "o1" }, { "openrouter", NULL, "openai/gpt-4o:online", NULL, "o1" },
	{ "anthropic", NULL, "claude-opus-4.6", NULL, "a3" },
	{ "anthropic", NULL, "claude-opus-4.6-20260205", NULL, "a3" },
	/* whose prices */
	{ "our-proxy", NULL, "gpt-4o", NULL, "o1" }, { NULL, NULL, "gpt-4o", NULL, "o1" },
	{ "our-host", NULL, "own", NULL, "h1" },
	{ "our-host", NULL, "gpt-4o", NULL, "h1" }, { "our-host", NULL, "gpt-5", NULL, "o2" },
	{ "our-proxy", NULL, "own", NULL, NULL }, { "our-proxy", NULL, "llama", NULL, NULL },
	{ "groq", NULL, "llama", NULL, "q1" }, { "groq", NULL, "gpt-4o", NULL, NULL },
	{ "openai", NULL, "claude-sonnet-4-5", NULL, NULL }, { "azure", NULL, "gpt-5", NULL, "z1" },
	{ "azure", NULL, "gpt-4o", NULL, "o1" },
	/* the host says more than the name */
	{ "openai", "api.groq.com", "gpt-4o", NULL, NULL }, { "openai", "api.groq.com:443", "llama", NULL, "q1" },
	{ "groq", "https://me.openai.azure.com/openai", "gpt-5", NULL, "z1" },
	{ "groq", "10.0.0.1:8000", "llama", NULL, "q1" },
	{ "our-host", "api.openai.com", "gpt-4o", NULL, "o1" },
	/* anybody's */
	{ "groq", NULL, "any", NULL, "any" }, { NULL, NULL, "any", NULL, "any" },
	{ "openai", NULL, "both", NULL, "both openai" },
	{ "groq", NULL, "both", NULL, "both any" },
	/* patterns */
	{ "xai", NULL, "pat-exact", NULL, "exact" }, { "xai", NULL, "pat-12", NULL, "short" },
	{ "xai", NULL, "pat-x", NULL, "long" },
	{ "xai", NULL, "PX", NULL, "short" }, { "xai", NULL, "pat-", NULL, "long" }, { "xai", NULL, "q", NULL, NULL },
};

static struct price_query
query(size_t i)
{
	return (struct price_query){ slice_str(cases[i].provider), slice_str(cases[i].host), slice_str(cases[i].model),
	    slice_str(cases[i].request), NOON_2026_11_20 };
}

static void
names(const struct prices *prices)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct price_query q = query(i);
		struct price_found found = { .price = NULL };
		bool is = prices_find(prices, &q, &found);
		struct slice note = is && !found.free ? found.price->note : SLICE_NONE;

		printf("# %s %s %s %s: %.*s\n", cases[i].provider ? cases[i].provider : "-",
		    cases[i].host ? cases[i].host : "-",
		    cases[i].model ? cases[i].model : "-", cases[i].request ? cases[i].request : "-", (int)note.len,
		    note.ptr ? note.ptr : "");
		ok(cases[i].note == NULL ? !is : is && slice_eq(note, slice_str(cases[i].note)));
	}
}

/* What is said of how it was found. */
static void
of_whom(const struct prices *prices)
{
	struct price_query q = { .provider = SLICE("azure"), .model = SLICE("gpt-4o-2024-08-06"),
	    .at = NOON_2026_11_20 };
	struct price_found found;

	ok(prices_find(prices, &q, &found) && found.of_maker && !found.of_request && slice_eq(found.vendor,
	    SLICE("openai")));
	ok(slice_eq(slice_make(found.name, found.name_len), SLICE("gpt-4o")));
	q.model = SLICE("gpt-5");
	ok(prices_find(prices, &q, &found) && !found.of_maker && slice_eq(found.vendor, SLICE("azure")));
	q.model = SLICE("any");
	ok(prices_find(prices, &q, &found) && !found.of_maker && found.vendor.ptr == NULL);
	q.provider = SLICE("our-proxy");
	q.model = SLICE_NONE;
	q.request_model = SLICE("gpt-5");
	ok(prices_find(prices, &q, &found) && !found.of_maker && found.of_request);
}

/* Variants that cost nothing do so at OpenRouter, also where a pattern would have them. */
static void
free_ones(void)
{
	struct price_table *t = table_of("{'provider': 'openai', 'match': ['gpt*'], 'note': 'pattern'},\n"
	    "{'provider': 'openrouter', 'match': ['sold/x:free'], 'note': 'named'}");
	struct prices prices = { .tables = { t }, .n = 1 };
	struct price_query q = { .provider = SLICE("openrouter"), .model = SLICE("meta/llama:free") };
	struct price_found found;

	ok(prices_find(&prices, &q, &found) && found.free);
	q.model = SLICE("openai/gpt-4o:free");
	ok(prices_find(&prices, &q, &found) && found.free);
	q.model = SLICE("sold/x:free");
	ok(prices_find(&prices, &q, &found) && !found.free);
	q = (struct price_query){ .host = SLICE("openrouter.ai"), .request_model = SLICE("meta/llama:free") };
	ok(prices_find(&prices, &q, &found) && found.free);
	q = (struct price_query){ .provider = SLICE("groq"), .model = SLICE("meta/llama:free") };
	ok(!prices_find(&prices, &q, &found));
	q = (struct price_query){ .provider = SLICE("openrouter"), .model = SLICE("openai/gpt-4o"),
	    .request_model = SLICE("meta/llama:free") };
	ok(prices_find(&prices, &q, &found) && !found.free);
	price_table_free(t);
}

/* The stronger table's entry counts, be it that of a shorter name. */
static void
over_one_another(void)
{
	struct price_table *ours = table_of("{'provider': 'openai', 'match': ['gpt-x'], 'note': 'ours'}");
	struct price_table *theirs = table_of("{'provider': 'openai', 'match': ['gpt-x-2026-01-02', 'gpt-y'], "
	    "'note': 'theirs'}");
	struct prices prices = { .tables = { ours, theirs }, .n = 2, .builtin = theirs };
	struct prices other = { .tables = { theirs, ours }, .n = 2, .builtin = theirs }, none = { .n = 0 };
	struct price_query q = { .provider = SLICE("openai"), .model = SLICE("gpt-x-2026-01-02") };
	struct price_found found;

	ok(prices_find(&prices, &q, &found) && found.table == ours && slice_eq(found.price->note, SLICE("ours")));
	ok(prices_find(&other, &q, &found) && found.table == theirs);
	q.model = SLICE("gpt-y");
	ok(prices_find(&prices, &q, &found) && found.table == theirs);
	ok(!prices_find(&none, &q, &found));
	ok(prices_id(&prices) != prices_id(&other) && prices_id(&prices) == prices_id(&prices));
	price_table_free(ours);
	price_table_free(theirs);
}

/* From a day on, to before another, at times of the day. */
static void
times(void)
{
	struct price_table *t = table_of("{'match': ['m'], 'until': '2026-01-01', 'note': 'old'},\n"
	    "{'match': ['m'], 'from': '2026-01-01', 'note': 'new'},\n"
	    "{'match': ['m'], 'from': '2026-01-01', 'hours': ['16:30', '00:30'], 'note': 'night'},\n"
	    "{'match': ['m'], 'from': '2026-11-20', 'note': 'newest'},\n"
	    "{'match': ['n'], 'from': '2026-11-20', 'until': '2026-11-21', 'hours': ['09:00', '17:00'], 'note': 'day'}");
	const int first = 20454;	/* of 2026 */
	const struct { const char *model; int64_t at; const char *note; } at[] = {
		{ "m", at_time(first, 0, 0) - 1, "old" }, { "m", at_time(first, 0, 0), "night" },
		{ "m", at_time(first, 0, 30) - 1, "night" }, { "m", at_time(first, 0, 30), "new" },
		{ "m", at_time(first, 16, 30) - 1, "new" }, { "m", at_time(first, 16, 30), "night" },
		{ "m", at_time(first + 1, 0, 0) - 1, "night" }, { "m", at_time(first + 1, 0, 0), "night" },
		{ "m", at_time(DAY_2026_11_20, 0, 0), "newest" }, { "m", at_time(DAY_2026_11_20, 20, 0), "newest" },
		{ "n", at_time(DAY_2026_11_20, 9, 0) - 1, NULL }, { "n", at_time(DAY_2026_11_20, 9, 0), "day" },
		{ "n", at_time(DAY_2026_11_20, 17, 0) - 1, "day" }, { "n", at_time(DAY_2026_11_20, 17, 0), NULL },
		{ "n", at_time(DAY_2026_11_20 + 1, 9, 0), NULL }, { "n", at_time(DAY_2026_11_20 - 1, 9, 0), NULL },
		{ "m", 0, "old" },
	};
	struct prices prices = { .tables = { t }, .n = 1 };
	struct price_found found;

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct price_query q = { .model = slice_str(at[i].model), .at = at[i].at };
		bool is = prices_find(&prices, &q, &found);

		printf("# %s at %lld\n", at[i].model, (long long)at[i].at);
		ok(at[i].note == NULL ? !is : is && slice_eq(found.price->note, slice_str(at[i].note)));
	}
	price_table_free(t);
}

/* The built-in table and the pairs that prefixes would have wrong. */
static void
builtin(void)
{
	static const struct { const char *provider, *model; bool is; int64_t input; } asked[] = {
		{ "openai", "gpt-4o", true, 2500 }, { "openai", "gpt-4o-2024-05-13", true, 5000 },
		{ "openai", "gpt-4o-2024-08-06", true, 2500 }, { "openai", "gpt-5.6-sol", true, 4000 },
		{ "openai", "o3-pro", true, 20000 }, { "openai", "o3", true, 2000 }, { "azure", "gpt-4o", true, 2500 },
		{ "openai", "gpt-no-such", false, 0 }, { "groq", "gpt-4o", false, 0 },
		{ "our-proxy", "gpt-4o", true, 2500 },
		{ "bedrock", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", true, 3000 },
		{ "vertex", "claude-3-7-sonnet@20250219", true, 3000 },
	};
	struct price_table *t = table_builtin();
	struct prices prices = { .tables = { t }, .n = 1, .builtin = t };
	struct price_found found;
	bool missing = false;

	ok(t != NULL && price_table_size(t) > 2000 && slice_starts(price_table_name(t), SLICE("spangate 20")));
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct price_query q = { .provider = slice_str(asked[i].provider), .model = slice_str(asked[i].model),
		    .at = NOON_2026_11_20 };

		printf("# %s %s\n", asked[i].provider, asked[i].model);
		ok(prices_find(&prices, &q, &found) == asked[i].is);
		ok(!asked[i].is || price_rate(found.price, RATE_INPUT, TIER_STANDARD, 0, SLICE_NONE, &missing) ==
		    asked[i].input * 1000000);
	}
	price_table_free(t);
}

int
main(void)
{
	struct price_table *t = table_of(entries);
	struct prices prices = { .tables = { t }, .n = 1 };

	if (ok(t != NULL)) {
		names(&prices);
		of_whom(&prices);
	}
	price_table_free(t);
	free_ones();
	over_one_another();
	times();
	builtin();
	return done();
}
