/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices.c: finds the entry for a model, and the rate in an entry. Called by
 * bill.c and by the command line.
 */
#include "span/prices.h"

#include "core/glob.h"
#include "core/record.h"
#include "span/model_name.h"
#include "span/prices_table.h"
#include "span/vendor.h"

#define MAKERS 32	/* vendors that are asked for one query */
#define DAY_MINUTES 1440

const struct rate_info rate_infos[RATE_KINDS] = {
#define RATE(symbol, group, name, fallback) { { name, sizeof(name) - 1 }, RATE_##group, RATE_##fallback },
#include "span/rate.tbl.h"
#undef RATE
};

const struct rate_group_info rate_groups[RATE_GROUPS] = {
	[RATE_TOKENS] = { { "per_million_tokens", 18 }, 1000000, 9, "token" },
	[RATE_CHARS] = { { "per_million_characters", 22 }, 1000000, 9, "character" },
	[RATE_SECONDS] = { { "per_second", 10 }, 1, 15, "second" },
	[RATE_IMAGES] = { { "per_image", 9 }, 1, 15, "image" },
	[RATE_CALLS] = { { "per_thousand_calls", 18 }, 1000, 12, "call" },
};

const struct slice service_tier_names[TIERS] = {
	[TIER_STANDARD] = { "standard", 8 }, [TIER_PRIORITY] = { "priority", 8 },
	[TIER_FLEX] = { "flex", 4 }, [TIER_BATCH] = { "batch", 5 },
};

enum service_tier
service_tier_named(struct slice name)
{
	static const struct { struct slice name; enum service_tier tier; } others[] = {
		{ SLICE("default"), TIER_STANDARD }, { SLICE("auto"), TIER_STANDARD },
		{ SLICE("standard_only"), TIER_STANDARD }, { SLICE("on_demand"), TIER_STANDARD },
		{ SLICE("fast"), TIER_PRIORITY }, { SLICE("batches"), TIER_BATCH },
	};
	size_t i;

	if (name.len == 0)
		return TIER_STANDARD;
	for (i = 0; i < TIERS; i++)
		if (slice_caseeq(name, service_tier_names[i]))
			return (enum service_tier)i;
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (slice_caseeq(name, others[i].name))
			return others[i].tier;
	return TIERS;
}

uint32_t
prices_id(const struct prices *prices)
{
	uint32_t id = 0;

	for (size_t i = 0; i < prices->n; i++)
		id = crc32c(id, &prices->tables[i]->id, sizeof(prices->tables[i]->id));
	return id;
}

static bool
holds(const struct price *p, int64_t at)
{
	int64_t minute = at / 60000000 % DAY_MINUTES;
	int span = (p->hour_until - p->hour_from + DAY_MINUTES) % DAY_MINUTES;

	if (at < p->from || at >= p->until)
		return false;
	minute += minute < 0 ? DAY_MINUTES : 0;
	return p->hour_from < 0 || (minute - p->hour_from + DAY_MINUTES) % DAY_MINUTES < span;
}

/* An entry that would do. */
struct match {
	const struct price *price;
	bool	named;		/* for this vendor, not for any */
	bool	exact;		/* its name is spelled so */
	size_t	length;		/* of a pattern; SIZE_MAX for a name */
};

static bool
is_better(const struct match *a, const struct match *b)
{
	if (b->price == NULL)
		return true;
	if (a->length != b->length)
		return a->length > b->length;
	if (a->exact != b->exact)
		return a->exact;
	if (a->named != b->named)
		return a->named;
	if (a->price->from != b->price->from)
		return a->price->from > b->price->from;
	return a->price->hour_from >= 0 && b->price->hour_from < 0;
}

static void
consider(struct match *best, const struct price *p, struct slice vendor, int64_t at, struct match m)
{
	if (p->vendor.ptr != NULL && !slice_caseeq(p->vendor, vendor))
		return;
	if (!holds(p, at))
		return;
	m.price = p;
	m.named = p->vendor.ptr != NULL;
	if (is_better(&m, best))
		*best = m;
}

/* As it is written, else with dots for dashes in versions. */
static bool
pattern_fits(struct slice pattern, struct slice name)
{
	char a[MODEL_NAME_MAX], b[MODEL_NAME_MAX];

	if (glob_match(pattern, name))
		return true;
	model_name_fold(pattern, a);
	model_name_fold(name, b);
	return glob_match(slice_make(a, pattern.len), slice_make(b, name.len));
}

