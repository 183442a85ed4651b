/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: the thread between journal and store. A turn reads what has come,
 * builds the span of each END, puts them and commits them with the cursors; at
 * most every 50 ms, so that load batches itself. Anything that fails undoes the
 * transaction, is said once, and is tried again from the cursors on disk.
 * Retention runs between the turns.
 */
#include "store/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"
#include "base/config.h"
#include "base/log.h"
#include "ledger/genai.h"
#include "ledger/ledger.h"
#include "span/build.h"
#include "span/genai.h"
#include "span/tokens.h"
#include "store/audio.h"
#include "store/quarantine.h"
#include "store/reprice_job.h"
#include "store/tail.h"
#include "store/thin.h"

#define DEATHS 3			/* over one record, then it is set aside: who kills the process again and again
					 * may meet it twice */
#define BATCH_SPANS 2000			/* in one transaction: pages that many spans change are written */
#define BATCH_BYTES (32 * MIB)		/* once; but it is over in a third of a second */
#define BATCH_RECORDS 20000		/* read in one turn: long streams must not starve the commit */
#define TURN_US 50000			/* between the starts of two turns */
#define IDLE_US 1000000
#define RETRY_MIN_US 100000
#define RETRY_MAX_US 2000000
#define EXPIRE_US 60000000		/* looks for rows past retention this often, and */
#define EXPIRE_PAUSE_US 30000		/* while there are some, again after this */

/* What the ledger is told of a span once it is committed. */
struct told {
	struct ledger_span span;
	struct ledger_genai genai;
	char		 provider[48], model[128];
	char		 operation[32], maker[48], asked[128], answered[128], error[GENAI_ERROR_BYTES];
	bool		 forwarded;		/* by this gateway: genai counts */
};

struct sink {
	pthread_t	 thread;
	pthread_mutex_t	 lock;
	pthread_cond_t	 changed;
	bool		 stopping;		/* under lock, as is */
	uint64_t	 deadline;
	bool		 drained;		/* once the thread has ended */

	struct journal	*journal;
	struct config	*config;		/* of the start: data_dir */
	struct config	*current;		/* of this turn; options are out of it */
	struct build_options options;
	struct tokens	*tokens;
	struct reprice_job reprice;
	const struct store_ops *ops;
	struct store	*store;			/* NULL: to be opened (again) */
	struct tails	 tails;
	unsigned	 series_made;		/* that tails know of */
	struct quarantine *quarantine;
	bool		 begun;			/* a transaction is open */
	unsigned	 batch;
	size_t		 batch_bytes;		/* of its chains */
	struct told	 told[BATCH_SPANS];
	unsigned	 quarantined;		/* of this batch: stored raw, */
	unsigned	 dropped;		/* and not at all */
	uint64_t	 retry_us;
	bool		 failing;
	const char	*trouble;		/* what went wrong, where it was not the store */
	uint64_t	 housekept, expire_at, reprice_at;
	bool		 expiring;
};

static bool
is_stopping(struct sink *sink, uint64_t *deadline)
{
	bool stopping;

	pthread_mutex_lock(&sink->lock);
	stopping = sink->stopping;
	*deadline = sink->deadline;
	pthread_mutex_unlock(&sink->lock);
	return stopping;
}

/* Sleeps, but not beyond sink_stop. */
static void
sink_sleep(struct sink *sink, uint64_t us)
{
	uint64_t until = clock_mono_us() + us;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000000), .tv_nsec = (long)(until % 1000000) * 1000 };

	pthread_mutex_lock(&sink->lock);
	while (!sink->stopping && clock_mono_us() < until)
		pthread_cond_timedwait(&sink->changed, &sink->lock, &ts);
	pthread_mutex_unlock(&sink->lock);
}

/* Bodies of this exchange are not to be kept: by its settings or by the request. */
static bool
bodies_kept(const struct chain *chain, const struct span *span)
{
	if (span->disable_log.set && span->disable_log.v)
		return false;
	for (size_t i = 0; i < chain->count; i++)
		if (chain->records[i].type == RECORD_BEGIN || chain->records[i].type == RECORD_SPAN)
			return record_get_u64(chain->records[i].payload, TAG_LOG_BODIES, 1) != 0;
	return true;
}

