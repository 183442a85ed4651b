/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink with a real journal and a real store: everything arrives once and in
 * order, whatever happens to the store, to a record, or to the process.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base.h"
#include "base/config.h"
#include "core/uuid.h"
#include "journal/reader.h"
#include "ledger/ledger.h"
#include "store/full.h"
#include "store/sink.h"
#include "store_test.h"

#define SECOND UINT64_C(1000000)

static struct uuid7 ids = { .random = { 11, 22 } };
static char journal_path[100];

static struct config *
test_config(void)
{
	char flag[100], *flags[] = { flag }, err[300];
	struct config *c;

	snprintf(flag, sizeof(flag), "data-dir=%s", test_dir);
	c = config_load(NULL, flags, 1, err, sizeof(err));
	if (!c)
		printf("# %s\n", err);
	config_publish(config_ref(c));
	return c;
}

static struct journal *
open_journal(void)
{
	struct journal_config jc = { .dir = journal_path, .max_bytes = 64 << 20, .writers = 1 };
	char err[300];
	struct journal *j;

	snprintf(journal_path, sizeof(journal_path), "%s/journal", test_dir);
	j = journal_open(&jc, err, sizeof(err));
	if (!j)
		printf("# %s\n", err);
	return j;
}

static struct journal_writer *
open_writer(struct journal *j)
{
	char err[300];
	struct journal_writer *w = journal_writer_open(j, 1, err, sizeof(err));

	if (!w)
		printf("# %s\n", err);
	return w;
}

/* What an exchange of the tests is made of. */
struct sample {
	const char	*request, *answer;
	bool		 no_bodies;	/* by the settings */
	bool		 open;		/* no END */
};

static const char request_body[] =
    "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"the question\"}],"
    "\"customer_identifier\":\"c1\",\"metadata\":{\"k\":\"v\"}}";
static const char answer_body[] =
    "{\"id\":\"x\",\"object\":\"chat.completion\",\"model\":\"gpt-4o-2024\",\"choices\":[{\"index\":0,"
    "\"message\":{\"role\":\"assistant\",\"content\":\"the answer\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}";

static void
put_begin(struct buf *b, uint64_t wall, const struct sample *s)
{
	record_put_u64(b, TAG_WALL, wall);
	record_put_u64(b, TAG_T, 0);
	record_put(b, TAG_TENANT, SLICE("default"));
	record_put(b, TAG_FAMILY, SLICE("chat"));
	record_put(b, TAG_METHOD, SLICE("POST"));
	record_put(b, TAG_TARGET, SLICE("/v1/chat/completions"));
	record_put(b, TAG_PROVIDER, SLICE("openai"));
	record_put_u64(b, TAG_BODY_LENGTH, strlen(s->request));
	record_put_u64(b, TAG_T_READ, 100);
	record_put(b, TAG_HEADERS, SLICE("content-type: application/json\r\n"));
	if (s->no_bodies)
		record_put_u64(b, TAG_LOG_BODIES, 0);
	record_put(b, TAG_BYTES, slice_str(s->request));
}

/* Appends one exchange to the journal; gives its id. */
static void
write_exchange(struct journal_writer *w, const struct sample *s, uint8_t id[16])
{
	uint64_t at, wall = clock_wall_us();
	struct buf b;

	uuid7_next(&ids, wall / 1000, id);
	buf_init(&b, 1 << 20);
	put_begin(&b, wall, s);
	at = journal_begin(w, id, buf_view(&b), SLICE_NONE);
	buf_clear(&b);
	record_put_u64(&b, TAG_T, 200);
	record_put_u64(&b, TAG_ATTEMPT, 1);
	record_put(&b, TAG_PROVIDER, SLICE("openai"));
	at = journal_add(w, RECORD_SEND, id, at, buf_view(&b), SLICE_NONE);
	buf_clear(&b);
	record_put_u64(&b, TAG_T, 5000);
	record_put_u64(&b, TAG_ATTEMPT, 1);
	record_put_u64(&b, TAG_STATUS, 200);
	record_put(&b, TAG_HEADERS, SLICE("content-type: application/json\r\n"));
	at = journal_add(w, RECORD_HEAD_IN, id, at, buf_view(&b), SLICE_NONE);
	buf_clear(&b);
	record_put_u64(&b, TAG_T, 5100);
	record_put_u64(&b, TAG_DIRECTION, DIRECTION_ANSWER);
	record_put_u64(&b, TAG_ATTEMPT, 1);
	record_put_u64(&b, TAG_OFFSET, 0);
	record_put(&b, TAG_BYTES, slice_str(s->answer));
	at = journal_add(w, RECORD_PART, id, at, buf_view(&b), SLICE_NONE);
	buf_clear(&b);
	record_put_u64(&b, TAG_T, 5200);
	record_put_u64(&b, TAG_REASON, REASON_COMPLETE);
	record_put_u64(&b, TAG_ANSWER_LENGTH, strlen(s->answer));
	record_put_u64(&b, TAG_T_LAST, 5100);
	if (!s->open)
		(void)journal_end(w, id, at, buf_view(&b));
	buf_free(&b);
}

