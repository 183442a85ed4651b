/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_read.c: reads a price file in our own format, described in
 * pricing/README.md. A member that is not known is an error: a rate that is
 * passed over in silence is a wrong bill. Called by prices_table.c.
 */
#include "core/decimal.h"
#include "core/glob.h"
#include "core/when.h"
#include "span/prices_table.h"
#include "span/vendor.h"

/* A member and who takes it. */
struct taker {
	struct slice	name;
	bool		(*take)(struct price_reader *, struct jvalue);
};

/* Hands each member to its taker. */
static bool
take_members(struct price_reader *r, struct jvalue object, const struct taker *takers, size_t n,
    const char *what)
{
	struct jiter it;
	struct jmember m;
	uint32_t seen = 0;
	size_t i;

	if (object.kind != JOBJECT)
		return price_fail(r, object.text, "%s is not an object", what);
	jiter_init(&it, object);
	while (jiter_next(&it, &m)) {
		for (i = 0; i < n && !jkey_is(&m, takers[i].name); i++)
			;
		if (i == n)
			return price_fail(r, m.key_text, "unknown member %.*s of %s", (int)m.key_text.len,
			    m.key_text.ptr, what);
		if (seen & 1u << i)
			return price_fail(r, m.key_text, "the member %.*s of %s twice", (int)m.key_text.len,
			    m.key_text.ptr, what);
		seen |= 1u << i;
		if (!takers[i].take(r, m.value))
			return false;
	}
	return true;
}

/* A decimal as a number, or as a text with one. */
static bool
decimal_take(struct price_reader *r, struct jvalue v, int places, int64_t *out)
{
	struct slice text = v.kind == JSTRING ? jstring_plain(v) : v.text;

	if ((v.kind == JNUMBER || v.kind == JSTRING) && decimal_read(text, places, out))
		return true;
	if (text.len > 0 && *text.ptr == '-')
		return price_fail(r, v.text, "%.*s is negative", (int)v.text.len, v.text.ptr);
	return price_fail(r, v.text, "%.*s is not a decimal number that can be kept",
	    v.text.len < 60 ? (int)v.text.len : 60, v.text.ptr);
}

static bool
number_take(struct price_reader *r, struct jvalue v, const char *what, int64_t most, int64_t *out)
{
	if (v.kind != JNUMBER || !jint(v, out) || *out < 0 || *out > most)
		return price_fail(r, v.text, "%s is not a whole number from 0 to %lld", what, (long long)most);
	return true;
}

static bool
list_take(struct price_reader *r, struct jvalue v, const char *what,
    bool (*take)(struct price_reader *, struct jvalue))
{
	struct jiter it;
	struct jmember m;

	if (v.kind != JARRAY)
		return price_fail(r, v.text, "%s is not a list", what);
	jiter_init(&it, v);
	while (jiter_next(&it, &m))
		if (!take(r, m.value))
			return false;
	return true;
}

