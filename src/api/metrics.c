/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: figures of a window, by tick, by dimension, or as a whole. What a
 * path asks for stands in `endpoints`; the figures come from store/metrics.
 * Called on pool threads.
 */
#include "api/metrics.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/ask.h"
#include "api/print.h"
#include "api/reading.h"
#include "base/base.h"
#include "core/limits.h"
#include "span/span.h"
#include "store/value.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)
#define TOP 10				/* of the top lists, where nothing else is asked for */
#define POINTS 2000			/* ticks of an answer, at most */
#define ROWS 10000			/* rows of a breakdown, at most */
#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */

enum show { SHOW_ALL, SHOW_QUANTILES, SHOW_CACHE };

static const struct endpoint {
	const char	*path;		/* below /dashboard */
	enum metrics_by	 by;		/* METRICS_BYS: as the request says */
	bool		 ticks;
	bool		 whole;		/* with a summary of the whole, or that alone */
	enum show	 show;
} endpoints[] = {
	{ "/llm-metrics", METRICS_BY_NOTHING, true, true, SHOW_ALL },
	{ "/llm-metrics/summary", METRICS_BY_NOTHING, false, true, SHOW_ALL },
	{ "/quantiles", METRICS_BY_NOTHING, true, true, SHOW_QUANTILES },
	{ "/quantiles/summary", METRICS_BY_NOTHING, false, true, SHOW_QUANTILES },
	{ "/top-models", METRICS_BY_MODEL, false, false, SHOW_ALL },
	{ "/top-keys", METRICS_BY_KEY, false, false, SHOW_ALL },
	{ "/top-prompts", METRICS_BY_PROMPT, false, false, SHOW_ALL },
	{ "/top-deployments", METRICS_BY_DEPLOYMENT, false, false, SHOW_ALL },
	{ "/top-users", METRICS_BY_CUSTOMER, false, false, SHOW_ALL },
	{ "/top-providers", METRICS_BY_PROVIDER, false, false, SHOW_ALL },
	{ "/time-series/breakdown", METRICS_BYS, true, false, SHOW_ALL },
	{ "/cache-hit-metrics", METRICS_BY_NOTHING, true, true, SHOW_CACHE },
};

/* The names of dimensions: the first is how answers call it. */
static const struct { const char *name; enum metrics_by by; } dimensions[] = {
	{ "model", METRICS_BY_MODEL }, { "provider_id", METRICS_BY_PROVIDER },
	{ "customer_identifier", METRICS_BY_CUSTOMER }, { "organization_key_id", METRICS_BY_KEY },
	{ "environment", METRICS_BY_ENVIRONMENT }, { "deployment_name", METRICS_BY_DEPLOYMENT },
	{ "prompt_name", METRICS_BY_PROMPT }, { "status", METRICS_BY_STATUS }, { "log_type", METRICS_BY_LOG_TYPE },
	{ "provider", METRICS_BY_PROVIDER }, { "customer", METRICS_BY_CUSTOMER }, { "user", METRICS_BY_CUSTOMER },
	{ "key", METRICS_BY_KEY }, { "api_key", METRICS_BY_KEY }, { "prompt", METRICS_BY_PROMPT },
	{ "prompt_id", METRICS_BY_PROMPT }, { "deployment", METRICS_BY_DEPLOYMENT },
};
#define DIMENSIONS (sizeof(dimensions) / sizeof(dimensions[0]))

static const struct { const char *name; enum metrics_tick tick; } ticks[] = {
	{ "minute", METRICS_MINUTE }, { "hour", METRICS_HOUR }, { "hourly", METRICS_HOUR }, { "day", METRICS_DAY },
	{ "daily", METRICS_DAY }, { "week", METRICS_WEEK }, { "weekly", METRICS_WEEK }, { "month", METRICS_MONTH },
	{ "monthly", METRICS_MONTH }, { "minutely", METRICS_MINUTE },
};