static int64_t
known(struct span_int v)
{
	return v.set ? v.v : 0;
}

#define TEXT_SET(to, slice) snprintf((to), sizeof(to), "%.*s", (int)(slice).len, (slice).ptr ? (slice).ptr : "")

/* The same in the words of OpenTelemetry. */
static void
genai_later(struct told *t, const struct span *span, const struct build *build)
{
	struct slice operation = genai_operation(span), maker = genai_provider(span->provider_id);
	struct slice asked = genai_asked(span), answered = genai_answered(span);
	const uint32_t *gaps;
	size_t ngaps;

	t->forwarded = !span->given;
	if (span->given)
		return;
	TEXT_SET(t->operation, operation);
	TEXT_SET(t->maker, maker);
	TEXT_SET(t->asked, asked);
	TEXT_SET(t->answered, answered);
	t->genai = (struct ledger_genai){
		.operation = t->operation, .provider = t->maker, .asked = slice_str(t->asked),
		.answered = slice_str(t->answered), .error = genai_error(span, t->error),
		.request = (span->uncounted & SPAN_NO_REQUEST) == 0,
		.latency_us = span->latency.set ? span->latency.v : -1,
		.ttft_us = span->time_to_first_token.set ? span->time_to_first_token.v : -1,
		.input = t->span.billed && span->prompt_tokens.set ? span->prompt_tokens.v : -1,
		.output = t->span.billed && span->completion_tokens.set ? span->completion_tokens.v : -1,
	};
	gaps = build_gaps(build, &ngaps);
	ledger_chunks_count(&t->genai.chunks, gaps, ngaps);
}

/* Tokens and cost count where the row is billed. */
static void
tell_later(struct sink *sink, const struct span *span, const struct build *build)
{
	struct told *t = &sink->told[sink->batch];
	enum store_billed billed = sink->ops->billed(sink->store);
	struct slice provider = span->provider_id, model = span->model;

	TEXT_SET(t->provider, provider);
	TEXT_SET(t->model, model);
	t->span = (struct ledger_span){
		.family = family_name(family_by_name(span->family)), .provider = t->provider,
		.model = slice_str(t->model),
		.ttft_us = span->time_to_first_token.set ? span->time_to_first_token.v : -1,
		.billed = billed != STORE_UNBILLED, .unpriced = billed == STORE_UNPRICED,
		.prompt_tokens = known(span->prompt_tokens), .completion_tokens = known(span->completion_tokens),
		.cached_tokens = known(span->prompt_cache_hit_tokens), .cost_pico = known(span->cost),
	};
	genai_later(t, span, build);
}

static struct build *
build_chain(const struct chain *chain, const struct build_options *options)
{
	struct build *build = build_new(options);

	if (!build)
		return NULL;
	for (size_t i = 0; i < chain->count; i++)
		build_feed(build, &chain->records[i]);
	return build;
}

static void
stored(struct sink *sink, struct tail *t, const struct span *span, const struct build *build)
{
	tell_later(sink, span, build);
	t->cursor.stored += !span->given;	/* the books are of exchanges */
	sink->batch++;
}

/* The raw span of what cannot be stored as it should; its bytes go to
 * quarantine, except where they are not to be kept at all. */
static int
put_raw(struct sink *sink, struct tail *t, const struct chain *chain, struct build *build)
{
	const struct span *span = build_finish_raw(build);
	int rc;

	if (bodies_kept(chain, span))
		(void)quarantine_keep(sink->quarantine, span->id16, slice_make(chain->bytes, chain->size));
	xlog(LOG_LEVEL_ERROR, span->id16, "its span could not be built or stored: set aside");
	rc = sink->ops->put(sink->store, span, SLICE_NONE);
	if (rc == STORE_OK) {
		stored(sink, t, span, build);
		sink->quarantined++;
	}
	return rc;
}

