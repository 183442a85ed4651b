/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_genai.c: reads the data of genai-prices: a list of providers, their
 * models with a match of names, and prices that may be a history. Called by
 * prices_table.c.
 */
#include <stdio.h>

#include "core/decimal.h"
#include "core/glob.h"
#include "span/model_name.h"
#include "span/prices_table.h"
#include "span/vendor.h"

#define STARTS 16	/* bounds of tiers of one model */
#define START_MAX INT64_C(1000000000000)
#define HOUR 3600

static const struct {
	struct slice	name;
	enum rate_kind	kind;
	int		places;		/* that make the figure 10^-15 USD a unit */
	int		divisor;
} rates[] = {
	{ SLICE("input_mtok"), RATE_INPUT, 9, 1 },
	{ SLICE("output_mtok"), RATE_OUTPUT, 9, 1 },
	{ SLICE("cache_read_mtok"), RATE_CACHE_READ, 9, 1 },
	{ SLICE("cache_write_mtok"), RATE_CACHE_WRITE, 9, 1 },
	{ SLICE("cache_write_1h_mtok"), RATE_CACHE_WRITE_1H, 9, 1 },
	{ SLICE("input_audio_mtok"), RATE_AUDIO_IN, 9, 1 },
	{ SLICE("output_audio_mtok"), RATE_AUDIO_OUT, 9, 1 },
	{ SLICE("input_image_mtok"), RATE_IMAGE_IN, 9, 1 },
	{ SLICE("output_image_mtok"), RATE_IMAGE_OUT, 9, 1 },
	{ SLICE("output_reasoning_mtok"), RATE_REASONING, 9, 1 },
	{ SLICE("audio_hours"), RATE_SECONDS_IN, 15, HOUR },
	{ SLICE("input_audio_hours"), RATE_SECONDS_IN, 15, HOUR },
	{ SLICE("requests_kcount"), RATE_REQUESTS, 12, 1 },
	{ SLICE("web_searches_kcount"), RATE_WEB_SEARCHES, 12, 1 },
	{ SLICE("input_document_kpages"), RATE_PAGES, 12, 1 },
};
enum { RATES = sizeof(rates) / sizeof(*rates) };

/* The price of that bound, 0: the base one. JNONE: there is none. */
static struct jvalue
price_at(struct jvalue price, int64_t start)
{
	struct jvalue tiers = jget(price, SLICE("tiers")), found = { .kind = JNONE };
	struct jiter it;
	struct jmember m;
	int64_t at;

	if (start == 0)
		return price.kind == JOBJECT ? jget(price, SLICE("base")) : price;
	if (tiers.kind != JARRAY)
		return found;
	jiter_init(&it, tiers);
	while (jiter_next(&it, &m))
		if (jint(jget(m.value, SLICE("start")), &at) && at == start)
			found = jget(m.value, SLICE("price"));
	return found;
}

/* The rates of one bound into a set. */
static bool
set_read(struct price_reader *r, struct jvalue prices, int64_t start)
{
	struct slice text;
	int64_t femto;

	price_set_begin(r, TIER_STANDARD, start > 0 ? start + 1 : 0);
	for (size_t i = 0; i < RATES; i++) {
		struct jvalue v = price_at(jget(prices, rates[i].name), start);

		/* some are told in two ways */
		if (v.kind == JNONE || v.kind == JNULL || price_set_has(r, rates[i].kind))
			continue;
		text = v.kind == JSTRING ? jstring_plain(v) : v.text;
		if ((v.kind != JNUMBER && v.kind != JSTRING) || !decimal_read(text, rates[i].places, &femto))
			return price_fail(r, v.text, "%.*s is no price", v.text.len < 60 ? (int)v.text.len : 60, v.text.ptr);
		femto = (femto + rates[i].divisor / 2) / rates[i].divisor;
		if (!price_set_rate(r, rates[i].kind, femto, SLICE_NONE, v.text))
			return false;
	}
	return r->nrates == 0 || price_set_end(r);
}