/* What a window is named by, and the tick that goes with it. */
static const struct { const char *name; enum metrics_tick window, tick; } windows[] = {
	{ "hourly", METRICS_HOUR, METRICS_MINUTE }, { "hour", METRICS_HOUR, METRICS_MINUTE },
	{ "daily", METRICS_DAY, METRICS_HOUR }, { "day", METRICS_DAY, METRICS_HOUR },
	{ "weekly", METRICS_WEEK, METRICS_DAY }, { "week", METRICS_WEEK, METRICS_DAY },
	{ "monthly", METRICS_MONTH, METRICS_DAY }, { "month", METRICS_MONTH, METRICS_DAY },
};

static const struct { const char *name; int sum; } orders[] = {
	{ "number_of_requests", ROLLUP_requests }, { "requests", ROLLUP_requests }, { "total_requests", ROLLUP_requests },
	{ "error_count", ROLLUP_errors }, { "total_tokens", ROLLUP_total_tokens }, { "tokens", ROLLUP_total_tokens },
	{ "total_prompt_tokens", ROLLUP_prompt_tokens }, { "total_completion_tokens", ROLLUP_completion_tokens },
	{ "total_cost", ROLLUP_cost_pico }, { "cost", ROLLUP_cost_pico },
};

struct wanted {
	struct ask	 ask;
	const struct endpoint *endpoint;
	struct metrics_query query;
	struct metrics_filter filters[ASK_CONDITIONS + 1];
};

#define FIND(table, text, at) do { \
	for ((at) = 0; (at) < sizeof(table) / sizeof((table)[0]) && \
	    !slice_caseeq(slice_str((table)[at].name), (text)); (at)++) \
		; \
} while (0)
#define FOUND(table, at) ((at) < sizeof(table) / sizeof((table)[0]))

/* +05:30 is east of Greenwich; a plain number is what a browser's
 * getTimezoneOffset gives: minutes that local time is behind UTC. */
static bool
read_offset(struct wanted *w)
{
	struct slice text = ask_other(&w->ask, "timezone_offset"), before, after;
	int64_t hours, minutes = 0;
	const char *colon;
	bool good;

	if (text.len == 0)
		return true;
	colon = memchr(text.ptr, ':', text.len);
	if (colon) {
		before = slice_from(slice_make(text.ptr, (size_t)(colon - text.ptr)), *text.ptr == '+');
		after = slice_from(text, (size_t)(colon - text.ptr) + 1);
		good = value_int(before, &hours) && value_int(after, &minutes) && minutes >= 0 && minutes < 60 &&
		    hours > -24 && hours < 24;
		w->query.offset = good ? (int)(*text.ptr == '-' ? hours * 60 - minutes : hours * 60 + minutes) : 0;
	} else {
		good = value_int(text, &minutes) && minutes > -1440 && minutes < 1440;
		w->query.offset = good ? (int)-minutes : 0;
	}
	return good || ask_refuse(&w->ask, "timezone_offset: '%.*s' is neither minutes nor like +05:30", ASK_SHOWN(text));
}

/* The window that summary_type and date name. */
static bool
read_named(struct wanted *w, enum metrics_tick *tick)
{
	struct slice type = ask_other(&w->ask, "summary_type"), date = ask_other(&w->ask, "date");
	int64_t at = (int64_t)clock_wall_us();
	size_t i;

	if (date.len > 0 && !value_time(date, &at))
		return ask_refuse(&w->ask, "date: '%.*s' is not a date", ASK_SHOWN(date));
	if (date.len == 10)		/* a day of the time zone asked for */
		at -= w->query.offset * INT64_C(60000000);
	if (slice_caseeq(type, SLICE("yearly")) || slice_caseeq(type, SLICE("year"))) {
		*tick = METRICS_MONTH;
		w->query.to_us = metrics_after(METRICS_MONTH, w->query.offset, metrics_start(METRICS_MONTH, w->query.offset, at));
		w->query.from_us = metrics_start(METRICS_MONTH, w->query.offset, w->query.to_us - 360 * DAY_US);
		return true;
	}
	if (slice_caseeq(type, SLICE("all"))) {
		*tick = METRICS_MONTH;
		w->query.from_us = 0;
		w->query.to_us = (int64_t)clock_wall_us() + DAY_US;
		return true;
	}
	FIND(windows, type.len > 0 ? type : SLICE("daily"), i);
	if (!FOUND(windows, i))
		return ask_refuse(&w->ask, "summary_type: '%.*s' is none of hourly, daily, weekly, monthly, yearly, all",
		    ASK_SHOWN(type));
	*tick = windows[i].tick;
	w->query.from_us = metrics_start(windows[i].window, w->query.offset, at);
	w->query.to_us = metrics_after(windows[i].window, w->query.offset, w->query.from_us);
	return true;
}

