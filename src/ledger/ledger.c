/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: the numbers that threads share, and their Prometheus text. The gate
 * and the sink add, /metrics and /readyz read. Labelled series stand in fixed
 * tables under one mutex that is held for a look-up and an addition, never
 * over a system call: nothing is allocated while it is held.
 */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "core/limits.h"
#include "ledger/ledger.h"
#include "ledger/genai.h"
#include "ledger/names.h"
#include "ledger/sinks.h"
#include "ledger/text.h"

#define SLOTS (2 * LIMIT_METRIC_SERIES)	/* of the hash table: half full at most */
#define BUCKETS_MAX 16
#define DROPS_MAX 32
#define CONDITION_BYTES 201

struct series {
	uint8_t		 family, reason, provider;
	uint16_t	 model, status;
	uint64_t	 count;
};

enum histogram_kind { LATENCY, FIRST_TOKEN, OVERHEAD, HISTOGRAMS };

struct histogram {
	uint64_t	 buckets[BUCKETS_MAX];	/* not cumulative; past the last bound: over */
	uint64_t	 over, count, sum_us;
};

static const struct {
	const char	*name, *help;
	uint64_t	 bounds_us[BUCKETS_MAX];	/* 0 ends them */
} histogram_table[HISTOGRAMS] = {
	[LATENCY] = { "spangate_request_duration_seconds",
	    "From the last request byte read to the last answer byte read from the provider",
	    { 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
	      20000000, 30000000, 60000000, 120000000, 300000000, 600000000 } },
	[FIRST_TOKEN] = { "spangate_time_to_first_token_seconds",
	    "From the last request byte read to the first token of a stream",
	    { 50000, 100000, 200000, 300000, 500000, 750000, 1000000, 1500000,
	      2000000, 3000000, 5000000, 10000000, 20000000, 30000000, 60000000 } },
	[OVERHEAD] = { "spangate_overhead_seconds",
	    "Time that a request and its answer's head spent inside the gateway",
	    { 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000 } },
};

static const struct {
	const char	*name, *kind, *help;
} counter_table[LEDGER_COUNTERS] = {
#define COUNTER(symbol, name, kind, help) [LEDGER_##symbol] = { name, kind, help },
#include "ledger/ledger.tbl.h"
#undef COUNTER
};

#define PAIRS ((LIMIT_METRIC_PROVIDERS + 1) * (LIMIT_METRIC_MODELS + 1))
#define PICO_USD UINT64_C(1000000000000)

/* What the spans of a provider's model cost. */
struct cost {
	uint8_t		 provider;
	uint16_t	 model;
	uint64_t	 usd, pico;	/* pico below PICO_USD, so that no sum comes to an end */
	uint64_t	 priced, unpriced;	/* spans */
};

enum token_kind { TOKENS_PROMPT, TOKENS_COMPLETION, TOKENS_CACHED, TOKEN_KINDS };

static const char *const token_names[TOKEN_KINDS] = {
	"prompt", "completion", "cached"
};

static const char *const condition_names[CONDITIONS] = {
	[CONDITION_STORE] = "store", [CONDITION_JOURNAL] = "journal",
	[CONDITION_STARTING] = "starting", [CONDITION_DRAINING] = "draining",
};

/* Everything under the mutex, one block so that a reader takes it in two copies;
 * costs and series last, as only those in use are copied. */
struct tables {
	struct names	 models, providers;
	uint64_t	 uncounted;	/* requests past the last series */
	struct histogram histograms[HISTOGRAMS][FAMILY_COUNT];
	uint64_t	 tokens[FAMILY_COUNT][LIMIT_METRIC_PROVIDERS + 1][TOKEN_KINDS];
	struct { char reason[32]; uint64_t count; } drops[DROPS_MAX];
	size_t		 ndrops;
	size_t		 nseries, ncosts;
	struct cost	 costs[PAIRS];
	struct series	 series[LIMIT_METRIC_SERIES];
};

static pthread_mutex_t	 mutex = PTHREAD_MUTEX_INITIALIZER;
static struct tables	 tables = {
	.models = { .most = LIMIT_METRIC_MODELS },
	.providers = { .most = LIMIT_METRIC_PROVIDERS },
};
static uint16_t		 slots[SLOTS];		/* series number + 1 */
static uint16_t		 cost_of[LIMIT_METRIC_PROVIDERS + 1][LIMIT_METRIC_MODELS + 1];	/* index + 1 in costs */
static char		 conditions[CONDITIONS][CONDITION_BYTES];
static _Atomic int64_t	 counters[LEDGER_COUNTERS];
static _Atomic uint64_t	 started_us;

void
ledger_start(uint64_t wall_us)
{
	atomic_store_explicit(&started_us, wall_us, memory_order_relaxed);
}

