/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill.c: the calculation. Called by cost.c for spans, and by the command line
 * and the store for what is priced again.
 */
#include "span/bill.h"

typedef __int128 wide;

/* At most what is left, which it is taken from. */
static int64_t
portion(struct span_int told, int64_t *left)
{
	int64_t n = told.set && told.v > 0 ? told.v : 0;

	if (n > *left)
		n = *left;
	*left -= n;
	return n;
}

/* What the cache gave and took goes first: audio that it held is billed as cached. */
static void
prompt_read(struct use *use, const struct usage *u, int64_t prompt)
{
	int64_t left = prompt, written, *units = use->units;

	units[RATE_CACHE_READ] = portion(u->cached, &left);
	written = portion(u->cache_creation, &left);
	units[RATE_CACHE_WRITE_1H] = portion(u->cache_1h, &written);
	units[RATE_CACHE_WRITE] = written;
	units[RATE_AUDIO_IN] = portion(u->audio_in, &left);
	units[RATE_IMAGE_IN] = portion(u->image_in, &left);
	units[RATE_INPUT] = left;
}

static void
completion_read(struct use *use, const struct usage *u, int64_t completion, enum usage_output output)
{
	int64_t left = completion, *units = use->units;

	units[RATE_AUDIO_OUT] = portion(u->audio_out, &left);
	units[RATE_IMAGE_OUT] = portion(u->image_out, &left);
	units[RATE_REASONING] = portion(u->reasoning, &left);
	if (output == OUTPUT_AUDIO && !u->audio_out.set)
		units[RATE_AUDIO_OUT] = left;
	else if (output == OUTPUT_IMAGE && !u->image_out.set)
		units[RATE_IMAGE_OUT] = left;
	else
		units[RATE_OUTPUT] = left;
}

static int64_t
told_or(struct span_int told, int64_t otherwise)
{
	return told.set && told.v >= 0 ? told.v : otherwise;
}

void
use_read(struct use *use, const struct usage *u, enum usage_output output)
{
	struct span_int prompt = u->prompt;

	/* who tells but a total has no output */
	if (!prompt.set && !u->completion.set)
		prompt = u->total;
	memset(use->units, 0, sizeof(use->units));
	use->has_tokens = prompt.set && prompt.v >= 0 && (output != OUTPUT_AUDIO || u->completion.set);
	use->prompt = use->has_tokens ? prompt.v : 0;
	if (use->has_tokens) {
		prompt_read(use, u, use->prompt);
		completion_read(use, u, told_or(u->completion, 0), output);
	}
	use->units[RATE_CHARS_IN] = told_or(u->characters, -1);
	use->units[RATE_SECONDS_IN] = output == OUTPUT_AUDIO ? -1 : told_or(u->duration, -1);
	use->units[RATE_SECONDS_OUT] = output == OUTPUT_AUDIO ? told_or(u->duration, -1) : -1;
	use->units[RATE_IMAGES_OUT] = told_or(u->images, -1);
	use->units[RATE_CHARS_OUT] = use->units[RATE_IMAGES_IN] = -1;
	use->units[RATE_QUERIES] = told_or(u->queries, -1);
	use->units[RATE_WEB_SEARCHES] = told_or(u->web_searches, 0);
	use->units[RATE_FILE_SEARCHES] = told_or(u->file_searches, 0);
	use->units[RATE_CODE_INTERPRETERS] = told_or(u->code_interpreters, 0);
}

void
use_says(struct use *use, struct jvalue usage)
{
	struct jiter it;
	struct jmember m;

	use->nsays = 0;
	if (usage.kind != JOBJECT)
		return;
	jiter_init(&it, usage);
	while (use->nsays < USE_SAYS && jiter_next(&it, &m)) {
		struct slice value = jstring_plain(m.value);

		if (m.key_plain && m.key.len <= 40 && value.len > 0 && value.len <= 40 &&
		    !slice_eq(m.key, SLICE("type")) && !slice_eq(m.key, SLICE("service_tier"))) {
			use->says[use->nsays].name = m.key;
			use->says[use->nsays++].value = value;
		}
	}
}

/* units * rate in 10^-12 USD. False: over what can be kept. */
static bool
amount(enum rate_kind kind, int64_t units, int64_t femto, int64_t *pico)
{
	wide scale = rate_infos[kind].group == RATE_SECONDS ? 1000000000 : 1000;
	wide sum = ((wide)units * femto + scale / 2) / scale;

	*pico = PICO_NONE;
	if (sum > INT64_MAX)
		return false;
	*pico = (int64_t)sum;
	return true;
}