/* From when to when, in which ticks. */
static bool
read_window(struct wanted *w)
{
	struct slice text = ask_other(&w->ask, "time_tick"), type = ask_other(&w->ask, "summary_type");
	enum metrics_tick tick = METRICS_HOUR;
	const struct ask *a = &w->ask;
	size_t i;

	if (a->have_from || a->have_to || (type.len == 0 && ask_other(a, "date").len == 0)) {
		w->query.to_us = a->have_to ? a->to_us : (int64_t)clock_wall_us();
		w->query.from_us = a->have_from ? a->from_us : w->query.to_us - DAY_US;
		tick = w->query.to_us - w->query.from_us > 3 * DAY_US ? METRICS_DAY :
		    w->query.to_us - w->query.from_us > 3 * HOUR_US ? METRICS_HOUR : METRICS_MINUTE;
	} else if (!read_named(w, &tick))
		return false;
	if (text.len > 0) {
		FIND(ticks, text, i);
		if (!FOUND(ticks, i))
			return ask_refuse(&w->ask, "time_tick: '%.*s' is none of minute, hour, day, week, month", ASK_SHOWN(text));
		tick = ticks[i].tick;
	}
	if (w->query.from_us > w->query.to_us)
		return ask_refuse(&w->ask, "start_time is after end_time");
	w->query.tick = w->endpoint->ticks ? tick : METRICS_WHOLE;
	return true;
}

static bool
read_filters(struct wanted *w)
{
	size_t at;

	for (size_t i = 0; i < w->ask.nconditions; i++) {
		const struct ask_condition *c = &w->ask.conditions[i];

		FIND(dimensions, c->name, at);
		if (!FOUND(dimensions, at))
			return ask_refuse(&w->ask, "filters: figures cannot be filtered by '%.*s'", ASK_SHOWN(c->name));
		if (c->nvalues == 0 || (c->op != TRACES_EQ && c->op != TRACES_NOT))
			return ask_refuse(&w->ask, "filters: %.*s: only \"\", in and not, with values, are understood here",
			    ASK_SHOWN(c->name));
		w->filters[w->query.nfilters++] = (struct metrics_filter){ .by = dimensions[at].by, .not = c->op == TRACES_NOT,
		    .values = c->values, .nvalues = c->nvalues };
	}
	if (w->ask.environment.len > 0)
		w->filters[w->query.nfilters++] = (struct metrics_filter){ .by = METRICS_BY_ENVIRONMENT,
		    .values = &w->ask.environment, .nvalues = 1 };
	w->query.filters = w->filters;
	return true;
}