/* Where the tiers of any of the prices start. */
static size_t
starts_find(struct jvalue prices, int64_t starts[STARTS])
{
	struct jiter all, it;
	struct jmember price, tier;
	size_t n = 0, i;
	int64_t at;

	jiter_init(&all, prices);
	while (jiter_next(&all, &price)) {
		struct jvalue tiers = jget(price.value, SLICE("tiers"));

		if (tiers.kind != JARRAY)
			continue;
		jiter_init(&it, tiers);
		while (n < STARTS && jiter_next(&it, &tier)) {
			if (!jint(jget(tier.value, SLICE("start")), &at) || at <= 0 || at > START_MAX)
				continue;
			for (i = 0; i < n && starts[i] != at; i++)
				;
			if (i == n)
				starts[n++] = at;
		}
	}
	return n;
}

static void
unknown_note(struct price_reader *r, struct jvalue prices)
{
	struct jiter it;
	struct jmember m;
	size_t i;

	jiter_init(&it, prices);
	while (jiter_next(&it, &m)) {
		for (i = 0; i < RATES && !jkey_is(&m, rates[i].name); i++)
			;
		if (i == RATES)
			price_note(r, "line %u: %.*s: the price of %.*s is of no kind that is known here", r->price.line,
			    (int)r->names[0].len, r->names[0].ptr, (int)m.key.len, m.key.ptr);
	}
}

