/* SPDX-License-Identifier: Apache-2.0 */
/* journal: what writers put in comes out, in order, across segments, under a
 * size limit, with a disk that fails, and with many threads at once. */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base.h"
#include "journal_util.h"
#include "ledger/ledger.h"
#include "tap.h"

static char dir[512];
static char err[512];
static char big[400 * 1024];

static struct journal *
open_journal(uint64_t max_bytes, unsigned writers)
{
	struct journal_config c = { .dir = dir, .max_bytes = max_bytes, .sync_us = 10000, .writers = writers };

	return journal_open(&c, err, sizeof(err));
}

/* The newest series of the directory. */
static void
newest(char *out, size_t len)
{
	char **list = series_list(dir);
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	(void)snprintf(out, len, "%s", n > 0 ? list[n - 1] : "");
	series_free(list);
}

/* Another thread acts on its own time; gives it up to ten seconds. */
#define await(cond) do {					\
	int await_n;						\
	for (await_n = 0; await_n < 10000 && !(cond); await_n++) \
		usleep(1000);					\
} while (0)

static void
test_roundtrip(void)
{
	struct journal *j = open_journal(64 * MIB, 1);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	char series[32];
	struct series_count n;
	struct reader *r;
	struct record rec;
	struct chain c;
	struct made a, b;
	uint64_t at, begin;

	ok(j != NULL && w != NULL);
	ok(!journal_pending(w));
	made_begin(w, &a, 1, SLICE("{\"model\":\"x\"}"));
	begin = a.last;
	ok(begin >> 32 == 1 && journal_pending(w));
	made_begin(w, &b, 2, slice_make(big, sizeof(big)));
	ok(made_part(w, &a, SLICE("hello")) > begin);
	ok(made_part(w, &a, slice_make(big, 16384)) > begin);
	ok(made_part(w, &a, SLICE("")) > begin);
	made_end(w, &a);
	journal_flush(w);
	ok(!journal_pending(w));
	newest(series, sizeof(series));
	r = reader_open(dir, series, 0, err, sizeof(err));
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_CHECKPOINT);
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_BEGIN && at == begin);
	ok(reader_lag(r) > sizeof(big));
	ok(reader_next(r, &rec, &at) == READER_RECORD && memcmp(rec.id, b.id, 16) == 0);
	ok(slice_eq(record_get(rec.payload, TAG_BYTES), slice_make(big, sizeof(big))));
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.prev == begin);
	ok(reader_next(r, &rec, &at) == READER_RECORD && reader_next(r, &rec, &at) == READER_RECORD);
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_END && at == a.last);
	ok(reader_next(r, &rec, &at) == READER_NONE && !reader_finished(r) && reader_lag(r) == 0);
	ok(chain_read(r, a.last, &c) == READER_RECORD && c.complete && c.count == 5);
	ok(slice_eq(record_get(c.records[2].payload, TAG_BYTES), slice_make(big, 16384)));
	ok(c.records[0].type == RECORD_BEGIN && c.records[4].type == RECORD_END);
	chain_free(&c);
	ok(chain_read(r, b.last, &c) == READER_RECORD && c.complete && c.count == 1);
	chain_free(&c);
	ok(chain_read(r, a.last + 8, &c) == READER_E_CORRUPT && c.count == 0);
	ok(series_count(dir, series, UINT64_MAX, &n, err, sizeof(err)) == 0);
	ok(n.begun == 2 && n.ended == 1 && n.open == 1 && n.dropped == 0);
	ok(series_count(dir, series, begin, &n, err, sizeof(err)) == 0 && n.begun == 0);
	made_end(w, &b);
	journal_writer_close(w);
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_END);
	ok(reader_next(r, &rec, &at) == READER_NONE && reader_finished(r));
	journal_release(j, series, reader_position(r));
	await(access(dir, F_OK) == 0 && (newest(series, sizeof(series)), series[0] == '\0'));
	ok(series[0] == '\0');
	reader_close(r);
	journal_close(j);
}

/* Chains over many segments, one exchange open all the while; segments behind
 * the cursor go, those that the open exchange needs stay. */
