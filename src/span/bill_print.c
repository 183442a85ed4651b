/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_print.c: cost_details, the bill that anybody can check line by line, and
 * what was used back out of it. Called by cost.c, the store and the command
 * line.
 */
#include "core/decimal.h"
#include "core/limits.h"
#include "span/arena.h"
#include "span/bill.h"
#include "span/json.h"

static void
text_member(struct buf *out, const char *name, struct slice text)
{
	if (text.ptr == NULL)
		return;
	buf_printf(out, "%s\"%s\":", out->ptr[out->len - 1] == '{' ? "" : ",", name);
	buf_json_string(out, text);
}

static void
units_print(enum rate_kind kind, int64_t units, struct buf *out)
{
	decimal_print(units, rate_infos[kind].group == RATE_SECONDS ? 6 : 0, out);
}

/* Where a line is of other units than were measured (a shortest length, a unit
 * price for all of a side), these stand beside, to be priced again. */
static void
line_print(const struct bill_line *line, const struct use *use, struct buf *out)
{
	int64_t measured = use->units[line->kind];
	const struct rate_info *info = &rate_infos[line->kind];
	const struct rate_group_info *group = &rate_groups[info->group];

	buf_printf(out, "%s{\"kind\":\"%.*s\",\"unit\":\"%s\",\"units\":", out->ptr[out->len - 1] == '[' ? "" : ",",
	    (int)info->name.len, info->name.ptr, group->unit);
	units_print(line->kind, line->units, out);
	if (measured >= 0 && measured != line->units && info->group != RATE_CALLS) {
		buf_str(out, ",\"measured\":");
		units_print(line->kind, measured, out);
	}
	buf_str(out, ",\"rate\":");
	if (line->femto == RATE_NONE)
		buf_str(out, "null");
	else
		decimal_print(line->femto, group->places, out);
	buf_printf(out, ",\"per\":%lld,\"amount\":", (long long)group->per);
	if (line->pico == PICO_NONE)
		buf_str(out, "null");
	else
		decimal_print(line->pico, 12, out);
	buf_byte(out, '}');
}

static void
price_at_print(const struct bill *bill, struct buf *out)
{
	const struct price_found *at = &bill->at;

	if (!bill->found)
		return;
	buf_str(out, ",\"price\":{");
	if (at->free)
		buf_str(out, "\"free\":true");
	else {
		text_member(out, "table", price_table_name(at->table));
		text_member(out, "provider", at->vendor);
		text_member(out, "match", at->price->names[0]);
		text_member(out, "service_tier", service_tier_names[bill->tier]);
		if (bill->bound > 0)
			buf_printf(out, ",\"prompt_from\":%lld", (long long)bill->bound);
	}
	buf_byte(out, '}');
}

/* Is it always known how many there were? Of others none and not known differ. */
static bool
is_counted(enum rate_kind kind)
{
	return rate_infos[kind].group == RATE_TOKENS || (rate_infos[kind].group == RATE_CALLS && kind != RATE_QUERIES);
}

/* What was measured and is no line of this bill. */
static void
unbilled_print(const struct bill *bill, const struct use *use, struct buf *out)
{
	bool billed[RATE_KINDS] = { false };
	const char *before = ",\"unbilled\":[";

	for (size_t i = 0; i < bill->nlines; i++)
		billed[bill->lines[i].kind] = true;
	for (int kind = 0; kind < RATE_KINDS; kind++) {
		const struct rate_info *info = &rate_infos[kind];

		if (billed[kind] || use->units[kind] < (is_counted((enum rate_kind)kind) ? 1 : 0))
			continue;
		buf_printf(out, "%s{\"kind\":\"%.*s\",\"unit\":\"%s\",\"units\":", before, (int)info->name.len,
		    info->name.ptr, rate_groups[info->group].unit);
		units_print((enum rate_kind)kind, use->units[kind], out);
		buf_byte(out, '}');
		before = ",";
	}
	if (*before == ',' && before[1] == '\0')
		buf_byte(out, ']');
}

static void
use_print(const struct use *use, struct buf *out)
{
	text_member(out, "provider", use->query.provider);
	text_member(out, "host", use->query.host);
	text_member(out, "model", use->query.model);
	if (!slice_eq(use->query.request_model, use->query.model))
		text_member(out, "request_model", use->query.request_model);
	text_member(out, "service_tier", use->service_tier);
	text_member(out, "image_size", use->image_size);
	buf_str(out, out->ptr[out->len - 1] == '{' ? "\"prompt_tokens\":" : ",\"prompt_tokens\":");
	if (use->has_tokens)
		decimal_print(use->prompt, 0, out);
	else
		buf_str(out, "null");
	if (use->nsays == 0)
		return;
	buf_str(out, ",\"usage_says\":{");
	for (size_t i = 0; i < use->nsays; i++) {
		buf_str(out, i ? "," : "");
		buf_json_string(out, use->says[i].name);
		buf_byte(out, ':');
		buf_json_string(out, use->says[i].value);
	}
	buf_byte(out, '}');
}