void
ledger_add(enum ledger_counter c, int64_t n)
{
	atomic_fetch_add_explicit(&counters[c], n, memory_order_relaxed);
}

void
ledger_set(enum ledger_counter c, int64_t v)
{
	atomic_store_explicit(&counters[c], v, memory_order_relaxed);
}

void
ledger_raise(enum ledger_counter c, int64_t v)
{
	int64_t was = atomic_load_explicit(&counters[c], memory_order_relaxed);

	while (was < v && !atomic_compare_exchange_weak_explicit(&counters[c], &was, v, memory_order_relaxed,
	    memory_order_relaxed))
		;
}

int64_t
ledger_get(enum ledger_counter c)
{
	return atomic_load_explicit(&counters[c], memory_order_relaxed);
}

static bool
series_eq(const struct series *a, const struct series *b)
{
	return a->family == b->family && a->reason == b->reason &&
	    a->provider == b->provider && a->model == b->model &&
	    a->status == b->status;
}

static void
series_count(const struct series *key)
{
	uint16_t	fields[5] = { key->family, key->reason, key->provider, key->model, key->status };
	size_t		at = names_hash(fields, sizeof(fields)) % SLOTS;
	struct series	*s;

	for (; slots[at] != 0; at = (at + 1) % SLOTS) {
		s = &tables.series[slots[at] - 1];
		if (series_eq(s, key)) {
			s->count++;
			return;
		}
	}
	if (tables.nseries == LIMIT_METRIC_SERIES) {
		tables.uncounted++;
		return;
	}
	s = &tables.series[tables.nseries++];
	*s = *key;
	s->count = 1;
	slots[at] = (uint16_t)tables.nseries;
}

static void
histogram_add(enum histogram_kind kind, enum family family, uint64_t us)
{
	struct histogram *h = &tables.histograms[kind][family];
	const uint64_t	 *bounds = histogram_table[kind].bounds_us;
	size_t		  i;

	for (i = 0; i < BUCKETS_MAX && bounds[i] != 0 && us > bounds[i]; i++)
		;
	if (i == BUCKETS_MAX || bounds[i] == 0)
		h->over++;
	else
		h->buckets[i]++;
	h->count++;
	h->sum_us += us;
}

void
ledger_request(const struct ledger_request *r)
{
	char		model[NAME_BYTES], provider[NAME_BYTES];
	size_t		model_len = name_copy(model, r->model);
	size_t		provider_len = name_copy(provider, slice_str(r->provider));
	struct series	key = { 0 };

	key.family = (uint8_t)r->family;
	key.reason = (uint8_t)r->reason;
	key.status = (uint16_t)r->status;
	pthread_mutex_lock(&mutex);
	key.model = (uint16_t)name_intern(&tables.models, model, model_len);
	key.provider = (uint8_t)name_intern(&tables.providers, provider, provider_len);
	series_count(&key);
	histogram_add(LATENCY, r->family, r->latency_us);
	histogram_add(OVERHEAD, r->family, r->overhead_us);
	pthread_mutex_unlock(&mutex);
}

static void
tokens_add(enum family family, size_t provider, const struct ledger_span *s)
{
	uint64_t	*t = tables.tokens[family][provider];

	t[TOKENS_PROMPT] += s->prompt_tokens > 0 ? (uint64_t)s->prompt_tokens : 0;
	t[TOKENS_COMPLETION] += s->completion_tokens > 0 ? (uint64_t)s->completion_tokens : 0;
	t[TOKENS_CACHED] += s->cached_tokens > 0 ? (uint64_t)s->cached_tokens : 0;
}

static void
cost_add(size_t provider, size_t model, const struct ledger_span *s)
{
	uint16_t	*at = &cost_of[provider][model];
	struct cost	*c;

	if (*at == 0) {
		*at = (uint16_t)(tables.ncosts + 1);
		tables.costs[tables.ncosts++] =
		    (struct cost){ .provider = (uint8_t)provider, .model = (uint16_t)model };
	}
	c = &tables.costs[*at - 1];
	if (s->unpriced) {
		c->unpriced++;
		return;
	}
	c->priced++;
	c->pico += s->cost_pico > 0 ? (uint64_t)s->cost_pico : 0;
	c->usd += c->pico / PICO_USD;
	c->pico %= PICO_USD;
}

void
ledger_span(const struct ledger_span *s)
{
	enum family	family = family_by_name(slice_str(s->family));
	char		provider[NAME_BYTES], model[NAME_BYTES];
	size_t		provider_len = name_copy(provider, slice_str(s->provider));
	size_t		model_len = name_copy(model, s->model), number;

	pthread_mutex_lock(&mutex);
	if (s->ttft_us >= 0)
		histogram_add(FIRST_TOKEN, family, (uint64_t)s->ttft_us);
	if (s->billed) {
		number = name_intern(&tables.providers, provider, provider_len);
		tokens_add(family, number, s);
		cost_add(number, name_intern(&tables.models, model, model_len), s);
	}
	pthread_mutex_unlock(&mutex);
}

