/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook: the kind of sink that tells of single events: a span that failed,
 * feedback, a customer's budget that is used up. One event is one request, whose
 * body has the bytes of Python's json.dumps and is signed. A row may have several
 * events: they are its parts (kind.h). Which feedback and which budgets were told
 * is remembered (told.c), as rows come again for other reasons.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "core/decimal.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "core/pyjson.h"
#include "export/kind.h"
#include "export/told.h"
#include "store/period.h"
#include "store/store.h"

#define SEEN 4096		/* customers whose budgets were looked at in this look */
#define EVENT_ROOM (2 * LIMIT_SPAN)

struct webhook {
	struct told	*feedback, *budgets;
	struct { uint64_t customer, look; } seen[SEEN];
	struct told	*pending;	/* where what is being sent is to be remembered, or NULL */
	uint64_t	 number;	/* under this */
};

/* A share of a budget that is used up. */
struct crossing {
	const char	*budget;	/* "period", "total" */
	unsigned	 threshold;	/* percent */
	int64_t		 limit, spent;	/* 10^-12 USD */
	int64_t		 from, to;	/* days of the period; 0 for a total */
	uint64_t	 number;
};

/* What is still to be told of a row. */
struct due {
	int		 event;		/* enum sink_event; -1: nothing */
	uint64_t	 number;	/* of feedback, or of the crossing */
	struct crossing	 crossing;
	bool		 more;		/* after it */
};

static void *
open_state(const char *dir)
{
	struct webhook *w = xcalloc(1, sizeof(*w));

	w->feedback = told_open(dir, "told");
	w->budgets = told_open(dir, "budgets");
	return w;
}

static void
close_state(void *state)
{
	struct webhook *w = state;

	told_close(w->feedback);
	told_close(w->budgets);
	free(w);
}

static bool
tells(const struct sink_config *c, enum sink_event event)
{
	return c->tells & 1u << event;
}

static uint64_t
number_of(struct slice text)
{
	uint8_t hash[32];
	uint64_t v;

	config_digest(text, hash);
	memcpy(&v, hash, sizeof(v));
	return v;
}

static bool
is_error(const struct span *s)
{
	return slice_eq(s->status, SLICE("error"));
}

/* What people and evaluators have said of the span; 0: nothing. */
static uint64_t
feedback_number(const struct export_item *item)
{
	const struct span *s = item->span;
	bool scored = item->scores.len > 2;
	struct buf text;
	uint64_t v;

	if (!s->positive_feedback.set && s->note.len == 0 && !scored)
		return 0;
	buf_init(&text, LIMIT_SPAN);
	buf_append(&text, s->id16, 16);
	buf_str(&text, !s->positive_feedback.set ? "?" : s->positive_feedback.v ? "+" : "-");
	buf_slice(&text, s->note);
	buf_byte(&text, '\0');
	buf_slice(&text, item->scores);
	v = number_of(buf_view(&text));
	buf_free(&text);
	return v ? v : 1;
}

static bool
is_crossed(int64_t spent, int64_t limit, unsigned threshold)
{
	__extension__ typedef __int128 wide;

	return spent > 0 && (wide)spent * 100 >= (wide)limit * threshold;
}

/* The customer, such that no two are one. */
static void
whose_put(const struct span *s, struct buf *out)
{
	buf_printf(out, "%zu %zu ", s->tenant.len, s->environment.len);
	buf_slice(out, s->tenant);
	buf_slice(out, s->environment);
	buf_slice(out, s->customer_identifier);
}

/* The first threshold of a budget that is passed and was not told, and whether
 * there is another. False: none. */