static void
write_many(struct journal_writer *w, unsigned n)
{
	struct sample s = { .request = request_body, .answer = answer_body };
	uint8_t id[16];

	for (unsigned i = 0; i < n; i++) {
		write_exchange(w, &s, id);
		journal_flush(w);
	}
}

/* Rows in the store; checks that ids arrived in the order of the journal. */
static uint64_t
rows_now(bool *ordered)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1, .ascending = true };
	struct store_rows *rows;
	const struct span *span;
	uint8_t last[16] = { 0 };
	char err[300];
	struct store *store = store_sqlite.open(test_dir, false, err, sizeof(err));
	uint64_t n = 0;

	*ordered = true;
	if (!store || store_sqlite.select(store, &q, &rows) != STORE_OK)
		return 0;
	for (; store_sqlite.next(rows, &span) == STORE_ROW; n++) {
		*ordered = *ordered && memcmp(last, span->id16, 16) < 0;
		memcpy(last, span->id16, 16);
	}
	store_sqlite.done(rows);
	store_sqlite.close(store);
	return n;
}

static bool
arrived(uint64_t n)
{
	bool ordered;
	uint64_t rows = rows_now(&ordered);

	if (rows != n || !ordered)
		printf("# %llu rows, %s\n", (unsigned long long)rows, ordered ? "in order" : "not in order");
	return rows == n && ordered;
}

/* Do the books balance at the cursors? */
static bool
balanced(void)
{
	struct store_cursor *list;
	struct store_totals t;
	char err[300];
	struct store *store = store_sqlite.open(test_dir, false, err, sizeof(err));
	uint64_t stored = 0;
	bool good = true;
	size_t n;

	if (!store || store_sqlite.cursors(store, &list, &n) != STORE_OK ||
	    store_sqlite.totals(store, &t) != STORE_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		stored += list[i].stored;
		if (list[i].finished && list[i].begun != list[i].stored + list[i].dropped)
			good = false;
	}
	free(list);
	store_sqlite.close(store);
	return good && stored + t.past - t.expired - t.duplicates == t.rows;
}

static uint64_t
soon(unsigned seconds)
{
	return clock_mono_us() + seconds * SECOND;
}

/* One life of the process: writes n exchanges and lets all of them arrive. */
static bool
live_once(unsigned n)
{
	struct config *c = test_config();
	struct journal *j = open_journal();
	struct sink *sink = sink_start(j, c);
	struct journal_writer *w = open_writer(j);
	bool drained;

	write_many(w, n);
	journal_writer_close(w);
	drained = sink_stop(sink, soon(10));
	journal_close(j);
	config_unref(c);
	return drained;
}

static void
test_plain(void)
{
	struct span span_copy;
	struct query q = { .tenant = SLICE_NONE, .sort = -1, .limit = 1 };
	struct store_rows *rows;
	const struct span *row, *span;
	struct full *full;
	struct store *store;
	char err[300];

	ok(live_once(3));
	ok(arrived(3) && balanced());
	ok(live_once(450));	/* more than two batches */
	ok(arrived(453) && balanced());
	ok(live_once(0));
	ok(arrived(453) && balanced());
	store = store_sqlite.open(test_dir, false, err, sizeof(err));
	ok(store && store_sqlite.select(store, &q, &rows) == STORE_OK);
	ok(store_sqlite.next(rows, &row) == STORE_ROW);
	ok(slice_eq(row->customer_identifier, SLICE("c1")) && row->prompt_tokens.v == 11);
	ok(row->completion_tokens.v == 7 && slice_eq(row->end_reason, SLICE("complete")));
	ok(!row->input.ptr);	/* not in the row */
	full = full_new(&store_sqlite, store, &(struct build_options){ .user_as_customer = true });
	span = full_span(full, row);
	span_copy = *span;
	ok(span_copy.input.ptr && memmem(span_copy.input.ptr, span_copy.input.len, "the question", 12));
	ok(span_copy.output.ptr && memmem(span_copy.output.ptr, span_copy.output.len, "the answer", 10));
	ok(slice_eq(span_copy.metadata, SLICE("{\"k\":\"v\"}")));
	full_free(full);
	store_sqlite.done(rows);
	store_sqlite.close(store);
}