/* A line, and its amount to the sum. What is billed by the call does not make
 * the whole unknown: it is told. */
static void
line_add(struct bill *bill, enum rate_kind kind, int64_t units, int64_t femto)
{
	struct bill_line *line = &bill->lines[bill->nlines];

	if (units <= 0)
		return;
	*line = (struct bill_line){ .kind = kind, .units = units, .femto = femto, .pico = PICO_NONE };
	bill->nlines++;
	if (femto == RATE_NONE) {
		bill->warned[WARN_RATE_UNKNOWN] = bill->found;
		bill->known &= rate_infos[kind].group == RATE_CALLS;
	} else if (!amount(kind, units, femto, &line->pico) ||
	    __builtin_add_overflow(bill->pico, line->pico, &bill->pico)) {
		bill->warned[WARN_COST_TOO_LARGE] = true;
		bill->known = false;
		bill->pico = 0;
	}
}

/* How much of the web went into the answer's context, where the usage says it. */
static struct slice
context_size(const struct use *use)
{
	for (size_t i = 0; i < use->nsays; i++)
		if (slice_eq(use->says[i].name, SLICE("search_context_size")))
			return use->says[i].value;
	return SLICE_NONE;
}

static void
table_line(struct bill *bill, const struct use *use, enum rate_kind kind, int64_t units)
{
	struct slice size = rate_infos[kind].group == RATE_CALLS ? context_size(use) : use->image_size;
	bool missing = false;
	int64_t femto = RATE_NONE;

	if (bill->found && bill->at.free)
		femto = 0;
	else if (bill->found)
		femto = price_rate(bill->at.price, kind, bill->tier, use->prompt, size, &missing);
	line_add(bill, kind, units, femto);
}

static int64_t
billed_seconds(const struct bill *bill, int64_t us)
{
	int64_t least = bill->found && !bill->at.free ? bill->at.price->min_seconds * 1000000 : 0;

	return us < least ? least : us;
}

/* Has the entry rates of the group, and was so much measured? */
static bool
goes_by(const struct bill *bill, const struct use *use, enum rate_group group)
{
	if (!bill->found)
		return group == RATE_TOKENS ? use->has_tokens : false;
	if (bill->at.free)
		return group == RATE_TOKENS;
	if (!price_has(bill->at.price, group))
		return false;
	if (group == RATE_TOKENS)
		return use->has_tokens;
	for (int kind = 0; kind < RATE_KINDS; kind++)
		if (rate_infos[kind].group == group && use->units[kind] >= 0)
			return true;
	return false;
}

/* What is free, or goes by the call alone, has its price whatever was used. */
static bool
needs_no_measure(const struct bill *bill)
{
	if (!bill->found || bill->at.free)
		return false;
	if (price_is_nothing(bill->at.price))
		return true;
	return price_has(bill->at.price, RATE_CALLS) &&
	    !price_has(bill->at.price, RATE_TOKENS) && !price_has(bill->at.price, RATE_SECONDS) &&
	    !price_has(bill->at.price, RATE_CHARS) && !price_has(bill->at.price, RATE_IMAGES);
}

/* The lines of what the price goes by: tokens, where both are known. */
static void
measured_lines(struct bill *bill, const struct use *use)
{
	int group = RATE_TOKENS;

	while (group < RATE_CALLS && !goes_by(bill, use, (enum rate_group)group))
		group++;
	for (int kind = 0; group < RATE_CALLS && kind < RATE_KINDS; kind++)
		if ((int)rate_infos[kind].group == group)
			table_line(bill, use, (enum rate_kind)kind,
			    kind == RATE_SECONDS_IN && use->units[kind] >= 0 ?
			    billed_seconds(bill, use->units[kind]) : use->units[kind]);
	if (group == RATE_SECONDS && use->units[RATE_SECONDS_OUT] >= 0)
		bill->warned[WARN_COST_BY_DURATION] = true;
	if (group == RATE_CALLS && !needs_no_measure(bill)) {
		bill->warned[WARN_COST_UNMEASURED] = true;
		bill->known = false;
	}
}

/* Each request is one; a search that told neither tokens nor units is one too. */
static void
call_lines(struct bill *bill, const struct use *use)
{
	bool missing, tokens = false;
	int kind;

	for (kind = RATE_INPUT; kind <= RATE_IMAGE_OUT; kind++)
		tokens |= use->has_tokens && use->units[kind] > 0;
	for (kind = 0; kind < RATE_KINDS; kind++) {
		int64_t units = use->units[kind];

		if (rate_infos[kind].group != RATE_CALLS)
			continue;
		if (bill->found && !bill->at.free && (kind == RATE_REQUESTS ||
		    (kind == RATE_QUERIES && units < 0 && !tokens)) &&
		    price_rate(bill->at.price, (enum rate_kind)kind, bill->tier, use->prompt, context_size(use),
		    &missing) != RATE_NONE)
			units = 1;
		table_line(bill, use, (enum rate_kind)kind, units);
	}
}