/* Digits, x, digits; before that may be a quality and a slash. */
static bool
is_size(struct slice s)
{
	const char *slash = s.len ? memchr(s.ptr, '/', s.len) : NULL;
	size_t x, i;

	if (slash == s.ptr)
		return false;
	if (slash != NULL)
		s = slice_from(s, (size_t)(slash - s.ptr) + 1);
	for (x = 0; x < s.len && s.ptr[x] >= '0' && s.ptr[x] <= '9'; x++)
		;
	for (i = x + 1; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
		;
	return x > 0 && x + 1 < s.len && s.ptr[x] == 'x' && i == s.len;
}

/* Which kind of the group a member is; of images any other is a size. */
static bool
kind_of(enum rate_group group, const struct jmember *m, enum rate_kind *kind)
{
	for (int i = 0; i < RATE_KINDS; i++)
		if (rate_infos[i].group == group && jkey_is(m, rate_infos[i].name)) {
			*kind = (enum rate_kind)i;
			return true;
		}
	*kind = RATE_IMAGES_OUT;
	return group == RATE_IMAGES && m->key_plain && is_size(m->key);
}

/* "request:high": a call with so much context. */
static bool
sized_call(const struct jmember *m, enum rate_kind *kind)
{
	for (int i = 0; i < RATE_KINDS; i++) {
		struct slice name = rate_infos[i].name;

		if (rate_infos[i].group == RATE_CALLS && m->key_plain && m->key.len > name.len + 1 &&
		    m->key.ptr[name.len] == ':' && slice_eq(slice_make(m->key.ptr, name.len), name)) {
			*kind = (enum rate_kind)i;
			return true;
		}
	}
	return false;
}

static bool
group_take(struct price_reader *r, struct jvalue rates, enum rate_group group)
{
	const struct rate_group_info *info = &rate_groups[group];
	struct jiter it;
	struct jmember m;

	if (rates.kind != JOBJECT)
		return price_fail(r, rates.text, "%.*s is not an object", (int)info->member.len, info->member.ptr);
	jiter_init(&it, rates);
	while (jiter_next(&it, &m)) {
		enum rate_kind kind;
		struct slice size = SLICE_NONE;
		int64_t femto;

		if (!kind_of(group, &m, &kind) && !(group == RATE_CALLS && sized_call(&m, &kind)))
			return price_fail(r, m.key_text, "unknown member %.*s of %.*s", (int)m.key_text.len,
			    m.key_text.ptr, (int)info->member.len, info->member.ptr);
		if ((group == RATE_IMAGES || group == RATE_CALLS) && !jkey_is(&m, rate_infos[kind].name))
			size = arena_copy(&r->table->arena, m.key);
		if (!decimal_take(r, m.value, info->places, &femto) ||
		    !price_set_rate(r, kind, femto, size, m.key_text))
			return false;
	}
	return true;
}

#define GROUP(name, group) \
	static bool \
	name(struct price_reader *r, struct jvalue v) \
	{ \
		return group_take(r, v, group); \
	}
GROUP(tokens_take, RATE_TOKENS)
GROUP(characters_take, RATE_CHARS)
GROUP(seconds_take, RATE_SECONDS)
GROUP(images_take, RATE_IMAGES)
GROUP(calls_take, RATE_CALLS)

#define RATE_TAKERS \
	{ SLICE("per_million_tokens"), tokens_take }, { SLICE("per_million_characters"), characters_take }, \
	{ SLICE("per_second"), seconds_take }, { SLICE("per_image"), images_take }, \
	{ SLICE("per_thousand_calls"), calls_take }

static bool
pass(struct price_reader *r, struct jvalue v)
{
	(void)r, (void)v;
	return true;
}

static bool
over_take(struct price_reader *r, struct jvalue v)
{
	if (r->set.prompt_from > 0)
		return price_fail(r, v.text, "a tier has one bound");
	if (!number_take(r, v, "prompt_over", INT64_C(1000000000000), &r->set.prompt_from))
		return false;
	r->set.prompt_from++;
	return true;
}

static bool
from_tokens_take(struct price_reader *r, struct jvalue v)
{
	if (r->set.prompt_from > 0)
		return price_fail(r, v.text, "a tier has one bound");
	return number_take(r, v, "prompt_from", INT64_C(1000000000000), &r->set.prompt_from);
}

/* One of `tiers`; the service tier is that of the set before it. */
static bool
tier_take(struct price_reader *r, struct jvalue v)
{
	static const struct taker takers[] = {
		{ SLICE("prompt_over"), over_take }, { SLICE("prompt_from"), from_tokens_take }, RATE_TAKERS,
	};

	price_set_begin(r, r->set.tier, 0);
	if (!take_members(r, v, takers, sizeof(takers) / sizeof(*takers), "a tier"))
		return false;
	if (r->set.prompt_from == 0)
		return price_fail(r, v.text, "a tier needs prompt_over or prompt_from");
	return price_set_end(r);
}

static bool
tiers_take(struct price_reader *r, struct jvalue v)
{
	return list_take(r, v, "tiers", tier_take);
}

/* The rates of an object go into the set at hand, its tiers into sets of their
 * own behind it. */
static bool
service_take(struct price_reader *r, enum service_tier tier, struct jvalue v)
{
	static const struct taker takers[] = { { SLICE("tiers"), pass }, RATE_TAKERS };
	struct jvalue tiers = jget(v, SLICE("tiers"));

	price_set_begin(r, tier, 0);
	return take_members(r, v, takers, sizeof(takers) / sizeof(*takers), "a service tier") &&
	    price_set_end(r) && (tiers.kind == JNONE || tiers_take(r, tiers));
}

static bool
services_take(struct price_reader *r, struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	int tier;

	if (v.kind != JOBJECT)
		return price_fail(r, v.text, "service_tiers is not an object");
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		for (tier = TIER_PRIORITY; tier < TIERS && !jkey_is(&m, service_tier_names[tier]); tier++)
			;
		if (tier == TIERS)
			return price_fail(r, m.key_text, "unknown service tier %.*s", (int)m.key_text.len, m.key_text.ptr);
		if (!service_take(r, (enum service_tier)tier, m.value))
			return false;
	}
	return true;
}

