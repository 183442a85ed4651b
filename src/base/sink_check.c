/* SPDX-License-Identifier: Apache-2.0 */
/* sink_check: see sink_check.h. */
#include "base/sink_check.h"

#include <stdlib.h>

void
sink_defaults(struct sink_config *s, bool no_bodies, bool no_changes)
{
	if (no_bodies && s->kind != SINK_RESPAN)	/* of OTLP's conventions they are opt-in */
		s->bodies = SINK_BODIES_NONE;
	if (no_changes && s->kind == SINK_OTLP)		/* few of its targets replace what they have */
		s->changes = false;
}

static const char *
events_set(struct sink_config *s)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		SINK_EVENTS(X)
#undef X
	};
	size_t i, k;

	for (i = 0; i < s->events.n; i++) {
		for (k = 0; k < SINK_EVENT_KINDS; k++)
			if (strcmp(s->events.list[i], names[k]) == 0)
				break;
		if (k == SINK_EVENT_KINDS)
			return "each is one of logs, errors, feedback, budgets";
		s->tells |= 1u << k;
	}
	if (s->events.n == 0)
		s->tells = 1u << SINK_EVENT_ERRORS | 1u << SINK_EVENT_FEEDBACK | 1u << SINK_EVENT_BUDGETS;
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static const char *
thresholds_set(struct sink_config *s)
{
	static const unsigned usual[] = { 80, 100 };
	unsigned long v;
	char *end;

	if (s->budget_thresholds.n > LIMIT_SINK_THRESHOLDS)
		return "there are too many";
	for (size_t i = 0; i < s->budget_thresholds.n; i++) {
		v = strtoul(s->budget_thresholds.list[i], &end, 10);
		if (*end != '\0' || v < 1 || v > 1000)
			return "each is a whole number of percent from 1 to 1000";
		s->thresholds[s->nthresholds++] = (unsigned)v;
	}
	for (size_t i = 0; s->budget_thresholds.n == 0 && i < 2; i++)
		s->thresholds[s->nthresholds++] = usual[i];
	qsort(s->thresholds, s->nthresholds, sizeof(*s->thresholds), compare);
	return NULL;
}

const char *
sink_check(struct sink_config *s, const char **member)
{
	const char *wrong;

	if (s->kind != SINK_WEBHOOK)
		return NULL;
	*member = "secret";
	if (s->secret == NULL || *s->secret == '\0')
		return "a webhook needs one, as its receiver is to know who speaks";
	*member = "compression";
	if (s->compression != SINK_PLAIN)
		return "a webhook's body is signed as it is, and goes uncompressed";
	*member = "events";
	wrong = events_set(s);
	if (wrong != NULL)
		return wrong;
	*member = "budget_thresholds";
	return thresholds_set(s);
}
