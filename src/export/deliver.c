/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver: a request from the rows of a target's list, and what its answer
 * means. Nothing moves on before what was refused is written down. Called by
 * the target's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "core/uuid.h"
#include "export/backoff.h"
#include "export/target_int.h"

#define TOO_LARGE_KEPT 50	/* requests for which a size that was too large is remembered */
#define REFUSED_TOLD 20		/* in a row, all for no reason that was told: then it is rather a setting */
#define ROWS_PASSED 200		/* that a small request may have looked at, besides those in it */
#define SAVE_US 250000		/* small requests do not write down each where it is, which takes a sync */
#define FAILURES_TOLD 3		/* in a row, before it is called a problem */

/* Writes one down as a dead letter. */
static bool
bury(struct target *t, const uint8_t id[16], unsigned status, const char *text)
{
	struct dead_letter d = { .time_us = (int64_t)clock_wall_us(), .status = status };

	memcpy(d.id, id, 16);
	snprintf(d.text, sizeof(d.text), "%s", text);
	if (!dead_room(&t->dead, dead_find(&t->dead, id) == NULL)) {
		target_problem(t, "there is no room for more dead letters: send them again or drop them (spangate sinks)");
		return false;
	}
	if (!dead_add(&t->dead, &d)) {
		target_problem(t, "a dead letter cannot be written");
		return false;
	}
	xlog(LOG_LEVEL_WARN, id, "sink %s refuses it: %s", t->id, text);
	t->state.dead++;
	ledger_sink_spans(t->ledger, LEDGER_SINK_DEAD, 1);
	ledger_sink_dead(t->ledger, t->dead.n);
	return true;
}

/* By the settings of the sink. */
static bool
is_wanted(const struct target *t, const struct store_new *it, const struct export_item *item)
{
	const struct span *s = item->span;
	const struct text_list *environments = &t->sink->environments;
	size_t i;

	if (it->rev > 0 && !t->sink->changes)
		return false;
	if (t->resending)
		return true;
	for (i = 0; i < environments->n; i++)
		if (slice_eq(slice_str(environments->list[i]), s->environment))
			break;
	if (environments->n > 0 && i == environments->n)
		return false;
	if (store_sample(slice_make(s->id16, 16)) >= t->sink->sample)
		return false;
	return t->kind->wants == NULL || t->kind->wants(&t->request, item);
}

static size_t
most_spans(const struct target *t)
{
	size_t most = t->sink->batch_spans;

	if (t->kind->most > 0 && t->kind->most < most)
		most = t->kind->most;
	return t->limit < most ? t->limit : most;
}

static void
request_begin(struct target *t)
{
	struct export_request *r = &t->request;

	if (r->body.cap > 8 * MIB)
		buf_free(&r->body);
	r->config = t->sink;
	r->store = t->store;
	r->day_offset = t->config->store.day_offset;
	r->more = r->none = false;
	r->items = 0;
	r->own = NULL;
	buf_clear(&r->headers);
	buf_clear(&r->body);
	t->kind->begin(r);
}

static void
sent_add(struct target *t, const struct span *s)
{
	size_t n = t->request.items++;
	uint64_t ms = uuid7_ms(s->id16);

	if (n == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->sent = xrealloc(t->sent, t->room * sizeof(*t->sent));
	}
	t->sent[n] = (struct sent){ .at = t->end };
	memcpy(t->sent[n].id, s->id16, 16);
	if (n == 0 || ms < t->oldest_ms)
		t->oldest_ms = ms;
}

/* What adding a row came to. */
enum added {
	ADDED,		/* it is in the request, or not for it */
	FULL,		/* it did not fit any more: not dealt with */
	ALONE,		/* dealt with, but nothing can come after it */
	FAILED,		/* a dead letter cannot be written */
};

/* One row into the request, and what becomes of it. */
static enum added
row_add(struct target *t, const struct span *row)
{
	const struct store_new *it = &t->list[t->end];
	struct export_item item = { .span = row, .again = it->rev > 0 || t->resending, .letter = t->resending,
	    .doubled = it->doubled };
	struct buf scores;
	bool good;

	if (t->fate[t->end] == FATE_REFUSED)
		return ADDED;
	t->request.part = t->part > 0 && it->n == t->part_row.n && it->rev == t->part_row.rev ? t->part : 0;
	if (!is_wanted(t, it, &item)) {
		t->fate[t->end] = FATE_SKIPPED;
		return ADDED;
	}
	buf_init(&scores, MIB);
	if (store_sqlite.scores(t->store, row->id16, &scores) != STORE_OK || scores.failed) {
		buf_clear(&scores);
		buf_str(&scores, "{}");
	}
	item.scores = buf_view(&scores);
	item.span = full_span(t->full, row);
	good = t->kind->add(&t->request, &item);
	buf_free(&scores);
	if (good && t->request.none)
		t->fate[t->end] = FATE_SKIPPED;
	else if (good)
		sent_add(t, row);
	if (good) {
		t->request.none = false;
		return ADDED;
	}
	if (t->request.body.failed && t->request.items > 0)
		return FULL;
	if (!bury(t, row->id16, 0, "it cannot be put into a request"))
		return FAILED;
	t->fate[t->end] = FATE_REFUSED;
	return t->request.body.failed ? ALONE : ADDED;
}