static int
put_span(struct sink *sink, struct tail *t, const struct chain *chain, struct build *build)
{
	const struct span *span = build_finish(build);
	struct slice bytes = SLICE_NONE;
	struct buf thin;
	int rc;

	buf_init(&thin, LIMIT_CHAIN);
	if (bodies_kept(chain, span))
		bytes = thin_chain(chain, build, &thin) ? buf_view(&thin) :
		    slice_make(chain->bytes, chain->size);
	rc = sink->ops->put(sink->store, span, bytes);
	buf_free(&thin);
	if (rc == STORE_E_ROW)
		return put_raw(sink, t, chain, build);
	if (rc == STORE_OK)
		stored(sink, t, span, build);
	return rc;
}

/* Nothing of this exchange can be stored: its bytes stay in quarantine. */
static void
give_up(struct sink *sink, struct tail *t, const struct record *end, const struct chain *chain)
{
	(void)quarantine_keep(sink->quarantine, end->id, slice_make(chain->bytes, chain->size));
	xlog(LOG_LEVEL_ERROR, end->id, "not even its sizes could be stored: set aside without a row");
	t->cursor.dropped += end->type == RECORD_END;
	sink->dropped++;
}

/* The build of a chain, its audio in a file where that is wanted. NULL: no
 * memory. */
static struct build *
build_with_audio(struct sink *sink, const struct chain *chain)
{
	struct build_options options = sink->options;
	struct build *build = build_chain(chain, &options);
	const struct span *span;

	if (!build || !options.keep_audio)
		return build;
	span = build_finish(build);
	if (build_audio(build).len == 0 || !bodies_kept(chain, span) ||
	    audio_keep(sink->config->data_dir, span->id16, build_audio(build)))
		return build;
	xlog(LOG_LEVEL_ERROR, span->id16, "its audio cannot be kept: %s", strerror(errno));
	build_free(build);
	options.keep_audio = false;
	return build_chain(chain, &options);
}

/* The span of one chain into the open transaction. What has crashed the
 * process before is not interpreted again. */
static int
put_chain(struct sink *sink, struct tail *t, const struct record *end, uint64_t position,
    const struct chain *chain)
{
	unsigned deaths = quarantine_note(sink->quarantine, t->cursor.series, position);
	struct build *build = NULL;
	int rc = STORE_E_ROW;

	if (deaths <= DEATHS)
		build = deaths < DEATHS ? build_with_audio(sink, chain) : build_chain(chain, &sink->options);
	if (build)
		rc = deaths < DEATHS ? put_span(sink, t, chain, build) : put_raw(sink, t, chain, build);
	build_free(build);
	if (rc == STORE_E_ROW) {
		give_up(sink, t, end, chain);
		rc = STORE_OK;
	}
	return rc;
}

static int
take_end(struct sink *sink, struct tail *t, const struct record *end, uint64_t position)
{
	struct record copy = *end;	/* reading the chain may move the reader's buffer */
	struct chain chain;
	int rc = STORE_OK;

	copy.payload = SLICE_NONE;
	if (chain_read(t->reader, position, &chain) == READER_E_IO) {
		sink->trouble = "the journal cannot be read";
		rc = STORE_BUSY;
	} else if (chain.count == 0)
		give_up(sink, t, &copy, &chain);
	else {
		if (!chain.complete)
			xlog(LOG_LEVEL_WARN, copy.id, "part of its records is missing in the journal");
		rc = put_chain(sink, t, &copy, position, &chain);
	}
	sink->batch_bytes += chain.size;
	chain_free(&chain);
	return rc;
}

/* A change of a span. One that cannot be read is passed over: who made it had
 * checked it. */
static int
take_edit(struct sink *sink, const struct record *record)
{
	struct slice target = record_get(record->payload, TAG_TARGET_ID);
	int rc = STORE_E_ROW;

	if (target.len == 16)
		rc = sink->ops->edit(sink->store, (const uint8_t *)target.ptr, record_get(record->payload, TAG_BYTES));
	if (rc == STORE_E_ROW)
		xlog(LOG_LEVEL_ERROR, record->id, "a change in the journal cannot be read and was passed over");
	return rc == STORE_E_ROW ? STORE_OK : rc;
}

