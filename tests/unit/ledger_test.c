/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: the Prometheus text line by line, escapes, ceilings of labels,
 * histograms, conditions, and sums that hold when many threads add.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "ledger/genai.h"
#include "ledger/ledger.h"
#include "tap.h"

#define REQUESTS "spangate_requests_total{family=\"chat\""
#define OPENAI REQUESTS ",provider=\"openai\",model="

static struct buf	out;

static const char *
rendered(void)
{
	buf_clear(&out);
	ledger_render(&out);
	buf_byte(&out, '\0');
	return out.failed ? "" : out.ptr;
}

/* Is there a line that is exactly this? */
static bool
has(const char *line)
{
	const char	*text = rendered(), *at = text;
	size_t		 len = strlen(line);

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
		at++;
	}
	printf("# no line: %s\n", line);
	return false;
}

static size_t
lines_with(const char *word)
{
	const char	*at = rendered();
	size_t		 n = 0;

	while ((at = strstr(at, word)) != NULL) {
		n++;
		at++;
	}
	return n;
}

static void
request(const char *provider, const char *model, unsigned status, uint64_t latency, uint64_t overhead)
{
	ledger_request(&(struct ledger_request){
		.family = FAMILY_CHAT, .provider = provider, .model = slice_str(model),
		.status = status, .reason = status < 400 ? REASON_COMPLETE : REASON_UPSTREAM_CUT,
		.latency_us = latency, .overhead_us = overhead,
	});
}

/* Each line is a comment, empty, or `name{labels} number`. */
static bool
well_formed(void)
{
	char	*copy = strdup(rendered()), *line, *rest = copy;
	bool	 good = true;

	while ((line = strsep(&rest, "\n")) != NULL && good) {
		char	*value = strrchr(line, ' '), *end;

		if (*line == '\0' || strncmp(line, "# HELP ", 7) == 0 ||
		    strncmp(line, "# TYPE ", 7) == 0)
			continue;
		good = value != NULL && (strtod(value + 1, &end), *end == '\0') &&
		    strspn(line, "abcdefghijklmnopqrstuvwxyz_") == strcspn(line, "{ ");
		if (!good)
			printf("# %s\n", line);
	}
	free(copy);
	return good;
}

static void
test_requests(void)
{
	request("openai", "gpt-4o", 200, 49999, 10);
	request("openai", "gpt-4o", 200, 50000, 11);
	request("openai", "gpt-4o", 502, 700000000, 20000);
	request("openai", "a\"b\\c\nd\xff", 200, 1500000, 5);
	request("", "", 200, 1500000, 5);
	ok(has(OPENAI "\"gpt-4o\",status=\"200\",reason=\"complete\"} 2"));
	ok(has(OPENAI "\"gpt-4o\",status=\"502\",reason=\"upstream_cut\"} 1"));
	ok(has(OPENAI "\"a\\\"b\\\\c\\nd?\",status=\"200\",reason=\"complete\"} 1"));
	ok(has(REQUESTS ",provider=\"\",model=\"\",status=\"200\",reason=\"complete\"} 1"));
	ok(has("spangate_request_duration_seconds_bucket{family=\"chat\",le=\"0.05\"} 2"));
	ok(has("spangate_request_duration_seconds_bucket{family=\"chat\",le=\"1\"} 2"));
	ok(has("spangate_request_duration_seconds_bucket{family=\"chat\",le=\"2.5\"} 4"));
	ok(has("spangate_request_duration_seconds_bucket{family=\"chat\",le=\"600\"} 4"));
	ok(has("spangate_request_duration_seconds_bucket{family=\"chat\",le=\"+Inf\"} 5"));
	ok(has("spangate_request_duration_seconds_sum{family=\"chat\"} 703.099999"));
	ok(has("spangate_request_duration_seconds_count{family=\"chat\"} 5"));
	ok(has("spangate_overhead_seconds_bucket{family=\"chat\",le=\"0.00001\"} 3"));
	ok(has("spangate_overhead_seconds_bucket{family=\"chat\",le=\"0.01\"} 4"));
	ok(has("spangate_overhead_seconds_bucket{family=\"chat\",le=\"+Inf\"} 5"));
	ok(lines_with("family=\"embedding\"") == 0);
}

