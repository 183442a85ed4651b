/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_reprice: `spangate prices reprice`: first what would change, by model and
 * customer, read from the store; then the change, by the gateway where one runs
 * and else by the same steps here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/price_book.h"
#include "cli_prices.h"
#include "core/decimal.h"
#include "store/reprice_job.h"

#define STEP_ROWS 1000
#define STEP_US 50000
#define LOOK_US 100000		/* how often the gateway's answer is looked for */
#define LOOKS_ALIVE 20		/* after so many, whether it still runs */
#define SHOWN 200		/* lines of differences */

/* Spans of one model and customer. */
struct difference {
	char		*model, *customer;
	uint64_t	 spans, unknown_before, unknown_after;
	int64_t		 before, after;
};

struct differences {
	struct difference *list;
	size_t		 n, cap;
	uint32_t	*slots;		/* index + 1; a power of two, more than n */
	size_t		 nslots;
};

static uint32_t
hash_of(struct slice model, struct slice customer)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < model.len; i++)
		h = (h ^ (unsigned char)model.ptr[i]) * 16777619u;
	h = (h ^ 0xff) * 16777619u;
	for (size_t i = 0; i < customer.len; i++)
		h = (h ^ (unsigned char)customer.ptr[i]) * 16777619u;
	return h;
}

static uint32_t *
slot_of(struct differences *d, struct slice model, struct slice customer)
{
	size_t i = hash_of(model, customer) & (d->nslots - 1);

	for (; d->slots[i] != 0; i = (i + 1) & (d->nslots - 1)) {
		const struct difference *x = &d->list[d->slots[i] - 1];

		if (slice_eq(slice_str(x->model), model) && slice_eq(slice_str(x->customer), customer))
			break;
	}
	return &d->slots[i];
}

static void
grow(struct differences *d)
{
	if (d->n < d->cap)
		return;
	d->cap = d->cap ? d->cap * 2 : 64;
	d->list = xrealloc(d->list, d->cap * sizeof(*d->list));
	free(d->slots);
	d->nslots = d->cap * 2;
	d->slots = xcalloc(d->nslots, sizeof(*d->slots));
	for (size_t i = 0; i < d->n; i++)
		*slot_of(d, slice_str(d->list[i].model), slice_str(d->list[i].customer)) = (uint32_t)i + 1;
}

static void
changed(void *arg, const struct reprice_change *c)
{
	struct differences *d = arg;
	struct difference *x;
	uint32_t *slot;

	grow(d);
	slot = slot_of(d, c->model, c->customer);
	if (*slot == 0) {
		d->list[d->n] = (struct difference){
			.model = xasprintf("%.*s", (int)c->model.len, c->model.ptr ? c->model.ptr : ""),
			.customer = xasprintf("%.*s", (int)c->customer.len, c->customer.ptr ? c->customer.ptr : ""),
		};
		*slot = (uint32_t)++d->n;
	}
	x = &d->list[*slot - 1];
	x->spans++;
	x->unknown_before += !c->before.set;
	x->unknown_after += !c->after.set;
	x->before += c->before.set ? c->before.v : 0;
	x->after += c->after.set ? c->after.v : 0;
}

static int
by_amount(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;
	int64_t dx = llabs(x->after - x->before), dy = llabs(y->after - y->before);

	if (dx != dy)
		return dx < dy ? 1 : -1;
	return x->spans < y->spans ? 1 : x->spans > y->spans ? -1 : strcmp(x->model, y->model);
}

static void
line_print(const char *model, const char *customer, const struct difference *x)
{
	struct buf text[3];
	int64_t amounts[3] = { x->before, x->after, x->after - x->before };

	for (int i = 0; i < 3; i++) {
		buf_init(&text[i], 100);
		if (i == 2 && amounts[i] > 0)
			buf_byte(&text[i], '+');
		decimal_print(amounts[i], 12, &text[i]);
		buf_byte(&text[i], '\0');
	}
	printf("%-28s %-20s %9llu %8llu %8llu %18s %18s %18s\n", model, customer, (unsigned long long)x->spans,
	    (unsigned long long)x->unknown_before, (unsigned long long)x->unknown_after, text[0].ptr, text[1].ptr,
	    text[2].ptr);
	for (int i = 0; i < 3; i++)
		buf_free(&text[i]);
}

static void
differences_print(struct differences *d)
{
	struct difference sum = { .spans = 0 };

	if (d->n > 0)
		qsort(d->list, d->n, sizeof(*d->list), by_amount);
	printf("%-28s %-20s %9s %8s %8s %18s %18s %18s\n", "model", "customer", "spans", "unknown", "then",
	    "USD before", "after", "difference");
	for (size_t i = 0; i < d->n; i++) {
		const struct difference *x = &d->list[i];

		if (i < SHOWN)
			line_print(x->model, *x->customer ? x->customer : "-", x);
		sum.spans += x->spans;
		sum.unknown_before += x->unknown_before;
		sum.unknown_after += x->unknown_after;
		sum.before += x->before;
		sum.after += x->after;
	}
	if (d->n > SHOWN)
		printf("and %zu more\n", d->n - SHOWN);
	line_print("all", "", &sum);
	fflush(stdout);
}