static bool
read_order(struct wanted *w)
{
	struct slice by = ask_other(&w->ask, "breakdown"), limit = ask_other(&w->ask, "limit");
	int64_t n = TOP;
	size_t i;

	w->query.by = w->endpoint->by;
	w->query.sort = -1;
	w->query.limit = ROWS + 1;
	if (by.len == 0)
		by = ask_other(&w->ask, "group_by");
	if (w->endpoint->by == METRICS_BYS) {
		FIND(dimensions, by.len > 0 ? by : SLICE("model"), i);
		if (!FOUND(dimensions, i))
			return ask_refuse(&w->ask, "breakdown: '%.*s' is no dimension", ASK_SHOWN(by));
		w->query.by = dimensions[i].by;
	}
	if (w->endpoint->ticks || w->query.by == METRICS_BY_NOTHING)
		return true;
	FIND(orders, w->ask.sort.len > 0 ? w->ask.sort : SLICE("requests"), i);
	if (!FOUND(orders, i) || w->ask.ascending)
		return ask_refuse(&w->ask, "sort_by: '%.*s' is none of -number_of_requests, -error_count, -total_tokens,"
		    " -total_prompt_tokens, -total_completion_tokens, -total_cost", ASK_SHOWN(w->ask.sort));
	if (limit.len > 0 && (!value_int(limit, &n) || n < 1 || n > 1000))
		return ask_refuse(&w->ask, "limit: '%.*s' is not a number from 1 to 1000", ASK_SHOWN(limit));
	w->query.sort = orders[i].sum;
	w->query.limit = limit.len > 0 ? (uint64_t)n : w->ask.page_size;
	return true;
}

static bool
read_request(struct wanted *w, const struct local_request *request)
{
	static const char *const known[] = { "summary_type", "date", "time_tick", "timezone_offset", "breakdown", "group_by",
	    "limit", NULL };

	w->query = (struct metrics_query){ .tenant = reading_tenant(request) };
	return ask_read(&w->ask, request->query, request->body, TOP, known) && read_offset(w) && read_window(w) &&
	    read_filters(w) && read_order(w);
}

/* Seconds at a share of what a histogram holds; null where it holds nothing. */
static void
put_quantile(struct buf *out, const char *name, const struct hist *hist, double q)
{
	int64_t us = hist_quantile(hist, q);

	if (us >= 0)
		print_seconds(out, name, us);
	else
		buf_printf(out, "\"%s\":null,", name);
}

static void
put_quantiles(struct buf *out, const char *name, struct slice bytes)
{
	struct hist hist = { .n = { 0 } };

	(void)hist_add(&hist, bytes, 1);
	buf_printf(out, "\"%s\":{", name);
	put_quantile(out, "p50", &hist, 0.5);
	put_quantile(out, "p90", &hist, 0.9);
	put_quantile(out, "p95", &hist, 0.95);
	put_quantile(out, "p99", &hist, 0.99);
	out->ptr[out->len - 1] = '}';
	buf_str(out, ",");
}

static void
put_average(struct buf *out, const char *name, int64_t us, int64_t n)
{
	if (n > 0)
		print_seconds(out, name, us / n);
	else
		buf_printf(out, "\"%s\":null,", name);
}

/* A share; null of nothing. */
static void
put_rate(struct buf *out, const char *name, int64_t part, int64_t whole)
{
	if (whole > 0)
		print_mean(out, name, part, whole);
	else
		buf_printf(out, "\"%s\":null,", name);
}

static void
put_sums(struct buf *out, const int64_t *s)
{
	print_int(out, "number_of_requests", s[ROLLUP_requests]);
	print_int(out, "error_count", s[ROLLUP_errors]);
	put_rate(out, "error_rate", s[ROLLUP_errors], s[ROLLUP_requests]);
	print_cost(out, "total_cost", s[ROLLUP_cost_pico]);
	print_int(out, "unpriced", s[ROLLUP_unpriced]);
	print_int(out, "total_tokens", s[ROLLUP_total_tokens]);
	print_int(out, "total_prompt_tokens", s[ROLLUP_prompt_tokens]);
	print_int(out, "total_completion_tokens", s[ROLLUP_completion_tokens]);
	print_int(out, "total_cached_tokens", s[ROLLUP_cached_tokens]);
	print_int(out, "total_cache_creation_tokens", s[ROLLUP_cache_creation_tokens]);
	print_int(out, "total_reasoning_tokens", s[ROLLUP_reasoning_tokens]);
	put_average(out, "avg_latency", s[ROLLUP_latency_us], s[ROLLUP_latency_count]);
	put_average(out, "avg_ttft", s[ROLLUP_ttft_us], s[ROLLUP_ttft_count]);
}