static bool
budget_crossed(const struct export_request *r, const struct span *s, struct crossing c, struct due *due)
{
	const struct webhook *w = r->state;
	struct buf text;
	bool any = false;

	for (unsigned i = 0; i < r->config->nthresholds; i++) {
		c.threshold = r->config->thresholds[i];
		if (!is_crossed(c.spent, c.limit, c.threshold))
			break;
		buf_init(&text, MIB);
		buf_printf(&text, "%s %u %lld %lld ", c.budget, c.threshold, (long long)c.limit, (long long)c.from);
		whose_put(s, &text);
		c.number = number_of(buf_view(&text));
		buf_free(&text);
		if (told_has(w->budgets, c.number))
			continue;
		any = true;
		if (due->event >= 0) {
			due->more = true;
			break;
		}
		due->event = SINK_EVENT_BUDGETS;
		due->crossing = c;
		due->number = c.number;
	}
	return any;
}

/* What the customer has spent; of all time where to is 0. */
static bool
spent_read(const struct export_request *r, const struct span *s, struct crossing *c)
{
	struct customers_query q = { .tenant = s->tenant, .environment = s->environment, .customer = s->customer_identifier,
	    .have_from = c->to != 0, .have_to = c->to != 0, .from_day = c->from, .to_day = c->to,
	    .sort = CUSTOMERS_CUSTOMER, .limit = 1 };
	const struct customers_row *row;
	struct customers *rows = NULL;
	int rc = store_sqlite.customers(r->store, &q, &rows);

	if (rc == STORE_OK)
		rc = store_sqlite.customers_next(rows, &row);
	if (rc == STORE_ROW)
		c->spent = row->sums[ROLLUP_cost_pico];
	store_sqlite.customers_done(rows);
	return rc == STORE_ROW;
}

static bool
limit_read(struct jvalue details, const char *name, int64_t *limit)
{
	struct jvalue v = jget(details, slice_str(name));

	return v.kind == JNUMBER && decimal_read(v.text, 12, limit);
}

/* Both budgets of the customer, by its details. */
static bool
budgets_look(const struct export_request *r, const struct span *s, struct jvalue details, struct due *due)
{
	struct crossing period = { .budget = "period" }, total = { .budget = "total" };
	bool any = false;

	if (limit_read(details, "period_budget", &period.limit)) {
		period_of(details, period_day((int64_t)clock_wall_us(), r->day_offset), &period.from, &period.to);
		if (spent_read(r, s, &period))
			any |= budget_crossed(r, s, period, due);
	}
	if (limit_read(details, "total_budget", &total.limit) && spent_read(r, s, &total))
		any |= budget_crossed(r, s, total, due);
	return any;
}

/* Looks whether a budget of the row's customer is to be told of. A customer is
 * looked at once in a look: the sums hold all rows of it by then. */
static bool
budgets_due(const struct export_request *r, const struct span *s, struct due *due)
{
	struct webhook *w = r->state;
	struct jvalue details;
	uint64_t customer;
	struct buf text;
	bool any = false;
	int rc;

	if (!tells(r->config, SINK_EVENT_BUDGETS) || s->customer_identifier.len == 0)
		return false;
	buf_init(&text, MIB);
	whose_put(s, &text);
	customer = number_of(buf_view(&text));
	if (w->seen[customer % SEEN].customer != customer || w->seen[customer % SEEN].look != r->look) {
		buf_clear(&text);
		rc = store_sqlite.customer_details(r->store, s->tenant, s->environment, s->customer_identifier, &text);
		if (rc == STORE_OK && jscan_check(buf_view(&text), &details, NULL) == JSCAN_END)
			any = budgets_look(r, s, details, due);
		if (!any && (rc == STORE_OK || rc == STORE_NOT_FOUND)) {
			w->seen[customer % SEEN].customer = customer;
			w->seen[customer % SEEN].look = r->look;
		}
	}
	buf_free(&text);
	return any;
}

static bool
wants(const struct export_request *r, const struct export_item *item)
{
	const struct sink_config *c = r->config;
	struct due due = { .event = -1 };

	if (r->part > 0 || (tells(c, SINK_EVENT_FEEDBACK) && (item->again || feedback_number(item) != 0)))
		return true;
	if (!item->again && (tells(c, SINK_EVENT_LOGS) || (tells(c, SINK_EVENT_ERRORS) && is_error(item->span))))
		return true;
	return budgets_due(r, item->span, &due);
}

