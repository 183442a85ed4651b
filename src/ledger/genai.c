/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genai: see genai.h. One table of series under a mutex of its own, which is
 * held for a look-up and some additions. A series has all metrics; those that
 * have no label error_type stand in the one without an error.
 */
#include "ledger/genai.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "core/limits.h"
#include "ledger/names.h"
#include "ledger/text.h"

#define BOUNDS_MAX 16
#define OPERATIONS 32		/* log types of families, and room to spare */
#define ERRORS 128		/* reasons and statuses */

enum metric {
#define METRIC(symbol, ...) symbol,
#include "ledger/genai.tbl.h"
#undef METRIC
	METRICS
};

enum unit { US, ONE };

static const struct {
	const char	*name;
	enum unit	 unit;
	const char	*help;		/* NULL: it goes on the one before */
	uint64_t	 bounds[BOUNDS_MAX];	/* 0 ends them */
} table[METRICS] = {
#define METRIC(symbol, name, unit, help, ...) [symbol] = { name, unit, help, { __VA_ARGS__ } },
#include "ledger/genai.tbl.h"
#undef METRIC
};

struct histogram {
	uint64_t	 buckets[BOUNDS_MAX + 1];	/* not cumulative; the one after the last bound: past it */
	uint64_t	 count, sum;
};

struct key {
	uint16_t	 operation, provider, asked, answered, error;
};

struct series {
	struct key	 key;
	struct histogram metrics[METRICS];
};

/* series last, as only those in use are copied. */
struct tables {
	struct names	 operations, providers, asked, answered, errors;
	size_t		 count;
	struct series	 overflow;	/* of what has no room */
	struct series	 series[LIMIT_METRIC_GENAI];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct tables tables = {
	.operations = { .most = OPERATIONS }, .errors = { .most = ERRORS },
	.providers = { .most = LIMIT_METRIC_PROVIDERS },
	.asked = { .most = LIMIT_METRIC_MODELS }, .answered = { .most = LIMIT_METRIC_MODELS },
};

static unsigned
bucket_of(enum metric m, uint64_t v)
{
	unsigned i;

	for (i = 0; i < BOUNDS_MAX && table[m].bounds[i] != 0 && v > table[m].bounds[i]; i++)
		;
	return i;
}

void
ledger_chunks_count(struct ledger_chunks *c, const uint32_t *us, size_t n)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < n; i++) {
		c->buckets[bucket_of(CHUNK, us[i])]++;
		c->sum_us += us[i];
	}
}

static uint16_t
intern(struct names *names, struct slice text)
{
	char copy[NAME_BYTES];

	return (uint16_t)name_intern(names, copy, name_copy(copy, text));
}

static struct series *
series_find(const struct key *key)
{
	struct series *s;

	for (s = tables.series; s < tables.series + tables.count; s++)
		if (memcmp(&s->key, key, sizeof(*key)) == 0)
			return s;
	if (tables.count == LIMIT_METRIC_GENAI)
		return &tables.overflow;
	tables.count++;
	s->key = *key;
	return s;
}

static void
add(struct series *s, enum metric m, int64_t v)
{
	struct histogram *h = &s->metrics[m];

	if (v < 0)
		return;
	h->buckets[bucket_of(m, (uint64_t)v)]++;
	h->count++;
	h->sum += (uint64_t)v;
}

static void
chunks_add(struct histogram *h, const struct ledger_chunks *c)
{
	for (unsigned i = 0; i < LEDGER_CHUNK_BUCKETS; i++) {
		h->buckets[i] += c->buckets[i];
		h->count += c->buckets[i];
	}
	h->sum += c->sum_us;
}

/* What has no label error_type. */
static void
well_add(struct series *s, const struct ledger_genai *g)
{
	add(s, TOKENS_INPUT, g->input);
	add(s, TOKENS_OUTPUT, g->output);
	if (!g->request)
		return;
	add(s, FIRST_CHUNK, g->ttft_us);
	chunks_add(&s->metrics[CHUNK], &g->chunks);
	if (*g->error != '\0')
		return;
	add(s, FIRST_TOKEN, g->ttft_us);
	if (g->ttft_us >= 0 && g->latency_us >= g->ttft_us && g->output > 1)
		add(s, TOKEN, (g->latency_us - g->ttft_us) / (g->output - 1));
}