/* Says once that the store does not take, and that it does again. */
static void
set_failing(struct sink *sink, const char *text)
{
	ledger_condition(CONDITION_STORE, text);
	if (text && !sink->failing)
		log_error("store: %s (spans wait in the journal)", text);
	else if (!text && sink->failing)
		log_info("store: works again");
	sink->failing = text != NULL;
	if (!text)
		sink->retry_us = RETRY_MIN_US;
}

static void
close_store(struct sink *sink)
{
	if (sink->store)
		sink->ops->close(sink->store);
	sink->store = NULL;
}

/* Undoes the transaction and goes back to the cursors on disk. The handle is
 * given up as well: after an I/O error or a swapped file only a new one helps. */
static void
fail(struct sink *sink)
{
	if (sink->store) {
		set_failing(sink, sink->trouble ? sink->trouble : sink->ops->error(sink->store));
		sink->ops->rollback(sink->store);
	}
	sink->begun = false;
	sink->trouble = NULL;
	sink->batch = sink->quarantined = sink->dropped = 0;
	sink->reprice.active = false;
	quarantine_clear(sink->quarantine);
	tails_rollback(&sink->tails);
	ledger_set(LEDGER_JOURNAL_LAG, (int64_t)tails_lag(&sink->tails));
	close_store(sink);
}

static bool
open_store(struct sink *sink)
{
	char err[300];

	if (sink->store)
		return true;
	sink->store = sink->ops->open(sink->config->data_dir, true, err, sizeof(err));
	if (!sink->store) {
		set_failing(sink, err);
		return false;
	}
	if (sink->ops->day_offset(sink->store, sink->config->store.day_offset) == STORE_OK &&
	    sink->ops->search(sink->store, sink->config->store.search ? &sink->options : NULL) == STORE_OK &&
	    sink->ops->follow(sink->store, sink->current->nsinks > 0, news_needless()) == STORE_OK &&
	    tails_load(&sink->tails, sink->ops, sink->store) == STORE_OK &&
	    tails_scan(&sink->tails, sink->ops, sink->store) == STORE_OK)
		return true;
	fail(sink);
	return false;
}

/* Tells the ledger what has been committed. */
static void
tell(struct sink *sink)
{
	for (unsigned i = 0; i < sink->batch; i++) {
		ledger_span(&sink->told[i].span);
		if (sink->told[i].forwarded)
			ledger_genai(&sink->told[i].genai);
	}
	ledger_add(LEDGER_STORED, sink->batch);
	ledger_add(LEDGER_QUARANTINED, sink->quarantined + sink->dropped);
	if (sink->dropped)
		ledger_dropped("build_failed", sink->dropped);
	sink->batch = sink->quarantined = sink->dropped = 0;
}

static int
begin(struct sink *sink)
{
	int rc = STORE_OK;

	if (!sink->begun)
		rc = sink->ops->begin(sink->store);
	sink->begun = rc == STORE_OK;
	return rc;
}

/* The cursors that moved, and the end of the transaction. */
static int
commit(struct sink *sink)
{
	int rc = begin(sink);

	quarantine_clear(sink->quarantine);
	for (size_t i = 0; i < sink->tails.count && rc == STORE_OK; i++)
		if (tail_moved(&sink->tails.list[i]))
			rc = sink->ops->cursor(sink->store, &sink->tails.list[i].cursor);
	if (rc == STORE_OK)
		rc = sink->ops->commit(sink->store);
	if (rc != STORE_OK)
		return rc;
	sink->begun = false;
	for (size_t i = 0; i < sink->tails.count; i++)
		if (tail_moved(&sink->tails.list[i]))
			journal_applied(sink->journal, sink->tails.list[i].cursor.series,
			    sink->tails.list[i].cursor.position);
	tails_commit(&sink->tails);
	tell(sink);
	news_tell();
	set_failing(sink, NULL);
	return STORE_OK;
}

static bool
is_full(const struct sink *sink)
{
	return sink->batch + sink->dropped >= BATCH_SPANS || sink->batch_bytes >= BATCH_BYTES;
}