/* The best entry of a table for one name at one vendor, NULL: none. */
static const struct price *
look_up(const struct price_table *t, struct slice vendor, struct slice name, uint32_t hash, int64_t at,
    bool patterns)
{
	struct match best = { .price = NULL };
	uint32_t k;
	size_t i;

	for (k = t->heads[hash & (t->nheads - 1)]; k != 0; k = t->keys[k - 1].next) {
		const struct price_key *key = &t->keys[k - 1];

		if (model_name_alike(key->name, name) && !glob_is_pattern(key->name))
			consider(&best, &t->list[key->entry], vendor, at, (struct match){
			    .exact = slice_caseeq(key->name, name), .length = SIZE_MAX });
	}
	patterns &= best.price == NULL;
	for (i = 0; patterns && i < t->npatterns; i++) {
		const struct price_key *key = &t->keys[t->patterns[i]];

		if (pattern_fits(key->name, name))
			consider(&best, &t->list[key->entry], vendor, at, (struct match){
			    .exact = true, .length = key->name.len });
	}
	return best.price;
}

/* Whose prices are asked for, the provider's own first. */
struct asked {
	bool		reseller;	/* which is known to sell the makers' models */
	bool		gives;		/* whose :free variants cost nothing, whatever patterns say */
	struct slice	vendors[MAKERS];
	size_t		n;
	struct model_names names[2];	/* of the answer's model and the request's */
	uint32_t	hashes[2][MODEL_NAMES];
};

static void
vendors_asked(const struct price_query *q, struct asked *a)
{
	const struct vendor *v = vendor_of_host(q->host), *maker;
	size_t i;

	if (v == NULL)
		v = vendor_named(q->provider);
	a->n = 0;
	a->reseller = v != NULL && v->kind == VENDOR_RESELLER;
	a->vendors[a->n++] = v != NULL ? v->name : q->provider;
	a->gives = slice_eq(a->vendors[0], SLICE("openrouter"));
	if (v != NULL && v->kind != VENDOR_RESELLER)
		return;
	for (i = 0; (maker = vendor_at(i)) != NULL && a->n < MAKERS; i++)
		if (maker->kind == VENDOR_MAKER)
			a->vendors[a->n++] = maker->name;
}

static void
names_asked(const struct price_query *q, struct asked *a)
{
	model_names(q->model, &a->names[0]);
	a->names[1].n = 0;
	a->names[1].free = false;
	if (q->model.ptr == NULL || !slice_eq(q->model, q->request_model))
		model_names(q->request_model, &a->names[1]);
	for (int which = 0; which < 2; which++)
		for (size_t i = 0; i < a->names[which].n; i++)
			a->hashes[which][i] = model_name_hash(slice_make(a->names[which].list[i].text,
			    a->names[which].list[i].len));
}

/* By the names of the answer's model (which: 0) or the request's (1) at one vendor. */
static bool
find_at(const struct price_table *t, const struct price_query *q, const struct asked *a, int which, size_t vendor,
    struct price_found *found)
{
	const struct model_names *names = &a->names[which];

	for (size_t i = 0; i < names->n; i++) {
		struct slice name = slice_make(names->list[i].text, names->list[i].len);
		const struct price *p = look_up(t, a->vendors[vendor], name, a->hashes[which][i], q->at,
		    !(names->free && a->gives));

		if (p == NULL)
			continue;
		*found = (struct price_found){
			.table = t, .price = p, .vendor = p->vendor, .name_len = name.len,
			.of_maker = a->reseller && vendor > 0 && p->vendor.ptr != NULL, .of_request = which == 1,
		};
		memcpy(found->name, name.ptr, name.len);
		return true;
	}
	return false;
}

/* The answer's model goes first, whoever has a price for it: what the request
 * calls a model may be a name of its provider's for another one. */
static bool
find_in(const struct price_table *t, const struct price_query *q, const struct asked *a, struct price_found *found)
{
	for (int which = 0; which < 2; which++)
		for (size_t vendor = 0; vendor < a->n; vendor++)
			if (find_at(t, q, a, which, vendor, found))
				return true;
	return false;
}

bool
prices_find(const struct prices *prices, const struct price_query *q, struct price_found *found)
{
	struct asked asked;

	vendors_asked(q, &asked);
	names_asked(q, &asked);
	for (size_t i = 0; i < prices->n; i++)
		if (find_in(prices->tables[i], q, &asked, found))
			return true;
	if (!asked.names[0].free && !asked.names[1].free)
		return false;
	*found = (struct price_found){ .free = true };
	return asked.gives;
}

/* The set of a service tier whose bound is the highest that the prompt passes;
 * bounded: only one that has a bound. NULL: none. */