static void
test_segments(void)
{
	struct journal *j = open_journal(64 * MIB, 16);	/* segments of 1 MiB */
	struct journal_writer *w = journal_writer_open(j, 3, err, sizeof(err));
	struct made x, y;
	char series[32], first[600];
	struct series_count n;
	struct reader *r;
	struct record rec;
	struct chain c;
	struct books k;
	uint64_t at, i, done;

	made_begin(w, &x, 1000, SLICE("{}"));
	for (i = 0; i < 400 || (i < 2000 && x.last >> 32 < 4); i++) {
		if (i >= 100)
			usleep(i < 400 ? 100 : 5000);	/* the helper is not the fastest */
		made_begin(w, &y, 2000 + i, SLICE("{}"));
		made_part(w, &y, slice_make(big, 20000));
		made_part(w, &x, SLICE("data: x\n\n"));
		made_end(w, &y);
		journal_flush(w);
	}
	done = i;
	newest(series, sizeof(series));
	ok(x.last >> 32 >= 4);
	k = books_read(dir);
	ok(k.begun == done + 1 && k.ended == done && k.open == 1 && k.broken_chains == 0 && k.corrupt == 0);
	ok(series_count(dir, series, x.last, &n, err, sizeof(err)) == 0);
	ok(n.begun == done + 1 && n.ended == done - 1 && n.open == 2);
	ok(series_count(dir, series, UINT64_MAX, &n, err, sizeof(err)) == 0 && n.ended == done);
	journal_release(j, series, y.last);
	(void)snprintf(first, sizeof(first), "%s/%s/00000001.seg", dir, series);
	r = reader_open(dir, series, y.last, err, sizeof(err));
	ok(reader_next(r, &rec, &at) == READER_RECORD && at == y.last);
	made_end(w, &x);
	journal_flush(w);
	ok(access(first, F_OK) == 0);
	ok(reader_next(r, &rec, &at) == READER_RECORD && at == x.last);
	ok(chain_read(r, at, &c) == READER_RECORD && c.complete && c.count == done + 2);
	chain_free(&c);
	/* Fill until a segment begins that no longer knows of x. */
	for (i = 0; i < 2000 && (y.last >> 32) < (x.last >> 32) + 2; i++) {
		made_begin(w, &y, 3000 + i, slice_make(big, 10000));
		made_end(w, &y);
		usleep(100);
		journal_flush(w);
	}
	ok(y.last >> 32 >= (x.last >> 32) + 2);
	journal_release(j, series, y.last);
	await(access(first, F_OK) != 0);
	ok(access(first, F_OK) != 0);
	await((k = books_read(dir)).broken_chains == 0 && k.open == 0);
	ok(k.open == 0 && k.orphans == 0 && k.broken_chains == 0 && k.corrupt == 0);
	reader_close(r);
	journal_writer_close(w);
	journal_close(j);
}

static uint64_t
directory_bytes(void)
{
	char **list = series_list(dir), path[600];
	uint64_t bytes = 0;
	glob_t spares = { 0 };
	struct stat st;
	size_t i;
	unsigned s;

	for (i = 0; list[i] != NULL; i++)
		for (s = 1; s < 100; s++) {
			(void)snprintf(path, sizeof(path), "%s/%s/%08u.seg", dir, list[i], s);
			if (stat(path, &st) == 0)
				bytes += (uint64_t)(st.st_size > st.st_blocks * 512 ? st.st_size :
				    st.st_blocks * 512);
		}
	series_free(list);
	(void)snprintf(path, sizeof(path), "%s/*.spare", dir);
	if (glob(path, 0, NULL, &spares) == 0)
		for (i = 0; i < spares.gl_pathc; i++)
			bytes += stat(spares.gl_pathv[i], &st) == 0 ? (uint64_t)st.st_size : 0;
	globfree(&spares);
	return bytes;
}

/* Reads everything there is and releases it. */
static uint64_t
drain(struct journal *j, struct reader *r, const char *series)
{
	struct record rec;
	uint64_t at, n = 0;

	while (reader_next(r, &rec, &at) == READER_RECORD)
		n += rec.type == RECORD_END;
	journal_release(j, series, reader_position(r));
	return n;
}

/* Does /readyz say it? */
static bool
told(struct buf *b, const char *word)
{
	buf_clear(b);
	(void)ledger_ready(b);
	return memmem(b->ptr, b->len, word, strlen(word)) != NULL;
}

/* Begins without end until there is no room: every END still fits, and when
 * the sink has caught up it goes on by itself. */