/* The figures of a row, each with a comma after it. */
static void
put_figures(struct buf *out, enum show show, const struct metrics_row *row)
{
	const int64_t *s = row->sums;

	if (show == SHOW_ALL)
		put_sums(out, s);
	else
		print_int(out, "number_of_requests", s[ROLLUP_requests]);
	if (show == SHOW_CACHE) {
		print_int(out, "total_prompt_tokens", s[ROLLUP_prompt_tokens]);
		print_int(out, "total_cached_tokens", s[ROLLUP_cached_tokens]);
		print_int(out, "total_cache_creation_tokens", s[ROLLUP_cache_creation_tokens]);
		put_rate(out, "cached_token_rate", s[ROLLUP_cached_tokens], s[ROLLUP_prompt_tokens]);
		buf_str(out, "\"cache_hits\":null,\"cache_hit_rate\":null,");	/* no answer comes from a cache yet */
		return;
	}
	put_quantiles(out, "latency", row->latency);
	put_quantiles(out, "time_to_first_token", row->ttft);
}

static void
put_row(struct buf *out, const struct wanted *w, const struct metrics_row *row)
{
	enum metrics_by by = w->query.by;
	size_t i = 0;

	buf_str(out, "{");
	if (w->query.tick != METRICS_WHOLE)
		print_time(out, "timestamp", row->start);
	if (by != METRICS_BY_NOTHING) {
		while (dimensions[i].by != by)
			i++;
		print_text(out, dimensions[i].name, row->part.len > 0 ? row->part : SLICE_NONE);
		print_text(out, "name", row->part.len > 0 ? row->part : SLICE_NONE);
	}
	put_figures(out, w->endpoint->show, row);
	out->ptr[out->len - 1] = '}';
}

/* Ticks of the window before `until` at which nothing happened. */
static void
put_empty(struct reading *r, const struct wanted *w, int64_t *next, int64_t until, const char **comma)
{
	struct metrics_row nothing = { .latency = SLICE_NONE };

	if (w->query.tick == METRICS_WHOLE || w->query.by != METRICS_BY_NOTHING)
		return;
	for (; *next < until; *next = metrics_after(w->query.tick, w->query.offset, *next)) {
		nothing.start = *next;
		buf_str(&r->out, *comma);
		put_row(&r->out, w, &nothing);
		*comma = ",";
	}
}

/* The rows of the answer; how many of the store's, or a store_result. */
static int64_t
put_rows(struct reading *r, const struct wanted *w)
{
	const struct metrics_query *q = &w->query;
	int64_t next = metrics_start(q->tick, q->offset, q->from_us), n = 0;
	const struct metrics_row *row;
	struct metrics *m = NULL;
	const char *comma = "";
	int rc;

	rc = store_sqlite.metrics(r->store, q, &m);
	while (rc >= 0 && (rc = store_sqlite.metrics_next(m, &row)) == STORE_ROW && n < ROWS) {
		if (q->from_us > 0 || n > 0)	/* else all of time: it begins with the first */
			put_empty(r, w, &next, row->start, &comma);
		buf_str(&r->out, comma);
		put_row(&r->out, w, row);
		next = metrics_after(q->tick, q->offset, row->start);
		comma = ",";
		n++;
	}
	if (rc == STORE_OK && (q->from_us > 0 || n > 0))
		put_empty(r, w, &next, q->to_us, &comma);
	store_sqlite.metrics_done(m);
	return rc < 0 ? rc : rc == STORE_ROW ? ROWS + 1 : n;
}