static bool
vendor_take(struct price_reader *r, struct jvalue v)
{
	const struct vendor *known;

	if (!price_text(r, v, "provider", &r->price.vendor))
		return false;
	known = vendor_named(r->price.vendor);
	if (known != NULL)
		r->price.vendor = known->name;
	return true;
}

static bool
match_take(struct price_reader *r, struct jvalue v)
{
	struct slice name;

	return price_text(r, v, "a name", &name) && price_name(r, name, v.text);
}

static bool
alias_take(struct price_reader *r, struct jvalue v)
{
	struct slice name;

	if (!price_text(r, v, "a name", &name))
		return false;
	if (glob_is_pattern(name))
		return price_fail(r, v.text, "an alias is an exact name");
	return price_name(r, name, v.text);
}

static bool
names_take(struct price_reader *r, struct jvalue v)
{
	if (!list_take(r, v, "match", match_take))
		return false;
	r->price.nmatch = r->price.nnames;
	return true;
}

static bool
aliases_take(struct price_reader *r, struct jvalue v)
{
	return list_take(r, v, "aliases", alias_take);
}

static int
two(const char *p)
{
	return (p[0] - '0') * 10 + p[1] - '0';
}

bool
price_day(struct price_reader *r, struct jvalue v, int64_t *us)
{
	struct slice s = jstring_plain(v);

	if (s.len != 10 || !glob_match(SLICE("####-##-##"), s) || !when_read(s, us) || *us < 0)
		return price_fail(r, v.text, "%.*s is not a day YYYY-MM-DD", v.text.len < 40 ? (int)v.text.len : 40,
		    v.text.ptr);
	return true;
}

static bool
from_take(struct price_reader *r, struct jvalue v)
{
	return price_day(r, v, &r->price.from);
}

static bool
until_take(struct price_reader *r, struct jvalue v)
{
	return price_day(r, v, &r->price.until);
}

static bool
hour_take(struct price_reader *r, struct jvalue v)
{
	struct slice s = jstring_plain(v);
	int *to = r->price.hour_from < 0 ? &r->price.hour_from : &r->price.hour_until;

	if (s.len != 5 || !glob_match(SLICE("##:##"), s) || two(s.ptr) > 23 || two(s.ptr + 3) > 59)
		return price_fail(r, v.text, "%.*s is not a time of day HH:MM", v.text.len < 40 ? (int)v.text.len : 40,
		    v.text.ptr);
	if (r->price.hour_until >= 0)
		return price_fail(r, v.text, "hours are two times of day");
	*to = two(s.ptr) * 60 + two(s.ptr + 3);
	return true;
}

static bool
hours_take(struct price_reader *r, struct jvalue v)
{
	if (!list_take(r, v, "hours", hour_take))
		return false;
	if (r->price.hour_until < 0 || r->price.hour_from == r->price.hour_until)
		return price_fail(r, v.text, "hours are two different times of day");
	return true;
}

static bool
multipliers_take(struct price_reader *r, struct jvalue v)
{
	struct jiter it;
	struct jmember m;

	if (v.kind != JOBJECT)
		return price_fail(r, v.text, "multipliers is not an object");
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		struct slice name;
		int64_t micro;

		if (!m.key_plain || memchr(m.key.ptr, ':', m.key.len) == NULL)
			return price_fail(r, m.key_text, "a multiplier is called name:value");
		name = arena_copy(&r->table->arena, m.key);
		if (!decimal_take(r, m.value, 6, &micro) || !price_multiplier(r, name, micro, m.key_text))
			return false;
	}
	return true;
}

