/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sinks: see sinks.h. A handful of slots under one short mutex: they are
 * written a few times a second each.
 */
#include "ledger/sinks.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "ledger/text.h"

#define TEXT_BYTES 201

struct ledger_sink {
	bool		 used;
	char		 name[65], kind[16], problem[TEXT_BYTES];
	uint64_t	 spans[LEDGER_SINK_SPAN_KINDS], requests[LEDGER_SINK_REQUEST_KINDS];
	uint64_t	 lag, lag_us, dead;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ledger_sink slots[LIMIT_SINKS];

#define X(symbol, label) label,
static const char *const span_labels[] = { LEDGER_SINK_SPANS(X) };
static const char *const request_labels[] = { LEDGER_SINK_REQUESTS(X) };
#undef X

struct ledger_sink *
ledger_sink_open(const char *name, const char *kind)
{
	struct ledger_sink *s = NULL;

	pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < LIMIT_SINKS && s == NULL; i++)
		if (!slots[i].used)
			s = &slots[i];
	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		s->used = true;
		snprintf(s->name, sizeof(s->name), "%s", name);
		snprintf(s->kind, sizeof(s->kind), "%s", kind);
	}
	pthread_mutex_unlock(&mutex);
	return s;
}

void
ledger_sink_close(struct ledger_sink *s)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL)
		s->used = false;
	pthread_mutex_unlock(&mutex);
}

void
ledger_sink_spans(struct ledger_sink *s, enum ledger_sink_span kind, uint64_t n)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL)
		s->spans[kind] += n;
	pthread_mutex_unlock(&mutex);
}

void
ledger_sink_request(struct ledger_sink *s, enum ledger_sink_request kind)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL)
		s->requests[kind]++;
	pthread_mutex_unlock(&mutex);
}

void
ledger_sink_lag(struct ledger_sink *s, uint64_t spans, uint64_t us)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL) {
		s->lag = spans;
		s->lag_us = us;
	}
	pthread_mutex_unlock(&mutex);
}

void
ledger_sink_dead(struct ledger_sink *s, uint64_t letters)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL)
		s->dead = letters;
	pthread_mutex_unlock(&mutex);
}

void
ledger_sink_problem(struct ledger_sink *s, const char *text)
{
	pthread_mutex_lock(&mutex);
	if (s != NULL)
		snprintf(s->problem, sizeof(s->problem), "%s", text ? text : "");
	pthread_mutex_unlock(&mutex);
}

/* One metric of all slots: the value is at `offset`. */
static void
gauge(struct buf *b, const struct ledger_sink *list, const char *name, const char *help, size_t offset, bool seconds)
{
	uint64_t v;

	text_head(b, name, "gauge", help);
	for (size_t i = 0; i < LIMIT_SINKS; i++) {
		if (!list[i].used)
			continue;
		memcpy(&v, (const char *)&list[i] + offset, sizeof(v));
		buf_printf(b, "%s{sink=\"%s\"} ", name, list[i].name);
		if (seconds)
			buf_printf(b, "%llu.%06llu\n", (unsigned long long)(v / 1000000), (unsigned long long)(v % 1000000));
		else
			buf_printf(b, "%llu\n", (unsigned long long)v);
	}
}

static void
labelled(struct buf *b, const struct ledger_sink *list, const char *name, const char *help, size_t offset,
    const char *const *labels, size_t nlabels)
{
	uint64_t v;

	text_head(b, name, "counter", help);
	for (size_t i = 0; i < LIMIT_SINKS; i++)
		for (size_t k = 0; k < nlabels && list[i].used; k++) {
			memcpy(&v, (const char *)&list[i] + offset + k * sizeof(v), sizeof(v));
			buf_printf(b, "%s{sink=\"%s\",kind=\"%s\",result=\"%s\"} %llu\n", name, list[i].name, list[i].kind,
			    labels[k], (unsigned long long)v);
		}
}

#define AT(member) offsetof(struct ledger_sink, member)

void
ledger_sinks_render(struct buf *b)
{
	struct ledger_sink copy[LIMIT_SINKS];
	bool any = false;

	pthread_mutex_lock(&mutex);
	memcpy(copy, slots, sizeof(copy));
	pthread_mutex_unlock(&mutex);
	for (size_t i = 0; i < LIMIT_SINKS; i++)
		any |= copy[i].used;
	if (!any)
		return;
	labelled(b, copy, "spangate_sink_spans_total", "Spans by what became of them on the way to another system",
	    AT(spans), span_labels, LEDGER_SINK_SPAN_KINDS);
	labelled(b, copy, "spangate_sink_requests_total", "Requests to another system by how they ended", AT(requests),
	    request_labels, LEDGER_SINK_REQUEST_KINDS);
	gauge(b, copy, "spangate_sink_lag_spans", "Stored spans that a sink has not dealt with yet, about", AT(lag), false);
	gauge(b, copy, "spangate_sink_lag_seconds", "How long the oldest of them has been waiting", AT(lag_us), true);
	gauge(b, copy, "spangate_sink_dead_letters", "Spans that a sink's target refused, kept for another try", AT(dead),
	    false);
	text_head(b, "spangate_sink_up", "gauge", "1 while a sink's target takes what it is sent");
	for (size_t i = 0; i < LIMIT_SINKS; i++)
		if (copy[i].used)
			buf_printf(b, "spangate_sink_up{sink=\"%s\"} %d\n", copy[i].name, copy[i].problem[0] == '\0');
}

unsigned
ledger_sinks_problems(struct buf *b)
{
	struct ledger_sink copy[LIMIT_SINKS];
	unsigned n = 0;

	pthread_mutex_lock(&mutex);
	memcpy(copy, slots, sizeof(copy));
	pthread_mutex_unlock(&mutex);
	for (size_t i = 0; i < LIMIT_SINKS; i++) {
		if (!copy[i].used || copy[i].problem[0] == '\0')
			continue;
		buf_printf(b, "%s\"sink %s\":", n == 0 ? "" : ",", copy[i].name);
		buf_json_string(b, slice_str(copy[i].problem));
		n++;
	}
	return n;
}