/* The event that is the row's next part. Logs and errors have their places; what
 * is remembered drops out once it was told. */
static void
due_find(const struct export_request *r, const struct export_item *item, struct due *due)
{
	const struct webhook *w = r->state;
	uint64_t feedback;
	unsigned n = 0;
	int fixed[2];

	*due = (struct due){ .event = -1 };
	if (!item->again || item->letter) {
		if (tells(r->config, SINK_EVENT_LOGS))
			fixed[n++] = SINK_EVENT_LOGS;
		if (tells(r->config, SINK_EVENT_ERRORS) && is_error(item->span))
			fixed[n++] = SINK_EVENT_ERRORS;
	}
	if (r->part < n) {
		due->event = fixed[r->part];
		due->more = r->part + 1 < n;
	}
	feedback = tells(r->config, SINK_EVENT_FEEDBACK) ? feedback_number(item) : 0;
	if (feedback != 0 && !told_has(w->feedback, feedback)) {
		due->more |= due->event >= 0;
		due->number = feedback;
		due->event = due->event >= 0 ? due->event : SINK_EVENT_FEEDBACK;
	}
	(void)budgets_due(r, item->span, due);
}

static void
begin(struct export_request *r)
{
	r->path = "";
	r->content_type = "application/json";
}

static void
member_begin(const char *name, struct buf *out)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '{')
		buf_byte(out, ',');
	buf_printf(out, "\"%s\":", name);
}

static void
member_put(const char *name, struct slice text, struct buf *out)
{
	member_begin(name, out);
	buf_json_string(out, text);
}

/* A field of the span; what people wrote is JSON in a string, as in the REST API. */
static void
field_put(const struct span *s, int field, struct buf *out)
{
	const struct slice *json = (const void *)((const char *)s + span_fields[field].offset);

	member_begin(span_fields[field].name, out);
	if (store_body_field(field) && span_fields[field].type == SPAN_JSON && json->len > 0 && *json->ptr != '"')
		buf_json_string(out, *json);
	else
		span_value_json(s, field, out);
}

static void
span_put(const struct sink_config *c, const struct export_item *item, struct buf *out)
{
	static const enum span_field kept_back[] = {
		SPAN_F_unique_id, SPAN_F_log_method, SPAN_F_organization_key_id, SPAN_F_cost_details, SPAN_F_request_headers,
		SPAN_F_response_headers, SPAN_F_attempts, SPAN_F_breakdown, SPAN_F_inter_token,
	};
	const struct span *s = item->span;

	buf_byte(out, '{');
	for (int i = 0; i < SPAN_FIELDS; i++) {
		bool left_out = span_is_null(s, i) || (store_body_field(i) && c->bodies == SINK_BODIES_NONE) ||
		    ((i == SPAN_F_full_request || i == SPAN_F_full_response) && c->bodies != SINK_BODIES_FULL);

		for (size_t k = 0; k < sizeof(kept_back) / sizeof(*kept_back); k++)
			left_out |= (int)kept_back[k] == i;
		if (!left_out)
			field_put(s, i, out);
	}
	member_begin("scores", out);
	buf_slice(out, item->scores.len > 0 ? item->scores : SLICE("{}"));
	buf_byte(out, '}');
}

static void
day_put(const char *name, int64_t day, struct buf *out)
{
	member_begin(name, out);
	buf_byte(out, '"');
	span_time_text(day * INT64_C(86400000000), out);
	out->len -= sizeof("T00:00:00.000000Z") - 1;
	buf_byte(out, '"');
}