void
ledger_dropped(const char *reason, uint64_t n)
{
	size_t	i;

	pthread_mutex_lock(&mutex);
	for (i = 0; i < tables.ndrops; i++)
		if (strcmp(tables.drops[i].reason, reason) == 0)
			break;
	if (i == DROPS_MAX)
		i--;
	else if (i == tables.ndrops) {
		strncpy(tables.drops[i].reason, reason, sizeof(tables.drops[i].reason) - 1);
		tables.ndrops++;
	}
	tables.drops[i].count += n;
	pthread_mutex_unlock(&mutex);
}

uint64_t
ledger_dropped_total(void)
{
	uint64_t	sum = 0;
	size_t		i;

	pthread_mutex_lock(&mutex);
	for (i = 0; i < tables.ndrops; i++)
		sum += tables.drops[i].count;
	pthread_mutex_unlock(&mutex);
	return sum;
}

void
ledger_condition(enum ledger_condition c, const char *text)
{
	size_t	n = text ? strnlen(text, CONDITION_BYTES - 1) : 0;

	pthread_mutex_lock(&mutex);
	if (n > 0)
		memcpy(conditions[c], text, n);
	conditions[c][n] = '\0';
	pthread_mutex_unlock(&mutex);
}

bool
ledger_ready(struct buf *json)
{
	char		 now[CONDITIONS][CONDITION_BYTES];
	const char	*status = "ready";
	struct buf	 sinks;
	bool		 first = true;
	int		 i;

	pthread_mutex_lock(&mutex);
	memcpy(now, conditions, sizeof(now));
	pthread_mutex_unlock(&mutex);
	for (i = 0; i < CONDITIONS; i++)
		if (now[i][0] != '\0')
			status = i == CONDITION_STARTING || i == CONDITION_DRAINING ?
			    condition_names[i] : "degraded";
	buf_init(&sinks, 64 * 1024);
	if (ledger_sinks_problems(&sinks) > 0 && strcmp(status, "ready") == 0)
		status = "degraded";
	buf_printf(json, "{\"status\":\"%s\",\"problems\":{", status);
	for (i = 0; i < CONDITIONS; i++) {
		if (now[i][0] == '\0')
			continue;
		buf_printf(json, "%s\"%s\":", first ? "" : ",", condition_names[i]);
		buf_json_string(json, slice_str(now[i]));
		first = false;
	}
	if (sinks.len > 0 && !first)
		buf_byte(json, ',');
	buf_slice(json, buf_view(&sinks));
	buf_free(&sinks);
	buf_str(json, "}}\n");
	return now[CONDITION_STARTING][0] == '\0' && now[CONDITION_DRAINING][0] == '\0';
}

static void
render_requests(struct buf *b, const struct tables *t)
{
	size_t	i;

	text_head(b, "spangate_requests_total", "counter", "Requests that ended");
	for (i = 0; i < t->nseries; i++) {
		const struct series *s = &t->series[i];

		buf_str(b, "spangate_requests_total{");
		text_label(b, "family", family_name(s->family));
		text_label(b, ",provider", name_text(&t->providers, s->provider));
		text_label(b, ",model", name_text(&t->models, s->model));
		buf_printf(b, ",status=\"%u\"", s->status);
		text_label(b, ",reason", reason_info(s->reason)->name);
		buf_printf(b, "} %llu\n", (unsigned long long)s->count);
	}
	text_head(b, "spangate_requests_unlabelled_total", "counter",
	    "Requests past the most series that are kept apart");
	buf_printf(b, "spangate_requests_unlabelled_total %llu\n",
	    (unsigned long long)t->uncounted);
}

static void
render_histogram(struct buf *b, enum histogram_kind kind, const char *family,
    const struct histogram *h)
{
	const char	*name = histogram_table[kind].name;
	const uint64_t	*bounds = histogram_table[kind].bounds_us;
	uint64_t	 sum = 0;
	size_t		 i;

	for (i = 0; i < BUCKETS_MAX && bounds[i] != 0; i++) {
		sum += h->buckets[i];
		buf_printf(b, "%s_bucket{family=\"%s\",le=\"", name, family);
		text_seconds(b, bounds[i]);
		buf_printf(b, "\"} %llu\n", (unsigned long long)sum);
	}
	buf_printf(b, "%s_bucket{family=\"%s\",le=\"+Inf\"} %llu\n", name, family,
	    (unsigned long long)h->count);
	buf_printf(b, "%s_sum{family=\"%s\"} ", name, family);
	text_seconds(b, h->sum_us);
	buf_printf(b, "\n%s_count{family=\"%s\"} %llu\n", name, family,
	    (unsigned long long)h->count);
}