static void
test_full(void)
{
	uint64_t dropped = ledger_dropped_total();
	struct journal *j = open_journal(2 * MIB, 1);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	static struct made x[1024];
	struct series_count n;
	struct reader *r;
	struct made y;
	char series[32];
	struct buf b;
	unsigned i, open = 0, misses = 0, lost = 0;

	buf_init(&b, 4096);
	for (i = 0; i < 20000 && (misses == 0 || lost == 0 || !told(&b, "max_bytes")); i++) {
		made_begin(w, &x[open], 5000 + i, slice_make(big, 3000));
		if (x[open].last == 0) {
			misses++;
			lost += made_part(w, &x[0], slice_make(big, 9000)) == 0;
			usleep(500);
		} else
			(void)made_part(w, &x[open++], slice_make(big, 9000));
		journal_flush(w);
	}
	ok(open > 20 && misses > 0);
	ok(told(&b, "max_bytes") && told(&b, "degraded"));
	ok(lost > 0);
	ok(ledger_dropped_total() - dropped == misses);
	ok(directory_bytes() <= 2 * MIB + 64 * KIB);
	for (i = 0; i < open; i++)
		made_end(w, &x[i]);
	journal_flush(w);
	ok(directory_bytes() <= 2 * MIB + 64 * KIB);
	newest(series, sizeof(series));
	r = reader_open(dir, series, 0, err, sizeof(err));
	ok(drain(j, r, series) == open);
	await((made_begin(w, &y, 9000, SLICE("{}")), y.last != 0) || (misses++, false));
	ok(y.last != 0);
	made_end(w, &y);
	journal_flush(w);
	ok(drain(j, r, series) == 1);
	ok(series_count(dir, series, UINT64_MAX, &n, err, sizeof(err)) == 0);
	ok(n.dropped == misses && n.begun == open + 1 && n.open == 0);
	await(!told(&b, "degraded"));
	ok(!told(&b, "degraded"));
	buf_free(&b);
	journal_writer_close(w);
	drain(j, r, series);
	reader_close(r);
	journal_close(j);
	ok(directory_bytes() == 0);
}