static void
crossing_put(const struct crossing *c, const struct span *s, struct buf *out)
{
	buf_byte(out, '{');
	member_put("customer_identifier", s->customer_identifier, out);
	member_put("environment", s->environment, out);
	member_put("budget", slice_str(c->budget), out);
	member_begin("threshold", out);
	buf_u64(out, c->threshold);
	member_begin("limit", out);
	decimal_print(c->limit, 12, out);
	member_begin("spent", out);
	decimal_print(c->spent, 12, out);
	if (c->to > c->from) {
		day_put("period_start", c->from, out);
		day_put("period_end", c->to, out);
	}
	member_put("log_id", s->id, out);
	buf_byte(out, '}');
}

/* The same event has the same id whenever it is sent. */
static void
id_put(const struct due *due, const char *name, const struct span *s, struct buf *out)
{
	uint8_t hash[32];
	struct buf text;
	char hex[33];

	buf_init(&text, MIB);
	buf_printf(&text, "%s ", name);
	if (due->event != SINK_EVENT_BUDGETS)
		buf_append(&text, s->id16, 16);
	if (due->event == SINK_EVENT_BUDGETS || due->event == SINK_EVENT_FEEDBACK)
		buf_append(&text, &due->number, sizeof(due->number));
	config_digest(buf_view(&text), hash);
	buf_free(&text);
	hex_encode(hash, 16, hex);
	buf_printf(out, "{\"id\":\"evt_%s\",\"event\":\"%s\"", hex, name);
}

static void
event_put(const struct export_request *r, const struct export_item *item, const struct due *due, struct buf *out)
{
	static const char *const names[SINK_EVENT_KINDS] = {
		[SINK_EVENT_LOGS] = "log", [SINK_EVENT_ERRORS] = "error", [SINK_EVENT_FEEDBACK] = "feedback",
		[SINK_EVENT_BUDGETS] = "budget",
	};

	id_put(due, names[due->event], item->span, out);
	member_begin("timestamp", out);
	buf_byte(out, '"');
	span_time_text((int64_t)clock_wall_us(), out);
	buf_str(out, "\",\"data\":");
	if (due->event == SINK_EVENT_BUDGETS)
		crossing_put(&due->crossing, item->span, out);
	else
		span_put(r->config, item, out);
	buf_byte(out, '}');
}

static bool
add(struct export_request *r, const struct export_item *item)
{
	struct webhook *w = r->state;
	size_t before = r->body.len;
	struct jvalue v;
	struct buf text;
	struct due due;
	bool good;

	due_find(r, item, &due);
	w->pending = NULL;
	r->none = due.event < 0;
	if (r->none)
		return true;
	buf_init(&text, EVENT_ROOM);
	event_put(r, item, &due, &text);
	good = !text.failed && jscan_check(buf_view(&text), &v, NULL) == JSCAN_END;
	if (good)
		pyjson(v, &r->body);
	buf_free(&text);
	if (!good || r->body.failed) {
		r->body.len = before;
		return false;
	}
	r->more = due.more;
	if (due.event == SINK_EVENT_FEEDBACK || due.event == SINK_EVENT_BUDGETS) {
		w->pending = due.event == SINK_EVENT_BUDGETS ? w->budgets : w->feedback;
		w->number = due.number;
	}
	return true;
}

static void
taken(struct export_request *r)
{
	struct webhook *w = r->state;

	if (w->pending != NULL && !told_add(w->pending, w->number))
		log_error("sink %s: what was told cannot be written: it may be told again", r->config->id);
	w->pending = NULL;
}

static void
finish(struct export_request *r)
{
	const char *secret = r->config->secret;
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char hex[65];

	if (HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)(r->body.ptr ? r->body.ptr : ""),
	    r->body.len, mac, &len) == NULL || len != 32)
		bug("HMAC-SHA-256 is not there");
	hex_encode(mac, 32, hex);
	buf_printf(&r->headers, "X-Respan-Signature: %s\nX-Keywordsai-Signature: %s\n", hex, hex);
}

const struct export_kind export_webhook = {
	.name = "webhook", .most = 1, .open = open_state, .close = close_state, .wants = wants, .begin = begin, .add = add,
	.finish = finish, .taken = taken,
};
