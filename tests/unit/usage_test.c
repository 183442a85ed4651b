/* SPDX-License-Identifier: Apache-2.0 */
/* Usage objects of the providers, read into one form. */
#include "span/usage.h"
#include "tap.h"

#define NONE INT64_MIN

static const struct {
	const char *json;
	int64_t prompt, completion, total, cached, creation, reasoning, cost;
} cases[] = {
	{ "{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15,"
	  "\"prompt_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":2,\"audio_tokens\":0},"
	  "\"completion_tokens_details\":{\"reasoning_tokens\":0}}", 12, 3, 15, 4, 2, 0, NONE },
	{ "{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3,\"prompt_tokens_details\":null}",
	  1, 2, 3, NONE, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":9,\"completion_tokens\":2,\"prompt_cache_hit_tokens\":5,\"prompt_cache_miss_tokens\":4}",
	  9, 2, NONE, 5, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11,\"cached_tokens\":7}",
	  9, 2, 11, 7, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":9,\"completion_tokens\":2,\"num_cached_tokens\":6}", 9, 2, NONE, 6, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":9,\"completion_tokens\":2,\"prompt_token_details\":{\"cached_tokens\":1}}",
	  9, 2, NONE, 1, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":17,"
	  "\"completion_tokens_details\":{\"reasoning_tokens\":10},\"cost_in_usd_ticks\":12345}",
	  5, 12, 17, NONE, NONE, 10, 1234500 },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":16,\"reasoning_tokens\":10}",
	  5, 2, 16, NONE, NONE, 10, NONE },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0.00014,\"is_byok\":false,"
	  "\"cost_details\":{\"upstream_inference_cost\":null}}", 5, 2, 7, NONE, NONE, NONE, 140000000 },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0.00014,\"is_byok\":false,"
	  "\"cost_details\":{\"upstream_inference_cost\":0.00014}}", 5, 2, 7, NONE, NONE, NONE, 140000000 },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0,\"is_byok\":true,"
	  "\"cost_details\":{\"upstream_inference_cost\":0.00417}}", 5, 2, 7, NONE, NONE, NONE, 4170000000 },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0.0002,\"is_byok\":true,"
	  "\"cost_details\":{\"upstream_inference_cost\":0.004}}", 5, 2, 7, NONE, NONE, NONE, 4200000000 },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0,\"is_byok\":true,"
	  "\"cost_details\":{\"upstream_inference_cost\":null}}", 5, 2, 7, NONE, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"cost\":0,\"is_byok\":true}",
	  5, 2, 7, NONE, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"reasoning_tokens\":3,"
	  "\"cost\":{\"total_cost\":5.04e-3}}", 5, 2, 7, NONE, NONE, 3, 5040000000 },
	{ "{\"input_tokens\":10,\"output_tokens\":20,\"total_tokens\":30,\"input_tokens_details\":"
	  "{\"cached_tokens\":8},\"output_tokens_details\":{\"reasoning_tokens\":16}}", 10, 20, 30, 8, NONE, 16, NONE },
	{ "{\"input_tokens\":3,\"output_tokens\":4,\"cache_creation_input_tokens\":100,"
	  "\"cache_read_input_tokens\":200,\"output_tokens_details\":{\"thinking_tokens\":2}}",
	  303, 4, NONE, 200, 100, 2, NONE },
	{ "{\"input_tokens\":3,\"output_tokens\":4,\"cache_creation_input_tokens\":null,"
	  "\"cache_read_input_tokens\":null}", 3, 4, NONE, NONE, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":303,\"input_tokens\":3,\"completion_tokens\":4,\"cache_read_input_tokens\":300}",
	  303, 4, NONE, 300, NONE, NONE, NONE },
	{ "{\"input_tokens\":10,\"output_tokens\":4,\"cache_read_input_tokens\":8,"
	  "\"input_tokens_details\":{\"cached_tokens\":8}}", 10, 4, NONE, 8, NONE, NONE, NONE },
	{ "{\"input_tokens\":9223372036854775807,\"output_tokens\":4,\"cache_read_input_tokens\":1}",
	  NONE, 4, NONE, 1, NONE, NONE, NONE },
	{ "{\"input_tokens\":3,\"output_tokens\":4,\"total_tokens\":7,\"input_token_details\":{\"cached_tokens\":0}}",
	  3, 4, 7, 0, NONE, NONE, NONE },
	{ "{\"prompt_tokens\":12.0,\"completion_tokens\":3.7,\"total_tokens\":15,\"estimated_cost\":1e-6}",
	  12, 3, 15, NONE, NONE, NONE, 1000000 },
	{ "{\"prompt_tokens\":-1,\"completion_tokens\":true,\"total_tokens\":\"9\"}",
	  -1, NONE, NONE, NONE, NONE, NONE, NONE },
};