static const struct rate_set *
set_for(const struct price *p, enum service_tier tier, int64_t prompt, bool bounded)
{
	const struct rate_set *best = NULL;

	for (size_t i = 0; i < p->nsets; i++) {
		const struct rate_set *s = &p->sets[i];

		if (s->tier == tier && (s->prompt_from > 0) == bounded && s->prompt_from <= prompt &&
		    (best == NULL || s->prompt_from > best->prompt_from))
			best = s;
	}
	return best;
}

static bool
has_tier(const struct price *p, enum service_tier tier)
{
	for (size_t i = 0; i < p->nsets; i++)
		if (p->sets[i].tier == tier)
			return true;
	return false;
}

/* The sets that hold, the strongest first. */
static size_t
sets_for(const struct price *p, enum service_tier tier, int64_t prompt, const struct rate_set *sets[4])
{
	const struct rate_set *of_long = set_for(p, tier, prompt, true);
	const struct rate_set *standard_long = set_for(p, TIER_STANDARD, prompt, true);
	const struct rate_set *order[4] = {
		of_long, set_for(p, tier, prompt, false), standard_long, set_for(p, TIER_STANDARD, prompt, false),
	};
	size_t n = 0;

	/* a long prompt's rates go before those of a tier that knows no long ones */
	if (of_long == NULL && standard_long != NULL) {
		order[2] = order[1];
		order[1] = standard_long;
	}
	for (int i = 0; i < 4; i++)
		if (order[i] != NULL)
			sets[n++] = order[i];
	return n;
}

/* "hd/1024x1792" is asked for by that, or by its size; "request:high" by "high". */
static bool
size_fits(const struct rate *r, struct slice want, bool whole)
{
	const char *slash = want.len ? memchr(want.ptr, '/', want.len) : NULL;
	struct slice have = r->size;

	if (rate_infos[r->kind].group == RATE_CALLS)
		have = slice_from(have, rate_infos[r->kind].name.len + 1);
	if (!whole && slash != NULL)
		want = slice_from(want, (size_t)(slash - want.ptr) + 1);
	return slice_caseeq(have, want);
}

static int64_t
rate_in(const struct rate_set *s, enum rate_kind kind, struct slice size)
{
	int64_t plain = RATE_NONE, sized = RATE_NONE;

	for (size_t i = 0; i < s->n; i++) {
		const struct rate *r = &s->rates[i];

		if (r->kind != kind)
			continue;
		if (r->size.ptr == NULL)
			plain = r->femto;
		else if (size.ptr != NULL && size_fits(r, size, true))
			return r->femto;
		else if (size.ptr != NULL && size_fits(r, size, false))
			sized = r->femto;
	}
	return sized != RATE_NONE ? sized : plain;
}

static int64_t
rate_among(const struct rate_set **sets, size_t n, enum rate_kind kind, struct slice size)
{
	int64_t rate = RATE_NONE;

	for (size_t i = 0; i < n && rate == RATE_NONE; i++)
		rate = rate_in(sets[i], kind, size);
	return rate;
}

int64_t
price_rate(const struct price *p, enum rate_kind kind, enum service_tier tier, int64_t prompt,
    struct slice size, bool *tier_missing)
{
	const struct rate_set *sets[4];
	enum rate_kind other = rate_infos[kind].fallback;
	int64_t rate;
	size_t n;

	if (tier != TIER_STANDARD && !has_tier(p, tier)) {
		*tier_missing = true;
		tier = TIER_STANDARD;
	}
	n = sets_for(p, tier, prompt, sets);
	rate = rate_among(sets, n, kind, size);
	if (rate != RATE_NONE || other == kind)
		return rate;
	rate = rate_among(sets, n, other, size);
	return rate != RATE_NONE && kind == RATE_CACHE_WRITE_1H ? 2 * rate : rate;
}

int64_t
price_bound(const struct price *p, enum service_tier tier, int64_t prompt)
{
	const struct rate_set *s = set_for(p, tier, prompt, true);

	if (s == NULL)
		s = set_for(p, TIER_STANDARD, prompt, true);
	return s != NULL ? s->prompt_from : 0;
}

bool
price_has(const struct price *p, enum rate_group group)
{
	for (size_t i = 0; i < p->nsets; i++)
		for (size_t k = 0; k < p->sets[i].n; k++)
			if (rate_infos[p->sets[i].rates[k].kind].group == group)
				return true;
	return false;
}

bool
price_is_nothing(const struct price *p)
{
	size_t rates = 0;

	for (size_t i = 0; i < p->nsets; i++)
		for (size_t k = 0; k < p->sets[i].n; k++, rates++)
			if (p->sets[i].rates[k].femto != 0)
				return false;
	return rates > 0;
}
