/* SPDX-License-Identifier: Apache-2.0 */
/* recovery: whatever a killed process, a torn write or a flipped bit leaves
 * behind, every BEGIN that can be read gets exactly one END, and recovering a
 * second time changes nothing. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base.h"
#include "journal/segment.h"
#include "journal/series.h"
#include "journal_util.h"
#include "tap.h"

static char root[512], dir[600], err[512];
static char big[64 * 1024];

static bool
recover(void)
{
	struct journal_config c = { .dir = dir, .max_bytes = 64 * MIB, .writers = 1 };
	struct journal *j = journal_open(&c, err, sizeof(err));

	journal_close(j);
	return j != NULL;
}

/* A file in memory. */
struct image {
	char	*bytes;
	size_t	 len;
};

static void
segment_name(char *out, size_t len, const char *series, unsigned number)
{
	(void)snprintf(out, len, "%s/%s/%08u.seg", dir, series, number);
}

static struct image
image_load(const char *series, unsigned number)
{
	struct image m = { 0 };
	char name[800];
	struct stat st;
	int fd;

	segment_name(name, sizeof(name), series, number);
	fd = open(name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return m;
	m.len = (size_t)st.st_size;
	m.bytes = xmalloc(m.len + 1);
	if (read(fd, m.bytes, m.len) != (ssize_t)m.len)
		abort();
	(void)close(fd);
	return m;
}

/* Makes `dir` anew with one series of these segments. */
static void
image_lay(const char *series, const struct image *m, size_t n)
{
	char name[800];
	size_t i;
	int fd;

	scratch_remove(dir);
	(void)snprintf(name, sizeof(name), "%s/%s", dir, series);
	if (mkdir(dir, 0700) < 0 || mkdir(name, 0700) < 0)
		abort();
	for (i = 0; i < n; i++) {
		segment_name(name, sizeof(name), series, (unsigned)i + 1);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (write(fd, m[i].bytes, m[i].len) != (ssize_t)m[i].len)
			abort();
		(void)close(fd);
	}
}

/* A CRC over the names and bytes of all segments. */
static uint32_t
directory_print(const char *series)
{
	uint32_t crc = 0, n;
	struct image m;

	for (n = 1; n < 8; n++) {
		m = image_load(series, n);
		crc = crc32c(crc, &n, sizeof(n));
		crc = crc32c(crc, m.bytes ? m.bytes : "", m.len);
		free(m.bytes);
	}
	return crc;
}

/* The same of whatever numbers there are. */
static uint32_t
series_print(const char *series)
{
	char *path = series_path(dir, series);
	uint32_t crc = 0, *list;
	struct image m;
	size_t n, i;

	if (segment_list(path, &list, &n) < 0)
		abort();
	crc = crc32c(crc, list, n * sizeof(*list));
	for (i = 0; i < n; i++) {
		m = image_load(series, list[i]);
		crc = crc32c(crc, m.bytes ? m.bytes : "", m.len);
		free(m.bytes);
	}
	free(list);
	free(path);
	return crc;
}

/* Recovers what was laid: is everything well, and the same the second time? */
static bool
recovers_well(const char *series, struct books *k)
{
	uint32_t first;
	bool well;

	well = recover();
	*k = books_read(dir);
	first = directory_print(series);
	well = well && k->open == 0 && k->orphans == 0 && k->begun == k->ended &&
	    k->errors == 0 && recover() && directory_print(series) == first;
	return well;
}

/* A segment as a killed process leaves it: two exchanges ended, two open. */
static struct image
make_segment(char *series)
{
	struct journal_config c = { .dir = dir, .max_bytes = 64 * MIB, .writers = 1 };
	struct journal *j = journal_open(&c, err, sizeof(err));
	struct journal_writer *w = journal_writer_open(j, 0, err, sizeof(err));
	struct image m;
	struct made x[4];
	char **list;
	int i;

	for (i = 0; i < 4; i++)
		made_begin(w, &x[i], 10 + (uint64_t)i, SLICE("{\"model\":\"gpt-4o\"}"));
	made_part(w, &x[0], SLICE("data: {\"a\":1}\n\n"));
	made_part(w, &x[1], SLICE("data: {\"b\":1}\n\n"));
	made_end(w, &x[0]);
	made_part(w, &x[2], SLICE("data: {\"c\":1}\n\n"));
	made_part(w, &x[1], SLICE("data: [DONE]\n\n"));
	made_end(w, &x[1]);
	made_part(w, &x[2], SLICE("data: {\"c\":2}\n\n"));
	journal_flush(w);
	list = series_list(dir);
	(void)snprintf(series, 32, "%s", list[0]);
	series_free(list);
	m = image_load(series, 1);
	made_end(w, &x[2]);
	made_end(w, &x[3]);
	journal_writer_close(w);
	journal_close(j);
	return m;
}

/* END(interrupted) says what had come. */
static void
test_interrupted(const char *series, const struct image *m)
{
	uint64_t at, length = 0, t_last = 0;
	struct series_count n;
	struct reader *r;
	struct record rec;
	struct books k;
	char gone[800];
	int ends = 0;

	image_lay(series, m, 1);
	(void)snprintf(gone, sizeof(gone), "%s/1700000000000-00.gone", dir);
	ok(mkdir(gone, 0700) == 0);
	ok(recovers_well(series, &k));
	ok(access(gone, F_OK) != 0);	/* half removed before the crash */
	ok(k.begun == 4 && k.interrupted == 2 && k.corrupt == 0 && k.broken_chains == 0);
	r = reader_open(dir, series, position_make(2, 0), err, sizeof(err));
	while (reader_next(r, &rec, &at) == READER_RECORD) {
		if (rec.type != RECORD_END)
			continue;
		ends++;
		length += record_get_u64(rec.payload, TAG_ANSWER_LENGTH, 0);
		t_last += record_get_u64(rec.payload, TAG_T_LAST, 0);
	}
	ok(reader_finished(r));
	reader_close(r);
	ok(ends == 2 && length == 30 && t_last == 2000);
	ok(series_count(dir, series, UINT64_MAX, &n, err, sizeof(err)) == 0);
	ok(n.begun == 4 && n.ended == 4 && n.open == 0);
}

/* Cut at every byte, from nothing to the whole. */
static void
test_cuts(const char *series, const struct image *m)
{
	struct image cut = *m;
	unsigned bad = 0, most = 0;
	struct books k;

	for (cut.len = 0; cut.len <= m->len; cut.len++) {
		image_lay(series, &cut, 1);
		bad += !recovers_well(series, &k) || k.corrupt != 0 || k.broken_chains != 0;
		most = k.begun > most ? (unsigned)k.begun : most;
	}
	ok(bad == 0);
	ok(most == 4);
}

/* The same in the second of two segments, and with zeros in place of the tail
 * (as after a power cut). */
static void
test_second(const char *series, const struct image *m)
{
	struct image two[2] = { *m, { NULL, 0 } }, zeros;
	unsigned bad = 0, from;
	struct books k;

	image_lay(series, m, 1);
	if (!recover())
		abort();
	two[1] = image_load(series, 2);
	for (from = 0; from <= two[1].len; from++) {
		struct image cut[2] = { *m, { two[1].bytes, from } };

		image_lay(series, cut, 2);
		bad += !recovers_well(series, &k) || k.begun != 4 || k.corrupt != 0;
	}
	ok(bad == 0);
	zeros = (struct image){ xmalloc(m->len), m->len };
	for (bad = 0, from = SEGMENT_HEAD; from < m->len; from += 7) {
		memcpy(zeros.bytes, m->bytes, from);
		memset(zeros.bytes + from, 0, m->len - from);
		image_lay(series, &zeros, 1);
		bad += !recovers_well(series, &k) || k.corrupt != 0;
	}
	ok(bad == 0);
	free(zeros.bytes);
	free(two[1].bytes);
}

/* In a file that held the same exchanges before: wherever the writing stopped,
 * what comes of it is what comes of a file that ends there, byte for byte. */
static void
test_former_life(const char *series, const struct image *m)
{
	char former[32];
	struct image old, mixed = { xmalloc(2 * m->len), 2 * m->len }, cut = *m;
	size_t from, end;
	struct books k;
	uint32_t print;
	unsigned bad, n = 0;

	scratch_remove(dir);
	old = make_segment(former);
	bad = old.len != m->len || strcmp(former, series) == 0;

	for (from = 0; from <= m->len; from += from == 0 ? SEGMENT_HEAD : 1) {
		memcpy(mixed.bytes, old.bytes, m->len);
		memcpy(mixed.bytes + m->len, old.bytes + SEGMENT_HEAD, m->len - SEGMENT_HEAD);
		mixed.len = 2 * m->len - SEGMENT_HEAD;
		memcpy(mixed.bytes, m->bytes, from);
		for (end = from; end < m->len && mixed.bytes[end] == m->bytes[end]; end++)
			;
		image_lay(series, &mixed, 1);
		bad += !recovers_well(series, &k) || k.corrupt != 0 || k.broken_chains != 0;
		print = directory_print(series);
		cut.len = from == 0 ? 0 : end;
		image_lay(series, &cut, 1);
		bad += !recover() || directory_print(series) != print;
		n++;
	}
	ok(bad == 0);
	ok(n > 500 && k.begun == 4);
	free(old.bytes);
	free(mixed.bytes);
}

/* One flipped bit in each byte: never a crash, never an END too many, and what
 * stands whole around the damage is kept. */
static void
test_flips(const char *series, const struct image *m)
{
	unsigned bad = 0, lost = 0, refused = 0;
	struct books k;
	size_t i;

	for (i = 0; i < m->len; i++) {
		m->bytes[i] ^= (char)(1 << (i & 7));
		image_lay(series, m, 1);
		if (!recover()) {
			refused += i >= 8 && i < 12;
			bad += i < 8 || i >= 12;
		} else {
			uint32_t first = directory_print(series);

			k = books_read(dir);
			bad += k.errors != 0 || k.open != 0 || k.ended > 5;
			lost += k.records < 3;
			bad += !recover() || directory_print(series) != first;
		}
		m->bytes[i] ^= (char)(1 << (i & 7));
	}
	ok(bad == 0);
	ok(refused > 0 && refused <= 4);	/* a newer version */
	ok(lost < 200);				/* head and checkpoint */
}

static void
test_version(const char *series, const struct image *m)
{
	struct image newer = { xmalloc(m->len), m->len };
	struct journal_config c = { .dir = dir, .max_bytes = 64 * MIB, .writers = 1 };

	memcpy(newer.bytes, m->bytes, m->len);
	newer.bytes[8] = JOURNAL_VERSION + 1;
	image_lay(series, &newer, 1);
	ok(journal_open(&c, err, sizeof(err)) == NULL);
	ok(strstr(err, "00000001.seg") != NULL && strstr(err, "newer spangate") != NULL &&
	    strstr(err, "format 3") != NULL);
	free(newer.bytes);
}

static void
limit_file_size(rlim_t n)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = n;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* Without room for the ENDs it starts all the same; the series counts as alive
 * until the ENDs are there, which they are soon after there is room. */
static void
test_no_room(const char *series, const struct image *m)
{
	struct journal_config c = { .dir = dir, .max_bytes = 64 * MIB, .writers = 1 };
	struct journal *j;
	struct reader *r;
	struct books k;
	int n;

	image_lay(series, m, 1);
	signal(SIGXFSZ, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	limit_file_size(10);
	j = journal_open(&c, err, sizeof(err));
	ok(j != NULL);
	r = reader_open(dir, series, position_make(1, (uint32_t)m->len), err, sizeof(err));
	ok(!reader_finished(r));
	limit_file_size(RLIM_INFINITY);
	for (n = 0; n < 10000 && (k = books_read(dir)).open != 0; n++)
		usleep(1000);
	ok(k.open == 0 && k.begun == 4 && k.ended == 4 && k.interrupted == 2);
	ok(!reader_finished(r) && reader_lag(r) > 0);
	reader_close(r);
	journal_close(j);
}

static _Atomic bool victim_drained;	/* there is a sink, and tiny segments go round */
static struct journal *_Atomic victim_journal;

/* Reads all that there is and releases it. */
static void *
victim_sink(void *arg)
{
	struct reader *readers[2] = { NULL };
	struct record rec;
	char **list, text[256];
	uint64_t at;
	size_t i;

	(void)arg;
	for (;;) {
		list = series_list(dir);
		for (i = 0; i < 2 && list[i] != NULL && list[1] != NULL; i++) {
			if (readers[i] == NULL)
				readers[i] = reader_open(dir, list[i], 0, text, sizeof(text));
			while (reader_next(readers[i], &rec, &at) == READER_RECORD)
				;
			journal_release(victim_journal, list[i], reader_position(readers[i]));
		}
		series_free(list);
		journal_wait(victim_journal, 1000);
	}
	return NULL;
}

/* Writes until it is killed; tells on the pipe each BEGIN that was flushed. */
static void *
victim_run(void *arg)
{
	struct journal_writer *w;
	struct made x[8] = { 0 };
	uint64_t n = (uint64_t)(uintptr_t)arg, i;
	static struct journal *j;
	struct journal_config c = { .dir = dir, .max_bytes = 256 * MIB, .sync_us = 5000, .writers = 2 };
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char text[256];
	pthread_t t;

	if (victim_drained) {
		c.max_bytes = 32 * MIB;
		c.writers = 64;
	}
	pthread_mutex_lock(&lock);
	if (j == NULL) {
		victim_journal = j = journal_open(&c, text, sizeof(text));
		if (victim_drained)
			pthread_create(&t, NULL, victim_sink, NULL);
	}
	pthread_mutex_unlock(&lock);
	w = journal_writer_open(j, (unsigned)(n >> 32), text, sizeof(text));
	for (i = 0; ; i++) {
		if (x[i % 8].last != 0)
			made_end(w, &x[i % 8]);
		made_begin(w, &x[i % 8], n + i, slice_make(big, 3000));
		if (x[(i + 3) % 8].last != 0)
			made_part(w, &x[(i + 3) % 8], slice_make(big, (i * 977) % sizeof(big)));
		journal_flush(w);
		if (x[i % 8].last == 0)
			usleep(1000);	/* no room: the sink is behind */
		else if ((i < 1000 || victim_drained) && write(3, x[i % 8].id, 16) != 16)
			abort();
	}
	return NULL;
}

/* Ids of BEGINs in a series come one after the other, as they were given: none
 * is of a former life of its file. Some may have been dropped. */
static unsigned
ids_out_of_order(const char *series)
{
	struct reader *r = reader_open(dir, series, 0, err, sizeof(err));
	uint64_t at, id, last = 0;
	struct record rec;
	unsigned bad = 0;

	while (reader_next(r, &rec, &at) == READER_RECORD) {
		if (rec.type != RECORD_BEGIN)
			continue;
		memcpy(&id, rec.id, sizeof(id));
		bad += last != 0 && (id <= last || id >> 32 != last >> 32);
		last = id;
	}
	reader_close(r);
	return bad;
}

/* Every id that the victim told of must have one END now. */
static unsigned
kill_once(unsigned round)
{
	uint32_t print;
	char **list;
	size_t i;
	uint8_t told[16];
	struct books k;
	unsigned bad, heard = 0;
	int fds[2];
	pthread_t t;
	pid_t pid;

	scratch_remove(dir);
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		(void)dup2(fds[1], 3);
		pthread_create(&t, NULL, victim_run, (void *)(uintptr_t)(1ull << 32));
		(void)victim_run((void *)(uintptr_t)(2ull << 32));
	}
	(void)close(fds[1]);
	while (heard < 20 + round * 9 && read(fds[0], told, 16) == 16)
		heard++;
	(void)kill(pid, SIGKILL);
	while (read(fds[0], told, 16) == 16)
		heard++;
	(void)waitpid(pid, NULL, 0);
	(void)close(fds[0]);
	bad = !recover();
	k = books_read(dir);
	if (victim_drained) {
		list = series_list(dir);
		for (i = 0; list[i] != NULL; i++) {
			bad += ids_out_of_order(list[i]);
			print = series_print(list[i]);
			bad += !recover() || series_print(list[i]) != print;
		}
		series_free(list);
		return bad + (k.open != 0 || k.orphans != 0 || k.corrupt != 0 || k.errors != 0);
	}
	bad += k.open != 0 || k.begun != k.ended || k.orphans != 0 || k.corrupt != 0 ||
	    k.broken_chains != 0 || k.begun < heard || k.interrupted == 0 || k.interrupted > 18;
	return bad;
}

static void
test_kills(void)
{
	unsigned round, bad = 0;

	for (round = 0; round < 25; round++)
		bad += kill_once(round) != 0;
	ok(bad == 0);
	victim_drained = true;
	for (bad = 0, round = 0; round < 25; round++)
		bad += kill_once(8 * round) != 0;
	ok(bad == 0);
}

int
main(void)
{
	struct image m;
	char series[32];

	/* The pipe of the victims is descriptor 3. */
	if (dup2(1, 3) != 3)
		return 1;
	scratch_make(root, sizeof(root), true);
	(void)snprintf(dir, sizeof(dir), "%s/journal", root);
	m = make_segment(series);
	test_interrupted(series, &m);
	test_cuts(series, &m);
	test_second(series, &m);
	test_former_life(series, &m);
	test_flips(series, &m);
	test_version(series, &m);
	test_no_room(series, &m);
	free(m.bytes);
	test_kills();
	scratch_remove(root);
	return done();
}