static void
span(const char *family, int64_t ttft, bool billed, int64_t prompt, int64_t completion, int64_t cached)
{
	ledger_span(&(struct ledger_span){
		.family = family, .provider = "openai", .model = SLICE("gpt-4o"), .ttft_us = ttft, .billed = billed,
		.prompt_tokens = prompt, .completion_tokens = completion, .cached_tokens = cached,
	});
}

static void
cost(const char *provider, const char *model, bool unpriced, int64_t pico)
{
	ledger_span(&(struct ledger_span){
		.family = "chat", .provider = provider, .model = slice_str(model), .ttft_us = -1,
		.billed = true, .unpriced = unpriced, .cost_pico = pico,
	});
}

static void
test_spans(void)
{
	span("chat", 137000, true, 100, 20, 60);
	span("chat", -1, true, 1, -1, -1);
	span("chat", -1, false, 1000, 1000, 1000);
	span("no such family", 60000001, true, 5, 0, 0);
	ok(has("spangate_tokens_total{family=\"chat\",provider=\"openai\",kind=\"prompt\"} 101"));
	ok(has("spangate_tokens_total{family=\"chat\",provider=\"openai\",kind=\"completion\"} 20"));
	ok(has("spangate_tokens_total{family=\"chat\",provider=\"openai\",kind=\"cached\"} 60"));
	ok(has("spangate_tokens_total{family=\"other\",provider=\"openai\",kind=\"prompt\"} 5"));
	ok(has("spangate_time_to_first_token_seconds_bucket{family=\"chat\",le=\"0.2\"} 1"));
	ok(has("spangate_time_to_first_token_seconds_count{family=\"chat\"} 1"));
	ok(has("spangate_time_to_first_token_seconds_bucket{family=\"other\",le=\"60\"} 0"));
}

#define COST "spangate_cost_usd_total{provider=\"costs\",model="
#define UNKNOWN "spangate_cost_unknown_total{provider=\"costs\",model="

static void
test_costs(void)
{
	ok(lines_with("spangate_cost_usd_total{provider=\"costs\"") == 0);
	cost("costs", "gpt-4o", false, 3750000000);
	cost("costs", "gpt-4o", false, 1);
	ok(has(COST "\"gpt-4o\"} 0.003750000001"));
	ok(!strstr(rendered(), UNKNOWN "\"gpt-4o\""));	/* nothing unknown: no line */
	cost("costs", "gpt-4o", true, 0);
	cost("costs", "gpt-4o", true, 7);
	ok(has(UNKNOWN "\"gpt-4o\"} 2"));
	ok(has(COST "\"gpt-4o\"} 0.003750000001"));
	cost("costs", "free", false, 0);
	ok(has(COST "\"free\"} 0"));
	cost("costs", "new", true, 0);
	ok(has(UNKNOWN "\"new\"} 1"));
	ok(!strstr(rendered(), COST "\"new\""));		/* zero would be a price */
	cost("costs", "a\"b\\c\nd\xff", false, 2500000000000);
	ok(has(COST "\"a\\\"b\\\\c\\nd?\"} 2.5"));
	for (int i = 0; i < 4; i++)
		cost("costs", "much", false, INT64_MAX);
	ok(has(COST "\"much\"} 36893488.147419103228"));	/* more than 64 bits hold */
	ledger_span(&(struct ledger_span){
		.family = "chat", .provider = "costs", .model = SLICE("fetched"), .ttft_us = -1, .cost_pico = 5,
	});
	ok(!strstr(rendered(), "fetched"));
}

#define GENAI "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",gen_ai_request_model=\"asked\""
#define ANSWERED GENAI ",gen_ai_response_model=\"answered\""

static void
genai(const char *asked, const char *answered, const char *error, int64_t latency, int64_t ttft, int64_t in,
    int64_t out_)
{
	static const uint32_t gaps[] = { 10000, 10001, 81920000, 81920001 };
	struct ledger_genai g = { .operation = "chat", .provider = "openai", .asked = slice_str(asked),
	    .answered = slice_str(answered), .error = error, .request = true, .latency_us = latency, .ttft_us = ttft,
	    .input = in, .output = out_ };

	if (ttft >= 0)
		ledger_chunks_count(&g.chunks, gaps, 4);
	ledger_genai(&g);
}