/* The length of the file in which a position is. */
static uint64_t
length_of(const char *series, uint64_t position)
{
	char path[600];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s/%08u.seg", dir, series, (unsigned)(position >> 32));
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* With a sink that keeps up a few files go round; nothing of what stood in them
 * is ever read again, and what the journal holds stays the same. */
static void
round_and_round(uint64_t max_bytes, unsigned writers)
{
	struct journal *j = open_journal(max_bytes, writers);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	struct made x[4] = { 0 };
	uint64_t ends = 0, begun = 0, i, most = 0;
	unsigned bad = 0, again = 0, was = 0;
	struct reader *r = NULL;
	char series[32];
	struct books k;

	/* Where the helper gets little time it takes longer until files go round. */
	for (i = 0; i < 3000 || (writers > 1 && again <= 3 && i < 60000); i++) {
		if (x[i % 4].last != 0)
			made_end(w, &x[i % 4]);
		made_begin(w, &x[i % 4], i, slice_make(big, 900));
		begun += x[i % 4].last != 0;
		if (x[(i + 2) % 4].last != 0)
			made_part(w, &x[(i + 2) % 4], slice_make(big, i * 131 % 9000));
		journal_flush(w);
		if (r == NULL) {
			newest(series, sizeof(series));
			r = reader_open(dir, series, 0, err, sizeof(err));
		}
		ends += drain(j, r, series);
		usleep(200);	/* the helper is not the fastest */
		bad += reader_lag(r) != 0;
		if (x[i % 4].last == 0 || x[i % 4].last >> 32 == was)
			continue;
		was = (unsigned)(x[i % 4].last >> 32);
		/* A new file is no longer than what stands in it. */
		again += length_of(series, x[i % 4].last) > (uint32_t)x[i % 4].last + 64 * KIB;
		if (was > 2)
			await((ends += drain(j, r, series), length_of(series, (was - 2ull) << 32) == 0));
		most = directory_bytes() > most ? directory_bytes() : most;
		k = books_read(dir);
		bad += k.corrupt != 0 || k.orphans != 0 || k.open > 4;
	}
	ok(bad == 0);
	ok(begun > 1000 && was > 3);
	ok(writers == 1 || again > 3);	/* with little room few are put by */
	ok(most <= max_bytes + 64 * KIB);
	for (i = 0; i < 4; i++)
		if (x[i].last != 0)
			made_end(w, &x[i]);
	journal_writer_close(w);
	ok(ends + drain(j, r, series) == begun);
	reader_close(r);
	journal_close(j);
	ok(rmdir(dir) == 0 && mkdir(dir, 0700) == 0);	/* no spare is left */
}

static void
test_round(void)
{
	round_and_round(32 * MIB, 32);	/* segments of 256 KiB */
	round_and_round(4 * MIB, 1);	/* of 1 MiB, with little room */
}

static void
limit_file_size(rlim_t n)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = n;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* A disk that takes nothing any more: what there is stays in memory up to its
 * bound, and goes out when the disk takes again. */
static void
test_failing(void)
{
	struct journal *j = open_journal(256 * MIB, 1);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	static struct made x[64];
	unsigned i, begun = 0, refused = 0;
	struct buf b;
	struct books k;

	buf_init(&b, 4096);
	signal(SIGXFSZ, SIG_IGN);
	made_begin(w, &x[begun++], 100, SLICE("{}"));
	journal_flush(w);
	limit_file_size(300000);
	for (i = 1; i < 64; i++) {
		made_begin(w, &x[begun], 100 + i, slice_make(big, sizeof(big)));
		begun += x[begun].last != 0;
		refused += made_part(w, &x[0], slice_make(big, 10000)) == 0;
		journal_flush(w);
	}
	ok(begun > 5 && begun < 64 && refused > 0 && journal_pending(w));
	await(told(&b, "degraded"));
	ok(told(&b, "degraded"));
	for (i = 0; i < begun; i++)
		made_end(w, &x[i]);
	journal_flush(w);
	ok(journal_pending(w));
	limit_file_size(RLIM_INFINITY);
	journal_flush(w);
	ok(!journal_pending(w));
	await(!told(&b, "degraded"));
	ok(!told(&b, "degraded"));
	k = books_read(dir);
	ok(k.begun == begun && k.ended == begun && k.open == 0 && k.corrupt == 0 && k.broken_chains == 0);
	buf_free(&b);
	journal_writer_close(w);
	journal_close(j);
}

/* A span over the API: PARTs, then SPAN; never cut by a segment's end. */
static void
test_span(void)
{
	struct journal *j = open_journal(64 * MIB, 8);
	struct journal_writer *w = journal_writer_open(j, 1, err, sizeof(err));
	uint8_t id[16];
	uint64_t last, i, at;
	struct chain c;
	struct reader *r;
	char series[32];
	struct buf b;
	int whole = 0, n = 0;

	buf_init(&b, 64);
	for (i = 0; i < 12; i++) {
		id_make(id, 700 + i);
		buf_clear(&b);
		record_put_head(&b, TAG_BYTES, 300000);
		last = journal_add(w, RECORD_PART, id, 0, buf_view(&b), slice_make(big, 300000));
		last = journal_add(w, RECORD_PART, id, last, buf_view(&b), slice_make(big, 300000));
		buf_clear(&b);
		at = journal_add(w, RECORD_SPAN, id, last, buf_view(&b), SLICE_NONE);
		journal_flush(w);
		newest(series, sizeof(series));
		r = reader_open(dir, series, 0, err, sizeof(err));
		n += chain_read(r, at, &c) == READER_RECORD && c.count == 3 && c.complete;
		whole += at >> 32 == last >> 32 && c.count > 0 && c.records[0].prev == 0;
		chain_free(&c);
		reader_close(r);
	}
	ok(n == 12);
	ok(whole == 12);
	buf_free(&b);
	journal_writer_close(w);
	journal_close(j);
}

struct worker {
	pthread_t	 thread;
	struct journal	*journal;
	unsigned	 number;
};

#define WORKERS 4
#define WORKER_EXCHANGES 400

static void *
worker_run(void *arg)
{
	struct worker *me = arg;
	struct journal_writer *w;
	struct made x[4];
	char text[256];
	unsigned i, k;

	w = journal_writer_open(me->journal, me->number, text, sizeof(text));
	for (i = 0; i < WORKER_EXCHANGES; i += 4) {
		for (k = 0; k < 4; k++)
			made_begin(w, &x[k], me->number * 100000 + i + k, slice_make(big, 900));
		journal_flush(w);
		for (k = 0; k < 4; k++)
			made_part(w, &x[k], slice_make(big, 6000));
		journal_flush(w);
		for (k = 0; k < 4; k++)
			made_end(w, &x[k]);
		journal_flush(w);
	}
	journal_writer_close(w);
	return NULL;
}

/* Reads on in every series that there is. */
static unsigned
tail_all(struct reader **readers, char **names, struct journal *j)
{
	char **list = series_list(dir);
	unsigned ends = 0, s, i;
	struct record rec;
	struct chain c;
	uint64_t at;

	for (i = 0; list[i] != NULL; i++) {
		for (s = 0; names[s] != NULL && strcmp(names[s], list[i]) != 0; s++)
			;
		if (names[s] == NULL) {
			names[s] = xstrdup(list[i]);
			readers[s] = reader_open(dir, list[i], 0, err, sizeof(err));
		}
		while (reader_next(readers[s], &rec, &at) == READER_RECORD) {
			if (rec.type != RECORD_END)
				continue;
			ends += chain_read(readers[s], at, &c) == READER_RECORD && c.complete &&
			    c.count == 3;
			chain_free(&c);
		}
		journal_release(j, list[i], reader_position(readers[s]));
	}
	series_free(list);
	return ends;
}

static void
test_threads(void)
{
	struct journal *j = open_journal(64 * MIB, WORKERS);
	struct worker workers[WORKERS];
	struct reader *readers[WORKERS + 1] = { NULL };
	char *names[WORKERS + 1] = { NULL };
	unsigned i, ends = 0, rounds = 0;

	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .journal = j, .number = i + 1 };
		pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
	}
	while (ends < WORKERS * WORKER_EXCHANGES && rounds++ < 20000) {
		ends += tail_all(readers, names, j);
		journal_wait(j, 20000);
	}
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	ok(ends == WORKERS * WORKER_EXCHANGES);
	tail_all(readers, names, j);
	for (i = 0; i < WORKERS; i++) {
		reader_close(readers[i]);
		free(names[i]);
	}
	journal_close(j);
	ok(directory_bytes() == 0);
}