static void
multiply(struct bill *bill, const struct use *use)
{
	const struct price *p = bill->at.price;
	wide sum = bill->pico;

	for (size_t i = 0; bill->found && !bill->at.free && i < p->nmultipliers; i++)
		for (size_t k = 0; k < use->nsays; k++) {
			struct slice name = use->says[k].name, value = use->says[k].value;
			struct slice have = p->multipliers[i].name;

			if (have.len != name.len + 1 + value.len || bill->nmultipliers == USE_SAYS ||
			    !slice_caseeq(slice_make(have.ptr, name.len), name) ||
			    have.ptr[name.len] != ':' || !slice_caseeq(slice_from(have, name.len + 1), value))
				continue;
			bill->multipliers[bill->nmultipliers++] = &p->multipliers[i];
			if (sum <= INT64_MAX)	/* else it is too large already, and would grow out of this too */
				sum = (sum * p->multipliers[i].micro + 500000) / 1000000;
		}
	if (sum > INT64_MAX) {
		bill->warned[WARN_COST_TOO_LARGE] = true;
		bill->known = false;
	} else
		bill->pico = (int64_t)sum;
}

/* Finds the entry and the tier at which it counts. */
static void
bill_start(const struct prices *prices, const struct use *use, struct bill *bill)
{
	bool missing = false;

	*bill = (struct bill){ .known = true };
	bill->found = prices_find(prices, &use->query, &bill->at);
	bill->tier = service_tier_named(use->service_tier);
	if (bill->tier == TIERS) {
		missing = bill->found;
		bill->tier = TIER_STANDARD;
	}
	if (bill->found && !bill->at.free) {
		(void)price_rate(bill->at.price, RATE_INPUT, bill->tier, use->prompt, SLICE_NONE, &missing);
		bill->bound = price_bound(bill->at.price, bill->tier, use->prompt);
		bill->warned[WARN_PRICE_OF_MAKER] = bill->at.of_maker;
	}
	if (missing)
		bill->tier = TIER_STANDARD;
	bill->warned[WARN_TIER_UNPRICED] = missing;
}

void
bill_make(const struct prices *prices, const struct use *use, struct bill *bill)
{
	bill_start(prices, use, bill);
	if (!bill->found) {
		bill->known = false;
		bill->warned[WARN_PRICE_UNKNOWN] = true;
	}
	measured_lines(bill, use);
	call_lines(bill, use);
	if (bill->known)
		multiply(bill, use);
}

struct slice
bill_source(const struct prices *prices, const struct bill *bill)
{
	if (!bill->known)
		return SLICE("unknown");
	return bill->at.free || bill->at.table == prices->builtin ? SLICE("table") : SLICE("user_table");
}

static bool
is_output(int kind)
{
	return kind >= RATE_OUTPUT && kind <= RATE_IMAGE_OUT;
}

/* The lines of one side by the tables. */
static void
side_lines(struct bill *bill, const struct use *use, bool output)
{
	for (int kind = RATE_INPUT; kind <= RATE_IMAGE_OUT; kind++)
		if (is_output(kind) == output)
			table_line(bill, use, (enum rate_kind)kind, use->units[kind]);
}

void
bill_unit_prices(const struct prices *prices, const struct use *use, int64_t prompt, int64_t completion,
    struct bill *bill)
{
	int64_t said = 0;

	bill_start(prices, use, bill);
	bill->warned[WARN_PRICE_OF_MAKER] = bill->warned[WARN_TIER_UNPRICED] = false;
	for (int kind = RATE_OUTPUT; kind <= RATE_IMAGE_OUT; kind++)
		said += use->units[kind];
	if (!use->has_tokens) {
		bill->warned[WARN_COST_UNMEASURED] = true;
		bill->known = false;
		return;
	}
	if (prompt != RATE_NONE)
		line_add(bill, RATE_INPUT, use->prompt, prompt);
	else
		side_lines(bill, use, false);
	if (completion != RATE_NONE)
		line_add(bill, RATE_OUTPUT, said, completion);
	else
		side_lines(bill, use, true);
	bill->warned[WARN_UNIT_PRICE_ALONE] = (prompt == RATE_NONE || completion == RATE_NONE) && !bill->known &&
	    !bill->warned[WARN_COST_TOO_LARGE];
}
