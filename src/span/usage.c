/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c: every known spelling of usage. Called by the families; it decides
 * nothing about cost.
 */
#include "span/usage.h"

#include "core/decimal.h"
#include "span/json.h"

enum {
	PROMPT, INPUT, COMPLETION, OUTPUT, TOTAL,
	PROMPT_DETAILS, INPUT_DETAILS, INPUT_DETAIL, PROMPT_DETAIL,
	COMPLETION_DETAILS, OUTPUT_DETAILS, OUTPUT_DETAIL,
	CACHE_READ, HIT, CACHED, NUM_CACHED, CREATION, REASONING,
	COST, COST_DETAILS, OWN_KEY, TICKS, ESTIMATED, SECONDS, CREATION_DETAILS, SERVER_TOOLS,
	SERVER_CALLS, CHARACTERS, IMAGES, WEB_SEARCHES, SEARCH_QUERIES, SEARCH_UNITS, MEMBERS
};

static const struct slice names[MEMBERS] = {
	[PROMPT] = SLICE("prompt_tokens"),
	[INPUT] = SLICE("input_tokens"),
	[COMPLETION] = SLICE("completion_tokens"),
	[OUTPUT] = SLICE("output_tokens"),
	[TOTAL] = SLICE("total_tokens"),
	[PROMPT_DETAILS] = SLICE("prompt_tokens_details"),
	[INPUT_DETAILS] = SLICE("input_tokens_details"),
	[INPUT_DETAIL] = SLICE("input_token_details"),
	[PROMPT_DETAIL] = SLICE("prompt_token_details"),
	[COMPLETION_DETAILS] = SLICE("completion_tokens_details"),
	[OUTPUT_DETAILS] = SLICE("output_tokens_details"),
	[OUTPUT_DETAIL] = SLICE("output_token_details"),
	[CACHE_READ] = SLICE("cache_read_input_tokens"),
	[HIT] = SLICE("prompt_cache_hit_tokens"),
	[CACHED] = SLICE("cached_tokens"),
	[NUM_CACHED] = SLICE("num_cached_tokens"),
	[CREATION] = SLICE("cache_creation_input_tokens"),
	[REASONING] = SLICE("reasoning_tokens"),
	[COST] = SLICE("cost"),
	[COST_DETAILS] = SLICE("cost_details"),
	[OWN_KEY] = SLICE("is_byok"),
	[TICKS] = SLICE("cost_in_usd_ticks"),
	[ESTIMATED] = SLICE("estimated_cost"),
	[SECONDS] = SLICE("seconds"),
	[CREATION_DETAILS] = SLICE("cache_creation"),
	[SERVER_TOOLS] = SLICE("server_tool_use"),
	[SERVER_CALLS] = SLICE("server_side_tool_usage_details"),
	[CHARACTERS] = SLICE("characters"),
	[IMAGES] = SLICE("images"),
	[WEB_SEARCHES] = SLICE("web_search_requests"),
	[SEARCH_QUERIES] = SLICE("num_search_queries"),
	[SEARCH_UNITS] = SLICE("search_units"),
};

/* Some providers write counts as 12.0 or even 12.5. */
static void
count_read(struct span_int *out, struct jvalue v)
{
	double number;

	if (out->set || v.kind != JNUMBER)
		return;
	if (jint(v, &out->v))
		out->set = true;
	else if (jnumber(v, &number) && number > -9e15 && number < 9e15)
		*out = (struct span_int){ true, (int64_t)number };
}

/* The first of the members that is a number. */
static void
count_first(struct span_int *out, const struct jvalue *v, const int *which, size_t n)
{
	while (n-- > 0)
		count_read(out, v[*which++]);
}

static void
count_within(struct span_int *out, const struct jvalue *v, const int *which, size_t n,
    struct slice name)
{
	while (n-- > 0)
		count_read(out, jget(v[*which++], name));
}