static bool
min_take(struct price_reader *r, struct jvalue v)
{
	return number_take(r, v, "min_seconds", 86400, &r->price.min_seconds);
}

static bool
note_take(struct price_reader *r, struct jvalue v)
{
	return price_text(r, v, "note", &r->price.note);
}

static bool
entry_take(struct price_reader *r, struct jvalue v)
{
	static const struct taker takers[] = {
		{ SLICE("provider"), vendor_take }, { SLICE("match"), names_take }, { SLICE("aliases"), pass },
		{ SLICE("from"), from_take }, { SLICE("until"), until_take }, { SLICE("hours"), hours_take },
		{ SLICE("tiers"), pass }, { SLICE("service_tiers"), pass },
		{ SLICE("multipliers"), multipliers_take }, { SLICE("min_seconds"), min_take },
		{ SLICE("note"), note_take }, RATE_TAKERS,
	};
	struct jvalue aliases = jget(v, SLICE("aliases")), tiers = jget(v, SLICE("tiers"));
	struct jvalue services = jget(v, SLICE("service_tiers"));

	price_begin(r, v.text);
	price_set_begin(r, TIER_STANDARD, 0);
	if (!take_members(r, v, takers, sizeof(takers) / sizeof(*takers), "an entry") || !price_set_end(r))
		return false;
	if (r->price.nmatch == 0)
		return price_fail(r, v.text, "an entry needs match, a list of names");
	if (r->price.from >= r->price.until)
		return price_fail(r, v.text, "until is not after from");
	if (aliases.kind != JNONE && !aliases_take(r, aliases))
		return false;
	/* what these are of stands in the set: standard first */
	price_set_begin(r, TIER_STANDARD, 0);
	if ((tiers.kind != JNONE && !tiers_take(r, tiers)) || (services.kind != JNONE && !services_take(r, services)))
		return false;
	return price_end(r);
}

static bool
format_take(struct price_reader *r, struct jvalue v)
{
	int64_t format;

	if (!jint(v, &format) || format != 1)
		return price_fail(r, v.text, "format %.*s is not known, only 1", v.text.len < 40 ? (int)v.text.len : 40,
		    v.text.ptr);
	return true;
}

static bool
updated_take(struct price_reader *r, struct jvalue v)
{
	int64_t day;

	return price_day(r, v, &day);
}

static bool
source_take(struct price_reader *r, struct jvalue v)
{
	struct slice text;

	return price_text(r, v, "a source", &text);
}

static bool
sources_take(struct price_reader *r, struct jvalue v)
{
	return list_take(r, v, "sources", source_take);
}

static bool
name_take(struct price_reader *r, struct jvalue v)
{
	return price_text(r, v, "name", &r->table->name);
}

static bool
prices_take(struct price_reader *r, struct jvalue v)
{
	return list_take(r, v, "prices", entry_take);
}

/* "name date", as cost_details calls it. */
static bool
name_finish(struct price_reader *r, struct jvalue updated)
{
	struct buf name;

	buf_init(&name, 1000);
	buf_slice(&name, r->table->name);
	if (updated.kind == JSTRING) {
		buf_byte(&name, ' ');
		buf_slice(&name, jstring_plain(updated));
	}
	r->table->name = arena_copy(&r->table->arena, buf_view(&name));
	buf_free(&name);
	return true;
}

bool
prices_read_own(struct price_reader *r, struct jvalue file)
{
	static const struct taker takers[] = {
		{ SLICE("format"), format_take }, { SLICE("name"), name_take }, { SLICE("updated"), updated_take },
		{ SLICE("sources"), sources_take }, { SLICE("prices"), pass },
	};
	struct jvalue prices = jget(file, SLICE("prices"));

	if (!take_members(r, file, takers, sizeof(takers) / sizeof(*takers), "the file"))
		return false;
	if (prices.kind == JNONE || jget(file, SLICE("name")).kind == JNONE)
		return price_fail(r, file.text, "a price file needs name and prices");
	return name_finish(r, jget(file, SLICE("updated"))) && prices_take(r, prices);
}