/* A sink that waits is woken by what it acts on, and by journal_wake. */
static void
test_wait(void)
{
	struct journal *j = open_journal(64 * MIB, 1);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	uint64_t start = clock_mono_us();
	struct made x;

	made_begin(w, &x, 1, SLICE("{}"));
	journal_flush(w);
	journal_wait(j, 30000);
	ok(clock_mono_us() - start >= 29000);
	start = clock_mono_us();
	made_end(w, &x);
	journal_flush(w);
	journal_wait(j, 10000000);
	journal_wake(j);
	journal_wait(j, 10000000);
	ok(clock_mono_us() - start < 5000000);
	journal_writer_close(w);
	journal_close(j);
}

/* The series of a living writer is left alone, even by its own process. */
static void
test_locked(void)
{
	struct journal *j = open_journal(64 * MIB, 1), *other;
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	struct made x;
	struct books k;

	made_begin(w, &x, 1, SLICE("{}"));
	journal_flush(w);
	other = open_journal(64 * MIB, 1);
	ok(other != NULL);
	journal_close(other);
	k = books_read(dir);
	ok(k.begun == 1 && k.open == 1 && k.interrupted == 0);
	made_end(w, &x);
	journal_writer_close(w);
	journal_close(j);
}

static void
test_modes(void)
{
	struct journal_config c = { .dir = "/dev/null", .max_bytes = MIB, .writers = 1 };
	char path[600], series[32];
	struct stat st;
	struct journal *j = open_journal(64 * MIB, 1);
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));

	newest(series, sizeof(series));
	(void)snprintf(path, sizeof(path), "%s/%s/00000001.seg", dir, series);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, series);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
	journal_writer_close(w);
	ok(stat(path, &st) < 0);	/* unused: nothing is left of it */
	journal_close(j);
	ok(journal_open(&c, err, sizeof(err)) == NULL && strstr(err, "/dev/null") != NULL);
}

static void
in_scratch(void (*test)(void))
{
	scratch_make(dir, sizeof(dir), false);
	test();
	scratch_remove(dir);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31 >> 3);
	in_scratch(test_roundtrip);
	in_scratch(test_segments);
	in_scratch(test_full);
	in_scratch(test_round);
	in_scratch(test_failing);
	in_scratch(test_span);
	in_scratch(test_threads);
	in_scratch(test_wait);
	in_scratch(test_locked);
	in_scratch(test_modes);
	return done();
}