/* May another row go into the request? */
static bool
has_room(const struct target *t)
{
	return t->request.items < most_spans(t) && t->request.body.len < t->sink->batch_bytes;
}

/* Rows into the request until it is full, or they are at their end: that of the list up to `until`. */
static enum added
rows_add(struct target *t, struct store_rows *rows, size_t until, int *rc)
{
	enum added added = ADDED;
	const struct span *row;

	while (added == ADDED && has_room(t) && (*rc = store_sqlite.next(rows, &row)) == STORE_ROW) {
		int64_t n = store_sqlite.row_number(rows);

		for (; t->list[t->end].n != n; t->end++)
			t->fate[t->end] = FATE_GONE;	/* since the look */
		added = row_add(t, row);
		t->end += added == ADDED || added == ALONE;
	}
	if (added == ADDED && *rc == STORE_OK && has_room(t))
		for (; t->end < until; t->end++)	/* that was the last row */
			t->fate[t->end] = FATE_GONE;
	return added;
}

/* Makes the next request from the list: t->end is where it ends. False: the
 * store failed, or a dead letter cannot be written. */
static bool
request_make(struct target *t)
{
	size_t rows_most = t->kind->most > 0 ? t->kind->most + ROWS_PASSED : LIMIT_SINK_LOOK;
	size_t until = t->news.count - t->at > rows_most ? t->at + rows_most : t->news.count;
	int64_t numbers[LIMIT_SINK_LOOK];
	struct store_rows *rows = NULL;
	enum added added = ADDED;
	int rc;

	for (size_t i = t->at; i < until; i++) {
		numbers[i - t->at] = t->list[i].n;
		if (t->fate[i] != FATE_REFUSED)
			t->fate[i] = FATE_SENT;
	}
	request_begin(t);
	t->end = t->at;
	rc = store_sqlite.select_numbers(t->store, numbers, until - t->at, &rows);
	if (rc == STORE_OK)
		added = rows_add(t, rows, until, &rc);
	store_sqlite.done(rows);
	t->kind->finish(&t->request);
	if (rc < 0)
		target_store_failed(t);
	return rc >= 0 && added != FAILED;
}

/* The list is dealt with up to `end`. */
static bool
pass(struct target *t)
{
	uint64_t skipped = 0, gone = 0;

	for (; t->at < t->end; t->at++) {
		skipped += t->fate[t->at] == FATE_SKIPPED;
		gone += t->fate[t->at] == FATE_GONE;
		if (!t->resending)
			store_place_pass(&t->state.place, &t->list[t->at]);
	}
	t->state.skipped += skipped;
	t->state.gone += gone;
	ledger_sink_spans(t->ledger, LEDGER_SINK_SKIPPED, skipped);
	ledger_sink_spans(t->ledger, LEDGER_SINK_GONE, gone);
	t->oldest_ms = 0;
	target_lag(t);
	if (t->kind->most > 0 && !t->resending && t->at < t->news.count && clock_mono_us() - t->saved_us < SAVE_US) {
		t->unsaved = true;
		return true;
	}
	return target_save(t);
}

static enum ledger_sink_request
request_result(const struct target *t, unsigned status)
{
	switch (t->verdict.outcome) {
	case EXPORT_TAKEN:
		return LEDGER_SINK_REQUEST_GOOD;
	case EXPORT_HOLD:
		return LEDGER_SINK_REQUEST_DENIED;
	case EXPORT_AGAIN:
		return status == 0 ? LEDGER_SINK_REQUEST_NETWORK : status < 500 ? LEDGER_SINK_REQUEST_BUSY :
		    LEDGER_SINK_REQUEST_SERVER;
	default:
		return LEDGER_SINK_REQUEST_REFUSED;
	}
}

/* Buries one of the request. */
static bool
sent_bury(struct target *t, size_t index, unsigned status, const char *text)
{
	struct sent *s = &t->sent[index];

	if (!bury(t, s->id, status, text))
		return false;
	s->refused = true;
	t->fate[s->at] = FATE_REFUSED;
	return true;
}

/* Buries what the verdict lists. False: a letter cannot be written. *left: how
 * many of the request it does not list. */
static bool
listed_bury(struct target *t, unsigned status, size_t *left)
{
	*left = t->request.items;
	for (size_t i = 0; i < t->verdict.nrefused; i++) {
		const struct export_refusal *r = &t->verdict.refused[i];

		if (r->index >= t->request.items || t->sent[r->index].refused)
			continue;
		if (!sent_bury(t, r->index, status, r->text))
			return false;
		--*left;
	}
	return true;
}

static bool
was_sent(const struct dead_letter *d, void *arg)
{
	const struct target *t = arg;

	for (size_t i = 0; i < t->request.items; i++)
		if (!t->sent[i].refused && memcmp(t->sent[i].id, d->id, 16) == 0)
			return true;
	return false;
}