static void
render_histograms(struct buf *b, const struct tables *t)
{
	int	kind, family;

	for (kind = 0; kind < HISTOGRAMS; kind++) {
		text_head(b, histogram_table[kind].name, "histogram",
		    histogram_table[kind].help);
		for (family = 0; family < FAMILY_COUNT; family++)
			if (t->histograms[kind][family].count > 0)
				render_histogram(b, kind, family_name(family),
				    &t->histograms[kind][family]);
	}
}

static void
render_tokens(struct buf *b, const struct tables *t)
{
	size_t	provider;
	int	family, kind;

	text_head(b, "spangate_tokens_total", "counter",
	    "Tokens of billable spans; cached ones are part of the prompt's");
	for (family = 0; family < FAMILY_COUNT; family++)
		for (provider = 0; provider <= LIMIT_METRIC_PROVIDERS; provider++)
			for (kind = 0; kind < TOKEN_KINDS; kind++) {
				uint64_t n = t->tokens[family][provider][kind];

				if (n == 0)
					continue;
				buf_str(b, "spangate_tokens_total{");
				text_label(b, "family", family_name(family));
				text_label(b, ",provider", name_text(&t->providers, provider));
				text_label(b, ",kind", token_names[kind]);
				buf_printf(b, "} %llu\n", (unsigned long long)n);
			}
}

static void
put_cost_labels(struct buf *b, const char *name, const struct tables *t, const struct cost *c)
{
	buf_printf(b, "%s{", name);
	text_label(b, "provider", name_text(&t->providers, c->provider));
	text_label(b, ",model", name_text(&t->models, c->model));
	buf_str(b, "} ");
}

static void
render_costs(struct buf *b, const struct tables *t)
{
	const struct cost	*c, *end = t->costs + t->ncosts;

	text_head(b, "spangate_cost_usd_total", "counter",
	    "What billable spans cost when they were stored, in US dollars");
	for (c = t->costs; c < end; c++) {
		if (c->priced == 0)
			continue;
		put_cost_labels(b, "spangate_cost_usd_total", t, c);
		text_decimal(b, c->usd, c->pico, 12);
		buf_byte(b, '\n');
	}
	text_head(b, "spangate_cost_unknown_total", "counter",
	    "Billable spans whose cost was not known when they were stored");
	for (c = t->costs; c < end; c++) {
		if (c->unpriced == 0)
			continue;
		put_cost_labels(b, "spangate_cost_unknown_total", t, c);
		buf_printf(b, "%llu\n", (unsigned long long)c->unpriced);
	}
}

static void
render_drops(struct buf *b, const struct tables *t)
{
	size_t	i;

	text_head(b, "spangate_spans_dropped_total", "counter",
	    "Spans that were lost, by reason");
	for (i = 0; i < t->ndrops; i++) {
		buf_str(b, "spangate_spans_dropped_total{");
		text_label(b, "reason", t->drops[i].reason);
		buf_printf(b, "} %llu\n", (unsigned long long)t->drops[i].count);
	}
}

static void
render_process(struct buf *b)
{
	text_head(b, "spangate_build_info", "gauge", "Version of the running program");
	buf_printf(b, "spangate_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	text_head(b, "process_start_time_seconds", "gauge",
	    "Start of the process, seconds since 1970 UTC");
	buf_str(b, "process_start_time_seconds ");
	text_seconds(b, atomic_load_explicit(&started_us, memory_order_relaxed));
	buf_byte(b, '\n');
}

void
ledger_render(struct buf *b)
{
	struct tables	*copy = xmalloc(sizeof(*copy));
	int		 i;

	pthread_mutex_lock(&mutex);
	memcpy(copy, &tables, offsetof(struct tables, costs) + tables.ncosts * sizeof(tables.costs[0]));
	memcpy(copy->series, tables.series, tables.nseries * sizeof(tables.series[0]));
	pthread_mutex_unlock(&mutex);
	render_process(b);
	for (i = 0; i < LEDGER_COUNTERS; i++) {
		text_head(b, counter_table[i].name, counter_table[i].kind, counter_table[i].help);
		buf_printf(b, "%s %lld\n", counter_table[i].name,
		    (long long)ledger_get(i));
	}
	render_requests(b, copy);
	render_histograms(b, copy);
	render_tokens(b, copy);
	render_costs(b, copy);
	render_drops(b, copy);
	ledger_genai_render(b);
	ledger_sinks_render(b);
	free(copy);
}