static void
multipliers_print(const struct bill *bill, struct buf *out)
{
	if (bill->nmultipliers == 0)
		return;
	buf_str(out, ",\"multipliers\":{");
	for (size_t i = 0; i < bill->nmultipliers; i++) {
		buf_str(out, i ? "," : "");
		buf_json_string(out, bill->multipliers[i]->name);
		buf_byte(out, ':');
		decimal_print(bill->multipliers[i]->micro, 6, out);
	}
	buf_byte(out, '}');
}

void
bill_print(const struct bill *bill, const struct use *use, struct slice source, struct span_int cost,
    struct buf *out)
{
	const char *before = ",\"warnings\":[";

	buf_byte(out, '{');
	use_print(use, out);
	price_at_print(bill, out);
	buf_str(out, ",\"lines\":[");
	for (size_t i = 0; i < bill->nlines; i++)
		line_print(&bill->lines[i], use, out);
	buf_byte(out, ']');
	unbilled_print(bill, use, out);
	multipliers_print(bill, out);
	buf_str(out, ",\"cost\":");
	if (cost.set)
		decimal_print(cost.v, 12, out);
	else
		buf_str(out, "null");
	text_member(out, "cost_source", source);
	for (int i = 0; i < WARN_COUNT; i++)
		if (bill->warned[i]) {
			buf_printf(out, "%s\"%s\"", before, warn_code((enum warning)i));
			before = ",";
		}
	buf_str(out, before[1] == '\0' ? "]}" : "}");
}

/* A unit's line: which kind it is of. */
static bool
kind_read(struct jvalue line, enum rate_kind *kind)
{
	struct jvalue name = jget(line, SLICE("kind")), unit = jget(line, SLICE("unit"));

	for (int i = 0; i < RATE_KINDS; i++)
		if (jstring_is(name, rate_infos[i].name) &&
		    jstring_is(unit, slice_str(rate_groups[rate_infos[i].group].unit))) {
			*kind = (enum rate_kind)i;
			return true;
		}
	return false;
}

static void
lines_read(struct jvalue lines, struct use *use)
{
	struct jiter it;
	struct jmember m;
	enum rate_kind kind;
	int64_t units;

	if (lines.kind != JARRAY)
		return;
	jiter_init(&it, lines);
	while (jiter_next(&it, &m)) {
		struct jvalue v = jget(m.value, SLICE("measured"));

		if (v.kind == JNONE)
			v = jget(m.value, SLICE("units"));
		if (v.kind == JNUMBER && kind_read(m.value, &kind) &&
		    decimal_read(v.text, rate_infos[kind].group == RATE_SECONDS ? 6 : 0, &units))
			use->units[kind] = units;
	}
}

static struct slice
text_read(struct jvalue details, struct slice name, struct arena *arena)
{
	struct jvalue v = jget(details, name);
	struct buf text;

	if (v.kind != JSTRING)
		return SLICE_NONE;
	buf_init(&text, MIB);
	jstring(v, &text);
	return arena_take(arena, &text);
}

bool
bill_reread(struct slice details, struct arena *arena, struct use *use)
{
	struct jvalue v;

	*use = (struct use){ .nsays = 0 };
	if (details.ptr == NULL || jscan_check(details, &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		return false;
	use->query.provider = text_read(v, SLICE("provider"), arena);
	use->query.host = text_read(v, SLICE("host"), arena);
	use->query.model = text_read(v, SLICE("model"), arena);
	use->query.request_model = text_read(v, SLICE("request_model"), arena);
	use->service_tier = text_read(v, SLICE("service_tier"), arena);
	use->image_size = text_read(v, SLICE("image_size"), arena);
	for (int kind = 0; kind < RATE_KINDS; kind++)
		use->units[kind] = is_counted((enum rate_kind)kind) ? 0 : -1;
	use->has_tokens = jint(jget(v, SLICE("prompt_tokens")), &use->prompt) && use->prompt >= 0;
	use_says(use, jget(v, SLICE("usage_says")));
	lines_read(jget(v, SLICE("lines")), use);
	lines_read(jget(v, SLICE("unbilled")), use);
	use->units[RATE_REQUESTS] = 0;
	return jget(v, SLICE("lines")).kind == JARRAY;
}