static void
test_genai(void)
{
	static const char *const bounds[] = { "0.01", "0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.56", "5.12",
	    "10.24", "20.48", "40.96", "81.92", "+Inf" };
	char line[400];

	genai("asked", "answered", "", 1280000, 280000, 100, 11);
	genai("asked", "answered", "", 1280001, -1, 1, 0);
	genai("asked", "", "429", 500, -1, -1, -1);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		snprintf(line, sizeof(line), "gen_ai_client_operation_duration_seconds_bucket{" ANSWERED ",le=\"%s\"} %d", bounds[i],
		    i < 7 ? 0 : i < 8 ? 1 : 2);
		ok(has(line));
	}
	ok(has("gen_ai_client_operation_duration_seconds_sum{" ANSWERED "} 2.560001"));
	ok(has("gen_ai_client_operation_duration_seconds_count{" GENAI ",error_type=\"429\"} 1"));
	ok(has("gen_ai_server_request_duration_seconds_count{" ANSWERED "} 2"));
	ok(has("gen_ai_client_token_usage_bucket{" ANSWERED ",gen_ai_token_type=\"input\",le=\"1\"} 1"));
	ok(has("gen_ai_client_token_usage_bucket{" ANSWERED ",gen_ai_token_type=\"input\",le=\"64\"} 1"));
	ok(has("gen_ai_client_token_usage_bucket{" ANSWERED ",gen_ai_token_type=\"input\",le=\"67108864\"} 2"));
	ok(has("gen_ai_client_token_usage_sum{" ANSWERED ",gen_ai_token_type=\"output\"} 11"));
	ok(lines_with("# TYPE gen_ai_client_token_usage histogram") == 1);
	ok(has("gen_ai_client_operation_time_to_first_chunk_seconds_sum{" ANSWERED "} 0.28"));
	ok(has("gen_ai_client_operation_time_per_output_chunk_seconds_bucket{" ANSWERED ",le=\"0.01\"} 1"));
	ok(has("gen_ai_client_operation_time_per_output_chunk_seconds_bucket{" ANSWERED ",le=\"81.92\"} 3"));
	ok(has("gen_ai_client_operation_time_per_output_chunk_seconds_count{" ANSWERED "} 4"));
	ok(has("gen_ai_server_time_to_first_token_seconds_bucket{" ANSWERED ",le=\"0.25\"} 0"));
	ok(has("gen_ai_server_time_to_first_token_seconds_bucket{" ANSWERED ",le=\"0.5\"} 1"));
	ok(has("gen_ai_server_time_per_output_token_seconds_sum{" ANSWERED "} 0.1"));
	ok(has("gen_ai_server_time_per_output_token_seconds_count{" ANSWERED "} 1"));
	/* what failed has its tokens without the error */
	genai("asked", "answered", "upstream_cut", 7, 5, 3, 2);
	ok(has("gen_ai_client_operation_duration_seconds_count{" ANSWERED ",error_type=\"upstream_cut\"} 1"));
	ok(has("gen_ai_client_token_usage_sum{" ANSWERED ",gen_ai_token_type=\"input\"} 104"));
	ok(has("gen_ai_server_time_to_first_token_seconds_count{" ANSWERED "} 1"));
	ok(lines_with("error_type=\"upstream_cut\"") == 2 * 17);
	/* past the ceilings of names and of series */
	for (int i = 0; i < 400; i++) {
		snprintf(line, sizeof(line), "m%d", i / 2);
		genai(line, i % 2 ? line : "", "", 1, -1, -1, -1);
	}
	ok(has("gen_ai_client_operation_duration_seconds_count{otel_metric_overflow=\"true\"} 147"));
	ok(lines_with("gen_ai_client_operation_duration_seconds_count{") == LIMIT_METRIC_GENAI + 1);
	ok(well_formed());
}

static void
test_counters(void)
{
	ledger_start(1700000000250000);
	ledger_add(LEDGER_BEGUN, 3);
	ledger_add(LEDGER_IN_FLIGHT, 2);
	ledger_add(LEDGER_IN_FLIGHT, -1);
	ledger_set(LEDGER_JOURNAL_LAG, 77);
	ok(ledger_get(LEDGER_JOURNAL_LAG) == 77);
	ok(has("spangate_journal_begins_total 3"));
	ok(has("# TYPE spangate_journal_begins_total counter"));
	ok(has("spangate_requests_in_flight 1"));
	ok(has("spangate_journal_lag_bytes 77"));
	ok(has("process_start_time_seconds 1700000000.25"));
	ledger_dropped("journal_full", 2);
	ledger_dropped("journal_full", 1);
	ledger_dropped("build_failed", 4);
	ok(ledger_dropped_total() == 7);
	ok(has("spangate_spans_dropped_total{reason=\"journal_full\"} 3"));
	ok(has("spangate_spans_dropped_total{reason=\"build_failed\"} 4"));
	ok(strstr(rendered(), "spangate_build_info{version=\"") != NULL);
}