/* Anthropic counts apart from input_tokens what its cache gave and took. */
static void
prompt_add(struct span_int *prompt, struct jvalue tokens)
{
	struct span_int more = { .set = false };

	count_read(&more, tokens);
	if (prompt->set && more.set && __builtin_add_overflow(prompt->v, more.v, &prompt->v))
		prompt->set = false;
}

#define FIRST(out, ...) \
	count_first(&(out), v, (const int[]){ __VA_ARGS__ }, \
	    sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))
#define WITHIN(out, name, ...) \
	count_within(&(out), v, (const int[]){ __VA_ARGS__ }, \
	    sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int), SLICE(name))

/* With a key of one's own OpenRouter charges a fee, often none, and the maker
 * the rest to the key's owner: what that was is told beside it. */
static void
own_key_add(struct span_int *cost, struct jvalue details)
{
	struct jvalue rest = jget(details, SLICE("upstream_inference_cost"));
	int64_t more;

	cost->set &= rest.kind == JNUMBER && decimal_read(rest.text, 12, &more) &&
	    !__builtin_add_overflow(cost->v, more, &cost->v);
}

static void
cost_read(struct span_int *out, const struct jvalue *v)
{
	struct jvalue cost = v[COST];
	int64_t ticks;

	if (cost.kind == JOBJECT)
		cost = jget(cost, SLICE("total_cost"));
	if (cost.kind == JNUMBER) {
		out->set = decimal_read(cost.text, 12, &out->v);
		if (v[OWN_KEY].kind == JTRUE)
			own_key_add(out, v[COST_DETAILS]);
	}
	else if (v[TICKS].kind == JNUMBER && jint(v[TICKS], &ticks) &&
	    ticks >= 0 && ticks < INT64_MAX / 100)
		*out = (struct span_int){ true, ticks * 100 };	/* a tick is 10^-10 USD */
	else if (v[ESTIMATED].kind == JNUMBER)
		out->set = decimal_read(v[ESTIMATED].text, 12, &out->v);
}

/* {"type":"duration","seconds":n}: whisper's. */
static void
duration_read(struct span_int *out, struct jvalue seconds)
{
	double v;

	if (jnumber(seconds, &v) && v >= 0 && v < 1e9)
		*out = (struct span_int){ true, (int64_t)(v * 1e6 + 0.5) };
}

/* Some providers count reasoning beside the completion, of which it is a part,
 * or do not tell it at all: the total does. */
static void
completion_whole(struct usage *u)
{
	int64_t output, more;

	if (u->prompt.set && u->completion.set && u->total.set &&
	    !__builtin_sub_overflow(u->total.v, u->prompt.v, &output) &&
	    !__builtin_sub_overflow(output, u->completion.v, &more) && more > 0 &&
	    (!u->reasoning.set || u->reasoning.v == more))
		u->completion.v = output;
}

/* xAI's calls of its own tools; a search of X costs what one of the web does. */
static void
calls_read(struct usage *u, const struct jvalue *v)
{
	struct span_int more = { .set = false };

	WITHIN(u->web_searches, "web_search_calls", SERVER_CALLS);
	WITHIN(more, "x_search_calls", SERVER_CALLS);
	if (!u->web_searches.set)
		u->web_searches = more;
	else if (more.set && __builtin_add_overflow(u->web_searches.v, more.v, &u->web_searches.v))
		u->web_searches.set = false;
	WITHIN(u->file_searches, "file_search_calls", SERVER_CALLS);
	WITHIN(u->code_interpreters, "code_interpreter_calls", SERVER_CALLS);
}

/* The parts of prompt and completion that have prices of their own, and what is
 * billed beside tokens. */
