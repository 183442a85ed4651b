/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.c: what an exchange cost. Gathers what it used from usage, request and
 * answer, and asks by strength: the request's unit prices, the provider's own
 * figure, the price tables. Called by build.c where there are tables: in the
 * sink. Readers are given the bill as it was then.
 */
#include "core/decimal.h"
#include "core/reason.h"
#include "span/bill.h"
#include "span/inner.h"
#include "span/json.h"
#include "span/vendor.h"

static void
use_find(struct build *b, struct use *use)
{
	const struct span *s = &b->span;
	const struct attempt *a = b->nattempts ? &b->attempts[b->nattempts - 1] : NULL;

	*use = (struct use){
		.query = {
			.provider = s->provider_id, .model = b->model_told ? s->model : SLICE_NONE,
			.host = a != NULL ? vendor_host(record_get(a->send, TAG_URL)) : SLICE_NONE,
			.request_model = s->request_model.len > 0 ? s->request_model : s->model,
			.at = s->start_time.set ? s->start_time.v : 0,
		},
		.service_tier = s->service_tier,
	};
	if (b->ops->measure != NULL)
		b->ops->measure(b);
	use->image_size = b->image_size;
	use_read(use, &b->usage, b->ops->output);
	use_says(use, build_json(b, s->usage));
}

/* A unit price of the request: USD for a million tokens. *bad: it is none. */
static int64_t
unit_price(struct slice json, bool *bad)
{
	struct jvalue v = json.ptr != NULL && jscan_check(json, &v, NULL) == JSCAN_END ? v :
	    (struct jvalue){ .kind = JNONE };
	struct slice text = v.kind == JSTRING ? jstring_plain(v) : v.kind == JNUMBER ? v.text : SLICE_NONE;
	int64_t femto;

	if (v.kind == JNONE || v.kind == JNULL)
		return RATE_NONE;
	if (text.ptr != NULL && decimal_read(text, rate_groups[RATE_TOKENS].places, &femto))
		return femto;
	*bad = true;
	return RATE_NONE;
}

/* Did no provider get to see the request? */
static bool
never_sent(const struct build *b)
{
	if (b->nattempts == 0)
		return true;
	if (b->last != NULL || !b->has_end)
		return false;
	switch (record_get_u64(b->end, TAG_REASON, REASON_INTERRUPTED)) {
	case REASON_RESOLVE_FAILED:
	case REASON_CONNECT_FAILED:
	case REASON_CONNECT_TIMEOUT:
	case REASON_TLS_FAILED:
		return true;
	default:
		return false;
	}
}

/* Another gateway says that its call broke off: what came before is not known. */
static bool
given_broken(const struct build *b)
{
	struct slice reason = b->span.end_reason;

	return b->given.ptr != NULL && reason.len > 0 && !slice_eq(reason, slice_str(reason_info(REASON_COMPLETE)->name));
}

/* Where nothing can have been billed: what is no call of a model, what was
 * refused, what never went out. */
static bool
is_free(const struct build *b)
{
	if (b->given.ptr == NULL && (!b->span.billable.v || never_sent(b)))
		return true;
	return !b->has_usage && b->status >= 400 && !given_broken(b);
}

static void
cost_set(struct build *b, struct slice source, bool known, int64_t pico)
{
	b->span.cost = (struct span_int){ known, known ? pico : 0 };
	b->span.cost_source = source;
}

static void
cost_find(struct build *b, const struct prices *prices)
{
	bool bad = false;
	int64_t prompt = unit_price(b->span.prompt_unit_price, &bad);
	int64_t completion = unit_price(b->span.completion_unit_price, &bad);
	struct bill bill;
	struct use use;
	struct buf out;

	use_find(b, &use);
	if (prompt != RATE_NONE || completion != RATE_NONE) {
		bill_unit_prices(prices, &use, prompt, completion, &bill);
		cost_set(b, SLICE("unit_price"), bill.known, bill.pico);
	} else {
		bill_make(prices, &use, &bill);
		cost_set(b, bill_source(prices, &bill), bill.known, bill.pico);
		if (b->usage.provider_cost.set) {
			/* it knows best; the tables' bill is not shown as if it were this one */
			bill = (struct bill){ .known = true };
			cost_set(b, SLICE("provider"), true, b->usage.provider_cost.v);
		}
	}
	bill.warned[WARN_UNIT_PRICE_BAD] = bad;
	for (int i = 0; i < WARN_COUNT; i++)
		if (bill.warned[i])
			warn_add(&b->warnings, (enum warning)i, SLICE_NONE);
	buf_init(&out, MIB);
	bill_print(&bill, &use, b->span.cost_source, b->span.cost, &out);
	b->span.cost_details = build_take(b, &out);
}

/* The bill of then: its warnings are the span's. */
static void
cost_given(struct build *b, struct slice details)
{
	struct jvalue warnings = jget(build_json(b, details), SLICE("warnings"));
	struct jiter it;
	struct jmember m;

	b->span.cost_details = details;
	if (warnings.kind != JARRAY)
		return;
	jiter_init(&it, warnings);
	while (jiter_next(&it, &m))
		warn_notes(&b->warnings, build_text(b, m.value));
}

void
cost_build(struct build *b)
{
	if (b->options.bill.ptr != NULL)
		cost_given(b, b->options.bill);
	else if (b->cost_given.set)
		cost_set(b, SLICE("given"), true, b->cost_given.v);
	else if (b->options.prices == NULL || (b->given.ptr != NULL && !b->span.billable.v))
		return;
	else if (is_free(b))
		cost_set(b, SLICE("table"), true, 0);
	else
		cost_find(b, b->options.prices);
}