static bool
is(struct span_int got, int64_t want)
{
	return want == NONE ? !got.set : got.set && got.v == want;
}

static struct jvalue
value(const char *json)
{
	struct jvalue v = { .kind = JNONE };

	ok(jscan_check(slice_str(json), &v, NULL) == JSCAN_END);
	return v;
}

static void
providers(void)
{
	struct usage u;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		printf("# %s\n", cases[i].json);
		ok(usage_read(&u, value(cases[i].json)));
		ok(is(u.prompt, cases[i].prompt) && is(u.completion, cases[i].completion) &&
		    is(u.total, cases[i].total));
		ok(is(u.cached, cases[i].cached) && is(u.cache_creation, cases[i].creation) &&
		    is(u.reasoning, cases[i].reasoning));
		ok(is(u.provider_cost, cases[i].cost));
	}
}

static void
nothing(void)
{
	static const char *const none[] = {
		"{}", "null", "[]", "\"x\"", "{\"type\":\"duration\",\"seconds\":-3}",
		"{\"prompt_tokens\":null}", "{\"prompt_tokens_details\":{\"cached_tokens\":1}}",
	};
	struct usage u;
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		ok(!usage_read(&u, value(none[i])));
}

/* Audio that is billed by its length. */
static void
by_time(void)
{
	struct usage u;

	ok(usage_read(&u, value("{\"type\":\"duration\",\"seconds\":2.5}")));
	ok(u.duration.set && u.duration.v == 2500000 && !u.prompt.set && !u.total.set);
}

/* Tools that the provider ran itself. */
static void
own_tools(void)
{
	struct usage u;

	ok(usage_read(&u, value("{\"input_tokens\":1,\"output_tokens\":2,\"server_side_tool_usage_details\":{"
	    "\"web_search_calls\":2,\"x_search_calls\":3,\"code_interpreter_calls\":4,\"file_search_calls\":5,"
	    "\"mcp_calls\":6}}")));
	ok(is(u.web_searches, 5) && is(u.code_interpreters, 4) && is(u.file_searches, 5));
	usage_read(&u, value("{\"input_tokens\":1,\"server_side_tool_usage_details\":{\"x_search_calls\":1}}"));
	ok(is(u.web_searches, 1) && is(u.code_interpreters, NONE) && is(u.file_searches, NONE));
	usage_read(&u, value("{\"input_tokens\":1,\"server_side_tool_usage_details\":{\"web_search_calls\":1,"
	    "\"x_search_calls\":9223372036854775807}}"));
	ok(is(u.web_searches, NONE));
	usage_read(&u, value("{\"input_tokens\":1,\"server_tool_use\":{\"web_search_requests\":7}}"));
	ok(is(u.web_searches, 7));
}

static void
overlay(void)
{
	struct usage u, next;

	usage_read(&u, value("{\"input_tokens\":10,\"output_tokens\":1,\"cache_read_input_tokens\":5}"));
	usage_read(&next, value("{\"output_tokens\":42}"));
	usage_overlay(&u, &next);
	ok(is(u.prompt, 15) && is(u.completion, 42) && is(u.cached, 5) && is(u.total, NONE));
}

int
main(void)
{
	providers();
	nothing();
	by_time();
	own_tools();
	overlay();
	return done();
}