static void
parts_read(struct usage *u, const struct jvalue *v)
{
	WITHIN(u->cache_1h, "ephemeral_1h_input_tokens", CREATION_DETAILS);
	WITHIN(u->audio_in, "audio_tokens", PROMPT_DETAILS, INPUT_DETAILS, INPUT_DETAIL, PROMPT_DETAIL);
	WITHIN(u->image_in, "image_tokens", PROMPT_DETAILS, INPUT_DETAILS, INPUT_DETAIL);
	WITHIN(u->audio_out, "audio_tokens", COMPLETION_DETAILS, OUTPUT_DETAILS, OUTPUT_DETAIL);
	WITHIN(u->image_out, "image_tokens", COMPLETION_DETAILS, OUTPUT_DETAILS, OUTPUT_DETAIL);
	FIRST(u->characters, CHARACTERS);
	FIRST(u->images, IMAGES);
	FIRST(u->queries, SEARCH_UNITS);
	FIRST(u->web_searches, WEB_SEARCHES, SEARCH_QUERIES);
	WITHIN(u->web_searches, "web_search_requests", SERVER_TOOLS);
	if (v[SERVER_CALLS].kind == JOBJECT)
		calls_read(u, v);
}

bool
usage_read(struct usage *u, struct jvalue object)
{
	struct jvalue v[MEMBERS];

	*u = (struct usage){ .prompt.set = false };
	if (object.kind != JOBJECT)
		return false;
	json_pick(object, names, v, MEMBERS);
	FIRST(u->prompt, PROMPT, INPUT);
	FIRST(u->completion, COMPLETION, OUTPUT);
	FIRST(u->total, TOTAL);
	WITHIN(u->cached, "cached_tokens", PROMPT_DETAILS, INPUT_DETAILS, INPUT_DETAIL);
	FIRST(u->cached, CACHE_READ, HIT, CACHED, NUM_CACHED);
	WITHIN(u->cached, "cached_tokens", PROMPT_DETAIL);
	FIRST(u->cache_creation, CREATION);
	WITHIN(u->cache_creation, "cache_write_tokens", PROMPT_DETAILS, INPUT_DETAILS);
	WITHIN(u->cache_creation, "cache_creation_tokens", PROMPT_DETAILS);
	if (v[PROMPT].kind != JNUMBER && v[INPUT_DETAILS].kind != JOBJECT) {
		prompt_add(&u->prompt, v[CACHE_READ]);
		prompt_add(&u->prompt, v[CREATION]);
	}
	WITHIN(u->reasoning, "reasoning_tokens", COMPLETION_DETAILS, OUTPUT_DETAILS, OUTPUT_DETAIL);
	FIRST(u->reasoning, REASONING);
	WITHIN(u->reasoning, "thinking_tokens", OUTPUT_DETAILS);
	completion_whole(u);
	parts_read(u, v);
	cost_read(&u->provider_cost, v);
	duration_read(&u->duration, v[SECONDS]);
	return u->prompt.set || u->completion.set || u->total.set || u->duration.set ||
	    u->characters.set || u->images.set || u->queries.set;
}

void
usage_overlay(struct usage *u, const struct usage *next)
{
	struct span_int *counts = (struct span_int *)u;
	const struct span_int *told = (const struct span_int *)next;
	size_t i;

	/* it is made of nothing else */
	for (i = 0; i < sizeof(*u) / sizeof(*counts); i++)
		if (told[i].set)
			counts[i] = told[i];
}

static void
count_print(const char *name, const struct span_int *count, struct buf *out)
{
	if (count->set)
		buf_printf(out, "%s\"%s\":%lld", out->len > 1 ? "," : "", name, (long long)count->v);
}

void
usage_print(const struct usage *u, struct buf *out)
{
	struct span_int total = { u->prompt.set && u->completion.set, 0 };

	if (__builtin_add_overflow(u->prompt.v, u->completion.v, &total.v))
		total.set = false;
	buf_clear(out);
	buf_byte(out, '{');
	count_print("prompt_tokens", &u->prompt, out);
	count_print("completion_tokens", &u->completion, out);
	count_print("total_tokens", &total, out);
	buf_byte(out, '}');
}