/* The figures of the whole window, without what holds them. */
static int
put_whole(struct reading *r, const struct wanted *w)
{
	struct metrics_row nothing = { .start = w->query.from_us };
	struct metrics_query q = w->query;
	const struct metrics_row *row = &nothing;
	struct metrics *m = NULL;
	int rc;

	q.tick = METRICS_WHOLE;
	rc = store_sqlite.metrics(r->store, &q, &m);
	if (rc == STORE_OK)
		rc = store_sqlite.metrics_next(m, &row);
	if (rc >= 0)
		put_figures(&r->out, w->endpoint->show, row);
	store_sqlite.metrics_done(m);
	return rc < 0 ? rc : STORE_OK;
}

static void
put_window(struct buf *out, const struct wanted *w)
{
	static const char *const tick_names[METRICS_TICKS] = { NULL, "minute", "hour", "day", "week", "month" };

	print_time(out, "start_time", w->query.from_us);
	print_time(out, "end_time", w->query.to_us);
	print_text(out, "time_tick", slice_str(tick_names[w->query.tick]));
}

/* Too many ticks? It has answered then. */
static bool
refused(struct reading *r, const struct wanted *w)
{
	const struct metrics_query *q = &w->query;
	int64_t at = metrics_start(q->tick, q->offset, q->from_us);

	if (q->tick == METRICS_WHOLE)
		return false;
	for (int n = 0; at < q->to_us; n++, at = metrics_after(q->tick, q->offset, at))
		if (n == POINTS) {
			api_error(r->job, 400, NULL, "time_tick: more than %d of them are in the window", POINTS);
			return true;
		}
	return false;
}

static void
answer(struct reading *r, const struct wanted *w)
{
	const struct endpoint *e = w->endpoint;
	bool list = e->ticks || w->query.by != METRICS_BY_NOTHING;
	int64_t n = 0;
	int rc = STORE_OK;

	if (refused(r, w))
		return;
	buf_str(&r->out, "{");
	put_window(&r->out, w);
	if (e->whole && list)
		buf_str(&r->out, "\"summary\":{");
	if (e->whole)
		rc = put_whole(r, w);
	if (e->whole && list) {
		r->out.ptr[r->out.len - 1] = '}';
		buf_str(&r->out, ",");
	}
	if (rc == STORE_OK && list) {
		buf_str(&r->out, "\"results\":[");
		n = put_rows(r, w);
		buf_printf(&r->out, "],\"count\":%lld,", (long long)n);
	}
	if (rc < 0 || n < 0)
		reading_failed(r, rc);
	else if (n > ROWS)
		api_error(r->job, 400, NULL, "the answer would have more than %d rows: a coarser time_tick or a smaller window is"
		    " needed", ROWS);
	else {
		r->out.ptr[r->out.len - 1] = '}';
		local_head(r->job, 200, API_JSON, NULL);
		(void)api_flush(r->job, &r->out);
	}
}

static const struct endpoint *
endpoint_of(struct slice path)
{
	static const struct slice above = SLICE("/llm-metrics");
	struct slice rest = slice_from(path, sizeof("/dashboard") - 1), below = rest;

	if (slice_starts(rest, above))
		below = slice_from(rest, above.len);
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (slice_eq(slice_str(endpoints[i].path), rest) || slice_eq(slice_str(endpoints[i].path), below))
			return &endpoints[i];
	return NULL;
}

void
metrics_handle(struct local_job *job, const struct local_request *request, void *arg)
{
	const struct endpoint *endpoint = endpoint_of(request->path);
	struct wanted *w;
	struct reading r;

	(void)arg;
	if (!endpoint) {
		api_error(job, 501, NULL, "Metrics (%.*s): this version of spangate does not do that yet",
		    ASK_SHOWN(request->path));
		return;
	}
	w = xmalloc(sizeof(*w));
	w->endpoint = endpoint;
	if (!read_request(w, request))
		api_error(job, 400, NULL, "%s", w->ask.error);
	else if (reading_open(&r, job, request)) {
		answer(&r, w);
		reading_close(&r);
	}
	ask_free(&w->ask);
	free(w);
}