/* Reads, builds and puts up to one batch. *more: it was a full one. */
static int
turn(struct sink *sink, bool *more)
{
	unsigned budget = BATCH_RECORDS;
	struct record record;
	struct tail *t;
	uint64_t position;
	int rc = STORE_OK;
	bool finished;

	sink->batch_bytes = 0;
	while (rc == STORE_OK && !is_full(sink) &&
	    tails_next(&sink->tails, &t, &record, &position, &budget) == READER_RECORD) {
		rc = begin(sink);
		if (rc == STORE_OK)
			rc = record.type == RECORD_EDIT ? take_edit(sink, &record) :
			    take_end(sink, t, &record, position);
	}
	*more = budget == 0 || is_full(sink);
	if (rc != STORE_OK)
		return rc;
	finished = !*more && tails_finish(&sink->tails);
	return sink->begun || finished ? commit(sink) : STORE_OK;
}

/* What the store may take: its own limit, and its share of what the file
 * system has free or has given to it already. */
static uint64_t
size_limit(struct sink *sink, const struct config *c)
{
	uint64_t limit = c->store.max_bytes, share;
	struct statvfs fs;

	if (c->store.max_disk_percent == 0 || statvfs(c->data_dir, &fs) != 0)
		return limit;
	share = (uint64_t)fs.f_bavail * fs.f_frsize + sink->ops->size(sink->store);
	share = share / 100 * c->store.max_disk_percent;
	return limit == 0 || share < limit ? share : limit;
}

static int64_t
past(uint64_t retention_us)
{
	return retention_us > 0 ? (int64_t)clock_wall_us() - (int64_t)retention_us : INT64_MIN;
}

/* One step of retention, and when the next one is due; while there is more to
 * do the sink has as much time for its own work in between. */
static int
expire(struct sink *sink)
{
	struct config *c = sink->current;
	struct store_retention r = { .before_us = past(c->store.retention_us),
	    .bodies_before_us = past(c->store.body_retention_us), .options = &sink->options };
	uint64_t start = clock_mono_us();
	bool more;
	int rc;

	if (start < sink->expire_at)
		return STORE_OK;
	r.max_bytes = size_limit(sink, c);
	rc = sink->ops->retain(sink->store, &r, &more);
	sink->expire_at = clock_mono_us();
	sink->expire_at += more ? sink->expire_at - start : EXPIRE_US;
	sink->expiring = more;
	return rc;
}

/* Once a second: new series, what the journal may delete, the lag, retention. */
static int
housekeep(struct sink *sink, bool now_or_never)
{
	uint64_t now = clock_mono_us();
	int rc;

	if (!now_or_never && now - sink->housekept < IDLE_US)
		return STORE_OK;
	sink->housekept = now;
	rc = sink->ops->sync(sink->store);
	if (rc == STORE_OK) {
		tails_release(&sink->tails, sink->journal);
		rc = tails_scan(&sink->tails, sink->ops, sink->store);
	}
	if (rc == STORE_OK)
		rc = sink->ops->follow(sink->store, sink->current->nsinks > 0, news_needless());
	ledger_set(LEDGER_JOURNAL_LAG, (int64_t)tails_lag(&sink->tails));
	return rc;
}

/* A step of pricing again, where that was asked for: it is looked for once a
 * second. *more: there is another step to do. */
static int
reprice(struct sink *sink, bool *more)
{
	const char *dir = sink->config->data_dir;
	int rc;

	if (!sink->reprice.active && clock_mono_us() < sink->reprice_at)
		return STORE_OK;
	sink->reprice_at = clock_mono_us() + IDLE_US;
	if (!reprice_job_look(&sink->reprice, dir, sink->store, sink->options.prices))
		return STORE_OK;
	rc = reprice_job_step(&sink->reprice, dir, sink->store, sink->options.prices);
	*more |= sink->reprice.active;
	return rc;
}

/* Waits before the next try, longer each time. */
static void
back_off(struct sink *sink, bool stopping)
{
	if (stopping)
		usleep(RETRY_MIN_US);
	else
		sink_sleep(sink, sink->retry_us);
	sink->retry_us = sink->retry_us * 2 > RETRY_MAX_US ? RETRY_MAX_US : sink->retry_us * 2;
}

/* Nothing more is there: waits for news, but lets load gather, unless somebody
 * waits for his span to be there. */