static bool
rates_read(struct price_reader *r, struct jvalue prices)
{
	int64_t starts[STARTS];
	size_t n = starts_find(prices, starts);

	if (prices.kind != JOBJECT)
		return price_fail(r, prices.text, "prices are not an object");
	unknown_note(r, prices);
	if (!set_read(r, prices, 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!set_read(r, prices, starts[i]))
			return false;
	return true;
}

/* A regular expression that is but text and digits, as a pattern of ours. */
static bool
pattern_of(struct slice regex, struct buf *out)
{
	if (regex.len < 2 || *regex.ptr != '^' || regex.ptr[regex.len - 1] != '$')
		return false;
	for (size_t i = 1; i + 1 < regex.len; i++) {
		char c = regex.ptr[i];
		int times = 1;

		if (c == '\\' && regex.ptr[i + 1] == 'd') {
			i++;
			if (i + 3 < regex.len && regex.ptr[i + 1] == '{' && regex.ptr[i + 2] >= '1' &&
			    regex.ptr[i + 2] <= '9' && regex.ptr[i + 3] == '}') {
				times = regex.ptr[i + 2] - '0';
				i += 3;
			}
			while (times-- > 0)
				buf_byte(out, '#');
			continue;
		}
		/* only signs stand for themselves behind one; * and # say something else in ours */
		if (c == '\\') {
			c = regex.ptr[++i];
			if (i + 1 == regex.len || strchr("()[]{}.+?|$^/-_", c) == NULL)
				return false;
		} else if (strchr("()[]{}.*#+?|$^", c) != NULL)
			return false;
		buf_byte(out, c);
	}
	return true;
}

static bool
name_add(struct price_reader *r, const struct buf *name, struct slice where)
{
	struct slice copy = arena_copy(&r->table->arena, buf_view(name));

	for (size_t i = 0; i < r->price.nnames; i++)
		if (slice_caseeq(r->names[i], copy))
			return true;
	return name->len == 0 || name->len > MODEL_NAME_MAX || price_name(r, copy, where);
}

/* Another reader's matches into names; what cannot be said is noted, the
 * model's id stands for it. */
static bool
match_read(struct price_reader *r, struct jvalue match, int depth)
{
	struct jiter it, list;
	struct jmember m, each;
	struct buf name;
	bool good = true;

	jiter_init(&it, match);
	while (good && match.kind == JOBJECT && jiter_next(&it, &m)) {
		buf_init(&name, 10000);
		if (jkey_is(&m, SLICE("or")) && m.value.kind == JARRAY && depth < 8) {
			jiter_init(&list, m.value);
			while (good && jiter_next(&list, &each))
				good = match_read(r, each.value, depth + 1);
		} else if (m.value.kind == JSTRING && jkey_is(&m, SLICE("regex"))) {
			struct buf regex;

			buf_init(&regex, 10000);
			jstring(m.value, &regex);
			if (pattern_of(buf_view(&regex), &name))
				good = name_add(r, &name, m.key_text);
			else
				price_note(r, "line %u: a match by %.*s is not understood", r->line,
				    (int)m.value.text.len < 80 ? (int)m.value.text.len : 80, m.value.text.ptr);
			buf_free(&regex);
		} else if (m.value.kind == JSTRING) {
			if (jkey_is(&m, SLICE("ends_with")) || jkey_is(&m, SLICE("contains")))
				buf_byte(&name, '*');
			jstring(m.value, &name);
			if (jkey_is(&m, SLICE("starts_with")) || jkey_is(&m, SLICE("contains")))
				buf_byte(&name, '*');
			good = name_add(r, &name, m.key_text);
		} else
			price_note(r, "line %u: a match by %.*s is not understood", r->line,
			    (int)m.key_text.len < 80 ? (int)m.key_text.len : 80, m.key_text.ptr);
		buf_free(&name);
	}
	return good;
}

static bool
names_read(struct price_reader *r, struct slice vendor, struct jvalue model)
{
	struct jvalue id = jget(model, SLICE("id"));
	struct slice name;

	price_begin(r, model.text);
	r->price.vendor = vendor;
	if (!price_text(r, id, "a model's id", &name) || !price_name(r, name, id.text) ||
	    !match_read(r, jget(model, SLICE("match")), 0))
		return false;
	r->price.nmatch = r->price.nnames;
	return true;
}

/* "16:30:00Z" to minutes of the day. */
static bool
minutes_read(struct jvalue v, int *out)
{
	struct slice s = jstring_plain(v);

	if (s.len < 5 || !glob_match(SLICE("##:##"), slice_make(s.ptr, 5)))
		return false;
	*out = ((s.ptr[0] - '0') * 10 + s.ptr[1] - '0') * 60 + (s.ptr[3] - '0') * 10 + s.ptr[4] - '0';
	return *out < 24 * 60 && s.ptr[3] < '6';
}

/* When a price holds. One by the hour holds from the day of the one before it. */
static bool
constraint_read(struct price_reader *r, struct jvalue constraint, int64_t *from)
{
	struct jvalue day = jget(constraint, SLICE("start_date"));

	if (day.kind == JSTRING && !price_day(r, day, from))
		return false;
	r->price.from = *from;
	if (jget(constraint, SLICE("start_time")).kind == JSTRING &&
	    (!minutes_read(jget(constraint, SLICE("start_time")), &r->price.hour_from) ||
	    !minutes_read(jget(constraint, SLICE("end_time")), &r->price.hour_until)))
		return price_fail(r, constraint.text, "a time of day that is none");
	if (r->price.hour_from == r->price.hour_until)
		r->price.hour_from = r->price.hour_until = -1;	/* all day */
	return true;
}

static bool
model_read(struct price_reader *r, struct slice vendor, struct jvalue model)
{
	struct jvalue prices = jget(model, SLICE("prices"));
	int64_t from = INT64_MIN;
	struct jiter it;
	struct jmember m;

	if (model.kind != JOBJECT)
		return price_fail(r, model.text, "a model is not an object");
	if (prices.kind != JARRAY)
		return names_read(r, vendor, model) && rates_read(r, prices) && (r->price.nsets == 0 || price_end(r));
	jiter_init(&it, prices);
	while (jiter_next(&it, &m))
		if (!names_read(r, vendor, model) || !constraint_read(r, jget(m.value, SLICE("constraint")), &from) ||
		    !rates_read(r, jget(m.value, SLICE("prices"))) || (r->price.nsets > 0 && !price_end(r)))
			return false;
	return true;
}

static bool
provider_read(struct price_reader *r, struct jvalue provider)
{
	struct jvalue models = jget(provider, SLICE("models"));
	const struct vendor *known;
	struct slice vendor;
	struct jiter it;
	struct jmember m;

	r->where = provider.text;
	r->price.line = 0;
	if (!price_text(r, jget(provider, SLICE("id")), "a provider's id", &vendor))
		return false;
	known = vendor_named(vendor);
	if (known != NULL)
		vendor = known->name;
	else if (slice_starts(vendor, SLICE("huggingface_")))
		vendor = SLICE("huggingface");
	if (models.kind != JARRAY)
		return price_fail(r, provider.text, "models is not a list");
	jiter_init(&it, models);
	while (jiter_next(&it, &m))
		if (!model_read(r, vendor, m.value))
			return false;
	return true;
}

bool
prices_read_genai(struct price_reader *r, struct jvalue list)
{
	struct jiter it;
	struct jmember m;

	r->lenient = true;
	jiter_init(&it, list);
	while (jiter_next(&it, &m))
		if (m.value.kind != JOBJECT ? !price_fail(r, m.value.text, "a provider is not an object") :
		    !provider_read(r, m.value))
			return false;
	return true;
}