void
ledger_genai(const struct ledger_genai *g)
{
	struct series *s;
	struct key key;

	if (!g->request && g->input < 0 && g->output < 0)
		return;
	pthread_mutex_lock(&mutex);
	key = (struct key){
		.operation = intern(&tables.operations, slice_str(g->operation)),
		.provider = intern(&tables.providers, slice_str(g->provider)),
		.asked = intern(&tables.asked, g->asked), .answered = intern(&tables.answered, g->answered),
		.error = intern(&tables.errors, slice_str(g->error)),
	};
	s = series_find(&key);
	if (g->request) {
		add(s, DURATION, g->latency_us);
		add(s, SERVED, g->latency_us);
	}
	if (*g->error != '\0' && (g->ttft_us >= 0 || g->input >= 0 || g->output >= 0)) {
		key.error = intern(&tables.errors, SLICE(""));
		well_add(series_find(&key), g);
	} else if (*g->error == '\0')
		well_add(s, g);
	pthread_mutex_unlock(&mutex);
}

/* The labels of a series, each with a comma behind it. */
static void
labels_put(const struct tables *t, const struct series *s, enum metric m, struct buf *out)
{
	const struct { const char *name, *value; } labels[] = {
		{ "gen_ai_operation_name", name_text(&t->operations, s->key.operation) },
		{ "gen_ai_provider_name", name_text(&t->providers, s->key.provider) },
		{ "gen_ai_request_model", name_text(&t->asked, s->key.asked) },
		{ "gen_ai_response_model", name_text(&t->answered, s->key.answered) },
		{ "error_type", name_text(&t->errors, s->key.error) },
		{ "gen_ai_token_type", m == TOKENS_INPUT ? "input" : m == TOKENS_OUTPUT ? "output" : "" },
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		bool of_series = strcmp(labels[i].name, "gen_ai_token_type") != 0;

		if (*labels[i].value == '\0' || (of_series && s == &t->overflow))
			continue;
		text_label(out, labels[i].name, labels[i].value);
		buf_byte(out, ',');
	}
	if (s == &t->overflow)
		buf_str(out, "otel_metric_overflow=\"true\",");
}

static void
value_put(enum unit unit, uint64_t v, struct buf *out)
{
	if (unit == US)
		text_seconds(out, v);
	else
		buf_u64(out, v);
}

static void
histogram_put(const struct tables *t, const struct series *s, enum metric m, struct buf *out)
{
	const struct histogram *h = &s->metrics[m];
	const char *name = table[m].name;
	struct buf labels;
	uint64_t sum = 0;

	if (h->count == 0)
		return;
	buf_init(&labels, 64 * KIB);
	labels_put(t, s, m, &labels);
	for (unsigned i = 0; i < BOUNDS_MAX && table[m].bounds[i] != 0; i++) {
		sum += h->buckets[i];
		buf_printf(out, "%s_bucket{", name);
		buf_slice(out, buf_view(&labels));
		buf_str(out, "le=\"");
		value_put(table[m].unit, table[m].bounds[i], out);
		buf_printf(out, "\"} %llu\n", (unsigned long long)sum);
	}
	buf_printf(out, "%s_bucket{", name);
	buf_slice(out, buf_view(&labels));
	buf_printf(out, "le=\"+Inf\"} %llu\n%s_sum{", (unsigned long long)h->count, name);
	labels.len -= labels.len > 0;	/* the comma */
	buf_slice(out, buf_view(&labels));
	buf_str(out, "} ");
	value_put(table[m].unit, h->sum, out);
	buf_printf(out, "\n%s_count{", name);
	buf_slice(out, buf_view(&labels));
	buf_printf(out, "} %llu\n", (unsigned long long)h->count);
	buf_free(&labels);
}

void
ledger_genai_render(struct buf *out)
{
	struct tables *copy = xmalloc(sizeof(*copy));

	pthread_mutex_lock(&mutex);
	memcpy(copy, &tables, offsetof(struct tables, series) + tables.count * sizeof(tables.series[0]));
	pthread_mutex_unlock(&mutex);
	for (enum metric m = 0; m < METRICS; m++) {
		if (table[m].help != NULL)
			text_head(out, table[m].name, "histogram", table[m].help);
		for (size_t i = 0; i < copy->count; i++)
			histogram_put(copy, &copy->series[i], m, out);
		histogram_put(copy, &copy->overflow, m, out);
	}
	free(copy);
}