static void
wait_turn(struct sink *sink, uint64_t turn_start)
{
	uint64_t spent;

	journal_wait(sink->journal, IDLE_US);
	spent = clock_mono_us() - turn_start;
	if (spent < TURN_US)
		journal_pause(sink->journal, TURN_US - spent);
}

/* Works by these settings from now on; takes the reference. */
static void
settings_take(struct sink *sink, struct config *c)
{
	if (c != sink->current) {
		sink->options = c->spans;
		sink->options.row_only = true;
		sink->options.texts = sink->config->store.search;
		sink->options.tokens = sink->tokens;
		sink->options.keep_audio = sink->config->spans.keep_audio;
		c = config_ref(c);
		config_unref(sink->current);
		sink->current = c;
	}
	config_unref(c);
}

/* One turn; the first one after being told to stop looks for new series before
 * it reads, as their writers may have come and gone since the last look. */
static int
turn_looking(struct sink *sink, bool stopping, bool *looked, bool *more)
{
	unsigned made = journal_series_made(sink->journal);

	if (!open_store(sink))
		return STORE_BUSY;
	if ((stopping && !*looked) || made != sink->series_made) {
		int rc = tails_scan(&sink->tails, sink->ops, sink->store);

		if (rc != STORE_OK)
			return rc;
		*looked = stopping;
		sink->series_made = made;
	}
	return turn(sink, more);
}

/* Turn after turn, until it is told to stop and all is read or time is up. */
static void *
sink_run(void *arg)
{
	struct sink *sink = arg;
	uint64_t start, deadline;
	bool stopping = false, looked = false, more = false;
	int rc;

	thread_background("sink");
	for (;;) {
		start = clock_mono_us();
		stopping = is_stopping(sink, &deadline);
		settings_take(sink, config_current());
		rc = turn_looking(sink, stopping, &looked, &more);
		if (rc == STORE_OK)
			rc = housekeep(sink, stopping && !more);
		if (rc == STORE_OK && !stopping)
			rc = expire(sink);
		if (rc == STORE_OK && !stopping)
			rc = reprice(sink, &more);
		if (rc != STORE_OK)
			fail(sink);
		sink->drained = stopping && rc == STORE_OK && !more;
		if (sink->drained || (stopping && clock_mono_us() >= deadline))
			break;
		if (rc != STORE_OK)
			back_off(sink, stopping);
		else if (!more && !stopping && sink->expiring)
			sink_sleep(sink, EXPIRE_PAUSE_US);
		else if (!more && !stopping)
			wait_turn(sink, start);
	}
	sink->drained = sink->drained && tails_lag(&sink->tails) == 0;
	return NULL;
}

static void
sink_free(struct sink *sink)
{
	tails_free(&sink->tails);
	tokens_free(sink->tokens);
	config_unref(sink->current);
	close_store(sink);
	quarantine_close(sink->quarantine);
	pthread_cond_destroy(&sink->changed);
	pthread_mutex_destroy(&sink->lock);
	config_unref(sink->config);
	free(sink);
}

struct sink *
sink_start(struct journal *journal, struct config *config)
{
	struct sink *sink = xcalloc(1, sizeof(*sink));
	pthread_condattr_t attr;

	sink->journal = journal;
	sink->config = config_ref(config);
	sink->tokens = tokens_new();
	settings_take(sink, config_ref(config));
	sink->ops = &store_sqlite;
	sink->retry_us = RETRY_MIN_US;
	sink->quarantine = quarantine_open(config->data_dir);
	tails_init(&sink->tails, journal_dir(journal));
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&sink->thread, NULL, sink_run, sink) != 0) {
		log_error("the sink's thread could not be started");
		sink_free(sink);
		return NULL;
	}
	return sink;
}

bool
sink_stop(struct sink *sink, uint64_t deadline_us)
{
	bool drained;

	pthread_mutex_lock(&sink->lock);
	sink->stopping = true;
	sink->deadline = deadline_us;
	pthread_cond_broadcast(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
	journal_wake(sink->journal);
	pthread_join(sink->thread, NULL);
	drained = sink->drained;
	sink_free(sink);
	return drained;
}