/* After a request that went well the next may be larger, but below what was too
 * large; that is forgotten after a while. */
static void
limit_raise(struct target *t)
{
	if (t->too_large > 0 && ++t->since_too_large >= TOO_LARGE_KEPT)
		t->too_large = 0;
	t->limit = t->limit > SIZE_MAX / 2 ? SIZE_MAX : t->limit * 2;
	if (t->too_large > 0 && t->limit >= t->too_large)
		t->limit = t->too_large > 1 ? t->too_large - 1 : 1;
}

/* A row that has a further part stays at the list's beginning. */
static void
part_next(struct target *t)
{
	t->part = 0;
	if (!t->request.more || t->sent[0].refused)
		return;
	t->end = t->sent[0].at;
	t->part_row = t->list[t->end];
	t->part = t->request.part + 1;
}

/* The target has all of it, but for what it lists. */
static bool
taken(struct target *t, unsigned status)
{
	size_t left;

	if (!listed_bury(t, status, &left))
		return false;
	t->failures = t->refused_in_row = 0;
	t->state.sent += left;
	t->state.sent_at = clock_wall_us();
	ledger_sink_spans(t->ledger, LEDGER_SINK_SENT, left);
	if (t->dead.n > 0 && dead_remove(&t->dead, was_sent, t) < 0) {
		target_problem(t, "the file of dead letters cannot be written");
		return false;
	}
	ledger_sink_dead(t->ledger, t->dead.n);
	limit_raise(t);
	if (t->kind->taken != NULL)
		t->kind->taken(&t->request);
	part_next(t);
	*t->state.problem = '\0';	/* as it is written */
	if (!pass(t))
		return false;
	target_problem(t, NULL);
	return true;
}

/* Not now. */
static bool
wait_for(struct target *t, uint64_t asked_us)
{
	uint64_t random;

	t->failures++;
	if (t->verdict.outcome == EXPORT_HOLD || t->failures >= FAILURES_TOLD || t->refused_in_row >= REFUSED_TOLD)
		target_problem(t, t->verdict.text);
	if (!target_save(t))
		return false;
	random_bytes(&random, sizeof(random));
	target_pause(t, backoff_pause(t->failures, t->sink->retry_min_us, t->sink->retry_max_us, asked_us, random));
	return true;
}

/* It has nothing of it, and never will have all of it. */
static bool
refused(struct target *t, unsigned status)
{
	size_t left;

	if (t->refused_in_row < REFUSED_TOLD)
		t->failures = 0;
	if (!listed_bury(t, status, &left))
		return false;
	if (left == 0)
		return pass(t);
	if (left < t->request.items)	/* the others go without those */
		return target_save(t);
	if (t->request.items == 1) {
		if (!sent_bury(t, 0, status, t->verdict.text) || !pass(t))
			return false;
		return ++t->refused_in_row < REFUSED_TOLD || wait_for(t, 0);
	}
	t->limit = t->request.items / 2;
	if (t->verdict.outcome == EXPORT_SPLIT) {
		t->too_large = t->request.items;
		t->since_too_large = 0;
	}
	return true;
}

static void
judge(struct target *t, const struct post_result *r)
{
	export_judge(&r->answer, &t->verdict);
	if (r->answer.status == 0)
		snprintf(t->verdict.text, sizeof(t->verdict.text), "%s", r->error);
	else if (t->kind->judge != NULL)
		t->kind->judge(&t->request, &r->answer, &t->verdict);
	ledger_sink_request(t->ledger, request_result(t, r->answer.status));
	t->state.requests++;
	if (t->verdict.outcome == EXPORT_TAKEN && *t->verdict.text == '\0')
		return;
	if (t->verdict.outcome == EXPORT_TAKEN)
		log_warn("sink %s: %s", t->id, t->verdict.text);
	t->state.failures += t->verdict.outcome != EXPORT_TAKEN;
	t->state.failed_at = clock_wall_us();
	snprintf(t->state.error, sizeof(t->state.error), "%s", t->verdict.text);
	log_debug("sink %s: %s", t->id, t->verdict.text);
}

bool
deliver(struct target *t)
{
	struct post_result r;

	if (!request_make(t))
		return false;
	if (t->request.items == 0)
		return pass(t);
	if (t->request.body.failed || t->request.headers.failed) {	/* too large in memory: fewer of them */
		t->limit = t->request.items > 1 ? t->request.items / 2 : 1;
		return t->request.items > 1 || (sent_bury(t, 0, 0, "its request is too large") && pass(t));
	}
	post_send(t->post, t->sink, &t->request, &r);
	if (r.stopped)
		return true;
	judge(t, &r);
	switch (t->verdict.outcome) {
	case EXPORT_TAKEN:
		return taken(t, r.answer.status);
	case EXPORT_SPLIT:
	case EXPORT_REFUSED:
		return refused(t, r.answer.status);
	default:
		return wait_for(t, r.retry_after_us);
	}
}

void
deliver_free(struct target *t)
{
	buf_free(&t->request.headers);
	buf_free(&t->request.body);
	free(t->sent);
	export_verdict_free(&t->verdict);
}