/* Another process holds the store's lock while exchanges end. */
static void
test_locked(void)
{
	struct config *c = test_config();
	struct journal *j = open_journal();
	struct journal_writer *w = open_writer(j);
	struct sink *sink;
	char path[100];
	sqlite3 *other;
	struct buf ready;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(sqlite3_open(path, &other) == SQLITE_OK);
	ok(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	sink = sink_start(j, c);
	write_many(w, 300);
	for (int i = 0; i < 200; i++) {	/* until it has noticed */
		buf_init(&ready, 4096);
		(void)ledger_ready(&ready);
		if (ready.ptr && memmem(ready.ptr, ready.len, "degraded", 8))
			break;
		buf_free(&ready);
		usleep(10000);
	}
	ok(ready.ptr && memmem(ready.ptr, ready.len, "locked", 6));
	buf_free(&ready);
	ok(arrived(453));
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	write_many(w, 20);
	journal_writer_close(w);
	ok(sink_stop(sink, soon(10)));
	ok(arrived(773) && balanced());
	buf_init(&ready, 4096);
	(void)ledger_ready(&ready);
	ok(!memmem(ready.ptr, ready.len, "locked", 6));
	buf_free(&ready);
	journal_close(j);
	config_unref(c);
}

/* A process that dies in the middle, again and again. */
static void
test_killed(void)
{
	for (int i = 0; i < 4; i++) {
		int pipes[2];
		pid_t pid;
		char byte;

		if (pipe(pipes) != 0)
			return;
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			struct journal *j = open_journal();
			struct sink *sink = sink_start(j, test_config());
			struct journal_writer *w = open_writer(j);

			uuid7_next(&ids, 0, (uint8_t[16]){ 0 });
			write_many(w, 200);
			if (!sink || write(pipes[1], "x", 1) != 1)
				_exit(1);
			write_many(w, 100000);
			_exit(1);
		}
		ok(read(pipes[0], &byte, 1) == 1);
		usleep((useconds_t)(i * 17000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(pipes[0]);
		close(pipes[1]);
	}
	ok(live_once(1));
	ok(balanced());
}

/* Every row once: the journal has nothing left, and the ids are unique. */
static void
test_exactly_once(void)
{
	char **names, path[100];
	bool ordered;

	ok(rows_now(&ordered) >= 774 + 800);	/* an interrupted one ends later than its successors */
	snprintf(path, sizeof(path), "%s/journal", test_dir);
	names = series_list(path);
	ok(names != NULL);
	for (char **name = names; *name; name++) {
		struct series_count count;
		char err[300];

		if (series_count(path, *name, UINT64_MAX, &count, err, sizeof(err)) == 0)
			ok(count.begun == count.ended && count.open == 0);
	}
	series_free(names);
}

static bool
canary_in(const char *file)
{
	char path[200], *text;
	bool found = false;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", test_dir, file);
	fd = open(path, O_RDONLY);
	if (fd == -1 || fstat(fd, &st) != 0)
		return false;
	text = xmalloc((size_t)st.st_size + 1);
	found = read(fd, text, (size_t)st.st_size) == st.st_size &&
	    memmem(text, (size_t)st.st_size, "KANARIENVOGEL", 13);
	free(text);
	close(fd);
	return found;
}

/* Bodies that are not to be kept are in no file of the store. */
static void
test_no_bodies(void)
{
	struct sample by_setting = { .no_bodies = true,
	    .request = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"KANARIENVOGEL\"}]}",
	    .answer = "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"KANARIENVOGEL\"}}]}" };
	struct sample by_request = { .answer = by_setting.answer,
	    .request = "{\"model\":\"m\",\"disable_log\":true,\"variables\":{\"a\":\"KANARIENVOGEL\"},"
	    "\"messages\":[{\"role\":\"user\",\"content\":\"KANARIENVOGEL\"}]}" };
	struct config *c = test_config();
	struct journal *j = open_journal();
	struct sink *sink = sink_start(j, c);
	struct journal_writer *w = open_writer(j);
	uint8_t ids_of[2][16];
	char *bytes, err[300];
	struct store *store;
	size_t len;
	bool json;

	write_exchange(w, &by_setting, ids_of[0]);
	write_exchange(w, &by_request, ids_of[1]);
	journal_flush(w);
	journal_writer_close(w);
	ok(sink_stop(sink, soon(10)));
	journal_close(j);
	config_unref(c);
	ok(!canary_in("spans.db") && !canary_in("spans.db-wal"));
	store = store_sqlite.open(test_dir, false, err, sizeof(err));
	for (int i = 0; i < 2; i++) {
		ok(store_sqlite.chain(store, ids_of[i], &bytes, &len, &json, NULL) == STORE_OK && json);
		ok(!memmem(bytes, len, "KANARIENVOGEL", 13) && memmem(bytes, len, "\"model\"", 7));
		free(bytes);
	}
	store_sqlite.close(store);
}

/* A record that two processes died over is stored raw, its bytes set aside. */
static void
test_poison(void)
{
	struct { char magic[8], series[32]; uint64_t position, deaths; } note = { .magic = "building" };
	struct sample s = { .request = request_body, .answer = answer_body };
	struct config *c = test_config();
	struct journal *j = open_journal();
	struct journal_writer *w = open_writer(j);
	char path[200], **names, err[300], hex[33];
	uint8_t poison[16], next[16];
	struct record record;
	struct reader *r;
	struct sink *sink;
	struct stat st;
	int fd;

	write_exchange(w, &s, poison);
	write_exchange(w, &s, next);
	journal_flush(w);
	names = series_list(journal_path);
	for (char **name = names; *name; name++)
		snprintf(note.series, sizeof(note.series), "%s", *name);	/* the last one */
	series_free(names);
	r = reader_open(journal_path, note.series, 0, err, sizeof(err));
	while (reader_next(r, &record, &note.position) == READER_RECORD &&
	    !(record.type == RECORD_END && memcmp(record.id, poison, 16) == 0))
		;
	reader_close(r);
	note.deaths = 2;
	snprintf(path, sizeof(path), "%s/building", test_dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ok(fd != -1 && pwrite(fd, &note, sizeof(note), 0) == sizeof(note));
	close(fd);
	sink = sink_start(j, c);
	journal_writer_close(w);
	ok(sink_stop(sink, soon(10)));
	journal_close(j);
	config_unref(c);
	hex_encode(poison, 16, hex);
	snprintf(path, sizeof(path), "%s/quarantine/%s", test_dir, hex);
	ok(stat(path, &st) == 0 && st.st_size > 500 && (st.st_mode & 0777) == 0600);
	hex_encode(next, 16, hex);
	snprintf(path, sizeof(path), "%s/quarantine/%s", test_dir, hex);
	ok(stat(path, &st) != 0);
	ok(balanced());
}

/* Rows past retention go, and the books still balance. */
static void
test_retention(void)
{
	struct config *c = test_config();
	struct journal *j;
	struct sink *sink;
	bool ordered;

	ok(live_once(30) && arrived(30));
	j = open_journal();
	c->store.retention_us = 1;
	config_publish(config_ref(c));
	sink = sink_start(j, c);
	for (int i = 0; i < 300 && rows_now(&ordered) > 0; i++)
		usleep(10000);
	ok(sink_stop(sink, soon(10)));
	ok(arrived(0) && balanced());
	journal_close(j);
	config_unref(c);
}

/* The store's file is deleted while the sink has it open: a new one is made. */
static void
test_deleted(void)
{
	struct config *c = test_config();
	struct journal *j = open_journal();
	struct sink *sink = sink_start(j, c);
	struct journal_writer *w = open_writer(j);
	char path[100];
	bool ordered;

	write_many(w, 5);
	for (int i = 0; i < 300 && rows_now(&ordered) < 5; i++)
		usleep(10000);
	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	ok(unlink(path) == 0);
	for (int i = 0; i < 300 && access(path, F_OK) != 0; i++)
		usleep(10000);
	ok(access(path, F_OK) == 0);
	write_many(w, 5);
	journal_writer_close(w);
	ok(sink_stop(sink, soon(10)));
	ok(rows_now(&ordered) >= 5);	/* and those that the journal still held */
	journal_close(j);
	config_unref(c);
}

/* The CPU that the sink needs, for the record; the bound is far above it. */
static void
test_speed(void)
{
	uint64_t start = clock_mono_us(), spent;

	ok(live_once(10000));
	spent = clock_mono_us() - start;
	printf("# 10,000 exchanges written and stored in %llu ms\n", (unsigned long long)(spent / 1000));
	ok(spent < 30 * SECOND);
}

int
main(void)
{
	test_dir_make();
	test_plain();
	test_locked();
	test_killed();
	test_exactly_once();
	test_no_bodies();
	test_poison();
	test_speed();
	test_dir_remove();
	test_dir_make();
	test_retention();
	test_deleted();
	test_dir_remove();
	return done();
}
