/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_print.c: an entry as a price file has it, on one line. Called by the
 * command line, which shows entries and turns foreign files into ours.
 */
#include "core/decimal.h"
#include "span/prices.h"
#include "span/span.h"

#define DAY_US INT64_C(86400000000)

/* Starts a member; the buf tells whether it is the first of its object. */
static void
member(struct buf *out, struct slice name)
{
	char last = out->len > 0 ? out->ptr[out->len - 1] : '{';

	buf_str(out, last == '{' || last == '[' ? "" : ", ");
	buf_json_string(out, name);
	buf_str(out, ": ");
}

static void
names_print(const struct price *p, size_t from, size_t to, struct slice name, struct buf *out)
{
	if (from == to)
		return;
	member(out, name);
	buf_byte(out, '[');
	for (size_t i = from; i < to; i++) {
		buf_str(out, i > from ? ", " : "");
		buf_json_string(out, p->names[i]);
	}
	buf_byte(out, ']');
}

static void
day_print(struct slice name, int64_t us, struct buf *out)
{
	struct buf time;

	if (us == INT64_MIN || us == INT64_MAX)
		return;
	buf_init(&time, 64);
	span_time_text(us, &time);
	member(out, name);
	if (time.len >= 10)
		buf_json_string(out, slice_make(time.ptr, 10));
	else
		buf_str(out, "null");
	buf_free(&time);
}

static void
group_print(const struct rate_set *s, enum rate_group group, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < s->n; i++) {
		const struct rate *r = &s->rates[i];

		if (rate_infos[r->kind].group != group)
			continue;
		if (first) {
			member(out, rate_groups[group].member);
			buf_byte(out, '{');
			first = false;
		}
		member(out, r->size.ptr != NULL ? r->size : rate_infos[r->kind].name);
		decimal_print(r->femto, rate_groups[group].places, out);
	}
	if (!first)
		buf_byte(out, '}');
}

static void
rates_print(const struct rate_set *s, struct buf *out)
{
	for (int group = 0; group < RATE_GROUPS; group++)
		group_print(s, (enum rate_group)group, out);
}

/* The tiers for long prompts of one service tier. */
static void
tiers_print(const struct price *p, enum service_tier tier, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < p->nsets; i++) {
		const struct rate_set *s = &p->sets[i];

		if (s->tier != tier || s->prompt_from == 0)
			continue;
		if (first)
			member(out, SLICE("tiers"));
		buf_str(out, first ? "[{" : ", {");
		first = false;
		/* over a round number, or from one on */
		if (s->prompt_from % 10 == 1)
			buf_printf(out, "\"prompt_over\": %lld", (long long)s->prompt_from - 1);
		else
			buf_printf(out, "\"prompt_from\": %lld", (long long)s->prompt_from);
		rates_print(s, out);
		buf_byte(out, '}');
	}
	if (!first)
		buf_byte(out, ']');
}

static void
service_print(const struct price *p, enum service_tier tier, bool *first, struct buf *out)
{
	bool there = false;

	for (size_t i = 0; i < p->nsets; i++)
		there |= p->sets[i].tier == tier;
	if (!there)
		return;
	if (*first) {
		member(out, SLICE("service_tiers"));
		buf_byte(out, '{');
	}
	*first = false;
	member(out, service_tier_names[tier]);
	buf_byte(out, '{');
	for (size_t i = 0; i < p->nsets; i++)
		if (p->sets[i].tier == tier && p->sets[i].prompt_from == 0)
			rates_print(&p->sets[i], out);
	tiers_print(p, tier, out);
	buf_byte(out, '}');
}

static void
multipliers_print(const struct price *p, struct buf *out)
{
	if (p->nmultipliers == 0)
		return;
	member(out, SLICE("multipliers"));
	buf_byte(out, '{');
	for (size_t i = 0; i < p->nmultipliers; i++) {
		member(out, p->multipliers[i].name);
		decimal_print(p->multipliers[i].micro, 6, out);
	}
	buf_byte(out, '}');
}

void
price_print(const struct price *p, struct buf *out)
{
	bool first = true;

	buf_byte(out, '{');
	if (p->vendor.ptr != NULL) {
		member(out, SLICE("provider"));
		buf_json_string(out, p->vendor);
	}
	names_print(p, 0, p->nmatch, SLICE("match"), out);
	names_print(p, p->nmatch, p->nnames, SLICE("aliases"), out);
	day_print(SLICE("from"), p->from, out);
	day_print(SLICE("until"), p->until, out);
	if (p->hour_from >= 0) {
		member(out, SLICE("hours"));
		buf_printf(out, "[\"%02d:%02d\", \"%02d:%02d\"]", p->hour_from / 60, p->hour_from % 60,
		    p->hour_until / 60, p->hour_until % 60);
	}
	for (size_t i = 0; i < p->nsets; i++)
		if (p->sets[i].tier == TIER_STANDARD && p->sets[i].prompt_from == 0)
			rates_print(&p->sets[i], out);
	tiers_print(p, TIER_STANDARD, out);
	for (int tier = TIER_PRIORITY; tier < TIERS; tier++)
		service_print(p, (enum service_tier)tier, &first, out);
	if (!first)
		buf_byte(out, '}');
	multipliers_print(p, out);
	if (p->min_seconds > 0) {
		member(out, SLICE("min_seconds"));
		buf_printf(out, "%lld", (long long)p->min_seconds);
	}
	if (p->note.ptr != NULL) {
		member(out, SLICE("note"));
		buf_json_string(out, p->note);
	}
	buf_byte(out, '}');
}