static void
differences_free(struct differences *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].model);
		free(d->list[i].customer);
	}
	free(d->list);
	free(d->slots);
}

static void
progress(const char *what, const struct reprice_run *run)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %llu spans, %llu of them change", what, (unsigned long long)run->seen,
		    (unsigned long long)run->nchanged);
}

static void
progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

/* What would change. */
static int
look(const struct config *c, const struct reprice *what, struct differences *d)
{
	struct reprice_run run = { .prices = &c->book->prices, .what = what, .dry = true, .changed = changed, .arg = d };
	char err[300];
	int rc = STORE_ROW;

	run.store = store_sqlite.open(c->data_dir, false, err, sizeof(err));
	if (run.store == NULL)
		return cli_fail("%s", err);
	while (rc == STORE_ROW) {
		rc = reprice_step(&run, STEP_ROWS, STEP_US);
		progress("looking", &run);
	}
	progress_end();
	if (rc < 0)
		cli_fail("the store cannot be read: %s", store_sqlite.error(run.store));
	store_sqlite.close(run.store);
	return rc < 0 ? CLI_BAD : CLI_GOOD;
}

/* No gateway runs: the steps are done here. */
static int
work(const struct config *c, const struct reprice *what)
{
	struct reprice_run run = { .prices = &c->book->prices, .what = what };
	char err[300];
	int rc = STORE_ROW;

	run.store = store_sqlite.open(c->data_dir, true, err, sizeof(err));
	if (run.store == NULL)
		return cli_fail("%s", err);
	while (rc == STORE_ROW) {
		int good = store_sqlite.begin(run.store);

		rc = good == STORE_OK ? reprice_step(&run, STEP_ROWS, STEP_US) : good;
		if (rc >= 0 && (good = store_sqlite.commit(run.store)) != STORE_OK)
			rc = good;
		progress("pricing", &run);
	}
	progress_end();
	if (rc < 0) {
		cli_fail("the store cannot be written: %s", store_sqlite.error(run.store));
		store_sqlite.rollback(run.store);
	} else
		printf("%llu spans priced again, %llu of them changed\n", (unsigned long long)run.seen,
		    (unsigned long long)run.nchanged);
	store_sqlite.close(run.store);
	return rc < 0 ? CLI_BAD : CLI_GOOD;
}

/* Waits for the gateway's answer; if it goes away meanwhile, it goes on at its next start. */
static int
wait_answer(const struct config *c)
{
	char answer[200], pid[32];
	bool good;
	int lock;

	for (unsigned looks = 1; !reprice_answered(c->data_dir, answer, &good); looks++) {
		usleep(LOOK_US);
		if (looks % LOOKS_ALIVE != 0 || (lock = cli_lock(c->data_dir, pid)) < 0)
			continue;
		close(lock);
		if (reprice_answered(c->data_dir, answer, &good))
			break;
		return cli_fail("the gateway has ended; it goes on with this at its next start");
	}
	if (!good)
		return cli_fail("%s", answer);
	puts(answer);
	return CLI_GOOD;
}

static int
apply(const struct config *c, const struct reprice *what)
{
	char pid[32];
	int lock = cli_lock(c->data_dir, pid), code;

	if (lock >= 0) {
		code = work(c, what);
		close(lock);
		return code;
	}
	if (*pid == '\0')
		return cli_fail("%s/lock: %s", c->data_dir, strerror(errno));
	if (!reprice_ask(c->data_dir, what, prices_id(&c->book->prices)))
		return errno == EEXIST ? cli_fail("spans are being priced again already") :
		    cli_fail("%s: the gateway cannot be asked: %s", c->data_dir, strerror(errno));
	return wait_answer(c);
}

int
prices_reprice(const struct cli_args *a, const struct config *c)
{
	const char *from = a->values[PRICES_FROM], *to = a->values[PRICES_TO], *model = a->values[PRICES_MODEL];
	struct reprice what = { .from_us = INT64_MIN, .to_us = INT64_MAX, .unknown = a->values[PRICES_UNKNOWN] != NULL };
	struct differences d = { .n = 0 };
	int code;

	if ((from && !cli_time("from", from, &what.from_us)) || (to && !cli_time("to", to, &what.to_us)))
		return CLI_BAD;
	if (model && strlen(model) > REPRICE_PATTERN)
		return cli_fail("--model has more than %d characters", REPRICE_PATTERN);
	snprintf(what.model, sizeof(what.model), "%s", model ? model : "");
	code = look(c, &what, &d);
	if (code == CLI_GOOD) {
		differences_print(&d);
		if (a->values[PRICES_DRY_RUN] == NULL)
			code = apply(c, &what);
	}
	differences_free(&d);
	return code;
}