static bool
ready_is(bool good, const char *json)
{
	bool	same;

	buf_clear(&out);
	same = ledger_ready(&out) == good && slice_eq(buf_view(&out), slice_str(json));
	if (!same)
		printf("# %.*s", (int)out.len, out.ptr);
	return same;
}

static void
test_ready(void)
{
	ok(ready_is(true, "{\"status\":\"ready\",\"problems\":{}}\n"));
	ledger_condition(CONDITION_STORE, "disk \"full\"");
	ok(ready_is(true, "{\"status\":\"degraded\",\"problems\":{\"store\":\"disk \\\"full\\\"\"}}\n"));
	ledger_condition(CONDITION_JOURNAL, "x");
	ok(ready_is(true,
	    "{\"status\":\"degraded\",\"problems\":{\"store\":\"disk \\\"full\\\"\",\"journal\":\"x\"}}\n"));
	ledger_condition(CONDITION_STORE, NULL);
	ledger_condition(CONDITION_JOURNAL, NULL);
	ledger_condition(CONDITION_DRAINING, "bye");
	ok(ready_is(false, "{\"status\":\"draining\",\"problems\":{\"draining\":\"bye\"}}\n"));
	ledger_condition(CONDITION_DRAINING, NULL);
	ok(ready_is(true, "{\"status\":\"ready\",\"problems\":{}}\n"));
}

#define THREADS 4
#define ROUNDS 20000

static void *
adder(void *arg)
{
	int	i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		ledger_add(LEDGER_STORED, 1);
		request("threads", "m", 200, 1, 1);
		if (i % 5000 == 0) {
			struct buf b;

			buf_init(&b, 10 << 20);
			ledger_render(&b);
			buf_free(&b);
		}
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t	t[THREADS];
	char		line[200];
	int		i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, adder, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ok(ledger_get(LEDGER_STORED) == THREADS * ROUNDS);
	snprintf(line, sizeof(line), "spangate_requests_total{family=\"chat\",provider=\"threads\","
	    "model=\"m\",status=\"200\",reason=\"complete\"} %d", THREADS * ROUNDS);
	ok(has(line));
}

/* Names and combinations past their ceilings lose labels, not counts. */
static void
test_ceilings(void)
{
	char	 name[300];
	int	 i;

	memset(name, 'x', sizeof(name) - 1);
	name[299] = '\0';
	request("openai", name, 200, 1, 1);
	ok(lines_with("xxxxxxxxxx\",status") == 1);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		request("openai", name, 200, 1, 1);
	}
	ok(lines_with("model=\"model-") < LIMIT_METRIC_MODELS && lines_with("model=\"model-") > 100);
	ok(lines_with("model=\"other\",status=\"200\"") == 1);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		request(name, "m", 200, 1, 1);
	}
	ok(lines_with("provider=\"p9\"") == 1);
	ok(lines_with("provider=\"p299\"") == 0);
	ok(lines_with("provider=\"other\"") >= 1);
	for (i = 0; i < 2 * LIMIT_METRIC_SERIES; i++) {
		snprintf(name, sizeof(name), "model-%d", i % 150);
		request("openai", name, (unsigned)(100 + i / 150), 1, 1);
	}
	cost("openai", "a new model", false, 1000000000000);
	cost("openai", "another one", false, 1000000000000);
	cost("a new provider", "another one", true, 0);
	ok(has("spangate_cost_usd_total{provider=\"openai\",model=\"other\"} 2"));
	ok(has("spangate_cost_unknown_total{provider=\"other\",model=\"other\"} 1"));
	ok(lines_with("spangate_requests_total{") == LIMIT_METRIC_SERIES);
	ok(!has("spangate_requests_unlabelled_total 0"));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "reason %d", i);
		ledger_dropped(name, 1);
	}
	ok(ledger_dropped_total() == 107);
	ok(well_formed());
}

int
main(void)
{
	buf_init(&out, 10 << 20);
	ok(well_formed());
	test_requests();
	test_spans();
	test_genai();
	test_costs();
	test_counters();
	test_ready();
	test_threads();
	test_ceilings();
	buf_free(&out);
	return done();
}
